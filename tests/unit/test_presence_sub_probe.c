/* XMPP users watch SIP users: probes, of watchers and of strangers. */
#include "presence_sub_harness.h"

/* An old server asks for a full JID: that one is answered. */
static void test_probe_from_full(void **state)
{
	struct fixture *f = *state;

	(void)subscribe(f);
	drain(f);
	respond(f, 200);
	notify(f, "active;expires=3600", DOC(AWAY("x") OPEN("y")));
	settle(f);
	(void)from_xmpp(f, JULIET "/b", ROMEO, "p1", FED__PRESENCE_TYPE__PROBE);
	expect(f,
	       DELIVERED("2") "stanza " ROMEO "/x -> " JULIET
			      "/b available away\n"
			      "stanza " ROMEO "/y -> " JULIET "/b available\n");
	notify(f, "active;expires=3600", DOC(CLOSED("x")));
	settle(f);
	(void)from_xmpp(f, JULIET "/b", ROMEO, "p2", FED__PRESENCE_TYPE__PROBE);
	expect(f, DELIVERED("3") "stanza " ROMEO " -> " JULIET
				 "/b unavailable id=p2\n");
}

/* Of a full JID: that resource alone, and its availability alone. */
static void test_probe_of_full(void **state)
{
	struct fixture *f = *state;

	(void)subscribe(f);
	drain(f);
	respond(f, 200);
	notify(f, "active;expires=3600", DOC(AWAY("x") OPEN("y")));
	settle(f);
	(void)from_xmpp(f, JULIET "/b", ROMEO "/x", "p1",
			FED__PRESENCE_TYPE__PROBE);
	expect(f,
	       DELIVERED("2") "stanza " ROMEO "/x -> " JULIET "/b available\n");
	(void)from_xmpp(f, JULIET "/b", ROMEO "/z", "p2",
			FED__PRESENCE_TYPE__PROBE);
	expect(f, DELIVERED("3") "stanza " ROMEO "/z -> " JULIET
				 "/b unavailable id=p2\n");
	/* the bare JID hears the rest too: it is shown to all his clients */
	(void)from_xmpp(f, JULIET, ROMEO "/x", "p3", FED__PRESENCE_TYPE__PROBE);
	expect(f, DELIVERED("4") FULL("x", "available")
			  FULL("x", "available away"));
}

static void test_probe_two_at_once(void **state)
{
	struct fixture *f = *state;

	watch(f);
	f->is_outcome_held = true;
	(void)from_xmpp(f, JULIET "/a", ROMEO, "p1", FED__PRESENCE_TYPE__PROBE);
	expect(f,
	       DELIVERED("2") "stanza " ROMEO "/x -> " JULIET "/a available\n");
	(void)from_xmpp(f, JULIET "/b", ROMEO, "p2", FED__PRESENCE_TYPE__PROBE);
	expect(f, DELIVERED("3"));
	end_stanza(f, FED__CONDITION__NO_CONDITION);
	expect(f, FULL("x", "available"));
	end_stanza(f, FED__CONDITION__NO_CONDITION);
	expect(f, "");
}

/* Who was not approved learns nothing, not even that there is something. */
static void test_probe_leak(void **state)
{
	struct fixture *f = *state;

	(void)subscribe(f);
	settle(f);
	(void)probe(f, "p1");
	expect(f, DELIVERED("2"));
	respond(f, 200);
	notify(f, "pending;expires=3600", DOC(OPEN("x")));
	(void)probe(f, "p2");
	expect(f, OK("1") DELIVERED("3"));
	pass(f, 600000);
	expect(f, "");
	/* nor he who left, nor he who was put out */
	(void)unsubscribe(f);
	settle(f);
	(void)probe(f, "p3");
	expect(f, DELIVERED("5"));
	/* nor somebody else of his domain: SIP is asked for him */
	watch(f);
}

static void test_probe_of_stranger(void **state)
{
	struct fixture *f = *state;

	watch(f);
	(void)from_xmpp(f, "nurse@example.com", ROMEO, "p1",
			FED__PRESENCE_TYPE__PROBE);
	expect(f, DELIVERED("2") POLL("2"));
	/* one question at a time */
	(void)from_xmpp(f, "nurse@example.com", ROMEO, "p2",
			FED__PRESENCE_TYPE__PROBE);
	expect(f, DELIVERED("3"));
	respond(f, 200);
	notify(f, "terminated;reason=timeout", NULL);
	expect(f, OK("2") "stanza " ROMEO
			  " -> nurse@example.com unavailable id=p2\n");
	/* a domain is nobody */
	(void)from_xmpp(f, "example.com", ROMEO, "p3",
			FED__PRESENCE_TYPE__PROBE);
	expect(f, DELIVERED("4"));
}

