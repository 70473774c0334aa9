/*
 * What waits for the store: rows on their way there, and the answers that may
 * leave only when they are durable.
 */
#include "fe-gateway/core/presence_priv.h"

#include <stdlib.h>
#include <string.h>

#include "fe-gateway/core/message_map.h"
#include "xmpp/stanza_error.h"

struct presence_row_copy {
	struct presence_row_copy *prev, *next;
	struct presence_row row;
	uint64_t seq;
	char text[]; /* of its spans */
};

struct presence_held {
	struct presence_held *prev, *next;
	uint64_t seq;
	uint64_t until_ms; /* 0: not set yet */
	bool is_reply;
	struct presence_reply reply;
	size_t edge; /* of an Outcome */
	uint64_t ref;
	Fed__Condition refused;
};

/* --- rows ---------------------------------------------------------------- */

static struct presence_row_copy *copy_row(const struct presence_row *row)
{
	struct presence_row wanted = *row;
	struct presence_row_copy *c;
	struct span *spans[PRESENCE_ROW_SPANS];
	size_t count = presence_row_spans(&wanted, spans);
	size_t bytes = 0;
	char *at;

	for (size_t i = 0; i < count; i++)
		bytes += spans[i]->n;
	c = calloc(1, sizeof(*c) + bytes);
	if (c == NULL)
		return NULL;
	c->row = wanted;
	at = c->text;
	count = presence_row_spans(&c->row, spans);
	for (size_t i = 0; i < count; i++) {
		if (spans[i]->n > 0)
			memcpy(at, spans[i]->p, spans[i]->n);
		*spans[i] = span_of(at, spans[i]->n);
		at += spans[i]->n;
	}
	return c;
}

int presence_put_row(struct presence *p, struct presence_item *item,
		     const struct presence_row *row)
{
	struct presence_row_copy *c;

	/* LIMIT: a disk that stands still; the store has the same bound */
	if (p->last_seq - p->committed_seq >= LIMIT_STORE_PENDING)
		return FED_ELIMIT;
	c = copy_row(row);
	if (c == NULL)
		return FED_ENOMEM;
	c->seq = ++p->last_seq;
	DL_APPEND(p->rows, c);
	if (item != NULL)
		item->seq = c->seq;
	return 0;
}

bool presence_next_row(struct presence *p, struct presence_action *out)
{
	struct presence_row_copy *c = p->rows;

	if (p->now_ms < p->rows_again_ms)
		return false;
	free(p->last_row);
	p->last_row = c;
	if (c == NULL)
		return false;
	DL_DELETE(p->rows, c);
	out->kind = PRESENCE_ACT_STORE;
	out->u.store.row = &c->row;
	out->u.store.seq = c->seq;
	return true;
}

void presence_store_again(struct presence *p, uint64_t now_ms)
{
	if (p->last_row == NULL)
		return;
	DL_PREPEND(p->rows, p->last_row);
	p->last_row = NULL;
	p->rows_again_ms = now_ms + LIMIT_PRESENCE_AGAIN_MS;
}

uint64_t presence_rows_deadline_ms(const struct presence *p)
{
	return p->rows != NULL ? p->rows_again_ms : UINT64_MAX;
}

/* --- answers ------------------------------------------------------------- */

static struct presence_held *hold(struct presence *p, uint64_t seq,
				  bool is_reply)
{
	struct presence_held *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	h->seq = seq;
	h->is_reply = is_reply;
	p->held_count++;
	if (seq <= p->committed_seq)
		DL_APPEND(p->ready, h);
	else if (is_reply)
		DL_APPEND(p->held_replies, h);
	else
		DL_APPEND(p->held_outcomes, h);
	return h;
}

void presence_answer(struct presence *p, const struct presence_reply *r,
		     uint64_t seq)
{
	bool is_full = p->held_count >= LIMIT_PRESENCE_HELD;
	struct presence_held *h;

	if (is_full)
		metrics_count(p->p.metrics, METRIC_queue_full);
	h = hold(p, is_full ? 0 : seq, true);
	if (h == NULL)
		return;
	h->reply = *r;
	if (is_full && r->status < 300)
		h->reply = (struct presence_reply){.handle = r->handle,
						   .status = 500};
}

void presence_answer_status(struct presence *p, uint64_t handle, int status)
{
	const struct presence_reply r = {.handle = handle, .status = status};

	presence_answer(p, &r, 0);
}

void presence_outcome(struct presence *p, size_t edge, uint64_t ref,
		      Fed__Condition refused, uint64_t seq)
{
	struct presence_held *h = hold(p, seq, false);

	if (h == NULL)
		return;
	h->edge = edge;
	h->ref = ref;
	h->refused = refused;
}

static void fill_reply(struct presence *p, const struct presence_reply *r,
		       struct presence_action *out)
{
	struct sip_reply *reply = &p->reply;

