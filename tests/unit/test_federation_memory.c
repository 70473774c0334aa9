/* Each allocation fails once: a change is made whole or not at all, and what
 * was there before stays as it is. */
#include "tests/unit/federation_change_harness.h"

#include <limits.h>

#include "base/limits.h"
#include "fe-gateway/core/access.h"

/* Only what is allocated inside of the core fails (see the Makefile: malloc and
 * its kin are wrapped). */
static bool is_armed;
static long allocations_left; /* until one fails */

static bool may_allocate(void)
{
	return !is_armed || allocations_left-- != 0;
}

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

void *__wrap_malloc(size_t n)
{
	return may_allocate() ? __real_malloc(n) : NULL;
}

void *__wrap_calloc(size_t n, size_t size)
{
	return may_allocate() ? __real_calloc(n, size) : NULL;
}

void *__wrap_realloc(void *p, size_t n)
{
	return may_allocate() ? __real_realloc(p, n) : NULL;
}

/* Some of each kind; more than fit the first tables. */
static void put_all(struct fed_test *t)
{
	ft_settings(t)->federation = true;
	t->put[t->put_count - 1]->settings->open = true;
	ft_site(t, "Berlin", "b.example.net");
	ft_policy(t, FED__POLICY_SCOPE__USER, "sales", true, true);
	ft_policy(t, FED__POLICY_SCOPE__SITE, "Berlin", true, true);
	ft_policy(t, FED__POLICY_SCOPE__GLOBAL, "", true, true);
	ft_additional(t, ft_partner(t, "fabrikam.example"), "*.fab.example");
	for (int i = 0; i < 40; i++)
		ft_partner(t, arena_printf(&t->a, "p%d.example", i));
	ft_mover(t, "carol@example.net", true);
	ft_member(t, "bob@example.net", "Berlin");
	ft_grant(t, "alice@example.net", "sales");
	ft_denied(t, "bad.example");
}

/* The n-th allocation of federation_new() fails. */
static int new_failing(struct fed_test *t, const struct federation *base,
		       long n, struct federation **out)
{
	struct federation_edit edit = {.put = t->put,
				       .put_count = t->put_count,
				       .remove = t->remove,
				       .remove_count = t->remove_count};
	int err;

	allocations_left = n;
	is_armed = true;
	err = federation_new(out, base, &edit, &t->a, &t->w, &t->e);
	is_armed = false;
	if (err != 0) {
		assert_int_equal(err, FED_ENOMEM);
		assert_null(*out);
		assert_string_equal(t->e.text, "out of memory");
	}
	return err;
}

static void test_new(void **state)
{
	struct fed_test t;
	struct federation *f = NULL;
	long n = 0;

	(void)state;
	ft_init(&t);
	put_all(&t);
	while (new_failing(&t, NULL, n, &f) != 0)
		n++;
	assert_true(n > 50);
	assert_int_equal(federation_count(f), t.put_count);
	federation_free(f);
	ft_deinit(&t);
}

static void test_change(void **state)
{
	struct fed_test t;
	struct federation *f = NULL;
	long n = 0;

	(void)state;
	ft_init(&t);
	put_all(&t);
	ft_ok(&t);
	ft_partner(&t, "p0.example");
	ft_remove(&t);
	ft_partner(&t, "new.example");
	ft_partner(&t, "p1.example")->keep_alive = false;
	while (new_failing(&t, t.f, n, &f) != 0) {
		assert_non_null(federation_find(t.f, "partner/p0.example"));
		assert_true(federation_find(t.f, "partner/p1.example")
				    ->partner->keep_alive);
		n++;
	}
	assert_true(n > 5);
	assert_int_equal(federation_count(f), federation_count(t.f));
	federation_free(f);
	ft_deinit(&t);
}

/* What is made of a snapshot, in an arena whose n-th block is not to be had. */
static int make(struct fed_test *t, struct arena *a)
{
	struct access_query q = {.what = ACCESS_PRESENCE,
				 .direction = ACCESS_TO_XMPP,
				 .local = SPAN_LIT("bob@example.net"),
				 .remote = SPAN_LIT("x@y.fab.example")};
	static const char *const served[] = {"example.net"};
	Fed__AdminResponse out;
	Fed__Config *c;
	Fed__Change **changes;
	size_t n;
	int err;

	fed__admin_response__init(&out);
	err = federation_push(t->f, served, 1, a, &c, &t->e);
	if (err == 0)
		err = federation_diff(NULL, t->f, a, &changes, &n);
	if (err == 0)
		err = access_explain(t->f, &q, a, &out);
	if (err == 0) {
		assert_int_equal(c->n_partner, 43);
		assert_int_equal(n, federation_count(t->f));
		assert_int_equal(out.n_finding, 6);
	}
	return err;
}

