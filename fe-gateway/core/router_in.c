/*
 * SIP -> XMPP.  waiting (for an edge with room) -> sent -> answered; back to
 * waiting when the edge returns it.  In both states the transaction's own
 * deadlines run: 100 Trying, then 504.
 */
#include "fe-gateway/core/router_priv.h"

#include <stdlib.h>
#include <string.h>

#include "fe-gateway/core/asserted.h"
#include "xmpp/jid.h"

enum { ARENA_MAX = LIMIT_STANZA_ARENA_BYTES };

/* --- replies ------------------------------------------------------------- */

static void count_reply(struct gw_router *r, int status)
{
	if (status >= 300)
		metrics_count(r->p.metrics, METRIC_sip_refused);
}

void gw_push_reply(struct gw_router *r, uint64_t sip_handle,
		   const struct sip_reply *reply)
{
	struct gw_pending_action *a = gw_push(r, GW_ACT_SIP_REPLY);

	if (a == NULL)
		return;
	a->action.u.sip_reply.handle = sip_handle;
	a->reply = *reply;
	count_reply(r, reply->line.status);
}

/* --- one delivery -------------------------------------------------------- */

static void forget_trying(struct gw_router *r, struct gw_in *d)
{
	if (d->is_trying_due)
		DL_DELETE2(r->in_trying, d, t_prev, t_next);
	d->is_trying_due = false;
}

static void destroy(struct gw_router *r, struct gw_in *d)
{
	gw_leave_edge(r, d);
	forget_trying(r, d);
	DL_DELETE(r->in_ages, d);
	r->in_bytes -= d->arena.used_bytes;
	HASH_DELETE(hh, r->ins, d);
	if (d->merge_key != NULL)
		HASH_DELETE(hh_merge, r->merges, d);
	arena_deinit(&d->arena);
	free(d);
}

static void write_ledger(struct gw_router *r, const struct gw_in *d,
			 const char *outcome, int status, uint64_t now_ms)
{
	struct gw_ledger l = {
		.id = d->id,
		.dir = "to-xmpp",
		.from = span_str(d->stanza->from),
		.to = span_str(d->stanza->to),
		.call_id = span_str(d->call_id),
		.outcome = outcome,
		.status = status,
		.ms = now_ms - d->since_ms,
	};

	if (d->has_sip)
		gw_ledger_write(r, &l);
}

/* The final response, the ledger line, and the end of the delivery. */
static void finish(struct gw_router *r, struct gw_in *d,
		   const struct sip_reply *reply, const char *outcome,
		   uint64_t now_ms)
{
	if (d->has_sip)
		gw_push_reply(r, d->sip_handle, reply);
	metrics_count(r->p.metrics, reply->line.status < 300 ? METRIC_delivered
							     : METRIC_refused);
	write_ledger(r, d, outcome, reply->line.status, now_ms);
	destroy(r, d);
}

void gw_in_free_all(struct gw_router *r)
{
	while (r->in_ages != NULL)
		destroy(r, r->in_ages);
}

/* --- a new delivery ------------------------------------------------------ */

/* RFC 3261 8.2.2.2: the same request on another way, as it forks. */
static void print_merge_key(const struct sip_request_in *q, struct buf *b)
{
	(void)buf_printf(b, "%u ", (unsigned)q->cseq);
	(void)buf_put_span(b, q->call_id);
	(void)buf_put_byte(b, ' ');
	(void)buf_put_span(b, q->from_tag);
}

static bool is_merged(struct gw_router *r, struct span key)
{
	struct gw_in *d;

	HASH_FIND(hh_merge, r->merges, key.p, key.n, d);
	return d != NULL;
}

static struct gw_in *new_delivery(uint64_t now_ms)
{
	struct gw_in *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	arena_init(&d->arena, ARENA_MAX);
	d->since_ms = now_ms;
	return d;
}

static void free_delivery(struct gw_in *d)
{
	arena_deinit(&d->arena);
	free(d);
}

static bool is_table_full(const struct gw_router *r)
{
	return HASH_COUNT(r->ins) >= LIMIT_SIP_PENDING ||
	       r->in_bytes >= LIMIT_SIP_PENDING_BYTES;
}

bool gw_in_has_room(const struct gw_router *r)
{
	return !is_table_full(r);
}

/* Into the tables; its arena does not grow any more; false: out of memory, the
 * delivery is as before. */
static bool insert(struct gw_router *r, struct gw_in *d)
{
	d->handle = ++r->next_id;
	HASH_ADD(hh, r->ins, handle, sizeof(d->handle), d);
	if (d->hh.tbl == NULL)
		return false;
	if (d->merge_key != NULL) {
		HASH_ADD_KEYPTR(hh_merge, r->merges, d->merge_key,
				strlen(d->merge_key), d);
		if (d->hh_merge.tbl == NULL) {
			HASH_DELETE(hh, r->ins, d);
			return false;
		}
	}
	DL_APPEND(r->in_ages, d);
	r->in_bytes += d->arena.used_bytes;
	if (d->has_sip) {
		DL_APPEND2(r->in_trying, d, t_prev, t_next);
		d->is_trying_due = true;
	}
	gw_wait_for_edge(r, d);
	return true;
}

