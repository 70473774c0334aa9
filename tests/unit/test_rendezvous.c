/* Rendezvous hashing: stable, even, and only the lost node's keys move. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/rendezvous.h"

enum { KEYS = 4000, NODES = 5 };

/* SPAN_LIT is not a constant expression */
#define NODE(s)                  \
	{                        \
		s, sizeof(s) - 1 \
	}

static const struct span nodes[NODES] = {
	NODE("gw1.inside.example"), NODE("gw2.inside.example"),
	NODE("gw3.inside.example"), NODE("gw4.inside.example"),
	NODE("gw5.inside.example"),
};

static struct span key_of(char *text, size_t size, unsigned i)
{
	int n = snprintf(text, size, "user%u@sip.example", i);

	return span_of(text, (size_t)n);
}

/* Two versions of the software must agree: the numbers are part of the
 * contract and never change. */
static void test_published_values(void **state)
{
	static const struct {
		const char *key, *node;
		uint64_t score;
	} rows[] = {
		{"", "", UINT64_C(0xbaf627ca10d5c9e9)},
		{"alice@sip.example", "gw1.inside.example",
		 UINT64_C(0xd7b2e1c6fbfdaf6b)},
		{"alice@sip.example", "gw2.inside.example",
		 UINT64_C(0xd822e8d057ba61ab)},
		{"bob@sip.example", "gw1.inside.example",
		 UINT64_C(0x8aba8c28cb3358df)},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		uint64_t got = rendezvous_score(span_str(rows[i].key),
						span_str(rows[i].node));

		if (got != rows[i].score)
			print_error("row %zu: 0x%016" PRIx64 "\n", i, got);
		assert_true(got == rows[i].score);
	}
}

static void test_none_and_one(void **state)
{
	(void)state;
	assert_true(rendezvous_pick(SPAN_LIT("a"), NULL, 0) == SIZE_MAX);
	assert_int_equal(rendezvous_pick(SPAN_LIT("a"), nodes, 1), 0);
	assert_int_equal(rendezvous_pick(SPAN_NULL, nodes, 1), 0);
}

static void test_even(void **state)
{
	unsigned count[NODES] = {0};
	char text[64];

	(void)state;
	for (unsigned i = 0; i < KEYS; i++)
		count[rendezvous_pick(key_of(text, sizeof(text), i), nodes,
				      NODES)]++;
	for (size_t i = 0; i < NODES; i++)
		assert_in_range(count[i], KEYS / NODES * 85 / 100,
				KEYS / NODES * 115 / 100);
}

static void test_order_of_list(void **state)
{
	struct span back[NODES];
	char text[64];

	(void)state;
	for (size_t i = 0; i < NODES; i++)
		back[i] = nodes[NODES - 1 - i];
	for (unsigned i = 0; i < KEYS; i++) {
		struct span key = key_of(text, sizeof(text), i);

		assert_int_equal(rendezvous_pick(key, nodes, NODES),
				 NODES - 1 - rendezvous_pick(key, back, NODES));
	}
}

static void test_only_lost_keys_move(void **state)
{
	char text[64];

	(void)state;
	for (unsigned i = 0; i < KEYS; i++) {
		struct span key = key_of(text, sizeof(text), i);
		size_t before = rendezvous_pick(key, nodes, NODES);
		size_t after = rendezvous_pick(key, nodes, NODES - 1);

		if (before != NODES - 1)
			assert_int_equal(before, after);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_published_values),
		cmocka_unit_test(test_none_and_one),
		cmocka_unit_test(test_even),
		cmocka_unit_test(test_order_of_list),
		cmocka_unit_test(test_only_lost_keys_move),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
