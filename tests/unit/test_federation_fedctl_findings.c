/* What fedctl prints of findings, and a command line against a daemon that is
 * away, refuses, or says nothing. */
#include "fedctl_run.h"

/* ---- findings ------------------------------------------------------------ */

struct report {
	Fed__Finding one, two, three;
	Fed__Finding *list[3];
	Fed__AdminResponse r[2];
};

static void fill(struct report *x)
{
	*x = (struct report){.list = {&x->one, &x->two, &x->three}};
	fed__finding__init(&x->one);
	fed__finding__init(&x->two);
	fed__finding__init(&x->three);
	x->one.what = s("srv");
	x->one.text = s("xmpp.fabrikam.example:5269, priority 0");
	x->one.group = s("to fabrikam.example");
	x->one.at_ms = 1795660211120;
	x->one.took_ms = 12;
	x->two = x->one;
	x->two.level = FED__FINDING__LEVEL__BAD;
	x->two.what = s("tls");
	x->two.text = s("its certificate expired on 2026-11-01 and it says "
			"\"\x1b[2J go away, all of you who come here\"");
	x->two.advice = s("its administrator must renew it\n_xmpp-server._tcp"
			  ".fabrikam.example. 3600 IN SRV 0 0 5269 "
			  "xmpp.fabrikam.example.");
	x->two.took_ms = 0;
	x->three.level = FED__FINDING__LEVEL__WARN;
	x->three.what = s("a long name of it");
	x->three.text = s("short");
	x->three.group = s("from fabrikam.example");
	fed__admin_response__init(&x->r[0]);
	fed__admin_response__init(&x->r[1]);
	x->r[0].finding = x->list;
	x->r[0].n_finding = 2;
	x->r[1].finding = x->list + 2;
	x->r[1].n_finding = 1;
	x->r[1].verdict = s("no message can go to fabrikam.example");
	x->r[1].last = true;
}

static void test_text(void **state)
{
	struct report x;

	(void)state;
	fill(&x);
	shows(&show_findings_text, false, NULL, x.r, 2,
	      "to fabrikam.example, 2026-11-26\n"
	      "  02:30:11  good  srv          xmpp.fabrikam.example:5269, "
	      "priority 0 (12 ms)\n"
	      "  02:30:11  BAD   tls          its certificate expired on "
	      "2026-11-01 and it\n"
	      "                               says \"\\x1b[2J go away, all of "
	      "you who come here\"\n"
	      "                               -> its administrator must renew "
	      "it\n"
	      "                                  _xmpp-server._tcp"
	      ".fabrikam.example. 3600 IN SRV 0 0 5269 "
	      "xmpp.fabrikam.example.\n"
	      "\n"
	      "from fabrikam.example\n"
	      "  warn  a long name of it  short\n"
	      "\n"
	      "no message can go to fabrikam.example\n");
	shows(&show_findings_text, false, NULL, NULL, 0, "nothing is known\n");
}

static void test_text_without_groups(void **state)
{
	struct report x;

	(void)state;
	fill(&x);
	x.three.group = s("");
	x.r[1].verdict = s("");
	shows(&show_findings_text, false, NULL, x.r + 1, 1,
	      "  warn  a long name of it  short\n");
}

static void test_json(void **state)
{
	struct report x;

	(void)state;
	fill(&x);
	shows(&show_findings_json, false, NULL, x.r + 1, 1,
	      "{\"report\": {\"findings\": [\n"
	      "{\"level\": \"warn\", \"what\": \"a long name of it\", "
	      "\"text\": "
	      "\"short\", \"advice\": null, \"group\": \"from "
	      "fabrikam.example\", \"at_ms\": null, \"took_ms\": 0}\n"
	      "], \"verdict\": \"no message can go to fabrikam.example\"}}\n");
	shows(&show_check_json, false, NULL, NULL, 0,
	      "{\"report\": {\"findings\": [], \"verdict\": null}}\n");
}

/* A check fails when something is bad; what only tells does not. */
static void test_bad(void **state)
{
	static const struct {
		const struct show *how;
		bool is_bad;
	} rows[] = {
		{&show_findings_text, false},
		{&show_findings_json, false},
		{&show_check_text, true},
		{&show_check_json, true},
	};
	struct report x;

	(void)state;
	fill(&x);
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct shower sh;
		struct out o;

		shower_init(&sh, begin(&o), NULL);
		rows[i].how->more(&sh, &x.r[1]); /* a warning is not bad */
		assert_false(sh.is_bad);
		rows[i].how->more(&sh, &x.r[0]);
		assert_int_equal(rows[i].is_bad, sh.is_bad);
		shower_deinit(&sh);
		(void)fclose(o.to);
		free(o.text);
	}
}

/* ---- sessions ------------------------------------------------------------ */

static void test_away(void **state)
{
	struct fake_daemon d = {.ask_fails = FED_EIO};

	(void)state;
	runs(&d, STATUS_AWAY, "", "fedctl: /run/x.sock: nobody is there\n",
	     "show", "version");
	run_end(&d);
	d.ask_fails = FED_ELIMIT;
	runs(&d, STATUS_FAILED, "", "fedctl: /run/x.sock: nobody is there\n",
	     "show", "version");
	run_end(&d);
	runs(&d, STATUS_AWAY, "",
	     "fedctl: /run/x.sock: the daemon closed the connection\n", "show",
	     "version");
	run_end(&d);
}

static void test_refused(void **state)
{
	Fed__AdminResponse r;
	struct fake_daemon d = {.answers = &r, .count = 1};

	(void)state;
	fed__admin_response__init(&r);
	r.error = s("no edge of that name\x07");
	runs(&d, STATUS_FAILED, "", "fedctl: no edge of that name\\x07\n",
	     "--edge", "e9", "--json", "show", "queues");
	assert_int_equal(1, d.asked_count);
	assert_string_equal("e9", d.asked[0]->edge);
	assert_int_equal(SESSION_PATIENCE_S, d.patience_s);
	run_end(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_text_without_groups),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_away),
		cmocka_unit_test(test_refused),
	};

	(void)setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
