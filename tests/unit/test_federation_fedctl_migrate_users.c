/* migrate users: whom a table names, whom the SIP side is asked about. */
#include "fedctl_run.h"

static Fed__AdminResponse response(void)
{
	Fed__AdminResponse r;

	fed__admin_response__init(&r);
	r.last = true;
	return r;
}

static void test_users(void **state)
{
	Fed__AdminResponse answers[] = {response(), response()};
	Fed__FederationChanged changed;
	struct fake_daemon d = {.answers = answers,
				.count = 2,
				.in = "romeo@sip.example,moved\n"};

	(void)state;
	fed__federation_changed__init(&changed);
	changed.dry_run = true;
	answers[1].changed = &changed;
	runs(&d, 0, "1 user, nothing changes\n", "", "migrate", "users", "-",
	     "--dry-run");
	assert_true(d.asked[1]->federation_apply->dry_run);
	run_end(&d);
	runs(&d, 2, "",
	     "fedctl: migrate users: FILE is missing: a line USER,moved|legacy "
	     "for each user; or --ask\n",
	     "migrate", "users");
	run_end(&d);
	d = (struct fake_daemon){.answers = answers, .count = 1};
	runs(&d, 2, "",
	     "fedctl: migrate users: no user is known yet: which ones? FILE "
	     "says it\n",
	     "migrate", "users", "--ask");
	run_end(&d);
}

/* Tables as other programs write them; a user who is not counted would not be
 * missed, so all lines are right or nothing is changed. */
static void test_users_table(void **state)
{
	static const struct {
		const char *in;
		const char *users; /* who are sent; NULL: none */
		const char *err;
	} rows[] = {
		{"user,state\n"
		 "romeo@sip.example,moved\r\n"
		 "sip:tybalt@sip.example\n"
		 "benvolio@sip.example;LEGACY\n"
		 "\"SIP:Paris@SIP.example;user=phone\" ; Moved ; a count; x; "
		 "y\n"
		 "nurse@sip.example,\n",
		 "romeo@sip.example moved\n"
		 "tybalt@sip.example moved\n"
		 "benvolio@sip.example legacy\n"
		 "paris@sip.example moved\n"
		 "nurse@sip.example moved\n",
		 ""},
		{"\xEF\xBB\xBF# all\n\nUser;Status\nromeo@sip.example",
		 "romeo@sip.example moved\n", ""},
		{"romeo@sip.example,moved\n"
		 "tybalt,legacy\n"
		 "benvolio@sip.example,gone\n"
		 "@sip.example,moved\n"
		 "b\xffn@sip.example,moved\n"
		 "\"paris@sip.example,moved\n"
		 "sip:Romeo@sip.example;legacy\n",
		 NULL,
		 "fedctl: stdin:2: \"tybalt\" is no user; one such as "
		 "romeo@sip.example is expected\n"
		 "fedctl: stdin:3: benvolio@sip.example: \"gone\" is neither "
		 "moved nor legacy\n"
		 "fedctl: stdin:4: \"@sip.example\" is no user; one such as "
		 "romeo@sip.example is expected\n"
		 "fedctl: stdin:5: UTF-8 is expected\n"
		 "fedctl: stdin:6: user[,state] is expected\n"
		 "fedctl: stdin:7: romeo@sip.example is in line 1 already\n"
		 "fedctl: stdin: 6 wrong lines; nothing was changed\n"},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		Fed__AdminResponse answers[] = {response(), response()};
		struct fake_daemon d = {
			.answers = answers, .count = 2, .in = rows[i].in};
		char users[512] = "";
		size_t n = 0;

		assert_int_equal(
			rows[i].users != NULL ? 0 : STATUS_USAGE,
			run_line(&d, (const char *const[]){"migrate", "users",
							   "-", NULL}));
		assert_string_equal(rows[i].err, d.err);
		assert_int_equal(rows[i].users != NULL ? 2 : 0, d.asked_count);
		for (size_t k = 0; rows[i].users != NULL &&
				   k < d.asked[1]->federation_apply->n_put;
		     k++) {
			const Fed__MoverRecord *m =
				d.asked[1]->federation_apply->put[k]->mover;

			n += (size_t)snprintf(users + n, sizeof(users) - n,
					      "%s %s\n", m->user,
					      m->is_moved ? "moved" : "legacy");
		}
		if (rows[i].users != NULL)
			assert_string_equal(rows[i].users, users);
		run_end(&d);
	}
}

/* Of three users the SIP side knows one; of the others one is known here. */
static void test_users_silent(void **state)
{
	Fed__AdminResponse answers[] = {response(), response(), response()};
	Fed__MoverRecord romeo, tybalt;
	Fed__Record there, known;
	Fed__Record *one[] = {&there}, *other[] = {&known};
	Fed__FederationChanged changed;
	struct fake_daemon d = {.answers = answers,
				.count = 3,
				.in = "romeo@sip.example\n"
				      "tybalt@sip.example\n"
				      "benvolio@sip.example\n"};
	const Fed__AdminFederationApply *a;

	(void)state;
	fed__mover_record__init(&romeo);
	fed__mover_record__init(&tybalt);
	fed__record__init(&there);
	fed__record__init(&known);
	romeo.user = s("romeo@sip.example");
	romeo.is_moved = true;
	there.kind_case = known.kind_case = FED__RECORD__KIND_MOVER;
	there.mover = &romeo;
	tybalt.user = s("tybalt@sip.example");
	tybalt.is_moved = true;
	known.mover = &tybalt;
	answers[0].record = other;
	answers[0].n_record = 1;
	answers[1].record = one;
	answers[1].n_record = 1;
	fed__federation_changed__init(&changed);
	answers[2].changed = &changed;
	runs(&d, 0, "2 users, nothing changes\n", "", "migrate", "users", "-",
	     "--ask");
	assert_int_equal(3, d.asked_count);
	a = d.asked[2]->federation_apply;
	assert_int_equal(2, a->n_put);
	assert_string_equal("romeo@sip.example", a->put[0]->mover->user);
	assert_true(a->put[0]->mover->is_moved);
	/* not known to have moved: he stands in the way */
	assert_string_equal("benvolio@sip.example", a->put[1]->mover->user);
	assert_false(a->put[1]->mover->is_moved);
	run_end(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_users),
		cmocka_unit_test(test_users_table),
		cmocka_unit_test(test_users_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
