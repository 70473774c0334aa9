/*
 * Requests of fedctl that a gateway passes on through the channel.  The
 * gateway asks for each response anew, so that none waits in between.
 */
#ifndef FED_EDGE_ADMIN_RELAY_H
#define FED_EDGE_ADMIN_RELAY_H

#include "edge-proxy/edge.h"
#include "io/chan_link.h"

struct edge_relays;

/** @return 0; FED_ENOMEM */
int edge_relays_new(struct edge_relays **r_out, struct edge *e) FED_NODISCARD;

/** NULL is allowed. */
void edge_relays_free(struct edge_relays *r);

/**
 * A request, or, with an empty payload, the wish for the next response to one;
 * the answer leaves at once.
 *
 * @param gateway  the link's number, never used again
 */
void edge_relays_take(struct edge_relays *r, uint64_t gateway,
		      struct chan_link *link, const Fed__AdminRelay *relay);

#endif
