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

/* --- replies ---------------------------------------------------------------
 */

static void count_reply(struct gw_router *r, int status)
{
	if (status >= 300)
		metrics_count(r->p.metrics, METRIC_sip_refused);
}

static void push_reply(struct gw_router *r, uint64_t sip_handle,
		       const struct sip_reply *reply)
{
	struct gw_pending_action *a = gw_push(r, GW_ACT_SIP_REPLY);

	if (a == NULL)
		return;
	a->action.u.sip_reply.handle = sip_handle;
	a->reply = *reply;
	count_reply(r, reply->line.status);
}

static void push_cause(struct gw_router *r, uint64_t sip_handle,
		       enum error_map_cause cause)
{
	struct sip_reply reply = {.accept = NULL};

	error_map_cause_to_sip(cause, false, &reply.line);
	push_reply(r, sip_handle, &reply);
}

/* --- one delivery ----------------------------------------------------------
 */

static struct gw_in **waiting_list(struct gw_router *r, size_t edge)
{
	return edge < r->p.edge_count ? &r->edges[edge].waiting : &r->homeless;
}

/* Into the list of the edge that the hash picks, in order of age: what comes
 * back is older than what waits, and found near the front. */
static void wait_for_edge(struct gw_router *r, struct gw_in *d)
{
	struct span to = span_str(d->stanza->to);
	struct gw_in **list, *at;

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

static void stop_waiting(struct gw_router *r, struct gw_in *d)
{
	struct gw_in **list = waiting_list(r, d->edge);

	if (!d->is_sent)
		DL_DELETE2(*list, d, w_prev, w_next);
}

static void forget_trying(struct gw_router *r, struct gw_in *d)
{
	if (d->is_trying_due)
		DL_DELETE2(r->in_trying, d, t_prev, t_next);
	d->is_trying_due = false;
}

static void destroy(struct gw_router *r, struct gw_in *d)
{
	stop_waiting(r, d);
	forget_trying(r, d);
	DL_DELETE(r->in_ages, d);
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
		.dir = "sip-xmpp",
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
		push_reply(r, d->sip_handle, reply);
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

/* --- a new delivery --------------------------------------------------------
 */

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

/* Into the tables; false: out of memory, the delivery is as before. */
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
	if (d->has_sip) {
		DL_APPEND2(r->in_trying, d, t_prev, t_next);
		d->is_trying_due = true;
	}
	wait_for_edge(r, d);
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
static void write_short_ledger(struct gw_router *r, const struct gw_in *d,
			       const struct sip_request_in *q, int status)
{
	struct gw_ledger l = {
		.id = d->id,
		.dir = "sip-xmpp",
		.from = q->from_uri,
		.to = q->request_uri,
		.call_id = q->call_id,
		.outcome = status < 300 ? "ignored" : "refused",
		.status = status,
	};

	gw_ledger_write(r, &l);
}

static void on_message(struct gw_router *r, const struct sip_request_in *q,
		       struct span key, uint64_t now_ms)
{
	struct message_map_xmpp m = {.stanza = NULL};
	struct gw_in *d;
	int err;

	/* LIMIT: never 503, which would take the whole gateway out of the
	 * proxy's service (RFC 3261 21.5.4) */
	if (HASH_COUNT(r->ins) >= LIMIT_SIP_PENDING || r->is_stopping) {
		metrics_count(r->p.metrics, METRIC_queue_full);
		push_cause(r, q->handle, ERROR_MAP_OVERLOAD);
		return;
	}
	d = new_delivery(now_ms);
	if (d == NULL) {
		push_cause(r, q->handle, ERROR_MAP_INTERNAL);
		return;
	}
	err = accept_message(r, d, q, key, &m);
	if (err == 0 && m.verdict == MESSAGE_MAP_SEND)
		return;
	if (err != 0)
		error_map_cause_to_sip(ERROR_MAP_INTERNAL, false,
				       &m.reply.line);
	push_reply(r, q->handle, &m.reply);
	write_short_ledger(r, d, q, m.reply.line.status);
	free_delivery(d);
}

void gw_router_on_sip_request(struct gw_router *r,
			      const struct sip_request_in *q, uint64_t now_ms)
{
	struct sip_reply reply = {.accept = NULL};
	enum sip_checks_verdict v;
	struct gw_pending_action *a;
	const char *why;
	struct buf key;

	arena_deinit(&r->last.arena);
	metrics_count(r->p.metrics, METRIC_sip_requests_in);
	buf_init(&key, LIMIT_SIP_BYTES);
	print_merge_key(q, &key);
	v = sip_checks(&r->p.checks, q, is_merged(r, buf_span(&key)), &reply,
		       &why);
	if (v == SIP_CHECKS_PASS) {
		on_message(r, q, buf_span(&key), now_ms);
		buf_deinit(&key);
		return;
	}
	buf_deinit(&key);
	fed_log(r->p.log,
		v == SIP_CHECKS_UNTRUSTED ? FED_LOG_WARN : FED_LOG_DEBUG,
		"sip_answered", "why=%s status=%d source=%s from=%s call-id=%s",
		why, reply.line.status, log_value(q->source).text,
		log_value(q->from_uri).text, log_value(q->call_id).text);
	if (v == SIP_CHECKS_UNTRUSTED)
		metrics_count(r->p.metrics, METRIC_sip_untrusted);
	if (v != SIP_CHECKS_DROP) {
		push_reply(r, q->handle, &reply);
		return;
	}
	a = gw_push(r, GW_ACT_SIP_DROP);
	if (a != NULL)
		a->action.u.sip_reply.handle = q->handle;
}

void gw_in_send_own(struct gw_router *r, struct arena *take,
		    Fed__Stanza *stanza, uint64_t now_ms)
{
	struct gw_in *d;

	if (HASH_COUNT(r->ins) >= LIMIT_SIP_PENDING) {
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

/* --- what the channel says -------------------------------------------------
 */

static struct gw_in *find(struct gw_router *r, uint64_t handle)
{
	struct gw_in *d;

	HASH_FIND(hh, r->ins, &handle, sizeof(handle), d);
	return d;
}

void gw_router_on_outcome(struct gw_router *r, uint64_t handle,
			  const Fed__Error *refused, uint64_t now_ms)
{
	struct sip_reply reply = {.accept = NULL};
	struct gw_in *d = find(r, handle);
	bool is_full;

	arena_deinit(&r->last.arena);
	if (d == NULL) {
		/* the 504 has gone out: nothing may follow a final response */
		fed_log(r->p.log, FED_LOG_DEBUG, "late_outcome", "handle=%llu",
			(unsigned long long)handle);
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

void gw_router_on_returned(struct gw_router *r, size_t edge, uint64_t handle,
			   uint64_t now_ms)
{
	struct gw_in *d = find(r, handle);

	(void)now_ms;
	arena_deinit(&r->last.arena);
	/* another edge may have it by now */
	if (d == NULL || !d->is_sent || d->edge != edge)
		return;
	d->is_redelivered = true;
	wait_for_edge(r, d);
}

void gw_router_on_send_failed(struct gw_router *r, uint64_t handle, int err,
			      uint64_t now_ms)
{
	struct sip_reply reply = {.accept = NULL};
	struct gw_in *d = find(r, handle);

	arena_deinit(&r->last.arena);
	if (d == NULL || !d->is_sent)
		return;
	if (err == FED_EAGAIN) {
		if (r->edges[d->edge].state == GW_EDGE_READY)
			r->edges[d->edge].state = GW_EDGE_FULL;
		wait_for_edge(r, d);
		return;
	}
	if (err == FED_ELIMIT)
		sip_reply_status(&reply, 513);
	else
		error_map_cause_to_sip(ERROR_MAP_INTERNAL, false, &reply.line);
	finish(r, d, &reply, "unsendable", now_ms);
}

/* The set of live edges changed, so the hash picks anew for all that wait. */
static void pick_again(struct gw_router *r)
{
	struct gw_in *d;

	DL_FOREACH (r->in_ages, d) {
		stop_waiting(r, d);
	}
	DL_FOREACH (r->in_ages, d) {
		if (!d->is_sent)
			wait_for_edge(r, d);
	}
}

void gw_router_on_edge(struct gw_router *r, size_t edge,
		       enum gw_edge_state state, uint64_t now_ms)
{
	struct gw_edge *e = &r->edges[edge];
	bool was_live;

	if (!FED_CHECK(edge < r->p.edge_count))
		return;
	was_live = gw_edge_is_live(e);
	if (state == GW_EDGE_DOWN && e->state != GW_EDGE_DOWN) {
		e->down_ms = now_ms;
		e->is_given_away = false;
	}
	e->state = state;
	if (was_live != gw_edge_is_live(e))
		pick_again(r);
}

static bool has_live_edge(const struct gw_router *r)
{
	for (size_t i = 0; i < r->p.edge_count; i++)
		if (gw_edge_is_live(&r->edges[i]))
			return true;
	return false;
}

/* When the edge's unanswered stanzas go to another; UINT64_MAX: not while
 * there is none, since the session with this one may yet resume. */
static uint64_t give_away_at(const struct gw_router *r, const struct gw_edge *e)
{
	if (e->state != GW_EDGE_DOWN || e->is_given_away || e->down_ms == 0 ||
	    r->in_ages == NULL || !has_live_edge(r))
		return UINT64_MAX;
	return e->down_ms + LIMIT_EDGE_GRACE_MS;
}

static void give_away(struct gw_router *r, size_t edge)
{
	struct gw_in *d;

	r->edges[edge].is_given_away = true;
	DL_FOREACH (r->in_ages, d) {
		if (!d->is_sent || d->edge != edge)
			continue;
		d->is_redelivered = true;
		wait_for_edge(r, d);
	}
}

static void check_edges(struct gw_router *r, uint64_t now_ms)
{
	for (size_t i = 0; i < r->p.edge_count; i++)
		if (now_ms >= give_away_at(r, &r->edges[i]))
			give_away(r, i);
}

bool gw_in_next(struct gw_router *r, struct gw_action *out)
{
	for (size_t i = 0; i < r->p.edge_count; i++) {
		struct gw_in *d = r->edges[i].waiting;

		if (d == NULL || r->edges[i].state != GW_EDGE_READY)
			continue;
		DL_DELETE2(r->edges[i].waiting, d, w_prev, w_next);
		d->is_sent = true;
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

/* --- time ------------------------------------------------------------------
 */

bool gw_in_expire(struct gw_router *r, uint64_t now_ms)
{
	struct sip_reply reply = {.accept = NULL};
	struct gw_in *d = r->in_ages;

	check_edges(r, now_ms);
	if (d != NULL && now_ms >= d->since_ms + LIMIT_SIP_FINAL_MS) {
		/* never 408 to a non-INVITE (RFC 4320 4.2) */
		error_map_cause_to_sip(ERROR_MAP_TIMEOUT, false, &reply.line);
		finish(r, d, &reply, "timeout", now_ms);
		return true;
	}
	d = r->in_trying;
	if (d != NULL && now_ms >= d->since_ms + LIMIT_SIP_TRYING_MS) {
		/* RFC 4320 4.1: due now, and on UDP not before */
		forget_trying(r, d);
		sip_reply_status(&reply, 100);
		push_reply(r, d->sip_handle, &reply);
		return true;
	}
	return false;
}

uint64_t gw_in_deadline_ms(const struct gw_router *r)
{
	uint64_t at = UINT64_MAX;

	if (r->in_ages != NULL)
		at = r->in_ages->since_ms + LIMIT_SIP_FINAL_MS;
	if (r->in_trying != NULL &&
	    r->in_trying->since_ms + LIMIT_SIP_TRYING_MS < at)
		at = r->in_trying->since_ms + LIMIT_SIP_TRYING_MS;
	for (size_t i = 0; i < r->p.edge_count; i++) {
		uint64_t give = give_away_at(r, &r->edges[i]);

		if (give < at)
			at = give;
	}
	return at;
}
