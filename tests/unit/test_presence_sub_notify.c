/* XMPP users watch SIP users: what NOTIFYs mean. */
#include "presence_sub_harness.h"

#include "fe-gateway/core/substate.h"

static void test_terminated(void **state)
{
	static const struct {
		const char *value;
		const char *pending, *allowed;
		uint32_t wait_s; /* until the next SUBSCRIBE; 0: none */
	} rows[] = {
		{"terminated;reason=rejected", BARE("unsubscribed"), CANCEL, 0},
		{"terminated;reason=noresource", BARE("unsubscribed"), CANCEL,
		 0},
		{"terminated;reason=deactivated", RENEW, RENEW, 0},
		{"terminated;reason=timeout", RENEW, RENEW, 0},
		{"terminated;reason=probation", "", "", 300},
		{"terminated;reason=giveup", "", "", 300},
		{"terminated;reason=giveup;retry-after=400", "", "", 400},
		{"terminated;reason=invariant", "", "", 0},
		{"terminated", "", GONE, 30},
		{"terminated;reason=unheard-of", "", GONE, 30},
		{"terminated;retry-after=90", "", GONE, 90},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < 2 * FED_ARRAY_LEN(rows); i++) {
		bool is_allowed = i % 2 == 1;
		size_t k = i / 2;
		char lines[1024];

		again(&f, state);
		if (is_allowed)
			watch(f);
		else
			watch_pending(f);
		notify(f, rows[k].value, NULL);
		drain(f);
		(void)snprintf(lines, sizeof(lines), OK("2") "%s",
			       is_allowed ? rows[k].allowed : rows[k].pending);
		if (strcmp(f->text, lines) != 0)
			fail_msg("%s: \"%s\", not \"%s\"", rows[k].value,
				 f->text, lines);
		settle(f);
		if (rows[k].wait_s == 0)
			continue;
		pass(f, 1000ull * rows[k].wait_s - 1);
		expect(f, "");
		pass(f, 300ull * rows[k].wait_s);
		expect(f, RENEW);
	}
}

/* What a terminated one carries counts, and counts first. */
static void test_terminated_with_body(void **state)
{
	struct fixture *f = *state;

	watch(f);
	notify(f, "terminated;reason=probation", DOC(AWAY("x") OPEN("y")));
	expect(f, OK("2") FULL("x", "available away") FULL("y", "available"));
}

/* "invariant": nothing is asked any more, the last word stands. */
static void test_invariant(void **state)
{
	struct fixture *f = *state;

	watch(f);
	notify(f, "terminated;reason=invariant", NULL);
	expect(f, OK("2"));
	pass(f, 864000000);
	expect(f, "");
	(void)probe(f, "p1");
	expect(f, DELIVERED("2") FULL("x", "available"));
	(void)unsubscribe(f);
	pass(f, LIMIT_PRESENCE_FAREWELL_MS);
	expect(f, DELIVERED("3") FULL("x", "unavailable") BARE("unsubscribed"));
	(void)subscribe(f);
	expect(f, DELIVERED("4") SUBSCRIBE("2", "1"));
}

static void test_bad_notify(void **state)
{
	static const struct {
		const char *name;
		const char *state, *event_id, *type, *encoding, *body;
		const char *reply;
	} rows[] = {
		{"no state", "", "", PIDF_TYPE, "", DOC(OPEN("y")), "400"},
		{"an event id of nobody", "active", "x", PIDF_TYPE, "",
		 DOC(OPEN("y")), "481"},
		{"no XML", "active", "", PIDF_TYPE, "", "hello", "400"},
		{"a document type", "active", "", PIDF_TYPE, "",
		 "<!DOCTYPE x [<!ENTITY a 'b'>]><presence"
		 " xmlns='urn:ietf:params:xml:ns:pidf' entity='pres:r@h'/>",
		 "400"},
		{"another type", "active", "", "application/xpidf+xml", "",
		 DOC(OPEN("y")), "415 accept=application/pidf+xml"},
		{"encoded", "active", "", PIDF_TYPE, "gzip", DOC(OPEN("y")),
		 "415 accept=application/pidf+xml"},
	};
	struct fixture *f = *state;

	watch(f);
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct sip_request_in q =
			notify_of(f, last_sent(f), rows[i].state, rows[i].body);
		char line[128];

		q.event_id = span_str(rows[i].event_id);
		q.content_type = span_str(rows[i].type);
		q.content_encoding = span_str(rows[i].encoding);
		presence_on_sip_request(f->p, &q, f->now);
		(void)snprintf(line, sizeof(line), "reply %zu %s\n", i + 2,
			       rows[i].reply);
		drain(f);
		if (strcmp(f->text, line) != 0)
			fail_msg("%s: \"%s\", not \"%s\"", rows[i].name,
				 f->text, line);
		settle(f);
	}
	/* the subscription lives, with its last state */
	(void)probe(f, "p1");
	expect(f, DELIVERED("2") FULL("x", "available"));
}

