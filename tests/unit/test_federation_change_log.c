/* A change of the federation configuration: what the log and the history say
 * of it, and what they do not. */
#include "federation_change_harness.h"

static void test_lines_of_the_log(void **state)
{
	struct fc_test t;

	(void)state;
	fc_init(&t);
	fc_wish_partner(&t, "x.example");
	fc_did(&t, "store 1");
	assert_string_equal("", t.logged);
	fc_committed(&t, 1);
	assert_string_equal(
		"event=federation_change revision=1 author=\"alice (uid 7)\" "
		"what=\"a wish\" key=\"partner/x.example\" before=\"none\" "
		"after=\"type:public-unverified state:enabled tls:required "
		"sasl:required dialback:off keep_alive:on domain:x.example\"\n",
		t.logged);
	t.logged[0] = '\0';
	fc_did(&t, "in force; tell a 1; tell b 1; done 1");
	ft_partner(&t.records, "x.example")->state =
		FED__PARTNER_STATE__DISABLED;
	fc_wish(&t);
	fc_committed(&t, 2);
	assert_string_equal(
		"event=federation_change revision=2 author=\"alice (uid 7)\" "
		"what=\"a wish\" key=\"partner/x.example\" "
		"before=\"state:enabled dialback:off\" "
		"after=\"state:disabled dialback:on\"\n",
		t.logged);
	fc_deinit(&t);
}

static void test_many_records_are_one_line(void **state)
{
	struct fc_test t;
	char domain[32];

	(void)state;
	fc_init(&t);
	for (unsigned i = 0; i <= LIMIT_FEDERATION_LINES; i++) {
		(void)snprintf(domain, sizeof(domain), "d%u.example", i);
		ft_partner(&t.records, domain)->dialback = false;
	}
	fc_wish(&t);
	fc_committed(&t, 1);
	assert_string_equal("event=federation_change revision=1 "
			    "author=\"alice (uid 7)\" what=\"a wish\" new=33 "
			    "changed=0 removed=0\n",
			    t.logged);
	fc_deinit(&t);
}

static void test_secrets_stay(void **state)
{
	static uint8_t secret[] = "this is very secret";
	struct federation_action a;
	struct fc_test t;
	Fed__SettingsRecord *s;

	(void)state;
	fc_init(&t);
	s = ft_settings(&t.records);
	s->dialback_secret = (ProtobufCBinaryData){sizeof(secret) - 1, secret};
	fc_wish(&t);
	fc_committed(&t, 1);
	assert_null(strstr(t.logged, "very"));
	while (federation_change_next_action(t.c, &a)) {
		if (a.kind != FEDERATION_ACT_DONE)
			continue;
		assert_int_equal(1, a.u.done.changed->n_change);
		assert_int_equal(
			0, a.u.done.changed->change[0]
				   ->after->settings->dialback_secret.len);
	}
	/* another one is seen as such */
	t.logged[0] = '\0';
	s = ft_settings(&t.records);
	secret[0] = 'T';
	s->dialback_secret = (ProtobufCBinaryData){sizeof(secret) - 1, secret};
	fc_wish(&t);
	fc_committed(&t, 2);
	assert_non_null(strstr(t.logged,
			       "key=\"settings\" "
			       "before=\"dialback_secret:(secret)\" "
			       "after=\"dialback_secret:(secret)\"\n"));
	/* the one in force has it */
	assert_int_equal(sizeof(secret) - 1,
			 federation_settings(federation_change_now(t.c))
				 ->dialback_secret.len);
	fc_deinit(&t);
}

/* One line, and no half characters. */
static void test_texts_of_others(void **state)
{
	Fed__AdminFederationApply a = fc_apply();
	char what[600];
	const struct federation_head *h;
	struct fc_test t;

	(void)state;
	fc_init(&t);
	memset(what, 'a', sizeof(what));
	what[0] = '\n';
	memcpy(what + LIMIT_FEDERATION_WHAT_BYTES - 1, "\xc3\xa4", 2);
	what[sizeof(what) - 1] = '\0';
	a.what = what;
	(void)ft_partner(&t.records, "x.example");
	assert_int_equal(0, fc_try_wish(&t, &a));
	fc_committed(&t, 1);
	h = federation_change_head(t.c);
	assert_int_equal(LIMIT_FEDERATION_WHAT_BYTES - 1, strlen(h->what));
	assert_int_equal(' ', h->what[0]);
	fc_deinit(&t);
}

static void test_authors(void **state)
{
#define A_UMLAUT "\xc3\xa4"
#define A_UMLAUTS_10                                                   \
	A_UMLAUT A_UMLAUT A_UMLAUT A_UMLAUT A_UMLAUT A_UMLAUT A_UMLAUT \
		A_UMLAUT A_UMLAUT A_UMLAUT
#define A_UMLAUTS_30 A_UMLAUTS_10 A_UMLAUTS_10 A_UMLAUTS_10
	static const struct {
		const char *name;
		const char *known;
		const char *author;
	} rows[] = {
		{"alice", "root", "alice (uid 7, root)"},
		{"root", "root", "root (uid 7)"},
		{"", "root", "root (uid 7)"},
		{"", NULL, "somebody (uid 7)"},
		{"al\nice", NULL, "al ice (uid 7)"},
		/* 60 and 32 bytes end in the middle of the last one, or not */
		{A_UMLAUTS_30 A_UMLAUT, NULL, A_UMLAUTS_30 " (uid 7)"},
		{"a" A_UMLAUTS_30 A_UMLAUT, "x" A_UMLAUTS_30,
		 "a" A_UMLAUTS_10 A_UMLAUTS_10 A_UMLAUT A_UMLAUT A_UMLAUT
			 A_UMLAUT A_UMLAUT A_UMLAUT A_UMLAUT A_UMLAUT A_UMLAUT
		 " (uid 7, x" A_UMLAUTS_10 A_UMLAUT A_UMLAUT A_UMLAUT A_UMLAUT
			 A_UMLAUT ")"},
		/* a file that is not UTF-8 */
		{"alice", "b\xe4r", "alice (uid 7)"},
	};
	char out[LIMIT_FEDERATION_AUTHOR_BYTES + 1];

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		federation_change_author(out, 7, rows[i].name, rows[i].known);
		assert_string_equal(rows[i].author, out);
		assert_true(span_is_utf8(span_str(out)));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_of_the_log),
		cmocka_unit_test(test_many_records_are_one_line),
		cmocka_unit_test(test_secrets_stay),
		cmocka_unit_test(test_texts_of_others),
		cmocka_unit_test(test_authors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
