/* The edge's router: streams of the peer that take our stanzas (XEP-0288). */
#include "tests/unit/edge_router_harness.h"

static uint64_t adopt(struct rig *t)
{
	uint64_t stream = edge_router_adopt(t->r, &pair_ab, 0, t->now);

	assert_int_not_equal(stream, 0);
	t->stream = stream;
	t->offset = 0;
	return stream;
}

static void flush(struct rig *t, uint64_t stream, uint64_t offset)
{
	edge_router_flushed(t->r, stream, offset, t->now);
}

static void end_stream(struct rig *t, uint64_t stream,
		       enum s2s_reason_kind kind)
{
	const struct s2s_reason why = {.kind = kind, .text = "why"};

	edge_router_ended(t->r, stream, &why, t->now);
}

static void test_used_at_once(void **state)
{
	struct rig *t = *state;
	uint64_t stream = adopt(t);

	expect(t, "");
	assert_int_equal(send_text(t, 1, "a"), 0);
	assert_int_equal(send_text(t, 2, "b"), 0);
	expect(t, "w:a w:b ");
	flush(t, stream, 2);
	expect(t, "ok1 ok2 ");
	/* the peer closes it: a normal life from then on */
	end_stream(t, stream, S2S_END_CLOSED);
	expect(t, "");
	assert_int_equal(edge_router_pairs(t->r), 0);
	assert_int_equal(send_text(t, 3, "c"), 0);
	expect(t, "connect:xmpp.example ");
}

static void test_only_its_pair(void **state)
{
	struct rig *t = *state;
	struct edge_router_refusal no;

	(void)adopt(t);
	assert_int_equal(send_xml(t, &(struct s2s_pair){"sip.example", "q"}, 1,
				  SPAN_LIT("x"), &no),
			 0);
	expect(t, "connect:q ");
	assert_int_equal(
		send_xml(t,
			 &(struct s2s_pair){"second.example", "xmpp.example"},
			 2, SPAN_LIT("x"), &no),
		0);
	expect(t, "connect:xmpp.example ");
}

/* A lost stream: as one of our own, what was not taken is sent once more. */
static void test_lost(void **state)
{
	struct rig *t = *state;
	uint64_t stream = adopt(t);

	t->shows_lost = true;
	assert_int_equal(send_text(t, 1, "a"), 0);
	assert_int_equal(send_text(t, 2, "b"), 0);
	expect(t, "w:a w:b ");
	flush(t, stream, 1);
	end_stream(t, stream, S2S_END_EOF);
	expect(t, "ok1 lost connect:xmpp.example ");
	open_stream(t);
	expect(t, "w:b ");
	end_with(t, S2S_END_EOF);
	expect(t, "no2 lost ");
	assert_int_equal(t->last_refused,
			 FED__CONDITION__REMOTE_SERVER_TIMEOUT);
}

static void test_ends_the_back_off(void **state)
{
	struct rig *t = *state;

	assert_int_equal(send_text(t, 1, "a"), 0);
	drain(t);
	end_with(t, S2S_END_CONNECT);
	expect(t, "no1 ");
	(void)adopt(t);
	assert_int_equal(send_text(t, 2, "b"), 0);
	expect(t, "w:b ");
}

/* What waits for the end of a back-off goes at once. */
static void test_takes_what_waits(void **state)
{
	struct rig *t = *state;

	assert_int_equal(send_text(t, 1, "a"), 0);
	drain(t);
	open_stream(t);
	expect(t, "w:a ");
	end_with(t, S2S_END_EOF);
	expect(t, "");
	(void)adopt(t);
	expect(t, "w:a ");
}

/* While we connect, the peer's stream is used; our attempt is not broken off:
 * the peer may be about to use it in the same way. */
