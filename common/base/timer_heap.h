/*
 * Many deadlines, one timer: a binary heap of nodes that their owners embed.
 * Setting, moving and taking out cost O(log n) and no memory but the heap's
 * array of pointers.
 */
#ifndef FED_BASE_TIMER_HEAP_H
#define FED_BASE_TIMER_HEAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* All zero: not in a heap. */
struct timer_node {
	uint64_t at_ms;
	size_t place; /* 1..: in the heap; 0: in none */
};

/* All zero is an empty one. */
struct timer_heap {
	struct timer_node **nodes; /* [0] is never used */
	size_t count;
	size_t room;
};

/** Free the array; nodes are their owners'. */
void timer_heap_deinit(struct timer_heap *h);

/**
 * Make room for so many nodes in all, so that setting them cannot fail.
 *
 * @return 0; FED_ENOMEM
 */
int timer_heap_reserve(struct timer_heap *h, size_t count) FED_NODISCARD;

/** Put the node in, or move it; UINT64_MAX takes it out.  One that is not in
 * needs room that timer_heap_reserve() made. */
void timer_heap_set(struct timer_heap *h, struct timer_node *n, uint64_t at_ms);

/** The earliest deadline; UINT64_MAX: none. */
uint64_t timer_heap_deadline_ms(const struct timer_heap *h);

/** Take out the earliest node if it is due; NULL: none is. */
struct timer_node *timer_heap_pop(struct timer_heap *h, uint64_t now_ms);

#endif
