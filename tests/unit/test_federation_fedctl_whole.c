/* apply, history, rollback, status; and how changes look. */
#include "fedctl_records.h"

/* ---- apply --------------------------------------------------------------- */

static void test_apply(void **state)
{
	struct some_records x;

	(void)state;
	some_init(&x);
	some_changed(&x);
	x.d.in = "settings: {}\n";
	runs(&x.d, 0, SAME, "", "apply", "-f", "-");
	assert_true(some_apply(&x, 0)->replaces_all);
	assert_int_equal(0, some_apply(&x, 0)->base_revision);
	assert_int_equal(1, some_apply(&x, 0)->n_put);
	assert_string_equal("apply --file -", some_apply(&x, 0)->what);
	run_end(&x.d);
	x.d.in = "wrong\n";
	runs(&x.d, STATUS_USAGE, "", "fedctl: stdin:1: that is wrong\n",
	     "apply", "--file=-", "--dry-run");
	run_end(&x.d);
	runs(&x.d, STATUS_USAGE, "",
	     "fedctl: apply: --file is missing, as in: fedctl apply -f "
	     "federation.yaml --dry-run\n",
	     "apply");
	run_end(&x.d);
	runs(&x.d, STATUS_FAILED, "",
	     "fedctl: /nowhere/x.yaml: No such file or directory\n", "apply",
	     "-f/nowhere/x.yaml");
	run_end(&x.d);
}

/* ---- what changed -------------------------------------------------------- */

struct three_changes {
	Fed__AdminResponse r[2];
	Fed__FederationChanged first, last;
	Fed__Revision revision, rest;
	Fed__Revision *history[2];
	Fed__Change added, other, gone, granted;
	Fed__Change *list[4];
	Fed__Record records[5];
	Fed__PartnerRecord before, after, fresh, old;
	Fed__GrantRecord grant;
	char *some_domains[2];
	char *other_domains[2];
	char *warnings[1];
};

static void wrap(Fed__Record *r, Fed__Record__KindCase kind, void *message)
{
	fed__record__init(r);
	r->kind_case = kind;
	r->partner = message;
}

static void fill_partners(struct three_changes *x)
{
	federation_partner_init(&x->before);
	x->before.domain = s("fabrikam.example");
	x->some_domains[0] = s("a.example");
	x->some_domains[1] = s("b.example");
	x->other_domains[0] = s("b.example");
	x->other_domains[1] = s("c.example");
	x->before.additional = x->some_domains;
	x->before.n_additional = 2;
	x->after = x->before;
	x->after.additional = x->other_domains;
	x->after.tls = FED__NEED__OPTIONAL;
	x->after.description = s("changed");
	federation_partner_init(&x->fresh);
	x->fresh.domain = s("new.example");
	x->fresh.connection_limit = 3;
	federation_partner_init(&x->old);
	x->old.domain = s("old.example");
	fed__grant_record__init(&x->grant);
	x->grant.user = s("romeo@sip.example");
	x->grant.policy = s("sales");
}

static void fill_changes(struct three_changes *x)
{
	memset(x, 0, sizeof(*x));
	fill_partners(x);
	wrap(&x->records[0], FED__RECORD__KIND_PARTNER, &x->before);
	wrap(&x->records[1], FED__RECORD__KIND_PARTNER, &x->after);
	wrap(&x->records[2], FED__RECORD__KIND_PARTNER, &x->fresh);
	wrap(&x->records[3], FED__RECORD__KIND_PARTNER, &x->old);
	wrap(&x->records[4], FED__RECORD__KIND_GRANT, &x->grant);
	for (size_t i = 0; i < FED_ARRAY_LEN(x->r); i++)
		fed__admin_response__init(&x->r[i]);
	fed__change__init(&x->other);
	x->other.before = &x->records[0];
	x->other.after = &x->records[1];
	fed__change__init(&x->added);
	x->added.after = &x->records[2];
	fed__change__init(&x->gone);
	x->gone.before = &x->records[3];
	fed__change__init(&x->granted);
	x->granted.after = &x->records[4];
	x->list[0] = &x->other;
	x->list[1] = &x->added;
	x->list[2] = &x->gone;
	x->list[3] = &x->granted;
	x->r[1].last = true;
}

