/* Life, work lists, flights and the answers of presence. */
#include "fe-gateway/core/presence_priv.h"

#include <stdlib.h>
#include <string.h>

#include "fe-gateway/core/address.h"
#include "fe-gateway/core/message_map.h"
#include "xmpp/jid.h"

enum { ARENA_MAX = LIMIT_STANZA_ARENA_BYTES };

int presence_new(struct presence **p_out, const struct presence_params *params,
		 uint64_t now_ms)
{
	struct presence *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return FED_ENOMEM;
	p->p = *params;
	if (params->wall_ms > now_ms)
		p->wall_offset_ms = params->wall_ms - now_ms;
	p->alone_ms = now_ms > 0 ? now_ms : 1;
	p->round = 1; /* nobody was looked at yet */
	arena_init(&p->arena, ARENA_MAX);
	ratelimit_init(&p->warn_rate, LIMIT_GATEWAY_WARN_RATE,
		       LIMIT_GATEWAY_WARN_BURST, now_ms);
	*p_out = p;
	return 0;
}

static void free_watches(struct presence *p)
{
	struct presence_sub *s, *s_next;
	struct presence_contact *c, *c_next;

	HASH_ITER (hh, p->subs, s, s_next)
		presence_sub_free(p, s);
	HASH_ITER (hh, p->contacts, c, c_next)
		presence_contact_free(p, c);
}

void presence_free(struct presence *p)
{
	if (p == NULL)
		return;
	free_watches(p);
	presence_flight_free_all(p);
	presence_domain_deinit(p);
	presence_held_free_all(p);
	timer_heap_deinit(&p->timers);
	arena_deinit(&p->arena);
	free(p);
}

/* --- items --------------------------------------------------------------- */

int presence_item_add(struct presence *p, struct presence_item *item,
		      enum presence_item_kind kind)
{
	int err;

	/* LIMIT: strangers that subscribe to everybody */
	if (p->item_count >= LIMIT_PRESENCE_ITEMS)
		return FED_ELIMIT;
	err = timer_heap_reserve(&p->timers, p->item_count + 1);
	if (err != 0)
		return err;
	item->kind = kind;
	p->item_count++;
	return 0;
}

static void list_sip(struct presence *p, struct presence_item *item)
{
	if (item->in_sip_list || item->in_dirty_list || item->is_parked ||
	    item->sip != NULL || !item->is_sip_due)
		return;
	DL_APPEND2(p->sip_work, item, s_prev, s_next);
	item->in_sip_list = true;
}

static void list_stanza(struct presence *p, struct presence_item *item)
{
	if (item->in_xmpp_list || item->in_dirty_list || item->stanza != NULL ||
	    !item->is_stanza_due)
		return;
	DL_APPEND2(p->xmpp_work, item, x_prev, x_next);
	item->in_xmpp_list = true;
}

static void unlist(struct presence *p, struct presence_item *item)
{
	if (item->in_sip_list)
		DL_DELETE2(p->sip_work, item, s_prev, s_next);
	if (item->is_stanza_parked)
		presence_domain_unpark(item);
	else if (item->in_xmpp_list)
		DL_DELETE2(p->xmpp_work, item, x_prev, x_next);
	if (item->in_dirty_list)
		DL_DELETE2(p->dirty, item, d_prev, d_next);
	presence_share_unpark(item);
	item->in_sip_list = item->in_xmpp_list = item->in_dirty_list = false;
}

void presence_item_drop(struct presence *p, struct presence_item *item)
{
	unlist(p, item);
	timer_heap_set(&p->timers, &item->timer, UINT64_MAX);
	if (item->sip != NULL)
		item->sip->item = NULL;
	if (item->stanza != NULL)
		item->stanza->item = NULL;
	presence_query_leave(p, item);
	presence_domain_leave(p, item);
	presence_share_leave(p, item);
	p->item_count--;
}

void presence_want_sip(struct presence *p, struct presence_item *item)
{
	item->is_sip_due = true;
	list_sip(p, item);
}

void presence_want_stanza(struct presence *p, struct presence_item *item)
{
	item->is_stanza_due = true;
	list_stanza(p, item);
}

void presence_set_timer(struct presence *p, struct presence_item *item,
			uint64_t at_ms)
{
	timer_heap_set(&p->timers, &item->timer, at_ms);
}

uint64_t presence_jitter(struct presence *p, uint64_t below)
{
	uint8_t raw[ID_RAW_BYTES];
	uint64_t n;

	if (below == 0)
		return 0;
	id_source_next_raw(p->p.ids, raw);
	memcpy(&n, raw, sizeof(n));
	return n % below;
}

