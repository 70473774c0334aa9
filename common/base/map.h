/*
 * uthash as the house uses it: memory shortage is reported (the element's
 * hh.tbl stays NULL), never exit(); hash function without fall-through.
 */
#ifndef FED_BASE_MAP_H
#define FED_BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

/* FNV-1a; the tables are bounded by limits.h, so are their chains. */
static inline unsigned map_hash(const void *key, size_t n)
{
	const unsigned char *p = key;
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 16777619u;
	return h ^ (h >> 15);
}

#define HASH_NONFATAL_OOM 1
#define HASH_FUNCTION(keyptr, keylen, hashv) \
	((hashv) = map_hash(keyptr, keylen))

#include <uthash.h>

#endif
