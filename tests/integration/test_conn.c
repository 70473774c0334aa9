/* Connections on the loopback, without TLS. */
#include "loopback.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <netinet/tcp.h>

#include "io/conn_priv.h"

/* ---- listening and connecting -------------------------------------------- */

static void test_listener_refusals(void **state)
{
	static const char *const bad[] = {"",
					  "5269",
					  "localhost:5269",
					  "127.0.0.1:",
					  "127.0.0.1:99999",
					  "::1:5269",
					  "[::1]"};
	struct pair p;
	struct listener *l;
	struct errbuf e;

	(void)state;
	pair_open(&p);
	for (size_t i = 0; i < FED_ARRAY_LEN(bad); i++)
		assert_int_equal(
			FED_ECONFIG,
			listener_new(&l, p.loop, bad[i], pair_accept, &p, &e));
	assert_int_equal(FED_EIO,
			 listener_new(&l, p.loop, listener_address(p.listener),
				      pair_accept, &p, &e));
	assert_non_null(strstr(e.text, "address already in use"));
	assert_non_null(strstr(e.text, listener_address(p.listener)));
	pair_close(&p);
}

static bool client_failed(struct pair *p)
{
	return p->client.seen[CONN_ERROR] > 0;
}

static void test_connect_refused(void **state)
{
	struct sockaddr_storage sa;
	struct pair p;

	(void)state;
	pair_open(&p);
	assert_int_equal(0, host_config_sockaddr("127.0.0.1:1", &sa));
	end_close(&p.client);
	assert_int_equal(0, conn_connect(&p.client.conn, p.loop,
					 (const struct sockaddr *)&sa,
					 end_event, &p.client));
	assert_string_equal("127.0.0.1:1", conn_peer_address(p.client.conn));
	assert_true(run_until(&p, client_failed, 2000));
	assert_int_equal(FED_EIO, p.client.err);
	assert_non_null(strstr(p.client.text, "refused"));
	assert_int_equal(FED_ECLOSED, conn_write(p.client.conn, SPAN_LIT("x")));
	pair_close(&p);
}

/* ---- bytes --------------------------------------------------------------- */

/* A peer that vanished is noticed while bytes for it wait, at both ends. */
static void test_silence_is_bounded(void **state)
{
	struct pair p;
	const struct conn *ends[2];

	(void)state;
	pair_open(&p);
	ends[0] = p.client.conn;
	ends[1] = p.server.conn;
	for (size_t i = 0; i < 2; i++) {
		unsigned int ms = 0;
		socklen_t n = sizeof(ms);
		uv_os_fd_t fd;

		assert_int_equal(
			0, uv_fileno((const uv_handle_t *)&ends[i]->tcp, &fd));
		assert_int_equal(0, getsockopt(fd, IPPROTO_TCP,
					       TCP_USER_TIMEOUT, &ms, &n));
		assert_int_equal(LIMIT_TCP_SILENT_MS, ms);
	}
	pair_close(&p);
}

static bool client_got_9(struct pair *p)
{
	return buf_len(&p->client.got) >= 9;
}

static void test_echo_in_one_piece(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p);
	p.server.is_echo = true;
	assert_int_equal(0, conn_write(p.client.conn, SPAN_LIT("one")));
	assert_int_equal(0, conn_write(p.client.conn, SPAN_LIT("two")));
	assert_int_equal(0, conn_write(p.client.conn, SPAN_LIT("six")));
	assert_int_equal(9, conn_written(p.client.conn));
	assert_int_equal(0, conn_flushed(p.client.conn));
	assert_true(run_until(&p, client_got_9, 2000));
	assert_true(span_eq_str(buf_span(&p.client.got), "onetwosix"));
	assert_int_equal(1, p.server.seen[CONN_DATA]); /* one write per turn */
	assert_int_equal(1, p.client.seen[CONN_DRAINED]);
	assert_int_equal(9, conn_flushed(p.client.conn));
	assert_int_equal(
		0, strncmp(conn_peer_address(p.server.conn), "127.0.0.1:", 10));
	assert_null(conn_tls_facts(p.client.conn));
	assert_false(conn_peer_has_name(p.client.conn, "a.example"));
	pair_close(&p);
}

