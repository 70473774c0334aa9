/* What must hold between the records of a configuration, and how many there may
 * be. */
#include "tests/unit/federation_harness.h"

#include "base/limits.h"

/* --- between records -------------------------------------------------------
 */

static void test_shared_domains(void **state)
{
	struct fed_test t;

	(void)state;
	ft_init(&t);
	ft_additional(&t, ft_partner(&t, "a.example"), "shared.example");
	ft_additional(&t, ft_partner(&t, "b.example"), "shared.example");
	ft_refused(&t, "partner b.example: additional: shared.example belongs "
		       "to a.example already");
	ft_additional(&t, ft_partner(&t, "a.example"), "b.example");
	ft_partner(&t, "b.example");
	ft_refused(&t, "partner b.example: domain: b.example belongs to "
		       "a.example already");
	ft_deinit(&t);
}

static void test_denied(void **state)
{
	struct fed_test t;

	(void)state;
	ft_init(&t);
	ft_denied(&t, "*");
	ft_refused(&t, "denied *: domain: all are denied already where "
		       "settings say mode: closed");
	ft_partner(&t, "a.example");
	ft_denied(&t, "A.example");
	ft_refused(&t, "partner a.example: a.example is denied (denied "
		       "a.example); remove one of them");
	ft_additional(&t, ft_partner(&t, "a.example"), "*.x.bad.example");
	ft_denied(&t, "*.bad.example");
	ft_refused(&t, "partner a.example: *.x.bad.example is denied (denied "
		       "*.bad.example); remove one of them");
	ft_partner(&t, "a.bad.example");
	ft_partner(&t, "*.good.example");
	ft_denied(&t, "*.bad.example");
	ft_denied(&t, "not.good.example");
	ft_ok(&t);
	ft_deinit(&t);
}

static void test_references(void **state)
{
	struct fed_test t;

	(void)state;
	ft_init(&t);
	ft_grant(&t, "alice@example.net", "sales");
	ft_refused(&t,
		   "grant alice@example.net: policy: there is no policy "
		   "\"sales\"; make it with fedctl policy set user \"sales\"");
	ft_policy(&t, FED__POLICY_SCOPE__USER, "Sales", true, true);
	ft_site(&t, "Berlin", NULL);
	ft_ok(&t);
	ft_grant(&t, "alice@example.net", "sales");
	ft_refused(&t, "grant alice@example.net: policy: there is no policy "
		       "\"sales\"; did you mean \"Sales\"?");
	ft_member(&t, "alice@example.net", "Berlni");
	ft_refused(&t, "member alice@example.net: site: there is no site "
		       "\"Berlni\"; did you mean \"Berlin\"?");
	ft_policy(&t, FED__POLICY_SCOPE__SITE, "Hamburg", true, true);
	ft_refused(&t, "policy site Hamburg: name: there is no site "
		       "\"Hamburg\"; make it with fedctl site add "
		       "\"Hamburg\"");
	/* a policy of another scope is none that can be granted */
	ft_policy(&t, FED__POLICY_SCOPE__SITE, "Berlin", true, true);
	ft_ok(&t);
	ft_grant(&t, "alice@example.net", "Berlin");
	ft_refused(&t, "grant alice@example.net: policy: there is no policy "
		       "\"Berlin\"; make it with fedctl policy set user "
		       "\"Berlin\"");
	ft_deinit(&t);
}

