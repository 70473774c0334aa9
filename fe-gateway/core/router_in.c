/*
 * SIP -> XMPP.  waiting (for an edge with room) -> sent -> answered; back to
 * waiting when the edge returns it.  In both states the transaction's own
 * deadlines run: 100 Trying, then 504.
 */
#include "fe-gateway/core/router_priv.h"

#include <stdlib.h>
#include <string.h>

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
	if (r->in_look == d)
		r->in_look = d->next;
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

static struct gw_ledger ledger_of(const struct gw_in *d)
{
	return (struct gw_ledger){
		.id = d->id,
		.dir = "to-xmpp",
		.from = span_str(d->stanza->from),
		.to = span_str(d->stanza->to),
		.call_id = span_str(d->call_id),
		.gate = d->gate,
	};
}

/* The text of a message that has just been taken. */
static void log_body(const struct gw_router *r, const struct gw_in *d)
{
	const struct gw_ledger l = ledger_of(d);
	const Fed__Message *m = d->stanza->message;

	if (m->n_body > 0)
		gw_body_log(r, &l, span_str(m->body[0]->text));
}

static void write_ledger(struct gw_router *r, const struct gw_in *d,
			 const char *outcome, int status, uint64_t now_ms)
{
	struct gw_ledger l = ledger_of(d);

	l.outcome = outcome;
	l.status = status;
	l.ms = now_ms - d->since_ms;
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
bool gw_in_is_merged(struct gw_router *r, struct span key)
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
void gw_in_short_ledger(struct gw_router *r, const uint8_t *id,
			const struct sip_request_in *q, const char *gate,
			int status)
{
	struct gw_ledger l = {
		.id = id,
		.gate = gate,
		.dir = "to-xmpp",
		.from = q->from_uri,
		.to = q->request_uri,
		.call_id = q->call_id,
		.outcome = status < 300 ? "ignored" : "refused",
		.status = status,
	};

	gw_ledger_write(r, &l);
}

void gw_in_refuse(struct gw_router *r, const uint8_t *id,
		  const struct sip_request_in *q, enum error_map_cause cause)
{
	struct sip_reply reply = {.accept = NULL};

	error_map_cause_to_sip(cause, false, &reply.line);
	gw_push_reply(r, q->handle, &reply);
	gw_in_short_ledger(r, id, q, NULL, reply.line.status);
}

void gw_in_on_message(struct gw_router *r, const struct sip_request_in *q,
		      struct span key, uint64_t now_ms)
{
	struct message_map_xmpp m = {.stanza = NULL};
	struct gw_in *d = NULL;
	int err;

	/* as what is held too long; it is not overload */
	if (r->is_stopping) {
		gw_in_refuse(r, NULL, q, ERROR_MAP_TIMEOUT);
		return;
	}
	/* LIMIT: never 503, which would take the whole gateway out of the
	 * proxy's service (RFC 3261 21.5.4) */
	if (is_table_full(r)) {
		metrics_count(r->p.metrics, METRIC_queue_full);
		gw_in_refuse(r, NULL, q, ERROR_MAP_OVERLOAD);
		return;
	}
	d = new_delivery(now_ms);
	if (d == NULL) {
		gw_in_refuse(r, NULL, q, ERROR_MAP_INTERNAL);
		return;
	}
	err = accept_message(r, d, q, key, &m);
	if (err == 0 && m.verdict == MESSAGE_MAP_SEND) {
		log_body(r, d);
		return;
	}
	if (err != 0) {
		gw_in_refuse(r, d->id, q, ERROR_MAP_INTERNAL);
	} else {
		gw_push_reply(r, q->handle, &m.reply);
		gw_in_short_ledger(r, d->id, q, NULL, m.reply.line.status);
	}
	free_delivery(d);
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

bool gw_in_look(struct gw_router *r, uint64_t now_ms)
{
	struct gw_in *d;

	while ((d = r->in_look) != NULL) {
		struct sip_reply reply = {.accept = NULL};
		struct access_verdict v;

		r->in_look = d->next;
		/* what has left cannot be called back */
		if (!d->has_sip || d->is_sent)
			continue;
		v = gw_access(r, ACCESS_MESSAGE, ACCESS_TO_XMPP,
			      jid_split(span_str(d->stanza->from)).bare,
			      jid_split(span_str(d->stanza->to)).bare);
		if (access_is_open(&v))
			continue;
		gw_access_note(r, &v, NULL, SPAN_NULL, SPAN_NULL, now_ms);
		gw_access_reply(v.gate, &reply);
		d->gate = access_gate_name(v.gate);
		finish(r, d, &reply, "refused", now_ms);
		return true;
	}
	return false;
}

/* --- what the channel says ----------------------------------------------- */

struct gw_in *gw_in_find(struct gw_router *r, uint64_t handle)
{
	struct gw_in *d;

	HASH_FIND(hh, r->ins, &handle, sizeof(handle), d);
	return d;
}

const Fed__Stanza *gw_router_sent(struct gw_router *r, uint64_t handle)
{
	const struct gw_in *d = gw_in_find(r, handle);

	return d != NULL ? d->stanza : NULL;
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
