/*
 * XMPP -> SIP.  waiting (in the queue of its Request-URI) -> flying (client
 * transaction) -> Outcome.
 */
#include "fe-gateway/core/router_priv.h"

#include <stdlib.h>
#include <string.h>

#include "fe-gateway/core/iq_answer.h"
#include "xmpp/jid.h"
#include "xmpp/stanza_error.h"
#include "xmpp/stanza_util.h"

_Static_assert(LIMIT_SIP_LOST_MS > LIMIT_HOP_RETRY_MS + LIMIT_SIP_TIMER_F_MS,
	       "a message must not be told as lost while its last try runs");

enum { ARENA_MAX = LIMIT_STANZA_ARENA_BYTES };

/* --- Outcomes ------------------------------------------------------------ */

/* Takes the arena, in which `refused` lives. */
static void push_outcome(struct gw_router *r, size_t edge, uint64_t ref,
			 const Fed__Error *refused, struct arena *take)
{
	struct gw_pending_action *a = gw_push(r, GW_ACT_OUTCOME);

	if (a == NULL) {
		arena_deinit(take);
		return;
	}
	a->action.u.outcome.edge = edge;
	a->action.u.outcome.ref = ref;
	a->action.u.outcome.refused = refused;
	a->arena = *take;
	arena_init(take, ARENA_MAX);
	metrics_count(r->p.metrics,
		      refused == NULL ? METRIC_delivered : METRIC_refused);
}

/* The error when there is no memory for a better one; absent strings are
 * NULL, which packs as empty. */
static const Fed__Error *last_resort(void)
{
	static const Fed__Error e = {
		.base = PROTOBUF_C_MESSAGE_INIT(&fed__error__descriptor),
		.condition = FED__CONDITION__INTERNAL_SERVER_ERROR,
		.type = FED__ERROR_TYPE__CANCEL,
	};

	return &e;
}

static const Fed__Error *or_last_resort(const Fed__Error *e)
{
	return e != NULL ? e : last_resort();
}

/* --- one delivery -------------------------------------------------------- */

static void free_delivery(struct gw_out *d)
{
	arena_deinit(&d->arena);
	free(d);
}

void gw_out_free_all(struct gw_router *r)
{
	struct gw_out *d, *tmp;

	HASH_ITER (hh, r->outs, d, tmp) {
		gw_queue_remove(r, d);
		free_delivery(d);
	}
}

static struct gw_ledger ledger_of(const struct gw_out *d)
{
	return (struct gw_ledger){
		.id = d->id,
		.dir = "to-sip",
		.from = span_str(d->from),
		.to = span_str(d->to),
		.call_id = span_str(d->request.call_id),
		.gate = d->gate,
	};
}

static void write_ledger(struct gw_router *r, const struct gw_out *d,
			 const char *outcome, int status, uint64_t now_ms)
{
	struct gw_ledger l = ledger_of(d);

	l.outcome = outcome;
	l.status = status;
	l.ms = now_ms - d->since_ms;
	gw_ledger_write(r, &l);
}

/* The Outcome, the ledger line, and the end of the delivery. */
static void finish(struct gw_router *r, struct gw_out *d,
		   const Fed__Error *refused, const char *outcome, int status,
		   uint64_t now_ms)
{
	write_ledger(r, d, outcome, status, now_ms);
	if (refused == NULL)
		gw_seen_add(r, d->id);
	gw_queue_remove(r, d);
	push_outcome(r, d->edge, d->ref, refused, &d->arena);
	free_delivery(d);
}

/* --- stanzas ------------------------------------------------------------- */

/* Why the stanza is refused before it is looked into; NO_CONDITION: it is
 * not.  The edge is treated as hostile: what it cannot have verified, or what
 * claims to be ours, does not pass. */
static Fed__Condition check_parties(const struct gw_router *r,
				    const Fed__StanzaFrame *f)
{
	struct span from = jid_split(span_str(f->stanza->from)).domain;
	struct span to = jid_split(span_str(f->stanza->to)).domain;

	if (sip_checks_is_ours(&r->p.checks, from))
		return FED__CONDITION__FORBIDDEN;
	if (f->facts != NULL && f->facts->peer_domain[0] != '\0' &&
	    !span_eq_str(from, f->facts->peer_domain))
		return FED__CONDITION__FORBIDDEN;
	if (!sip_checks_is_ours(&r->p.checks, to))
		return FED__CONDITION__ITEM_NOT_FOUND;
	return FED__CONDITION__NO_CONDITION;
}

