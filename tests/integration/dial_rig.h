/*
 * Servers of every temper on loopback, a DNS that says where they are, and a
 * dial to them.
 */
#ifndef FED_TESTS_DIAL_RIG_H
#define FED_TESTS_DIAL_RIG_H

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

const struct dns_facts *edge_dns_facts(const struct edge_dns_query *q)
{
	(void)q;
	return NULL;
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

#endif
