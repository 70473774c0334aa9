/*
 * edge_dial on the loopback, IPv4 and IPv6: the addresses that DNS would give
 * are handed to it here, some of them dead.
 */
#include "dial_rig.h"

/* ---- TCP ----------------------------------------------------------------- */

static void test_one(void **state)
{
	struct rig *r = rig_new();
	struct server *s = serve(r, 0, "127.0.0.1", NULL);

	(void)state;
	dial(r, false);
	check_won(r, s);
	assert_false(r->dns.wants_direct_tls);
	rig_free(r);
}

/* IPv6 first, and IPv4 is not even tried while it answers in time. */
static void test_v6_is_preferred(void **state)
{
	struct rig *r = rig_new();
	struct server *v4 = serve(r, 0, "127.0.0.1", NULL);
	struct server *v6 = serve(r, 0, "[::1]", NULL);

	(void)state;
	dial(r, false);
	check_won(r, v6);
	assert_int_equal(0, v4->accepted);
	rig_free(r);
}

static void test_v6_refused(void **state)
{
	struct rig *r = rig_new();
	struct server *v4;

	(void)state;
	refuse(r, 0, true);
	v4 = serve(r, 0, "127.0.0.1", NULL);
	dial(r, false);
	check_won(r, v4);
	assert_in_range(r->took_ms, 0, LIMIT_DIAL_STAGGER_MS - 1);
	rig_free(r);
}

/* A path that drops IPv6 costs one delay, and no address that it hides. */
static void test_v6_silent(void **state)
{
	struct rig *r = rig_new();
	struct server *v4;

	(void)state;
	be_silent(r, 0, true, false);
	be_silent(r, 0, true, false);
	v4 = serve(r, 0, "127.0.0.1", NULL);
	dial(r, false);
	check_won(r, v4);
	assert_in_range(r->took_ms, LIMIT_DIAL_STAGGER_MS,
			2 * LIMIT_DIAL_STAGGER_MS);
	rig_free(r);
}

/* No route: the system says so at once. */
static void test_v6_unreachable(void **state)
{
	struct rig *r = rig_new();
	struct sockaddr_storage sa;
	struct server *v4;

	(void)state;
	/* multicast: no TCP to it on any host */
	assert_int_equal(0, host_config_sockaddr("[ff02::1]:5269", &sa));
	add_target(r, 0, &sa, false);
	v4 = serve(r, 0, "127.0.0.1", NULL);
	dial(r, false);
	check_won(r, v4);
	assert_in_range(r->took_ms, 0, LIMIT_DIAL_STAGGER_MS - 1);
	rig_free(r);
}

static void test_dead_first_target(void **state)
{
	struct rig *r = rig_new();
	struct server *s;

	(void)state;
	refuse(r, 0, false);
	refuse(r, 1, true);
	s = serve(r, 2, "127.0.0.1", NULL);
	dial(r, false);
	check_won(r, s);
	assert_in_range(r->took_ms, 0, LIMIT_DIAL_STAGGER_MS - 1);
	rig_free(r);
}

static void test_silent_first_target(void **state)
{
	struct rig *r = rig_new();
	struct server *s;

	(void)state;
	be_silent(r, 0, false, false);
	s = serve(r, 1, "127.0.0.1", NULL);
	dial(r, false);
	check_won(r, s);
	assert_in_range(r->took_ms, LIMIT_DIAL_STAGGER_MS,
			2 * LIMIT_DIAL_STAGGER_MS);
	rig_free(r);
}

/* Nobody answers: what the sender hears has no address, the log has. */
static void test_all_refuse(void **state)
{
	struct rig *r = rig_new();
	char text[256];

	(void)state;
	refuse(r, 0, true);
	refuse(r, 0, false);
	dial(r, false);
	assert_null(r->conn);
	assert_int_equal(S2S_END_CONNECT, r->why.kind);
	s2s_reason_tell(&r->why, text, sizeof(text));
	assert_string_equal("connect (connection refused)", text);
	s2s_reason_format(&r->why, text, sizeof(text));
	assert_non_null(strstr(text, "127.0.0.1:"));
	rig_free(r);
}

