/*
 * TLS credentials: own certificates by domain, trust anchors, session
 * tickets.  Reference counted, immutable once made: a reload makes a new one,
 * connections keep the one they began with.
 */
#ifndef FED_IO_TLS_CREDS_H
#define FED_IO_TLS_CREDS_H

#include "base/err.h"

struct tls_creds;

struct tls_identity {
	const char *name;      /* normalized domain it is shown for */
	const char *cert_file; /* PEM chain, end certificate first */
	const char *key_file;  /* PEM */
	const char *sni;       /* the name in A-labels, NULL: name is so */
};

enum tls_side { TLS_SERVER, TLS_CLIENT };

/* How a connection begins TLS; all of it is borrowed for the call. */
struct tls_params {
	enum tls_side side;
	const char *identity; /* a name of the creds.  SERVER: shown, NULL: the
			       * one that SNI asks for, else the first.
			       * CLIENT: shown when asked, NULL: none */
	const char *sni; /* CLIENT: name to ask for (A-labels), NULL: none */
	bool is_direct;	 /* CLIENT: offer the ALPN of the creds; for direct
			  * TLS (XEP-0368) only */
};

enum tls_verify {
	TLS_VERIFY_FACTS,    /* finish the handshake, report what was found */
	TLS_VERIFY_REQUIRED, /* no valid chain: no connection (channel) */
};

struct tls_creds_params {
	const char *trust_file; /* PEM bundle, NULL: no anchors */
	/* PEM, revocation lists of those anchors; NULL: none.  One that is out
	 * of date makes what its CA signed invalid. */
	const char *crl_file;
	const struct tls_identity *identities;
	size_t identity_count; /* 0: client without certificate */
	enum tls_verify verify;
	/* NULL: none.  A server refuses who offers others only; who offers
	 * nothing is welcome. */
	const char *alpn;
};

/**
 * Load and check everything: files readable, key fits certificate.
 *
 * @param e  says which file and what is wrong with it
 * @return 0; FED_ECONFIG; FED_ENOMEM
 */
int tls_creds_new(struct tls_creds **creds_out,
		  const struct tls_creds_params *p,
		  struct errbuf *e) FED_NODISCARD;

struct tls_creds *tls_creds_ref(struct tls_creds *c);

/** Drop a reference; NULL is allowed. */
void tls_creds_unref(struct tls_creds *c);

/** Handshakes that can be worked on at once in this process. */
unsigned tls_creds_step_max(void);

/** There is a certificate for that (normalized) domain. */
bool tls_creds_has(const struct tls_creds *c, const char *name);

#endif
