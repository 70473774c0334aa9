/* Rendezvous hashing with FNV-1a and a finalizer that mixes every bit. */
#include "base/rendezvous.h"

#include <string.h>

static uint64_t fnv1a(uint64_t h, struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		h ^= (unsigned char)s.p[i];
		h *= UINT64_C(0x100000001b3);
	}
	return h;
}

/* FNV alone leaves the high bits of short inputs alike: comparing weights
 * needs all of them well mixed (finalizer of splitmix64). */
static uint64_t mix(uint64_t h)
{
	h = (h ^ (h >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	h = (h ^ (h >> 27)) * UINT64_C(0x94d049bb133111eb);
	return h ^ (h >> 31);
}

uint64_t rendezvous_score(struct span key, struct span node)
{
	uint64_t k = mix(fnv1a(UINT64_C(0xcbf29ce484222325), key));
	uint64_t n = mix(fnv1a(UINT64_C(0xcbf29ce484222325), node));

	return mix(k ^ (n * UINT64_C(0x9e3779b97f4a7c15)));
}

static bool is_greater(struct span a, struct span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = n == 0 ? 0 : memcmp(a.p, b.p, n);

	return order != 0 ? order > 0 : a.n > b.n;
}

size_t rendezvous_pick(struct span key, const struct span *nodes, size_t count)
{
	size_t best = SIZE_MAX;
	uint64_t best_score = 0;

	for (size_t i = 0; i < count; i++) {
		uint64_t score = rendezvous_score(key, nodes[i]);

		if (best == SIZE_MAX || score > best_score ||
		    (score == best_score &&
		     is_greater(nodes[i], nodes[best]))) {
			best = i;
			best_score = score;
		}
	}
	return best;
}
