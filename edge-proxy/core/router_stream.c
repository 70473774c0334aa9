/* Routes to the XMPP side: life of their streams, deadlines. */
#include <stdio.h>

#include "edge-proxy/core/route.h"

static struct route_stream *find_stream(struct edge_router *r, uint64_t number)
{
	struct route_stream *st = NULL;

	HASH_FIND(hh, r->by_stream, &number, sizeof(number), st);
	return st;
}

/* The route that uses the stream now; NULL: none. */
static struct route *find_user(struct edge_router *r, uint64_t number)
{
	const struct route_stream *st = find_stream(r, number);

	return st != NULL && st == st->route->now ? st->route : NULL;
}

/* Deadlines are looked at in quarters of a second, so that a thousand routes
 * do not mean a thousand looks at the table. */
void router_plan(struct edge_router *r, struct route *rt)
{
	uint64_t at = route_next_ms(rt);

	rt->deadline_ms = at == UINT64_MAX ? at : (at / 250 + 1) * 250;
	if (rt->deadline_ms < r->deadline_ms)
		r->deadline_ms = rt->deadline_ms;
}

void router_refuse_waiting(struct edge_router *r, struct route *rt)
{
	Fed__Condition c = s2s_reason_bounce(&rt->last);
	struct pair_item *it;
	char text[256];

	s2s_reason_tell(&rt->last, text, sizeof(text));
	while ((it = pair_queue_take_waiting(&rt->queue)) != NULL)
		router_done(r, it, c, text);
}

/* ---- the two streams of a route ------------------------------------------ */

bool router_attach(struct edge_router *r, struct route_stream *st)
{
	st->number = ++r->next_stream;
	HASH_ADD(hh, r->by_stream, number, sizeof(st->number), st);
	if (st->hh.tbl != NULL)
		return true;
	st->number = 0;
	return false;
}

void router_detach(struct edge_router *r, struct route_stream *st)
{
	struct route *rt = st->route;

	if (st->number != 0)
		HASH_DELETE(hh, r->by_stream, st);
	*st = (struct route_stream){.route = rt};
}

void router_swap(struct route *rt)
{
	struct route_stream *st = rt->now;

	rt->now = rt->spare;
	rt->spare = st;
}

void router_use(struct edge_router *r, struct route *rt, const char *why,
		uint64_t now_ms)
{
	rt->failures = 0;
	rt->now->is_open = true;
	rt->now->used_ms = now_ms;
	rt->progress_ms = now_ms;
	if (rt->state != ROUTE_OPEN)
		route_set_state(rt, ROUTE_OPEN, why, r->env.log);
	router_add_todo(r, rt);
	router_plan(r, rt);
}

/* ---- attempts ------------------------------------------------------------ */

static void back_off(struct edge_router *r, struct route *rt, uint64_t until_ms)
{
	rt->until_ms = until_ms;
	route_set_state(rt, ROUTE_BACKOFF, "wait", r->env.log);
	router_plan(r, rt);
}

void router_connect(struct edge_router *r, struct route *rt, uint64_t now_ms)
{
	if (!router_attach(r, rt->now)) {
		rt->last = (struct s2s_reason){.kind = S2S_END_ERROR_SENT,
					       .condition =
						       S2S_RESOURCE_CONSTRAINT,
					       .text = "out of memory"};
		router_refuse_waiting(r, rt);
		if (rt->state == ROUTE_OPEN)
			route_set_state(rt, ROUTE_IDLE, "memory", r->env.log);
		router_add_todo(r, rt);
		return;
	}
	rt->attempt_ms = now_ms;
	rt->wants_connect = true;
	route_set_state(rt, ROUTE_CONNECTING, "stanza", r->env.log);
	router_add_todo(r, rt);
	router_plan(r, rt);
}

static void attempt_failed(struct edge_router *r, struct route *rt,
			   uint64_t now_ms)
{
	rt->failures++;
	router_refuse_waiting(r, rt);
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
	router_plan(r, rt);
}

static void refuse_lost(struct edge_router *r, struct route *rt)
{
	struct pair_item *it;

	while ((it = pair_queue_take_lost(&rt->queue)) != NULL)
		router_done(r, it, FED__CONDITION__REMOTE_SERVER_TIMEOUT,
			    "the stream was lost twice");
}

