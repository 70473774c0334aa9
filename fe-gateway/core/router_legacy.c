/*
 * What is still the old gateway's: requests of SIP users to domains that are
 * not ours yet are passed on to it (RFC 3261 16), and its answers back.
 * passed (client transaction) -> answered.
 */
#include "fe-gateway/core/router_priv.h"

#include <stdlib.h>
#include <string.h>

#include "fe-gateway/core/access.h"
#include "fe-gateway/core/address.h"
#include "fe-gateway/core/address_text.h"
#include "fe-gateway/core/hop_uri.h"
#include "fe-gateway/core/sip_pass.h"

enum { ARENA_MAX = LIMIT_STANZA_ARENA_BYTES };

struct gw_pass {
	UT_hash_handle hh; /* by token */
	uint64_t token;
	uint64_t sip_handle;
	uint64_t since_ms;
	uint8_t id[ID_RAW_BYTES];
	bool is_trying_due; /* in that list too */
	struct arena arena; /* of all below */
	struct sip_request_out request;
	const char *from;
	const char *call_id;
	struct gw_pass *prev, *next;	 /* all, by age */
	struct gw_pass *t_prev, *t_next; /* no 100 Trying yet, by age */
};

/* --- whose is it --------------------------------------------------------- */

static bool is_passed_method(const struct sip_request_in *q)
{
	return span_eq_str(q->method, "MESSAGE") ||
	       span_eq_str(q->method, "SUBSCRIBE") ||
	       span_eq_str(q->method, "NOTIFY");
}

/* The domain of a user somewhere else; a dialog with us is at our address. */
static bool target_domain(const struct gw_router *r,
			  const struct sip_request_in *q, char *out,
			  size_t size)
{
	struct address_uri u;

	return address_uri_split(q->request_uri, &u) == 0 &&
	       u.scheme == ADDRESS_SIP && u.user.n > 0 &&
	       address_uri_domain(q->request_uri, out, size) == 0 &&
	       !hop_uri_is_ip(out) &&
	       !sip_checks_is_ours(&r->p.checks, span_str(out));
}

static bool is_of_user(const struct gw_router *r,
		       const struct sip_request_in *q)
{
	char domain[LIMIT_DOMAIN_BYTES + 1];

	return address_uri_domain(q->from_uri, domain, sizeof(domain)) == 0 &&
	       sip_checks_is_ours(&r->p.checks, span_str(domain));
}

/* What is not, or is not fit to be passed on, is checked as all others are. */
static bool is_legacy(const struct gw_router *r, const struct sip_request_in *q)
{
	const char *hop = federation_settings(r->federation)->legacy_next_hop;
	char domain[LIMIT_DOMAIN_BYTES + 1];
	struct access_query a = {
		.what = ACCESS_MESSAGE,
		.direction = ACCESS_TO_XMPP,
	};

	if (hop[0] == '\0' || !is_passed_method(q) ||
	    !sip_checks_may_send(&r->p.checks, q) || !is_of_user(r, q) ||
	    !target_domain(r, q, domain, sizeof(domain)))
		return false;
	a.remote = span_str(domain);
	return access_decide(r->federation, &a).is_legacy;
}

/* --- the end of one ------------------------------------------------------ */

static void forget_trying(struct gw_router *r, struct gw_pass *d)
{
	if (d->is_trying_due)
		DL_DELETE2(r->pass_trying, d, t_prev, t_next);
	d->is_trying_due = false;
}

static void free_pass(struct gw_pass *d)
{
	arena_deinit(&d->arena);
	free(d);
}

static void destroy(struct gw_router *r, struct gw_pass *d)
{
	forget_trying(r, d);
	DL_DELETE(r->pass_ages, d);
	HASH_DELETE(hh, r->passes, d);
	r->pass_bytes -= d->request.passed_bytes;
	free_pass(d);
}

void gw_legacy_free_all(struct gw_router *r)
{
	while (r->pass_ages != NULL)
		destroy(r, r->pass_ages);
}

