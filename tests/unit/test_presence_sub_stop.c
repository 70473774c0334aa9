/* OUT watches at an orderly stop: nobody stays there, and what was under way is
 * not lost. */
#include "presence_sub_harness.h"

static void test_stop(void **state)
{
	struct fixture *f = *state;

	(void)subscribe(f);
	drain(f);
	respond(f, 200);
	notify(f, "active;expires=3600", DOC(OPEN("x") OPEN("y")));
	settle(f);
	presence_stop(f->p, f->now);
	expect(f, FULL("x", "unavailable") FULL("y", "unavailable"));
	assert_true(presence_is_idle(f->p));
	/* it goes on listening, and says nothing any more */
	notify(f, "active;expires=3600", DOC(OPEN("z")));
	(void)probe(f, "p1");
	expect(f, OK("2") DELIVERED("2"));
	pass(f, 3600000);
	expect(f, "");
	/* the dialog is there for the next run */
	crash(f, 1000);
	settle(f);
	assert_int_equal(f->kept.count, 2);
	respond(f, 200);
	notify(f, "active;expires=3600", DOC(OPEN("x")));
	drain(f);
	assert_non_null(strstr(f->text, FULL("x", "available")));
}

/* A SUBSCRIBE that is under way is waited for: the next run has its dialog. */
static void test_stop_asking(void **state)
{
	struct fixture *f = *state;

	(void)subscribe(f);
	drain(f);
	presence_stop(f->p, f->now);
	assert_false(presence_is_idle(f->p));
	settle(f);
	respond(f, 200);
	expect(f, "");
	assert_true(presence_is_idle(f->p));
	crash(f, 1000);
	pass(f, 60000);
	expect(f, REFRESH("1", "1002"));
}

/* ... or it is ended, when its watcher has left meanwhile. */
static void test_stop_leaving(void **state)
{
	struct fixture *f = *state;

	(void)subscribe(f);
	drain(f);
	(void)unsubscribe(f);
	presence_stop(f->p, f->now);
	settle(f);
	respond(f, 200);
	expect(f, END("1", "2"));
	assert_false(presence_is_idle(f->p));
	respond(f, 200);
	settle(f);
	assert_true(presence_is_idle(f->p));
	crash(f, 1000);
	pass(f, 60000);
	expect(f, "");
	assert_int_equal(f->kept.count, 0);
}

/* A domain that cannot be reached does not hold the stop up. */
static void test_stop_away(void **state)
{
	struct fixture *f = *state;

	watch(f);
	presence_on_stream(f->p, SPAN_LIT("example.com"),
			   PRESENCE_STREAM_FAILED, f->now);
	presence_stop(f->p, f->now);
	expect(f, "");
	assert_true(presence_is_idle(f->p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_stop),
		T(test_stop_asking),
		T(test_stop_leaving),
		T(test_stop_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
