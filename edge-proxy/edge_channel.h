/*
 * The gateways of this edge: which of them gets a stanza, who waits for its
 * window, what was returned.  Private to edge_channel*.c and edge_line.c; the
 * other parts use edge.h.
 */
#ifndef FED_EDGE_CHANNEL_H
#define FED_EDGE_CHANNEL_H

#include "edge-proxy/edge.h"
#include "io/chan_link.h"

struct edge_gateway {
	uint64_t number; /* in struct edge_origin, never reused */
	struct chan_link *link;
	bool is_up;
	bool is_draining;	/* it takes no new stanzas */
	bool is_given_up;	/* its session was ended: GONE follows */
	uint64_t down_ms;	/* when it went down */
	struct edge_wait *line; /* streams that wait for its window */
	struct edge_gateway *prev;
	struct edge_gateway *next;
};

/* A stanza that came back without an outcome, packed. */
struct edge_returned {
	uint64_t start_ms;
	struct edge_returned *prev;
	struct edge_returned *next;
	size_t n;
	uint8_t frame[];
};

struct edge_channel {
	struct edge *e;
	struct chan_server **servers;
	struct edge_gateway *gateways;
	struct edge_configs *configs; /* by name, in the host file's order */
	uint64_t last_number;
	struct edge_wait *line;		/* streams that wait for any gateway */
	struct edge_returned *returned; /* before all others */
	size_t returned_count;
	uint64_t alone_ms; /* since when there is no gateway */
	struct loop_deferred work;
	struct loop_timer *timer;
	bool is_draining;
};

/* --- edge_channel_config.c ------------------------------------------------ */

/** @return 0; FED_ENOMEM: edge_configs_free() all the same */
int edge_configs_new(struct edge_channel *ch) FED_NODISCARD;

void edge_configs_free(struct edge_channel *ch);

/** A Config of a gateway: it is answered, now or when its turn comes. */
void edge_configs_take(struct edge_channel *ch, struct edge_gateway *gw,
		       const Fed__Config *config);

/** The session is over: nobody waits for what it asked. */
void edge_configs_drop(struct edge_channel *ch, const struct edge_gateway *gw);

/* --- edge_line.c ---------------------------------------------------------- */

/** Owner of a stanza to that address among the gateways that are there, or
 * were a moment ago; NULL: none. */
struct edge_gateway *edge_line_pick(struct edge_channel *ch, const char *to);

/** Keep a stanza that a gateway gave back. */
void edge_line_return(struct edge_channel *ch, const Fed__StanzaFrame *frame,
		      uint64_t start_ms);

/** Let those in line go on, as far as windows allow; arms the timer. */
void edge_line_run(struct edge_channel *ch);

/** The gateway is gone or takes nothing more: its line moves to the other
 * ones. */
void edge_line_move(struct edge_channel *ch, struct edge_gateway *gw);

/** Free what was returned. */
void edge_line_clear(struct edge_channel *ch);

/** The ledger's line of a stanza to the inside. */
void edge_line_log(struct edge_channel *ch, const Fed__StanzaFrame *frame,
		   uint64_t start_ms, const char *outcome);

#endif