/* The end of a subscription is one, whatever document it has. */
static void test_bad_last_notify(void **state)
{
	struct fixture *f = *state;

	watch(f);
	notify(f, "terminated;reason=rejected", "hello");
	expect(f, "reply 2 400\n" CANCEL);
}

/* What cannot be read approves nobody. */
static void test_bad_first_notify(void **state)
{
	struct fixture *f = *state;

	watch_pending(f);
	notify(f, "active;expires=3600", "hello");
	expect(f, "reply 2 400\n");
	notify(f, "active;expires=3600", DOC(OPEN("x")));
	expect(f, OK("3") BARE("subscribed") FULL("x", "available"));
}

static void test_notify_order(void **state)
{
	struct fixture *f = *state;
	struct sip_request_in q;

	watch(f);
	q = notify_of(f, last_sent(f), "active", DOC(CLOSED("x")));
	q.cseq = 1;
	presence_on_sip_request(f->p, &q, f->now);
	expect(f, "reply 2 500\n");
}

static void test_notify_of_nobody(void **state)
{
	struct fixture *f = *state;
	struct sip_request_in q;

	watch(f);
	q = notify_of(f, last_sent(f), "active", DOC(OPEN("y")));
	q.call_id = SPAN_LIT("another");
	presence_on_sip_request(f->p, &q, f->now);
	q.call_id = span_str(last_sent(f)->call_id);
	q.to_tag = SPAN_LIT("another");
	presence_on_sip_request(f->p, &q, f->now);
	expect(f, "reply 2 481\nreply 2 481\n");
}

/* A state that is not known tells the watcher nothing. */
static void test_unknown_state(void **state)
{
	struct fixture *f = *state;

	watch_pending(f);
	notify(f, "waiting;expires=10", DOC(OPEN("x")));
	expect(f, OK("2"));
}

/* One who was approved is made to wait again: after the hold-off nobody knows
 * whether what was seen is still true. */
static void test_pending_again(void **state)
{
	struct fixture *f = *state;

	watch(f);
	notify(f, "pending;expires=3600", DOC(CLOSED("x")));
	expect(f, OK("2"));
	pass(f, 299000);
	expect(f, "");
	pass(f, 2000);
	expect(f, FULL("x", "unavailable"));
	notify(f, "active;expires=3600", DOC(OPEN("x")));
	expect(f, OK("3") FULL("x", "available"));
}

/* RFC 6665 4.4.1: the way back is that of the NOTIFY, where it has one. */
static void test_routes(void **state)
{
	struct fixture *f = *state;
	struct sip_request_in q;

	(void)subscribe(f);
	drain(f);
	respond(f, 200);
	q = notify_of(f, last_sent(f), "active;expires=100", DOC(OPEN("x")));
	q.record_routes = SPAN_LIT("<sip:p2;lr>, <sip:p1;lr>");
	q.contact_uri = SPAN_LIT("sip:other@192.0.2.2");
	presence_on_sip_request(f->p, &q, f->now);
	settle(f);
	pass(f, 80000);
	expect(f, "sip SUBSCRIBE sip:other@192.0.2.2 call=1 cseq=2 "
		  "to-tag=peer routes=<sip:p2;lr>, <sip:p1;lr> "
		  "expires=3600\n");
}

/* A proxy that records itself for the SUBSCRIBE only; the NOTIFY, by another
 * connection, is there before the 200. */
