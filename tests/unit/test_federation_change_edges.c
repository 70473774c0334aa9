/* A change of the federation configuration: edges that come and go, numbers,
 * rollbacks. */
#include "federation_change_harness.h"

/* --- sessions ------------------------------------------------------------- */

static void test_edges_that_go(void **state)
{
	struct fc_test t;

	(void)state;
	fc_init(&t);
	fc_up(&t, A);
	fc_up(&t, B);
	fc_wish_partner(&t, "x.example");
	fc_did(&t, "check a 1; check b 1");
	fc_yes(&t, A, 1);
	fc_down(&t, B);
	fc_did(&t, "store 1"); /* it holds nothing up */
	fc_committed(&t, 1);
	fc_did(&t, "in force; tell a 1; tell b 1");
	fc_down(&t, A);
	fc_did(&t, "done 1");
	assert_string_equal(
		"edge \"b.example\" is not connected; it gets the change with "
		"its next session\n"
		"edge \"a.example\" is not connected; it gets the change with "
		"its next session\n",
		t.warned);
	assert_int_equal(0, federation_change_edge(t.c, A)->is_connected);
	fc_deinit(&t);
}

static void test_down_in_every_state(void **state)
{
	struct fc_test t;

	(void)state;
	fc_init(&t);
	fc_down(&t, A); /* idle, and was never there */
	fc_did(&t, "");
	fc_settle(&t, "x.example", 1);
	fc_settle(&t, "y.example", 2);
	fc_up(&t, A);
	fc_did(&t, "tell a 2");
	fc_wish_back(&t, 1);
	fc_down(&t, A); /* reading */
	fc_did(&t, "read 1");
	federation_change_on_read(t.c, FED_EIO, NULL, 0, 0, t.now_ms);
	fc_did(&t, "refused: what revision 1 was cannot be read: EIO");
	fc_wish_partner(&t, "z.example");
	fc_did(&t, "store 3");
	fc_down(&t, A); /* storing */
	fc_down(&t, A); /* as GONE behind DOWN */
	fc_did(&t, "");
	assert_int_equal(FEDERATION_STORING, fc_state(&t));
	fc_deinit(&t);
}

static void test_edges_that_come(void **state)
{
	struct fc_test t;

	(void)state;
	fc_init(&t);
	fc_settle(&t, "x.example", 1);
	fc_up(&t, A);
	fc_did(&t, "tell a 1");
	fc_wish_partner(&t, "y.example");
	fc_did(&t, "check a 2");
	fc_up(&t, B); /* it is asked too */
	fc_did(&t, "tell b 1; check b 2");
	fc_has(&t, B, 1);
	fc_yes(&t, A, 2);
	fc_did(&t, "");
	fc_up(&t, A); /* a new session: its yes counts no more */
	fc_did(&t, "tell a 1; check a 2");
	fc_yes(&t, B, 2);
	fc_did(&t, "");
	fc_yes(&t, A, 2);
	fc_did(&t, "store 2");
	fc_up(&t, A);
	fc_did(&t, "tell a 1");
	fc_committed(&t, 2);
	fc_did(&t, "in force; tell a 2; tell b 2");
	fc_has(&t, A, 1); /* of the one before */
	fc_did(&t, "");
	fc_has(&t, A, 2);
	fc_up(&t, B);
	fc_did(&t, "tell b 2");
	fc_has(&t, B, 2);
	fc_did(&t, "done 2");
	fc_deinit(&t);
}

/* What it was sent before is sent again by the channel. */
static void test_a_session_that_is_resumed(void **state)
{
	struct fc_test t;

	(void)state;
	fc_init(&t);
	fc_settle(&t, "x.example", 1);
	fc_up(&t, A);
	fc_did(&t, "tell a 1");
	fc_wish_partner(&t, "y.example");
	fc_did(&t, "check a 2");
	fc_down(&t, A);
	fc_did(&t, "store 2");
	federation_change_on_resumed(t.c, A);
	assert_true(federation_change_edge(t.c, A)->is_connected);
	fc_yes(&t, A, 2); /* late, and of no use */
	fc_did(&t, "");
	fc_committed(&t, 2);
	fc_did(&t, "in force; tell a 2; tell b 2");
	fc_has(&t, A, 2);
	fc_did(&t, "done 2");
	fc_deinit(&t);
}

