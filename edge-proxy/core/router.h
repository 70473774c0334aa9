/*
 * Stanzas to the XMPP side: one outbound stream per domain pair, a bounded
 * queue while it is made, order kept, and one outcome for every stanza.
 *
 * IDLE -> CONNECTING -> OPEN -> (IDLE); a failed attempt goes to BACKOFF.
 *
 * A stream that the peer opened and that takes our stanzas too (XEP-0288) is
 * adopted: it serves the pair when there is no other open one, also while an
 * attempt is under way, and stands by otherwise.  An attempt that it overtook
 * goes on and stands by in turn: if both sides gave up theirs for the other's,
 * none would be left.  The stream in use stays in use until it ends, so that
 * order is kept; then the one that stands by follows.
 *
 * A stanza counts as delivered when its stream is authenticated and its last
 * byte was handed to the system (a message then waits in confirm).  One that
 * was written but not handed over when the stream died is tried once on a new
 * stream, then refused with remote-server-timeout.
 *
 * A failed attempt refuses all that waited, with the reason's condition.  The
 * next attempt is made when somebody asks for it, not before
 * LIMIT_BACKOFF_MIN_MS (doubled for each failure in a row, at most
 * LIMIT_BACKOFF_MAX_MS, plus up to half of it at random: RFC 6120 3.3), or
 * LIMIT_BACKOFF_DNS_MS where DNS knows no service; who asks before that is
 * refused at once with the last reason.
 */
#ifndef FED_EDGE_ROUTER_H
#define FED_EDGE_ROUTER_H

#include "edge-proxy/core/pair_queue.h"
#include "edge-proxy/core/s2s.h"

struct edge_router;

struct edge_router_env {
	struct id_source *ids; /* jitter; borrowed */
	const struct logger *log;
	struct metrics *metrics;
};

enum edge_router_close_why {
	EDGE_ROUTER_IDLE,    /* nothing said for LIMIT_STREAM_IDLE_MS, or for
			      * most of what the peer allows */
	EDGE_ROUTER_STALLED, /* the peer takes nothing: LIMIT_WRITE_STALL_MS */
	EDGE_ROUTER_GIVE_UP, /* the attempt takes too long */
};

enum edge_router_action_kind {
	EDGE_ROUTER_CONNECT, /* resolve, connect, authenticate; then opened()
			      * or ended() with that stream number */
	EDGE_ROUTER_WRITE,   /* bytes to the stream, then wrote() */
	EDGE_ROUTER_CLOSE,   /* the router has let go of that stream: close it
			      * in order; its number means nothing any more */
	EDGE_ROUTER_OUTCOME, /* of a stanza; the one for its origin */
	EDGE_ROUTER_LOST,    /* the pair's stream ended, not in order: what was
			      * delivered before may not have arrived; comes
			      * behind the OUTCOMEs of that stream */
};

struct edge_router_action {
	enum edge_router_action_kind kind;
	uint64_t stream; /* CONNECT, WRITE, CLOSE */
	union {
		struct s2s_pair pair; /* CONNECT, LOST */
		struct span bytes;    /* WRITE */
		enum edge_router_close_why why;
		struct {
			struct edge_origin origin;
			Fed__Condition refused; /* NO_CONDITION: delivered */
			Fed__ErrorDetail detail;
			const char *text; /* ASCII, "" none */
			struct span tag;
			uint64_t start_ms;
		} outcome;
	} u; /* pointers live until the next call on the router */
};

/** @param env borrowed content, copied struct. @return 0; FED_ENOMEM */
int edge_router_new(struct edge_router **r_out,
		    const struct edge_router_env *env) FED_NODISCARD;

/* What waits for one domain pair, for status. */
struct edge_router_queue {
	struct s2s_pair pair; /* lives until the next call on the router */
	size_t stanzas;
	size_t bytes;
	uint64_t oldest_ms; /* how long the first of them waits */
};

/**
 * Pairs with a queue, in the order in which they came.
 *
 * @param cursor  0 at first; where this walk stands
 * @return how many of at most max; fewer: these were the last
 */
size_t edge_router_queues(const struct edge_router *r, uint64_t *cursor,
			  struct edge_router_queue *out, size_t max,
			  uint64_t now_ms);

/** Free with everything that waits; NULL is allowed. */
void edge_router_free(struct edge_router *r);

