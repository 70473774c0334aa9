/* A gateway's Config as the edge takes it: the eighteen rows, everything that
 * is refused with its words, revisions, the file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/limits.h"
#include "edge-proxy/core/policy_config.h"

static const char *const served[] = {"sip.example", "second.example"};
static const struct policy host = {.domains = served,
				   .domain_count = 2,
				   .dialback_secret = {"hosthosthosthost", 16},
				   .stanza_max = 20000,
				   .bidi = true};

/* A Config with one of each that is right. */
struct rig {
	Fed__Config config;
	Fed__Partner partners[3];
	Fed__Partner *partner_list[3];
	Fed__ServedDomain domains[2];
	Fed__ServedDomain *domain_list[2];
	char *denied[2];
	Fed__EdgeSettings settings;
	uint8_t secret[LIMIT_SECRET_BYTES + 1];
	struct arena a;
	struct policy out;
	struct errbuf e;
};

static char *text(const char *s)
{
	return (char *)(uintptr_t)s;
}

static void rig_init(struct rig *t)
{
	memset(t, 0, sizeof(*t));
	arena_init(&t->a, LIMIT_POLICY_BYTES);
	fed__config__init(&t->config);
	t->config.revision = 7;
	for (size_t i = 0; i < 3; i++) {
		fed__partner__init(&t->partners[i]);
		t->partner_list[i] = &t->partners[i];
	}
	t->partners[0].domain = text("*");
	t->partners[0].name = text("*");
	t->partners[1].domain = text("b.example");
	t->partners[1].name = text("a.example");
	t->partners[1].keep_alive = 1;
	t->partners[1].connection_limit = 50;
	t->partners[1].proxy_host = text("[2001:db8::1]:5270");
	t->partners[1].stanzas_per_s = 10;
	t->partners[1].bytes_per_s = UINT32_MAX;
	t->partners[2].domain = text("*.a.example");
	t->config.partner = t->partner_list;
	t->config.n_partner = 3;
	fed__served_domain__init(&t->domains[0]);
	fed__served_domain__init(&t->domains[1]);
	t->domains[0].name = text("second.example");
	t->domains[1].name = text("sip.example");
	t->domain_list[0] = &t->domains[0];
	t->domain_list[1] = &t->domains[1];
	t->config.domain = t->domain_list;
	t->config.n_domain = 1;
	t->denied[0] = text("evil.example");
	t->denied[1] = text("*.evil.example");
	t->config.denied = t->denied;
	t->config.n_denied = 2;
	fed__edge_settings__init(&t->settings);
	t->settings.connection_limit = 100;
	t->settings.keep_alive_interval_s = 300;
	t->settings.stream_establishment_timeout_s = 60;
	t->settings.stream_inactivity_timeout_s = 600;
	t->config.settings = &t->settings;
	t->config.dialback_secret.data = t->secret;
	t->config.dialback_secret.len = 20;
}

static int read_config(struct rig *t)
{
	arena_reset(&t->a);
	t->e.text[0] = '\0';
	return policy_config_read(&t->config, &host, 100, &t->a, &t->out,
				  &t->e);
}

static void test_taken(void **state)
{
	const struct policy_partner *rule;
	struct rig t;

	(void)state;
	rig_init(&t);
	assert_int_equal(read_config(&t), 0);
	assert_int_equal(t.out.domain_count, 1);
	assert_true(policy_serves(&t.out, SPAN_LIT("second.example")));
	assert_false(policy_serves(&t.out, SPAN_LIT("sip.example")));
	rule = policy_find(&t.out, SPAN_LIT("b.example"));
	assert_non_null(rule);
	assert_string_equal(rule->name, "a.example");
	assert_true(rule->keep_alive);
	assert_int_equal(rule->connection_limit, 50);
	assert_string_equal(rule->proxy_host, "[2001:db8::1]:5270");
	assert_int_equal(rule->stanzas_per_s, 10);
	assert_int_equal(rule->bytes_per_s, UINT32_MAX);
	rule = policy_find(&t.out, SPAN_LIT("x.a.example"));
	/* without a name it is its own */
	assert_string_equal(rule->name, "*.a.example");
	assert_null(rule->proxy_host);
	assert_null(policy_find(&t.out, SPAN_LIT("x.evil.example")));
	assert_int_equal(t.out.connection_limit, 100);
	assert_int_equal(t.out.keep_alive_ms, 300000);
	assert_int_equal(policy_setup_ms(&t.out), 60000);
	assert_int_equal(policy_idle_ms(&t.out), 600000);
	assert_int_equal(t.out.dialback_secret.n, 20);
	/* what it does not say is the host file's */
	assert_int_equal(t.out.stanza_max, 20000);
	assert_true(t.out.bidi);
	arena_deinit(&t.a);
}