uint64_t presence_paced_at(struct presence *p, uint64_t now_ms)
{
	uint64_t now_us = now_ms * 1000;
	uint64_t at_us = p->next_slot_us > now_us ? p->next_slot_us : now_us;

	p->next_slot_us = at_us + 1000000 / p->p.repair_rate;
	return at_us / 1000;
}

uint64_t presence_wall_ms(const struct presence *p, uint64_t at_ms)
{
	return at_ms + p->wall_offset_ms;
}

uint64_t presence_clock_ms(const struct presence *p, uint64_t wall_ms)
{
	return wall_ms > p->wall_offset_ms ? wall_ms - p->wall_offset_ms : 0;
}

/* --- events from outside ------------------------------------------------- */

static bool has_localpart(const char *jid)
{
	return jid_split(span_str(jid)).local.n > 0;
}

static void on_error(struct presence *p, size_t edge, uint64_t ref,
		     const Fed__Stanza *s, uint64_t now_ms)
{
	if (s->id[0] == PRESENCE_CONTACT_ID)
		presence_contact_on_stanza(p, edge, ref, s, now_ms);
	else
		presence_sub_on_stanza(p, edge, ref, s, now_ms);
}

void presence_on_stanza(struct presence *p, size_t edge, uint64_t ref,
			const Fed__Stanza *s, uint64_t now_ms)
{
	presence_domain_seen(p, jid_split(span_str(s->from)).domain, now_ms);
	/* the SIP domain itself has no presence, and an "unsubscribed" to it is
	 * no user's */
	if (!has_localpart(s->to)) {
		presence_outcome(p, edge, ref,
				 s->presence->type ==
						 FED__PRESENCE_TYPE__SUBSCRIBE
					 ? FED__CONDITION__SERVICE_UNAVAILABLE
					 : FED__CONDITION__NO_CONDITION,
				 0);
		return;
	}
	switch (s->presence->type) {
	case FED__PRESENCE_TYPE__SUBSCRIBE:
	case FED__PRESENCE_TYPE__UNSUBSCRIBE:
	case FED__PRESENCE_TYPE__PROBE:
		presence_sub_on_stanza(p, edge, ref, s, now_ms);
		break;
	case FED__PRESENCE_TYPE__SUBSCRIBED:
	case FED__PRESENCE_TYPE__UNSUBSCRIBED:
	case FED__PRESENCE_TYPE__AVAILABLE:
	case FED__PRESENCE_TYPE__UNAVAILABLE:
		presence_contact_on_stanza(p, edge, ref, s, now_ms);
		break;
	case FED__PRESENCE_TYPE__PRESENCE_ERROR:
		on_error(p, edge, ref, s, now_ms);
		break;
	case _FED__PRESENCE_TYPE_IS_INT_SIZE:
		presence_outcome(p, edge, ref, FED__CONDITION__BAD_REQUEST, 0);
		break;
	}
}

static void cut_resource(struct jid *j)
{
	j->text[jid_bare(j).n] = '\0';
}

/* Both ends of an initial SUBSCRIBE, as JIDs. */
static void on_initial(struct presence *p, const struct sip_request_in *q,
		       uint64_t now_ms)
{
	struct jid local, remote;
	int err = address_uri_to_jid(q->request_uri, &remote);

	if (err != 0) {
		presence_answer_status(p, q->handle,
				       address_error_status(err, true));
		return;
	}
	err = address_uri_to_jid(q->from_uri, &local);
	if (err != 0) {
		presence_answer_status(p, q->handle,
				       address_error_status(err, false));
		return;
	}
	cut_resource(&local);
	cut_resource(&remote);
	presence_contact_on_subscribe(p, local.text, remote.text, q, now_ms);
}

/* RFC 3261 12.2.2, RFC 6665 4.4.1: a NOTIFY of another fork has another From
 * tag than the one that was first. */
static bool is_of_dialog(const struct presence_dialog *d,
			 const struct sip_request_in *q)
{
	return d != NULL && (d->remote_tag == NULL ||
			     span_eq_str(q->from_tag, d->remote_tag));
}

void presence_on_sip_request(struct presence *p, const struct sip_request_in *q,
			     uint64_t now_ms)
{
	bool is_notify = span_eq_str(q->method, "NOTIFY");
	struct presence_dialog *d;

	if (!q->has_to_tag && !is_notify) {
		on_initial(p, q, now_ms);
		return;
	}
	d = presence_dialog_find(p, q->call_id, q->to_tag);
	if (d != NULL && presence_access_look(p, d->owner, now_ms))
		d = presence_dialog_find(p, q->call_id, q->to_tag);
	if (!is_of_dialog(d, q) ||
	    is_notify != (d->direction == PRESENCE_OUT)) {
		presence_answer_status(p, q->handle, 481);
		return;
	}
	if (is_notify)
		presence_sub_on_notify(p, (struct presence_sub *)d->owner, q,
				       now_ms);
	else
		presence_nd_on_subscribe(p, (struct presence_nd *)d->owner, q,
					 now_ms);
}

