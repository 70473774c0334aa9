/* common/base: spans, buffers, arena, log, rate limit, errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/ratelimit.h"

/* ---- span --------------------------------------------------------------- */

static void test_span_compare(void **state)
{
	struct span abc = SPAN_LIT("abc");

	(void)state;
	assert_true(span_eq(abc, span_str("abc")));
	assert_false(span_eq(abc, SPAN_LIT("abd")));
	assert_false(span_eq(abc, SPAN_LIT("ab")));
	assert_true(span_eq(SPAN_NULL, SPAN_LIT("")));
	assert_true(span_eq_str(abc, "abc"));
	assert_true(span_eq_str(SPAN_NULL, NULL));
	assert_int_equal(span_str(NULL).n, 0);
	assert_true(span_ieq(abc, SPAN_LIT("aBC")));
	assert_false(span_ieq(abc, SPAN_LIT("abcd")));
	/* a NUL does not end it, and only ASCII letters have case */
	assert_false(span_ieq(SPAN_LIT("a\0b"), SPAN_LIT("a\0c")));
	assert_false(span_ieq(SPAN_LIT("["), SPAN_LIT("{")));
	assert_false(span_ieq(SPAN_LIT("\xC4"), SPAN_LIT("\xE4")));
	assert_true(span_starts(abc, SPAN_LIT("ab")));
	assert_true(span_starts(abc, SPAN_NULL));
	assert_false(span_starts(abc, SPAN_LIT("b")));
	assert_false(span_starts(abc, SPAN_LIT("abcd")));
	assert_true(span_ends(abc, SPAN_LIT("bc")));
	assert_true(span_ends(abc, SPAN_NULL));
	assert_false(span_ends(abc, SPAN_LIT("b")));
	assert_false(span_ends(abc, SPAN_LIT("xabc")));
}

static void test_span_search(void **state)
{
	struct span s = SPAN_LIT("a.b.c");
	char *copy;

	(void)state;
	assert_int_equal(span_find(s, '.', 0), 1);
	assert_int_equal(span_find(s, '.', 2), 3);
	assert_int_equal(span_find(s, '.', 4), SIZE_MAX);
	assert_int_equal(span_find(s, '.', 99), SIZE_MAX);
	assert_int_equal(span_find(SPAN_NULL, '.', 0), SIZE_MAX);
	assert_true(span_eq_str(span_sub(s, 2, 3), "b"));
	assert_true(span_eq_str(span_sub(s, 2, SIZE_MAX), "b.c"));
	assert_int_equal(span_sub(s, 3, 3).n, 0);
	assert_int_equal(span_sub(s, 4, 2).n, 0);
	assert_int_equal(span_sub(s, 9, 12).n, 0);
	assert_true(span_eq_str(span_trim(SPAN_LIT(" \t a b\r\n")), "a b"));
	assert_int_equal(span_trim(SPAN_LIT(" \r\n")).n, 0);
	assert_int_equal(span_trim(SPAN_NULL).n, 0);
	copy = span_dup(s);
	assert_string_equal(copy, "a.b.c");
	free(copy);
	copy = span_dup(SPAN_NULL);
	assert_string_equal(copy, "");
	free(copy);
}

static void test_span_numbers(void **state)
{
	static const struct {
		const char *in;
		int err;
		uint32_t want;
	} rows[] = {
		{"0", 0, 0},
		{"007", 0, 7},
		{"4294967295", 0, UINT32_MAX},
		{"4294967296", FED_EINVAL, 0},
		{"99999999999", FED_EINVAL, 0},
		{"", FED_EINVAL, 0},
		{"-1", FED_EINVAL, 0},
		{"+1", FED_EINVAL, 0},
		{" 1", FED_EINVAL, 0},
		{"1 ", FED_EINVAL, 0},
		{"0x1", FED_EINVAL, 0},
	};
	uint32_t v = 0;

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		assert_int_equal(span_to_u32(span_str(rows[i].in), &v),
				 rows[i].err);
		if (rows[i].err == 0)
			assert_int_equal(v, rows[i].want);
	}
}

