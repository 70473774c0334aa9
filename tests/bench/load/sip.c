/*
 * The SIP side of the load generator: the next hop of the gateway and a user
 * agent client, MESSAGE over TCP only.
 *
 *   sip LISTEN GATEWAY ARRIVALS
 *
 * ARRIVALS is the descriptor of a pipe: one byte is written for each message
 * that arrived here.  Commands are in flow.h, and
 *
 *   connect      to the gateway, before anything is sent; not sooner, since it
 *                closes silent connections
 *   open FROM N  one message to each of N domains, sFROM.load.example and those
 *                behind it, so that the edge opens a stream to it
 *   opened       how many of those were answered
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "io/conn.h"
#include "tests/bench/load/flow.h"
#include "tests/bench/load/sip_scan.h"
#include "tests/bench/load/users.h"

#define BRANCH "z9hG4bKload"
#define OPEN_BRANCH "z9hG4bKopen"

enum { ARGS = 3, INPUT_MAX = 1 << 20 };

struct sip;

/* A connection that the gateway opened, or ours. */
struct sip_link {
	struct sip *s;
	struct conn *conn;
	struct buf input;
};

struct sip {
	struct loop *loop;
	struct flow *flow;
	const char *listen;
	struct sockaddr_storage gateway;
	struct sip_link out; /* to the gateway, once "connect" was said */
	unsigned opened;     /* answers to messages of "open" */
	int arrivals;
	size_t arrived; /* not written to the pipe yet */
	struct loop_deferred tell;
};

/* ---- requests of ours ---------------------------------------------------- */

/* The stamp is in the branch, so that the response brings it back. */
static void send_message(uint64_t number, const char body[FLOW_BODY_BYTES + 1],
			 void *arg)
{
	struct sip *s = arg;
	char text[1024];
	unsigned user = (unsigned)(number % LOAD_USERS);
	int n = snprintf(
		text, sizeof(text),
		"MESSAGE sip:j%u@" LOAD_XMPP_DOMAIN " SIP/2.0\r\n"
		"Via: SIP/2.0/TCP %s;branch=" BRANCH "%.*s-%" PRIu64 "\r\n"
		"Max-Forwards: 70\r\n"
		"From: <sip:r%u@" LOAD_SIP_DOMAIN ">;tag=%" PRIu64 "\r\n"
		"To: <sip:j%u@" LOAD_XMPP_DOMAIN ">\r\n"
		"Call-ID: %.*s-%" PRIu64 "@load\r\n"
		"CSeq: 1 MESSAGE\r\n"
		"Content-Type: text/plain\r\n"
		"Content-Length: %d\r\n\r\n%s",
		user, s->listen, FLOW_STAMP_DIGITS, body, number, user, number,
		user, FLOW_STAMP_DIGITS, body, number, FLOW_BODY_BYTES, body);

	flow_need(conn_write(s->out.conn, span_of(text, (size_t)n)),
		  "write to the gateway");
}

static void send_opener(struct sip *s, unsigned number)
{
	char text[1024];
	int n = snprintf(text, sizeof(text),
			 "MESSAGE sip:j@s%u." LOAD_XMPP_DOMAIN " SIP/2.0\r\n"
			 "Via: SIP/2.0/TCP %s;branch=" OPEN_BRANCH "%u\r\n"
			 "Max-Forwards: 70\r\n"
			 "From: <sip:r@" LOAD_SIP_DOMAIN ">;tag=open\r\n"
			 "To: <sip:j@s%u." LOAD_XMPP_DOMAIN ">\r\n"
			 "Call-ID: open-%u@load\r\n"
			 "CSeq: 1 MESSAGE\r\n"
			 "Content-Type: text/plain\r\n"
			 "Content-Length: 5\r\n\r\nhello",
			 number, s->listen, number, number, number);

	flow_need(conn_write(s->out.conn, span_of(text, (size_t)n)),
		  "write to the gateway");
}

static void on_response(struct sip *s, const struct sip_scan *m)
{
	static const char mark[] = ";branch=" BRANCH;
	struct span via = sip_scan_field(m, "Via");
	const char *p;

	if (span_starts(m->head, SPAN_LIT("SIP/2.0 1")))
		return;
	if (memmem(via.p, via.n, OPEN_BRANCH, sizeof(OPEN_BRANCH) - 1) !=
	    NULL) {
		if (!span_starts(m->head, SPAN_LIT("SIP/2.0 2")))
			flow_die("no stream: %.*s", (int)m->head.n, m->head.p);
		s->opened++;
		return;
	}
	p = memmem(via.p, via.n, mark, sizeof(mark) - 1);
	if (p == NULL)
		flow_die("not our branch: %.*s", (int)via.n, via.p);
	p += sizeof(mark) - 1;
	if (span_starts(m->head, SPAN_LIT("SIP/2.0 2")))
		flow_answered(s->flow,
			      span_sub(via, (size_t)(p - via.p), SIZE_MAX));
	else
		flow_failed(s->flow, m->head);
	flow_done(s->flow, 1);
}