/* --- telling -------------------------------------------------------------- */

static void test_an_edge_breaks_its_word(void **state)
{
	struct fc_test t;

	(void)state;
	fc_init(&t);
	fc_up(&t, A);
	fc_up(&t, B);
	fc_wish_partner(&t, "x.example");
	fc_yes(&t, A, 1);
	fc_yes(&t, B, 1);
	fc_committed(&t, 1);
	fc_did(&t, "check a 1; check b 1; store 1; in force; tell a 1; tell b "
		   "1");
	fc_has(&t, A, 1);
	fc_says(&t, B, false, 1, 0, "its disk is full");
	fc_did(&t, "done 1");
	assert_string_equal("edge \"b.example\" did not take it: its disk is "
			    "full\n",
			    t.warned);
	assert_string_equal("its disk is full",
			    federation_change_edge(t.c, B)->refused);
	assert_int_equal(0, federation_change_edge(t.c, B)->in_force);
	assert_non_null(strstr(t.logged,
			       "event=federation_edge_refused edge=b.example "
			       "revision=1 in_force=0 why=\"its disk is "
			       "full\"\n"));
	/* with its next session it may */
	fc_up(&t, B);
	fc_did(&t, "tell b 1");
	fc_has(&t, B, 1);
	assert_string_equal("", federation_change_edge(t.c, B)->refused);
	fc_deinit(&t);
}

static void test_an_edge_is_told_and_silent(void **state)
{
	struct fc_test t;

	(void)state;
	fc_init(&t);
	fc_up(&t, A);
	fc_wish_partner(&t, "x.example");
	fc_yes(&t, A, 1);
	fc_committed(&t, 1);
	fc_did(&t, "check a 1; store 1; in force; tell a 1; tell b 1");
	fc_time(&t, LIMIT_FEDERATION_CHECK_MS);
	fc_did(&t, "done 1");
	assert_non_null(strstr(t.warned, "no answer from edge \"a.example\" "
					 "in 5 s; it is in force here\n"));
	fc_has(&t, A, 1); /* later */
	fc_did(&t, "");
	assert_int_equal(1, federation_change_edge(t.c, A)->in_force);
	fc_deinit(&t);
}

/* An edge that does not stop: once is enough. */
static void repeat(struct fc_test *t, bool is_check, uint64_t revision,
		   uint64_t in_force, const char *refused)
{
	uint64_t before = federation_change_edge(t->c, A)->unasked;

	t->logged[0] = '\0';
	for (unsigned i = 0; i < 1000; i++)
		fc_says(t, A, is_check, revision, in_force, refused);
	assert_int_equal(1000,
			 federation_change_edge(t->c, A)->unasked - before);
}

static unsigned lines_of(const struct fc_test *t, const char *text)
{
	unsigned n = 0;

	for (const char *p = t->logged; (p = strstr(p, text)) != NULL; p++)
		n++;
	return n;
}

static void test_an_edge_repeats_itself(void **state)
{
	struct fc_test t;

	(void)state;
	fc_init(&t);
	/* before it was sent anything */
	fc_up(&t, A);
	repeat(&t, false, 0, 9, "no");
	assert_int_equal(LIMIT_GATEWAY_WARN_BURST, lines_of(&t, "event="));
	assert_string_equal("", federation_change_edge(t.c, A)->refused);
	assert_int_equal(0, federation_change_edge(t.c, A)->in_force);
	fc_wish_partner(&t, "x.example");
	fc_did(&t, "check a 1"); /* not 10 */
	fc_yes(&t, A, 1);
	repeat(&t, true, 1, 1, "no");
	fc_committed(&t, 1);
	fc_did(&t, "store 1; in force; tell a 1; tell b 1");
	repeat(&t, false, 2, 2, "");
	fc_did(&t, "");
	fc_has(&t, A, 1);
	fc_did(&t, "done 1");
	repeat(&t, false, 1, 1, "its disk is full");
	repeat(&t, false, 1, UINT64_MAX, "");
	assert_string_equal("", t.logged);
	assert_string_equal("", federation_change_edge(t.c, A)->refused);
	assert_int_equal(1, federation_change_edge(t.c, A)->in_force);
	/* later a line again, with all of them */
	fc_time(&t, 1000 / LIMIT_GATEWAY_WARN_RATE);
	repeat(&t, false, 1, 1, "");
	assert_string_equal("event=federation_unasked edge=a.example "
			    "revision=1 check=0 count=5001\n",
			    t.logged);
	/* it is sent it again, and may answer again, once */
	fc_up(&t, A);
	fc_did(&t, "tell a 1");
	fc_says(&t, A, false, 1, 1, "its disk is full");
	assert_string_equal("its disk is full",
			    federation_change_edge(t.c, A)->refused);
	fc_deinit(&t);
}