static void test_routes_of_a_late_response(void **state)
{
	struct fixture *f = *state;
	struct sip_response_in r = {
		.end = SIP_END_RESPONSE,
		.status = 200,
		.to_tag = SPAN_LIT("peer"),
		.contact_uri = SPAN_LIT("sip:pa@192.0.2.1"),
		.record_routes = SPAN_LIT("<sip:p1;lr>, <sip:p2;lr>"),
	};

	for (int is_other_fork = 0; is_other_fork < 2; is_other_fork++) {
		again(&f, state);
		(void)subscribe(f);
		drain(f);
		notify(f, "active;expires=100", DOC(OPEN("x")));
		r.to_tag = is_other_fork ? SPAN_LIT("other") : SPAN_LIT("peer");
		respond_to(f, last_sent(f), &r);
		settle(f);
		crash(f, 1000);
		expect(f, is_other_fork ? REFRESH("1", "1002")
					: "sip SUBSCRIBE sip:pa@192.0.2.1 "
					  "call=1 cseq=1002 to-tag=peer "
					  "routes=<sip:p2;lr>, <sip:p1;lr> "
					  "expires=3600\n");
	}
}

/* --- Subscription-State -------------------------------------------------- */

static void test_substate(void **state)
{
	static const struct {
		const char *value;
		int err;
		struct substate is;
	} rows[] = {
		{"active", 0, {SUBSTATE_ACTIVE, 0, false, 0, false, 0}},
		{" ACTIVE ; Expires = 5 ",
		 0,
		 {SUBSTATE_ACTIVE, 0, true, 5, false, 0}},
		{"pending;expires=99999999999",
		 0,
		 {SUBSTATE_PENDING, 0, true, UINT32_MAX, false, 0}},
		{"terminated;reason=Rejected;retry-after=7",
		 0,
		 {SUBSTATE_TERMINATED, SUBSTATE_REJECTED, false, 0, true, 7}},
		{"terminated;reason=deactivated",
		 0,
		 {SUBSTATE_TERMINATED, SUBSTATE_DEACTIVATED, false, 0, false,
		  0}},
		{"terminated;reason=probation",
		 0,
		 {SUBSTATE_TERMINATED, SUBSTATE_PROBATION, false, 0, false, 0}},
		{"terminated;reason=timeout",
		 0,
		 {SUBSTATE_TERMINATED, SUBSTATE_TIMEOUT, false, 0, false, 0}},
		{"terminated;reason=giveup",
		 0,
		 {SUBSTATE_TERMINATED, SUBSTATE_GIVEUP, false, 0, false, 0}},
		{"terminated;reason=noresource",
		 0,
		 {SUBSTATE_TERMINATED, SUBSTATE_NORESOURCE, false, 0, false,
		  0}},
		{"terminated;reason=invariant",
		 0,
		 {SUBSTATE_TERMINATED, SUBSTATE_INVARIANT, false, 0, false, 0}},
		{"terminated;reason=x;;a=b;c;expires=-1;retry-after=",
		 0,
		 {SUBSTATE_TERMINATED, SUBSTATE_NO_REASON, false, 0, false, 0}},
		{"waiting", 0, {SUBSTATE_PENDING, 0, false, 0, false, 0}},
		{"", FED_EINVAL, {SUBSTATE_PENDING, 0, false, 0, false, 0}},
		{" ;expires=1",
		 FED_EINVAL,
		 {SUBSTATE_PENDING, 0, false, 0, false, 0}},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		const struct substate *is = &rows[i].is;
		struct substate s;

		assert_int_equal(substate_read(span_str(rows[i].value), &s),
				 rows[i].err);
		assert_int_equal(s.kind, is->kind);
		assert_int_equal(s.reason, is->reason);
		assert_int_equal(s.has_expires, is->has_expires);
		assert_int_equal(s.expires, is->expires);
		assert_int_equal(s.has_retry_after, is->has_retry_after);
		assert_int_equal(s.retry_after, is->retry_after);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_terminated),
		T(test_terminated_with_body),
		T(test_invariant),
		T(test_bad_notify),
		T(test_bad_last_notify),
		T(test_bad_first_notify),
		T(test_notify_order),
		T(test_notify_of_nobody),
		T(test_unknown_state),
		T(test_pending_again),
		T(test_routes),
		T(test_routes_of_a_late_response),
		cmocka_unit_test(test_substate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
