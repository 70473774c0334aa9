/* Snapshots: edits, keys, names, look-ups, differences. */
#include "tests/unit/federation_harness.h"

#include "base/limits.h"

/* --- keys and names --------------------------------------------------------
 */

static void test_keys_and_order(void **state)
{
	static const char *const keys[] = {
		"denied/bad.example",
		"grant/alice@example.net",
		"member/bob@example.net",
		"mover/carol@example.net",
		"partner/*",
		"partner/fabrikam.example",
		"policy/global",
		"policy/site/Berlin",
		"policy/user/sales",
		"settings",
		"site/Berlin",
	};
	char key[FEDERATION_KEY_BYTES];
	struct federation_walk w;
	const Fed__Record *r;
	struct fed_test t;

	(void)state;
	ft_init(&t);
	ft_settings(&t)->open = true;
	ft_site(&t, "Berlin", "b.example.net");
	ft_policy(&t, FED__POLICY_SCOPE__USER, "sales", true, true);
	ft_policy(&t, FED__POLICY_SCOPE__SITE, "Berlin", true, false);
	ft_policy(&t, FED__POLICY_SCOPE__GLOBAL, "", false, false);
	ft_partner(&t, "Fabrikam.EXAMPLE.");
	ft_partner(&t, "*");
	ft_mover(&t, "sip:carol@Example.net", false);
	ft_member(&t, "Bob@example.net", "Berlin");
	ft_grant(&t, "sips:ALICE@example.net;transport=tls", " sales ");
	ft_denied(&t, "bad.example");
	ft_ok(&t);
	assert_int_equal(federation_count(t.f), FED_ARRAY_LEN(keys));
	w = federation_walk(t.f, FED__RECORD__KIND__NOT_SET);
	for (size_t i = 0; i < FED_ARRAY_LEN(keys); i++) {
		r = federation_walk_next(t.f, &w);
		assert_non_null(r);
		assert_int_equal(federation_key(r, key), strlen(keys[i]));
		assert_string_equal(key, keys[i]);
		assert_ptr_equal(federation_find(t.f, keys[i]), r);
	}
	assert_null(federation_walk_next(t.f, &w));
	assert_null(federation_find(t.f, "partner/"));
	assert_null(federation_find(t.f, "partner/none.example"));
	assert_string_equal(
		federation_find(t.f, "grant/alice@example.net")->grant->policy,
		"sales");
	ft_deinit(&t);
}

/* A walk over a kind sees its records and no other; that of none sees all. */
static void test_walks(void **state)
{
	const Fed__Record *r, *seen;
	struct federation_walk w, all;
	struct fed_test t;

	(void)state;
	ft_init(&t);
	ft_settings(&t)->open = true;
	ft_site(&t, "Berlin", "b.example.net");
	ft_policy(&t, FED__POLICY_SCOPE__USER, "sales", true, true);
	ft_policy(&t, FED__POLICY_SCOPE__SITE, "Berlin", true, false);
	ft_policy(&t, FED__POLICY_SCOPE__GLOBAL, "", false, false);
	ft_partner(&t, "a.example");
	ft_partner(&t, "*");
	ft_mover(&t, "carol@example.net", false);
	ft_member(&t, "bob@example.net", "Berlin");
	ft_member(&t, "eve@example.net", "Berlin");
	ft_grant(&t, "alice@example.net", "sales");
	ft_ok(&t);
	for (int kind = 0; kind <= FED__RECORD__KIND_SETTINGS + 1; kind++) {
		w = federation_walk(t.f, (Fed__Record__KindCase)kind);
		all = federation_walk(t.f, FED__RECORD__KIND__NOT_SET);
		while ((r = federation_walk_next(t.f, &all)) != NULL) {
			if (kind != 0 && (int)r->kind_case != kind)
				continue;
			/* nothing else is looked at between */
			seen = federation_walk_next(t.f, &w);
			assert_ptr_equal(seen, r);
		}
		assert_null(federation_walk_next(t.f, &w));
		assert_null(federation_walk_next(t.f, &w));
	}
	w = federation_walk(NULL, FED__RECORD__KIND_PARTNER);
	assert_null(federation_walk_next(NULL, &w));
	/* of a snapshot that is gone: nothing behind the end is read */
	w = (struct federation_walk){.at = 100, .end = 200};
	assert_null(federation_walk_next(t.f, &w));
	ft_deinit(&t);
}

