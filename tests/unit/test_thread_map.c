/* Bounded memory of pairs: threads and message types. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "fe-gateway/core/thread_map.h"

struct fixture {
	struct thread_map *m;
	struct arena a;
};

static int setup(void **state)
{
	static struct fixture f;

	arena_init(&f.a, 1 << 20);
	assert_int_equal(thread_map_new(&f.m, 4), 0);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	thread_map_free(f->m);
	arena_deinit(&f->a);
	return 0;
}

static void test_call_id_grammar(void **state)
{
	static const struct {
		const char *thread;
		bool is_call_id;
	} rows[] = {
		{"D9AA95FD-2BD5-46E2-AF0F-6CFAA96BDDFA", true}, /* IM3 */
		{"a@b", true},
		{"a!%*_+`'~()<>:\\\"/[]?{}z", true},
		{"", false},
		{"@b", false},
		{"a@", false},
		{"a@b@c", false},
		{"a b", false},
		{"a,b", false},
		{"a;b", false},
		{"a=b", false},
		{"a\r\nRoute: x", false},
		{"mein Gespr\xC3\xA4"
		 "ch",
		 false}, /* IM5 */
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++)
		assert_int_equal(thread_is_call_id(span_str(rows[i].thread)),
				 rows[i].is_call_id);
}

static void test_length_bound(void **state)
{
	char s[LIMIT_CALL_ID_BYTES + 2];

	(void)state;
	memset(s, 'x', sizeof(s));
	assert_true(thread_is_call_id(span_of(s, LIMIT_CALL_ID_BYTES)));
	assert_false(thread_is_call_id(span_of(s, LIMIT_CALL_ID_BYTES + 1)));
}

/* IM5 */
static void test_way_back(void **state)
{
	struct fixture *f = *state;
	struct span x = SPAN_LIT("juliet@example.com");
	struct span s = SPAN_LIT("romeo@example.net");
	struct span thread = SPAN_LIT("mein Gespr\xC3\xA4"
				      "ch");
	const char *id = thread_map_call_id(f->m, x, s, thread, &f->a);
	const char *again = thread_map_call_id(f->m, x, s, thread, &f->a);

	assert_non_null(id);
	assert_true(thread_is_call_id(span_str(id)));
	assert_string_equal(id, again);
	assert_int_equal(thread_map_count(f->m), 1);
	assert_true(
		span_eq(thread_map_thread(f->m, x, s, span_str(id)), thread));
}

/* longer than what is digested in one piece on the stack */
static void test_long_thread(void **state)
{
	struct fixture *f = *state;
	struct span x = SPAN_LIT("juliet@example.com");
	struct span s = SPAN_LIT("romeo@example.net");
	char text[LIMIT_THREAD_BYTES];
	struct span thread = span_of(text, sizeof(text));
	const char *id;
	const char *other;

	memset(text, 'x', sizeof(text));
	id = thread_map_call_id(f->m, x, s, thread, &f->a);
	assert_true(
		span_eq(thread_map_thread(f->m, x, s, span_str(id)), thread));
	text[sizeof(text) - 1] = 'y';
	other = thread_map_call_id(f->m, x, s, thread, &f->a);
	assert_string_not_equal(id, other);
}

/* a thread means nothing beyond its pair */
static void test_other_pair(void **state)
{
	struct fixture *f = *state;
	struct span x = SPAN_LIT("juliet@example.com");
	struct span y = SPAN_LIT("mallory@example.org");
	struct span s = SPAN_LIT("romeo@example.net");
	const char *id = thread_map_call_id(f->m, x, s, SPAN_LIT("a b"), &f->a);
	const char *other =
		thread_map_call_id(f->m, y, s, SPAN_LIT("a b"), &f->a);

	assert_string_not_equal(id, other);
	assert_true(
		span_eq_str(thread_map_thread(f->m, y, s, span_str(id)), id));
}

static void test_oldest_goes(void **state)
{
	struct fixture *f = *state;
	struct span x = SPAN_LIT("x@a.example");
	struct span s = SPAN_LIT("s@b.example");
	const char *ids[5];
	char thread[16];

	for (int i = 0; i < 4; i++) {
		(void)snprintf(thread, sizeof(thread), "t %d", i);
		ids[i] =
			thread_map_call_id(f->m, x, s, span_str(thread), &f->a);
	}
	/* the first is used again, so the second is the oldest */
	assert_true(span_eq_str(thread_map_thread(f->m, x, s, span_str(ids[0])),
				"t 0"));
	ids[4] = thread_map_call_id(f->m, x, s, SPAN_LIT("t 4"), &f->a);
	assert_int_equal(thread_map_count(f->m), 4);
	assert_true(span_eq_str(thread_map_thread(f->m, x, s, span_str(ids[0])),
				"t 0"));
	assert_true(span_eq_str(thread_map_thread(f->m, x, s, span_str(ids[1])),
				ids[1]));
	assert_true(span_eq_str(thread_map_thread(f->m, x, s, span_str(ids[4])),
				"t 4"));
}

static void test_types(void **state)
{
	struct fixture *f = *state;
	struct span x = SPAN_LIT("x@a.example");
	struct span s = SPAN_LIT("s@b.example");

	assert_false(thread_map_is_chat(f->m, x, s));
	thread_map_note_type(f->m, x, s, false);
	assert_int_equal(thread_map_count(f->m), 0);
	thread_map_note_type(f->m, x, s, true);
	assert_true(thread_map_is_chat(f->m, x, s));
	assert_false(thread_map_is_chat(f->m, s, x));
	thread_map_note_type(f->m, x, s, false);
	assert_false(thread_map_is_chat(f->m, x, s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_call_id_grammar),
		cmocka_unit_test(test_length_bound),
		cmocka_unit_test_setup_teardown(test_way_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_thread, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_other_pair, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_oldest_goes, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_types, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
