/* A connection's life: made, handed over, failed, closed. */
#include "io/conn_priv.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- events -------------------------------------------------------------- */

void conn_raise(struct conn *c, const struct conn_event *ev)
{
	if (c->fn != NULL)
		c->fn(c, ev, c->arg);
}

void conn_fail(struct conn *c, int err, const char *text)
{
	if (c->state == CONN_FAILED || c->state == CONN_DEAD)
		return;
	if (c->state == CONN_CLOSING || c->state == CONN_LINGER ||
	    c->fn == NULL) {
		conn_kill(c);
		return;
	}
	conn_push_last(c);
	conn_work_cancel(c);
	c->state = CONN_FAILED;
	conn_update_reading(c);
	loop_timer_arm(c->guard, UINT64_MAX);
	loop_timer_arm(c->deadline, UINT64_MAX);
	fed_log(loop_log(c->loop), FED_LOG_DEBUG, "conn_failed",
		"peer=%s error=%s text=\"%s\"", c->address, fed_strerror(err),
		text);
	conn_raise(c, &(struct conn_event){
			      .kind = CONN_ERROR, .err = err, .text = text});
}

static void on_guard(void *arg)
{
	struct conn *c = arg;

	if (c->state == CONN_CONNECTING)
		conn_fail(c, FED_ETIMEOUT, "TCP connect timed out");
	else if (c->state == CONN_OPEN)
		conn_fail(c, FED_ETIMEOUT, "TLS handshake timed out");
	else
		conn_kill(c);
}

static void on_deadline(void *arg)
{
	conn_raise(arg, &(struct conn_event){.kind = CONN_TIMEOUT});
}

void conn_set_deadline(struct conn *c, uint64_t at_ms)
{
	if (c->state == CONN_CONNECTING || c->state == CONN_OPEN)
		loop_timer_arm(c->deadline, at_ms);
}

/* ---- life ---------------------------------------------------------------- */

void conn_free_when_gone(struct conn *c)
{
	if (!c->is_handle_closed || c->job != NULL)
		return;
	loop_leave(c->loop, &c->member);
	tls_engine_free(c->tls);
	buf_deinit(&c->held);
	buf_deinit(&c->out);
	buf_deinit(&c->wire);
	buf_deinit(&c->flight);
	free(c);
}

static void on_closed(uv_handle_t *h)
{
	struct conn *c = h->data;

	c->is_handle_closed = true;
	conn_free_when_gone(c);
}

void conn_kill(struct conn *c)
{
	if (c->state == CONN_DEAD)
		return;
	c->state = CONN_DEAD;
	c->fn = NULL;
	conn_work_cancel(c);
	loop_undefer(c->loop, &c->work);
	loop_undefer(c->loop, &c->flush);
	loop_timer_free(c->deadline);
	loop_timer_free(c->guard);
	uv_close((uv_handle_t *)&c->tcp, on_closed);
}

static void kill_member(void *arg)
{
	conn_kill(arg);
}

void conn_tune(struct conn *c)
{
	/* a peer that is gone without a word: without this the system tries
	 * for a quarter of an hour */
	unsigned int silent_ms = LIMIT_TCP_SILENT_MS;
	uv_os_fd_t fd;

	/* slower without, not wrong */
	(void)uv_tcp_nodelay(&c->tcp, 1);
	if (uv_fileno((uv_handle_t *)&c->tcp, &fd) == 0)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &silent_ms,
				 sizeof(silent_ms));
}

/* All but the stream. */
static struct conn *make(struct loop *loop)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	if (loop_timer_new(&c->deadline, loop, on_deadline, c) != 0 ||
	    loop_timer_new(&c->guard, loop, on_guard, c) != 0) {
		loop_timer_free(c->deadline);
		free(c);
		return NULL;
	}
	c->loop = loop;
	c->state = CONN_OPEN;
	c->member = (struct loop_member){.kill = kill_member, .arg = c};
	c->work = (struct loop_deferred){.fn = conn_on_work, .arg = c};
	c->flush = (struct loop_deferred){.fn = conn_on_flush, .arg = c};
	buf_init(&c->held, LOOP_READ_BYTES);
	buf_init(&c->out, CONN_BUF_MAX);
	buf_init(&c->wire, CONN_BUF_MAX);
	buf_init(&c->flight, CONN_BUF_MAX);
	return c;
}

static void join(struct conn *c)
{
	c->tcp.data = c;
	loop_join(c->loop, &c->member);
}

struct conn *conn_new(struct loop *loop)
{
	struct conn *c = make(loop);

	if (c == NULL)
		return NULL;
	(void)uv_tcp_init(loop_uv(loop), &c->tcp); /* cannot fail: no socket */
	join(c);
	return c;
}

struct conn *conn_new_unix(struct loop *loop)
{
	struct conn *c = make(loop);

	if (c == NULL)
		return NULL;
	(void)uv_pipe_init(loop_uv(loop), &c->pipe, 0); /* cannot fail */
	join(c);
	return c;
}

