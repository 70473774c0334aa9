/* Records of a domain: a row for each way to publish them wrongly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "edge-proxy/core/check_dns.h"

#define HERE 1	 /* 192.0.2.1 */
#define ELSE 9	 /* 192.0.2.9 */
#define INNER 10 /* 10.0.0.10 */

static struct check found;
static struct dns_facts facts;

static struct dns_facts_address address(unsigned char last)
{
	if (last == INNER)
		return (struct dns_facts_address){.raw = {10, 0, 0, 10}};
	return (struct dns_facts_address){.raw = {192, 0, 2, last}};
}

static int set_up(void **state)
{
	(void)state;
	check_init(&found);
	memset(&facts, 0, sizeof(facts));
	facts.srv[DNS_FACTS_XMPP].fact = DNS_FACT_DATA;
	facts.srv[DNS_FACTS_XMPP].ttl_s = 60;
	facts.srv[DNS_FACTS_XMPPS].fact = DNS_FACT_NO_NAME;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	check_deinit(&found);
	return 0;
}

/* A record in order of use; address 0: its target has none. */
static void record(uint16_t priority, uint16_t weight, uint16_t port,
		   const char *name, bool is_direct_tls, unsigned char at)
{
	struct srv_record *r = &facts.rec[facts.rec_count++];
	struct dns_facts_host *h;

	*r = (struct srv_record){.priority = priority,
				 .weight = weight,
				 .port = port,
				 .is_direct_tls = is_direct_tls};
	(void)snprintf(r->target, sizeof(r->target), "%s", name);
	if (is_direct_tls)
		facts.srv[DNS_FACTS_XMPPS].fact = DNS_FACT_DATA;
	if (name[0] == '\0')
		return;
	h = &facts.host[facts.host_count++];
	*h = (struct dns_facts_host){.priority = priority,
				     .weight = weight,
				     .port = port,
				     .is_direct_tls = is_direct_tls};
	(void)snprintf(h->name, sizeof(h->name), "%s", name);
	h->a.fact = at != 0 ? DNS_FACT_DATA : DNS_FACT_NO_NAME;
	h->aaaa.fact = at != 0 ? DNS_FACT_NONE : DNS_FACT_NO_NAME;
	if (at != 0)
		h->address[h->address_count++] = address(at);
}

static void expect(const char *golden)
{
	static const char *const marks[] = {[ATTEMPT_GOOD] = "+",
					    [ATTEMPT_INFO] = " ",
					    [ATTEMPT_WARN] = "?",
					    [ATTEMPT_BAD] = "!"};
	struct buf b;

	buf_init(&b, 64u * 1024u);
	for (size_t i = 0; i < found.count; i++)
		if (strcmp(found.finding[i].what, "dnssec") != 0 &&
		    strstr(found.finding[i].text, "may be kept") == NULL)
			buf_printf(&b, "%s%s\n", marks[found.finding[i].level],
				   found.finding[i].text);
	assert_string_equal(golden, buf_cstr(&b) == NULL ? "" : buf_cstr(&b));
	buf_deinit(&b);
}

/* On 192.0.2.1, port 5269; or on all of a host behind address translation. */
static void own(bool is_behind_nat, bool has_direct_tls)
{
	struct check_listener l[2] = {{.port = 5269}, {.port = 5270}};
	const struct dns_facts_address at =
		address(is_behind_nat ? INNER : HERE);
	const struct check_dns p = {
		.domain = "sip.example",
		.facts = &facts,
		.listener = l,
		.listener_count = has_direct_tls ? 2 : 1,
		.own = &at,
		.own_count = 1,
	};

	l[1].is_direct_tls = true;
	for (size_t i = 0; i < 2; i++) {
		l[i].is_any = is_behind_nat;
		if (!is_behind_nat)
			l[i].address = at;
	}
	check_dns_own(&found, &p);
}

static void partner(void)
{
	const struct check_dns p = {.domain = "peer.example", .facts = &facts};

	check_dns_partner(&found, &p);
}

#define H "priority 10, weight 0: h.example port "

static void test_own_right(void **state)
{
	(void)state;
	record(10, 0, 5269, "h.example", false, HERE);
	own(false, false);
	expect("+" H "5269 (192.0.2.1): this edge\n");
}