/* --- edits -----------------------------------------------------------------
 */

static void test_put_replaces(void **state)
{
	struct fed_test t;

	(void)state;
	ft_init(&t);
	ft_partner(&t, "a.example")->type = FED__PARTNER_TYPE__FEDERATED;
	ft_partner(&t, "b.example");
	ft_ok(&t);
	ft_partner(&t, "A.example")->state = FED__PARTNER_STATE__DISABLED;
	ft_ok(&t);
	assert_int_equal(federation_count(t.f), 2);
	assert_int_equal(
		federation_find(t.f, "partner/a.example")->partner->type,
		FED__PARTNER_TYPE__PUBLIC_UNVERIFIED);
	ft_partner(&t, "a.EXAMPLE");
	ft_remove(&t);
	ft_ok(&t);
	assert_int_equal(federation_count(t.f), 1);
	assert_null(federation_find(t.f, "partner/a.example"));
	ft_deinit(&t);
}

static void test_bad_edits(void **state)
{
	struct fed_test t;
	Fed__Record none = FED__RECORD__INIT;

	(void)state;
	ft_init(&t);
	ft_partner(&t, "fabrikam.example");
	ft_policy(&t, FED__POLICY_SCOPE__USER, "sales", true, true);
	ft_ok(&t);
	ft_partner(&t, "fabricam.example");
	ft_remove(&t);
	ft_refused(&t, "partner fabricam.example: it is not there; did you "
		       "mean \"fabrikam.example\"?");
	ft_policy(&t, FED__POLICY_SCOPE__USER, "saless", true, true);
	ft_remove(&t);
	ft_refused(&t, "policy user saless: it is not there; did you mean "
		       "\"sales\"?");
	ft_policy(&t, FED__POLICY_SCOPE__SITE, "sales", true, true);
	ft_remove(&t);
	ft_refused(&t, "policy site sales: it is not there");
	ft_settings(&t);
	ft_remove(&t);
	ft_refused(&t, "settings: it is not there");
	ft_partner(&t, "x.example");
	ft_partner(&t, "X.example");
	ft_refused(&t, "partner x.example: it is there twice");
	ft_partner(&t, "fabrikam.example");
	ft_remove(&t);
	ft_partner(&t, "fabrikam.example");
	ft_refused(&t, "partner fabrikam.example: it is put and removed in "
		       "one change");
	t.put[t.put_count++] = &none;
	ft_refused(&t, "a record of no kind that is known here");
	assert_int_equal(federation_count(t.f), 2);
	ft_deinit(&t);
}

/* What a file does not have goes; who was moved stays. */
static void test_replace_all(void **state)
{
	struct fed_test t;

	(void)state;
	ft_init(&t);
	ft_partner(&t, "a.example");
	ft_partner(&t, "b.example");
	ft_mover(&t, "alice@example.net", true);
	ft_policy(&t, FED__POLICY_SCOPE__USER, "sales", true, true);
	ft_grant(&t, "alice@example.net", "sales");
	ft_ok(&t);
	ft_partner(&t, "b.example");
	assert_int_equal(ft_apply_as(&t, true), 0);
	assert_int_equal(federation_count(t.f), 2);
	assert_non_null(federation_find(t.f, "partner/b.example"));
	assert_true(federation_find(t.f, "mover/alice@example.net")
			    ->mover->is_moved);
	ft_mover(&t, "alice@example.net", true);
	ft_remove(&t);
	assert_int_equal(ft_apply_as(&t, true), 0);
	assert_int_equal(federation_count(t.f), 0);
	ft_deinit(&t);
}

