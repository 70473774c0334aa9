/* The admin server: answers, and what bounds its clients. */
#include "admin_clock.h"

/* ---- answers ------------------------------------------------------------- */

static void test_answer(void **state)
{
	struct client c;
	struct rig r;

	(void)state;
	open_rig(&r);
	open_client(&r, &c);
	ask(&c, 7);
	wait_seen(&r, &c, 1);
	assert_int_equal(1, c.seen);
	assert_true(c.is_last);
	assert_string_equal("", c.error);
	assert_int_equal(getuid(), r.user.uid);
	assert_int_equal(getpid(), r.user.pid);
	assert_int_equal(1, r.ended);
	assert_int_equal(1, r.metrics.value[METRIC_admin_requests]);
	close_client(&c);
	close_rig(&r);
}

/* The request comes byte by byte. */
static void test_split(void **state)
{
	struct client c;
	struct client whole;
	struct rig r;
	char bytes[64];
	ssize_t n;
	int fds[2];

	(void)state;
	open_rig(&r);
	assert_int_equal(0, socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	whole.fd = fds[0];
	ask(&whole, 3);
	n = recv(fds[1], bytes, sizeof(bytes), 0);
	assert_true(n > 4);
	open_client(&r, &c);
	for (ssize_t i = 0; i < n; i++) {
		assert_int_equal(0, r.made);
		send_bytes(&c, bytes + i, 1);
		turn(&r, 3);
	}
	wait_seen(&r, &c, 1);
	assert_true(c.is_last);
	(void)close(fds[0]);
	(void)close(fds[1]);
	close_client(&c);
	close_rig(&r);
}

static void test_slow_reader(void **state)
{
	/* a Unix socket holds some hundred KiB */
	enum { COUNT = 20000, BYTES = 1000, AHEAD = 1000 };
	struct client c;
	struct client other;
	struct rig r;

	(void)state;
	open_rig(&r);
	r.count = COUNT;
	r.bytes = BYTES;
	open_client(&r, &c);
	open_client(&r, &other);
	ask(&c, 1);
	turn(&r, 3000);
	/* made as far as it can be taken, and no further */
	assert_in_range(r.made, 16, AHEAD);
	/* others are served meanwhile */
	r.count = 1;
	ask(&other, 2);
	wait_seen(&r, &other, 1);
	assert_true(other.is_last);
	r.count = COUNT;
	wait_seen(&r, &c, COUNT);
	assert_int_equal(COUNT, c.seen);
	assert_int_equal(COUNT - 1, c.number);
	assert_true(c.is_last);
	assert_int_equal(2, r.ended);
	close_client(&other);
	close_client(&c);
	close_rig(&r);
}

static void test_many_requests(void **state)
{
	enum { REQUESTS = 5000 }; /* more than one read brings */
	struct buf all;
	struct client c;
	struct rig r;

	(void)state;
	open_rig(&r);
	r.count = 3;
	open_client(&r, &c);
	buf_init(&all, 64 * 1024);
	for (unsigned i = 0; i < REQUESTS; i++)
		put_ask(&all, i);
	send_bytes(&c, buf_span(&all).p, buf_len(&all));
	buf_deinit(&all);
	wait_seen(&r, &c, 3 * REQUESTS);
	assert_int_equal(3 * REQUESTS, c.seen);
	assert_int_equal(REQUESTS, r.ended);
	assert_int_equal(LIMIT_ADMIN_CALLS, r.most_calls);
	close_client(&c);
	close_rig(&r);
}

static void test_wait(void **state)
{
	struct client c;
	struct rig r;

	(void)state;
	open_rig(&r);
	r.is_waiting = true;
	open_client(&r, &c);
	ask(&c, 1);
	turn(&r, 20);
	receive(&c);
	assert_int_equal(0, c.seen);
	assert_non_null(r.waits);
	ask(&c, 2); /* another one is answered before */
	wait_seen(&r, &c, 1);
	admin_server_ready(r.server, r.waits);
	wait_seen(&r, &c, 2);
	assert_int_equal(2, c.seen);
	close_client(&c);
	close_rig(&r);
}

static void test_gone_in_the_middle(void **state)
{
	struct client c;
	struct rig r;

	(void)state;
	open_rig(&r);
	r.count = UINT64_MAX;
	r.bytes = 1000;
	open_client(&r, &c);
	ask(&c, 1);
	turn(&r, 50);
	assert_int_equal(0, r.ended);
	close_client(&c);
	turn(&r, 200);
	assert_int_equal(1, r.ended);
	assert_int_equal(0, r.calls);
	close_rig(&r);
}

/* It asks no more, and still gets its answer. */
static void test_half_closed(void **state)
{
	struct client c;
	struct rig r;

	(void)state;
	open_rig(&r);
	r.count = 1000;
	r.bytes = 1000;
	open_client(&r, &c);
	ask(&c, 1);
	assert_int_equal(0, shutdown(c.fd, SHUT_WR));
	wait_closed(&r, &c);
	assert_int_equal(1000, c.seen);
	assert_true(c.is_last);
	close_client(&c);
	close_rig(&r);
}

static void test_too_long_a_response(void **state)
{
	struct client c;
	struct rig r;

	(void)state;
	open_rig(&r);
	r.bytes = LIMIT_ADMIN_RESPONSE_BYTES;
	open_client(&r, &c);
	ask(&c, 1);
	wait_seen(&r, &c, 1);
	assert_string_equal("a part of the answer is too long for one message",
			    c.error);
	assert_true(c.is_last);
	r.bytes = 10;
	ask(&c, 2);
	wait_seen(&r, &c, 2);
	assert_string_equal("", c.error);
	close_client(&c);
	close_rig(&r);
}

/* ---- bounds -------------------------------------------------------------- */

static void test_garbage(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		const char *error;
	} rows[] = {
		{"\xff\xff\xff\xff", 4, "the request is too long"},
		{"GET / HTTP/1.0\r\n\r\n", 18, "the request is too long"},
		{"\x01\x80\x00\x01", 4, "the request is too long"},
		{"\x00\x00\x00\x03\xff\xff\xff", 7, "this is not a request"},
		/* edge = "\xff" */
		{"\x00\x00\x00\x03\x12\x01\xff", 7, "this is not a request"},
		/* show.what = 99 */
		{"\x00\x00\x00\x04\x1a\x02\x08\x63", 8,
		 "this is not a request"},
	};
	struct rig r;

	(void)state;
	open_rig(&r);
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct client c;

		open_client(&r, &c);
		send_bytes(&c, rows[i].bytes, rows[i].n);
		wait_closed(&r, &c);
		assert_int_equal(1, c.seen);
		assert_string_equal(rows[i].error, c.error);
		assert_int_equal(i + 1, r.metrics.value[METRIC_admin_refused]);
		close_client(&c);
	}
	assert_int_equal(0, r.made);
	close_rig(&r);
}

