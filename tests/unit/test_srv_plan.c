/* SRV records: wire format and order (RFC 2782, RFC 6120 3.2, XEP-0368). */
/* clang-format off: cmocka wants this order */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */
#include <stdio.h>
#include <string.h>

#include "edge-proxy/core/srv_plan.h"

/* ---- wire ---------------------------------------------------------------- */

struct wire_row {
	const char *bytes;
	size_t n;
	int err;
	struct srv_record rec;
};

#define W(s) s, sizeof(s) - 1

static const struct wire_row wire_rows[] = {
	{W("\0\1\0\2\x14\x95\4xmpp\7example\0"),
	 0,
	 {1, 2, 5269, "xmpp.example", false}},
	{W("\xff\xff\xff\xff\xff\xff\1a\0"),
	 0,
	 {65535, 65535, 65535, "a", false}},
	{W("\0\0\0\0\0\0\0"), 0, {0, 0, 0, "", false}}, /* X29: "." */
	{W("\0\0\0\0\0\1\3A-b\2_c\0"), 0, {0, 0, 1, "A-b._c", false}},
	{W(""), FED_EINVAL, {0}},
	{W("\0\0\0\0\0\0"), FED_EINVAL, {0}},
	{W("\0\0\0\0\0\1\1a"), FED_EINVAL, {0}},	  /* no root label */
	{W("\0\0\0\0\0\1\5a\0"), FED_EINVAL, {0}},	  /* label runs out */
	{W("\0\0\0\0\0\1\1a\0x"), FED_EINVAL, {0}},	  /* rest */
	{W("\0\0\0\0\0\1\1a\0\0"), FED_EINVAL, {0}},	  /* rest */
	{W("\0\0\0\0\0\1\xc0\0\0"), FED_EINVAL, {0}},	  /* compressed */
	{W("\0\0\0\0\0\1\3a.b\0"), FED_EINVAL, {0}},	  /* dot in a label */
	{W("\0\0\0\0\0\1\3a\0b\0"), FED_EINVAL, {0}},	  /* NUL in a label */
	{W("\0\0\0\0\0\1\3a b\0"), FED_EINVAL, {0}},	  /* blank */
	{W("\0\0\0\0\0\1\2\xc3\xa9\0"), FED_EINVAL, {0}}, /* not ASCII */
	{W("\0\0\0\0\0\0\1a\0"), FED_EINVAL, {0}},	  /* port 0 */
};

static void test_wire(void **state)
{
	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(wire_rows); i++) {
		const struct wire_row *w = &wire_rows[i];
		struct srv_record r = {0};
		int err = srv_record_parse(span_of(w->bytes, w->n), true, &r);

		if (err != w->err)
			fail_msg("row %zu: %d", i, err);
		if (err != 0)
			continue;
		assert_int_equal(w->rec.priority, r.priority);
		assert_int_equal(w->rec.weight, r.weight);
		assert_int_equal(w->rec.port, r.port);
		assert_string_equal(w->rec.target, r.target);
		assert_true(r.is_direct_tls);
	}
}

/* Names of 253 bytes are the longest that the wire can hold. */
static void test_wire_longest_name(void **state)
{
	char wire[6 + 5 * 64 + 1] = {0, 0, 0, 0, 0, 1};
	struct srv_record r;
	size_t n = 6;

	(void)state;
	for (int i = 0; i < 4; i++) {
		size_t len = i < 3 ? 63 : 61;

		wire[n++] = (char)len;
		memset(wire + n, 'a' + i, len);
		n += len;
	}
	wire[n++] = 0;
	assert_int_equal(0, srv_record_parse(span_of(wire, n), false, &r));
	assert_int_equal(253, strlen(r.target));
	memmove(wire + 6 + 64, wire + 6, n - 6); /* five labels */
	assert_int_equal(FED_EINVAL,
			 srv_record_parse(span_of(wire, n + 64), false, &r));
}

/* ---- order --------------------------------------------------------------- */

static struct srv_record rec(uint16_t priority, uint16_t weight,
			     const char *target)
{
	struct srv_record r = {
		.priority = priority, .weight = weight, .port = 5269};

	(void)snprintf(r.target, sizeof(r.target), "%s", target);
	return r;
}

static void test_no_records_fall_back(void **state)
{
	static const char *const names[] = {"a.example", "a.example."};
	struct srv_plan p;

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(names); i++) {
		assert_int_equal(
			SRV_TARGETS,
			srv_plan_make(&p, NULL, 0, span_str(names[i]), 1));
		assert_true(p.is_fallback);
		assert_int_equal(1, p.count);
		assert_string_equal("a.example", p.rec[0].target);
		assert_int_equal(5269, p.rec[0].port);
		assert_false(p.rec[0].is_direct_tls);
	}
}

static void test_domain_that_dns_cannot_hold(void **state)
{
	char name[300];
	struct srv_plan p;

	(void)state;
	memset(name, 'a', sizeof(name));
	assert_int_equal(
		SRV_NO_SERVICE,
		srv_plan_make(&p, NULL, 0, span_of(name, sizeof(name)), 1));
	assert_int_equal(SRV_NO_SERVICE,
			 srv_plan_make(&p, NULL, 0, SPAN_LIT(""), 1));
	assert_int_equal(SRV_NO_SERVICE,
			 srv_plan_make(&p, NULL, 0, SPAN_LIT("."), 1));
	assert_int_equal(0, p.count);
}

