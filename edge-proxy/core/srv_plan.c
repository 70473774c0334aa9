/* SRV records in the order to try them. */
#include "edge-proxy/core/srv_plan.h"

#include <string.h>

#include "base/dns_rdata.h"

enum {
	SRV_FALLBACK_PORT = 5269, /* RFC 6120 3.2.2 */
	SRV_FIXED_BYTES = 6,	  /* priority, weight, port */
};

/* ---- order --------------------------------------------------------------- */

/* splitmix64: enough to spread load, the seed is the entropy */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9E3779B97F4A7C15u;

	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
	return z ^ (z >> 31);
}

/* Sorted by priority, zero weights in front of others (RFC 2782).  When there
 * is no room the last one has to go. */
static void insert(struct srv_plan *p, const struct srv_record *r)
{
	size_t i = p->count;
	bool is_full = p->count == LIMIT_SRV_TARGETS;

	while (i > 0 && (p->rec[i - 1].priority > r->priority ||
			 (p->rec[i - 1].priority == r->priority &&
			  p->rec[i - 1].weight > 0 && r->weight == 0)))
		i--;
	if (i == LIMIT_SRV_TARGETS)
		return;
	memmove(&p->rec[i + 1], &p->rec[i],
		(p->count - i - (is_full ? 1 : 0)) * sizeof(p->rec[0]));
	p->rec[i] = *r;
	p->count += is_full ? 0 : 1;
}

/* Index in [from, to) that the weights and the dice choose. */
static size_t choose(const struct srv_plan *p, size_t from, size_t to,
		     uint64_t *random)
{
	uint64_t sum = 0;
	uint64_t at;
	size_t i;

	for (i = from; i < to; i++)
		sum += p->rec[i].weight;
	at = next_random(random) % (sum + 1);
	sum = 0;
	for (i = from; i < to; i++) {
		sum += p->rec[i].weight;
		if (sum >= at)
			return i;
	}
	return from;
}

/* RFC 2782: choose one, put it first, go on with the rest in order. */
static void shuffle_group(struct srv_plan *p, size_t from, size_t to,
			  uint64_t *random)
{
	for (; from + 1 < to; from++) {
		size_t i = choose(p, from, to, random);
		struct srv_record chosen = p->rec[i];

		memmove(&p->rec[from + 1], &p->rec[from],
			(i - from) * sizeof(p->rec[0]));
		p->rec[from] = chosen;
	}
}

static void shuffle(struct srv_plan *p, uint64_t seed)
{
	size_t from = 0;

	while (from < p->count) {
		size_t to = from + 1;

		while (to < p->count &&
		       p->rec[to].priority == p->rec[from].priority)
			to++;
		shuffle_group(p, from, to, &seed);
		from = to;
	}
}

static enum srv_outcome fall_back(struct srv_plan *p, struct span domain)
{
	struct srv_record *r = &p->rec[0];

	if (domain.n > 0 && domain.p[domain.n - 1] == '.')
		domain.n--;
	if (domain.n == 0 || domain.n >= sizeof(r->target))
		return SRV_NO_SERVICE; /* not a name that DNS can hold */
	*r = (struct srv_record){.port = SRV_FALLBACK_PORT};
	memcpy(r->target, domain.p, domain.n);
	p->count = 1;
	p->is_fallback = true;
	return SRV_TARGETS;
}

enum srv_outcome srv_plan_make(struct srv_plan *plan_out,
			       const struct srv_record *records, size_t count,
			       struct span domain, uint64_t seed)
{
	*plan_out = (struct srv_plan){.count = 0};
	if (count == 0)
		return fall_back(plan_out, domain);
	/* "." says that this service is not offered; with one service only
	 * it is the other that counts.  SRV answered: never A/AAAA of the
	 * domain instead (RFC 6120 3.2.1, XEP-0368). */
	for (size_t i = 0; i < count; i++)
		if (records[i].target[0] != '\0')
			insert(plan_out, &records[i]);
	if (plan_out->count == 0)
		return SRV_NO_SERVICE;
	shuffle(plan_out, seed);
	return SRV_TARGETS;
}

/* ---- wire ---------------------------------------------------------------- */

int srv_record_parse(struct span rdata, bool is_direct_tls,
		     struct srv_record *rec_out)
{
	struct srv_record r = {.is_direct_tls = is_direct_tls};
	int err;

	if (rdata.n <= SRV_FIXED_BYTES)
		return FED_EINVAL;
	r.priority = dns_rdata_u16(rdata.p);
	r.weight = dns_rdata_u16(rdata.p + 2);
	r.port = dns_rdata_u16(rdata.p + 4);
	err = dns_rdata_name(span_sub(rdata, SRV_FIXED_BYTES, SIZE_MAX),
			     r.target, sizeof(r.target));
	if (err != 0 || (r.target[0] != '\0' && r.port == 0))
		return FED_EINVAL;
	*rec_out = r;
	return 0;
}