/* One stanza to send. */
struct edge_router_stanza {
	struct s2s_pair pair; /* normalized domains */
	struct edge_origin origin;
	struct span xml; /* as it goes on the stream */
	struct span tag; /* given back with the outcome */
	/* an answer to a stanza of that domain: it waits also while no attempt
	 * may be made, and LIMIT_PAIR_ANSWERS_HARD is its bound */
	bool is_answer;
};

/* Why a stanza was not taken. */
struct edge_router_refusal {
	Fed__Condition condition;
	Fed__ErrorDetail detail;
	char text[128];
};

/**
 * Take a stanza; everything in it is copied.
 *
 * @param refusal_out  set unless 0 is returned: what to tell the sender; no
 *                     OUTCOME follows then
 * @return 0: exactly one OUTCOME will follow; FED_ELIMIT queue or pairs full;
 *         FED_EDENIED above the peer's stanza limit, or its domain could not
 *         be reached a moment ago; FED_ESTATE stopped; FED_EINVAL; FED_ENOMEM
 */
int edge_router_send(struct edge_router *r, const struct edge_router_stanza *s,
		     uint64_t now_ms,
		     struct edge_router_refusal *refusal_out) FED_NODISCARD;

/** The peer authenticated a stream of its own: it is there, so that the next
 * attempt need not wait for the end of the back-off. */
void edge_router_seen(struct edge_router *r, const struct s2s_pair *pair,
		      uint64_t now_ms);

/**
 * The peer authenticated a stream of its own that takes our stanzas for that
 * pair.  Its end is told by edge_router_ended(), its use by the other calls, as
 * for a stream that was asked for by CONNECT; it is never closed as idle.
 *
 * @param peer_max  XEP-0478, 0: no limit
 * @return its stream number; 0: not needed, it is not used
 */
uint64_t edge_router_adopt(struct edge_router *r, const struct s2s_pair *pair,
			   size_t peer_max, uint64_t now_ms) FED_NODISCARD;

/**
 * Another policy is in force: what waits for a pair that has no rule any more
 * is refused (its streams are for their owners to end), and no back-off from
 * before holds up one that has.  Idle times are the policy's from now on.
 */
void edge_router_look_again(struct edge_router *r, const struct policy *p,
			    uint64_t now_ms);

/** The peer said something on that stream (XEP-0288): it is not idle. */
void edge_router_heard(struct edge_router *r, uint64_t stream, uint64_t now_ms);

/** The stream is authenticated; the peer announced those limits. */
void edge_router_opened(struct edge_router *r, uint64_t stream,
			const struct s2s_limits *limits, uint64_t now_ms);

/** The attempt failed or the stream takes no more stanzas. */
void edge_router_ended(struct edge_router *r, uint64_t stream,
		       const struct s2s_reason *reason, uint64_t now_ms);

/** The bytes of the last WRITE end at that offset of the stream; at or below
 * `flushed` of edge_router_flushed() they are delivered. */
void edge_router_wrote(struct edge_router *r, uint64_t stream, uint64_t end,
		       uint64_t now_ms);

/** So many bytes of the stream were handed to the system. */
void edge_router_flushed(struct edge_router *r, uint64_t stream,
			 uint64_t offset, uint64_t now_ms);

/** While congested no WRITE comes for that stream. */
void edge_router_set_congested(struct edge_router *r, uint64_t stream,
			       bool is_congested);

/** Next action; false when there is none now. */
bool edge_router_next_action(struct edge_router *r,
			     struct edge_router_action *action_out,
			     uint64_t now_ms);

/** The deadline may have passed. */
void edge_router_on_timer(struct edge_router *r, uint64_t now_ms);

/** When edge_router_on_timer() is due; UINT64_MAX: never. */
uint64_t edge_router_deadline_ms(const struct edge_router *r);

/** Orderly end: no new stanza, no new stream.  What waits is forgotten
 * without an outcome, so that its sender gives it to another edge. */
void edge_router_stop(struct edge_router *r);

/** The pair's answers that wait, or their bytes, have reached a bound:
 * streams of that domain should not be read (LIMIT_PAIR_ANSWERS). */
bool edge_router_owes(const struct edge_router *r, const struct s2s_pair *pair);

/** For status: domain pairs with state, stanzas and bytes that wait. */
size_t edge_router_pairs(const struct edge_router *r);
size_t edge_router_stanzas(const struct edge_router *r);
size_t edge_router_bytes(const struct edge_router *r);

#endif