static void write_ledger(struct gw_router *r, const struct gw_pass *d,
			 const char *outcome, int status, uint64_t now_ms)
{
	struct gw_ledger l = {
		.id = d->id,
		.dir = "to-legacy",
		.from = span_str(d->from),
		.to = span_str(d->request.request_uri),
		.call_id = span_str(d->call_id),
		.outcome = outcome,
		.status = status,
		.ms = now_ms - d->since_ms,
	};

	gw_ledger_write(r, &l);
	metrics_count(r->p.metrics, status < 300 ? METRIC_legacy_passed
						 : METRIC_legacy_refused);
}

/* With an answer of our own. */
static void end_with(struct gw_router *r, struct gw_pass *d, int status,
		     const char *outcome, uint64_t now_ms)
{
	struct sip_reply reply = {.accept = NULL};

	sip_reply_status(&reply, status);
	gw_push_reply(r, d->sip_handle, &reply);
	write_ledger(r, d, outcome, status, now_ms);
	destroy(r, d);
}

/* --- passed on ----------------------------------------------------------- */

static bool is_full(const struct gw_router *r, const struct sip_request_in *q)
{
	return HASH_COUNT(r->passes) >= LIMIT_SIP_PASSED ||
	       r->pass_bytes + q->bytes > LIMIT_SIP_PENDING_BYTES;
}

static int fill(const struct gw_router *r, struct gw_pass *d,
		const struct sip_request_in *q)
{
	struct sip_request_out *o = &d->request;

	o->method = arena_dup(&d->arena, q->method);
	o->request_uri = arena_dup(&d->arena, q->request_uri);
	o->branch = sip_pass_branch(q, r->p.map.branch_mark, d->id, &d->arena);
	o->passed = q->handle;
	o->passed_bytes = q->bytes;
	o->max_forwards = q->has_max_forwards ? q->max_forwards - 1
					      : SIP_PASS_MAX_FORWARDS;
	o->sender.port = q->via_port;
	if (q->source.n < sizeof(o->sender.ip))
		memcpy(o->sender.ip, q->source.p, q->source.n);
	d->from = arena_dup(&d->arena, q->from_uri);
	d->call_id = arena_dup(&d->arena, q->call_id);
	return o->method != NULL && o->request_uri != NULL &&
			       o->branch != NULL && d->from != NULL &&
			       d->call_id != NULL
		       ? 0
		       : FED_ENOMEM;
}

static struct gw_pass *new_pass(struct gw_router *r,
				const struct sip_request_in *q, uint64_t now_ms)
{
	struct gw_pass *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	arena_init(&d->arena, ARENA_MAX);
	d->token = ++r->next_id;
	d->sip_handle = q->handle;
	d->since_ms = now_ms;
	if (fill(r, d, q) == 0)
		HASH_ADD(hh, r->passes, token, sizeof(d->token), d);
	if (d->hh.tbl == NULL) {
		free_pass(d);
		return NULL;
	}
	DL_APPEND(r->pass_ages, d);
	DL_APPEND2(r->pass_trying, d, t_prev, t_next);
	d->is_trying_due = true;
	r->pass_bytes += q->bytes;
	return d;
}

/* Why it is not passed on; 0: it may be. */
static int why_not(const struct gw_router *r, const struct sip_request_in *q)
{
	if (q->has_max_forwards && q->max_forwards == 0)
		return 483;
	if (sip_pass_was_here(q, r->p.map.branch_mark))
		return 482;
	/* LIMIT: never 503, as for what is held for the edges */
	if (is_full(r, q))
		return 500;
	return r->is_stopping ? 504 : 0;
}

static void refuse(struct gw_router *r, const struct sip_request_in *q,
		   int status)
{
	struct sip_reply reply = {.accept = NULL};
	struct gw_ledger l = {
		.dir = "to-legacy",
		.from = q->from_uri,
		.to = q->request_uri,
		.call_id = q->call_id,
		.outcome = "refused",
		.status = status,
	};

	sip_reply_status(&reply, status);
	gw_push_reply(r, q->handle, &reply);
	gw_ledger_write(r, &l);
	metrics_count(r->p.metrics, METRIC_legacy_refused);
}

