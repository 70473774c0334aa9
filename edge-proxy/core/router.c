/* Routes to the XMPP side: table, queues, actions. */
#include "edge-proxy/core/router.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "edge-proxy/core/route.h"

int edge_router_new(struct edge_router **r_out,
		    const struct edge_router_env *env)
{
	struct edge_router *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return FED_ENOMEM;
	r->env = *env;
	r->deadline_ms = UINT64_MAX;
	r->idle_ms = LIMIT_STREAM_IDLE_MS;
	*r_out = r;
	return 0;
}

/* ---- table --------------------------------------------------------------- */

void router_forget(struct edge_router *r, struct route *rt)
{
	router_detach(r, rt->now);
	router_detach(r, rt->spare);
	if (rt->is_todo)
		DL_DELETE(r->todo, rt);
	HASH_DEL(r->by_key, rt);
	r->stanzas -= rt->queue.count;
	r->bytes -= rt->queue.bytes;
	route_free(rt);
}

void edge_router_free(struct edge_router *r)
{
	struct route *rt;
	struct route *tmp;
	struct pair_item *it;
	struct pair_item *tmp_it;

	if (r == NULL)
		return;
	HASH_ITER (hh, r->by_key, rt, tmp)
		router_forget(r, rt);
	DL_FOREACH_SAFE (r->done, it, tmp_it) {
		DL_DELETE(r->done, it);
		free(it);
	}
	free(r->current);
	free(r);
}

static bool forget_one(struct edge_router *r, enum route_state state)
{
	struct route *rt;
	struct route *tmp;

	HASH_ITER (hh, r->by_key, rt, tmp) {
		if (rt->state != state || rt->queue.count != 0 || rt->is_todo ||
		    rt->spare->number != 0 ||
		    (state == ROUTE_OPEN && !rt->now->is_adopted))
			continue;
		router_forget(r, rt);
		return true;
	}
	return false;
}

/* LIMIT: domains that cannot be reached, or that open streams to us for many
 * names, must not keep others out: the entry that only remembers a failure goes
 * first, then one that only offers the peer's own stream; oldest (insertion
 * order) first */
static bool make_room(struct edge_router *r)
{
	return HASH_COUNT(r->by_key) < LIMIT_PAIRS ||
	       forget_one(r, ROUTE_BACKOFF) || forget_one(r, ROUTE_OPEN);
}

void edge_router_seen(struct edge_router *r, const struct s2s_pair *pair,
		      uint64_t now_ms)
{
	char key[S2S_PAIR_KEY_BYTES];
	size_t n = s2s_pair_key(pair, key);
	struct route *rt = NULL;

	if (n > 0)
		HASH_FIND(hh, r->by_key, key, n, rt);
	if (rt != NULL)
		router_end_backoff(r, rt, now_ms);
}

static int find_or_add(struct edge_router *r, const struct s2s_pair *pair,
		       bool may_evict, struct route **rt_out)
{
	char key[S2S_PAIR_KEY_BYTES];
	size_t n = s2s_pair_key(pair, key);
	struct route *rt = NULL;

	if (n == 0)
		return FED_EINVAL;
	HASH_FIND(hh, r->by_key, key, n, rt);
	*rt_out = rt;
	if (rt != NULL)
		return 0;
	if (may_evict ? !make_room(r) : HASH_COUNT(r->by_key) >= LIMIT_PAIRS)
		return FED_ELIMIT;
	rt = route_new(pair);
	if (rt == NULL)
		return FED_ENOMEM;
	rt->id = ++r->last_id;
	HASH_ADD(hh, r->by_key, key, n, rt);
	if (rt->hh.tbl == NULL) {
		route_free(rt);
		return FED_ENOMEM;
	}
	*rt_out = rt;
	return 0;
}

void router_add_todo(struct edge_router *r, struct route *rt)
{
	if (rt->is_todo)
		return;
	rt->is_todo = true;
	DL_APPEND(r->todo, rt);
}

/* ---- streams of the peer (XEP-0288) -------------------------------------- */

