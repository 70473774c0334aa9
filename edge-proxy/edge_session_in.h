/*
 * An inbound stream: private to edge_session_in.c (its life),
 * edge_session_in_accept.c (making and ending all), edge_session_in_bidi.c
 * (our stanzas on it) and edge_admin.c (which only looks).
 */
#ifndef FED_EDGE_SESSION_IN_H
#define FED_EDGE_SESSION_IN_H

#include "base/map.h"
#include "edge-proxy/core/s2s_in.h"
#include "edge-proxy/edge_source.h"

struct edge_in {
	struct edge *e;
	struct edge_label label;
	struct conn *conn;
	struct s2s_in *core;
	struct s2s_env env;
	char address[EDGE_SOURCE_BYTES]; /* in e->strangers until open */
	bool is_stranger;
	bool is_direct;		   /* TLS before the first byte */
	char *partner;		   /* domain it is counted for, or NULL */
	struct edge_source source; /* stanzas for the channel */
	bool is_timer_due;	   /* while held */
	bool is_lost;		   /* connection gone while held */
	struct edge_verify *verifies;
	struct edge_in_route *routes; /* authenticated pairs */
	uint64_t written;	      /* stanzas of ours */
	bool is_closed; /* off the lists, freed at the end of the turn */
	bool has_follow_up;
	struct s2s_event follow_up;
	uint64_t start_ms;
	struct loop_deferred work; /* verdicts to feed */
	struct loop_deferred reap;
	struct edge_in *prev;
	struct edge_in *next;
};

/** End it: off the lists, freed at the end of the turn. May be called again. */
void edge_in_finish(struct edge_in *in, const struct s2s_reason *r);

/** Feed the core one event and carry out what it wants. */
void edge_in_event(struct edge_in *in, const struct s2s_event *ev);

/** Offer the stanza it holds to the channel again; arg is the edge_in. */
void edge_in_retry(void *arg);

/** An event to feed when the actions are drained and no stanza is held; now,
 * if that is so. */
void edge_in_follow_up(struct edge_in *in, enum s2s_event_kind kind);

/** conn_event_fn. */
void edge_in_conn(struct conn *c, const struct conn_event *cev, void *arg);

/** loop_defer_fn: feed the verdicts that came. */
void edge_in_work(void *arg);

/** loop_defer_fn: free the memory. */
void edge_in_reap(void *arg);

/* ---- edge_session_in_bidi.c ---- */

/** The pair is authenticated; with bidi the stream takes our stanzas for it. */
void edge_in_add_pair(struct edge_in *in, const struct s2s_pair *pair,
		      bool is_bidi);

/** The stream is over: forget its pairs, the router's and gateways' too. */
void edge_in_drop_pairs(struct edge_in *in, const struct s2s_reason *r);

/** The stream takes none of our stanzas any more. */
void edge_in_leave_routes(struct edge_in *in, const struct s2s_reason *r);

/** After each event: perhaps it is closing. */
void edge_in_check_routes(struct edge_in *in);

/** The peer said something. */
void edge_in_heard(struct edge_in *in);

/** The system took bytes. */
void edge_in_drained(struct edge_in *in, struct conn *c);

#endif
