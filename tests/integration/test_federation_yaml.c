/* The federation configuration as a file: what is read, what is refused and in
 * which words, and that what was written reads to the same. */
/* clang-format off: cmocka wants this order */
#include "tests/unit/federation_harness.h"
/* clang-format on */

#include <stdio.h>
#include <unistd.h>

#include "io/federation_yaml.h"

static int read_text(struct fed_test *t, const char *text,
		     struct federation_records *out)
{
	return federation_yaml_read("f.yaml", span_str(text), &t->a, out,
				    &t->e);
}

/* Refused with that sentence. */
static void expect_refusal(const char *text, const char *sentence)
{
	struct federation_records out;
	struct fed_test t;

	ft_init(&t);
	assert_int_equal(read_text(&t, text, &out), FED_ECONFIG);
	assert_string_equal(t.e.text, sentence);
	ft_deinit(&t);
}

/* The file becomes the snapshot in t->f. */
static void take(struct fed_test *t, const char *text)
{
	struct federation_records out;
	struct federation_edit edit = {.replaces_all = true};
	int err = read_text(t, text, &out);

	if (err != 0)
		print_error("%s\n", t->e.text);
	assert_int_equal(err, 0);
	edit.put = out.items;
	edit.put_count = out.count;
	err = federation_new(&t->f, NULL, &edit, &t->a, &t->w, &t->e);
	if (err != 0)
		print_error("%s\n", t->e.text);
	assert_int_equal(err, 0);
}

/* --- reading ---------------------------------------------------------------
 */

static void test_defaults(void **state)
{
	const Fed__PartnerRecord *p;
	const Fed__SettingsRecord *s;
	struct fed_test t;

	(void)state;
	ft_init(&t);
	take(&t, "settings: {federation: on}\n"
		 "partners:\n- domain: fabrikam.example\n"
		 "policies:\n- {scope: global}\n");
	assert_int_equal(federation_count(t.f), 3);
	p = federation_find(t.f, "partner/fabrikam.example")->partner;
	assert_int_equal(p->type, FED__PARTNER_TYPE__PUBLIC_UNVERIFIED);
	assert_int_equal(p->state, FED__PARTNER_STATE__ENABLED);
	assert_int_equal(p->tls, FED__NEED__REQUIRED);
	assert_int_equal(p->sasl, FED__NEED__REQUIRED);
	assert_true(p->dialback && p->keep_alive);
	assert_int_equal(p->connection_limit, 0);
	s = federation_settings(t.f);
	assert_true(s->federation && !s->open && !s->log_bodies);
	assert_int_equal(s->connection_limit, 1000);
	assert_int_equal(s->partner_connection_limit, 20);
	assert_int_equal(s->keep_alive_interval_s, 300);
	assert_int_equal(s->stream_establishment_timeout_s, 60);
	assert_int_equal(s->stream_inactivity_timeout_s, 600);
	assert_int_equal(s->subscription_refresh_interval_s, 28800);
	assert_int_equal(s->dialback_secret.len, 0);
	assert_string_equal(s->legacy_next_hop, "");
	assert_false(federation_find(t.f, "policy/global")->policy->xmpp);
	ft_deinit(&t);
}

static const char everything[] =
	"settings:\n"
	"  federation: on\n"
	"  mode: open\n"
	"  connection_limit: 500\n"
	"  partner_connection_limit: 10\n"
	"  keep_alive_interval: 100\n"
	"  stream_establishment_timeout: 30\n"
	"  stream_inactivity_timeout: 700\n"
	"  subscription_refresh_interval: 3600\n"
	"  dialback_secret: \"0123456789abcdef\"\n"
	"  log_bodies: on\n"
	"  legacy_next_hop: \"sip:old.example.net;transport=tcp\"\n"
	"partners:\n"
	"  - domain: fabrikam.example\n"
	"    additional: [corp.example, \"*.fabrikam.example\"]\n"
	"    description: \"#1: the partner: 'of' \\\"all\\\" \\\\ \"\n"
	"    type: federated\n"
	"    state: legacy\n"
	"    tls: optional\n"
	"    sasl: not-supported\n"
	"    dialback: on\n"
	"    keep_alive: off\n"
	"    connection_limit: 7\n"
	"    proxy_host: xmpp.fabrikam.example:5270\n"
	"    stanzas_per_second: 100\n"
	"    bytes_per_second: 100000\n"
	"  - domain: \"*\"\n"
	"denied:\n"
	"  - {domain: bad.example, description: spam}\n"
	"  - domain: \"*.worse.example\"\n"
	"policies:\n"
	"  - {scope: global, federation: on, xmpp: off}\n"
	"  - {scope: user, name: on, federation: on, xmpp: on}\n"
	"  - {scope: site, name: \"Berlin Mitte\", federation: off}\n"
	"sites:\n"
	"  - {name: \"Berlin Mitte\", domains: [b.example.net],\n"
	"     users: [carol@example.net, alice@example.net]}\n"
	"  - {name: empty}\n"
	"grants:\n"
	"  - {user: \"sip:alice@example.net\", policy: on}\n";

