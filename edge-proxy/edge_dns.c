/*
 * Addresses for XMPP domains.  Order and fallback are decided by srv_plan,
 * which is pure.
 */
#include "edge-proxy/edge_dns.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "io/daemon.h"
#include "io/dns_resolver.h"

enum {
	/* SRV of both services, then A and AAAA of every target */
	LOOKUPS_MAX = 2 * LIMIT_SRV_TARGETS,
	NAME_MAX_BYTES = 256,
};

enum query_stage { STAGE_SRV, STAGE_ADDRESS, STAGE_DONE };

struct edge_dns_query {
	struct edge_dns *dns;
	struct edge_dns_query *prev;
	struct edge_dns_query *next;
	enum query_stage stage;
	char domain[NAME_MAX_BYTES];
	struct srv_plan plan;
	struct dns_lookup *lookups[LOOKUPS_MAX];
	size_t lookup_count;
	size_t pending;
	bool is_secure;	 /* DNSSEC vouched for every answer used */
	bool has_failed; /* some lookup did: "not found" is not known */
	bool is_ending;	 /* of the stage: see wait_for_rest() */
	bool wants_direct_tls;
	char problem[256];
	struct edge_dns_target targets[LIMIT_SRV_ADDRESSES];
	size_t target_count;
	struct dns_facts *facts; /* NULL: no memory for them */
	struct loop_timer *deadline;
	uint64_t until_ms;	   /* of the whole query */
	struct loop_deferred step; /* all lookups of the stage are back */
	edge_dns_fn fn;
	void *arg;
};

struct edge_dns {
	struct loop *loop;
	struct dns_resolver *resolver;
	struct edge_dns_query *queries;
	size_t query_count;
};

/* ---- one lookup ---------------------------------------------------------- */

static void note_failure(struct edge_dns_query *q, const char *name,
			 const char *what)
{
	q->has_failed = true;
	if (q->problem[0] == '\0')
		(void)snprintf(q->problem, sizeof(q->problem), "%s: %s",
			       log_value(span_str(name)).text, what);
}

/* NULL: it could not be made. */
static enum dns_verdict verdict_of(const struct dns_lookup *k)
{
	return k != NULL ? dns_lookup_answer(k)->verdict : DNS_FAILED;
}

/* There is something to work with: a server that leaves a question without
 * answer does not hold up the stage for long. */
static void wait_for_rest(struct edge_dns_query *q)
{
	uint64_t rest_ms = loop_now_ms(q->dns->loop) + LIMIT_DNS_REST_MS;

	if (q->is_ending)
		return;
	q->is_ending = true;
	if (rest_ms < q->until_ms)
		loop_timer_arm(q->deadline, rest_ms);
}

static void on_answer(void *arg, struct dns_lookup *k)
{
	const struct dns_answer *answer = dns_lookup_answer(k);
	struct edge_dns_query *q = arg;

	if (answer->verdict == DNS_FAILED)
		note_failure(q, dns_lookup_name(k), answer->problem);
	else
		q->is_secure = q->is_secure && answer->is_secure;
	if (--q->pending == 0)
		loop_defer(q->dns->loop, &q->step);
	else if (answer->verdict == DNS_DATA)
		wait_for_rest(q);
}

static void look_up(struct edge_dns_query *q, const char *name,
		    enum dns_type type)
{
	struct dns_lookup *k = NULL;
	int err =
		dns_lookup_new(&k, q->dns->resolver, name, type, on_answer, q);

	q->lookups[q->lookup_count++] = k;
	if (err == 0)
		q->pending++;
	else
		note_failure(q, name, fed_strerror(err));
}

static void drop_lookups(struct edge_dns_query *q)
{
	for (size_t i = 0; i < q->lookup_count; i++)
		dns_lookup_free(q->lookups[i]);
	q->lookup_count = 0;
	q->pending = 0;
}

/* ---- facts --------------------------------------------------------------- */