static void test_dns_says_no(void **state)
{
	static const struct {
		enum edge_dns_result result;
		enum s2s_reason_kind kind;
		const char *text;
	} rows[] = {
		{EDGE_DNS_NOT_FOUND, S2S_END_DNS,
		 "dns (no XMPP service in "
		 "DNS)"},
		{EDGE_DNS_FAILED, S2S_END_TIMEOUT,
		 "timeout (DNS gives no "
		 "answer)"},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct rig *r = rig_new();
		char text[256];

		r->dns.result = rows[i].result;
		r->dns.text = "ns.inner.example: servfail";
		dial(r, false);
		assert_null(r->conn);
		assert_int_equal(rows[i].kind, r->why.kind);
		s2s_reason_tell(&r->why, text, sizeof(text));
		assert_string_equal(rows[i].text, text);
		s2s_reason_format(&r->why, text, sizeof(text));
		assert_non_null(strstr(text, "ns.inner.example"));
		rig_free(r);
	}
}

/* ---- direct TLS ---------------------------------------------------------- */

static void test_direct_tls(void **state)
{
	struct rig *r = rig_new();
	struct server *s = serve(r, 0, "127.0.0.1", "a");
	const struct tls_facts *tls;

	(void)state;
	dial(r, true);
	check_won(r, s);
	assert_true(r->dns.wants_direct_tls);
	assert_true(s->is_tls_up);
	tls = conn_tls_facts(r->conn);
	assert_non_null(tls);
	assert_true(tls->is_chain_valid);
	assert_true(conn_peer_has_name(r->conn, "a.example"));
	assert_string_equal("xmpp-server", tls->alpn);
	tls = conn_tls_facts(s->conn);
	assert_string_equal("xmpp-server", tls->alpn);
	assert_true(span_eq(tls->sni, SPAN_LIT("a.example")));
	/* we showed ours */
	assert_true(conn_peer_has_name(s->conn, "b.example"));
	rig_free(r);
}

/* TLS fails there: the next target, in the clear. */
static void test_direct_tls_fails(void **state)
{
	struct rig *r = rig_new();
	struct server *broken = serve(r, 0, "127.0.0.1", NULL);
	struct server *s;

	(void)state;
	r->dns.targets[0].is_direct_tls = true;
	s = serve(r, 1, "127.0.0.1", NULL);
	begin(r, "a.example", true);
	while (broken->conn == NULL)
		(void)uv_run(loop_uv(r->loop), UV_RUN_ONCE);
	assert_int_equal(0, conn_write(broken->conn,
				       SPAN_LIT("HTTP/1.1 400 no\r\n\r\n")));
	assert_true(wait_for(r, is_called, 2000));
	check_won(r, s);
	assert_null(conn_tls_facts(r->conn));
	rig_free(r);
}

static void test_only_direct_tls_fails(void **state)
{
	struct rig *r = rig_new();
	struct server *broken = serve(r, 0, "127.0.0.1", NULL);

	(void)state;
	r->dns.targets[0].is_direct_tls = true;
	begin(r, "a.example", true);
	while (broken->conn == NULL)
		(void)uv_run(loop_uv(r->loop), UV_RUN_ONCE);
	conn_close(broken->conn);
	broken->conn = NULL;
	assert_true(wait_for(r, is_called, 2000));
	assert_null(r->conn);
	assert_int_equal(S2S_END_TLS, r->why.kind);
	rig_free(r);
}

