/* RFC 2782: by rank, then by weight; what failed lately comes last. */
#include "fe-gateway/core/next_hop_priv.h"

/* What a target must be like, from the best to what there is. */
enum choice { CHOICE_GOOD, CHOICE_AVOIDED, CHOICE_REFUSING, CHOICES };

static bool was_tried(const struct hop_flight *f, const struct hop_target *t)
{
	for (unsigned i = 0; i < f->tries; i++)
		if (f->tried[i] == t->id)
			return true;
	return false;
}

static bool fits(const struct hop_target *t, const struct hop_flight *f,
		 enum choice choice, uint64_t now_ms)
{
	if (was_tried(f, t))
		return false;
	switch (choice) {
	case CHOICE_GOOD:
		return !t->is_down && t->avoid_ms <= now_ms;
	case CHOICE_AVOIDED:
		return !t->is_down;
	case CHOICE_REFUSING:
		/* says no at once, or is back: the sender need not wait */
		return !t->is_mute;
	case CHOICES:
		break;
	}
	return false;
}

/* splitmix64: the number of the request is all the entropy there is to be */
static uint64_t scatter(uint64_t z)
{
	z = (z + 0x9E3779B97F4A7C15u) * 0xBF58476D1CE4E5B9u;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
	return z ^ (z >> 31);
}

/* First target of each host in the lowest rank, by index. */
static size_t candidates(struct hop *hop, const struct hop_flight *f,
			 enum choice choice, uint64_t now_ms,
			 struct hop_target *out[LIMIT_HOP_TARGETS])
{
	size_t n = 0;

	for (size_t i = 0; i < hop->count; i++) {
		struct hop_target *t = &hop->targets[i];

		if (!fits(t, f, choice, now_ms))
			continue;
		if (n > 0 && t->found.rank > out[0]->found.rank)
			continue;
		if (n > 0 && t->found.rank < out[0]->found.rank)
			n = 0;
		if (n > 0 && t->found.group == out[n - 1]->found.group)
			continue;
		out[n++] = t;
	}
	return n;
}

static struct hop_target *by_weight(struct hop_target *const *c, size_t n,
				    uint64_t random)
{
	uint64_t sum = 0;
	uint64_t at;

	for (size_t i = 0; i < n; i++)
		sum += c[i]->found.weight;
	if (sum == 0)
		return c[random % n];
	at = random % sum;
	for (size_t i = 0; i < n; i++) {
		if (at < c[i]->found.weight)
			return c[i];
		at -= c[i]->found.weight;
	}
	return c[n - 1];
}

struct hop_target *next_hop_pick(struct hop *hop, const struct hop_flight *f,
				 uint64_t now_ms)
{
	struct hop_target *c[LIMIT_HOP_TARGETS];

	for (unsigned choice = 0; choice < CHOICES; choice++) {
		size_t n = candidates(hop, f, (enum choice)choice, now_ms, c);

		if (n > 0)
			return by_weight(c, n, scatter(f->number));
	}
	return NULL;
}
