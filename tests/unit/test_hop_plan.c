/* RFC 3263 4: URIs of next hops, and what DNS makes of them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "fe-gateway/core/hop_plan.h"

enum { U = 1 << SIP_UDP, T = 1 << SIP_TCP, S = 1 << SIP_TLS, ALL = U | T | S };

/* One record of a zone: rdata in words. */
struct rr {
	const char *name;
	const char *type; /* A, AAAA, SRV, NAPTR, FAIL */
	const char *data; /* "1.2.3.4"; "prio weight port host";
			   * "order pref flags service replacement" */
};

static size_t put_name(char *out, const char *name)
{
	size_t n = 0;

	while (*name != '\0') {
		size_t len = strcspn(name, ".");

		out[n++] = (char)len;
		memcpy(out + n, name, len);
		n += len;
		name += len + (name[len] == '.');
	}
	out[n++] = '\0';
	return n;
}

static size_t put_u16(char *out, unsigned v)
{
	out[0] = (char)(v >> 8);
	out[1] = (char)v;
	return 2;
}

static size_t put_text(char *out, const char *text)
{
	size_t n = strlen(text);

	out[0] = (char)n;
	memcpy(out + 1, text, n);
	return n + 1;
}

static struct span rdata_of(const struct rr *r, char out[512])
{
	unsigned a = 0, b = 0, c = 0, d = 0;
	char flags[8] = "", service[16] = "", host[200] = "";
	size_t n = 0;

	if (strcmp(r->type, "A") == 0) {
		assert_int_equal(sscanf(r->data, "%u.%u.%u.%u", &a, &b, &c, &d),
				 4);
		out[0] = (char)a;
		out[1] = (char)b;
		out[2] = (char)c;
		out[3] = (char)d;
		return span_of(out, 4);
	}
	if (strcmp(r->type, "AAAA") == 0) {
		memset(out, 0, 16);
		out[15] = (char)*r->data;
		return span_of(out, 16);
	}
	if (strcmp(r->type, "SRV") == 0) {
		assert_int_equal(
			sscanf(r->data, "%u %u %u %199s", &a, &b, &c, host), 4);
		n += put_u16(out, a);
		n += put_u16(out + n, b);
		n += put_u16(out + n, c);
		n += put_name(out + n, strcmp(host, ".") == 0 ? "" : host);
		return span_of(out, n);
	}
	assert_int_equal(sscanf(r->data, "%u %u %7s %15s %199s", &a, &b, flags,
				service, host),
			 5);
	n += put_u16(out, a);
	n += put_u16(out + n, b);
	n += put_text(out + n, flags);
	n += put_text(out + n, service);
	n += put_text(out + n, "");
	n += put_name(out + n, host);
	return span_of(out, n);
}

static const char *type_name(enum hop_plan_type t)
{
	switch (t) {
	case HOP_PLAN_A:
		return "A";
	case HOP_PLAN_AAAA:
		return "AAAA";
	case HOP_PLAN_SRV:
		return "SRV";
	case HOP_PLAN_NAPTR:
		return "NAPTR";
	}
	return "";
}

static void answer(struct hop_plan *p, size_t i, const struct rr *zone)
{
	const struct hop_plan_question *q = &p->questions[i];
	char data[512];

	for (; zone->name != NULL; zone++) {
		if (strcmp(zone->name, q->name) != 0)
			continue;
		if (strcmp(zone->type, "FAIL") == 0)
			hop_plan_failed(p, i);
		else if (strcmp(zone->type, type_name(q->type)) == 0)
			hop_plan_record(p, i, rdata_of(zone, data), 60);
	}
}

