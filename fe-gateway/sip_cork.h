/*
 * SIP messages of one turn leave in full segments: sofia writes each one by
 * itself, and on a TCP socket each write is a packet of its own, which costs
 * both ends more than the message does.
 */
#ifndef FED_GATEWAY_SIP_CORK_H
#define FED_GATEWAY_SIP_CORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* With more connections than this, a turn has few messages for each. */
enum { SIP_CORK_SOCKETS = 16 };

/* Zero-initialize. */
struct sip_cork {
	int fds[SIP_CORK_SOCKETS];
	size_t count;
	uint64_t looked_ms; /* when the sockets were looked for */
	bool is_known;	    /* they were */
	bool is_held;
	unsigned messages; /* of this turn */
};

/**
 * One more message is about to be given to sofia.  The second one of a turn
 * makes the connected TCP sockets of this process hold their bytes; the kernel
 * lets them go after 200 ms at the latest.
 */
void sip_cork_message(struct sip_cork *c, uint64_t now_ms);

/** The turn ends: what is held leaves. */
void sip_cork_release(struct sip_cork *c);

#endif