static bool server_got_all(struct pair *p)
{
	return buf_len(&p->server.got) >= 1900 * 1024;
}

static bool client_flushed(struct pair *p)
{
	return conn_flushed(p->client.conn) == conn_written(p->client.conn);
}

/* Written while it connects: leaves when it is up, without another write. */
static void test_write_while_connecting(void **state)
{
	struct sockaddr_storage sa;
	struct pair p;

	(void)state;
	pair_open(&p);
	p.server.is_echo = true;
	end_close(&p.client);
	end_close(&p.server);
	assert_int_equal(
		0, host_config_sockaddr(listener_address(p.listener), &sa));
	assert_int_equal(0, conn_connect(&p.client.conn, p.loop,
					 (const struct sockaddr *)&sa,
					 end_event, &p.client));
	assert_int_equal(0, conn_write(p.client.conn, SPAN_LIT("ninebytes")));
	/* the turn that tries to write it is over before it is up */
	assert_true(run_until(&p, client_got_9, 2000));
	assert_true(span_eq_str(buf_span(&p.client.got), "ninebytes"));
	pair_close(&p);
}

static void test_back_pressure(void **state)
{
	struct pair p;
	uint64_t kernel;
	size_t sent = 0;

	(void)state;
	pair_open(&p);
	conn_pause(p.server.conn);
	while (sent < 1900 * 1024) {
		write_pattern(&p.client, sent, 100 * 1024);
		sent += 100 * 1024;
	}
	assert_true(conn_is_congested(p.client.conn));
	assert_int_equal(
		FED_ELIMIT,
		conn_write(p.client.conn,
			   span_of(buf_reserve(&p.client.got, 300 * 1024),
				   300 * 1024)));
	assert_int_equal(sent, conn_written(p.client.conn));
	(void)run_until(&p, never, 100);
	assert_int_equal(0, p.server.seen[CONN_DATA]);
	kernel = conn_flushed(p.client.conn);
	assert_true(kernel <= sent);
	conn_resume(p.server.conn);
	assert_int_equal(0, p.server.seen[CONN_DATA]); /* not from inside */
	assert_true(run_until(&p, server_got_all, 5000));
	check_pattern(&p.server.got, sent);
	assert_true(p.server.largest <= LIMIT_READ_BYTES);
	assert_true(run_until(&p, client_flushed, 1000));
	assert_false(conn_is_congested(p.client.conn));
	assert_true(p.client.seen[CONN_DRAINED] > 0);
	pair_close(&p);
}

static bool server_got_something(struct pair *p)
{
	return p->server.seen[CONN_DATA] > 0;
}

/* 64 KiB are read at once: the rest of that read is kept, not raised. */
static void test_pause_inside_data(void **state)
{
	struct pair p;
	unsigned before;

	(void)state;
	pair_open(&p);
	p.server.is_pause_on_data = true;
	write_pattern(&p.client, 0, 60 * 1024);
	assert_true(run_until(&p, server_got_something, 2000));
	(void)run_until(&p, never, 50);
	assert_int_equal(1, p.server.seen[CONN_DATA]);
	assert_int_equal(LIMIT_READ_BYTES, buf_len(&p.server.got));
	while (buf_len(&p.server.got) < 60 * 1024) {
		before = p.server.seen[CONN_DATA];
		conn_resume(p.server.conn);
		(void)run_until(&p, never, 20);
		assert_int_equal(before + 1, p.server.seen[CONN_DATA]);
	}
	check_pattern(&p.server.got, 60 * 1024);
	pair_close(&p);
}

/* ---- end ----------------------------------------------------------------- */

static bool server_eof(struct pair *p)
{
	return p->server.seen[CONN_EOF] > 0;
}