/* Who reads settings does not see the secret, and does not lose it. */
static void test_secret_is_kept(void **state)
{
	static uint8_t secret[] = "0123456789abcdef";
	ProtobufCBinaryData s;
	struct fed_test t;

	(void)state;
	ft_init(&t);
	ft_settings(&t)->dialback_secret = (ProtobufCBinaryData){16, secret};
	ft_ok(&t);
	ft_settings(&t)->federation = true;
	ft_ok(&t);
	s = federation_settings(t.f)->dialback_secret;
	assert_int_equal(s.len, 16);
	assert_memory_equal(s.data, secret, 16);
	assert_true(federation_settings(t.f)->federation);
	ft_settings(&t);
	ft_remove(&t);
	ft_warned(&t, "settings: they go back to their defaults: federation "
		      "is off, the list closed; the dialback secret is gone");
	assert_int_equal(federation_settings(t.f)->dialback_secret.len, 0);
	assert_false(federation_settings(t.f)->federation);
	ft_deinit(&t);
}

/* A snapshot outlives the one it was made of, and the edit. */
static void test_snapshots_are_apart(void **state)
{
	struct federation_edit none = {.put = NULL};
	struct federation *copy = NULL;
	struct fed_test t;

	(void)state;
	ft_init(&t);
	ft_additional(&t, ft_partner(&t, "a.example"), "b.example");
	ft_ok(&t);
	assert_int_equal(federation_new(&copy, t.f, &none, NULL, NULL, NULL),
			 0);
	ft_deinit(&t);
	assert_string_equal(
		federation_partner(copy, SPAN_LIT("b.example"))->domain,
		"a.example");
	federation_free(copy);
	federation_free(NULL);
}

/* --- differences -----------------------------------------------------------
 */

static const char *key_of(const Fed__Record *r)
{
	static char key[FEDERATION_KEY_BYTES];

	return r != NULL && federation_key(r, key) > 0 ? key : "none";
}

static void test_diff(void **state)
{
	struct federation *before;
	Fed__Change **c;
	struct fed_test t;
	size_t n;

	(void)state;
	ft_init(&t);
	ft_partner(&t, "a.example");
	ft_partner(&t, "b.example");
	ft_partner(&t, "c.example");
	ft_ok(&t);
	before = t.f;
	t.f = NULL;
	ft_partner(&t, "b.example")->keep_alive = false;
	ft_partner(&t, "c.example");
	ft_partner(&t, "d.example");
	ft_ok(&t);
	assert_int_equal(federation_diff(before, t.f, &t.a, &c, &n), 0);
	assert_int_equal(n, 3);
	assert_string_equal(key_of(c[0]->before), "partner/a.example");
	assert_null(c[0]->after);
	assert_string_equal(key_of(c[1]->before), "partner/b.example");
	assert_true(c[1]->before->partner->keep_alive);
	assert_false(c[1]->after->partner->keep_alive);
	assert_null(c[2]->before);
	assert_string_equal(key_of(c[2]->after), "partner/d.example");
	assert_int_equal(federation_diff(NULL, before, &t.a, &c, &n), 0);
	assert_int_equal(n, 3);
	assert_null(c[0]->before);
	assert_int_equal(federation_diff(before, before, &t.a, &c, &n), 0);
	assert_int_equal(n, 0);
	federation_free(before);
	ft_deinit(&t);
}

