/*
 * A borrowed run of bytes with its length: wire data is never a char pointer
 * with a hidden end.  A span never outlives the memory it points into.
 */
#ifndef FED_BASE_SPAN_H
#define FED_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct span {
	const char *p; /* may be NULL when n is 0; not NUL-terminated */
	size_t n;      /* bytes */
};

#define SPAN_NULL ((struct span){NULL, 0})

/* A span over a string literal, without its NUL. */
#define SPAN_LIT(s) ((struct span){"" s, sizeof(s) - 1})

/** Span over n bytes at p. */
static inline struct span span_of(const void *p, size_t n)
{
	return (struct span){p, n};
}

/** Span over a C string; NULL gives the empty span. */
struct span span_str(const char *s);

/** Same bytes. */
bool span_eq(struct span a, struct span b);

/** Same bytes as the C string. */
bool span_eq_str(struct span a, const char *s);

/** Same bytes, ASCII letters compared without case. */
bool span_ieq(struct span a, struct span b);

/** a begins with prefix. */
bool span_starts(struct span a, struct span prefix);

/** a ends with suffix. */
bool span_ends(struct span a, struct span suffix);

/** Index of the first c at or after from; SIZE_MAX when there is none. */
size_t span_find(struct span a, char c, size_t from);

/** Sub-span [from, to); both are clamped to the span. */
struct span span_sub(struct span a, size_t from, size_t to);

/** Without ASCII blanks (space, tab, CR, LF) at both ends. */
struct span span_trim(struct span a);

/**
 * Decimal digits only, no sign, no blanks.
 *
 * @return 0; FED_EINVAL not a number or above UINT32_MAX
 */
int span_to_u32(struct span a, uint32_t *value_out) FED_NODISCARD;

/** The bytes are UTF-8 (RFC 3629) without NUL. */
bool span_is_utf8(struct span a);

/** What is cut off in the middle of a character, or was never UTF-8, becomes
 * "?": it must not reach a protobuf string. */
void span_make_utf8(char *s);

/**
 * Copy into a new NUL-terminated string.
 *
 * @return malloc'd, caller frees; NULL when out of memory
 */
char *span_dup(struct span a) FED_NODISCARD;

#endif
