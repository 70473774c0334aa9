/* What came of a change is kept for who is told later. */
#include "federation_harness.h"

#include "fe-gateway/core/federation_keep.h"

struct kept {
	struct arena a;
	Fed__FederationChanged *changed;
	struct errbuf e;
};

static void keep(struct kept *k, size_t bytes, const char *error)
{
	char text[] = "b.example is doubtful";
	char *warnings[] = {text};
	Fed__FederationChanged c;

	fed__federation_changed__init(&c);
	c.revision = 7;
	c.warning = warnings;
	c.n_warning = 1;
	memset(k, 0, sizeof(*k));
	arena_init(&k->a, bytes);
	federation_keep(error == NULL ? &c : NULL, error, &k->a, &k->changed,
			&k->e);
	memset(text, 'x', sizeof(text) - 1);
}

static void test_copy(void **state)
{
	struct kept k;

	(void)state;
	keep(&k, 4096, NULL);
	assert_string_equal(k.e.text, "");
	assert_int_equal(k.changed->revision, 7);
	assert_int_equal(k.changed->n_warning, 1);
	assert_string_equal(k.changed->warning[0], "b.example is doubtful");
	arena_deinit(&k.a);
}

static void test_refused(void **state)
{
	struct kept k;

	(void)state;
	keep(&k, 4096, "edge1.example does not take it");
	assert_null(k.changed);
	assert_string_equal(k.e.text, "edge1.example does not take it");
	arena_deinit(&k.a);
}

/* It is in force: who asks is not told that it failed. */
static void test_no_memory(void **state)
{
	struct kept k;

	(void)state;
	keep(&k, 1, NULL);
	assert_null(k.changed);
	assert_string_equal(k.e.text,
			    "it is done, but there is no memory to say what");
	arena_deinit(&k.a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
