/*
 * Where to connect for an XMPP domain (RFC 6120 3.2, XEP-0368): pure
 * decisions over DNS answers, which arrive in any order.
 */
#ifndef FED_EDGE_SRV_PLAN_H
#define FED_EDGE_SRV_PLAN_H

#include "base/limits.h"
#include "base/span.h"

struct srv_record {
	uint16_t priority;
	uint16_t weight;
	uint16_t port;
	char target[256];   /* ASCII, no trailing dot; "" stands for "." */
	bool is_direct_tls; /* from _xmpps-server */
};

struct srv_plan {
	struct srv_record rec[LIMIT_SRV_TARGETS];
	size_t count;
	bool is_fallback; /* no SRV records: the domain itself, port 5269 */
};

enum srv_outcome {
	SRV_TARGETS,	/* try rec[0..count) in order */
	SRV_NO_SERVICE, /* single target ".": not offered (RFC 2782) */
};

/**
 * Order records by priority, weighted random inside (RFC 2782).
 *
 * @param records  as they came; none: fallback to the domain itself (A-label
 *                 form in `domain`), port 5269
 * @param seed     entropy for the weights, handed in
 */
enum srv_outcome srv_plan_make(struct srv_plan *plan_out,
			       const struct srv_record *records, size_t count,
			       struct span domain, uint64_t seed);

/**
 * One SRV RDATA in wire format, uncompressed.
 *
 * @return 0; FED_EINVAL
 */
int srv_record_parse(struct span rdata, bool is_direct_tls,
		     struct srv_record *rec_out) FED_NODISCARD;

#endif
