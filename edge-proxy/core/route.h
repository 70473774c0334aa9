/*
 * The router's table and one domain pair of it; private to router*.c and
 * route.c.
 */
#ifndef FED_EDGE_ROUTE_H
#define FED_EDGE_ROUTE_H

#include "base/map.h"
#include "edge-proxy/core/router.h"

/* X(name) */
#define ROUTE_STATES(X) X(IDLE) X(CONNECTING) X(OPEN) X(BACKOFF)

enum route_state {
#define ROUTE_ENUM(name) ROUTE_##name,
	ROUTE_STATES(ROUTE_ENUM)
#undef ROUTE_ENUM
};

/* A stream that serves a pair, or may. */
struct route_stream {
	UT_hash_handle hh; /* by number, while there is one */
	struct route *route;
	uint64_t number;       /* 0: none */
	bool is_open;	       /* authenticated */
	bool is_adopted;       /* the peer opened it */
	bool is_congested;     /* OPEN */
	size_t peer_max;       /* OPEN; 0: no limit */
	uint64_t peer_idle_ms; /* OPEN: XEP-0478; 0: not said */
	uint64_t idle_ms;      /* OPEN: how long it may carry nothing */
	uint64_t used_ms;      /* OPEN: last stanza, either way */
};

struct route {
	UT_hash_handle hh; /* by key */
	uint64_t id;	   /* rising, never reused */
	enum route_state state;
	struct route_stream slots[2];
	struct route_stream *now;   /* in use; its state is the route's */
	struct route_stream *spare; /* stands by */
	struct pair_queue queue;
	unsigned failures; /* in a row */
	struct s2s_reason last;
	uint64_t attempt_ms;  /* last CONNECT */
	uint64_t progress_ms; /* OPEN: last time the system took bytes */
	uint64_t until_ms;    /* BACKOFF: no attempt before */
	uint64_t deadline_ms; /* when to look at it; may be early */
	/* actions that wait to be drained */
	bool is_lost; /* tell so */
	bool wants_connect;
	uint64_t close_stream; /* 0: none */
	enum edge_router_close_why close_why;
	bool is_todo; /* in the router's list */
	struct route *prev;
	struct route *next;
	const char *local; /* into key */
	const char *remote;
	size_t key_n;
	char key[]; /* local NUL remote NUL */
};

struct edge_router {
	struct edge_router_env env;
	struct route *by_key;
	struct route_stream *by_stream;
	struct route *todo;	   /* routes with an action */
	struct pair_item *done;	   /* outcomes to tell */
	struct pair_item *current; /* borrowed by the last action */
	uint64_t next_stream;
	uint64_t last_id; /* of a route */
	uint64_t deadline_ms;
	uint64_t idle_ms; /* streams carry nothing for so long, at most */
	size_t stanzas;	  /* queued in all routes */
	size_t bytes;
	bool is_stopped;
};

/** "IDLE"... */
const char *route_state_name(enum route_state s);

/** New IDLE route; NULL out of memory. */
struct route *route_new(const struct s2s_pair *pair);

/** Free with its queue. */
void route_free(struct route *rt);

/** Change the state; an edge that is not in the list is a broken invariant:
 * logged, and made all the same. */
void route_set_state(struct route *rt, enum route_state to, const char *why,
		     const struct logger *log);

/** Milliseconds to wait after so many failures in a row. */
uint64_t route_backoff_ms(unsigned failures, struct id_source *ids);

/** How long a stream may carry nothing; 0: the peer did not say. */
uint64_t route_idle_ms(uint64_t peer_idle_ms, uint64_t most_ms);

/** When a route in this state has to be looked at; UINT64_MAX: never. */
uint64_t route_next_ms(const struct route *rt);

/** When the stream that stands by is closed as idle; UINT64_MAX: never. */
uint64_t route_spare_idle_ms(const struct route *rt);

/** Nothing in it is worth keeping. */
bool route_is_empty(const struct route *rt);

/* --- router.c for router_stream.c ----------------------------------------- */

/** Remove a route and free it. */
void router_forget(struct edge_router *r, struct route *rt);

/** It may have an action. */
void router_add_todo(struct edge_router *r, struct route *rt);

/** Move the item, taken from its queue, to the outcomes. */
void router_done(struct edge_router *r, struct pair_item *it, Fed__Condition c,
		 const char *text);

/* --- router_stream.c for router.c ----------------------------------------- */

/** Refuse what waits, by the route's last reason. */
void router_refuse_waiting(struct edge_router *r, struct route *rt);

/** The stream is none of the route's any more. */
void router_detach(struct edge_router *r, struct route_stream *st);

/** End a back-off; attempts stay LIMIT_BACKOFF_DNS_MS apart. */
void router_end_backoff(struct edge_router *r, struct route *rt,
			uint64_t now_ms);

/** Plan the next look at the route. */
void router_plan(struct edge_router *r, struct route *rt);

/** Give a stream a new number; false: out of memory. */
bool router_attach(struct edge_router *r, struct route_stream *st);

/** The one that stands by is in use now, and the reverse. */
void router_swap(struct route *rt);

/** rt->now is open: state OPEN. */
void router_use(struct edge_router *r, struct route *rt, const char *why,
		uint64_t now_ms);

/** State CONNECTING with a new stream number. */
void router_connect(struct edge_router *r, struct route *rt, uint64_t now_ms);

#endif
