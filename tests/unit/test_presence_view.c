/* Sets of resources: against a plain array, and the order of what is best. */
#include "fe-gateway/core/presence_view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { NAMES = LIMIT_PRESENCE_RESOURCES + 8, STEPS = 20000 };

static uint32_t next_random(uint32_t *s)
{
	*s = *s * 1664525u + 1013904223u;
	return *s >> 8;
}

static struct presence_resource open_one(const char *name, int priority,
					 Fed__Show show)
{
	return (struct presence_resource){.name = name,
					  .is_open = true,
					  .show = show,
					  .priority = priority};
}

static void set(struct presence_view *v, const struct presence_resource *r)
{
	assert_int_equal(presence_view_set(v, r), 0);
}

/* Names that are prefixes of each other, with bytes above 127. */
static void make_name(size_t i, char out[16])
{
	(void)snprintf(out, 16, "%s%.*s%c", i % 3 == 0 ? "\xC3\xA9" : "n",
		       (int)(i % 7), "nnnnnnn", (int)('A' + i));
}

static void check_order(const struct presence_view *v)
{
	for (size_t i = 1; i < v->count; i++)
		assert_true(strcmp(v->items[i - 1]->name, v->items[i]->name) <
			    0);
}

static void test_against_array(void **state)
{
	struct presence_view v = {.count = 0};
	bool is_there[NAMES] = {false};
	int priority[NAMES] = {0};
	size_t count = 0;
	uint32_t seed = 11;

	(void)state;
	for (size_t step = 0; step < STEPS; step++) {
		size_t i = next_random(&seed) % NAMES;
		const struct presence_resource *found;
		struct presence_resource r;
		char name[16];

		make_name(i, name);
		if (next_random(&seed) % 3 == 0) {
			assert_int_equal(
				presence_view_remove(&v, span_str(name)),
				is_there[i]);
			count -= is_there[i];
			is_there[i] = false;
		} else {
			int p = (int)(next_random(&seed) % 256) - 128;
			bool is_full = !is_there[i] &&
				       count == LIMIT_PRESENCE_RESOURCES;

			r = open_one(name, p, FED__SHOW__AWAY);
			assert_int_equal(presence_view_set(&v, &r),
					 is_full ? FED_ELIMIT : 0);
			if (!is_full) {
				count += !is_there[i];
				is_there[i] = true;
				priority[i] = p;
			}
		}
		found = presence_view_find(&v, span_str(name));
		assert_int_equal(found != NULL, is_there[i]);
		if (found != NULL)
			assert_int_equal(found->priority, priority[i]);
		assert_int_equal(v.count, count);
		check_order(&v);
	}
	presence_view_clear(&v);
	presence_view_clear(&v);
}

/* The view has its own texts, and no more of them than it may. */
static void test_copies(void **state)
{
	static const char EURO[] = "\xE2\x82\xAC";
	struct presence_view v = {.count = 0};
	struct presence_resource r = open_one("a", 1, FED__SHOW__DND);
	const struct presence_resource *found;
	char lang[LIMIT_LANG_BYTES + 2];
	char text[2 * LIMIT_PRESENCE_NOTE_BYTES];
	size_t n = 0;

	(void)state;
	while (n + 4 < sizeof(text)) {
		memcpy(text + n, EURO, 3);
		n += 3;
	}
	text[n] = '\0';
	memset(lang, 'x', sizeof(lang) - 1);
	lang[sizeof(lang) - 1] = '\0';
	r.note[0] = (struct presence_note){"cs", text};
	r.note[1] = (struct presence_note){lang, "short"};
	r.note[2] = (struct presence_note){NULL, NULL};
	r.note_count = 3;
	set(&v, &r);
	memset(text, '!', sizeof(text) - 1);
	found = presence_view_find(&v, SPAN_LIT("a"));
	assert_non_null(found);
	n = strlen(found->note[0].text);
	assert_in_range(n, LIMIT_PRESENCE_NOTE_BYTES - 2,
			LIMIT_PRESENCE_NOTE_BYTES);
	assert_int_equal(n % 3, 0);
	assert_true(span_is_utf8(span_of(found->note[0].text, n)));
	assert_string_equal(found->note[0].lang, "cs");
	assert_string_equal(found->note[1].lang, "");
	assert_string_equal(found->note[1].text, "short");
	assert_string_equal(found->note[2].lang, "");
	assert_string_equal(found->note[2].text, "");
	/* a copy of one that is in the view, in its own place */
	set(&v, found);
	assert_int_equal(v.count, 1);
	assert_string_equal(v.items[0]->note[1].text, "short");
	assert_true(presence_view_remove(&v, span_str(v.items[0]->name)));
	assert_int_equal(v.count, 0);
	assert_null(v.items);
}

