/*
 * Which peers this process has TCP connections with, looked at from time to
 * time: the SIP library does not tell when one of its connections ends.
 */
#ifndef FED_GATEWAY_SIP_PEERS_H
#define FED_GATEWAY_SIP_PEERS_H

#include <stddef.h>
#include <stdint.h>

#include "fe-gateway/core/sip_types.h"

/* LIMIT: more connections than SIP and the channel may have are not looked
 * at. */
enum { SIP_PEERS_MOST = 512 };

struct sip_peer {
	uint64_t cookie; /* of the socket; never used twice */
	int fd;		 /* that it had at the last look */
	uint16_t port;
	char ip[SIP_IP_TEXT_BYTES];
};

/* All zero: nobody yet. */
struct sip_peers {
	struct sip_peer peer[SIP_PEERS_MOST];
	size_t count;
};

/** Look again; fn is called for each connection of the last look that is not
 * there any more. */
void sip_peers_look(struct sip_peers *p,
		    void (*fn)(const char *ip, uint16_t port, void *arg),
		    void *arg);

#endif
