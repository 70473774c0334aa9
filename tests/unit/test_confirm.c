/*
 * Deliveries held until the peer spoke: pings, errors, silence, loss.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "edge-proxy/core/confirm.h"
#include "xmpp/stanza_error.h"
#include "xmpp/stanza_util.h"

struct fixture {
	struct confirm *c;
	struct id_source ids;
	struct arena a;
	uint64_t now_ms; /* when actions are taken */
};

static int setup(void **state)
{
	static struct fixture f;

	f = (struct fixture){.ids = {.key = {7}}};
	arena_init(&f.a, LIMIT_STANZA_ARENA_BYTES);
	*state = &f;
	return confirm_new(&f.c, &f.ids);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	confirm_free(f->c);
	arena_deinit(&f->a);
	return 0;
}

static void add(struct fixture *f, uint64_t ref, const char *to, const char *id,
		uint64_t now_ms)
{
	struct confirm_delivery d = {
		.origin = {.link = 1, .ref = ref},
		.pair = {"sip.example", "xmpp.example"},
		.from = "romeo@sip.example",
		.to = to,
		.id = id,
		.tag = SPAN_LIT("tag"),
		.start_ms = 5,
	};

	assert_int_equal(confirm_add(f->c, &d, now_ms), 0);
}

/* The next action must be a ping; its id is copied. */
static void take_ping(struct fixture *f, char id[ID_TEXT_BYTES + 1])
{
	struct confirm_action a;

	assert_true(confirm_next_action(f->c, &a, f->now_ms));
	assert_int_equal(a.kind, CONFIRM_PING);
	assert_string_equal(a.u.ping.pair.local, "sip.example");
	assert_string_equal(a.u.ping.pair.remote, "xmpp.example");
	assert_int_equal(strlen(a.u.ping.id), ID_TEXT_BYTES);
	memcpy(id, a.u.ping.id, ID_TEXT_BYTES + 1);
}

static void take_outcome(struct fixture *f, uint64_t ref,
			 Fed__Condition refused)
{
	struct confirm_action a;

	assert_true(confirm_next_action(f->c, &a, f->now_ms));
	assert_int_equal(a.kind, CONFIRM_OUTCOME);
	assert_int_equal(a.u.outcome.origin.ref, ref);
	assert_int_equal(a.u.outcome.start_ms, 5);
	assert_true(span_eq_str(a.u.outcome.tag, "tag"));
	if (refused == FED__CONDITION__NO_CONDITION) {
		assert_null(a.u.outcome.refused);
	} else {
		assert_non_null(a.u.outcome.refused);
		assert_int_equal(a.u.outcome.refused->condition, refused);
	}
}

static void nothing_more(struct fixture *f)
{
	struct confirm_action a;

	assert_false(confirm_next_action(f->c, &a, f->now_ms));
}

static bool pong(struct fixture *f, const char *from, const char *id,
		 Fed__IqType type)
{
	Fed__Stanza *s = stanza_new_iq(&f->a);

	s->from = arena_dup(&f->a, span_str(from));
	s->to = arena_dup(&f->a, SPAN_LIT("sip.example"));
	s->id = arena_dup(&f->a, span_str(id));
	s->iq->type = type;
	return confirm_take(f->c, s);
}

static bool bounce(struct fixture *f, const char *from, const char *to,
		   const char *id)
{
	Fed__Stanza *s = stanza_new_message(&f->a);

	s->from = arena_dup(&f->a, span_str(from));
	s->to = arena_dup(&f->a, span_str(to));
	s->id = arena_dup(&f->a, span_str(id));
	s->message->type = FED__MESSAGE_TYPE__MESSAGE_ERROR;
	s->message->error =
		stanza_error_new(&f->a, FED__CONDITION__ITEM_NOT_FOUND, NULL);
	return confirm_take(f->c, s);
}

