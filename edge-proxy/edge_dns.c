/*
 * Addresses for XMPP domains: libunbound in thread mode, its descriptor on
 * the loop.  Order and fallback are decided by srv_plan, which is pure.
 */
#include "edge-proxy/edge_dns.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unbound.h>
#include <utlist.h>

#include "io/daemon.h"

enum {
	RR_A = 1,
	RR_AAAA = 28,
	RR_SRV = 33,
	CLASS_IN = 1,
	RCODE_OK = 0,
	RCODE_NXDOMAIN = 3,
	/* SRV of both services, then A and AAAA of every target */
	LOOKUPS_MAX = 2 * LIMIT_SRV_TARGETS,
	NAME_MAX_BYTES = 256,
};

enum answer {
	ANSWER_DATA,
	ANSWER_NONE,   /* the name or the type does not exist */
	ANSWER_FAILED, /* no answer, or one that DNSSEC calls forged */
};

struct lookup {
	struct edge_dns_query *query;
	int async_id;
	bool is_pending;
	enum answer answer;
	struct ub_result *result; /* NULL: none */
};

enum query_stage { STAGE_SRV, STAGE_ADDRESS, STAGE_DONE };

struct edge_dns_query {
	struct edge_dns *dns;
	struct edge_dns_query *prev;
	struct edge_dns_query *next;
	enum query_stage stage;
	char domain[NAME_MAX_BYTES];
	struct srv_plan plan;
	struct lookup lookups[LOOKUPS_MAX];
	size_t lookup_count;
	size_t pending;
	bool is_secure;	 /* DNSSEC vouched for every answer used */
	bool has_failed; /* some lookup did: "not found" is not known */
	char problem[256];
	struct edge_dns_target targets[LIMIT_SRV_ADDRESSES];
	size_t target_count;
	struct loop_timer *deadline;
	struct loop_deferred step; /* all lookups of the stage are back */
	edge_dns_fn fn;
	void *arg;
};

