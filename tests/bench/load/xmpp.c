/*
 * The XMPP side of the load generator: the server of load.example.
 *
 *   xmpp LISTEN EDGE CA CERT KEY WILDCARD-CERT WILDCARD-KEY ARRIVALS
 *
 * ARRIVALS is the descriptor of a pipe: each byte in it says that one message
 * of ours arrived at the other side.  Commands are in flow.h and crowd.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "tests/bench/load/crowd.h"
#include "tests/bench/load/flow.h"
#include "tests/bench/load/stanza_scan.h"
#include "tests/bench/load/users.h"

#define WILDCARD "*." LOAD_XMPP_DOMAIN

enum { ARGS = 8, INPUT_MAX = 1 << 20, ARRIVALS_BYTES = 4096 };

struct xmpp {
	struct loop *loop;
	struct peer_host host;
	struct flow *flow;
	struct crowd *crowd;
	struct sockaddr_storage edge;
	struct peer *out; /* to the edge */
	struct buf input; /* of the edge's stream */
	uv_pipe_t arrivals;
	char chunk[ARRIVALS_BYTES];
};

static void log_line(void *arg, enum fed_log_level level, const char *line,
		     size_t n)
{
	(void)arg;
	(void)level;
	(void)fprintf(stderr, "load: %.*s\n", (int)n, line);
}

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

static void on_stanza(struct xmpp *x, struct span s)
{
	if (span_starts(s, SPAN_LIT("<iq")))
		answer_iq(x, s);
	else if (!span_starts(s, SPAN_LIT("<message")))
		flow_die("from the edge: %.*s", (int)s.n, s.p);
	else if (span_eq_str(stanza_scan_attr(s, "type"), "error"))
		flow_failed(x->flow, s);
	else
		flow_arrived(x->flow, stanza_scan_body(s));
}

static void on_input(struct xmpp *x, struct span bytes)
{
	struct span stanza;
	size_t used;
	int err;

	flow_need(buf_put_span(&x->input, bytes), "input");
	for (;;) {
		err = stanza_scan(buf_span(&x->input), &stanza, &used);
		if (err != 0)
			break;
		on_stanza(x, stanza);
		buf_consume(&x->input, used);
	}
	if (err != FED_EAGAIN)
		flow_die("from the edge: %.*s", (int)bytes.n, bytes.p);
}

static void on_in(struct peer *p, const struct peer_event *ev, void *arg)
{
	struct xmpp *x = arg;

	(void)p;
	switch (ev->kind) {
	case PEER_OPEN:
		break;
	case PEER_BYTES:
		on_input(x, ev->bytes);
		break;
	case PEER_END:
		buf_reset(&x->input);
		break;
	}
}

static void on_accept(struct listener *l, struct conn *c, void *arg)
{
	struct xmpp *x = arg;

	(void)l;
	peer_accept(&x->host, c, on_in, x);
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

static struct tls_creds *load_creds(char **args)
{
	const struct tls_identity identities[] = {
		{LOAD_XMPP_DOMAIN, args[3], args[4], NULL},
		{WILDCARD, args[5], args[6], NULL},
	};
	const struct tls_creds_params p = {
		.trust_file = args[2],
		.identities = identities,
		.identity_count = FED_ARRAY_LEN(identities),
	};
	struct tls_creds *creds;
	struct errbuf e;

	if (tls_creds_new(&creds, &p, &e) != 0)
		flow_die("%s", e.text);
	return creds;
}

static void init_host(struct xmpp *x, const struct logger *log,
		      struct tls_creds *creds)
{
	static const char *const domains[] = {LOAD_XMPP_DOMAIN};
	static const struct policy_partner everybody = {.domain = "*"};
	static const struct policy policy = {
		.domains = domains,
		.domain_count = 1,
		.partners = &everybody,
		.partner_count = 1,
		.dialback_secret = {"dialback is not used", 20},
		.stanza_max = LIMIT_STANZA_BYTES,
	};

	x->host = (struct peer_host){.loop = x->loop,
				     .creds = creds,
				     .policy = &policy,
				     .log = log,
				     .remote = LOAD_SIP_DOMAIN};
	if (getrandom(x->host.ids.key, sizeof(x->host.ids.key), 0) < 0)
		flow_die("no random bytes");
}

static bool on_command(const char *line, void *arg)
{
	struct xmpp *x = arg;

	return crowd_command(x->crowd, line);
}

int main(int argc, char **argv)
{
	static struct xmpp x;
	const struct logger log = {FED_LOG_WARN, log_line, NULL};
	const struct sockaddr *edge = (const struct sockaddr *)&x.edge;
	struct listener *listener;
	struct errbuf e;
	char **args = argv + 1;

	if (argc != ARGS + 1)
		flow_die("usage: xmpp LISTEN EDGE CA CERT KEY WILDCARD-CERT "
			 "WILDCARD-KEY ARRIVALS");
	flow_need(loop_new(&x.loop, &log), "loop");
	init_host(&x, &log, load_creds(args));
	buf_init(&x.input, INPUT_MAX);
	load_address(args[1], &x.edge);
	if (listener_new(&listener, x.loop, args[0], on_accept, &x, &e) != 0)
		flow_die("%s", e.text);
	x.crowd = crowd_new(&x.host, edge, LOAD_XMPP_DOMAIN, WILDCARD);
	x.flow = flow_new(&(struct flow_params){.loop = x.loop,
						.send = send_message,
						.command = on_command,
						.arg = &x});
	watch_arrivals(&x, (int)strtol(args[7], NULL, 10));
	x.out = peer_connect(&x.host, edge, LOAD_XMPP_DOMAIN, LOAD_XMPP_DOMAIN,
			     on_out, &x);
	loop_run(x.loop);
	return 0;
}
