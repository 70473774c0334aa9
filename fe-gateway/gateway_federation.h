/*
 * The one source of the federation configuration: in the store under
 * revisions, here as the snapshot in force, at every edge what concerns it.
 */
#ifndef FED_GATEWAY_FEDERATION_SHELL_H
#define FED_GATEWAY_FEDERATION_SHELL_H

#include "fe-gateway/core/federation.h"
#include "fe-gateway/gateway_session.h"
#include "channel.pb-c.h"
#include "io/admin_server.h"

struct gateway_federation;

/** In force; NULL: nothing is configured.  Valid until on_change. */
const struct federation *gateway_federation_now(
	const struct gateway_federation *g);

/** The edge has a new session: it gets what is in force. */
void gateway_federation_on_session(struct gateway_federation *g, size_t edge);

/** The edge is gone: what waits for its word goes on without it. */
void gateway_federation_on_edge_down(struct gateway_federation *g, size_t edge);

/** An edge answers a Config. */
void gateway_federation_on_result(struct gateway_federation *g, size_t edge,
				  const Fed__ConfigResult *result);

/** The next response to a request about the configuration (get, apply,
 * history, status). */
enum admin_step gateway_federation_admin(struct gateway_federation *g,
					 struct admin_call *call,
					 struct arena *a,
					 Fed__AdminResponse *out);

/** The call is over. */
void gateway_federation_admin_end(struct gateway_federation *g,
				  struct admin_call *call);

/**
 * A change of our own, as if by fedctl (the steps of a migration).
 *
 * @param author  for the history
 * @param done    called once, not from inside of this call
 * @return 0; FED_EAGAIN another change is under way; FED_ENOMEM
 */
int gateway_federation_change(
	struct gateway_federation *g, const Fed__AdminFederationApply *apply,
	const char *author,
	void (*done)(const Fed__FederationChanged *changed, const char *error,
		     void *arg),
	void *arg) FED_NODISCARD;

#endif