	sip_reply_status(reply, r->status);
	reply->accept = r->accept;
	reply->allow_events = r->allow_events;
	reply->has_expires = r->has_expires;
	reply->expires = r->expires;
	reply->min_expires = r->min_expires;
	reply->retry_after = r->retry_after;
	reply->has_contact = r->is_dialog;
	if (r->to_tag[0] != '\0')
		reply->to_tag = arena_dup(&p->arena, span_str(r->to_tag));
	if (r->status >= 300)
		metrics_count(p->p.metrics, METRIC_sip_refused);
	out->kind = PRESENCE_ACT_SIP_REPLY;
	out->u.sip_reply.handle = r->handle;
	out->u.sip_reply.reply = reply;
}

/* What there is no memory to say is an error all the same. */
static const Fed__Error *error_of(struct presence *p, Fed__Condition c)
{
	static const Fed__Error last_resort = {
		.base = PROTOBUF_C_MESSAGE_INIT(&fed__error__descriptor),
		.condition = FED__CONDITION__INTERNAL_SERVER_ERROR,
		.type = FED__ERROR_TYPE__CANCEL,
	};
	const Fed__Error *e;

	if (c == FED__CONDITION__NO_CONDITION)
		return NULL;
	e = stanza_error_new(&p->arena, c, NULL);
	return e != NULL ? e : &last_resort;
}

bool presence_next_held(struct presence *p, struct presence_action *out)
{
	struct presence_held *h = p->ready;

	if (h == NULL)
		return false;
	DL_DELETE(p->ready, h);
	p->held_count--;
	if (h->is_reply) {
		fill_reply(p, &h->reply, out);
	} else {
		out->kind = PRESENCE_ACT_OUTCOME;
		out->u.outcome.edge = h->edge;
		out->u.outcome.ref = h->ref;
		out->u.outcome.refused = error_of(p, h->refused);
		metrics_count(p->p.metrics, out->u.outcome.refused == NULL
						    ? METRIC_delivered
						    : METRIC_refused);
	}
	free(h);
	return true;
}

/* Those of the list that need not wait any longer. */
static void release(struct presence *p, struct presence_held **list)
{
	struct presence_held *h;

	while ((h = *list) != NULL && h->seq <= p->committed_seq) {
		DL_DELETE(*list, h);
		DL_APPEND(p->ready, h);
	}
}

void presence_on_committed(struct presence *p, uint64_t seq, uint64_t now_ms)
{
	(void)now_ms;
	if (seq <= p->committed_seq)
		return;
	p->committed_seq = seq;
	release(p, &p->held_replies);
	release(p, &p->held_outcomes);
	presence_work_committed(p);
}

/* Those without a deadline are the newest: events have no other clock than the
 * call that follows them. */
static void set_deadlines(struct presence *p, uint64_t now_ms)
{
	struct presence_held *h = p->held_replies;

	if (h == NULL)
		return;
	for (h = h->prev; h->until_ms == 0; h = h->prev) {
		h->until_ms = now_ms + LIMIT_PRESENCE_HELD_MS;
		if (h == p->held_replies)
			return;
	}
}

/* Since when the same Outcome is the oldest that waits. */
static void note_stuck(struct presence *p, uint64_t now_ms)
{
	uint64_t seq = p->held_outcomes != NULL ? p->held_outcomes->seq : 0;

	if (seq == p->stuck_seq)
		return;
	p->stuck_seq = seq;
	p->stuck_ms = now_ms;
}

bool presence_held_is_stuck(const struct presence *p, uint64_t now_ms)
{
	return p->held_outcomes != NULL &&
	       p->held_outcomes->seq == p->stuck_seq &&
	       now_ms >= p->stuck_ms + LIMIT_PRESENCE_STUCK_MS;
}

/* Outcomes wait on: nobody says a second time that he takes an authorization
 * back. */
void presence_held_on_time(struct presence *p, uint64_t now_ms)
{
	struct presence_held *h;

	set_deadlines(p, now_ms);
	note_stuck(p, now_ms);
	while ((h = p->held_replies) != NULL && now_ms >= h->until_ms) {
		DL_DELETE(p->held_replies, h);
		if (h->reply.status < 300)
			h->reply = (struct presence_reply){
				.handle = h->reply.handle, .status = 500};
		DL_APPEND(p->ready, h);
	}
}

uint64_t presence_held_deadline_ms(const struct presence *p)
{
	return p->held_replies != NULL ? p->held_replies->until_ms : UINT64_MAX;
}

bool presence_held_is_empty(const struct presence *p)
{
	return p->held_replies == NULL && p->held_outcomes == NULL &&
	       p->ready == NULL;
}

static void free_list(struct presence_held *list)
{
	struct presence_held *h, *next;

	DL_FOREACH_SAFE (list, h, next)
		free(h);
}

void presence_held_free_all(struct presence *p)
{
	struct presence_row_copy *c, *next;

	free_list(p->held_replies);
	free_list(p->held_outcomes);
	free_list(p->ready);
	DL_FOREACH_SAFE (p->rows, c, next)
		free(c);
	free(p->last_row);
}
