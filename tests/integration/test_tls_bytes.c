/* TLS on loopback connections: bytes, pauses, closing, STARTTLS. */
#include "tls_pair.h"

/* ---- bytes --------------------------------------------------------------- */

static const struct who plain_a = {"ca.pem", "a", 0, NULL};

static bool server_got_all(struct pair *p)
{
	return buf_len(&p->server.got) >= 1500 * 1024;
}

static bool client_flushed(struct pair *p)
{
	return conn_flushed(p->client.conn) == conn_written(p->client.conn);
}

static void test_bytes_both_ways(void **state)
{
	uint64_t part;
	struct pair p;

	(void)state;
	handshake(&p, plain_a, plain_a);
	conn_pause(p.server.conn);
	write_pattern(&p.client, 0, 1500 * 1024);
	(void)run_until(&p, never, 100);
	assert_int_equal(0, p.server.seen[CONN_DATA]);
	part = conn_flushed(p.client.conn);
	assert_true(part <= 1500 * 1024);
	conn_resume(p.server.conn);
	assert_true(run_until(&p, server_got_all, 5000));
	assert_true(run_until(&p, client_flushed, 1000));
	check_pattern(&p.server.got, 1500 * 1024);
	assert_true(p.server.largest <= LIMIT_READ_BYTES);
	assert_int_equal(1500 * 1024, conn_flushed(p.client.conn));
	assert_int_equal(0, conn_flushed(p.server.conn)); /* no handshake */
	pair_close(&p);
}

static bool server_got_something(struct pair *p)
{
	return p->server.seen[CONN_DATA] > 0;
}

static void test_pause_inside_records(void **state)
{
	struct pair p;
	unsigned before;

	(void)state;
	handshake(&p, plain_a, plain_a);
	p.server.is_pause_on_data = true;
	write_pattern(&p.client, 0, 60 * 1024);
	assert_true(run_until(&p, server_got_something, 2000));
	(void)run_until(&p, never, 50);
	assert_int_equal(1, p.server.seen[CONN_DATA]);
	while (buf_len(&p.server.got) < 60 * 1024) {
		before = p.server.seen[CONN_DATA];
		conn_resume(p.server.conn);
		(void)run_until(&p, never, 20);
		assert_int_equal(before + 1, p.server.seen[CONN_DATA]);
	}
	check_pattern(&p.server.got, 60 * 1024);
	pair_close(&p);
}

static bool server_gone(struct pair *p)
{
	return p->server.conn == NULL;
}

static void test_close_between_records(void **state)
{
	struct pair p;

	(void)state;
	handshake(&p, plain_a, plain_a);
	p.server.is_close_on_data = true;
	write_pattern(&p.client, 0, 60 * 1024);
	assert_true(run_until(&p, server_gone, 2000));
	(void)run_until(&p, never, 30);
	assert_int_equal(1, p.server.seen[CONN_DATA]);
	pair_close(&p);
}

static bool server_eof(struct pair *p)
{
	return p->server.seen[CONN_EOF] > 0;
}

static void test_close_flushes_and_notifies(void **state)
{
	struct pair p;

	(void)state;
	handshake(&p, plain_a, plain_a);
	write_pattern(&p.client, 0, 700 * 1024);
	end_close(&p.client);
	assert_true(run_until(&p, server_eof, 5000));
	check_pattern(&p.server.got, 700 * 1024);
	assert_int_equal(0, p.server.seen[CONN_ERROR]);
	assert_int_equal(1, p.server.seen[CONN_EOF]);
	pair_close(&p);
}

/* ---- closing inside each event ------------------------------------------- */

static enum conn_event_kind close_at;

static void close_inside(struct end *e, const struct conn_event *ev)
{
	if (ev->kind != close_at || e->conn == NULL)
		return;
	assert_int_equal(0, conn_write(e->conn, SPAN_LIT("last words")));
	end_close(e);
}

static bool client_gone(struct pair *p)
{
	return p->client.conn == NULL;
}

/* What makes the client see the event. */
static void provoke(struct pair *p)
{
	switch (close_at) {
	case CONN_UP:
	case CONN_TLS_UP:
		break; /* comes by itself */
	case CONN_DATA:
		write_pattern(&p->server, 0, 40 * 1024);
		break;
	case CONN_DRAINED:
		write_pattern(&p->client, 0, 40 * 1024);
		break;
	case CONN_EOF:
		end_close(&p->server);
		break;
	case CONN_TIMEOUT:
		conn_set_deadline(p->client.conn, loop_now_ms(p->loop) + 10);
		break;
	case CONN_ERROR:
		break; /* nothing can be said any more */
	}
}

