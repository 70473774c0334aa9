/* What must hold between the records of a snapshot. */
#include "fe-gateway/core/federation_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/slip.h"

/* --- domains of partners and sites -----------------------------------------
 */

static size_t names_of(const Fed__Record *r)
{
	if (r->kind_case == FED__RECORD__KIND_PARTNER)
		return 1 + r->partner->n_additional;
	return r->kind_case == FED__RECORD__KIND_SITE ? r->site->n_domain : 0;
}

static int name_taken(struct federation_check *c,
		      const struct federation_name *had,
		      const struct federation_held *owner, const char *field)
{
	federation_check_name(c, owner->key);
	if (had->owner == owner)
		return federation_complain(c, field, "%s is there twice",
					   had->name);
	return federation_complain(c, field, "%s belongs to %s already",
				   had->name, strchr(had->owner->key, '/') + 1);
}

static int add_name(struct federation_check *c, struct federation *f,
		    struct federation_name **table, const char *name,
		    const struct federation_held *owner, const char *field)
{
	struct federation_name *n;
	size_t size = strlen(name);

	HASH_FIND(hh, *table, name, size, n);
	if (n != NULL)
		return name_taken(c, n, owner, field);
	n = &f->names[f->name_count++];
	n->name = name;
	n->owner = owner;
	HASH_ADD_KEYPTR(hh, *table, n->name, size, n);
	return n->hh.tbl != NULL ? 0 : FED_ENOMEM;
}

static int add_partner(struct federation_check *c, struct federation *f,
		       const struct federation_held *h)
{
	const Fed__PartnerRecord *p = h->record->partner;
	int err = add_name(c, f, &f->partners, p->domain, h, "domain");

	for (size_t i = 0; i < p->n_additional && err == 0; i++)
		err = add_name(c, f, &f->partners, p->additional[i], h,
			       "additional");
	return err;
}

static int add_site(struct federation_check *c, struct federation *f,
		    const struct federation_held *h)
{
	const Fed__SiteRecord *s = h->record->site;
	int err = 0;

	for (size_t i = 0; i < s->n_domain && err == 0; i++)
		err = add_name(c, f, &f->sites, s->domain[i], h, "domains");
	return err;
}

int federation_index(struct federation_check *c, struct federation *f)
{
	size_t n = 0;
	int err = 0;

	for (size_t i = 0; i < f->count; i++)
		n += names_of(f->nodes[i].held->record);
	f->names = calloc(n + 1, sizeof(*f->names));
	if (f->names == NULL)
		return FED_ENOMEM;
	for (size_t i = 0; i < f->count && err == 0; i++) {
		const struct federation_held *h = f->nodes[i].held;

		if (h->record->kind_case == FED__RECORD__KIND_PARTNER)
			err = add_partner(c, f, h);
		else if (h->record->kind_case == FED__RECORD__KIND_SITE)
			err = add_site(c, f, h);
	}
	if (err == 0)
		federation_mark_patterns(f);
	return err;
}

/* --- limits ----------------------------------------------------------------
 */

static int check_counts(struct federation_check *c, const struct federation *f)
{
	static const struct {
		const char *kind;
		size_t max;
	} most[FEDERATION_KINDS] = {
		[FED__RECORD__KIND_PARTNER] = {"partners",
					       LIMIT_FEDERATION_PARTNERS},
		[FED__RECORD__KIND_DENIED] = {"denied domains",
					      LIMIT_FEDERATION_DENIED},
		[FED__RECORD__KIND_POLICY] = {"policies",
					      LIMIT_FEDERATION_POLICIES},
		[FED__RECORD__KIND_SITE] = {"sites", LIMIT_FEDERATION_SITES},
		[FED__RECORD__KIND_MEMBER] = {"users of sites",
					      LIMIT_FEDERATION_USERS},
		[FED__RECORD__KIND_GRANT] = {"grants", LIMIT_FEDERATION_USERS},
		[FED__RECORD__KIND_MOVER] = {"users of the migration",
					     LIMIT_FEDERATION_USERS},
		[FED__RECORD__KIND_SETTINGS] = {"settings", 1},
	};

	for (size_t k = 1; k < FEDERATION_KINDS; k++) {
		if (f->kind_count[k] <= most[k].max)
			continue;
		errbuf_set(c->e, "%zu %s; %zu are the most", f->kind_count[k],
			   most[k].kind, most[k].max);
		return FED_ELIMIT;
	}
	return 0;
}

