/* migrate ...: what is asked, what is shown. */
#include "fedctl_run.h"

#include <unistd.h>

#include "deploy/fedctl/migrate_ask.h"

static Fed__AdminResponse response(void)
{
	Fed__AdminResponse r;

	fed__admin_response__init(&r);
	r.last = true;
	return r;
}

static void test_import(void **state)
{
	Fed__AdminResponse answers[2] = {response(), response()};
	Fed__PartnerRecord ours;
	Fed__Record record;
	Fed__Record *records[] = {&record};
	Fed__FederationChanged changed;
	Fed__Change change;
	Fed__Change *changes[] = {&change};
	char *warnings[] = {s("a.example: clear text")};
	struct fake_daemon d = {.answers = answers,
				.count = 2,
				.in = "a.example,TCP Dialback (required)\n"
				      "b.example,SASL\n"};

	(void)state;
	fed__partner_record__init(&ours);
	ours.domain = s("b.example");
	fed__record__init(&record);
	record.kind_case = FED__RECORD__KIND_PARTNER;
	record.partner = &ours;
	answers[0].record = records;
	answers[0].n_record = 1;
	answers[0].revision = 6;
	fed__change__init(&change);
	fed__federation_changed__init(&changed);
	changed.revision = 7;
	changed.change = changes;
	changed.n_change = 1;
	changed.warning = warnings;
	changed.n_warning = 1;
	answers[1].changed = &changed;
	runs(&d, 0,
	     "line 1: a.example, TCP Dialback (required): tls not-supported, "
	     "sasl\n"
	     "        not-supported, dialback on\n"
	     "line 2: b.example, SASL: tls required, sasl required, dialback "
	     "off\n"
	     "? b.example is a partner already (enabled): it stays as it is\n"
	     "\n"
	     "warning: a.example: clear text\n"
	     "1 partner, 1 new or different, revision 7; 1 line marked ? is "
	     "not as expected\n",
	     "", "migrate", "import", "-");
	assert_int_equal(d.asked_count, 2);
	assert_int_equal(d.asked[1]->federation_apply->base_revision, 6);
	assert_int_equal(d.asked[1]->federation_apply->n_put, 1);
	assert_string_equal(d.asked[1]->federation_apply->what,
			    "migrate import -");
	assert_int_equal(d.patience_s, CHANGE_PATIENCE_S);
	run_end(&d);
}

/* A list that no configuration can hold is not read to its end. */
static void test_too_many_partners(void **state)
{
	static char in[(LIMIT_FEDERATION_PARTNERS + 1) * 16];
	Fed__AdminResponse answers[] = {response(), response()};
	Fed__FederationChanged changed;
	struct fake_daemon d = {.answers = answers, .count = 2, .in = in};
	size_t n = 0;

	(void)state;
	fed__federation_changed__init(&changed);
	answers[1].changed = &changed;
	/* neither up nor down, and all of them twice */
	for (unsigned i = 0; i < LIMIT_FEDERATION_PARTNERS; i++)
		n += (size_t)snprintf(in + n, sizeof(in) - n, "d%u.example\n",
				      i / 2 * 7 % LIMIT_FEDERATION_PARTNERS);
	assert_int_equal(0,
			 run_line(&d, (const char *const[]){"migrate", "import",
							    "-", NULL}));
	assert_int_equal(LIMIT_FEDERATION_PARTNERS / 2,
			 d.asked[1]->federation_apply->n_put);
	run_end(&d);
	n = 0;
	for (unsigned i = 0; i <= LIMIT_FEDERATION_PARTNERS; i++)
		n += (size_t)snprintf(in + n, sizeof(in) - n, "d%u.example\n",
				      i);
	d = (struct fake_daemon){.in = in};
	runs(&d, STATUS_FAILED, "",
	     "fedctl: stdin: more than 2000 partners, which is as many as "
	     "there "
	     "can be; nothing was changed\n",
	     "migrate", "import", "-");
	assert_int_equal(0, d.asked_count);
	run_end(&d);
}

