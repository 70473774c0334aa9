/* The addresses of a domain, connected to as the plan says. */
#include "edge-proxy/edge_dial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "edge-proxy/core/dial_plan.h"
#include "xmpp/jid.h"

struct edge_dial {
	struct edge_dial_params p;
	char ascii[LIMIT_DOMAIN_BYTES + 1]; /* for DNS and SNI */
	struct edge_dns_query *query;
	struct edge_dns_target *targets;
	struct conn *conns[LIMIT_SRV_ADDRESSES]; /* under way */
	uint64_t started_ms[LIMIT_SRV_ADDRESSES];
	size_t failed;	     /* addresses so far */
	enum dial_fate fate; /* of all of those; NONE: they differ */
	size_t last_failed;  /* address */
	bool is_fallback;    /* DNS has no SRV records */
	bool is_host;	     /* they were not asked for */
	size_t count;
	struct dial_plan plan;
	struct loop_timer *timer;
	uint64_t until_ms;	/* no other address is tried after */
	struct s2s_reason last; /* what the last address said */
};

/* ---- end ----------------------------------------------------------------- */

static void fail(struct edge_dial *d, enum s2s_reason_kind kind,
		 const char *text, const char *place)
{
	struct s2s_reason r = {.kind = kind};

	(void)snprintf(r.text, sizeof(r.text), "%s", text);
	(void)snprintf(r.place, sizeof(r.place), "%s", place);
	d->p.fn(d->p.arg, NULL, &r);
}

/* ---- one address --------------------------------------------------------- */

static void on_conn(struct conn *c, const struct conn_event *ev, void *arg);

static struct dial_note_address describe(const struct edge_dial *d, size_t i,
					 const char *address)
{
	const struct sockaddr_storage *sa = &d->targets[i].addr;
	in_port_t port = sa->ss_family == AF_INET6
				 ? ((const struct sockaddr_in6 *)sa)->sin6_port
				 : ((const struct sockaddr_in *)sa)->sin_port;

	return (struct dial_note_address){
		.host = d->targets[i].name,
		.address = address,
		.port = ntohs(port),
		.since_ms = d->started_ms[i],
		.is_direct_tls = d->targets[i].is_direct_tls,
	};
}

static void record_failure(struct edge_dial *d, size_t i, const char *address,
			   const char *text)
{
	const struct dial_note_address a = describe(d, i, address);
	enum dial_fate fate =
		dial_note_failed(&d->p.note, loop_now_ms(d->p.loop), &a, text);

	if (d->failed > 0 && d->fate != fate)
		fate = DIAL_FATE_NONE;
	d->fate = fate;
	d->failed++;
	d->last_failed = i;
}

static void record_up(const struct edge_dial *d, size_t i)
{
	const struct dial_note_address a =
		describe(d, i, conn_peer_address(d->conns[i]));

	dial_note_up(&d->p.note, loop_now_ms(d->p.loop), &a);
}

static void record_lost(const struct edge_dial *d)
{
	const struct dial_note_address a = describe(d, d->last_failed, "");
	const struct dial_note_end end = {
		.tried = d->failed,
		.fate = d->fate,
		.host = a.host,
		.port = a.port,
		.text = d->last.text,
		.is_fallback = d->is_fallback,
		.is_host = d->is_host,
	};

	dial_note_lost(&d->p.note, loop_now_ms(d->p.loop), &end);
}

/* kind says what had been reached: CONNECT, or TLS. */
static void note_failure(struct edge_dial *d, size_t i,
			 enum s2s_reason_kind kind, const char *text)
{
	char address[80];

	conn_format_address((const struct sockaddr *)&d->targets[i].addr,
			    address, sizeof(address));
	d->last = (struct s2s_reason){.kind = kind};
	(void)snprintf(d->last.text, sizeof(d->last.text), "%s", text);
	(void)snprintf(d->last.place, sizeof(d->last.place), "%s%s", address,
		       d->count > 1 ? ", the last of several" : "");
	fed_log(loop_log(d->p.loop), FED_LOG_DEBUG, "connect_failed",
		"%s peer=%s target=%s address=%s error=\"%s\"", d->p.label,
		log_value(span_str(d->p.domain)).text,
		log_value(span_str(d->targets[i].name)).text, address, text);
	record_failure(d, i, address, text);
	dial_plan_on_failed(&d->plan, i, loop_now_ms(d->p.loop));
}

