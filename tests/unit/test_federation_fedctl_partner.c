/* partner and deny: what is asked of the daemon, what is printed. */
#include "fedctl_records.h"

static Fed__PartnerRecord fabrikam, contoso;
static char *fabrikam_additional[2];

static void make_partners(void)
{
	federation_partner_init(&fabrikam);
	fabrikam.domain = s("fabrikam.example");
	fabrikam.type = FED__PARTNER_TYPE__FEDERATED;
	fabrikam_additional[0] = s("*.fabrikam.example");
	fabrikam_additional[1] = s("im.example");
	fabrikam.additional = fabrikam_additional;
	fabrikam.n_additional = 2;
	fabrikam.description = s("those with the \x1b[31mfactory");
	federation_partner_init(&contoso);
	contoso.domain = s("contoso.example");
	contoso.state = FED__PARTNER_STATE__LEGACY;
	contoso.tls = FED__NEED__OFF;
	contoso.dialback = false;
	contoso.connection_limit = 5;
}

static void begin_partners(struct some_records *x)
{
	some_init(x);
	make_partners();
	some_add(x, FED__RECORD__KIND_PARTNER, &contoso);
	some_add(x, FED__RECORD__KIND_PARTNER, &fabrikam);
	some_end(x);
	some_changed(x);
}

/* ---- looking ------------------------------------------------------------- */

static void test_list(void **state)
{
	struct some_records x;

	(void)state;
	begin_partners(&x);
	runs(&x.d, 0,
	     "DOMAIN               TYPE               STATE    TLS            "
	     "SASL      DIALBACK\n"
	     "contoso.example      public-unverified  legacy   not-supported  "
	     "required  off\n"
	     "fabrikam.example +2  federated          enabled  required       "
	     "required  on\n",
	     "", "partner", "list", "*.example");
	assert_string_equal("*.example", some_get(&x, 0)->pattern);
	assert_int_equal(FED__ADMIN_FEDERATION_GET__KIND__PARTNER,
			 some_get(&x, 0)->kind);
	assert_false(some_get(&x, 0)->secrets);
	run_end(&x.d);
}

/* Everything there is, as one document. */
static void test_export(void **state)
{
	static const char end[] = "\"bytes_per_second\": 0, \"record\": "
				  "\"partner\"}\n]}}\n";
	struct some_records x;
	size_t n;

	(void)state;
	begin_partners(&x);
	assert_int_equal(0, run_line(&x.d, (const char *const[]){
						   "export", "--json", NULL}));
	assert_non_null(strstr(x.d.out, "{\"configuration\": {\"revision\": 7, "
					"\"records\": [\n{\"domain\": "
					"\"contoso.example\", "));
	assert_non_null(strstr(x.d.out, "\"},\n{\"domain\": "
					"\"fabrikam.example\", "));
	n = strlen(x.d.out);
	assert_true(n > sizeof(end));
	assert_string_equal(end, x.d.out + n - (sizeof(end) - 1));
	run_end(&x.d);
	/* secrets are for the form that can be applied */
	runs(&x.d, STATUS_USAGE, "",
	     "fedctl: export: --secrets is for the YAML form: without --json\n",
	     "export", "--json", "--secrets");
	run_end(&x.d);
}

static void test_list_filter(void **state)
{
	struct some_records x;

	(void)state;
	begin_partners(&x);
	runs(&x.d, 0, "no partner\n", "", "partner", "list", "--type",
	     "federated", "--state", "legacy");
	run_end(&x.d);
	begin_partners(&x);
	runs(&x.d, 0,
	     "{\"partners\": [\n"
	     "{\"domain\": \"contoso.example\", \"additional\": [], "
	     "\"description\": null, \"type\": \"public-unverified\", "
	     "\"state\": \"legacy\", \"tls\": \"not-supported\", \"sasl\": "
	     "\"required\", \"dialback\": false, \"keep_alive\": true, "
	     "\"connection_limit\": 5, \"proxy_host\": null, "
	     "\"stanzas_per_second\": 0, \"bytes_per_second\": 0}\n"
	     "]}\n",
	     "", "--json", "partner", "list", "--state", "legacy");
	run_end(&x.d);
	runs(&x.d, STATUS_USAGE, "",
	     "fedctl: partner list: --type \"federatd\": public-unverified, "
	     "public-verified or federated is expected; did you mean "
	     "\"federated\"?\n",
	     "partner", "list", "--type", "federatd");
	run_end(&x.d);
}