/* As a daemon with much to say does: in two parts. */
static void fill_changed(struct three_changes *x)
{
	fill_changes(x);
	fed__federation_changed__init(&x->first);
	x->first.revision = 13;
	x->last = x->first;
	x->warnings[0] = s("edge edge2.dmz.example is not connected: it takes "
			   "this change when it is there again");
	x->first.warning = x->warnings;
	x->first.n_warning = 1;
	x->first.change = x->list;
	x->first.n_change = 3;
	x->last.change = x->list + 3;
	x->last.n_change = 1;
	x->r[0].changed = &x->first;
	x->r[1].changed = &x->last;
}

static const char changes_golden[] = "~ partner fabrikam.example\n"
				     "    additional   -a.example, +c.example\n"
				     "    description  (none) -> changed\n"
				     "    tls          required -> optional\n"
				     "+ partner new.example\n"
				     "    type              public-unverified\n"
				     "    state             enabled\n"
				     "    tls               required\n"
				     "    sasl              required\n"
				     "    dialback          on\n"
				     "    keep_alive        on\n"
				     "    connection_limit  3\n"
				     "- partner old.example\n"
				     "+ grant romeo@sip.example: sales\n";

static void test_changed(void **state)
{
	struct three_changes x;
	char golden[1024];

	(void)state;
	fill_changed(&x);
	(void)snprintf(golden, sizeof(golden), "%s%s", changes_golden,
		       "warning: edge edge2.dmz.example is not connected: it "
		       "takes this change when it\n"
		       "         is there again\n"
		       "2 new, 1 changed, 1 removed: revision 13 is in "
		       "force\n");
	shows(&show_changed_text, false, NULL, x.r, 2, golden);
	x.first.dry_run = true;
	x.last.dry_run = true;
	x.first.n_warning = 0;
	(void)snprintf(golden, sizeof(golden), "%s%s", changes_golden,
		       "2 new, 1 changed, 1 removed; a dry run: nothing was "
		       "put in force\n");
	shows(&show_changed_text, false, NULL, x.r, 2, golden);
	x.last.n_change = 0;
	shows(&show_changed_text, false, NULL, x.r + 1, 1,
	      "nothing would change: revision 13 says the same\n");
}

static void test_changed_json(void **state)
{
	struct three_changes x;

	(void)state;
	fill_changed(&x);
	x.last.warning = x.warnings;
	x.last.n_warning = 1;
	shows(&show_changed_json, false, NULL, x.r + 1, 1,
	      "{\"changed\": {\"changes\": [\n"
	      "{\"record\": \"grant romeo@sip.example\", \"before\": null, "
	      "\"after\": {\"user\": \"romeo@sip.example\", \"policy\": "
	      "\"sales\"}}\n"
	      "], \"revision\": 13, \"dry_run\": false, \"warnings\": [\"edge "
	      "edge2.dmz.example is not connected: it takes this change when "
	      "it is there again\"]}}\n");
	x.last.n_change = 0;
	x.last.n_warning = 0;
	shows(&show_changed_json, false, NULL, x.r + 1, 1,
	      "{\"changed\": {\"changes\": [], \"revision\": 13, \"dry_run\": "
	      "false, \"warnings\": []}}\n");
}

/* Thousands of users are counted, not listed. */
static void test_many_users(void **state)
{
	static Fed__Change *many[500];
	struct three_changes x;
	struct shower sh;
	struct out o;

	(void)state;
	fill_changed(&x);
	for (size_t i = 0; i < FED_ARRAY_LEN(many); i++)
		many[i] = &x.granted;
	x.last.change = many;
	x.last.n_change = FED_ARRAY_LEN(many);
	for (int is_full = 0; is_full < 2; is_full++) {
		size_t lines = 0;

		shower_init(&sh, begin(&o), NULL);
		sh.is_full = is_full;
		show_changed_text.more(&sh, &x.r[1]);
		show_changed_text.end(&sh);
		shower_deinit(&sh);
		(void)fclose(o.to);
		for (const char *p = o.text; *p != '\0'; p++)
			lines += *p == '\n';
		assert_int_equal(is_full ? 501 : 22, lines);
		assert_int_equal(!is_full,
				 strstr(o.text, "  and 480 more users; --full "
						"shows them\n") != NULL);
		assert_non_null(strstr(o.text, "500 new: revision 13"));
		free(o.text);
	}
}

/* A secret that changed: before and after are shown the same. */
static void test_secret_changed(void **state)
{
	Fed__SettingsRecord settings;
	struct three_changes x;

	(void)state;
	fill_changed(&x);
	federation_settings_init(&settings);
	wrap(&x.records[0], FED__RECORD__KIND_SETTINGS, &settings);
	x.other.after = &x.records[0];
	x.last.change = x.list;
	shows(&show_changed_text, false, NULL, x.r + 1, 1,
	      "~ settings\n"
	      "    something that is not shown: a secret\n"
	      "1 changed: revision 13 is in force\n");
}

