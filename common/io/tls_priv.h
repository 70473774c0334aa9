/*
 * What tls_creds.c, tls_verify.c and tls_engine.c share.
 */
#ifndef FED_IO_TLS_PRIV_H
#define FED_IO_TLS_PRIV_H

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

/* Immutable but for the random generator and the reference count, which are
 * used by the loop's thread only.  A worker thread that runs handshakes needs
 * its own configurations, certificates and keys: mbedTLS keeps caches in
 * them. */
struct tls_creds {
	unsigned refs;
	mbedtls_entropy_context entropy;
	mbedtls_ctr_drbg_context rng;
	mbedtls_x509_crt trust;
	bool has_trust;
	enum tls_verify verify;
	char *alpn;
	const char *alpn_list[2];
	struct tls_entry *entries;
	size_t entry_count;
	struct tls_configs anonymous; /* client without certificate */
	struct tls_configs any;	      /* server, identity by SNI */
};

/** Configuration to use; NULL: no such identity. */
const mbedtls_ssl_config *tls_creds_config(const struct tls_creds *c,
					   const struct tls_params *p);

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
