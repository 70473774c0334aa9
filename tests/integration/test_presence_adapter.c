/* SUBSCRIBE and NOTIFY as they leave and as they are read, byte by byte. */
#include "sip_raw_rig.h"

static char got[RIG_TEXT], expect[RIG_TEXT];

static const struct sip_request_out NOTIFY = {
	.method = "NOTIFY",
	.request_uri = "sip:romeo@192.0.2.9:5070;transport=tcp;ob",
	.from_uri = "sip:juliet@example.com",
	.from_tag = "ft",
	.to_uri = "sip:romeo@example.net",
	.to_tag = "tt",
	.call_id = "c2",
	.branch = "z9hG4bKb2",
	.cseq = 2,
	.routes = "<sip:p1;lr>, \"a, b\" <sip:p2;lr>;x=y",
	.has_contact = true,
	.event = "presence;id=4",
	.subscription_state = "terminated;reason=timeout",
	.content_type = "application/pidf+xml",
	.content_language = "cs",
	.body = {"<presence/>", 11},
};

/* ---- what leaves ----------------------------------------------------------
 */

static void test_subscribe_out(void **state)
{
	int fd = rig_socket(SOCK_DGRAM);
	struct rig g;

	(void)state;
	rig_start(&g, "127.0.0.1");
	assert_int_equal(rig_send(&g, &RIG_SUBSCRIBE, SIP_UDP, rig_port_of(fd)),
			 0);
	rig_read(fd, got, RIG_WAIT_MS);
	(void)snprintf(expect, sizeof(expect),
		       "SUBSCRIBE sip:romeo@example.net SIP/2.0\r\n"
		       "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=z9hG4bKb1\r\n"
		       "Route: <sip:127.0.0.1;lr>\r\n"
		       "Max-Forwards: 70\r\n"
		       "From: <sip:juliet@example.com>;tag=ft\r\n"
		       "To: <sip:romeo@example.net>\r\n"
		       "Call-ID: c1\r\n"
		       "CSeq: 7 SUBSCRIBE\r\n"
		       "Contact: <sip:127.0.0.1:%u;transport=udp>\r\n"
		       "Expires: 3600\r\n"
		       "Accept: application/pidf+xml\r\n"
		       "Event: presence\r\n"
		       "Content-Length: 0\r\n\r\n",
		       g.port, g.port);
	assert_string_equal(got, expect);
	rig_stop(&g);
	(void)close(fd);
}

static void test_notify_out(void **state)
{
	int listener = rig_socket(SOCK_STREAM);
	struct rig g;
	int fd;

	(void)state;
	rig_start(&g, "127.0.0.1");
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(rig_send(&g, &NOTIFY, SIP_TCP, rig_port_of(listener)),
			 0);
	fd = rig_accept(listener);
	rig_read(fd, got, RIG_WAIT_MS);
	(void)snprintf(
		expect, sizeof(expect),
		"NOTIFY sip:romeo@192.0.2.9:5070;transport=tcp;ob SIP/2.0\r\n"
		"Via: SIP/2.0/TCP 127.0.0.1:%u;branch=z9hG4bKb2\r\n"
		"Route: <sip:p1;lr>\r\n"
		"Route: \"a, b\" <sip:p2;lr>;x=y\r\n"
		"Max-Forwards: 70\r\n"
		"From: <sip:juliet@example.com>;tag=ft\r\n"
		"To: <sip:romeo@example.net>;tag=tt\r\n"
		"Call-ID: c2\r\n"
		"CSeq: 2 NOTIFY\r\n"
		"Contact: <sip:127.0.0.1:%u;transport=tcp>\r\n"
		"Event: presence;id=4\r\n"
		"Subscription-State: terminated;reason=timeout\r\n"
		"Content-Type: application/pidf+xml\r\n"
		"Content-Language: cs\r\n"
		"Content-Length: 11\r\n\r\n<presence/>",
		g.port, g.port);
	assert_string_equal(got, expect);
	rig_stop(&g);
	(void)close(fd);
	(void)close(listener);
}

/* What is bound to all addresses names the one on the way to the peer. */
static void test_contact_of_wildcard(void **state)
{
	int fd = rig_socket(SOCK_DGRAM);
	struct rig g;

	(void)state;
	rig_start(&g, "0.0.0.0");
	assert_int_equal(rig_send(&g, &RIG_SUBSCRIBE, SIP_UDP, rig_port_of(fd)),
			 0);
	rig_read(fd, got, RIG_WAIT_MS);
	(void)snprintf(expect, sizeof(expect),
		       "Contact: <sip:127.0.0.1:%u;transport=udp>\r\n", g.port);
	assert_non_null(strstr(got, expect));
	rig_stop(&g);
	(void)close(fd);
}

