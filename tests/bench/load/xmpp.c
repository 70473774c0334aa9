/*
 * The XMPP side of the load generator: the server of load.example.
 *
 *   xmpp LISTEN EDGE CA CERT KEY WILDCARD-CERT WILDCARD-KEY ARRIVALS
 *
 * ARRIVALS is the descriptor of a pipe: each byte in it says that one message
 * of ours arrived at the other side.  Commands are in flow.h, and
 *
 *   streams      how many the edge has open to domains below load.example
 *   leave        end those
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/limits.h"
#include "tests/bench/load/flow.h"
#include "tests/bench/load/host.h"
#include "tests/bench/load/stanza_scan.h"
#include "tests/bench/load/users.h"

enum { ARGS = 8, INPUT_MAX = 1 << 20, ARRIVALS_BYTES = 4096 };

struct xmpp;

/* A stream that the edge opened. */
struct inbound {
	struct xmpp *x;
	struct peer *peer;
	struct buf input;
	bool is_idle; /* to a domain below load.example: it got its message */
	struct inbound *prev;
	struct inbound *next;
};

struct xmpp {
	struct loop *loop;
	struct peer_host host;
	struct flow *flow;
	struct sockaddr_storage edge;
	struct peer *out; /* to the edge */
	struct inbound *inbound;
	unsigned idle;
	uv_pipe_t arrivals;
	char chunk[ARRIVALS_BYTES];
};

/* ---- to the edge --------------------------------------------------------- */

static void send_message(uint64_t number, const char body[FLOW_BODY_BYTES + 1],
			 void *arg)
{
	struct xmpp *x = arg;
	char text[512];
	unsigned user = (unsigned)(number % LOAD_USERS);
	int n = snprintf(text, sizeof(text),
			 "<message from='j%u@" LOAD_XMPP_DOMAIN
			 "/balcony' to='r%u@" LOAD_SIP_DOMAIN
			 "' type='chat' id='m%" PRIu64
			 "'><body>%s</body></message>",
			 user, user, number, body);

	peer_write(x->out, span_of(text, (size_t)n));
}

static void on_out(struct peer *p, const struct peer_event *ev, void *arg)
{
	struct xmpp *x = arg;
	char text[256];

	(void)p;
	switch (ev->kind) {
	case PEER_OPEN:
		flow_say("{\"ready\": true}");
		break;
	case PEER_END:
		s2s_reason_format(ev->why, text, sizeof(text));
		x->out = NULL;
		flow_die("the stream to the edge ended: %s", text);
	case PEER_BYTES:
		break;
	}
}

/* ---- from the edge ------------------------------------------------------- */

/* XEP-0199 4.3; other questions do not come here. */
static void answer_iq(struct xmpp *x, struct span iq)
{
	struct span id = stanza_scan_attr(iq, "id");
	struct span from = stanza_scan_attr(iq, "from");
	struct span to = stanza_scan_attr(iq, "to");
	struct buf b;

	if (!span_eq_str(stanza_scan_attr(iq, "type"), "get"))
		return;
	buf_init(&b, LIMIT_STANZA_BYTES);
	buf_printf(&b, "<iq type='result' from='%.*s' to='%.*s' id='%.*s'/>",
		   (int)to.n, to.p, (int)from.n, from.p, (int)id.n, id.p);
	peer_write(x->out, buf_span(&b));
	buf_deinit(&b);
}

/* The first word on one of many streams; what follows, such as the ping behind
 * it, is not answered. */
static void on_idle_stanza(struct inbound *in)
{
	in->x->idle += !in->is_idle;
	in->is_idle = true;
}

static bool is_for_one_of_many(struct span to)
{
	return memmem(to.p, to.n, "." LOAD_XMPP_DOMAIN,
		      sizeof("." LOAD_XMPP_DOMAIN) - 1) != NULL;
}

static void on_stanza(struct inbound *in, struct span s)
{
	struct xmpp *x = in->x;

	if (is_for_one_of_many(stanza_scan_attr(s, "to")))
		on_idle_stanza(in);
	else if (span_starts(s, SPAN_LIT("<iq")))
		answer_iq(x, s);
	else if (!span_starts(s, SPAN_LIT("<message")))
		flow_die("from the edge: %.*s", (int)s.n, s.p);
	else if (span_eq_str(stanza_scan_attr(s, "type"), "error"))
		flow_failed(x->flow, s);
	else
		flow_arrived(x->flow, stanza_scan_body(s));
}

