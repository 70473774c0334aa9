/*
 * SIP requests on their way in: who may have a transaction, what each must
 * pass, and whose it is then.
 */
#include "fe-gateway/core/router_priv.h"

#include "fe-gateway/core/address.h"
#include "fe-gateway/core/asserted.h"
#include "xmpp/jid.h"

/* --- checks -------------------------------------------------------------- */

/* Of RFC 3261 8.2.2.2. */
static void print_merge_key(const struct sip_request_in *q, struct buf *b)
{
	(void)buf_printf(b, "%u ", (unsigned)q->cseq);
	(void)buf_put_span(b, q->call_id);
	(void)buf_put_byte(b, ' ');
	(void)buf_put_span(b, q->from_tag);
}

static bool is_event(const struct sip_request_in *q)
{
	return span_eq_str(q->method, "SUBSCRIBE") ||
	       span_eq_str(q->method, "NOTIFY");
}

static void refuse_gate(struct gw_router *r, const struct sip_request_in *q,
			const struct access_verdict *v, uint64_t now_ms)
{
	bool is_message = !is_event(q);
	struct sip_reply reply = {.accept = NULL};

	gw_access_reply(v->gate, &reply);
	gw_push_reply(r, q->handle, &reply);
	gw_access_note(r, v, is_message ? NULL : "subscribe", q->from_uri,
		       q->request_uri, now_ms);
	if (is_message)
		gw_in_short_ledger(r, NULL, q, access_gate_name(v->gate),
				   reply.line.status);
}

/* true: it does not pass its gates, and was answered. */
static bool is_stopped(struct gw_router *r, const struct sip_request_in *q,
		       uint64_t now_ms)
{
	struct access_verdict v = gw_access_request(r, q);

	if (access_is_open(&v))
		return false;
	/* the old gateway's: there is no way to it from here */
	if (v.is_legacy)
		gw_in_refuse(r, NULL, q, ERROR_MAP_LOOP);
	else
		refuse_gate(r, q, &v, now_ms);
	return true;
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

struct parties {
	struct jid from, to;
};

/* As JIDs, if they can be: they are asked for more than once. */
static void read_parties(struct sip_request_in *q, struct parties *p)
{
	if (address_uri_to_jid(q->from_uri, &p->from) == 0)
		q->from_jid = &p->from;
	if (address_uri_to_jid(q->request_uri, &p->to) == 0)
		q->to_jid = &p->to;
}

/* While the process stops, no new subscription begins; those that there are
 * are told, and still tell us. */
static void on_event_request(struct gw_router *r,
			     const struct sip_request_in *q, uint64_t now_ms)
{
	if (r->p.presence == NULL || (r->is_stopping && !q->has_to_tag))
		gw_in_refuse(r, NULL, q, ERROR_MAP_TIMEOUT);
	else
		gw_presence_on_request(r, q, now_ms);
}

/* Outside of a dialog: through the gates. */
static void on_initial(struct gw_router *r, const struct sip_request_in *q,
		       struct span key, uint64_t now_ms)
{
	struct sip_request_in known = *q;
	struct parties parties;

	read_parties(&known, &parties);
	if (is_stopped(r, &known, now_ms))
		return;
	if (is_event(&known))
		on_event_request(r, &known, now_ms);
	else
		gw_in_on_message(r, &known, key, now_ms);
}

static void on_checked(struct gw_router *r, const struct sip_request_in *q,
		       struct span key, uint64_t now_ms)
{
	/* an event inside of a dialog is for that, and so is every NOTIFY */
	if (is_event(q) && (q->has_to_tag || span_eq_str(q->method, "NOTIFY")))
		on_event_request(r, q, now_ms);
	else
		on_initial(r, q, key, now_ms);
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
	v = sip_checks(&r->p.checks, q, gw_in_is_merged(r, buf_span(&key)),
		       &reply, &why);
	if (v == SIP_CHECKS_PASS)
		on_checked(r, q, buf_span(&key), now_ms);
	else
		answer_checked(r, q, v, why, &reply, now_ms);
	buf_deinit(&key);
}
