/*
 * "fedctl check": the shell of core/check_*.h.  Its answer comes piece by
 * piece; while there is nothing to say, an empty piece shows that it goes on.
 * The struct is private to edge_check*.c and edge_session_out_make.c.
 */
#ifndef FED_EDGE_CHECK_SHELL_H
#define FED_EDGE_CHECK_SHELL_H

#include "edge-proxy/core/check.h"
#include "edge-proxy/edge.h"
#include "io/admin_server.h"

/* Whom an answer that waited is for. */
struct edge_asker {
	/** edge_admin_answer() is to be called again. */
	void (*ready)(void *arg, struct admin_call *call);
	void *arg;
};

struct edge_own_certs;

struct edge_check {
	struct edge *e;
	struct admin_call *call;
	struct edge_asker asker;
	Fed__AdminCheck__What what;
	char domain[LIMIT_DOMAIN_BYTES + 1]; /* normalized; CERT: or "" */
	char ascii[LIMIT_DOMAIN_BYTES + 1];
	struct check found;
	size_t given; /* of found */
	bool is_over;
	bool is_due; /* a sign of life */
	char verdict[1024];
	struct loop_timer *timer;
	uint64_t until_ms;
	struct edge_dns_query *query; /* DNS */
	struct edge_out *out;	      /* PARTNER, CERT of a partner */
	uint64_t attempt;	      /* of it */
	size_t steps;		      /* of it that are in found */
	struct edge_own_certs *own;   /* CERT of our own */
	/* what it showed; der is a copy */
	struct tls_facts tls;
	struct buf der;
};

/** The next piece of the answer. */
enum admin_step edge_check_more(struct edge *e, struct admin_call *call,
				const struct edge_asker *asker, struct arena *a,
				Fed__AdminResponse *out);

/** Nobody waits any more; nothing for calls that are no checks. */
void edge_check_end(struct admin_call *call);

/** A stream of edge_out_check() is over, its attempt too; nothing for others.
 */
void edge_check_ended(struct edge_out *o);

/** TLS of such a stream is up. */
void edge_check_saw_tls(struct edge_out *o);

/* ---- between the parts of edge_check ---- */

/** It is complete: judge and say so. */
void edge_check_over(struct edge_check *ec, const char *well);

/** DNS: ask. @return 0; as edge_dns_resolve() */
int edge_check_dns_begin(struct edge_check *ec) FED_NODISCARD;

/** CERT of our own: begin; a certificate each turn of the loop.
 * @return 0; FED_ENOMEM */
int edge_check_own_certs(struct edge_check *ec) FED_NODISCARD;

/** Of that, what is left.  NULL is allowed. */
void edge_own_certs_free(struct edge_own_certs *own);

/** CERT of a partner: what it shows on a stream that is open. @return false:
 * there is none */
bool edge_check_seen_cert(struct edge_check *ec) FED_NODISCARD;

/** CERT of a partner: what a fresh stream showed. */
void edge_check_fresh_cert(struct edge_check *ec);

#endif
