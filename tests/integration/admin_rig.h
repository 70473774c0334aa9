/*
 * An admin server in this process, and clients of it.
 */
#ifndef FED_TEST_ADMIN_RIG_H
#define FED_TEST_ADMIN_RIG_H

/* clang-format off: cmocka wants this order */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/limits.h"
#include "io/admin_server.h"

/* ---- server -------------------------------------------------------------- */

struct rig {
	char folder[64];
	char path[96];
	struct loop *loop;
	struct admin_server *server;
	struct metrics metrics;
	/* the handler's */
	uint64_t count;	 /* responses of one answer */
	size_t bytes;	 /* of text in each of them */
	bool is_waiting; /* say so once */
	struct admin_call *waits;
	size_t request_max;
	uint64_t made; /* responses in all */
	unsigned calls, most_calls, ended;
	struct conn_user user;
};

static inline enum admin_step on_more(struct admin_call *call, struct arena *a,
				      Fed__AdminResponse *out, void *arg)
{
	struct rig *r = arg;
	char *text;

	if (call->state == NULL) {
		call->state = r;
		r->calls++;
		if (r->calls > r->most_calls)
			r->most_calls = r->calls;
		r->user = call->user;
	}
	if (r->is_waiting) {
		r->is_waiting = false;
		r->waits = call;
		return ADMIN_WAIT;
	}
	text = arena_alloc(a, r->bytes + 1);
	assert_non_null(text);
	memset(text, 'x', r->bytes);
	out->version = arena_alloc(a, sizeof(*out->version));
	assert_non_null(out->version);
	fed__version_info__init(out->version);
	out->version->program = text;
	out->version->uptime_ms = call->cursor++;
	r->made++;
	return call->cursor < r->count ? ADMIN_MORE : ADMIN_LAST;
}

static inline void on_end(struct admin_call *call, void *arg)
{
	struct rig *r = arg;

	assert_non_null(call->request);
	if (call->state != NULL)
		r->calls--;
	r->ended++;
}

static inline int serve(struct rig *r, struct admin_server **s_out,
			struct errbuf *e)
{
	const struct admin_handler h = {on_more, on_end, r, r->request_max};

	return admin_server_new(s_out, r->loop, r->path, &h, &r->metrics, e);
}

static inline void open_rig(struct rig *r)
{
	struct errbuf e = {.text = ""};

	*r = (struct rig){.count = 1,
			  .bytes = 10,
			  .request_max = LIMIT_ADMIN_REQUEST_BYTES};
	(void)signal(SIGPIPE, SIG_IGN);
	(void)snprintf(r->folder, sizeof(r->folder), "/tmp/admin-XXXXXX");
	assert_non_null(mkdtemp(r->folder));
	(void)snprintf(r->path, sizeof(r->path), "%s/sock", r->folder);
	assert_int_equal(0, loop_new(&r->loop, NULL));
	if (serve(r, &r->server, &e) != 0)
		fail_msg("%s", e.text);
}

static inline void close_rig(struct rig *r)
{
	admin_server_free(r->server);
	loop_free(r->loop);
	assert_int_equal(-1, access(r->path, F_OK)); /* removed on exit */
	assert_int_equal(0, rmdir(r->folder));
}

static inline void turn(struct rig *r, unsigned times)
{
	for (unsigned i = 0; i < times; i++)
		loop_run_once(r->loop);
}

/* ---- clients ------------------------------------------------------------- */

struct client {
	int fd;
	struct buf in;
	bool is_closed;
	uint64_t seen;	/* responses */
	bool is_last;	/* the last response was the last */
	char error[96]; /* of the last response */
	uint64_t number;
};

static inline struct sockaddr_un address(const struct rig *r)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};

	memcpy(sa.sun_path, r->path, strlen(r->path) + 1);
	return sa;
}

static inline void open_client(struct rig *r, struct client *c)
{
	const struct sockaddr_un sa = address(r);

	*c = (struct client){.fd = socket(AF_UNIX, SOCK_STREAM, 0)};
	buf_init(&c->in, 2u * 1024 * 1024);
	assert_int_equal(
		0, connect(c->fd, (const struct sockaddr *)&sa, sizeof(sa)));
	assert_int_equal(0, fcntl(c->fd, F_SETFL, O_NONBLOCK));
}

static inline void close_client(struct client *c)
{
	(void)close(c->fd);
	buf_deinit(&c->in);
}

static inline void send_bytes(struct client *c, const void *p, size_t n)
{
	assert_int_equal((ssize_t)n, send(c->fd, p, n, MSG_NOSIGNAL));
}

static inline void put_ask(struct buf *out, uint64_t id)
{
	Fed__AdminRequest r;
	Fed__AdminShow show;

	fed__admin_request__init(&r);
	fed__admin_show__init(&show);
	r.id = id;
	r.kind_case = FED__ADMIN_REQUEST__KIND_SHOW;
	r.show = &show;
	assert_int_equal(0, admin_codec_put_request(out, &r));
}

static inline void ask(struct client *c, uint64_t id)
{
	struct buf out;

	buf_init(&out, 1024);
	put_ask(&out, id);
	send_bytes(c, buf_span(&out).p, buf_len(&out));
	buf_deinit(&out);
}

static inline void take_responses(struct client *c)
{
	struct arena a;
	Fed__AdminResponse *r;
	size_t used;

	arena_init(&a, LIMIT_ADMIN_ARENA_BYTES);
	while (admin_codec_take_response(buf_span(&c->in), &a, &r, &used) ==
	       0) {
		buf_consume(&c->in, used);
		c->seen++;
		c->is_last = r->last;
		(void)snprintf(c->error, sizeof(c->error), "%s", r->error);
		if (r->version != NULL)
			c->number = r->version->uptime_ms;
	}
	arena_deinit(&a);
}

static inline void receive(struct client *c)
{
	char *room = buf_reserve(&c->in, 65536);
	ssize_t n;

	assert_non_null(room);
	n = recv(c->fd, room, 65536, 0);
	if (n == 0)
		c->is_closed = true;
	if (n > 0)
		buf_commit(&c->in, (size_t)n);
	take_responses(c);
}

/* Until it has seen so many responses, or is closed. */
static inline void wait_seen(struct rig *r, struct client *c, uint64_t count)
{
	for (unsigned i = 0; i < 20000 && c->seen < count && !c->is_closed;
	     i++) {
		turn(r, 1);
		receive(c);
	}
}

static inline void wait_closed(struct rig *r, struct client *c)
{
	for (unsigned i = 0; i < 1000 && !c->is_closed; i++) {
		turn(r, 1);
		receive(c);
	}
	assert_true(c->is_closed);
}

#endif