static void test_everything(void **state)
{
	const Fed__PartnerRecord *p;
	const Fed__SettingsRecord *s;
	struct fed_test t;

	(void)state;
	ft_init(&t);
	take(&t, everything);
	assert_int_equal(federation_count(t.f), 13);
	s = federation_settings(t.f);
	assert_true(s->federation && s->open && s->log_bodies);
	assert_int_equal(s->connection_limit, 500);
	assert_int_equal(s->partner_connection_limit, 10);
	assert_int_equal(s->keep_alive_interval_s, 100);
	assert_int_equal(s->stream_establishment_timeout_s, 30);
	assert_int_equal(s->stream_inactivity_timeout_s, 700);
	assert_int_equal(s->subscription_refresh_interval_s, 3600);
	assert_int_equal(s->dialback_secret.len, 16);
	assert_memory_equal(s->dialback_secret.data, "0123456789abcdef", 16);
	assert_string_equal(s->legacy_next_hop,
			    "sip:old.example.net;transport=tcp");
	p = federation_find(t.f, "partner/fabrikam.example")->partner;
	assert_int_equal(p->n_additional, 2);
	assert_string_equal(p->additional[1], "*.fabrikam.example");
	assert_string_equal(p->description,
			    "#1: the partner: 'of' \"all\" \\ ");
	assert_int_equal(p->type, FED__PARTNER_TYPE__FEDERATED);
	assert_int_equal(p->state, FED__PARTNER_STATE__LEGACY);
	assert_int_equal(p->tls, FED__NEED__OPTIONAL);
	assert_int_equal(p->sasl, FED__NEED__OFF);
	assert_true(p->dialback && !p->keep_alive);
	assert_int_equal(p->connection_limit, 7);
	assert_string_equal(p->proxy_host, "xmpp.fabrikam.example:5270");
	assert_int_equal(p->stanzas_per_s, 100);
	assert_int_equal(p->bytes_per_s, 100000);
	assert_string_equal(
		federation_find(t.f, "member/carol@example.net")->member->site,
		"Berlin Mitte");
	assert_string_equal(
		federation_find(t.f, "grant/alice@example.net")->grant->policy,
		"on");
	ft_deinit(&t);
}

static void test_refusals(void **state)
{
	(void)state;
	expect_refusal("partners:\n- domain: a.example\n  typ: federated\n",
		       "f.yaml:3: partners[0]: unknown key \"typ\"; did you "
		       "mean \"type\"?");
	expect_refusal("partners:\n- type: federated\n",
		       "f.yaml:2: partners[0]: the key \"domain\" is missing; "
		       "a text is expected");
	expect_refusal("partners:\n- {domain: a.example, type: public}\n",
		       "f.yaml:2: partners[0].type: \"public\" is not right; "
		       "one of federated, public-verified, public-unverified "
		       "is expected");
	expect_refusal("partners:\n- {domain: a.example, tls: none}\n",
		       "f.yaml:2: partners[0].tls: \"none\" is not right; one "
		       "of required, optional, not-supported is expected");
	expect_refusal("settings:\n  mode: shut\n",
		       "f.yaml:2: settings.mode: \"shut\" is not right; one of "
		       "closed, open is expected");
	expect_refusal("settings:\n  connection_limit: -1\n",
		       "f.yaml:2: settings.connection_limit: \"-1\" is not "
		       "right; a whole number, 0 or more is expected");
	expect_refusal("policies:\n- {name: sales, xmpp: on}\n",
		       "f.yaml:2: policies[0]: the key \"scope\" is missing; "
		       "one of global, site, user is expected");
	expect_refusal("grants:\n- {user: alice@example.net}\n",
		       "f.yaml:2: grants[0]: the key \"policy\" is missing; a "
		       "text is expected");
	expect_refusal("settings: {federation: on}\nsettings: {mode: open}\n",
		       "f.yaml:2: settings: given twice, first on line 1");
	expect_refusal("settings: {dialback_secret: \"base64:?\"}\n",
		       "f.yaml: settings.dialback_secret: base64 of at most "
		       "4096 bytes is expected behind \"base64:\"");
	expect_refusal("", "f.yaml:1: the file is empty; keys are expected");
}

/* --- there and back --------------------------------------------------------
 */

/* All records of the snapshot as text; the caller frees it. */
static char *write_text(const struct federation *f, bool with_secrets)
{
	const Fed__Record *list[FED_T_RECORDS];
	struct federation_walk w =
		federation_walk(f, FED__RECORD__KIND__NOT_SET);
	const Fed__Record *r;
	size_t n = 0, size = 0;
	char *text = NULL;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	while ((r = federation_walk_next(f, &w)) != NULL) {
		assert_true(n < FED_ARRAY_LEN(list));
		list[n++] = r;
	}
	assert_int_equal(federation_yaml_write(out, list, n, with_secrets), 0);
	assert_int_equal(fclose(out), 0);
	return text;
}