/* What the history keeps of a long line is cut between characters. */
static void test_long_line(void **state)
{
	Fed__AdminResponse answers[] = {response(), response()};
	Fed__FederationChanged changed;
	char dir[] = "/tmp/fedctl-XXXXXX";
	struct fake_daemon d = {.answers = answers, .count = 2};
	char path[1024];
	const char *what;
	size_t n;
	FILE *to;

	(void)state;
	fed__federation_changed__init(&changed);
	answers[1].changed = &changed;
	assert_non_null(mkdtemp(dir));
	n = (size_t)snprintf(path, sizeof(path), "%s%0300d", dir, 0);
	memset(path + n - 300, '/', 300);
	for (size_t i = 0; i < 100; i++)
		n += (size_t)snprintf(path + n, sizeof(path) - n, "\xc3\xbc");
	to = fopen(path, "w");
	assert_non_null(to);
	(void)fputs("romeo@sip.example\n", to);
	assert_int_equal(0, fclose(to));
	runs(&d, 0, "1 user, nothing changes\n", "", "migrate", "users", path);
	what = d.asked[1]->federation_apply->what;
	assert_true(span_is_utf8(span_str(what)));
	assert_string_equal("\xbc...", what + strlen(what) - 4);
	run_end(&d);
	assert_int_equal(0, unlink(path));
	assert_int_equal(0, rmdir(dir));
}

static Fed__Finding finding(Fed__Finding__Level level, const char *group,
			    const char *what, const char *text,
			    const char *advice)
{
	Fed__Finding f;

	fed__finding__init(&f);
	f.level = level;
	f.group = s(group);
	f.what = s(what);
	f.text = s(text);
	f.advice = s(advice);
	return f;
}

/* The gateway's findings and the edges', in the order of the steps. */
static void test_plan(void **state)
{
	Fed__Finding steps[] = {
		finding(FED__FINDING__LEVEL__GOOD, "1. pool", "next hop",
			"it answers", ""),
		finding(FED__FINDING__LEVEL__GOOD,
			"4. policies and "
			"certificates",
			"policies", "all 2 users", ""),
		finding(FED__FINDING__LEVEL__GOOD, "5. federation", "switch",
			"federation is on", ""),
	};
	Fed__Finding *list[] = {&steps[0], &steps[1], &steps[2]};
	Fed__Finding seen =
		finding(FED__FINDING__LEVEL__BAD, "sip.example", "dates",
			"it expired yesterday", "get another one");
	Fed__Finding *seen_list[] = {&seen};
	char *domains[] = {s("sip.example")};
	Fed__AdminResponse answers[] = {response(), response(), response()};
	Fed__FederationStatus status;
	Fed__FederationEdge edges[2];
	Fed__FederationEdge *edge_list[] = {&edges[0], &edges[1]};
	struct fake_daemon d = {.answers = answers, .count = 3};

	(void)state;
	fed__federation_status__init(&status);
	for (size_t i = 0; i < 2; i++)
		fed__federation_edge__init(&edges[i]);
	edges[0].name = s("edge1");
	edges[0].is_connected = true;
	edges[1].name = s("edge2");
	status.edge = edge_list;
	status.n_edge = 2;
	answers[0].finding = list;
	answers[0].n_finding = 3;
	answers[0].verdict = s("next: fedctl migrate enable a.example");
	answers[0].federation = &status;
	answers[0].domain = domains;
	answers[0].n_domain = 1;
	answers[1].finding = seen_list;
	answers[1].n_finding = 1;
	answers[2].error = s("the edge knows no such request");
	runs(&d, 0,
	     "1. pool\n"
	     "  good  next hop     it answers\n"
	     "\n"
	     "4. policies and certificates\n"
	     "  good  policies     all 2 users\n"
	     "  BAD   certificate  edge1: sip.example: it expired yesterday\n"
	     "                     -> get another one\n"
	     "\n"
	     "5. federation\n"
	     "  good  switch       federation is on\n"
	     "\n"
	     "6. DNS\n"
	     "  info  records      edge1: not measured: the edge knows no such "
	     "request\n"
	     "\n"
	     "next: get another one\n",
	     "", "migrate", "plan");
	assert_int_equal(d.asked_count, 3);
	assert_string_equal(d.asked[1]->edge, "edge1");
	assert_int_equal(d.asked[1]->check->what, FED__ADMIN_CHECK__WHAT__CERT);
	assert_int_equal(d.asked[2]->check->what, FED__ADMIN_CHECK__WHAT__DNS);
	run_end(&d);
}

