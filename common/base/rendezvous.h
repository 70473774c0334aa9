/*
 * Rendezvous (highest random weight) hashing: everybody who knows the same
 * nodes picks the same one for a key, and only the keys of a lost node move.
 */
#ifndef FED_BASE_RENDEZVOUS_H
#define FED_BASE_RENDEZVOUS_H

#include "base/span.h"

/**
 * Weight of a node for a key: the node with the highest one is the owner.
 * Depends on the bytes only, the same on every host and in every version.
 */
uint64_t rendezvous_score(struct span key, struct span node);

/**
 * Owner of a key.  Equal weights: the greater name (byte order) wins, so the
 * order of the list does not matter.
 *
 * @param key    such as the bare SIP user, or the remote domain
 * @param nodes  instance names, each once
 * @return index into nodes; SIZE_MAX when count is 0
 */
size_t rendezvous_pick(struct span key, const struct span *nodes, size_t count);

#endif