static void take_answer(struct dns_facts_answer *to, const struct dns_lookup *k)
{
	static const enum dns_fact facts[] = {[DNS_DATA] = DNS_FACT_DATA,
					      [DNS_NONE] = DNS_FACT_NONE,
					      [DNS_FAILED] = DNS_FACT_FAILED};
	const struct dns_answer *from;

	if (k == NULL || dns_lookup_is_pending(k))
		return;
	from = dns_lookup_answer(k);
	to->fact = facts[from->verdict];
	if (from->verdict == DNS_NONE && from->is_nameless)
		to->fact = DNS_FACT_NO_NAME;
	to->is_secure = from->is_secure;
	to->ttl_s = from->ttl_s;
	if (from->problem != NULL)
		(void)snprintf(to->problem, sizeof(to->problem), "%s",
			       from->problem);
}

static void take_records(struct edge_dns_query *q, const struct srv_record *rec,
			 size_t n)
{
	struct dns_facts *f = q->facts;

	if (f == NULL)
		return;
	for (size_t i = 0; i < DNS_FACTS_SERVICES; i++)
		take_answer(&f->srv[i], q->lookups[i]);
	f->rec_count = n < FED_ARRAY_LEN(f->rec) ? n : FED_ARRAY_LEN(f->rec);
	memcpy(f->rec, rec, f->rec_count * sizeof(*rec));
}

static void take_host(struct edge_dns_query *q, size_t i)
{
	struct dns_facts_host *h;

	if (q->facts == NULL || i >= FED_ARRAY_LEN(q->facts->host))
		return;
	h = &q->facts->host[i];
	(void)snprintf(h->name, sizeof(h->name), "%s", q->plan.rec[i].target);
	h->priority = q->plan.rec[i].priority;
	h->weight = q->plan.rec[i].weight;
	h->port = q->plan.rec[i].port;
	h->is_direct_tls = q->plan.rec[i].is_direct_tls;
	q->facts->host_count = i + 1;
	q->facts->is_fallback = q->plan.is_fallback;
}

static void take_target(struct edge_dns_query *q, size_t place, bool is_v6,
			struct span raw)
{
	struct dns_facts_host *h;
	struct dns_facts_address *to;

	if (q->facts == NULL || place >= q->facts->host_count)
		return;
	h = &q->facts->host[place];
	if (h->address_count == FED_ARRAY_LEN(h->address))
		return;
	to = &h->address[h->address_count++];
	to->is_v6 = is_v6;
	memcpy(to->raw, raw.p, raw.n);
}

static void take_address_answers(struct edge_dns_query *q)
{
	for (size_t i = 0; q->facts != NULL && i < q->lookup_count; i++)
		if (i / 2 < q->facts->host_count)
			take_answer(i % 2 == 0 ? &q->facts->host[i / 2].a
					       : &q->facts->host[i / 2].aaaa,
				    q->lookups[i]);
}

const struct dns_facts *edge_dns_facts(const struct edge_dns_query *q)
{
	return q->facts;
}

/* ---- a query's life ------------------------------------------------------ */

static void query_free(struct edge_dns_query *q)
{
	drop_lookups(q);
	DL_DELETE(q->dns->queries, q);
	q->dns->query_count--;
	loop_undefer(q->dns->loop, &q->step);
	loop_timer_free(q->deadline);
	free(q->facts);
	free(q);
}

/* The owner may cancel in its callback: the query says DONE by then. */
static void report(struct edge_dns_query *q, enum edge_dns_result result,
		   const char *text)
{
	q->stage = STAGE_DONE;
	drop_lookups(q);
	DL_DELETE(q->dns->queries, q);
	q->dns->query_count--;
	loop_undefer(q->dns->loop, &q->step);
	loop_timer_free(q->deadline);
	q->fn(q->arg, result, q->targets, q->target_count,
	      result == EDGE_DNS_OK && q->is_secure, text);
	free(q->facts);
	free(q);
}

