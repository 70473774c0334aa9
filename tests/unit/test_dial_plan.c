/* The race of a dial (RFC 8305 4 and 5, XEP-0368) under a fake clock. */
/* clang-format off: cmocka wants this order */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "edge-proxy/core/dial_plan.h"

#define V4(target)                   \
	{                            \
		target, false, false \
	}
#define V6(target)                  \
	{                           \
		target, true, false \
	}
#define TLS4(target)                \
	{                           \
		target, false, true \
	}

enum { UNTIL_MS = 30000 };

struct rig {
	struct dial_plan plan;
	uint64_t now_ms;
	struct buf trace;
};

static void drain(struct rig *r)
{
	static const char *const names[] = {[DIAL_START] = "start",
					    [DIAL_STOP] = "stop",
					    [DIAL_SECURE] = "secure",
					    [DIAL_WON] = "won",
					    [DIAL_LOST] = "lost"};
	struct dial_action a;

	while (dial_plan_next(&r->plan, r->now_ms, &a))
		if (a.kind == DIAL_LOST)
			buf_printf(&r->trace, "lost ");
		else
			buf_printf(&r->trace, "%s%zu ", names[a.kind],
				   a.address);
}

static void expect(struct rig *r, const char *trace)
{
	drain(r);
	buf_put_byte(&r->trace, '\0');
	assert_string_equal(trace, buf_span(&r->trace).p);
	buf_reset(&r->trace);
}

static struct rig begin(const struct dial_address *a, size_t n)
{
	struct rig r = {.now_ms = 1000};

	dial_plan_init(&r.plan, a, n, r.now_ms, r.now_ms + UNTIL_MS);
	buf_init(&r.trace, 4096);
	return r;
}

static void end(struct rig *r)
{
	/* what is over stays over */
	assert_true(r->plan.is_over);
	assert_int_equal(UINT64_MAX, dial_plan_deadline_ms(&r->plan));
	expect(r, "");
	buf_deinit(&r->trace);
}

static void fail_one(struct rig *r, size_t i)
{
	dial_plan_on_failed(&r->plan, i, r->now_ms);
}

/* To the deadline, which is so far away. */
static void pass(struct rig *r, uint64_t ms)
{
	assert_int_equal(r->now_ms + ms, dial_plan_deadline_ms(&r->plan));
	r->now_ms += ms - 1;
	expect(r, "");
	r->now_ms++;
}

struct order_row {
	struct dial_address address[8];
	size_t count;
	size_t order[8];
};

static const struct order_row order_rows[] = {
	{{V4(0)}, 1, {0}},
	{{V4(0), V6(0)}, 2, {1, 0}},
	{{V4(0), V4(0), V6(0), V6(0)}, 4, {2, 0, 3, 1}},
	{{V4(0), V4(0), V4(0), V6(0)}, 4, {3, 0, 1, 2}},
	{{V6(0), V6(0), V6(0), V4(0)}, 4, {0, 3, 1, 2}},
	/* SRV's order is kept: IPv6 of a later target does not come first */
	{{V4(0), V4(1), V6(1), V4(2)}, 4, {0, 2, 1, 3}},
	{{V4(0), V6(0), V4(1), V6(1), V4(2), V6(2)}, 6, {1, 0, 3, 2, 5, 4}},
};

static void test_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(order_rows); i++) {
		const struct order_row *row = &order_rows[i];
		struct dial_plan p;

		dial_plan_init(&p, row->address, row->count, 0, 1);
		assert_int_equal(row->count, p.count);
		for (size_t k = 0; k < row->count; k++)
			if (p.order[k] != row->order[k])
				fail_msg("row %zu place %zu: %zu", i, k,
					 p.order[k]);
	}
}

static void test_first_wins(void **state)
{
	const struct dial_address a[] = {V4(0), V4(1)};
	struct rig r = begin(a, 2);

	(void)state;
	expect(&r, "start0 ");
	dial_plan_on_up(&r.plan, 0);
	expect(&r, "won0 ");
	end(&r);
}

/* A first target that drops packets costs 250 ms. */
static void test_silent_first(void **state)
{
	const struct dial_address a[] = {V4(0), V4(1), V4(2)};
	struct rig r = begin(a, 3);

	(void)state;
	expect(&r, "start0 ");
	pass(&r, LIMIT_DIAL_STAGGER_MS);
	expect(&r, "start1 ");
	dial_plan_on_up(&r.plan, 1);
	expect(&r, "stop0 won1 ");
	end(&r);
}

