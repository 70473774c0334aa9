/*
 * Requests of fedctl to an edge, through the channel.  Each response is asked
 * for when the client can take it, so that one at most is in memory.
 */
#ifndef FED_GATEWAY_ADMIN_RELAY_H
#define FED_GATEWAY_ADMIN_RELAY_H

#include "fe-gateway/gateway_session.h"
#include "io/admin_server.h"

struct gateway_relays;

/** @return 0; FED_ENOMEM */
int gateway_relays_new(struct gateway_relays **r_out,
		       struct gateway_session *s) FED_NODISCARD;

/** After all calls ended; NULL is allowed. */
void gateway_relays_free(struct gateway_relays *r);

/**
 * As admin_handler.on_more(), for a request that names an edge.
 *
 * @param server  which goes on when the edge has answered
 */
enum admin_step gateway_relays_more(struct gateway_relays *r,
				    struct admin_server *server,
				    struct admin_call *call, struct arena *a,
				    Fed__AdminResponse *out);

/** The call is over. */
void gateway_relays_end(struct gateway_relays *r, struct admin_call *call);

/** An edge answers. */
void gateway_relays_on_response(struct gateway_relays *r, size_t edge,
				const Fed__AdminRelay *relay);

#endif
