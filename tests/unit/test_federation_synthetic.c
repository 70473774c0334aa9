/* The synthetic transaction: the request that it makes, and what is made of
 * what comes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fe-gateway/core/pidf.h"
#include "fe-gateway/core/sip_checks.h"
#include "fe-gateway/core/synthetic.h"
#include "xmpp/stanza_error.h"
#include "xmpp/stanza_util.h"

#define FROM "o\\27malley@sip.example"
#define TO "juliet@xmpp.example"

struct world {
	struct id_source ids;
	struct synthetic s;
	struct arena arena;
	struct synthetic_facts facts;
};

static void begin(struct world *w, enum synthetic_what what)
{
	*w = (struct world){.ids = {.key = {1}}};
	arena_init(&w->arena, 1u << 20);
	w->facts.access.gate = ACCESS_GATES;
	w->facts.edge = "edge1";
	assert_int_equal(synthetic_init(&w->s, what, SPAN_LIT(FROM),
					SPAN_LIT(TO), 77, &w->ids, 1000),
			 0);
}

static void finish(struct world *w)
{
	synthetic_deinit(&w->s);
	arena_deinit(&w->arena);
}

static void reply(struct world *w, int status, const char *phrase,
		  uint64_t now_ms)
{
	struct sip_reply r = {.line = {.status = status}};

	strcpy(r.line.phrase, phrase);
	synthetic_on_reply(&w->s, &r, now_ms);
}

static void outcome(struct world *w, Fed__Condition c, const char *text,
		    uint64_t now_ms)
{
	const Fed__Error *e = c == FED__CONDITION__NO_CONDITION
				      ? NULL
				      : stanza_error_new(&w->arena, c, text);

	synthetic_on_outcome(&w->s, e, "edge2", now_ms);
}

static void notify(struct world *w, const char *body, uint64_t now_ms)
{
	struct sip_request_out q = {
		.method = "NOTIFY",
		.request_uri = w->s.request.contact_uri.p,
		.call_id = w->s.request.call_id.p,
		.body = body != NULL ? span_str(body) : SPAN_NULL,
	};

	assert_true(synthetic_is_notify(&q));
	assert_true(synthetic_on_notify(&w->s, &q, now_ms));
}

static Fed__Stanza *presence(struct world *w, Fed__PresenceType type)
{
	Fed__Stanza *s = stanza_new_presence(&w->arena);

	assert_non_null(s);
	s->from = arena_dup(&w->arena, SPAN_LIT(TO "/phone"));
	s->to = arena_dup(&w->arena, SPAN_LIT(FROM));
	s->presence->type = type;
	return s;
}

static void answer(struct world *w, Fed__PresenceType type, uint64_t now_ms)
{
	const Fed__Stanza *s = presence(w, type);

	assert_true(synthetic_is_answer(&w->s, s));
	assert_false(synthetic_is_ours(&w->s, s));
	synthetic_on_answer(&w->s, s, now_ms);
}

/* The result; what is NULL is not looked at. */
static void expect(struct world *w, bool ok, uint64_t latency_us,
		   const char *said, const char *diagnosis)
{
	const Fed__TestResult *r;

	assert_true(w->s.is_over);
	r = synthetic_result(&w->s, &w->facts, &w->arena);
	assert_non_null(r);
	assert_int_equal(r->ok, ok);
	assert_int_equal(r->latency_us, latency_us);
	assert_string_equal(ok ? r->seen : r->error, said);
	assert_string_equal(ok ? r->error : r->seen, "");
	if (diagnosis == NULL)
		assert_string_equal(r->diagnosis, "");
	else
		assert_non_null(strstr(r->diagnosis, diagnosis));
}

/* ---- the request --------------------------------------------------------- */

static void test_requests_pass_the_checks(void **state)
{
	static const char *const domains[] = {"sip.example"};
	static const char *const trusted[] = {"192.0.2.1"};
	static const struct sip_checks_params p = {domains, 1, trusted, 1};
	struct sip_reply r;
	struct world w;
	const char *why;

	(void)state;
	for (int what = SYNTHETIC_IM; what <= SYNTHETIC_PRESENCE; what++) {
		begin(&w, (enum synthetic_what)what);
		assert_int_equal(sip_checks(&p, &w.s.request, false, &r, &why),
				 SIP_CHECKS_PASS);
		assert_true(span_eq_str(w.s.request.from_uri,
					"sip:o'malley@sip.example"));
		assert_true(span_eq_str(w.s.request.request_uri, "sip:" TO));
		assert_int_equal(w.s.request.handle, 77);
		finish(&w);
	}
}

static void test_a_poll_leaves_nothing(void **state)
{
	struct world w;

	(void)state;
	begin(&w, SYNTHETIC_PRESENCE);
	assert_true(w.s.request.has_expires);
	assert_int_equal(w.s.request.expires, 0);
	finish(&w);
	begin(&w, SYNTHETIC_IM);
	assert_true(
		span_starts(w.s.request.body, SPAN_LIT("[federation test ")));
	assert_non_null(strstr(w.s.request.body.p, " of sip.example test "));
	finish(&w);
}

