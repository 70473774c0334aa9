/* The queues of Request-URIs: one MESSAGE in flight each, the window of all. */
#include "fe-gateway/core/router_priv.h"

#include <stdlib.h>
#include <string.h>

static void drop_queue_if_empty(struct gw_router *r, struct gw_queue *q)
{
	if (q->waiting != NULL || q->flying != NULL)
		return;
	if (q->is_ready)
		DL_DELETE(r->ready, q);
	HASH_DELETE(hh, r->queues, q);
	free(q);
}

static void mark_ready(struct gw_router *r, struct gw_queue *q)
{
	if (q->is_ready || q->flying != NULL || q->waiting == NULL)
		return;
	q->is_ready = true;
	DL_APPEND(r->ready, q);
}

/* --- the window ---------------------------------------------------------- */

static void take_off(struct gw_router *r, struct gw_out *d)
{
	DL_APPEND2(r->fly_ages, d, a_prev, a_next);
	if (r->fly_fast == NULL)
		r->fly_fast = d;
	r->fast_count++;
}

static void land(struct gw_router *r, struct gw_out *d)
{
	if (r->fly_fast == d)
		r->fly_fast = d->a_next;
	DL_DELETE2(r->fly_ages, d, a_prev, a_next);
	if (d->is_slow)
		r->slow_count--;
	else
		r->fast_count--;
}

/* They left in the order of their age, so the slow ones are the first.
 * LIMIT: many users that never answer; above it they fill the window. */
static void move_slow(struct gw_router *r, uint64_t now_ms)
{
	while (r->fly_fast != NULL && r->slow_count < LIMIT_SIP_SLOW &&
	       r->fly_fast->sent_ms + LIMIT_SIP_SLOW_MS <= now_ms) {
		r->fly_fast->is_slow = true;
		r->fly_fast = r->fly_fast->a_next;
		r->fast_count--;
		r->slow_count++;
	}
}

uint64_t gw_queue_deadline_ms(const struct gw_router *r)
{
	if (r->ready == NULL || r->fast_count < LIMIT_SIP_WINDOW ||
	    r->slow_count >= LIMIT_SIP_SLOW || r->fly_fast == NULL)
		return UINT64_MAX;
	return r->fly_fast->sent_ms + LIMIT_SIP_SLOW_MS;
}

/* --- queues -------------------------------------------------------------- */

void gw_queue_remove(struct gw_router *r, struct gw_out *d)
{
	struct gw_queue *q = d->queue;

	HASH_DELETE(hh, r->outs, d);
	HASH_DELETE(hh_id, r->out_ids, d);
	if (r->out_look == d)
		r->out_look = d->a_next;
	if (q->flying == d) {
		q->flying = NULL;
		land(r, d);
	} else {
		DL_DELETE(q->waiting, d);
		q->waiting_count--;
		DL_DELETE2(r->wait_ages, d, a_prev, a_next);
	}
	mark_ready(r, q);
	drop_queue_if_empty(r, q);
}

static struct gw_queue *find_queue(struct gw_router *r, const char *uri)
{
	struct gw_queue *q;

	HASH_FIND_STR(r->queues, uri, q);
	return q;
}

static struct gw_queue *new_queue(struct gw_router *r, const char *uri)
{
	size_t n = strlen(uri) + 1;
	struct gw_queue *q = calloc(1, sizeof(*q) + n);

	if (q == NULL)
		return NULL;
	memcpy(q->uri, uri, n);
	HASH_ADD_STR(r->queues, uri, q);
	if (q->hh.tbl == NULL) {
		free(q);
		return NULL;
	}
	return q;
}

int gw_queue_add(struct gw_router *r, struct gw_out *d)
{
	struct gw_queue *q = find_queue(r, d->request.request_uri);

	/* LIMIT: a user agent that answers slowly */
	if (q != NULL && q->waiting_count >= LIMIT_URI_QUEUE)
		return FED_EAGAIN;
	/* LIMIT: many invented ones */
	if (q == NULL && HASH_COUNT(r->queues) >= LIMIT_URI_QUEUES)
		return FED_ELIMIT;
	if (q == NULL)
		q = new_queue(r, d->request.request_uri);
	if (q == NULL)
		return FED_ENOMEM;
	d->token = ++r->next_id;
	HASH_ADD(hh, r->outs, token, sizeof(d->token), d);
	if (d->hh.tbl == NULL) {
		drop_queue_if_empty(r, q);
		return FED_ENOMEM;
	}
	HASH_ADD(hh_id, r->out_ids, id, ID_RAW_BYTES, d);
	if (d->hh_id.tbl == NULL) {
		HASH_DELETE(hh, r->outs, d);
		drop_queue_if_empty(r, q);
		return FED_ENOMEM;
	}
	d->queue = q;
	DL_APPEND(q->waiting, d);
	q->waiting_count++;
	DL_APPEND2(r->wait_ages, d, a_prev, a_next);
	mark_ready(r, q);
	return 0;
}

bool gw_queue_next(struct gw_router *r, struct gw_action *out, uint64_t now_ms)
{
	struct gw_queue *q = r->ready;
	struct gw_out *d;

	if (q != NULL)
		move_slow(r, now_ms);
	if (q == NULL || r->fast_count >= LIMIT_SIP_WINDOW)
		return false;
	DL_DELETE(r->ready, q);
	q->is_ready = false;
	d = q->waiting;
	DL_DELETE(q->waiting, d);
	q->waiting_count--;
	if (r->out_look == d)
		r->out_look = d->a_next;
	DL_DELETE2(r->wait_ages, d, a_prev, a_next);
	q->flying = d;
	d->sent_ms = now_ms;
	take_off(r, d);
	/* RFC 3261 8.1.2: the outbound proxy as a pre-loaded loose route */
	d->request.route = r->p.next_hop;
	*out = (struct gw_action){.kind = GW_ACT_SIP_SEND};
	out->u.sip_send.token = d->token;
	out->u.sip_send.request = &d->request;
	metrics_count(r->p.metrics, METRIC_sip_requests_out);
	return true;
}
