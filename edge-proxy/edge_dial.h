/*
 * Resolve an XMPP domain and connect to the address that answers first
 * (RFC 6120 3.2, RFC 8305, XEP-0368).  core/dial_plan decides which one is
 * tried when.
 */
#ifndef FED_EDGE_DIAL_H
#define FED_EDGE_DIAL_H

#include "edge-proxy/core/dial_note.h"
#include "edge-proxy/core/s2s.h"
#include "edge-proxy/edge_dns.h"
#include "io/conn.h"

struct edge_dial;

/**
 * The end: a connection that is up (take it with conn_set_handler()), or NULL
 * and why not.  One of a direct-TLS target has its TLS already:
 * conn_tls_facts().  The dial is freed afterwards by edge_dial_free().
 */
typedef void (*edge_dial_fn)(void *arg, struct conn *c,
			     const struct s2s_reason *reason);

struct edge_dial_params {
	struct loop *loop;
	struct edge_dns *dns;
	const char *domain; /* normalized */
	/* where the domain said it is served; borrowed for the call; NULL: as
	 * DNS says */
	const struct other_host *host;
	const char *label; /* for log lines; lives as the dial */
	/* direct TLS; NULL: targets that want it are left out */
	struct tls_creds *creds;
	const char *identity;  /* ours to show; NULL: none; lives as the dial */
	struct dial_note note; /* where its steps are recorded */
	edge_dial_fn fn;       /* never called from inside edge_dial_new() */
	void *arg;
};

/** Begin. @return 0; FED_EINVAL not a name for DNS; FED_ELIMIT; FED_ENOMEM */
int edge_dial_new(struct edge_dial **d_out,
		  const struct edge_dial_params *p) FED_NODISCARD;

/** Stop and free; NULL is allowed.  May be called from fn. */
void edge_dial_free(struct edge_dial *d);

#endif
