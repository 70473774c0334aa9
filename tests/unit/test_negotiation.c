/* Decisions of negotiation: the table of settings, offers, next steps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "edge-proxy/core/negotiation.h"
#include "tests/unit/cert_fixtures.h"

#define REQ POLICY_REQUIRED
#define OPT POLICY_OPTIONAL
#define OFF POLICY_OFF
#define SASL NEGOTIATION_SASL_TLS
#define TLSDB NEGOTIATION_TLS_DIALBACK
#define TCPDB NEGOTIATION_TCP_DIALBACK
#define RULE(a, b, c)                                                   \
	{                                                               \
		.domain = "p", .tls = (a), .sasl = (b), .dialback = (c) \
	}

/* The partner settings' 18 rows; dialback: OPT is on. */
static const struct {
	enum policy_need tls;
	enum policy_need sasl;
	enum policy_need dialback;
	unsigned methods;
} rows[] = {
	{REQ, REQ, OPT, SASL},
	{REQ, REQ, OFF, SASL},
	{OPT, REQ, OPT, SASL | TLSDB | TCPDB},
	{OPT, REQ, OFF, SASL},
	{OFF, REQ, OPT, TCPDB},
	{OFF, REQ, OFF, 0},
	{REQ, OPT, OPT, SASL | TLSDB},
	{REQ, OPT, OFF, SASL},
	{OPT, OPT, OPT, SASL | TLSDB | TCPDB},
	{OPT, OPT, OFF, SASL},
	{OFF, OPT, OPT, TCPDB},
	{OFF, OPT, OFF, 0},
	{REQ, OFF, OPT, TLSDB},
	{REQ, OFF, OFF, 0},
	{OPT, OFF, OPT, TLSDB | TCPDB},
	{OPT, OFF, OFF, 0},
	{OFF, OFF, OPT, TCPDB},
	{OFF, OFF, OFF, 0},
	/* beyond the table: dialback required */
	{REQ, OPT, REQ, TLSDB},
	{REQ, REQ, REQ, SASL},
	{OPT, OFF, REQ, TLSDB | TCPDB},
	{OFF, OFF, REQ, TCPDB},
};

static struct policy_partner rule_of(size_t row)
{
	return (struct policy_partner){.domain = "peer.example",
				       .tls = rows[row].tls,
				       .sasl = rows[row].sasl,
				       .dialback = rows[row].dialback};
}

static void test_methods(void **state)
{
	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct policy_partner rule = rule_of(i);

		if (negotiation_methods(&rule) != rows[i].methods)
			fail_msg("row %zu: %u instead of %u", i + 1,
				 negotiation_methods(&rule), rows[i].methods);
	}
}

static struct tls_facts facts(const char *cert, bool is_valid)
{
	struct tls_facts f = {.has_peer_cert = cert != NULL,
			      .is_chain_valid = is_valid};

	if (cert != NULL)
		f.peer_cert_der = cert_fixture(cert);
	return f;
}

static void test_trust(void **state)
{
	static const struct {
		const char *cert;
		bool is_valid;
		bool is_trusted;
	} table[] = {
		{"peer", true, true},	  {"peer", false, false},
		{"home", true, false},	  {"ca", true, false},
		{"cn_only", true, false}, {NULL, true, false},
		{NULL, false, false},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(table); i++) {
		struct tls_facts f = facts(table[i].cert, table[i].is_valid);

		if (negotiation_is_trusted(&f, SPAN_LIT("peer.example")) !=
		    table[i].is_trusted)
			fail_msg("row %zu", i);
	}
	assert_false(negotiation_is_trusted(NULL, SPAN_LIT("peer.example")));
}

/* For every rule: what is offered in the clear, with a trusted and with an
 * untrusted certificate follows from its methods. */
static void test_offers(void **state)
{
	struct tls_facts good = facts("peer", true);
	struct tls_facts bad = facts("peer", false);
	struct span domain = SPAN_LIT("peer.example");

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct policy_partner rule = rule_of(i);
		unsigned m = rows[i].methods;
		struct negotiation_offer o;

		o = negotiation_offer(&rule, NULL, domain);
		assert_int_equal(o.starttls, (m & (SASL | TLSDB)) != 0);
		assert_int_equal(o.dialback, (m & TCPDB) != 0);
		assert_int_equal(o.is_starttls_required,
				 o.starttls && (m & TCPDB) == 0);
		assert_false(o.external);
		assert_int_equal(o.bidi, (m & TCPDB) != 0);
		o = negotiation_offer(&rule, &good, domain);
		assert_false(o.starttls);
		assert_int_equal(o.external, (m & SASL) != 0);
		assert_int_equal(o.dialback, (m & TLSDB) != 0);
		assert_int_equal(o.bidi, (m & (SASL | TLSDB)) != 0);
		o = negotiation_offer(&rule, &bad, domain);
		assert_false(o.external);
		assert_int_equal(o.dialback, (m & TLSDB) != 0);
		assert_int_equal(o.bidi, (m & TLSDB) != 0);
	}
}