/* Where a stream of the peer has a place; NULL: it is not needed. */
static struct route_stream *place_for(struct route *rt)
{
	if (rt->now->number == 0)
		return rt->now;
	return rt->spare->number == 0 || rt->spare->is_adopted ? rt->spare
							       : NULL;
}

/* The new one is to be used in place of rt->now?  While an attempt is under
 * way, yes.  A peer that opens another stream may have lost its old one: where
 * all is quiet, order is not at stake. */
static bool is_better(const struct route *rt, uint64_t now_ms)
{
	if (rt->state != ROUTE_OPEN)
		return true;
	return rt->now->is_adopted && rt->queue.count == 0 &&
	       now_ms - rt->now->used_ms >= LIMIT_CONFIRM_MS;
}

static void take_over(struct edge_router *r, struct route *rt,
		      struct route_stream *st, uint64_t now_ms)
{
	if (st == rt->spare)
		router_swap(rt);
	/* an attempt that nobody knows of yet is not made, another stream of
	 * the peer is let go */
	if (rt->wants_connect || rt->spare->is_adopted)
		router_detach(r, rt->spare);
	if (rt->wants_connect)
		rt->attempt_ms = 0;
	rt->wants_connect = false;
	router_use(r, rt, "adopted", now_ms);
}

uint64_t edge_router_adopt(struct edge_router *r, const struct s2s_pair *pair,
			   size_t peer_max, uint64_t now_ms)
{
	struct route_stream *st;
	struct route *rt;
	bool is_wanted;

	if (r->is_stopped || find_or_add(r, pair, false, &rt) != 0)
		return 0;
	router_add_todo(r, rt); /* forgotten when it stays empty */
	st = place_for(rt);
	if (st == NULL)
		return 0;
	is_wanted = is_better(rt, now_ms);
	router_detach(r, st);
	if (!router_attach(r, st))
		return 0;
	st->is_adopted = true;
	st->is_open = true;
	st->peer_max = peer_max;
	st->used_ms = now_ms;
	if (is_wanted)
		take_over(r, rt, st, now_ms);
	router_plan(r, rt);
	return st->number;
}

/* ---- outcomes ------------------------------------------------------------ */

/* Words of a peer, cut somewhere, are made ASCII: they travel as UTF-8. */
static void copy_ascii(char *out, size_t size, const char *text)
{
	size_t i;

	for (i = 0; text[i] != '\0' && i + 1 < size; i++)
		out[i] = text[i] >= 0x20 && text[i] < 0x7f ? text[i] : '?';
	out[i] = '\0';
}

void router_done(struct edge_router *r, struct pair_item *it, Fed__Condition c,
		 const char *text)
{
	r->stanzas--;
	r->bytes -= it->xml.n;
	it->refused = c;
	copy_ascii(it->text, sizeof(it->text), text);
	DL_APPEND(r->done, it);
}

/* ---- stanzas ------------------------------------------------------------- */

static int refuse(struct edge_router_refusal *out, Fed__Condition c,
		  const char *text, int err)
{
	out->condition = c;
	copy_ascii(out->text, sizeof(out->text), text);
	return err;
}

/* Is the pair one that may take another stanza now? */
static int admit(struct edge_router *r, struct route *rt,
		 const struct edge_router_stanza *s, uint64_t now_ms,
		 struct edge_router_refusal *out)
{
	char text[256];

	if (rt->state == ROUTE_BACKOFF && !s->is_answer &&
	    rt->queue.count == rt->queue.answers && now_ms < rt->until_ms) {
		s2s_reason_tell(&rt->last, text, sizeof(text));
		return refuse(out, s2s_reason_bounce(&rt->last), text,
			      FED_EDENIED);
	}
	if (rt->state == ROUTE_OPEN && rt->now->peer_max != 0 &&
	    s->xml.n > rt->now->peer_max) {
		out->detail = FED__ERROR_DETAIL__STANZA_TOO_BIG;
		return refuse(out, FED__CONDITION__POLICY_VIOLATION,
			      "larger than the peer takes", FED_EDENIED);
	}
	/* LIMIT: see limits.h */
	if (s->xml.n > LIMIT_ROUTER_BYTES - r->bytes)
		return refuse(out, FED__CONDITION__RESOURCE_CONSTRAINT,
			      "too much waits", FED_ELIMIT);
	return 0;
}