/* Connections that wait at a silent server; they are taken. */
static unsigned waiting_at(int listening_fd)
{
	unsigned n = 0;
	int fd;

	while ((fd = accept4(listening_fd, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		(void)close(fd);
		n++;
	}
	assert_int_equal(EAGAIN, errno);
	return n;
}

/* The faster one is taken, the others are let go: they do not come any more
 * when the silent server begins to take connections. */
static void test_losers_are_closed(void **state)
{
	struct rig *r = rig_new();
	struct server *s;

	(void)state;
	be_silent(r, 0, true, true);
	be_silent(r, 1, false, false);
	s = serve(r, 2, "127.0.0.1", "a");
	dial(r, true);
	check_won(r, s);
	assert_non_null(conn_tls_facts(r->conn));
	/* this one and nothing else is still open */
	conn_close(r->conn);
	r->conn = NULL;
	(void)wait_for(r, never_true, 100);
	assert_int_equal(1, s->ended);
	for (size_t i = 0; i < r->fd_count; i += 3) {
		/* what filled the queue does not come again either */
		(void)close(r->fds[i + 1]);
		(void)close(r->fds[i + 2]);
		r->fds[i + 1] = r->fds[i + 2] = -1;
		assert_in_range(waiting_at(r->fds[i]), 1, 2);
	}
	(void)wait_for(r, never_true, 3500); /* two retransmissions */
	for (size_t i = 0; i < r->fd_count; i += 3)
		assert_int_equal(0, waiting_at(r->fds[i]));
	rig_free(r);
}

/* ---- end ----------------------------------------------------------------- */

/* In every phase; the sanitizer sees what stays. */
static void test_freed_in_every_phase(void **state)
{
	static const uint64_t phases_ms[] = {0, 20, 300};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(phases_ms); i++) {
		struct rig *r = rig_new();

		be_silent(r, 0, false, false);
		be_silent(r, 1, true, false);
		begin(r, "a.example", true);
		if (phases_ms[i] > 0)
			(void)wait_for(r, never_true, phases_ms[i]);
		edge_dial_free(r->dial);
		r->dial = NULL;
		assert_int_equal(phases_ms[i] == 0 ? 1 : 0, r->dns.cancelled);
		(void)wait_for(r, never_true, 300);
		assert_int_equal(0, r->calls);
		rig_free(r);
	}
	edge_dial_free(NULL);
}

/* Names go to DNS and into SNI as A-labels. */
static void test_idn(void **state)
{
	struct rig *r = rig_new();

	(void)state;
	(void)serve(r, 0, "127.0.0.1", NULL);
	begin(r,
	      "b\xc3\xbc"
	      "cher.example",
	      false);
	assert_string_equal("xn--bcher-kva.example", r->dns.domain);
	assert_true(wait_for(r, is_called, 2000));
	rig_free(r);
}

/* see-other-host: the host that was named is looked up, not the domain. */
static void test_other_host(void **state)
{
	static const struct other_host hosts[] = {
		{"b\xc3\xbc"
		 "cher.example",
		 false, 7},
		{"2001:db8::1", true, 8},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(hosts); i++) {
		struct rig *r = rig_new();

		(void)serve(r, 0, "127.0.0.1", NULL);
		r->host = &hosts[i];
		begin(r, "a.example", true);
		r->host = NULL;
		assert_string_equal(i == 0 ? "xn--bcher-kva.example"
					   : "2001:db8::1",
				    r->dns.domain);
		assert_int_equal(hosts[i].port, r->dns.host_port);
		assert_true(wait_for(r, is_called, 2000));
		assert_non_null(r->conn);
		rig_free(r);
	}
}

static int make_files(void **state)
{
	(void)state;
	files_make(&files);
	return 0;
}

static int remove_files(void **state)
{
	(void)state;
	files_remove(&files);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one),
		cmocka_unit_test(test_v6_is_preferred),
		cmocka_unit_test(test_v6_refused),
		cmocka_unit_test(test_v6_silent),
		cmocka_unit_test(test_v6_unreachable),
		cmocka_unit_test(test_dead_first_target),
		cmocka_unit_test(test_silent_first_target),
		cmocka_unit_test(test_all_refuse),
		cmocka_unit_test(test_dns_says_no),
		cmocka_unit_test(test_direct_tls),
		cmocka_unit_test(test_direct_tls_fails),
		cmocka_unit_test(test_only_direct_tls_fails),
		cmocka_unit_test(test_losers_are_closed),
		cmocka_unit_test(test_freed_in_every_phase),
		cmocka_unit_test(test_idn),
		cmocka_unit_test(test_other_host),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