static void test_offer_to_nobody(void **state)
{
	struct negotiation_offer o = negotiation_offer(NULL, NULL, SPAN_NULL);

	(void)state;
	assert_true(o.starttls && o.is_starttls_required);
	assert_false(o.dialback || o.external || o.bidi);
}

static void test_next(void **state)
{
	static const struct tls_facts tls;
	static const struct {
		struct policy_partner rule;
		struct negotiation_view view;
		enum negotiation_step step;
	} table[] = {
		/* in the clear: tls, starttls, external, version, cert */
		{RULE(REQ, REQ, OPT),
		 {NULL, true, false, true, true, false},
		 NEGOTIATION_STARTTLS},
		{RULE(REQ, REQ, OPT),
		 {NULL, false, false, true, true, false},
		 NEGOTIATION_STARTTLS}, /* RFC 7590 3.1 */
		{RULE(REQ, REQ, OPT),
		 {NULL, false, false, false, true, false},
		 NEGOTIATION_GIVE_UP},
		{RULE(OPT, OPT, OPT),
		 {NULL, true, false, true, true, false},
		 NEGOTIATION_STARTTLS}, /* even when merely optional */
		{RULE(OPT, OPT, OPT),
		 {NULL, false, false, true, true, false},
		 NEGOTIATION_DIALBACK},
		{RULE(OPT, OPT, OFF),
		 {NULL, false, false, true, true, false},
		 NEGOTIATION_STARTTLS},
		{RULE(OFF, OFF, OPT),
		 {NULL, true, false, true, true, false},
		 NEGOTIATION_DIALBACK},
		/* secure */
		{RULE(REQ, OPT, OPT),
		 {&tls, false, true, true, true, false},
		 NEGOTIATION_EXTERNAL},
		{RULE(REQ, OPT, OPT),
		 {&tls, false, true, true, true, true},
		 NEGOTIATION_DIALBACK},
		{RULE(REQ, OPT, OPT),
		 {&tls, false, false, true, true, false},
		 NEGOTIATION_DIALBACK},
		{RULE(REQ, OPT, OPT),
		 {&tls, false, true, true, false, false},
		 NEGOTIATION_DIALBACK},
		{RULE(REQ, REQ, OPT),
		 {&tls, false, false, true, true, false},
		 NEGOTIATION_GIVE_UP},
		{RULE(REQ, REQ, OPT),
		 {&tls, false, true, true, false, false},
		 NEGOTIATION_GIVE_UP},
		{RULE(REQ, OFF, OPT),
		 {&tls, false, true, true, true, false},
		 NEGOTIATION_DIALBACK},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(table); i++)
		if (negotiation_next(&table[i].rule, &table[i].view) !=
		    table[i].step)
			fail_msg("row %zu", i);
}

static void test_accepts_peer(void **state)
{
	struct policy_partner strict = rule_of(0);
	struct policy_partner lax = rule_of(6);
	struct policy_partner no_dialback = rule_of(7);
	struct tls_facts good = facts("peer", true);
	struct tls_facts bad = facts("peer", false);
	struct span domain = SPAN_LIT("peer.example");

	(void)state;
	assert_true(negotiation_accepts_peer(&strict, &good, domain));
	assert_false(negotiation_accepts_peer(&strict, &bad, domain));
	assert_true(negotiation_accepts_peer(&lax, &bad, domain));
	assert_false(negotiation_accepts_peer(&no_dialback, &bad, domain));
}

/* XEP-0288 as initiating entity: whoever answers must have proved itself by
 * its certificate, whatever else the rule allows. */
static void test_wants_bidi(void **state)
{
	struct tls_facts good = facts("peer", true);
	const struct tls_facts bad[] = {facts("peer", false),
					facts("home", true), facts(NULL, true),
					facts(NULL, false)};
	struct span domain = SPAN_LIT("peer.example");

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct policy_partner rule = rule_of(i);

		if (negotiation_wants_bidi(&rule, &good, domain) !=
		    ((rows[i].methods & SASL) != 0))
			fail_msg("row %zu", i + 1);
		for (size_t k = 0; k < FED_ARRAY_LEN(bad); k++)
			assert_false(
				negotiation_wants_bidi(&rule, &bad[k], domain));
		assert_false(negotiation_wants_bidi(&rule, NULL, domain));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_methods),
		cmocka_unit_test(test_trust),
		cmocka_unit_test(test_offers),
		cmocka_unit_test(test_offer_to_nobody),
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_accepts_peer),
		cmocka_unit_test(test_wants_bidi),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
