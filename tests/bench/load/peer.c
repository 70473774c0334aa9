/* conn and one of the two stream cores, for the load generator. */
#include "tests/bench/load/peer.h"

#include <stdlib.h>
#include <string.h>

#include "tests/bench/load/flow.h"

struct peer {
	struct peer_host *host;
	struct s2s_env env;
	struct conn *conn;
	struct s2s_in *in;   /* inbound, else NULL */
	struct s2s_out *out; /* outbound, once TCP is up */
	char *local;	     /* outbound */
	const char *identity;
	peer_fn fn;
	void *arg;
	bool is_open;
	bool is_ended;
	struct loop_deferred reap;
};

static void reap(void *arg)
{
	struct peer *p = arg;

	s2s_in_free(p->in);
	s2s_out_free(p->out);
	free(p->local);
	free(p);
}

static struct peer *new_peer(struct peer_host *host, peer_fn fn, void *arg)
{
	struct peer *p = calloc(1, sizeof(*p));

	if (p == NULL)
		flow_die("out of memory");
	p->host = host;
	p->fn = fn;
	p->arg = arg;
	p->env = (struct s2s_env){.policy = host->policy,
				  .ids = &host->ids,
				  .log = host->log,
				  .metrics = &host->metrics,
				  .label = "load"};
	p->reap = (struct loop_deferred){.fn = reap, .arg = p};
	return p;
}

static void end(struct peer *p, const struct s2s_reason *why)
{
	if (p->is_ended)
		return;
	p->is_ended = true;
	conn_close(p->conn);
	loop_defer(p->host->loop, &p->reap);
	p->fn(p, &(struct peer_event){.kind = PEER_END, .why = why}, p->arg);
}

/* ---- the core ------------------------------------------------------------ */

static void start_tls(struct peer *p, const char *name)
{
	struct tls_creds *creds = p->host->creds;
	const struct tls_params in = {.side = TLS_SERVER,
				      .identity = tls_creds_has(creds, name)
							  ? name
							  : p->host->identity};
	const struct tls_params out = {
		.side = TLS_CLIENT, .identity = p->identity, .sni = name};

	flow_need(conn_start_tls(p->conn, creds, p->in != NULL ? &in : &out),
		  "TLS");
}

static void do_action(struct peer *p, const struct s2s_action *a)
{
	switch (a->kind) {
	case S2S_ACT_WRITE:
		peer_write(p, a->u.bytes);
		break;
	case S2S_ACT_START_TLS:
		start_tls(p, a->u.name);
		break;
	case S2S_ACT_READY:
		p->is_open = true;
		p->fn(p,
		      &(struct peer_event){.kind = PEER_OPEN,
					   .tls = conn_tls_facts(p->conn)},
		      p->arg);
		break;
	case S2S_ACT_CLOSE:
		end(p, &a->u.reason);
		break;
	case S2S_ACT_PAIR_REFUSED:
	case S2S_ACT_VERIFY:
	case S2S_ACT_VERDICT:
	case S2S_ACT_STANZA:
	case S2S_ACT_REPLY:
	case S2S_ACT_REDIRECT:
		flow_die("a stream did what it should not: %d", (int)a->kind);
	}
}

static bool next_action(struct peer *p, struct s2s_action *a)
{
	return p->in != NULL ? s2s_in_next_action(p->in, a)
			     : s2s_out_next_action(p->out, a);
}

static void drain(struct peer *p)
{
	struct s2s_action a;

	while (!p->is_ended && next_action(p, &a))
		do_action(p, &a);
	if (p->is_ended)
		return;
	if (p->in == NULL)
		conn_set_deadline(p->conn, s2s_out_deadline_ms(p->out));
	else
		/* the core sees no more bytes, and so no idle stream */
		conn_set_deadline(p->conn, p->is_open
						   ? UINT64_MAX
						   : s2s_in_deadline_ms(p->in));
}

static void feed(struct peer *p, const struct s2s_event *ev)
{
	uint64_t now_ms = loop_now_ms(p->host->loop);

	flow_need(p->in != NULL ? s2s_in_on_event(p->in, ev, now_ms)
				: s2s_out_on_event(p->out, ev, now_ms),
		  "stream");
	drain(p);
}

/* ---- connection ---------------------------------------------------------- */

static void on_connected(struct peer *p)
{
	const struct s2s_out_params params = {
		.mode = S2S_OUT_ROUTE,
		.pair = {p->local, p->host->remote},
		.has_certificate = true,
	};

	flow_need(s2s_out_new(&p->out, &p->env, &params,
			      loop_now_ms(p->host->loop)),
		  "stream");
	drain(p);
}

static void on_bytes(struct peer *p, struct span bytes)
{
	struct s2s_event ev = {.kind = S2S_EV_BYTES};

	if (p->in != NULL && p->is_open) {
		p->fn(p,
		      &(struct peer_event){.kind = PEER_BYTES, .bytes = bytes},
		      p->arg);
		return;
	}
	ev.u.bytes = bytes;
	feed(p, &ev);
}

static void on_lost(struct peer *p, const struct conn_event *cev)
{
	struct s2s_reason why = {.kind = S2S_END_EOF};

	if (cev->kind == CONN_ERROR)
		(void)snprintf(why.text, sizeof(why.text), "%s", cev->text);
	end(p, &why);
}

static void on_conn(struct conn *c, const struct conn_event *cev, void *arg)
{
	struct peer *p = arg;
	struct s2s_event ev = {.kind = S2S_EV_TLS_UP};

	switch (cev->kind) {
	case CONN_UP:
		on_connected(p);
		break;
	case CONN_TLS_UP:
		ev.u.tls = conn_tls_facts(c);
		feed(p, &ev);
		break;
	case CONN_DATA:
		on_bytes(p, cev->data);
		break;
	case CONN_TIMEOUT:
		feed(p, &(struct s2s_event){.kind = S2S_EV_TIMER});
		break;
	case CONN_EOF:
	case CONN_ERROR:
		on_lost(p, cev);
		break;
	case CONN_DRAINED:
		break;
	}
}

/* ---- interface ----------------------------------------------------------- */

struct peer *peer_accept(struct peer_host *host, struct conn *c, peer_fn fn,
			 void *arg)
{
	struct peer *p = new_peer(host, fn, arg);

	p->conn = c;
	conn_set_handler(c, on_conn, p);
	flow_need(s2s_in_new(&p->in, &p->env, loop_now_ms(host->loop)),
		  "stream");
	drain(p);
	return p;
}

struct peer *peer_connect(struct peer_host *host, const struct sockaddr *edge,
			  const char *local, const char *identity, peer_fn fn,
			  void *arg)
{
	struct peer *p = new_peer(host, fn, arg);

	p->identity = identity;
	p->local = strdup(local);
	if (p->local == NULL)
		flow_die("out of memory");
	flow_need(conn_connect(&p->conn, host->loop, edge, on_conn, p),
		  "connect");
	return p;
}

void peer_write(struct peer *p, struct span bytes)
{
	flow_need(conn_write(p->conn, bytes), "write to the edge");
}

void peer_close(struct peer *p)
{
	if (p->out == NULL)
		end(p, &(struct s2s_reason){.kind = S2S_END_CLOSED});
	else
		feed(p, &(struct s2s_event){.kind = S2S_EV_IDLE_CLOSE});
}
