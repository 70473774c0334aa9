/*
 * TCP connections to the SIP ports, before the SIP library has them.
 *
 * COMPAT(sofia-sip, 1.12.11): it takes every connection and holds up to
 * LIMIT_SIP_WAITING_BYTES for each, also for addresses that get nothing but
 * 403.  It calls accept() through its symbol table, where the executable's own
 * comes first (-rdynamic); libuv calls accept4(), so nothing else is concerned.
 */
#ifndef FED_GATEWAY_SIP_ACCEPT_H
#define FED_GATEWAY_SIP_ACCEPT_H

#include <stdbool.h>
#include <sys/socket.h>

#include "base/span.h"

struct sip_accept_policy {
	bool (*is_trusted)(struct span ip, void *arg);
	void (*on_refused)(struct span ip, void *arg); /* closed at once */
	void *arg;
};

/**
 * From now on strangers hold LIMIT_SIP_STRANGER_CONNECTIONS at most, and all
 * together LIMIT_SIP_CONNECTIONS.
 *
 * @param p  copied; NULL: no limits any more
 */
void sip_accept_set(const struct sip_accept_policy *p);

/** Libraries find our function under that name; false: it was linked without
 * -rdynamic, and there would be no limits. */
bool sip_accept_is_in_place(void);

/** What stands for accept().  @return as accept(); EAGAIN: one was refused */
int sip_accept_one(int listener, struct sockaddr *peer,
		   socklen_t *peer_bytes) __asm__("accept");

#endif