static void test_what_is_next(void **state)
{
	static const char done[] = "nothing is left at the old gateway";
	Fed__Finding good =
		finding(FED__FINDING__LEVEL__GOOD, "1. pool", "x", "x", "");
	Fed__Finding bad = finding(FED__FINDING__LEVEL__BAD, "2. edges", "x",
				   "it is gone", "");
	Fed__Finding advised = finding(FED__FINDING__LEVEL__BAD, "3. users",
				       "x", "x", "move them");
	Fed__Finding dns = finding(FED__FINDING__LEVEL__BAD, "6. DNS", "x", "x",
				   "publish this");
	Fed__Finding dns_good =
		finding(FED__FINDING__LEVEL__GOOD, "6. DNS", "x", "x", "");
	Fed__Finding dns_unknown =
		finding(FED__FINDING__LEVEL__INFO, "6. DNS", "x", "x", "");
	const struct {
		Fed__Finding *f[2];
		const char *verdict;
		const char *next;
	} rows[] = {
		{{&good, &bad}, done, "next: mend 2. edges: it is gone"},
		{{&advised, &bad}, done, "next: move them"},
		{{&good, &dns}, "next: fedctl x", "next: fedctl x"},
		{{&good, &dns},
		 done,
		 "nothing is left at the old gateway; next: let DNS point "
		 "here"},
		{{&good, &dns_good},
		 done,
		 "nothing is left at the old gateway, and DNS points here"},
		{{&good, &dns_unknown}, done, done},
	};
	struct arena a;

	(void)state;
	arena_init(&a, 65536);
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++)
		assert_string_equal(
			migrate_next(&a, rows[i].verdict, rows[i].f, 2),
			rows[i].next);
	arena_deinit(&a);
}

/* a.example, with that state. */
struct one_partner {
	Fed__PartnerRecord partner;
	Fed__Record record;
	Fed__Record *list[1];
};

static Fed__AdminResponse partners(struct one_partner *p,
				   Fed__PartnerState state)
{
	Fed__AdminResponse r = response();

	fed__partner_record__init(&p->partner);
	p->partner.domain = s("a.example");
	p->partner.state = state;
	fed__record__init(&p->record);
	p->record.kind_case = FED__RECORD__KIND_PARTNER;
	p->record.partner = &p->partner;
	p->list[0] = &p->record;
	r.record = p->list;
	r.n_record = 1;
	return r;
}

static void test_enable(void **state)
{
	struct one_partner legacy, enabled;
	Fed__AdminResponse answers[] = {
		partners(&legacy, FED__PARTNER_STATE__LEGACY), response(),
		response()};
	Fed__FederationChanged changed;
	Fed__Change change;
	Fed__Change *changes[] = {&change};
	struct fake_daemon d = {.answers = answers, .count = 3};

	(void)state;
	(void)partners(&enabled, FED__PARTNER_STATE__ENABLED);
	fed__change__init(&change);
	change.before = &legacy.record;
	change.after = &enabled.record;
	fed__federation_changed__init(&changed);
	changed.revision = 8;
	changed.change = changes;
	changed.n_change = 1;
	answers[2].changed = &changed;
	runs(&d, 0,
	     "~ partner a.example\n"
	     "    state  legacy -> enabled\n"
	     "1 changed: revision 8 is in force\n",
	     "", "migrate", "enable", "a.example");
	assert_int_equal(d.asked[2]->migrate->what,
			 FED__ADMIN_MIGRATE__WHAT__ENABLE);
	assert_false(d.asked[2]->migrate->force);
	assert_int_equal(d.patience_s, CHANGE_PATIENCE_S);
	run_end(&d);
	/* forced: nobody is asked about certificates */
	answers[1] = answers[2];
	d = (struct fake_daemon){.answers = answers, .count = 2};
	runs(&d, 0,
	     "~ partner a.example\n"
	     "    state  legacy -> enabled\n"
	     "1 changed: revision 8 is in force\n",
	     "", "migrate", "enable", "A.Example", "--force");
	assert_true(d.asked[1]->migrate->force);
	run_end(&d);
	answers[1] = response();
	answers[1].error = s("no old gateway is set");
	d = (struct fake_daemon){.answers = answers, .count = 2};
	runs(&d, 1, "", "fedctl: no old gateway is set\n", "migrate",
	     "rollback", "a.example");
	assert_int_equal(d.asked[1]->migrate->what,
			 FED__ADMIN_MIGRATE__WHAT__ROLLBACK);
	run_end(&d);
}

