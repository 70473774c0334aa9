/* Lookups for hop_plan, stage by stage. */
#include "fe-gateway/sip_dns.h"

#include <stdlib.h>
#include <utlist.h>

struct query {
	struct sip_dns *dns;
	struct query *prev;
	struct query *next;
	uint64_t hop;
	struct hop_plan plan;
	enum hop_plan_state state;
	struct dns_lookup *lookups[HOP_PLAN_QUESTIONS];
	size_t count;
	size_t pending;
	struct loop_deferred step;
};

struct sip_dns {
	struct loop *loop;
	struct dns_resolver *resolver;
	unsigned transports;
	sip_dns_fn fn;
	void *arg;
	struct query *queries;
};

static void drop_lookups(struct query *q)
{
	for (size_t i = 0; i < q->count; i++)
		dns_lookup_free(q->lookups[i]);
	q->count = 0;
	q->pending = 0;
}

static void query_free(struct query *q)
{
	drop_lookups(q);
	loop_undefer(q->dns->loop, &q->step);
	DL_DELETE(q->dns->queries, q);
	free(q);
}

static void on_answer(void *arg, struct dns_lookup *k)
{
	struct query *q = arg;

	(void)k;
	if (--q->pending == 0)
		loop_defer(q->dns->loop, &q->step);
}

static void ask_all(struct query *q)
{
	for (size_t i = 0; i < q->plan.question_count; i++) {
		const struct hop_plan_question *k = &q->plan.questions[i];

		q->lookups[i] = NULL;
		if (dns_lookup_new(&q->lookups[i], q->dns->resolver, k->name,
				   (enum dns_type)k->type, on_answer, q) == 0)
			q->pending++;
	}
	q->count = q->plan.question_count;
	if (q->pending == 0)
		loop_defer(q->dns->loop, &q->step);
}

static void tell_plan(struct query *q, size_t i)
{
	const struct dns_lookup *k = q->lookups[i];
	struct span rdata;

	if (k == NULL || dns_lookup_answer(k)->verdict == DNS_FAILED) {
		hop_plan_failed(&q->plan, i);
		return;
	}
	for (size_t j = 0; rdata = dns_lookup_record(k, j), rdata.n > 0; j++)
		hop_plan_record(&q->plan, i, rdata,
				dns_lookup_answer(k)->ttl_s);
}

static void report(struct query *q)
{
	static const enum next_hop_result results[] = {
		[HOP_PLAN_ASK] = NEXT_HOP_FAILED,
		[HOP_PLAN_FOUND] = NEXT_HOP_FOUND,
		[HOP_PLAN_NOT_FOUND] = NEXT_HOP_NOT_FOUND,
		[HOP_PLAN_FAILED] = NEXT_HOP_FAILED,
	};
	struct sip_dns *d = q->dns;

	d->fn(d->arg, q->hop, results[q->state], q->plan.found, q->plan.count,
	      q->plan.ttl_ms);
	query_free(q);
}

static void on_step(void *arg)
{
	struct query *q = arg;

	if (q->state == HOP_PLAN_ASK && q->count > 0) {
		for (size_t i = 0; i < q->count; i++)
			tell_plan(q, i);
		drop_lookups(q);
		q->state = hop_plan_step(&q->plan);
	}
	if (q->state == HOP_PLAN_ASK)
		ask_all(q);
	else
		report(q);
}

int sip_dns_resolve(struct sip_dns *d, uint64_t hop, const struct hop_uri *uri)
{
	struct query *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return FED_ENOMEM;
	q->dns = d;
	q->hop = hop;
	q->step = (struct loop_deferred){.fn = on_step, .arg = q};
	q->state = hop_plan_begin(&q->plan, uri, d->transports);
	DL_APPEND(d->queries, q);
	loop_defer(d->loop, &q->step);
	return 0;
}

int sip_dns_new(struct sip_dns **d_out, struct loop *loop,
		struct dns_resolver *resolver, unsigned transports,
		sip_dns_fn fn, void *arg)
{
	struct sip_dns *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return FED_ENOMEM;
	d->loop = loop;
	d->resolver = resolver;
	d->transports = transports;
	d->fn = fn;
	d->arg = arg;
	*d_out = d;
	return 0;
}

void sip_dns_free(struct sip_dns *d)
{
	if (d == NULL)
		return;
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the head moves on */
	while (d->queries != NULL)
		query_free(d->queries);
	free(d);
}