struct edge_dns {
	struct loop *loop;
	struct ub_ctx *ctx;
	uv_poll_t poll;
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

static enum answer judge(struct edge_dns_query *q, const struct ub_result *r)
{
	/* A forged answer comes with data and rcode 0: look at this first. */
	if (r->bogus) {
		note_failure(q, r->qname, "DNSSEC validation failed");
		return ANSWER_FAILED;
	}
	q->is_secure = q->is_secure && r->secure;
	if (r->rcode == RCODE_OK)
		return r->havedata ? ANSWER_DATA : ANSWER_NONE;
	if (r->rcode == RCODE_NXDOMAIN)
		return ANSWER_NONE;
	note_failure(q, r->qname, "the DNS server could not answer");
	return ANSWER_FAILED;
}

/* From ub_process(): only take note, no call to the owner from in here. */
static void on_answer(void *arg, int err, struct ub_result *result)
{
	struct lookup *k = arg;
	struct edge_dns_query *q = k->query;

	k->is_pending = false;
	k->result = result;
	if (err != 0 || result == NULL) {
		note_failure(q, q->domain, ub_strerror(err));
		k->answer = ANSWER_FAILED;
	} else {
		k->answer = judge(q, result);
	}
	if (--q->pending == 0)
		loop_defer(q->dns->loop, &q->step);
}

static void look_up(struct edge_dns_query *q, const char *name, int type)
{
	struct lookup *k = &q->lookups[q->lookup_count++];
	int rc;

	*k = (struct lookup){.query = q, .answer = ANSWER_FAILED};
	rc = ub_resolve_async(q->dns->ctx, name, type, CLASS_IN, k, on_answer,
			      &k->async_id);
	if (rc != 0) {
		note_failure(q, name, ub_strerror(rc));
		return;
	}
	k->is_pending = true;
	q->pending++;
}

static void drop_lookups(struct edge_dns_query *q)
{
	for (size_t i = 0; i < q->lookup_count; i++) {
		struct lookup *k = &q->lookups[i];

		if (k->is_pending)
			(void)ub_cancel(q->dns->ctx, k->async_id);
		ub_resolve_free(k->result);
	}
	q->lookup_count = 0;
	q->pending = 0;
}

/* ---- a query's life ------------------------------------------------------ */

static void query_free(struct edge_dns_query *q)
{
	drop_lookups(q);
	DL_DELETE(q->dns->queries, q);
	q->dns->query_count--;
	loop_undefer(q->dns->loop, &q->step);
	loop_timer_free(q->deadline);
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
	free(q);
}

static void report_failed(struct edge_dns_query *q)
{
	q->target_count = 0;
	report(q, EDGE_DNS_FAILED, q->problem);
}

/* ---- addresses ----------------------------------------------------------- */

static void add_target(struct edge_dns_query *q, const struct srv_record *rec,
		       const struct ub_result *r, size_t i)
{
	struct edge_dns_target *t = &q->targets[q->target_count];
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	struct sockaddr_in in4 = {.sin_family = AF_INET};

	if (q->target_count == LIMIT_SRV_ADDRESSES)
		return;
	*t = (struct edge_dns_target){.is_direct_tls = rec->is_direct_tls};
	if (r->qtype == RR_A && r->len[i] == sizeof(in4.sin_addr)) {
		in4.sin_port = htons(rec->port);
		memcpy(&in4.sin_addr, r->data[i], sizeof(in4.sin_addr));
		memcpy(&t->addr, &in4, sizeof(in4));
	} else if (r->qtype == RR_AAAA && r->len[i] == sizeof(in6.sin6_addr)) {
		in6.sin6_port = htons(rec->port);
		memcpy(&in6.sin6_addr, r->data[i], sizeof(in6.sin6_addr));
		memcpy(&t->addr, &in6, sizeof(in6));
	} else {
		return;
	}
	memcpy(t->name, rec->target, sizeof(t->name));
	q->target_count++;
}

/* Lookups 2i and 2i + 1 belong to record i.  A before AAAA: a path without
 * IPv6 costs a whole connect timeout per address. */
static void collect_targets(struct edge_dns_query *q)
{
	for (size_t i = 0; i < q->lookup_count; i++) {
		const struct lookup *k = &q->lookups[i];

		if (k->is_pending || k->answer != ANSWER_DATA)
			continue;
		for (size_t j = 0; k->result->data[j] != NULL; j++)
			add_target(q, &q->plan.rec[i / 2], k->result, j);
	}
}

static void finish_addresses(struct edge_dns_query *q)
{
	char text[400];

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
	for (size_t i = 0; i < q->plan.count; i++) {
		look_up(q, q->plan.rec[i].target, RR_A);
		look_up(q, q->plan.rec[i].target, RR_AAAA);
	}
	if (q->pending == 0) /* none could be asked */
		loop_defer(q->dns->loop, &q->step);
}

/* ---- SRV ----------------------------------------------------------------- */

static size_t parse_answer(const struct lookup *k, bool is_direct_tls,
			   struct srv_record *out, size_t max)
{
	size_t n = 0;