/* --- numbers -------------------------------------------------------------- */

static void test_an_edge_knows_a_later_one(void **state)
{
	struct fc_test t;

	(void)state;
	fc_init(&t);
	fc_settle(&t, "x.example", 1);
	fc_up(&t, A);
	fc_did(&t, "tell a 1");
	fc_says(&t, A, false, 1, 57, "revision 57 is in force");
	assert_int_equal(57, federation_change_edge(t.c, A)->in_force);
	fc_wish_partner(&t, "y.example");
	fc_did(&t, "check a 58");
	fc_yes(&t, A, 58);
	fc_did(&t, "store 58");
	fc_deinit(&t);
}

/* It was never heard of before. */
static void test_a_number_that_is_taken(void **state)
{
	struct fc_test t;

	(void)state;
	fc_init(&t);
	fc_up(&t, A);
	fc_up(&t, B);
	fc_wish_partner(&t, "x.example");
	fc_did(&t, "check a 1; check b 1");
	fc_says(&t, A, true, 1, 7, "revision 7 is in force");
	fc_did(&t, ""); /* b may have more */
	fc_yes(&t, B, 1);
	fc_did(&t, "check a 8; check b 8");
	fc_yes(&t, B, 1); /* of the other number */
	fc_yes(&t, A, 8);
	fc_did(&t, "");
	fc_yes(&t, B, 8);
	fc_did(&t, "store 8");
	fc_committed(&t, 8);
	assert_int_equal(8, federation_change_head(t.c)->number);
	fc_deinit(&t);
}

/* Six edges of a gateway that has lost its store, no two of them alike: once
 * all have answered it knows which number is above all of theirs. */
static void test_all_have_other_numbers(void **state)
{
	enum { COUNT = 6 };
	struct fc_test t;

	(void)state;
	fc_init_edges(&t, COUNT);
	for (size_t i = 0; i < COUNT; i++)
		fc_up(&t, i);
	fc_wish_partner(&t, "x.example");
	fc_did(&t, "check a 1; check b 1; check c 1; check d 1; check e 1; "
		   "check f 1");
	for (size_t i = 0; i < COUNT; i++)
		fc_says(&t, i, true, 1, 10 * (i + 1),
			"a later one is in force");
	fc_did(&t, "check a 61; check b 61; check c 61; check d 61; "
		   "check e 61; check f 61");
	for (size_t i = 0; i < COUNT; i++)
		fc_yes(&t, i, 61);
	fc_did(&t, "store 61");
	assert_null(strstr(t.logged, "federation_unasked"));
	fc_deinit(&t);
}

/* One that goes meanwhile is not waited for. */
static void test_a_number_and_an_edge_that_goes(void **state)
{
	struct fc_test t;

	(void)state;
	fc_init(&t);
	fc_up(&t, A);
	fc_up(&t, B);
	fc_wish_partner(&t, "x.example");
	fc_says(&t, A, true, 1, 7, "revision 7 is in force");
	fc_did(&t, "check a 1; check b 1");
	fc_down(&t, B);
	fc_did(&t, "check a 8");
	fc_down(&t, A);
	fc_did(&t, "store 8");
	fc_deinit(&t);
}

