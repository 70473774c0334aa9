/*
 * A request that is passed on is, byte for byte, the one that came, and so is
 * its answer: but for our Via, Max-Forwards, and the Route that led here.
 */
#include "sip_raw_rig.h"

static char sent[RIG_TEXT], got[RIG_TEXT], wanted[RIG_TEXT], answer[RIG_TEXT];

/* Everything that a library may like to write in another way. */
#define ODD                                                                   \
	"v: SIP/2.0/TCP 10.9.8.7:5080;branch=z9hG4bKbelow;x-own=\"a b\","     \
	" SIP/2.0/UDP "                                                       \
	"pc.sip.example;branch=z9hG4bKfirst;received=10.1.1.1\r\n"            \
	"f:   \"Romeo  \\\"M\\\"\" <sip:%%72omeo@SIP.example;x=Y>;tag=Rt\r\n" \
	"t: <sip:juliet@XMPP.example>\r\n"                                    \
	"i: odd@call\r\nCSEQ:  0009   MESSAGE\r\n"                            \
	"X-Ms-Own: keep   this;=?,\r\n"                                       \
	"Subject: =?utf-8?q?hm?=\r\n"                                         \
	"Record-Route: <sip:10.66.0.3;lr;ftag=Rt>\r\n"                        \
	"m: \"R\" <sip:romeo@10.66.0.12:5062;transport=TCP>;+sip.instance="   \
	"\"<urn:uuid:1>\"\r\n"                                                \
	"Date: Sat, 13 Nov 2010 23:29:00 GMT\r\n"                             \
	"Accept: application/pidf+xml ; q=0.5,text/plain\r\n"                 \
	"c: Text/Plain ; charset=\"UTF-8\"\r\n"

#define BODY "Wh\xc3\xa9refore\r\n\r\n  art thou?\n"

static void fill(char *out, const char *branch, const char *route,
		 unsigned max_forwards)
{
	(void)snprintf(out, RIG_TEXT,
		       "MESSAGE sip:%%6Auliet@XMPP.example;a=B SIP/2.0\r\n"
		       "Via: SIP/2.0/TCP 127.0.0.1:9;branch=%s\r\n"
		       "%s" ODD "Max-Forwards: %u\r\n"
		       "Content-Length: %zu\r\n\r\n" BODY,
		       branch, route, max_forwards, sizeof(BODY) - 1);
}

/* The text without its lines that begin so. */
static void drop_lines(char *text, const char *head)
{
	char *p = text;

	while (*p != '\0' && strncmp(p, "\r\n", 2) != 0) {
		char *end = strstr(p, "\r\n");

		assert_non_null(end);
		if (strncmp(p, head, strlen(head)) == 0)
			memmove(p, end + 2, strlen(end + 2) + 1);
		else
			p = end + 2;
	}
}

/* The first line that begins so, and what is behind it. */
static const char *line_of(const char *text, const char *head)
{
	const char *p = strstr(text, head);

	if (p == NULL)
		fail_msg("no %s in %s", head, text);
	return p;
}

struct hop {
	struct rig g;
	int listener, in, out;
};

static void start(struct hop *h)
{
	h->listener = rig_socket(SOCK_STREAM);
	assert_int_equal(listen(h->listener, 1), 0);
	rig_start(&h->g, "127.0.0.1");
	h->in = rig_connect(&h->g, SOCK_STREAM);
	(void)pthread_mutex_lock(&h->g.lock);
	h->g.pass_transport = SIP_TCP;
	h->g.pass_port = rig_port_of(h->listener);
	(void)pthread_mutex_unlock(&h->g.lock);
}

static void stop(struct hop *h)
{
	rig_stop(&h->g);
	(void)close(h->in);
	(void)close(h->out);
	(void)close(h->listener);
}

