/* Life, actions and ledger of the router. */
#include "fe-gateway/core/router_priv.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_MAX = LIMIT_STANZA_ARENA_BYTES };

int gw_router_new(struct gw_router **r_out, const struct gw_router_params *p,
		  uint64_t now_ms)
{
	struct gw_router *r;

	if (p->edge_count == 0 || p->edge_count > LIMIT_CHANNEL_SESSIONS)
		return FED_EINVAL;
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return FED_ENOMEM;
	r->p = *p;
	for (size_t i = 0; i < p->edge_count; i++)
		r->edges[i] = (struct gw_edge){.name = p->edges[i],
					       .is_given_away = true};
	r->alone_ms = now_ms;
	ratelimit_init(&r->udp_rate, LIMIT_SIP_UDP_RATE, LIMIT_SIP_UDP_RATE,
		       now_ms);
	ratelimit_init(&r->stranger_rate, LIMIT_SIP_STRANGER_RATE,
		       LIMIT_SIP_STRANGER_RATE, now_ms);
	ratelimit_init(&r->warn_rate, LIMIT_GATEWAY_WARN_RATE,
		       LIMIT_GATEWAY_WARN_BURST, now_ms);
	ratelimit_init(&r->hop_rate, LIMIT_GATEWAY_WARN_RATE, 1, now_ms);
	for (size_t i = 0; i < GW_RING; i++)
		arena_init(&r->ring[i].arena, ARENA_MAX);
	arena_init(&r->last.arena, ARENA_MAX);
	r->seen_ring = calloc(LIMIT_DELIVERED_IDS, sizeof(*r->seen_ring));
	if (r->seen_ring == NULL ||
	    thread_map_new(&r->threads, LIMIT_THREADS) != 0) {
		gw_router_free(r);
		return FED_ENOMEM;
	}
	*r_out = r;
	return 0;
}

void gw_router_free(struct gw_router *r)
{
	if (r == NULL)
		return;
	gw_in_free_all(r);
	gw_out_free_all(r);
	gw_legacy_free_all(r);
	for (size_t i = 0; i < GW_RING; i++)
		arena_deinit(&r->ring[i].arena);
	arena_deinit(&r->last.arena);
	HASH_CLEAR(hh, r->seen);
	free(r->seen_ring);
	thread_map_free(r->threads);
	free(r);
}

void gw_router_stop(struct gw_router *r, uint64_t now_ms)
{
	if (r->is_stopping)
		return;
	r->is_stopping = true;
	r->stop_ms = now_ms + LIMIT_GATEWAY_STOP_MS;
	if (r->p.presence != NULL)
		presence_stop(r->p.presence, now_ms);
}

size_t gw_router_held_in(const struct gw_router *r)
{
	return HASH_COUNT(r->ins);
}

size_t gw_router_held_out(const struct gw_router *r)
{
	return HASH_COUNT(r->outs);
}

bool gw_router_is_idle(const struct gw_router *r)
{
	return r->ins == NULL && r->outs == NULL && r->passes == NULL &&
	       r->ring_count == 0 &&
	       (r->p.presence == NULL || presence_is_idle(r->p.presence));
}

void gw_ledger_write(struct gw_router *r, const struct gw_ledger *l)
{
	char trace[2 * ID_RAW_BYTES + 1] = "-";

	if (!log_wants(r->p.log, FED_LOG_INFO))
		return;
	if (l->id != NULL)
		digest_hex(l->id, ID_RAW_BYTES, trace);
	fed_log(r->p.log, FED_LOG_INFO, "delivery",
		"trace=%s dir=%s from=%s to=%s call-id=%s outcome=%s "
		"status=%d ms=%" PRIu64 "%s%s",
		trace, l->dir, log_value(l->from).text, log_value(l->to).text,
		log_value(l->call_id).text, l->outcome, l->status, l->ms,
		l->gate != NULL ? " gate=" : "",
		l->gate != NULL ? l->gate : "");
}

struct gw_pending_action *gw_push(struct gw_router *r, enum gw_action_kind kind)
{
	struct gw_pending_action *a;

	if (!FED_CHECK(r->ring_count < GW_RING))
		return NULL;
	a = &r->ring[(r->ring_head + r->ring_count) % GW_RING];
	r->ring_count++;
	arena_deinit(&a->arena);
	a->action = (struct gw_action){.kind = kind};
	return a;
}

/* The oldest action moves to `last`, which keeps what it points into. */
static bool pop(struct gw_router *r, struct gw_action *out)
{
	struct gw_pending_action *a = &r->ring[r->ring_head];

	if (r->ring_count == 0)
		return false;
	r->ring_head = (r->ring_head + 1) % GW_RING;
	r->ring_count--;
	r->last = *a;
	arena_init(&a->arena, ARENA_MAX);
	*out = r->last.action;
	if (out->kind == GW_ACT_SIP_REPLY)
		out->u.sip_reply.reply = &r->last.reply;
	return true;
}

bool gw_router_next_action(struct gw_router *r, struct gw_action *out,
			   uint64_t now_ms)
{
	arena_deinit(&r->last.arena);
	if (r->ring_count == 0 && !gw_in_look(r, now_ms) &&
	    !gw_out_look(r, now_ms) && !gw_in_expire(r, now_ms) &&
	    !gw_legacy_expire(r, now_ms))
		(void)gw_out_expire(r, now_ms);
	if (pop(r, out))
		return true;
	return gw_presence_next(r, out, now_ms) || gw_edge_next(r, out) ||
	       gw_queue_next(r, out, now_ms);
}

uint64_t gw_router_deadline_ms(const struct gw_router *r)
{
	uint64_t in = gw_in_deadline_ms(r);
	uint64_t out = gw_out_deadline_ms(r);
	uint64_t presence = r->p.presence != NULL
				    ? presence_deadline_ms(r->p.presence)
				    : UINT64_MAX;

	if (presence < in)
		in = presence;
	if (gw_legacy_deadline_ms(r) < in)
		in = gw_legacy_deadline_ms(r);
	return in < out ? in : out;
}
