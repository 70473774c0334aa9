/*
 * Rules of the edge as plain data: served domains and partners.  Immutable
 * once made; cores borrow it.
 */
#ifndef FED_EDGE_POLICY_H
#define FED_EDGE_POLICY_H

#include "base/buf.h"

enum policy_need { POLICY_OPTIONAL, POLICY_REQUIRED, POLICY_OFF };

struct policy_partner {
	const char *domain; /* normalized, "*": any */
	enum policy_need tls;
	enum policy_need sasl;
	enum policy_need dialback;
};

struct policy {
	const char *const *domains; /* served, normalized (domain_normalize) */
	size_t domain_count;
	const struct policy_partner *partners; /* first match wins */
	size_t partner_count;
	struct span dialback_secret; /* at least 16 bytes */
	size_t stanza_max;	     /* bytes */
	bool bidi;		     /* XEP-0288, in both roles */
};

/** We serve that domain (normalized). */
bool policy_serves(const struct policy *p, struct span domain);

/** The rule for a peer domain (normalized); NULL: not a partner. */
const struct policy_partner *policy_find(const struct policy *p,
					 struct span domain);

#endif
