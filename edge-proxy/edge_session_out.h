/*
 * An outbound stream: private to edge_session_out.c (its life),
 * edge_session_out_make.c (making, and what others ask of it) and edge_admin.c
 * (which only looks).
 */
#ifndef FED_EDGE_SESSION_OUT_H
#define FED_EDGE_SESSION_OUT_H

#include "base/map.h"
#include "edge-proxy/core/s2s_out.h"
#include "edge-proxy/edge.h"
#include "edge-proxy/edge_dial.h"
#include "edge-proxy/edge_source.h"

struct edge_out {
	struct edge *e;
	struct edge_label label;
	enum s2s_out_mode mode;
	char *local;
	char *remote;
	char *stream_id; /* VERIFY */
	char *key;	 /* VERIFY */
	struct edge_dial *dial;
	struct conn *conn;
	struct s2s_out *core;
	struct s2s_env env;
	uint64_t route; /* router's stream number, 0: let go or VERIFY */
	struct edge_verify *verify; /* VERIFY: who waits */
	struct edge_check *check;   /* fedctl asked for it; no route */
	bool has_verdict;
	enum s2s_verify_result verdict;
	/* <see-other-host/> */
	unsigned redirects;	     /* followed */
	struct other_host other;     /* where to; host "": nowhere */
	struct loop_deferred redial; /* go there */
	bool is_direct;		     /* TLS before the first byte (XEP-0368) */
	bool is_open;		     /* READY was reported */
	struct edge_source source;   /* bidi: the peer's stanzas */
	bool is_timer_due;	     /* while one is held */
	bool is_lost;		     /* connection gone while one is held */
	bool is_closed; /* off the lists, freed at the end of the turn */
	/* what befell it while actions were drained; fed afterwards */
	bool has_follow_up;
	struct s2s_event follow_up;
	uint64_t start_ms;
	uint64_t stanzas;
	struct loop_deferred reap;
	UT_hash_handle hh; /* by route, while it has one */
	struct edge_out *prev;
	struct edge_out *next;
};

/** End it: off the lists, the owners are told, freed at the end of the turn.
 * May be called again. */
void edge_out_finish(struct edge_out *o, const struct s2s_reason *r);

/** Feed the core one event and carry out what it wants; later, while a stanza
 * is held. */
void edge_out_event(struct edge_out *o, const struct s2s_event *ev);

/** The router's stream number means nothing any more; gateways are told. May be
 * called again. */
void edge_out_detach(struct edge_out *o, const struct s2s_reason *r);

/** Resolve and connect: o->other where that is set. */
void edge_out_dial(struct edge_out *o);

/** Offer the stanza it holds to the channel again; arg is the edge_out. */
void edge_out_retry(void *arg);

/** edge_dial_fn. */
void edge_out_dialed(void *arg, struct conn *c, const struct s2s_reason *why);

/** Leave the host for another one, loop_defer_fn. */
void edge_out_redial(void *arg);

/** Free the memory, loop_defer_fn. */
void edge_out_reap(void *arg);

#endif
