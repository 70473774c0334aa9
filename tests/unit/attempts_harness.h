/* A record of attempts under a fake clock. */
#ifndef FED_TEST_ATTEMPTS_HARNESS_H
#define FED_TEST_ATTEMPTS_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "edge-proxy/core/attempts.h"

/* 2026-11-26 02:10:11 UTC */
#define WALL INT64_C(1795659011000)
#define NOW 5000u

static inline int set_up(void **state)
{
	struct attempts *a = NULL;

	assert_int_equal(0, attempts_new(&a));
	*state = a;
	return 0;
}

static inline int tear_down(void **state)
{
	attempts_free(*state);
	return 0;
}

static inline uint64_t begin(struct attempts *a, bool is_inbound,
			     const char *domain, bool is_partner,
			     uint64_t now_ms)
{
	const struct attempt_params p = {.is_inbound = is_inbound,
					 .local = "sip.example",
					 .domain = domain,
					 .is_partner = is_partner,
					 .wall_ms = WALL + (int64_t)now_ms -
						    (int64_t)NOW};
	uint64_t number = attempts_begin(a, &p, now_ms);

	assert_true(number > 0);
	return number;
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