static void test_empty(void **state)
{
	struct rig t;

	(void)state;
	rig_init(&t);
	fed__config__init(&t.config);
	assert_int_equal(read_config(&t), 0);
	assert_int_equal(t.out.domain_count, 2);
	assert_int_equal(t.out.partner_count, 0);
	assert_true(span_eq(t.out.dialback_secret, host.dialback_secret));
	assert_int_equal(policy_setup_ms(&t.out), LIMIT_STREAM_SETUP_MS);
	assert_int_equal(policy_idle_ms(&t.out), LIMIT_STREAM_IDLE_MS);
	assert_int_equal(t.out.keep_alive_ms, 0);
	arena_deinit(&t.a);
}

#define REQ FED__NEED__REQUIRED
#define OPT FED__NEED__OPTIONAL
#define OFF FED__NEED__OFF
#define NO_TLS "partner \"b.example\": sasl needs tls, and dialback is off"
#define NOTHING "partner \"b.example\": sasl and dialback are both off"

/* OPT is dialback that is switched on; NULL: the row is taken. */
static const struct {
	Fed__Need tls;
	Fed__Need sasl;
	Fed__Need dialback;
	const char *why;
} rows[] = {
	{REQ, REQ, OPT, NULL}, {REQ, REQ, OFF, NULL},
	{OPT, REQ, OPT, NULL}, {OPT, REQ, OFF, NULL},
	{OFF, REQ, OPT, NULL}, {OFF, REQ, OFF, NO_TLS},
	{REQ, OPT, OPT, NULL}, {REQ, OPT, OFF, NULL},
	{OPT, OPT, OPT, NULL}, {OPT, OPT, OFF, NULL},
	{OFF, OPT, OPT, NULL}, {OFF, OPT, OFF, NO_TLS},
	{REQ, OFF, OPT, NULL}, {REQ, OFF, OFF, NOTHING},
	{OPT, OFF, OPT, NULL}, {OPT, OFF, OFF, NOTHING},
	{OFF, OFF, OPT, NULL}, {OFF, OFF, OFF, NOTHING},
};

static void test_rows(void **state)
{
	struct rig t;
	unsigned invalid = 0;

	(void)state;
	rig_init(&t);
	assert_int_equal(FED_ARRAY_LEN(rows), 18);
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		int err;

		t.partners[1].tls = rows[i].tls;
		t.partners[1].sasl = rows[i].sasl;
		t.partners[1].dialback = rows[i].dialback;
		err = read_config(&t);
		if ((err == 0) != (rows[i].why == NULL))
			fail_msg("row %zu: %s", i + 1, t.e.text);
		if (err != 0 && strstr(t.e.text, rows[i].why) != t.e.text)
			fail_msg("row %zu: %s", i + 1, t.e.text);
		invalid += err != 0;
	}
	assert_int_equal(invalid, 5);
	arena_deinit(&t.a);
}

/* ---- what is refused ----------------------------------------------------- */

static void twice(struct rig *t)
{
	t->partners[2].domain = text("b.example");
}

static void upper(struct rig *t)
{
	t->partners[2].domain = text("B.example");
}

static void stars(struct rig *t)
{
	t->partners[2].domain = text("*.*.example");
}

static void no_dot(struct rig *t)
{
	t->partners[2].domain = text("*example");
}

static void no_domain(struct rig *t)
{
	t->partners[2].domain = text("");
}

static void bad_utf8(struct rig *t)
{
	t->partners[2].domain = text("\xff\xfe.example");
}

static void bad_name(struct rig *t)
{
	t->partners[2].name = text("a b");
}

static void own(struct rig *t)
{
	t->partners[2].domain = text("sip.example");
}

static void db_required(struct rig *t)
{
	t->partners[2].dialback = FED__NEED__REQUIRED;
}

static void partner_limit(struct rig *t)
{
	t->partners[2].connection_limit = 101;
}

