/* Look-ups in the edge's rules. */
#include "edge-proxy/core/policy.h"

bool policy_serves(const struct policy *p, struct span domain)
{
	for (size_t i = 0; i < p->domain_count; i++)
		if (span_eq_str(domain, p->domains[i]))
			return true;
	return false;
}

const struct policy_partner *policy_find(const struct policy *p,
					 struct span domain)
{
	for (size_t i = 0; i < p->partner_count; i++) {
		const struct policy_partner *rule = &p->partners[i];

		if (span_eq_str(domain, rule->domain) ||
		    span_eq(span_str(rule->domain), SPAN_LIT("*")))
			return rule;
	}
	return NULL;
}