/* A page-mode message has nothing of it, RFC 3428 4: no Contact. */
static void test_message_out(void **state)
{
	struct sip_request_out r = RIG_SUBSCRIBE;
	int fd = rig_socket(SOCK_DGRAM);
	struct rig g;

	(void)state;
	r.method = "MESSAGE";
	r.has_contact = r.has_expires = false;
	r.event = r.accept = NULL;
	rig_start(&g, "127.0.0.1");
	assert_int_equal(rig_send(&g, &r, SIP_UDP, rig_port_of(fd)), 0);
	rig_read(fd, got, RIG_WAIT_MS);
	assert_non_null(strstr(got, "CSeq: 7 MESSAGE\r\nContent-Length: 0"));
	rig_stop(&g);
	(void)close(fd);
}

/* ---- what is read ----------------------------------------------------------
 */

/* The request with those lines and that body, as the adapter read it. */
static void ask(struct rig *g, int fd, const char *method, const char *branch,
		const char *lines, const char *body)
{
	static char text[RIG_TEXT + 1024];
	unsigned old = g->requests;

	rig_head(text, method, "TCP", branch);
	(void)snprintf(text + strlen(text), sizeof(text) - strlen(text),
		       "%sContent-Length: %zu\r\n\r\n%s", lines, strlen(body),
		       body);
	rig_write(fd, text);
	rig_read(fd, got, RIG_WAIT_MS);
	(void)pthread_mutex_lock(&g->lock);
	if (g->requests == old)
		g->request[0] = '\0';
	(void)pthread_mutex_unlock(&g->lock);
}

static const char READ_HEAD[] = "uri=sip:juliet@example.com\n"
				"from=sip:romeo@example.net\nfrom-tag=rt\n"
				"to=sip:juliet@example.com\n";

