/*
 * A stanza of an authenticated peer, read and checked against the domain pairs
 * of its stream.  Private to the s2s cores.
 */
#ifndef FED_EDGE_S2S_STANZA_H
#define FED_EDGE_S2S_STANZA_H

#include "edge-proxy/core/s2s.h"
#include "edge-proxy/core/xml_reader.h"

/* A domain pair from which stanzas are taken. */
struct s2s_stanza_pair {
	struct s2s_pair pair;
	Fed__Mechanism mechanism;
};

/* The authenticated pair of these domains; local NULL: any of the remote one.
 * Returns false: none. */
typedef bool (*s2s_stanza_find_fn)(void *arg, struct span remote,
				   const struct span *local,
				   struct s2s_stanza_pair *pair_out);

struct s2s_stanza_source {
	struct arena *arena; /* the stanza's; reset by the owner */
	struct metrics *metrics;
	const char *lang; /* of the stream, or NULL */
	s2s_stanza_find_fn find;
	void *arg; /* of find */
};

/**
 * Read a first-level element in jabber:server.
 *
 * @param action_out      STANZA, or REPLY with what to answer; lives as the
 *                        arena's content
 * @param has_action_out  false: the protocol says to ignore it
 * @return S2S_NO_CONDITION, or the stream error to close with
 */
enum s2s_condition s2s_stanza_take(const struct s2s_stanza_source *src,
				   const struct xml_el *el,
				   struct s2s_action *action_out,
				   bool *has_action_out);

#endif
