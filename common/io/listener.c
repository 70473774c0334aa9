/* A listening socket: connections taken, or refused for want of memory. */
#include "io/listener_priv.h"

#include <stdio.h>
#include <stdlib.h>

#include "io/host_config.h"

/* Connections the kernel keeps for us between two turns. */
enum { LISTENER_BACKLOG = 511 };

static void release(struct listener *l)
{
	if (--l->open_handles > 0)
		return;
	loop_leave(l->loop, &l->member);
	free(l->path);
	free(l);
}

static void on_closed(uv_handle_t *h)
{
	release(h->data);
}

static void kill_listener(void *arg)
{
	listener_close(arg);
}

static void set_peer(struct listener *l, struct conn *c)
{
	struct sockaddr_storage sa;
	int n = sizeof(sa);

	if (l->path != NULL)
		(void)snprintf(c->address, sizeof(c->address), "unix");
	else if (uv_tcp_getpeername(&c->tcp, (struct sockaddr *)&sa, &n) == 0)
		conn_format_address((const struct sockaddr *)&sa, c->address,
				    sizeof(c->address));
}

static void refuse(struct listener *l);

static void on_refused(uv_handle_t *h)
{
	struct listener *l = h->data;

	l->is_refusing = false;
	if (l->has_another && l->fn != NULL)
		refuse(l);
	l->has_another = false;
	release(l);
}

/* No memory for a connection: take it and close it, since libuv listens no
 * further while one waits. */
static void refuse(struct listener *l)
{
	if (l->is_refusing) {
		l->has_another = true;
		return;
	}
	/* neither can fail */
	if (l->path != NULL)
		(void)uv_pipe_init(loop_uv(l->loop), &l->refused.pipe, 0);
	else
		(void)uv_tcp_init(loop_uv(l->loop), &l->refused.tcp);
	l->refused.stream.data = l;
	l->is_refusing = true;
	l->open_handles++;
	(void)uv_accept(&l->handle.stream, &l->refused.stream);
	uv_close((uv_handle_t *)&l->refused, on_refused);
}

static void on_connection(uv_stream_t *s, int status)
{
	struct listener *l = s->data;
	struct conn *c = NULL;

	if (l->fn == NULL)
		return;
	if (status == 0)
		c = l->path != NULL ? conn_new_unix(l->loop)
				    : conn_new(l->loop);
	if (c == NULL) {
		fed_log(loop_log(l->loop), FED_LOG_ERROR, "accept_failed",
			"address=%s error=\"%s\"", listener_address(l),
			status != 0 ? uv_strerror(status) : "out of memory");
		if (status == 0)
			refuse(l);
		return;
	}
	if (uv_accept(s, (uv_stream_t *)&c->tcp) != 0) {
		conn_kill(c);
		return;
	}
	if (l->path == NULL)
		conn_tune(c);
	set_peer(l, c);
	l->fn(l, c, l->arg);
}

struct listener *listener_make(struct loop *loop, listener_fn fn, void *arg)
{
	struct listener *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->loop = loop;
	l->fn = fn;
	l->arg = arg;
	l->member = (struct loop_member){.kill = kill_listener, .arg = l};
	return l;
}

void listener_join(struct listener *l)
{
	l->handle.stream.data = l;
	l->open_handles = 1;
	loop_join(l->loop, &l->member);
}

int listener_begin(struct listener *l)
{
	return uv_listen(&l->handle.stream, LISTENER_BACKLOG, on_connection);
}

static int start(struct listener *l, const struct sockaddr *sa)
{
	/* "[::]:5269" and "0.0.0.0:5269" can both be listed */
	unsigned flags = sa->sa_family == AF_INET6 ? UV_TCP_IPV6ONLY : 0;
	struct sockaddr_storage bound;
	int n = sizeof(bound);
	int rc = uv_tcp_bind(&l->handle.tcp, sa, flags);

	if (rc == 0)
		rc = listener_begin(l);
	if (rc == 0)
		rc = uv_tcp_getsockname(&l->handle.tcp,
					(struct sockaddr *)&bound, &n);
	if (rc == 0)
		conn_format_address((const struct sockaddr *)&bound, l->address,
				    sizeof(l->address));
	return rc;
}

int listener_new(struct listener **l_out, struct loop *loop, const char *addr,
		 listener_fn fn, void *arg, struct errbuf *e)
{
	struct sockaddr_storage sa;
	struct listener *l;
	int rc;

	if (host_config_sockaddr(addr, &sa) != 0) {
		errbuf_set(e,
			   "\"%s\" is not an address to listen on: "
			   "\"address:port\" or \"[v6]:port\" is expected",
			   addr);
		return FED_ECONFIG;
	}
	l = listener_make(loop, fn, arg);
	if (l == NULL)
		return FED_ENOMEM;
	/* cannot fail: no socket */
	(void)uv_tcp_init(loop_uv(loop), &l->handle.tcp);
	listener_join(l);
	rc = start(l, (const struct sockaddr *)&sa);
	if (rc != 0) {
		errbuf_set(e, "cannot listen on %s: %s", addr, uv_strerror(rc));
		listener_close(l);
		return FED_EIO;
	}
	*l_out = l;
	return 0;
}

const char *listener_address(const struct listener *l)
{
	return l->path != NULL ? l->path : l->address;
}

void listener_close(struct listener *l)
{
	if (l == NULL || uv_is_closing((uv_handle_t *)&l->handle))
		return;
	l->fn = NULL;
	if (l->path != NULL)
		listener_remove_name(l);
	uv_close((uv_handle_t *)&l->handle, on_closed);
}
