/* XMPP users watch SIP users: what watchers send and what they are told. */
#include "presence_sub_harness.h"

/* --- subscribe ----------------------------------------------------------- */

/* Nothing is acknowledged, asked or said before it is on disk. */
static void test_durable_first(void **state)
{
	struct fixture *f = *state;

	f->is_commit_held = f->is_store_shown = true;
	(void)subscribe(f);
	expect(f, "store put watch out " ROMEO " " JULIET " pending told=\n");
	commit(f);
	expect(f,
	       DELIVERED("1") SUBSCRIBE("1", "1") "store put dialog out " ROMEO
						  " " JULIET "\n");
	commit(f);
	respond(f, 200);
	settle(f);
	commit(f);
	notify(f, "active;expires=3600", DOC(OPEN("x")));
	drain(f);
	assert_null(strstr(f->text, "stanza"));
	assert_non_null(strstr(f->text, OK("1")));
	settle(f);
	commit(f);
	expect(f,
	       BARE("subscribed")
		       FULL("x", "available") "store put watch out " ROMEO
					      " " JULIET " allowed told=x \n");
}

/* RFC 6121 3.1.3: approved ones are told so again. */
static void test_subscribe_again(void **state)
{
	struct fixture *f = *state;

	watch(f);
	(void)subscribe(f);
	expect(f, DELIVERED("2") BARE("subscribed") FULL("x", "available"));
	notify(f, "active;expires=3600", DOC(CLOSED("x")));
	settle(f);
	(void)subscribe(f);
	expect(f, DELIVERED("3") BARE("subscribed") BARE("unavailable"));
}

static void test_subscribe_while_pending(void **state)
{
	struct fixture *f = *state;

	(void)subscribe(f);
	settle(f);
	(void)subscribe(f);
	expect(f, DELIVERED("2"));
	respond(f, 200);
	(void)subscribe(f);
	expect(f, DELIVERED("3"));
	notify(f, "pending;expires=3600", NULL);
	(void)subscribe(f);
	expect(f, OK("1") DELIVERED("4"));
}

/* To and from full JIDs it is the same (RFC 6121 3.1.3). */
static void test_subscribe_full(void **state)
{
	struct fixture *f = *state;

	(void)from_xmpp(f, JULIET "/balcony", ROMEO "/x", "q",
			FED__PRESENCE_TYPE__SUBSCRIBE);
	expect(f, DELIVERED("1") SUBSCRIBE("1", "1"));
}