static void test_overtakes_an_attempt(void **state)
{
	struct rig *t = *state;
	uint64_t own;
	uint64_t theirs;

	assert_int_equal(send_text(t, 1, "a"), 0);
	expect(t, "connect:xmpp.example ");
	own = t->stream;
	theirs = adopt(t);
	expect(t, "w:a ");
	flush(t, theirs, 1);
	expect(t, "ok1 ");
	edge_router_opened(t->r, own, &(struct s2s_limits){0}, t->now);
	assert_int_equal(send_text(t, 2, "b"), 0);
	expect(t, "w:b ");
	/* bytes of the one that stands by are not those of stanzas */
	flush(t, own, 1000);
	expect(t, "");
	/* its turn comes, and the lost stanza with it */
	end_stream(t, theirs, S2S_END_CLOSED);
	t->stream = own;
	t->offset = 0;
	expect(t, "w:b ");
	flush(t, own, 1);
	expect(t, "ok2 ");
	/* then it is an own stream, which is closed when idle */
	pass(t, LIMIT_STREAM_IDLE_MS + 1000);
	expect(t, "close:idle ");
}

static void test_attempt_that_was_overtaken_fails(void **state)
{
	struct rig *t = *state;
	uint64_t own;

	assert_int_equal(send_text(t, 1, "a"), 0);
	drain(t);
	own = t->stream;
	(void)adopt(t);
	end_stream(t, own, S2S_END_CONNECT);
	assert_int_equal(send_text(t, 2, "b"), 0);
	expect(t, "w:a w:b ");
}

static void test_attempt_goes_on_when_the_other_ends(void **state)
{
	struct rig *t = *state;
	uint64_t own;
	uint64_t theirs;

	assert_int_equal(send_text(t, 1, "a"), 0);
	drain(t);
	own = t->stream;
	theirs = adopt(t);
	expect(t, "w:a ");
	end_stream(t, theirs, S2S_END_CLOSED);
	expect(t, "");
	t->stream = own;
	t->offset = 0;
	open_stream(t);
	expect(t, "w:a ");
}

/* An attempt that is not announced yet is not made. */
static void test_attempt_not_begun(void **state)
{
	struct rig *t = *state;

	assert_int_equal(send_text(t, 1, "a"), 0);
	(void)adopt(t);
	expect(t, "w:a ");
	end_with(t, S2S_END_CLOSED);
	expect(t, "connect:xmpp.example ");
}

/* The stream in use stays in use: order. */
static void test_stands_by(void **state)
{
	struct rig *t = *state;
	uint64_t own;
	uint64_t theirs;

	assert_int_equal(send_text(t, 1, "a"), 0);
	drain(t);
	open_stream(t);
	expect(t, "w:a ");
	own = t->stream;
	theirs = adopt(t);
	t->offset = 1;
	assert_int_equal(send_text(t, 2, "b"), 0);
	expect(t, "w:b ");
	flush(t, own, 2);
	expect(t, "ok1 ok2 ");
	end_stream(t, own, S2S_END_CLOSED);
	t->offset = 0;
	assert_int_equal(send_text(t, 3, "c"), 0);
	expect(t, "w:c ");
	flush(t, theirs, 1);
	expect(t, "ok3 ");
}

/* A peer that opens another one may have lost the first. */
static void test_newer_one_where_all_is_quiet(void **state)
{
	struct rig *t = *state;
	uint64_t first = adopt(t);
	uint64_t second;

	assert_int_equal(send_text(t, 1, "a"), 0);
	expect(t, "w:a ");
	flush(t, first, 1);
	expect(t, "ok1 ");
	second = adopt(t);
	t->stream = first;
	/* not quiet: what was just written could be overtaken */
	end_stream(t, second, S2S_END_CLOSED);
	t->offset = 1;
	assert_int_equal(send_text(t, 2, "b"), 0);
	expect(t, "w:b ");
	flush(t, first, 2);
	expect(t, "ok2 ");
	t->now += LIMIT_CONFIRM_MS;
	second = adopt(t);
	assert_int_equal(send_text(t, 3, "c"), 0);
	expect(t, "w:c ");
	flush(t, first, 1000);
	end_stream(t, first, S2S_END_EOF);
	expect(t, "");
	assert_int_equal(t->lost, 0);
	flush(t, second, 1);
	expect(t, "ok3 ");
}

