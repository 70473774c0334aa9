/* The six steps, but for what only edges can look at. */
#include "fe-gateway/core/migrate_priv.h"

#include <inttypes.h>
#include <string.h>

#include "chan/admin_finding.h"
#include "fe-gateway/core/access.h"

#define GOOD FED__FINDING__LEVEL__GOOD
#define INFO FED__FINDING__LEVEL__INFO
#define WARN FED__FINDING__LEVEL__WARN
#define BAD FED__FINDING__LEVEL__BAD

void migrate_add(struct migrate *m, Fed__Finding__Level level,
		 const char *group, const char *what, char *text,
		 const char *advice)
{
	const struct admin_finding f = {
		.level = level,
		.group = group,
		.what = what,
		.text = text,
		.advice = advice,
	};

	if (admin_finding_add(m->a, m->out, &f) != 0)
		m->is_out_of_memory = true;
}

/* --- users --------------------------------------------------------------- */

/* "a, b" and c: the first ones; false: out of memory. */
static bool add_name(struct arena *a, const char **list, size_t count,
		     const char *name)
{
	if (count >= MIGRATE_NAMES)
		return true;
	*list = count == 0 ? arena_dup(a, span_str(name))
			   : arena_printf(a, "%s, %s", *list, name);
	return *list != NULL;
}

static bool may_talk(const struct federation *f, const char *user)
{
	return access_policy_allows(
		federation_policy_of(f, span_str(user)).policy);
}

static bool count_user(const struct federation *f, struct arena *a,
		       const Fed__MoverRecord *u, struct migrate_users *out)
{
	out->count++;
	if (!u->is_moved)
		return add_name(a, &out->left, out->count - 1 - out->moved,
				u->user);
	out->moved++;
	if (may_talk(f, u->user))
		return true;
	return add_name(a, &out->denied, out->denied_count++, u->user);
}

int migrate_count_users(const struct federation *f, struct arena *a,
			struct migrate_users *out)
{
	struct federation_walk w = federation_walk(f, FED__RECORD__KIND_MOVER);
	const Fed__Record *r;

	*out = (struct migrate_users){.left = "", .denied = ""};
	while ((r = federation_walk_next(f, &w)) != NULL)
		if (!count_user(f, a, r->mover, out))
			return FED_ENOMEM;
	return 0;
}

static const char *and_more(size_t count)
{
	return count > MIGRATE_NAMES ? " and more" : "";
}

static void find_users(struct migrate *m)
{
	const struct migrate_users *u = m->users;
	size_t left = u->count - u->moved;

	if (u->count == 0)
		migrate_add(m, WARN, MIGRATE_USERS, "moved",
			    arena_printf(m->a, "nobody said who has moved"),
			    "fedctl migrate users FILE");
	else if (left == 0)
		migrate_add(
			m, GOOD, MIGRATE_USERS, "moved",
			u->count == 1
				? arena_printf(m->a, "the one user has moved")
				: arena_printf(m->a, "all %zu users have moved",
					       u->count),
			NULL);
	else
		migrate_add(m, BAD, MIGRATE_USERS, "moved",
			    arena_printf(m->a,
					 "%zu of %zu users are still on the "
					 "old side: %s%s",
					 left, u->count, u->left,
					 and_more(left)),
			    "move them, then fedctl migrate users FILE");
}

/* --- pool and edges ------------------------------------------------------ */

static void find_next_hop(struct migrate *m)
{
	const char *uri = m->facts->next_hop;

	if (uri == NULL) {
		migrate_add(m, INFO, MIGRATE_POOL, "next hop",
			    arena_printf(m->a, "each SIP domain is its own, "
					       "and asked when it is needed"),
			    NULL);
		return;
	}
	switch (m->facts->next_hop_health) {
	case NEXT_HOP_UP:
		migrate_add(m, GOOD, MIGRATE_POOL, "next hop",
			    arena_printf(m->a, "%s answers", uri), NULL);
		break;
	case NEXT_HOP_DOWN:
		migrate_add(m, BAD, MIGRATE_POOL, "next hop",
			    arena_printf(m->a, "%s does not answer", uri),
			    "look at the SIP side, and at sip.next_hop");
		break;
	case NEXT_HOP_UNKNOWN:
		migrate_add(m, WARN, MIGRATE_POOL, "next hop",
			    arena_printf(m->a, "%s was not heard of yet", uri),
			    "it was asked now: look again");
		break;
	}
}