static void test_an_edge_that_always_has_it(void **state)
{
	struct fc_test t;
	uint64_t n = 1;

	(void)state;
	fc_init(&t);
	fc_up(&t, A);
	fc_wish_partner(&t, "x.example");
	fc_did(&t, "check a 1");
	for (unsigned i = 0; i < LIMIT_FEDERATION_RAISES; i++) {
		char what[32];

		fc_says(&t, A, true, n, n, "I have that");
		n++;
		(void)snprintf(what, sizeof(what), "check a %" PRIu64, n);
		fc_did(&t, what);
	}
	fc_says(&t, A, true, n, n, "I have that");
	fc_did(&t, "refused: edge \"a.example\" refuses it: I have that");
	fc_deinit(&t);
}

static void test_numbers_out_of_this_world(void **state)
{
	static const uint64_t numbers[] = {
		UINT64_MAX,
		FEDERATION_REVISION_MAX,
		LIMIT_FEDERATION_AHEAD + 2,
	};
	struct fc_test t;

	(void)state;
	fc_init(&t);
	fc_settle(&t, "x.example", 1);
	fc_up(&t, A);
	fc_did(&t, "tell a 1");
	for (size_t i = 0; i < FED_ARRAY_LEN(numbers); i++) {
		t.logged[0] = '\0';
		fc_up(&t, A);
		fc_did(&t, "tell a 1");
		fc_says(&t, A, false, 1, numbers[i], "");
		assert_non_null(strstr(t.logged, "event=federation_number "
						 "edge=a.example "));
		assert_int_equal(0, federation_change_edge(t.c, A)->in_force);
	}
	fc_wish_partner(&t, "y.example");
	fc_did(&t, "check a 2");
	/* the most that is believed */
	fc_says(&t, A, true, 2, LIMIT_FEDERATION_AHEAD + 1, "I have more");
	fc_did(&t, "check a 1000002");
	fc_deinit(&t);
}

/* --- rollback ------------------------------------------------------------- */

static void test_rollback(void **state)
{
	struct federation_change_row rows[3];
	struct fc_test t;
	char x[256];
	size_t x_n;

	(void)state;
	fc_init(&t);
	fc_settle(&t, "x.example", 1);
	memcpy(x, t.stored, t.stored_n);
	x_n = t.stored_n;
	fc_settle(&t, "y.example", 2);
	(void)ft_partner(&t.records, "x.example");
	ft_remove(&t.records);
	fc_wish(&t);
	fc_did(&t, "store 3");
	fc_committed(&t, 3);
	fc_did(&t, "in force; tell a 3; tell b 3; done 3");
	t.logged[0] = '\0';
	fc_wish_back(&t, 1);
	assert_int_equal(FEDERATION_READING, fc_state(&t));
	fc_did(&t, "read 1");
	rows[0] = (struct federation_change_row){SPAN_LIT("partner/x.example"),
						 span_of(x, x_n), SPAN_NULL};
	rows[1] = (struct federation_change_row){SPAN_LIT("partner/y.example"),
						 SPAN_NULL, SPAN_NULL};
	/* that came and went */
	rows[2] = (struct federation_change_row){SPAN_LIT("partner/z.example"),
						 SPAN_NULL, SPAN_NULL};
	federation_change_on_read(t.c, 0, rows, 3, 1, t.now_ms);
	fc_did(&t, "store 4");
	fc_committed(&t, 4);
	fc_did(&t, "in force; tell a 4; tell b 4; done 4");
	assert_int_equal(2, t.changes);
	assert_int_equal(1, federation_count(federation_change_now(t.c)));
	assert_non_null(federation_find(federation_change_now(t.c),
					"partner/x.example"));
	assert_string_equal("rollback 1", federation_change_head(t.c)->what);
	fc_deinit(&t);
}

