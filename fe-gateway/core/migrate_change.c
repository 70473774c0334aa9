/* A partner is ours, or the old gateway's again; and how it is afterwards. */
#include <string.h>

#include "fe-gateway/core/federation_priv.h"
#include "fe-gateway/core/migrate_priv.h"
#include "xmpp/jid.h"

#define GOOD FED__FINDING__LEVEL__GOOD
#define WARN FED__FINDING__LEVEL__WARN
#define BAD FED__FINDING__LEVEL__BAD

/* The partner with that domain, pattern or "*" of its own: additional ones have
 * none. */
static const Fed__PartnerRecord *find(const struct federation *f,
				      const char *domain)
{
	char name[LIMIT_DOMAIN_BYTES + 3] = "*.";
	struct span in = span_str(domain);
	size_t at = span_starts(in, SPAN_LIT("*.")) ? 2 : 0;
	const Fed__Record *r;

	if (span_eq_str(in, "*"))
		name[1] = '\0';
	else if (domain_normalize(span_sub(in, at, SIZE_MAX), name + at,
				  sizeof(name) - at) != 0)
		return NULL;
	r = federation_named(f, "partner/", span_str(name));
	return r != NULL ? r->partner : NULL;
}

static int no_partner(struct arena *a, const char *domain, const char **why_out)
{
	*why_out = arena_printf(a,
				"%s is no partner; \"fedctl partner list\" has "
				"them all",
				domain);
	return *why_out != NULL ? FED_ENOTFOUND : FED_ENOMEM;
}

/* --- ours, or not -------------------------------------------------------- */

/* NULL: nothing is in its way; *err is set when that cannot be said. */
static const char *bad_step(const struct federation *f,
			    const struct migrate_facts *facts,
			    const struct migrate_users *users, struct arena *a,
			    int *err)
{
	Fed__AdminResponse steps;
	const char *why;

	fed__admin_response__init(&steps);
	*err = migrate_steps(f, facts, users, a, &steps);
	for (size_t i = 0; *err == 0 && i < steps.n_finding; i++) {
		const Fed__Finding *x = steps.finding[i];

		/* users have their own sentence */
		if (x->level != BAD || strcmp(x->group, MIGRATE_USERS) == 0)
			continue;
		why = arena_printf(a,
				   "not yet: %s: %s (%s); --force does it all "
				   "the same",
				   x->group, x->text, x->advice);
		*err = why != NULL ? 0 : FED_ENOMEM;
		return why;
	}
	return NULL;
}

static int refuse(const struct federation *f, const struct migrate_facts *facts,
		  const char *domain, struct arena *a, const char **why_out)
{
	struct migrate_users u;
	int err = migrate_count_users(f, a, &u);
	size_t left;

	if (err != 0)
		return err;
	left = u.count - u.moved;
	/* not known is not moved */
	if (u.count == 0) {
		*why_out = arena_printf(
			a,
			"not yet: nobody said which users have moved, and who "
			"has not would lose %s: fedctl migrate users FILE, or "
			"--force",
			domain);
		return *why_out != NULL ? FED_EDENIED : FED_ENOMEM;
	}
	if (left > 0) {
		*why_out = arena_printf(
			a,
			"%zu of %zu users are still on the old side and would "
			"lose %s: %s%s; move them first, or --force",
			left, u.count, domain, u.left,
			left > MIGRATE_NAMES ? " and more" : "");
		return *why_out != NULL ? FED_EDENIED : FED_ENOMEM;
	}
	*why_out = bad_step(f, facts, &u, a, &err);
	if (err != 0)
		return err;
	return *why_out != NULL ? FED_EDENIED : 0;
}

static Fed__Record *record_of(struct arena *a, const Fed__PartnerRecord *p,
			      Fed__PartnerState state)
{
	Fed__Record *r = arena_alloc(a, sizeof(*r));
	Fed__PartnerRecord *copy = arena_alloc(a, sizeof(*copy));

	if (r == NULL || copy == NULL)
		return NULL;
	*copy = *p;
	copy->state = state;
	fed__record__init(r);
	r->kind_case = FED__RECORD__KIND_PARTNER;
	r->partner = copy;
	return r;
}