static void report_failed(struct edge_dns_query *q)
{
	q->target_count = 0;
	report(q, EDGE_DNS_FAILED, q->problem);
}

/* ---- addresses ----------------------------------------------------------- */

static void add_target(struct edge_dns_query *q, unsigned place,
		       enum dns_type type, struct span rdata)
{
	const struct srv_record *rec = &q->plan.rec[place];
	struct edge_dns_target *t = &q->targets[q->target_count];
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	struct sockaddr_in in4 = {.sin_family = AF_INET};

	if (q->target_count == LIMIT_SRV_ADDRESSES)
		return;
	*t = (struct edge_dns_target){.place = place,
				      .is_direct_tls = rec->is_direct_tls};
	if (type == DNS_TYPE_A && rdata.n == sizeof(in4.sin_addr)) {
		take_target(q, place, false, rdata);
		in4.sin_port = htons(rec->port);
		memcpy(&in4.sin_addr, rdata.p, sizeof(in4.sin_addr));
		memcpy(&t->addr, &in4, sizeof(in4));
	} else if (type == DNS_TYPE_AAAA && rdata.n == sizeof(in6.sin6_addr)) {
		take_target(q, place, true, rdata);
		in6.sin6_port = htons(rec->port);
		memcpy(&in6.sin6_addr, rdata.p, sizeof(in6.sin6_addr));
		memcpy(&t->addr, &in6, sizeof(in6));
	} else {
		return;
	}
	memcpy(t->name, rec->target, sizeof(t->name));
	q->target_count++;
}

/* Lookups 2i and 2i + 1 belong to record i. */
static void collect_targets(struct edge_dns_query *q)
{
	for (size_t i = 0; i < q->lookup_count; i++) {
		const struct dns_lookup *k = q->lookups[i];
		struct span rdata;

		if (verdict_of(k) != DNS_DATA)
			continue;
		/* LIMIT: of one target and family */
		for (size_t j = 0; j < LIMIT_TARGET_ADDRESSES; j++) {
			rdata = dns_lookup_record(k, j);
			if (rdata.n == 0)
				break;
			add_target(q, (unsigned)i / 2, dns_lookup_type(k),
				   rdata);
		}
	}
}

static void finish_addresses(struct edge_dns_query *q)
{
	char text[400];

	take_address_answers(q);
	collect_targets(q);
	if (q->target_count > 0) {
		report(q, EDGE_DNS_OK, "");
		return;
	}
	if (q->has_failed) {
		report_failed(q);
		return;
	}
	(void)snprintf(text, sizeof(text), "%s: %s",
		       log_value(span_str(q->domain)).text,
		       q->plan.is_fallback
			       ? "neither SRV records nor an address"
			       : "the SRV targets have no address");
	report(q, EDGE_DNS_NOT_FOUND, text);
}

static void begin_addresses(struct edge_dns_query *q)
{
	drop_lookups(q);
	q->stage = STAGE_ADDRESS;
	q->is_ending = false;
	loop_timer_arm(q->deadline, q->until_ms);
	for (size_t i = 0; i < q->plan.count; i++) {
		take_host(q, i);
		look_up(q, q->plan.rec[i].target, DNS_TYPE_A);
		look_up(q, q->plan.rec[i].target, DNS_TYPE_AAAA);
	}
	if (q->pending == 0) /* none could be asked */
		loop_defer(q->dns->loop, &q->step);
}

/* ---- SRV ----------------------------------------------------------------- */

static size_t parse_answer(const struct dns_lookup *k, bool is_direct_tls,
			   struct srv_record *out, size_t max)
{
	struct span rdata;
	size_t n = 0;

	if (verdict_of(k) != DNS_DATA)
		return 0;
	for (size_t i = 0;
	     rdata = dns_lookup_record(k, i), rdata.n > 0 && n < max; i++)
		if (srv_record_parse(rdata, is_direct_tls, &out[n]) == 0)
			n++;
	return n;
}