/* "tcp 1.2.3.4:5060/rank tls ..." of what is found, or the end. */
static void run(const char *text, unsigned transports, const struct rr *zone,
		char *out, size_t size)
{
	static struct hop_plan p;
	enum hop_plan_state state;
	struct hop_uri uri;
	size_t n = 0;

	assert_int_equal(hop_uri_parse(span_str(text), &uri), 0);
	state = hop_plan_begin(&p, &uri, transports);
	for (int stage = 0; state == HOP_PLAN_ASK; stage++) {
		assert_true(stage < 3);
		for (size_t i = 0; i < p.question_count; i++)
			answer(&p, i, zone);
		state = hop_plan_step(&p);
	}
	(void)snprintf(out, size, "%s",
		       state == HOP_PLAN_NOT_FOUND ? "none" : "failed");
	for (size_t i = 0; state == HOP_PLAN_FOUND && i < p.count; i++) {
		const struct next_hop_found *f = &p.found[i];

		n += (size_t)snprintf(
			out + n, size - n, "%s%s %s:%u/%u", i > 0 ? " " : "",
			hop_uri_transport_name(f->target.transport),
			f->target.ip, (unsigned)f->target.port,
			(unsigned)(f->rank >> 16) * 100 +
				(unsigned)(f->rank & 0xFFFF));
		assert_string_equal(f->target.host, uri.host);
	}
}

/* V1: NAPTR says TCP only */
static const struct rr V1[] = {
	{"example.net", "NAPTR", "10 10 s SIP+D2T _sip._tcp.example.net"},
	{"_sip._tcp.example.net", "SRV", "1 0 5060 server1.example.net"},
	{"_sip._udp.example.net", "SRV", "1 0 5060 udp.example.net"},
	{"server1.example.net", "A", "192.0.2.1"},
	{"udp.example.net", "A", "192.0.2.9"},
	{NULL, NULL, NULL},
};

static const struct rr FULL[] = {
	{"example.net", "NAPTR", "20 10 s SIP+D2U _sip._udp.example.net"},
	{"example.net", "NAPTR", "10 20 s SIP+D2T _sip._tcp.example.net"},
	{"example.net", "NAPTR", "10 10 S sips+d2t _sips._tcp.example.net"},
	{"example.net", "NAPTR", "1 1 a SIP+D2T a.example.net"},
	{"example.net", "NAPTR", "1 1 s SIP+D2S _sip._sctp.example.net"},
	{"_sips._tcp.example.net", "SRV", "5 0 5061 a.example.net"},
	{"_sip._tcp.example.net", "SRV", "9 0 5060 b.example.net"},
	{"_sip._tcp.example.net", "SRV", "2 0 5062 a.example.net"},
	{"_sip._udp.example.net", "SRV", "1 0 5060 a.example.net"},
	{"a.example.net", "A", "192.0.2.1"},
	{"a.example.net", "AAAA", "\x07"},
	{"b.example.net", "A", "192.0.2.2"},
	{"example.net", "A", "192.0.2.77"},
	{NULL, NULL, NULL},
};

static const struct rr BARE[] = {
	{"example.net", "A", "192.0.2.7"},
	{NULL, NULL, NULL},
};

static const struct rr NO_NAPTR[] = {
	{"_sip._udp.example.net", "SRV", "1 0 5060 a.example.net"},
	{"_sip._tcp.example.net", "SRV", "1 0 5060 a.example.net"},
	{"_sips._tcp.example.net", "SRV", "1 0 5061 a.example.net"},
	{"a.example.net", "A", "192.0.2.1"},
	{NULL, NULL, NULL},
};

static const struct rr DOT[] = {
	{"_sip._tcp.example.net", "SRV", "0 0 0 ."},
	{"example.net", "A", "192.0.2.7"},
	{NULL, NULL, NULL},
};

static const struct rr NAPTR_FAILS[] = {
	{"example.net", "FAIL", ""},
	{"_sip._tcp.example.net", "SRV", "1 0 5060 a.example.net"},
	{"a.example.net", "A", "192.0.2.1"},
	{NULL, NULL, NULL},
};

static const struct rr HALF_FAILS[] = {
	{"_sips._tcp.example.net", "FAIL", ""},
	{"_sip._tcp.example.net", "SRV", "1 0 5060 a.example.net"},
	{"a.example.net", "A", "192.0.2.1"},
	{NULL, NULL, NULL},
};