static void test_dot_is_no_service(void **state)
{
	struct srv_record r[2] = {rec(0, 0, ""), rec(0, 0, "")};
	struct srv_plan p;

	(void)state;
	r[1].is_direct_tls = true;
	assert_int_equal(SRV_NO_SERVICE,
			 srv_plan_make(&p, r, 1, SPAN_LIT("a.example"), 1));
	assert_int_equal(0, p.count);
	assert_false(p.is_fallback);
	/* both services */
	assert_int_equal(SRV_NO_SERVICE,
			 srv_plan_make(&p, r, 2, SPAN_LIT("a.example"), 1));
	/* no direct TLS, but the usual service */
	r[0] = rec(5, 0, "x.example");
	assert_int_equal(SRV_TARGETS,
			 srv_plan_make(&p, r, 2, SPAN_LIT("a.example"), 1));
	assert_int_equal(1, p.count);
	assert_string_equal("x.example", p.rec[0].target);
	assert_false(p.is_fallback);
}

static void test_priorities(void **state)
{
	const struct srv_record r[] = {rec(20, 9, "c"), rec(10, 0, "b"),
				       rec(30, 1, "d"), rec(0, 65535, "a")};
	struct srv_plan p;

	(void)state;
	for (uint64_t seed = 0; seed < 50; seed++) {
		assert_int_equal(SRV_TARGETS,
				 srv_plan_make(&p, r, FED_ARRAY_LEN(r),
					       SPAN_LIT("x"), seed));
		assert_int_equal(4, p.count);
		for (size_t i = 0; i < 4; i++)
			assert_int_equal('a' + (int)i, p.rec[i].target[0]);
	}
}

/* First place is won in proportion to the weight; 0 hardly ever wins. */
static void test_weights(void **state)
{
	const struct srv_record r[] = {rec(1, 60, "a"), rec(1, 0, "z"),
				       rec(1, 30, "b"), rec(1, 10, "c")};
	unsigned first[256] = {0};
	struct srv_plan p;

	(void)state;
	for (uint64_t seed = 0; seed < 10000; seed++) {
		unsigned seen = 0;

		assert_int_equal(SRV_TARGETS,
				 srv_plan_make(&p, r, FED_ARRAY_LEN(r),
					       SPAN_LIT("x"), seed));
		first[(uint8_t)p.rec[0].target[0]]++;
		for (size_t i = 0; i < p.count; i++)
			seen |= 1u << (p.rec[i].target[0] - 'a');
		assert_int_equal(1u | 2u | 4u | 1u << 25, seen);
	}
	assert_in_range(first['a'], 5700, 6200);
	assert_in_range(first['b'], 2700, 3200);
	assert_in_range(first['c'], 850, 1150);
	assert_in_range(first['z'], 1, 250);
}

static void test_all_weights_zero(void **state)
{
	const struct srv_record r[] = {rec(1, 0, "a"), rec(1, 0, "b")};
	struct srv_plan p;

	(void)state;
	assert_int_equal(SRV_TARGETS,
			 srv_plan_make(&p, r, 2, SPAN_LIT("x"), 7));
	assert_int_equal(2, p.count);
}

/* LIMIT_SRV_TARGETS: the best priorities stay. */
static void test_too_many_records(void **state)
{
	struct srv_record r[LIMIT_SRV_TARGETS * 3];
	struct srv_plan p;

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(r); i++)
		r[i] = rec((uint16_t)(1000 - i), 1, "x");
	assert_int_equal(SRV_TARGETS, srv_plan_make(&p, r, FED_ARRAY_LEN(r),
						    SPAN_LIT("x"), 1));
	assert_int_equal(LIMIT_SRV_TARGETS, p.count);
	for (size_t i = 0; i < p.count; i++)
		assert_int_equal(1001 - FED_ARRAY_LEN(r) + i,
				 p.rec[i].priority);
}

static void test_mixes_both_services(void **state)
{
	struct srv_record r[] = {rec(2, 0, "plain"), rec(1, 0, "direct")};
	struct srv_plan p;

	(void)state;
	r[1].is_direct_tls = true;
	assert_int_equal(SRV_TARGETS,
			 srv_plan_make(&p, r, 2, SPAN_LIT("x"), 1));
	assert_string_equal("direct", p.rec[0].target);
	assert_true(p.rec[0].is_direct_tls);
	assert_false(p.rec[1].is_direct_tls);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wire),
		cmocka_unit_test(test_wire_longest_name),
		cmocka_unit_test(test_no_records_fall_back),
		cmocka_unit_test(test_domain_that_dns_cannot_hold),
		cmocka_unit_test(test_dot_is_no_service),
		cmocka_unit_test(test_priorities),
		cmocka_unit_test(test_weights),
		cmocka_unit_test(test_all_weights_zero),
		cmocka_unit_test(test_too_many_records),
		cmocka_unit_test(test_mixes_both_services),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
