/* The heap of deadlines against a plain search. */
#include "base/timer_heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { NODES = 200, STEPS = 20000 };

static uint32_t next_random(uint32_t *s)
{
	*s = *s * 1664525u + 1013904223u;
	return *s >> 8;
}

static uint64_t earliest(const uint64_t *at)
{
	uint64_t best = UINT64_MAX;

	for (size_t i = 0; i < NODES; i++)
		if (at[i] < best)
			best = at[i];
	return best;
}

static void test_against_search(void **state)
{
	struct timer_heap h = {.nodes = NULL};
	struct timer_node nodes[NODES] = {{0}};
	uint64_t at[NODES];
	uint32_t seed = 7;

	(void)state;
	assert_int_equal(timer_heap_reserve(&h, NODES), 0);
	for (size_t i = 0; i < NODES; i++)
		at[i] = UINT64_MAX;
	for (size_t step = 0; step < STEPS; step++) {
		size_t i = next_random(&seed) % NODES;
		uint32_t what = next_random(&seed) % 4;

		if (what == 0) {
			uint64_t due = earliest(at);
			struct timer_node *n = timer_heap_pop(&h, due);

			if (due == UINT64_MAX) {
				assert_null(n);
				continue;
			}
			assert_non_null(n);
			assert_int_equal(n->at_ms, due);
			assert_int_equal(n->place, 0);
			at[n - nodes] = UINT64_MAX;
		} else {
			at[i] = what == 1 ? UINT64_MAX
					  : next_random(&seed) % 1000;
			timer_heap_set(&h, &nodes[i], at[i]);
		}
		assert_int_equal(timer_heap_deadline_ms(&h), earliest(at));
	}
	timer_heap_deinit(&h);
}

static void test_not_due(void **state)
{
	struct timer_heap h = {.nodes = NULL};
	struct timer_node n = {0};

	(void)state;
	assert_null(timer_heap_pop(&h, UINT64_MAX));
	assert_int_equal(timer_heap_reserve(&h, 1), 0);
	timer_heap_set(&h, &n, 10);
	assert_null(timer_heap_pop(&h, 9));
	assert_ptr_equal(timer_heap_pop(&h, 10), &n);
	timer_heap_deinit(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_search),
		cmocka_unit_test(test_not_due),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
