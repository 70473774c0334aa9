/* Rules of the edge: which one counts, limits, rates, what becomes of routes
 * when they change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/limits.h"
#include "edge-proxy/core/pace.h"
#include "edge-proxy/core/policy.h"
#include "tests/unit/edge_router_harness.h"

static const char *const served[] = {"sip.example"};

static struct policy policy_of(struct policy_partner *rules, size_t count,
			       const char **denied, size_t denied_count)
{
	policy_sort(rules, count);
	policy_sort_denied(denied, denied_count);
	return (struct policy){.domains = served,
			       .domain_count = 1,
			       .partners = rules,
			       .partner_count = count,
			       .denied = denied,
			       .denied_count = denied_count};
}

static void test_which_rule(void **state)
{
	/* in no order */
	struct policy_partner rules[] = {
		{.domain = "*"},
		{.domain = "b.example"},
		{.domain = "*.c.example"},
		{.domain = "*.example.net"},
		{.domain = "*.deep.c.example"},
		{.domain = "a.example"},
		{.domain = "named.evil.example"},
	};
	const char *denied[] = {"*.evil.example", "bad.example",
				"worse.c.example", "b.example"};
	struct policy p = policy_of(rules, FED_ARRAY_LEN(rules), denied,
				    FED_ARRAY_LEN(denied));
	static const struct {
		const char *domain;
		const char *rule; /* NULL: no partner */
	} table[] = {
		{"a.example", "a.example"},
		{"x.a.example", "*"},
		{"a.example.org", "*"},
		{"b.exampl", "*"},
		{"b.example", "b.example"}, /* its own name */
		{"c.example", "*"},	    /* "below it", not itself */
		{"x.c.example", "*.c.example"},
		{"y.x.c.example", "*.c.example"},
		{"deep.c.example", "*.c.example"},
		{"x.deep.c.example", "*.deep.c.example"},
		{"xc.example", "*"},
		{"worse.c.example", NULL},
		{"x.worse.c.example", "*.c.example"},
		{"bad.example", NULL},
		{"x.bad.example", "*"},
		{"evil.example", "*"},
		{"x.evil.example", NULL},
		{"y.x.evil.example", NULL},
		{"named.evil.example", "named.evil.example"},
		{"x.named.evil.example", NULL},
		{"host.example.net", "*.example.net"},
		{"localhost", "*"},
		{"[2001:db8::1]", "*"},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(table); i++) {
		const struct policy_partner *rule =
			policy_find(&p, span_str(table[i].domain));

		if (table[i].rule == NULL
			    ? rule != NULL
			    : rule == NULL ||
				      strcmp(rule->domain, table[i].rule) != 0)
			fail_msg("%s: %s", table[i].domain,
				 rule == NULL ? "no rule" : rule->domain);
	}
}

static void test_no_rules(void **state)
{
	struct policy p = {.domains = served, .domain_count = 1};
	struct policy_partner one[] = {{.domain = "m.example"}};
	char longest[LIMIT_DOMAIN_BYTES + 1];

	(void)state;
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	longest[1] = '.';
	assert_null(policy_find(&p, SPAN_LIT("a.example")));
	p = policy_of(one, 1, NULL, 0);
	assert_null(policy_find(&p, SPAN_LIT("a.example")));
	assert_null(policy_find(&p, SPAN_LIT("z.example")));
	assert_null(policy_find(&p, SPAN_LIT("m.exampl")));
	assert_null(policy_find(&p, SPAN_LIT("m.example2")));
	assert_null(policy_find(&p, SPAN_NULL));
	assert_null(policy_find(&p, span_str(longest)));
	assert_ptr_equal(policy_find(&p, SPAN_LIT("m.example")), one);
}

/* Each of very many is found, and its neighbours are not. */
static void test_many(void **state)
{
	enum { COUNT = 1000 };
	static char names[COUNT][24];
	static struct policy_partner rules[COUNT];
	struct policy p;

	(void)state;
	for (unsigned i = 0; i < COUNT; i++) {
		/* not in their order */
		(void)snprintf(names[i], sizeof(names[i]), "p%u.example",
			       i * 7 % COUNT);
		rules[i].domain = names[i];
	}
	p = policy_of(rules, COUNT, NULL, 0);
	for (unsigned i = 0; i < COUNT; i++)
		assert_string_equal(policy_find(&p, span_str(names[i]))->domain,
				    names[i]);
	assert_null(policy_find(&p, SPAN_LIT("p1000.example")));
	assert_null(policy_find(&p, SPAN_LIT("p.example")));
}

