/* A listening socket. */
#include <stdlib.h>

#include "io/conn_priv.h"
#include "io/host_config.h"

/* Connections the kernel keeps for us between two turns. */
enum { LISTENER_BACKLOG = 511 };

struct listener {
	struct loop *loop;
	struct loop_member member;
	uv_tcp_t tcp;
	uv_tcp_t refused; /* for a connection that there is no memory for */
	bool is_refusing;
	bool has_another;
	unsigned open_handles;
	listener_fn fn; /* NULL: closed */
	void *arg;
	char address[80];
};

static void release(struct listener *l)
{
	if (--l->open_handles > 0)
		return;
	loop_leave(l->loop, &l->member);
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

static void set_peer(struct conn *c)
{
	struct sockaddr_storage sa;
	int n = sizeof(sa);

	if (uv_tcp_getpeername(&c->tcp, (struct sockaddr *)&sa, &n) == 0)
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
	(void)uv_tcp_init(loop_uv(l->loop), &l->refused); /* cannot fail */
	l->refused.data = l;
	l->is_refusing = true;
	l->open_handles++;
	(void)uv_accept((uv_stream_t *)&l->tcp, (uv_stream_t *)&l->refused);
	uv_close((uv_handle_t *)&l->refused, on_refused);
}

static void on_connection(uv_stream_t *s, int status)
{
	struct listener *l = s->data;
	struct conn *c;

	if (l->fn == NULL)
		return;
	c = status == 0 ? conn_new(l->loop) : NULL;
	if (c == NULL) {
		fed_log(loop_log(l->loop), FED_LOG_ERROR, "accept_failed",
			"address=%s error=\"%s\"", l->address,
			status != 0 ? uv_strerror(status) : "out of memory");
		if (status == 0)
			refuse(l);
		return;
	}
	if (uv_accept(s, (uv_stream_t *)&c->tcp) != 0) {
		conn_kill(c);
		return;
	}
	conn_tune(c);
	set_peer(c);
	l->fn(l, c, l->arg);
}

static int start(struct listener *l, const struct sockaddr *sa)
{
	/* "[::]:5269" and "0.0.0.0:5269" can both be listed */
	unsigned flags = sa->sa_family == AF_INET6 ? UV_TCP_IPV6ONLY : 0;
	struct sockaddr_storage bound;
	int n = sizeof(bound);
	int rc = uv_tcp_bind(&l->tcp, sa, flags);

	if (rc == 0)
		rc = uv_listen((uv_stream_t *)&l->tcp, LISTENER_BACKLOG,
			       on_connection);
	if (rc == 0)
		rc = uv_tcp_getsockname(&l->tcp, (struct sockaddr *)&bound, &n);
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
	l = calloc(1, sizeof(*l));
	if (l == NULL)
		return FED_ENOMEM;
	l->loop = loop;
	l->fn = fn;
	l->arg = arg;
	l->member = (struct loop_member){.kill = kill_listener, .arg = l};
	(void)uv_tcp_init(loop_uv(loop), &l->tcp); /* cannot fail: no socket */
	l->tcp.data = l;
	l->open_handles = 1;
	loop_join(loop, &l->member);
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
	return l->address;
}

void listener_close(struct listener *l)
{
	if (l == NULL || uv_is_closing((uv_handle_t *)&l->tcp))
		return;
	l->fn = NULL;
	uv_close((uv_handle_t *)&l->tcp, on_closed);
}
