/* Frames: prefix, limits, splits, hostile bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "chan/chan_codec.h"

struct fixture {
	struct buf wire;
	struct arena arena;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	buf_init(&f->wire, 4 * LIMIT_FRAME_BYTES);
	arena_init(&f->arena, LIMIT_FRAME_ARENA_BYTES);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	buf_deinit(&f->wire);
	arena_deinit(&f->arena);
	free(f);
	return 0;
}

static void put_bye(struct buf *out, char *reason)
{
	Fed__Frame frame = FED__FRAME__INIT;
	Fed__Bye bye;

	fed__bye__init(&bye);
	bye.reason = reason;
	frame.ack = 7;
	frame.kind_case = FED__FRAME__KIND_BYE;
	frame.bye = &bye;
	assert_int_equal(chan_codec_put(out, &frame), 0);
}

static void prefix_is_big_endian(void **state)
{
	struct fixture *f = *state;
	Fed__Frame frame = FED__FRAME__INIT;
	/* length 2, field 2 (ack) varint 5 */
	static const char expected[] = {0, 0, 0, 2, 0x10, 5};

	frame.ack = 5;
	assert_int_equal(chan_codec_put(&f->wire, &frame), 0);
	assert_true(span_eq(buf_span(&f->wire),
			    span_of(expected, sizeof(expected))));
	assert_int_equal(chan_codec_peek(buf_span(&f->wire)), 2);
	assert_int_equal(chan_codec_size(&frame), 6);
}

static void every_split_waits_for_the_rest(void **state)
{
	struct fixture *f = *state;
	char reason[] = "maintenance";
	Fed__Frame *frame;
	size_t used;
	struct span all;

	put_bye(&f->wire, reason);
	all = buf_span(&f->wire);
	for (size_t n = 0; n < all.n; n++) {
		/* an exact copy: a read behind the end is seen by ASan */
		char *part = malloc(n + 1);

		memcpy(part, all.p, n);
		part = realloc(part, n > 0 ? n : 1);
		assert_int_equal(chan_codec_take(span_of(part, n), &f->arena,
						 &frame, &used),
				 FED_EAGAIN);
		assert_int_equal(used, 0);
		free(part);
	}
	assert_int_equal(chan_codec_take(all, &f->arena, &frame, &used), 0);
	assert_int_equal(used, all.n);
	assert_int_equal(frame->ack, 7);
	assert_string_equal(frame->bye->reason, "maintenance");
}

static void one_frame_at_a_time(void **state)
{
	struct fixture *f = *state;
	char one[] = "one";
	char two[] = "two";
	Fed__Frame *frame;
	size_t used;

	put_bye(&f->wire, one);
	put_bye(&f->wire, two);
	assert_int_equal(
		chan_codec_take(buf_span(&f->wire), &f->arena, &frame, &used),
		0);
	assert_string_equal(frame->bye->reason, "one");
	buf_consume(&f->wire, used);
	assert_int_equal(
		chan_codec_take(buf_span(&f->wire), &f->arena, &frame, &used),
		0);
	assert_string_equal(frame->bye->reason, "two");
}

static void length_over_the_limit_is_refused_at_once(void **state)
{
	struct fixture *f = *state;
	static const char huge[] = {0, 8, 0, 1};
	static const char most[] = {0, 8, 0, 0};
	Fed__Frame *frame;
	size_t used;

	assert_int_equal(
		chan_codec_take(span_of(huge, 4), &f->arena, &frame, &used),
		FED_ELIMIT);
	assert_int_equal(
		chan_codec_take(span_of(most, 4), &f->arena, &frame, &used),
		FED_EAGAIN);
}

static void garbage_is_not_a_frame(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
	} rows[] = {
		{"\0\0\0\1\xff", 5},		 /* cut tag */
		{"\0\0\0\2\x82\x01", 6},	 /* tag without value */
		{"\0\0\0\3\x82\x01\x7f", 7},	 /* length behind the end */
		{"\0\0\0\2\x2a\x05", 6},	 /* Stanza cut short */
		{"\0\0\0\4\x2a\x02\x0a\x7f", 8}, /* inside it */
		{"\0\0\0\1\x07", 5},		 /* field number 0 */
	};
	struct fixture *f = *state;
	Fed__Frame *frame;
	size_t used;

	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++)
		assert_int_equal(
			chan_codec_take(span_of(rows[i].bytes, rows[i].n),
					&f->arena, &frame, &used),
			FED_EPROTO);
}

/* 200,000 empty Texts in 400 kB would be 13 MB of objects. */
static void object_bomb_stays_in_the_arena(void **state)
{
	struct fixture *f = *state;
	enum { ITEMS = 200000 };
	Fed__Error error;
	Fed__Outcome outcome = FED__OUTCOME__INIT;
	Fed__Frame frame = FED__FRAME__INIT;
	Fed__Frame *got;
	Fed__Text text;
	Fed__Text **list = calloc(ITEMS, sizeof(*list));
	size_t used;

	fed__text__init(&text);
	for (size_t i = 0; i < ITEMS; i++)
		list[i] = &text;
	fed__error__init(&error);
	error.text = list;
	error.n_text = ITEMS;
	outcome.refused = &error;
	frame.kind_case = FED__FRAME__KIND_OUTCOME;
	frame.outcome = &outcome;
	assert_int_equal(chan_codec_put(&f->wire, &frame), 0);
	assert_int_equal(
		chan_codec_take(buf_span(&f->wire), &f->arena, &got, &used),
		FED_EPROTO);
	assert_true(f->arena.used_bytes <= LIMIT_FRAME_ARENA_BYTES);
	free(list);
}

static void too_large_is_not_written(void **state)
{
	struct fixture *f = *state;
	char *reason = calloc(1, LIMIT_FRAME_BYTES + 1);
	Fed__Frame frame = FED__FRAME__INIT;
	struct buf small;
	Fed__Bye bye;

	memset(reason, 'x', LIMIT_FRAME_BYTES);
	fed__bye__init(&bye);
	bye.reason = reason;
	frame.kind_case = FED__FRAME__KIND_BYE;
	frame.bye = &bye;
	assert_int_equal(chan_codec_put(&f->wire, &frame), FED_ELIMIT);
	assert_int_equal(buf_len(&f->wire), 0);
	reason[100] = '\0';
	buf_init(&small, 50);
	assert_int_equal(chan_codec_put(&small, &frame), FED_ELIMIT);
	assert_false(small.is_failed);
	assert_int_equal(buf_len(&small), 0);
	buf_deinit(&small);
	free(reason);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(prefix_is_big_endian),
		T(every_split_waits_for_the_rest),
		T(one_frame_at_a_time),
		T(length_over_the_limit_is_refused_at_once),
		T(garbage_is_not_a_frame),
		T(object_bomb_stays_in_the_arena),
		T(too_large_is_not_written),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
