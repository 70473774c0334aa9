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

enum { ARENA_MAX = LIMIT_STANZA_ARENA_BYTES };

/* --- Outcomes --------------------------------------------------------------
 */

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

/* --- one delivery ----------------------------------------------------------
 */

static void drop_queue_if_empty(struct gw_router *r, struct gw_queue *q)
{
	if (q->waiting != NULL || q->flying != NULL)
		return;
	if (q->is_ready)
		DL_DELETE(r->ready, q);
	HASH_DELETE(hh, r->queues, q);
	free(q);
}

static void mark_ready(struct gw_router *r, struct gw_queue *q)
{
	if (q->is_ready || q->flying != NULL || q->waiting == NULL)
		return;
	q->is_ready = true;
	DL_APPEND(r->ready, q);
}

/* Out of all tables; the caller owns what is left. */
static void detach(struct gw_router *r, struct gw_out *d)
{
	struct gw_queue *q = d->queue;

	HASH_DELETE(hh, r->outs, d);
	HASH_DELETE(hh_id, r->out_ids, d);
	if (q->flying == d) {
		q->flying = NULL;
		r->flying_count--;
		DL_DELETE2(r->fly_ages, d, a_prev, a_next);
	} else {
		DL_DELETE(q->waiting, d);
		q->waiting_count--;
		DL_DELETE2(r->wait_ages, d, a_prev, a_next);
	}
	mark_ready(r, q);
	drop_queue_if_empty(r, q);
}

static void free_delivery(struct gw_out *d)
{
	arena_deinit(&d->arena);
	free(d);
}

void gw_out_free_all(struct gw_router *r)
{
	struct gw_out *d, *tmp;

	HASH_ITER (hh, r->outs, d, tmp) {
		detach(r, d);
		free_delivery(d);
	}
}

/* LIMIT: a ring of ids; the oldest is forgotten. */
static void remember(struct gw_router *r, const uint8_t *id)
{
	struct gw_seen *s = &r->seen_ring[r->seen_at];

	r->seen_at = (r->seen_at + 1) % LIMIT_DELIVERED_IDS;
	if (s->is_used)
		HASH_DELETE(hh, r->seen, s);
	memcpy(s->id, id, ID_RAW_BYTES);
	HASH_ADD(hh, r->seen, id, ID_RAW_BYTES, s);
	s->is_used = s->hh.tbl != NULL;
}

static bool was_delivered(struct gw_router *r, const uint8_t *id)
{
	struct gw_seen *s;

	HASH_FIND(hh, r->seen, id, ID_RAW_BYTES, s);
	return s != NULL;
}

/* The Outcome, the ledger line, and the end of the delivery. */
static void finish(struct gw_router *r, struct gw_out *d,
		   const Fed__Error *refused, const char *outcome, int status,
		   uint64_t now_ms)
{
	struct gw_ledger l = {
		.id = d->id,
		.dir = "xmpp-sip",
		.from = span_str(d->from),
		.to = span_str(d->to),
		.call_id = span_str(d->request.call_id),
		.outcome = outcome,
		.status = status,
		.ms = now_ms - d->since_ms,
	};

	gw_ledger_write(r, &l);
	if (refused == NULL && !was_delivered(r, d->id))
		remember(r, d->id);
	detach(r, d);
	push_outcome(r, d->edge, d->ref, refused, &d->arena);
	free_delivery(d);
}

/* --- the queue of a Request-URI --------------------------------------------
 */

static struct gw_queue *find_queue(struct gw_router *r, const char *uri)
{
	struct gw_queue *q;

	HASH_FIND_STR(r->queues, uri, q);
	return q;
}

static struct gw_queue *new_queue(struct gw_router *r, const char *uri)
{
	size_t n = strlen(uri) + 1;
	struct gw_queue *q = calloc(1, sizeof(*q) + n);

	if (q == NULL)
		return NULL;
	memcpy(q->uri, uri, n);
	HASH_ADD_STR(r->queues, uri, q);
	if (q->hh.tbl == NULL) {
		free(q);
		return NULL;
	}
	return q;
}

/* @return 0; FED_ELIMIT the queue or the number of queues; FED_ENOMEM */
static int enqueue(struct gw_router *r, struct gw_out *d)
{
	struct gw_queue *q = find_queue(r, d->request.request_uri);

	/* LIMIT: a user agent that answers slowly, or many invented ones */
	if (q != NULL ? q->waiting_count >= LIMIT_URI_QUEUE
		      : HASH_COUNT(r->queues) >= LIMIT_URI_QUEUES)
		return FED_ELIMIT;
	if (q == NULL)
		q = new_queue(r, d->request.request_uri);
	if (q == NULL)
		return FED_ENOMEM;
	d->token = ++r->next_id;
	HASH_ADD(hh, r->outs, token, sizeof(d->token), d);
	if (d->hh.tbl == NULL) {
		drop_queue_if_empty(r, q);
		return FED_ENOMEM;
	}
	HASH_ADD(hh_id, r->out_ids, id, ID_RAW_BYTES, d);
	if (d->hh_id.tbl == NULL) {
		HASH_DELETE(hh, r->outs, d);
		drop_queue_if_empty(r, q);
		return FED_ENOMEM;
	}
	d->queue = q;
	DL_APPEND(q->waiting, d);
	q->waiting_count++;
	DL_APPEND2(r->wait_ages, d, a_prev, a_next);
	mark_ready(r, q);
	return 0;
}

