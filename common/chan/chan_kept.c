/* Retention of sent frames. */
#include "chan/chan_kept.h"

#include <stdlib.h>

static struct chan_kept **bucket_of(struct chan_kept_set *k, uint64_t seq)
{
	return &k->buckets[seq % LIMIT_CHANNEL_WINDOW];
}

static void list_append(struct chan_kept_list *l, struct chan_kept *e)
{
	e->next = NULL;
	e->prev = l->tail;
	if (l->tail == NULL)
		l->head = e;
	else
		l->tail->next = e;
	l->tail = e;
}

static void list_remove(struct chan_kept_list *l, struct chan_kept *e)
{
	if (e->prev == NULL)
		l->head = e->next;
	else
		e->prev->next = e->next;
	if (e->next == NULL)
		l->tail = e->prev;
	else
		e->next->prev = e->prev;
}

static void forget(struct chan_kept_set *k, struct chan_kept *e)
{
	k->count[e->kind]--;
	if (e->kind == KEPT_STANZA)
		k->stanza_bytes -= e->n;
	free(e);
}

int chan_kept_add(struct chan_kept_set *k, enum chan_kept_kind kind,
		  Fed__Frame *frame, size_t max_bytes, uint64_t handle)
{
	struct chan_kept *e;
	size_t size;

	frame->seq = k->last_seq + 1;
	size = chan_codec_size(frame);
	if (size - CHAN_PREFIX_BYTES > max_bytes)
		return FED_ELIMIT;
	e = malloc(sizeof(*e) + size);
	if (e == NULL)
		return FED_ENOMEM;
	*e = (struct chan_kept){
		.kind = kind,
		.seq = ++k->last_seq,
		.ack = frame->ack,
		.handle = handle,
		.n = size,
	};
	chan_codec_write(frame, size, e->bytes);
	list_append(&k->queue, e);
	if (k->cursor == NULL)
		k->cursor = e;
	k->count[kind]++;
	if (kind == KEPT_STANZA)
		k->stanza_bytes += size;
	return 0;
}

void chan_kept_wrote(struct chan_kept_set *k)
{
	k->sent_seq = k->cursor->seq;
	if (k->sent_seq > k->high_seq)
		k->high_seq = k->sent_seq;
	k->cursor = k->cursor->next;
}

static void move_to_waiting(struct chan_kept_set *k, struct chan_kept *e)
{
	struct chan_kept **bucket = bucket_of(k, e->seq);

	e->next_bucket = *bucket;
	*bucket = e;
	list_append(&k->waiting, e);
}

void chan_kept_ack(struct chan_kept_set *k, uint64_t seq)
{
	struct chan_kept *e;

	while ((e = k->queue.head) != NULL && e->seq <= seq) {
		list_remove(&k->queue, e);
		if (e->kind == KEPT_STANZA)
			move_to_waiting(k, e);
		else
			forget(k, e);
	}
	if (seq > k->acked_seq)
		k->acked_seq = seq;
}

void chan_kept_resume(struct chan_kept_set *k, uint64_t seq)
{
	chan_kept_ack(k, seq);
	k->sent_seq = seq;
	k->cursor = k->queue.head;
}

struct chan_kept *chan_kept_find(const struct chan_kept_set *k, uint64_t seq)
{
	struct chan_kept *e = k->buckets[seq % LIMIT_CHANNEL_WINDOW];

	while (e != NULL && e->seq != seq)
		e = e->next_bucket;
	return e;
}

static void unbucket(struct chan_kept_set *k, const struct chan_kept *e)
{
	struct chan_kept **at = bucket_of(k, e->seq);

	while (*at != e)
		at = &(*at)->next_bucket;
	*at = e->next_bucket;
}

void chan_kept_answered(struct chan_kept_set *k, struct chan_kept *e)
{
	unbucket(k, e);
	list_remove(&k->waiting, e);
	forget(k, e);
}

void chan_kept_end(struct chan_kept_set *k)
{
	struct chan_kept *e;

	/* acknowledged ones are the older ones */
	while ((e = k->waiting.head) != NULL) {
		unbucket(k, e);
		list_remove(&k->waiting, e);
		list_append(&k->returning, e);
	}
	while ((e = k->queue.head) != NULL) {
		list_remove(&k->queue, e);
		if (e->kind == KEPT_STANZA)
			list_append(&k->returning, e);
		else
			forget(k, e);
	}
	k->cursor = NULL;
	k->last_seq = 0;
	k->sent_seq = 0;
	k->high_seq = 0;
	k->acked_seq = 0;
}

void chan_kept_returned(struct chan_kept_set *k)
{
	struct chan_kept *e = k->returning.head;

	list_remove(&k->returning, e);
	forget(k, e);
}

void chan_kept_deinit(struct chan_kept_set *k)
{
	chan_kept_end(k);
	while (k->returning.head != NULL)
		chan_kept_returned(k);
}
