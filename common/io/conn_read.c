/* Reading: socket -> (TLS) -> DATA, with a pause that holds at once. */
#include "io/conn_priv.h"

static bool is_handshaking(const struct conn *c)
{
	return c->tls != NULL && !tls_engine_is_up(c->tls);
}

/* May bytes be used now?  A paused owner still wants its handshake; while a
 * worker is at it, they wait. */
static bool wants_bytes(const struct conn *c)
{
	return c->state == CONN_OPEN && !c->is_eof && c->fn != NULL &&
	       c->job == NULL && (!c->is_paused || is_handshaking(c));
}

static void raise_eof(struct conn *c)
{
	if (c->is_eof)
		return;
	c->is_eof = true;
	conn_raise(c, &(struct conn_event){.kind = CONN_EOF});
}

static struct span deliver_clear(struct conn *c, struct span in)
{
	struct span piece = span_sub(in, 0, LIMIT_READ_BYTES);

	conn_raise(c, &(struct conn_event){.kind = CONN_DATA, .data = piece});
	return span_sub(in, piece.n, SIZE_MAX);
}

/* Returns what the engine said; FED_EAGAIN: all input used. */
static int step_handshake(struct conn *c)
{
	int err = tls_engine_handshake(c->tls);

	if (err == FED_EBUSY) {
		err = conn_work_ask(c);
		return err == 0 ? FED_EAGAIN : err;
	}
	loop_defer(c->loop, &c->flush); /* a flight may be in wire */
	if (err != 0)
		return err;
	loop_timer_arm(c->guard, UINT64_MAX);
	conn_raise(c, &(struct conn_event){.kind = CONN_TLS_UP});
	return 0;
}

static int step_read(struct conn *c)
{
	char *plain = loop_plain_buffer(c->loop);
	size_t n;
	/* Room for a whole record, so that nothing decrypted stays inside:
	 * a pause needs to keep ciphertext only. */
	int err = tls_engine_read(c->tls, plain, LIMIT_READ_BYTES, &n);

	if (err != 0)
		return err;
	conn_raise(c, &(struct conn_event){.kind = CONN_DATA,
					   .data = span_of(plain, n)});
	return 0;
}

static struct span deliver_tls(struct conn *c, struct span in)
{
	int err;

	tls_engine_feed(c->tls, in);
	err = is_handshaking(c) ? step_handshake(c) : step_read(c);
	in = tls_engine_left(c->tls);
	tls_engine_feed(c->tls, SPAN_NULL); /* `in` is borrowed */
	if (err == FED_ECLOSED)
		raise_eof(c);
	else if (err != 0 && err != FED_EAGAIN)
		conn_fail(c, err, tls_engine_problem(c->tls));
	return in;
}

static void hold(struct conn *c, struct span in)
{
	if (in.n > 0 && buf_put_span(&c->held, in) != 0)
		conn_fail(c, FED_ENOMEM, "out of memory");
}

/* Each round uses some of `in`; the owner may have paused, closed or attached
 * TLS in the round before. */
static void use_bytes(struct conn *c, struct span in)
{
	while (in.n > 0 && wants_bytes(c)) {
		if (c->tls != NULL)
			in = deliver_tls(c, in);
		else
			in = deliver_clear(c, in);
	}
	if (c->state == CONN_OPEN && !c->is_eof)
		hold(c, in);
}

void conn_on_work(void *arg)
{
	struct conn *c = arg;
	struct buf b = c->held;

	if (!wants_bytes(c))
		return;
	buf_init(&c->held, b.max);
	if (buf_len(&b) == 0 && is_handshaking(c))
		(void)deliver_tls(c, SPAN_NULL);
	else
		use_bytes(c, buf_span(&b));
	buf_deinit(&b);
	conn_update_reading(c);
}

/* ---- libuv --------------------------------------------------------------- */

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
	const struct conn *c = h->data;

	(void)suggested;
	*buf = uv_buf_init(loop_read_buffer(c->loop), LOOP_READ_BYTES);
}

static void on_end(struct conn *c, int status)
{
	bool is_done = c->state == CONN_LINGER;

	if (status != UV_EOF) {
		conn_fail(c, FED_EIO, uv_strerror(status));
	} else if (is_done) {
		conn_kill(c);
	} else if (c->state == CONN_OPEN && is_handshaking(c)) {
		conn_fail(c, FED_ETLS,
			  "the peer closed during the TLS handshake");
	} else {
		/* TLS without close_notify too: XML streams and frames show
		 * themselves whether they are complete. */
		raise_eof(c);
	}
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
	struct conn *c = s->data;

	if (n < 0)
		on_end(c, (int)n);
	else if (n > 0 && c->state == CONN_OPEN)
		use_bytes(c, span_of(buf->base, (size_t)n));
	conn_update_reading(c);
}

static bool wants_reading(const struct conn *c)
{
	if (c->is_eof)
		return false;
	if (c->state == CONN_CLOSING || c->state == CONN_LINGER)
		return true;
	return wants_bytes(c) && buf_len(&c->held) == 0;
}

void conn_update_reading(struct conn *c)
{
	uv_stream_t *s = (uv_stream_t *)&c->tcp;
	bool wants = wants_reading(c);

	if (c->state == CONN_DEAD || wants == c->is_reading)
		return;
	c->is_reading = wants;
	if (!wants)
		(void)uv_read_stop(s);
	else if (uv_read_start(s, on_alloc, on_read) != 0)
		conn_fail(c, FED_EIO, "cannot read from the socket");
}

void conn_pause(struct conn *c)
{
	c->is_paused = true;
	conn_update_reading(c);
}

void conn_resume(struct conn *c)
{
	if (!c->is_paused)
		return;
	c->is_paused = false;
	if (buf_len(&c->held) > 0)
		loop_defer(c->loop, &c->work); /* never from inside here */
	conn_update_reading(c);
}