/* One that refuses costs nothing. */
static void test_refused_first(void **state)
{
	const struct dial_address a[] = {V6(0), V4(0), V4(1)};
	struct rig r = begin(a, 3);

	(void)state;
	expect(&r, "start0 ");
	r.now_ms += 3;
	fail_one(&r, 0);
	expect(&r, "start1 ");
	r.now_ms += 3;
	fail_one(&r, 1);
	expect(&r, "start2 ");
	/* nothing is left to start */
	assert_int_equal(UINT64_MAX, dial_plan_deadline_ms(&r.plan));
	fail_one(&r, 2);
	expect(&r, "lost ");
	end(&r);
}

/* The slow first may win yet, while the second is under way. */
static void test_slow_first_wins(void **state)
{
	const struct dial_address a[] = {V4(0), V4(0)};
	struct rig r = begin(a, 2);

	(void)state;
	expect(&r, "start0 ");
	pass(&r, LIMIT_DIAL_STAGGER_MS);
	expect(&r, "start1 ");
	dial_plan_on_up(&r.plan, 0);
	expect(&r, "stop1 won0 ");
	dial_plan_on_up(&r.plan, 1);
	fail_one(&r, 1);
	end(&r);
}

/* LIMIT_DIAL_PARALLEL: the next one waits for a failure. */
static void test_parallel(void **state)
{
	struct dial_address a[LIMIT_DIAL_PARALLEL + 2] = {V4(0)};
	struct rig r = begin(a, FED_ARRAY_LEN(a));
	char want[32];

	(void)state;
	expect(&r, "start0 ");
	for (unsigned i = 1; i < LIMIT_DIAL_PARALLEL; i++) {
		pass(&r, LIMIT_DIAL_STAGGER_MS);
		(void)snprintf(want, sizeof(want), "start%u ", i);
		expect(&r, want);
	}
	assert_int_equal(UINT64_MAX, dial_plan_deadline_ms(&r.plan));
	r.now_ms += 1000;
	expect(&r, "");
	fail_one(&r, 2);
	(void)snprintf(want, sizeof(want), "start%u ", LIMIT_DIAL_PARALLEL);
	expect(&r, want);
	buf_deinit(&r.trace);
}

/* No address is begun when the time is up; what runs may still win. */
static void test_time_is_up(void **state)
{
	const struct dial_address a[] = {V4(0), V4(1), V4(2)};
	struct rig r = begin(a, 3);

	(void)state;
	expect(&r, "start0 ");
	pass(&r, LIMIT_DIAL_STAGGER_MS);
	expect(&r, "start1 ");
	r.now_ms = 1000 + UNTIL_MS;
	expect(&r, "");
	fail_one(&r, 0);
	expect(&r, "");
	assert_int_equal(UINT64_MAX, dial_plan_deadline_ms(&r.plan));
	fail_one(&r, 1);
	expect(&r, "lost ");
	end(&r);
}

static void test_direct_tls(void **state)
{
	const struct dial_address a[] = {TLS4(0), V4(1)};
	struct rig r = begin(a, 2);

	(void)state;
	expect(&r, "start0 ");
	dial_plan_on_secure(&r.plan, 0); /* not yet */
	dial_plan_on_up(&r.plan, 0);
	expect(&r, "secure0 ");
	/* nothing else starts while the handshake runs */
	assert_int_equal(UINT64_MAX, dial_plan_deadline_ms(&r.plan));
	r.now_ms += 5000;
	expect(&r, "");
	dial_plan_on_secure(&r.plan, 0);
	expect(&r, "won0 ");
	end(&r);
}

/* TLS fails: the next target; one that was stopped gets its turn again. */
static void test_direct_tls_fails(void **state)
{
	const struct dial_address a[] = {TLS4(0), TLS4(1), V4(2)};
	struct rig r = begin(a, 3);

	(void)state;
	expect(&r, "start0 ");
	pass(&r, LIMIT_DIAL_STAGGER_MS);
	expect(&r, "start1 ");
	dial_plan_on_up(&r.plan, 1);
	expect(&r, "stop0 secure1 ");
	r.now_ms += 10;
	fail_one(&r, 1);
	expect(&r, "start0 ");
	pass(&r, LIMIT_DIAL_STAGGER_MS);
	expect(&r, "start2 ");
	dial_plan_on_up(&r.plan, 2);
	expect(&r, "stop0 won2 ");
	end(&r);
}

