/* A change of the federation configuration: each state, each event. */
#include "federation_change_harness.h"

/* --- the way of a change -------------------------------------------------- */

static void test_without_edges(void **state)
{
	struct fc_test t;

	(void)state;
	fc_init(&t);
	assert_null(federation_change_now(t.c));
	assert_int_equal(0, federation_change_head(t.c)->number);
	fc_wish_partner(&t, "x.example");
	assert_int_equal(FEDERATION_STORING, fc_state(&t));
	/* not before it is on disk */
	assert_null(federation_change_now(t.c));
	fc_did(&t, "store 1");
	fc_committed(&t, 1);
	assert_int_equal(FEDERATION_IDLE, fc_state(&t));
	assert_non_null(federation_find(federation_change_now(t.c),
					"partner/x.example"));
	fc_did(&t, "in force; tell a 1; tell b 1; done 1");
	assert_string_equal(
		"edge \"a.example\" is not connected; it gets the change with "
		"its next session\n"
		"edge \"b.example\" is not connected; it gets the change with "
		"its next session\n",
		strstr(t.warned, "edge"));
	assert_int_equal(1, t.changes);
	assert_string_equal("alice (uid 7)",
			    federation_change_head(t.c)->author);
	assert_string_equal("a wish", federation_change_head(t.c)->what);
	assert_true(federation_change_head(t.c)->at_ms == 1700000000000);
	fc_deinit(&t);
}

static void test_edges_are_asked_first(void **state)
{
	struct fc_test t;

	(void)state;
	fc_init(&t);
	fc_settle(&t, "x.example", 1);
	fc_up(&t, A);
	fc_up(&t, B);
	fc_did(&t, "tell a 1; tell b 1");
	fc_has(&t, A, 1);
	fc_has(&t, B, 1);
	fc_wish_partner(&t, "y.example");
	fc_did(&t, "check a 2; check b 2");
	assert_int_equal(t.now_ms + LIMIT_FEDERATION_CHECK_MS,
			 federation_change_deadline_ms(t.c));
	fc_yes(&t, B, 2);
	fc_did(&t, "");
	fc_yes(&t, A, 2);
	fc_did(&t, "store 2");
	fc_committed(&t, 2);
	assert_int_equal(FEDERATION_TELLING, fc_state(&t));
	fc_did(&t, "in force; tell a 2; tell b 2");
	fc_has(&t, A, 2);
	fc_did(&t, "");
	fc_has(&t, B, 2);
	fc_did(&t, "done 2");
	assert_string_equal("", t.warned);
	assert_int_equal(2, federation_change_edge(t.c, B)->in_force);
	assert_int_equal(UINT64_MAX, federation_change_deadline_ms(t.c));
	fc_deinit(&t);
}

static void test_unchanged_is_no_revision(void **state)
{
	struct fc_test t;

	(void)state;
	fc_init(&t);
	fc_settle(&t, "x.example", 1);
	fc_up(&t, A);
	fc_did(&t, "tell a 1");
	fc_wish_partner(&t, "x.example");
	fc_did(&t, "done 1");
	assert_int_equal(0, t.changes);
	assert_string_equal("", t.logged);
	fc_wish(&t); /* nothing at all */
	fc_did(&t, "done 1");
	fc_deinit(&t);
}

static void test_dry_run(void **state)
{
	Fed__AdminFederationApply a = fc_apply();
	struct fc_test t;

	(void)state;
	fc_init(&t);
	fc_settle(&t, "x.example", 1);
	fc_up(&t, A);
	fc_did(&t, "tell a 1");
	a.dry_run = true;
	(void)ft_partner(&t.records, "y.example");
	assert_int_equal(0, fc_try_wish(&t, &a));
	fc_did(&t, "check a 2");
	fc_yes(&t, A, 2);
	fc_did(&t, "done 2 dry");
	assert_int_equal(1, t.changes);
	assert_string_equal("", t.logged);
	assert_int_equal(1, federation_change_head(t.c)->number);
	assert_null(federation_find(federation_change_now(t.c),
				    "partner/y.example"));
	(void)ft_partner(&t.records, "y.example");
	assert_int_equal(0, fc_try_wish(&t, &a));
	fc_says(&t, A, true, 2, 1, "no");
	fc_did(&t, "check a 2; refused: edge \"a.example\" refuses it: no");
	assert_string_equal("", t.logged);
	/* all had answered: the number is still free */
	fc_wish_partner(&t, "z.example");
	fc_did(&t, "check a 2");
	fc_deinit(&t);
}

