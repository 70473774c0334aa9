/* Questions to a snapshot; none of them allocates. */
#include "fe-gateway/core/federation_priv.h"

#include <string.h>

const struct federation_held *federation_held_of(const struct federation *f,
						 struct span key)
{
	struct federation_node *n;

	if (f == NULL)
		return NULL;
	HASH_FIND(hh, f->by_key, key.p, key.n, n);
	return n != NULL ? n->held : NULL;
}

const Fed__Record *federation_find(const struct federation *f, const char *key)
{
	const struct federation_held *h = federation_held_of(f, span_str(key));

	return h != NULL ? h->record : NULL;
}

const Fed__Record *federation_named(const struct federation *f,
				    const char *prefix, struct span name)
{
	char key[FEDERATION_KEY_BYTES];
	struct span before = span_str(prefix);
	const struct federation_held *h;

	if (name.n > sizeof(key) - before.n)
		return NULL;
	memcpy(key, before.p, before.n);
	if (name.n > 0)
		memcpy(key + before.n, name.p, name.n);
	h = federation_held_of(f, span_of(key, before.n + name.n));
	return h != NULL ? h->record : NULL;
}

size_t federation_count(const struct federation *f)
{
	return f != NULL ? f->count : 0;
}

/* The first one whose key is not below. */
static size_t lower_bound(const struct federation *f, const char *key)
{
	size_t from = 0;
	size_t to = f->count;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (strcmp(f->nodes[mid].held->key, key) < 0)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

/* All keys of a kind begin with this, and no other: they are together. */
static const char *const kind_prefixes[FEDERATION_KINDS] = {
	[FED__RECORD__KIND__NOT_SET] = "",
	[FED__RECORD__KIND_PARTNER] = "partner/",
	[FED__RECORD__KIND_DENIED] = "denied/",
	[FED__RECORD__KIND_POLICY] = "policy/",
	[FED__RECORD__KIND_SITE] = "site/",
	[FED__RECORD__KIND_MEMBER] = "member/",
	[FED__RECORD__KIND_GRANT] = "grant/",
	[FED__RECORD__KIND_MOVER] = "mover/",
	[FED__RECORD__KIND_SETTINGS] = "settings",
};

struct federation_walk federation_walk(const struct federation *f,
				       Fed__Record__KindCase kind)
{
	struct federation_walk w = {0, 0};

	if (f == NULL || (size_t)kind >= FEDERATION_KINDS)
		return w;
	w.at = lower_bound(f, kind_prefixes[kind]);
	w.end = kind == FED__RECORD__KIND__NOT_SET ? f->count
						   : w.at + f->kind_count[kind];
	return w;
}

const Fed__Record *federation_walk_next(const struct federation *f,
					struct federation_walk *w)
{
	if (f == NULL || w->at >= w->end || w->at >= f->count)
		return NULL;
	return f->nodes[w->at++].held->record;
}

const Fed__SettingsRecord *federation_settings(const struct federation *f)
{
	return f != NULL ? f->settings : federation_settings_default();
}

/* --- partners --------------------------------------------------------------
 */

enum { PATTERN_BYTES = LIMIT_DOMAIN_BYTES + 3 };

/* The next shorter pattern for a domain, from "example.org" to "*.org"; false:
 * there is none. */
static bool next_pattern(struct span *rest, char out[PATTERN_BYTES],
			 struct span *pattern)
{
	size_t dot = span_find(*rest, '.', 0);

	if (dot == SIZE_MAX || rest->n > LIMIT_DOMAIN_BYTES)
		return false;
	*rest = span_sub(*rest, dot + 1, rest->n);
	out[0] = '*';
	out[1] = '.';
	memcpy(out + 2, rest->p, rest->n);
	*pattern = span_of(out, rest->n + 2);
	return rest->n > 0;
}

static const struct federation_name *find_name(
	const struct federation_name *table, struct span name)
{
	struct federation_name *n;

	HASH_FIND(hh, table, name.p, name.n, n);
	return n;
}

static const struct federation_name *partner_name(const struct federation *f,
						  struct span domain)
{
	char text[PATTERN_BYTES];
	struct span pattern;
	const struct federation_name *n = find_name(f->partners, domain);

	while (n == NULL && next_pattern(&domain, text, &pattern))
		n = find_name(f->partners, pattern);
	return n;
}

const Fed__PartnerRecord *federation_partner_above(const struct federation *f,
						   struct span name)
{
	char text[PATTERN_BYTES];
	struct span pattern;
	struct span rest = name;
	const struct federation_name *n = NULL;

	while (n == NULL && next_pattern(&rest, text, &pattern))
		if (!span_eq(pattern, name))
			n = find_name(f->partners, pattern);
	if (n == NULL && f->settings->open) {
		n = find_name(f->partners, SPAN_LIT("*"));
		if (n == NULL)
			return &f->anyone;
	}
	return n != NULL ? n->owner->record->partner : NULL;
}

static bool is_enabled_pattern(const struct federation_name *n)
{
	const Fed__Record *r = n->owner->record;

	return r->kind_case == FED__RECORD__KIND_PARTNER &&
	       r->partner->state == FED__PARTNER_STATE__ENABLED &&
	       n->name[0] == '*';
}

void federation_mark_patterns(struct federation *f)
{
	char text[PATTERN_BYTES];
	struct federation_name *above;
	struct span pattern;

	for (size_t i = 0; i < f->name_count; i++) {
		const struct federation_name *n = &f->names[i];
		struct span rest = span_str(n->name);

		if (!is_enabled_pattern(n))
			continue;
		while (next_pattern(&rest, text, &pattern)) {
			HASH_FIND(hh, f->partners, pattern.p, pattern.n, above);
			if (above != NULL && above != n)
				above->has_enabled_below = true;
		}
	}
}

static const Fed__DeniedRecord *denied_at(const struct federation *f,
					  struct span name)
{
	const Fed__Record *r = federation_named(f, "denied/", name);

	return r != NULL ? r->denied : NULL;
}

const Fed__DeniedRecord *federation_denied_by(const struct federation *f,
					      struct span domain)
{
	char text[PATTERN_BYTES];
	struct span pattern;
	const Fed__DeniedRecord *d;

	if (f->kind_count[FED__RECORD__KIND_DENIED] == 0)
		return NULL;
	d = denied_at(f, domain);
	while (d == NULL && next_pattern(&domain, text, &pattern))
		d = denied_at(f, pattern);
	return d;
}

const Fed__DeniedRecord *federation_denied(const struct federation *f,
					   struct span domain)
{
	if (f == NULL || find_name(f->partners, domain) != NULL)
		return NULL;
	return federation_denied_by(f, domain);
}

const Fed__PartnerRecord *federation_partner_by(const struct federation *f,
						struct span domain,
						const char **name_out)
{
	const struct federation_name *n;

	if (f == NULL || domain.n == 0 || federation_denied(f, domain) != NULL)
		return NULL;
	n = partner_name(f, domain);
	if (n == NULL && f->settings->open)
		n = find_name(f->partners, SPAN_LIT("*"));
	if (n == NULL && !f->settings->open)
		return NULL;
	*name_out = n != NULL ? n->name : f->anyone.domain;
	return n != NULL ? n->owner->record->partner : &f->anyone;
}

const Fed__PartnerRecord *federation_partner(const struct federation *f,
					     struct span domain)
{
	const char *name;

	return federation_partner_by(f, domain, &name);
}

/* --- policies --------------------------------------------------------------
 */

static const char *site_of(const struct federation *f, struct span user)
{
	const Fed__Record *member = federation_named(f, "member/", user);
	size_t at = span_find(user, '@', 0);
	const struct federation_name *n = NULL;

	if (member != NULL)
		return member->member->site;
	if (at != SIZE_MAX)
		n = find_name(f->sites, span_sub(user, at + 1, user.n));
	return n != NULL ? n->owner->record->site->name : NULL;
}

struct federation_policy federation_policy_of(const struct federation *f,
					      struct span user)
{
	struct federation_policy out = {NULL, NULL};
	const Fed__Record *grant;
	const Fed__Record *r = NULL;

	if (f == NULL)
		return out;
	out.site = site_of(f, user);
	grant = federation_named(f, "grant/", user);
	if (grant != NULL)
		r = federation_named(f, "policy/user/",
				     span_str(grant->grant->policy));
	if (r == NULL && out.site != NULL)
		r = federation_named(f, "policy/site/", span_str(out.site));
	if (r == NULL)
		r = federation_find(f, "policy/global");
	out.policy = r != NULL ? r->policy : NULL;
	return out;
}
