/* What a configuration may not be, in exact words, and what it is warned of. */
#include "tests/unit/federation_harness.h"

#include "base/limits.h"

/* --- the 18 combinations ---------------------------------------------------
 */

#define NO_TLS                                                             \
	"without TLS SASL is impossible, and dialback is off: nothing is " \
	"left to authenticate with (tls: required or optional, or "        \
	"dialback: on)"
#define NO_METHOD                                                        \
	"SASL is not supported and dialback is off: nothing is left to " \
	"authenticate with (sasl: required or optional, or dialback: on)"
#define NO_DIALBACK "dialback will not operate, since SASL is required"
#define SASL_NEEDS_TLS \
	"SASL needs TLS, and TLS is not certain: negotiation may fail"

/* Lync Server 2013, "negotiation settings for XMPP federated partners", in
 * its order. */
static const struct {
	Fed__Need tls, sasl;
	bool dialback;
	const char *invalid; /* NULL: it is allowed */
	const char *warning; /* NULL: none */
} matrix[18] = {
	/* 1 */ {FED__NEED__REQUIRED, FED__NEED__REQUIRED, true, NULL,
		 "tls required, sasl required, dialback on: " NO_DIALBACK},
	/* 2 */ {FED__NEED__REQUIRED, FED__NEED__REQUIRED, false, NULL, NULL},
	/* 3 */
	{FED__NEED__OPTIONAL, FED__NEED__REQUIRED, true, NULL,
	 "tls optional, sasl required, dialback on: " SASL_NEEDS_TLS},
	/* 4 */
	{FED__NEED__OPTIONAL, FED__NEED__REQUIRED, false, NULL,
	 "tls optional, sasl required, dialback off: " SASL_NEEDS_TLS},
	/* 5 */
	{FED__NEED__OFF, FED__NEED__REQUIRED, true, NULL,
	 "tls not-supported, sasl required, dialback on: " SASL_NEEDS_TLS},
	/* 6 */ {FED__NEED__OFF, FED__NEED__REQUIRED, false, NO_TLS, NULL},
	/* 7 */ {FED__NEED__REQUIRED, FED__NEED__OPTIONAL, true, NULL, NULL},
	/* 8 */ {FED__NEED__REQUIRED, FED__NEED__OPTIONAL, false, NULL, NULL},
	/* 9 */
	{FED__NEED__OPTIONAL, FED__NEED__OPTIONAL, true, NULL,
	 "tls optional, sasl optional, dialback on: " SASL_NEEDS_TLS},
	/* 10 */
	{FED__NEED__OPTIONAL, FED__NEED__OPTIONAL, false, NULL,
	 "tls optional, sasl optional, dialback off: " SASL_NEEDS_TLS},
	/* 11 */
	{FED__NEED__OFF, FED__NEED__OPTIONAL, true, NULL,
	 "tls not-supported, sasl optional, dialback on: " SASL_NEEDS_TLS},
	/* 12 */ {FED__NEED__OFF, FED__NEED__OPTIONAL, false, NO_TLS, NULL},
	/* 13 */ {FED__NEED__REQUIRED, FED__NEED__OFF, true, NULL, NULL},
	/* 14 */ {FED__NEED__REQUIRED, FED__NEED__OFF, false, NO_METHOD, NULL},
	/* 15 */ {FED__NEED__OPTIONAL, FED__NEED__OFF, true, NULL, NULL},
	/* 16 */ {FED__NEED__OPTIONAL, FED__NEED__OFF, false, NO_METHOD, NULL},
	/* 17 */ {FED__NEED__OFF, FED__NEED__OFF, true, NULL, NULL},
	/* 18 */ {FED__NEED__OFF, FED__NEED__OFF, false, NO_METHOD, NULL},
};

static void put_row(struct fed_test *t, size_t i)
{
	Fed__PartnerRecord *p = ft_partner(t, "fabrikam.example");

	p->tls = matrix[i].tls;
	p->sasl = matrix[i].sasl;
	p->dialback = matrix[i].dialback;
}

static void test_matrix(void **state)
{
	size_t invalid = 0, doubtful = 0;

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(matrix); i++) {
		struct fed_test t;

		ft_init(&t);
		put_row(&t, i);
		if (matrix[i].invalid != NULL) {
			invalid++;
			ft_refused(&t, arena_printf(&t.a,
						    "partner fabrikam.example: "
						    "tls, sasl, dialback: %s",
						    matrix[i].invalid));
		} else if (matrix[i].warning != NULL) {
			doubtful++;
			ft_warned(&t, arena_printf(&t.a,
						   "partner fabrikam.example: "
						   "%s",
						   matrix[i].warning));
		} else {
			ft_ok(&t);
			assert_int_equal(t.w.count, 0);
		}
		ft_deinit(&t);
	}
	assert_int_equal(invalid, 5);
	assert_int_equal(doubtful, 7);
}

