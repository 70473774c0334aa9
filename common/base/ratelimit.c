/* Token bucket. */
#include "base/ratelimit.h"

void ratelimit_init(struct ratelimit *r, uint32_t per_second, uint32_t burst,
		    uint64_t now_ms)
{
	r->per_second = per_second;
	r->burst = burst;
	r->milli = (uint64_t)burst * 1000;
	r->last_ms = now_ms;
}

bool ratelimit_take(struct ratelimit *r, uint64_t now_ms)
{
	uint64_t full = (uint64_t)r->burst * 1000;

	if (now_ms > r->last_ms) {
		uint64_t passed = now_ms - r->last_ms;

		/* what would overfill fills; so the product cannot overflow */
		if (r->per_second != 0 &&
		    passed > (full - r->milli) / r->per_second)
			r->milli = full;
		else
			r->milli += passed * r->per_second;
		r->last_ms = now_ms;
	}
	if (r->milli < 1000)
		return false;
	r->milli -= 1000;
	return true;
}
