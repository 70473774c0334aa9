/* The steps of a migration, who stands in the way, what comes next. */
#include "federation_harness.h"

#include <stdio.h>

#include "fe-gateway/core/migrate.h"

#define HOP "sip:old.example"

struct world {
	struct fed_test t;
	struct migrate_edge edges[2];
	struct migrate_facts facts;
	Fed__AdminResponse out;
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	ft_init(&w->t);
	w->edges[0] = (struct migrate_edge){"edge1.example", true, 3, ""};
	w->edges[1] = (struct migrate_edge){"edge2.example", true, 3, ""};
	w->facts = (struct migrate_facts){
		.next_hop = "sip:proxy.example",
		.next_hop_health = NEXT_HOP_UP,
		.legacy_health = NEXT_HOP_UP,
		.revision = 3,
		.edges = w->edges,
		.edge_count = 2,
	};
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	ft_deinit(&w->t);
	free(w);
	return 0;
}

static Fed__PartnerRecord *add_partner(struct world *w, const char *domain,
				       Fed__PartnerState state)
{
	Fed__PartnerRecord *p = ft_partner(&w->t, domain);

	p->state = state;
	return p;
}

/* All is well but that two partners are not ours yet. */
static void fill(struct world *w)
{
	Fed__SettingsRecord *s = ft_settings(&w->t);

	s->federation = true;
	s->legacy_next_hop = ft_text(&w->t, HOP);
	(void)ft_policy(&w->t, FED__POLICY_SCOPE__GLOBAL, "", true, true);
	add_partner(w, "a.example", FED__PARTNER_STATE__LEGACY);
	add_partner(w, "b.example", FED__PARTNER_STATE__LEGACY);
	ft_mover(&w->t, "romeo@sip.example", true);
	ft_mover(&w->t, "tybalt@sip.example", true);
	ft_ok(&w->t);
}

static void plan(struct world *w)
{
	fed__admin_response__init(&w->out);
	assert_int_equal(migrate_plan(w->t.f, &w->facts, &w->t.a, &w->out), 0);
}

static const char *const LEVELS[] = {"good", "info", "warn", "BAD"};

/* A line for each finding. */
static const char *lines(struct world *w)
{
	char *text = ft_text(&w->t, "");

	for (size_t i = 0; i < w->out.n_finding; i++) {
		const Fed__Finding *f = w->out.finding[i];

		text = arena_printf(&w->t.a, "%s%s | %s | %s | %s%s%s\n", text,
				    f->group, LEVELS[f->level], f->what,
				    f->text, f->advice[0] != '\0' ? " -> " : "",
				    f->advice);
		assert_non_null(text);
	}
	return text;
}

static void test_all_is_well(void **state)
{
	struct world *w = *state;

	fill(w);
	plan(w);
	assert_string_equal(
		lines(w),
		"1. pool | good | next hop | sip:proxy.example answers\n"
		"1. pool | good | old gateway | sip:old.example answers\n"
		"2. edges | good | edge | edge1.example is up, with revision 3 "
		"in force\n"
		"2. edges | good | edge | edge2.example is up, with revision 3 "
		"in force\n"
		"3. users | good | moved | all 2 users have moved\n"
		"4. policies and certificates | good | policies | 2 of 2 users "
		"who have moved may talk to XMPP\n"
		"5. federation | good | switch | federation is on\n"
		"5. federation | info | partners | 2: 0 enabled, 2 still at "
		"the old gateway, 0 disabled\n");
	assert_string_equal(w->out.verdict,
			    "next: fedctl migrate enable \"a.example\"");
}

/* Nothing is configured at all. */
static void test_nothing(void **state)
{
	struct world *w = *state;

	w->facts.next_hop_health = NEXT_HOP_UNKNOWN;
	w->facts.edge_count = 1;
	plan(w);
	assert_string_equal(
		lines(w),
		"1. pool | warn | next hop | sip:proxy.example was not heard "
		"of yet -> it was asked now: look again\n"
		"1. pool | info | old gateway | none is set\n"
		"2. edges | good | edge | edge1.example is up, with revision 3 "
		"in force\n"
		"3. users | warn | moved | nobody said who has moved -> fedctl "
		"migrate users FILE\n"
		"4. policies and certificates | BAD | policies | the global "
		"policy does not allow XMPP -> fedctl policy set global "
		"--federation on --xmpp on\n"
		"5. federation | BAD | switch | federation is off -> fedctl "
		"settings set federation on\n"
		"5. federation | warn | partners | there are none -> fedctl "
		"migrate import FILE\n");
	assert_string_equal(w->out.verdict,
			    "next: fedctl policy set global --federation on "
			    "--xmpp on");
}