/* RFC 3629 */
static void test_span_utf8(void **state)
{
	static const char *const good[] = {
		"",
		"a\x7f",
		"\xC2\x80",
		"\xDF\xBF",
		"\xE0\xA0\x80",
		"\xED\x9F\xBF",
		"\xEE\x80\x80",
		"\xEF\xBF\xBF",
		"\xF0\x90\x80\x80",
		"\xF4\x8F\xBF\xBF",
		"a\xC3\xBC"
		"b",
	};
	static const char *const bad[] = {
		"\x80",
		"\xBF",
		"\xC0\x80",
		"\xC1\xBF",
		"\xC2",
		"\xC2"
		"a",
		"\xE0\x9F\xBF",
		"\xE1\x80",
		"\xED\xA0\x80",
		"\xE1\x80\xC0",
		"\xF0\x8F\xBF\xBF",
		"\xF4\x90\x80\x80",
		"\xF5\x80\x80\x80",
		"\xF1\x80\x80",
		"\xF1\x80\x80"
		"a",
		"\xFF",
		"\xFE",
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(good); i++)
		if (!span_is_utf8(span_str(good[i])))
			fail_msg("good %zu", i);
	for (size_t i = 0; i < FED_ARRAY_LEN(bad); i++)
		if (span_is_utf8(span_str(bad[i])))
			fail_msg("bad %zu", i);
	assert_false(span_is_utf8(SPAN_LIT("a\0b")));
	for (size_t i = 0; i < FED_ARRAY_LEN(bad); i++) {
		char text[64] = "";

		memcpy(text, bad[i], strlen(bad[i]));
		memcpy(text + strlen(bad[i]), good[1], strlen(good[1]));
		span_make_utf8(text);
		assert_true(span_is_utf8(span_str(text)));
		assert_int_equal('?', text[strcspn(text, "?")]);
	}
}

/* ---- buf ---------------------------------------------------------------- */

static void test_buf(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 10);
	assert_int_equal(buf_len(&b), 0);
	assert_int_equal(buf_span(&b).n, 0);
	assert_string_equal(buf_cstr(&b), "");
	assert_int_equal(buf_put(&b, "abcd", 4), 0);
	assert_int_equal(buf_put_str(&b, "ef"), 0);
	assert_int_equal(buf_put_byte(&b, 'g'), 0);
	assert_int_equal(buf_printf(&b, "%d", 12), 0);
	assert_string_equal(buf_cstr(&b), "abcdefg12");
	assert_int_equal(buf_put_span(&b, SPAN_LIT("h")), 0);
	assert_int_equal(buf_put(&b, NULL, 0), 0);
	assert_int_equal(buf_len(&b), 10);
	buf_consume(&b, 3);
	assert_string_equal(buf_cstr(&b), "defg12h");
	/* what was taken makes room again */
	assert_int_equal(buf_put_str(&b, "xyz"), 0);
	assert_string_equal(buf_cstr(&b), "defg12hxyz");
	buf_consume(&b, 99);
	assert_int_equal(buf_len(&b), 0);
	buf_deinit(&b);
}

static void test_buf_limit(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4);
	assert_int_equal(buf_put_str(&b, "abcde"), FED_ELIMIT);
	assert_true(b.is_failed);
	/* sticky, and nothing was written */
	assert_int_not_equal(buf_put_str(&b, "a"), 0);
	assert_null(buf_reserve(&b, 1));
	assert_int_equal(buf_len(&b), 0);
	buf_reset(&b);
	assert_int_equal(buf_put_str(&b, "abcd"), 0);
	assert_int_equal(buf_printf(&b, "%s", "e"), FED_ELIMIT);
	assert_int_equal(buf_len(&b), 4);
	buf_reset(&b);
	assert_int_equal(buf_put(&b, "a", SIZE_MAX), FED_ELIMIT);
	buf_deinit(&b);
	assert_int_equal(buf_put_str(&b, "abcd"), 0);
	buf_deinit(&b);
}

