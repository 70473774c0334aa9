/* Who is next: owner of a user, streams in line, returned stanzas. */
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/rendezvous.h"
#include "edge-proxy/edge_channel.h"
#include "xmpp/jid.h"

/* Stanzas of one stream before the others in line have their turn. */
enum { LINE_TURN = 16 };

static uint64_t now_of(const struct edge_channel *ch)
{
	return loop_now_ms(ch->e->loop);
}

/* ---- owner --------------------------------------------------------------- */

/* A link that broke a moment ago is still the owner: it probably resumes, and
 * order is kept if we wait. */
static bool is_live(const struct edge_channel *ch,
		    const struct edge_gateway *gw)
{
	if (gw->is_draining)
		return false;
	return gw->is_up || now_of(ch) - gw->down_ms < LIMIT_GATEWAY_GRACE_MS;
}

struct edge_gateway *edge_line_pick(struct edge_channel *ch, const char *to)
{
	struct edge_gateway *live[LIMIT_CHANNEL_SESSIONS];
	struct span names[LIMIT_CHANNEL_SESSIONS];
	struct edge_gateway *gw;
	size_t n = 0;
	size_t i;

	DL_FOREACH (ch->gateways, gw) {
		if (n == LIMIT_CHANNEL_SESSIONS || !is_live(ch, gw))
			continue;
		live[n] = gw;
		names[n++] = span_str(chan_link_peer(gw->link));
	}
	i = rendezvous_pick(jid_split(span_str(to)).bare, names, n);
	return i == SIZE_MAX ? NULL : live[i];
}

/* When somebody in line has waited long enough for a gateway to come back. */
static uint64_t next_deadline(const struct edge_channel *ch)
{
	uint64_t now = now_of(ch);
	uint64_t at = UINT64_MAX;
	const struct edge_gateway *gw;

	if (ch->line != NULL || ch->returned != NULL)
		at = ch->alone_ms + LIMIT_GATEWAY_GRACE_MS;
	if (at <= now)
		at = UINT64_MAX;
	DL_FOREACH (ch->gateways, gw) {
		uint64_t end = gw->down_ms + LIMIT_GATEWAY_GRACE_MS;

		if (!gw->is_up && end > now && end < at)
			at = end;
	}
	return at;
}

/* ---- line ---------------------------------------------------------------- */

static void stand(struct edge_wait *w, struct edge_wait **list)
{
	edge_channel_forget(w);
	DL_APPEND(*list, w);
	w->list = list;
}

void edge_channel_forget(struct edge_wait *w)
{
	if (w->list != NULL)
		DL_DELETE(*w->list, w);
	w->list = NULL;
}

/* All that stand here now, one after the other; who still cannot go on lines
 * up again. */
static void run_list(struct edge_wait **list)
{
	struct edge_wait *last = *list == NULL ? NULL : (*list)->prev;
	struct edge_wait *w;
	bool is_last = false;

	while (!is_last && (w = *list) != NULL) {
		is_last = w == last;
		edge_channel_forget(w);
		w->turn = LINE_TURN;
		w->retry(w->arg);
		w->turn = 0;
	}
}

static bool is_in_grace(const struct edge_channel *ch)
{
	return now_of(ch) - ch->alone_ms < LIMIT_GATEWAY_GRACE_MS;
}

static bool has_turn(struct edge_wait *w)
{
	if (w->turn == 0)
		return false;
	w->turn--;
	return true;
}

void edge_channel_made_room(struct edge *e)
{
	if (e->channel != NULL && e->channel->line != NULL)
		loop_defer(e->loop, &e->channel->work);
}

/* A peer that does not take our answers is not read: each stanza of it may
 * make one more. */
static bool owes_answers(const struct edge *e, const Fed__Facts *facts)
{
	const struct s2s_pair pair = {facts->local_domain, facts->peer_domain};

	return edge_routes_owes(e, &pair);
}

int edge_channel_deliver(struct edge *e, struct edge_wait *w,
			 const Fed__Facts *facts, const Fed__Stanza *stanza)
{
	struct edge_channel *ch = e->channel;
	struct edge_gateway *gw = edge_line_pick(ch, stanza->to);
	struct chan_delivery d = {
		.facts = facts, .stanza = stanza, .handle = now_of(ch)};
	bool may_try;
	int err = FED_EAGAIN;

	if (gw == NULL && !is_in_grace(ch) && !owes_answers(e, facts))
		return FED_ENOTFOUND;
	if (gw == NULL || ch->returned != NULL || owes_answers(e, facts)) {
		stand(w, &ch->line);
		loop_timer_arm(ch->timer, next_deadline(ch));
		return FED_EAGAIN;
	}
	may_try = gw->line == NULL || has_turn(w);
	if (may_try) {
		id_source_next_raw(&e->ids, d.id);
		err = chan_link_send_stanza(gw->link, &d);
	}
	if (err != FED_EAGAIN)
		return err;
	stand(w, &gw->line);
	if (!may_try)
		loop_defer(e->loop, &ch->work); /* its turn comes */
	else if (!gw->is_up)
		loop_timer_arm(ch->timer, next_deadline(ch));
	return FED_EAGAIN;
}

void edge_line_move(struct edge_channel *ch, struct edge_gateway *gw)
{
	if (gw->line != NULL)
		loop_defer(ch->e->loop, &ch->work);
	while (gw->line != NULL)
		stand(gw->line, &ch->line);
}

