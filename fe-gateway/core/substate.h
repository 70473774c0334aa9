/*
 * The value of Subscription-State (RFC 6665 8.2.3), read.
 */
#ifndef FED_GATEWAY_SUBSTATE_H
#define FED_GATEWAY_SUBSTATE_H

#include "base/span.h"

enum substate_kind {
	SUBSTATE_ACTIVE,
	SUBSTATE_PENDING, /* or one that we do not know */
	SUBSTATE_TERMINATED,
};

enum substate_reason {
	SUBSTATE_NO_REASON, /* or one that we do not know */
	SUBSTATE_DEACTIVATED,
	SUBSTATE_PROBATION,
	SUBSTATE_REJECTED,
	SUBSTATE_TIMEOUT,
	SUBSTATE_GIVEUP,
	SUBSTATE_NORESOURCE,
	SUBSTATE_INVARIANT,
};

struct substate {
	enum substate_kind kind;
	enum substate_reason reason;
	bool has_expires;
	uint32_t expires; /* seconds */
	bool has_retry_after;
	uint32_t retry_after; /* seconds */
};

/**
 * Read the value.  Parameters that are not understood are passed over; numbers
 * that are too large are UINT32_MAX.
 *
 * @return 0; FED_EINVAL there is no state
 */
int substate_read(struct span value, struct substate *out) FED_NODISCARD;

#endif
