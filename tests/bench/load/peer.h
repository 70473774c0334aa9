/*
 * A stream of the XMPP server that the load generator plays: the edge's own
 * stream cores negotiate it (STARTTLS, SASL EXTERNAL).  Behind that, an
 * inbound stream gives its bytes as they come, since a parser would cost the
 * generator as much as the edge.
 */
#ifndef FED_BENCH_PEER_H
#define FED_BENCH_PEER_H

#include "edge-proxy/core/s2s_in.h"
#include "edge-proxy/core/s2s_out.h"
#include "io/conn.h"

/* What all streams have in common. */
struct peer_host {
	struct loop *loop;
	struct tls_creds *creds;
	const struct policy *policy;
	struct id_source ids;
	const struct logger *log;
	struct metrics metrics;
	const char *remote;   /* the domain behind the edge */
	const char *identity; /* shown for domains without one of their own */
};

enum peer_event_kind {
	PEER_OPEN,  /* authenticated: tls */
	PEER_BYTES, /* inbound only: plaintext of the open stream */
	PEER_END,   /* gone; the last event */
};

struct peer;

struct peer_event {
	enum peer_event_kind kind;
	const struct tls_facts *tls;  /* OPEN; NULL: without TLS */
	struct span bytes;	      /* BYTES */
	const struct s2s_reason *why; /* END */
};

typedef void (*peer_fn)(struct peer *p, const struct peer_event *ev, void *arg);

/** The edge connected. @param host  borrowed, as all here */
struct peer *peer_accept(struct peer_host *host, struct conn *c, peer_fn fn,
			 void *arg);

/**
 * A stream to the edge.
 *
 * @param local     domain that the stream is from; copied
 * @param identity  name of the certificate in host->creds
 */
struct peer *peer_connect(struct peer_host *host, const struct sockaddr *edge,
			  const char *local, const char *identity, peer_fn fn,
			  void *arg);

/** Queue bytes behind what was written. */
void peer_write(struct peer *p, struct span bytes);

/** Close in order; END follows. */
void peer_close(struct peer *p);

#endif