/* --- one record ------------------------------------------------------------
 */

#define P "partner fabrikam.example: "

static const struct {
	const char *field, *value, *sentence;
} partner_fields[] = {
	{"additional", "no domain!",
	 P "additional: \"no domain!\" is no domain; "
	   "\"example.org\" or \"*.example.org\" (all below it) is "
	   "expected"},
	{"additional", "fabrikam.example",
	 P "additional: fabrikam.example is there twice"},
	{"additional", "FABRIKAM.example.",
	 P "additional: fabrikam.example is there twice"},
	{"additional", "*",
	 P "additional: \"*\" (all others) is a partner of its own"},
	{"additional", "*.[2001:db8::1]",
	 P "additional: \"*.[2001:db8::1]\" is no domain; "
	   "\"example.org\" or \"*.example.org\" (all below it) is "
	   "expected"},
	{"additional", "*.*.example",
	 P "additional: \"*.*.example\" is no domain; "
	   "\"example.org\" or \"*.example.org\" (all below it) is "
	   "expected"},
	{"additional", "*.sub.fabrikam.example", NULL},
	{"additional", "[2001:DB8::1]", NULL},
	{"description", "two\nlines",
	 P "description: one line of UTF-8 text is expected"},
	{"description", "\xff",
	 P "description: one line of UTF-8 text is expected"},
	{"description", "\xc3\xa4, \"b\"", NULL},
	{"proxy_host", "xmpp.fabrikam.example", NULL},
	{"proxy_host", "xmpp.fabrikam.example:5270", NULL},
	{"proxy_host", "192.0.2.1:5269", NULL},
	{"proxy_host", "[2001:db8::1]", NULL},
	{"proxy_host", "[2001:db8::1]:5269", NULL},
	{"proxy_host", "2001:db8::1",
	 P "proxy_host: \"2001:db8::1\"; host, host:port or "
	   "[IPv6]:port is expected"},
	{"proxy_host", "host:0",
	 P "proxy_host: \"host:0\"; host, host:port or [IPv6]:port "
	   "is expected"},
	{"proxy_host", "host:65536",
	 P "proxy_host: \"host:65536\"; host, host:port or "
	   "[IPv6]:port is expected"},
	{"proxy_host", "host:",
	 P "proxy_host: \"host:\"; host, host:port or [IPv6]:port is "
	   "expected"},
	{"proxy_host", ":5269",
	 P "proxy_host: \":5269\"; host, host:port or [IPv6]:port is "
	   "expected"},
	{"proxy_host", "a b",
	 P "proxy_host: \"a b\"; host, host:port or [IPv6]:port is "
	   "expected"},
	{"proxy_host", "[::1",
	 P "proxy_host: \"[::1\"; host, host:port or [IPv6]:port is "
	   "expected"},
	{"proxy_host", "[::1]5269",
	 P "proxy_host: \"[::1]5269\"; host, host:port or "
	   "[IPv6]:port is expected"},
};

static void test_partner_fields(void **state)
{
	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(partner_fields); i++) {
		struct fed_test t;
		Fed__PartnerRecord *p;

		ft_init(&t);
		p = ft_partner(&t, "fabrikam.example");
		if (strcmp(partner_fields[i].field, "additional") == 0)
			ft_additional(&t, p, partner_fields[i].value);
		else if (strcmp(partner_fields[i].field, "description") == 0)
			p->description = ft_text(&t, partner_fields[i].value);
		else
			p->proxy_host = ft_text(&t, partner_fields[i].value);
		if (partner_fields[i].sentence != NULL)
			ft_refused(&t, partner_fields[i].sentence);
		else
			ft_ok(&t);
		ft_deinit(&t);
	}
}