/* Two wishes in one turn: what the first one came to is told before. */
static void test_none_begins_before_one_is_told(void **state)
{
	struct fc_test t;

	(void)state;
	fc_init(&t);
	fc_settle(&t, "x.example", 1);
	fc_wish_partner(&t, "x.example"); /* it is there: done at once */
	(void)ft_partner(&t.records, "y.example");
	fc_refused(&t, FED_EBUSY,
		   "another change is under way, by alice (uid 7): \"a "
		   "wish\"");
	fc_did(&t, "done 1");
	fc_deinit(&t);
}

/* --- refused -------------------------------------------------------------- */

/* Also while no edge is there to say so. */
static void test_ours_is_no_partner(void **state)
{
	Fed__PartnerRecord *p;
	struct fc_test t;

	(void)state;
	fc_init(&t);
	(void)ft_partner(&t.records, "sip.example");
	fc_refused(&t, FED_EINVAL,
		   "partner sip.example: sip.example is a SIP domain of ours "
		   "(sip.domains)");
	p = ft_partner(&t.records, "x.example");
	ft_additional(&t.records, p, "sip.example");
	fc_refused(&t, FED_EINVAL,
		   "partner x.example: sip.example is a SIP domain of ours "
		   "(sip.domains)");
	/* what is below it, and around it, may be */
	(void)ft_partner(&t.records, "*.example");
	fc_wish(&t);
	fc_did(&t, "store 1");
	fc_deinit(&t);
}

static void test_what_is_wrong(void **state)
{
	static const char why[] = "grant bob@sip.example: policy: there is no "
				  "policy ";
	Fed__AdminFederationApply a = fc_apply();
	struct fc_test t;

	(void)state;
	fc_init(&t);
	ft_grant(&t.records, "bob@sip.example", "sales");
	assert_int_equal(FED_EINVAL, fc_try_wish(&t, &a));
	assert_int_equal(0, strncmp(why, t.e.text, strlen(why)));
	fc_did(&t, "");
	assert_int_equal(FEDERATION_IDLE, fc_state(&t));
	assert_non_null(strstr(
		t.logged, "event=federation_refused author=\"alice (uid 7)\" "
			  "what=\"a wish\" why=\"grant bob@sip.example: "
			  "policy: there is no policy "));
	fc_settle(&t, "x.example", 1); /* and it goes on */
	fc_deinit(&t);
}

static void test_an_edge_refuses(void **state)
{
	struct fc_test t;

	(void)state;
	fc_init(&t);
	fc_settle(&t, "x.example", 1);
	fc_up(&t, A);
	fc_up(&t, B);
	fc_did(&t, "tell a 1; tell b 1");
	t.logged[0] = '\0';
	fc_wish_partner(&t, "y.example");
	fc_did(&t, "check a 2; check b 2");
	fc_says(&t, B, true, 2, 1, "no certificate\nfor it");
	fc_did(&t, "refused: edge \"b.example\" refuses it: no certificate "
		   "for it");
	assert_string_equal(
		"event=federation_refused author=\"alice (uid 7)\" "
		"what=\"a wish\" why=\"edge \\\"b.example\\\" refuses it: no "
		"certificate for it\"\n",
		t.logged);
	assert_int_equal(FEDERATION_IDLE, fc_state(&t));
	assert_int_equal(1, federation_change_head(t.c)->number);
	/* what the other one says now is of a change that is over, also for
	 * the next one: its number is another */
	fc_wish_partner(&t, "z.example");
	fc_did(&t, "check a 3; check b 3");
	fc_yes(&t, A, 2);
	fc_says(&t, A, true, 2, 1, "late no");
	fc_did(&t, "");
	fc_yes(&t, A, 3);
	fc_yes(&t, B, 3);
	fc_did(&t, "store 3");
	fc_deinit(&t);
}

