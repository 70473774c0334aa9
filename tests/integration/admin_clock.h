/*
 * A clock for the rig that can be moved.
 */
#ifndef FED_TEST_ADMIN_CLOCK_H
#define FED_TEST_ADMIN_CLOCK_H

#include "admin_rig.h"

#include <sys/syscall.h>
#include <time.h>

static int64_t skew_s;

/* In the place of the C library's, for libuv: nobody waits for a minute. */
int clock_gettime(clockid_t id, struct timespec *ts)
{
	int rc = (int)syscall(SYS_clock_gettime, id, ts);

	if (id == CLOCK_MONOTONIC || id == CLOCK_MONOTONIC_COARSE)
		ts->tv_sec += skew_s;
	return rc;
}

static inline void move_clock(struct rig *r, unsigned ms)
{
	skew_s += ms / 1000 + 1;
	turn(r, 10);
}

#endif