bool gw_legacy_on_request(struct gw_router *r, const struct sip_request_in *q,
			  uint64_t now_ms)
{
	struct gw_pending_action *a;
	struct gw_pass *d = NULL;
	int status;

	if (!is_legacy(r, q))
		return false;
	status = why_not(r, q);
	if (status == 0) {
		d = new_pass(r, q, now_ms);
		status = d == NULL ? 500 : 0;
	}
	if (status != 0) {
		refuse(r, q, status);
		return true;
	}
	a = gw_push(r, GW_ACT_SIP_SEND);
	if (a == NULL) {
		destroy(r, d);
		return true;
	}
	a->action.u.sip_send.token = d->token;
	a->action.u.sip_send.request = &d->request;
	metrics_count(r->p.metrics, METRIC_sip_requests_out);
	return true;
}

/* --- answered ------------------------------------------------------------ */

/* RFC 3261 16.7.6: 503 is about the old gateway and not about us.  RFC 4320
 * 4.2: 408 to these methods is for nobody. */
static void on_answer(struct gw_router *r, struct gw_pass *d, int status,
		      uint64_t now_ms)
{
	struct gw_pending_action *a;

	if (status == 503 || status == 408) {
		end_with(r, d, status == 503 ? 500 : 504, "refused", now_ms);
		return;
	}
	a = gw_push(r, GW_ACT_SIP_PASS);
	if (a != NULL)
		a->action.u.sip_reply.handle = d->sip_handle;
	write_ledger(r, d, status < 300 ? "delivered" : "refused", status,
		     now_ms);
	destroy(r, d);
}

static int status_of_end(enum sip_end end)
{
	switch (end) {
	case SIP_END_TIMEOUT:
	case SIP_END_TRANSPORT:
		return 504;
	case SIP_END_DNS:
		return 502;
	case SIP_END_TOO_BIG:
		return 513;
	case SIP_END_LOOP:
		return 482;
	case SIP_END_RESPONSE:
		break;
	}
	return 500;
}

bool gw_legacy_on_response(struct gw_router *r, uint64_t token,
			   const struct sip_response_in *s, uint64_t now_ms)
{
	struct gw_pass *d;

	HASH_FIND(hh, r->passes, &token, sizeof(token), d);
	if (d == NULL)
		return false;
	if (s->end == SIP_END_RESPONSE)
		on_answer(r, d, s->status, now_ms);
	else
		end_with(r, d, status_of_end(s->end), gw_end_name(s->end),
			 now_ms);
	return true;
}

/* --- time ---------------------------------------------------------------- */

static uint64_t final_at(const struct gw_router *r)
{
	uint64_t at;

	if (r->pass_ages == NULL)
		return UINT64_MAX;
	at = r->pass_ages->since_ms + LIMIT_SIP_FINAL_MS;
	return r->is_stopping && r->stop_ms < at ? r->stop_ms : at;
}

static uint64_t trying_at(const struct gw_router *r)
{
	return r->pass_trying != NULL
		       ? r->pass_trying->since_ms + LIMIT_SIP_TRYING_MS
		       : UINT64_MAX;
}

bool gw_legacy_expire(struct gw_router *r, uint64_t now_ms)
{
	struct gw_pass *d = r->pass_trying;
	struct sip_reply reply = {.accept = NULL};

	if (now_ms >= final_at(r)) {
		end_with(r, r->pass_ages, 504, "timeout", now_ms);
		return true;
	}
	if (now_ms < trying_at(r))
		return false;
	forget_trying(r, d);
	sip_reply_status(&reply, 100);
	gw_push_reply(r, d->sip_handle, &reply);
	return true;
}

uint64_t gw_legacy_deadline_ms(const struct gw_router *r)
{
	uint64_t at = trying_at(r);

	return final_at(r) < at ? final_at(r) : at;
}
