/* One libunbound context on the loop, and its lookups. */
#include "io/dns_resolver.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unbound.h>
#include <utlist.h>

#include "base/limits.h"

enum {
	CLASS_IN = 1,
	RCODE_OK = 0,
	RCODE_NXDOMAIN = 3,
};

struct dns_lookup {
	struct dns_resolver *resolver;
	struct dns_lookup *prev; /* pending ones, by age */
	struct dns_lookup *next;
	int async_id;
	bool is_pending;
	uint64_t until_ms;
	struct ub_result *result; /* NULL: none */
	struct dns_answer answer;
	struct loop_deferred told;
	dns_lookup_fn fn;
	void *arg;
	enum dns_type type;
	char name[];
};

struct dns_resolver {
	struct loop *loop;
	struct ub_ctx *ctx;
	uv_poll_t poll;
	/* All have the same time, so the oldest is the first to run out. */
	struct dns_lookup *pending;
	struct loop_timer *deadline;
};

/* ---- one lookup ---------------------------------------------------------- */

static struct dns_answer failed(const char *problem)
{
	return (struct dns_answer){.verdict = DNS_FAILED, .problem = problem};
}

static struct dns_answer judge(const struct ub_result *r)
{
	struct dns_answer a = {.verdict = DNS_NONE};

	/* A forged answer comes with data and rcode 0: look at this first. */
	if (r->bogus)
		return failed("DNSSEC validation failed");
	if (r->rcode != RCODE_OK && r->rcode != RCODE_NXDOMAIN)
		return failed("the DNS server could not answer");
	a.is_secure = r->secure;
	a.is_nameless = r->rcode == RCODE_NXDOMAIN;
	if (r->rcode == RCODE_OK && r->havedata) {
		a.verdict = DNS_DATA;
		a.ttl_s = r->ttl > 0 ? (uint32_t)r->ttl : 0;
	}
	return a;
}

static void arm_deadline(struct dns_resolver *d)
{
	loop_timer_arm(d->deadline,
		       d->pending != NULL ? d->pending->until_ms : UINT64_MAX);
}

/* The owner hears of it at the end of the turn: libunbound may call from
 * inside of ub_process(). */
static void settle(struct dns_lookup *k, struct dns_answer answer)
{
	DL_DELETE(k->resolver->pending, k);
	k->is_pending = false;
	k->answer = answer;
	loop_defer(k->resolver->loop, &k->told);
}

static void on_answer(void *arg, int err, struct ub_result *result)
{
	struct dns_lookup *k = arg;

	k->result = result;
	settle(k, err != 0 || result == NULL ? failed(ub_strerror(err))
					     : judge(result));
	arm_deadline(k->resolver);
}

static void on_deadline(void *arg)
{
	struct dns_resolver *d = arg;
	uint64_t now = loop_now_ms(d->loop);

	while (d->pending != NULL && d->pending->until_ms <= now) {
		(void)ub_cancel(d->ctx, d->pending->async_id);
		settle(d->pending, failed("no answer from DNS in time"));
	}
	arm_deadline(d);
}

static void on_told(void *arg)
{
	struct dns_lookup *k = arg;

	k->fn(k->arg, k);
}

int dns_lookup_new(struct dns_lookup **k_out, struct dns_resolver *d,
		   const char *name, enum dns_type type, dns_lookup_fn fn,
		   void *arg)
{
	size_t n = strlen(name) + 1;
	struct dns_lookup *k = calloc(1, sizeof(*k) + n);
	int rc;

	if (k == NULL)
		return FED_ENOMEM;
	memcpy(k->name, name, n);
	k->resolver = d;
	k->type = type;
	k->fn = fn;
	k->arg = arg;
	k->told = (struct loop_deferred){.fn = on_told, .arg = k};
	k->answer = failed("no answer yet");
	k->until_ms = loop_now_ms(d->loop) + LIMIT_DNS_MS;
	k->is_pending = true;
	DL_APPEND(d->pending, k);
	rc = ub_resolve_async(d->ctx, k->name, (int)type, CLASS_IN, k,
			      on_answer, &k->async_id);
	if (rc != 0)
		settle(k, failed(ub_strerror(rc)));
	arm_deadline(d);
	*k_out = k;
	return 0;
}