/* Map, keep what must outlive the request, insert. */
static int accept_message(struct gw_router *r, struct gw_in *d,
			  const struct sip_request_in *q, struct span key,
			  struct message_map_xmpp *m)
{
	int err;

	id_source_next_raw(r->p.ids, d->id);
	err = message_map_to_xmpp(r->threads, q, d->id, &d->arena, m);
	if (err != 0 || m->verdict != MESSAGE_MAP_SEND)
		return err;
	d->stanza = m->stanza;
	d->has_sip = true;
	d->sip_handle = q->handle;
	d->merge_key = arena_dup(&d->arena, key);
	d->call_id = arena_dup(&d->arena, q->call_id);
	if (d->merge_key == NULL || d->call_id == NULL || !insert(r, d))
		return FED_ENOMEM;
	return 0;
}

/* Of a request that was answered without a stanza. */
static void write_short_ledger(struct gw_router *r, const uint8_t *id,
			       const struct sip_request_in *q, int status)
{
	struct gw_ledger l = {
		.id = id,
		.dir = "to-xmpp",
		.from = q->from_uri,
		.to = q->request_uri,
		.call_id = q->call_id,
		.outcome = status < 300 ? "ignored" : "refused",
		.status = status,
	};

	gw_ledger_write(r, &l);
}

static void refuse_request(struct gw_router *r, const uint8_t *id,
			   const struct sip_request_in *q,
			   enum error_map_cause cause)
{
	struct sip_reply reply = {.accept = NULL};

	error_map_cause_to_sip(cause, false, &reply.line);
	gw_push_reply(r, q->handle, &reply);
	write_short_ledger(r, id, q, reply.line.status);
}

static void on_message(struct gw_router *r, const struct sip_request_in *q,
		       struct span key, uint64_t now_ms)
{
	struct message_map_xmpp m = {.stanza = NULL};
	struct gw_in *d = NULL;
	int err;

	/* as what is held too long; it is not overload */
	if (r->is_stopping) {
		refuse_request(r, NULL, q, ERROR_MAP_TIMEOUT);
		return;
	}
	/* LIMIT: never 503, which would take the whole gateway out of the
	 * proxy's service (RFC 3261 21.5.4) */
	if (is_table_full(r)) {
		metrics_count(r->p.metrics, METRIC_queue_full);
		refuse_request(r, NULL, q, ERROR_MAP_OVERLOAD);
		return;
	}
	d = new_delivery(now_ms);
	if (d == NULL) {
		refuse_request(r, NULL, q, ERROR_MAP_INTERNAL);
		return;
	}
	err = accept_message(r, d, q, key, &m);
	if (err == 0 && m.verdict == MESSAGE_MAP_SEND)
		return;
	if (err != 0) {
		refuse_request(r, d->id, q, ERROR_MAP_INTERNAL);
	} else {
		gw_push_reply(r, q->handle, &m.reply);
		write_short_ledger(r, d->id, q, m.reply.line.status);
	}
	free_delivery(d);
}

/* What sip_checks() answered: a line in the log, not in the ledger. */
static void answer_checked(struct gw_router *r, const struct sip_request_in *q,
			   enum sip_checks_verdict v, const char *why,
			   const struct sip_reply *reply, uint64_t now_ms)
{
	bool is_untrusted = v == SIP_CHECKS_UNTRUSTED;
	struct gw_pending_action *a;

	if (is_untrusted)
		metrics_count(r->p.metrics, METRIC_sip_untrusted);
	/* LIMIT: anybody can cause it, so not a line for each */
	if (!is_untrusted || ratelimit_take(&r->warn_rate, now_ms))
		fed_log(r->p.log, is_untrusted ? FED_LOG_WARN : FED_LOG_DEBUG,
			"sip_answered",
			"why=%s status=%d source=%s from=%s call-id=%s", why,
			reply->line.status, log_value(q->source).text,
			log_value(q->from_uri).text,
			log_value(q->call_id).text);
	if (v != SIP_CHECKS_DROP) {
		gw_push_reply(r, q->handle, reply);
		return;
	}
	a = gw_push(r, GW_ACT_SIP_DROP);
	if (a != NULL)
		a->action.u.sip_reply.handle = q->handle;
}

