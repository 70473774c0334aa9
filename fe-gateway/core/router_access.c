/*
 * The gates of access.h on the way through the router, before anything is
 * translated; and once more, when they change, for what still waits.
 */
#include "fe-gateway/core/router_priv.h"

#include "fe-gateway/core/address.h"
#include "fe-gateway/core/phrase.h"
#include "xmpp/jid.h"
#include "xmpp/stanza_error.h"

void gw_router_set_federation(struct gw_router *r, const struct federation *f,
			      uint64_t now_ms)
{
	r->federation = f;
	r->in_look = r->in_ages;
	r->out_look = r->wait_ages;
	if (r->p.presence != NULL)
		presence_set_federation(r->p.presence, f, now_ms);
}

/* --- verdicts ------------------------------------------------------------ */

struct access_verdict gw_access(const struct gw_router *r,
				enum access_what what,
				enum access_direction direction,
				struct span local, struct span remote)
{
	const struct access_query q = {
		.what = what,
		.direction = direction,
		.local = local,
		.remote = remote,
	};

	return r->p.presence != NULL ? presence_access(r->p.presence, what,
						       direction, local, remote)
				     : access_decide(r->federation, &q);
}

struct access_verdict gw_access_request(const struct gw_router *r,
					const struct sip_request_in *q)
{
	enum access_what what = span_eq_str(q->method, "SUBSCRIBE")
					? ACCESS_SUBSCRIBE
					: ACCESS_MESSAGE;

	if (q->from_jid == NULL || q->to_jid == NULL)
		return (struct access_verdict){.gate = ACCESS_GATES};
	return gw_access(r, what, ACCESS_TO_XMPP, jid_bare(q->from_jid),
			 jid_bare(q->to_jid));
}

static enum access_what what_of(const Fed__Stanza *s)
{
	if (s->kind_case != FED__STANZA__KIND_PRESENCE)
		return ACCESS_MESSAGE;
	return s->presence->type == FED__PRESENCE_TYPE__SUBSCRIBE
		       ? ACCESS_SUBSCRIBE
		       : ACCESS_PRESENCE;
}

struct access_verdict gw_access_stanza(const struct gw_router *r,
				       const Fed__Stanza *s)
{
	struct jid_parts from = jid_split(span_str(s->from));
	struct jid_parts to = jid_split(span_str(s->to));
	struct access_verdict v =
		gw_access(r, what_of(s), ACCESS_TO_SIP,
			  to.local.n > 0 ? to.bare : SPAN_NULL, from.bare);

	/* who comes from there comes to the old gateway */
	if (v.is_legacy)
		v.gate = ACCESS_PARTNER;
	v.is_legacy = false;
	return v;
}

/* --- what is said of them ------------------------------------------------ */

void gw_access_note(struct gw_router *r, const struct access_verdict *v,
		    const char *what, struct span from, struct span to,
		    uint64_t now_ms)
{
	metrics_count(r->p.metrics, access_gate_metric(v->gate));
	/* a partner can send presence as fast as it likes */
	if (what != NULL && ratelimit_take(&r->warn_rate, now_ms))
		fed_log(r->p.log, FED_LOG_INFO, "access_refused",
			"what=%s from=%s to=%s gate=%s", what,
			log_value(from).text, log_value(to).text,
			access_gate_name(v->gate));
}

void gw_access_reply(enum access_gate gate, struct sip_reply *out)
{
	error_map_cause_to_sip(ERROR_MAP_DENIED, false, &out->line);
	phrase_clean(span_str(access_gate_text(gate)), out->line.phrase);
}

Fed__Error *gw_access_error(enum access_gate gate, struct arena *a)
{
	return stanza_error_new(a, FED__CONDITION__POLICY_VIOLATION,
				access_gate_text(gate));
}