static void test_own_pool(void **state)
{
	(void)state;
	record(10, 0, 5269, "h.example", false, HERE);
	record(20, 0, 5269, "g.example", false, ELSE);
	own(false, false);
	expect("+" H "5269 (192.0.2.1): this edge\n"
	       " priority 20, weight 0: g.example port 5269 (192.0.2.9): "
	       "another host\n");
}

static void test_own_weights(void **state)
{
	(void)state;
	record(10, 0, 5269, "h.example", false, HERE);
	record(10, 5, 5269, "g.example", false, ELSE);
	own(false, false);
	expect("+" H "5269 (192.0.2.1): this edge\n"
	       " priority 10, weight 5: g.example port 5269 (192.0.2.9): "
	       "another host\n"
	       "?h.example has weight 0 beside others of priority 10: it is "
	       "hardly ever chosen\n");
}

static void test_own_wrong_port(void **state)
{
	(void)state;
	record(10, 0, 5222, "h.example", false, HERE);
	own(false, false);
	expect("!" H "5222 (192.0.2.1): this host, but nothing listens "
	       "there\n");
}

static void test_own_elsewhere(void **state)
{
	(void)state;
	record(10, 0, 5269, "h.example", false, ELSE);
	own(false, false);
	assert_string_equal("publish (one SRV record for each edge; the same "
			    "priority shares the load, a higher number is a "
			    "spare):\n"
			    "_xmpp-server._tcp.sip.example. 3600 IN SRV 10 0 "
			    "5269 xmpp.sip.example.\n"
			    "xmpp.sip.example. 3600 IN A 192.0.2.1",
			    found.finding[found.count - 2].advice);
	expect(" " H "5269 (192.0.2.9): another host\n"
	       "!no record leads to this edge\n");
}

static void test_own_behind_nat(void **state)
{
	(void)state;
	record(10, 0, 5269, "h.example", false, ELSE);
	own(true, false);
	assert_non_null(strstr(found.finding[found.count - 2].advice,
			       "IN A <the address that the world sees>"));
	expect(" " H "5269 (192.0.2.9): another host\n"
	       "?no record leads to an address of this host: right only where "
	       "the network translates addresses\n");
}

static void test_own_no_address(void **state)
{
	(void)state;
	record(10, 0, 5269, "h.example", false, 0);
	own(false, false);
	expect("!" H "5269 has no address\n"
	       "!no record leads to this edge\n");
}

static void test_own_direct_tls(void **state)
{
	(void)state;
	record(10, 0, 5269, "h.example", false, HERE);
	own(false, true);
	/* the name that leads here is used again */
	assert_non_null(strstr(found.finding[1].advice,
			       "\n_xmpps-server._tcp.sip.example. 3600 IN SRV "
			       "10 0 5270 h.example."));
	expect("?there is no _xmpps-server._tcp.sip.example record, though "
	       "direct TLS listens here\n"
	       "+" H "5269 (192.0.2.1): this edge\n");
}

static void test_own_direct_tls_without(void **state)
{
	(void)state;
	record(10, 0, 5269, "h.example", false, HERE);
	record(10, 0, 5270, "h.example", true, HERE);
	own(false, false);
	expect("+" H "5269 (192.0.2.1): this edge\n"
	       "!" H "5270, direct TLS (192.0.2.1): this host, but nothing "
	       "listens there for direct TLS\n");
}

static void test_own_dot(void **state)
{
	(void)state;
	record(0, 0, 0, "", false, 0);
	record(0, 0, 0, "", true, 0);
	own(false, false);
	expect("!_xmpp-server says \".\": that service is not offered\n"
	       " _xmpps-server says \".\": that service is not offered\n");
}

static void test_own_nothing(void **state)
{
	(void)state;
	facts.srv[DNS_FACTS_XMPP].fact = DNS_FACT_NO_NAME;
	record(0, 0, 5269, "sip.example", false, HERE);
	facts.rec_count = 0;
	facts.is_fallback = true;
	own(false, false);
	expect("!there is no _xmpp-server._tcp.sip.example record\n"
	       "?other servers try priority 0, weight 0: sip.example port "
	       "5269 (192.0.2.1), which is this edge\n");
}