static void proxy(struct rig *t)
{
	t->partners[2].proxy_host = text("host:0");
}

/* it would be in the clear otherwise */
static void odd_tls(struct rig *t)
{
	t->partners[2].tls = (Fed__Need)3;
}

static void odd_sasl(struct rig *t)
{
	t->partners[2].sasl = (Fed__Need)77;
}

static void odd_dialback(struct rig *t)
{
	t->partners[2].dialback = (Fed__Need)-1;
}

static void unserved(struct rig *t)
{
	t->domains[0].name = text("third.example");
}

static void served_twice(struct rig *t)
{
	t->domains[1].name = text("second.example");
	t->config.n_domain = 2;
}

static void deny_all(struct rig *t)
{
	t->denied[1] = text("*");
}

static void limit(struct rig *t)
{
	t->settings.connection_limit = 101;
}

static void keep_alive(struct rig *t)
{
	t->settings.keep_alive_interval_s = LIMIT_SETTING_S + 1;
}

static void setup_time(struct rig *t)
{
	t->settings.stream_establishment_timeout_s = LIMIT_SETTING_SETUP_S + 1;
}

static void idle_time(struct rig *t)
{
	t->settings.stream_inactivity_timeout_s = UINT32_MAX;
}

static void short_secret(struct rig *t)
{
	t->config.dialback_secret.len = LIMIT_SECRET_BYTES_FLOOR - 1;
}

static void long_secret(struct rig *t)
{
	t->config.dialback_secret.len = LIMIT_SECRET_BYTES + 1;
}

static const struct {
	void (*spoil)(struct rig *t);
	const char *why;
} refusals[] = {
	{twice, "partner \"b.example\": is there twice"},
	{upper, "partner \"B.example\" is not a domain in its normal form"},
	{stars, "partner \"*.*.example\" is not a domain"},
	{no_dot, "partner \"*example\" is not a domain"},
	{no_domain, "partner \"\" is not a domain"},
	{bad_utf8, "partner \"\\xff\\xfe.example\" is not a domain"},
	{bad_name, "name of a partner \"a b\" is not a domain"},
	{own, "partner \"sip.example\": is served by this edge"},
	{db_required, "partner \"*.a.example\": dialback is on or off"},
	{partner_limit, "partner \"*.a.example\": connection_limit 101 is "
			"above s2s.streams_max 100"},
	{proxy, "partner \"*.a.example\": proxy_host is not"},
	{odd_tls, "partner \"*.a.example\": tls has a value that this edge "
		  "does not know"},
	{odd_sasl, "partner \"*.a.example\": sasl has a value that this edge "
		   "does not know"},
	{odd_dialback, "partner \"*.a.example\": dialback has a value that "
		       "this edge does not know"},
	{unserved, "served domain \"third.example\": the host file has no "
		   "certificate"},
	{served_twice, "served domain \"second.example\" is there twice"},
	{deny_all, "denied \"*\" is not a domain"},
	{limit, "connection_limit 101 is above s2s.streams_max 100"},
	{keep_alive, "keep_alive_interval is 86401 s, expected at most 86400"},
	{setup_time, "stream_establishment_timeout is 601 s, expected at most "
		     "600"},
	{idle_time, "stream_inactivity_timeout is 4294967295 s"},
	{short_secret, "the dialback secret has 15 bytes, expected 16 to 4096"},
	{long_secret, "the dialback secret has 4097 bytes"},
};

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(refusals); i++) {
		struct rig t;

		rig_init(&t);
		refusals[i].spoil(&t);
		if (read_config(&t) != FED_EINVAL ||
		    strncmp(t.e.text, refusals[i].why,
			    strlen(refusals[i].why)) != 0)
			fail_msg("row %zu: %s", i, t.e.text);
		arena_deinit(&t.a);
	}
}

/* What is just allowed. */
static void test_edges(void **state)
{
	struct rig t;

	(void)state;
	rig_init(&t);
	t.config.dialback_secret.len = LIMIT_SECRET_BYTES_FLOOR;
	t.partners[2].connection_limit = 100;
	t.settings.keep_alive_interval_s = LIMIT_SETTING_S;
	t.settings.stream_establishment_timeout_s = LIMIT_SETTING_SETUP_S;
	assert_int_equal(read_config(&t), 0);
	t.config.dialback_secret.len = LIMIT_SECRET_BYTES;
	assert_int_equal(read_config(&t), 0);
	/* more than the arena has */
	t.a.max_bytes = 100;
	assert_int_equal(read_config(&t), FED_ELIMIT);
	assert_string_equal(t.e.text, "more rules than this edge takes");
	arena_deinit(&t.a);
}

