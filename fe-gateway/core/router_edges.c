/*
 * The edges: their states, which one has what, and what becomes of stanzas
 * whose edge went away.
 */
#include "fe-gateway/core/router_priv.h"

#include <string.h>

#include "base/rendezvous.h"
#include "xmpp/jid.h"

static bool is_live(const struct gw_edge *e)
{
	return e->state == GW_EDGE_FULL || e->state == GW_EDGE_READY;
}

bool gw_edges_has_live(const struct gw_router *r)
{
	for (size_t i = 0; i < r->p.edge_count; i++)
		if (is_live(&r->edges[i]))
			return true;
	return false;
}

/* May stanzas be for it?  One that went away a moment ago keeps its domains
 * while it owes answers: what it has not answered is sent again when it is
 * back or given up, and newer ones must not overtake that. */
static bool is_owner(const struct gw_edge *e)
{
	return is_live(e) || (e->state == GW_EDGE_DOWN && !e->is_given_away &&
			      e->sent_count > 0);
}

size_t gw_router_pick_edge(const struct gw_router *r, struct span domain)
{
	struct span live[LIMIT_CHANNEL_SESSIONS] = {{NULL, 0}};
	size_t index[LIMIT_CHANNEL_SESSIONS];
	size_t count = 0;
	size_t best;

	for (size_t i = 0; i < r->p.edge_count; i++) {
		if (!is_owner(&r->edges[i]))
			continue;
		live[count] = span_str(r->edges[i].name);
		index[count++] = i;
	}
	best = rendezvous_pick(domain, live, count);
	return best < count ? index[best] : r->p.edge_count;
}

/* --- waiting ------------------------------------------------------------- */

static struct gw_in **waiting_list(struct gw_router *r, size_t edge)
{
	return edge < r->p.edge_count ? &r->edges[edge].waiting : &r->homeless;
}

/* In order of age: what comes back is older than what waits, and its place is
 * near the front. */
void gw_wait_for_edge(struct gw_router *r, struct gw_in *d)
{
	struct span to = span_str(d->stanza->to);
	struct gw_in **list, *at;

	if (d->is_sent)
		r->edges[d->edge].sent_count--;
	d->is_sent = false;
	d->edge = gw_router_pick_edge(r, jid_split(to).domain);
	list = waiting_list(r, d->edge);
	if (*list == NULL || (*list)->w_prev->handle < d->handle) {
		DL_APPEND2(*list, d, w_prev, w_next);
		return;
	}
	for (at = *list; at->handle < d->handle; at = at->w_next)
		;
	DL_PREPEND_ELEM2(*list, at, d, w_prev, w_next);
}

void gw_leave_edge(struct gw_router *r, struct gw_in *d)
{
	struct gw_in **list = waiting_list(r, d->edge);

	if (d->is_sent)
		r->edges[d->edge].sent_count--;
	else
		DL_DELETE2(*list, d, w_prev, w_next);
}

bool gw_edge_next(struct gw_router *r, struct gw_action *out)
{
	for (size_t i = 0; i < r->p.edge_count; i++) {
		struct gw_in *d = r->edges[i].waiting;

		if (d == NULL || r->edges[i].state != GW_EDGE_READY)
			continue;
		DL_DELETE2(r->edges[i].waiting, d, w_prev, w_next);
		d->is_sent = true;
		r->edges[i].sent_count++;
		*out = (struct gw_action){.kind = GW_ACT_STANZA};
		out->u.stanza.edge = i;
		out->u.stanza.delivery = (struct chan_delivery){
			.is_redelivered = d->is_redelivered,
			.stanza = d->stanza,
			.handle = d->handle,
		};
		memcpy(out->u.stanza.delivery.id, d->id, ID_RAW_BYTES);
		return true;
	}
	return false;
}

/* --- edges come and go --------------------------------------------------- */

/* The set of live edges changed, so the hash picks anew for all that wait. */
static void pick_again(struct gw_router *r)
{
	struct gw_in *d;

	DL_FOREACH (r->in_ages, d) {
		if (!d->is_sent)
			gw_leave_edge(r, d);
	}
	DL_FOREACH (r->in_ages, d) {
		if (!d->is_sent)
			gw_wait_for_edge(r, d);
	}
}