static void test_pong_delivers(void **state)
{
	struct fixture *f = *state;
	char id[ID_TEXT_BYTES + 1];

	add(f, 1, "juliet@xmpp.example", "a", 0);
	add(f, 2, "juliet@xmpp.example", "b", 0);
	take_ping(f, id);
	nothing_more(f);
	assert_true(pong(f, "xmpp.example", id, FED__IQ_TYPE__RESULT));
	take_outcome(f, 1, FED__CONDITION__NO_CONDITION);
	take_outcome(f, 2, FED__CONDITION__NO_CONDITION);
	nothing_more(f);
	assert_int_equal(confirm_held(f->c), 0);
}

static void test_error_iq_is_an_answer_too(void **state)
{
	struct fixture *f = *state;
	char id[ID_TEXT_BYTES + 1];

	add(f, 1, "juliet@xmpp.example", "a", 0);
	take_ping(f, id);
	assert_true(pong(f, "xmpp.example", id, FED__IQ_TYPE__IQ_ERROR));
	take_outcome(f, 1, FED__CONDITION__NO_CONDITION);
}

static void test_error_refuses_only_its_message(void **state)
{
	struct fixture *f = *state;
	char id[ID_TEXT_BYTES + 1];

	add(f, 1, "nobody@xmpp.example", "a", 0);
	add(f, 2, "juliet@xmpp.example", "b", 0);
	take_ping(f, id);
	assert_true(bounce(f, "nobody@xmpp.example", "romeo@sip.example", "a"));
	take_outcome(f, 1, FED__CONDITION__ITEM_NOT_FOUND);
	nothing_more(f);
	/* a second error for it is not ours any more */
	assert_false(
		bounce(f, "nobody@xmpp.example", "romeo@sip.example", "a"));
	assert_true(pong(f, "xmpp.example", id, FED__IQ_TYPE__RESULT));
	take_outcome(f, 2, FED__CONDITION__NO_CONDITION);
}

static void test_strangers_cannot_answer(void **state)
{
	struct fixture *f = *state;
	char id[ID_TEXT_BYTES + 1];

	add(f, 1, "juliet@xmpp.example", "a", 0);
	take_ping(f, id);
	assert_false(pong(f, "evil.example", id, FED__IQ_TYPE__RESULT));
	assert_false(pong(f, "juliet@xmpp.example", id, FED__IQ_TYPE__RESULT));
	assert_false(pong(f, "xmpp.example", "guess", FED__IQ_TYPE__RESULT));
	assert_false(pong(f, "xmpp.example", id, FED__IQ_TYPE__GET));
	assert_false(bounce(f, "x@evil.example", "romeo@sip.example", "a"));
	assert_false(
		bounce(f, "juliet@xmpp.example", "other@sip.example", "a"));
	nothing_more(f);
	assert_int_equal(confirm_held(f->c), 1);
}

static void test_later_messages_wait_for_the_next_ping(void **state)
{
	struct fixture *f = *state;
	char first[ID_TEXT_BYTES + 1];
	char second[ID_TEXT_BYTES + 1];

	add(f, 1, "juliet@xmpp.example", "a", 0);
	take_ping(f, first);
	add(f, 2, "juliet@xmpp.example", "b", 1);
	nothing_more(f);
	assert_true(pong(f, "xmpp.example", first, FED__IQ_TYPE__RESULT));
	take_outcome(f, 1, FED__CONDITION__NO_CONDITION);
	take_ping(f, second);
	assert_string_not_equal(first, second);
	assert_false(pong(f, "xmpp.example", first, FED__IQ_TYPE__RESULT));
	assert_true(pong(f, "xmpp.example", second, FED__IQ_TYPE__RESULT));
	take_outcome(f, 2, FED__CONDITION__NO_CONDITION);
	nothing_more(f);
}

