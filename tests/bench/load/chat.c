/*
 * Two XMPP clients, one at each of two servers: the first writes to the second,
 * so that what is measured is a pair of servers and the s2s stream between
 * them.  In clear and by PLAIN, as the lab's servers allow it.
 *
 *   chat ADDRESS USER DOMAIN PASSWORD  ADDRESS USER DOMAIN PASSWORD
 *
 * Commands are in flow.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "io/conn.h"
#include "tests/bench/load/flow.h"
#include "tests/bench/load/host.h"
#include "tests/bench/load/stanza_scan.h"
#include "tests/bench/load/users.h"

enum { ARGS = 8, ARGS_OF_ONE = 4, INPUT_MAX = 1 << 20, TEXT_BYTES = 512 };

/* Which answer of the server is due. */
enum client_state {
	CLIENT_AUTH,	/* features before it */
	CLIENT_SUCCESS, /* of SASL */
	CLIENT_BIND,	/* features before it */
	CLIENT_BOUND,
	CLIENT_OPEN,
};

struct chat;

struct client {
	struct chat *chat;
	char **args; /* address, user, domain, password */
	enum client_state state;
	struct conn *conn;
	struct buf input;
};

struct chat {
	struct flow *flow;
	struct client sender;
	struct client receiver;
};

static void put(struct client *c, const char *text)
{
	flow_need(conn_write(c->conn, span_str(text)), "write to a server");
}

/* ---- log in -------------------------------------------------------------- */

static void put_header(struct client *c)
{
	char text[TEXT_BYTES];

	(void)snprintf(text, sizeof(text),
		       "<stream:stream xmlns='jabber:client' version='1.0' "
		       "xmlns:stream='http://etherx.jabber.org/streams' "
		       "to='%s'>",
		       c->args[2]);
	put(c, text);
}

static void put_base64(struct buf *out, struct span in)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789+/";

	for (size_t i = 0; i < in.n; i += 3) {
		uint32_t bits = 0;
		char four[] = "====";

		for (size_t k = i; k < i + 3; k++)
			bits = bits << 8 | (k < in.n ? (uint8_t)in.p[k] : 0);
		for (size_t k = 0; k < 4 && i + k <= in.n; k++)
			four[k] = digits[bits >> (18 - 6 * k) & 63];
		buf_put_str(out, four);
	}
}

/* RFC 4616: NUL user NUL password */
static void put_auth(struct client *c)
{
	char plain[TEXT_BYTES];
	struct buf b;
	int n = snprintf(plain, sizeof(plain), "%c%s%c%s", 0, c->args[1], 0,
			 c->args[3]);

	buf_init(&b, 2 * TEXT_BYTES);
	buf_put_str(&b, "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' "
			"mechanism='PLAIN'>");
	put_base64(&b, span_of(plain, (size_t)n));
	flow_need(buf_put_str(&b, "</auth>"), "password");
	flow_need(conn_write(c->conn, buf_span(&b)), "write to a server");
	buf_deinit(&b);
}

static void on_answer(struct client *c)
{
	switch (c->state) {
	case CLIENT_AUTH:
		put_auth(c);
		break;
	case CLIENT_SUCCESS:
		put_header(c);
		break;
	case CLIENT_BIND:
		put(c, "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:"
		       "xml:ns:xmpp-bind'><resource>load</resource></bind>"
		       "</iq>");
		break;
	case CLIENT_BOUND:
		/* not empty: stanza_scan() wants an end tag of its echo */
		if (c == &c->chat->receiver)
			put(c, "<presence><priority>1</priority></presence>");
		break;
	case CLIENT_OPEN:
		return;
	}
	c->state++;
	if (c->chat->sender.state == CLIENT_OPEN &&
	    c->chat->receiver.state == CLIENT_OPEN)
		flow_say("{\"ready\": true}");
}

/* Each answer is known by how it ends. @return false: it is not there yet */
static bool log_in(struct client *c)
{
	static const char *const ends[] = {
		[CLIENT_AUTH] = "</stream:features>",
		[CLIENT_SUCCESS] = "<success",
		[CLIENT_BIND] = "</stream:features>",
		[CLIENT_BOUND] = "</iq>",
	};
	struct span in = buf_span(&c->input);
	struct span want = span_str(ends[c->state]);
	const char *p = in.n > 0 ? memmem(in.p, in.n, want.p, want.n) : NULL;

	if (p == NULL)
		return false;
	buf_consume(&c->input, (size_t)(p - in.p) + want.n);
	on_answer(c);
	return true;
}

/* ---- messages ------------------------------------------------------------ */

static void send_message(uint64_t number, const char body[FLOW_BODY_BYTES + 1],
			 void *arg)
{
	struct chat *chat = arg;
	char text[TEXT_BYTES];

	(void)snprintf(text, sizeof(text),
		       "<message to='%s@%s' type='chat' id='m%" PRIu64
		       "'><body>%s</body></message>",
		       chat->receiver.args[1], chat->receiver.args[2], number,
		       body);
	put(&chat->sender, text);
}

static void on_stanza(struct client *c, struct span s)
{
	struct flow *flow = c->chat->flow;

	if (!span_starts(s, SPAN_LIT("<message")))
		return;
	if (span_eq_str(stanza_scan_attr(s, "type"), "error"))
		flow_failed(flow, s);
	else
		flow_arrived(flow, stanza_scan_body(s));
	flow_done(flow, 1);
}

static void on_input(struct client *c, struct span bytes)
{
	struct span stanza;
	size_t used;
	int err = 0;

	flow_need(buf_put_span(&c->input, bytes), "input");
	while (c->state != CLIENT_OPEN)
		if (!log_in(c))
			return;
	for (;;) {
		err = stanza_scan(buf_span(&c->input), &stanza, &used);
		if (err != 0)
			break;
		on_stanza(c, stanza);
		buf_consume(&c->input, used);
	}
	if (err != FED_EAGAIN)
		flow_die("from a server: %.*s", (int)bytes.n, bytes.p);
}

static void on_conn(struct conn *conn, const struct conn_event *ev, void *arg)
{
	struct client *c = arg;

	(void)conn;
	switch (ev->kind) {
	case CONN_UP:
		put_header(c);
		break;
	case CONN_DATA:
		on_input(c, ev->data);
		break;
	case CONN_EOF:
	case CONN_ERROR:
		flow_die("%s closed the connection", c->args[0]);
	case CONN_TLS_UP:
	case CONN_DRAINED:
	case CONN_TIMEOUT:
		break;
	}
}

static void connect_client(struct client *c, struct chat *chat,
			   struct loop *loop, char **args)
{
	struct sockaddr_storage address;

	c->chat = chat;
	c->args = args;
	buf_init(&c->input, INPUT_MAX);
	load_address(args[0], &address);
	flow_need(conn_connect(&c->conn, loop,
			       (const struct sockaddr *)&address, on_conn, c),
		  args[0]);
}

int main(int argc, char **argv)
{
	static struct chat chat;
	struct loop *loop;

	if (argc != ARGS + 1)
		flow_die("usage: chat ADDRESS USER DOMAIN PASSWORD "
			 "ADDRESS USER DOMAIN PASSWORD");
	flow_need(loop_new(&loop, host_log()), "loop");
	chat.flow = flow_new(&(struct flow_params){
		.loop = loop, .send = send_message, .arg = &chat});
	connect_client(&chat.sender, &chat, loop, argv + 1);
	connect_client(&chat.receiver, &chat, loop, argv + 1 + ARGS_OF_ONE);
	loop_run(loop);
	return 0;
}