int presence_restore(struct presence *p, const struct presence_row *row,
		     uint64_t now_ms)
{
	bool is_out;

	if (row->kind == PRESENCE_ROW_WATCH) {
		is_out = row->u.watch.direction == PRESENCE_OUT;
		return is_out ? presence_sub_restore(p, &row->u.watch, now_ms)
			      : presence_contact_restore(p, &row->u.watch,
							 now_ms);
	}
	is_out = row->u.dialog.direction == PRESENCE_OUT;
	return is_out ? presence_sub_restore_dialog(p, &row->u.dialog, now_ms)
		      : presence_nd_restore(p, &row->u.dialog, now_ms);
}

/* --- ends of what was in flight ------------------------------------------ */

void presence_on_sip_response(struct presence *p, uint64_t token,
			      const struct sip_response_in *r, uint64_t now_ms)
{
	struct presence_item *item;

	if (r->end == SIP_END_RESPONSE && r->status < 200)
		return;
	item = presence_flight_land(p, token, true);
	if (item == NULL)
		return;
	/* the handler may free it */
	list_sip(p, item);
	if (item->kind == PRESENCE_ITEM_SUB)
		presence_sub_on_response(p, (struct presence_sub *)item, r,
					 now_ms);
	else
		presence_nd_on_response(p, (struct presence_nd *)item, r,
					now_ms);
}

void presence_on_outcome(struct presence *p, uint64_t token,
			 const Fed__Error *refused, uint64_t now_ms)
{
	struct presence_item *item = presence_flight_land(p, token, false);

	if (item == NULL)
		return;
	/* the handler may free it */
	list_stanza(p, item);
	if (item->kind == PRESENCE_ITEM_SUB)
		presence_sub_on_outcome(p, (struct presence_sub *)item, refused,
					now_ms);
	else
		presence_contact_on_outcome(p, (struct presence_contact *)item,
					    refused, now_ms);
}

/* --- work ---------------------------------------------------------------- */

/* Its rows are not durable yet: it waits, and others go on. */
static bool put_aside(struct presence *p, struct presence_item *item)
{
	if (item->seq <= p->committed_seq)
		return false;
	unlist(p, item);
	DL_APPEND2(p->dirty, item, d_prev, d_next);
	item->in_dirty_list = true;
	return true;
}

static bool call_next_sip(struct presence *p, struct presence_item *item,
			  struct presence_action *out, uint64_t now_ms)
{
	return item->kind == PRESENCE_ITEM_SUB
		       ? presence_sub_next_sip(p, (struct presence_sub *)item,
					       out, now_ms)
		       : presence_nd_next_sip(p, (struct presence_nd *)item,
					      out, now_ms);
}

static bool next_sip(struct presence *p, struct presence_action *out,
		     uint64_t now_ms)
{
	while (p->sip_work != NULL && presence_flight_has_room(p, now_ms)) {
		struct presence_item *item = p->sip_work;
		struct presence_flight *f;

		if (put_aside(p, item) || presence_share_park(p, item) ||
		    presence_access_look(p, item, now_ms))
			continue;
		f = presence_flight_new(p, item, true);
		if (f == NULL)
			return false;
		DL_DELETE2(p->sip_work, item, s_prev, s_next);
		item->in_sip_list = item->is_sip_due = false;
		/* so that what it does meanwhile does not list it */
		item->sip = f;
		f->share = presence_share_fly(item);
		if (call_next_sip(p, item, out, now_ms)) {
			presence_flight_begin(p, f, now_ms);
			out->kind = PRESENCE_ACT_SIP_SEND;
			out->u.sip_send.token = f->token;
			metrics_count(p->p.metrics, METRIC_sip_requests_out);
			return true;
		}
		/* unless it is gone */
		if (f->item != NULL) {
			item->sip = NULL;
			/* it put a row, without which it cannot go on */
			if (item->seq > p->committed_seq)
				presence_want_sip(p, item);
		}
		presence_flight_end(p, f);
	}
	return false;
}

static bool call_next_stanza(struct presence *p, struct presence_item *item,
			     struct presence_action *out, uint64_t now_ms)
{
	p->making = item;
	return item->kind == PRESENCE_ITEM_SUB
		       ? presence_sub_next_stanza(
				 p, (struct presence_sub *)item, out, now_ms)
		       : presence_contact_next_stanza(
				 p, (struct presence_contact *)item, out,
				 now_ms);
}

