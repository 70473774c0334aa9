/*
 * Requests on their way out: next_hop decides where, DNS and the adapter do
 * it.
 */
#ifndef FED_GATEWAY_SIP_HOPS_H
#define FED_GATEWAY_SIP_HOPS_H

#include "fe-gateway/core/next_hop.h"
#include "fe-gateway/sip_adapter.h"

struct sip_hops;

struct sip_hops_params {
	struct sip_adapter *adapter;
	/* but for transports and contact_bytes */
	struct next_hop_params core;
	struct loop *loop;
	const char *const *dns_servers; /* none: /etc/resolv.conf */
	size_t dns_count;
	/* once for each sip_hops_send(), perhaps from inside of it */
	sip_adapter_response_fn fn;
	/* A next hop may have been born again: a host, as in NEXT_HOP_ACT_BACK
	 */
	void (*on_back)(const char *host, void *arg);
	void *arg;
};

/** @return 0; FED_ECONFIG; FED_EDNS; FED_EIO; FED_ENOMEM */
int sip_hops_new(struct sip_hops **h_out, const struct sip_hops_params *p,
		 struct errbuf *e) FED_NODISCARD;

/** Before the adapter; NULL is allowed. */
void sip_hops_free(struct sip_hops *h);

/** Send; a request that cannot be is answered like one that failed. */
void sip_hops_send(struct sip_hops *h, uint64_t token,
		   const struct sip_request_out *request);

/** As next_hops_set_legacy(). */
int sip_hops_set_legacy(struct sip_hops *h, const char *uri) FED_NODISCARD;

/** As next_hops_ask(). */
void sip_hops_ask(struct sip_hops *h);

/** As next_hops_health(). */
enum next_hop_health sip_hops_health(struct sip_hops *h, bool of_legacy);

/** Look whether connections to next hops have ended, now and then. */
void sip_hops_look(struct sip_hops *h);

/** What the adapter says of a transaction. */
void sip_hops_on_response(struct sip_hops *h, uint64_t token,
			  const struct sip_response_in *response);

#endif
