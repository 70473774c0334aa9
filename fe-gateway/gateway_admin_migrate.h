/*
 * fedctl migrate, the gateway's part: what is measured here, the change of a
 * partner, and the question to the SIP side who is there.
 */
#ifndef FED_GATEWAY_ADMIN_MIGRATE_H
#define FED_GATEWAY_ADMIN_MIGRATE_H

#include "fe-gateway/core/sip_types.h"
#include "fe-gateway/gateway_session.h"
#include "io/admin_server.h"

/** The next response to a request to migrate. */
enum admin_step gateway_admin_migrate(struct gateway_session *s,
				      struct admin_server *server,
				      struct admin_call *call, struct arena *a,
				      Fed__AdminResponse *out);

/** The call is over. */
void gateway_admin_migrate_end(struct gateway_session *s,
			       struct admin_call *call);

/* --- gateway_admin_ask.c: "ASK" of the above ------------------------------ */

/** The next response: users of whom the SIP side said something since the one
 * before, and those of whom it will not. */
enum admin_step gateway_admin_ask(struct gateway_session *s,
				  struct admin_server *server,
				  struct admin_call *call, struct arena *a,
				  Fed__AdminResponse *out);

/** A client transaction ended; false: it was none of a question to the SIP
 * side. */
bool gateway_admin_migrate_on_response(struct gateway_session *s,
				       uint64_t token,
				       const struct sip_response_in *r);

/** The call is over: what is still answered is dropped. */
void gateway_admin_ask_end(struct gateway_session *s, struct admin_call *call);

#endif
