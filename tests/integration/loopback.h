/*
 * Two ends of one connection on the loopback, with what they saw.
 */
#ifndef FED_TEST_LOOPBACK_H
#define FED_TEST_LOOPBACK_H

/* clang-format off: cmocka wants this order */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "io/conn.h"
#include "io/host_config.h"

struct end {
	struct loop *loop;
	struct conn *conn;
	unsigned seen[CONN_ERROR + 1]; /* events by kind */
	struct buf got;
	size_t largest; /* DATA */
	int err;
	char text[256];
	/* what to do inside a callback, once or always */
	void (*on_event)(struct end *e, const struct conn_event *ev);
	bool is_close_on_data;
	bool is_pause_on_data;
	bool is_echo;
};

struct pair {
	struct loop *loop;
	struct listener *listener;
	struct end client;
	struct end server;
};

static void end_event(struct conn *c, const struct conn_event *ev, void *arg)
{
	struct end *e = arg;

	assert_non_null(e->conn); /* no event after conn_close() */
	assert_ptr_equal(e->conn, c);
	e->seen[ev->kind]++;
	if (ev->kind == CONN_DATA) {
		assert_int_equal(0, buf_put_span(&e->got, ev->data));
		if (ev->data.n > e->largest)
			e->largest = ev->data.n;
		if (e->is_echo)
			assert_int_equal(0, conn_write(c, ev->data));
		if (e->is_pause_on_data)
			conn_pause(c);
	}
	if (ev->kind == CONN_ERROR) {
		e->err = ev->err;
		(void)snprintf(e->text, sizeof(e->text), "%s", ev->text);
	}
	if (e->on_event != NULL)
		e->on_event(e, ev);
	if (ev->kind == CONN_DATA && e->is_close_on_data) {
		conn_close(c);
		e->conn = NULL;
	}
}

static inline void end_close(struct end *e)
{
	conn_close(e->conn);
	e->conn = NULL;
}

static void pair_accept(struct listener *l, struct conn *c, void *arg)
{
	struct pair *p = arg;

	(void)l;
	assert_null(p->server.conn);
	p->server.conn = c;
	conn_set_handler(c, end_event, &p->server);
}

static inline void on_tick(void *arg)
{
	(void)arg;
}

/* Until `done` says so, at most ms. */
static inline bool run_until(struct pair *p, bool (*done)(struct pair *p),
			     uint64_t ms)
{
	uint64_t end = uv_hrtime() / 1000000 + ms;
	struct loop_timer *t;

	assert_int_equal(0, loop_timer_new(&t, p->loop, on_tick, NULL));
	while (!done(p) && uv_hrtime() / 1000000 < end) {
		loop_timer_arm(t, loop_now_ms(p->loop) + 10);
		(void)uv_run(loop_uv(p->loop), UV_RUN_ONCE);
	}
	loop_timer_free(t);
	return done(p);
}

static inline bool never(struct pair *p)
{
	(void)p;
	return false;
}

static inline bool is_up(struct pair *p)
{
	return p->client.seen[CONN_UP] > 0 && p->server.conn != NULL;
}

static inline void pair_open(struct pair *p)
{
	struct sockaddr_storage sa;
	struct errbuf e = {""};

	*p = (struct pair){0};
	(void)signal(SIGPIPE, SIG_IGN);
	assert_int_equal(0, loop_new(&p->loop, NULL));
	p->client.loop = p->loop;
	p->server.loop = p->loop;
	buf_init(&p->client.got, 16u * 1024 * 1024);
	buf_init(&p->server.got, 16u * 1024 * 1024);
	assert_int_equal(0, listener_new(&p->listener, p->loop, "127.0.0.1:0",
					 pair_accept, p, &e));
	assert_int_equal(
		0, host_config_sockaddr(listener_address(p->listener), &sa));
	assert_int_equal(0, conn_connect(&p->client.conn, p->loop,
					 (const struct sockaddr *)&sa,
					 end_event, &p->client));
	assert_true(run_until(p, is_up, 2000));
}

static inline void pair_close(struct pair *p)
{
	end_close(&p->client);
	end_close(&p->server);
	listener_close(p->listener);
	loop_free(p->loop);
	buf_deinit(&p->client.got);
	buf_deinit(&p->server.got);
}

/* Bytes that show a gap or a swap. */
static inline char pattern(size_t i)
{
	return (char)('a' + (i * 7 + i / 26) % 26);
}

static inline void write_pattern(struct end *e, size_t from, size_t n)
{
	char *p = malloc(n);

	assert_non_null(p);
	for (size_t i = 0; i < n; i++)
		p[i] = pattern(from + i);
	assert_int_equal(0, conn_write(e->conn, span_of(p, n)));
	free(p);
}

static inline void check_pattern(const struct buf *b, size_t n)
{
	struct span s = buf_span(b);

	assert_int_equal(n, s.n);
	for (size_t i = 0; i < n; i++)
		if (s.p[i] != pattern(i))
			fail_msg("byte %zu differs", i);
}

#endif