/* Of a stanza that ended without a SIP request. */
static void write_short_ledger(struct gw_router *r, const Fed__StanzaFrame *f,
			       const Fed__Error *refused, const char *gate)
{
	struct gw_ledger l = {
		.id = f->delivery_id.data,
		.dir = "to-sip",
		.from = span_str(f->stanza->from),
		.to = span_str(f->stanza->to),
		.outcome = "ignored",
		.gate = gate,
	};

	if (refused != NULL)
		l.outcome = gate != NULL
				    ? "refused"
				    : stanza_error_name(refused->condition);

	gw_ledger_write(r, &l);
}

/* The Outcome and the ledger line at once; takes the arena. */
static void end_short(struct gw_router *r, const struct gw_origin *o,
		      const Fed__Error *refused, struct arena *take)
{
	write_short_ledger(r, o->frame, refused, NULL);
	push_outcome(r, o->edge, o->ref, refused, take);
}

static void refuse(struct gw_router *r, const struct gw_origin *o,
		   Fed__Condition c)
{
	struct arena a;

	arena_init(&a, ARENA_MAX);
	end_short(r, o, or_last_resort(stanza_error_new(&a, c, NULL)), &a);
}

static void deliver_nothing(struct gw_router *r, const struct gw_origin *o)
{
	struct arena a;

	arena_init(&a, ARENA_MAX);
	end_short(r, o, NULL, &a);
}

/* --- gates --------------------------------------------------------------- */

/* Who takes a right back is heard, whoever he is. */
static bool takes_back(const Fed__Stanza *s)
{
	return s->kind_case == FED__STANZA__KIND_PRESENCE &&
	       (s->presence->type == FED__PRESENCE_TYPE__UNSUBSCRIBE ||
		s->presence->type == FED__PRESENCE_TYPE__UNSUBSCRIBED);
}

/* Its sender is told; all else disappears: presence, so that nothing is
 * learned of it, what is no wish of a user (chat states, receipts), what may
 * not be answered with an error. */
static bool is_told(const Fed__Stanza *s)
{
	const Fed__Message *m = s->message;

	if (!stanza_may_be_answered(s))
		return false;
	return s->kind_case != FED__STANZA__KIND_MESSAGE || m->n_body > 0 ||
	       m->n_subject > 0;
}

/* true: it does not pass, and has its Outcome. */
static bool is_stopped(struct gw_router *r, const struct gw_origin *o,
		       uint64_t now_ms)
{
	const Fed__Stanza *s = o->frame->stanza;
	bool is_message = s->kind_case == FED__STANZA__KIND_MESSAGE;
	const Fed__Error *refused = NULL;
	struct access_verdict v;
	struct arena a;

	if (takes_back(s))
		return false;
	v = gw_access_stanza(r, s);
	if (access_is_open(&v))
		return false;
	arena_init(&a, ARENA_MAX);
	if (is_told(s))
		refused = or_last_resort(gw_access_error(v.gate, &a));
	gw_access_note(r, &v, is_message ? NULL : stanza_kind_name(s),
		       span_str(s->from), span_str(s->to), now_ms);
	if (is_message)
		write_short_ledger(r, o->frame, refused,
				   access_gate_name(v.gate));
	push_outcome(r, o->edge, o->ref, refused, &a);
	return true;
}

bool gw_out_look(struct gw_router *r, uint64_t now_ms)
{
	struct gw_out *d;

	while ((d = r->out_look) != NULL) {
		struct access_verdict v;

		r->out_look = d->a_next;
		v = gw_access(r, ACCESS_MESSAGE, ACCESS_TO_SIP,
			      jid_split(span_str(d->to)).bare,
			      jid_split(span_str(d->from)).bare);
		if (v.gate == ACCESS_GATES)
			continue;
		gw_access_note(r, &v, NULL, SPAN_NULL, SPAN_NULL, now_ms);
		d->gate = access_gate_name(v.gate);
		finish(r, d, or_last_resort(gw_access_error(v.gate, &d->arena)),
		       "refused", 0, now_ms);
		return true;
	}
	return false;
}

