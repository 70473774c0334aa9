/* Routes to the XMPP side: another policy is in force. */
#include <stdio.h>

#include "edge-proxy/core/route.h"

static void forbid(struct edge_router *r, struct route *rt)
{
	rt->last = (struct s2s_reason){.kind = S2S_END_POLICY};
	(void)snprintf(rt->last.text, sizeof(rt->last.text),
		       "the domain is not a partner any more");
	router_refuse_waiting(r, rt);
	/* nothing is remembered of it; where a stream or an attempt is, its
	 * end does that */
	if (rt->state == ROUTE_BACKOFF)
		route_set_state(rt, ROUTE_IDLE, "policy", r->env.log);
	router_add_todo(r, rt);
}

/* What failed under other rules may succeed now. */
static void allow(struct edge_router *r, struct route *rt, uint64_t now_ms)
{
	for (size_t i = 0; i < FED_ARRAY_LEN(rt->slots); i++)
		rt->slots[i].idle_ms =
			route_idle_ms(rt->slots[i].peer_idle_ms, r->idle_ms);
	if (rt->state == ROUTE_BACKOFF) {
		rt->failures = 0;
		rt->until_ms = now_ms;
	}
	router_plan(r, rt);
}

void edge_router_look_again(struct edge_router *r, const struct policy *p,
			    uint64_t now_ms)
{
	struct route *rt;
	struct route *tmp;

	r->idle_ms = policy_idle_ms(p);
	HASH_ITER (hh, r->by_key, rt, tmp) {
		if (policy_of_pair(p, rt->local, rt->remote) == NULL)
			forbid(r, rt);
		else
			allow(r, rt, now_ms);
	}
}