static void get_going(struct edge_router *r, struct route *rt, uint64_t now_ms)
{
	switch (rt->state) {
	case ROUTE_IDLE:
		router_connect(r, rt, now_ms);
		break;
	case ROUTE_BACKOFF:
		if (now_ms >= rt->until_ms)
			router_connect(r, rt, now_ms);
		else
			router_plan(r, rt); /* it has something to do then */
		break;
	case ROUTE_OPEN:
		router_add_todo(r, rt);
		break;
	case ROUTE_CONNECTING:
		break;
	}
}

static int enqueue(struct edge_router *r, struct route *rt,
		   const struct edge_router_stanza *s, uint64_t now_ms,
		   struct edge_router_refusal *out)
{
	const struct pair_queue_new item = {
		.origin = s->origin,
		.xml = s->xml,
		.tag = s->tag,
		.is_answer = s->is_answer,
	};
	int err = admit(r, rt, s, now_ms, out);

	if (err != 0)
		return err;
	err = pair_queue_add(&rt->queue, &item, now_ms);
	if (err != 0) {
		metrics_count(r->env.metrics, METRIC_queue_full);
		return refuse(out, FED__CONDITION__RESOURCE_CONSTRAINT,
			      "too much waits for that domain", err);
	}
	r->stanzas++;
	r->bytes += s->xml.n;
	rt->now->used_ms = now_ms;
	get_going(r, rt, now_ms);
	return 0;
}

int edge_router_send(struct edge_router *r, const struct edge_router_stanza *s,
		     uint64_t now_ms, struct edge_router_refusal *refusal_out)
{
	struct route *rt;
	int err;

	refusal_out->detail = FED__ERROR_DETAIL__NO_DETAIL;
	if (r->is_stopped)
		return refuse(refusal_out,
			      FED__CONDITION__REMOTE_SERVER_TIMEOUT,
			      "the edge is stopping", FED_ESTATE);
	err = find_or_add(r, &s->pair, true, &rt);
	if (err != 0)
		return refuse(refusal_out, FED__CONDITION__RESOURCE_CONSTRAINT,
			      "too many domains", err);
	err = enqueue(r, rt, s, now_ms, refusal_out);
	if (err != 0 && route_is_empty(rt) && !rt->is_todo)
		router_forget(r, rt);
	return err;
}

/* ---- actions ------------------------------------------------------------- */

static bool take_outcome(struct edge_router *r, struct edge_router_action *a)
{
	struct pair_item *it = r->done;

	if (it == NULL)
		return false;
	DL_DELETE(r->done, it);
	r->current = it;
	*a = (struct edge_router_action){.kind = EDGE_ROUTER_OUTCOME};
	a->u.outcome.origin = it->origin;
	a->u.outcome.refused = it->refused;
	a->u.outcome.detail = it->detail;
	a->u.outcome.text = it->text;
	a->u.outcome.tag = it->tag;
	a->u.outcome.start_ms = it->start_ms;
	return true;
}

/* The peer's limit may have become known after the stanza was taken. */
static void drop_oversized(struct edge_router *r, struct route *rt)
{
	size_t max = rt->now->peer_max;

	while (max != 0 && rt->queue.waiting != NULL &&
	       rt->queue.waiting->xml.n > max) {
		struct pair_item *it = pair_queue_take_waiting(&rt->queue);

		it->detail = FED__ERROR_DETAIL__STANZA_TOO_BIG;
		router_done(r, it, FED__CONDITION__POLICY_VIOLATION,
			    "larger than the peer takes");
	}
}

static bool take_write(struct edge_router *r, struct route *rt,
		       struct edge_router_action *a)
{
	const struct pair_item *it;

	if (rt->state != ROUTE_OPEN || rt->now->is_congested)
		return false;
	drop_oversized(r, rt);
	it = pair_queue_write_next(&rt->queue);
	if (it == NULL)
		return false;
	*a = (struct edge_router_action){.kind = EDGE_ROUTER_WRITE,
					 .stream = rt->now->number};
	a->u.bytes = it->xml;
	return true;
}