/* --- kinds --------------------------------------------------------------- */

/* Map and queue; *refused_out on a refusal, *ignored_out when there is
 * nothing to send. */
static int take_message(struct gw_router *r, struct gw_out *d,
			const Fed__Stanza *s, Fed__Error **refused_out,
			bool *ignored_out)
{
	struct message_map_sip m;
	struct gw_ledger l;
	int err;

	err = message_map_to_sip(&r->p.map, r->threads, s, d->id, &d->arena,
				 &m);
	if (err != 0)
		return err;
	*refused_out = m.verdict == MESSAGE_MAP_REFUSE ? m.error : NULL;
	*ignored_out = m.verdict == MESSAGE_MAP_IGNORE;
	if (m.verdict != MESSAGE_MAP_SEND)
		return 0;
	d->request = m.request;
	d->from = arena_dup(&d->arena, span_str(s->from));
	d->to = arena_dup(&d->arena, span_str(s->to));
	if (d->from == NULL || d->to == NULL)
		return FED_ENOMEM;
	l = ledger_of(d);
	err = gw_queue_add(r, d);
	if (err == 0)
		gw_body_log(r, &l, d->request.body);
	if (err != FED_ELIMIT && err != FED_EAGAIN)
		return err;
	metrics_count(r->p.metrics, METRIC_queue_full);
	*refused_out = error_map_from_cause(
		err == FED_EAGAIN ? ERROR_MAP_USER_BUSY : ERROR_MAP_OVERLOAD,
		&d->arena);
	return *refused_out != NULL ? 0 : FED_ENOMEM;
}

static void on_message(struct gw_router *r, const struct gw_origin *o,
		       uint64_t now_ms)
{
	struct gw_out *d = calloc(1, sizeof(*d));
	Fed__Error *refused = NULL;
	bool is_ignored = false;
	int err;

	if (d == NULL) {
		refuse(r, o, FED__CONDITION__INTERNAL_SERVER_ERROR);
		return;
	}
	arena_init(&d->arena, ARENA_MAX);
	memcpy(d->id, o->frame->delivery_id.data, ID_RAW_BYTES);
	d->is_again = o->frame->redelivered;
	d->edge = o->edge;
	d->ref = o->ref;
	d->since_ms = now_ms;
	err = take_message(r, d, o->frame->stanza, &refused, &is_ignored);
	if (err == 0 && refused == NULL && !is_ignored)
		return;
	end_short(r, o, err != 0 ? last_resort() : refused, &d->arena);
	free_delivery(d);
}

/* Where presence is not translated, a request to subscribe is told so, all
 * else needs no answer (RFC 6121 3.1.3, 4). */
static void on_presence(struct gw_router *r, const struct gw_origin *o,
			uint64_t now_ms)
{
	const Fed__Presence *p = o->frame->stanza->presence;

	if (r->p.presence != NULL)
		gw_presence_on_stanza(r, o, now_ms);
	else if (p->type == FED__PRESENCE_TYPE__SUBSCRIBE)
		refuse(r, o, FED__CONDITION__SERVICE_UNAVAILABLE);
	else
		deliver_nothing(r, o);
}

static void on_iq(struct gw_router *r, const struct gw_origin *o,
		  uint64_t now_ms)
{
	Fed__Stanza *result = NULL;
	Fed__Error *refused = NULL;
	struct arena a;
	int err;

	arena_init(&a, ARENA_MAX);
	err = iq_answer(o->frame->stanza, &a, &result, &refused);
	if (err != 0 || result == NULL) {
		end_short(r, o, err != 0 ? last_resort() : refused, &a);
		return;
	}
	gw_in_send_own(r, &a, result, now_ms);
	deliver_nothing(r, o);
}

/* The edge sends again what it has no Outcome of: the transaction that runs
 * answers for both. */
static bool on_duplicate(struct gw_router *r, const struct gw_origin *o)
{
	const uint8_t *id = o->frame->delivery_id.data;
	struct gw_out *d;

	HASH_FIND(hh_id, r->out_ids, id, ID_RAW_BYTES, d);
	if (d != NULL) {
		d->edge = o->edge;
		d->ref = o->ref;
		return true;
	}
	if (!gw_seen_has(r, id))
		return false;
	deliver_nothing(r, o);
	return true;
}