/* Fields of each type, of two kinds. */
static void change_field(struct fed_test *u, int field, Fed__PartnerRecord *p,
			 Fed__SettingsRecord *s)
{
	static uint8_t secret[] = "0123456789abcdef";

	switch (field) {
	case 0:
		ft_additional(u, p, "b.example");
		break;
	case 1:
		p->description = ft_text(u, "x");
		break;
	case 2:
		p->type = FED__PARTNER_TYPE__FEDERATED;
		break;
	case 3:
		p->state = FED__PARTNER_STATE__LEGACY;
		break;
	case 4:
		p->tls = FED__NEED__OPTIONAL;
		break;
	case 5:
		p->sasl = FED__NEED__OPTIONAL;
		break;
	case 6:
		p->dialback = false;
		break;
	case 7:
		p->connection_limit = 3;
		break;
	case 8:
		p->proxy_host = ft_text(u, "x.example");
		break;
	case 9:
		p->stanzas_per_s = 5;
		break;
	case 10:
		p->bytes_per_s = 50000;
		break;
	case 11:
		s->federation = true;
		break;
	case 12:
		s->open = true;
		break;
	case 13:
		s->connection_limit = 999;
		break;
	case 14:
		s->subscription_refresh_interval_s = 3600;
		break;
	case 15:
		s->dialback_secret = (ProtobufCBinaryData){16, secret};
		break;
	case 16:
		s->log_bodies = true;
		break;
	default:
		s->legacy_next_hop = ft_text(u, "sip:x.example");
		break;
	}
}

static void test_diff_sees_fields(void **state)
{
	Fed__Change **c;
	size_t n;

	(void)state;
	for (int field = 0; field < 18; field++) {
		struct fed_test t, u;
		Fed__PartnerRecord *p;
		Fed__SettingsRecord *s;

		ft_init(&t);
		ft_init(&u);
		ft_partner(&t, "a.example");
		ft_settings(&t);
		ft_ok(&t);
		p = ft_partner(&u, "a.example");
		s = ft_settings(&u);
		change_field(&u, field, p, s);
		ft_ok(&u);
		assert_int_equal(federation_diff(t.f, u.f, &t.a, &c, &n), 0);
		assert_int_equal(n, 1);
		ft_deinit(&t);
		ft_deinit(&u);
	}
}

/* --- partners of domains ---------------------------------------------------
 */

static void test_partner_of_domain(void **state)
{
	static const struct {
		const char *domain;
		const char *closed; /* partner, "!": denied, NULL: none */
		const char *open;
	} rows[] = {
		{"a.example", "a.example", "a.example"},
		{"extra.example", "a.example", "a.example"},
		{"b.a.example", NULL, "*"},
		{"x.wild.example", "a.example", "a.example"},
		{"y.x.wild.example", "a.example", "a.example"},
		{"wild.example", NULL, "*"},
		{"x.deep.wild.example", "deep.example", "deep.example"},
		{"deep.wild.example", "a.example", "a.example"},
		{"bad.wild.example", "!", "!"},
		{"x.bad.wild.example", "a.example", "a.example"},
		{"spam.example", "!", "!"},
		{"x.pest.example", "!", "!"},
		{"y.x.pest.example", "!", "!"},
		{"pest.example", NULL, "*"},
		{"good.pest.example", "good.pest.example", "good.pest.example"},
		{"off.example", "off.example", "off.example"},
		{"other.org", NULL, "*"},
		{"org", NULL, "*"},
	};
	struct fed_test t;
	Fed__PartnerRecord *p;

	(void)state;
	ft_init(&t);
	p = ft_partner(&t, "a.example");
	ft_additional(&t, p, "extra.example");
	ft_additional(&t, p, "*.wild.example");
	ft_additional(&t, ft_partner(&t, "deep.example"),
		      "*.deep.wild.example");
	ft_partner(&t, "good.pest.example");
	ft_partner(&t, "off.example")->state = FED__PARTNER_STATE__DISABLED;
	ft_denied(&t, "bad.wild.example");
	ft_denied(&t, "spam.example");
	ft_denied(&t, "*.pest.example");
	ft_ok(&t);
	for (int open = 0; open < 3; open++) {
		if (open > 0) {
			ft_settings(&t)->open = true;
			if (open == 2)
				ft_partner(&t, "*");
			ft_ok(&t);
		}
		for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
			struct span d = span_str(rows[i].domain);
			const char *want = open ? rows[i].open : rows[i].closed;
			const Fed__PartnerRecord *got =
				federation_partner(t.f, d);
			bool denied = want != NULL && strcmp(want, "!") == 0;

			assert_int_equal(federation_denied(t.f, d) != NULL,
					 denied);
			if (want == NULL || denied) {
				assert_null(got);
				continue;
			}
			assert_non_null(got);
			assert_string_equal(got->domain, want);
		}
		assert_null(federation_partner(t.f, SPAN_NULL));
	}
	assert_null(federation_partner(NULL, SPAN_LIT("a.example")));
	assert_null(federation_denied(NULL, SPAN_LIT("a.example")));
	ft_deinit(&t);
}