/* ---- history ------------------------------------------------------------- */

/* One revision in two parts. */
static void fill_history(struct three_changes *x)
{
	fill_changes(x);
	fed__revision__init(&x->revision);
	x->revision.number = 13;
	x->revision.at_ms = 1795660211120;
	x->revision.author = s("alice (uid 1000)");
	x->revision.what = s("partner add fabrikam.example --type federated "
			     "--description 'more and more and more'");
	x->rest = x->revision;
	x->revision.change = x->list;
	x->revision.n_change = 3;
	x->rest.change = x->list + 3;
	x->rest.n_change = 1;
	x->history[0] = &x->revision;
	x->history[1] = &x->rest;
	x->r[0].history = x->history;
	x->r[0].n_history = 1;
	x->r[1].history = x->history + 1;
	x->r[1].n_history = 1;
}

static void test_history(void **state)
{
	struct three_changes x;
	char golden[1024];

	(void)state;
	fill_history(&x);
	shows(&show_history_text, false, NULL, x.r, 2,
	      "REV  WHEN                 WHO               WHAT\n"
	      " 13  2026-11-26 02:30:11  alice (uid 1000)  partner add "
	      "fabrikam.example -...\n");
	shows(&show_history_text, true, NULL, x.r, 2,
	      "REV  WHEN                 WHO               WHAT\n"
	      " 13  2026-11-26 02:30:11  alice (uid 1000)  partner add "
	      "fabrikam.example --type federated --description 'more and more "
	      "and more'\n");
	shows(&show_history_text, false, NULL, NULL, 0,
	      "no revision: nothing is configured\n");
	(void)snprintf(
		golden, sizeof(golden), "%s%s",
		"revision  13\n"
		"when      2026-11-26 02:30:11\n"
		"who       alice (uid 1000)\n"
		"what      partner add fabrikam.example --type federated "
		"--description 'more and\n"
		"          more and more'\n",
		changes_golden);
	shows(&show_revision_text, false, "13", x.r, 2, golden);
}

static void test_history_json(void **state)
{
	struct three_changes x;

	(void)state;
	fill_history(&x);
	x.revision.change = x.list + 3;
	x.revision.n_change = 1;
	x.revision.what = s("x");
	x.rest = x.revision;
	x.rest.number = 12;
	shows(&show_history_json, false, NULL, x.r, 2,
	      "{\"history\": [\n"
	      "{\"revision\": 13, \"at_ms\": 1795660211120, \"author\": "
	      "\"alice (uid 1000)\", \"what\": \"x\", \"changes\": [\n"
	      "{\"record\": \"grant romeo@sip.example\", \"before\": null, "
	      "\"after\": {\"user\": \"romeo@sip.example\", \"policy\": "
	      "\"sales\"}}]},\n"
	      "{\"revision\": 12, \"at_ms\": 1795660211120, \"author\": "
	      "\"alice (uid 1000)\", \"what\": \"x\", \"changes\": [\n"
	      "{\"record\": \"grant romeo@sip.example\", \"before\": null, "
	      "\"after\": {\"user\": \"romeo@sip.example\", \"policy\": "
	      "\"sales\"}}]}\n"
	      "]}\n");
	shows(&show_history_json, false, NULL, NULL, 0, "{\"history\": []}\n");
}

static void test_history_asked(void **state)
{
	const Fed__AdminFederationHistory *h;
	struct three_changes x;
	struct fake_daemon d = {.answers = x.r, .count = 2};

	(void)state;
	fill_history(&x);
	assert_int_equal(
		0, run_line(&d, (const char *const[]){"history", "--count", "3",
						      NULL}));
	h = d.asked[0]->federation_history;
	assert_int_equal(0, h->before);
	assert_int_equal(3, h->count);
	run_end(&d);
	d.answers = x.r;
	d.count = 2;
	/* the next older one is none that was asked for */
	runs(&d, STATUS_USAGE, "",
	     "fedctl: history: there is no revision 14; \"history --count 0\" "
	     "lists those there are\n",
	     "history", "14");
	h = d.asked[0]->federation_history;
	assert_int_equal(15, h->before);
	assert_int_equal(1, h->count);
	run_end(&d);
	d.answers = x.r;
	d.count = 2;
	runs(&d, STATUS_USAGE, "",
	     "fedctl: history: there is no revision 14; \"history --count 0\" "
	     "lists those there are\n",
	     "history", "14", "--json");
	run_end(&d);
	runs(&d, STATUS_USAGE, "",
	     "fedctl: history: REV \"last\": a number is expected, \"history\" "
	     "lists them\n",
	     "history", "last");
	run_end(&d);
}

