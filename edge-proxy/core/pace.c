/* A bucket that may be in debt. */
#include "edge-proxy/core/pace.h"

/* Beyond what is owed: not a look at the clock for each stanza. */
enum { PACE_REST_MS = 20 };

static int64_t most(const struct pace *p)
{
	return (int64_t)p->per_second * 1000;
}

static void refill(struct pace *p, uint64_t now_ms)
{
	uint64_t ms = now_ms - p->last_ms;
	/* what was owed is paid after that at the latest */
	uint64_t full_ms = (uint64_t)(most(p) - p->milli) / p->per_second + 1;

	p->last_ms = now_ms;
	if (ms >= full_ms)
		p->milli = most(p);
	else
		p->milli += (int64_t)(ms * p->per_second);
	if (p->milli > most(p))
		p->milli = most(p);
}

void pace_set(struct pace *p, uint32_t per_second, uint64_t now_ms)
{
	if (per_second == p->per_second)
		return;
	p->per_second = per_second;
	p->milli = most(p);
	p->last_ms = now_ms;
}

void pace_spend(struct pace *p, uint64_t count, uint64_t now_ms)
{
	if (p->per_second == 0)
		return;
	refill(p, now_ms);
	p->milli -= (int64_t)(count * 1000);
}

uint64_t pace_full_ms(struct pace *p, uint64_t now_ms)
{
	if (p->per_second == 0)
		return now_ms;
	refill(p, now_ms);
	if (p->milli >= most(p))
		return now_ms;
	return now_ms + (uint64_t)(most(p) - p->milli) / p->per_second + 1;
}

uint64_t pace_ready_ms(struct pace *p, uint64_t now_ms)
{
	if (p->per_second == 0)
		return now_ms;
	refill(p, now_ms);
	if (p->milli > 0)
		return now_ms;
	return now_ms + (uint64_t)-p->milli / p->per_second + PACE_REST_MS;
}
