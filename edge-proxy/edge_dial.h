/*
 * Resolve an XMPP domain and connect to the first address that answers
 * (RFC 6120 3.2): all addresses of a target, then the next target.
 */
#ifndef FED_EDGE_DIAL_H
#define FED_EDGE_DIAL_H

#include "edge-proxy/core/s2s.h"
#include "edge-proxy/edge_dns.h"
#include "io/conn.h"

struct edge_dial;

/**
 * The end: a connection that is up (take it with conn_set_handler()), or NULL
 * and why not.  The dial is freed afterwards by edge_dial_free().
 */
typedef void (*edge_dial_fn)(void *arg, struct conn *c,
			     const struct s2s_reason *reason);

struct edge_dial_params {
	struct loop *loop;
	struct edge_dns *dns;
	const char *domain; /* normalized */
	const char *label;  /* for log lines; lives as the dial */
	edge_dial_fn fn;    /* never called from inside edge_dial_new() */
	void *arg;
};

/** Begin. @return 0; FED_EINVAL not a name for DNS; FED_ELIMIT; FED_ENOMEM */
int edge_dial_new(struct edge_dial **d_out,
		  const struct edge_dial_params *p) FED_NODISCARD;

/** Stop and free; NULL is allowed.  May be called from fn. */
void edge_dial_free(struct edge_dial *d);

#endif
