/*
 * The gateway's answers on its admin socket.
 */
#ifndef FED_GATEWAY_ADMIN_H
#define FED_GATEWAY_ADMIN_H

#include "fe-gateway/gateway_session.h"

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

/** NULL is allowed. */
void gateway_admin_free(struct gateway_admin *g);

#endif
