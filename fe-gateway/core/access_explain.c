/* The gates of access.c in words, each with the rule that decides in it. */
#include "fe-gateway/core/access.h"

#include <string.h>

#include "chan/admin_finding.h"
#include "fe-gateway/core/federation_priv.h"
#include "xmpp/jid.h"

struct explain {
	const struct federation *f;
	const struct access_query *q;
	struct arena *a;
	Fed__AdminResponse *out;
	struct access_verdict v;
	const char *local, *remote, *domain;
	bool is_out_of_memory;
};

/* --- words -----------------------------------------------------------------
 */

static const char *on_off(bool is_on)
{
	return is_on ? "on" : "off";
}

static const char *what_word(enum access_what what)
{
	switch (what) {
	case ACCESS_MESSAGE:
		return "message";
	case ACCESS_SUBSCRIBE:
		return "subscription";
	case ACCESS_PRESENCE:
		break;
	}
	return "presence";
}

/* text and advice are of the arena, NULL: it is full; advice "": none. */
static void add(struct explain *x, Fed__Finding__Level level, const char *what,
		const char *text, const char *advice)
{
	const struct admin_finding f = {
		.level = level, .what = what, .text = text, .advice = advice};

	if (advice == NULL || admin_finding_add(x->a, x->out, &f) != 0)
		x->is_out_of_memory = true;
}

/* A shell would take it for two words, or for files. */
static const char *quote_for(const char *word)
{
	return strpbrk(word, " *") != NULL ? "\"" : "";
}

static char *no_advice(struct explain *x)
{
	return arena_dup(x->a, SPAN_NULL);
}

/* --- gates -----------------------------------------------------------------
 */

static void explain_switch(struct explain *x)
{
	bool is_on = federation_settings(x->f)->federation;

	add(x, is_on ? FED__FINDING__LEVEL__GOOD : FED__FINDING__LEVEL__BAD,
	    "switch",
	    arena_printf(x->a, "federation is %s for the whole deployment",
			 on_off(is_on)),
	    is_on ? no_advice(x)
		  : arena_printf(x->a, "fedctl settings set federation on"));
}

/* Why a policy is his. */
static const char *policy_reason(struct explain *x,
				 const struct federation_policy *p)
{
	switch (p->policy->scope) {
	case FED__POLICY_SCOPE__USER:
		return arena_printf(x->a,
				    "policy \"%s\", which is granted to "
				    "him",
				    p->policy->name);
	case FED__POLICY_SCOPE__SITE:
		return arena_printf(
			x->a, "the policy of site \"%s\", %s", p->policy->name,
			federation_named(x->f, "member/", x->q->local) != NULL
				? "which he belongs to"
				: "which has his domain");
	case FED__POLICY_SCOPE__GLOBAL:
	case _FED__POLICY_SCOPE_IS_INT_SIZE:
		break;
	}
	return p->site != NULL
		       ? arena_printf(x->a,
				      "the global policy (site \"%s\" has "
				      "none)",
				      p->site)
		       : "the global policy (none is granted to him, he is of "
			 "no site)";
}

static char *policy_advice(struct explain *x, const Fed__PolicyRecord *p)
{
	const char *scope = "global";
	const char *name = "";
	const char *quote;

	if (p != NULL && p->scope != FED__POLICY_SCOPE__GLOBAL) {
		scope = p->scope == FED__POLICY_SCOPE__SITE ? "site " : "user ";
		name = p->name;
	}
	quote = quote_for(name);
	return arena_printf(x->a,
			    "fedctl policy set %s%s%s%s --federation on --xmpp "
			    "on, or fedctl grant %s POLICY",
			    scope, quote, name, quote, x->local);
}

static void explain_policy(struct explain *x)
{
	struct federation_policy p = federation_policy_of(x->f, x->q->local);
	const char *reason;

	if (!access_has_user(x->q)) {
		add(x, FED__FINDING__LEVEL__GOOD, "policy",
		    arena_printf(x->a,
				 "it is for the SIP domain itself, which has "
				 "no policy"),
		    no_advice(x));
		return;
	}
	if (p.policy == NULL) {
		add(x, FED__FINDING__LEVEL__BAD, "policy",
		    arena_printf(x->a,
				 "%s has no policy: none is granted to him, "
				 "none is of his site, there is no global one",
				 x->local),
		    policy_advice(x, NULL));
		return;
	}
	reason = policy_reason(x, &p);
	if (reason == NULL) {
		x->is_out_of_memory = true;
		return;
	}
	if (access_policy_allows(p.policy))
		add(x, FED__FINDING__LEVEL__GOOD, "policy",
		    arena_printf(x->a, "%s has %s: federation on, xmpp on",
				 x->local, reason),
		    no_advice(x));
	else
		add(x, FED__FINDING__LEVEL__BAD, "policy",
		    arena_printf(x->a, "%s has %s: federation %s, xmpp %s",
				 x->local, reason, on_off(p.policy->federation),
				 on_off(p.policy->xmpp)),
		    policy_advice(x, p.policy));
}