static void test_silence_counts_as_delivered(void **state)
{
	struct fixture *f = *state;
	char id[ID_TEXT_BYTES + 1];

	f->now_ms = 100;
	add(f, 1, "juliet@xmpp.example", "a", 100);
	take_ping(f, id);
	assert_int_equal(confirm_deadline_ms(f->c), 100 + LIMIT_CONFIRM_MS);
	confirm_on_timer(f->c, 100 + LIMIT_CONFIRM_MS - 1);
	nothing_more(f);
	confirm_on_timer(f->c, 100 + LIMIT_CONFIRM_MS);
	take_outcome(f, 1, FED__CONDITION__NO_CONDITION);

	/* the peer is silent: no ping, a short wait, errors still count */
	add(f, 2, "nobody@xmpp.example", "b", 5000);
	add(f, 3, "juliet@xmpp.example", "c", 5000);
	nothing_more(f);
	assert_true(bounce(f, "nobody@xmpp.example", "romeo@sip.example", "b"));
	take_outcome(f, 2, FED__CONDITION__ITEM_NOT_FOUND);
	confirm_on_timer(f->c, 5000 + LIMIT_CONFIRM_GRACE_MS);
	take_outcome(f, 3, FED__CONDITION__NO_CONDITION);

	/* it is asked again later */
	add(f, 4, "juliet@xmpp.example", "d",
	    LIMIT_CONFIRM_SILENT_MS + LIMIT_CONFIRM_MS + 200);
	take_ping(f, id);
}

/* The error and the answer come in one read: neither is anybody else's. */
static void test_answer_after_the_last_error(void **state)
{
	struct fixture *f = *state;
	char id[ID_TEXT_BYTES + 1];

	add(f, 1, "nobody@xmpp.example", "a", 0);
	take_ping(f, id);
	assert_true(bounce(f, "nobody@xmpp.example", "romeo@sip.example", "a"));
	take_outcome(f, 1, FED__CONDITION__ITEM_NOT_FOUND);
	nothing_more(f);
	assert_true(pong(f, "xmpp.example", id, FED__IQ_TYPE__RESULT));
	nothing_more(f);
	assert_int_equal(confirm_deadline_ms(f->c), UINT64_MAX);
}

static void test_late_answer_ends_the_silence(void **state)
{
	struct fixture *f = *state;
	char id[ID_TEXT_BYTES + 1];

	add(f, 1, "juliet@xmpp.example", "a", 0);
	take_ping(f, id);
	f->now_ms = LIMIT_CONFIRM_MS;
	confirm_on_timer(f->c, f->now_ms);
	take_outcome(f, 1, FED__CONDITION__NO_CONDITION);
	add(f, 2, "juliet@xmpp.example", "b", f->now_ms + 1);
	nothing_more(f);
	/* it was only slow; what it did not cover is asked for at once */
	assert_true(pong(f, "xmpp.example", id, FED__IQ_TYPE__RESULT));
	take_ping(f, id);
	assert_true(pong(f, "xmpp.example", id, FED__IQ_TYPE__RESULT));
	take_outcome(f, 2, FED__CONDITION__NO_CONDITION);
	assert_int_equal(confirm_deadline_ms(f->c), UINT64_MAX);
}

/* Answered just in time, again and again: nobody waits longer for that, and
 * the peer is not silent. */
static void test_slow_answers_hold_no_message_longer(void **state)
{
	struct fixture *f = *state;
	char id[ID_TEXT_BYTES + 1];
	uint64_t late = LIMIT_CONFIRM_MS - 1;

	add(f, 1, "juliet@xmpp.example", "a", 0);
	take_ping(f, id);
	add(f, 2, "juliet@xmpp.example", "b", 1);
	f->now_ms = late;
	assert_true(pong(f, "xmpp.example", id, FED__IQ_TYPE__RESULT));
	take_outcome(f, 1, FED__CONDITION__NO_CONDITION);
	take_ping(f, id);
	confirm_on_timer(f->c, 1 + LIMIT_CONFIRM_MS);
	take_outcome(f, 2, FED__CONDITION__NO_CONDITION);
	add(f, 3, "juliet@xmpp.example", "c", late + 2);
	assert_int_equal(confirm_deadline_ms(f->c), late + LIMIT_CONFIRM_MS);
	assert_true(pong(f, "xmpp.example", id, FED__IQ_TYPE__RESULT));
	take_ping(f, id);
}