bool gw_router_admit_udp(struct gw_router *r, struct span source,
			 uint64_t now_ms)
{
	bool is_trusted = sip_checks_is_trusted(&r->p.checks, source);

	if (ratelimit_take(is_trusted ? &r->udp_rate : &r->stranger_rate,
			   now_ms))
		return true;
	metrics_count(r->p.metrics,
		      is_trusted ? METRIC_queue_full : METRIC_sip_untrusted);
	if (ratelimit_take(&r->warn_rate, now_ms))
		fed_log(r->p.log, FED_LOG_WARN, "udp_rate", "source=%s",
			log_value(source).text);
	return false;
}

bool gw_router_is_trusted(const struct gw_router *r, struct span source)
{
	return sip_checks_is_trusted(&r->p.checks, source);
}

void gw_router_on_connection_refused(struct gw_router *r, struct span source,
				     uint64_t now_ms)
{
	metrics_count(r->p.metrics, gw_router_is_trusted(r, source)
					    ? METRIC_queue_full
					    : METRIC_sip_untrusted);
	if (ratelimit_take(&r->warn_rate, now_ms))
		fed_log(r->p.log, FED_LOG_WARN, "sip_connection_refused",
			"source=%s", log_value(source).text);
}

/* RFC 3325 5: what a proxy that we trust says of the sender, rather than what
 * the sender says. */
static void take_asserted(const struct gw_router *r, struct sip_request_in *q)
{
	struct span uri = asserted_sip_uri(q->asserted);

	if (uri.n == 0 || !sip_checks_may_send(&r->p.checks, q))
		return;
	q->from_written = q->from_uri;
	q->from_uri = uri;
}

static bool is_event(const struct sip_request_in *q)
{
	return span_eq_str(q->method, "SUBSCRIBE") ||
	       span_eq_str(q->method, "NOTIFY");
}

/* While the process stops, no new subscription begins; those that there are
 * are told, and still tell us. */
static void on_event_request(struct gw_router *r,
			     const struct sip_request_in *q, uint64_t now_ms)
{
	if (r->p.presence == NULL || (r->is_stopping && !q->has_to_tag))
		refuse_request(r, NULL, q, ERROR_MAP_TIMEOUT);
	else
		gw_presence_on_request(r, q, now_ms);
}

void gw_router_on_sip_request(struct gw_router *r,
			      const struct sip_request_in *request,
			      uint64_t now_ms)
{
	struct sip_request_in copy = *request;
	const struct sip_request_in *q = &copy;
	struct sip_reply reply = {.accept = NULL};
	enum sip_checks_verdict v;
	const char *why;
	struct buf key;

	arena_deinit(&r->last.arena);
	metrics_count(r->p.metrics, METRIC_sip_requests_in);
	take_asserted(r, &copy);
	if (gw_legacy_on_request(r, q, now_ms))
		return;
	buf_init(&key, LIMIT_SIP_BYTES);
	print_merge_key(q, &key);
	v = sip_checks(&r->p.checks, q, is_merged(r, buf_span(&key)), &reply,
		       &why);
	if (v == SIP_CHECKS_PASS && is_event(q))
		on_event_request(r, q, now_ms);
	else if (v == SIP_CHECKS_PASS)
		on_message(r, q, buf_span(&key), now_ms);
	else
		answer_checked(r, q, v, why, &reply, now_ms);
	buf_deinit(&key);
}

void gw_in_send_own(struct gw_router *r, struct arena *take,
		    Fed__Stanza *stanza, uint64_t now_ms)
{
	struct gw_in *d;

	if (is_table_full(r)) {
		metrics_count(r->p.metrics, METRIC_queue_full);
		arena_deinit(take);
		return;
	}
	d = new_delivery(now_ms);
	if (d == NULL) {
		arena_deinit(take);
		return;
	}
	d->arena = *take;
	arena_init(take, ARENA_MAX);
	d->stanza = stanza;
	id_source_next_raw(r->p.ids, d->id);
	if (!insert(r, d))
		free_delivery(d);
}

int gw_in_send_presence(struct gw_router *r, struct arena *a,
			Fed__Stanza *stanza, uint64_t token, uint64_t now_ms)
{
	struct gw_in *d;

	if (is_table_full(r))
		return FED_ELIMIT;
	d = new_delivery(now_ms);
	if (d == NULL)
		return FED_ENOMEM;
	d->arena = *a;
	arena_init(a, ARENA_MAX);
	d->stanza = stanza;
	d->presence_token = token;
	id_source_next_raw(r->p.ids, d->id);
	if (insert(r, d))
		return 0;
	*a = d->arena;
	free(d);
	return FED_ENOMEM;
}

/* --- what the channel says ----------------------------------------------- */

struct gw_in *gw_in_find(struct gw_router *r, uint64_t handle)
{
	struct gw_in *d;

	HASH_FIND(hh, r->ins, &handle, sizeof(handle), d);
	return d;
}

