/*
 * The core of presence with what it needs of this process: settings from the
 * host file, rows from and to the store.
 */
#ifndef FED_GATEWAY_PRESENCE_SHELL_H
#define FED_GATEWAY_PRESENCE_SHELL_H

#include "fe-gateway/core/presence.h"
#include "fe-gateway/gateway_config.h"
#include "fe-gateway/store.h"
#include "io/loop.h"

struct gateway_presence;

struct gateway_presence_params {
	const struct gateway_config *config;
	struct loop *loop;
	struct id_source *ids;
	struct metrics *metrics;
	const char *next_hop;	 /* borrowed; NULL: none */
	const char *branch_mark; /* borrowed */
	struct store *store;	 /* borrowed */
};

/**
 * Take up what the last run left.
 *
 * @return 0; as store_load(), with a sentence in `e`
 */
int gateway_presence_new(struct gateway_presence **g_out,
			 const struct gateway_presence_params *p,
			 struct errbuf *e) FED_NODISCARD;

/** After the store was closed; NULL is allowed. */
void gateway_presence_free(struct gateway_presence *g);

struct presence *gateway_presence_core(struct gateway_presence *g);

/** Carry out GW_ACT_STORE.
 * @return as store_put(): the row was not taken, which is logged once */
int gateway_presence_put(struct gateway_presence *g,
			 const struct presence_row *row,
			 uint64_t seq) FED_NODISCARD;

#endif