/* --- references ------------------------------------------------------------
 */

/* A record names another one by name. */
struct reference {
	const char *prefix; /* of the key that is looked for */
	const char *field;
	const char *name; /* NULL: it names none */
	const char *what;
	const char *how; /* to make one */
};

static struct reference reference_of(const Fed__Record *r)
{
	static const char site[] = "site/";

	if (r->kind_case == FED__RECORD__KIND_GRANT)
		return (struct reference){"policy/user/", "policy",
					  r->grant->policy, "policy",
					  "fedctl policy set user"};
	if (r->kind_case == FED__RECORD__KIND_MEMBER)
		return (struct reference){site, "site", r->member->site, "site",
					  "fedctl site add"};
	if (r->kind_case == FED__RECORD__KIND_POLICY &&
	    r->policy->scope == FED__POLICY_SCOPE__SITE)
		return (struct reference){site, "name", r->policy->name, "site",
					  "fedctl site add"};
	return (struct reference){NULL, NULL, NULL, NULL, NULL};
}

/* The name nearest to it; NULL: none is near. */
static const char *nearest(const struct federation *f, const char *prefix,
			   const char *name)
{
	size_t best = SLIP_NEAR + 1;
	const char *found = NULL;

	for (size_t i = 0; i < f->count; i++) {
		struct span key =
			span_of(f->nodes[i].held->key, f->nodes[i].held->key_n);
		struct span other;
		size_t d;

		if (!span_starts(key, span_str(prefix)))
			continue;
		other = span_sub(key, strlen(prefix), key.n);
		d = slip_distance(other, span_str(name));
		if (d < best) {
			best = d;
			found = other.p;
		}
	}
	return found;
}

int federation_complain_missing(struct federation_check *c, const char *key)
{
	const char *name = strrchr(key, '/');
	char prefix[16] = "";
	const char *near = NULL;
	size_t n;

	name = name != NULL ? name + 1 : "";
	n = (size_t)(name - key);
	if (name[0] != '\0' && n < sizeof(prefix) && c->base != NULL) {
		memcpy(prefix, key, n);
		near = nearest(c->base, prefix, name);
	}
	if (near != NULL)
		return federation_complain(
			c, NULL, "it is not there; did you mean \"%s\"?", near);
	return federation_complain(c, NULL, "it is not there");
}

static int complain_unknown(struct federation_check *c,
			    const struct federation *f,
			    const struct reference *ref)
{
	const char *near = nearest(f, ref->prefix, ref->name);

	if (near != NULL)
		return federation_complain(
			c, ref->field,
			"there is no %s \"%s\"; did you mean \"%s\"?",
			ref->what, ref->name, near);
	return federation_complain(
		c, ref->field, "there is no %s \"%s\"; make it with %s \"%s\"",
		ref->what, ref->name, ref->how, ref->name);
}

static int check_reference(struct federation_check *c,
			   const struct federation *f,
			   const struct federation_held *h)
{
	struct reference ref = reference_of(h->record);

	if (ref.name == NULL ||
	    federation_named(f, ref.prefix, span_str(ref.name)) != NULL)
		return 0;
	federation_check_name(c, h->key);
	return complain_unknown(c, f, &ref);
}

/* A policy or a site is gone and records name it. */
struct loss {
	const struct federation_held *first; /* that lost something */
	struct reference ref;
	size_t grants, members, policies; /* that lost the same */
};

