/* explain, map, test im, test presence: what is asked, what is printed. */
#include "fedctl_run.h"

/* ---- explain ------------------------------------------------------------- */

struct explained {
	Fed__Finding finding;
	Fed__Finding *list[1];
	Fed__AdminResponse r;
};

static void fill(struct explained *x)
{
	*x = (struct explained){.list = {&x->finding}};
	fed__finding__init(&x->finding);
	x->finding.level = FED__FINDING__LEVEL__BAD;
	x->finding.what = s("policy");
	x->finding.text = s("he has none");
	x->finding.advice = s("fedctl grant a@sip.example POLICY");
	x->finding.group = s("a@sip.example to b@xmpp.example");
	fed__admin_response__init(&x->r);
	x->r.finding = x->list;
	x->r.n_finding = 1;
	x->r.verdict = s("refused");
	x->r.last = true;
}

static void test_explain(void **state)
{
	struct fake_daemon d = {.count = 1};
	struct explained x;

	(void)state;
	fill(&x);
	d.answers = &x.r;
	/* it tells, and what it tells is no failure of the command */
	runs(&d, 0,
	     "a@sip.example to b@xmpp.example\n"
	     "  BAD   policy       he has none\n"
	     "                     -> fedctl grant a@sip.example POLICY\n"
	     "\n"
	     "refused\n",
	     "", "explain", "a@sip.example", "b@xmpp.example");
	assert_int_equal(d.asked[0]->kind_case,
			 FED__ADMIN_REQUEST__KIND_EXPLAIN);
	assert_string_equal(d.asked[0]->explain->from, "a@sip.example");
	assert_string_equal(d.asked[0]->explain->to, "b@xmpp.example");
	assert_string_equal(d.asked[0]->explain->what, "");
	assert_string_equal(d.asked[0]->explain->direction, "");
	run_end(&d);
}

static void test_explain_options(void **state)
{
	struct fake_daemon d = {.count = 1};
	struct explained x;

	(void)state;
	fill(&x);
	d.answers = &x.r;
	assert_int_equal(0, run_line(&d, (const char *const[]){
						 "explain", "--what", "note",
						 "a@s", "b@x", "--direction",
						 "to-sip", "--json", NULL}));
	assert_string_equal(d.asked[0]->explain->what, "note");
	assert_string_equal(d.asked[0]->explain->direction, "to-sip");
	run_end(&d);
	d = (struct fake_daemon){.answers = &x.r, .count = 1};
	assert_int_equal(0, run_line(&d, (const char *const[]){
						 "explain", "a@s", "b@x",
						 "--direction", "both", NULL}));
	assert_string_equal(d.asked[0]->explain->direction, "");
	run_end(&d);
}

static void test_explain_wrong(void **state)
{
	struct fake_daemon d = {.count = 0};

	(void)state;
	runs(&d, 2, "",
	     "fedctl: explain: --what \"noted\": message, subscribe or note "
	     "is expected; did you mean \"note\"?\n",
	     "explain", "a@s", "b@x", "--what", "noted");
	run_end(&d);
	runs(&d, 2, "",
	     "fedctl: explain: an address such as juliet@xmpp.example or "
	     "sip:romeo@sip.example is expected\n",
	     "explain", "a@s", "");
	run_end(&d);
	runs(&d, 2, "",
	     "fedctl: map: an address such as juliet@xmpp.example or "
	     "sip:romeo@sip.example is expected\n",
	     "map", "");
	run_end(&d);
}

/* ---- map ----------------------------------------------------------------- */