/* Who is no partner is told at once, with the nearest one. */
static void test_no_such_partner(void **state)
{
	static const char *const verbs[] = {"enable", "rollback", "verify",
					    "status"};
	struct one_partner p;
	Fed__AdminResponse answer = partners(&p, FED__PARTNER_STATE__LEGACY);

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(verbs); i++) {
		struct fake_daemon d = {.answers = &answer, .count = 1};
		char golden[256];

		(void)snprintf(golden, sizeof(golden),
			       "fedctl: migrate %s: there is no partner "
			       "\"b.example\"; did you mean \"a.example\"?\n",
			       verbs[i]);
		runs(&d, 2, "", golden, "migrate", verbs[i], "b.example");
		run_end(&d);
	}
}

/* A certificate that an edge finds bad stands in the way. */
static void test_bad_certificate(void **state)
{
	struct one_partner p;
	Fed__AdminResponse answers[] = {
		partners(&p, FED__PARTNER_STATE__LEGACY), response(),
		response()};
	Fed__Finding seen = finding(FED__FINDING__LEVEL__BAD, "sip.example",
				    "dates", "it expired yesterday", "");
	Fed__Finding *list[] = {&seen};
	Fed__FederationStatus status;
	Fed__FederationEdge edge;
	Fed__FederationEdge *edges[] = {&edge};
	struct fake_daemon d = {.answers = answers, .count = 3};

	(void)state;
	fed__federation_status__init(&status);
	fed__federation_edge__init(&edge);
	edge.name = s("edge1");
	edge.is_connected = true;
	status.edge = edges;
	status.n_edge = 1;
	answers[1].federation = &status;
	answers[2].finding = list;
	answers[2].n_finding = 1;
	runs(&d, 1, "",
	     "fedctl: not yet: the certificate: edge1: sip.example: it expired "
	     "yesterday; --force does it all the same\n",
	     "migrate", "enable", "a.example");
	run_end(&d);
}

static void test_status(void **state)
{
	Fed__AdminResponse answers[] = {response(), response()};
	Fed__PartnerRecord was, is, other;
	Fed__Record records[3];
	Fed__Record *list[] = {&records[1], &records[2]};
	Fed__Change change;
	Fed__Change *changes[] = {&change};
	Fed__Revision revision;
	Fed__Revision *history[] = {&revision};
	struct fake_daemon d = {.answers = answers, .count = 2};

	(void)state;
	fed__partner_record__init(&was);
	was.domain = s("a.example");
	was.state = FED__PARTNER_STATE__LEGACY;
	is = was;
	is.state = FED__PARTNER_STATE__ENABLED;
	other = was;
	other.domain = s("b.example");
	for (size_t i = 0; i < 3; i++) {
		fed__record__init(&records[i]);
		records[i].kind_case = FED__RECORD__KIND_PARTNER;
	}
	records[0].partner = &was;
	records[1].partner = &is;
	records[2].partner = &other;
	fed__change__init(&change);
	change.before = &records[0];
	change.after = &records[1];
	fed__revision__init(&revision);
	revision.number = 9;
	revision.at_ms = 1000;
	revision.author = s("alice (uid 1000)");
	revision.change = changes;
	revision.n_change = 1;
	answers[0].record = list;
	answers[0].n_record = 2;
	answers[1].history = history;
	answers[1].n_history = 1;
	runs(&d, 0,
	     "{\"migration\": [\n"
	     "{\"domain\": \"a.example\", \"state\": \"enabled\", "
	     "\"since_ms\": 1000, \"revision\": 9, \"who\": \"alice (uid "
	     "1000)\"},\n"
	     "{\"domain\": \"b.example\", \"state\": \"legacy\", "
	     "\"since_ms\": null, \"revision\": null, \"who\": null}\n"
	     "]}\n",
	     "", "migrate", "status", "--json");
	run_end(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_import),
		cmocka_unit_test(test_too_many_partners),
		cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_plan),
		cmocka_unit_test(test_what_is_next),
		cmocka_unit_test(test_enable),
		cmocka_unit_test(test_no_such_partner),
		cmocka_unit_test(test_bad_certificate),
		cmocka_unit_test(test_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