static void test_pairs(void **state)
{
	struct policy_partner rules[] = {{.domain = "*"}};
	struct policy p = policy_of(rules, 1, NULL, 0);

	(void)state;
	assert_non_null(policy_of_pair(&p, "sip.example", "a.example"));
	assert_null(policy_of_pair(&p, "other.example", "a.example"));
	assert_null(policy_of_pair(&p, "sip.example", "sip.example"));
}

static void test_limit_name(void **state)
{
	const struct policy_partner house = {.domain = "b.example",
					     .name = "a.example"};
	const struct policy_partner pattern = {.domain = "*.a.example",
					       .name = "a.example"};
	const struct policy_partner anybody = {.domain = "*", .name = "*"};
	const struct policy_partner host = {.domain = "*.b.example"};

	(void)state;
	assert_string_equal(policy_limit_name(&house, "b.example"),
			    "a.example");
	assert_string_equal(policy_limit_name(&pattern, "x.a.example"),
			    "a.example");
	assert_string_equal(policy_limit_name(&anybody, "x.example"),
			    "x.example");
	assert_string_equal(policy_limit_name(&host, "x.b.example"),
			    "x.b.example");
	assert_string_equal(policy_limit_name(NULL, "x.example"), "x.example");
}

/* ---- rates --------------------------------------------------------------- */

static void test_pace(void **state)
{
	struct pace p = {0};

	(void)state;
	/* none */
	pace_spend(&p, 1000000, 5);
	assert_int_equal(pace_ready_ms(&p, 5), 5);
	/* a second's worth at once */
	pace_set(&p, 10, 1000);
	pace_spend(&p, 9, 1000);
	assert_int_equal(pace_ready_ms(&p, 1000), 1000);
	pace_spend(&p, 1, 1000);
	assert_in_range(pace_ready_ms(&p, 1000), 1001, 1100);
	/* what is over is owed: 10 more are a second */
	pace_spend(&p, 10, 1000);
	assert_in_range(pace_ready_ms(&p, 1000), 2001, 2100);
	assert_in_range(pace_ready_ms(&p, 1999), 2000, 2100);
	assert_int_equal(pace_ready_ms(&p, 2100), 2100);
	/* a day of silence is worth no more than a second */
	pace_spend(&p, 11, 90000000);
	assert_true(pace_ready_ms(&p, 90000000) > 90000000);
	/* the same rate again forgives nothing, another one does */
	pace_set(&p, 10, 90000000);
	assert_true(pace_ready_ms(&p, 90000000) > 90000000);
	pace_set(&p, 20, 90000000);
	assert_int_equal(pace_ready_ms(&p, 90000000), 90000000);
	/* the largest that a Config may have */
	pace_set(&p, UINT32_MAX, 0);
	pace_spend(&p, 2ull * UINT32_MAX, 0);
	assert_in_range(pace_ready_ms(&p, 0), 1000, 1100);
}

/* When nothing is left of what came. */
static void test_pace_full(void **state)
{
	struct pace p = {0};

	(void)state;
	assert_int_equal(pace_full_ms(&p, 5), 5);
	pace_set(&p, 10, 1000);
	assert_int_equal(pace_full_ms(&p, 1000), 1000);
	pace_spend(&p, 1, 1000);
	assert_in_range(pace_full_ms(&p, 1000), 1100, 1110);
	pace_spend(&p, 14, 1000);
	assert_in_range(pace_full_ms(&p, 1000), 2500, 2510);
	assert_in_range(pace_full_ms(&p, 2400), 2500, 2510);
	assert_int_equal(pace_full_ms(&p, 2510), 2510);
	pace_set(&p, UINT32_MAX, 3000);
	pace_spend(&p, UINT32_MAX, 3000);
	assert_in_range(pace_full_ms(&p, 3000), 4000, 4010);
}

/* In the long run, however it comes. */
static void test_pace_holds(void **state)
{
	struct pace p = {0};
	uint64_t now_ms = 0;
	unsigned taken = 0;

	(void)state;
	pace_set(&p, 50, 0);
	while (now_ms < 100000) {
		uint64_t at_ms = pace_ready_ms(&p, now_ms);

		if (at_ms > now_ms) {
			now_ms = at_ms;
			continue;
		}
		pace_spend(&p, 7, now_ms);
		taken += 7;
	}
	assert_in_range(taken, 100 * 50 - 100, 100 * 50 + 100);
}

/* ---- routes -------------------------------------------------------------- */

static void look_again(struct rig *t, const struct policy *p)
{
	edge_router_look_again(t->r, p, t->now);
}

