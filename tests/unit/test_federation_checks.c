/* Judgements of certificates and records: a row for each condition. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "check_certs.h"
#include "edge-proxy/core/cert_facts.h"
#include "edge-proxy/core/check_cert.h"
#include "edge-proxy/core/check_dns.h"

/* 2026-11-26 02:10:11 UTC; the certificates are of 2025 and 2026 */
#define WALL INT64_C(1795659011000)
#define DAY (INT64_C(24) * 3600 * 1000)

#define DER(name)                                                \
	{                                                        \
		(const char *)check_##name, sizeof(check_##name) \
	}

static struct check found;

static int set_up(void **state)
{
	(void)state;
	check_init(&found);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	check_deinit(&found);
	return 0;
}

static const char *const signs[] = {[ATTEMPT_GOOD] = "+",
				    [ATTEMPT_INFO] = " ",
				    [ATTEMPT_WARN] = "?",
				    [ATTEMPT_BAD] = "!"};

/* "!what: text" a line. */
static void expect(const char *golden)
{
	struct buf b;

	buf_init(&b, 64u * 1024u);
	for (size_t i = 0; i < found.count; i++)
		buf_printf(&b, "%s%s: %s\n", signs[found.finding[i].level],
			   found.finding[i].what, found.finding[i].text);
	assert_string_equal(golden, buf_cstr(&b) == NULL ? "" : buf_cstr(&b));
	buf_deinit(&b);
	check_deinit(&found);
	check_init(&found);
}

/* The findings of that kind only. */
static void expect_of(const char *what, const char *golden)
{
	struct buf b;

	buf_init(&b, 64u * 1024u);
	for (size_t i = 0; i < found.count; i++)
		if (strcmp(found.finding[i].what, what) == 0)
			buf_printf(&b, "%s%s\n", signs[found.finding[i].level],
				   found.finding[i].text);
	assert_string_equal(golden, buf_cstr(&b) == NULL ? "" : buf_cstr(&b));
	buf_deinit(&b);
	check_deinit(&found);
	check_init(&found);
}

/* ---- what stands in a certificate ---------------------------------------- */

static void test_facts(void **state)
{
	static const struct {
		struct span der;
		enum cert_key key;
		unsigned bits;
		bool has_usage, is_server, is_client, is_weak_hash, is_ca;
	} rows[] = {
		{DER(good), CERT_KEY_EC, 256, true, true, true, false, false},
		{DER(server_only), CERT_KEY_EC, 256, true, true, false, false,
		 false},
		{DER(client_only), CERT_KEY_EC, 256, true, false, true, false,
		 false},
		{DER(any_usage), CERT_KEY_EC, 256, true, true, true, false,
		 false},
		{DER(no_usage), CERT_KEY_EC, 256, false, false, false, false,
		 false},
		{DER(rsa), CERT_KEY_RSA, 2048, true, true, true, false, false},
		{DER(weak_rsa), CERT_KEY_RSA, 1024, true, true, true, false,
		 false},
		{DER(weak_ec), CERT_KEY_EC, 192, true, true, true, false,
		 false},
		{DER(edwards), CERT_KEY_EDWARDS, 256, true, true, true, false,
		 false},
		{DER(sha1), CERT_KEY_EC, 256, true, true, true, true, false},
		{DER(ca), CERT_KEY_EC, 256, false, false, false, false, true},
	};
	struct cert_facts f;

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		assert_int_equal(0, cert_facts_read(rows[i].der, &f));
		assert_int_equal(rows[i].key, f.key);
		assert_int_equal(rows[i].bits, f.key_bits);
		assert_int_equal(rows[i].has_usage, f.has_usage);
		assert_int_equal(rows[i].is_server, f.is_server);
		assert_int_equal(rows[i].is_client, f.is_client);
		assert_int_equal(rows[i].is_weak_hash, f.is_weak_hash);
		assert_int_equal(rows[i].is_ca, f.is_ca);
		assert_string_equal("root.test", f.issuer);
		assert_false(f.is_self_issued);
		/* 2025-01-01, 2027-01-01 */
		assert_int_equal(INT64_C(1735689600000), f.from_ms);
		assert_int_equal(INT64_C(1798761600000), f.to_ms);
	}
	assert_int_equal(0, cert_facts_read((struct span)DER(self_signed), &f));
	assert_true(f.is_self_issued);
}

