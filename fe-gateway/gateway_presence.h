/*
 * The core of presence with what it needs of this process: settings from the
 * host file, rows from and to the store.
 */
#ifndef FED_GATEWAY_PRESENCE_SHELL_H
#define FED_GATEWAY_PRESENCE_SHELL_H

#include "fe-gateway/core/presence.h"
#include "fe-gateway/gateway_config.h"
#include "io/loop.h"

struct gateway_presence;

struct gateway_presence_params {
	const struct gateway_config *config;
	struct loop *loop;
	struct id_source *ids;
	struct metrics *metrics;
	const char *next_hop;	 /* borrowed; NULL: none */
	const char *branch_mark; /* borrowed */
	/* Rows up to seq are durable: for gw_router_on_committed(). */
	void (*on_committed)(uint64_t seq, void *arg);
	void *arg;
};

/**
 * Open the store and take up what the last run left.
 *
 * @return 0; as store_open(), with its sentence in `e`
 */
int gateway_presence_new(struct gateway_presence **g_out,
			 const struct gateway_presence_params *p,
			 struct errbuf *e) FED_NODISCARD;

/** Write what was put; NULL is allowed. */
void gateway_presence_free(struct gateway_presence *g);

struct presence *gateway_presence_core(struct gateway_presence *g);

/** Carry out GW_ACT_STORE.
 * @return as store_put(): the row was not taken, which is logged once */
int gateway_presence_put(struct gateway_presence *g,
			 const struct presence_row *row,
			 uint64_t seq) FED_NODISCARD;

#endif