static void test_made_of_it(void **state)
{
	struct fed_test t;
	int err = FED_ENOMEM;
	size_t max = 0;

	(void)state;
	ft_init(&t);
	put_all(&t);
	ft_ok(&t);
	for (; err != 0; max += 16) {
		struct arena a;

		arena_init(&a, max);
		err = make(&t, &a);
		if (err != 0)
			assert_int_equal(err, FED_ENOMEM);
		arena_deinit(&a);
	}
	assert_true(max > 4096);
	ft_deinit(&t);
}

/* --- a change ------------------------------------------------------------- */

/* What came of it: a sentence, and nothing else. */
static void change_failed(struct fc_test *t, int err, uint64_t number)
{
	assert_int_equal(err, FED_ENOMEM);
	assert_string_equal(t->e.text, "out of memory");
	assert_int_equal(fc_state(t), FEDERATION_IDLE);
	assert_int_equal(federation_change_head(t->c)->number, number);
	fc_did(t, "");
}

/* Warnings and changes of the last one; those that are not listed are said. */
static size_t listed(const struct fc_test *t)
{
	const char *last = t->warned;
	size_t n = t->changes;
	size_t more;

	for (const char *p = t->warned; *p != '\0'; p = strchr(p, '\n') + 1) {
		last = p;
		n++;
	}
	return sscanf(last,
		      "%zu more warnings and changes are not listed: "
		      "out of memory\n",
		      &more) == 1
		       ? n - 1 + more
		       : n;
}

/* The n-th allocation of a wish for all of that fails.
 *
 * @param listed_out  0: the wish did
 * @return whether one did
 */
static bool begin_failing(long n, size_t *listed_out)
{
	Fed__AdminFederationApply a = fc_apply();
	char what[] = "all";
	struct fc_test t;
	int err;

	fc_init(&t);
	put_all(&t.records);
	a.what = what;
	allocations_left = n;
	is_armed = true;
	err = fc_try_wish(&t, &a);
	is_armed = false;
	*listed_out = 0;
	if (err != 0) {
		change_failed(&t, err, 0);
	} else {
		fc_did(&t, "store 1");
		is_armed = true;
		fc_committed(&t, 1);
		is_armed = false;
		fc_did(&t, "in force; tell a 1; tell b 1; done 1");
		*listed_out = listed(&t);
	}
	fc_deinit(&t);
	return allocations_left < 0;
}

static void test_begin(void **state)
{
	size_t all;
	size_t some;
	long n = 0;

	(void)state;
	(void)begin_failing(LONG_MAX, &all);
	assert_true(all > 50);
	for (; begin_failing(n, &some); n++)
		assert_true(some == 0 || some == all);
	assert_true(n > 50);
}

/* All of it is to go again. */
static bool read_failing(long n)
{
	static struct federation_change_row rows[FED_T_RECORDS];
	char keys[FED_T_RECORDS][FEDERATION_KEY_BYTES];
	struct federation_action a;
	size_t count;
	struct fc_test t;

	fc_init(&t);
	fc_settle(&t, "x.example", 1);
	put_all(&t.records);
	count = t.records.put_count;
	for (size_t i = 0; i < count; i++)
		rows[i].key = span_of(
			keys[i], federation_key(t.records.put[i], keys[i]));
	fc_wish(&t);
	fc_committed(&t, 2);
	while (federation_change_next_action(t.c, &a))
		;
	fc_wish_back(&t, 1);
	fc_did(&t, "read 1");
	allocations_left = n;
	is_armed = true;
	federation_change_on_read(t.c, 0, rows, count, 1, t.now_ms);
	is_armed = false;
	if (fc_state(&t) == FEDERATION_IDLE) {
		fc_did(&t, "refused: out of memory");
		assert_int_equal(federation_change_head(t.c)->number, 2);
	} else {
		fc_did(&t, "store 3");
		fc_committed(&t, 3);
		fc_did(&t, "in force; tell a 3; tell b 3; done 3");
	}
	fc_deinit(&t);
	return allocations_left < 0;
}

static void test_read(void **state)
{
	long n = 0;

	(void)state;
	while (read_failing(n))
		n++;
	assert_true(n > 10);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new),
		cmocka_unit_test(test_change),
		cmocka_unit_test(test_made_of_it),
		cmocka_unit_test(test_begin),
		cmocka_unit_test(test_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