static void test_map(void **state)
{
	Fed__AdminResponse r;
	Fed__Mapped m;

	(void)state;
	fed__admin_response__init(&r);
	fed__mapped__init(&m);
	r.mapped = &m;
	m.jid = s("o\\27malley@sip.example/\x1b[2J");
	m.sip_uri = s("sip:o'malley@sip.example;gr=x");
	m.text = s("a SIP user");
	shows(&show_mapped_text, false, NULL, &r, 1,
	      "jid   o\\27malley@sip.example/\\x1b[2J\n"
	      "sip   sip:o'malley@sip.example;gr=x\n"
	      "a SIP user\n");
	m.jid = s("a@b");
	shows(&show_mapped_json, false, NULL, &r, 1,
	      "{\"mapped\": {\"jid\": \"a@b\", \"sip\": "
	      "\"sip:o'malley@sip.example;gr=x\", \"im\": null, \"pres\": "
	      "null, \"text\": \"a SIP user\"}}\n");
}

/* ---- test ---------------------------------------------------------------- */

static void test_good(void **state)
{
	Fed__TestResult t;
	Fed__AdminResponse r;
	struct fake_daemon d = {.answers = &r, .count = 1};

	(void)state;
	fed__admin_response__init(&r);
	fed__test_result__init(&t);
	r.test = &t;
	r.last = true;
	t.ok = true;
	t.latency_us = 12700;
	t.seen = s("delivered");
	runs(&d, 0, "ok: delivered (12 ms)\n", "", "test", "im", "a@s", "b@x");
	assert_int_equal(d.asked[0]->test->what, FED__ADMIN_TEST__WHAT__IM);
	assert_string_equal(d.asked[0]->test->from, "a@s");
	assert_string_equal(d.asked[0]->test->to, "b@x");
	assert_int_equal(d.asked[0]->test->timeout_ms, 30000);
	/* longer than the daemon's own patience */
	assert_int_equal(d.patience_s, 35);
	run_end(&d);
	d = (struct fake_daemon){.answers = &r, .count = 1};
	runs(&d, 0,
	     "{\"test\": {\"ok\": true, \"latency_ms\": 12, \"seen\": "
	     "\"delivered\", \"error\": null, \"diagnosis\": null}}\n",
	     "", "test", "presence", "--timeout", "5", "--json", "a@s", "b@x");
	assert_int_equal(d.asked[0]->test->what,
			 FED__ADMIN_TEST__WHAT__PRESENCE);
	assert_int_equal(d.asked[0]->test->timeout_ms, 5000);
	run_end(&d);
}

static void test_bad(void **state)
{
	Fed__TestResult t;
	Fed__AdminResponse r;
	struct fake_daemon d = {.answers = &r, .count = 1};

	(void)state;
	fed__admin_response__init(&r);
	fed__test_result__init(&t);
	r.test = &t;
	r.last = true;
	t.latency_us = 1000;
	t.error = s("gone (\x1b[2J)");
	t.diagnosis = s("look there");
	runs(&d, 1, "failed: gone (\\x1b[2J) (1 ms); look there\n", "", "test",
	     "im", "a@s", "b@x");
	run_end(&d);
	t.error = s("gone");
	d = (struct fake_daemon){.answers = &r, .count = 1};
	runs(&d, 1,
	     "{\"test\": {\"ok\": false, \"latency_ms\": 1, \"seen\": null, "
	     "\"error\": \"gone\", \"diagnosis\": \"look there\"}}\n",
	     "", "test", "im", "a@s", "b@x", "--json");
	run_end(&d);
}

static void test_wrong(void **state)
{
	static const char *const seconds[] = {"0", "61"};
	struct fake_daemon d = {.count = 0};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(seconds); i++) {
		runs(&d, 2, "",
		     "fedctl: test im: --timeout is 1 to 60 seconds\n", "test",
		     "im", "a@s", "b@x", "--timeout", seconds[i]);
		run_end(&d);
	}
	runs(&d, 2, "",
	     "fedctl: test presence: an address such as romeo@sip.example is "
	     "expected\n",
	     "test", "presence", "", "b@x");
	run_end(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_explain),
		cmocka_unit_test(test_explain_options),
		cmocka_unit_test(test_explain_wrong),
		cmocka_unit_test(test_map),
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
