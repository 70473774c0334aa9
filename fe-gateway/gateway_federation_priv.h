/*
 * Inside of gateway_federation*.c.
 */
#ifndef FED_GATEWAY_FEDERATION_PRIV_H
#define FED_GATEWAY_FEDERATION_PRIV_H

#include "base/limits.h"
#include "fe-gateway/gateway_federation.h"

/* Somebody waits for the end of a change. */
struct federation_waiter {
	uint64_t token;
	gateway_federation_done_fn done; /* NULL: nobody any more */
	void *arg;
	bool is_refused; /* at once, with error */
	struct errbuf error;
	struct federation_waiter *prev;
	struct federation_waiter *next;
};

struct gateway_federation {
	struct gateway_federation_params p;
	struct federation_change *core;
	struct loop_timer *timer; /* deadline of the core */
	struct loop_deferred work;
	struct store_question *question; /* of a rollback; NULL: none */
	struct federation_waiter *waiters;
	uint64_t last_token;
	bool is_pumping;
};

#endif