void dns_lookup_free(struct dns_lookup *k)
{
	struct dns_resolver *d;

	if (k == NULL)
		return;
	d = k->resolver;
	if (k->is_pending) {
		(void)ub_cancel(d->ctx, k->async_id);
		DL_DELETE(d->pending, k);
		arm_deadline(d);
	}
	loop_undefer(d->loop, &k->told);
	ub_resolve_free(k->result);
	free(k);
}

bool dns_lookup_is_pending(const struct dns_lookup *k)
{
	return k->is_pending;
}

const char *dns_lookup_name(const struct dns_lookup *k)
{
	return k->name;
}

enum dns_type dns_lookup_type(const struct dns_lookup *k)
{
	return k->type;
}

const struct dns_answer *dns_lookup_answer(const struct dns_lookup *k)
{
	return &k->answer;
}

struct span dns_lookup_record(const struct dns_lookup *k, size_t i)
{
	if (k->answer.verdict != DNS_DATA)
		return SPAN_NULL;
	/* the list ends with NULL: look at each before i too */
	for (size_t j = 0; j <= i; j++)
		if (k->result->data[j] == NULL)
			return SPAN_NULL;
	return span_of(k->result->data[i], (size_t)k->result->len[i]);
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
	 * asks for what is not there is slowed down by the caller's back-off.
	 */
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
	struct dns_resolver *d = h->data;
	int rc;

	(void)events;
	rc = status == 0 ? ub_process(d->ctx) : UB_PIPE;
	if (rc != 0)
		fed_log(loop_log(d->loop), FED_LOG_ERROR, "dns_failed",
			"error=\"%s\"", ub_strerror(rc));
}

static int start(struct dns_resolver *d, const char *const *servers,
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

int dns_resolver_new(struct dns_resolver **d_out, struct loop *loop,
		     const char *const *servers, size_t server_count,
		     struct errbuf *e)
{
	struct dns_resolver *d = calloc(1, sizeof(*d));
	int err = FED_ENOMEM;

	if (d == NULL)
		return FED_ENOMEM;
	d->loop = loop;
	d->ctx = ub_ctx_create();
	if (d->ctx != NULL)
		err = loop_timer_new(&d->deadline, loop, on_deadline, d);
	if (err == 0)
		err = start(d, servers, server_count, e);
	if (err != 0) {
		if (err == FED_ENOMEM)
			errbuf_set(e, "libunbound: out of memory");
		loop_timer_free(d->deadline);
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

static int add_trust(struct ub_ctx *ctx, const char *file, struct errbuf *e)
{
	int rc = ub_ctx_add_ta_file(ctx, file);

	/* the file is read when the options are settled: now, and not at the
	 * first lookup; removing what is not there does nothing else */
	if (rc == 0)
		rc = ub_ctx_zone_remove(ctx, "none.invalid.");
	if (rc == 0)
		return 0;
	errbuf_set(e, "%s: no DNSSEC trust anchors (%s)", file,
		   ub_strerror(rc));
	return FED_ECONFIG;
}

int dns_resolver_trust(struct dns_resolver *d, const char *file,
		       struct errbuf *e)
{
	return add_trust(d->ctx, file, e);
}

int dns_resolver_check_trust(const char *file, struct errbuf *e)
{
	struct ub_ctx *ctx = ub_ctx_create();
	int err = FED_ENOMEM;

	if (ctx != NULL)
		err = set_options(ctx, e);
	else
		errbuf_set(e, "libunbound: out of memory");
	if (err == 0)
		err = add_trust(ctx, file, e);
	ub_ctx_delete(ctx);
	return err;
}

static void on_poll_closed(uv_handle_t *h)
{
	free(h->data);
}

void dns_resolver_free(struct dns_resolver *d)
{
	if (d == NULL)
		return;
	loop_timer_free(d->deadline);
	/* off the descriptor before libunbound closes it */
	uv_close((uv_handle_t *)&d->poll, on_poll_closed);
	ub_ctx_delete(d->ctx);
	d->ctx = NULL;
}