/* Cut off anywhere, or with one byte that is another: never beyond it. */
static void test_facts_of_rubbish(void **state)
{
	unsigned char copy[sizeof(check_good)];
	struct cert_facts f;
	int err;

	(void)state;
	for (size_t n = 0; n < sizeof(check_good); n++)
		assert_int_equal(FED_EINVAL,
				 cert_facts_read(span_of(check_good, n), &f));
	assert_int_equal(FED_EINVAL, cert_facts_read(SPAN_NULL, &f));
	for (size_t i = 0; i < sizeof(copy); i++) {
		memcpy(copy, check_good, sizeof(copy));
		copy[i] ^= 0xff;
		err = cert_facts_read(span_of(copy, sizeof(copy)), &f);
		assert_true(err == 0 || err == FED_EINVAL);
	}
}

/* ---- what a peer's is worth ---------------------------------------------- */

static void test_judgement(void **state)
{
	static const struct {
		struct span der;
		const char *problem; /* NULL: the chain is valid */
		const char *domain;
		int64_t wall_ms;
		bool is_good;
		const char *text;
	} rows[] = {
		{DER(good), NULL, "peer.example", WALL, true,
		 "its certificate (dns:peer.example) is valid until "
		 "2027-01-01, issuer \"root.test\""},
		{DER(good), "expired certificate", "peer.example",
		 WALL + 400 * DAY, false,
		 "its certificate expired on 2027-01-01"},
		{DER(good), "certificate not valid yet", "peer.example",
		 WALL - 900 * DAY, false,
		 "its certificate is not valid before 2025-01-01"},
		{DER(good), NULL, "other.example", WALL, false,
		 "its certificate is not for other.example but for "
		 "dns:peer.example"},
		{DER(good), "issuer not trusted", "peer.example", WALL, false,
		 "its certificate is from a CA that is not trusted here, or "
		 "intermediate certificates are missing (issuer "
		 "\"root.test\")"},
		{DER(self_signed), "self-signed certificate", "peer.example",
		 WALL, false,
		 "its certificate is self-signed (by \"root.test\")"},
		{DER(good), "revoked certificate", "peer.example", WALL, false,
		 "its certificate is refused: revoked certificate (issuer "
		 "\"root.test\")"},
		{{"rubbish", 7},
		 "x",
		 "peer.example",
		 WALL,
		 false,
		 "its certificate cannot be read"},
		{{"", 0},
		 "no certificate",
		 "peer.example",
		 WALL,
		 false,
		 "it shows no certificate"},
	};
	char text[400];

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct tls_facts tls = {
			.has_peer_cert = rows[i].der.n > 0,
			.is_chain_valid = rows[i].problem == NULL,
			.peer_cert_der = rows[i].der,
		};

		(void)snprintf(tls.chain_problem, sizeof(tls.chain_problem),
			       "%s",
			       rows[i].problem == NULL ? "" : rows[i].problem);
		assert_int_equal(
			rows[i].is_good,
			cert_facts_judge(&tls, span_str(rows[i].domain),
					 rows[i].wall_ms, text, sizeof(text)));
		assert_string_equal(rows[i].text, text);
	}
}

/* ---- our own ------------------------------------------------------------- */

static struct check_cert cert_of(const struct span *chain, size_t n)
{
	return (struct check_cert){
		.name = "peer.example",
		.file = "/etc/x.pem",
		.trust = "s2s.trust",
		.chain = chain,
		.chain_count = n,
		.chain_problem = "",
		.key_problem = "",
		.wall_ms = WALL,
	};
}

