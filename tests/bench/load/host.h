/*
 * What the XMPP server that the load generator plays is made of.
 */
#ifndef FED_BENCH_HOST_H
#define FED_BENCH_HOST_H

#include "tests/bench/load/peer.h"

/* Domains below load.example: s0.load.example, s1... */
enum { HOST_DOMAINS = 1000 };

struct host_files {
	const char *trust;
	const char *cert; /* of load.example */
	const char *key;
	const char *wildcard_cert; /* of *.load.example */
	const char *wildcard_key;
};

/** A host for load.example and those below it, toward sip.example; ends the
 * program when something is missing.  It lives as the program does. */
void host_init(struct peer_host *host, struct loop *loop,
	       const struct host_files *files);

/** Certificates of their own, that is, without a session of earlier
 * connections. */
struct tls_creds *host_load_creds(const struct host_files *files);

/** Log of the generator: warnings to stderr. */
const struct logger *host_log(void);

#endif