/* Odd but legal; what is told of it. */
static const struct {
	const char *method;
	const char *lines;
	const char *body;
	const char *first; /* line */
	const char *rest;  /* behind From and To */
} FORMS[] = {
	{"SUBSCRIBE",
	 "To: <sip:juliet@example.com>\r\nEvent: presence\r\n"
	 "Contact: <sip:romeo@192.0.2.9:5070;transport=tcp;ob>\r\n"
	 "Expires: 600\r\nAccept: application/pidf+xml\r\n",
	 "", "SUBSCRIBE 9\n",
	 "contact=sip:romeo@192.0.2.9:5070;transport=tcp;ob\n"
	 "event=presence\naccept=application/pidf+xml\ncall-id=c3\n"
	 "has event\nhas accept\nexpires=600\n"},
	/* compact, folded, in other cases, lists with odd blanks */
	{"SUBSCRIBE",
	 "t: \"Juliet\"\r\n <sip:juliet@example.com>;tag=tt\r\n"
	 "o:presence ; ID=7\r\n"
	 "m:\"R, m\" <sip:romeo@h;x=1?a=b>;expires=3,<sip:other@h>\r\n"
	 "EXPIRES : 0\r\n"
	 "accept: application/pidf+xml;q=0.5 ,\r\n\ttext/plain\r\n"
	 "Accept: */*\r\n"
	 "record-route: <sip:p1;lr>,<sip:p2;lr=on> ,\r\n <sip:p3>\r\n"
	 "Record-Route:\"x, y\" <sip:p4;lr>;a=b\r\n",
	 "", "SUBSCRIBE 9\n",
	 "to-tag=tt\n"
	 "contact=sip:romeo@h;x=1?a=b\n"
	 "rr=<sip:p1;lr>, <sip:p2;lr=on>, <sip:p3>, "
	 "\"x, y\" <sip:p4;lr>;a=b\n"
	 "event=presence\nid=7\n"
	 "accept=application/pidf+xml;q=0.5, text/plain, */*\n"
	 "call-id=c3\nhas event\nhas accept\nexpires=0\n"},
	/* nothing at all, an Accept of nothing, an age */
	{"SUBSCRIBE", "To: sip:juliet@example.com\r\n", "", "SUBSCRIBE 9\n",
	 "call-id=c3\n"},
	{"SUBSCRIBE",
	 "To: sip:juliet@example.com\r\nAccept:\r\n"
	 "Event: presence.winfo\r\nExpires: "
	 "99999999999999999999999\r\n",
	 "", "SUBSCRIBE 9\n",
	 "event=presence.winfo\ncall-id=c3\nhas event\nhas accept\n"
	 "expires=2147483647\n"},
	{"NOTIFY",
	 "To: <sip:juliet@example.com>;tag=tt\r\nEvent: presence\r\n"
	 "Subscription-State: active ; expires = 499;\r\n x=\"a;b\"\r\n"
	 "Content-Type: application/pidf+xml ; charset=\"UTF-8\"\r\n"
	 "Content-Language: cs, en\r\n",
	 "<presence/>", "NOTIFY 9\n",
	 "to-tag=tt\nevent=presence\n"
	 "state=active;expires=499;x=\"a;b\"\ncall-id=c3\n"
	 "type=application/pidf+xml\ncharset=UTF-8\nlang=cs\n"
	 "body=<presence/>\nhas event\n"},
	{"NOTIFY",
	 "To: <sip:juliet@example.com>;tag=tt\r\no: presence\r\n"
	 "subscription-state:terminated;reason=probation;"
	 "retry-after=60\r\n",
	 "", "NOTIFY 9\n",
	 "to-tag=tt\nevent=presence\n"
	 "state=terminated;reason=probation;retry-after=60\n"
	 "call-id=c3\nhas event\n"},
	{"SUBSCRIBE",
	 "To:\r\n sip:juliet@example.com\r\no:\r\n presence\r\n"
	 "m:\"R, M.\"\r\n <sip:romeo@192.0.2.9>;q=0.1\r\n"
	 "expires: 00000000000600\r\n"
	 "accept: text/plain;x=\", y\", application/pidf+xml ;\r\n q = 0.1\r\n"
	 "record-route: <sip:p1;lr>,\r\n <sip:p2;lr>\r\n",
	 "", "SUBSCRIBE 9\n",
	 "contact=sip:romeo@192.0.2.9\nrr=<sip:p1;lr>, <sip:p2;lr>\n"
	 "event=presence\n"
	 "accept=text/plain;x=\", y\", application/pidf+xml;q=0.1\n"
	 "call-id=c3\nhas event\nhas accept\nexpires=600\n"},
	/* the library takes it; it is told, not guessed at */
	{"SUBSCRIBE", "To: sip:juliet@example.com\r\nAccept: pidf\r\n", "",
	 "SUBSCRIBE 9\n", "call-id=c3\nstatus=400\n"},
	{"SUBSCRIBE", "To: sip:juliet@example.com\r\nContact: *\r\n", "",
	 "SUBSCRIBE 9\n", "contact=*\ncall-id=c3\n"},
};

/* All over one connection. */
static void test_forms(void **state)
{
	struct rig g;
	int fd;

	(void)state;
	rig_start(&g, "127.0.0.1");
	fd = rig_connect(&g, SOCK_STREAM);
	for (size_t i = 0; i < FED_ARRAY_LEN(FORMS); i++) {
		char branch[16];

		(void)snprintf(branch, sizeof(branch), "f%zu", i);
		ask(&g, fd, FORMS[i].method, branch, FORMS[i].lines,
		    FORMS[i].body);
		(void)snprintf(expect, sizeof(expect), "%s%s%s", FORMS[i].first,
			       READ_HEAD, FORMS[i].rest);
		assert_string_equal(g.request, expect);
	}
	rig_stop(&g);
	(void)close(fd);
}

/* What may stand once: twice, or unreadable, is answered by the library. */
static void test_refused(void **state)
{
	static const char *const rows[] = {
		"Event: presence\r\no: dialog\r\n",
		"Event: presence\r\nEvent: presence\r\n",
		"Event:\r\n",
		"Event: presence;;\"\r\n",
		"Subscription-State: active\r\n"
		"Subscription-State: terminated\r\n",
		"Subscription-State: ;\r\n",
		"Expires: 60\r\nExpires: 0\r\n",
		"Expires: soon\r\n",
		"Expires: -1\r\n",
		"Contact: <sip:romeo@h\r\n",
		"Record-Route: <sip:p1;lr>\r\nRecord-Route: <sip:p2\r\n",
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		char lines[512];
		struct rig g;
		int fd;

		(void)snprintf(lines, sizeof(lines),
			       "To: sip:juliet@example.com\r\n%s", rows[i]);
		rig_start(&g, "127.0.0.1");
		fd = rig_connect(&g, SOCK_STREAM);
		ask(&g, fd, "SUBSCRIBE", "r", lines, "");
		if (strncmp(got, "SIP/2.0 400 ", 12) != 0)
			fail_msg("%s: %s", rows[i], got);
		assert_int_equal(g.requests, 0);
		rig_stop(&g);
		(void)close(fd);
	}
}