bool gw_out_next(struct gw_router *r, struct gw_action *out, uint64_t now_ms)
{
	struct gw_queue *q = r->ready;
	struct gw_out *d;

	if (q == NULL || r->flying_count >= LIMIT_SIP_WINDOW)
		return false;
	DL_DELETE(r->ready, q);
	q->is_ready = false;
	d = q->waiting;
	DL_DELETE(q->waiting, d);
	q->waiting_count--;
	DL_DELETE2(r->wait_ages, d, a_prev, a_next);
	q->flying = d;
	r->flying_count++;
	d->sent_ms = now_ms;
	DL_APPEND2(r->fly_ages, d, a_prev, a_next);
	*out = (struct gw_action){.kind = GW_ACT_SIP_SEND};
	out->u.sip_send.token = d->token;
	out->u.sip_send.request = &d->request;
	metrics_count(r->p.metrics, METRIC_sip_requests_out);
	return true;
}

/* --- stanzas ---------------------------------------------------------------
 */

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

static void refuse(struct gw_router *r, size_t edge, uint64_t ref,
		   Fed__Condition c, const char *text)
{
	struct arena a;
	Fed__Error *e;

	arena_init(&a, ARENA_MAX);
	e = stanza_error_new(&a, c, text);
	push_outcome(r, edge, ref, or_last_resort(e), &a);
}

static void deliver_nothing(struct gw_router *r, size_t edge, uint64_t ref)
{
	struct arena a;

	arena_init(&a, ARENA_MAX);
	push_outcome(r, edge, ref, NULL, &a);
}

/* Map and queue; *refused_out on a refusal, *ignored_out when there is
 * nothing to send. */
static int take_message(struct gw_router *r, struct gw_out *d,
			const Fed__Stanza *s, Fed__Error **refused_out,
			bool *ignored_out)
{
	struct message_map_sip m;
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
	err = enqueue(r, d);
	if (err != FED_ELIMIT)
		return err;
	metrics_count(r->p.metrics, METRIC_queue_full);
	*refused_out = error_map_from_cause(ERROR_MAP_OVERLOAD, &d->arena);
	return *refused_out != NULL ? 0 : FED_ENOMEM;
}

/* Of a message that ended without a SIP request. */
static void write_short_ledger(struct gw_router *r, const Fed__StanzaFrame *f,
			       const Fed__Error *refused)
{
	struct gw_ledger l = {
		.id = f->delivery_id.data,
		.dir = "xmpp-sip",
		.from = span_str(f->stanza->from),
		.to = span_str(f->stanza->to),
		.outcome = refused != NULL
				   ? stanza_error_name(refused->condition)
				   : "ignored",
	};

	gw_ledger_write(r, &l);
}

static void on_message(struct gw_router *r, size_t edge, uint64_t ref,
		       const Fed__StanzaFrame *f, uint64_t now_ms)
{
	struct gw_out *d = calloc(1, sizeof(*d));
	Fed__Error *refused = NULL;
	bool is_ignored = false;
	int err;

	if (d == NULL) {
		refuse(r, edge, ref, FED__CONDITION__INTERNAL_SERVER_ERROR,
		       NULL);
		return;
	}
	arena_init(&d->arena, ARENA_MAX);
	memcpy(d->id, f->delivery_id.data, ID_RAW_BYTES);
	d->edge = edge;
	d->ref = ref;
	d->since_ms = now_ms;
	err = take_message(r, d, f->stanza, &refused, &is_ignored);
	if (err == 0 && refused == NULL && !is_ignored)
		return;
	write_short_ledger(r, f, err != 0 ? last_resort() : refused);
	push_outcome(r, edge, ref, err != 0 ? last_resort() : refused,
		     &d->arena);
	free_delivery(d);
}

/* Until presence is translated: a request to subscribe is told so, all else
 * needs no answer (RFC 6121 3.1.3, 4). */
static void on_presence(struct gw_router *r, size_t edge, uint64_t ref,
			const Fed__StanzaFrame *f)
{
	if (f->stanza->presence->type == FED__PRESENCE_TYPE__SUBSCRIBE)
		refuse(r, edge, ref, FED__CONDITION__SERVICE_UNAVAILABLE, NULL);
	else
		deliver_nothing(r, edge, ref);
}

