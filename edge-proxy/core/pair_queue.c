/* The queue of one domain pair. */
#include "edge-proxy/core/pair_queue.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

/* LIMIT: a peer that does not answer holds this much, not more.  What it is
 * owed as answers is bounded by the pause of its streams instead; the bound
 * here is for what was under way by then. */
static bool is_full(const struct pair_queue *q, const struct pair_queue_new *n)
{
	if (n->is_answer)
		return q->answers >= LIMIT_PAIR_ANSWERS_HARD;
	return q->count - q->answers >= LIMIT_PAIR_QUEUE_STANZAS ||
	       q->bytes >= LIMIT_PAIR_QUEUE_BYTES ||
	       n->xml.n > LIMIT_PAIR_QUEUE_BYTES - q->bytes;
}

int pair_queue_add(struct pair_queue *q, const struct pair_queue_new *n,
		   uint64_t now_ms)
{
	const struct span xml = n->xml;
	const struct span tag = n->tag;
	struct pair_item *it;

	if (is_full(q, n))
		return FED_ELIMIT;
	it = malloc(sizeof(*it) + xml.n + tag.n);
	if (it == NULL)
		return FED_ENOMEM;
	*it = (struct pair_item){.origin = n->origin,
				 .start_ms = now_ms,
				 .end = UINT64_MAX,
				 .is_answer = n->is_answer};
	if (xml.n > 0)
		memcpy(it->data, xml.p, xml.n);
	if (tag.n > 0)
		memcpy(it->data + xml.n, tag.p, tag.n);
	it->xml = span_of(it->data, xml.n);
	it->tag = span_of(it->data + xml.n, tag.n);
	DL_APPEND(q->waiting, it);
	q->count++;
	q->answers += n->is_answer ? 1 : 0;
	q->bytes += xml.n;
	return 0;
}

const struct pair_item *pair_queue_write_next(struct pair_queue *q)
{
	struct pair_item *it = q->waiting;

	if (it == NULL)
		return NULL;
	DL_DELETE(q->waiting, it);
	DL_APPEND(q->in_flight, it);
	/* not known before pair_queue_wrote(): never flushed until then */
	it->end = UINT64_MAX;
	return it;
}

void pair_queue_wrote(struct pair_queue *q, uint64_t end)
{
	/* utlist: the head's prev is the tail */
	if (q->in_flight != NULL)
		q->in_flight->prev->end = end;
}

static struct pair_item *take(struct pair_queue *q, struct pair_item **list)
{
	struct pair_item *it = *list;

	if (it == NULL)
		return NULL;
	DL_DELETE(*list, it);
	q->count--;
	q->answers -= it->is_answer ? 1 : 0;
	q->bytes -= it->xml.n;
	return it;
}

struct pair_item *pair_queue_take_flushed(struct pair_queue *q, uint64_t offset)
{
	if (q->in_flight == NULL || q->in_flight->end > offset)
		return NULL;
	return take(q, &q->in_flight);
}

struct pair_item *pair_queue_take_lost(struct pair_queue *q)
{
	/* from the back, so that prepending keeps the order; a stanza lost
	 * twice is older than all that are lost for the first time */
	while (q->in_flight != NULL && !q->in_flight->prev->is_retried) {
		struct pair_item *it = q->in_flight->prev;

		DL_DELETE(q->in_flight, it);
		it->is_retried = true;
		DL_PREPEND(q->waiting, it);
	}
	return take(q, &q->in_flight);
}

struct pair_item *pair_queue_take_waiting(struct pair_queue *q)
{
	return take(q, &q->waiting);
}

static void free_list(struct pair_item **list)
{
	struct pair_item *it;
	struct pair_item *tmp;

	DL_FOREACH_SAFE (*list, it, tmp) {
		DL_DELETE(*list, it);
		free(it);
	}
}

void pair_queue_clear(struct pair_queue *q)
{
	free_list(&q->waiting);
	free_list(&q->in_flight);
	*q = (struct pair_queue){0};
}
