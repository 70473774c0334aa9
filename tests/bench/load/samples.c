/* Latencies in an array that doubles. */
#include "tests/bench/load/samples.h"

#include <stdlib.h>

enum { FIRST_ROOM = 4096 };

int samples_add(struct samples *s, uint64_t begin_ns, uint64_t end_ns)
{
	uint64_t us = end_ns > begin_ns ? (end_ns - begin_ns) / 1000 : 0;
	size_t room = s->room == 0 ? FIRST_ROOM : 2 * s->room;
	uint32_t *more;

	if (s->count == s->room) {
		more = realloc(s->us, room * sizeof(*more));
		if (more == NULL)
			return FED_ENOMEM;
		s->us = more;
		s->room = room;
	}
	s->us[s->count++] = us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
	return 0;
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

uint32_t samples_percentile(struct samples *s, unsigned percent)
{
	size_t rank;

	if (s->count == 0)
		return 0;
	qsort(s->us, s->count, sizeof(*s->us), by_value);
	rank = (s->count * percent + 99) / 100; /* nearest rank */
	return s->us[rank == 0 ? 0 : rank - 1];
}

void samples_reset(struct samples *s)
{
	s->count = 0;
}
