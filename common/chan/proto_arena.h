/*
 * protobuf-c's memory from an arena: what a peer's message makes us allocate
 * is bounded, and freed at once.
 */
#ifndef FED_CHAN_PROTO_ARENA_H
#define FED_CHAN_PROTO_ARENA_H

#include <protobuf-c/protobuf-c.h>

#include "base/arena.h"

struct proto_arena {
	ProtobufCAllocator allocator; /* for an _unpack() function */
	struct arena *arena;
	/* the arena says NULL for both; only one of them is the peer's
	 * fault */
	bool is_out_of_memory;
};

/** Borrows the arena; must not move afterwards. */
void proto_arena_init(struct proto_arena *m, struct arena *a);

/** Why nothing was unpacked. @return FED_ENOMEM; FED_EPROTO not such a
 * message, or its objects pass the arena's maximum */
int proto_arena_problem(const struct proto_arena *m);

#endif