static void end_presence(struct gw_router *r, struct gw_in *d,
			 const Fed__Error *refused, uint64_t now_ms)
{
	uint64_t token = d->presence_token;

	destroy(r, d);
	gw_presence_on_outcome(r, token, refused, now_ms);
}

/* An end that no edge told of. */
static void break_presence(struct gw_router *r, struct gw_in *d,
			   Fed__Condition c, uint64_t now_ms)
{
	const Fed__Error e = {
		.base = PROTOBUF_C_MESSAGE_INIT(&fed__error__descriptor),
		.condition = c,
	};

	end_presence(r, d, &e, now_ms);
}

void gw_router_on_outcome(struct gw_router *r, uint64_t handle,
			  const Fed__Error *refused, uint64_t now_ms)
{
	struct sip_reply reply = {.accept = NULL};
	struct gw_in *d = gw_in_find(r, handle);
	bool is_full;

	arena_deinit(&r->last.arena);
	if (d == NULL) {
		/* the 504 has gone out: nothing may follow a final response */
		fed_log(r->p.log, FED_LOG_DEBUG, "late_outcome", "handle=%llu",
			(unsigned long long)handle);
		return;
	}
	if (d->presence_token != 0) {
		end_presence(r, d, refused, now_ms);
		return;
	}
	if (refused == NULL) {
		sip_reply_status(&reply, 200);
		finish(r, d, &reply, "delivered", now_ms);
		return;
	}
	is_full = jid_split(span_str(d->stanza->to)).resource.n > 0;
	error_map_to_sip(refused, is_full, false, &reply.line);
	finish(r, d, &reply, "refused", now_ms);
}

void gw_router_on_send_failed(struct gw_router *r, uint64_t handle, int err,
			      uint64_t now_ms)
{
	struct sip_reply reply = {.accept = NULL};
	struct gw_in *d = gw_in_find(r, handle);

	arena_deinit(&r->last.arena);
	if (d == NULL || !d->is_sent)
		return;
	if (err == FED_EAGAIN) {
		gw_edge_refused_room(r, d);
		return;
	}
	if (d->presence_token != 0) {
		break_presence(r, d, FED__CONDITION__INTERNAL_SERVER_ERROR,
			       now_ms);
		return;
	}
	if (err == FED_ELIMIT)
		sip_reply_status(&reply, 513);
	else
		error_map_cause_to_sip(ERROR_MAP_INTERNAL, false, &reply.line);
	finish(r, d, &reply, "unsendable", now_ms);
}

/* --- time ---------------------------------------------------------------- */

/* All that are held end together when the time to stop is over. */
static uint64_t final_at(const struct gw_router *r)
{
	uint64_t at;

	if (r->in_ages == NULL)
		return UINT64_MAX;
	at = r->in_ages->since_ms + LIMIT_SIP_FINAL_MS;
	return r->is_stopping && r->stop_ms < at ? r->stop_ms : at;
}

/* Never 408 to a non-INVITE (RFC 4320 4.2). */
static void time_out(struct gw_router *r, struct gw_in *d, const char *outcome,
		     uint64_t now_ms)
{
	struct sip_reply reply = {.accept = NULL};

	if (d->presence_token != 0) {
		break_presence(r, d, FED__CONDITION__REMOTE_SERVER_TIMEOUT,
			       now_ms);
		return;
	}
	error_map_cause_to_sip(ERROR_MAP_TIMEOUT, false, &reply.line);
	finish(r, d, &reply, outcome, now_ms);
}

/* RFC 4320 4.1: due now, and on UDP not before. */
static void say_trying(struct gw_router *r, struct gw_in *d)
{
	struct sip_reply reply;

	forget_trying(r, d);
	sip_reply_status(&reply, 100);
	gw_push_reply(r, d->sip_handle, &reply);
}

bool gw_in_expire(struct gw_router *r, uint64_t now_ms)
{
	struct gw_in *d;

	gw_edges_expire(r, now_ms);
	d = gw_edges_hopeless(r, now_ms);
	if (d != NULL) {
		time_out(r, d, "no-edge", now_ms);
		return true;
	}
	if (now_ms >= final_at(r)) {
		time_out(r, r->in_ages, "timeout", now_ms);
		return true;
	}
	d = r->in_trying;
	if (d != NULL && now_ms >= d->since_ms + LIMIT_SIP_TRYING_MS) {
		say_trying(r, d);
		return true;
	}
	return false;
}

uint64_t gw_in_deadline_ms(const struct gw_router *r)
{
	uint64_t at = gw_edges_deadline_ms(r);
	uint64_t final = final_at(r);

	if (final < at)
		at = final;
	if (r->in_trying != NULL &&
	    r->in_trying->since_ms + LIMIT_SIP_TRYING_MS < at)
		at = r->in_trying->since_ms + LIMIT_SIP_TRYING_MS;
	return at;
}
