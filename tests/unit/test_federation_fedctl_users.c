/* policy, grant, revoke, site: what is asked of the daemon, what is printed. */
#include "fedctl_records.h"

static Fed__PolicyRecord global, sales, berlin_policy;
static Fed__SiteRecord berlin;
static char *berlin_domains[1];
static Fed__GrantRecord romeo, tybalt;
static Fed__MemberRecord paris, nurse;

static void make_records(void)
{
	fed__policy_record__init(&global);
	global.federation = true;
	fed__policy_record__init(&sales);
	sales.scope = FED__POLICY_SCOPE__USER;
	sales.name = s("sales");
	sales.federation = true;
	sales.xmpp = true;
	sales.description = s("who sells");
	fed__policy_record__init(&berlin_policy);
	berlin_policy.scope = FED__POLICY_SCOPE__SITE;
	berlin_policy.name = s("berlin");
	fed__site_record__init(&berlin);
	berlin.name = s("berlin");
	berlin_domains[0] = s("berlin.sip.example");
	berlin.domain = berlin_domains;
	berlin.n_domain = 1;
	fed__grant_record__init(&romeo);
	romeo.user = s("romeo@sip.example");
	romeo.policy = s("sales");
	tybalt = romeo;
	tybalt.user = s("tybalt@sip.example");
	tybalt.policy = s("none");
	fed__member_record__init(&paris);
	paris.user = s("paris@sip.example");
	paris.site = s("berlin");
	nurse = paris;
	nurse.user = s("nurse@sip.example");
	nurse.site = s("verona");
}

static void begin_policies(struct some_records *x)
{
	some_init(x);
	make_records();
	some_add(x, FED__RECORD__KIND_POLICY, &global);
	some_add(x, FED__RECORD__KIND_POLICY, &berlin_policy);
	some_add(x, FED__RECORD__KIND_POLICY, &sales);
	some_end(x);
	some_changed(x);
}

static void begin_grants(struct some_records *x)
{
	some_init(x);
	make_records();
	some_add(x, FED__RECORD__KIND_GRANT, &romeo);
	some_add(x, FED__RECORD__KIND_GRANT, &tybalt);
	some_end(x);
	some_changed(x);
}

static void begin_sites(struct some_records *x)
{
	some_init(x);
	make_records();
	some_add(x, FED__RECORD__KIND_SITE, &berlin);
	some_end(x);
	some_add(x, FED__RECORD__KIND_MEMBER, &nurse);
	some_add(x, FED__RECORD__KIND_MEMBER, &paris);
	some_end(x);
	some_changed(x);
}

/* ---- policies ------------------------------------------------------------ */

static void test_policies(void **state)
{
	struct some_records x;

	(void)state;
	begin_policies(&x);
	runs(&x.d, 0,
	     "SCOPE   NAME    FEDERATION  XMPP  DESCRIPTION\n"
	     "global  -       on          off   -\n"
	     "site    berlin  off         off   -\n"
	     "user    sales   on          on    who sells\n",
	     "", "policy", "list");
	run_end(&x.d);
	begin_policies(&x);
	runs(&x.d, 0,
	     "federation   on\n"
	     "xmpp         on\n"
	     "description  who sells\n",
	     "", "policy", "show", "user", "sales");
	run_end(&x.d);
	begin_policies(&x);
	runs(&x.d, 0,
	     "{\"policy\": {\"scope\": \"global\", \"name\": null, "
	     "\"federation\": true, \"xmpp\": false, \"description\": "
	     "null}}\n",
	     "", "policy", "show", "global", "--json");
	run_end(&x.d);
}

static void test_policy_set(void **state)
{
	const Fed__PolicyRecord *p;
	struct some_records x;

	(void)state;
	begin_policies(&x);
	runs(&x.d, 0, SAME, "", "policy", "set", "global", "--xmpp", "on");
	p = some_apply(&x, 1)->put[0]->policy;
	assert_int_equal(FED__POLICY_SCOPE__GLOBAL, p->scope);
	assert_string_equal("", p->name);
	assert_true(p->federation); /* it was on */
	assert_true(p->xmpp);
	run_end(&x.d);
	begin_policies(&x);
	runs(&x.d, 0, SAME, "", "policy", "set", "user", "staff",
	     "--federation", "on");
	p = some_apply(&x, 1)->put[0]->policy;
	assert_int_equal(FED__POLICY_SCOPE__USER, p->scope);
	assert_string_equal("staff", p->name);
	assert_true(p->federation);
	assert_false(p->xmpp); /* a new one allows nothing */
	run_end(&x.d);
	begin_policies(&x);
	runs(&x.d, 0, SAME, "", "policy", "remove", "site", "berlin");
	p = some_apply(&x, 1)->remove[0]->policy;
	assert_int_equal(FED__POLICY_SCOPE__SITE, p->scope);
	assert_string_equal("berlin", p->name);
	run_end(&x.d);
}

