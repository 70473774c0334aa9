/* Transactions of SUBSCRIBE and NOTIFY: repeated, early, many. */
#include "sip_raw_rig.h"

static char got[RIG_TEXT];

/* V10 for these two: the same answer again, one request. */
static void test_retransmission(void **state)
{
	static const char *const methods[] = {"SUBSCRIBE", "NOTIFY"};
	static char text[RIG_TEXT], first[RIG_TEXT];
	struct rig g;
	int fd;

	(void)state;
	rig_start(&g, "127.0.0.1");
	/* when TCP is there, UDP is, too */
	(void)close(rig_connect(&g, SOCK_STREAM));
	fd = rig_connect(&g, SOCK_DGRAM);
	for (unsigned i = 0; i < FED_ARRAY_LEN(methods); i++) {
		rig_head(text, methods[i], "UDP", methods[i]);
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text),
			       "To: <sip:juliet@example.com>;tag=tt\r\n"
			       "Event: presence\r\nContent-Length: 0\r\n\r\n");
		rig_write(fd, text);
		rig_read(fd, first, RIG_WAIT_MS);
		assert_int_equal(strncmp(first, "SIP/2.0 200 ", 12), 0);
		rig_write(fd, text);
		rig_read(fd, got, RIG_WAIT_MS);
		assert_string_equal(got, first);
		assert_int_equal(g.requests, i + 1);
		/* asked once: what has its transaction costs nothing more */
		assert_int_equal(g.admitted, i + 1);
	}
	rig_stop(&g);
	(void)close(fd);
}

/* The peer's NOTIFY on the connection that our SUBSCRIBE went over, before its
 * 200 (P5): both are told, in that order, and answered there. */
static void test_notify_before_200(void **state)
{
	int listener = rig_socket(SOCK_STREAM);
	static char both[2 * RIG_TEXT];
	struct rig g;
	int fd;

	(void)state;
	rig_start(&g, "127.0.0.1");
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(
		rig_send(&g, &RIG_SUBSCRIBE, SIP_TCP, rig_port_of(listener)),
		0);
	fd = rig_accept(listener);
	rig_read(fd, got, RIG_WAIT_MS);
	assert_int_equal(strncmp(got, "SUBSCRIBE ", 10), 0);
	rig_head(both, "NOTIFY", "TCP", "early");
	(void)snprintf(both + strlen(both), sizeof(both) - strlen(both),
		       "To: <sip:juliet@example.com>;tag=ft\r\n"
		       "Event: presence\r\nSubscription-State: pending\r\n"
		       "Content-Length: 0\r\n\r\n"
		       "SIP/2.0 200 OK\r\n"
		       "Via: SIP/2.0/TCP 127.0.0.1:%u;branch=z9hG4bKb1\r\n"
		       "From: <sip:juliet@example.com>;tag=ft\r\n"
		       "To: <sip:romeo@example.net>;tag=tt\r\n"
		       "Call-ID: c1\r\nCSeq: 7 SUBSCRIBE\r\nExpires: 60\r\n"
		       "Content-Length: 0\r\n\r\n",
		       g.port);
	rig_write(fd, both);
	(void)pthread_mutex_lock(&g.lock);
	rig_wait(&g, &g.responses, 0);
	assert_int_equal(g.requests, 1);
	(void)pthread_mutex_unlock(&g.lock);
	assert_int_equal(strncmp(g.request, "NOTIFY 9\n", 9), 0);
	assert_non_null(strstr(g.response, "status=200 to-tag=tt"));
	rig_read(fd, got, RIG_WAIT_MS);
	assert_int_equal(strncmp(got, "SIP/2.0 200 OK", 14), 0);
	assert_non_null(strstr(got, "CSeq: 9 NOTIFY"));
	rig_stop(&g);
	(void)close(fd);
	(void)close(listener);
}

/* Many large documents at once over one connection: half a megabyte a second
 * is the least, and each is answered. */
static void test_stream_of_notifies(void **state)
{
	enum { COUNT = 400, BODY = 5000, LEAST_BYTES_S = 500000 };
	static char text[RIG_TEXT], body[BODY + 1];
	struct timespec from, to;
	struct rig g;
	double took;
	int fd;

	(void)state;
	memset(body, 'x', BODY);
	rig_start(&g, "127.0.0.1");
	fd = rig_connect(&g, SOCK_STREAM);
	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &from), 0);
	for (int i = 0; i < COUNT; i++) {
		char branch[16];

		(void)snprintf(branch, sizeof(branch), "s%d", i);
		rig_head(text, "NOTIFY", "TCP", branch);
		(void)snprintf(
			text + strlen(text), sizeof(text) - strlen(text),
			"To: <sip:juliet@example.com>;tag=ft\r\n"
			"Event: presence\r\nContent-Length: %d\r\n\r\n%s",
			BODY, body);
		rig_write(fd, text);
	}
	(void)pthread_mutex_lock(&g.lock);
	rig_wait(&g, &g.requests, COUNT - 1);
	(void)pthread_mutex_unlock(&g.lock);
	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &to), 0);
	took = (double)(to.tv_sec - from.tv_sec) +
	       (double)(to.tv_nsec - from.tv_nsec) / 1e9;
	print_message("%.0f bytes a second\n", COUNT * (double)BODY / took);
	assert_true(COUNT * (double)BODY / took > LEAST_BYTES_S);
	assert_non_null(strstr(g.request, body));
	rig_stop(&g);
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_retransmission),
		cmocka_unit_test(test_notify_before_200),
		cmocka_unit_test(test_stream_of_notifies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