/* A stranger cannot tell a user who has not let him see anything from one who
 * is not there; nor is he shown what is made up for him. */
static void test_poll_pending(void **state)
{
	static const char *const docs[] = {NULL, DOC(OPEN("x"))};
	struct fixture *f = *state;

	for (size_t i = 0; i < FED_ARRAY_LEN(docs); i++) {
		again(&f, state);
		(void)probe(f, "p1");
		drain(f);
		respond(f, 200);
		settle(f);
		notify(f, "pending;expires=0", docs[i]);
		expect(f, OK("1"));
		notify(f, "terminated;reason=timeout", docs[i]);
		expect(f, OK("2") BARE("unsubscribed id=p1"));
		assert_int_equal(watches(f), 0);
	}
	/* he is let in meanwhile */
	(void)probe(f, "p1");
	drain(f);
	respond(f, 200);
	notify(f, "pending;expires=0", NULL);
	notify(f, "active;expires=0", NULL);
	settle(f);
	notify(f, "terminated;reason=timeout", DOC(OPEN("x")));
	expect(f, OK("5") FULL("x", "available"));
}

static void test_poll_ends(void **state)
{
	static const struct {
		const char *name;
		int status;
		const char *notify;
		const char *doc;
		const char *lines;
	} rows[] = {
		{"rejected", 200, "terminated;reason=rejected", NULL,
		 OK("1") BARE("unsubscribed id=p1")},
		{"no such resource", 200, "terminated;reason=noresource", NULL,
		 OK("1") BARE("unsubscribed id=p1")},
		{"for a while", 200, "terminated;reason=deactivated", NULL,
		 OK("1")},
		{"active first", 200, "active;expires=0", DOC(OPEN("x")),
		 OK("1") FULL("x", "available")},
		{"pending", 200, "pending;expires=0", DOC(OPEN("x")), OK("1")},
		{"no NOTIFY", 200, NULL, NULL, ""},
		{"410", 410, NULL, NULL, BARE("unsubscribed id=p1")},
		{"604", 604, NULL, NULL, BARE("unsubscribed id=p1")},
		{"480", 480, NULL, NULL, ""},
		{"500", 500, NULL, NULL, ""},
		{"481", 481, NULL, NULL, ""},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		again(&f, state);
		(void)probe(f, "p1");
		settle(f);
		respond(f, rows[i].status);
		if (rows[i].notify != NULL)
			notify(f, rows[i].notify, rows[i].doc);
		drain(f);
		if (strcmp(f->text, rows[i].lines) != 0)
			fail_msg("%s: \"%s\", not \"%s\"", rows[i].name,
				 f->text, rows[i].lines);
		settle(f);
		pass(f, 2 * LIMIT_SIP_TIMER_N_MS);
		expect(f, "");
		assert_int_equal(watches(f), 0);
		assert_int_equal(f->put_seq, 0);
	}
}

/* A stranger who asks and then subscribes. */
static void test_poll_then_subscribe(void **state)
{
	struct fixture *f = *state;

	(void)probe(f, "p1");
	settle(f);
	(void)subscribe(f);
	expect(f, DELIVERED("2"));
	/* the answer to the poll is of no interest any more */
	respond(f, 403);
	expect(f, SUBSCRIBE("2", "1"));
	respond(f, 200);
	notify(f, "active;expires=3600", DOC(OPEN("x")));
	expect(f, OK("1") BARE("subscribed") FULL("x", "available"));
}

static void test_polls_bounded(void **state)
{
	struct fixture *f = *state;
	char from[64];

	for (size_t i = 0; i <= LIMIT_PRESENCE_POLLS; i++) {
		(void)snprintf(from, sizeof(from), "w%zu@example.com", i);
		(void)from_xmpp(f, from, ROMEO, "p", FED__PRESENCE_TYPE__PROBE);
		f->call_count = 0;
		settle(f);
	}
	assert_int_equal(watches(f), LIMIT_PRESENCE_POLLS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_probe_from_full),   T(test_probe_of_full),
		T(test_probe_two_at_once), T(test_probe_leak),
		T(test_probe_of_stranger), T(test_poll_pending),
		T(test_poll_ends),	   T(test_poll_then_subscribe),
		T(test_polls_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