static void test_close_flushes(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p);
	write_pattern(&p.client, 0, 1024 * 1024);
	end_close(&p.client);
	assert_true(run_until(&p, server_eof, 5000));
	check_pattern(&p.server.got, 1024 * 1024);
	assert_int_equal(1, p.server.seen[CONN_EOF]);
	assert_int_equal(0, p.server.seen[CONN_ERROR]);
	pair_close(&p);
}

static bool client_eof(struct pair *p)
{
	return p->client.seen[CONN_EOF] > 0;
}

/* The peer's unread bytes must not turn our last words into a reset. */
static void test_close_with_unread_input(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p);
	conn_pause(p.server.conn);
	write_pattern(&p.client, 0, 300 * 1024);
	(void)run_until(&p, never, 50);
	assert_int_equal(0, conn_write(p.server.conn, SPAN_LIT("last")));
	end_close(&p.server);
	assert_true(run_until(&p, client_eof, 3000));
	assert_true(span_eq_str(buf_span(&p.client.got), "last"));
	assert_int_equal(0, p.client.seen[CONN_ERROR]);
	pair_close(&p);
}

static bool server_gone(struct pair *p)
{
	return p->server.conn == NULL;
}

static void test_close_inside_data(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p);
	p.server.is_close_on_data = true;
	write_pattern(&p.client, 0, 60 * 1024); /* more than one DATA */
	assert_true(run_until(&p, server_gone, 2000));
	(void)run_until(&p, never, 50);
	assert_int_equal(1, p.server.seen[CONN_DATA]);
	assert_int_equal(1,
			 p.client.seen[CONN_EOF] + p.client.seen[CONN_ERROR]);
	pair_close(&p);
}

static void test_half_close_still_writes(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p);
	assert_int_equal(0, conn_write(p.client.conn, SPAN_LIT("bye")));
	end_close(&p.client);
	assert_true(run_until(&p, server_eof, 2000));
	assert_int_equal(0, conn_write(p.server.conn, SPAN_LIT("bye too")));
	assert_true(conn_written(p.server.conn) == 7);
	(void)run_until(&p, never, 20);
	assert_int_equal(0, p.server.seen[CONN_ERROR]);
	conn_close(NULL);
	pair_close(&p);
}

/* Says its last words when it hears that the earlier ones have left. */
static void say_and_close(struct end *e, const struct conn_event *ev)
{
	if (ev->kind != CONN_DRAINED)
		return;
	assert_int_equal(0, conn_write(e->conn, SPAN_LIT("bye")));
	end_close(e);
}

static void test_write_and_close_inside_drained(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p);
	p.client.on_event = say_and_close;
	assert_int_equal(0, conn_write(p.client.conn, SPAN_LIT("hello ")));
	assert_true(run_until(&p, server_eof, 2000));
	assert_true(span_eq_str(buf_span(&p.server.got), "hello bye"));
	pair_close(&p);
}

static unsigned count_handles(struct loop *l);

static void count_handle(uv_handle_t *h, void *arg)
{
	(void)h;
	++*(unsigned *)arg;
}

static unsigned count_handles(struct loop *l)
{
	unsigned n = 0;

	uv_walk(loop_uv(l), count_handle, &n);
	return n;
}

/* A peer that never reads cannot keep a closed connection. */
static void test_close_is_bounded(void **state)
{
	struct pair p;
	unsigned before;

	(void)state;
	pair_open(&p);
	before = count_handles(p.loop);
	conn_pause(p.server.conn);
	for (int i = 0; i < 3; i++) {
		(void)run_until(&p, never, 50);
		while (!conn_is_congested(p.client.conn))
			write_pattern(&p.client, 0, 200 * 1024);
	}
	end_close(&p.client);
	(void)run_until(&p, never, LIMIT_STREAM_CLOSE_MS - 1000);
	assert_int_equal(before, count_handles(p.loop));
	(void)run_until(&p, never, 1300);
	assert_int_equal(before - 3, count_handles(p.loop));
	pair_close(&p);
}