static void test_request(void **state)
{
	struct hop h;
	char via[128];

	(void)state;
	start(&h);
	fill(sent, "z9hG4bKtop", "", 12);
	rig_write(h.in, sent);
	h.out = rig_accept(h.listener);
	rig_read(h.out, got, RIG_WAIT_MS);
	(void)snprintf(via, sizeof(via),
		       "Via: SIP/2.0/TCP 127.0.0.1:%u;branch=z9hG4bKpassed\r\n",
		       h.g.port);
	/* ours is the first */
	assert_ptr_equal(line_of(got, "Via: "), line_of(got, via));
	drop_lines(got, via);
	fill(wanted, "z9hG4bKtop", "", 10);
	/* where it came from is noted in the one below (RFC 3581) */
	(void)line_of(got, "Via: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKtop;"
			   "rport=");
	drop_lines(got, "Via: SIP/2.0/TCP 127.0.0.1:9;");
	drop_lines(wanted, "Via: SIP/2.0/TCP 127.0.0.1:9;");
	assert_string_equal(got, wanted);
	stop(&h);
}

static void test_answer(void **state)
{
	struct hop h;

	(void)state;
	start(&h);
	fill(sent, "z9hG4bKtop", "", 12);
	rig_write(h.in, sent);
	h.out = rig_accept(h.listener);
	rig_read(h.out, got, RIG_WAIT_MS);
	(void)snprintf(answer, sizeof(answer),
		       "SIP/2.0 202 Accepted,  at last\r\n"
		       "Via: SIP/2.0/TCP 127.0.0.1:%u;branch=z9hG4bKpassed,"
		       " SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKtop\r\n" ODD
		       "Server:  old/1.0  (x)\r\n"
		       "Content-Length: %zu\r\n\r\n" BODY,
		       h.g.port, sizeof(BODY) - 1);
	rig_write(h.out, answer);
	rig_read(h.in, got, RIG_WAIT_MS);
	assert_ptr_equal(line_of(got, "Via: "),
			 line_of(got, "Via: SIP/2.0/TCP 127.0.0.1:9;"
				      "branch=z9hG4bKtop\r\n"));
	drop_lines(got, "Via: ");
	drop_lines(answer, "Via: ");
	assert_string_equal(got, answer);
	stop(&h);
}

/* The Route that names us has done its work, the next one has not. */
static void test_route(void **state)
{
	char route[256];
	struct hop h;

	(void)state;
	start(&h);
	(void)snprintf(route, sizeof(route),
		       "Route: <sip:127.0.0.1:%u;transport=tcp;lr>,"
		       " <sip:10.66.0.9;lr>\r\n",
		       h.g.port);
	fill(sent, "z9hG4bKtop", route, 12);
	rig_write(h.in, sent);
	h.out = rig_accept(h.listener);
	rig_read(h.out, got, RIG_WAIT_MS);
	assert_ptr_equal(line_of(got, "Route: "),
			 line_of(got, "Route: <sip:10.66.0.9;lr>\r\n"));
	stop(&h);
}

/* An answer of the old gateway that is none: its connection ends, or the
 * answer has nobody's Via below ours. */
static void test_no_answer(void **state)
{
	struct hop h;

	(void)state;
	start(&h);
	fill(sent, "z9hG4bKtop", "", 12);
	rig_write(h.in, sent);
	h.out = rig_accept(h.listener);
	rig_read(h.out, got, RIG_WAIT_MS);
	(void)snprintf(answer, sizeof(answer),
		       "SIP/2.0 200 OK\r\n"
		       "Via: SIP/2.0/TCP 127.0.0.1:%u;branch=z9hG4bKpassed\r\n"
		       "f: <sip:romeo@sip.example>;tag=Rt\r\n"
		       "t: <sip:juliet@XMPP.example>;tag=x\r\n"
		       "i: odd@call\r\nCSeq: 9 MESSAGE\r\n"
		       "Content-Length: 0\r\n\r\n",
		       h.g.port);
	rig_write(h.out, answer);
	rig_read(h.in, got, RIG_WAIT_MS);
	assert_int_equal(strncmp(got, "SIP/2.0 502 ", 12), 0);
	stop(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_route),
		cmocka_unit_test(test_no_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
