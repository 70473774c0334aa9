/*
 * The way of presence through the router: its events in, its actions among the
 * router's own.  Its stanzas share the edges with messages: none is made while
 * the table is full or no edge is there, since what is due stays due.
 */
#include "fe-gateway/core/router_priv.h"

/* Tells the tokens of presence from those of messages. */
#define PRESENCE_TOKEN (1ull << 63)

void gw_presence_on_stanza(struct gw_router *r, const struct gw_origin *o,
			   uint64_t now_ms)
{
	presence_on_stanza(r->p.presence, o->edge, o->ref, o->frame->stanza,
			   now_ms);
}

void gw_presence_on_request(struct gw_router *r, const struct sip_request_in *q,
			    uint64_t now_ms)
{
	presence_on_sip_request(r->p.presence, q, now_ms);
}

bool gw_presence_on_response(struct gw_router *r, uint64_t token,
			     const struct sip_response_in *s, uint64_t now_ms)
{
	if ((token & PRESENCE_TOKEN) == 0 || r->p.presence == NULL)
		return false;
	presence_on_sip_response(r->p.presence, token & ~PRESENCE_TOKEN, s,
				 now_ms);
	return true;
}

void gw_presence_on_outcome(struct gw_router *r, uint64_t token,
			    const Fed__Error *refused, uint64_t now_ms)
{
	presence_on_outcome(r->p.presence, token, refused, now_ms);
}

void gw_router_on_store_full(struct gw_router *r, uint64_t now_ms)
{
	if (r->p.presence != NULL)
		presence_store_again(r->p.presence, now_ms);
}

void gw_router_on_committed(struct gw_router *r, uint64_t seq, uint64_t now_ms)
{
	if (r->p.presence != NULL)
		presence_on_committed(r->p.presence, seq, now_ms);
}

void gw_router_on_next_hop(struct gw_router *r, struct span domain,
			   uint64_t now_ms)
{
	if (r->p.presence != NULL)
		presence_on_next_hop(r->p.presence, domain, now_ms);
}

void gw_router_on_stream(struct gw_router *r, struct span domain,
			 enum presence_stream_event event, uint64_t now_ms)
{
	if (r->p.presence != NULL)
		presence_on_stream(r->p.presence, domain, event, now_ms);
}

/* Into the tables of the edges; what does not fit ends at once. */
static void send_stanza(struct gw_router *r, const struct presence_action *a,
			uint64_t now_ms)
{
	static const Fed__Error no_room = {
		.base = PROTOBUF_C_MESSAGE_INIT(&fed__error__descriptor),
		.condition = FED__CONDITION__INTERNAL_SERVER_ERROR,
	};

	if (gw_in_send_presence(r, a->u.stanza.take, a->u.stanza.stanza,
				a->u.stanza.token, now_ms) != 0)
		presence_on_outcome(r->p.presence, a->u.stanza.token, &no_room,
				    now_ms);
}

/* One action as the router's; false: it was carried out here. */
static bool pass_on(struct gw_router *r, const struct presence_action *a,
		    struct gw_action *out, uint64_t now_ms)
{
	switch (a->kind) {
	case PRESENCE_ACT_SIP_REPLY:
		out->kind = GW_ACT_SIP_REPLY;
		out->u.sip_reply.handle = a->u.sip_reply.handle;
		out->u.sip_reply.reply = a->u.sip_reply.reply;
		return true;
	case PRESENCE_ACT_SIP_SEND:
		out->kind = GW_ACT_SIP_SEND;
		out->u.sip_send.token = a->u.sip_send.token | PRESENCE_TOKEN;
		out->u.sip_send.request = a->u.sip_send.request;
		return true;
	case PRESENCE_ACT_OUTCOME:
		out->kind = GW_ACT_OUTCOME;
		out->u.outcome.edge = a->u.outcome.edge;
		out->u.outcome.ref = a->u.outcome.ref;
		out->u.outcome.refused = a->u.outcome.refused;
		return true;
	case PRESENCE_ACT_STORE:
		out->kind = GW_ACT_STORE;
		out->u.store.row = a->u.store.row;
		out->u.store.seq = a->u.store.seq;
		return true;
	case PRESENCE_ACT_STANZA:
		send_stanza(r, a, now_ms);
		return false;
	}
	return false;
}

bool gw_presence_next(struct gw_router *r, struct gw_action *out,
		      uint64_t now_ms)
{
	bool may_stanza = gw_in_has_room(r) && gw_edges_has_live(r);
	struct presence_action a;

	if (r->p.presence == NULL)
		return false;
	*out = (struct gw_action){.kind = GW_ACT_STORE};
	while (presence_next_action(r->p.presence, may_stanza, &a, now_ms)) {
		if (pass_on(r, &a, out, now_ms))
			return true;
		may_stanza = gw_in_has_room(r);
	}
	return false;
}
