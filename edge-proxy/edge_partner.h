/*
 * What the domains of a partner share: how many streams they may have, and how
 * fast they may speak.  One that is over its rate is not read for a while:
 * nothing is lost, and nobody else waits.
 */
#ifndef FED_EDGE_PARTNER_H
#define FED_EDGE_PARTNER_H

#include "edge-proxy/edge.h"

struct edge_source;
struct edge_partner;

/** What becomes of a stream that is above the limit. */
enum edge_partner_when {
	EDGE_PARTNER_NEW,   /* it is refused */
	EDGE_PARTNER_THERE, /* it was there before the limit: it stays */
};

/**
 * A stream of that domain, for src to be counted in; src->partner is set.
 *
 * @return false: above the limit, or out of memory
 */
bool edge_partner_enter(struct edge_source *src, const char *domain,
			bool is_inbound, enum edge_partner_when when);

/** It is no stream of the partner's any more; may be called again. */
void edge_partner_leave(struct edge_source *src);

/** Those without streams are forgotten. */
void edge_partner_forget_all(struct edge *e);

/** So much came on the stream: src->is_paced may be true then, and its retry()
 * follows. */
void edge_partner_spend(struct edge_source *src, uint64_t stanzas,
			uint64_t bytes);

/** Do not wait any longer; retry() does not follow. */
void edge_partner_hurry(struct edge_source *src);

#endif