static void test_show(void **state)
{
	struct some_records x;

	(void)state;
	begin_partners(&x);
	runs(&x.d, 0,
	     "additional          *.fabrikam.example, im.example\n"
	     "description         those with the \\x1b[31mfactory\n"
	     "type                federated\n"
	     "state               enabled\n"
	     "tls                 required\n"
	     "sasl                required\n"
	     "dialback            on\n"
	     "keep_alive          on\n"
	     "connection_limit    - (partner_connection_limit of the "
	     "settings)\n"
	     "proxy_host          - (the domain's SRV records)\n"
	     "stanzas_per_second  - (no limit)\n"
	     "bytes_per_second    - (no limit)\n",
	     "", "partner", "show", "Fabrikam.EXAMPLE");
	run_end(&x.d);
	begin_partners(&x);
	runs(&x.d, STATUS_USAGE, "",
	     "fedctl: partner show: there is no partner \"fabricam.example\"; "
	     "did you mean \"fabrikam.example\"?\n",
	     "partner", "show", "fabricam.example");
	run_end(&x.d);
	/* another word is no slip, however short */
	begin_partners(&x);
	runs(&x.d, STATUS_USAGE, "",
	     "fedctl: partner add: --dialback \"xx\": off or on is expected\n",
	     "partner", "add", "x.example", "--dialback", "xx");
	run_end(&x.d);
}

/* ---- changing ------------------------------------------------------------ */

static void test_add(void **state)
{
	const Fed__AdminFederationApply *a;
	const Fed__PartnerRecord *p;
	struct some_records x;

	(void)state;
	some_init(&x);
	some_end(&x);
	some_changed(&x);
	(void)setenv("SUDO_USER", "alice", 1);
	runs(&x.d, 0, SAME, "", "partner", "add", "Tailspin.example",
	     "--additional", "a.example,B.example", "--additional",
	     "*.c.example", "--type", "federated", "--tls", "optional",
	     "--keep-alive", "off", "--stanzas-per-second", "50",
	     "--description", "toys & more", "--disabled");
	assert_int_equal(60, x.d.patience_s);
	a = some_apply(&x, 1);
	assert_int_equal(7, a->base_revision);
	assert_int_equal(1, a->n_put);
	assert_int_equal(0, a->n_remove);
	assert_false(a->dry_run);
	assert_false(a->replaces_all);
	assert_string_equal("alice", a->name);
	assert_string_equal(
		"partner add Tailspin.example --additional "
		"a.example,B.example --additional '*.c.example' --type "
		"federated --tls optional --keep-alive off "
		"--stanzas-per-second 50 --description 'toys & more' "
		"--disabled",
		a->what);
	p = a->put[0]->partner;
	assert_string_equal("tailspin.example", p->domain);
	assert_int_equal(3, p->n_additional);
	assert_string_equal("b.example", p->additional[1]);
	assert_string_equal("*.c.example", p->additional[2]);
	assert_int_equal(FED__PARTNER_TYPE__FEDERATED, p->type);
	assert_int_equal(FED__PARTNER_STATE__DISABLED, p->state);
	assert_int_equal(FED__NEED__OPTIONAL, p->tls);
	assert_int_equal(FED__NEED__REQUIRED, p->sasl);
	assert_true(p->dialback);
	assert_false(p->keep_alive);
	assert_int_equal(50, p->stanzas_per_s);
	assert_string_equal("toys & more", p->description);
	run_end(&x.d);
	(void)unsetenv("SUDO_USER");
}

static void test_add_again(void **state)
{
	struct some_records x;

	(void)state;
	begin_partners(&x);
	runs(&x.d, STATUS_USAGE, "",
	     "fedctl: partner add: fabrikam.example is there already; "
	     "\"partner set\" changes it\n",
	     "partner", "add", "fabrikam.example");
	assert_int_equal(1, x.d.asked_count);
	run_end(&x.d);
}

static void test_set(void **state)
{
	const Fed__PartnerRecord *p;
	struct some_records x;

	(void)state;
	begin_partners(&x);
	runs(&x.d, 0, SAME, "", "partner", "set", "fabrikam.example",
	     "--additional", "-IM.example", "--additional", "+chat.example",
	     "--connection-limit", "7", "--dry-run");
	assert_true(some_apply(&x, 1)->dry_run);
	p = some_apply(&x, 1)->put[0]->partner;
	assert_int_equal(2, p->n_additional);
	assert_string_equal("*.fabrikam.example", p->additional[0]);
	assert_string_equal("chat.example", p->additional[1]);
	assert_int_equal(7, p->connection_limit);
	/* what is not named stays */
	assert_int_equal(FED__PARTNER_TYPE__FEDERATED, p->type);
	assert_string_equal(fabrikam.description, p->description);
	run_end(&x.d);
	begin_partners(&x);
	runs(&x.d, 0, SAME, "", "partner", "set", "fabrikam.example",
	     "--additional", "");
	assert_int_equal(0, some_apply(&x, 1)->put[0]->partner->n_additional);
	run_end(&x.d);
}