/* Appending and taking at random steps keeps the order of the bytes. */
static void test_buf_stream(void **state)
{
	unsigned char next_in = 0;
	unsigned char next_out = 0;
	uint32_t r = 1;
	struct buf b;

	(void)state;
	buf_init(&b, 5000);
	for (int i = 0; i < 20000; i++) {
		size_t n;

		r = r * 1664525u + 1013904223u;
		n = (r >> 16) % 700;
		if ((r & 0x8000) != 0 && n <= 5000 - buf_len(&b)) {
			char *p = buf_reserve(&b, n);

			assert_non_null(p);
			for (size_t k = 0; k < n; k++)
				p[k] = (char)next_in++;
			buf_commit(&b, n);
		} else {
			struct span s = buf_span(&b);

			n = n < s.n ? n : s.n;
			for (size_t k = 0; k < n; k++)
				assert_int_equal((unsigned char)s.p[k],
						 next_out++);
			buf_consume(&b, n);
		}
		assert_true(b.cap <= 2 * 8192);
	}
	buf_deinit(&b);
}

/* ---- arena -------------------------------------------------------------- */

static void test_arena(void **state)
{
	struct arena a;
	char *p;

	(void)state;
	arena_init(&a, 20000);
	for (size_t n = 0; n < 100; n++) {
		p = arena_alloc(&a, n);
		assert_non_null(p);
		assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(p[i], 0);
		if (n > 0)
			memset(p, 0xFF, n);
	}
	assert_string_equal(arena_dup(&a, SPAN_LIT("abc")), "abc");
	assert_string_equal(arena_dup(&a, SPAN_NULL), "");
	assert_string_equal(arena_printf(&a, "%d-%s", 7, "x"), "7-x");
	assert_null(arena_alloc(&a, 20000));
	assert_null(arena_alloc(&a, SIZE_MAX));
	assert_null(arena_alloc(&a, SIZE_MAX - 8));
	arena_reset(&a);
	assert_int_equal(a.used_bytes, 0);
	/* memory that is given out again is zeroed again */
	p = arena_alloc(&a, 100);
	assert_non_null(p);
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(p[i], 0);
	arena_reset(&a);
	assert_non_null(arena_alloc(&a, 20000));
	assert_null(arena_alloc(&a, 1));
	arena_reset(&a);
	assert_non_null(arena_alloc(&a, 1));
	arena_deinit(&a);
	assert_non_null(arena_alloc(&a, 1));
	arena_deinit(&a);
}

static void test_arena_append(void **state)
{
	struct arena a;
	void **items = NULL;
	size_t count = 0;
	int values[300];
	int err = 0;

	(void)state;
	arena_init(&a, 1024 * 16);
	for (size_t i = 0; i < FED_ARRAY_LEN(values); i++)
		assert_int_equal(arena_append(&a, &items, &count, &values[i]),
				 0);
	assert_int_equal(count, 300);
	for (size_t i = 0; i < count; i++)
		assert_ptr_equal(items[i], &values[i]);
	while (err == 0)
		err = arena_append(&a, &items, &count, values);
	assert_int_equal(err, FED_ENOMEM);
	assert_ptr_equal(items[299], &values[299]);
	arena_deinit(&a);
}

/* ---- log ---------------------------------------------------------------- */

struct catcher {
	int lines;
	size_t n;
	enum fed_log_level level;
	char line[LOG_LINE_MAX];
};

static void catch_line(void *arg, enum fed_log_level level, const char *line,
		       size_t n)
{
	struct catcher *c = arg;

	c->lines++;
	c->n = n;
	c->level = level;
	assert_true(n < sizeof(c->line));
	assert_int_equal(strlen(line), n);
	memcpy(c->line, line, n + 1);
}

