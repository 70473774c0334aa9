/*
 * Which frame may come when, from whom and how large: one table, as a privsep
 * monitor has it.  And what the fields inside may hold.
 */
#ifndef FED_CHAN_CHAN_RULES_H
#define FED_CHAN_CHAN_RULES_H

#include "base/span.h"
#include "channel.pb-c.h"

enum chan_sender { CHAN_BY_EDGE = 1, CHAN_BY_GATEWAY = 2, CHAN_BY_BOTH = 3 };

/* Where in a connection's life a frame is allowed. */
enum chan_phase { CHAN_IN_HELLO = 1, CHAN_IN_OPEN = 2 };

struct chan_rule {
	Fed__Frame__KindCase kind;
	const char *name;
	unsigned senders; /* enum chan_sender */
	unsigned phases;  /* enum chan_phase */
	size_t max_bytes; /* of the packed frame */
	bool is_reliable; /* seq != 0 */
	bool is_callers;  /* chan_core_send_frame() sends it, FRAME shows it */
};

/** The rule of a kind; NULL: there is no such frame. */
const struct chan_rule *chan_rule_of(Fed__Frame__KindCase kind);

/**
 * Every string is UTF-8 and every enum value one that is defined, at any
 * depth; a Stanza inside is left to stanza_validate().
 */
bool chan_message_is_clean(const ProtobufCMessage *m);

/** A StanzaFrame from that side is complete and its Stanza valid; NULL when
 * it is, otherwise what is wrong. */
const char *chan_stanza_problem(const Fed__StanzaFrame *f, bool is_from_edge);

/* Drop const for a generated struct that is only packed: protobuf-c's structs
 * have no const members, its pack functions do not write. */
static inline void *chan_unconst(const void *p)
{
	return (void *)(uintptr_t)p;
}

#endif
