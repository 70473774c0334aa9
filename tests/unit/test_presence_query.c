/* Walks of operators over many watches: a part at a time, while watches come
 * and go. */
#include "presence_repair.h"
#include "presence_sub_harness.h"

enum { PARTS = 5, MANY = PARTS * LIMIT_PRESENCE_LOOKS };

static void add(struct fixture *f, size_t i, Fed__PresenceType type)
{
	char from[64];

	(void)snprintf(from, sizeof(from), "w%zu@example.com", i);
	(void)from_xmpp(f, from, ROMEO, "q", type);
	arena_reset(&f->a);
}

static void add_many(struct fixture *f)
{
	f->is_commit_held = true;
	for (size_t i = 0; i < MANY; i++)
		add(f, i, FED__PRESENCE_TYPE__SUBSCRIBE);
	assert_int_equal(watches(f), MANY);
}

/* How many are found, and how often there was a pause. */
static size_t count(struct fixture *f, struct span target, size_t *pauses_out)
{
	struct presence_cursor c;
	size_t n = 0;

	*pauses_out = 0;
	presence_query_begin(f->p, &c, target);
	while (!presence_query_is_done(&c)) {
		if (presence_query_next(f->p, &c, &f->a, f->now) != NULL)
			n++;
		else
			++*pauses_out;
		arena_reset(&f->a);
	}
	presence_query_end(f->p, &c);
	return n;
}

static void test_targets(void **state)
{
	static const struct {
		const char *target;
		size_t found;
		size_t pauses;
	} rows[] = {
		{ROMEO, MANY, 0},
		{"example.com", MANY, 0},
		{"example.net", MANY, 0},
		{"w0@example.com", 1, PARTS - 1},
		{"w2499@example.com", 1, PARTS - 1},
		{"nobody@example.com", 0, PARTS},
		{"example", 0, PARTS},
		{"com", 0, PARTS},
		{"", 0, PARTS},
	};
	struct fixture *f = *state;
	size_t pauses;

	assert_int_equal(count(f, SPAN_LIT(ROMEO), &pauses), 0);
	add_many(f);
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		size_t n = count(f, span_str(rows[i].target), &pauses);

		if (n != rows[i].found)
			fail_msg("%s: %zu found", rows[i].target, n);
		assert_in_range(pauses, rows[i].pauses, rows[i].pauses + 1);
	}
}

static void test_repair_in_parts(void **state)
{
	struct presence_repaired done = {0};
	struct presence_cursor c;
	struct fixture *f = *state;

	add_many(f);
	presence_query_begin(f->p, &c, SPAN_LIT("example.net"));
	presence_query_repair(f->p, &c, &done, f->now);
	assert_int_equal(done.watches, LIMIT_PRESENCE_LOOKS);
	for (unsigned i = 1; i < PARTS; i++) {
		assert_false(presence_query_is_done(&c));
		presence_query_repair(f->p, &c, &done, f->now);
	}
	assert_true(presence_query_is_done(&c));
	assert_int_equal(done.watches, MANY);
	assert_int_equal(done.subscribes, MANY);
	assert_int_equal(done.probes, 0);
	presence_query_end(f->p, &c);
}

/* The one that is next goes, and the last one. */
static void test_watches_that_go(void **state)
{
	const struct sip_response_in nobody = {.status = 404};
	struct presence_cursor c;
	struct fixture *f = *state;
	Fed__PresenceWatch *w;
	struct sent sent[4];

	for (size_t i = 0; i < 4; i++)
		add(f, i, FED__PRESENCE_TYPE__SUBSCRIBE);
	drain(f);
	assert_int_equal(watches(f), 4);
	assert_int_equal(f->sent_count, 4);
	memcpy(sent, f->sent, sizeof(sent));
	presence_query_begin(f->p, &c, SPAN_LIT(ROMEO));
	w = presence_query_next(f->p, &c, &f->a, f->now);
	assert_string_equal(w->watcher, "w0@example.com");
	respond_to(f, &sent[1], &nobody);
	respond_to(f, &sent[3], &nobody);
	settle(f);
	assert_int_equal(watches(f), 2);
	w = presence_query_next(f->p, &c, &f->a, f->now);
	assert_string_equal(w->watcher, "w2@example.com");
	assert_null(presence_query_next(f->p, &c, &f->a, f->now));
	assert_true(presence_query_is_done(&c));
	presence_query_end(f->p, &c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_targets),
		T(test_repair_in_parts),
		T(test_watches_that_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