static void test_log(void **state)
{
	struct catcher c = {0};
	struct logger l = {FED_LOG_INFO, catch_line, &c};
	enum fed_log_level level;
	char big[3000];
	int computed = 0;

	(void)state;
	fed_log(&l, FED_LOG_WARN, "stream_up", "s2s=%d", 7);
	assert_string_equal(c.line, "event=stream_up s2s=7");
	assert_int_equal(c.level, FED_LOG_WARN);
	fed_log(&l, FED_LOG_DEBUG, "quiet", "x=%d", computed++);
	assert_int_equal(c.lines, 1);
	assert_int_equal(computed, 0);
	fed_log(NULL, FED_LOG_ERROR, "nobody", "x=1");
	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	fed_log(&l, FED_LOG_ERROR, "big", "x=%s", big);
	assert_int_equal(c.lines, 2);
	assert_int_equal(c.n, LOG_LINE_MAX - 1);
	assert_true(log_wants(&l, FED_LOG_INFO));
	assert_false(log_wants(&l, FED_LOG_DEBUG));
	assert_false(log_wants(NULL, FED_LOG_ERROR));
	for (int i = FED_LOG_ERROR; i <= FED_LOG_DEBUG; i++) {
		const char *name = log_level_name((enum fed_log_level)i);

		assert_int_equal(log_level_parse(span_str(name), &level), 0);
		assert_int_equal((int)level, i);
	}
	assert_int_equal(log_level_parse(SPAN_LIT("loud"), &level), FED_EINVAL);
	assert_string_equal(log_level_name((enum fed_log_level)9), "?");
}

static void test_log_value(void **state)
{
	char big[LOG_VALUE_MAX + 10];
	struct log_value v = log_value(SPAN_LIT("a\"\\\n\x7f\xC3\0z"));

	(void)state;
	assert_string_equal(v.text, "a\\\"\\\\\\x0a\\x7f\\xc3\\x00z");
	assert_string_equal(log_value(SPAN_NULL).text, "");
	memset(big, 'a', sizeof(big));
	v = log_value(span_of(big, LOG_VALUE_MAX));
	assert_int_equal(strlen(v.text), LOG_VALUE_MAX);
	v = log_value(span_of(big, LOG_VALUE_MAX + 1));
	assert_int_equal(strlen(v.text), LOG_VALUE_MAX + 3);
	assert_string_equal(v.text + LOG_VALUE_MAX, "...");
	memset(big, '\n', sizeof(big));
	v = log_value(span_of(big, sizeof(big)));
	assert_int_equal(strlen(v.text), LOG_VALUE_MAX + 3);
}

/* ---- ratelimit ---------------------------------------------------------- */

static int take_all(struct ratelimit *r, uint64_t now_ms)
{
	int n = 0;

	while (n < 1000 && ratelimit_take(r, now_ms))
		n++;
	return n;
}

static void test_ratelimit(void **state)
{
	struct ratelimit r;

	(void)state;
	ratelimit_init(&r, 10, 5, 1000);
	assert_int_equal(take_all(&r, 1000), 5);
	assert_int_equal(take_all(&r, 1099), 0);
	assert_int_equal(take_all(&r, 1100), 1);
	assert_int_equal(take_all(&r, 1350), 2);
	assert_int_equal(take_all(&r, 1400), 1); /* the half was kept */
	assert_int_equal(take_all(&r, 900), 0);	 /* the clock went back */
	assert_int_equal(take_all(&r, 60000), 5);
	assert_int_equal(take_all(&r, UINT64_MAX), 5);
	/* nothing comes back, however long one waits */
	ratelimit_init(&r, 0, 2, 0);
	assert_int_equal(take_all(&r, 0), 2);
	assert_int_equal(take_all(&r, UINT64_MAX), 0);
	ratelimit_init(&r, 10, 0, 0);
	assert_int_equal(take_all(&r, 100000), 0);
	/* the largest values do not overflow */
	ratelimit_init(&r, UINT32_MAX, UINT32_MAX, 0);
	r.milli = 0;
	assert_true(ratelimit_take(&r, (uint64_t)UINT32_MAX * 900));
	assert_int_equal(r.milli, (uint64_t)UINT32_MAX * 1000 - 1000);
}

