/* Snapshots: edits, keys, names, look-ups, differences. */
#include "tests/unit/federation_harness.h"

#include "base/limits.h"

/* --- keys and names --------------------------------------------------------
 */

static void test_keys_and_order(void **state)
{
	static const char *const keys[] = {
		"denied/bad.example",
		"grant/alice@example.net",
		"member/bob@example.net",
		"mover/carol@example.net",
		"partner/*",
		"partner/fabrikam.example",
		"policy/global",
		"policy/site/Berlin",
		"policy/user/sales",
		"settings",
		"site/Berlin",
	};
	char key[FEDERATION_KEY_BYTES];
	const Fed__Record *r = NULL;
	struct fed_test t;

	(void)state;
	ft_init(&t);
	ft_settings(&t)->open = true;
	ft_site(&t, "Berlin", "b.example.net");
	ft_policy(&t, FED__POLICY_SCOPE__USER, "sales", true, true);
	ft_policy(&t, FED__POLICY_SCOPE__SITE, "Berlin", true, false);
	ft_policy(&t, FED__POLICY_SCOPE__GLOBAL, "", false, false);
	ft_partner(&t, "Fabrikam.EXAMPLE.");
	ft_partner(&t, "*");
	ft_mover(&t, "sip:carol@Example.net", false);
	ft_member(&t, "Bob@example.net", "Berlin");
	ft_grant(&t, "sips:ALICE@example.net;transport=tls", " sales ");
	ft_denied(&t, "bad.example");
	ft_ok(&t);
	assert_int_equal(federation_count(t.f), FED_ARRAY_LEN(keys));
	for (size_t i = 0; i < FED_ARRAY_LEN(keys); i++) {
		r = federation_next(t.f, r);
		assert_non_null(r);
		assert_int_equal(federation_key(r, key), strlen(keys[i]));
		assert_string_equal(key, keys[i]);
		assert_ptr_equal(federation_find(t.f, keys[i]), r);
	}
	assert_null(federation_next(t.f, r));
	assert_null(federation_find(t.f, "partner/"));
	assert_null(federation_find(t.f, "partner/none.example"));
	assert_string_equal(
		federation_find(t.f, "grant/alice@example.net")->grant->policy,
		"sales");
	ft_deinit(&t);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys_and_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