static void on_input(struct inbound *in, struct span bytes)
{
	struct span stanza;
	size_t used;
	int err;

	flow_need(buf_put_span(&in->input, bytes), "input");
	for (;;) {
		err = stanza_scan(buf_span(&in->input), &stanza, &used);
		if (err != 0)
			break;
		if (!span_starts(stanza, SPAN_LIT("</stream:stream")))
			on_stanza(in, stanza);
		buf_consume(&in->input, used);
	}
	if (err != FED_EAGAIN)
		flow_die("from the edge: %.*s", (int)bytes.n, bytes.p);
}

static void on_in(struct peer *p, const struct peer_event *ev, void *arg)
{
	struct inbound *in = arg;

	(void)p;
	switch (ev->kind) {
	case PEER_OPEN:
		break;
	case PEER_BYTES:
		on_input(in, ev->bytes);
		break;
	case PEER_END:
		in->x->idle -= in->is_idle;
		DL_DELETE(in->x->inbound, in);
		buf_deinit(&in->input);
		free(in);
		break;
	}
}

static void on_accept(struct listener *l, struct conn *c, void *arg)
{
	struct xmpp *x = arg;
	struct inbound *in = calloc(1, sizeof(*in));

	(void)l;
	if (in == NULL)
		flow_die("out of memory");
	in->x = x;
	buf_init(&in->input, INPUT_MAX);
	DL_APPEND(x->inbound, in);
	in->peer = peer_accept(&x->host, c, on_in, in);
}

static void leave_idle(struct xmpp *x)
{
	struct inbound *in;
	struct inbound *next;

	DL_FOREACH_SAFE (x->inbound, in, next)
		if (in->is_idle)
			peer_close(in->peer);
}

/* ---- what the other side saw --------------------------------------------- */

static void arrivals_alloc(uv_handle_t *h, size_t n, uv_buf_t *b)
{
	struct xmpp *x = h->data;

	(void)n;
	*b = uv_buf_init(x->chunk, sizeof(x->chunk));
}

static void arrivals_read(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
	struct xmpp *x = s->data;

	(void)b;
	if (n > 0)
		flow_done(x->flow, (uint64_t)n);
	else if (n < 0)
		loop_stop(x->loop);
}

static void watch_arrivals(struct xmpp *x, int fd)
{
	x->arrivals.data = x;
	if (uv_pipe_init(loop_uv(x->loop), &x->arrivals, 0) != 0 ||
	    uv_pipe_open(&x->arrivals, fd) != 0 ||
	    uv_read_start((uv_stream_t *)&x->arrivals, arrivals_alloc,
			  arrivals_read) != 0)
		flow_die("descriptor %d is not a pipe", fd);
}

/* ---- start --------------------------------------------------------------- */

static bool on_command(const char *line, void *arg)
{
	struct xmpp *x = arg;

	if (flow_is(line, "leave", NULL, 0))
		leave_idle(x);
	else if (!flow_is(line, "streams", NULL, 0))
		return false;
	flow_say("{\"open\": %u}", x->idle);
	return true;
}

int main(int argc, char **argv)
{
	static struct xmpp x;
	struct listener *listener;
	struct errbuf e;
	char **args = argv + 1;

	if (argc != ARGS + 1)
		flow_die("usage: xmpp LISTEN EDGE CA CERT KEY WILDCARD-CERT "
			 "WILDCARD-KEY ARRIVALS");
	flow_need(loop_new(&x.loop, host_log()), "loop");
	host_init(&x.host, x.loop,
		  &(struct host_files){args[2], args[3], args[4], args[5],
				       args[6]});
	load_address(args[1], &x.edge);
	if (listener_new(&listener, x.loop, args[0], on_accept, &x, &e) != 0)
		flow_die("%s", e.text);
	x.flow = flow_new(&(struct flow_params){.loop = x.loop,
						.send = send_message,
						.command = on_command,
						.arg = &x});
	watch_arrivals(&x, (int)strtol(args[7], NULL, 10));
	x.out = peer_connect(&x.host, (const struct sockaddr *)&x.edge,
			     LOAD_XMPP_DOMAIN, LOAD_XMPP_DOMAIN, on_out, &x);
	loop_run(x.loop);
	return 0;
}