static void test_deadline_fires_once(void **state)
{
	struct pair p;
	uint64_t now;

	(void)state;
	pair_open(&p);
	now = loop_now_ms(p.loop);
	conn_set_deadline(p.client.conn, now + 10);
	conn_set_deadline(p.client.conn, now + 60);
	(void)run_until(&p, never, 40);
	assert_int_equal(0, p.client.seen[CONN_TIMEOUT]);
	(void)run_until(&p, never, 60);
	assert_int_equal(1, p.client.seen[CONN_TIMEOUT]);
	conn_set_deadline(p.client.conn, loop_now_ms(p.loop) + 10);
	conn_set_deadline(p.client.conn, UINT64_MAX);
	(void)run_until(&p, never, 40);
	assert_int_equal(1, p.client.seen[CONN_TIMEOUT]);
	/* still usable */
	p.server.is_echo = true;
	assert_int_equal(0, conn_write(p.client.conn, SPAN_LIT("123456789")));
	assert_true(run_until(&p, client_got_9, 1000));
	pair_close(&p);
}

static void test_loop_free_takes_all(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p);
	write_pattern(&p.client, 0, 100);
	loop_free(p.loop); /* the leak checker sees the rest */
	buf_deinit(&p.client.got);
	buf_deinit(&p.server.got);
}

/* A slow peer in another process: all bytes, and an end in order? */
static int read_slowly(const struct sockaddr *sa, size_t want)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char some[65536];
	ssize_t n;

	if (fd < 0 || connect(fd, sa, sizeof(struct sockaddr_in)) != 0)
		return 2;
	(void)usleep(100 * 1000);
	while ((n = read(fd, some, sizeof(some))) > 0)
		want -= (size_t)n;
	return n == 0 && want == 0 ? 0 : 1;
}

static void accept_and_finish(struct listener *l, struct conn *c, void *arg)
{
	struct pair *p = arg;
	int bytes = 16 * 1024;

	(void)l;
	assert_int_equal(0,
			 uv_send_buffer_size((uv_handle_t *)&c->tcp, &bytes));
	p->server.conn = c;
	write_pattern(&p->server, 0, 1024 * 1024);
	end_close(&p->server);
	loop_stop(p->loop);
}

static void test_loop_free_lets_bytes_leave(void **state)
{
	struct sockaddr_storage sa;
	struct pair p = {0};
	struct errbuf e;
	int status = -1;
	pid_t child;

	(void)state;
	assert_int_equal(0, loop_new(&p.loop, NULL));
	assert_int_equal(0, listener_new(&p.listener, p.loop, "127.0.0.1:0",
					 accept_and_finish, &p, &e));
	assert_int_equal(
		0, host_config_sockaddr(listener_address(p.listener), &sa));
	child = fork();
	if (child == 0)
		_exit(read_slowly((const struct sockaddr *)&sa, 1024 * 1024));
	assert_true(child > 0);
	loop_run(p.loop);
	listener_close(p.listener);
	loop_free(p.loop);
	assert_int_equal(child, waitpid(child, &status, 0));
	assert_true(WIFEXITED(status));
	assert_int_equal(0, WEXITSTATUS(status));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_listener_refusals),
		cmocka_unit_test(test_connect_refused),
		cmocka_unit_test(test_silence_is_bounded),
		cmocka_unit_test(test_echo_in_one_piece),
		cmocka_unit_test(test_write_while_connecting),
		cmocka_unit_test(test_back_pressure),
		cmocka_unit_test(test_pause_inside_data),
		cmocka_unit_test(test_close_flushes),
		cmocka_unit_test(test_close_with_unread_input),
		cmocka_unit_test(test_close_inside_data),
		cmocka_unit_test(test_half_close_still_writes),
		cmocka_unit_test(test_write_and_close_inside_drained),
		cmocka_unit_test(test_close_is_bounded),
		cmocka_unit_test(test_deadline_fires_once),
		cmocka_unit_test(test_loop_free_takes_all),
		cmocka_unit_test(test_loop_free_lets_bytes_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
