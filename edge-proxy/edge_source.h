/*
 * Stanzas of one stream of a peer on their way to the channel; at most one is
 * held.  Part of an inbound stream, or of an outbound one with bidi.
 */
#ifndef FED_EDGE_SOURCE_H
#define FED_EDGE_SOURCE_H

#include "edge-proxy/edge.h"

struct edge_source {
	struct edge *e;
	struct conn *conn; /* of the stream; NULL when it is closed */
	/* A stanza the channel cannot take now.  Its pointers live as long as
	 * the core is not called: until it is gone only SHUTDOWN is fed. */
	bool is_held;
	struct s2s_action held;
	struct edge_wait wait;
	uint64_t stanzas; /* taken */
};

/** @param retry  called when the held stanza may be taken now: it calls
 * edge_source_retry() */
void edge_source_init(struct edge_source *src, struct edge *e,
		      void (*retry)(void *arg), void *arg);

/** A STANZA of the core: to the confirmation, to a gateway, answered with an
 * error, or held with the connection paused. */
void edge_source_take(struct edge_source *src, const struct s2s_action *a);

/** Offer the held stanza again; it may be held again. */
void edge_source_retry(struct edge_source *src);

/** The stream is about to end: the held stanza is not given to a gateway; its
 * sender is told where he is still a partner's.  Reading goes on. */
void edge_source_give_up(struct edge_source *src);

/** The stream is over: leave the line. */
void edge_source_end(struct edge_source *src);

#endif
