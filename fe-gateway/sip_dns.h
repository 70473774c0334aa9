/*
 * DNS of the SIP side: asks what hop_plan wants to know.
 */
#ifndef FED_GATEWAY_SIP_DNS_H
#define FED_GATEWAY_SIP_DNS_H

#include "fe-gateway/core/hop_plan.h"
#include "io/dns_resolver.h"

struct sip_dns;

/** Called once for each sip_dns_resolve(), never from inside it. */
typedef void (*sip_dns_fn)(void *arg, uint64_t hop, enum next_hop_result result,
			   const struct next_hop_found *found, size_t count,
			   uint64_t ttl_ms);

/**
 * @param resolver    borrowed
 * @param transports  that addresses are bound of: 1 << transport
 * @return 0; FED_ENOMEM
 */
int sip_dns_new(struct sip_dns **d_out, struct loop *loop,
		struct dns_resolver *resolver, unsigned transports,
		sip_dns_fn fn, void *arg) FED_NODISCARD;

/** Forget all questions; before the resolver goes.  NULL is allowed. */
void sip_dns_free(struct sip_dns *d);

/** @return 0; FED_ENOMEM */
int sip_dns_resolve(struct sip_dns *d, uint64_t hop,
		    const struct hop_uri *uri) FED_NODISCARD;

#endif
