/*
 * Stanzas of one stream of a peer on their way to the channel; at most one is
 * held.  Part of an inbound stream, or of an outbound one with bidi.
 */
#ifndef FED_EDGE_SOURCE_H
#define FED_EDGE_SOURCE_H

#include "edge-proxy/edge_partner.h"

struct edge_source {
	struct edge *e;
	struct conn *conn; /* of the stream; NULL when it is closed */
	/* A stanza the channel cannot take now.  Its pointers live as long as
	 * the core is not called: until it is gone only SHUTDOWN is fed. */
	bool is_held;
	struct s2s_action held;
	struct edge_wait wait;
	/* the partner spoke too fast: the core is not asked for more */
	bool is_paced;
	struct edge_partner *partner; /* whose stream it is; NULL: nobody's */
	bool is_counted_in;	      /* there, as one that it opened */
	struct edge_source *pace_prev;
	struct edge_source *pace_next;
	uint64_t stanzas; /* taken */
};

/** @param retry  called when the held stanza may be taken now, or the partner
 * may speak again: it calls edge_source_retry() */
void edge_source_init(struct edge_source *src, struct edge *e,
		      void (*retry)(void *arg), void *arg);

/** Nothing is taken from the stream now: one that is held has no place, or the
 * partner is too fast. */
static inline bool edge_source_is_busy(const struct edge_source *src)
{
	return src->is_held || src->is_paced;
}

/** A STANZA of the core: to the confirmation, to a gateway, answered with an
 * error, or held with the connection paused. */
void edge_source_take(struct edge_source *src, const struct s2s_action *a);

/** Offer the held stanza again, if there is one; it may be held again. */
void edge_source_retry(struct edge_source *src);

/** The stream is about to end: the held stanza is not given to a gateway; its
 * sender is told where he is still a partner's. */
void edge_source_give_up(struct edge_source *src);

/** The stream is over: leave the line. */
void edge_source_end(struct edge_source *src);

#endif