static void test_what_is_bad(void **state)
{
	struct world *w = *state;

	fill(w);
	w->facts.next_hop_health = NEXT_HOP_DOWN;
	w->facts.legacy_health = NEXT_HOP_DOWN;
	w->edges[0].is_up = false;
	w->edges[1].revision = 2;
	plan(w);
	assert_non_null(strstr(lines(w), "BAD | next hop | sip:proxy.example "
					 "does not answer"));
	assert_non_null(strstr(lines(w), "warn | old gateway | sip:old.example "
					 "does not answer"));
	assert_non_null(
		strstr(lines(w), "BAD | edge | edge1.example has no channel"));
	assert_non_null(strstr(lines(w), "warn | edge | edge2.example is up, "
					 "with revision 2 in force instead of "
					 "3"));
	w->edges[1].refused = "no certificate for sip.example";
	plan(w);
	assert_non_null(strstr(lines(w), "BAD | edge | edge2.example did not "
					 "take revision 3: no certificate for "
					 "sip.example"));
}

/* The first ten are named, and all are counted. */
static void test_users_are_named(void **state)
{
	struct world *w = *state;
	char user[64];

	fill(w);
	for (int i = 0; i < 12; i++) {
		(void)snprintf(user, sizeof(user), "u%02d@sip.example", i);
		ft_mover(&w->t, user, false);
	}
	(void)ft_policy(&w->t, FED__POLICY_SCOPE__USER, "no", true, false);
	ft_grant(&w->t, "tybalt@sip.example", "no");
	ft_ok(&w->t);
	plan(w);
	assert_non_null(strstr(
		lines(w),
		"BAD | moved | 12 of 14 users are still on the old side: "
		"u00@sip.example, u01@sip.example, u02@sip.example, "
		"u03@sip.example, u04@sip.example, u05@sip.example, "
		"u06@sip.example, u07@sip.example, u08@sip.example, "
		"u09@sip.example and more"));
	assert_non_null(strstr(lines(w), "BAD | policies | 1 of 2 users who "
					 "have moved may not talk to XMPP: "
					 "tybalt@sip.example -> "));
}

static const char *change(struct world *w, const char *domain, bool to_ours,
			  bool is_forced, Fed__Record **r)
{
	const char *why = NULL;
	int err = migrate_change(w->t.f, &w->facts, domain, to_ours, is_forced,
				 &w->t.a, r, &why);

	assert_int_equal(err == 0, why == NULL);
	return why;
}

static void test_enable(void **state)
{
	struct world *w = *state;
	Fed__Record *r = NULL;

	fill(w);
	assert_null(change(w, "A.Example", true, false, &r));
	assert_string_equal(r->partner->domain, "a.example");
	assert_int_equal(r->partner->state, FED__PARTNER_STATE__ENABLED);
	/* patterns have domains of their own behind them */
	add_partner(w, "*.b.example", FED__PARTNER_STATE__LEGACY);
	add_partner(w, "*", FED__PARTNER_STATE__LEGACY);
	ft_ok(&w->t);
	assert_null(change(w, "*.B.Example", true, false, &r));
	assert_string_equal(r->partner->domain, "*.b.example");
	assert_null(change(w, "*", true, false, &r));
	assert_string_equal(r->partner->domain, "*");
	assert_non_null(change(w, "*.", true, false, &r));
	assert_non_null(change(w, "*.c.example", true, false, &r));
	assert_string_equal(change(w, "c.example", true, false, &r),
			    "c.example is no partner; \"fedctl partner list\" "
			    "has them all");
	/* who would lose it is named, and keeps it */
	ft_mover(&w->t, "benvolio@sip.example", false);
	ft_ok(&w->t);
	assert_string_equal(
		change(w, "a.example", true, false, &r),
		"1 of 3 users are still on the old side and would lose "
		"a.example: benvolio@sip.example; move them first, or --force");
	assert_null(change(w, "a.example", true, true, &r));
	/* what is BAD stands in the way */
	ft_mover(&w->t, "benvolio@sip.example", true);
	ft_ok(&w->t);
	w->edges[1].is_up = false;
	assert_string_equal(
		change(w, "a.example", true, false, &r),
		"not yet: 2. edges: edge2.example has no channel (look at the "
		"edge, and at fedctl show channels); --force does it all the "
		"same");
	assert_null(change(w, "a.example", true, true, &r));
}

/* What is in the way, and cannot be said, is in the way. */
static void test_enable_no_memory(void **state)
{
	struct world *w = *state;
	char refused[LIMIT_FEDERATION_REFUSED_BYTES + 1];
	int err = FED_ENOMEM;

	fill(w);
	memset(refused, 'x', sizeof(refused) - 1);
	refused[sizeof(refused) - 1] = '\0';
	w->edges[1].refused = refused;
	for (size_t bytes = 0; err == FED_ENOMEM; bytes += 16) {
		const char *why = NULL;
		Fed__Record *r = NULL;
		struct arena a;

		arena_init(&a, bytes);
		err = migrate_change(w->t.f, &w->facts, "a.example", true,
				     false, &a, &r, &why);
		assert_int_equal(err, why != NULL ? FED_EDENIED : FED_ENOMEM);
		assert_null(r);
		arena_deinit(&a);
	}
}

