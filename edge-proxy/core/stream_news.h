/*
 * What gateways are told about streams, in few words whatever peers do.
 *
 * For each domain pair and direction: OPENED when a stream is authenticated
 * where there was none, CLOSED when the last one ended, FAILED when an attempt
 * of ours ended without one.  OPENED and CLOSED take turns; FAILED comes only
 * where the last word was not OPENED.
 *
 * The first change after a quiet time is told at once.  Those of the next
 * LIMIT_STREAM_NEWS_MS are merged: a failure that a new stream followed, that
 * stream, and its end are all that is left of any number of them.  A stream
 * that ended in order and came back is nothing.
 */
#ifndef FED_EDGE_STREAM_NEWS_H
#define FED_EDGE_STREAM_NEWS_H

#include "edge-proxy/core/s2s.h"

struct stream_news;

/* One thing to tell. */
struct stream_news_item {
	Fed__StreamEvent__What what;
	struct s2s_pair pair;
	bool is_inbound;
	bool is_in_order;   /* CLOSED: by s2s_reason_is_in_order() */
	const char *reason; /* ASCII, begins with the kind's name; "" OPENED */
};			    /* pointers live until the next call */

/** @param m  counters, borrowed; NULL: none. @return 0; FED_ENOMEM */
int stream_news_new(struct stream_news **n_out, struct metrics *m,
		    uint64_t now_ms) FED_NODISCARD;

/** Free with what was not told; NULL is allowed. */
void stream_news_free(struct stream_news *n);

/** A stream is authenticated for the pair; what does not fit
 * LIMIT_STREAM_NEWS_PAIRS is counted and not told. */
void stream_news_opened(struct stream_news *n, const struct s2s_pair *pair,
			bool is_inbound);

/** One that stream_news_opened() was called for ended. */
void stream_news_ended(struct stream_news *n, const struct s2s_pair *pair,
		       bool is_inbound, const struct s2s_reason *reason);

/** An attempt of ours ended without a stream.  That we are stopping says
 * nothing of the peer: it is not told. */
void stream_news_failed(struct stream_news *n, const struct s2s_pair *pair,
			const struct s2s_reason *reason);

/** Next thing to tell; false: none now, see the deadline. */
bool stream_news_next(struct stream_news *n, struct stream_news_item *item_out,
		      uint64_t now_ms);

/** When stream_news_next() may have more, perhaps in the past; UINT64_MAX: not
 * before the next change. */
uint64_t stream_news_deadline_ms(const struct stream_news *n);

/** For status and tests: pairs with state, directions counted apart. */
size_t stream_news_pairs(const struct stream_news *n);

#endif