static void on_valid_stanza(struct gw_router *r, const struct gw_origin *o,
			    uint64_t now_ms)
{
	switch (o->frame->stanza->kind_case) {
	case FED__STANZA__KIND_MESSAGE:
		on_message(r, o, now_ms);
		break;
	case FED__STANZA__KIND_PRESENCE:
		on_presence(r, o, now_ms);
		break;
	case FED__STANZA__KIND_IQ:
		on_iq(r, o, now_ms);
		break;
	case FED__STANZA__KIND__NOT_SET:
	case _FED__STANZA__KIND__CASE_IS_INT_SIZE:
		refuse(r, o, FED__CONDITION__BAD_REQUEST);
		break;
	}
}

/* What cannot be read has no ledger line: there is nothing to say in it. */
static void refuse_frame(struct gw_router *r, const struct gw_origin *o)
{
	struct arena a;
	const Fed__Error *e;

	metrics_count(r->p.metrics, METRIC_channel_bad_frames);
	arena_init(&a, ARENA_MAX);
	e = stanza_error_new(&a, FED__CONDITION__BAD_REQUEST, NULL);
	push_outcome(r, o->edge, o->ref, or_last_resort(e), &a);
}

/* An edge should not have sent it; LIMIT: a bad one may send many. */
static void warn_of_stanza(struct gw_router *r, const Fed__Stanza *s,
			   Fed__Condition c, uint64_t now_ms)
{
	if (ratelimit_take(&r->warn_rate, now_ms))
		fed_log(r->p.log, FED_LOG_WARN, "stanza_refused",
			"condition=%s from=%s to=%s", stanza_error_name(c),
			log_value(span_str(s->from)).text,
			log_value(span_str(s->to)).text);
}

void gw_router_on_stanza(struct gw_router *r, size_t edge, uint64_t ref,
			 const Fed__StanzaFrame *f, uint64_t now_ms)
{
	const struct gw_origin o = {edge, ref, f};
	Fed__Condition c;

	arena_deinit(&r->last.arena);
	if (f->stanza == NULL || f->delivery_id.len != ID_RAW_BYTES ||
	    stanza_validate(f->stanza) != 0) {
		refuse_frame(r, &o);
		return;
	}
	c = check_parties(r, f);
	if (c != FED__CONDITION__NO_CONDITION) {
		warn_of_stanza(r, f->stanza, c, now_ms);
		refuse(r, &o, c);
		return;
	}
	/* without an Outcome it goes back when the session ends, and to the
	 * next gateway: a refusal would lose it */
	if (!on_duplicate(r, &o) && !r->is_stopping &&
	    !is_stopped(r, &o, now_ms))
		on_valid_stanza(r, &o, now_ms);
}

/* --- what SIP says ------------------------------------------------------- */

/* The error of an end that is none of 2xx, in the delivery's arena. */
static const Fed__Error *end_error(struct gw_out *d,
				   const struct sip_response_in *s)
{
	Fed__Error *e = NULL;

	switch (s->end) {
	case SIP_END_RESPONSE:
		if (error_map_from_sip(s->status, s->phrase, s->contact_uri,
				       &d->arena, &e) != 0)
			e = NULL;
		break;
	case SIP_END_TIMEOUT:
		e = error_map_from_cause(ERROR_MAP_TIMEOUT, &d->arena);
		break;
	case SIP_END_TRANSPORT:
	case SIP_END_LOOP:
		e = error_map_from_cause(ERROR_MAP_TRANSPORT, &d->arena);
		break;
	case SIP_END_DNS:
		e = error_map_from_cause(ERROR_MAP_DNS, &d->arena);
		break;
	case SIP_END_TOO_BIG:
		e = stanza_error_new(&d->arena,
				     FED__CONDITION__POLICY_VIOLATION,
				     "The message is too long for SIP");
		break;
	}
	return or_last_resort(e);
}

const char *gw_end_name(enum sip_end end)
{
	switch (end) {
	case SIP_END_RESPONSE:
		return "refused";
	case SIP_END_TIMEOUT:
		return "timeout";
	case SIP_END_TRANSPORT:
		return "transport";
	case SIP_END_DNS:
		return "dns";
	case SIP_END_TOO_BIG:
		return "too-big";
	case SIP_END_LOOP:
		return "loop";
	}
	return "unknown";
}

