/* The actions of a stream core: order, bound, room for the last one. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "edge-proxy/core/s2s_queue.h"

static int push(struct s2s_queue *q, int number)
{
	return s2s_queue_push(
		q, &(struct s2s_action){
			   .kind = S2S_ACT_VERDICT,
			   .u.verdict = (enum s2s_verify_result)number});
}

static void expect(struct s2s_queue *q, int number)
{
	struct s2s_action a;

	assert_true(s2s_queue_pop(q, &a));
	assert_int_equal(a.kind, S2S_ACT_VERDICT);
	assert_int_equal((int)a.u.verdict, number);
}

/* It grows and goes round: three in, two out, until it is full. */
static void test_order(void **state)
{
	struct s2s_queue q;
	int in = 0;
	int out = 0;

	(void)state;
	s2s_queue_init(&q);
	while (push(&q, in) == 0) {
		in++;
		if (in % 3 != 0)
			expect(&q, out++);
	}
	/* the places of a WRITE before it and of CLOSE are kept */
	assert_int_equal(q.count, S2S_QUEUE_MAX - 1);
	assert_int_equal(push(&q, in), FED_ELIMIT);
	while (out < in)
		expect(&q, out++);
	assert_true(s2s_queue_is_empty(&q));
	s2s_queue_deinit(&q);
}

static void test_close_is_last(void **state)
{
	const struct s2s_reason why = {.kind = S2S_END_CLOSED, .text = "bye"};
	struct s2s_queue q;
	struct s2s_action a;

	(void)state;
	s2s_queue_init(&q);
	s2s_queue_push_close(&q, &why);
	assert_false(s2s_queue_is_empty(&q));
	assert_true(s2s_queue_pop(&q, &a));
	assert_int_equal(a.kind, S2S_ACT_CLOSE);
	while (push(&q, 1) == 0)
		;
	assert_int_equal(buf_put_str(&q.out, "</stream:stream>"), 0);
	s2s_queue_push_close(&q, &why);
	while (s2s_queue_pop(&q, &a) && a.kind == S2S_ACT_VERDICT)
		;
	assert_int_equal(a.kind, S2S_ACT_CLOSE);
	assert_string_equal(a.u.reason.text, "bye");
	assert_false(s2s_queue_pop(&q, &a));
	s2s_queue_deinit(&q);
}

/* An idle stream does not keep what a busy moment needed. */
static void test_room_is_given_back(void **state)
{
	struct s2s_queue q;
	struct s2s_action a;
	size_t kept;

	(void)state;
	s2s_queue_init(&q);
	assert_int_equal(push(&q, 1), 0);
	kept = q.room;
	expect(&q, 1);
	s2s_queue_recycle(&q);
	assert_int_equal(q.room, kept);
	while (push(&q, 1) == 0)
		;
	s2s_queue_recycle(&q); /* nothing is drained yet */
	assert_true(q.room > kept);
	while (s2s_queue_pop(&q, &a))
		;
	s2s_queue_recycle(&q);
	assert_int_equal(q.room, 0);
	s2s_queue_deinit(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_close_is_last),
		cmocka_unit_test(test_room_is_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