static void test_idle(void **state)
{
	struct rig *t = *state;
	uint64_t own;

	/* the peer's stream is the peer's to close */
	(void)adopt(t);
	pass(t, 10ull * LIMIT_STREAM_IDLE_MS);
	expect(t, "");
	assert_int_equal(edge_router_deadline_ms(t->r), UINT64_MAX);
	end_with(t, S2S_END_CLOSED);
	expect(t, "");
	/* ours is not idle while the peer talks on it */
	assert_int_equal(send_text(t, 1, "a"), 0);
	drain(t);
	own = t->stream;
	open_stream(t);
	expect(t, "w:a ");
	flush(t, own, 1);
	expect(t, "ok1 ");
	pass(t, LIMIT_STREAM_IDLE_MS - 1000);
	edge_router_heard(t->r, own, t->now);
	pass(t, LIMIT_STREAM_IDLE_MS - 1000);
	expect(t, "");
	pass(t, 2000);
	expect(t, "close:idle ");
}

/* An own one that stands by and is not used is closed. */
static void test_idle_spare(void **state)
{
	struct rig *t = *state;
	uint64_t own;
	uint64_t theirs;

	assert_int_equal(send_text(t, 1, "a"), 0);
	drain(t);
	own = t->stream;
	theirs = adopt(t);
	expect(t, "w:a ");
	flush(t, theirs, 1);
	expect(t, "ok1 ");
	edge_router_opened(t->r, own, &(struct s2s_limits){0}, t->now);
	pass(t, LIMIT_STREAM_IDLE_MS + 1000);
	expect(t, "close:idle ");
	t->stream = theirs;
	assert_int_equal(send_text(t, 2, "b"), 0);
	expect(t, "w:b ");
}

static void test_stall(void **state)
{
	struct rig *t = *state;

	(void)adopt(t);
	assert_int_equal(send_text(t, 1, "a"), 0);
	expect(t, "w:a ");
	pass(t, LIMIT_WRITE_STALL_MS + 1000);
	expect(t, "close:stalled connect:xmpp.example ");
}

static void test_congestion_and_limit(void **state)
{
	struct rig *t = *state;
	uint64_t stream = edge_router_adopt(t->r, &pair_ab, 3, t->now);

	assert_int_equal(send_text(t, 1, "abcd"), FED_EDENIED);
	assert_int_equal(t->last_refused, FED__CONDITION__POLICY_VIOLATION);
	edge_router_set_congested(t->r, stream, true);
	assert_int_equal(send_text(t, 2, "abc"), 0);
	expect(t, "");
	edge_router_set_congested(t->r, stream, false);
	expect(t, "w:abc ");
}

/* A peer with many names does not take the table from others. */
static void test_table_is_full_of_them(void **state)
{
	struct rig *t = *state;
	char name[32];
	const struct s2s_pair pair = {"sip.example", name};

	for (unsigned i = 0; i < LIMIT_PAIRS; i++) {
		(void)snprintf(name, sizeof(name), "d%u.example", i);
		assert_int_not_equal(edge_router_adopt(t->r, &pair, 0, t->now),
				     0);
	}
	drain(t);
	(void)snprintf(name, sizeof(name), "more.example");
	assert_int_equal(edge_router_adopt(t->r, &pair, 0, t->now), 0);
	assert_int_equal(send_text(t, 1, "a"), 0);
	expect(t, "connect:xmpp.example ");
	assert_int_equal(edge_router_pairs(t->r), LIMIT_PAIRS);
}

static void test_stopped(void **state)
{
	struct rig *t = *state;

	edge_router_stop(t->r);
	assert_int_equal(edge_router_adopt(t->r, &pair_ab, 0, t->now), 0);
	assert_int_equal(edge_router_pairs(t->r), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
		T(test_used_at_once),
		T(test_only_its_pair),
		T(test_lost),
		T(test_ends_the_back_off),
		T(test_takes_what_waits),
		T(test_overtakes_an_attempt),
		T(test_attempt_that_was_overtaken_fails),
		T(test_attempt_goes_on_when_the_other_ends),
		T(test_attempt_not_begun),
		T(test_stands_by),
		T(test_newer_one_where_all_is_quiet),
		T(test_idle),
		T(test_idle_spare),
		T(test_stall),
		T(test_congestion_and_limit),
		T(test_table_is_full_of_them),
		T(test_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
