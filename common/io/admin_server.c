/* The admin socket: clients, their calls, answers as they are taken. */
#include "io/admin_server.h"

#include <inttypes.h>
#include <stdlib.h>
#include <utlist.h>

#include "base/limits.h"
#include "base/ratelimit.h"
#include "chan/chan_rules.h"

struct admin_client;

enum {
	/* what is read of a client that has no place for a long request */
	SERVER_SMALL_IN =
		LIMIT_ADMIN_SMALL_BYTES + ADMIN_PREFIX_BYTES + LIMIT_READ_BYTES,
	SERVER_SMALL_ARENA =
		LIMIT_ADMIN_SMALL_ARENA_BYTES(LIMIT_ADMIN_SMALL_BYTES),
};

/* Buffers take twice what is in them. */
_Static_assert(LIMIT_ADMIN_CLIENTS *(2u * SERVER_SMALL_IN +
				     LIMIT_ADMIN_CALLS * SERVER_SMALL_ARENA) +
			       2u * LIMIT_ADMIN_REQUEST_BYTES +
			       LIMIT_ADMIN_REQUEST_ARENA_BYTES <=
		       LIMIT_ADMIN_TOTAL_BYTES,
	       "the clients of an admin socket take too much memory");

struct server_call {
	struct admin_call call; /* first: what the handler has */
	struct admin_client *client;
	struct arena arena; /* of the request */
	bool is_long;	    /* it has the place */
	bool is_waiting;
	struct server_call *prev;
	struct server_call *next;
};

struct admin_client {
	struct admin_server *server;
	struct conn *conn;
	struct conn_user user;
	struct buf in;
	struct server_call *calls; /* whose turn it is first */
	unsigned call_count;
	uint64_t ticket; /* its turn with a long request; 0: does not wait */
	bool is_eof;	 /* it asks no more; what it asked is answered */
	struct loop_deferred work;
	struct admin_client *prev;
	struct admin_client *next;
};

struct admin_server {
	struct loop *loop;
	struct admin_handler handler;
	/* LIMIT: the place for a long request. */
	struct admin_client *holder; /* reads it, or has it; NULL: nobody */
	bool is_long_taken;	     /* it is one of the holder's calls */
	uint64_t tickets;
	struct metrics *metrics;
	struct listener *listener;
	struct admin_client *clients;
	size_t client_count;
	struct ratelimit warn;
	struct arena arena; /* of the response being made */
	struct buf out;	    /* the same, packed */
};

static const struct logger *log_of(const struct admin_server *s)
{
	return loop_log(s->loop);
}

/* ---- time ---------------------------------------------------------------- */

static void arm(struct admin_client *c)
{
	conn_set_deadline(c->conn,
			  loop_now_ms(c->server->loop) + LIMIT_ADMIN_IDLE_MS);
}

/* The one whom others wait for has no more time because it does a little. */
static void touch(struct admin_client *c)
{
	if (c->server->holder != c)
		arm(c);
}

/* ---- the place for a long request ---------------------------------------- */

static void give_place(struct admin_client *c)
{
	struct admin_server *s = c->server;

	s->holder = c;
	s->is_long_taken = false;
	c->ticket = 0;
	c->in.max =
		s->handler.request_max + ADMIN_PREFIX_BYTES + LIMIT_READ_BYTES;
	arm(c);
}

/* False: it waits in line, and is not read meanwhile. */
static bool take_place(struct admin_client *c)
{
	struct admin_server *s = c->server;

	if (s->holder == NULL)
		give_place(c);
	if (s->holder == c && !s->is_long_taken)
		return true;
	if (c->ticket == 0)
		c->ticket = ++s->tickets;
	return false;
}

static void leave_place(struct admin_server *s)
{
	struct admin_client *first = NULL;
	struct admin_client *c;

	arm(s->holder);
	s->holder = NULL;
	DL_FOREACH (s->clients, c)
		if (c->ticket != 0 &&
		    (first == NULL || c->ticket < first->ticket))
			first = c;
	if (first == NULL)
		return;
	give_place(first);
	loop_defer(s->loop, &first->work);
}

