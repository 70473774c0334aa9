/*
 * Judgement of what DNS says of a domain: ours, or a partner's.
 */
#ifndef FED_EDGE_CHECK_DNS_H
#define FED_EDGE_CHECK_DNS_H

#include "edge-proxy/core/check.h"
#include "edge-proxy/core/dns_facts.h"

/* A socket that takes XMPP streams. */
struct check_listener {
	struct dns_facts_address address;
	bool is_any; /* on all addresses of the host */
	bool is_direct_tls;
	uint16_t port;
};

struct check_dns {
	const char *domain; /* A-label form */
	const struct dns_facts *facts;
	bool is_anchored; /* DNSSEC is looked at */
	/* ours */
	const struct check_listener *listener;
	size_t listener_count;
	const struct dns_facts_address *own; /* of the host, no loopback */
	size_t own_count;
};

/** A domain that is served here: do the records lead here, and what would have
 * to be published. */
void check_dns_own(struct check *c, const struct check_dns *p);

/** A partner's: what it publishes, in order of use. */
void check_dns_partner(struct check *c, const struct check_dns *p);

#endif