static void test_good_certificate(void **state)
{
	const struct span chain[] = {DER(good), DER(ca)};
	struct check_cert p = cert_of(chain, 2);

	(void)state;
	check_cert(&found, &p);
	expect("+names: it is for peer.example (dns:peer.example)\n"
	       "+dates: it is valid until 2027-01-01\n"
	       "+dates: the certificate \"ca.test\" of its chain is valid "
	       "until 2027-01-01\n"
	       "+chain: it leads to a CA of s2s.trust, over 1 more "
	       "certificate (issuer \"root.test\")\n"
	       "+usage: server and client\n"
	       "+key: elliptic curve, 256 bits\n"
	       "+key: its private key fits\n");
	p = cert_of(chain, 1);
	check_cert(&found, &p);
	expect("+names: it is for peer.example (dns:peer.example)\n"
	       "+dates: it is valid until 2027-01-01\n"
	       "+chain: a CA of s2s.trust issued it (\"root.test\")\n"
	       "+usage: server and client\n"
	       "+key: elliptic curve, 256 bits\n"
	       "+key: its private key fits\n");
}

static void test_names(void **state)
{
	static const struct {
		struct span der;
		const char *name;
		const char *golden;
	} rows[] = {
		{DER(good), "other.example",
		 "!it is not for other.example but for dns:peer.example\n"},
		{DER(xmpp_only), "peer.example",
		 "?it is for peer.example by an XMPP name only "
		 "(xmpp:peer.example): some servers look at DNS names alone\n"},
		{DER(wildcard), "im.peer.example",
		 " it is for im.peer.example by a wildcard "
		 "(dns:*.peer.example)\n"},
		{DER(wildcard), "peer.example",
		 "!it is not for peer.example but for dns:*.peer.example\n"},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct check_cert p = cert_of(&rows[i].der, 1);

		p.name = rows[i].name;
		check_cert(&found, &p);
		if (rows[i].golden[0] == '!')
			assert_non_null(
				strstr(found.finding[0].advice, "DNS:"));
		expect_of("names", rows[i].golden);
	}
}

static void test_dates(void **state)
{
	static const struct {
		int64_t wall_ms;
		const char *golden;
	} rows[] = {
		{WALL, "+it is valid until 2027-01-01\n"},
		{WALL + 10 * DAY, "?it expires on 2027-01-01, in 25 days\n"},
		{WALL + 100 * DAY, "!it expired on 2027-01-01\n"},
		{WALL - 1000 * DAY, "!it is not valid before 2025-01-01\n"},
	};
	const struct span chain = DER(good);

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct check_cert p = cert_of(&chain, 1);

		p.wall_ms = rows[i].wall_ms;
		check_cert(&found, &p);
		expect_of("dates", rows[i].golden);
	}
}

static void test_keys_and_usage(void **state)
{
	static const struct {
		struct span der;
		enum check_cert_for what_for;
		const char *what;
		const char *golden;
	} rows[] = {
		{DER(rsa), CHECK_CERT_DOMAIN, "key",
		 "+RSA, 2048 bits\n+its private key fits\n"},
		{DER(weak_rsa), CHECK_CERT_DOMAIN, "key",
		 "!its key is too weak: RSA, 1024 bits, at least 2048 should "
		 "be\n+its private key fits\n"},
		{DER(weak_ec), CHECK_CERT_DOMAIN, "key",
		 "!its key is too weak: elliptic curve, 192 bits, at least 256 "
		 "should be\n+its private key fits\n"},
		{DER(edwards), CHECK_CERT_DOMAIN, "key",
		 "?its key is on an Edwards curve, which many servers do not "
		 "take\n+its private key fits\n"},
		{DER(sha1), CHECK_CERT_DOMAIN, "key",
		 "+elliptic curve, 256 bits\n!it is signed with a hash that "
		 "is broken (MD5 or SHA-1)\n+its private key fits\n"},
		{DER(server_only), CHECK_CERT_DOMAIN, "usage",
		 "?it is for servers only (clientAuth is missing): partners "
		 "may refuse EXTERNAL on the streams that we open\n"},
		{DER(server_only), CHECK_CERT_CHANNEL, "usage", "+server\n"},
		{DER(client_only), CHECK_CERT_DOMAIN, "usage",
		 "!it may not be used by a server (serverAuth is missing)\n"},
		{DER(any_usage), CHECK_CERT_DOMAIN, "usage",
		 "+server and client\n"},
		{DER(no_usage), CHECK_CERT_DOMAIN, "usage",
		 "+its use is not limited: server and client\n"},
		{DER(ca), CHECK_CERT_DOMAIN, "usage",
		 "!it is the certificate of a CA: it speaks for no domain (RFC "
		 "6120 13.7.1.1)\n+its use is not limited: server and "
		 "client\n"},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct check_cert p = cert_of(&rows[i].der, 1);

		p.what_for = rows[i].what_for;
		check_cert(&found, &p);
		expect_of(rows[i].what, rows[i].golden);
	}
}