static void test_subscribe_refused(void **state)
{
	static const struct {
		const char *from, *to, *outcome;
	} rows[] = {
		{"example.com", ROMEO, "service-unavailable"},
		{JULIET, "example.net", "service-unavailable"},
		{JULIET, "a\\2fb\\20c@example.net", "delivered"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		char line[128];

		(void)from_xmpp(f, rows[i].from, rows[i].to, "q",
				FED__PRESENCE_TYPE__SUBSCRIBE);
		(void)snprintf(line, sizeof(line), "outcome %zu %s\n", i + 1,
			       rows[i].outcome);
		drain(f);
		assert_int_equal(strncmp(f->text, line, strlen(line)), 0);
		settle(f);
	}
	assert_int_equal(watches(f), 1);
}

static void test_two_watches(void **state)
{
	struct fixture *f = *state;
	const struct sent *mine;
	struct sip_request_in q;

	watch(f);
	(void)from_xmpp(f, "nurse@example.com", ROMEO, "q",
			FED__PRESENCE_TYPE__SUBSCRIBE);
	(void)from_xmpp(f, JULIET, "mercutio@example.net", "q",
			FED__PRESENCE_TYPE__SUBSCRIBE);
	settle(f);
	/* each in the dialog of its own, the tag of another is none */
	mine = &f->sent[f->sent_count - 1];
	q = notify_of(f, mine, "active;expires=60", DOC(OPEN("m")));
	q.to_tag = span_str(f->sent[0].from_tag);
	presence_on_sip_request(f->p, &q, f->now);
	expect(f, "reply 2 481\n");
	q.to_tag = span_str(mine->from_tag);
	presence_on_sip_request(f->p, &q, f->now);
	expect(f,
	       OK("2") "stanza mercutio@example.net -> " JULIET " subscribed\n"
		       "stanza mercutio@example.net/m -> " JULIET
		       " available\n");
	q = notify_of(f, &f->sent[f->sent_count - 2],
		      "terminated;reason=rejected", NULL);
	presence_on_sip_request(f->p, &q, f->now);
	expect(f,
	       OK("3") "stanza " ROMEO " -> nurse@example.com unsubscribed\n");
	assert_int_equal(watches(f), 2);
}

/* --- unsubscribe --------------------------------------------------------- */

static void test_unsubscribe_nothing(void **state)
{
	struct fixture *f = *state;

	(void)unsubscribe(f);
	expect(f, DELIVERED("1"));
}

static void test_unsubscribe_before_sent(void **state)
{
	struct fixture *f = *state;

	f->is_commit_held = true;
	(void)subscribe(f);
	settle(f);
	(void)unsubscribe(f);
	f->is_commit_held = false;
	pass(f, LIMIT_PRESENCE_FAREWELL_MS);
	expect(f, DELIVERED("1") DELIVERED("2") BARE("unsubscribed"));
	assert_int_equal(watches(f), 0);
}

/* The 200 says what there is to be ended. */
static void test_unsubscribe_in_flight(void **state)
{
	struct fixture *f = *state;

	(void)subscribe(f);
	settle(f);
	(void)unsubscribe(f);
	expect(f, DELIVERED("2"));
	respond(f, 200);
	expect(f, END("1", "2"));
	respond(f, 200);
	pass(f, LIMIT_PRESENCE_FAREWELL_MS);
	expect(f, BARE("unsubscribed"));
	notify(f, "terminated;reason=timeout", NULL);
	expect(f, OK("1"));
	assert_int_equal(watches(f), 0);
	/* and when there is nothing, that was all */
	(void)subscribe(f);
	settle(f);
	(void)unsubscribe(f);
	settle(f);
	respond(f, 403);
	pass(f, LIMIT_PRESENCE_FAREWELL_MS);
	expect(f, BARE("unsubscribed"));
	assert_int_equal(watches(f), 0);
}

static void test_unsubscribe_waiting(void **state)
{
	struct fixture *f = *state;

	(void)subscribe(f);
	settle(f);
	respond(f, 500);
	settle(f);
	(void)unsubscribe(f);
	pass(f, LIMIT_PRESENCE_FAREWELL_MS);
	expect(f, DELIVERED("2") BARE("unsubscribed"));
	assert_int_equal(watches(f), 0);
}

static void test_unsubscribe_while_refreshed(void **state)
{
	struct fixture *f = *state;

	watch(f);
	pass(f, 3000000);
	settle(f);
	(void)unsubscribe(f);
	expect(f, DELIVERED("2") FULL("x", "unavailable"));
	respond(f, 200);
	expect(f, END("1", "3"));
	respond(f, 481);
	pass(f, LIMIT_PRESENCE_FAREWELL_MS);
	expect(f, BARE("unsubscribed"));
	assert_int_equal(watches(f), 0);
}

/* The last NOTIFY may be first, or never come. */
static void test_unsubscribe_ends(void **state)
{
	struct fixture *f = *state;

	watch(f);
	(void)unsubscribe(f);
	settle(f);
	notify(f, "terminated;reason=timeout", DOC(OPEN("x")));
	expect(f, OK("2"));
	respond(f, 200);
	pass(f, LIMIT_PRESENCE_FAREWELL_MS);
	expect(f, BARE("unsubscribed"));
	assert_int_equal(watches(f), 0);
	watch(f);
	(void)unsubscribe(f);
	settle(f);
	end_by(f, SIP_END_TIMEOUT);
	pass(f, LIMIT_PRESENCE_FAREWELL_MS);
	expect(f, BARE("unsubscribed"));
	assert_int_equal(watches(f), 0);
	watch(f);
	(void)unsubscribe(f);
	settle(f);
	respond(f, 200);
	settle(f);
	assert_int_equal(watches(f), 1);
	pass(f, LIMIT_SIP_TIMER_N_MS);
	expect(f, "");
	assert_int_equal(watches(f), 0);
}

/* Nor is he when all was over: it would cross what he asks. */
static void test_back_in_one_breath(void **state)
{
	struct fixture *f = *state;

	watch(f);
	(void)unsubscribe(f);
	settle(f);
	respond(f, 200);
	notify(f, "terminated;reason=timeout", NULL);
	settle(f);
	pass(f, LIMIT_PRESENCE_FAREWELL_MS - 1);
	expect(f, "");
	(void)subscribe(f);
	settle(f);
	respond(f, 200);
	notify(f, "active;expires=3600", DOC(OPEN("x")));
	drain(f);
	pass(f, 10 * LIMIT_PRESENCE_FAREWELL_MS);
	assert_non_null(strstr(f->text, BARE("subscribed")));
	assert_null(strstr(f->text, "unsubscribed"));
}

/* Who is back at once is not told that he left. */
static void test_back_at_once(void **state)
{
	struct fixture *f = *state;

	watch(f);
	(void)unsubscribe(f);
	settle(f);
	(void)subscribe(f);
	expect(f, DELIVERED("3"));
	respond(f, 200);
	expect(f, SUBSCRIBE("2", "1"));
	respond(f, 200);
	notify(f, "active;expires=3600", DOC(OPEN("x")));
	expect(f, OK("2") BARE("subscribed") FULL("x", "available"));
	/* or when all is said and only the NOTIFY is awaited */
	(void)unsubscribe(f);
	settle(f);
	respond(f, 200);
	settle(f);
	(void)subscribe(f);
	expect(f, DELIVERED("5") SUBSCRIBE("3", "1"));
	assert_int_equal(watches(f), 1);
}

/* --- what does not get through ------------------------------------------- */

/* An approval that could not be delivered is one in the store neither. */
static void test_subscribed_refused(void **state)
{
	struct fixture *f = *state;

	(void)subscribe(f);
	drain(f);
	respond(f, 200);
	f->is_outcome_held = true;
	notify(f, "active;expires=3600", DOC(OPEN("x")));
	expect(f,
	       DELIVERED("1") SUBSCRIBE("1", "1") OK("1") BARE("subscribed"));
	end_stanza(f, FED__CONDITION__REMOTE_SERVER_TIMEOUT);
	f->is_outcome_held = false;
	expect(f, "");
	assert_int_equal(f->kept.items[0]->row.u.watch.auth, PRESENCE_PENDING);
	presence_on_stream(f->p, SPAN_LIT("example.com"),
			   PRESENCE_STREAM_OPENED, f->now);
	expect(f, BARE("subscribed") FULL("x", "available"));
	assert_int_equal(f->kept.items[0]->row.u.watch.auth, PRESENCE_ALLOWED);
}

static void test_presence_refused(void **state)
{
	struct fixture *f = *state;

	watch(f);
	f->is_outcome_held = true;
	notify(f, "active;expires=3600", DOC(AWAY("x")));
	expect(f, OK("2") FULL("x", "available away"));
	end_stanza(f, FED__CONDITION__REMOTE_SERVER_TIMEOUT);
	notify(f, "active;expires=3600", DOC(OPEN("y")));
	expect(f, OK("3"));
	f->is_outcome_held = false;
	/* a stanza from there says that it is there */
	(void)from_xmpp(f, "nurse@example.com", ROMEO, "u",
			FED__PRESENCE_TYPE__UNSUBSCRIBE);
	expect(f,
	       DELIVERED("2") FULL("x", "unavailable") FULL("y", "available"));
}

/* Nobody of the domain asks: what is to be said shows when it is back. */
static void test_scout(void **state)
{
	struct fixture *f = *state;

	watch(f);
	(void)from_xmpp(f, "nurse@example.com", ROMEO, "q",
			FED__PRESENCE_TYPE__SUBSCRIBE);
	settle(f);
	f->is_outcome_held = true;
	(void)probe(f, "p1");
	settle(f);
	end_stanza(f, FED__CONDITION__REMOTE_SERVER_NOT_FOUND);
	expect(f, "");
	pass(f, 3 * LIMIT_PRESENCE_TRY_MIN_MS);
	expect(f, FULL("x", "available"));
	end_stanza(f, FED__CONDITION__NO_CONDITION);
	pass(f, 600000);
	assert_null(strstr(f->text, "stanza"));
}

/* Refused for good: it is not said over and over. */
static void test_refused_for_good(void **state)
{
	struct fixture *f = *state;

	watch(f);
	f->is_outcome_held = true;
	notify(f, "active;expires=3600", DOC(AWAY("x")));
	settle(f);
	end_stanza(f, FED__CONDITION__NOT_ACCEPTABLE);
	expect(f, "");
	notify(f, "active;expires=3600", DOC(CLOSED("x")));
	settle(f);
	end_stanza(f, FED__CONDITION__NOT_ACCEPTABLE);
	pass(f, 60000);
	expect(f, "");
}

/* For now: later again, without any help. */
static void test_refused_for_now(void **state)
{
	struct fixture *f = *state;

	watch(f);
	f->is_outcome_held = true;
	notify(f, "active;expires=3600", DOC(AWAY("x")));
	settle(f);
	end_stanza(f, FED__CONDITION__RESOURCE_CONSTRAINT);
	pass(f, LIMIT_PRESENCE_RETRY_MIN_MS - 1);
	expect(f, "");
	pass(f, LIMIT_PRESENCE_RETRY_MIN_MS / 4 + 1);
	expect(f, FULL("x", "available away"));
	end_stanza(f, FED__CONDITION__NO_CONDITION);
	expect(f, "");
}

static void error_from_xmpp(struct fixture *f)
{
	Fed__Stanza *s = presence_of(f, JULIET, ROMEO, f->stanza_id,
				     FED__PRESENCE_TYPE__PRESENCE_ERROR);

	s->presence->error = stanza_error_new(
		&f->a, FED__CONDITION__SERVICE_UNAVAILABLE, NULL);
	(void)feed(f, s);
}

/* The watcher is gone: we stop asking on his behalf, until he is back. */
static void test_errors(void **state)
{
	struct fixture *f = *state;

	watch(f);
	for (uint32_t i = 1; i < LIMIT_PRESENCE_ERRORS; i++)
		error_from_xmpp(f);
	settle(f);
	error_from_xmpp(f);
	expect(f, DELIVERED("11") END("1", "2"));
	respond(f, 200);
	notify(f, "terminated;reason=timeout", DOC(OPEN("y")));
	expect(f, OK("2"));
	pass(f, 86400000);
	expect(f, "");
	assert_int_equal(watches(f), 1);
	(void)probe(f, "p1");
	expect(f, DELIVERED("12") SUBSCRIBE("2", "1"));
	respond(f, 200);
	notify(f, "active;expires=3600", DOC(OPEN("y")));
	expect(f, OK("3") FULL("x", "unavailable") FULL("y", "available"));
	/* errors of nobody we know */
	(void)unsubscribe(f);
	respond(f, 200);
	pass(f, 60000);
	settle(f);
	error_from_xmpp(f);
	expect(f, DELIVERED("14"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_durable_first),
		T(test_subscribe_again),
		T(test_subscribe_while_pending),
		T(test_subscribe_full),
		T(test_subscribe_refused),
		T(test_two_watches),
		T(test_unsubscribe_nothing),
		T(test_unsubscribe_before_sent),
		T(test_unsubscribe_in_flight),
		T(test_unsubscribe_waiting),
		T(test_unsubscribe_while_refreshed),
		T(test_unsubscribe_ends),
		T(test_back_at_once),
		T(test_back_in_one_breath),
		T(test_subscribed_refused),
		T(test_presence_refused),
		T(test_scout),
		T(test_refused_for_good),
		T(test_refused_for_now),
		T(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