static void stop(struct edge_dial *d, size_t i)
{
	conn_close(d->conns[i]);
	d->conns[i] = NULL;
}

static void start(struct edge_dial *d, size_t i)
{
	int err;

	d->started_ms[i] = loop_now_ms(d->p.loop);
	err = conn_connect(&d->conns[i], d->p.loop,
			   (const struct sockaddr *)&d->targets[i].addr,
			   on_conn, d);

	if (err != 0)
		note_failure(d, i, S2S_END_CONNECT,
			     err == FED_ENOMEM ? "out of memory"
					       : "not reachable from here");
}

static void secure(struct edge_dial *d, size_t i)
{
	/* XEP-0368: SNI is the JID's domain, never the target's name */
	const struct tls_params p = {.side = TLS_CLIENT,
				     .identity = d->p.identity,
				     .sni = d->ascii,
				     .is_direct = true};

	if (conn_start_tls(d->conns[i], d->p.creds, &p) == 0)
		return;
	stop(d, i);
	note_failure(d, i, S2S_END_TLS, "TLS cannot be started");
}

/* Until nothing is to do now; d is gone when fn was called. */
static void advance(struct edge_dial *d)
{
	struct dial_action a;
	struct s2s_reason last;
	struct conn *won;

	while (dial_plan_next(&d->plan, loop_now_ms(d->p.loop), &a)) {
		switch (a.kind) {
		case DIAL_START:
			start(d, a.address);
			break;
		case DIAL_STOP:
			stop(d, a.address);
			break;
		case DIAL_SECURE:
			secure(d, a.address);
			break;
		case DIAL_WON:
			won = d->conns[a.address];
			d->conns[a.address] = NULL;
			d->p.fn(d->p.arg, won, NULL);
			return;
		case DIAL_LOST:
			record_lost(d);
			last = d->last; /* fn frees the dial */
			d->p.fn(d->p.arg, NULL, &last);
			return;
		}
	}
	loop_timer_arm(d->timer, dial_plan_deadline_ms(&d->plan));
}

static void on_timer(void *arg)
{
	advance(arg);
}

static void on_conn(struct conn *c, const struct conn_event *ev, void *arg)
{
	struct edge_dial *d = arg;
	size_t i = 0;

	while (i < d->count && d->conns[i] != c)
		i++;
	if (!FED_CHECK(i < d->count))
		return;
	switch (ev->kind) {
	case CONN_UP:
		record_up(d, i);
		dial_plan_on_up(&d->plan, i);
		break;
	case CONN_TLS_UP:
		dial_plan_on_secure(&d->plan, i);
		break;
	case CONN_DRAINED:
		return;
	case CONN_DATA:
	case CONN_TIMEOUT:
	case CONN_EOF:
	case CONN_ERROR:
		note_failure(d, i,
			     d->plan.state[i] == DIAL_SECURING
				     ? S2S_END_TLS
				     : S2S_END_CONNECT,
			     ev->text != NULL ? ev->text : "closed");
		stop(d, i);
		break;
	}
	advance(d);
}

/* ---- DNS ----------------------------------------------------------------- */

static void race(struct edge_dial *d, const struct edge_dns_target *targets,
		 size_t count)
{
	struct dial_address address[LIMIT_SRV_ADDRESSES];

	/* LIMIT: addresses tried for one domain */
	count = count < LIMIT_SRV_ADDRESSES ? count : LIMIT_SRV_ADDRESSES;
	d->targets = calloc(count, sizeof(*d->targets));
	if (d->targets == NULL) {
		fail(d, S2S_END_CONNECT, "out of memory", "");
		return;
	}
	d->count = count;
	memcpy(d->targets, targets, count * sizeof(*targets));
	for (size_t i = 0; i < count; i++)
		address[i] = (struct dial_address){
			targets[i].place, targets[i].addr.ss_family == AF_INET6,
			targets[i].is_direct_tls};
	dial_plan_init(&d->plan, address, count, loop_now_ms(d->p.loop),
		       d->until_ms);
	advance(d);
}