static void test_set_wrong(void **state)
{
	struct some_records x;

	(void)state;
	begin_partners(&x);
	runs(&x.d, STATUS_USAGE, "",
	     "fedctl: partner set: --additional: \"in.example\" is not among "
	     "them; did you mean \"im.example\"?\n",
	     "partner", "set", "fabrikam.example", "--additional",
	     "-in.example");
	run_end(&x.d);
	begin_partners(&x);
	runs(&x.d, STATUS_USAGE, "",
	     "fedctl: partner set: nothing is to be set; as in: fedctl partner "
	     "set fabrikam.example --additional +im.example\n",
	     "partner", "set", "fabrikam.example");
	run_end(&x.d);
	runs(&x.d, STATUS_USAGE, "",
	     "fedctl: partner set: --sas is no option; did you mean "
	     "--sasl?\n",
	     "partner", "set", "fabrikam.example", "--sas", "required");
	run_end(&x.d);
	runs(&x.d, STATUS_USAGE, "",
	     "fedctl: partner set: --dialback \"yes\": off or on is "
	     "expected\n",
	     "partner", "set", "fabrikam.example", "--dialback", "yes");
	run_end(&x.d);
	/* an option of another command */
	runs(&x.d, STATUS_USAGE, "",
	     "fedctl: partner set: --csv is no option; \"fedctl help partner "
	     "set\" lists them\n",
	     "partner", "set", "fabrikam.example", "--csv", "x");
	run_end(&x.d);
}

static void test_remove(void **state)
{
	struct some_records x;

	(void)state;
	begin_partners(&x);
	runs(&x.d, 0, SAME, "", "partner", "remove", "contoso.example");
	assert_int_equal(0, some_apply(&x, 1)->n_put);
	assert_int_equal(1, some_apply(&x, 1)->n_remove);
	assert_string_equal("contoso.example",
			    some_apply(&x, 1)->remove[0]->partner->domain);
	run_end(&x.d);
}

static void test_state(void **state)
{
	struct some_records x;

	(void)state;
	begin_partners(&x);
	runs(&x.d, 0, SAME, "", "partner", "disable", "fabrikam.example");
	assert_int_equal(FED__PARTNER_STATE__DISABLED,
			 some_apply(&x, 1)->put[0]->partner->state);
	run_end(&x.d);
	begin_partners(&x);
	fabrikam.state = FED__PARTNER_STATE__DISABLED;
	runs(&x.d, 0, SAME, "", "partner", "enable", "fabrikam.example");
	assert_int_equal(FED__PARTNER_STATE__ENABLED,
			 some_apply(&x, 1)->put[0]->partner->state);
	run_end(&x.d);
	/* one that is not ours yet is switched with care, or not at all */
	begin_partners(&x);
	runs(&x.d, STATUS_FAILED, "",
	     "fedctl: contoso.example is the old gateway's: fedctl migrate "
	     "enable \"contoso.example\"\n",
	     "partner", "enable", "contoso.example");
	assert_int_equal(1, x.d.asked_count);
	run_end(&x.d);
}

static void test_deny(void **state)
{
	Fed__DeniedRecord spam;
	struct some_records x;

	(void)state;
	fed__denied_record__init(&spam);
	spam.domain = s("*.spam.example");
	some_init(&x);
	some_add(&x, FED__RECORD__KIND_DENIED, &spam);
	some_end(&x);
	some_changed(&x);
	runs(&x.d, 0,
	     "DOMAIN          DESCRIPTION\n"
	     "*.spam.example  -\n",
	     "", "deny", "list");
	run_end(&x.d);
	x.d.answers = x.r;
	x.d.count = 2;
	runs(&x.d, 0, SAME, "", "deny", "remove", "*.Spam.example");
	assert_string_equal("*.spam.example",
			    some_apply(&x, 1)->remove[0]->denied->domain);
	run_end(&x.d);
	x.d.answers = x.r;
	x.d.count = 2;
	runs(&x.d, 0, SAME, "", "deny", "add", "junk.example", "--description",
	     "never");
	assert_string_equal("junk.example",
			    some_apply(&x, 1)->put[0]->denied->domain);
	assert_string_equal("never",
			    some_apply(&x, 1)->put[0]->denied->description);
	run_end(&x.d);
}

/* A change that was made in between is refused by the daemon. */
static void test_refused(void **state)
{
	struct some_records x;

	(void)state;
	begin_partners(&x);
	x.r[1].error = s("revision 8 is in force, not 7");
	runs(&x.d, STATUS_FAILED, "", "fedctl: revision 8 is in force, not 7\n",
	     "--json", "partner", "disable", "fabrikam.example");
	run_end(&x.d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_export),
		cmocka_unit_test(test_list_filter),
		cmocka_unit_test(test_show),
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_add_again),
		cmocka_unit_test(test_set),
		cmocka_unit_test(test_set_wrong),
		cmocka_unit_test(test_remove),
		cmocka_unit_test(test_state),
		cmocka_unit_test(test_deny),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