static void explain_no_partner(struct explain *x)
{
	const Fed__DeniedRecord *d =
		federation_denied(x->f, span_str(x->domain));
	const char *quote = d != NULL ? quote_for(d->domain) : "";

	if (d != NULL)
		add(x, FED__FINDING__LEVEL__BAD, "partner",
		    arena_printf(x->a, "%s is denied by the record %s",
				 x->domain, d->domain),
		    arena_printf(x->a, "fedctl deny remove %s%s%s", quote,
				 d->domain, quote));
	else
		add(x, FED__FINDING__LEVEL__BAD, "partner",
		    arena_printf(x->a,
				 "%s is no partner, and the list is closed",
				 x->domain),
		    arena_printf(x->a, "fedctl partner add %s", x->domain));
}

/* By which of its names. */
static const char *match_word(struct explain *x, const Fed__PartnerRecord *p,
			      const char *name)
{
	if (p == &x->f->anyone)
		return " by the open list, with the defaults of a partner";
	if (strcmp(name, "*") == 0)
		return " by the open list";
	if (strcmp(name, x->domain) == 0)
		return strcmp(name, p->domain) == 0
			       ? ""
			       : " by an additional domain";
	return arena_printf(x->a, " by the pattern %s", name);
}

static char *state_advice(struct explain *x, const Fed__PartnerRecord *p)
{
	const char *quote = quote_for(p->domain);

	return arena_printf(x->a, "fedctl %s enable %s%s%s",
			    p->state == FED__PARTNER_STATE__LEGACY ? "migrate"
								   : "partner",
			    quote, p->domain, quote);
}

static void explain_partner(struct explain *x)
{
	const char *name = "";
	const Fed__PartnerRecord *p =
		federation_partner_by(x->f, span_str(x->domain), &name);
	const char *match;
	bool is_enabled;

	if (p == NULL) {
		explain_no_partner(x);
		return;
	}
	match = match_word(x, p, name);
	if (match == NULL) {
		x->is_out_of_memory = true;
		return;
	}
	is_enabled = p->state == FED__PARTNER_STATE__ENABLED;
	add(x,
	    is_enabled ? FED__FINDING__LEVEL__GOOD : FED__FINDING__LEVEL__BAD,
	    "partner",
	    arena_printf(x->a, "%s belongs to partner %s%s: %s, type %s",
			 x->domain, p->domain, match,
			 federation_word(federation_state_words, p->state),
			 federation_word(federation_type_words, p->type)),
	    is_enabled ? no_advice(x) : state_advice(x, p));
}

/* What the type says of this one. */
static const char *type_rule(const struct explain *x,
			     const Fed__PartnerRecord *p)
{
	if (p->type != FED__PARTNER_TYPE__PUBLIC_UNVERIFIED)
		return "it may talk to all users and ask to see them";
	if (!access_has_user(x->q))
		return "it may ask the SIP domain itself";
	if (x->q->has_contact)
		return "the SIP user has subscribed to this contact, so both "
		       "may talk";
	if (x->q->what == ACCESS_SUBSCRIBE && x->q->direction == ACCESS_TO_XMPP)
		return "the SIP user may subscribe, which opens the way for "
		       "both";
	return "nothing goes either way until the SIP user has subscribed to "
	       "this contact, and he has not";
}

static void explain_note(struct explain *x)
{
	if (!x->v.hides_note)
		return;
	add(x, FED__FINDING__LEVEL__INFO, "type",
	    arena_printf(x->a,
			 "status notes of SIP users are shown to partners "
			 "of type federated only"),
	    no_advice(x));
}

static char *type_advice(struct explain *x, const Fed__PartnerRecord *p)
{
	const char *quote = quote_for(p->domain);

	return arena_printf(
		x->a,
		"%s adds the contact %s, or fedctl partner %s %s%s%s --type "
		"federated",
		x->local, x->remote, p == &x->f->anyone ? "add" : "set", quote,
		p->domain, quote);
}