/* ---- revisions ----------------------------------------------------------- */

static void test_follows(void **state)
{
	static const struct {
		uint64_t revision; /* of the Config */
		uint64_t now;
		const char *in_force;
		int err;
		const char *why;
	} table[] = {
		{1, 0, "", 0, ""},
		{0, 0, "", FED_EINVAL, "it has no revision"},
		{0, 5, "new", FED_EINVAL, "it has no revision"},
		{6, 5, "old", 0, ""},
		{600, 5, "new", 0, ""},
		{5, 5, "new", FED_EEXIST, ""},
		{5, 5, "old", FED_EINVAL,
		 "another configuration is in force as revision 5"},
		{4, 5, "new", FED_EINVAL,
		 "revision 5 is in force, which is newer"},
		{UINT64_MAX, UINT64_MAX - 1, "old", 0, ""},
		/* what believes an edge that is ahead goes beyond it */
		{LIMIT_FEDERATION_AHEAD + 2, 1, "old", 0, ""},
		{LIMIT_FEDERATION_LEAP + 5, 5, "old", 0, ""},
		{LIMIT_FEDERATION_LEAP + 6, 5, "old", FED_EINVAL,
		 "revision 1000000006 is too far above 5, which is in force: "
		 "at most 1000000000"},
		{UINT64_MAX, 1, "old", FED_EINVAL,
		 "revision 18446744073709551615 is too far above 1, which is "
		 "in force: at most 1000000000"},
		{LIMIT_FEDERATION_LEAP, 0, "", 0, ""},
		{LIMIT_FEDERATION_LEAP + 1, 0, "", FED_EINVAL,
		 "revision 1000000001 is too far above 0, which is in force: "
		 "at most 1000000000"},
		{UINT64_MAX, 0, "", FED_EINVAL,
		 "revision 18446744073709551615 is too far above 0, which is "
		 "in force: at most 1000000000"},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(table); i++) {
		Fed__Config c;
		struct errbuf e = {""};

		fed__config__init(&c);
		c.revision = table[i].revision;
		assert_int_equal(
			policy_config_follows(&c, SPAN_LIT("new"), table[i].now,
					      span_str(table[i].in_force), &e),
			table[i].err);
		assert_string_equal(e.text, table[i].why);
	}
}

/* ---- the file ------------------------------------------------------------ */

static void test_file(void **state)
{
	struct span packed = SPAN_NULL;
	struct errbuf e = {""};
	struct buf file;
	char *copy;
	size_t n;

	(void)state;
	buf_init(&file, LIMIT_POLICY_FILE_BYTES);
	assert_int_equal(policy_file_write(SPAN_LIT("payload"), &file), 0);
	n = buf_len(&file);
	assert_int_equal(policy_file_read(buf_span(&file), &packed, &e), 0);
	assert_true(span_eq(packed, SPAN_LIT("payload")));
	copy = span_dup(buf_span(&file));
	assert_non_null(copy);
	/* torn anywhere */
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(
			policy_file_read(span_of(copy, i), &packed, &e),
			FED_EINVAL);
		assert_true(e.text[0] != '\0');
	}
	/* and with any byte changed */
	for (size_t i = 0; i < n; i++) {
		copy[i] = (char)(copy[i] ^ 0x20);
		assert_int_equal(
			policy_file_read(span_of(copy, n), &packed, &e),
			FED_EINVAL);
		copy[i] = (char)(copy[i] ^ 0x20);
	}
	assert_int_equal(policy_file_read(span_of(copy, n), &packed, &e), 0);
	assert_int_equal(
		policy_file_read(SPAN_LIT("partners: []\n"), &packed, &e),
		FED_EINVAL);
	assert_string_equal(e.text, "is no configuration of this program's");
	free(copy);
	buf_deinit(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taken), cmocka_unit_test(test_empty),
		cmocka_unit_test(test_rows),  cmocka_unit_test(test_refused),
		cmocka_unit_test(test_edges), cmocka_unit_test(test_follows),
		cmocka_unit_test(test_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
