/*
 * The URI of a next hop, as RFC 3263 looks at it: host, port, transport,
 * maddr.
 */
#ifndef FED_GATEWAY_HOP_URI_H
#define FED_GATEWAY_HOP_URI_H

#include "fe-gateway/core/sip_types.h"

struct hop_uri {
	bool is_sips;
	bool has_transport;
	enum sip_transport transport;
	uint16_t port;		   /* 0: none */
	char host[SIP_HOST_BYTES]; /* ASCII; an IPv6 address without brackets */
	char maddr[SIP_HOST_BYTES]; /* "": none; stands in for host, but not
				     * for the name of a certificate */
};

/**
 * Read sip: and sips: URIs; userinfo and other parameters are skipped.
 *
 * @return 0; FED_EPROTO another scheme, or a transport that we do not have
 *         FED_EINVAL malformed
 */
int hop_uri_parse(struct span uri, struct hop_uri *out) FED_NODISCARD;

/** What is to be found: maddr, or else host. */
const char *hop_uri_target(const struct hop_uri *u);

/** The text is an IPv4 or IPv6 address, without brackets. */
bool hop_uri_is_ip(const char *text);

/** 5061 for TLS, else 5060. */
uint16_t hop_uri_default_port(enum sip_transport t);

/** "udp", "tcp" or "tls". */
const char *hop_uri_transport_name(enum sip_transport t);

#endif
