/*
 * The gateway's answers on its admin socket.
 */
#ifndef FED_GATEWAY_ADMIN_H
#define FED_GATEWAY_ADMIN_H

#include "fe-gateway/gateway_session.h"
#include "channel.pb-c.h"
#include "io/admin_server.h"

struct gateway_admin;

struct gateway_admin_params {
	struct loop *loop;
	const struct gateway_config *config;
	struct gateway_session *session;
	struct metrics *metrics;
	struct logger *log; /* whose level may be changed */
};

/**
 * Listen at admin.socket.
 *
 * @param p  borrowed content, copied struct
 * @return as admin_server_new()
 */
int gateway_admin_new(struct gateway_admin **g_out,
		      const struct gateway_admin_params *p,
		      struct errbuf *e) FED_NODISCARD;

/** An edge answers what fedctl asked it through this gateway. */
void gateway_admin_on_response(struct gateway_admin *g, size_t edge,
			       const Fed__AdminRelay *relay);

/** NULL is allowed. */
void gateway_admin_free(struct gateway_admin *g);

/* --- gateway_admin_presence.c for gateway_admin.c ------------------------- */

/** The next response to a request about presence. */
enum admin_step gateway_admin_presence(struct gateway_session *s,
				       struct admin_call *call, struct arena *a,
				       Fed__AdminResponse *out);

/** The call is over. */
void gateway_admin_presence_end(struct gateway_session *s,
				struct admin_call *call);

#endif