static void test_partner_numbers(void **state)
{
	struct fed_test t;

	(void)state;
	ft_init(&t);
	ft_partner(&t, "fabrikam.example")->connection_limit = 15001;
	ft_refused(&t, P "connection_limit: 15001; 1 to 15000 is expected");
	ft_partner(&t, "fabrikam.example")->bytes_per_s = 9999;
	ft_refused(&t, P "bytes_per_second: 9999; 0 (no limit) or 10000 to "
			 "1000000000 is expected");
	ft_partner(&t, "fabrikam.example")->stanzas_per_s = 1000000001;
	ft_refused(&t, P "stanzas_per_second: 1000000001; 0 (no limit) or 1 "
			 "to 1000000000 is expected");
	ft_partner(&t, "fabrikam.example")->type = (Fed__PartnerType)3;
	ft_refused(&t, P "type: federated, public-verified or "
			 "public-unverified is expected");
	ft_partner(&t, "fabrikam.example")->state = (Fed__PartnerState)-1;
	ft_refused(&t, P "state: enabled, disabled or legacy is expected");
	ft_partner(&t, "fabrikam.example")->tls = (Fed__Need)3;
	ft_refused(&t, P "tls, sasl, dialback: tls and sasl are required, "
			 "optional or not-supported");
	ft_partner(&t, "fabrikam.example")->description = arena_printf(
		&t.a, "%*s", (int)LIMIT_FEDERATION_TEXT_BYTES + 1, "x");
	ft_refused(&t, P "description: 1025 bytes; 1024 are the most");
	ft_partner(&t, "");
	ft_refused(&t, "partner: domain: \"\" is no domain; \"example.org\" "
		       "or \"*.example.org\" (all below it) is expected");
	ft_additional(&t, ft_partner(&t, "*"), "a.example");
	ft_refused(&t, "partner *: additional: \"*\" is all others already; "
		       "it has no additional domains");
	ft_partner(&t, "*.example.org")->proxy_host =
		ft_text(&t, "x.example.org");
	ft_refused(&t, "partner *.example.org: proxy_host: it would stand for "
		       "every domain of the pattern; name the domain itself "
		       "as a partner");
	ft_deinit(&t);
}

static void test_partner_doubts(void **state)
{
	Fed__PartnerRecord *p;
	struct fed_test t;

	(void)state;
	ft_init(&t);
	p = ft_partner(&t, "fabrikam.example");
	p->dialback = false;
	p->state = FED__PARTNER_STATE__LEGACY;
	ft_warned(&t, P "nobody serves a legacy partner until settings have "
			"legacy_next_hop");
	p = ft_partner(&t, "fabrikam.example");
	p->dialback = false;
	p->connection_limit = 1001;
	ft_warned(&t, P "connection_limit 1001 is above that of all partners "
			"(1000), which counts");
	p = ft_partner(&t, "fabrikam.example");
	p->dialback = false;
	p->connection_limit = 1;
	ft_warned(&t, P "connection_limit 1: streams of both directions "
			"count, and most servers need one for each");
	/* what did not change is not warned of again */
	p = ft_partner(&t, "fabrikam.example");
	p->dialback = false;
	p->connection_limit = 1;
	ft_ok(&t);
	assert_int_equal(t.w.count, 0);
	ft_partner(&t, "*")->dialback = false;
	ft_warned(&t, "partner *: it has no effect while the list is closed "
		      "(settings mode: closed)");
	ft_deinit(&t);
}

static void test_settings(void **state)
{
	static uint8_t secret[LIMIT_SECRET_BYTES + 1];
	Fed__SettingsRecord *s;
	struct fed_test t;

	(void)state;
	ft_init(&t);
	ft_settings(&t)->connection_limit = 3;
	ft_refused(&t, "settings: connection_limit: 3; 4 to 15000 is expected");
	ft_settings(&t)->partner_connection_limit = 0;
	ft_refused(&t, "settings: partner_connection_limit: 0; 1 to 15000 is "
		       "expected");
	s = ft_settings(&t);
	s->connection_limit = 10;
	ft_refused(&t, "settings: partner_connection_limit: 20; one partner "
		       "cannot have more than all (connection_limit: 10)");
	ft_settings(&t)->keep_alive_interval_s = 9;
	ft_refused(&t, "settings: keep_alive_interval: 9; 10 to 86400 is "
		       "expected");
	ft_settings(&t)->stream_establishment_timeout_s = 601;
	ft_refused(&t, "settings: stream_establishment_timeout: 601; 5 to 600 "
		       "is expected");
	ft_settings(&t)->stream_inactivity_timeout_s = 9;
	ft_refused(&t, "settings: stream_inactivity_timeout: 9; 10 to 86400 "
		       "is expected");
	ft_settings(&t)->subscription_refresh_interval_s = 86401;
	ft_refused(&t, "settings: subscription_refresh_interval: 86401; 60 to "
		       "86400 is expected");
	ft_settings(&t)->dialback_secret = (ProtobufCBinaryData){15, secret};
	ft_refused(&t, "settings: dialback_secret: 15 bytes; 16 to 4096 are "
		       "expected");
	ft_settings(&t)->dialback_secret = (ProtobufCBinaryData){4097, secret};
	ft_refused(&t, "settings: dialback_secret: 4097 bytes; 16 to 4096 are "
		       "expected");
	ft_settings(&t)->dialback_secret = (ProtobufCBinaryData){4096, secret};
	ft_ok(&t);
	ft_settings(&t)->legacy_next_hop = ft_text(&t, "old.example.net");
	ft_refused(&t, "settings: legacy_next_hop: \"old.example.net\"; a SIP "
		       "URI such as sip:old.example.net;transport=tls is "
		       "expected");
	ft_settings(&t)->legacy_next_hop =
		ft_text(&t, "sip:old.example.net;transport=sctp");
	ft_refused(&t, "settings: legacy_next_hop: "
		       "\"sip:old.example.net;transport=sctp\"; a SIP URI "
		       "such as sip:old.example.net;transport=tls is "
		       "expected");
	ft_settings(&t)->legacy_next_hop =
		ft_text(&t, "sips:old.example.net:5061");
	ft_ok(&t);
	ft_settings(&t)->open = true;
	ft_warned(&t, "settings: mode open: every domain that is not denied "
		      "is a partner");
	ft_settings(&t)->stream_inactivity_timeout_s = 300;
	ft_warned(&t, "settings: keep_alive_interval 300 s is not below "
		      "stream_inactivity_timeout 300 s: idle streams are "
		      "closed before a sign of life is missed");
	ft_deinit(&t);
}