/* They are there, so the domain's own address is not what to try instead;
 * for us they say as much as ".". */
static void leave_out_direct_tls(struct srv_record *rec, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (rec[i].is_direct_tls)
			rec[i].target[0] = '\0';
}

static bool has_target(const struct srv_record *rec, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (rec[i].target[0] != '\0')
			return true;
	return false;
}

static void finish_srv(struct edge_dns_query *q)
{
	struct srv_record rec[4 * LIMIT_SRV_TARGETS];
	size_t half = FED_ARRAY_LEN(rec) / 2;
	uint64_t seed = 0;
	char text[400];
	size_t n;

	if (q->lookup_count == 0) { /* never asked */
		report_failed(q);
		return;
	}
	n = parse_answer(q->lookups[0], false, rec, half);
	n += parse_answer(q->lookups[1], true, rec + n, half);
	take_records(q, rec, n);
	if (n == 0 && (verdict_of(q->lookups[0]) == DNS_DATA ||
		       verdict_of(q->lookups[1]) == DNS_DATA))
		note_failure(q, q->domain, "unusable SRV records");
	if (!q->wants_direct_tls)
		leave_out_direct_tls(rec, n);
	/* Records that exist but could not be had are no reason to go to
	 * another address than they say; one service can do without the
	 * other's. */
	if (q->has_failed && !has_target(rec, n)) {
		report_failed(q);
		return;
	}
	q->is_secure = q->is_secure && !q->has_failed;
	q->has_failed = false;
	q->problem[0] = '\0';
	if (daemon_random(&seed, sizeof(seed)) != 0)
		seed = uv_hrtime(); /* order among equals, not security */
	if (srv_plan_make(&q->plan, rec, n, span_str(q->domain), seed) ==
	    SRV_TARGETS) {
		begin_addresses(q);
		return;
	}
	(void)snprintf(text, sizeof(text),
		       "%s: DNS says that there is no XMPP service",
		       log_value(span_str(q->domain)).text);
	report(q, EDGE_DNS_NOT_FOUND, text);
}

static void begin_srv(struct edge_dns_query *q)
{
	char name[NAME_MAX_BYTES + 32];

	(void)snprintf(name, sizeof(name), "_xmpp-server._tcp.%s", q->domain);
	look_up(q, name, DNS_TYPE_SRV);
	(void)snprintf(name, sizeof(name), "_xmpps-server._tcp.%s", q->domain);
	look_up(q, name, DNS_TYPE_SRV);
	if (q->pending == 0) /* could not be asked: told at the end of turn */
		loop_defer(q->dns->loop, &q->step);
}

static void on_step(void *arg)
{
	struct edge_dns_query *q = arg;

	if (q->stage == STAGE_SRV)
		finish_srv(q);
	else
		finish_addresses(q);
}

/* What is there by now is better than nothing. */
static void on_deadline(void *arg)
{
	struct edge_dns_query *q = arg;

	note_failure(q, q->domain, "no answer from DNS in time");
	on_step(q);
}

static int new_query(struct edge_dns *d, const char *name, edge_dns_fn fn,
		     void *arg, struct edge_dns_query **q_out)
{
	struct edge_dns_query *q;

	if (d->query_count >= LIMIT_DNS_QUERIES)
		return FED_ELIMIT;
	q = calloc(1, sizeof(*q));
	if (q == NULL)
		return FED_ENOMEM;
	if (loop_timer_new(&q->deadline, d->loop, on_deadline, q) != 0) {
		free(q);
		return FED_ENOMEM;
	}
	q->dns = d;
	q->fn = fn;
	q->arg = arg;
	q->is_secure = true;
	q->facts = calloc(1, sizeof(*q->facts)); /* nobody needs them */
	q->step = (struct loop_deferred){.fn = on_step, .arg = q};
	(void)snprintf(q->domain, sizeof(q->domain), "%s", name);
	DL_APPEND(d->queries, q);
	d->query_count++;
	q->until_ms = loop_now_ms(d->loop) + LIMIT_DNS_MS;
	loop_timer_arm(q->deadline, q->until_ms);
	*q_out = q;
	return 0;
}