static void test_policy_wrong(void **state)
{
	struct some_records x;

	(void)state;
	begin_policies(&x);
	runs(&x.d, STATUS_USAGE, "",
	     "fedctl: policy show: there is no policy user berlin\n", "policy",
	     "show", "user", "berlin");
	run_end(&x.d);
	begin_policies(&x);
	runs(&x.d, STATUS_USAGE, "",
	     "fedctl: policy remove: there is no policy user sale; did you "
	     "mean \"sales\"?\n",
	     "policy", "remove", "user", "sale");
	run_end(&x.d);
	runs(&x.d, STATUS_USAGE, "",
	     "fedctl: policy set: NAME is missing, as in: fedctl policy set "
	     "user sales\n",
	     "policy", "set", "user", "--xmpp", "on");
	run_end(&x.d);
	runs(&x.d, STATUS_USAGE, "",
	     "fedctl: policy set: the global policy has no name: \"all\" is "
	     "one word too many\n",
	     "policy", "set", "global", "all");
	run_end(&x.d);
	runs(&x.d, STATUS_USAGE, "",
	     "fedctl: policy set: SCOPE \"users\": global, site or user is "
	     "expected; did you mean \"user\"?\n",
	     "policy", "set", "users", "sales");
	run_end(&x.d);
	begin_policies(&x);
	runs(&x.d, STATUS_USAGE, "",
	     "fedctl: policy set: nothing is to be set; as in: fedctl policy "
	     "set global --federation on --xmpp on\n",
	     "policy", "set", "user", "sales");
	run_end(&x.d);
}

/* ---- grants -------------------------------------------------------------- */

static void test_grant(void **state)
{
	struct some_records x;

	(void)state;
	begin_policies(&x);
	runs(&x.d, 0, SAME, "", "grant", "sip:Romeo@SIP.example;user=phone",
	     "sales");
	run_end(&x.d);
	begin_policies(&x);
	runs(&x.d, 0, SAME, "", "grant", "sip:Romeo@SIP.example", "sales");
	assert_string_equal("romeo@sip.example",
			    some_apply(&x, 1)->put[0]->grant->user);
	assert_string_equal("sales", some_apply(&x, 1)->put[0]->grant->policy);
	run_end(&x.d);
	begin_policies(&x);
	runs(&x.d, STATUS_USAGE, "",
	     "fedctl: grant: there is no policy user \"slaes\"; did you mean "
	     "\"sales\"?\n",
	     "grant", "romeo@sip.example", "slaes");
	run_end(&x.d);
	begin_policies(&x);
	runs(&x.d, STATUS_USAGE, "",
	     "fedctl: grant: there is no policy user \"berlin\"; \"policy "
	     "list\" shows them, \"policy set user\" makes one\n",
	     "grant", "romeo@sip.example", "berlin");
	run_end(&x.d);
	begin_policies(&x);
	runs(&x.d, STATUS_USAGE, "",
	     "fedctl: grant: \"romeo\" is no user; one such as "
	     "romeo@sip.example is expected\n",
	     "grant", "romeo", "sales");
	run_end(&x.d);
	runs(&x.d, STATUS_USAGE, "",
	     "fedctl: grant: \"lst\" is no user; did you mean \"grant "
	     "list\"?\n",
	     "grant", "lst");
	run_end(&x.d);
	runs(&x.d, STATUS_USAGE, "",
	     "fedctl: grant: \"romeo\" is no user, and a POLICY is missing, as "
	     "in: fedctl grant romeo@sip.example sales\n",
	     "grant", "romeo");
	run_end(&x.d);
	runs(&x.d, STATUS_USAGE, "",
	     "fedctl: grant: POLICY is missing, as in: fedctl grant "
	     "romeo@sip.example sales\n",
	     "grant", "romeo@sip.example");
	run_end(&x.d);
}

static void test_grant_list(void **state)
{
	struct some_records x;

	(void)state;
	begin_grants(&x);
	runs(&x.d, 0,
	     "USER                POLICY\n"
	     "romeo@sip.example   sales\n"
	     "tybalt@sip.example  none\n",
	     "", "grant", "list", "*@sip.example");
	assert_string_equal("*@sip.example", some_get(&x, 0)->pattern);
	run_end(&x.d);
	begin_grants(&x);
	runs(&x.d, 0,
	     "{\"grants\": [\n"
	     "{\"user\": \"romeo@sip.example\", \"policy\": \"sales\"}\n"
	     "]}\n",
	     "", "grant", "list", "--policy", "sales", "--json");
	run_end(&x.d);
}