/* Who has not moved is not known: that is no leave to take it from him. */
static void test_enable_unknown_users(void **state)
{
	struct world *w = *state;
	Fed__Record *r = NULL;

	add_partner(w, "a.example", FED__PARTNER_STATE__LEGACY);
	ft_ok(&w->t);
	assert_string_equal(change(w, "a.example", true, false, &r),
			    "not yet: nobody said which users have moved, and "
			    "who has not would lose a.example: fedctl migrate "
			    "users FILE, or --force");
	assert_null(change(w, "a.example", true, true, &r));
}

static void test_rollback(void **state)
{
	struct world *w = *state;
	Fed__Record *r = NULL;

	fill(w);
	/* whatever is BAD: this is the way out */
	w->edges[0].is_up = false;
	ft_mover(&w->t, "benvolio@sip.example", false);
	ft_ok(&w->t);
	assert_null(change(w, "b.example", false, false, &r));
	assert_int_equal(r->partner->state, FED__PARTNER_STATE__LEGACY);
	/* but not into the void */
	(void)ft_settings(&w->t);
	ft_ok(&w->t);
	assert_string_equal(change(w, "b.example", false, false, &r),
			    "no old gateway is set: fedctl settings set "
			    "legacy_next_hop URI");
	assert_null(change(w, "b.example", false, true, &r));
}

static void test_verify(void **state)
{
	struct world *w = *state;
	struct errbuf e = {.text = ""};

	fill(w);
	add_partner(w, "a.example", FED__PARTNER_STATE__ENABLED);
	ft_ok(&w->t);
	fed__admin_response__init(&w->out);
	assert_int_equal(migrate_verify(w->t.f, &w->facts, "a.example", &w->t.a,
					&w->out, &e),
			 0);
	assert_non_null(
		strstr(lines(w), "a.example | good | state | enabled here\n"));
	assert_string_equal(w->out.verdict,
			    "nothing is left at the old gateway");
	fed__admin_response__init(&w->out);
	assert_int_equal(
		migrate_verify(w->t.f, &w->facts, "", &w->t.a, &w->out, &e), 0);
	assert_non_null(strstr(
		lines(w), "b.example | BAD | state | still at the old "
			  "gateway -> fedctl migrate enable \"b.example\"\n"));
	assert_string_equal(w->out.verdict, "not done: 1 of these are bad");
	assert_int_equal(migrate_verify(w->t.f, &w->facts, "x.example", &w->t.a,
					&w->out, &e),
			 FED_ENOTFOUND);
	assert_string_equal(e.text, "x.example is no partner; \"fedctl partner "
				    "list\" has them all");
	/* forced: who lost it is named */
	ft_mover(&w->t, "benvolio@sip.example", false);
	ft_ok(&w->t);
	fed__admin_response__init(&w->out);
	assert_int_equal(migrate_verify(w->t.f, &w->facts, "a.example", &w->t.a,
					&w->out, &e),
			 0);
	assert_non_null(strstr(lines(w), "users | BAD | users | 1 on the old "
					 "side have lost what is enabled here: "
					 "benvolio@sip.example"));
}

/* Who is on the SIP side: what says nothing of a user does not move him. */
static void test_judge(void **state)
{
	static const int there[] = {200, 202, 299, 480, 486,
				    488, 600, 603, 606};
	static const int not_there[] = {404, 410, 604};
	enum migrate_where want[700];

	(void)state;
	for (int i = 0; i < 700; i++)
		want[i] = i >= 200 && i < 300 ? MIGRATE_THERE : MIGRATE_UNKNOWN;
	for (size_t i = 0; i < FED_ARRAY_LEN(there); i++)
		want[there[i]] = MIGRATE_THERE;
	for (size_t i = 0; i < FED_ARRAY_LEN(not_there); i++)
		want[not_there[i]] = MIGRATE_NOT_THERE;
	for (int i = 200; i < 700; i++)
		assert_int_equal(migrate_judge(SIP_END_RESPONSE, i), want[i]);
	for (int end = SIP_END_TIMEOUT; end <= SIP_END_LOOP; end++) {
		assert_int_equal(migrate_judge((enum sip_end)end, 0),
				 MIGRATE_UNKNOWN);
		assert_int_equal(migrate_judge((enum sip_end)end, 200),
				 MIGRATE_UNKNOWN);
	}
}

#define W(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		W(test_all_is_well),
		W(test_nothing),
		W(test_what_is_bad),
		W(test_users_are_named),
		W(test_enable),
		W(test_enable_no_memory),
		W(test_enable_unknown_users),
		W(test_rollback),
		W(test_verify),
		cmocka_unit_test(test_judge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