static void test_policies_and_sites(void **state)
{
	struct fed_test t;

	(void)state;
	ft_init(&t);
	ft_policy(&t, FED__POLICY_SCOPE__USER, "sales", false, true);
	ft_refused(&t, "policy user sales: xmpp: it is part of federation; "
		       "set federation: on too, or xmpp: off");
	ft_policy(&t, FED__POLICY_SCOPE__GLOBAL, "sales", true, true);
	ft_refused(&t, "policy: name: there is one policy of scope global, "
		       "and it has no name; scope: site or user is expected "
		       "for \"sales\"");
	ft_policy(&t, (Fed__PolicyScope)3, "sales", true, true);
	ft_refused(&t, "policy: scope: global, site or user is expected");
	ft_policy(&t, FED__POLICY_SCOPE__USER, "a/b", true, true);
	ft_refused(&t, "policy: name: \"a/b\" is no name; 1 to 64 letters, "
		       "digits, blanks and . _ - are expected");
	ft_policy(&t, FED__POLICY_SCOPE__USER, "-a", true, true);
	ft_refused(&t, "policy: name: \"-a\" is no name; 1 to 64 letters, "
		       "digits, blanks and . _ - are expected");
	ft_policy(&t, FED__POLICY_SCOPE__USER, "", true, true);
	ft_refused(&t, "policy: name: \"\" is no name; 1 to 64 letters, "
		       "digits, blanks and . _ - are expected");
	ft_policy(&t, FED__POLICY_SCOPE__GLOBAL, "global", true, false);
	ft_warned(&t, "policy global: federation without xmpp allows nothing "
		      "here: both are asked");
	ft_policy(&t, FED__POLICY_SCOPE__GLOBAL, "", false, false);
	ft_remove(&t);
	ft_warned(&t, "policy global: it goes back to its default: users "
		      "without another policy may talk to nobody");
	ft_site(&t, "Berlin", "*.example.net");
	ft_refused(&t, "site Berlin: domains: \"*.example.net\"; a site has "
		       "SIP domains by their names, without patterns");
	ft_site(&t, "Berlin", "b.example.net");
	ft_site(&t, "Bonn", "B.example.net");
	ft_refused(&t, "site Bonn: domains: b.example.net belongs to Berlin "
		       "already");
	ft_deinit(&t);
}

static void test_users(void **state)
{
	static const char *const bad[] = {"example.net",
					  "alice@example.net/home",
					  "tel:+123",
					  "sip:example.net",
					  "sip:alice@",
					  "@example.net",
					  "",
					  "al ice@example.net"};
	struct fed_test t;

	(void)state;
	ft_init(&t);
	for (size_t i = 0; i < FED_ARRAY_LEN(bad); i++) {
		ft_mover(&t, bad[i], true);
		ft_refused(&t, arena_printf(&t.a,
					    "mover: \"%s\" is no user; "
					    "alice@example.net or "
					    "sip:alice@example.net is "
					    "expected",
					    bad[i]));
	}
	ft_mover(&t, "SIP:Alice%20B@Example.NET;user=phone", true);
	ft_ok(&t);
	assert_non_null(federation_find(t.f, "mover/alice\\20b@example.net"));
	ft_deinit(&t);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matrix),
		cmocka_unit_test(test_partner_fields),
		cmocka_unit_test(test_partner_numbers),
		cmocka_unit_test(test_partner_doubts),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_policies_and_sites),
		cmocka_unit_test(test_users),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