/* What is written of t->f reads to the same, and is written the same again. */
static void expect_same(struct fed_test *t)
{
	char *text = write_text(t->f, true);
	Fed__Change **changes;
	struct fed_test u;
	char *again;
	size_t n;

	ft_init(&u);
	take(&u, text);
	assert_int_equal(federation_diff(t->f, u.f, &u.a, &changes, &n), 0);
	if (n != 0)
		print_error("%s\n", text);
	assert_int_equal(n, 0);
	again = write_text(u.f, true);
	assert_string_equal(again, text);
	free(again);
	free(text);
	ft_deinit(&u);
}

static void test_there_and_back(void **state)
{
	struct fed_test t;

	(void)state;
	ft_init(&t);
	take(&t, everything);
	expect_same(&t);
	ft_deinit(&t);
	ft_init(&t);
	take(&t, "{}");
	expect_same(&t);
	ft_deinit(&t);
}

/* What YAML would take for something else. */
static void test_odd_texts(void **state)
{
	static const char *const names[] = {"on", "Null", "1.5", "12", "Yes"};
	static const char *const texts[] = {
		"- a",
		"# no comment",
		"a: b",
		"'",
		"\"\\",
		"{x}",
		"*x",
		"&x",
		"!x",
		"%x",
		" a ",
		"null",
		"0x10",
		"\xc2\x85next\xe2\x80\xa8line\xef\xbb\xbf",
		"\xf0\x9f\x98\x80",
	};
	uint8_t secret[64];
	struct fed_test t;
	Fed__SettingsRecord *s;

	(void)state;
	for (size_t i = 0; i < sizeof(secret); i++)
		secret[i] = (uint8_t)(i * 5);
	ft_init(&t);
	s = ft_settings(&t);
	s->dialback_secret.data = secret;
	s->dialback_secret.len = sizeof(secret);
	for (size_t i = 0; i < FED_ARRAY_LEN(texts); i++) {
		char *domain = arena_printf(&t.a, "p%zu.example", i);

		ft_partner(&t, domain)->description = ft_text(&t, texts[i]);
	}
	ft_partner(&t, "null");
	ft_partner(&t, "123");
	ft_partner(&t, "\xc3\xa4.example");
	for (size_t i = 0; i < FED_ARRAY_LEN(names); i++)
		ft_policy(&t, FED__POLICY_SCOPE__USER, names[i], true, true);
	ft_member(&t, "!#$%@1.example", "x");
	ft_member(&t, "*@a.example", "x");
	ft_site(&t, "x", NULL);
	ft_ok(&t);
	expect_same(&t);
	ft_deinit(&t);
}

static void test_secret_is_left_out(void **state)
{
	struct fed_test t;
	char *text;

	(void)state;
	ft_init(&t);
	take(&t, everything);
	text = write_text(t.f, false);
	assert_null(strstr(text, "dialback_secret"));
	assert_null(strstr(text, "0123456789abcdef"));
	assert_non_null(strstr(text, "legacy_next_hop"));
	free(text);
	text = write_text(t.f, true);
	assert_non_null(strstr(text, "dialback_secret: \"0123456789abcdef\""));
	free(text);
	ft_deinit(&t);
}

/* --- files -----------------------------------------------------------------
 */

static void test_file(void **state)
{
	char path[] = "/tmp/federation_yaml_XXXXXX";
	struct federation_records out;
	struct fed_test t;
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");

	(void)state;
	assert_non_null(f);
	assert_true(fputs(everything, f) >= 0);
	assert_int_equal(fclose(f), 0);
	ft_init(&t);
	assert_int_equal(federation_yaml_read_file(path, &t.a, &out, &t.e), 0);
	assert_int_equal(out.count, 13);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(federation_yaml_read_file(path, &t.a, &out, &t.e),
			 FED_ECONFIG);
	assert_non_null(strstr(t.e.text, ": cannot open: "));
	ft_deinit(&t);
}

/* The one that is installed: nothing in it is doubtful. */
static void test_example(void **state)
{
	struct federation_edit edit = {.replaces_all = true};
	struct federation_records out;
	struct fed_test t;

	(void)state;
	ft_init(&t);
	assert_int_equal(
		federation_yaml_read_file("deploy/examples/federation.conf",
					  &t.a, &out, &t.e),
		0);
	edit.put = out.items;
	edit.put_count = out.count;
	assert_int_equal(federation_new(&t.f, NULL, &edit, &t.a, &t.w, &t.e),
			 0);
	assert_int_equal(federation_count(t.f), 11);
	assert_int_equal(t.w.count, 0);
	expect_same(&t);
	ft_deinit(&t);
}

/* A device that is full is no success. */
static void test_full_disk(void **state)
{
	FILE *f = fopen("/dev/full", "w");
	const Fed__Record *list[1];
	struct fed_test t;

	(void)state;
	assert_non_null(f);
	ft_init(&t);
	take(&t, "settings: {federation: on}");
	list[0] = federation_find(t.f, "settings");
	assert_int_equal(federation_yaml_write(f, list, 1, false), FED_EIO);
	(void)fclose(f);
	ft_deinit(&t);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_odd_texts),
		cmocka_unit_test(test_secret_is_left_out),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_example),
		cmocka_unit_test(test_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
