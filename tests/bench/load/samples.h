/*
 * Latencies, each one kept, so that percentiles are exact.
 */
#ifndef FED_BENCH_SAMPLES_H
#define FED_BENCH_SAMPLES_H

#include "base/err.h"

#include <stdint.h>

struct samples {
	uint32_t *us;
	size_t count;
	size_t room;
};

/** Add one; a clock that ran backwards counts as 0. @return 0; FED_ENOMEM */
int samples_add(struct samples *s, uint64_t begin_ns,
		uint64_t end_ns) FED_NODISCARD;

/** Microseconds that `percent` of the samples do not exceed; 0 without any.
 * Sorts. */
uint32_t samples_percentile(struct samples *s, unsigned percent);

/** Forget all, keep the memory. */
void samples_reset(struct samples *s);

#endif