/* All requests go to one next hop: its end is one line, not one for each. */
static void watch_next_hop(struct gw_router *r, enum sip_end end,
			   uint64_t now_ms)
{
	const char *hop = r->p.next_hop != NULL ? r->p.next_hop : "-";

	if (end == SIP_END_TRANSPORT || end == SIP_END_DNS) {
		if (!ratelimit_take(&r->hop_rate, now_ms))
			return;
		fed_log(r->p.log, FED_LOG_WARN, "next_hop_failed",
			"uri=%s why=%s", log_value(span_str(hop)).text,
			gw_end_name(end));
		r->is_hop_failed = true;
	} else if (end == SIP_END_RESPONSE && r->is_hop_failed) {
		fed_log(r->p.log, FED_LOG_INFO, "next_hop_back", "uri=%s",
			log_value(span_str(hop)).text);
		r->is_hop_failed = false;
	}
}

/* RFC 3261 8.2.2.2: the user agent has this request, by the way of an earlier
 * try whose answer is not known.  "Not acceptable" would be wrong, and so
 * would be "delivered": a loop says the same. */
static bool is_merged(const struct gw_out *d, const struct sip_response_in *s)
{
	return s->end == SIP_END_RESPONSE && s->status == 482 &&
	       (s->is_again || d->is_again);
}

void gw_router_on_sip_response(struct gw_router *r, uint64_t token,
			       const struct sip_response_in *s, uint64_t now_ms)
{
	static const struct sip_response_in unknown = {.end = SIP_END_TIMEOUT};
	struct gw_out *d;

	arena_deinit(&r->last.arena);
	if (s->end == SIP_END_RESPONSE && s->status < 200)
		return;
	/* its requests go to many places: what fails there says nothing about
	 * the next hop */
	if (gw_presence_on_response(r, token, s, now_ms) ||
	    gw_legacy_on_response(r, token, s, now_ms))
		return;
	HASH_FIND(hh, r->outs, &token, sizeof(token), d);
	if (d == NULL || d->queue->flying != d)
		return;
	watch_next_hop(r, s->end, now_ms);
	if (s->end == SIP_END_RESPONSE && s->status < 300)
		finish(r, d, NULL, "delivered", s->status, now_ms);
	else if (is_merged(d, s))
		finish(r, d, end_error(d, &unknown), "merged", s->status,
		       now_ms);
	else
		finish(r, d, end_error(d, s), gw_end_name(s->end),
		       s->end == SIP_END_RESPONSE ? s->status : 0, now_ms);
}

/* --- time ---------------------------------------------------------------- */

/* The time to stop is over: what has no Outcome goes back to the edge. */
static void give_back_all(struct gw_router *r, uint64_t now_ms)
{
	while (r->outs != NULL) {
		struct gw_out *d = r->outs;

		write_ledger(r, d, "returned", 0, now_ms);
		gw_queue_remove(r, d);
		free_delivery(d);
	}
}

bool gw_out_expire(struct gw_router *r, uint64_t now_ms)
{
	struct sip_response_in s = {.end = SIP_END_TIMEOUT};
	struct gw_out *d = r->fly_ages;

	if (r->is_stopping && now_ms >= r->stop_ms) {
		give_back_all(r, now_ms);
		return false;
	}
	if (d == NULL || now_ms < d->sent_ms + LIMIT_SIP_LOST_MS) {
		d = r->wait_ages;
		if (d == NULL || now_ms < d->since_ms + LIMIT_URI_WAIT_MS)
			return false;
	}
	finish(r, d, end_error(d, &s), "timeout", 0, now_ms);
	return true;
}

uint64_t gw_out_deadline_ms(const struct gw_router *r)
{
	uint64_t at = gw_queue_deadline_ms(r);

	if (r->fly_ages != NULL &&
	    r->fly_ages->sent_ms + LIMIT_SIP_LOST_MS < at)
		at = r->fly_ages->sent_ms + LIMIT_SIP_LOST_MS;
	if (r->wait_ages != NULL &&
	    r->wait_ages->since_ms + LIMIT_URI_WAIT_MS < at)
		at = r->wait_ages->since_ms + LIMIT_URI_WAIT_MS;
	return r->is_stopping && at != UINT64_MAX && r->stop_ms < at
		       ? r->stop_ms
		       : at;
}