static bool is_same(const struct reference *a, const struct reference *b)
{
	return strcmp(a->prefix, b->prefix) == 0 &&
	       strcmp(a->name, b->name) == 0;
}

static struct loss find_loss(const struct federation *f)
{
	struct loss l = {NULL, {NULL, NULL, NULL, NULL, NULL}, 0, 0, 0};

	for (size_t i = 0; i < f->count; i++) {
		const struct federation_held *h = f->nodes[i].held;
		struct reference ref = reference_of(h->record);

		if (ref.name == NULL ||
		    federation_named(f, ref.prefix, span_str(ref.name)) != NULL)
			continue;
		if (l.first == NULL) {
			l.first = h;
			l.ref = ref;
		}
		if (!is_same(&l.ref, &ref))
			continue;
		l.grants += h->record->kind_case == FED__RECORD__KIND_GRANT;
		l.members += h->record->kind_case == FED__RECORD__KIND_MEMBER;
		l.policies += h->record->kind_case == FED__RECORD__KIND_POLICY;
	}
	return l;
}

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static int check_losses(struct federation_check *c, const struct federation *f)
{
	struct loss l = find_loss(f);

	if (l.first == NULL)
		return 0;
	if (l.grants > 0) {
		errbuf_set(c->e,
			   "policy user %s: it is granted to %zu user%s, "
			   "%s first; see fedctl grant list --policy \"%s\", "
			   "then fedctl revoke, or grant another one",
			   l.ref.name, l.grants, plural(l.grants),
			   strchr(l.first->key, '/') + 1, l.ref.name);
		return FED_EINVAL;
	}
	if (l.members > 0)
		errbuf_set(c->e,
			   "site %s: %zu user%s of it, %s first; see fedctl "
			   "site show \"%s\", then fedctl site set with "
			   "--user -USER",
			   l.ref.name, l.members, plural(l.members),
			   strchr(l.first->key, '/') + 1, l.ref.name);
	else
		errbuf_set(c->e,
			   "site %s: it has a policy; remove that too (fedctl "
			   "policy remove site \"%s\")",
			   l.ref.name, l.ref.name);
	return FED_EINVAL;
}

/* --- denied domains --------------------------------------------------------
 */

/* Of a domain and a partner's pattern: denied ones come first at edges, so a
 * pattern behind one would never count. */
static const Fed__DeniedRecord *denied_name(const struct federation *f,
					    const char *name)
{
	const Fed__Record *r;

	if (strncmp(name, "*.", 2) == 0)
		return federation_denied_by(f, span_str(name));
	r = federation_named(f, "denied/", span_str(name));
	return r != NULL ? r->denied : NULL;
}

static int check_denied(struct federation_check *c, const struct federation *f)
{
	if (f->kind_count[FED__RECORD__KIND_DENIED] == 0)
		return 0;
	for (size_t i = 0; i < f->name_count; i++) {
		const struct federation_name *n = &f->names[i];
		const Fed__DeniedRecord *d;

		if (n->owner->record->kind_case != FED__RECORD__KIND_PARTNER)
			continue;
		d = denied_name(f, n->name);
		if (d == NULL)
			continue;
		federation_check_name(c, n->owner->key);
		return federation_complain(
			c, NULL, "%s is denied (denied %s); remove one of them",
			n->name, d->domain);
	}
	return 0;
}

int federation_check_whole(struct federation_check *c,
			   const struct federation *f,
			   struct federation_held *const *put, size_t put_count,
			   bool is_less)
{
	int err = check_counts(c, f);

	for (size_t i = 0; i < put_count && err == 0; i++)
		err = check_reference(c, f, put[i]);
	if (err == 0 && is_less)
		err = check_losses(c, f);
	if (err == 0)
		err = check_denied(c, f);
	return err;
}
