/* Names of certificates; hostile DER. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "edge-proxy/core/cert_identity.h"
#include "base/der.h"
#include "tests/unit/cert_fixtures.h"

static const struct {
	const char *vector;
	const char *cert;
	const char *domain;
	bool is_match;
} table[] = {
	{"dns", "peer", "peer.example", true},
	{"dns", "peer", "other.example", false},
	{"dns", "peer", "a.peer.example", false},
	{"dns", "peer", "peer.example.org", false},
	{"dns", "peer", "", false},
	{"two", "two", "second.example", true},
	{"X22", "wildcard", "a.example.com", true},
	{"X22", "wildcard", "a.b.example.com", false},
	{"X22", "wildcard", "example.com", false},
	{"wildcard", "wildcard", "aexample.com", false},
	{"wildcard", "wildcard_partial", "foo.example.com", false},
	{"wildcard", "wildcard_tld", "peer.example", false},
	{"X23", "srv_client", "example.com", false},
	{"X23", "srv_server", "example.com", true},
	{"srv", "srv_server", "a.example.com", false},
	{"xmppAddr", "xmpp_addr", "example.com", true},
	{"xmppAddr", "xmpp_addr", "example.org", false},
	{"xmppAddr", "xmpp_addr_idn",
	 "b\xc3\xbc"
	 "cher.example",
	 true},
	{"idn", "idn",
	 "b\xc3\xbc"
	 "cher.example",
	 true},
	{"idn", "idn", "bucher.example", false},
	{"ca", "ca", "peer.example", false},
	{"ca", "end_entity", "peer.example", true},
	{"nul", "nul", "peer.example", false},
	{"nul", "nul", "evil.example", false},
	{"cn", "cn_only", "peer.example", false},
	{"mixed", "mixed", "a.example", true},
	{"mixed", "mixed", "c.example", true},
	{"mixed", "mixed", "d.example", true},
	{"mixed", "mixed", "b", false},
	{"mixed", "mixed", "192.0.2.1", false},
	{"broken", "broken_san", "peer.example", false},
};

static void test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(table); i++) {
		struct span der = cert_fixture(table[i].cert);

		assert_true(der.n > 0);
		if (cert_identity_matches(der, span_str(table[i].domain)) !=
		    table[i].is_match)
			fail_msg("%s: %s for %s", table[i].vector,
				 table[i].cert, table[i].domain);
	}
}

static void test_describe(void **state)
{
	char text[200];
	char small[10];
	size_t n;

	(void)state;
	n = cert_identity_describe(cert_fixture("mixed"), text, sizeof(text));
	assert_string_equal(text, "dns:a.example srv:_xmpp-server.c.example "
				  "xmpp:d.example");
	assert_int_equal(n, strlen(text));
	n = cert_identity_describe(cert_fixture("mixed"), small, sizeof(small));
	assert_int_equal(n, 9);
	assert_string_equal(small, "dns:a.exa");
	assert_int_equal(
		cert_identity_describe(SPAN_LIT("x"), text, sizeof(text)), 0);
	assert_string_equal(text, "");
	assert_int_equal(cert_identity_describe(SPAN_NULL, text, 0), 0);
}

/* Exactly as many bytes as are there: ASan sees one byte too many. */
static bool matches_copy(const char *der, size_t n)
{
	char *copy = malloc(n == 0 ? 1 : n);
	bool is_match;
	char text[100];

	assert_non_null(copy);
	memcpy(copy, der, n);
	is_match = cert_identity_matches(span_of(copy, n),
					 SPAN_LIT("peer.example"));
	(void)cert_identity_describe(span_of(copy, n), text, sizeof(text));
	free(copy);
	return is_match;
}

static void test_truncated(void **state)
{
	struct span der = cert_fixture("peer");

	(void)state;
	for (size_t n = 0; n < der.n; n++)
		assert_false(matches_copy(der.p, n));
	assert_true(matches_copy(der.p, der.n));
}

/* Any single byte changed: no crash; a name is never made of it that was not
 * there (the signature is not looked at here). */
static void test_flipped(void **state)
{
	struct span der = cert_fixture("home");
	char *copy = malloc(der.n);

	(void)state;
	assert_non_null(copy);
	for (size_t i = 0; i < der.n; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			memcpy(copy, der.p, der.n);
			copy[i] = (char)(copy[i] ^ (1 << bit));
			assert_false(matches_copy(copy, der.n));
		}
	free(copy);
}

static void test_der_lengths(void **state)
{
	const struct {
		struct span in;
		bool is_ok;
	} lengths[] = {
		{SPAN_LIT("\x04\x00"), true},
		{SPAN_LIT("\x04\x01x"), true},
		{SPAN_LIT("\x04\x02x"), false},	    /* cut off */
		{SPAN_LIT("\x04\x80x"), false},	    /* indefinite */
		{SPAN_LIT("\x04\x81\x01x"), false}, /* not the shortest */
		{SPAN_LIT("\x04\x82\x00\x80"), false},
		{SPAN_LIT("\x04\x84\xff\xff\xff\xff"), false},
		{SPAN_LIT("\x04\x83\xff\xff"), false},
		{SPAN_LIT("\x1f\x01\x01x"), false}, /* high tag number */
		{SPAN_LIT("\x04"), false},
		{SPAN_LIT(""), false},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(lengths); i++) {
		struct span in = lengths[i].in;
		struct span body;
		unsigned tag = 0;

		if ((der_next(&in, &tag, &body) == 0) != lengths[i].is_ok)
			fail_msg("row %zu", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_describe),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_flipped),
		cmocka_unit_test(test_der_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