static const struct rr LOST[] = {
	{"_sip._tcp.example.net", "SRV", "1 0 5060 a.example.net"},
	{"example.net", "A", "192.0.2.7"},
	{NULL, NULL, NULL},
};

static const struct {
	const char *uri;
	unsigned transports;
	const struct rr *zone;
	const char *want;
} rows[] = {
	{"sip:example.net", ALL, V1, "tcp 192.0.2.1:5060/1"},
	{"sip:example.net", U, V1, "none"}, /* NAPTR has nothing for us */
	{"sip:example.net", ALL, FULL,
	 "tls 192.0.2.1:5061/5 tls ::7:5061/5 tcp 192.0.2.2:5060/109 "
	 "tcp 192.0.2.1:5062/102 tcp ::7:5062/102"},
	{"sip:example.net", T, FULL,
	 "tcp 192.0.2.2:5060/9 tcp 192.0.2.1:5062/2 tcp ::7:5062/2"},
	{"sip:example.net", U, FULL, "udp 192.0.2.1:5060/1 udp ::7:5060/1"},
	{"sips:example.net", ALL, FULL, "tls 192.0.2.1:5061/5 tls ::7:5061/5"},
	{"sips:example.net", U | T, FULL, "none"},
	/* a transport in the URI: no NAPTR */
	{"sip:example.net;transport=udp", ALL, FULL,
	 "udp 192.0.2.1:5060/1 udp ::7:5060/1"},
	{"sip:example.net;transport=tls", ALL, NO_NAPTR,
	 "tls 192.0.2.1:5061/1"},
	{"sip:example.net;transport=tcp", ALL, BARE, "tcp 192.0.2.7:5060/0"},
	{"sip:example.net;transport=tls", ALL, BARE, "tls 192.0.2.7:5061/0"},
	{"sip:example.net;transport=tcp", U, BARE, "none"},
	/* a port: no SRV */
	{"sip:example.net:5080", ALL, FULL, "udp 192.0.2.77:5080/0"},
	{"sip:example.net:5080;transport=tcp", ALL, FULL,
	 "tcp 192.0.2.77:5080/0"},
	{"sip:example.net:5080", T, FULL, "tcp 192.0.2.77:5080/0"},
	/* maddr instead of the host, and no NAPTR */
	{"sip:other.net;maddr=example.net;transport=tls", ALL, BARE,
	 "tls 192.0.2.7:5061/0"},
	/* no NAPTR: the services of our transports, then the host itself */
	{"sip:example.net", ALL, NO_NAPTR,
	 "tls 192.0.2.1:5061/1 tcp 192.0.2.1:5060/101 "
	 "udp 192.0.2.1:5060/201"},
	{"sip:example.net", ALL, BARE, "udp 192.0.2.7:5060/0"},
	{"sip:example.net", S, BARE, "tls 192.0.2.7:5061/0"},
	{"sip:nowhere.net", ALL, BARE, "none"},
	/* "." and hosts without an address are no reason to go elsewhere */
	{"sip:example.net", ALL, DOT, "none"},
	{"sip:example.net", ALL, LOST, "none"},
	/* nor is what could not be asked */
	{"sip:example.net", ALL, NAPTR_FAILS, "failed"},
	{"sip:example.net", ALL, HALF_FAILS, "tcp 192.0.2.1:5060/101"},
};

static void test_rows(void **state)
{
	char got[512];

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		run(rows[i].uri, rows[i].transports, rows[i].zone, got,
		    sizeof(got));
		if (strcmp(got, rows[i].want) != 0)
			fail_msg("row %zu %s: %s", i, rows[i].uri, got);
	}
}