static void open_ended(struct edge_router *r, struct route *rt, uint64_t now_ms)
{
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

/* The stream that served the pair is gone: the one that stands by, or whose
 * attempt is still under way, takes its place. */
static void fall_back(struct edge_router *r, struct route *rt, uint64_t now_ms)
{
	router_swap(rt);
	if (rt->now->is_open) {
		router_use(r, rt, "spare", now_ms);
		return;
	}
	route_set_state(rt, ROUTE_CONNECTING, "spare", r->env.log);
	router_plan(r, rt);
}

static void now_ended(struct edge_router *r, struct route *rt, uint64_t now_ms)
{
	switch (rt->state) {
	case ROUTE_CONNECTING:
		attempt_failed(r, rt, now_ms);
		break;
	case ROUTE_OPEN:
		rt->is_lost = rt->is_lost || is_loss(&rt->last);
		if (rt->is_lost)
			router_add_todo(r, rt);
		refuse_lost(r, rt);
		if (rt->spare->number != 0)
			fall_back(r, rt, now_ms);
		else
			open_ended(r, rt, now_ms);
		break;
	case ROUTE_IDLE:
	case ROUTE_BACKOFF:
		break; /* have no stream number: not found above */
	}
}

void edge_router_ended(struct edge_router *r, uint64_t stream,
		       const struct s2s_reason *reason, uint64_t now_ms)
{
	struct route_stream *st = find_stream(r, stream);
	struct route *rt;

	if (st == NULL)
		return;
	rt = st->route;
	router_detach(r, st);
	if (st == rt->spare)
		return;
	rt->last = *reason;
	rt->wants_connect = false;
	now_ended(r, rt, now_ms);
	if (r->is_stopped)
		edge_router_stop(r);
}

void edge_router_opened(struct edge_router *r, uint64_t stream,
			const struct s2s_limits *limits, uint64_t now_ms)
{
	struct route_stream *st = find_stream(r, stream);

	if (st == NULL || st->is_open)
		return;
	st->peer_max = limits->max_bytes;
	st->peer_idle_ms = limits->idle_ms;
	st->idle_ms = route_idle_ms(limits->idle_ms, r->idle_ms);
	st->is_open = true;
	st->used_ms = now_ms;
	if (st == st->route->now)
		router_use(r, st->route, "ready", now_ms);
	else
		router_plan(r, st->route);
}

void edge_router_heard(struct edge_router *r, uint64_t stream, uint64_t now_ms)
{
	struct route_stream *st = find_stream(r, stream);

	if (st != NULL)
		st->used_ms = now_ms;
}

void edge_router_wrote(struct edge_router *r, uint64_t stream, uint64_t end,
		       uint64_t now_ms)
{
	struct route *rt = find_user(r, stream);
	struct pair_item *first;

	if (rt == NULL)
		return;
	pair_queue_wrote(&rt->queue, end);
	first = rt->queue.in_flight;
	if (first != NULL && first->next == NULL)
		rt->progress_ms = now_ms;
	if (rt->deadline_ms > route_next_ms(rt) + 250)
		router_plan(r, rt);
}

void edge_router_flushed(struct edge_router *r, uint64_t stream,
			 uint64_t offset, uint64_t now_ms)
{
	struct route *rt = find_user(r, stream);
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
	struct route_stream *st = find_stream(r, stream);

	if (st == NULL)
		return;
	st->is_congested = is_congested;
	if (!is_congested && st == st->route->now)
		router_add_todo(r, st->route);
}

/* ---- time ---------------------------------------------------------------- */

static void let_go(struct edge_router *r, struct route *rt,
		   enum edge_router_close_why why, const char *text,
		   uint64_t now_ms)
{
	struct s2s_reason reason = {.kind = why == EDGE_ROUTER_IDLE
						    ? S2S_END_CLOSED
						    : S2S_END_TIMEOUT};
	uint64_t stream = rt->now->number;
	bool was_announced = !rt->wants_connect;

	(void)snprintf(reason.text, sizeof(reason.text), "%s", text);
	if (was_announced) {
		rt->close_stream = stream;
		rt->close_why = why;
		router_add_todo(r, rt);
	}
	edge_router_ended(r, stream, &reason, now_ms);
}

static void close_spare(struct edge_router *r, struct route *rt)
{
	rt->close_stream = rt->spare->number;
	rt->close_why = EDGE_ROUTER_IDLE;
	router_detach(r, rt->spare);
	router_add_todo(r, rt);
}

static void now_due(struct edge_router *r, struct route *rt, uint64_t now_ms)
{
	if (rt->queue.in_flight != NULL)
		let_go(r, rt, EDGE_ROUTER_STALLED, "the peer takes nothing",
		       now_ms);
	else if (rt->queue.waiting == NULL)
		let_go(r, rt, EDGE_ROUTER_IDLE, "idle", now_ms);
	else
		router_plan(r, rt);
}

static void open_due(struct edge_router *r, struct route *rt, uint64_t now_ms)
{
	if (route_spare_idle_ms(rt) <= now_ms) {
		close_spare(r, rt);
		router_plan(r, rt); /* one CLOSE at a time */
		return;
	}
	now_due(r, rt, now_ms);
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
			router_plan(r, rt);
	}
}

uint64_t edge_router_deadline_ms(const struct edge_router *r)
{
	return r->deadline_ms;
}