static void test_losses(void **state)
{
	struct fed_test t;

	(void)state;
	ft_init(&t);
	ft_policy(&t, FED__POLICY_SCOPE__USER, "sales", true, true);
	ft_grant(&t, "bob@example.net", "sales");
	ft_grant(&t, "alice@example.net", "sales");
	ft_site(&t, "Berlin", NULL);
	ft_member(&t, "carol@example.net", "Berlin");
	ft_policy(&t, FED__POLICY_SCOPE__SITE, "Berlin", true, true);
	ft_ok(&t);
	ft_policy(&t, FED__POLICY_SCOPE__USER, "sales", true, true);
	ft_remove(&t);
	ft_refused(&t, "policy user sales: it is granted to 2 users, "
		       "alice@example.net first; see fedctl grant list "
		       "--policy \"sales\", then fedctl revoke, or grant "
		       "another one");
	ft_site(&t, "Berlin", NULL);
	ft_remove(&t);
	ft_refused(&t, "site Berlin: 1 user of it, carol@example.net first; "
		       "see fedctl site show \"Berlin\", then fedctl site "
		       "set with --user -USER");
	ft_member(&t, "carol@example.net", "");
	ft_remove(&t);
	ft_ok(&t);
	ft_site(&t, "Berlin", NULL);
	ft_remove(&t);
	ft_refused(&t, "site Berlin: it has a policy; remove that too (fedctl "
		       "policy remove site \"Berlin\")");
	/* all that names it goes in one change */
	ft_site(&t, "Berlin", NULL);
	ft_remove(&t);
	ft_policy(&t, FED__POLICY_SCOPE__SITE, "Berlin", true, true);
	ft_remove(&t);
	ft_ok(&t);
	/* a file without the policy, with a grant of it */
	ft_grant(&t, "alice@example.net", "sales");
	assert_int_equal(ft_apply_as(&t, true), FED_EINVAL);
	assert_string_equal(t.e.text,
			    "grant alice@example.net: policy: there is no "
			    "policy \"sales\"; make it with fedctl policy set "
			    "user \"sales\"");
	ft_deinit(&t);
}

/* --- limits ----------------------------------------------------------------
 */

/* Records of one kind up to its limit are taken, one more is refused. */
static void expect_most(size_t most, const char *sentence,
			void (*put)(struct fed_test *t, const char *name))
{
	struct fed_test t;
	Fed__Record **list = calloc(most + 1, sizeof(*list));
	struct federation_edit edit = {.put = list, .put_count = most};
	struct federation *f = NULL;

	assert_non_null(list);
	ft_init(&t);
	for (size_t i = 0; i <= most; i++) {
		put(&t, arena_printf(&t.a, "n%zu.example", i));
		list[i] = t.put[--t.put_count];
	}
	assert_int_equal(federation_new(&f, NULL, &edit, NULL, NULL, &t.e), 0);
	federation_free(f);
	edit.put_count++;
	assert_int_equal(federation_new(&f, NULL, &edit, NULL, NULL, &t.e),
			 FED_ELIMIT);
	assert_string_equal(t.e.text, sentence);
	free(list);
	ft_deinit(&t);
}

static void put_partner(struct fed_test *t, const char *name)
{
	(void)ft_partner(t, name);
}

static void put_denied(struct fed_test *t, const char *name)
{
	(void)ft_denied(t, name);
}

static void put_policy(struct fed_test *t, const char *name)
{
	(void)ft_policy(t, FED__POLICY_SCOPE__USER, name, true, true);
}

static void put_site(struct fed_test *t, const char *name)
{
	(void)ft_site(t, name, name);
}

static void put_mover(struct fed_test *t, const char *name)
{
	ft_mover(t, arena_printf(&t->a, "u@%s", name), true);
}

static void test_limits(void **state)
{
	struct fed_test t;
	Fed__PartnerRecord *p;

	(void)state;
	expect_most(LIMIT_FEDERATION_PARTNERS,
		    "2001 partners; 2000 are the most", put_partner);
	expect_most(LIMIT_FEDERATION_DENIED,
		    "2001 denied domains; 2000 are the most", put_denied);
	expect_most(LIMIT_FEDERATION_POLICIES, "257 policies; 256 are the most",
		    put_policy);
	expect_most(LIMIT_FEDERATION_SITES, "257 sites; 256 are the most",
		    put_site);
	expect_most(LIMIT_FEDERATION_USERS,
		    "200001 users of the migration; 200000 are the most",
		    put_mover);
	ft_init(&t);
	p = ft_partner(&t, "a.example");
	for (int i = 0; i < 65; i++)
		ft_additional(&t, p, arena_printf(&t.a, "x%d.example", i));
	ft_refused(
		&t,
		"partner a.example: additional: 65 domains; 64 are the most");
	ft_deinit(&t);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shared_domains),
		cmocka_unit_test(test_denied),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_losses),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