/* It was not there, so it goes: elsewhere an empty one was not said. */
static void test_rollback_of_a_secret(void **state)
{
	static uint8_t secret[] = "this is very secret";
	const Fed__SettingsRecord *now;
	struct federation_change_row row;
	Fed__SettingsRecord *s;
	struct fc_test t;
	char old[256];

	(void)state;
	fc_init(&t);
	(void)ft_settings(&t.records);
	fc_wish(&t);
	fc_did(&t, "store 1");
	fc_committed(&t, 1);
	fc_did(&t, "in force; tell a 1; tell b 1; done 1");
	memcpy(old, t.stored, t.stored_n);
	row = (struct federation_change_row){
		SPAN_LIT("settings"), span_of(old, t.stored_n), SPAN_NULL};
	s = ft_settings(&t.records);
	s->dialback_secret = (ProtobufCBinaryData){sizeof(secret) - 1, secret};
	fc_wish(&t);
	fc_did(&t, "store 2");
	fc_committed(&t, 2);
	fc_did(&t, "in force; tell a 2; tell b 2; done 2");
	fc_wish_back(&t, 1);
	federation_change_on_read(t.c, 0, &row, 1, 1, t.now_ms);
	fc_did(&t, "read 1; store 3");
	fc_committed(&t, 3);
	fc_did(&t, "in force; tell a 3; tell b 3; done 3");
	now = federation_settings(federation_change_now(t.c));
	assert_int_equal(0, now->dialback_secret.len);
	fc_deinit(&t);
}

static void test_rollbacks_that_cannot_be(void **state)
{
	Fed__AdminFederationApply a = fc_apply();
	const struct federation_change_row odd = {SPAN_LIT("partner/x.example"),
						  SPAN_LIT("\xff"), SPAN_NULL};
	struct fc_test t;

	(void)state;
	fc_init(&t);
	fc_settle(&t, "x.example", 1);
	fc_settle(&t, "y.example", 2);
	a.rollback_to = 3;
	assert_int_equal(FED_EINVAL, fc_try_wish(&t, &a));
	assert_string_equal("there is no revision 3; the newest one is 2",
			    t.e.text);
	a.rollback_to = 1;
	(void)ft_partner(&t.records, "z.example");
	assert_int_equal(FED_EINVAL, fc_try_wish(&t, &a));
	assert_string_equal("a rollback changes nothing else", t.e.text);
	fc_wish_back(&t, 2); /* that is in force */
	fc_did(&t, "done 2");
	fc_wish_back(&t, 1);
	federation_change_on_read(t.c, FED_ENOTFOUND, NULL, 0, 2, t.now_ms);
	fc_did(&t, "read 1; refused: there is no revision 1; the oldest one "
		   "that is kept is 2");
	fc_wish_back(&t, 1);
	federation_change_on_read(t.c, 0, &odd, 1, 1, t.now_ms);
	fc_did(&t, "read 1; refused: what revision 1 was cannot be read");
	fc_wish_back(&t, 1);
	fc_time(&t, LIMIT_FEDERATION_STORE_MS);
	fc_did(&t, "read 1; refused: the store does not answer");
	/* it does, too late */
	federation_change_on_read(t.c, 0, &odd, 1, 1, t.now_ms);
	fc_did(&t, "");
	assert_int_equal(2, federation_change_head(t.c)->number);
	fc_deinit(&t);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_edges_that_go),
		cmocka_unit_test(test_down_in_every_state),
		cmocka_unit_test(test_edges_that_come),
		cmocka_unit_test(test_a_session_that_is_resumed),
		cmocka_unit_test(test_an_edge_breaks_its_word),
		cmocka_unit_test(test_an_edge_is_told_and_silent),
		cmocka_unit_test(test_an_edge_repeats_itself),
		cmocka_unit_test(test_an_edge_knows_a_later_one),
		cmocka_unit_test(test_a_number_that_is_taken),
		cmocka_unit_test(test_all_have_other_numbers),
		cmocka_unit_test(test_a_number_and_an_edge_that_goes),
		cmocka_unit_test(test_an_edge_that_always_has_it),
		cmocka_unit_test(test_numbers_out_of_this_world),
		cmocka_unit_test(test_rollback),
		cmocka_unit_test(test_rollback_of_a_secret),
		cmocka_unit_test(test_rollbacks_that_cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