/* An edge that has nobody to give them to drops presence stanzas after a
 * while, one that ended takes them with it: what it may have dropped is asked
 * for anew. */
static void tell_presence(struct gw_router *r, struct gw_edge *e,
			  uint64_t now_ms)
{
	bool may_have_lost =
		is_live(e) && e->was_live &&
		(e->is_new || now_ms >= e->down_ms + LIMIT_EDGE_GAP_MS);

	if (is_live(e)) {
		e->was_live = true;
		e->is_new = false;
	}
	if (r->p.presence != NULL)
		presence_on_channel(r->p.presence, gw_edges_has_live(r),
				    may_have_lost, now_ms);
}

void gw_router_on_edge(struct gw_router *r, size_t edge,
		       enum gw_edge_state state, uint64_t now_ms)
{
	struct gw_edge *e;
	bool was_live, had_live;

	if (!FED_CHECK(edge < r->p.edge_count))
		return;
	e = &r->edges[edge];
	was_live = is_live(e);
	had_live = gw_edges_has_live(r);
	if (state == GW_EDGE_DOWN && e->state != GW_EDGE_DOWN) {
		e->down_ms = now_ms;
		e->is_given_away = false;
	}
	e->state = state;
	if (was_live == is_live(e) && !(is_live(e) && e->is_new))
		return;
	if (had_live && !gw_edges_has_live(r))
		r->alone_ms = now_ms;
	tell_presence(r, e, now_ms);
	pick_again(r);
}

void gw_router_on_session(struct gw_router *r, size_t edge)
{
	if (FED_CHECK(edge < r->p.edge_count))
		r->edges[edge].is_new = true;
}

void gw_router_on_returned(struct gw_router *r, size_t edge, uint64_t handle,
			   uint64_t now_ms)
{
	struct gw_in *d = gw_in_find(r, handle);

	(void)now_ms;
	arena_deinit(&r->last.arena);
	/* another edge may have it by now */
	if (d == NULL || !d->is_sent || d->edge != edge)
		return;
	d->is_redelivered = true;
	gw_wait_for_edge(r, d);
	/* its session is over, and the last of them is back */
	if (!is_owner(&r->edges[edge]))
		pick_again(r);
}

void gw_edge_refused_room(struct gw_router *r, struct gw_in *d)
{
	if (r->edges[d->edge].state == GW_EDGE_READY)
		r->edges[d->edge].state = GW_EDGE_FULL;
	gw_wait_for_edge(r, d);
}

/* --- time ---------------------------------------------------------------- */

/* When the edge's unanswered stanzas are taken back; UINT64_MAX: never. */
static uint64_t give_away_at(const struct gw_router *r, const struct gw_edge *e)
{
	if (e->state != GW_EDGE_DOWN || e->is_given_away || r->in_ages == NULL)
		return UINT64_MAX;
	return r->is_stopping ? 0 : e->down_ms + LIMIT_EDGE_GRACE_MS;
}

static void give_away(struct gw_router *r, size_t edge)
{
	struct gw_in *d;

	r->edges[edge].is_given_away = true;
	DL_FOREACH (r->in_ages, d) {
		if (!d->is_sent || d->edge != edge)
			continue;
		d->is_redelivered = true;
		gw_wait_for_edge(r, d);
	}
	pick_again(r); /* those that waited for it to come back */
}

void gw_edges_expire(struct gw_router *r, uint64_t now_ms)
{
	for (size_t i = 0; i < r->p.edge_count; i++)
		if (now_ms >= give_away_at(r, &r->edges[i]))
			give_away(r, i);
}

/* While the process stops nobody waits for an edge to come back. */
static uint64_t homeless_until(const struct gw_router *r)
{
	if (r->homeless == NULL)
		return UINT64_MAX;
	return r->is_stopping ? 0 : r->alone_ms + LIMIT_EDGE_GRACE_MS;
}

struct gw_in *gw_edges_hopeless(struct gw_router *r, uint64_t now_ms)
{
	return now_ms >= homeless_until(r) ? r->homeless : NULL;
}

uint64_t gw_edges_deadline_ms(const struct gw_router *r)
{
	uint64_t at = homeless_until(r);

	for (size_t i = 0; i < r->p.edge_count; i++) {
		uint64_t give = give_away_at(r, &r->edges[i]);

		if (give < at)
			at = give;
	}
	return at;
}
