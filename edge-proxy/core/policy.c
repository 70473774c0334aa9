/* Look-ups in the edge's rules: sorted lists, so that a thousand partners cost
 * ten comparisons. */
#include "edge-proxy/core/policy.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

/* ---- sorted lists -------------------------------------------------------- */

static int compare(struct span a, const char *b)
{
	size_t n = strlen(b);
	size_t both = a.n < n ? a.n : n;
	int order = both == 0 ? 0 : memcmp(a.p, b, both);

	if (order != 0 || a.n == n)
		return order;
	return a.n < n ? -1 : 1;
}

static int by_domain(const void *a, const void *b)
{
	const struct policy_partner *x = a;
	const struct policy_partner *y = b;

	return compare(span_str(x->domain), y->domain);
}

static int by_text(const void *a, const void *b)
{
	const char *const *x = a;
	const char *const *y = b;

	return compare(span_str(*x), *y);
}

void policy_sort(struct policy_partner *partners, size_t count)
{
	if (count > 1)
		qsort(partners, count, sizeof(*partners), by_domain);
}

void policy_sort_denied(const char **denied, size_t count)
{
	if (count > 1)
		qsort(denied, count, sizeof(*denied), by_text);
}

static const struct policy_partner *find_rule(const struct policy *p,
					      struct span key)
{
	size_t from = 0;
	size_t to = p->partner_count;

	while (from < to) {
		size_t i = from + (to - from) / 2;
		int order = compare(key, p->partners[i].domain);

		if (order == 0)
			return &p->partners[i];
		if (order < 0)
			to = i;
		else
			from = i + 1;
	}
	return NULL;
}

static bool is_denied(const struct policy *p, struct span key)
{
	size_t from = 0;
	size_t to = p->denied_count;

	while (from < to) {
		size_t i = from + (to - from) / 2;
		int order = compare(key, p->denied[i]);

		if (order == 0)
			return true;
		if (order < 0)
			to = i;
		else
			from = i + 1;
	}
	return false;
}

/* ---- patterns ------------------------------------------------------------ */

struct pattern {
	char text[LIMIT_DOMAIN_BYTES + 2];
	size_t n;
	size_t at; /* its dot in the domain */
};

/* The next shorter "*.rest" that the domain is below of; false: none. */
static bool next_pattern(struct span domain, struct pattern *it)
{
	size_t dot = span_find(domain, '.', it->at);

	if (dot >= domain.n || domain.n - dot + 1 > sizeof(it->text))
		return false;
	it->text[0] = '*';
	memcpy(it->text + 1, domain.p + dot, domain.n - dot);
	it->n = domain.n - dot + 1;
	it->at = dot + 1;
	return true;
}

static bool denies(const struct policy *p, struct span domain)
{
	struct pattern it = {.at = 0};

	if (p->denied_count == 0)
		return false;
	if (is_denied(p, domain))
		return true;
	while (next_pattern(domain, &it))
		if (is_denied(p, span_of(it.text, it.n)))
			return true;
	return false;
}

/* ---- public -------------------------------------------------------------- */

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
	const struct policy_partner *rule = find_rule(p, domain);
	struct pattern it = {.at = 0};

	if (rule != NULL)
		return rule;
	if (denies(p, domain))
		return NULL;
	while (rule == NULL && next_pattern(domain, &it))
		rule = find_rule(p, span_of(it.text, it.n));
	return rule != NULL ? rule : find_rule(p, SPAN_LIT("*"));
}

const struct policy_partner *policy_of_pair(const struct policy *p,
					    const char *local,
					    const char *remote)
{
	if (!policy_serves(p, span_str(local)) ||
	    policy_serves(p, span_str(remote)))
		return NULL;
	return policy_find(p, span_str(remote));
}

const char *policy_limit_name(const struct policy_partner *rule,
			      const char *domain)
{
	bool is_anybody =
		rule == NULL || span_eq(span_str(rule->domain), SPAN_LIT("*"));

	return is_anybody || rule->name == NULL ? domain : rule->name;
}

uint64_t policy_setup_ms(const struct policy *p)
{
	return p->setup_ms != 0 ? p->setup_ms : LIMIT_STREAM_SETUP_MS;
}

uint64_t policy_idle_ms(const struct policy *p)
{
	return p->idle_ms != 0 ? p->idle_ms : LIMIT_STREAM_IDLE_MS;
}
