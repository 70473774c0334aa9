/* Routes to the XMPP side: life of their streams, deadlines. */
#include <stdio.h>

#include "edge-proxy/core/route.h"

static struct route *find_stream(struct edge_router *r, uint64_t stream)
{
	struct route *rt = NULL;

	HASH_FIND(hh_stream, r->by_stream, &stream, sizeof(stream), rt);
	return rt;
}

/* Deadlines are looked at in quarters of a second, so that a thousand routes
 * do not mean a thousand looks at the table. */
static void plan(struct edge_router *r, struct route *rt)
{
	uint64_t at = route_next_ms(rt);

	rt->deadline_ms = at == UINT64_MAX ? at : (at / 250 + 1) * 250;
	if (rt->deadline_ms < r->deadline_ms)
		r->deadline_ms = rt->deadline_ms;
}

static void refuse_waiting(struct edge_router *r, struct route *rt)
{
	Fed__Condition c = s2s_reason_bounce(&rt->last);
	struct pair_item *it;
	char text[256];

	s2s_reason_tell(&rt->last, text, sizeof(text));
	while ((it = pair_queue_take_waiting(&rt->queue)) != NULL)
		router_done(r, it, c, text);
}

/* ---- attempts ------------------------------------------------------------ */

static void detach(struct edge_router *r, struct route *rt)
{
	HASH_DELETE(hh_stream, r->by_stream, rt);
	rt->stream = 0;
	rt->wants_connect = false;
}

static void back_off(struct edge_router *r, struct route *rt, uint64_t until_ms)
{
	rt->until_ms = until_ms;
	route_set_state(rt, ROUTE_BACKOFF, "wait", r->env.log);
	plan(r, rt);
}

void router_connect(struct edge_router *r, struct route *rt, uint64_t now_ms)
{
	rt->stream = ++r->next_stream;
	HASH_ADD(hh_stream, r->by_stream, stream, sizeof(rt->stream), rt);
	if (rt->hh_stream.tbl == NULL) {
		rt->stream = 0;
		rt->last = (struct s2s_reason){.kind = S2S_END_ERROR_SENT,
					       .condition =
						       S2S_RESOURCE_CONSTRAINT,
					       .text = "out of memory"};
		refuse_waiting(r, rt);
		if (rt->state == ROUTE_OPEN)
			route_set_state(rt, ROUTE_IDLE, "memory", r->env.log);
		router_add_todo(r, rt);
		return;
	}
	rt->attempt_ms = now_ms;
	rt->wants_connect = true;
	route_set_state(rt, ROUTE_CONNECTING, "stanza", r->env.log);
	router_add_todo(r, rt);
	plan(r, rt);
}

static void attempt_failed(struct edge_router *r, struct route *rt,
			   uint64_t now_ms)
{
	rt->failures++;
	refuse_waiting(r, rt);
	back_off(r, rt,
		 now_ms + (rt->last.kind == S2S_END_DNS
				   ? LIMIT_BACKOFF_DNS_MS
				   : route_backoff_ms(rt->failures,
						      r->env.ids)));
}

void router_end_backoff(struct edge_router *r, struct route *rt,
			uint64_t now_ms)
{
	uint64_t until_ms = rt->attempt_ms + LIMIT_BACKOFF_DNS_MS;

	if (rt->state != ROUTE_BACKOFF)
		return;
	if (until_ms < now_ms)
		until_ms = now_ms;
	if (until_ms < rt->until_ms)
		rt->until_ms = until_ms;
	rt->failures = 0;
	plan(r, rt);
}

static void open_ended(struct edge_router *r, struct route *rt, uint64_t now_ms)
{
	struct pair_item *it;

	while ((it = pair_queue_take_lost(&rt->queue)) != NULL)
		router_done(r, it, FED__CONDITION__REMOTE_SERVER_TIMEOUT,
			    "the stream was lost twice");
	if (rt->queue.count == 0) {
		route_set_state(rt, ROUTE_IDLE, "ended", r->env.log);
		rt->deadline_ms = UINT64_MAX;
		router_add_todo(r, rt); /* forgotten when drained */
	} else if (now_ms - rt->attempt_ms >= LIMIT_BACKOFF_MIN_MS) {
		router_connect(r, rt, now_ms);
	} else {
		/* a peer that takes streams and drops them at once */
		back_off(r, rt, rt->attempt_ms + LIMIT_BACKOFF_MIN_MS);
	}
}

/* Bytes that the system took may not have reached the peer. */
static bool is_loss(const struct s2s_reason *r)
{
	return r->kind != S2S_END_NONE && r->kind != S2S_END_CLOSED &&
	       r->kind != S2S_END_SHUTDOWN;
}

