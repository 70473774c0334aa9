/*
 * What the tls_*.c files share.
 */
#ifndef FED_IO_TLS_PRIV_H
#define FED_IO_TLS_PRIV_H

#include "base/limits.h"
#include "base/tls_facts.h"
#include "io/tls_compat.h"
#include "io/tls_creds.h"

/* ALPN is a matter of the configuration, not of the connection. */
struct tls_configs {
	mbedtls_ssl_config plain;  /* STARTTLS, the channel */
	mbedtls_ssl_config direct; /* with ALPN */
};

/* One certificate file with its key.  A second one of the same name (RSA
 * beside ECDSA) is added to the configurations of the first. */
struct tls_entry {
	char *name;
	char *sni; /* the name in A-labels */
	mbedtls_x509_crt chain;
	mbedtls_pk_context key;
	bool has_configs; /* first of its name */
	struct tls_configs server;
	struct tls_configs client;
};

struct tls_slot {
	struct tls_creds *creds; /* whose it is */
	bool is_busy;		 /* a worker is at it; the loop's thread asks */
	mbedtls_x509_crt trust;
	bool has_trust;
	struct tls_entry *entries;
	size_t entry_count;
	struct tls_configs anonymous; /* client without certificate */
	struct tls_configs any;	      /* server, identity by SNI */
};

/* Immutable but for what has a lock in the library (the random generator) and
 * what only the loop's thread uses (references, the next slot). */
struct tls_creds {
	unsigned refs;
	mbedtls_entropy_context entropy;
	mbedtls_ctr_drbg_context rng;
	enum tls_verify verify;
	char *alpn;
	const char *alpn_list[2];
	struct tls_slot slots[LIMIT_TLS_STEPS];
	unsigned slot_count;
	unsigned next_slot;
};

/** Certificates of a PEM file; a bundle of anchors may hold some that the
 * library does not understand, our own chain may not.  @return 0;
 * FED_ECONFIG; FED_ENOMEM */
int tls_load_certs(const char *file, bool is_bundle, mbedtls_x509_crt *out,
		   struct errbuf *e) FED_NODISCARD;

/** A private key without password.  Returns as tls_load_certs(). */
int tls_load_key(const char *file, mbedtls_pk_context *out,
		 mbedtls_ctr_drbg_context *rng, struct errbuf *e) FED_NODISCARD;

/** Load all files into a zeroed slot.  @return 0; FED_ECONFIG; FED_ENOMEM;
 * after an error tls_slot_deinit() all the same */
int tls_slot_init(struct tls_slot *s, struct tls_creds *c,
		  const struct tls_creds_params *p,
		  struct errbuf *e) FED_NODISCARD;

void tls_slot_deinit(struct tls_slot *s);

/** There is an identity of that name. */
bool tls_slot_has(const struct tls_slot *s, const char *name);

/** Configuration to use; NULL: no such identity. */
const mbedtls_ssl_config *tls_slot_config(const struct tls_slot *s,
					  const struct tls_params *p);

/** The slot for the next connection: they take turns. */
struct tls_slot *tls_creds_next_slot(struct tls_creds *c);

/** The client of this handshake asked for that name.  `ssl` is in an engine
 * (tls_compat_owner()). */
void tls_engine_note_sni(mbedtls_ssl_context *ssl, struct span name);

/** For mbedtls_ssl_conf_verify(). */
int tls_verify_callback(void *arg, mbedtls_x509_crt *crt, int depth,
			uint32_t *flags);

/** The flags of a finished verification, with what is not to count taken
 * out. */
uint32_t tls_verify_flags(const mbedtls_ssl_context *ssl, enum tls_side side);

/** Milliseconds since 1970 of a date in a certificate. */
int64_t tls_verify_time_ms(const mbedtls_x509_time *t);

/** What the flags mean, for a human. */
void tls_verify_explain(uint32_t flags, const mbedtls_x509_crt *cert, char *out,
			size_t out_size);

/** subjectAltName has that dNSName, exact or by wildcard. */
bool tls_verify_name(const mbedtls_x509_crt *cert, const char *name);

#endif