/* ---- ends ---------------------------------------------------------------- */

static void end_call(struct server_call *sc)
{
	struct admin_client *c = sc->client;
	struct admin_server *s = c->server;

	DL_DELETE(c->calls, sc);
	c->call_count--;
	if (s->handler.on_end != NULL)
		s->handler.on_end(&sc->call, s->handler.arg);
	arena_deinit(&sc->arena);
	if (sc->is_long)
		leave_place(s);
	free(sc);
}

/* Its last bytes still leave. */
static void drop(struct admin_client *c)
{
	struct admin_server *s = c->server;

	c->ticket = 0;
	while (c->calls != NULL)
		end_call(c->calls);
	if (s->holder == c)
		leave_place(s);
	loop_undefer(s->loop, &c->work);
	conn_close(c->conn);
	buf_deinit(&c->in);
	DL_DELETE(s->clients, c);
	s->client_count--;
	free(c);
}

/* ---- answers ------------------------------------------------------------- */

static size_t waiting_bytes(const struct admin_client *c)
{
	return conn_written(c->conn) - conn_flushed(c->conn);
}

/* @return 0, or the client is lost */
static int write_response(struct admin_server *s, struct conn *conn,
			  const Fed__AdminResponse *r)
{
	static const char why[] =
		"a part of the answer is too long for one message";
	Fed__AdminResponse instead;
	int err;

	buf_reset(&s->out);
	err = admin_codec_put_response(&s->out, r);
	if (err == FED_ELIMIT) {
		fed__admin_response__init(&instead);
		instead.id = r->id;
		instead.error = chan_unconst(why);
		instead.last = r->last;
		err = admin_codec_put_response(&s->out, &instead);
	}
	return err != 0 ? err : conn_write(conn, buf_span(&s->out));
}

static void refuse(struct admin_server *s, struct conn *conn, const char *why)
{
	Fed__AdminResponse r;

	fed__admin_response__init(&r);
	r.error = chan_unconst(why);
	r.last = true;
	metrics_count(s->metrics, METRIC_admin_refused);
	if (ratelimit_take(&s->warn, loop_now_ms(s->loop)))
		fed_log(log_of(s), FED_LOG_WARN, "admin_refused", "text=\"%s\"",
			why);
	/* it is closed next */
	(void)write_response(s, conn, &r);
}

static struct server_call *next_call(struct admin_client *c)
{
	struct server_call *sc;

	DL_FOREACH (c->calls, sc)
		if (!sc->is_waiting)
			return sc;
	return NULL;
}

/* One response of one call.  @return 0, or the client is lost */
static int answer(struct admin_client *c, struct server_call *sc)
{
	struct admin_server *s = c->server;
	Fed__AdminResponse r;
	enum admin_step step;
	int err;

	fed__admin_response__init(&r);
	r.id = sc->call.request->id;
	/* admin_server_ready() may come before on_more() returns */
	sc->is_waiting = true;
	step = s->handler.on_more(&sc->call, &s->arena, &r, s->handler.arg);
	if (step == ADMIN_WAIT)
		return 0;
	sc->is_waiting = false;
	r.last = step == ADMIN_LAST;
	err = write_response(s, c->conn, &r);
	arena_reset(&s->arena);
	if (step == ADMIN_LAST) {
		end_call(sc);
		loop_defer(s->loop, &c->work); /* room for the next */
	} else {			       /* the others' turn */
		DL_DELETE(c->calls, sc);
		DL_APPEND(c->calls, sc);
	}
	return err;
}

/* False: the client is lost. */
static bool answer_some(struct admin_client *c)
{
	struct server_call *sc;

	for (unsigned i = 0; i < LIMIT_ADMIN_BURST; i++) {
		if (waiting_bytes(c) >= LIMIT_ADMIN_OUT_BYTES)
			return true; /* DRAINED follows */
		sc = next_call(c);
		if (sc == NULL)
			return true;
		if (answer(c, sc) != 0)
			return false;
	}
	loop_defer(c->server->loop, &c->work);
	return true;
}