static void record_dns(struct edge_dial *d, enum edge_dns_result result,
		       bool is_secure, const char *text)
{
	const struct dns_facts *f = edge_dns_facts(d->query);

	d->is_fallback = f != NULL && f->is_fallback;
	d->is_host = f != NULL && f->is_host;
	dial_note_dns(&d->p.note, loop_now_ms(d->p.loop), f, is_secure,
		      result == EDGE_DNS_OK ? NULL : text);
}

static void on_resolved(void *arg, enum edge_dns_result result,
			const struct edge_dns_target *targets, size_t count,
			bool is_secure, const char *text)
{
	struct edge_dial *d = arg;

	record_dns(d, result, is_secure, text);
	d->query = NULL;
	fed_log(loop_log(d->p.loop), FED_LOG_DEBUG, "resolved",
		"%s peer=%s result=%d addresses=%zu secure=%d text=\"%s\"",
		d->p.label, log_value(span_str(d->p.domain)).text, (int)result,
		count, is_secure, text);
	switch (result) {
	case EDGE_DNS_OK:
		race(d, targets, count);
		break;
	case EDGE_DNS_NOT_FOUND:
		fail(d, S2S_END_DNS, "no XMPP service in DNS", text);
		break;
	case EDGE_DNS_FAILED:
		/* may exist: not remote-server-not-found (RFC 6120 10.4.3) */
		fail(d, S2S_END_TIMEOUT, "DNS gives no answer", text);
		break;
	}
}

/* ---- public -------------------------------------------------------------- */

static int resolve(struct edge_dial *d, const struct edge_dial_params *p)
{
	char host[LIMIT_DOMAIN_BYTES + 1];

	if (p->host == NULL)
		return edge_dns_resolve(p->dns, d->ascii, p->creds != NULL,
					on_resolved, d, &d->query);
	if (p->host->is_address)
		(void)snprintf(host, sizeof(host), "%s", p->host->host);
	else if (domain_to_ascii(span_str(p->host->host), host, sizeof(host)) !=
		 0)
		return FED_EINVAL;
	return edge_dns_resolve_host(p->dns, host, p->host->port, on_resolved,
				     d, &d->query);
}

int edge_dial_new(struct edge_dial **d_out, const struct edge_dial_params *p)
{
	struct edge_dial *d = calloc(1, sizeof(*d));
	int err;

	if (d == NULL)
		return FED_ENOMEM;
	d->p = *p;
	d->p.domain = strdup(p->domain);
	d->p.host = NULL;
	/* LIMIT: a stranger's domain with many addresses that do not answer */
	d->until_ms = loop_now_ms(p->loop) + LIMIT_DIALBACK_MS;
	err = d->p.domain == NULL ? FED_ENOMEM : 0;
	if (err == 0 && domain_to_ascii(span_str(p->domain), d->ascii,
					sizeof(d->ascii)) != 0)
		err = FED_EINVAL;
	if (err == 0)
		err = loop_timer_new(&d->timer, p->loop, on_timer, d);
	if (err == 0)
		err = resolve(d, p);
	if (err != 0) {
		edge_dial_free(d);
		return err;
	}
	*d_out = d;
	return 0;
}

void edge_dial_free(struct edge_dial *d)
{
	if (d == NULL)
		return;
	edge_dns_cancel(d->query);
	loop_timer_free(d->timer);
	for (size_t i = 0; i < d->count; i++)
		conn_close(d->conns[i]);
	free((void *)(uintptr_t)d->p.domain);
	free(d->targets);
	free(d);
}
