/* Questions for edges: of one, of all that a gateway has, of one that is away
 * while the others answer. */
#include "fedctl_run.h"

#define TEXT(s) ((char *)(uintptr_t)(s))

static Fed__AdminResponse *version(const char *program)
{
	static Fed__VersionInfo v;
	static Fed__AdminResponse r;

	fed__version_info__init(&v);
	v.program = TEXT(program);
	fed__admin_response__init(&r);
	r.version = &v;
	r.last = true;
	return &r;
}

static Fed__AdminResponse *channels(const char *first, const char *second)
{
	static Fed__ChannelInfo c[2];
	static Fed__ChannelInfo *list[2] = {&c[0], &c[1]};
	static Fed__AdminResponse r;

	fed__channel_info__init(&c[0]);
	fed__channel_info__init(&c[1]);
	c[0].peer = TEXT(first);
	c[1].peer = TEXT(second);
	fed__admin_response__init(&r);
	r.channel = list;
	r.n_channel = first == NULL ? 0 : second == NULL ? 1 : 2;
	r.last = true;
	return &r;
}

/* A finding and a verdict. */
static Fed__AdminResponse *report(unsigned which, Fed__Finding__Level level,
				  const char *group, const char *text,
				  const char *verdict)
{
	static Fed__Finding f[3];
	static Fed__Finding *list[3] = {&f[0], &f[1], &f[2]};
	static Fed__AdminResponse r[3];

	fed__finding__init(&f[which]);
	f[which].level = level;
	f[which].what = TEXT("tcp");
	f[which].text = TEXT(text);
	f[which].group = TEXT(group);
	fed__admin_response__init(&r[which]);
	r[which].finding = &list[which];
	r[which].n_finding = 1;
	r[which].verdict = TEXT(verdict);
	r[which].last = true;
	return &r[which];
}

static void test_edge_itself(void **state)
{
	const Fed__AdminResponse answers[] = {
		*version("edge-proxy"),
		*report(0, FED__FINDING__LEVEL__BAD, "attempt 1, outbound",
			"refused", "to it: failed"),
	};
	struct fake_daemon d = {.answers = answers, .count = 2};

	(void)state;
	runs(&d, STATUS_DONE,
	     "attempt 1, outbound\n  BAD   tcp          refused\n\nto it: "
	     "failed\n",
	     "", "why", "peer.example");
	assert_int_equal(2, d.asked_count);
	assert_string_equal("", d.asked[1]->edge);
	assert_int_equal(FED__ADMIN_REQUEST__KIND_WHY, d.asked[1]->kind_case);
	assert_string_equal("peer.example", d.asked[1]->why->domain);
	run_end(&d);
}

static void test_gateway_with_one(void **state)
{
	const Fed__AdminResponse answers[] = {
		*version("fe-gateway"),
		*channels("edge1.example", NULL),
		*report(0, FED__FINDING__LEVEL__BAD, "", "refused", "bad"),
	};
	struct fake_daemon d = {.answers = answers, .count = 3};

	(void)state;
	/* a check that found something BAD has failed */
	runs(&d, STATUS_FAILED, "  BAD   tcp          refused\n\nbad\n", "",
	     "check", "partner", "peer.example");
	assert_string_equal("edge1.example", d.asked[2]->edge);
	assert_int_equal(FED__ADMIN_CHECK__WHAT__PARTNER,
			 d.asked[2]->check->what);
	run_end(&d);
}

static void test_gateway_with_two(void **state)
{
	const Fed__AdminResponse answers[] = {
		*version("fe-gateway"),
		*channels("edge1.example", "edge2.example"),
		*report(0, FED__FINDING__LEVEL__GOOD, "attempt 1, outbound",
			"connected", "connected by EXTERNAL"),
		*report(1, FED__FINDING__LEVEL__INFO, "", "nothing",
			"no attempt"),
	};
	struct fake_daemon d = {.answers = answers, .count = 4};

	(void)state;
	runs(&d, STATUS_DONE,
	     "edge1.example: attempt 1, outbound\n"
	     "  good  tcp          connected\n\n"
	     "edge2.example\n"
	     "  info  tcp          nothing\n\n"
	     "edge1.example: connected by EXTERNAL\n"
	     "edge2.example: no attempt\n",
	     "", "why", "peer.example");
	assert_string_equal("edge1.example", d.asked[2]->edge);
	assert_string_equal("edge2.example", d.asked[3]->edge);
	run_end(&d);
}

