/* Many TLS handshakes at once: in workers, while the loop stays quick. */
#include "tls_pair.h"

#include "io/loop_priv.h"

enum { CROWD = 40, TICK_MS = 4, TICKS_MAX = 8192 };

#define PATIENCE_US (20u * 1000 * 1000)

struct crowd;

struct member {
	struct crowd *crowd;
	struct conn *conn;
	bool is_up;
	bool is_failed;
};

/* CROWD clients and their servers in one loop. */
struct crowd {
	struct loop *loop;
	struct listener *listener;
	struct tls_creds *creds;
	struct member clients[CROWD];
	struct member servers[CROWD];
	unsigned accepted;
	unsigned up;
	struct loop_timer *tick;
	uint64_t due_us;
	uint64_t late_us[TICKS_MAX];
	unsigned ticks;
	unsigned most_running;
};

static void start_member(struct member *m, enum tls_side side)
{
	const struct tls_params p = {.side = side, .identity = "a"};

	assert_int_equal(0, conn_start_tls(m->conn, m->crowd->creds, &p));
}

static void on_member(struct conn *c, const struct conn_event *ev, void *arg)
{
	struct member *m = arg;

	assert_ptr_equal(c, m->conn);
	if (ev->kind == CONN_UP)
		start_member(m, TLS_CLIENT);
	if (ev->kind == CONN_ERROR && !m->is_failed) {
		m->is_failed = true;
		print_message("# %s\n", ev->text);
	}
	if (ev->kind != CONN_TLS_UP)
		return;
	assert_true(conn_tls_facts(c)->is_chain_valid);
	m->is_up = true;
	m->crowd->up++;
}

static void on_arrival(struct listener *l, struct conn *c, void *arg)
{
	struct crowd *w = arg;
	struct member *m = &w->servers[w->accepted++];

	(void)l;
	m->crowd = w;
	m->conn = c;
	conn_set_handler(c, on_member, m);
	start_member(m, TLS_SERVER);
}

static uint64_t now_us(void)
{
	return uv_hrtime() / 1000;
}

/* How late is a timer, that is: how long would a stanza have waited? */
static void on_lateness(void *arg)
{
	struct crowd *w = arg;
	uint64_t now = now_us();
	unsigned running = loop_jobs(w->loop)->running;

	if (w->due_us != 0 && w->ticks < TICKS_MAX)
		w->late_us[w->ticks++] = now > w->due_us ? now - w->due_us : 0;
	if (running > w->most_running)
		w->most_running = running;
	w->due_us = now + TICK_MS * 1000;
	loop_timer_arm(w->tick, loop_now_ms(w->loop) + TICK_MS);
}

static void crowd_open(struct crowd *w)
{
	struct sockaddr_storage sa;
	struct errbuf e = {""};

	*w = (struct crowd){0};
	(void)signal(SIGPIPE, SIG_IGN);
	w->creds = creds_of((struct who){"ca.pem", "a", 0, NULL});
	assert_int_equal(0, loop_new(&w->loop, NULL));
	assert_int_equal(0, listener_new(&w->listener, w->loop, "127.0.0.1:0",
					 on_arrival, w, &e));
	assert_int_equal(
		0, host_config_sockaddr(listener_address(w->listener), &sa));
	assert_int_equal(0, loop_timer_new(&w->tick, w->loop, on_lateness, w));
	on_lateness(w);
	for (unsigned i = 0; i < CROWD; i++) {
		w->clients[i].crowd = w;
		assert_int_equal(0, conn_connect(&w->clients[i].conn, w->loop,
						 (const struct sockaddr *)&sa,
						 on_member, &w->clients[i]));
	}
}