/* ---- requests ------------------------------------------------------------ */

static void log_change(const struct server_call *sc)
{
	const Fed__AdminRequest *r = sc->call.request;
	bool has_edge = r->edge[0] != '\0';

	fed_log(log_of(sc->client->server), FED_LOG_INFO, "admin_request",
		"uid=%" PRIu32 " pid=%" PRId32 " %s%s%srequest=%s target=%s",
		sc->call.user.uid, sc->call.user.pid, has_edge ? "edge=" : "",
		log_value(span_str(r->edge)).text, has_edge ? " " : "",
		admin_request_name(r),
		log_value(span_str(admin_request_target(r))).text);
}

/* The long request is a call; its bytes are not kept beside it.
 * @return 0; FED_ENOMEM */
static int give_room_back(struct admin_client *c)
{
	struct buf rest;
	int err;

	buf_init(&rest, SERVER_SMALL_IN);
	err = buf_put_span(&rest, buf_span(&c->in));
	buf_deinit(&c->in);
	c->in = rest;
	return err;
}

/* @return 0; FED_ENOMEM */
static int begin_call(struct admin_client *c, struct server_call *sc)
{
	struct admin_server *s = c->server;

	sc->client = c;
	sc->call.user = c->user;
	DL_APPEND(c->calls, sc);
	c->call_count++;
	metrics_count(s->metrics, METRIC_admin_requests);
	if (admin_request_changes(sc->call.request))
		log_change(sc);
	if (!sc->is_long) {
		touch(c);
		return 0;
	}
	s->is_long_taken = true;
	arm(c);
	return give_room_back(c);
}

/* Of n bytes.  @return as take_request() */
static int unpack_request(struct admin_client *c, size_t n)
{
	struct server_call *sc = calloc(1, sizeof(*sc));
	Fed__AdminRequest *r;
	size_t used;
	int err;

	if (sc == NULL)
		return FED_ENOMEM;
	sc->is_long = n > LIMIT_ADMIN_SMALL_BYTES;
	arena_init(&sc->arena, sc->is_long ? LIMIT_ADMIN_REQUEST_ARENA_BYTES
					   : LIMIT_ADMIN_SMALL_ARENA_BYTES(n));
	err = admin_codec_take_request(buf_span(&c->in), &sc->arena, &r, &used);
	if (err != 0) {
		arena_deinit(&sc->arena);
		free(sc);
		return err;
	}
	buf_consume(&c->in, used);
	sc->call.request = r;
	return begin_call(c, sc);
}

/* @return 0; FED_EAGAIN no whole request, or not its turn; others: the client
 * is to go */
static int take_request(struct admin_client *c)
{
	size_t n;
	int err = admin_codec_peek(buf_span(&c->in), &n);

	if (err != 0)
		return err;
	if (n > c->server->handler.request_max)
		return FED_ELIMIT;
	if (n > LIMIT_ADMIN_SMALL_BYTES && !take_place(c))
		return FED_EAGAIN;
	if (buf_len(&c->in) - ADMIN_PREFIX_BYTES < n)
		return FED_EAGAIN;
	return unpack_request(c, n);
}

/* @return 0 or what is wrong with its bytes */
static int take_requests(struct admin_client *c)
{
	int err = 0;

	while (err == 0 && c->call_count < LIMIT_ADMIN_CALLS)
		err = take_request(c);
	if (err != 0 && err != FED_EAGAIN)
		return err;
	if (c->call_count < LIMIT_ADMIN_CALLS && c->ticket == 0)
		conn_resume(c->conn);
	else
		conn_pause(c->conn);
	return 0;
}

static void drop_as(struct admin_client *c, int err)
{
	refuse(c->server, c->conn,
	       err == FED_ENOMEM   ? "out of memory"
	       : err == FED_ELIMIT ? "the request is too long"
				   : "this is not a request");
	drop(c);
}