static void test_own_fallback_elsewhere(void **state)
{
	(void)state;
	facts.srv[DNS_FACTS_XMPP].fact = DNS_FACT_NO_NAME;
	record(0, 0, 5269, "sip.example", false, ELSE);
	facts.is_fallback = true;
	own(false, false);
	expect("!there is no _xmpp-server._tcp.sip.example record\n"
	       "!other servers try priority 0, weight 0: sip.example port "
	       "5269 (192.0.2.9), which is not this edge\n");
}

static void test_own_failed(void **state)
{
	(void)state;
	facts.srv[DNS_FACTS_XMPP].fact = DNS_FACT_FAILED;
	(void)snprintf(facts.srv[DNS_FACTS_XMPP].problem, 64,
		       "DNSSEC validation failed");
	facts.srv[DNS_FACTS_XMPPS].fact = DNS_FACT_UNKNOWN;
	own(false, false);
	expect("!_xmpp-server cannot be looked up: DNSSEC validation failed\n"
	       "!_xmpps-server cannot be looked up: no answer in time\n");
}

static void test_own_long_ttl(void **state)
{
	(void)state;
	record(10, 0, 5269, "h.example", false, HERE);
	facts.srv[DNS_FACTS_XMPP].ttl_s = 604800;
	own(false, false);
	assert_int_equal(ATTEMPT_WARN, found.finding[0].level);
	assert_non_null(strstr(found.finding[0].text, "604800 s"));
}

static void test_partner_order(void **state)
{
	(void)state;
	record(10, 0, 5299, "a.example", false, ELSE);
	record(20, 0, 5269, "b.example", false, 0);
	facts.host[1].a.fact = DNS_FACT_NONE;
	record(30, 0, 5270, "c.example", true, 0);
	record(40, 0, 5269, "d.example", false, 0);
	facts.host[3].a.fact = DNS_FACT_FAILED;
	(void)snprintf(facts.host[3].a.problem, 64, "no answer");
	partner();
	expect("+1. priority 10, weight 0: a.example port 5299 (192.0.2.9)\n"
	       "!2. priority 20, weight 0: b.example port 5269: it has no "
	       "address\n"
	       "!3. priority 30, weight 0: c.example port 5270, direct TLS: "
	       "there is no such name\n"
	       "!d.example cannot be looked up: no answer\n");
}

static void test_partner_without(void **state)
{
	(void)state;
	facts.srv[DNS_FACTS_XMPP].fact = DNS_FACT_NONE;
	record(0, 0, 5269, "peer.example", false, ELSE);
	facts.is_fallback = true;
	partner();
	expect("?it has no SRV records: its own address is used\n"
	       "+1. priority 0, weight 0: peer.example port 5269 "
	       "(192.0.2.9)\n");
}

static void test_partner_is_nobody(void **state)
{
	(void)state;
	facts.srv[DNS_FACTS_XMPP].fact = DNS_FACT_NO_NAME;
	record(0, 0, 5269, "peer.example", false, 0);
	facts.is_fallback = true;
	partner();
	expect("?it has no SRV records: its own address is used\n"
	       "!peer.example has no address: there is no such domain\n");
}

static void test_dnssec(void **state)
{
	struct check_dns p = {.domain = "peer.example", .facts = &facts};

	(void)state;
	record(10, 0, 5269, "a.example", false, ELSE);
	check_dns_partner(&found, &p);
	assert_non_null(strstr(found.finding[1].text, "not looked at"));
	p.is_anchored = true;
	check_dns_partner(&found, &p);
	assert_non_null(strstr(found.finding[3].text, "does not vouch"));
	facts.srv[0].is_secure = facts.srv[1].is_secure = true;
	facts.host[0].a.is_secure = facts.host[0].aaaa.is_secure = true;
	check_dns_partner(&found, &p);
	assert_int_equal(ATTEMPT_GOOD, found.finding[5].level);
	assert_non_null(strstr(found.finding[5].text, "vouches"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(test_own_right),
		T(test_own_pool),
		T(test_own_weights),
		T(test_own_wrong_port),
		T(test_own_elsewhere),
		T(test_own_behind_nat),
		T(test_own_no_address),
		T(test_own_direct_tls),
		T(test_own_direct_tls_without),
		T(test_own_dot),
		T(test_own_nothing),
		T(test_own_fallback_elsewhere),
		T(test_own_failed),
		T(test_own_long_ttl),
		T(test_partner_order),
		T(test_partner_without),
		T(test_partner_is_nobody),
		T(test_dnssec),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
