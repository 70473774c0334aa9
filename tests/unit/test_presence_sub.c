/* XMPP users watch SIP users: the vectors of RFC 8048 by their numbers. */
#include "presence_sub_harness.h"

static void test_p1_p2_p3(void **state)
{
	struct fixture *f = *state;

	(void)subscribe(f);
	expect(f, DELIVERED("1") SUBSCRIBE("1", "1"));
	assert_string_equal(last_sent(f)->to_tag, "");
	respond(f, 200);
	expect(f, "");
	notify(f, "pending;expires=3600", NULL);
	expect(f, OK("1"));
	notify(f, "active;expires=499", DOC(AWAY("dr4hcr0st3lup4c")));
	expect(f, OK("2") BARE("subscribed")
			  FULL("dr4hcr0st3lup4c", "available away"));
	pass(f, 300000);
	expect(f, "");
	pass(f, 199000);
	expect(f, REFRESH("1", "2"));
}

static void test_p4(void **state)
{
	struct fixture *f = *state;

	(void)subscribe(f);
	drain(f);
	respond(f, 200);
	settle(f);
	notify(f, "active;expires=3600", NULL);
	expect(f, OK("1") BARE("subscribed") BARE("unavailable"));
	/* and the same for one that says so */
	notify(f, "active;expires=3600", DOC(CLOSED("x")));
	expect(f, OK("2"));
}

static void test_p5(void **state)
{
	struct fixture *f = *state;

	(void)subscribe(f);
	settle(f);
	notify(f, "active;expires=3600", DOC(OPEN("x")));
	expect(f, OK("1") BARE("subscribed") FULL("x", "available"));
	respond(f, 200);
	pass(f, LIMIT_SIP_TIMER_N_MS + 1000);
	expect(f, "");
}

static void test_p6(void **state)
{
	struct fixture *f = *state;
	struct sip_request_in q;

	watch(f);
	q = notify_of(f, last_sent(f), "active", DOC(CLOSED("x")));
	q.from_tag = SPAN_LIT("other");
	presence_on_sip_request(f->p, &q, f->now);
	expect(f, "reply 2 481\n");
}

static void test_p7(void **state)
{
	struct fixture *f = *state;

	watch(f);
	notify(f, "active;expires=3600", DOC(CLOSED("x")));
	expect(f, OK("2") FULL("x", "unavailable"));
	notify(f, "active;expires=3600", DOC(CLOSED("x")));
	expect(f, OK("3"));
}

static void test_p8(void **state)
{
	struct fixture *f = *state;

	(void)subscribe(f);
	drain(f);
	respond(f, 200);
	settle(f);
	notify(f, "active;expires=3600", DOC(OPEN("a") OPEN("b")));
	expect(f, OK("1") BARE("subscribed") FULL("a", "available")
			  FULL("b", "available"));
	notify(f, "active;expires=3600", DOC(OPEN("a")));
	expect(f, OK("2") FULL("b", "unavailable"));
}

static void test_p9(void **state)
{
	struct fixture *f = *state;

	watch_pending(f);
	notify(f, "terminated;reason=rejected", NULL);
	expect(f, OK("2") BARE("unsubscribed"));
	assert_int_equal(watches(f), 0);
}

static void test_p10(void **state)
{
	static const int statuses[] = {403, 489, 603};
	struct fixture *f = *state;

	for (size_t i = 0; i < FED_ARRAY_LEN(statuses); i++) {
		(void)subscribe(f);
		settle(f);
		respond(f, statuses[i]);
		expect(f, BARE("unsubscribed"));
		assert_int_equal(watches(f), 0);
		assert_int_equal(f->kept.count, 0);
	}
}

static void test_p11(void **state)
{
	struct sip_response_in r = {
		.end = SIP_END_RESPONSE, .status = 423, .min_expires = 7200};
	struct fixture *f = *state;

	(void)subscribe(f);
	settle(f);
	respond_to(f, last_sent(f), &r);
	expect(f, "sip SUBSCRIBE sip:romeo@example.net call=1 cseq=2 "
		  "expires=7200\n");
}

static void test_p12(void **state)
{
	struct fixture *f = *state;

	watch(f);
	pass(f, 3000000);
	expect(f, REFRESH("1", "2"));
	respond(f, 481);
	expect(f, SUBSCRIBE("2", "1"));
	respond(f, 200);
	notify(f, "active;expires=3600", DOC(OPEN("x")));
	expect(f, OK("2"));
}

static void test_p13(void **state)
{
	struct fixture *f = *state;

	watch(f);
	notify(f, "terminated;reason=deactivated", NULL);
	expect(f, OK("2") SUBSCRIBE("2", "1"));
}

static void test_p14(void **state)
{
	struct fixture *f = *state;

	watch(f);
	notify(f, "terminated;reason=probation;retry-after=60", NULL);
	expect(f, OK("2"));
	pass(f, 59999);
	expect(f, "");
	pass(f, 20000);
	expect(f, SUBSCRIBE("2", "1"));
}

static void test_p15(void **state)
{
	struct fixture *f = *state;

	(void)subscribe(f);
	drain(f);
	respond(f, 200);
	settle(f);
	pass(f, LIMIT_SIP_TIMER_N_MS - 1);
	expect(f, "");
	pass(f, 1);
	expect(f, BARE("error id=q remote-server-timeout"));
	pass(f, 29000);
	expect(f, "");
	pass(f, 10000);
	expect(f, SUBSCRIBE("2", "1"));
}

