/*
 * Reading sofia's parsed messages into our structs: a part of the adapter.
 */
#ifndef FED_GATEWAY_SIP_ADAPTER_READ_H
#define FED_GATEWAY_SIP_ADAPTER_READ_H

/* what the library's callbacks get, for all parts of the adapter */
#define NTA_AGENT_MAGIC_T struct sip_adapter
#define NTA_OUTGOING_MAGIC_T struct sip_client
#include <sofia-sip/nta.h>
#include <sofia-sip/sip.h>

#include "base/limits.h"
#include "fe-gateway/core/sip_types.h"

/* Texts that sofia does not have as such. */
struct sip_adapter_text {
	char request_uri[LIMIT_SIP_URI_BYTES];
	char from_uri[LIMIT_SIP_URI_BYTES];
	char to_uri[LIMIT_SIP_URI_BYTES];
	char require[512];
	char source[64];
	size_t bytes; /* of the message */
	char contact[LIMIT_SIP_CONTACT_BYTES];
	char record_routes[LIMIT_DIALOG_ROUTES_BYTES];
	char accept[LIMIT_SIP_ACCEPT_BYTES];
	char state[LIMIT_SIP_STATE_BYTES];
	char branches[LIMIT_SIP_BRANCHES_BYTES];
};

/* The same of a response. */
struct sip_adapter_response_text {
	char contact[LIMIT_SIP_CONTACT_BYTES];
	char record_routes[LIMIT_DIALOG_ROUTES_BYTES];
};

/* What stands for a Request-URI that is none (sip_adapter_parse.c). */
#define SIP_ADAPTER_BAD_URI "malformed:uri"

/** Fill `r` but for its handle; spans point into sip and text, whose source is
 * filled already. */
void sip_adapter_read(sip_t const *sip, struct sip_adapter_text *text,
		      struct sip_request_in *r);

/** The address it came from, in buf, as inet_ntop() prints it and as the
 * configuration has it; IPv4 never mapped. */
struct span sip_adapter_source(msg_t *msg, char *buf, size_t size);

/** It came over UDP; sofia took no message whose Via says another transport
 * than it came on. */
bool sip_adapter_is_udp(sip_t const *sip);

/** The transport it came over. */
enum sip_transport sip_adapter_transport(sip_t const *sip);

/** Fill what a final response says; a header that does not fit is left out:
 * who cannot read a dialog's Contact has no dialog. */
void sip_adapter_read_response(sip_t const *sip,
			       struct sip_adapter_response_text *text,
			       struct sip_response_in *r);

#endif
