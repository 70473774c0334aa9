/*
 * Our structs to sofia's messages: a part of the adapter.
 */
#ifndef FED_GATEWAY_SIP_ADAPTER_WRITE_H
#define FED_GATEWAY_SIP_ADAPTER_WRITE_H

#include "fe-gateway/sip_adapter_read.h"

/* What a message says of this gateway. */
struct sip_adapter_own {
	const sip_via_t *vias; /* of the agent: all addresses */
	const char *instance;  /* host in Warning; of responses */
	enum sip_transport transport;
	const char *peer_ip;
};

/* A client transaction to be. */
struct sip_adapter_start {
	nta_agent_t *agent;
	nta_leg_t *leg;
	nta_response_f *fn;
	struct sip_client *client;
};

/** Send the request; NULL: it could not be made. */
nta_outgoing_t *sip_adapter_start(const struct sip_adapter_start *s,
				  const struct sip_request_out *r,
				  const struct sip_target *t,
				  const struct sip_adapter_own *own);

/** Send the request of that transaction on as it came, but for branch and
 * Max-Forwards of `r`, our Via, and a Route that only led here; NULL: it could
 * not be made. */
nta_outgoing_t *sip_adapter_start_passed(const struct sip_adapter_start *s,
					 nta_incoming_t *irq,
					 const struct sip_request_out *r,
					 const struct sip_target *t,
					 const struct sip_adapter_own *own);

/** Answer with a response to such a request, without our Via.
 * @return 0; FED_EPROTO it is NULL, or no answer to that request; FED_EIO */
int sip_adapter_pass_answer(nta_incoming_t *irq, msg_t *answer) FED_NODISCARD;

/** Where requests to that target go, as the library wants it. */
void sip_adapter_print_target(const struct sip_target *t, char *out,
			      size_t size);

/** Answer; the transaction stays. @return 0; FED_EIO */
int sip_adapter_answer(nta_incoming_t *irq, const struct sip_reply *r,
		       const struct sip_adapter_own *own) FED_NODISCARD;

/** As sip_adapter_via_bytes(). */
size_t sip_adapter_via_line(const sip_via_t *vias,
			    enum sip_transport transport);

/** As sip_adapter_contact_bytes(). */
size_t sip_adapter_contact_line(const sip_via_t *vias,
				enum sip_transport transport);

#endif