static void find_old(struct migrate *m)
{
	const char *uri = federation_settings(m->f)->legacy_next_hop;
	bool is_needed = m->partners.first_legacy != NULL;

	if (uri[0] == '\0') {
		migrate_add(
			m, is_needed ? BAD : INFO, MIGRATE_POOL, "old gateway",
			arena_printf(m->a, "none is set%s",
				     is_needed ? ": partners that are still "
						 "its own cannot be reached"
					       : ""),
			is_needed ? "fedctl settings set legacy_next_hop "
				    "URI"
				  : NULL);
		return;
	}
	switch (m->facts->legacy_health) {
	case NEXT_HOP_UP:
		migrate_add(m, GOOD, MIGRATE_POOL, "old gateway",
			    arena_printf(m->a, "%s answers", uri), NULL);
		break;
	case NEXT_HOP_DOWN:
		migrate_add(m, WARN, MIGRATE_POOL, "old gateway",
			    arena_printf(m->a, "%s does not answer", uri),
			    "look at the old gateway; what is still its own "
			    "cannot be reached meanwhile");
		break;
	case NEXT_HOP_UNKNOWN:
		migrate_add(m, WARN, MIGRATE_POOL, "old gateway",
			    arena_printf(m->a, "%s was not heard of yet", uri),
			    "it was asked now: look again");
		break;
	}
}

static void find_edge(struct migrate *m, const char *group,
		      const struct migrate_edge *e)
{
	if (!e->is_up)
		migrate_add(m, BAD, group, "edge",
			    arena_printf(m->a, "%s has no channel", e->name),
			    "look at the edge, and at fedctl show channels");
	else if (e->refused[0] != '\0')
		migrate_add(
			m, BAD, group, "edge",
			arena_printf(m->a,
				     "%s did not take revision %" PRIu64 ": %s",
				     e->name, m->facts->revision, e->refused),
			"mend that and apply again");
	else if (e->revision != m->facts->revision)
		migrate_add(m, WARN, group, "edge",
			    arena_printf(m->a,
					 "%s is up, with revision %" PRIu64
					 " in force instead of %" PRIu64,
					 e->name, e->revision,
					 m->facts->revision),
			    "ask again in a few seconds");
	else
		migrate_add(m, GOOD, group, "edge",
			    arena_printf(m->a,
					 "%s is up, with revision %" PRIu64
					 " in force",
					 e->name, e->revision),
			    NULL);
}

void migrate_edges(struct migrate *m, const char *group)
{
	for (size_t i = 0; i < m->facts->edge_count; i++)
		find_edge(m, group, &m->facts->edges[i]);
}

/* --- policies and federation --------------------------------------------- */

static void find_policies(struct migrate *m)
{
	const struct migrate_users *u = m->users;
	bool global = may_talk(m->f, "");

	if (u->denied_count > 0)
		migrate_add(m, BAD, MIGRATE_POLICIES, "policies",
			    arena_printf(m->a,
					 "%zu of %zu users who have moved may "
					 "not talk to XMPP: %s%s",
					 u->denied_count, u->moved, u->denied,
					 and_more(u->denied_count)),
			    "fedctl policy set global --federation on --xmpp "
			    "on, or fedctl grant USER POLICY");
	else if (u->moved > 0)
		migrate_add(m, GOOD, MIGRATE_POLICIES, "policies",
			    arena_printf(m->a,
					 "%zu of %zu users who have moved may "
					 "talk to XMPP",
					 u->moved, u->moved),
			    NULL);
	else
		migrate_add(m, global ? GOOD : BAD, MIGRATE_POLICIES,
			    "policies",
			    arena_printf(m->a, "the global policy %s XMPP",
					 global ? "allows" : "does not allow"),
			    global ? NULL
				   : "fedctl policy set global --federation on "
				     "--xmpp on");
}