static void test_close_inside_every_event(void **state)
{
	static const enum conn_event_kind kinds[] = {
		CONN_TLS_UP, CONN_DATA, CONN_DRAINED, CONN_EOF, CONN_TIMEOUT,
	};
	struct pair p;

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(kinds); i++) {
		bool is_early = kinds[i] == CONN_TLS_UP;

		close_at = kinds[i];
		pair_open(&p);
		p.client.on_event = is_early ? close_inside : NULL;
		start(&p.client, plain_a, TLS_CLIENT, NULL);
		start(&p.server, plain_a, TLS_SERVER, NULL);
		assert_true(run_until(&p, is_decided, 5000));
		p.client.on_event = close_inside;
		provoke(&p);
		if (!run_until(&p, client_gone, 2000))
			fail_msg("event %d did not come", (int)close_at);
		if (p.server.conn != NULL) {
			assert_true(run_until(&p, server_eof, 2000));
			assert_true(span_ends(buf_span(&p.server.got),
					      SPAN_LIT("last words")));
		}
		pair_close(&p);
	}
}

/* ---- STARTTLS ------------------------------------------------------------ */

static void server_proceeds(struct end *e, const struct conn_event *ev)
{
	if (ev->kind != CONN_DATA || e->seen[CONN_DATA] != 1)
		return;
	assert_int_equal(0, conn_write(e->conn, SPAN_LIT("proceed")));
	start(e, plain_a, TLS_SERVER, NULL);
	/* waits for the handshake */
	assert_int_equal(0, conn_write(e->conn, SPAN_LIT("secret")));
}

static void client_proceeds(struct end *e, const struct conn_event *ev)
{
	if (ev->kind == CONN_DATA && e->seen[CONN_DATA] == 1)
		start(e, plain_a, TLS_CLIENT, "a.example");
}

static bool client_got_both(struct pair *p)
{
	return buf_len(&p->client.got) >= 13;
}

static void test_starttls_inside_data(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p);
	p.server.on_event = server_proceeds;
	p.client.on_event = client_proceeds;
	assert_int_equal(0, conn_write(p.client.conn, SPAN_LIT("starttls")));
	assert_true(run_until(&p, client_got_both, 5000));
	assert_true(span_eq_str(buf_span(&p.client.got), "proceedsecret"));
	assert_int_equal(1, p.client.seen[CONN_TLS_UP]);
	assert_int_equal(1, p.server.seen[CONN_TLS_UP]);
	assert_int_equal(13, conn_flushed(p.server.conn));
	pair_close(&p);
}

static bool server_failed(struct pair *p)
{
	return p->server.seen[CONN_ERROR] > 0;
}

/* Clear bytes behind the upgrade never reach the owner as DATA. */
static void test_injected_clear_bytes(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p);
	p.server.on_event = server_proceeds;
	write_pattern(&p.client, 0, 40 * 1024); /* three DATA without TLS */
	assert_true(run_until(&p, server_failed, 5000));
	assert_int_equal(1, p.server.seen[CONN_DATA]);
	assert_int_equal(FED_ETLS, p.server.err);
	pair_close(&p);
}

static void test_gone_in_handshake(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p);
	start(&p.server, plain_a, TLS_SERVER, NULL);
	end_close(&p.client);
	assert_true(run_until(&p, server_failed, 2000));
	assert_int_equal(FED_ETLS, p.server.err);
	assert_non_null(strstr(p.server.text, "during the TLS handshake"));
	pair_close(&p);
}

static void test_paused_handshake(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p);
	conn_pause(p.server.conn);
	start(&p.client, plain_a, TLS_CLIENT, NULL);
	start(&p.server, plain_a, TLS_SERVER, NULL);
	assert_int_equal(0, conn_write(p.client.conn, SPAN_LIT("early")));
	assert_true(run_until(&p, is_decided, 5000));
	(void)run_until(&p, never, 30);
	assert_int_equal(1, p.server.seen[CONN_TLS_UP]);
	assert_int_equal(0, p.server.seen[CONN_DATA]);
	conn_resume(p.server.conn);
	assert_true(run_until(&p, server_got_something, 1000));
	assert_true(span_eq_str(buf_span(&p.server.got), "early"));
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_both_ways),
		cmocka_unit_test(test_pause_inside_records),
		cmocka_unit_test(test_close_between_records),
		cmocka_unit_test(test_close_flushes_and_notifies),
		cmocka_unit_test(test_close_inside_every_event),
		cmocka_unit_test(test_starttls_inside_data),
		cmocka_unit_test(test_injected_clear_bytes),
		cmocka_unit_test(test_gone_in_handshake),
		cmocka_unit_test(test_paused_handshake),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