static void test_an_edge_is_silent(void **state)
{
	struct fc_test t;

	(void)state;
	fc_init(&t);
	fc_up(&t, A);
	fc_up(&t, B);
	fc_did(&t, "");
	fc_wish_partner(&t, "x.example");
	fc_did(&t, "check a 1; check b 1");
	fc_time(&t, LIMIT_FEDERATION_CHECK_MS - 1);
	fc_did(&t, "");
	fc_time(&t, 1);
	fc_did(&t, "refused: no answer from edge \"a.example\", "
		   "\"b.example\" in 5 s; nothing is changed");
	assert_null(federation_change_now(t.c));
	fc_wish_partner(&t, "x.example");
	fc_did(&t, "check a 2; check b 2");
	fc_yes(&t, A, 2);
	fc_time(&t, LIMIT_FEDERATION_CHECK_MS);
	fc_did(&t, "refused: no answer from edge \"b.example\" in 5 s; "
		   "nothing is changed");
	fc_deinit(&t);
}

static void test_one_at_a_time(void **state)
{
	static const char why[] = "another change is under way, by alice "
				  "(uid 7): \"a wish\"";
	struct fc_test t;

	(void)state;
	fc_init(&t);
	fc_up(&t, A);
	fc_wish_partner(&t, "x.example");
	fc_did(&t, "check a 1");
	fc_refused(&t, FED_EBUSY, why);
	fc_yes(&t, A, 1);
	fc_did(&t, "store 1");
	fc_refused(&t, FED_EBUSY, why);
	fc_committed(&t, 1);
	fc_did(&t, "in force; tell a 1; tell b 1");
	fc_refused(&t, FED_EBUSY, why);
	fc_has(&t, A, 1);
	fc_did(&t, "done 1");
	fc_wish_partner(&t, "y.example");
	fc_did(&t, "check a 2");
	fc_deinit(&t);
}

static void test_base_revision(void **state)
{
	Fed__AdminFederationApply a = fc_apply();
	struct fc_test t;

	(void)state;
	fc_init(&t);
	a.base_revision = 4;
	assert_int_equal(FED_ESTATE, fc_try_wish(&t, &a));
	assert_string_equal("revision 4 is not in force: nothing is configured",
			    t.e.text);
	fc_settle(&t, "x.example", 1);
	fc_settle(&t, "y.example", 2);
	a.base_revision = 1;
	assert_int_equal(FED_ESTATE, fc_try_wish(&t, &a));
	assert_string_equal("revision 1 is not in force any more: alice (uid "
			    "7) has made revision 2 of it (2023-11-14 "
			    "22:13:20 UTC, \"a wish\"); look at that first",
			    t.e.text);
	a.base_revision = 2;
	(void)ft_partner(&t.records, "z.example");
	assert_int_equal(0, fc_try_wish(&t, &a));
	fc_did(&t, "store 3");
	fc_deinit(&t);
}

