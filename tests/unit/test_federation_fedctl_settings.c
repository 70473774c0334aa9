/* settings, and the export of all. */
#include "fedctl_records.h"

static Fed__SettingsRecord settings;
static uint8_t secret[] = "correct horse battery";

static void begin_settings(struct some_records *x)
{
	some_init(x);
	federation_settings_init(&settings);
	settings.dialback_secret.data = secret;
	settings.dialback_secret.len = sizeof(secret) - 1;
	settings.legacy_next_hop = s("sip:old.sip.example");
	some_add(x, FED__RECORD__KIND_SETTINGS, &settings);
	some_end(x);
	some_changed(x);
}

/* ---- settings ------------------------------------------------------------ */

static void test_settings(void **state)
{
	struct some_records x;

	(void)state;
	begin_settings(&x);
	runs(&x.d, 0,
	     "federation                     off\n"
	     "mode                           closed\n"
	     "connection_limit               1000\n"
	     "partner_connection_limit       20\n"
	     "keep_alive_interval            300\n"
	     "stream_establishment_timeout   60\n"
	     "stream_inactivity_timeout      600\n"
	     "subscription_refresh_interval  28800\n"
	     "dialback_secret                ***\n"
	     "log_bodies                     off\n"
	     "legacy_next_hop                sip:old.sip.example\n",
	     "", "settings", "show");
	run_end(&x.d);
	begin_settings(&x);
	assert_int_equal(
		0, run_line(&x.d, (const char *const[]){"settings", "show",
							"--json", NULL}));
	assert_non_null(strstr(x.d.out, "\"dialback_secret\": \"***\""));
	assert_non_null(strstr(x.d.out, "\"federation\": false, \"mode\": "
					"\"closed\", \"connection_limit\": "
					"1000"));
	run_end(&x.d);
}

static void test_settings_set(void **state)
{
	const Fed__AdminFederationApply *a;
	struct some_records x;

	(void)state;
	begin_settings(&x);
	x.d.in = "another horse battery\n";
	runs(&x.d, 0, SAME, "", "settings", "set", "federation", "on", "mode",
	     "open", "keep-alive-interval", "120", "dialback_secret", "-",
	     "legacy_next_hop", "");
	a = some_apply(&x, 1);
	assert_string_equal("settings set federation on mode open "
			    "keep-alive-interval 120 dialback_secret *** "
			    "legacy_next_hop ",
			    a->what);
	assert_true(a->put[0]->settings->federation);
	assert_true(a->put[0]->settings->open);
	assert_int_equal(120, a->put[0]->settings->keep_alive_interval_s);
	assert_int_equal(21, a->put[0]->settings->dialback_secret.len);
	assert_memory_equal("another horse battery",
			    a->put[0]->settings->dialback_secret.data, 21);
	assert_string_equal("", a->put[0]->settings->legacy_next_hop);
	/* what is read to be put again has no secret */
	assert_false(some_get(&x, 0)->secrets);
	run_end(&x.d);
}

static void test_settings_wrong(void **state)
{
	static const struct {
		const char *words[3];
		const char *err;
	} rows[] = {
		{{"federaton", "on"},
		 "fedctl: settings set: \"federaton\" is no setting; did you "
		 "mean \"federation\"?\n"},
		{{"color", "on"},
		 "fedctl: settings set: \"color\" is no setting; \"settings "
		 "show\" lists them\n"},
		{{"federation", "yes"},
		 "fedctl: settings set: federation: \"yes\": off or on is "
		 "expected\n"},
		{{"mode", "opn"},
		 "fedctl: settings set: mode: \"opn\": closed or open is "
		 "expected; did you mean \"open\"?\n"},
		{{"connection_limit", "many"},
		 "fedctl: settings set: connection_limit: \"many\": a number "
		 "is "
		 "expected\n"},
		{{"federation", "on", "mode"},
		 "fedctl: settings set: the VALUE of mode is missing\n"},
		{{"dialback_secret", ""},
		 "fedctl: settings set: dialback_secret: it can be replaced by "
		 "another one, not taken away\n"},
		{{"federation"},
		 "fedctl: settings set: VALUE is missing, as in: fedctl "
		 "settings set federation on mode closed\n"},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct some_records x;

		begin_settings(&x);
		runs(&x.d, STATUS_USAGE, "", rows[i].err, "settings", "set",
		     rows[i].words[0], rows[i].words[1], rows[i].words[2]);
		run_end(&x.d);
	}
}

/* ---- export and apply ---------------------------------------------------- */

static void test_export(void **state)
{
	struct some_records x;

	(void)state;
	begin_settings(&x);
	runs(&x.d, 0, "# federation, revision 7\n1 record\n", "", "export");
	assert_false(some_get(&x, 0)->secrets);
	run_end(&x.d);
	begin_settings(&x);
	runs(&x.d, 0, "# federation, revision 7\n1 record, with secrets\n", "",
	     "export", "--secrets");
	assert_true(some_get(&x, 0)->secrets);
	run_end(&x.d);
	some_init(&x);
	some_end(&x);
	x.r[0].revision = 0;
	runs(&x.d, STATUS_FAILED, "",
	     "fedctl: nothing is configured: there is no revision to export\n",
	     "export");
	run_end(&x.d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_settings_set),
		cmocka_unit_test(test_settings_wrong),
		cmocka_unit_test(test_export),
	};

	(void)setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