void conn_format_address(const struct sockaddr *sa, char *out, size_t n)
{
	char ip[INET6_ADDRSTRLEN] = "?";

	if (sa->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, sa, sizeof(in6));
		(void)uv_ip6_name(&in6, ip, sizeof(ip));
		(void)snprintf(out, n, "[%s]:%u", ip, ntohs(in6.sin6_port));
	} else {
		struct sockaddr_in in4;

		memcpy(&in4, sa, sizeof(in4));
		(void)uv_ip4_name(&in4, ip, sizeof(ip));
		(void)snprintf(out, n, "%s:%u", ip, ntohs(in4.sin_port));
	}
}

static void on_connected(uv_connect_t *req, int status)
{
	struct conn *c = req->data;

	if (c->state != CONN_CONNECTING)
		return;
	if (status < 0) {
		conn_fail(c, FED_EIO, uv_strerror(status));
		return;
	}
	c->state = CONN_OPEN;
	loop_timer_arm(c->guard, UINT64_MAX);
	conn_tune(c);
	/* what was written before it was up leaves with this turn */
	loop_defer(c->loop, &c->flush);
	conn_raise(c, &(struct conn_event){.kind = CONN_UP});
	conn_update_reading(c);
}

int conn_connect(struct conn **c_out, struct loop *loop,
		 const struct sockaddr *addr, conn_event_fn fn, void *arg)
{
	struct conn *c = conn_new(loop);
	int rc;

	if (c == NULL)
		return FED_ENOMEM;
	c->state = CONN_CONNECTING;
	c->connect.data = c;
	conn_format_address(addr, c->address, sizeof(c->address));
	rc = uv_tcp_connect(&c->connect, &c->tcp, addr, on_connected);
	if (rc != 0) {
		fed_log(loop_log(loop), FED_LOG_DEBUG, "connect_failed",
			"peer=%s error=\"%s\"", c->address, uv_strerror(rc));
		conn_kill(c);
		return rc == UV_ENOMEM ? FED_ENOMEM : FED_EIO;
	}
	c->fn = fn;
	c->arg = arg;
	loop_timer_arm(c->guard, loop_now_ms(loop) + LIMIT_TCP_CONNECT_MS);
	*c_out = c;
	return 0;
}

void conn_set_handler(struct conn *c, conn_event_fn fn, void *arg)
{
	if (c->state == CONN_CLOSING || c->state == CONN_LINGER ||
	    c->state == CONN_DEAD)
		return;
	c->fn = fn;
	c->arg = arg;
	if (buf_len(&c->held) > 0)
		loop_defer(c->loop, &c->work);
	conn_update_reading(c);
}

void conn_close(struct conn *c)
{
	if (c == NULL || c->state == CONN_CLOSING || c->state == CONN_LINGER)
		return;
	c->fn = NULL;
	if (c->state != CONN_OPEN) {
		conn_kill(c);
		return;
	}
	c->state = CONN_CLOSING;
	c->member.is_leaving = true;
	conn_work_cancel(c);
	loop_undefer(c->loop, &c->work);
	loop_timer_arm(c->deadline, UINT64_MAX);
	loop_timer_arm(c->guard, loop_now_ms(c->loop) + LIMIT_STREAM_CLOSE_MS);
	conn_update_reading(c); /* what comes now is thrown away */
	loop_defer(c->loop, &c->flush);
}

/* ---- TLS and facts ------------------------------------------------------- */

int conn_start_tls(struct conn *c, struct tls_creds *creds,
		   const struct tls_params *p)
{
	int err;

	if (c->state != CONN_OPEN || c->tls != NULL)
		return FED_ESTATE;
	err = conn_release_clear(c);
	if (err == 0)
		err = tls_engine_new(&c->tls, creds, p, &c->wire);
	if (err != 0)
		return err;
	c->tls_began = ++loop_jobs(c->loop)->began;
	loop_timer_arm(c->guard, loop_now_ms(c->loop) + LIMIT_TLS_MS);
	loop_defer(c->loop, &c->work); /* the client speaks first */
	conn_update_reading(c);
	return 0;
}

const struct tls_facts *conn_tls_facts(const struct conn *c)
{
	return c->tls == NULL ? NULL : tls_engine_facts(c->tls);
}

bool conn_peer_has_name(const struct conn *c, const char *name)
{
	return c->tls != NULL && tls_engine_peer_has_name(c->tls, name);
}

const char *conn_peer_address(const struct conn *c)
{
	return c->address;
}

int conn_peer_user(const struct conn *c, struct conn_user *user_out)
{
	struct ucred who;
	socklen_t n = sizeof(who);
	uv_os_fd_t fd;

	if (c->tcp.type != UV_NAMED_PIPE ||
	    uv_fileno((const uv_handle_t *)&c->tcp, &fd) != 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) != 0)
		return FED_ENOTFOUND;
	*user_out = (struct conn_user){.uid = who.uid, .pid = who.pid};
	return 0;
}