/* At its limit a header is taken, above it is told: nothing is cut. */
static void test_too_long(void **state)
{
	static const struct {
		const char *before, *after;
		size_t limit;
	} rows[] = {
		{"Contact: <", ">", LIMIT_SIP_CONTACT_BYTES},
		{"Record-Route: <", ";lr>", LIMIT_DIALOG_ROUTES_BYTES},
		{"Accept: a/", "", LIMIT_SIP_ACCEPT_BYTES},
		{"Subscription-State: active;x=", "", LIMIT_SIP_STATE_BYTES},
	};
	static char lines[RIG_TEXT];
	struct rig g;
	int fd;

	(void)state;
	rig_start(&g, "127.0.0.1");
	fd = rig_connect(&g, SOCK_STREAM);
	for (size_t i = 0; i < 2 * FED_ARRAY_LEN(rows); i++) {
		bool is_over = i % 2 == 1;
		size_t n = rows[i / 2].limit - (is_over ? 0 : 32);
		char branch[16];

		(void)snprintf(branch, sizeof(branch), "l%zu", i);
		(void)snprintf(
			lines, sizeof(lines),
			"To: sip:juliet@example.com\r\n%ssip:%0*d@h%s\r\n",
			rows[i / 2].before, (int)n, 0, rows[i / 2].after);
		if (rows[i / 2].before[0] == 'A' ||
		    rows[i / 2].before[0] == 'S')
			(void)snprintf(lines, sizeof(lines),
				       "To: sip:juliet@example.com\r\n"
				       "%s%0*d\r\n",
				       rows[i / 2].before, (int)n, 0);
		ask(&g, fd, "SUBSCRIBE", branch, lines, "");
		assert_int_equal(strstr(g.request, "status=513") != NULL,
				 is_over);
	}
	rig_stop(&g);
	(void)close(fd);
}

/* ---- answers ----------------------------------------------------------------
 */

static void test_reply_to_subscribe(void **state)
{
	struct rig g;
	int fd;

	(void)state;
	rig_start(&g, "127.0.0.1");
	g.reply.to_tag = "ours";
	g.reply.has_contact = true;
	g.reply.has_expires = true;
	g.reply.expires = 1800;
	fd = rig_connect(&g, SOCK_STREAM);
	ask(&g, fd, "SUBSCRIBE", "a",
	    "To: <sip:juliet@example.com>\r\nEvent: presence\r\n"
	    "Record-Route: <sip:p2;lr>, <sip:p1;lr>\r\n"
	    "Contact: <sip:romeo@h>\r\n",
	    "");
	(void)snprintf(
		expect, sizeof(expect),
		"SIP/2.0 200 OK\r\n"
		"Via: SIP/2.0/TCP 127.0.0.1:9;rport=%u;branch=z9hG4bKa\r\n"
		"Record-Route: <sip:p2;lr>\r\nRecord-Route: <sip:p1;lr>\r\n"
		"From: <sip:romeo@example.net>;tag=rt\r\n"
		"To: <sip:juliet@example.com>;tag=ours\r\n"
		"Call-ID: c3\r\nCSeq: 9 SUBSCRIBE\r\n"
		"Contact: <sip:127.0.0.1:%u;transport=tcp>\r\n"
		"Expires: 1800\r\nContent-Length: 0\r\n\r\n",
		rig_port_of(fd), g.port);
	assert_string_equal(got, expect);
	rig_stop(&g);
	(void)close(fd);
}

