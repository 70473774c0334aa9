/*
 * A rate that may not be passed in the long run: what is over it is counted
 * after it came, and has to be waited for.  Pure, time is handed in.
 */
#ifndef FED_EDGE_PACE_H
#define FED_EDGE_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct pace {
	uint32_t per_second; /* 0: no limit */
	int64_t milli;	     /* in hand, thousandths; below 0: owed */
	uint64_t last_ms;
};

/** Another rate; a second's worth is in hand at once, at most. */
void pace_set(struct pace *p, uint32_t per_second, uint64_t now_ms);

/** So much came. */
void pace_spend(struct pace *p, uint64_t count, uint64_t now_ms);

/** When the next may come: not after now_ms, when it may now. */
uint64_t pace_ready_ms(struct pace *p, uint64_t now_ms);

/** When nothing is left of what came: as new.  Not after now_ms: it is so. */
uint64_t pace_full_ms(struct pace *p, uint64_t now_ms);

#endif
