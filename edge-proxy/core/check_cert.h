/*
 * Judgement of certificates: our own as an operator should know them before a
 * peer does, and what a partner showed.
 */
#ifndef FED_EDGE_CHECK_CERT_H
#define FED_EDGE_CHECK_CERT_H

#include "base/tls_facts.h"
#include "edge-proxy/core/check.h"

enum check_cert_for {
	CHECK_CERT_DOMAIN,  /* XMPP, shown in both roles */
	CHECK_CERT_CHANNEL, /* the edge's: it is the TLS server there */
};

struct check_cert {
	enum check_cert_for what_for;
	const char *name;	  /* domain, or instance */
	const char *file;	  /* "" a partner's */
	const char *trust;	  /* the key of the CAs: "s2s.trust" */
	const struct span *chain; /* DER, the end certificate first */
	size_t chain_count;
	const char *chain_problem; /* "" it leads to a CA of `trust` */
	const char *key_problem;   /* "" fits; NULL: not looked at */
	bool is_newer;		   /* the file changed since it was loaded */
	int64_t wall_ms;
};

enum { CHECK_CERT_CHAIN = 8 };

/** One certificate with its chain. */
void check_cert(struct check *c, const struct check_cert *p);

/** Revocation lists.
 * @param until_ms  when the first one is out of date
 * @param problem   "" they can be read */
void check_crl(struct check *c, const char *key, int64_t until_ms,
	       const char *problem, int64_t wall_ms);

#endif
