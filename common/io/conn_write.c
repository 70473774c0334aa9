/*
 * Writing: out (plaintext) -> wire (clear or sealed) -> the socket, once a
 * turn.  What the socket does not take goes to libuv as one request; nothing
 * else is handed over until that is done.
 */
#include "io/conn_priv.h"

static void trim(struct buf *b)
{
	if (buf_len(b) == 0 && b->cap > CONN_BUF_KEEP)
		buf_deinit(b);
}

static void swap(struct buf *a, struct buf *b)
{
	struct buf t = *a;

	*a = *b;
	*b = t;
}

int conn_write(struct conn *c, struct span bytes)
{
	if (c->state != CONN_OPEN && c->state != CONN_CONNECTING)
		return FED_ECLOSED;
	if (c->written - c->flushed + bytes.n > LIMIT_WRITE_HARD_BYTES)
		return FED_ELIMIT;
	if (bytes.n == 0)
		return 0;
	if (buf_put_span(&c->out, bytes) != 0) {
		c->out.is_failed = false; /* what is in it is whole */
		return FED_ENOMEM;
	}
	c->written += bytes.n;
	loop_defer(c->loop, &c->flush);
	return 0;
}

uint64_t conn_written(const struct conn *c)
{
	return c->written;
}

uint64_t conn_flushed(const struct conn *c)
{
	return c->flushed;
}

bool conn_is_congested(const struct conn *c)
{
	return c->written - c->flushed > LIMIT_WRITE_SOFT_BYTES;
}

int conn_release_clear(struct conn *c)
{
	size_t n = buf_len(&c->out);

	if (n == 0)
		return 0;
	if (buf_put_span(&c->wire, buf_span(&c->out)) != 0) {
		c->wire.is_failed = false;
		return FED_ENOMEM;
	}
	c->wire_clear += n;
	buf_reset(&c->out);
	loop_defer(c->loop, &c->flush);
	return 0;
}

/* ---- towards the socket -------------------------------------------------- */

/* The plaintext behind sealed bytes counts when the last of them is gone: a
 * part of a record is worth nothing to the peer. */
static void count_sent(struct conn *c, size_t n)
{
	size_t clear = n < c->wire_clear ? n : c->wire_clear;

	c->wire_clear -= clear;
	c->flushed += clear;
	buf_consume(&c->wire, n);
	if (buf_len(&c->wire) > 0)
		return;
	/* A flight of the handshake needs more than an idle stream later. */
	if (c->tls != NULL && c->wire_sealed == 0)
		buf_deinit(&c->wire);
	c->flushed += c->wire_sealed;
	c->wire_sealed = 0;
	trim(&c->wire);
}

static void on_written(uv_write_t *req, int status)
{
	struct conn *c = req->data;

	c->is_in_flight = false;
	if (c->state == CONN_DEAD || c->state == CONN_FAILED)
		return;
	if (status < 0) {
		conn_fail(c, FED_EIO, uv_strerror(status));
		return;
	}
	buf_reset(&c->flight);
	trim(&c->flight);
	loop_defer(c->loop, &c->flush);
	if (c->flight_plain == 0)
		return;
	c->flushed += c->flight_plain;
	c->flight_plain = 0;
	conn_raise(c, &(struct conn_event){.kind = CONN_DRAINED});
}

/* libuv keeps the rest until the socket is writable again. */
static int hand_over(struct conn *c)
{
	struct span s;
	uv_buf_t b;
	int rc;

	swap(&c->wire, &c->flight);
	c->flight_plain = c->wire_clear + c->wire_sealed;
	c->wire_clear = 0;
	c->wire_sealed = 0;
	s = buf_span(&c->flight);
	b = uv_buf_init(c->flight.data + c->flight.start, (unsigned)s.n);
	c->write.data = c;
	rc = uv_write(&c->write, (uv_stream_t *)&c->tcp, &b, 1, on_written);
	c->is_in_flight = rc == 0;
	return rc;
}

/* @return 0 or libuv's error */
static int push_wire(struct conn *c)
{
	uv_buf_t b = uv_buf_init(c->wire.data + c->wire.start,
				 (unsigned)buf_len(&c->wire));
	int n = uv_try_write((uv_stream_t *)&c->tcp, &b, 1);

	if (n == UV_EAGAIN)
		n = 0;
	if (n < 0)
		return n;
	count_sent(c, (size_t)n);
	return buf_len(&c->wire) > 0 ? hand_over(c) : 0;
}

/* Fill the empty wire.  @return 0, and nothing in it: nothing to send */
static int fill_wire(struct conn *c)
{
	struct span piece;
	int err;

	if (buf_len(&c->out) == 0)
		return 0;
	if (c->tls == NULL) {
		swap(&c->out, &c->wire);
		c->wire_clear = buf_len(&c->wire);
		return 0;
	}
	if (!tls_engine_is_up(c->tls))
		return 0;
	piece = span_sub(buf_span(&c->out), 0, CONN_SEAL_BYTES);
	err = tls_engine_write(c->tls, piece);
	if (err != 0)
		return err;
	c->wire_sealed = piece.n;
	buf_consume(&c->out, piece.n);
	trim(&c->out);
	return 0;
}

/* Until all is gone or libuv has a request; false: the connection failed. */
static bool send_all(struct conn *c)
{
	while (!c->is_in_flight) {
		int err = 0;
		int rc = 0;

		if (buf_len(&c->wire) == 0)
			err = fill_wire(c);
		if (err != 0) {
			conn_fail(c, err, tls_engine_problem(c->tls));
			return false;
		}
		if (buf_len(&c->wire) == 0)
			return true;
		rc = push_wire(c);
		if (rc != 0) {
			conn_fail(c, FED_EIO, uv_strerror(rc));
			return false;
		}
	}
	return true;
}

void conn_push_last(struct conn *c)
{
	uv_buf_t b;

	if (c->state != CONN_OPEN || c->is_in_flight || conn_work_runs(c) ||
	    buf_len(&c->wire) == 0)
		return;
	b = uv_buf_init(c->wire.data + c->wire.start,
			(unsigned)buf_len(&c->wire));
	(void)uv_try_write((uv_stream_t *)&c->tcp, &b, 1); /* best effort */
}

/* ---- closing ------------------------------------------------------------- */

static void on_shut(uv_shutdown_t *req, int status)
{
	struct conn *c = req->data;

	if (status < 0 && status != UV_ECANCELED)
		conn_kill(c);
}

static void finish_close(struct conn *c)
{
	if (c->tls != NULL && !c->is_notified) {
		c->is_notified = true;
		tls_engine_close_notify(c->tls);
		if (!send_all(c) || c->is_in_flight)
			return;
	}
	if (c->is_eof || c->written == 0) { /* nothing to lose */
		conn_kill(c);
		return;
	}
	c->state = CONN_LINGER;
	c->shutdown.data = c;
	if (uv_shutdown(&c->shutdown, (uv_stream_t *)&c->tcp, on_shut) != 0)
		conn_kill(c);
}

void conn_on_flush(void *arg)
{
	struct conn *c = arg;
	uint64_t before = c->flushed;
	bool is_closing = c->state == CONN_CLOSING;

	if (c->state != CONN_OPEN && !is_closing)
		return;
	if (conn_work_runs(c))
		return; /* asked for again when that is done */
	if (!send_all(c))
		return;
	/* Who writes and closes inside DRAINED is flushed in the next round. */
	if (is_closing && !c->is_in_flight)
		finish_close(c);
	else if (c->flushed != before)
		conn_raise(c, &(struct conn_event){.kind = CONN_DRAINED});
}