/* ---- requests of the gateway --------------------------------------------- */

/* At the end of a turn: one write for all that came in it. */
static void tell_arrivals(void *arg)
{
	static const char zeros[4096];
	struct sip *s = arg;

	while (s->arrived > 0) {
		size_t n =
			s->arrived < sizeof(zeros) ? s->arrived : sizeof(zeros);
		ssize_t done = write(s->arrivals, zeros, n);

		if (done < 0)
			flow_die("arrivals: %s", strerror(errno));
		s->arrived -= (size_t)done;
	}
}

static void on_request(struct sip_link *l, const struct sip_scan *m)
{
	struct sip *s = l->s;
	struct buf b;

	if (!span_starts(m->head, SPAN_LIT("MESSAGE ")))
		flow_die("from the gateway: %.*s", (int)m->head.n, m->head.p);
	flow_arrived(s->flow, m->body);
	s->arrived++;
	loop_defer(s->loop, &s->tell);
	buf_init(&b, LIMIT_SIP_BYTES);
	flow_need(sip_scan_answer(m, "load", "", &b), "response");
	flow_need(conn_write(l->conn, buf_span(&b)), "write to the gateway");
	buf_deinit(&b);
}

/* ---- connections --------------------------------------------------------- */

static void on_message(const struct sip_scan *m, void *arg)
{
	struct sip_link *l = arg;

	if (span_starts(m->head, SPAN_LIT("SIP/2.0 ")))
		on_response(l->s, m);
	else
		on_request(l, m);
}

static void on_conn(struct conn *c, const struct conn_event *ev, void *arg)
{
	struct sip_link *l = arg;

	switch (ev->kind) {
	case CONN_DATA:
		flow_need(sip_scan_feed(&l->input, ev->data, on_message, l),
			  "SIP");
		break;
	case CONN_EOF:
	case CONN_ERROR:
		if (l == &l->s->out)
			flow_die("the gateway closed the connection");
		conn_close(c);
		buf_deinit(&l->input);
		free(l);
		break;
	case CONN_UP:
		flow_say("{\"connected\": true}");
		break;
	case CONN_TLS_UP:
	case CONN_DRAINED:
	case CONN_TIMEOUT:
		break;
	}
}

static void on_accept(struct listener *listener, struct conn *c, void *arg)
{
	struct sip_link *l = calloc(1, sizeof(*l));

	(void)listener;
	if (l == NULL)
		flow_die("out of memory");
	*l = (struct sip_link){.s = arg, .conn = c};
	buf_init(&l->input, INPUT_MAX);
	conn_set_handler(c, on_conn, l);
}

static bool on_command(const char *line, void *arg)
{
	struct sip *s = arg;
	uint32_t n[2];

	if (flow_is(line, "connect", NULL, 0) && s->out.conn == NULL) {
		flow_need(conn_connect(&s->out.conn, s->loop,
				       (const struct sockaddr *)&s->gateway,
				       on_conn, &s->out),
			  "connect");
		return true; /* answered when it is up */
	}
	if (flow_is(line, "open", n, 2)) {
		for (uint32_t i = 0; i < n[1]; i++)
			send_opener(s, n[0] + i);
	} else if (!flow_is(line, "opened", NULL, 0)) {
		return false;
	}
	flow_say("{\"opened\": %u}", s->opened);
	return true;
}

int main(int argc, char **argv)
{
	static struct sip s;
	const struct logger log = {.sink = NULL};
	struct listener *listener;
	struct errbuf e;

	if (argc != ARGS + 1)
		flow_die("usage: sip LISTEN GATEWAY ARRIVALS");
	flow_need(loop_new(&s.loop, &log), "loop");
	s.listen = argv[1];
	s.arrivals = (int)strtol(argv[3], NULL, 10);
	s.tell = (struct loop_deferred){.fn = tell_arrivals, .arg = &s};
	s.out.s = &s;
	buf_init(&s.out.input, INPUT_MAX);
	if (listener_new(&listener, s.loop, argv[1], on_accept, &s, &e) != 0)
		flow_die("%s", e.text);
	s.flow = flow_new(&(struct flow_params){.loop = s.loop,
						.send = send_message,
						.command = on_command,
						.arg = &s});
	load_address(argv[2], &s.gateway);
	flow_say("{\"ready\": true}");
	loop_run(s.loop);
	return 0;
}
