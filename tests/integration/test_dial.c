/*
 * edge_dial on the loopback, IPv4 and IPv6: the addresses that DNS would give
 * are handed to it here, some of them dead.
 */
#include "loopback.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "edge-proxy/edge_dial.h"
#include "tls_files.h"

static struct tls_files files;

/* ---- DNS ----------------------------------------------------------------- */

struct edge_dns {
	struct loop *loop;
	enum edge_dns_result result;
	const char *text;
	struct edge_dns_target targets[LIMIT_SRV_ADDRESSES];
	size_t count;
	bool wants_direct_tls; /* as it was asked for */
	char domain[64];
	uint16_t host_port; /* one host was asked for, not a domain; else 0 */
	edge_dns_fn fn;
	void *arg;
	struct loop_deferred answer;
	unsigned cancelled;
};

static void on_answer(void *arg)
{
	struct edge_dns *d = arg;

	d->fn(d->arg, d->result, d->targets, d->count, false, d->text);
}

int edge_dns_resolve(struct edge_dns *d, const char *domain,
		     bool wants_direct_tls, edge_dns_fn fn, void *arg,
		     struct edge_dns_query **q_out)
{
	d->fn = fn;
	d->arg = arg;
	d->wants_direct_tls = wants_direct_tls;
	(void)snprintf(d->domain, sizeof(d->domain), "%s", domain);
	d->answer = (struct loop_deferred){.fn = on_answer, .arg = d};
	loop_defer(d->loop, &d->answer);
	*q_out = (struct edge_dns_query *)d;
	return 0;
}

int edge_dns_resolve_host(struct edge_dns *d, const char *host, uint16_t port,
			  edge_dns_fn fn, void *arg,
			  struct edge_dns_query **q_out)
{
	d->host_port = port;
	return edge_dns_resolve(d, host, false, fn, arg, q_out);
}

void edge_dns_cancel(struct edge_dns_query *q)
{
	struct edge_dns *d = (struct edge_dns *)q;

	if (d == NULL)
		return;
	d->cancelled++;
	loop_undefer(d->loop, &d->answer);
}

/* ---- servers ------------------------------------------------------------- */

enum { SERVERS_MAX = 4 };

/* One that accepts, with TLS when it has an identity. */
struct server {
	struct rig *rig;
	struct listener *listener;
	const char *identity;
	struct conn *conn;
	unsigned accepted;
	unsigned ended; /* EOF or error of a connection */
	bool is_tls_up;
};

struct rig {
	struct loop *loop;
	struct edge_dns dns;
	struct tls_creds *creds;
	struct server servers[SERVERS_MAX];
	size_t server_count;
	int fds[16]; /* of silent servers */
	size_t fd_count;
	struct edge_dial *dial;
	unsigned calls;
	struct conn *conn;
	struct s2s_reason why;
	uint64_t start_ms;
	uint64_t took_ms;
	const struct other_host *host; /* NULL: none named */
};

static void add_target(struct rig *r, unsigned place,
		       const struct sockaddr_storage *sa, bool is_direct_tls)
{
	struct edge_dns_target *t = &r->dns.targets[r->dns.count++];

	*t = (struct edge_dns_target){.addr = *sa,
				      .name = "target.example",
				      .place = place,
				      .is_direct_tls = is_direct_tls};
}

static void on_server_conn(struct conn *c, const struct conn_event *ev,
			   void *arg)
{
	struct server *s = arg;

	if (ev->kind == CONN_TLS_UP)
		s->is_tls_up = true;
	if (ev->kind != CONN_EOF && ev->kind != CONN_ERROR)
		return;
	s->ended++;
	conn_close(c);
	s->conn = NULL;
}

static void on_accept(struct listener *l, struct conn *c, void *arg)
{
	struct server *s = arg;

	(void)l;
	s->accepted++;
	s->conn = c;
	conn_set_handler(c, on_server_conn, s);
	if (s->identity != NULL)
		assert_int_equal(
			0, conn_start_tls(
				   c, s->rig->creds,
				   &(struct tls_params){.side = TLS_SERVER,
							.identity = s->identity,
							.is_direct = true}));
}

/* A server, and a target that leads to it. */
static struct server *serve(struct rig *r, unsigned place, const char *ip,
			    const char *identity)
{
	struct server *s = &r->servers[r->server_count++];
	struct sockaddr_storage sa;
	struct errbuf e = {""};
	char address[64];

	*s = (struct server){.rig = r, .identity = identity};
	(void)snprintf(address, sizeof(address), "%s:0", ip);
	if (listener_new(&s->listener, r->loop, address, on_accept, s, &e) != 0)
		fail_msg("%s", e.text);
	assert_int_equal(
		0, host_config_sockaddr(listener_address(s->listener), &sa));
	add_target(r, place, &sa, identity != NULL);
	return s;
}

static void loopback_address(bool is_v6, struct sockaddr_storage *sa)
{
	assert_int_equal(
		0, host_config_sockaddr(is_v6 ? "[::1]:1" : "127.0.0.1:1", sa));
}

