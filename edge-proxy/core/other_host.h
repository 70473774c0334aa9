/*
 * <see-other-host/> (RFC 6120 4.9.3.19): where a domain says it is served.
 */
#ifndef FED_EDGE_OTHER_HOST_H
#define FED_EDGE_OTHER_HOST_H

#include "base/limits.h"
#include "base/span.h"

struct other_host {
	char host[LIMIT_DOMAIN_BYTES + 1]; /* normalized domain, or an address
					    * without [] */
	bool is_address;		   /* IPv4 or IPv6 */
	uint16_t port;
};

/**
 * Read "host", "host:port", "[v6]" or "[v6]:port"; without a port it is 5269.
 *
 * @return 0; FED_EINVAL
 */
int other_host_parse(struct span text,
		     struct other_host *host_out) FED_NODISCARD;

#endif
