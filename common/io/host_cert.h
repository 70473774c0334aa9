/*
 * What both host files say of certificates, checked before anything listens:
 * files, keys, names, dates.
 */
#ifndef FED_IO_HOST_CERT_H
#define FED_IO_HOST_CERT_H

#include "io/host_config.h"

struct tls_file;

/** There is a file and it can be read. @return 0; FED_ECONFIG */
int host_check_readable(const struct host_place *at, const char *key,
			const char *file) FED_NODISCARD;

/** A bundle of CAs, one at least. @return 0; FED_ECONFIG */
int host_check_trust(const struct host_place *at, const char *key,
		     const char *file) FED_NODISCARD;

/** Revocation lists, none out of date; NULL: there need not be one.
 * @return 0; FED_ECONFIG */
int host_check_crl(const struct host_place *at, const char *key,
		   const char *file) FED_NODISCARD;

/* A certificate, its key, and the paths of both in the host file. */
struct host_pair {
	const char *name; /* for whom; not checked here */
	const char *cert_key;
	const char *cert_file;
	const char *key_key;
	const char *key_file;
};

/**
 * Both load, belong together, and the certificate is valid today.
 *
 * @param file_out  the certificate's, for the check of its names
 * @return 0; FED_ECONFIG
 */
int host_check_pair(const struct host_place *at, const struct host_pair *p,
		    struct tls_file **file_out) FED_NODISCARD;

/** As host_check_pair(), and the certificate names the instance, which the
 * other side of the channel asks for. @return 0; FED_ECONFIG */
int host_check_channel_pair(const struct host_place *at,
			    const struct host_pair *p) FED_NODISCARD;

#endif