static void test_ping_that_cannot_be_sent(void **state)
{
	const struct s2s_pair pair = {"sip.example", "xmpp.example"};
	struct fixture *f = *state;
	char id[ID_TEXT_BYTES + 1];

	add(f, 1, "juliet@xmpp.example", "a", 0);
	take_ping(f, id);
	confirm_ping_failed(f->c, pair, 0);
	nothing_more(f);
	assert_int_equal(confirm_deadline_ms(f->c), LIMIT_CONFIRM_GRACE_MS);
	confirm_on_timer(f->c, LIMIT_CONFIRM_GRACE_MS);
	take_outcome(f, 1, FED__CONDITION__NO_CONDITION);
	/* it was not the peer's silence */
	add(f, 2, "juliet@xmpp.example", "b", LIMIT_CONFIRM_GRACE_MS);
	take_ping(f, id);
}

/* Each pair has its own ping, answer and loss. */
static void test_pairs_are_apart(void **state)
{
	struct fixture *f = *state;
	struct confirm_delivery d = {
		.pair = {"sip.example", "other.example"},
		.from = "romeo@sip.example",
		.to = "x@other.example",
		.id = "o",
		.origin = {.link = 1, .ref = 9},
		.tag = SPAN_LIT("tag"),
		.start_ms = 5,
	};
	struct confirm_action a;
	char id[ID_TEXT_BYTES + 1];

	add(f, 1, "juliet@xmpp.example", "a", 0);
	assert_int_equal(confirm_add(f->c, &d, 0), 0);
	take_ping(f, id);
	assert_true(confirm_next_action(f->c, &a, 0));
	assert_int_equal(a.kind, CONFIRM_PING);
	assert_string_equal(a.u.ping.pair.remote, "other.example");
	nothing_more(f);
	/* the one cannot answer for the other */
	assert_false(pong(f, "other.example", id, FED__IQ_TYPE__RESULT));
	confirm_lost(f->c, d.pair);
	take_outcome(f, 9, FED__CONDITION__REMOTE_SERVER_TIMEOUT);
	assert_true(pong(f, "xmpp.example", id, FED__IQ_TYPE__RESULT));
	take_outcome(f, 1, FED__CONDITION__NO_CONDITION);
	assert_int_equal(confirm_deadline_ms(f->c), UINT64_MAX);
}

/* LIMIT_PAIRS silent peers keep no other out. */
static void test_silent_peers_make_room(void **state)
{
	struct fixture *f = *state;
	struct confirm_delivery d = {
		.from = "romeo@sip.example",
		.to = "x@p.example",
		.id = "",
	};
	struct confirm_action a;
	char remote[32];

	for (unsigned i = 0; i < LIMIT_PAIRS; i++) {
		(void)snprintf(remote, sizeof(remote), "p%u.example", i);
		d.pair = (struct s2s_pair){"sip.example", remote};
		assert_int_equal(confirm_add(f->c, &d, 0), 0);
		assert_true(confirm_next_action(f->c, &a, 0));
	}
	d.pair.remote = "one.more.example";
	assert_int_equal(confirm_add(f->c, &d, 0), FED_ENOMEM);
	confirm_on_timer(f->c, LIMIT_CONFIRM_MS);
	while (confirm_next_action(f->c, &a, 0))
		assert_int_equal(a.kind, CONFIRM_OUTCOME);
	f->now_ms = LIMIT_CONFIRM_MS;
	add(f, 1, "juliet@xmpp.example", "a", f->now_ms);
	confirm_on_timer(f->c, LIMIT_CONFIRM_MS + LIMIT_CONFIRM_SILENT_MS);
	take_outcome(f, 1, FED__CONDITION__NO_CONDITION);
}