void edge_router_ended(struct edge_router *r, uint64_t stream,
		       const struct s2s_reason *reason, uint64_t now_ms)
{
	struct route *rt = find_stream(r, stream);

	if (rt == NULL)
		return;
	rt->last = *reason;
	detach(r, rt);
	switch (rt->state) {
	case ROUTE_CONNECTING:
		attempt_failed(r, rt, now_ms);
		break;
	case ROUTE_OPEN:
		rt->is_lost = is_loss(reason);
		if (rt->is_lost)
			router_add_todo(r, rt);
		open_ended(r, rt, now_ms);
		break;
	case ROUTE_IDLE:
	case ROUTE_BACKOFF:
		break; /* have no stream number: not found above */
	}
	if (r->is_stopped)
		edge_router_stop(r);
}

void edge_router_opened(struct edge_router *r, uint64_t stream, size_t peer_max,
			uint64_t now_ms)
{
	struct route *rt = find_stream(r, stream);

	if (rt == NULL || rt->state != ROUTE_CONNECTING)
		return;
	rt->failures = 0;
	rt->peer_max = peer_max;
	rt->is_congested = false;
	rt->progress_ms = now_ms;
	rt->used_ms = now_ms;
	route_set_state(rt, ROUTE_OPEN, "ready", r->env.log);
	router_add_todo(r, rt);
	plan(r, rt);
}

void edge_router_wrote(struct edge_router *r, uint64_t stream, uint64_t end,
		       uint64_t now_ms)
{
	struct route *rt = find_stream(r, stream);
	struct pair_item *first;

	if (rt == NULL)
		return;
	pair_queue_wrote(&rt->queue, end);
	first = rt->queue.in_flight;
	if (first != NULL && first->next == NULL)
		rt->progress_ms = now_ms;
	if (rt->deadline_ms > route_next_ms(rt) + 250)
		plan(r, rt);
}

void edge_router_flushed(struct edge_router *r, uint64_t stream,
			 uint64_t offset, uint64_t now_ms)
{
	struct route *rt = find_stream(r, stream);
	struct pair_item *it;

	if (rt == NULL)
		return;
	rt->progress_ms = now_ms;
	while ((it = pair_queue_take_flushed(&rt->queue, offset)) != NULL)
		router_done(r, it, FED__CONDITION__NO_CONDITION, "");
}

void edge_router_set_congested(struct edge_router *r, uint64_t stream,
			       bool is_congested)
{
	struct route *rt = find_stream(r, stream);

	if (rt == NULL)
		return;
	rt->is_congested = is_congested;
	if (!is_congested)
		router_add_todo(r, rt);
}

/* ---- time ---------------------------------------------------------------- */

static void let_go(struct edge_router *r, struct route *rt,
		   enum edge_router_close_why why, const char *text,
		   uint64_t now_ms)
{
	struct s2s_reason reason = {.kind = why == EDGE_ROUTER_IDLE
						    ? S2S_END_CLOSED
						    : S2S_END_TIMEOUT};
	uint64_t stream = rt->stream;
	bool was_announced = !rt->wants_connect;

	(void)snprintf(reason.text, sizeof(reason.text), "%s", text);
	if (was_announced) {
		rt->close_stream = stream;
		rt->close_why = why;
		router_add_todo(r, rt);
	}
	edge_router_ended(r, stream, &reason, now_ms);
}

static void open_due(struct edge_router *r, struct route *rt, uint64_t now_ms)
{
	if (rt->queue.in_flight != NULL)
		let_go(r, rt, EDGE_ROUTER_STALLED, "the peer takes nothing",
		       now_ms);
	else if (rt->queue.waiting == NULL)
		let_go(r, rt, EDGE_ROUTER_IDLE, "idle", now_ms);
	else
		plan(r, rt);
}

static void route_due(struct edge_router *r, struct route *rt, uint64_t now_ms)
{
	switch (rt->state) {
	case ROUTE_CONNECTING:
		let_go(r, rt, EDGE_ROUTER_GIVE_UP, "no stream in time", now_ms);
		break;
	case ROUTE_OPEN:
		open_due(r, rt, now_ms);
		break;
	case ROUTE_BACKOFF:
		if (rt->queue.waiting != NULL)
			router_connect(r, rt, now_ms);
		else if (!rt->is_todo)
			router_forget(r, rt);
		break;
	case ROUTE_IDLE:
		break;
	}
}

void edge_router_on_timer(struct edge_router *r, uint64_t now_ms)
{
	struct route *rt;
	struct route *tmp;

	if (now_ms < r->deadline_ms)
		return;
	r->deadline_ms = UINT64_MAX;
	HASH_ITER (hh, r->by_key, rt, tmp) {
		/* used since the deadline was planned? */
		if (rt->deadline_ms <= now_ms && route_next_ms(rt) <= now_ms)
			route_due(r, rt, now_ms);
		else
			plan(r, rt);
	}
}

uint64_t edge_router_deadline_ms(const struct edge_router *r)
{
	return r->deadline_ms;
}