static void test_chains_and_files(void **state)
{
	const struct span chain = DER(good);
	const struct span own = DER(self_signed);
	struct check_cert p = cert_of(&chain, 1);

	(void)state;
	p.chain_problem = "issuer not trusted";
	check_cert(&found, &p);
	expect_of("chain", "!it does not lead to a CA of s2s.trust: "
			   "intermediate certificates are missing, or "
			   "\"root.test\" is not known\n");
	p.chain_problem = "revoked certificate";
	p.key_problem = "/etc/x.key: the key does not fit";
	p.is_newer = true;
	check_cert(&found, &p);
	expect("+names: it is for peer.example (dns:peer.example)\n"
	       "+dates: it is valid until 2027-01-01\n"
	       "!chain: revoked certificate\n"
	       "+usage: server and client\n"
	       "+key: elliptic curve, 256 bits\n"
	       "!key: /etc/x.key: the key does not fit\n"
	       "?file: /etc/x.pem changed after the daemon had started, "
	       "which still shows the old one\n");
	p = cert_of(&own, 1);
	p.chain_problem = "self-signed certificate";
	check_cert(&found, &p);
	expect_of("chain", "?it is self-signed: only dialback will do with "
			   "others\n");
	p = cert_of(NULL, 0);
	check_cert(&found, &p);
	expect("!certificate: there is none that can be read\n");
}

static void test_revocation_lists(void **state)
{
	(void)state;
	check_crl(&found, "s2s.crl", WALL + 9 * DAY, "", WALL);
	check_crl(&found, "s2s.crl", WALL + DAY / 2, "", WALL);
	check_crl(&found, "s2s.crl", WALL - DAY, "", WALL);
	check_crl(&found, "s2s.crl", 0, "/x: no such file", WALL);
	expect("+crl: s2s.crl is fresh until 2026-12-05 02:10:11 UTC\n"
	       "?crl: s2s.crl is out of date after 2026-11-26 14:10:11 UTC, "
	       "within a day\n"
	       "!crl: s2s.crl is out of date since 2026-11-25 02:10:11 UTC: "
	       "what its CA signed is not believed\n"
	       "!crl: s2s.crl: /x: no such file\n");
}

/* ---- points -------------------------------------------------------------- */

static void test_verdict(void **state)
{
	char text[200];

	(void)state;
	check_verdict(&found, "all is well", text, sizeof(text));
	assert_string_equal("all is well", text);
	check_add(&found, ATTEMPT_INFO, "x", "an info");
	check_verdict(&found, "all is well", text, sizeof(text));
	assert_string_equal("all is well", text);
	check_add(&found, ATTEMPT_WARN, "x", "a warning");
	check_add(&found, ATTEMPT_WARN, "x", "another");
	check_verdict(&found, "all is well", text, sizeof(text));
	assert_string_equal("a warning; and 1 more", text);
	check_add(&found, ATTEMPT_BAD, "x", "a bad one");
	check_verdict(&found, "all is well", text, sizeof(text));
	assert_string_equal("a bad one", text);
}

