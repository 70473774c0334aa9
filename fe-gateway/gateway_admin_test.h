/*
 * Synthetic transactions under way: what fedctl's "test" begins, the session
 * tells what comes of it.
 */
#ifndef FED_GATEWAY_ADMIN_TEST_H
#define FED_GATEWAY_ADMIN_TEST_H

#include "fe-gateway/gateway_session.h"
#include "fe-gateway/core/sip_types.h"
#include "io/admin_server.h"

struct gateway_tests;

/** @param s  borrowed. @return 0; FED_ENOMEM */
int gateway_tests_new(struct gateway_tests **t_out, struct gateway_session *s,
		      struct id_source *ids) FED_NODISCARD;

/** NULL is allowed. */
void gateway_tests_free(struct gateway_tests *t);

/** The next response to a request for a test. */
enum admin_step gateway_tests_more(struct gateway_tests *t,
				   struct admin_server *server,
				   struct admin_call *call, struct arena *a,
				   Fed__AdminResponse *out);

/** The call is over. */
void gateway_tests_end(struct gateway_tests *t, struct admin_call *call);

/* --- what the session tells; t NULL is allowed: nothing is tested yet ----- */

/** Is the reply for a request of a test?  Then it must not go to the SIP
 * side. */
bool gateway_tests_on_reply(struct gateway_tests *t, uint64_t handle,
			    const struct sip_reply *reply);

/** Is the request one to a test?  Then it must not leave, and is answered as
 * by a client. */
bool gateway_tests_on_request(struct gateway_tests *t,
			      const struct sip_request_out *request);

/** What an edge says of a stanza of ours; refused NULL: delivered. */
void gateway_tests_on_outcome(struct gateway_tests *t,
			      const Fed__Stanza *stanza, const char *edge,
			      const Fed__Error *refused);

/** A stanza came from an edge. */
void gateway_tests_on_stanza(struct gateway_tests *t,
			     const Fed__Stanza *stanza);

#endif