/* ---- returned ------------------------------------------------------------ */

void edge_line_return(struct edge_channel *ch, const Fed__StanzaFrame *frame,
		      uint64_t start_ms)
{
	size_t n = fed__stanza_frame__get_packed_size(frame);
	struct edge_returned *r = NULL;

	/* LIMIT: what one gateway may have had, for each of them */
	if (ch->returned_count < LIMIT_CHANNEL_WINDOW * LIMIT_CHANNEL_SESSIONS)
		r = malloc(sizeof(*r) + n);
	if (r == NULL) {
		edge_line_log(ch, frame, start_ms, "resource-constraint");
		edge_routes_refuse(ch->e, frame->stanza,
				   FED__CONDITION__RESOURCE_CONSTRAINT, NULL);
		return;
	}
	r->start_ms = start_ms;
	r->n = fed__stanza_frame__pack(frame, r->frame);
	DL_APPEND(ch->returned, r);
	ch->returned_count++;
	loop_defer(ch->e->loop, &ch->work);
}

static int send_again(struct edge_channel *ch, const Fed__StanzaFrame *f,
		      uint64_t start_ms)
{
	struct edge_gateway *gw = edge_line_pick(ch, f->stanza->to);
	struct chan_delivery d = {.is_redelivered = true,
				  .facts = f->facts,
				  .stanza = f->stanza,
				  .handle = start_ms};

	if (gw == NULL)
		return is_in_grace(ch) ? FED_EAGAIN : FED_ENOTFOUND;
	if (f->delivery_id.len == ID_RAW_BYTES)
		memcpy(d.id, f->delivery_id.data, ID_RAW_BYTES);
	return chan_link_send_stanza(gw->link, &d);
}

/* 0 or an error: done with it; FED_EAGAIN: it waits on */
static int try_returned(struct edge_channel *ch, const struct edge_returned *r)
{
	Fed__StanzaFrame *f = fed__stanza_frame__unpack(NULL, r->n, r->frame);
	int err;

	if (f == NULL || f->stanza == NULL) {
		fed_log(&ch->e->log, FED_LOG_ERROR, "returned_lost",
			"bytes=%zu", r->n);
		return FED_ENOMEM;
	}
	err = send_again(ch, f, r->start_ms);
	if (err != 0 && err != FED_EAGAIN) {
		edge_line_log(ch, f, r->start_ms, "remote-server-timeout");
		edge_routes_refuse(ch->e, f->stanza,
				   FED__CONDITION__REMOTE_SERVER_TIMEOUT,
				   "the gateway was lost");
	}
	fed__stanza_frame__free_unpacked(f, NULL);
	return err;
}

static void drop_returned(struct edge_channel *ch, struct edge_returned *r)
{
	DL_DELETE(ch->returned, r);
	ch->returned_count--;
	free(r);
}

void edge_line_clear(struct edge_channel *ch)
{
	while (ch->returned != NULL)
		drop_returned(ch, ch->returned);
}

/* ---- run ----------------------------------------------------------------- */

/* New stanzas of its users go to others from now on: what it did not answer
 * must not come behind them, so its session is not waited for any longer.
 * While nobody else is there it may still come back and resume. */
static bool give_up_lost(struct edge_channel *ch)
{
	const struct edge_gateway *other;
	struct edge_gateway *gw;
	bool has_other = false;
	bool has_given_up = false;

	DL_FOREACH (ch->gateways, other)
		has_other |= other->is_up && !other->is_draining;
	DL_FOREACH (ch->gateways, gw) {
		if (!has_other || gw->is_up || gw->is_given_up ||
		    now_of(ch) - gw->down_ms < LIMIT_GATEWAY_GRACE_MS)
			continue;
		gw->is_given_up = true;
		has_given_up = true;
		chan_link_abandon(gw->link, "others took over");
	}
	return has_given_up;
}

void edge_line_run(struct edge_channel *ch)
{
	struct edge_gateway *gw;

	/* what it gives back comes first: the link's work is before ours */
	if (give_up_lost(ch)) {
		loop_defer(ch->e->loop, &ch->work);
		return;
	}
	while (ch->returned != NULL &&
	       try_returned(ch, ch->returned) != FED_EAGAIN)
		drop_returned(ch, ch->returned);
	if (ch->returned == NULL) {
		run_list(&ch->line);
		DL_FOREACH (ch->gateways, gw) {
			if (!is_live(ch, gw))
				edge_line_move(ch, gw);
			else if (chan_link_can_send(gw->link))
				run_list(&gw->line);
		}
	}
	loop_timer_arm(ch->timer, next_deadline(ch));
}

void edge_line_log(struct edge_channel *ch, const Fed__StanzaFrame *frame,
		   uint64_t start_ms, const char *outcome)
{
	char trace[2 * ID_RAW_BYTES + 1] = "";

	if (!log_wants(&ch->e->log, FED_LOG_INFO) || frame == NULL ||
	    frame->stanza == NULL)
		return;
	if (frame->delivery_id.len == ID_RAW_BYTES)
		digest_hex(frame->delivery_id.data, ID_RAW_BYTES, trace);
	fed_log(&ch->e->log, FED_LOG_INFO, "delivery",
		"trace=%s from=%s to=%s dir=to-sip outcome=%s ms=%llu", trace,
		log_value(span_str(frame->stanza->from)).text,
		log_value(span_str(frame->stanza->to)).text, outcome,
		(unsigned long long)(now_of(ch) - start_ms));
}