static void test_revoke(void **state)
{
	struct some_records x;

	(void)state;
	begin_grants(&x);
	runs(&x.d, 0, SAME, "", "revoke", "romeo@sip.example",
	     "sip:tybalt@sip.example");
	assert_int_equal(2, some_apply(&x, 1)->n_remove);
	assert_int_equal(7, some_apply(&x, 1)->base_revision);
	assert_string_equal("tybalt@sip.example",
			    some_apply(&x, 1)->remove[1]->grant->user);
	run_end(&x.d);
	begin_grants(&x);
	runs(&x.d, STATUS_USAGE, "",
	     "fedctl: revoke: rome@sip.example has no policy of his own; did "
	     "you mean \"romeo@sip.example\"?\n",
	     "revoke", "rome@sip.example");
	run_end(&x.d);
}

/* ---- files --------------------------------------------------------------- */

static void test_grant_file(void **state)
{
	static const struct {
		const char *in;
		size_t grants;
		const char *err;
	} rows[] = {
		{"\xEF\xBB\xBFUser,Policy\r\nromeo@sip.example,sales\r\n", 1,
		 ""},
		{"# all\n\nromeo@sip.example , sales\n"
		 "\"tybalt@sip.example\",\"sales\"",
		 2, ""},
		{"", 0, "fedctl: stdin: no user in it\n"},
		{"user,policy\n", 0, "fedctl: stdin: no user in it\n"},
		{"romeo@sip.example,sales\n"
		 "romeo@sip.example;sales\n"
		 "tybalt,nothing\n"
		 "nurse@sip.example,sale\n"
		 "paris@sip.example,\n"
		 "\"paris@sip.example,sales\n"
		 "\xFF@sip.example,sales\n"
		 "sip:Romeo@sip.example,sales\n",
		 0,
		 "fedctl: stdin:2: user,policy is expected\n"
		 "fedctl: stdin:3: \"tybalt\" is no user; one such as "
		 "romeo@sip.example is expected\n"
		 "fedctl: stdin:4: there is no policy user \"sale\"; did you "
		 "mean \"sales\"?\n"
		 "fedctl: stdin:5: the policy is missing\n"
		 "fedctl: stdin:6: user,policy is expected\n"
		 "fedctl: stdin:7: UTF-8 is expected\n"
		 "fedctl: stdin:8: romeo@sip.example is in line 1 already\n"
		 "fedctl: stdin: 7 wrong lines; nothing was changed\n"},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct some_records x;

		begin_policies(&x);
		x.d.in = rows[i].in;
		runs(&x.d, rows[i].grants > 0 ? 0 : STATUS_USAGE,
		     rows[i].grants > 0 ? SAME : "", rows[i].err, "grant",
		     "--csv", "-");
		assert_int_equal(rows[i].grants > 0 ? 2 : 1, x.d.asked_count);
		if (rows[i].grants > 0)
			assert_int_equal(rows[i].grants,
					 some_apply(&x, 1)->n_put);
		run_end(&x.d);
	}
}

/* Of many wrong lines the first ones are named, whenever they were found. */
static void test_many_wrong(void **state)
{
	struct some_records x;
	char in[1024] = "";

	(void)state;
	for (size_t i = 0; i < 50; i++)
		(void)snprintf(in + strlen(in), sizeof(in) - strlen(in),
			       i < 40 ? "user%zu,sales\n" : "user%zu\n", i);
	begin_policies(&x);
	x.d.in = in;
	assert_int_equal(STATUS_USAGE,
			 run_line(&x.d, (const char *const[]){"grant", "--csv",
							      "-", NULL}));
	assert_non_null(strstr(x.d.err, "stdin:10: \"user9\" is no user"));
	assert_null(strstr(x.d.err, "stdin:11:"));
	assert_non_null(strstr(x.d.err, "50 wrong lines; nothing was "
					"changed\n"));
	run_end(&x.d);
}

static void test_no_file(void **state)
{
	struct some_records x;

	(void)state;
	begin_policies(&x);
	runs(&x.d, STATUS_FAILED, "",
	     "fedctl: /nowhere/x.csv: No such file or directory\n", "grant",
	     "--csv", "/nowhere/x.csv");
	run_end(&x.d);
	runs(&x.d, STATUS_USAGE, "",
	     "fedctl: grant: with --csv the users and policies stand in the "
	     "file: \"romeo@sip.example\" is one word too many\n",
	     "grant", "romeo@sip.example", "--csv", "x.csv");
	run_end(&x.d);
}