static void test_clients(void **state)
{
	struct client all[LIMIT_ADMIN_CLIENTS];
	struct client c;
	struct rig r;

	(void)state;
	open_rig(&r);
	for (unsigned i = 0; i < LIMIT_ADMIN_CLIENTS; i++) {
		open_client(&r, &all[i]);
		turn(&r, 3);
	}
	open_client(&r, &c);
	wait_closed(&r, &c);
	assert_string_equal("too many connections to this socket", c.error);
	close_client(&c);
	/* one that leaves makes room */
	close_client(&all[0]);
	turn(&r, 5);
	open_client(&r, &c);
	ask(&c, 1);
	wait_seen(&r, &c, 1);
	assert_true(c.is_last);
	close_client(&c);
	for (unsigned i = 1; i < LIMIT_ADMIN_CLIENTS; i++)
		close_client(&all[i]);
	turn(&r, 5);
	close_rig(&r);
}

static void test_idle(void **state)
{
	struct client silent;
	struct client talks;
	struct rig r;

	(void)state;
	open_rig(&r);
	open_client(&r, &silent);
	open_client(&r, &talks);
	turn(&r, 3);
	/* less than a request is nothing */
	move_clock(&r, LIMIT_ADMIN_IDLE_MS / 2);
	send_bytes(&silent, "\0", 1);
	ask(&talks, 1);
	wait_seen(&r, &talks, 1);
	move_clock(&r, LIMIT_ADMIN_IDLE_MS / 2);
	receive(&silent);
	assert_true(silent.is_closed);
	receive(&talks);
	assert_false(talks.is_closed);
	move_clock(&r, LIMIT_ADMIN_IDLE_MS);
	receive(&talks);
	assert_true(talks.is_closed);
	close_client(&silent);
	close_client(&talks);
	close_rig(&r);
}

/* One that takes nothing of its answer is as good as gone. */
static void test_stalled(void **state)
{
	struct client c;
	struct rig r;

	(void)state;
	open_rig(&r);
	r.count = UINT64_MAX;
	r.bytes = 1000;
	open_client(&r, &c);
	ask(&c, 1);
	turn(&r, 500);
	move_clock(&r, LIMIT_ADMIN_IDLE_MS);
	assert_int_equal(1, r.ended);
	close_client(&c);
	close_rig(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_slow_reader),
		cmocka_unit_test(test_many_requests),
		cmocka_unit_test(test_wait),
		cmocka_unit_test(test_gone_in_the_middle),
		cmocka_unit_test(test_half_closed),
		cmocka_unit_test(test_too_long_a_response),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_clients),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_stalled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