static void test_last_direct_tls_fails(void **state)
{
	const struct dial_address a[] = {TLS4(0)};
	struct rig r = begin(a, 1);

	(void)state;
	expect(&r, "start0 ");
	dial_plan_on_up(&r.plan, 0);
	expect(&r, "secure0 ");
	fail_one(&r, 0);
	expect(&r, "lost ");
	end(&r);
}

static void test_nothing_to_try(void **state)
{
	struct rig r = begin(NULL, 0);

	(void)state;
	expect(&r, "lost ");
	end(&r);
}

/* What nobody asked for changes nothing. */
static void test_stray_events(void **state)
{
	const struct dial_address a[] = {V4(0), V4(1)};
	struct rig r = begin(a, 2);

	(void)state;
	dial_plan_on_up(&r.plan, 0);
	fail_one(&r, 1);
	fail_one(&r, 99);
	dial_plan_on_up(&r.plan, SIZE_MAX);
	expect(&r, "start0 ");
	fail_one(&r, 0);
	fail_one(&r, 0);
	expect(&r, "start1 ");
	assert_int_equal(1, r.plan.pending);
	buf_deinit(&r.trace);
}

static void test_too_many_addresses(void **state)
{
	struct dial_address a[2 * LIMIT_SRV_ADDRESSES] = {V4(0)};
	struct rig r = begin(a, FED_ARRAY_LEN(a));
	struct dial_action act;
	size_t starts = 0;

	(void)state;
	assert_int_equal(LIMIT_SRV_ADDRESSES, r.plan.count);
	while (dial_plan_next(&r.plan, r.now_ms, &act) &&
	       act.kind == DIAL_START) {
		starts++;
		fail_one(&r, act.address);
	}
	assert_int_equal(LIMIT_SRV_ADDRESSES, starts);
	assert_int_equal(DIAL_LOST, act.kind);
	end(&r);
}

/* Whatever befalls them: each address starts at most once after the other
 * without a stop between, never too many at once, and there is an end. */
static void check_random(uint64_t seed)
{
	struct dial_address a[12];
	bool runs[12] = {false};
	struct dial_plan p;
	struct dial_action act;
	uint64_t now = 0;
	unsigned open = 0;

	for (size_t i = 0; i < FED_ARRAY_LEN(a); i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		a[i] = (struct dial_address){(unsigned)i / 3,
					     (seed >> 40 & 1) != 0,
					     (seed >> 41 & 1) != 0};
	}
	dial_plan_init(&p, a, FED_ARRAY_LEN(a), now, UNTIL_MS);
	for (unsigned steps = 0; !p.is_over; steps++) {
		size_t i;

		assert_true(steps < 2000);
		while (dial_plan_next(&p, now, &act)) {
			if (act.kind == DIAL_START) {
				assert_false(runs[act.address]);
				runs[act.address] = true;
				open++;
			} else if (act.kind == DIAL_STOP) {
				assert_true(runs[act.address]);
				runs[act.address] = false;
				open--;
			} else if (act.kind == DIAL_WON) {
				assert_true(runs[act.address]);
				assert_int_equal(1, open);
			} else if (act.kind == DIAL_LOST) {
				assert_int_equal(0, open);
			}
			assert_in_range(open, 0, LIMIT_DIAL_PARALLEL);
		}
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		i = (seed >> 33) % FED_ARRAY_LEN(a);
		now += (seed >> 50) % 200;
		if (runs[i] && (seed >> 60) < 8) {
			runs[i] = false;
			open--;
			dial_plan_on_failed(&p, i, now);
		} else if (runs[i] && (seed >> 60) == 8) {
			dial_plan_on_up(&p, i);
		} else if (runs[i] && (seed >> 60) == 9) {
			dial_plan_on_secure(&p, i);
		}
	}
}

static void test_random(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 500; seed++)
		check_random(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_first_wins),
		cmocka_unit_test(test_silent_first),
		cmocka_unit_test(test_refused_first),
		cmocka_unit_test(test_slow_first_wins),
		cmocka_unit_test(test_parallel),
		cmocka_unit_test(test_time_is_up),
		cmocka_unit_test(test_direct_tls),
		cmocka_unit_test(test_direct_tls_fails),
		cmocka_unit_test(test_last_direct_tls_fails),
		cmocka_unit_test(test_nothing_to_try),
		cmocka_unit_test(test_stray_events),
		cmocka_unit_test(test_too_many_addresses),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