static void test_two_as_json(void **state)
{
	const Fed__AdminResponse answers[] = {
		*version("fe-gateway"),
		*channels("edge1.example", "edge2.example"),
		*report(0, FED__FINDING__LEVEL__GOOD, "x", "yes", "good"),
		*report(1, FED__FINDING__LEVEL__BAD, "", "no", "bad"),
	};
	struct fake_daemon d = {.answers = answers, .count = 4};

	(void)state;
	runs(&d, STATUS_FAILED,
	     "{\"report\": {\"findings\": [\n"
	     "{\"level\": \"good\", \"what\": \"tcp\", \"text\": \"yes\", "
	     "\"advice\": null, \"group\": \"edge1.example: x\", \"at_ms\": "
	     "null, \"took_ms\": 0},\n"
	     "{\"level\": \"bad\", \"what\": \"tcp\", \"text\": \"no\", "
	     "\"advice\": null, \"group\": \"edge2.example\", \"at_ms\": "
	     "null, \"took_ms\": 0}\n"
	     "], \"verdict\": \"edge1.example: good\\nedge2.example: bad\"}}\n",
	     "", "--json", "check", "cert");
	assert_string_equal("", d.asked[3]->check->domain);
	run_end(&d);
}

static void test_one_of_two_fails(void **state)
{
	Fed__AdminResponse answers[] = {
		*version("fe-gateway"),
		*channels("edge1.example", "edge2.example"),
		*report(0, FED__FINDING__LEVEL__GOOD, "", "", ""),
		*report(1, FED__FINDING__LEVEL__GOOD, "", "yes", "good"),
	};
	struct fake_daemon d = {.answers = answers, .count = 4};

	(void)state;
	answers[2].error = TEXT("the edge \"edge1.example\" does not answer");
	runs(&d, STATUS_FAILED,
	     "edge2.example\n  good  tcp          yes\n\nedge2.example: good\n",
	     "fedctl: the edge \"edge1.example\" does not answer\n", "why",
	     "peer.example");
	run_end(&d);
}

static void test_edge_is_named(void **state)
{
	const Fed__AdminResponse answers[] = {
		*report(0, FED__FINDING__LEVEL__WARN, "", "hm", "warned"),
	};
	struct fake_daemon d = {.answers = answers, .count = 1};

	(void)state;
	runs(&d, STATUS_DONE, "  warn  tcp          hm\n\nwarned\n", "",
	     "--edge", "edge9.example", "check", "dns", "peer.example");
	assert_string_equal("edge9.example", d.asked[0]->edge);
	run_end(&d);
}

static void test_no_edge(void **state)
{
	const Fed__AdminResponse answers[] = {*version("fe-gateway"),
					      *channels(NULL, NULL)};
	struct fake_daemon d = {.answers = answers, .count = 2};

	(void)state;
	runs(&d, STATUS_FAILED, "",
	     "fedctl: the gateway has no edge (channel.edges)\n", "why",
	     "peer.example");
	run_end(&d);
}

static void test_wrong_domains(void **state)
{
	struct fake_daemon d = {.count = 0};

	(void)state;
	runs(&d, STATUS_USAGE, "",
	     "fedctl: why: \"a@peer.example\" is an address; its domain is "
	     "\"peer.example\"\n",
	     "why", "a@peer.example");
	run_end(&d);
	runs(&d, STATUS_USAGE, "",
	     "fedctl: check dns: \"sip:x\" is no domain, such as "
	     "fabrikam.example\n",
	     "check", "dns", "sip:x");
	run_end(&d);
	runs(&d, STATUS_USAGE, "",
	     "fedctl: check cert: \"\" is no domain, such as "
	     "fabrikam.example\n",
	     "check", "cert", "");
	run_end(&d);
	d.ask_fails = FED_EIO;
	runs(&d, STATUS_AWAY, "", "fedctl: /run/x.sock: nobody is there\n",
	     "why", "peer.example");
	run_end(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_edge_itself),
		cmocka_unit_test(test_gateway_with_one),
		cmocka_unit_test(test_gateway_with_two),
		cmocka_unit_test(test_two_as_json),
		cmocka_unit_test(test_one_of_two_fails),
		cmocka_unit_test(test_edge_is_named),
		cmocka_unit_test(test_no_edge),
		cmocka_unit_test(test_wrong_domains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
