/*
 * Reading sofia's parsed messages into our structs: a part of the adapter.
 */
#ifndef FED_GATEWAY_SIP_ADAPTER_READ_H
#define FED_GATEWAY_SIP_ADAPTER_READ_H

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

/** URI of the first Contact, in buf; empty when there is none or it is too
 * long. */
struct span sip_adapter_contact(sip_t const *sip, char *buf, size_t size);

#endif
