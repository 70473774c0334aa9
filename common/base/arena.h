/*
 * Bump allocator with a hard maximum: everything that belongs to one stanza
 * or one frame is freed at once.
 */
#ifndef FED_BASE_ARENA_H
#define FED_BASE_ARENA_H

#include "base/span.h"

struct arena_block;

struct arena {
	struct arena_block *head; /* newest block */
	size_t used_bytes;	  /* given out since the last reset */
	size_t max_bytes;
};

/** Empty arena that will give out at most max_bytes. */
void arena_init(struct arena *a, size_t max_bytes);

/** Free everything. */
void arena_deinit(struct arena *a);

/** Take back all that was given out; one block is kept for reuse. */
void arena_reset(struct arena *a);

/**
 * n bytes, aligned for any type, zeroed.
 *
 * @return NULL over the maximum or out of memory
 */
void *arena_alloc(struct arena *a, size_t n) FED_NODISCARD;

/** Copy of s with a NUL behind it; NULL as arena_alloc(). */
char *arena_dup(struct arena *a, struct span s) FED_NODISCARD;

/** printf into the arena; NULL as arena_alloc(). */
char *arena_printf(struct arena *a, const char *fmt, ...)
	FED_PRINTF(2, 3) FED_NODISCARD;

/**
 * Append an element to an array of pointers that lives in the arena (as
 * protobuf-c's repeated fields): *items grows to *count + 1 entries.
 *
 * @return 0; FED_ENOMEM
 */
int arena_append(struct arena *a, void ***items, size_t *count,
		 void *item) FED_NODISCARD;

#endif
