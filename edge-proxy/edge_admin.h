/*
 * The edge's answers on its admin socket.
 */
#ifndef FED_EDGE_ADMIN_H
#define FED_EDGE_ADMIN_H

#include "edge-proxy/edge.h"

/** Listen at admin.socket; e->admin.  @return as admin_server_new() */
int edge_admin_new(struct edge *e, struct errbuf *err) FED_NODISCARD;

/** NULL is allowed. */
void edge_admin_free(struct edge_admin *ea);

#endif