static void test_no_uri(void **state)
{
	struct id_source ids = {.key = {1}};
	struct synthetic s;

	(void)state;
	/* an escape that no gateway would have made */
	assert_int_equal(synthetic_init(&s, SYNTHETIC_IM,
					SPAN_LIT("\\20a@sip.example"),
					SPAN_LIT(TO), 1, &ids, 0),
			 FED_EINVAL);
	synthetic_deinit(&s);
}

/* ---- a message ----------------------------------------------------------- */

static void test_delivered(void **state)
{
	struct world w;

	(void)state;
	begin(&w, SYNTHETIC_IM);
	reply(&w, 100, "Trying", 1003);
	assert_false(w.s.is_over);
	outcome(&w, FED__CONDITION__NO_CONDITION, NULL, 1010);
	assert_false(w.s.is_over);
	reply(&w, 200, "OK", 1012);
	expect(&w, true, 12000, "delivered", NULL);
	/* what comes behind it changes nothing */
	reply(&w, 500, "x", 1020);
	outcome(&w, FED__CONDITION__GONE, NULL, 1020);
	synthetic_give_up(&w.s, 1030);
	expect(&w, true, 12000, "delivered", NULL);
	finish(&w);
}

struct refused_row {
	Fed__Condition condition;
	const char *text;
	int status;
	const char *error;
	const char *diagnosis;
};

static void test_refused(void **state)
{
	static const struct refused_row rows[] = {
		{FED__CONDITION__REMOTE_SERVER_NOT_FOUND, "dns", 404,
		 "remote-server-not-found (dns)",
		 "\"fedctl --edge edge2 check dns xmpp.example\""},
		{FED__CONDITION__REMOTE_SERVER_TIMEOUT, NULL, 504,
		 "remote-server-timeout",
		 "\"fedctl --edge edge2 why xmpp.example\""},
		{FED__CONDITION__SERVICE_UNAVAILABLE, NULL, 403,
		 "service-unavailable", "is there such a user?"},
		{FED__CONDITION__ITEM_NOT_FOUND, "who?", 604,
		 "item-not-found (who?)", "is there such a user?"},
		{FED__CONDITION__POLICY_VIOLATION, NULL, 403,
		 "policy-violation", "does not allow it"},
		{FED__CONDITION__UNDEFINED_CONDITION, NULL, 400,
		 "undefined-condition", "behind our gates"},
	};
	struct world w;

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		begin(&w, SYNTHETIC_IM);
		outcome(&w, rows[i].condition, rows[i].text, 1004);
		reply(&w, rows[i].status, "No", 1005);
		expect(&w, false, 5000, rows[i].error, rows[i].diagnosis);
		finish(&w);
	}
}

static void test_our_gate(void **state)
{
	struct world w;

	(void)state;
	begin(&w, SYNTHETIC_IM);
	w.facts.access.gate = ACCESS_POLICY;
	reply(&w, 403, "not allowed by policy", 1000);
	expect(&w, false, 0, "403 not allowed by policy",
	       "our gate \"policy\" refuses: not allowed by policy; \"fedctl "
	       "explain " FROM " " TO "\"");
	finish(&w);
}

static void test_no_edge(void **state)
{
	struct world w;

	(void)state;
	begin(&w, SYNTHETIC_IM);
	w.facts.edge = NULL;
	reply(&w, 504, "Server Time-out", 6000);
	expect(&w, false, 5000000, "504 Server Time-out",
	       "no edge is connected");
	finish(&w);
}

static void test_given_up(void **state)
{
	struct world w;

	(void)state;
	begin(&w, SYNTHETIC_IM);
	synthetic_give_up(&w.s, 4000);
	expect(&w, false, 3000000, "no answer in 3000 ms",
	       "edge edge1 took it and nothing came back");
	finish(&w);
}

/* ---- presence ------------------------------------------------------------ */

static char *document(struct world *w, bool is_open, Fed__Show show)
{
	const struct pidf_write_params p = {.entity = SPAN_LIT(TO)};
	struct presence_view view = {.count = 0};
	struct presence_resource r = {
		.name = "phone", .is_open = is_open, .show = show};
	struct span lang;
	struct buf b;
	char *text;

	buf_init(&b, LIMIT_PIDF_BYTES);
	assert_int_equal(presence_view_set(&view, &r), 0);
	assert_int_equal(pidf_write(&p, &view, &b, &lang), 0);
	text = arena_dup(&w->arena, buf_span(&b));
	assert_non_null(text);
	presence_view_clear(&view);
	buf_deinit(&b);
	return text;
}

struct seen_row {
	bool is_open;
	Fed__Show show;
	const char *said;
};