static void test_reply_others(void **state)
{
	struct rig g;
	int fd;

	(void)state;
	rig_start(&g, "127.0.0.1");
	g.reply.line = (struct sip_failure){.status = 423, .phrase = "Brief"};
	g.reply.min_expires = 60; /* V28 */
	g.reply.retry_after = 300;
	fd = rig_connect(&g, SOCK_STREAM);
	ask(&g, fd, "SUBSCRIBE", "a",
	    "To: <sip:juliet@example.com>;tag=old\r\nExpires: 10\r\n"
	    "Record-Route: <sip:p2;lr>\r\n",
	    "");
	assert_non_null(strstr(got, "SIP/2.0 423 Brief\r\n"));
	assert_non_null(strstr(got, "\r\nMin-Expires: 60\r\n"));
	assert_non_null(strstr(got, "\r\nRetry-After: 300\r\n"));
	assert_non_null(strstr(got, ";tag=old\r\n"));
	assert_null(strstr(got, "Record-Route"));
	assert_null(strstr(got, "Contact"));
	(void)pthread_mutex_lock(&g.lock);
	g.reply.line.status = 489;
	g.reply.min_expires = g.reply.retry_after = 0;
	g.reply.allow_events = "presence";
	(void)pthread_mutex_unlock(&g.lock);
	ask(&g, fd, "SUBSCRIBE", "b",
	    "To: <sip:juliet@example.com>\r\nEvent: dialog\r\n", "");
	assert_non_null(strstr(got, "SIP/2.0 489 "));
	assert_non_null(strstr(got, "\r\nAllow-Events: presence\r\n"));
	assert_null(strstr(got, "Min-Expires"));
	assert_null(strstr(got, "Retry-After"));
	rig_stop(&g);
	(void)close(fd);
}

/* Those of the peer to our SUBSCRIBE. */
static void test_responses(void **state)
{
	static const struct {
		const char *line;
		const char *lines;
		const char *expect;
	} rows[] = {
		{"200 OK",
		 "t: <sip:romeo@example.net>;tag=tt\r\nExpires: 1800\r\n"
		 "m: <sip:romeo@192.0.2.9:5070>\r\n"
		 "Record-Route: <sip:p2;lr>,<sip:p1;lr>\r\n",
		 "end=0 status=200 to-tag=tt contact=sip:romeo@192.0.2.9:5070 "
		 "rr=<sip:p2;lr>, <sip:p1;lr> expires=1800 min=0 retry=0"},
		{"423 Interval Too Brief",
		 "To: <sip:romeo@example.net>;tag=tt\r\nMin-Expires: 7200\r\n",
		 "end=0 status=423 to-tag=tt contact= rr= expires=none 0 "
		 "min=7200 retry=0"},
		{"480 Gone",
		 "To: <sip:romeo@example.net>;tag=tt\r\n"
		 "Retry-After: 99999999999 (lunch);duration=60\r\n",
		 "end=0 status=480 to-tag=tt contact= rr= expires=none 0 "
		 "min=0 retry=2147483647"},
	};
	int fd = rig_socket(SOCK_DGRAM);
	struct rig g;

	(void)state;
	rig_start(&g, "127.0.0.1");
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct sip_request_out r = RIG_SUBSCRIBE;
		struct sockaddr_in to = {.sin_family = AF_INET,
					 .sin_port = htons(g.port)};
		char branch[32];

		to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		(void)snprintf(branch, sizeof(branch), "z9hG4bKp%zu", i);
		r.branch = branch;
		r.cseq += (uint32_t)i;
		assert_int_equal(rig_send(&g, &r, SIP_UDP, rig_port_of(fd)), 0);
		rig_read(fd, got, RIG_WAIT_MS);
		(void)snprintf(got, sizeof(got),
			       "SIP/2.0 %s\r\n"
			       "Via: SIP/2.0/UDP 127.0.0.1:%u;branch=%s\r\n"
			       "From: <sip:juliet@example.com>;tag=ft\r\n"
			       "Call-ID: c1\r\nCSeq: %u SUBSCRIBE\r\n"
			       "%sContent-Length: 0\r\n\r\n",
			       rows[i].line, g.port, branch, (unsigned)r.cseq,
			       rows[i].lines);
		assert_int_equal(sendto(fd, got, strlen(got), 0,
					(struct sockaddr *)&to, sizeof(to)),
				 strlen(got));
		(void)pthread_mutex_lock(&g.lock);
		rig_wait(&g, &g.responses, (unsigned)i);
		(void)pthread_mutex_unlock(&g.lock);
		assert_string_equal(g.response, rows[i].expect);
	}
	rig_stop(&g);
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_subscribe_out),
		cmocka_unit_test(test_notify_out),
		cmocka_unit_test(test_contact_of_wildcard),
		cmocka_unit_test(test_message_out),
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_reply_to_subscribe),
		cmocka_unit_test(test_reply_others),
		cmocka_unit_test(test_responses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