/* ---- sites --------------------------------------------------------------- */

static void test_sites(void **state)
{
	struct some_records x;

	(void)state;
	begin_sites(&x);
	runs(&x.d, 0,
	     "NAME    DOMAINS             DESCRIPTION\n"
	     "berlin  berlin.sip.example  -\n",
	     "", "site", "list");
	run_end(&x.d);
	begin_sites(&x);
	runs(&x.d, 0,
	     "domains      berlin.sip.example\n"
	     "description  -\n"
	     "users        paris@sip.example\n",
	     "", "site", "show", "berlin");
	run_end(&x.d);
	begin_sites(&x);
	runs(&x.d, 0,
	     "{\"site\": {\"name\": \"berlin\", \"domains\": "
	     "[\"berlin.sip.example\"], \"description\": null, \"users\": "
	     "[\"paris@sip.example\"]}}\n",
	     "", "site", "show", "berlin", "--json");
	run_end(&x.d);
	begin_sites(&x);
	runs(&x.d, STATUS_USAGE, "",
	     "fedctl: site show: there is no site \"rome\"\n", "site", "show",
	     "rome");
	run_end(&x.d);
}

static void test_site_add(void **state)
{
	const Fed__AdminFederationApply *a;
	struct some_records x;

	(void)state;
	begin_sites(&x);
	x.d.in = "user\nmercutio@sip.example\n";
	runs(&x.d, 0, SAME, "", "site", "add", "mantua", "--domain",
	     "Mantua.example", "--user", "romeo@sip.example,nurse@sip.example",
	     "--csv", "-");
	a = some_apply(&x, 2);
	assert_int_equal(4, a->n_put);
	assert_string_equal("romeo@sip.example", a->put[0]->member->user);
	assert_string_equal("mantua", a->put[0]->member->site);
	assert_string_equal("nurse@sip.example", a->put[1]->member->user);
	assert_string_equal("mercutio@sip.example", a->put[2]->member->user);
	assert_string_equal("mantua", a->put[3]->site->name);
	assert_string_equal("mantua.example", a->put[3]->site->domain[0]);
	run_end(&x.d);
	begin_sites(&x);
	runs(&x.d, STATUS_USAGE, "",
	     "fedctl: site add: berlin is there already; \"site set\" changes "
	     "it\n",
	     "site", "add", "berlin");
	run_end(&x.d);
}

static void test_site_set(void **state)
{
	const Fed__AdminFederationApply *a;
	struct some_records x;

	(void)state;
	begin_sites(&x);
	runs(&x.d, 0, SAME, "", "site", "set", "berlin", "--user",
	     "-paris@sip.example", "--user", "+romeo@sip.example", "--domain",
	     "+spandau.example");
	a = some_apply(&x, 2);
	assert_int_equal(1, a->n_remove);
	assert_string_equal("paris@sip.example", a->remove[0]->member->user);
	assert_int_equal(2, a->n_put);
	assert_string_equal("romeo@sip.example", a->put[0]->member->user);
	assert_int_equal(2, a->put[1]->site->n_domain);
	run_end(&x.d);
	/* a user of another site */
	begin_sites(&x);
	runs(&x.d, STATUS_USAGE, "",
	     "fedctl: site set: --user: nurse@sip.example was not put into the "
	     "site\n",
	     "site", "set", "berlin", "--user", "-nurse@sip.example");
	run_end(&x.d);
}

/* Those who were put into it go with it. */
static void test_site_remove(void **state)
{
	const Fed__AdminFederationApply *a;
	struct some_records x;

	(void)state;
	begin_sites(&x);
	runs(&x.d, 0, SAME, "", "site", "remove", "berlin");
	a = some_apply(&x, 2);
	assert_int_equal(2, a->n_remove);
	assert_string_equal("paris@sip.example", a->remove[0]->member->user);
	assert_string_equal("berlin", a->remove[1]->site->name);
	run_end(&x.d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_policies),
		cmocka_unit_test(test_policy_set),
		cmocka_unit_test(test_policy_wrong),
		cmocka_unit_test(test_grant),
		cmocka_unit_test(test_grant_list),
		cmocka_unit_test(test_revoke),
		cmocka_unit_test(test_grant_file),
		cmocka_unit_test(test_many_wrong),
		cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_sites),
		cmocka_unit_test(test_site_add),
		cmocka_unit_test(test_site_set),
		cmocka_unit_test(test_site_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