int migrate_change(const struct federation *f,
		   const struct migrate_facts *facts, const char *domain,
		   bool to_ours, bool is_forced, struct arena *a,
		   Fed__Record **record_out, const char **why_out)
{
	const Fed__PartnerRecord *p = find(f, domain);
	int err = 0;

	*why_out = NULL;
	if (p == NULL)
		return no_partner(a, domain, why_out);
	if (to_ours && !is_forced)
		err = refuse(f, facts, p->domain, a, why_out);
	if (err == 0 && !to_ours && !is_forced &&
	    federation_settings(f)->legacy_next_hop[0] == '\0') {
		*why_out = "no old gateway is set: fedctl settings set "
			   "legacy_next_hop URI";
		err = FED_EDENIED;
	}
	if (err != 0)
		return err;
	*record_out = record_of(a, p,
				to_ours ? FED__PARTNER_STATE__ENABLED
					: FED__PARTNER_STATE__LEGACY);
	return *record_out != NULL ? 0 : FED_ENOMEM;
}

/* --- afterwards ---------------------------------------------------------- */

static void find_state(struct migrate *m, const Fed__PartnerRecord *p)
{
	switch (p->state) {
	case FED__PARTNER_STATE__ENABLED:
		migrate_add(m, GOOD, p->domain, "state",
			    arena_printf(m->a, "enabled here"), NULL);
		break;
	case FED__PARTNER_STATE__DISABLED:
		migrate_add(m, WARN, p->domain, "state",
			    arena_printf(m->a, "disabled: nobody reaches it"),
			    arena_printf(m->a, "fedctl partner enable \"%s\"",
					 p->domain));
		break;
	case FED__PARTNER_STATE__LEGACY:
	case _FED__PARTNER_STATE_IS_INT_SIZE:
		migrate_add(m, BAD, p->domain, "state",
			    arena_printf(m->a, "still at the old gateway"),
			    arena_printf(m->a, "fedctl migrate enable \"%s\"",
					 p->domain));
		break;
	}
}

static void find_losers(struct migrate *m, const char *group)
{
	struct migrate_users u;
	size_t left;

	if (migrate_count_users(m->f, m->a, &u) != 0) {
		m->is_out_of_memory = true;
		return;
	}
	left = u.count - u.moved;
	if (left > 0)
		migrate_add(
			m, BAD, group, "users",
			arena_printf(m->a,
				     "%zu on the old side have lost what "
				     "is enabled here: %s%s",
				     left, u.left,
				     left > MIGRATE_NAMES ? " and more" : ""),
			"move them, then fedctl migrate users FILE");
	if (u.denied_count > 0)
		migrate_add(m, BAD, group, "policies",
			    arena_printf(m->a, "%zu may not talk to XMPP: %s%s",
					 u.denied_count, u.denied,
					 u.denied_count > MIGRATE_NAMES
						 ? " and more"
						 : ""),
			    "fedctl grant USER POLICY");
}

static void count_bad(const Fed__AdminResponse *r, size_t *bad)
{
	*bad = 0;
	for (size_t i = 0; i < r->n_finding; i++)
		*bad += r->finding[i]->level == BAD;
}

int migrate_verify(const struct federation *f,
		   const struct migrate_facts *facts, const char *domain,
		   struct arena *a, Fed__AdminResponse *out, struct errbuf *e)
{
	struct migrate m = {.f = f, .facts = facts, .a = a, .out = out};
	const Fed__PartnerRecord *p = find(f, domain);
	struct federation_walk w =
		federation_walk(f, FED__RECORD__KIND_PARTNER);
	const Fed__Record *r;
	size_t bad;

	if (domain[0] != '\0' && p == NULL) {
		errbuf_set(e,
			   "%s is no partner; \"fedctl partner list\" has them "
			   "all",
			   domain);
		return FED_ENOTFOUND;
	}
	migrate_edges(&m, "edges");
	find_losers(&m, "users");
	if (p != NULL)
		find_state(&m, p);
	while (p == NULL && (r = federation_walk_next(f, &w)) != NULL)
		find_state(&m, r->partner);
	count_bad(out, &bad);
	out->verdict =
		bad == 0 ? arena_printf(a, "nothing is left at the old gateway")
			 : arena_printf(a, "not done: %zu of these are bad",
					bad);
	return m.is_out_of_memory || out->verdict == NULL ? FED_ENOMEM : 0;
}