static bool next_stanza(struct presence *p, struct presence_action *out,
			uint64_t now_ms)
{
	while (p->xmpp_work != NULL &&
	       p->stanzas_flying < LIMIT_PRESENCE_STANZAS) {
		struct presence_item *item = p->xmpp_work;
		struct presence_flight *f;

		if (put_aside(p, item) || presence_domain_park(p, item) ||
		    presence_access_look(p, item, now_ms))
			continue;
		f = presence_flight_new(p, item, false);
		if (f == NULL)
			return false;
		DL_DELETE2(p->xmpp_work, item, x_prev, x_next);
		item->in_xmpp_list = item->is_stanza_due = false;
		item->stanza = f;
		if (call_next_stanza(p, item, out, now_ms)) {
			presence_flight_begin(p, f, now_ms);
			presence_domain_flies(item);
			out->u.stanza.token = f->token;
			return true;
		}
		if (f->item != NULL) {
			item->stanza = NULL;
			presence_domain_pass(p, item);
		}
		presence_flight_end(p, f);
	}
	return false;
}

void presence_work_committed(struct presence *p)
{
	struct presence_item *item, *next;

	DL_FOREACH_SAFE2 (p->dirty, item, next, d_next) {
		if (item->seq > p->committed_seq)
			continue;
		DL_DELETE2(p->dirty, item, d_prev, d_next);
		item->in_dirty_list = false;
		list_sip(p, item);
		list_stanza(p, item);
	}
}

/* --- time ---------------------------------------------------------------- */

static void on_time(struct presence *p, struct presence_item *item,
		    uint64_t now_ms)
{
	bool is_nd = item->kind == PRESENCE_ITEM_ND;

	/* it was settled, or is gone */
	if (presence_access_look(p, item, now_ms) && !is_nd)
		return;
	switch (item->kind) {
	case PRESENCE_ITEM_SUB:
		presence_sub_on_time(p, (struct presence_sub *)item, now_ms);
		break;
	case PRESENCE_ITEM_CONTACT:
		presence_contact_on_time(p, (struct presence_contact *)item,
					 now_ms);
		break;
	case PRESENCE_ITEM_ND:
		presence_nd_on_time(p, (struct presence_nd *)item, now_ms);
		break;
	}
}

static struct presence_item *item_of(struct timer_node *n)
{
	return (struct presence_item *)((char *)n -
					offsetof(struct presence_item, timer));
}

bool presence_next_action(struct presence *p, bool may_stanza,
			  struct presence_action *out, uint64_t now_ms)
{
	struct timer_node *n;

	arena_reset(&p->arena);
	p->now_ms = now_ms;
	while ((n = timer_heap_pop(&p->timers, now_ms)) != NULL)
		on_time(p, item_of(n), now_ms);
	presence_access_walk(p, now_ms);
	presence_domain_on_time(p, now_ms);
	presence_held_on_time(p, now_ms);
	*out = (struct presence_action){.kind = PRESENCE_ACT_STORE};
	/* what makes nothing may have put a row */
	return presence_next_row(p, out) || presence_next_held(p, out) ||
	       next_sip(p, out, now_ms) ||
	       (may_stanza && next_stanza(p, out, now_ms)) ||
	       presence_next_row(p, out);
}

uint64_t presence_deadline_ms(const struct presence *p)
{
	uint64_t at = timer_heap_deadline_ms(&p->timers);
	uint64_t domain = presence_domain_deadline_ms(p);
	uint64_t held = presence_held_deadline_ms(p);
	uint64_t room = presence_flight_deadline_ms(p);
	uint64_t rows = presence_rows_deadline_ms(p);
	uint64_t access = presence_access_deadline_ms(p);

	if (access < at)
		at = access;
	if (domain < at)
		at = domain;
	if (room < at)
		at = room;
	if (rows < at)
		at = rows;
	return held < at ? held : at;
}

void presence_stop(struct presence *p, uint64_t now_ms)
{
	struct presence_sub *s, *s_next;
	struct presence_contact *c, *c_next;

	if (p->is_stopping)
		return;
	p->is_stopping = true;
	HASH_ITER (hh, p->subs, s, s_next)
		presence_sub_stop(p, s, now_ms);
	HASH_ITER (hh, p->contacts, c, c_next)
		presence_contact_stop(p, c, now_ms);
}

bool presence_is_idle(const struct presence *p)
{
	return p->flights == NULL && p->sip_work == NULL &&
	       p->xmpp_work == NULL && p->dirty == NULL && p->rows == NULL &&
	       presence_held_is_empty(p);
}

void presence_count(const struct presence *p, struct presence_counts *out)
{
	*out = (struct presence_counts){
		.out_watches = HASH_COUNT(p->subs),
		.in_watches = HASH_COUNT(p->contacts),
		.dialogs = HASH_COUNT(p->dialogs),
		.sip_flying = p->sip_fast_count + p->sip_slow_count,
		.stanzas_flying = p->stanzas_flying,
	};
}