/* ---- errors, counters, limits ------------------------------------------- */

static void test_errors(void **state)
{
	struct errbuf e;
	char big[2000];

	(void)state;
	assert_string_equal(fed_strerror(FED_OK), "OK");
	assert_string_equal(fed_strerror(FED_ELIMIT), "ELIMIT");
	assert_string_equal(fed_strerror(FED_ENOTFOUND), "ENOTFOUND");
	assert_string_equal(fed_strerror(FED_EBUSY), "EBUSY");
	assert_string_equal(fed_strerror(FED_EBUSY - 1), "EUNKNOWN");
	assert_string_equal(fed_strerror(1), "EUNKNOWN");
	assert_string_equal(fed_strerror(INT32_MIN), "EUNKNOWN");
	errbuf_set(&e, "line %d", 3);
	assert_string_equal(e.text, "line 3");
	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	errbuf_set(&e, "%s", big);
	assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
	memcpy(big + sizeof(e.text) - 2, "\xc3\xbc", 2);
	errbuf_set(&e, "%s", big);
	assert_string_equal("a?", e.text + sizeof(e.text) - 3);
	errbuf_set(NULL, "nobody");
}

static void test_metrics(void **state)
{
	struct metrics m = {{0}};

	(void)state;
	metrics_count(&m, METRIC_stanzas_in);
	metrics_count(&m, METRIC_stanzas_in);
	metrics_count(NULL, METRIC_stanzas_in);
	assert_int_equal(m.value[METRIC_stanzas_in], 2);
	assert_int_equal(m.value[METRIC_stanzas_out], 0);
	assert_string_equal(metrics_name(METRIC_stanzas_in), "stanzas_in");
	for (int i = 0; i < METRIC_COUNT; i++) {
		assert_int_not_equal(*metrics_name((enum metric)i), '\0');
		assert_int_not_equal(*metrics_help((enum metric)i), '\0');
	}
	assert_string_equal(metrics_name(METRIC_COUNT), "?");
	assert_string_equal(metrics_help(METRIC_COUNT), "?");
}

/* Limits that depend on each other. */
static void test_limits(void **state)
{
	(void)state;
	assert_true(LIMIT_STANZA_BYTES >= LIMIT_STANZA_BYTES_FLOOR);
	assert_true(LIMIT_FRAME_BYTES > LIMIT_STANZA_BYTES);
	assert_true(LIMIT_SIP_FINAL_MS < 32000u); /* Timer F, T1 = 500 ms */
	assert_true(LIMIT_SIP_TRYING_MS < LIMIT_SIP_FINAL_MS);
	assert_true(LIMIT_JID_BYTES == 3 * LIMIT_JID_PART_BYTES + 2);
	assert_true(LIMIT_WRITE_SOFT_BYTES < LIMIT_WRITE_HARD_BYTES);
	assert_true(LIMIT_STANZA_BYTES <= LIMIT_PAIR_QUEUE_BYTES);
	assert_true(LIMIT_SASL_TRIES >= 2 && LIMIT_SASL_TRIES <= 5);
	assert_true(LIMIT_SIP_URI_BYTES >
		    6 * LIMIT_JID_PART_BYTES + LIMIT_DOMAIN_BYTES);
	assert_true(LIMIT_SIP_URI_BYTES < LIMIT_SIP_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_span_compare),
		cmocka_unit_test(test_span_search),
		cmocka_unit_test(test_span_numbers),
		cmocka_unit_test(test_span_utf8),
		cmocka_unit_test(test_buf),
		cmocka_unit_test(test_buf_limit),
		cmocka_unit_test(test_buf_stream),
		cmocka_unit_test(test_arena),
		cmocka_unit_test(test_arena_append),
		cmocka_unit_test(test_log),
		cmocka_unit_test(test_log_value),
		cmocka_unit_test(test_ratelimit),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_metrics),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
