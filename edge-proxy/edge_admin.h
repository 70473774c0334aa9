/*
 * The edge's answers on its admin socket.
 */
#ifndef FED_EDGE_ADMIN_H
#define FED_EDGE_ADMIN_H

#include "edge-proxy/edge.h"
#include "edge-proxy/edge_check.h"
#include "io/admin_server.h"
#include "io/chan_link.h"

/** Listen at admin.socket; e->admin.  @return as admin_server_new() */
int edge_admin_new(struct edge *e, struct errbuf *err) FED_NODISCARD;

/** A gateway passes a request on; as edge_relays_take(). */
void edge_admin_on_relay(struct edge *e, uint64_t gateway,
			 struct chan_link *link, const Fed__AdminRelay *relay);

/** The next response to a request, wherever it came from: who is told when it
 * has to wait.  edge_check_end() is due behind it. */
enum admin_step edge_admin_answer(struct edge *e, struct admin_call *call,
				  const struct edge_asker *asker,
				  struct arena *a, Fed__AdminResponse *out);

/** NULL is allowed. */
void edge_admin_free(struct edge_admin *ea);

#endif