static void crowd_close(struct crowd *w)
{
	for (unsigned i = 0; i < CROWD; i++) {
		conn_close(w->clients[i].conn);
		conn_close(w->servers[i].conn);
	}
	listener_close(w->listener);
	loop_timer_free(w->tick);
	loop_free(w->loop);
	tls_creds_unref(w->creds);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* One turn of work after the other: all handshakes end well, and between two
 * turns of the loop no time for even a few of them passes. */
static void test_loop_stays_quick(void **state)
{
	static struct crowd w;
	uint64_t began;
	uint64_t took_ms;

	(void)state;
	crowd_open(&w);
	began = now_us();
	while (w.up < 2 * CROWD && now_us() - began < PATIENCE_US)
		(void)uv_run(loop_uv(w.loop), UV_RUN_ONCE);
	took_ms = (now_us() - began) / 1000;
	assert_int_equal(2 * CROWD, w.up);
	assert_in_range(w.most_running, 1, tls_creds_step_max());
	qsort(w.late_us, w.ticks, sizeof(w.late_us[0]), compare);
	print_message("# %d handshakes in %u ms; the loop was late by p50 %u "
		      "p99 %u max %u us\n",
		      CROWD, (unsigned)took_ms,
		      (unsigned)w.late_us[w.ticks / 2],
		      (unsigned)w.late_us[w.ticks * 99 / 100],
		      (unsigned)w.late_us[w.ticks - 1]);
	assert_true(w.late_us[w.ticks * 99 / 100] < 50u * 1000);
	crowd_close(&w);
}

/* Connections go away at any moment: before their turn, in a worker, after. */
static void test_closed_at_any_moment(void **state)
{
	static struct crowd w;
	unsigned closed = 0;
	unsigned turn = 0;
	uint64_t began = now_us();

	(void)state;
	crowd_open(&w);
	while (closed < CROWD && now_us() - began < PATIENCE_US) {
		(void)uv_run(loop_uv(w.loop), UV_RUN_ONCE);
		if (w.up == 0 || ++turn % 2 != 0)
			continue;
		if (closed % 2 != 0) {
			conn_close(w.clients[closed].conn);
			w.clients[closed].conn = NULL;
		} else {
			conn_close(w.servers[closed].conn);
			w.servers[closed].conn = NULL;
		}
		closed++;
	}
	assert_int_equal(CROWD, closed);
	crowd_close(&w);
}

struct guest {
	struct conn *server;
	struct tls_creds *creds;
	unsigned up;
};

static void on_guest(struct conn *c, const struct conn_event *ev, void *arg)
{
	struct guest *g = arg;
	const struct tls_params p = {.side = TLS_CLIENT, .identity = "a"};

	if (ev->kind == CONN_UP)
		assert_int_equal(0, conn_start_tls(c, g->creds, &p));
	g->up += ev->kind == CONN_TLS_UP;
}

static void on_guest_arrival(struct listener *l, struct conn *c, void *arg)
{
	struct guest *g = arg;
	const struct tls_params p = {.side = TLS_SERVER, .identity = "a"};

	(void)l;
	g->server = c;
	conn_set_handler(c, on_guest, g);
	assert_int_equal(0, conn_start_tls(c, g->creds, &p));
}

/* A channel that begins when all the others stand in line is done before half
 * of them. */
static void test_channel_comes_first(void **state)
{
	static struct crowd w;
	struct guest g = {.creds = creds_of((struct who){
				  "ca.pem", "a", TLS_VERIFY_REQUIRED, NULL})};
	struct listener *l = NULL;
	struct conn *client = NULL;
	struct sockaddr_storage sa;
	struct errbuf e = {""};
	uint64_t began = now_us();

	(void)state;
	crowd_open(&w);
	assert_int_equal(0, listener_new(&l, w.loop, "127.0.0.1:0",
					 on_guest_arrival, &g, &e));
	assert_int_equal(0, host_config_sockaddr(listener_address(l), &sa));
	while (w.accepted < CROWD && now_us() - began < PATIENCE_US)
		(void)uv_run(loop_uv(w.loop), UV_RUN_ONCE);
	assert_int_equal(0, conn_connect(&client, w.loop,
					 (const struct sockaddr *)&sa, on_guest,
					 &g));
	while (g.up < 2 && now_us() - began < PATIENCE_US)
		(void)uv_run(loop_uv(w.loop), UV_RUN_ONCE);
	print_message("# %u ends of others were done\n", w.up);
	assert_int_equal(2, g.up);
	assert_true(w.up < CROWD);
	conn_close(client);
	conn_close(g.server);
	listener_close(l);
	crowd_close(&w);
	tls_creds_unref(g.creds);
}

static void test_loop_freed_meanwhile(void **state)
{
	static struct crowd w;
	uint64_t began;

	(void)state;
	for (unsigned stop_at = 1; stop_at < 7; stop_at += 3) {
		crowd_open(&w);
		began = now_us();
		while (w.up < stop_at && now_us() - began < PATIENCE_US)
			(void)uv_run(loop_uv(w.loop), UV_RUN_ONCE);
		assert_true(w.up >= stop_at);
		assert_true(loop_jobs(w.loop)->running > 0);
		loop_free(w.loop); /* the leak checker sees the rest */
		tls_creds_unref(w.creds);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_loop_stays_quick),
		cmocka_unit_test(test_closed_at_any_moment),
		cmocka_unit_test(test_channel_comes_first),
		cmocka_unit_test(test_loop_freed_meanwhile),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
