/*
 * Stanzas on their way to one domain pair: those that wait for a stream, and
 * those written to it that the system has not taken yet.  Order is kept.
 */
#ifndef FED_EDGE_PAIR_QUEUE_H
#define FED_EDGE_PAIR_QUEUE_H

#include "base/limits.h"
#include "base/span.h"
#include "stanza.pb-c.h"

/* Who gets told what became of a stanza. */
struct edge_origin {
	uint64_t link; /* the owner's number of a channel link; 0: a stanza of
			* the edge itself, nobody to tell */
	uint64_t ref;  /* chan_core's */
};

struct pair_item {
	struct edge_origin origin;
	uint64_t start_ms; /* taken by the queue */
	uint64_t end;	   /* stream offset behind its last byte */
	bool is_retried;   /* was lost with a stream once */
	bool is_answer;	   /* of the edge: it has a bound of its own */
	struct span xml;
	struct span tag;	/* the owner's words for the ledger */
	Fed__Condition refused; /* outcome; NO_CONDITION: delivered */
	Fed__ErrorDetail detail;
	char text[128]; /* why refused; ASCII */
	struct pair_item *prev;
	struct pair_item *next;
	char data[]; /* of xml and tag */
};

struct pair_queue {
	struct pair_item *waiting;
	struct pair_item *in_flight;
	size_t count;	/* both lists */
	size_t answers; /* of them, answers of the edge */
	size_t bytes;	/* XML of both lists */
};

/* One stanza to queue; all of it is copied. */
struct pair_queue_new {
	struct edge_origin origin;
	struct span xml;
	struct span tag;
	bool is_answer;
};

/**
 * Copy a stanza to the end.
 *
 * @return 0; FED_ELIMIT LIMIT_PAIR_QUEUE_*, for answers
 *         LIMIT_PAIR_ANSWERS_HARD; FED_ENOMEM
 */
int pair_queue_add(struct pair_queue *q, const struct pair_queue_new *n,
		   uint64_t now_ms) FED_NODISCARD;

/** First that waits becomes in flight; NULL: none.  Owned by the queue. */
const struct pair_item *pair_queue_write_next(struct pair_queue *q);

/** The one written last ends at that offset of the stream. */
void pair_queue_wrote(struct pair_queue *q, uint64_t end);

/** Take one that ends at or below the offset; NULL: no more.  The caller owns
 * it. */
struct pair_item *pair_queue_take_flushed(struct pair_queue *q,
					  uint64_t offset);

/** The stream died: what was in flight for the first time waits again, in
 * front and marked.  Take those with a second loss one by one; NULL: done. */
struct pair_item *pair_queue_take_lost(struct pair_queue *q);

/** Take the first that waits; NULL: none. */
struct pair_item *pair_queue_take_waiting(struct pair_queue *q);

/** Free all. */
void pair_queue_clear(struct pair_queue *q);

#endif
