/* Shell of core/confirm: pings out, words of the peer in, outcomes on. */
#include "edge-proxy/edge_confirm.h"

#include <stdlib.h>
#include <string.h>

#include "edge-proxy/core/confirm.h"
#include "xmpp/stanza_util.h"

struct edge_confirm {
	struct confirm *core;
	struct loop_deferred work;
	struct loop_timer *timer;
};

/* ---- tag ----------------------------------------------------------------- */

static void put_field(struct buf *out, const char *text)
{
	(void)buf_put(out, text, strlen(text) + 1);
}

int edge_tag_write(struct buf *out, const char *trace, const Fed__Stanza *s,
		   const struct s2s_pair *pair, bool wants_word)
{
	const char *fields[] = {s->from, s->to, s->id, pair->local,
				pair->remote};

	buf_reset(out);
	(void)buf_printf(out, "trace=%s from=%s to=%s", trace,
			 log_value(span_str(s->from)).text,
			 log_value(span_str(s->to)).text);
	put_field(out, "");
	for (size_t i = 0; i < FED_ARRAY_LEN(fields); i++)
		put_field(out, wants_word ? fields[i] : "");
	return out->is_failed ? FED_ELIMIT : 0;
}

struct edge_tag edge_tag_read(struct span tag)
{
	struct edge_tag t = {"", "", "", "", "", ""};
	const char **fields[] = {&t.ledger, &t.from,  &t.to,
				 &t.id,	    &t.local, &t.remote};
	size_t at = 0;

	for (size_t i = 0; i < FED_ARRAY_LEN(fields); i++) {
		size_t end = span_find(tag, '\0', at);

		if (end == SIZE_MAX)
			break;
		*fields[i] = tag.p + at;
		at = end + 1;
	}
	return t;
}

/* ---- actions ------------------------------------------------------------- */

static Fed__Stanza *new_ping(struct arena *arena, const struct s2s_pair *pair,
			     const char *id)
{
	Fed__Stanza *s = stanza_new_iq(arena);

	if (s == NULL)
		return NULL;
	s->from = arena_dup(arena, span_str(pair->local));
	s->to = arena_dup(arena, span_str(pair->remote));
	s->id = arena_dup(arena, span_str(id));
	s->iq->type = FED__IQ_TYPE__GET;
	s->iq->payload_case = FED__IQ__PAYLOAD_PING;
	s->iq->ping = arena_alloc(arena, sizeof(*s->iq->ping));
	if (s->from == NULL || s->to == NULL || s->id == NULL ||
	    s->iq->ping == NULL)
		return NULL;
	fed__ping__init(s->iq->ping);
	return s;
}

static void send_ping(struct edge *e, const struct confirm_action *a)
{
	const struct s2s_pair *pair = &a->u.ping.pair;
	struct arena arena;
	Fed__Stanza *s;
	int err = FED_ENOMEM;

	arena_init(&arena, 4096 + 4 * LIMIT_DOMAIN_BYTES);
	s = new_ping(&arena, pair, a->u.ping.id);
	if (s != NULL)
		err = edge_routes_send_ping(e, pair, s);
	arena_deinit(&arena);
	if (err != 0)
		confirm_ping_failed(e->confirm->core, *pair,
				    loop_now_ms(e->loop));
}

static void on_work(void *arg)
{
	struct edge *e = arg;
	struct confirm *c = e->confirm->core;
	struct confirm_action a;

	while (confirm_next_action(c, &a, loop_now_ms(e->loop))) {
		switch (a.kind) {
		case CONFIRM_PING:
			send_ping(e, &a);
			break;
		case CONFIRM_OUTCOME:
			edge_routes_settle(e, a.u.outcome.origin,
					   a.u.outcome.tag, a.u.outcome.refused,
					   a.u.outcome.start_ms);
			break;
		}
	}
	loop_timer_arm(e->confirm->timer, confirm_deadline_ms(c));
}

static void on_timer(void *arg)
{
	struct edge *e = arg;

	confirm_on_timer(e->confirm->core, loop_now_ms(e->loop));
	loop_defer(e->loop, &e->confirm->work);
}

static void kick(struct edge *e)
{
	loop_defer(e->loop, &e->confirm->work);
}

/* ---- events -------------------------------------------------------------- */

bool edge_confirm_hold(struct edge *e, struct edge_origin origin,
		       struct span tag, uint64_t start_ms)
{
	struct edge_tag t = edge_tag_read(tag);
	struct confirm_delivery d = {
		.origin = origin,
		.pair = {t.local, t.remote},
		.from = t.from,
		.to = t.to,
		.id = t.id,
		.tag = tag,
		.start_ms = start_ms,
	};

	if (origin.link == 0 || t.from[0] == '\0' || e->phase != EDGE_RUNNING ||
	    confirm_add(e->confirm->core, &d, loop_now_ms(e->loop)) != 0)
		return false;
	kick(e);
	return true;
}

bool edge_confirm_take(struct edge *e, const Fed__Stanza *s)
{
	if (!confirm_take(e->confirm->core, s))
		return false;
	kick(e);
	return true;
}

void edge_confirm_ping_failed(struct edge *e, struct span tag)
{
	const struct edge_tag t = edge_tag_read(tag);

	confirm_ping_failed(e->confirm->core,
			    (struct s2s_pair){t.local, t.remote},
			    loop_now_ms(e->loop));
	kick(e);
}

void edge_confirm_lost(struct edge *e, const struct s2s_pair *pair)
{
	confirm_lost(e->confirm->core, *pair);
	kick(e);
}

void edge_confirm_release(struct edge *e)
{
	confirm_release(e->confirm->core);
	kick(e);
}

/* ---- life ---------------------------------------------------------------- */

int edge_confirm_new(struct edge *e)
{
	struct edge_confirm *ec = calloc(1, sizeof(*ec));

	if (ec == NULL)
		return FED_ENOMEM;
	e->confirm = ec;
	ec->work = (struct loop_deferred){.fn = on_work, .arg = e};
	if (confirm_new(&ec->core, &e->ids) == 0 &&
	    loop_timer_new(&ec->timer, e->loop, on_timer, e) == 0)
		return 0;
	edge_confirm_free(e);
	return FED_ENOMEM;
}

void edge_confirm_free(struct edge *e)
{
	struct edge_confirm *ec = e->confirm;

	if (ec == NULL)
		return;
	e->confirm = NULL;
	loop_undefer(e->loop, &ec->work);
	loop_timer_free(ec->timer);
	confirm_free(ec->core);
	free(ec);
}