static bool take_of_route(struct edge_router *r, struct route *rt,
			  struct edge_router_action *a)
{
	*a = (struct edge_router_action){0};
	if (rt->is_lost) {
		a->kind = EDGE_ROUTER_LOST;
		a->u.pair = (struct s2s_pair){rt->local, rt->remote};
		rt->is_lost = false;
		return true;
	}
	if (rt->close_stream != 0) {
		a->kind = EDGE_ROUTER_CLOSE;
		a->stream = rt->close_stream;
		a->u.why = rt->close_why;
		rt->close_stream = 0;
		return true;
	}
	if (rt->wants_connect) {
		a->kind = EDGE_ROUTER_CONNECT;
		a->stream = rt->now->number;
		a->u.pair = (struct s2s_pair){rt->local, rt->remote};
		rt->wants_connect = false;
		return true;
	}
	return take_write(r, rt, a);
}

bool edge_router_next_action(struct edge_router *r,
			     struct edge_router_action *action_out,
			     uint64_t now_ms)
{
	(void)now_ms;
	free(r->current);
	r->current = NULL;
	while (r->done != NULL || r->todo != NULL) {
		struct route *rt = r->todo;

		if (take_outcome(r, action_out))
			return true;
		DL_DELETE(r->todo, rt);
		if (take_of_route(r, rt, action_out)) {
			/* to the end: routes take turns */
			DL_APPEND(r->todo, rt);
			return true;
		}
		rt->is_todo = false;
		if (route_is_empty(rt))
			router_forget(r, rt);
	}
	return false;
}

/* ---- end and status --------------------------------------------------- */

void edge_router_stop(struct edge_router *r)
{
	struct route *rt;
	struct route *tmp;
	struct pair_item *it;

	r->is_stopped = true;
	HASH_ITER (hh, r->by_key, rt, tmp) {
		while ((it = pair_queue_take_waiting(&rt->queue)) != NULL) {
			r->stanzas--;
			r->bytes -= it->xml.n;
			free(it);
		}
		if (rt->state == ROUTE_BACKOFF || rt->wants_connect)
			router_forget(r, rt);
	}
}

bool edge_router_owes(const struct edge_router *r, const struct s2s_pair *pair)
{
	char key[S2S_PAIR_KEY_BYTES];
	size_t n = s2s_pair_key(pair, key);
	struct route *rt = NULL;

	if (n > 0)
		HASH_FIND(hh, r->by_key, key, n, rt);
	return rt != NULL && (rt->queue.answers >= LIMIT_PAIR_ANSWERS ||
			      rt->queue.bytes >= LIMIT_PAIR_QUEUE_BYTES);
}

size_t edge_router_pairs(const struct edge_router *r)
{
	return HASH_COUNT(r->by_key);
}

size_t edge_router_stanzas(const struct edge_router *r)
{
	return r->stanzas;
}

size_t edge_router_bytes(const struct edge_router *r)
{
	return r->bytes;
}

/* ---- status -------------------------------------------------------------- */

static uint64_t oldest_ms(const struct pair_queue *q, uint64_t now_ms)
{
	/* what is in flight came before what waits */
	const struct pair_item *it =
		q->in_flight != NULL ? q->in_flight : q->waiting;

	return it == NULL ? 0 : now_ms - it->start_ms;
}

size_t edge_router_queues(const struct edge_router *r, uint64_t *cursor,
			  struct edge_router_queue *out, size_t max,
			  uint64_t now_ms)
{
	const struct route *rt;
	size_t n = 0;

	for (rt = r->by_key; rt != NULL && n < max; rt = rt->hh.next) {
		if (rt->id <= *cursor)
			continue;
		*cursor = rt->id;
		if (rt->queue.count == 0)
			continue;
		out[n++] = (struct edge_router_queue){
			.pair = {rt->local, rt->remote},
			.stanzas = rt->queue.count,
			.bytes = rt->queue.bytes,
			.oldest_ms = oldest_ms(&rt->queue, now_ms),
		};
	}
	return n;
}
