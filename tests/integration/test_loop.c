/* The loop: end of turn, timers, an outer loop. */
#include "loopback.h"

#include <pthread.h>

struct counter {
	struct loop *loop;
	struct loop_deferred d;
	struct loop_deferred *other;
	unsigned calls;
	unsigned again;
};

static void count(void *arg)
{
	struct counter *c = arg;

	c->calls++;
	if (c->again > 0) {
		c->again--;
		loop_defer(c->loop, &c->d);
	}
	if (c->other != NULL)
		loop_undefer(c->loop, c->other);
}

static struct counter counter_of(struct loop *l)
{
	return (struct counter){.loop = l, .d = {.fn = count}};
}

static void test_defer_once_and_undefer(void **state)
{
	struct counter a, b, c;
	struct loop *l;

	(void)state;
	assert_int_equal(0, loop_new(&l, NULL));
	a = counter_of(l);
	b = counter_of(l);
	c = counter_of(l);
	a.d.arg = &a;
	b.d.arg = &b;
	c.d.arg = &c;
	loop_defer(l, &a.d);
	loop_defer(l, &a.d);
	loop_defer(l, &b.d);
	loop_defer(l, &c.d);
	loop_undefer(l, &c.d);
	a.other = &b.d; /* taken back while the round runs */
	loop_run_once(l);
	assert_int_equal(1, a.calls);
	assert_int_equal(0, b.calls);
	assert_int_equal(0, c.calls);
	loop_defer(l, &c.d);
	loop_run_once(l);
	assert_int_equal(1, c.calls);
	loop_free(l);
}

/* What asks again and again gets its calls, but not all in one turn. */
static void test_defer_is_bounded_per_turn(void **state)
{
	struct counter a;
	struct loop *l;

	(void)state;
	assert_int_equal(0, loop_new(&l, NULL));
	a = counter_of(l);
	a.d.arg = &a;
	a.again = 99;
	loop_defer(l, &a.d);
	loop_run_once(l);
	assert_in_range(a.calls, 1, 50);
	assert_int_equal(0, loop_wait_ms(l));
	for (int i = 0; i < 100; i++)
		loop_run_once(l);
	assert_int_equal(100, a.calls);
	assert_int_equal(-1, loop_wait_ms(l));
	loop_free(l);
}

static void test_outer_loop_wait(void **state)
{
	struct loop_timer *t;
	struct counter a;
	struct counter fired;
	struct loop *l;
	uint64_t before;

	(void)state;
	assert_int_equal(0, loop_new(&l, NULL));
	a = counter_of(l);
	a.d.arg = &a;
	fired = counter_of(l);
	loop_run_once(l);
	assert_int_equal(-1, loop_wait_ms(l)); /* idle costs nothing */
	loop_defer(l, &a.d);		       /* as from a SIP callback */
	assert_int_equal(0, loop_wait_ms(l));
	loop_run_once(l);
	assert_int_equal(1, a.calls);
	assert_int_equal(-1, loop_wait_ms(l));

	/* the cached time is old after the outer loop waited */
	before = loop_now_ms(l);
	uv_sleep(60);
	assert_true(loop_now_ms(l) >= before + 50);
	assert_int_equal(0, loop_timer_new(&t, l, count, &fired));
	loop_timer_arm(t, loop_now_ms(l) + 100);
	assert_in_range(loop_wait_ms(l), 90, 100);
	loop_run_once(l);
	assert_int_equal(0, fired.calls);
	uv_sleep(110);
	assert_int_equal(0, loop_wait_ms(l));
	loop_run_once(l);
	assert_int_equal(1, fired.calls);
	assert_int_equal(-1, loop_wait_ms(l));
	loop_timer_free(t);
	loop_free(l);
}

/* What starts before the first turn does not count from loop_new(). */
static void test_time_before_the_first_turn(void **state)
{
	struct loop *l;
	uint64_t before;

	(void)state;
	assert_int_equal(0, loop_new(&l, NULL));
	before = loop_now_ms(l);
	uv_sleep(60);
	assert_true(loop_now_ms(l) >= before + 50);
	loop_free(l);
}

static void stop(void *arg)
{
	loop_stop(arg);
}

static void test_run_and_stop(void **state)
{
	struct loop_timer *t;
	struct loop *l;

	(void)state;
	assert_int_equal(0, loop_new(&l, NULL));
	assert_int_equal(0, loop_timer_new(&t, l, stop, l));
	loop_timer_arm(t, loop_now_ms(l) + 5000);
	loop_timer_arm(t, loop_now_ms(l) + 20);
	loop_run(l);
	assert_true(loop_is_stopped(l));
	loop_run(l);  /* returns at once */
	loop_free(l); /* frees the timer too */
}

static void *send_often(void *arg)
{
	for (int i = 0; i < 1000; i++)
		loop_wake_send(arg);
	return NULL;
}

/* A thread beside the loop ends its wait, and calls in its turn only. */
static void test_wake_from_another_thread(void **state)
{
	struct counter woken;
	struct loop_wake *w;
	struct loop *l;
	pthread_t thread;

	(void)state;
	assert_int_equal(0, loop_new(&l, NULL));
	woken = counter_of(l);
	assert_int_equal(0, loop_wake_new(&w, l, count, &woken));
	loop_run_once(l);
	assert_int_equal(-1, loop_wait_ms(l));
	assert_int_equal(0, pthread_create(&thread, NULL, send_often, w));
	(void)uv_run(loop_uv(l), UV_RUN_ONCE); /* would wait for ever */
	assert_in_range(woken.calls, 1, 1000);
	assert_int_equal(0, pthread_join(thread, NULL));
	loop_run_once(l);
	woken.calls = 0;
	loop_wake_send(w);
	loop_wake_send(w);
	assert_int_equal(0, woken.calls);
	loop_run_once(l);
	assert_int_equal(1, woken.calls);
	loop_run_once(l);
	assert_int_equal(1, woken.calls);

	loop_wake_send(w);
	loop_wake_free(w);
	loop_run_once(l);
	assert_int_equal(1, woken.calls);
	loop_wake_free(NULL);
	assert_int_equal(0, loop_wake_new(&w, l, count, &woken));
	loop_free(l); /* frees the other one too */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defer_once_and_undefer),
		cmocka_unit_test(test_defer_is_bounded_per_turn),
		cmocka_unit_test(test_outer_loop_wait),
		cmocka_unit_test(test_time_before_the_first_turn),
		cmocka_unit_test(test_run_and_stop),
		cmocka_unit_test(test_wake_from_another_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