static void count_partners(const struct federation *f,
			   struct migrate_partners *out)
{
	struct federation_walk w =
		federation_walk(f, FED__RECORD__KIND_PARTNER);
	const Fed__Record *r;

	*out = (struct migrate_partners){.first_legacy = NULL};
	while ((r = federation_walk_next(f, &w)) != NULL) {
		const Fed__PartnerRecord *p = r->partner;

		out->count++;
		if ((size_t)p->state < FED_ARRAY_LEN(out->of_state))
			out->of_state[p->state]++;
		if (out->first_legacy == NULL &&
		    p->state == FED__PARTNER_STATE__LEGACY)
			out->first_legacy = p;
	}
}

static void find_partners(struct migrate *m)
{
	const size_t *of_state = m->partners.of_state;

	if (m->partners.count == 0) {
		migrate_add(m, WARN, MIGRATE_FEDERATION, "partners",
			    arena_printf(m->a, "there are none"),
			    "fedctl migrate import FILE");
		return;
	}
	migrate_add(m, of_state[FED__PARTNER_STATE__LEGACY] > 0 ? INFO : GOOD,
		    MIGRATE_FEDERATION, "partners",
		    arena_printf(m->a,
				 "%zu: %zu enabled, %zu still at the old "
				 "gateway, %zu disabled",
				 m->partners.count,
				 of_state[FED__PARTNER_STATE__ENABLED],
				 of_state[FED__PARTNER_STATE__LEGACY],
				 of_state[FED__PARTNER_STATE__DISABLED]),
		    NULL);
}

static void find_federation(struct migrate *m)
{
	bool is_on = federation_settings(m->f)->federation;

	migrate_add(
		m, is_on ? GOOD : BAD, MIGRATE_FEDERATION, "switch",
		arena_printf(m->a, "federation is %s", is_on ? "on" : "off"),
		is_on ? NULL : "fedctl settings set federation on");
	find_partners(m);
}

/* --- what comes next ----------------------------------------------------- */

static const Fed__Finding *first_of(const Fed__AdminResponse *r,
				    Fed__Finding__Level level, const char *what)
{
	for (size_t i = 0; i < r->n_finding; i++)
		if (r->finding[i]->level == level &&
		    (what == NULL || strcmp(r->finding[i]->what, what) == 0))
			return r->finding[i];
	return NULL;
}

static int set_verdict(struct migrate *m)
{
	const Fed__PartnerRecord *p = m->partners.first_legacy;
	const Fed__Finding *f = first_of(m->out, BAD, NULL);

	/* nobody said who moves, or whom they talk to */
	if (f == NULL)
		f = first_of(m->out, WARN, "partners");
	if (f == NULL)
		f = first_of(m->out, WARN, "moved");
	if (f != NULL)
		m->out->verdict = arena_printf(m->a, "next: %s", f->advice);
	else if (p != NULL)
		m->out->verdict = arena_printf(
			m->a, "next: fedctl migrate enable \"%s\"", p->domain);
	else
		m->out->verdict = arena_printf(
			m->a, "nothing is left at the old gateway");
	return m->out->verdict != NULL ? 0 : FED_ENOMEM;
}

int migrate_steps(const struct federation *f, const struct migrate_facts *facts,
		  const struct migrate_users *users, struct arena *a,
		  Fed__AdminResponse *out)
{
	struct migrate m = {
		.f = f, .facts = facts, .a = a, .out = out, .users = users};

	count_partners(f, &m.partners);
	find_next_hop(&m);
	find_old(&m);
	migrate_edges(&m, MIGRATE_EDGES);
	find_users(&m);
	find_policies(&m);
	find_federation(&m);
	return m.is_out_of_memory ? FED_ENOMEM : set_verdict(&m);
}

int migrate_plan(const struct federation *f, const struct migrate_facts *facts,
		 struct arena *a, Fed__AdminResponse *out)
{
	struct migrate_users users;
	int err = migrate_count_users(f, a, &users);

	return err != 0 ? err : migrate_steps(f, facts, &users, a, out);
}
