/* OUT watches whose watcher leaves, and perhaps comes back: what he was told to
 * be there he is told to be gone, and no dialog is lost, also when the gateway
 * is killed in between. */
#include "presence_sub_harness.h"

/* R is there with x and y, and all that was done is durable. */
static void watch_two(struct fixture *f)
{
	watch(f);
	notify(f, "active;expires=3600", DOC(OPEN("x") OPEN("y")));
	settle(f);
}

static bool was_said(const struct fixture *f, const char *line)
{
	return strstr(f->text, line) != NULL;
}

/* The SIP side answers what ends the dialog, if anything does; then nothing
 * is left of the watch, here or in the store. */
static void let_end(struct fixture *f)
{
	pass(f, 5000);
	if (f->sent_count > 0)
		respond(f, 481);
	pass(f, 60000);
	assert_int_equal(watches(f), 0);
	assert_int_equal(f->kept.count, 0);
}

/* A crash after any action or commit; the edge sends what has no Outcome
 * again. */
static void test_crash_anywhere(void **state)
{
	struct fixture *f = *state;
	uint64_t ref;
	char line[32];

	for (int at = 0; at < 16; at++) {
		again(&f, state);
		watch_two(f);
		f->is_commit_held = true;
		ref = unsubscribe(f);
		for (int i = 0; i < at; i++)
			if (!step(f))
				commit(f);
		f->is_commit_held = false;
		crash(f, 1000);
		(void)snprintf(line, sizeof(line), "outcome %d ", (int)ref);
		if (!was_said(f, line))
			(void)unsubscribe(f);
		let_end(f);
		assert_true(was_said(f, FULL("x", "unavailable")));
		assert_true(was_said(f, FULL("y", "unavailable")));
	}
}

/* One was told to be gone, the other not yet. */
static void test_half_told(void **state)
{
	struct fixture *f = *state;

	watch_two(f);
	f->is_outcome_held = true;
	(void)unsubscribe(f);
	expect(f, DELIVERED("2") END("1", "2") FULL("x", "unavailable"));
	end_stanza(f, FED__CONDITION__NO_CONDITION);
	expect(f, FULL("y", "unavailable"));
	crash(f, 1000);
	f->is_outcome_held = false;
	let_end(f);
	assert_true(was_said(f, FULL("y", "unavailable")));
}

/* His domain cannot be reached: he is told when it can, in whatever run. */
static void test_domain_away(void **state)
{
	struct fixture *f = *state;

	watch_two(f);
	f->is_outcome_held = true;
	(void)unsubscribe(f);
	settle(f);
	end_stanza(f, FED__CONDITION__REMOTE_SERVER_TIMEOUT);
	expect(f, "");
	crash(f, 1000);
	f->is_outcome_held = false;
	let_end(f);
	assert_true(was_said(f, FULL("x", "unavailable")));
	assert_true(was_said(f, FULL("y", "unavailable")));
}

/* Nor for ever, in however many runs. */
static void test_domain_gone(void **state)
{
	struct fixture *f = *state;

	watch_two(f);
	f->is_outcome_held = true;
	(void)unsubscribe(f);
	settle(f);
	respond(f, 200);
	notify(f, "terminated;reason=timeout", NULL);
	end_stanza(f, FED__CONDITION__REMOTE_SERVER_TIMEOUT);
	settle(f);
	for (int run = 0; run < 6; run++) {
		pass(f, LIMIT_PRESENCE_LEFT_MS / 6 - 1000);
		end_stanza(f, FED__CONDITION__REMOTE_SERVER_TIMEOUT);
		settle(f);
		crash(f, 900);
		assert_int_equal(watches(f), 1);
	}
	pass(f, 500);
	assert_int_equal(watches(f), 1);
	pass(f, 200);
	end_stanza(f, FED__CONDITION__REMOTE_SERVER_TIMEOUT);
	drain(f);
	assert_int_equal(watches(f), 0);
	assert_int_equal(f->kept.count, 0);
}

/* SIP has cancelled it, and in the midst of that he leaves. */
static void test_cancelled(void **state)
{
	struct fixture *f = *state;

	watch_two(f);
	f->is_outcome_held = true;
	notify(f, "terminated;reason=rejected", NULL);
	settle(f);
	(void)unsubscribe(f);
	settle(f);
	crash(f, 1000);
	f->is_outcome_held = false;
	let_end(f);
	assert_true(was_said(f, FULL("x", "unavailable")));
	assert_true(was_said(f, FULL("y", "unavailable")));
}

/* His side answers errors, so that he is told nothing; but this he is. */
static void test_muted(void **state)
{
	struct fixture *f = *state;

	watch_two(f);
	for (unsigned i = 0; i < LIMIT_PRESENCE_ERRORS; i++)
		(void)ask(f, FED__PRESENCE_TYPE__PRESENCE_ERROR);
	settle(f);
	crash(f, 1000);
	(void)unsubscribe(f);
	f->is_outcome_held = true;
	settle(f);
	crash(f, 1000);
	f->is_outcome_held = false;
	let_end(f);
	assert_true(was_said(f, FULL("x", "unavailable")));
	assert_true(was_said(f, FULL("y", "unavailable")));
}

/* He left and asked anew in one breath, and the last NOTIFY came before the
 * response: the next run knows the new dialog, too. */
static void test_anew(void **state)
{
	struct fixture *f = *state;

	watch(f);
	(void)unsubscribe(f);
	(void)subscribe(f);
	settle(f);
	notify(f, "terminated;reason=timeout", NULL);
	respond(f, 200);
	expect(f, OK("2") SUBSCRIBE("2", "1"));
	respond(f, 200);
	notify(f, "active;expires=3600", DOC(OPEN("x")));
	settle(f);
	crash(f, 1000);
	expect(f, REFRESH("2", "1002"));
}

/* After a restart he asks anew before his dialog has its turn to end. */
static void test_left_and_back(void **state)
{
	struct fixture *f = *state;

	watch(f);
	f->is_outcome_held = true;
	(void)unsubscribe(f);
	settle(f);
	f->is_outcome_held = false;
	crash(f, 1000);
	(void)subscribe(f);
	expect(f, DELIVERED("3") END("1", "1002") GONE);
	respond(f, 200);
	expect(f, SUBSCRIBE("2", "1"));
	respond(f, 200);
	notify(f, "active;expires=3600", DOC(OPEN("x")));
	expect(f, OK("2") BARE("subscribed") FULL("x", "available"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_crash_anywhere), T(test_half_told),
		T(test_domain_away),	T(test_domain_gone),
		T(test_cancelled),	T(test_muted),
		T(test_anew),		T(test_left_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
