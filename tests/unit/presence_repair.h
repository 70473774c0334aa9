/* A repair of all watches of a target, at once. */
#ifndef FED_TESTS_PRESENCE_REPAIR_H
#define FED_TESTS_PRESENCE_REPAIR_H

#include "fe-gateway/core/presence.h"

static inline void presence_repair(struct presence *p, struct span target,
				   struct presence_repaired *out, uint64_t now)
{
	struct presence_cursor c;

	*out = (struct presence_repaired){0};
	presence_query_begin(p, &c, target);
	while (!presence_query_is_done(&c))
		presence_query_repair(p, &c, out, now);
	presence_query_end(p, &c);
}

#endif