static void on_work(void *arg)
{
	struct admin_client *c = arg;
	int err = take_requests(c);

	if (err != 0)
		drop_as(c, err);
	else if (!answer_some(c) || (c->is_eof && c->calls == NULL &&
				     c->ticket == 0 && waiting_bytes(c) == 0))
		drop(c);
}

/* ---- clients ------------------------------------------------------------- */

/* What is left of it when it was looked through is less than a request, or
 * the connection is paused: one read more fits. */
static void on_data(struct admin_client *c, struct span bytes)
{
	int err = buf_put_span(&c->in, bytes);

	if (err == 0)
		err = take_requests(c);
	if (err != 0)
		drop_as(c, err);
	else
		loop_defer(c->server->loop, &c->work);
}

/* One that waits for its turn, and for nothing else, is not idle. */
static void on_timeout(struct admin_client *c)
{
	if (c->ticket != 0 && c->calls == NULL)
		arm(c);
	else
		drop(c);
}

static void on_event(struct conn *conn, const struct conn_event *ev, void *arg)
{
	struct admin_client *c = arg;

	(void)conn;
	switch (ev->kind) {
	case CONN_UP:
	case CONN_TLS_UP:
		return;
	case CONN_DATA:
		on_data(c, ev->data);
		return;
	case CONN_DRAINED:
		touch(c);
		break;
	case CONN_EOF:
		c->is_eof = true;
		break;
	case CONN_TIMEOUT:
		on_timeout(c);
		return;
	case CONN_ERROR:
		drop(c);
		return;
	}
	loop_defer(c->server->loop, &c->work);
}

static void on_accept(struct listener *l, struct conn *conn, void *arg)
{
	struct admin_server *s = arg;
	struct admin_client *c = NULL;

	(void)l;
	if (s->client_count >= LIMIT_ADMIN_CLIENTS)
		refuse(s, conn, "too many connections to this socket");
	else
		c = calloc(1, sizeof(*c));
	if (c == NULL) {
		conn_close(conn);
		return;
	}
	c->server = s;
	c->conn = conn;
	if (conn_peer_user(conn, &c->user) != 0)
		c->user = (struct conn_user){.uid = UINT32_MAX, .pid = 0};
	buf_init(&c->in, SERVER_SMALL_IN);
	c->work = (struct loop_deferred){.fn = on_work, .arg = c};
	DL_APPEND(s->clients, c);
	s->client_count++;
	conn_set_handler(conn, on_event, c);
	touch(c);
}

/* ---- life ---------------------------------------------------------------- */

int admin_server_new(struct admin_server **s_out, struct loop *loop,
		     const char *path, const struct admin_handler *handler,
		     struct metrics *metrics, struct errbuf *e)
{
	struct admin_server *s = calloc(1, sizeof(*s));
	int err;

	if (s == NULL)
		return FED_ENOMEM;
	s->loop = loop;
	s->handler = *handler;
	s->metrics = metrics;
	ratelimit_init(&s->warn, LIMIT_ADMIN_WARN_RATE, LIMIT_ADMIN_WARN_BURST,
		       loop_now_ms(loop));
	arena_init(&s->arena, LIMIT_ADMIN_ARENA_BYTES);
	buf_init(&s->out, LIMIT_ADMIN_RESPONSE_BYTES + ADMIN_PREFIX_BYTES);
	err = listener_new_unix(&s->listener, loop, path, on_accept, s, e);
	if (err != 0) {
		admin_server_free(s);
		return err;
	}
	*s_out = s;
	return 0;
}

void admin_server_ready(struct admin_server *s, struct admin_call *call)
{
	struct server_call *sc = (struct server_call *)call;

	sc->is_waiting = false;
	loop_defer(s->loop, &sc->client->work);
}

void admin_server_free(struct admin_server *s)
{
	if (s == NULL)
		return;
	listener_close(s->listener);
	while (s->clients != NULL)
		drop(s->clients);
	arena_deinit(&s->arena);
	buf_deinit(&s->out);
	free(s);
}