/* What fedctl is told has no half characters, however long its parts are. */
static void test_refused_in_whole_characters(void **state)
{
	Fed__AdminFederationApply a = fc_apply();
	char what[LIMIT_FEDERATION_WHAT_BYTES + 1] = "a";
	struct fc_test t;

	(void)state;
	for (size_t n = 1; n + 2 < sizeof(what); n += 2)
		memcpy(what + n, "\xc3\xa4", 3);
	for (unsigned odd = 0; odd < 2; odd++) {
		fc_init(&t);
		(void)ft_partner(&t.records, "x.example");
		a.base_revision = 0;
		a.what = what + odd;
		assert_int_equal(0, fc_try_wish(&t, &a));
		fc_committed(&t, 1);
		fc_did(&t, "store 1; in force; tell a 1; tell b 1; done 1");
		a.base_revision = 7;
		assert_int_equal(FED_ESTATE, fc_try_wish(&t, &a));
		assert_int_equal(sizeof(t.e.text) - 1, strlen(t.e.text));
		assert_true(span_is_utf8(span_str(t.e.text)));
		fc_deinit(&t);
	}
}

/* --- the disk ------------------------------------------------------------- */

static void test_the_store_has_no_room(void **state)
{
	struct fc_test t;

	(void)state;
	fc_init(&t);
	fc_wish_partner(&t, "x.example");
	fc_did(&t, "store 1");
	federation_change_on_store_failed(t.c, t.now_ms);
	fc_did(&t,
	       "refused: the store has no room for it: its disk stands still");
	assert_null(federation_change_now(t.c));
	fc_settle(&t, "x.example", 1);
	fc_deinit(&t);
}

/* More users with long names than fit a revision.
 * @return as federation_change_begin() */
static int wish_users(struct fc_test *t)
{
	/* each is in his record and in its key */
	enum { NAME = 1000 };
	Fed__AdminFederationApply a = fc_apply();
	size_t count = LIMIT_FEDERATION_REVISION_BYTES / NAME / 2 + 1;
	struct federation_wish w = {.apply = &a};
	Fed__Record **put = calloc(count, sizeof(*put));
	char user[NAME + 64];
	int err;

	assert_non_null(put);
	for (size_t i = 0; i < count; i++) {
		(void)snprintf(user, sizeof(user), "%0988zu@sip.example", i);
		ft_mover(&t->records, user, false);
		put[i] = t->records.put[--t->records.put_count];
	}
	a.put = put;
	a.n_put = count;
	err = federation_change_begin(t->c, &w, t->now_ms, &t->e);
	free(put);
	return err;
}

/* Before an edge is asked. */
static void test_too_large_for_the_history(void **state)
{
	struct fc_test t;

	(void)state;
	fc_init(&t);
	fc_up(&t, A);
	assert_int_equal(FED_ELIMIT, wish_users(&t));
	assert_non_null(strstr(t.e.text, " are too large for the history: "));
	fc_did(&t, "");
	assert_int_equal(FEDERATION_IDLE, fc_state(&t));
	fc_deinit(&t);
}

/* It cannot be taken back: it will be in force. */
static void test_the_disk_stands_still(void **state)
{
	struct fc_test t;

	(void)state;
	fc_init(&t);
	fc_up(&t, A);
	fc_wish_partner(&t, "x.example");
	fc_yes(&t, A, 1);
	fc_did(&t, "check a 1; store 1");
	fc_time(&t, LIMIT_FEDERATION_STORE_MS);
	fc_did(&t, "refused: the store cannot be written now; the change "
		   "will be in force as soon as it can");
	assert_int_equal(FEDERATION_STORING, fc_state(&t));
	assert_int_equal(UINT64_MAX, federation_change_deadline_ms(t.c));
	fc_refused(&t, FED_EBUSY,
		   "another change is under way, by alice (uid 7): \"a "
		   "wish\"");
	fc_committed(&t, 1);
	fc_did(&t, "in force; tell a 1; tell b 1");
	fc_has(&t, A, 1);
	fc_did(&t, ""); /* nobody waits any more */
	assert_int_equal(FEDERATION_IDLE, fc_state(&t));
	fc_down(&t, A);
	fc_settle(&t, "y.example", 2);
	fc_deinit(&t);
}