struct eq_row {
	const char *name;
	struct presence_resource a;
	struct presence_resource b;
	bool is_eq;
};

#define OPEN .name = "r", .is_open = true
#define CLOSED .name = "r", .is_open = false

static const struct eq_row EQ_ROWS[] = {
	{"same", {OPEN}, {OPEN}, true},
	{"open and closed", {OPEN}, {CLOSED}, false},
	{"names", {.name = "r"}, {.name = "s"}, false},
	{"show", {OPEN, .show = FED__SHOW__XA}, {OPEN}, false},
	{"priority", {OPEN, .priority = 1}, {OPEN}, false},
	{"show and priority of closed ones",
	 {CLOSED, .show = FED__SHOW__XA, .priority = 1},
	 {CLOSED},
	 true},
	{"a note",
	 {CLOSED, .note = {{"", "x"}}, .note_count = 1},
	 {CLOSED},
	 false},
	{"its text",
	 {OPEN, .note = {{"", "x"}}, .note_count = 1},
	 {OPEN, .note = {{"", "y"}}, .note_count = 1},
	 false},
	{"its language",
	 {OPEN, .note = {{"de", "x"}}, .note_count = 1},
	 {OPEN, .note = {{"", "x"}}, .note_count = 1},
	 false},
	{"order of notes",
	 {OPEN, .note = {{"de", "x"}, {"cs", "y"}}, .note_count = 2},
	 {OPEN, .note = {{"cs", "y"}, {"de", "x"}}, .note_count = 2},
	 false},
};

static void test_eq(void **state)
{
	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(EQ_ROWS); i++) {
		const struct eq_row *r = &EQ_ROWS[i];
		struct presence_view a = {.count = 0};
		struct presence_view b = {.count = 0};

		set(&a, &r->a);
		set(&b, &r->b);
		if (presence_resource_eq(&r->a, &r->b) != r->is_eq ||
		    presence_resource_eq(&r->b, &r->a) != r->is_eq ||
		    presence_view_eq(&a, &b) != r->is_eq)
			fail_msg("%s", r->name);
		assert_true(presence_view_remove(&b, span_str(r->b.name)));
		assert_false(presence_view_eq(&a, &b));
		presence_view_clear(&a);
		assert_true(presence_view_eq(&a, &b));
	}
}

/* Each is better than all behind it. */
static void test_best(void **state)
{
	const struct presence_resource order[] = {
		open_one("z", 5, FED__SHOW__DND),
		open_one("f", 0, FED__SHOW__SHOW_CHAT),
		open_one("a", 0, FED__SHOW__NO_SHOW),
		open_one("b", 0, FED__SHOW__NO_SHOW),
		open_one("c", 0, FED__SHOW__AWAY),
		open_one("x", 0, FED__SHOW__XA),
		open_one("d", 0, FED__SHOW__DND),
		open_one("e", -1, FED__SHOW__SHOW_CHAT),
	};
	struct presence_resource closed = {.name = "", .priority = 127};
	struct presence_view v = {.count = 0};

	(void)state;
	assert_null(presence_view_best(&v));
	assert_false(presence_view_is_open(&v));
	set(&v, &closed);
	assert_null(presence_view_best(&v));
	assert_false(presence_view_is_open(&v));
	for (size_t i = FED_ARRAY_LEN(order); i-- > 0;) {
		set(&v, &order[i]);
		assert_true(presence_view_is_open(&v));
		assert_string_equal(presence_view_best(&v)->name,
				    order[i].name);
	}
	presence_view_clear(&v);
}

static void test_move(void **state)
{
	struct presence_resource r = open_one("a", 1, FED__SHOW__NO_SHOW);
	struct presence_resource s = open_one("b", 1, FED__SHOW__NO_SHOW);
	struct presence_view from = {.count = 0};
	struct presence_view to = {.count = 0};

	(void)state;
	set(&from, &r);
	set(&to, &s);
	presence_view_move(&to, &from);
	assert_int_equal(from.count, 0);
	assert_int_equal(to.count, 1);
	assert_non_null(presence_view_find(&to, SPAN_LIT("a")));
	presence_view_move(&to, &to);
	assert_int_equal(to.count, 1);
	set(&from, &s);
	presence_view_clear(&from);
	presence_view_clear(&to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_array),
		cmocka_unit_test(test_copies),
		cmocka_unit_test(test_eq),
		cmocka_unit_test(test_best),
		cmocka_unit_test(test_move),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
