/*
 * How many of something each name has: streams of an address, of a domain.
 */
#ifndef FED_EDGE_COUNT_H
#define FED_EDGE_COUNT_H

#include <stdbool.h>
#include <stddef.h>

struct edge_count_entry;

struct edge_count {
	struct edge_count_entry *entries; /* zero-initialize */
};

/** One more for the name; false when it has `max` already (or no memory). */
bool edge_count_add(struct edge_count *c, const char *name, unsigned max);

/** One less; names at zero are forgotten. */
void edge_count_drop(struct edge_count *c, const char *name);

enum { EDGE_SOURCE_BYTES = 64 };

/**
 * The part of "192.0.2.1:5269" or "[2001:db8::1]:5269" that stands for one
 * source: the IPv4 address, the /64 of an IPv6 address.
 */
void edge_source_of(const char *address, char out[EDGE_SOURCE_BYTES]);

#endif