/* LIMIT: findings of a check */
static void test_too_many(void **state)
{
	char verdict[200];

	(void)state;
	check_group(&found, "group %d", 1);
	for (unsigned i = 0; i < 2 * LIMIT_CHECK_FINDINGS; i++) {
		check_add(&found, i == 200 ? ATTEMPT_BAD : ATTEMPT_INFO, "x",
			  "%u \xff", i);
		check_advise(&found, "advice %u", i);
	}
	assert_int_equal(LIMIT_CHECK_FINDINGS - 1, found.count);
	assert_int_equal(LIMIT_CHECK_FINDINGS + 1, found.left_out);
	assert_string_equal("0 ?", found.finding[0].text);
	assert_string_equal("group 1", found.finding[0].group);
	assert_string_equal("advice 126", found.finding[126].advice);
	/* the bad one is not seen, and not kept quiet about */
	for (unsigned i = 0; i < 2; i++) {
		check_verdict(&found, "all is well", verdict, sizeof(verdict));
		assert_string_equal("and 129 more that had no room: ask for "
				    "one domain",
				    verdict);
		assert_int_equal(LIMIT_CHECK_FINDINGS, found.count);
	}
	assert_int_equal(ATTEMPT_BAD, found.finding[127].level);
	assert_string_equal(verdict, found.finding[127].text);
	assert_string_equal("", found.finding[127].group);
}

/* Many are no fault of theirs. */
static void test_too_many_good_ones(void **state)
{
	char verdict[200];

	(void)state;
	for (unsigned i = 0; i < LIMIT_CHECK_FINDINGS; i++)
		check_add(&found, i % 2 == 0 ? ATTEMPT_GOOD : ATTEMPT_INFO, "x",
			  "%u", i);
	check_verdict(&found, "all is well", verdict, sizeof(verdict));
	assert_string_equal("all is well", verdict);
	assert_int_equal(ATTEMPT_INFO, found.finding[127].level);
	assert_string_equal("and 1 more that had no room: ask for one domain",
			    found.finding[127].text);
}

/* What is just allowed. */
static void test_all_places(void **state)
{
	char verdict[200];

	(void)state;
	for (unsigned i = 1; i < LIMIT_CHECK_FINDINGS; i++)
		check_add(&found, ATTEMPT_GOOD, "x", "%u", i);
	check_verdict(&found, "all is well", verdict, sizeof(verdict));
	assert_string_equal("all is well", verdict);
	assert_int_equal(LIMIT_CHECK_FINDINGS - 1, found.count);
}

static void test_rules(void **state)
{
	static const struct {
		struct policy_partner rule;
		const char *golden;
	} rows[] = {
		{{.domain = "x"},
		 " policy: in both directions its rule takes EXTERNAL with a "
		 "certificate that is valid for it, else dialback over TLS, "
		 "else dialback in the clear\n"},
		{{.domain = "x",
		  .tls = POLICY_REQUIRED,
		  .sasl = POLICY_REQUIRED},
		 " policy: in both directions its rule takes EXTERNAL with a "
		 "certificate that is valid for it\n"},
		{{.domain = "x", .tls = POLICY_OFF, .sasl = POLICY_OFF},
		 " policy: in both directions its rule takes dialback in the "
		 "clear\n"},
		{{.domain = "x", .tls = POLICY_OFF, .dialback = POLICY_OFF},
		 "!policy: its rule contradicts itself: there is no way in\n"},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		check_rule(&found, &rows[i].rule);
		expect(rows[i].golden);
	}
	check_rule(&found, NULL);
	expect("!policy: it is no partner: nothing is negotiated with it, and "
	       "its streams end with policy-violation\n");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(test_facts),
		T(test_facts_of_rubbish),
		T(test_judgement),
		T(test_good_certificate),
		T(test_names),
		T(test_dates),
		T(test_keys_and_usage),
		T(test_chains_and_files),
		T(test_revocation_lists),
		T(test_verdict),
		T(test_too_many),
		T(test_too_many_good_ones),
		T(test_all_places),
		T(test_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