/* Records cut anywhere are skipped, more than there is room for too. */
static void test_hostile_records(void **state)
{
	static struct hop_plan p;
	const struct rr naptr = {"", "NAPTR",
				 "1 1 s SIP+D2T _sip._tcp.example.net"};
	const struct rr srv = {"", "SRV", "1 1 5060 a.example.net"};
	struct hop_uri uri;
	struct span whole;
	char data[512];

	(void)state;
	assert_int_equal(hop_uri_parse(SPAN_LIT("sip:example.net"), &uri), 0);
	assert_int_equal(hop_plan_begin(&p, &uri, ALL), HOP_PLAN_ASK);
	whole = rdata_of(&naptr, data);
	for (size_t n = 0; n < whole.n; n++)
		hop_plan_record(&p, 0, span_sub(whole, 0, n), 60);
	assert_int_equal(p.service_count, 0);
	for (int i = 0; i < 100; i++)
		hop_plan_record(&p, 0, whole, 60);
	assert_int_equal(p.service_count, SIP_TRANSPORTS);
	assert_int_equal(hop_plan_step(&p), HOP_PLAN_ASK);
	whole = rdata_of(&srv, data);
	for (size_t n = 0; n < whole.n; n++)
		hop_plan_record(&p, 0, span_sub(whole, 0, n), 60);
	assert_int_equal(p.host_count, 0);
	for (int i = 0; i < 100; i++)
		hop_plan_record(&p, 0, whole, 60);
	assert_int_equal(p.host_count, LIMIT_HOP_TARGETS);
	assert_int_equal(hop_plan_step(&p), HOP_PLAN_ASK);
	for (int i = 0; i < 100; i++)
		hop_plan_record(&p, 0, span_of(data, 4), 30);
	hop_plan_record(&p, 0, span_of(data, 5), 30);
	assert_int_equal(hop_plan_step(&p), HOP_PLAN_FOUND);
	assert_int_equal(p.count, LIMIT_HOP_TARGETS);
	assert_int_equal(p.ttl_ms, 30000);
}

static void test_uris(void **state)
{
	static const struct {
		const char *uri;
		int err;
		const char *host;
		const char *target;
		unsigned port;
		int transport; /* -1: none */
	} uris[] = {
		{"sip:a.example", 0, "a.example", "a.example", 0, -1},
		{"sip:u@A.example:5070;lr;transport=TCP?x=;transport=udp", 0,
		 "a.example", "a.example", 5070, SIP_TCP},
		{"sips:a.example", 0, "a.example", "a.example", 0, SIP_TLS},
		{"sips:a.example;transport=tcp", 0, "a.example", "a.example", 0,
		 SIP_TLS},
		{"sips:a.example;transport=udp", FED_EPROTO, "", "", 0, 0},
		{"sip:a.example;transport=sctp", FED_EPROTO, "", "", 0, 0},
		{"sip:[2001:db8::0:1]:5061", 0, "2001:db8::1", "2001:db8::1",
		 5061, -1},
		{"sip:b\xC3\xBC.example", 0, "xn--b-eha.example",
		 "xn--b-eha.example", 0, -1},
		{"sip:a.example;maddr=192.0.2.1", 0, "a.example", "192.0.2.1",
		 0, -1},
		{"tel:1", FED_EPROTO, "", "", 0, 0},
		{"im:a@b.example", FED_EPROTO, "", "", 0, 0},
		{"sip:", FED_EINVAL, "", "", 0, 0},
		{"dns", FED_EINVAL, "", "", 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(uris); i++) {
		struct hop_uri u;
		int err = hop_uri_parse(span_str(uris[i].uri), &u);

		if (err != uris[i].err)
			fail_msg("%s: %d", uris[i].uri, err);
		if (err != 0)
			continue;
		assert_string_equal(u.host, uris[i].host);
		assert_string_equal(hop_uri_target(&u), uris[i].target);
		assert_int_equal(u.port, uris[i].port);
		assert_int_equal(u.has_transport ? (int)u.transport : -1,
				 uris[i].transport);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_hostile_records),
		cmocka_unit_test(test_uris),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