static void on_iq(struct gw_router *r, size_t edge, uint64_t ref,
		  const Fed__StanzaFrame *f, uint64_t now_ms)
{
	Fed__Stanza *result = NULL;
	Fed__Error *refused = NULL;
	struct arena a;
	int err;

	arena_init(&a, ARENA_MAX);
	err = iq_answer(f->stanza, &a, &result, &refused);
	if (err != 0) {
		push_outcome(r, edge, ref, last_resort(), &a);
		return;
	}
	if (result == NULL) {
		push_outcome(r, edge, ref, refused, &a);
		return;
	}
	gw_in_send_own(r, &a, result, now_ms);
	deliver_nothing(r, edge, ref);
}

/* The edge sends again what it has no Outcome of: the transaction that runs
 * answers for both. */
static bool on_duplicate(struct gw_router *r, size_t edge, uint64_t ref,
			 const uint8_t *id)
{
	struct gw_out *d;

	HASH_FIND(hh_id, r->out_ids, id, ID_RAW_BYTES, d);
	if (d != NULL) {
		d->edge = edge;
		d->ref = ref;
		return true;
	}
	if (!was_delivered(r, id))
		return false;
	deliver_nothing(r, edge, ref);
	return true;
}

void gw_router_on_stanza(struct gw_router *r, size_t edge, uint64_t ref,
			 const Fed__StanzaFrame *f, uint64_t now_ms)
{
	Fed__Condition c;

	arena_deinit(&r->last.arena);
	if (f->stanza == NULL || f->delivery_id.len != ID_RAW_BYTES ||
	    stanza_validate(f->stanza) != 0) {
		metrics_count(r->p.metrics, METRIC_channel_bad_frames);
		refuse(r, edge, ref, FED__CONDITION__BAD_REQUEST, NULL);
		return;
	}
	c = check_parties(r, f);
	if (c != FED__CONDITION__NO_CONDITION) {
		fed_log(r->p.log, FED_LOG_WARN, "stanza_refused",
			"condition=%s from=%s to=%s", stanza_error_name(c),
			log_value(span_str(f->stanza->from)).text,
			log_value(span_str(f->stanza->to)).text);
		refuse(r, edge, ref, c, NULL);
		return;
	}
	if (on_duplicate(r, edge, ref, f->delivery_id.data))
		return;
	if (r->is_stopping) {
		refuse(r, edge, ref, FED__CONDITION__RESOURCE_CONSTRAINT, NULL);
		return;
	}
	switch (f->stanza->kind_case) {
	case FED__STANZA__KIND_MESSAGE:
		on_message(r, edge, ref, f, now_ms);
		break;
	case FED__STANZA__KIND_PRESENCE:
		on_presence(r, edge, ref, f);
		break;
	case FED__STANZA__KIND_IQ:
		on_iq(r, edge, ref, f, now_ms);
		break;
	case FED__STANZA__KIND__NOT_SET:
	case _FED__STANZA__KIND__CASE_IS_INT_SIZE:
		refuse(r, edge, ref, FED__CONDITION__BAD_REQUEST, NULL);
		break;
	}
}

/* --- what SIP says ---------------------------------------------------------
 */

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
		e = error_map_from_cause(ERROR_MAP_TRANSPORT, &d->arena);
		break;
	case SIP_END_DNS:
		e = error_map_from_cause(ERROR_MAP_DNS, &d->arena);
		break;
	}
	return or_last_resort(e);
}

static const char *end_name(enum sip_end end)
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
	}
	return "unknown";
}

void gw_router_on_sip_response(struct gw_router *r, uint64_t token,
			       const struct sip_response_in *s, uint64_t now_ms)
{
	struct gw_out *d;

	arena_deinit(&r->last.arena);
	if (s->end == SIP_END_RESPONSE && s->status < 200)
		return;
	HASH_FIND(hh, r->outs, &token, sizeof(token), d);
	if (d == NULL || d->queue->flying != d)
		return;
	if (s->end == SIP_END_RESPONSE && s->status < 300)
		finish(r, d, NULL, "delivered", s->status, now_ms);
	else
		finish(r, d, end_error(d, s), end_name(s->end),
		       s->end == SIP_END_RESPONSE ? s->status : 0, now_ms);
}

/* --- time ------------------------------------------------------------------
 */

bool gw_out_expire(struct gw_router *r, uint64_t now_ms)
{
	struct sip_response_in s = {.end = SIP_END_TIMEOUT};
	struct gw_out *d = r->fly_ages;

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
	uint64_t at = UINT64_MAX;

	if (r->fly_ages != NULL)
		at = r->fly_ages->sent_ms + LIMIT_SIP_LOST_MS;
	if (r->wait_ages != NULL &&
	    r->wait_ages->since_ms + LIMIT_URI_WAIT_MS < at)
		at = r->wait_ages->since_ms + LIMIT_URI_WAIT_MS;
	return at;
}
