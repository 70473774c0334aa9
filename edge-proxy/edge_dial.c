/* Addresses of a domain, one after the other. */
#include "edge-proxy/edge_dial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "xmpp/jid.h"

struct edge_dial {
	struct edge_dial_params p;
	struct edge_dns_query *query;
	struct edge_dns_target *targets;
	size_t count;
	size_t next;
	uint64_t until_ms; /* no other address is tried after */
	struct conn *conn; /* being connected */
	struct loop_deferred retry;
	char last[160]; /* what the last address said */
};

static void on_conn(struct conn *c, const struct conn_event *ev, void *arg);

static void fail(struct edge_dial *d, enum s2s_reason_kind kind,
		 const char *text)
{
	struct s2s_reason r = {.kind = kind};

	(void)snprintf(r.text, sizeof(r.text), "%s", text);
	d->p.fn(d->p.arg, NULL, &r);
}

static void try_next(void *arg)
{
	struct edge_dial *d = arg;

	/* LIMIT: a stranger's domain with many addresses that do not answer */
	while (d->next < d->count && loop_now_ms(d->p.loop) < d->until_ms) {
		const struct edge_dns_target *t = &d->targets[d->next++];

		if (conn_connect(&d->conn, d->p.loop,
				 (const struct sockaddr *)&t->addr, on_conn,
				 d) == 0)
			return;
		(void)snprintf(d->last, sizeof(d->last),
			       "%.100s: no connection", t->name);
	}
	fail(d, S2S_END_CONNECT, d->last);
}

static void on_conn(struct conn *c, const struct conn_event *ev, void *arg)
{
	struct edge_dial *d = arg;

	if (ev->kind == CONN_UP) {
		d->conn = NULL;
		d->p.fn(d->p.arg, c, NULL);
		return;
	}
	(void)snprintf(d->last, sizeof(d->last), "%s: %s", conn_peer_address(c),
		       ev->text != NULL ? ev->text : "closed");
	fed_log(loop_log(d->p.loop), FED_LOG_DEBUG, "connect_failed",
		"%s peer=%s address=%s error=\"%s\"", d->p.label,
		log_value(span_str(d->p.domain)).text, conn_peer_address(c),
		ev->text != NULL ? ev->text : "closed");
	d->conn = NULL;
	conn_close(c);
	loop_defer(d->p.loop, &d->retry);
}

static int keep_targets(struct edge_dial *d,
			const struct edge_dns_target *targets, size_t count)
{
	/* LIMIT: addresses tried for one domain */
	d->count = count < LIMIT_SRV_ADDRESSES ? count : LIMIT_SRV_ADDRESSES;
	d->targets = calloc(d->count, sizeof(*d->targets));
	if (d->targets == NULL)
		return FED_ENOMEM;
	memcpy(d->targets, targets, d->count * sizeof(*targets));
	return 0;
}

static void on_resolved(void *arg, enum edge_dns_result result,
			const struct edge_dns_target *targets, size_t count,
			bool is_secure, const char *text)
{
	struct edge_dial *d = arg;

	d->query = NULL;
	fed_log(loop_log(d->p.loop), FED_LOG_DEBUG, "resolved",
		"%s peer=%s result=%d addresses=%zu secure=%d text=\"%s\"",
		d->p.label, log_value(span_str(d->p.domain)).text, (int)result,
		count, is_secure, text == NULL ? "" : text);
	switch (result) {
	case EDGE_DNS_OK:
		if (count == 0 || keep_targets(d, targets, count) != 0)
			fail(d, S2S_END_CONNECT, "out of memory");
		else
			try_next(d);
		break;
	case EDGE_DNS_NOT_FOUND:
		fail(d, S2S_END_DNS,
		     text == NULL ? "no XMPP service in DNS" : text);
		break;
	case EDGE_DNS_FAILED:
		/* may exist: not remote-server-not-found (RFC 6120 10.4.3) */
		fail(d, S2S_END_TIMEOUT,
		     text == NULL ? "DNS gives no answer" : text);
		break;
	}
}

int edge_dial_new(struct edge_dial **d_out, const struct edge_dial_params *p)
{
	char ascii[LIMIT_DOMAIN_BYTES + 1];
	struct edge_dial *d;
	int err;

	if (domain_to_ascii(span_str(p->domain), ascii, sizeof(ascii)) != 0)
		return FED_EINVAL;
	d = calloc(1, sizeof(*d));
	if (d == NULL)
		return FED_ENOMEM;
	d->p = *p;
	d->p.domain = NULL;
	d->until_ms = loop_now_ms(p->loop) + LIMIT_DIALBACK_MS;
	d->retry = (struct loop_deferred){.fn = try_next, .arg = d};
	err = edge_dns_resolve(p->dns, ascii, false, on_resolved, d, &d->query);
	if (err == 0)
		d->p.domain = strdup(p->domain);
	if (err == 0 && d->p.domain == NULL)
		err = FED_ENOMEM;
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
	loop_undefer(d->p.loop, &d->retry);
	conn_close(d->conn);
	free((void *)(uintptr_t)d->p.domain);
	free(d->targets);
	free(d);
}
