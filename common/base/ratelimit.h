/*
 * Token bucket; time is handed in.
 */
#ifndef FED_BASE_RATELIMIT_H
#define FED_BASE_RATELIMIT_H

#include <stdbool.h>
#include <stdint.h>

struct ratelimit {
	uint32_t per_second; /* tokens that come back each second */
	uint32_t burst;	     /* most tokens at once */
	uint64_t milli;	     /* tokens there now, in thousandths */
	uint64_t last_ms;
};

/** Full bucket. */
void ratelimit_init(struct ratelimit *r, uint32_t per_second, uint32_t burst,
		    uint64_t now_ms);

/** Take one token; false when there is none. */
bool ratelimit_take(struct ratelimit *r, uint64_t now_ms);

#endif