/* false: the end of the turn tells why not. */
static bool is_askable(struct edge_dns_query *q, const char *name)
{
	if (name[0] != '\0' && strlen(name) < sizeof(q->domain))
		return true;
	note_failure(q, q->domain, "not a name that DNS can hold");
	loop_defer(q->dns->loop, &q->step);
	return false;
}

int edge_dns_resolve(struct edge_dns *d, const char *domain,
		     bool wants_direct_tls, edge_dns_fn fn, void *arg,
		     struct edge_dns_query **q_out)
{
	int err = new_query(d, domain, fn, arg, q_out);

	if (err != 0)
		return err;
	(*q_out)->wants_direct_tls = wants_direct_tls;
	if (is_askable(*q_out, domain))
		begin_srv(*q_out);
	return 0;
}

/* An address is its own answer: nobody was asked. */
static bool take_address(struct edge_dns_query *q, const char *host)
{
	unsigned char raw[sizeof(struct in6_addr)];

	if (inet_pton(AF_INET6, host, raw) == 1)
		add_target(q, 0, DNS_TYPE_AAAA,
			   span_of(raw, sizeof(struct in6_addr)));
	else if (inet_pton(AF_INET, host, raw) == 1)
		add_target(q, 0, DNS_TYPE_A,
			   span_of(raw, sizeof(struct in_addr)));
	if (q->target_count > 0 && q->facts != NULL) {
		q->facts->host[0].a.fact = DNS_FACT_NONE;
		q->facts->host[0].aaaa.fact = DNS_FACT_NONE;
	}
	return q->target_count > 0;
}

int edge_dns_resolve_host(struct edge_dns *d, const char *host, uint16_t port,
			  edge_dns_fn fn, void *arg,
			  struct edge_dns_query **q_out)
{
	struct edge_dns_query *q;
	int err = new_query(d, host, fn, arg, &q);

	if (err != 0)
		return err;
	*q_out = q;
	q->stage = STAGE_ADDRESS;
	q->plan.count = 1;
	q->plan.is_fallback = true;
	q->plan.rec[0].port = port;
	if (q->facts != NULL)
		q->facts->is_host = true;
	if (!is_askable(q, host))
		return 0;
	(void)snprintf(q->plan.rec[0].target, sizeof(q->plan.rec[0].target),
		       "%s", host);
	take_host(q, 0);
	if (take_address(q, host))
		loop_defer(d->loop, &q->step);
	else
		begin_addresses(q);
	return 0;
}

void edge_dns_cancel(struct edge_dns_query *q)
{
	if (q != NULL && q->stage != STAGE_DONE)
		query_free(q);
}

/* ---- the resolver -------------------------------------------------------- */

int edge_dns_new(struct edge_dns **d_out, struct loop *loop,
		 const char *const *servers, size_t server_count,
		 struct errbuf *e)
{
	struct edge_dns *d = calloc(1, sizeof(*d));
	int err;

	if (d == NULL)
		return FED_ENOMEM;
	d->loop = loop;
	err = dns_resolver_new(&d->resolver, loop, servers, server_count, e);
	if (err != 0) {
		free(d);
		return err;
	}
	*d_out = d;
	return 0;
}

int edge_dns_trust(struct edge_dns *d, const char *file, struct errbuf *e)
{
	return dns_resolver_trust(d->resolver, file, e);
}

void edge_dns_free(struct edge_dns *d)
{
	struct edge_dns_query *q;
	struct edge_dns_query *next;

	if (d == NULL)
		return;
	DL_FOREACH_SAFE (d->queries, q, next)
		query_free(q);
	dns_resolver_free(d->resolver);
	free(d);
}
