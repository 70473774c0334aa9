/*
 * Which policy is in force: that of the last Config a gateway sent and this
 * edge took, kept on disk so that the edge starts without the inside; before
 * the first one, the host file's.
 */
#ifndef FED_EDGE_FEDERATION_H
#define FED_EDGE_FEDERATION_H

#include "edge-proxy/edge.h"

/**
 * Put the last good Config in force, or the host file's policy: e->policy is
 * set.  A file that cannot be used is an error in the log and no more.
 *
 * @return 0; FED_ENOMEM; FED_EIO no randomness
 */
int edge_federation_new(struct edge *e) FED_NODISCARD;

/** NULL content is allowed; e->policy is of no use any more. */
void edge_federation_free(struct edge *e);

/** Revision in force; 0: the host file's policy is. */
uint64_t edge_federation_revision(const struct edge *e);

/**
 * A Config of a gateway: check it, and unless it is a check only keep it on
 * disk, put it in force and look at all streams again.
 *
 * @param e    why it is refused
 * @return 0: taken, or it would be; else refused, nothing changed
 */
int edge_federation_take(struct edge *e, const Fed__Config *config,
			 struct errbuf *why) FED_NODISCARD;

#endif