/* A socket bound to a free port, and its address in sa. */
static int bound_socket(bool is_v6, struct sockaddr_storage *sa)
{
	socklen_t n = is_v6 ? sizeof(struct sockaddr_in6)
			    : sizeof(struct sockaddr_in);
	int fd;

	loopback_address(is_v6, sa);
	if (is_v6)
		((struct sockaddr_in6 *)sa)->sin6_port = 0;
	else
		((struct sockaddr_in *)sa)->sin_port = 0;
	fd = socket(sa->ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_true(fd >= 0);
	assert_int_equal(0, bind(fd, (const struct sockaddr *)sa, n));
	assert_int_equal(0, getsockname(fd, (struct sockaddr *)sa, &n));
	return fd;
}

/* A target that refuses. */
static void refuse(struct rig *r, unsigned place, bool is_v6)
{
	struct sockaddr_storage sa;
	int fd = bound_socket(is_v6, &sa);

	add_target(r, place, &sa, false);
	(void)close(fd);
}

/* A target that says nothing: its queue of connections is full, so that the
 * system drops what else comes. */
static void be_silent(struct rig *r, unsigned place, bool is_v6, bool is_direct)
{
	struct sockaddr_storage sa;
	int fd = bound_socket(is_v6, &sa);

	assert_int_equal(0, listen(fd, 0));
	r->fds[r->fd_count++] = fd;
	for (int i = 0; i < 2; i++) {
		fd = socket(sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
		r->fds[r->fd_count++] = fd;
		if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0)
			assert_int_equal(EINPROGRESS, errno);
	}
	(void)usleep(50 * 1000);
	add_target(r, place, &sa, is_direct);
}

/* ---- a dial -------------------------------------------------------------- */

static struct tls_creds *make_creds(void)
{
	char trust[128];
	char paths[4][128];
	const struct tls_identity ids[] = {
		{"a", files_path(&files, "a.pem", paths[0]),
		 files_path(&files, "a.key", paths[1]), NULL},
		{"b", files_path(&files, "b.pem", paths[2]),
		 files_path(&files, "b.key", paths[3]), NULL}};
	struct tls_creds_params p = {
		.trust_file = files_path(&files, "ca.pem", trust),
		.identities = ids,
		.identity_count = 2,
		.verify = TLS_VERIFY_FACTS,
		.alpn = "xmpp-server"};
	struct tls_creds *c;
	struct errbuf e = {""};

	if (tls_creds_new(&c, &p, &e) != 0)
		fail_msg("%s", e.text);
	return c;
}

static struct rig *rig_new(void)
{
	struct rig *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	(void)signal(SIGPIPE, SIG_IGN);
	assert_int_equal(0, loop_new(&r->loop, NULL));
	r->dns.loop = r->loop;
	r->dns.text = "";
	r->creds = make_creds();
	return r;
}

static void rig_free(struct rig *r)
{
	edge_dial_free(r->dial);
	conn_close(r->conn);
	for (size_t i = 0; i < r->server_count; i++) {
		conn_close(r->servers[i].conn);
		listener_close(r->servers[i].listener);
	}
	loop_free(r->loop);
	for (size_t i = 0; i < r->fd_count; i++)
		if (r->fds[i] >= 0)
			(void)close(r->fds[i]);
	tls_creds_unref(r->creds);
	free(r);
}

static void on_owned(struct conn *c, const struct conn_event *ev, void *arg)
{
	(void)c;
	(void)ev;
	(void)arg;
}

static void on_dialed(void *arg, struct conn *c, const struct s2s_reason *why)
{
	struct rig *r = arg;

	r->calls++;
	r->conn = c;
	r->took_ms = uv_hrtime() / 1000000 - r->start_ms;
	edge_dial_free(r->dial); /* allowed in here; the reason lives on */
	r->dial = NULL;
	if (c != NULL)
		conn_set_handler(c, on_owned, r);
	else
		r->why = *why;
}

/* Turns of the loop until something holds, at most ms. */
static bool wait_for(struct rig *r, bool (*done)(const struct rig *r),
		     uint64_t ms)
{
	uint64_t end = uv_hrtime() / 1000000 + ms;
	struct loop_timer *t;

	assert_int_equal(0, loop_timer_new(&t, r->loop, on_tick, NULL));
	while (!done(r) && uv_hrtime() / 1000000 < end) {
		loop_timer_arm(t, loop_now_ms(r->loop) + 10);
		(void)uv_run(loop_uv(r->loop), UV_RUN_ONCE);
	}
	loop_timer_free(t);
	return done(r);
}

static bool is_called(const struct rig *r)
{
	return r->calls > 0;
}

static bool never_true(const struct rig *r)
{
	(void)r;
	return false;
}

static void begin(struct rig *r, const char *domain, bool has_creds)
{
	struct edge_dial_params p = {.loop = r->loop,
				     .dns = &r->dns,
				     .domain = domain,
				     .host = r->host,
				     .label = "test",
				     .fn = on_dialed,
				     .arg = r};

	if (has_creds) {
		p.creds = r->creds;
		p.identity = "b";
	}
	r->start_ms = uv_hrtime() / 1000000;
	assert_int_equal(0, edge_dial_new(&r->dial, &p));
	assert_int_equal(0, r->calls);
}

static void dial(struct rig *r, bool has_creds)
{
	begin(r, "a.example", has_creds);
	assert_true(wait_for(r, is_called, 15000));
	(void)wait_for(r, never_true, 50); /* what was stopped ends */
	assert_int_equal(1, r->calls);
	assert_null(r->dial);
}

static void check_won(const struct rig *r, const struct server *s)
{
	if (r->conn == NULL)
		fail_msg("%s", r->why.text);
	assert_string_equal(listener_address(s->listener),
			    conn_peer_address(r->conn));
	assert_int_equal(1, s->accepted);
	assert_int_equal(0, s->ended);
}

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
