/*
 * A certificate file as an operator should know it before a peer does.
 */
#ifndef FED_IO_TLS_FILE_H
#define FED_IO_TLS_FILE_H

#include "base/err.h"
#include "base/span.h"

struct tls_file;

/* CAs, and what they revoked: parsed once for many files. */
struct tls_trust;

/**
 * Read the certificates of a PEM file.
 *
 * @param is_bundle  of CAs: those that the library cannot read are left out
 * @return 0; FED_ECONFIG; FED_ENOMEM
 */
int tls_file_new(struct tls_file **f_out, const char *file, bool is_bundle,
		 struct errbuf *e) FED_NODISCARD;

/** NULL is allowed. */
void tls_file_free(struct tls_file *f);

/** The first certificate, DER; it is the file's until that is freed. */
struct span tls_file_der(const struct tls_file *f);

/** How many there are, and each one, DER, as tls_file_der(). */
size_t tls_file_count(const struct tls_file *f);
struct span tls_file_der_at(const struct tls_file *f, size_t i);

/**
 * Read a bundle of CAs.
 *
 * @param crl_file  NULL: none
 * @return 0; FED_ECONFIG a file cannot be read; FED_ENOMEM
 */
int tls_trust_new(struct tls_trust **t_out, const char *trust_file,
		  const char *crl_file, struct errbuf *e) FED_NODISCARD;

/** NULL is allowed. */
void tls_trust_free(struct tls_trust *t);

/** When the first of its revocation lists is out of date, ms since 1970;
 * INT64_MAX: there are none. */
int64_t tls_trust_crl_until_ms(const struct tls_trust *t);

/**
 * Would somebody with these CAs believe it?  Nothing is said of names and
 * usage.
 *
 * @param problem_out  why not, as in tls_facts; "" believed
 */
void tls_file_verify(struct tls_file *f, struct tls_trust *trust,
		     char *problem_out, size_t problem_size);

/** The first one has that dNSName, exact or by wildcard. */
bool tls_file_has_name(const struct tls_file *f, const char *name);

/** First and last millisecond since 1970 at which the first one is valid. */
void tls_file_dates(const struct tls_file *f, int64_t *from_ms_out,
		    int64_t *to_ms_out);

/**
 * A PEM file of revocation lists: readable, and in date.
 *
 * @param until_ms_out  when the first of them is out of date, ms since 1970
 * @return 0; FED_ECONFIG; FED_ENOMEM
 */
int tls_file_check_crl(const char *file, int64_t *until_ms_out,
		       struct errbuf *e) FED_NODISCARD;

/** One of them may sign others, or signed itself. */
bool tls_file_has_anchor(const struct tls_file *f);

#endif