static void test_p16(void **state)
{
	struct fixture *f = *state;

	watch(f);
	(void)unsubscribe(f);
	expect(f, DELIVERED("2") END("1", "2") FULL("x", "unavailable"));
	respond(f, 200);
	expect(f, BARE("unsubscribed"));
	notify(f, "terminated;reason=timeout", DOC(OPEN("x")));
	expect(f, OK("2"));
	assert_int_equal(watches(f), 0);
	assert_int_equal(f->kept.count, 0);
}

static void test_p17(void **state)
{
	struct fixture *f = *state;

	watch(f);
	(void)probe(f, "p1");
	expect(f, DELIVERED("2") FULL("x", "available"));
}

static void test_p18(void **state)
{
	struct fixture *f = *state;

	watch(f);
	notify(f, "active;expires=3600", DOC(CLOSED("x")));
	settle(f);
	(void)probe(f, "p2");
	expect(f, DELIVERED("2") BARE("unavailable id=p2"));
}

static void test_p19(void **state)
{
	struct fixture *f = *state;

	(void)probe(f, "p1");
	expect(f, DELIVERED("1") POLL("1"));
	respond(f, 200);
	notify(f, "terminated;reason=timeout", DOC(OPEN("x") OPEN("y")));
	expect(f, OK("1") FULL("x", "available") FULL("y", "available"));
	assert_int_equal(watches(f), 0);
	assert_int_equal(f->put_seq, 0);
}

static void test_p20(void **state)
{
	static const int statuses[] = {403, 489, 603, 404};
	struct fixture *f = *state;

	for (size_t i = 0; i < FED_ARRAY_LEN(statuses); i++) {
		(void)probe(f, "p1");
		settle(f);
		respond(f, statuses[i]);
		expect(f, BARE("unsubscribed id=p1"));
		assert_int_equal(watches(f), 0);
	}
}

/* P35, P42, P43: what a document says, all the way; the documents themselves
 * are rows of test_presence_pidf */
static void test_documents(void **state)
{
	static const struct {
		const char *name;
		const char *doc;
		const char *line;
	} rows[] = {
		{"P35",
		 DOC("<tuple id='a'><status><basic>open</basic></status>"
		     "<contact priority='0.8'>sip:r@h</contact></tuple>"),
		 FULL("a", "available 102")},
		{"P35, above 1",
		 DOC("<tuple id='b'><status><basic>open</basic></status>"
		     "<contact priority='1.5'>sip:r@h</contact></tuple>"),
		 FULL("a", "unavailable") FULL("b", "available")},
		{"P42",
		 XML "<impp:presence"
		     " xmlns:impp='urn:ietf:params:xml:ns:pidf'"
		     " entity='pres:romeo@example.net'><impp:tuple id='ID-b'>"
		     "<impp:status><impp:basic>open</impp:basic></impp:status>"
		     "<impp:note>hi</impp:note></impp:tuple></impp:presence>",
		 FULL("b", "available []hi")},
		{"P43",
		 XML "<presence xmlns='urn:ietf:params:xml:ns:pidf'"
		     " xmlns:dm='urn:ietf:params:xml:ns:pidf:data-model'"
		     " xmlns:r='urn:ietf:params:xml:ns:pidf:rpid'"
		     " entity='pres:romeo@example.net'>" OPEN(
			     "b") "<dm:person id='p'><r:activities>"
				  "<r:on-the-phone/></r:activities></dm:person>"
				  "</presence>",
		 FULL("b", "available dnd")},
	};
	struct fixture *f = *state;

	(void)subscribe(f);
	drain(f);
	respond(f, 200);
	notify(f, "active;expires=3600", NULL);
	settle(f);
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		char lines[1024];

		notify(f, "active;expires=3600", rows[i].doc);
		(void)snprintf(lines, sizeof(lines),
			       "reply %zu 200 contact\n%s", i + 2,
			       rows[i].line);
		drain(f);
		if (strcmp(f->text, lines) != 0)
			fail_msg("%s: \"%s\", not \"%s\"", rows[i].name,
				 f->text, lines);
		settle(f);
	}
}

/* The dialog is asked whether it lives; a probe is answered by its NOTIFY. */
static void test_p44(void **state)
{
	struct fixture *f = *state;

	watch(f);
	crash(f, 5000);
	(void)probe(f, "p1");
	expect(f, DELIVERED("2") REFRESH("1", "1002"));
	respond(f, 200);
	notify(f, "active;expires=3600", DOC(OPEN("x")));
	expect(f, OK("2") FULL("x", "available"));
	pass(f, 60000);
	expect(f, "");
}

static void test_p44_no_dialog(void **state)
{
	struct fixture *f = *state;

	watch(f);
	crash(f, 4000000);
	(void)probe(f, "p1");
	expect(f, DELIVERED("2") SUBSCRIBE("2", "1"));
	respond(f, 200);
	notify(f, "active;expires=3600", DOC(OPEN("y")));
	expect(f, OK("2") FULL("x", "unavailable") FULL("y", "available"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_p1_p2_p3),  T(test_p4),	T(test_p5),
		T(test_p6),	   T(test_p7),	T(test_p8),
		T(test_p9),	   T(test_p10), T(test_p11),
		T(test_p12),	   T(test_p13), T(test_p14),
		T(test_p15),	   T(test_p16), T(test_p17),
		T(test_p18),	   T(test_p19), T(test_p20),
		T(test_documents), T(test_p44), T(test_p44_no_dialog),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
