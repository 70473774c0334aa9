/*
 * How far a word is from the one that was meant.
 */
#ifndef FED_BASE_SLIP_H
#define FED_BASE_SLIP_H

#include "base/span.h"

enum {
	SLIP_NEAR = 2, /* up to that distance a slip is likely */
	SLIP_WORD_BYTES = 48,
};

/** Letters to change, insert or leave out (Levenshtein); SIZE_MAX: one of
 * them is longer than SLIP_WORD_BYTES. */
size_t slip_distance(struct span a, struct span b);

#endif