static void test_reports_of_the_store(void **state)
{
	struct fc_test t;

	(void)state;
	fc_init(&t);
	fc_committed(&t, 7); /* of nothing of ours */
	federation_change_on_store_failed(t.c, t.now_ms);
	fc_did(&t, "");
	fc_settle(&t, "x.example", 1);
	fc_wish_partner(&t, "y.example");
	fc_did(&t, "store 2");
	fc_committed(&t, 1);
	fc_did(&t, "");
	assert_int_equal(FEDERATION_STORING, fc_state(&t));
	fc_committed(&t, 2);
	fc_did(&t, "in force; tell a 2; tell b 2; done 2");
	fc_deinit(&t);
}

/* --- restart -------------------------------------------------------------- */

static void test_restart(void **state)
{
	const struct federation_revision_row newest = {
		.number = 41,
		.at_ms = 5,
		.author = SPAN_LIT("bob \xff"),
		.what = SPAN_LIT("import\nof all"),
	};
	struct errbuf e = {.text = ""};
	struct fc_test before;
	struct fc_test t;

	(void)state;
	fc_init(&before);
	fc_settle(&before, "x.example", 1);
	fc_init(&t);
	assert_int_equal(0,
			 federation_change_restore(
				 t.c, span_of(before.stored, before.stored_n)));
	assert_int_equal(0, federation_change_restored(t.c, &newest, &e));
	assert_non_null(federation_find(federation_change_now(t.c),
					"partner/x.example"));
	assert_int_equal(41, federation_change_head(t.c)->number);
	assert_string_equal("bob ?", federation_change_head(t.c)->author);
	assert_string_equal("import of all", federation_change_head(t.c)->what);
	fc_did(&t, "");
	fc_up(&t, B);
	fc_did(&t, "tell b 41");
	fc_deinit(&t);
	fc_deinit(&before);
}

static void test_a_store_that_is_damaged(void **state)
{
	struct errbuf e = {.text = ""};
	const struct federation_revision_row newest = {.number = 1};
	Fed__Record r;
	Fed__GrantRecord g;
	struct fc_test t;
	uint8_t packed[64];
	char user[] = "bob@sip.example";
	char policy[] = "sales";
	size_t n;

	(void)state;
	fc_init(&t);
	assert_int_equal(FED_EINVAL,
			 federation_change_restore(t.c, SPAN_LIT("\xff\xff")));
	/* its first field, no UTF-8 in it */
	assert_int_equal(FED_EINVAL, federation_change_restore(
					     t.c, SPAN_LIT("\x0a\x03\x0a\x01"
							   "\xff")));
	fed__record__init(&r);
	fed__grant_record__init(&g);
	g.user = user;
	g.policy = policy;
	r.kind_case = FED__RECORD__KIND_GRANT;
	r.grant = &g;
	n = fed__record__pack(&r, packed);
	assert_int_equal(0, federation_change_restore(t.c, span_of(packed, n)));
	assert_int_equal(FED_EINVAL,
			 federation_change_restored(t.c, &newest, &e));
	assert_non_null(strstr(e.text, "there is no policy \"sales\""));
	assert_null(federation_change_now(t.c));
	fc_deinit(&t);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_edges),
		cmocka_unit_test(test_edges_are_asked_first),
		cmocka_unit_test(test_unchanged_is_no_revision),
		cmocka_unit_test(test_dry_run),
		cmocka_unit_test(test_none_begins_before_one_is_told),
		cmocka_unit_test(test_what_is_wrong),
		cmocka_unit_test(test_ours_is_no_partner),
		cmocka_unit_test(test_an_edge_refuses),
		cmocka_unit_test(test_an_edge_is_silent),
		cmocka_unit_test(test_one_at_a_time),
		cmocka_unit_test(test_base_revision),
		cmocka_unit_test(test_refused_in_whole_characters),
		cmocka_unit_test(test_the_store_has_no_room),
		cmocka_unit_test(test_too_large_for_the_history),
		cmocka_unit_test(test_the_disk_stands_still),
		cmocka_unit_test(test_reports_of_the_store),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_a_store_that_is_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
