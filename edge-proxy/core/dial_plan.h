/*
 * Which address of a domain is tried next, and when: pure decisions of a dial
 * (RFC 8305 5, inside the order that SRV records gave).
 *
 * Use: feed one event, then call dial_plan_next() until it is false, then arm
 * one timer to dial_plan_deadline_ms().
 */
#ifndef FED_EDGE_DIAL_PLAN_H
#define FED_EDGE_DIAL_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

/* An address, as far as it matters here. */
struct dial_address {
	unsigned target; /* place of its target in the order of SRV */
	bool is_v6;
	bool is_direct_tls; /* TLS at once (XEP-0368) */
};

enum dial_state {
	DIAL_WAITING,
	DIAL_CONNECTING,
	DIAL_CONNECTED, /* TCP of direct TLS is up, the handshake is due */
	DIAL_SECURING,	/* the handshake runs */
	DIAL_UP,
	DIAL_FAILED,
};

struct dial_plan {
	struct dial_address address[LIMIT_SRV_ADDRESSES];
	enum dial_state state[LIMIT_SRV_ADDRESSES];
	size_t order[LIMIT_SRV_ADDRESSES]; /* addresses as they are tried */
	size_t count;
	size_t pending;	   /* CONNECTING */
	uint64_t next_ms;  /* another one may start */
	uint64_t until_ms; /* and none after this */
	bool is_over;	   /* WON or LOST was said */
};

enum dial_action_kind {
	DIAL_START,  /* open a connection to the address */
	DIAL_STOP,   /* close it: another one was faster */
	DIAL_SECURE, /* begin the TLS handshake on it */
	DIAL_WON,    /* its connection is the one; the end */
	DIAL_LOST,   /* no address is left; the end */
};

struct dial_action {
	enum dial_action_kind kind;
	size_t address; /* index as given; not for LOST */
};

/**
 * Begin.  Targets keep their order; inside a target IPv6 and IPv4 addresses
 * alternate, IPv6 first.
 *
 * @param address   grouped by target, at most LIMIT_SRV_ADDRESSES are taken
 * @param until_ms  no address is begun at or after this
 */
void dial_plan_init(struct dial_plan *p, const struct dial_address *address,
		    size_t count, uint64_t now_ms, uint64_t until_ms);

/** TCP to the address is up. */
void dial_plan_on_up(struct dial_plan *p, size_t address);

/** TLS on it is up. */
void dial_plan_on_secure(struct dial_plan *p, size_t address);

/** It failed, TCP or TLS: the next one starts at once. */
void dial_plan_on_failed(struct dial_plan *p, size_t address, uint64_t now_ms);

/** What to do next; false: nothing now. */
bool dial_plan_next(struct dial_plan *p, uint64_t now_ms,
		    struct dial_action *action_out);

/** When dial_plan_next() has something to say without an event; UINT64_MAX:
 * never. */
uint64_t dial_plan_deadline_ms(const struct dial_plan *p);

#endif