static void test_seen(void **state)
{
	static const struct seen_row rows[] = {
		{true, FED__SHOW__NO_SHOW, "available"},
		{true, FED__SHOW__AWAY, "available (away)"},
		{true, FED__SHOW__DND, "available (dnd)"},
		{false, FED__SHOW__NO_SHOW, "unavailable"},
	};
	struct world w;

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		begin(&w, SYNTHETIC_PRESENCE);
		reply(&w, 200, "OK", 1001);
		assert_false(w.s.is_over);
		outcome(&w, FED__CONDITION__NO_CONDITION, NULL, 1003);
		answer(&w,
		       rows[i].is_open ? FED__PRESENCE_TYPE__AVAILABLE
				       : FED__PRESENCE_TYPE__UNAVAILABLE,
		       1007);
		/* its document is still to come */
		assert_false(w.s.is_over);
		notify(&w, document(&w, rows[i].is_open, rows[i].show), 1008);
		expect(&w, true, 7000, rows[i].said, NULL);
		finish(&w);
	}
}

static void test_known_before(void **state)
{
	struct world w;

	(void)state;
	begin(&w, SYNTHETIC_PRESENCE);
	notify(&w, document(&w, true, FED__SHOW__XA), 1002);
	expect(&w, true, 2000, "available (xa)", NULL);
	finish(&w);
}

static void test_not_allowed(void **state)
{
	struct world w;

	(void)state;
	begin(&w, SYNTHETIC_PRESENCE);
	answer(&w, FED__PRESENCE_TYPE__UNSUBSCRIBED, 1020);
	assert_false(w.s.is_over);
	notify(&w, NULL, 3000);
	expect(&w, true, 20000, "nothing: " TO " has not let " FROM " see it",
	       NULL);
	finish(&w);
}

static void test_silence(void **state)
{
	struct world w;

	(void)state;
	begin(&w, SYNTHETIC_PRESENCE);
	outcome(&w, FED__CONDITION__NO_CONDITION, NULL, 1009);
	notify(&w, NULL, 3000);
	expect(&w, true, 9000,
	       "nothing: the server of xmpp.example took the question and "
	       "says nothing to " FROM ", as to one who may not see it",
	       NULL);
	finish(&w);
	/* the edge had to dial first: the NOTIFY could not wait for it */
	begin(&w, SYNTHETIC_PRESENCE);
	notify(&w, NULL, 3000);
	assert_false(w.s.is_over);
	outcome(&w, FED__CONDITION__NO_CONDITION, NULL, 5000);
	synthetic_give_up(&w.s, 9000);
	assert_true(w.s.seen == SYNTHETIC_SILENCE);
	finish(&w);
}

static void test_no_way(void **state)
{
	struct world w;

	(void)state;
	/* the NOTIFY does not wait for the edge */
	begin(&w, SYNTHETIC_PRESENCE);
	notify(&w, NULL, 3000);
	outcome(&w, FED__CONDITION__REMOTE_SERVER_TIMEOUT, "refused", 9000);
	expect(&w, false, 8000000, "remote-server-timeout (refused)",
	       "why xmpp.example");
	finish(&w);
	/* nothing at all */
	begin(&w, SYNTHETIC_PRESENCE);
	notify(&w, NULL, 3000);
	synthetic_give_up(&w.s, 31000);
	expect(&w, false, 30000000, "no answer in 30000 ms",
	       "presence show " FROM);
	finish(&w);
	/* a gate */
	begin(&w, SYNTHETIC_PRESENCE);
	w.facts.access.gate = ACCESS_PARTNER;
	reply(&w, 403, "no", 1000);
	expect(&w, false, 0, "403 no", "our gate \"partner\"");
	finish(&w);
}

static void test_others(void **state)
{
	struct sip_request_out q = {
		.method = "NOTIFY",
		.request_uri = "sip:romeo@10.0.0.1",
		.call_id = "x",
	};
	struct world w;
	Fed__Stanza *s;

	(void)state;
	begin(&w, SYNTHETIC_PRESENCE);
	assert_false(synthetic_is_notify(&q));
	q.request_uri = w.s.request.contact_uri.p;
	assert_true(synthetic_is_notify(&q));
	assert_false(synthetic_on_notify(&w.s, &q, 1000));
	s = presence(&w, FED__PRESENCE_TYPE__AVAILABLE);
	s->from = s->to;
	assert_false(synthetic_is_answer(&w.s, s));
	finish(&w);
	begin(&w, SYNTHETIC_IM);
	assert_false(synthetic_is_answer(
		&w.s, presence(&w, FED__PRESENCE_TYPE__AVAILABLE)));
	finish(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests_pass_the_checks),
		cmocka_unit_test(test_a_poll_leaves_nothing),
		cmocka_unit_test(test_no_uri),
		cmocka_unit_test(test_delivered),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_our_gate),
		cmocka_unit_test(test_no_edge),
		cmocka_unit_test(test_given_up),
		cmocka_unit_test(test_seen),
		cmocka_unit_test(test_known_before),
		cmocka_unit_test(test_not_allowed),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_no_way),
		cmocka_unit_test(test_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
