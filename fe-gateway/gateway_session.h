/*
 * The running gateway: one channel link per configured edge, the SIP side,
 * and the router between them.
 */
#ifndef FED_GATEWAY_SESSION_H
#define FED_GATEWAY_SESSION_H

#include "base/digest.h"
#include "base/metrics.h"
#include "fe-gateway/gateway_config.h"
#include "fe-gateway/sip_loop.h"

struct gateway_session;

/**
 * Bind the SIP addresses and begin to dial the edges.
 *
 * @param config,loop,ids,metrics  borrowed
 * @param e  one sentence why not
 * @return 0; FED_EIO; FED_ECONFIG; FED_ENOMEM
 */
int gateway_session_new(struct gateway_session **s_out,
			const struct gateway_config *config,
			struct sip_loop *loop, struct id_source *ids,
			struct metrics *metrics,
			struct errbuf *e) FED_NODISCARD;

/** Take nothing new, answer what is held, then stop the loop. */
void gateway_session_stop(struct gateway_session *s);

/** NULL is allowed. */
void gateway_session_free(struct gateway_session *s);

#endif
