/* Gates in series. */
#include "fe-gateway/core/access.h"

#include "xmpp/jid.h"

/* The old gateway has a domain that is no partner here, or not yet. */
static bool is_legacy(const struct federation *f, struct span domain,
		      const Fed__PartnerRecord *partner)
{
	if (federation_settings(f)->legacy_next_hop[0] == '\0')
		return false;
	if (partner != NULL)
		return partner->state == FED__PARTNER_STATE__LEGACY;
	return federation_denied(f, domain) == NULL;
}

bool access_policy_allows(const Fed__PolicyRecord *p)
{
	return p != NULL && p->federation && p->xmpp;
}

/* The SIP user's own wish to see somebody is what opens the way. */
bool access_type_allows(const Fed__PartnerRecord *p,
			const struct access_query *q)
{
	return p->type != FED__PARTNER_TYPE__PUBLIC_UNVERIFIED ||
	       q->has_contact ||
	       (q->what == ACCESS_SUBSCRIBE && q->direction == ACCESS_TO_XMPP);
}

static enum access_gate refusing(const struct federation *f,
				 const struct access_query *q,
				 const Fed__PartnerRecord *p)
{
	if (!federation_settings(f)->federation)
		return ACCESS_SWITCH;
	if (access_has_user(q) &&
	    !access_policy_allows(federation_policy_of(f, q->local).policy))
		return ACCESS_POLICY;
	if (p == NULL || p->state != FED__PARTNER_STATE__ENABLED)
		return ACCESS_PARTNER;
	return !access_has_user(q) || access_type_allows(p, q) ? ACCESS_GATES
							       : ACCESS_TYPE;
}

struct access_verdict access_decide(const struct federation *f,
				    const struct access_query *q)
{
	struct span domain = jid_split(q->remote).domain;
	struct access_verdict v = {.gate = ACCESS_PARTNER};

	v.partner = federation_partner(f, domain);
	v.hides_note = q->direction == ACCESS_TO_XMPP &&
		       (v.partner == NULL ||
			v.partner->type != FED__PARTNER_TYPE__FEDERATED);
	v.is_legacy = is_legacy(f, domain, v.partner);
	if (!v.is_legacy)
		v.gate = refusing(f, q, v.partner);
	return v;
}

const char *access_gate_text(enum access_gate gate)
{
	switch (gate) {
	case ACCESS_SWITCH:
		return "federation is not in service";
	case ACCESS_POLICY:
		return "not allowed by policy";
	case ACCESS_PARTNER:
		return "no federation with this domain";
	case ACCESS_TYPE:
		return "not allowed unless the user has added this contact";
	case ACCESS_GATES:
		break;
	}
	return "allowed";
}