static const struct policy nobody = {.domains = served, .domain_count = 1};
static const struct policy_partner anybody_rule[] = {{.domain = "*"}};
static const struct policy anybody = {.domains = served,
				      .domain_count = 1,
				      .partners = anybody_rule,
				      .partner_count = 1};

/* What waits is refused at once; the attempt's end is its owner's. */
static void test_route_forbidden_while_connecting(void **state)
{
	struct rig *t = *state;

	assert_int_equal(send_text(t, 1, "a"), 0);
	assert_int_equal(send_text(t, 2, "b"), 0);
	expect(t, "connect:xmpp.example ");
	look_again(t, &nobody);
	expect(t, "no1 no2 ");
	assert_int_equal(t->last_refused, FED__CONDITION__POLICY_VIOLATION);
	end_with(t, S2S_END_POLICY);
	expect(t, "");
	/* allowed again: at once */
	look_again(t, &anybody);
	assert_int_equal(send_text(t, 3, "c"), 0);
	expect(t, "connect:xmpp.example ");
}

/* What the stream was writing may have arrived, or not: it is tried once more,
 * and that ends as its owner says. */
static void test_route_forbidden_while_open(void **state)
{
	struct rig *t = *state;

	assert_int_equal(send_text(t, 1, "a"), 0);
	drain(t);
	open_stream(t);
	expect(t, "w:a ");
	edge_router_set_congested(t->r, t->stream, true);
	assert_int_equal(send_text(t, 2, "b"), 0);
	look_again(t, &nobody);
	expect(t, "no2 ");
	end_with(t, S2S_END_POLICY);
	t->now += LIMIT_BACKOFF_MIN_MS + 1000;
	edge_router_on_timer(t->r, t->now);
	expect(t, "connect:xmpp.example ");
	end_with(t, S2S_END_POLICY);
	expect(t, "no1 ");
	assert_int_equal(t->last_refused, FED__CONDITION__POLICY_VIOLATION);
	assert_int_equal(edge_router_stanzas(t->r), 0);
}

static void test_route_forbidden_in_backoff(void **state)
{
	struct rig *t = *state;

	assert_int_equal(send_text(t, 1, "a"), 0);
	drain(t);
	end_with(t, S2S_END_CONNECT);
	expect(t, "no1 ");
	look_again(t, &nobody);
	drain(t);
	/* nothing is remembered */
	assert_int_equal(edge_router_pairs(t->r), 0);
}

/* A failure under other rules says nothing. */
static void test_route_backoff_ends(void **state)
{
	struct rig *t = *state;

	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(send_text(t, i, "a"), 0);
		drain(t);
		end_with(t, S2S_END_TLS);
		drain(t);
		look_again(t, &anybody);
	}
	/* and failures are counted anew */
	assert_int_equal(send_text(t, 9, "a"), 0);
	drain(t);
	end_with(t, S2S_END_TLS);
	drain(t);
	t->now += LIMIT_BACKOFF_MIN_MS + LIMIT_BACKOFF_MIN_MS / 2 + 1;
	assert_int_equal(send_text(t, 10, "a"), 0);
	expect(t, "connect:xmpp.example ");
}

/* The idle time of streams that are open changes too; what the peer allows is
 * still kept. */
static void test_route_idle(void **state)
{
	struct policy p = anybody;
	struct rig *t = *state;

	p.idle_ms = 60000;
	assert_int_equal(send_text(t, 1, "a"), 0);
	drain(t);
	open_with(t, 0, 40000);
	expect(t, "w:a ");
	edge_router_flushed(t->r, t->stream, 1, t->now);
	drain(t);
	look_again(t, &p);
	pass(t, 29000);
	expect(t, "");
	pass(t, 1500);
	expect(t, "close:idle ");
	assert_int_equal(send_text(t, 2, "b"), 0);
	drain(t);
	open_stream(t);
	expect(t, "w:b ");
	edge_router_flushed(t->r, t->stream, 1, t->now);
	drain(t);
	pass(t, 59000);
	expect(t, "");
	p.idle_ms = 70000;
	look_again(t, &p);
	pass(t, 10000);
	expect(t, "");
	pass(t, 1500);
	expect(t, "close:idle ");
}

#define ROUTE_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_which_rule),
		cmocka_unit_test(test_no_rules),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_limit_name),
		cmocka_unit_test(test_pace_full),
		cmocka_unit_test(test_pace),
		cmocka_unit_test(test_pace_holds),
		ROUTE_TEST(test_route_forbidden_while_connecting),
		ROUTE_TEST(test_route_forbidden_while_open),
		ROUTE_TEST(test_route_forbidden_in_backoff),
		ROUTE_TEST(test_route_backoff_ends),
		ROUTE_TEST(test_route_idle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