static void explain_type(struct explain *x)
{
	const Fed__PartnerRecord *p = x->v.partner;
	bool refuses;

	if (p == NULL) {
		add(x, FED__FINDING__LEVEL__INFO, "type",
		    arena_printf(x->a, "no partner, so no type"), no_advice(x));
		return;
	}
	refuses = access_has_user(x->q) && !access_type_allows(p, x->q);
	add(x, refuses ? FED__FINDING__LEVEL__BAD : FED__FINDING__LEVEL__GOOD,
	    "type",
	    arena_printf(x->a, "type %s: %s",
			 federation_word(federation_type_words, p->type),
			 type_rule(x, p)),
	    refuses ? type_advice(x, p) : no_advice(x));
	explain_note(x);
}

/* --- the rest --------------------------------------------------------------
 */

static void explain_legacy(struct explain *x)
{
	const char *hop = federation_settings(x->f)->legacy_next_hop;

	if (hop[0] == '\0')
		return;
	if (!x->v.is_legacy)
		add(x, FED__FINDING__LEVEL__INFO, "legacy",
		    arena_printf(x->a, "the old gateway (%s) is not asked",
				 hop),
		    no_advice(x));
	else if (x->q->direction == ACCESS_TO_XMPP)
		add(x, FED__FINDING__LEVEL__INFO, "legacy",
		    arena_printf(x->a,
				 "%s is still the old gateway's: requests of "
				 "all users go to %s, and no gate is asked",
				 x->domain, hop),
		    no_advice(x));
	else
		add(x, FED__FINDING__LEVEL__BAD, "legacy",
		    arena_printf(x->a,
				 "%s is still the old gateway's (%s): it "
				 "reaches users there, and edges refuse it "
				 "here",
				 x->domain, hop),
		    no_advice(x));
}

static void explain_edge(struct explain *x)
{
	const Fed__PartnerRecord *p = x->v.partner;
	const struct federation_row *row;

	if (p == NULL)
		return;
	row = federation_row(p);
	add(x,
	    row->is_doubtful ? FED__FINDING__LEVEL__WARN
			     : FED__FINDING__LEVEL__INFO,
	    "edge",
	    arena_printf(x->a, "tls %s, sasl %s, dialback %s: %s%s%s%s%s",
			 federation_word(federation_need_words, p->tls),
			 federation_word(federation_need_words, p->sasl),
			 on_off(p->dialback), row->methods,
			 row->remark != NULL ? "; " : "",
			 row->remark != NULL ? row->remark : "",
			 p->proxy_host[0] != '\0' ? "; by way of " : "",
			 p->proxy_host),
	    no_advice(x));
}

static char *verdict(struct explain *x)
{
	bool is_out = x->q->direction == ACCESS_TO_XMPP;
	const char *from = is_out ? x->local : x->remote;
	const char *to = is_out ? x->remote : x->local;
	const char *what = what_word(x->q->what);

	if (x->v.is_legacy && is_out)
		return arena_printf(
			x->a, "%s from %s to %s: goes to the old gateway, %s",
			what, from, to,
			federation_settings(x->f)->legacy_next_hop);
	if (x->v.gate == ACCESS_GATES)
		return arena_printf(
			x->a, "%s from %s to %s: allowed%s", what, from, to,
			x->v.hides_note && x->q->what == ACCESS_PRESENCE
				? ", without its status note"
				: "");
	return arena_printf(
		x->a, "%s from %s to %s: %s by gate \"%s\" (%s)", what, from,
		to, x->q->what == ACCESS_PRESENCE ? "hidden" : "refused",
		access_gate_name(x->v.gate),
		is_out ? "SIP 403" : "policy-violation");
}

int access_explain(const struct federation *f, const struct access_query *q,
		   struct arena *a, Fed__AdminResponse *out)
{
	struct explain x = {.f = f, .q = q, .a = a, .out = out};

	x.v = access_decide(f, q);
	x.local = access_has_user(q) ? arena_dup(a, q->local)
				     : "the SIP domain itself";
	x.remote = arena_dup(a, q->remote);
	x.domain = arena_dup(a, jid_split(q->remote).domain);
	if (x.local == NULL || x.remote == NULL || x.domain == NULL)
		return FED_ENOMEM;
	explain_switch(&x);
	explain_policy(&x);
	explain_partner(&x);
	explain_type(&x);
	explain_legacy(&x);
	explain_edge(&x);
	out->verdict = verdict(&x);
	return out->verdict == NULL || x.is_out_of_memory ? FED_ENOMEM : 0;
}