static void test_lost_stream_refuses(void **state)
{
	struct fixture *f = *state;
	char id[ID_TEXT_BYTES + 1];

	add(f, 1, "juliet@xmpp.example", "a", 0);
	add(f, 2, "juliet@xmpp.example", "", 0);
	take_ping(f, id);
	confirm_lost(f->c, (struct s2s_pair){"sip.example", "other.example"});
	nothing_more(f);
	confirm_lost(f->c, (struct s2s_pair){"sip.example", "xmpp.example"});
	take_outcome(f, 1, FED__CONDITION__REMOTE_SERVER_TIMEOUT);
	take_outcome(f, 2, FED__CONDITION__REMOTE_SERVER_TIMEOUT);
	assert_false(pong(f, "xmpp.example", id, FED__IQ_TYPE__RESULT));
}

static void test_release_delivers(void **state)
{
	struct fixture *f = *state;
	char id[ID_TEXT_BYTES + 1];

	add(f, 1, "juliet@xmpp.example", "a", 0);
	take_ping(f, id);
	add(f, 2, "juliet@xmpp.example", "b", 0);
	confirm_release(f->c);
	take_outcome(f, 1, FED__CONDITION__NO_CONDITION);
	take_outcome(f, 2, FED__CONDITION__NO_CONDITION);
	nothing_more(f);
}

static void test_held_is_bounded(void **state)
{
	struct fixture *f = *state;
	struct confirm_delivery d = {
		.pair = {"sip.example", "xmpp.example"},
		.from = "romeo@sip.example",
		.to = "juliet@xmpp.example",
		.id = "same id for all",
	};

	for (size_t i = 0; i < LIMIT_CONFIRM_HELD; i++)
		assert_int_equal(confirm_add(f->c, &d, 0), 0);
	assert_int_equal(confirm_add(f->c, &d, 0), FED_ELIMIT);
	assert_int_equal(confirm_held(f->c), LIMIT_CONFIRM_HELD);
}

static void test_held_bytes_are_bounded(void **state)
{
	static char big[LIMIT_CONFIRM_BYTES / 4];
	struct fixture *f = *state;
	struct confirm_delivery d = {
		.pair = {"sip.example", "xmpp.example"},
		.from = "romeo@sip.example",
		.to = "juliet@xmpp.example",
		.id = "",
		.tag = {big, sizeof(big)},
	};

	for (size_t i = 0; i < 3; i++)
		assert_int_equal(confirm_add(f->c, &d, 0), 0);
	assert_int_equal(confirm_add(f->c, &d, 0), FED_ELIMIT);
	confirm_release(f->c);
	for (size_t i = 0; i < 3; i++) {
		struct confirm_action a;

		assert_true(confirm_next_action(f->c, &a, 0));
	}
	assert_int_equal(confirm_add(f->c, &d, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(test_pong_delivers),
		TEST(test_error_iq_is_an_answer_too),
		TEST(test_error_refuses_only_its_message),
		TEST(test_strangers_cannot_answer),
		TEST(test_later_messages_wait_for_the_next_ping),
		TEST(test_silence_counts_as_delivered),
		TEST(test_lost_stream_refuses),
		TEST(test_release_delivers),
		TEST(test_held_is_bounded),
		TEST(test_held_bytes_are_bounded),
		TEST(test_answer_after_the_last_error),
		TEST(test_late_answer_ends_the_silence),
		TEST(test_slow_answers_hold_no_message_longer),
		TEST(test_ping_that_cannot_be_sent),
		TEST(test_pairs_are_apart),
		TEST(test_silent_peers_make_room),
	};

	return cmocka_run_group_tests_name("confirm", tests, NULL, NULL);
}