static void test_rollback(void **state)
{
	struct some_records x;

	(void)state;
	some_init(&x);
	some_changed(&x);
	runs(&x.d, 0, SAME, "", "rollback", "12");
	assert_int_equal(12, some_apply(&x, 0)->rollback_to);
	assert_false(some_apply(&x, 0)->replaces_all);
	run_end(&x.d);
	runs(&x.d, STATUS_USAGE, "",
	     "fedctl: rollback: REV \"0\": a number is expected, \"history\" "
	     "lists them\n",
	     "rollback", "0");
	run_end(&x.d);
}

/* ---- status -------------------------------------------------------------- */

static void test_status(void **state)
{
	Fed__AdminResponse r;
	Fed__FederationStatus f;
	Fed__FederationEdge e[3];
	Fed__FederationEdge *edges[3] = {&e[0], &e[1], &e[2]};

	(void)state;
	fed__admin_response__init(&r);
	fed__federation_status__init(&f);
	r.federation = &f;
	r.last = true;
	shows(&show_status_text, false, NULL, &r, 1,
	      "revision  none: nothing is configured, so nobody may talk\n"
	      "edges     none\n");
	for (size_t i = 0; i < 3; i++)
		fed__federation_edge__init(&e[i]);
	f.revision = 13;
	f.at_ms = 1795660211120;
	f.author = s("alice (uid 1000)");
	f.what =
		s("partner set fabrikam.example --additional "
		  "+chat.fabrikam.example,+im.fabrikam.example --tls required");
	shows(&show_status_text, false, NULL, &r, 1,
	      "revision  13\n"
	      "when      2026-11-26 02:30:11\n"
	      "who       alice (uid 1000)\n"
	      "what      partner set fabrikam.example --additional\n"
	      "          +chat.fabrikam.example,+im.fabrikam.example --tls "
	      "required\n"
	      "edges     none\n");
	f.what = s("settings set federation on");
	f.edge = edges;
	f.n_edge = 3;
	e[0].name = s("edge1.dmz.example");
	e[0].revision = 13;
	e[0].is_connected = true;
	e[1].name = s("edge2.dmz.example");
	e[1].revision = 12;
	e[1].is_connected = true;
	e[1].refused = s("no certificate for sip.example; s2s.domains names "
			 "those that there are");
	e[2].name = s("edge3.dmz.example");
	shows(&show_status_text, false, NULL, &r, 1,
	      "revision  13\n"
	      "when      2026-11-26 02:30:11\n"
	      "who       alice (uid 1000)\n"
	      "what      settings set federation on\n"
	      "edges     edge1.dmz.example  revision 13\n"
	      "          edge2.dmz.example  revision 12\n"
	      "          refused: no certificate for sip.example; s2s.domains "
	      "names those that\n"
	      "                   there are\n"
	      "          edge3.dmz.example  no revision, not connected\n");
	f.n_edge = 2;
	f.edge = edges + 1;
	shows(&show_status_json, false, NULL, &r, 1,
	      "{\"status\": {\"revision\": 13, \"at_ms\": 1795660211120, "
	      "\"author\": \"alice (uid 1000)\", \"what\": \"settings set "
	      "federation on\", \"edges\": [{\"name\": \"edge2.dmz.example\", "
	      "\"connected\": true, \"revision\": 12, \"refused\": \"no "
	      "certificate for sip.example; s2s.domains names those that there "
	      "are\"}, {\"name\": \"edge3.dmz.example\", \"connected\": false, "
	      "\"revision\": 0, \"refused\": null}]}}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_apply),
		cmocka_unit_test(test_changed),
		cmocka_unit_test(test_changed_json),
		cmocka_unit_test(test_many_users),
		cmocka_unit_test(test_secret_changed),
		cmocka_unit_test(test_history),
		cmocka_unit_test(test_history_json),
		cmocka_unit_test(test_history_asked),
		cmocka_unit_test(test_rollback),
		cmocka_unit_test(test_status),
	};

	(void)setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