	if (k->answer != ANSWER_DATA)
		return 0;
	for (size_t i = 0; k->result->data[i] != NULL && n < max; i++)
		if (srv_record_parse(span_of(k->result->data[i],
					     (size_t)k->result->len[i]),
				     is_direct_tls, &out[n]) == 0)
			n++;
	return n;
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
	n = parse_answer(&q->lookups[0], false, rec, half);
	if (q->lookup_count > 1)
		n += parse_answer(&q->lookups[1], true, rec + n, half);
	if (n == 0 && q->lookups[0].answer == ANSWER_DATA)
		note_failure(q, q->domain, "unusable SRV records");
	/* Records that exist but could not be had are no reason to go to
	 * another address than they say; without direct TLS one can do. */
	if (q->has_failed &&
	    (n == 0 || q->lookups[0].answer == ANSWER_FAILED)) {
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

static void begin_srv(struct edge_dns_query *q, bool wants_direct_tls)
{
	char name[NAME_MAX_BYTES + 32];

	(void)snprintf(name, sizeof(name), "_xmpp-server._tcp.%s", q->domain);
	look_up(q, name, RR_SRV);
	if (wants_direct_tls) {
		(void)snprintf(name, sizeof(name), "_xmpps-server._tcp.%s",
			       q->domain);
		look_up(q, name, RR_SRV);
	}
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
	if (q->stage == STAGE_ADDRESS)
		finish_addresses(q);
	else
		report_failed(q);
}

int edge_dns_resolve(struct edge_dns *d, const char *domain,
		     bool wants_direct_tls, edge_dns_fn fn, void *arg,
		     struct edge_dns_query **q_out)
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
	q->step = (struct loop_deferred){.fn = on_step, .arg = q};
	(void)snprintf(q->domain, sizeof(q->domain), "%s", domain);
	DL_APPEND(d->queries, q);
	d->query_count++;
	loop_timer_arm(q->deadline, loop_now_ms(d->loop) + LIMIT_DNS_MS);
	if (domain[0] == '\0' || strlen(domain) >= sizeof(q->domain)) {
		note_failure(q, q->domain, "not a name that DNS can hold");
		loop_defer(d->loop, &q->step);
	} else {
		begin_srv(q, wants_direct_tls);
	}
	*q_out = q;
	return 0;
}

void edge_dns_cancel(struct edge_dns_query *q)
{
	if (q != NULL && q->stage != STAGE_DONE)
		query_free(q);
}

/* ---- the resolver -------------------------------------------------------- */

struct dns_option {
	const char *name;
	const char *value;
};

static const struct dns_option options[] = {
	{"do-not-query-localhost:", "no"},
	/* the default of 1 MB throws answers out while they are used */
	{"msg-cache-size:", "32m"},
	{"rrset-cache-size:", "64m"},
	{"key-cache-size:", "4m"},
	/* A partner that puts its records right is found seconds later; who
	 * asks for what is not there is slowed down by the route's back-off. */
	{"cache-max-negative-ttl:", "3"},
	/* So is a server that was down: after a minute of silence it is not
	 * asked any more until this time has passed. */
	{"infra-host-ttl:", "2"},
	{"infra-keep-probing:", "yes"},
	{"outgoing-range:", "2048"},
	{"num-queries-per-thread:", "1024"},
	{"module-config:", "validator iterator"},
};

static int set_options(struct ub_ctx *ctx, struct errbuf *e)
{
	for (size_t i = 0; i < FED_ARRAY_LEN(options); i++) {
		int rc = ub_ctx_set_option(ctx, options[i].name,
					   options[i].value);

		if (rc != 0) {
			errbuf_set(e, "libunbound: %s %s: %s", options[i].name,
				   options[i].value, ub_strerror(rc));
			return FED_EDNS;
		}
	}
	return 0;
}

static bool is_ip(const char *text)
{
	struct in6_addr addr;

	return inet_pton(AF_INET, text, &addr) == 1 ||
	       inet_pton(AF_INET6, text, &addr) == 1;
}

/* "ip", "v4:port", "[v6]:port" to libunbound's "ip@port" */
static int parse_server(const char *text, char *out, size_t out_size)
{
	struct span s = span_str(text);
	struct span ip;
	uint32_t port;
	size_t at;

	if (is_ip(text)) {
		(void)snprintf(out, out_size, "%s@53", text);
		return 0;
	}
	at = s.n > 0 && s.p[0] == '[' ? span_find(s, ']', 0)
				      : span_find(s, ':', 0);
	if (at == SIZE_MAX)
		return FED_EINVAL;
	ip = span_sub(s, s.p[0] == '[' ? 1 : 0, at);
	s = span_sub(s, s.p[0] == '[' ? at + 1 : at, SIZE_MAX);
	if (s.n < 2 || s.p[0] != ':' || ip.n >= INET6_ADDRSTRLEN ||
	    span_to_u32(span_sub(s, 1, SIZE_MAX), &port) != 0 || port == 0 ||
	    port > UINT16_MAX)
		return FED_EINVAL;
	(void)snprintf(out, out_size, "%.*s", (int)ip.n, ip.p);
	if (!is_ip(out))
		return FED_EINVAL;
	(void)snprintf(out + ip.n, out_size - ip.n, "@%u", port);
	return 0;
}

static int set_servers(struct ub_ctx *ctx, const char *const *servers,
		       size_t count, struct errbuf *e)
{
	char addr[INET6_ADDRSTRLEN + 8];
	int rc = 0;

	if (count == 0)
		rc = ub_ctx_resolvconf(ctx, NULL);
	if (rc != 0) {
		errbuf_set(e, "/etc/resolv.conf: %s", ub_strerror(rc));
		return FED_EDNS;
	}
	for (size_t i = 0; i < count; i++) {
		if (parse_server(servers[i], addr, sizeof(addr)) != 0) {
			errbuf_set(e,
				   "\"%s\" is not a DNS server; \"ip\" or "
				   "\"ip:port\" is expected",
				   servers[i]);
			return FED_ECONFIG;
		}
		rc = ub_ctx_set_fwd(ctx, addr);
		if (rc != 0) {
			errbuf_set(e, "DNS server \"%s\": %s", servers[i],
				   ub_strerror(rc));
			return FED_ECONFIG;
		}
	}
	return 0;
}

static void on_readable(uv_poll_t *h, int status, int events)
{
	struct edge_dns *d = h->data;
	int rc;

	(void)events;
	rc = status == 0 ? ub_process(d->ctx) : UB_PIPE;
	if (rc != 0)
		fed_log(loop_log(d->loop), FED_LOG_ERROR, "dns_failed",
			"error=\"%s\"", ub_strerror(rc));
}

static int start(struct edge_dns *d, const char *const *servers,
		 size_t server_count, struct errbuf *e)
{
	int err = set_options(d->ctx, e);

	if (err == 0)
		err = set_servers(d->ctx, servers, server_count, e);
	if (err != 0)
		return err;
	/* a thread, not a fork; before the first lookup settles the options */
	if (ub_ctx_async(d->ctx, 1) != 0 ||
	    uv_poll_init(loop_uv(d->loop), &d->poll, ub_fd(d->ctx)) != 0) {
		errbuf_set(e, "libunbound cannot be attached to the loop");
		return FED_EDNS;
	}
	return 0;
}

int edge_dns_new(struct edge_dns **d_out, struct loop *loop,
		 const char *const *servers, size_t server_count,
		 struct errbuf *e)
{
	struct edge_dns *d = calloc(1, sizeof(*d));
	int err = FED_ENOMEM;

	if (d == NULL)
		return FED_ENOMEM;
	d->loop = loop;
	d->ctx = ub_ctx_create();
	if (d->ctx != NULL)
		err = start(d, servers, server_count, e);
	if (err != 0) {
		if (err == FED_ENOMEM)
			errbuf_set(e, "libunbound: out of memory");
		ub_ctx_delete(d->ctx);
		free(d);
		return err;
	}
	d->poll.data = d;
	/* cannot fail on a handle that was just made */
	(void)uv_poll_start(&d->poll, UV_READABLE, on_readable);
	*d_out = d;
	return 0;
}

static void on_poll_closed(uv_handle_t *h)
{
	free(h->data);
}

void edge_dns_free(struct edge_dns *d)
{
	struct edge_dns_query *q;
	struct edge_dns_query *next;

	if (d == NULL)
		return;
	DL_FOREACH_SAFE (d->queries, q, next)
		query_free(q);
	/* off the descriptor before libunbound closes it */
	uv_close((uv_handle_t *)&d->poll, on_poll_closed);
	ub_ctx_delete(d->ctx);
	d->ctx = NULL;
}