/* An open list without a record "*" takes strangers by the defaults. */
static void test_anyone(void **state)
{
	const Fed__PartnerRecord *p;
	struct fed_test t;

	(void)state;
	ft_init(&t);
	ft_settings(&t)->open = true;
	ft_ok(&t);
	p = federation_partner(t.f, SPAN_LIT("x.example"));
	assert_string_equal(p->domain, "*");
	assert_int_equal(p->type, FED__PARTNER_TYPE__PUBLIC_UNVERIFIED);
	assert_int_equal(p->tls, FED__NEED__REQUIRED);
	assert_int_equal(p->state, FED__PARTNER_STATE__ENABLED);
	ft_partner(&t, "*")->state = FED__PARTNER_STATE__DISABLED;
	ft_ok(&t);
	p = federation_partner(t.f, SPAN_LIT("x.example"));
	assert_int_equal(p->state, FED__PARTNER_STATE__DISABLED);
	ft_deinit(&t);
}

/* --- many ------------------------------------------------------------------
 */

enum { MANY = 100000 };

static void test_many_grants(void **state)
{
	Fed__Record **put;
	struct federation_edit edit = {.put_count = MANY};
	struct federation_policy got;
	struct fed_test t;
	struct arena a;
	Fed__Change **c;
	struct federation *before;
	size_t n;

	(void)state;
	ft_init(&t);
	arena_init(&a, 256 * 1024 * 1024);
	ft_policy(&t, FED__POLICY_SCOPE__USER, "sales", true, true);
	ft_ok(&t);
	put = calloc(MANY, sizeof(*put));
	assert_non_null(put);
	for (size_t i = 0; i < MANY; i++) {
		Fed__Record *r = arena_alloc(&a, sizeof(*r));
		Fed__GrantRecord *g = arena_alloc(&a, sizeof(*g));

		fed__record__init(r);
		fed__grant_record__init(g);
		g->user = arena_printf(&a, "user%zu@example.net", i);
		g->policy = arena_dup(&a, SPAN_LIT("sales"));
		r->kind_case = FED__RECORD__KIND_GRANT;
		r->grant = g;
		put[i] = r;
	}
	edit.put = put;
	before = t.f;
	assert_int_equal(federation_new(&t.f, before, &edit, &t.a, &t.w, &t.e),
			 0);
	federation_free(before);
	free(put);
	arena_deinit(&a);
	assert_int_equal(federation_count(t.f), MANY + 1);
	got = federation_policy_of(t.f, SPAN_LIT("user77777@example.net"));
	assert_string_equal(got.policy->name, "sales");
	before = t.f;
	t.f = NULL;
	ft_grant(&t, "user5@example.net", "sales");
	ft_remove(&t);
	edit = (struct federation_edit){.remove = t.remove, .remove_count = 1};
	assert_int_equal(federation_new(&t.f, before, &edit, &t.a, &t.w, &t.e),
			 0);
	assert_int_equal(federation_diff(before, t.f, &t.a, &c, &n), 0);
	assert_int_equal(n, 1);
	federation_free(before);
	ft_deinit(&t);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys_and_order),
		cmocka_unit_test(test_walks),
		cmocka_unit_test(test_put_replaces),
		cmocka_unit_test(test_bad_edits),
		cmocka_unit_test(test_replace_all),
		cmocka_unit_test(test_secret_is_kept),
		cmocka_unit_test(test_snapshots_are_apart),
		cmocka_unit_test(test_diff),
		cmocka_unit_test(test_diff_sees_fields),
		cmocka_unit_test(test_partner_of_domain),
		cmocka_unit_test(test_anyone),
		cmocka_unit_test(test_many_grants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
