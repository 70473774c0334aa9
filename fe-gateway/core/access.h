/*
 * May these two talk?  The gates in their order, for both directions: the
 * switch of the deployment, the user's policy, the partner, its type.  Pure.
 */
#ifndef FED_GATEWAY_ACCESS_H
#define FED_GATEWAY_ACCESS_H

#include "admin.pb-c.h"
#include "base/metrics.h"
#include "fe-gateway/core/federation.h"

enum access_what {
	ACCESS_MESSAGE,
	ACCESS_SUBSCRIBE, /* a wish to watch the other one */
	ACCESS_PRESENCE,  /* what is told to who watches; notes with it */
};

enum access_direction { ACCESS_TO_XMPP, ACCESS_TO_SIP };

enum access_gate {
	ACCESS_SWITCH,	/* federation is off */
	ACCESS_POLICY,	/* the user's policy does not allow XMPP */
	ACCESS_PARTNER, /* no partner, or disabled */
	ACCESS_TYPE,	/* public-unverified, and the user did not add him */
	ACCESS_GATES,	/* none refuses */
};

struct access_query {
	enum access_what what;
	enum access_direction direction;
	struct span local;  /* SIP user, bare JID; empty: the SIP domain
			     * itself, which has no policy and no contacts */
	struct span remote; /* XMPP user, bare JID, or a domain */
	bool has_contact;   /* the SIP user has subscribed to him */
};

/** What is for the SIP domain itself asks for no user's rights. */
static inline bool access_has_user(const struct access_query *q)
{
	return q->local.n > 0;
}

struct access_verdict {
	enum access_gate gate; /* the first one that refuses */
	/* the XMPP side never sees the SIP user's note */
	bool hides_note;
	/* not ours yet: the old gateway has it, when settings name one */
	bool is_legacy;
	const Fed__PartnerRecord *partner; /* NULL: none */
};

/** Decide; f NULL: nothing is configured, so nothing is allowed.  A legacy or
 * unknown partner, which is not denied, is is_legacy where the settings have a
 * legacy_next_hop, and then no gate was asked, the switch neither: the old
 * gateway serves all users.  The gate is ACCESS_PARTNER then, for those who
 * cannot send it there.
 */
struct access_verdict access_decide(const struct federation *f,
				    const struct access_query *q);

/** Does a user's policy alone let it pass?  NULL: he has none. */
bool access_policy_allows(const Fed__PolicyRecord *p);

/** Does the partner's type alone, the last gate, let it pass? */
bool access_type_allows(const Fed__PartnerRecord *p,
			const struct access_query *q);

/** Nothing stands in the way, and it is ours. */
static inline bool access_is_open(const struct access_verdict *v)
{
	return v->gate == ACCESS_GATES && !v->is_legacy;
}

/** "switch", "policy", "partner", "type"; "none" for ACCESS_GATES. */
const char *access_gate_name(enum access_gate gate);

/** Counter of what that gate refused. */
enum metric access_gate_metric(enum access_gate gate);

/** What the refused sender is told, without a name of ours: "not allowed by
 * policy"... */
const char *access_gate_text(enum access_gate gate);

/**
 * The same decision as an operator reads it: a finding for each gate, also for
 * those behind the one that refuses, and what edges will ask of the partner's
 * streams.
 *
 * @param out  finding and verdict are set; they live in a
 * @return 0; FED_ENOMEM
 */
int access_explain(const struct federation *f, const struct access_query *q,
		   struct arena *a, Fed__AdminResponse *out) FED_NODISCARD;

#endif
