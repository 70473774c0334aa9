/* What gateways hear of streams: order, merging, pace, bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "edge-proxy/core/stream_news.h"

struct rig {
	struct stream_news *n;
	struct metrics metrics;
	uint64_t now;
	char trace[4096];
};

static int set_up(void **state)
{
	struct rig *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	t->now = 5000;
	assert_int_equal(stream_news_new(&t->n, &t->metrics, t->now), 0);
	*state = t;
	return 0;
}

static int tear_down(void **state)
{
	struct rig *t = *state;

	stream_news_free(t->n);
	free(t);
	return 0;
}

/* "in" or "out", sign, domain, reason: + opened, - closed, ~ closed in order,
 * ! failed */
static void note(struct rig *t, const struct stream_news_item *item)
{
	size_t at = strlen(t->trace);
	char sign = '+';

	assert_string_equal(item->pair.local, "sip.example");
	if (item->what == FED__STREAM_EVENT__WHAT__CLOSED)
		sign = item->is_in_order ? '~' : '-';
	else if (item->what == FED__STREAM_EVENT__WHAT__FAILED)
		sign = '!';
	assert_int_equal(item->reason[0] == '\0', sign == '+');
	assert_false(sign == '!' && (item->is_inbound || item->is_in_order));
	(void)snprintf(t->trace + at, sizeof(t->trace) - at, "%s%c%s%s%s ",
		       item->is_inbound ? "in" : "out", sign, item->pair.remote,
		       sign == '+' ? "" : ":", item->reason);
}

static void expect(struct rig *t, const char *want)
{
	struct stream_news_item item;

	t->trace[0] = '\0';
	while (stream_news_next(t->n, &item, t->now))
		note(t, &item);
	assert_string_equal(t->trace, want);
}

static struct s2s_pair pair_of(const char *remote)
{
	return (struct s2s_pair){"sip.example", remote};
}

/* ---- one letter, one change of a.example --------------------------------- */

static void change(struct rig *t, char what, bool is_inbound)
{
	const struct s2s_pair pair = pair_of("a.example");
	const struct s2s_reason reasons[] = {
		{.kind = S2S_END_CLOSED, .text = "idle"},
		{.kind = S2S_END_EOF},
		{.kind = S2S_END_ERROR_GOT,
		 .condition = S2S_HOST_UNKNOWN,
		 .text = "no",
		 .place = "192.0.2.1"},
	};

	if (what == 'o')
		stream_news_opened(t->n, &pair, is_inbound);
	else if (what == 'c')
		stream_news_ended(t->n, &pair, is_inbound, &reasons[0]);
	else if (what == 'l')
		stream_news_ended(t->n, &pair, is_inbound, &reasons[1]);
	else
		stream_news_failed(t->n, &pair, &reasons[2]);
}

#define IDLE ":closed (idle) "
#define LOST ":eof "
#define NO ":error-got host-unknown (no) "

/* o opened, c closed in order, l lost, f failed; what stands before the blank
 * was told before */
static void test_merging(void **state)
{
	static const struct {
		const char *changes;
		const char *told;
	} rows[] = {
		/* the first one at once, each alone */
		{"o", "out+a.example "},
		{"o c", "out~a.example" IDLE},
		{"o l", "out-a.example" LOST},
		{"f", "out!a.example" NO},
		{"f f", "out!a.example" NO},
		{"f o", "out+a.example "},
		/* several streams of one pair are one */
		{"o o", ""},
		{"oo l", ""},
		{"oo lc", "out~a.example" IDLE},
		/* in order and back again is nothing */
		{"o co", ""},
		{"o cococo", ""},
		{"o cococ", "out~a.example" IDLE},
		/* lost and back again is told as that */
		{"o lo", "out-a.example" LOST "out+a.example "},
		{"o lolololo", "out-a.example" LOST "out+a.example "},
		{"o loco", "out-a.example" LOST "out+a.example "},
		{"o colo", "out-a.example" LOST "out+a.example "},
		{"o lol", "out-a.example" LOST "out+a.example "
			  "out-a.example" LOST},
		{"o loc", "out-a.example" LOST "out+a.example "
			  "out~a.example" IDLE},
		{"o lolcolololol", "out-a.example" LOST "out+a.example "
				   "out-a.example" LOST},
		/* the attempt that follows fails: the last words count */
		{"o lf", "out-a.example" NO},
		{"o cf", "out-a.example" NO},
		{"o lfo", "out-a.example" NO "out+a.example "},
		{"o lfff", "out-a.example" NO},
		/* from nothing: what was before the stream is past */
		{"f fo", "out+a.example "},
		{"f oc", "out+a.example out~a.example" IDLE},
		{"f ol", "out+a.example out-a.example" LOST},
		{"f olol", "out+a.example out-a.example" LOST},
		{"f ololo", "out+a.example "},
		{"f ocf", "out+a.example out-a.example" NO},
		/* an end of what was never open, a failure of what is */
		{"c", ""},
		{"o f", ""},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct rig *t = NULL;
		const char *p = rows[i].changes;

		(void)set_up((void **)&t);
		for (; strchr(p, ' ') != NULL && *p != ' '; p++)
			change(t, *p, false);
		if (*p == ' ') {
			struct stream_news_item item;

			while (stream_news_next(t->n, &item, t->now))
				;
			p++;
		}
		for (; *p != '\0'; p++)
			change(t, *p, false);
		t->now += LIMIT_STREAM_NEWS_MS;
		expect(t, rows[i].told);
		(void)tear_down((void **)&t);
	}
}

/* ---- pace ---------------------------------------------------------------- */

static void test_pace_of_a_pair(void **state)
{
	struct rig *t = *state;

	assert_int_equal(stream_news_deadline_ms(t->n), UINT64_MAX);
	change(t, 'o', false);
	assert_in_range(stream_news_deadline_ms(t->n), 0, t->now);
	expect(t, "out+a.example ");
	assert_int_equal(stream_news_deadline_ms(t->n),
			 t->now + LIMIT_STREAM_NEWS_MS);
	change(t, 'l', false);
	expect(t, "");
	t->now += LIMIT_STREAM_NEWS_MS - 1;
	expect(t, "");
	t->now++;
	expect(t, "out-a.example" LOST);
	/* the other direction is on its own */
	change(t, 'o', false);
	change(t, 'o', true);
	expect(t, "in+a.example ");
	t->now += LIMIT_STREAM_NEWS_MS;
	expect(t, "out+a.example ");
	/* quiet again: at once again */
	t->now += LIMIT_STREAM_NEWS_MS;
	expect(t, "");
	assert_int_equal(stream_news_deadline_ms(t->n), UINT64_MAX);
	change(t, 'c', true);
	expect(t, "in~a.example" IDLE);
	assert_int_equal(stream_news_pairs(t->n), 2);
}

static void test_what_is_over_is_forgotten(void **state)
{
	struct rig *t = *state;

	change(t, 'f', false);
	expect(t, "out!a.example" NO);
	assert_int_equal(stream_news_pairs(t->n), 1);
	t->now += LIMIT_STREAM_NEWS_MS;
	expect(t, "");
	assert_int_equal(stream_news_pairs(t->n), 0);
	assert_int_equal(stream_news_deadline_ms(t->n), UINT64_MAX);
	/* it is the end of our own attempts, not the peer's word */
	stream_news_failed(t->n, &(struct s2s_pair){"sip.example", "b.example"},
			   &(struct s2s_reason){.kind = S2S_END_SHUTDOWN});
	expect(t, "");
	assert_int_equal(stream_news_pairs(t->n), 0);
}

static size_t told_now(struct rig *t)
{
	struct stream_news_item item;
	size_t count = 0;

	while (stream_news_next(t->n, &item, t->now))
		count++;
	return count;
}

static void open_many(struct rig *t, size_t count, bool is_inbound)
{
	char remote[32];

	for (size_t i = 0; i < count; i++) {
		const struct s2s_pair pair = {"sip.example", remote};

		(void)snprintf(remote, sizeof(remote), "d%zu.example", i);
		stream_news_opened(t->n, &pair, is_inbound);
	}
}

/* All pairs together: a burst, then so many a second; none is lost. */
static void test_pace_of_all(void **state)
{
	struct rig *t = *state;
	size_t many = LIMIT_STREAM_NEWS_BURST + 2 * LIMIT_STREAM_NEWS_RATE;
	size_t told;

	open_many(t, many, true);
	told = told_now(t);
	assert_int_equal(told, LIMIT_STREAM_NEWS_BURST);
	for (unsigned i = 0; i < 2 * LIMIT_STREAM_NEWS_RATE; i++) {
		assert_in_range(stream_news_deadline_ms(t->n), t->now + 1,
				t->now + 1000 / LIMIT_STREAM_NEWS_RATE);
		t->now = stream_news_deadline_ms(t->n);
		told += told_now(t);
	}
	assert_in_range(t->now, 5000 + 1990, 5000 + 2010);
	assert_int_equal(told, many);
}

/* ---- bounds -------------------------------------------------------------- */

static void test_strangers_do_not_hide_our_own(void **state)
{
	struct rig *t = *state;

	open_many(t, LIMIT_STREAM_NEWS_PAIRS + 1, true);
	assert_int_equal(stream_news_pairs(t->n), LIMIT_STREAM_NEWS_PAIRS);
	assert_int_equal(t->metrics.value[METRIC_stream_news_lost], 1);
	change(t, 'o', false);
	assert_int_equal(stream_news_pairs(t->n), LIMIT_STREAM_NEWS_PAIRS + 1);
	/* one that is not known ends: nothing */
	change(t, 'l', true);
	assert_int_equal(t->metrics.value[METRIC_stream_news_lost], 1);
}

static void test_hostile_texts(void **state)
{
	struct s2s_reason r = {.kind = S2S_END_ERROR_GOT,
			       .condition = S2S_UNDEFINED_CONDITION};
	char domain[2 * LIMIT_DOMAIN_BYTES + 2];
	struct rig *t = *state;
	struct stream_news_item item;
	const struct s2s_pair pair = pair_of("a.example");
	const struct s2s_pair too_long = {"sip.example", domain};

	memset(r.text, 0xc3, sizeof(r.text) - 1);
	stream_news_failed(t->n, &pair, &r);
	assert_true(stream_news_next(t->n, &item, t->now));
	for (const char *p = item.reason; *p != '\0'; p++)
		assert_in_range(*p, 0x20, 0x7e);
	assert_true(strlen(item.reason) < 256);
	/* no such domain comes from the cores */
	memset(domain, 'a', sizeof(domain) - 1);
	domain[sizeof(domain) - 1] = '\0';
	stream_news_opened(t->n, &too_long, true);
	stream_news_ended(t->n, &too_long, true, &r);
	expect(t, "");
}

static void test_in_order(void **state)
{
	static const struct {
		struct s2s_reason r;
		bool is_in_order;
	} rows[] = {
		{{.kind = S2S_END_CLOSED}, true},
		{{.kind = S2S_END_CLOSED, .condition = S2S_RESET}, true},
		{{.kind = S2S_END_SHUTDOWN}, true},
		{{.kind = S2S_END_NONE}, true},
		{{.kind = S2S_END_ERROR_GOT, .condition = S2S_RESET}, true},
		{{.kind = S2S_END_ERROR_GOT, .condition = S2S_CONFLICT}, true},
		{{.kind = S2S_END_ERROR_GOT,
		  .condition = S2S_CONNECTION_TIMEOUT},
		 true},
		{{.kind = S2S_END_ERROR_GOT, .condition = S2S_SYSTEM_SHUTDOWN},
		 false},
		{{.kind = S2S_END_ERROR_GOT, .condition = S2S_HOST_GONE},
		 false},
		{{.kind = S2S_END_ERROR_SENT, .condition = S2S_RESET}, false},
		{{.kind = S2S_END_DNS}, false},
		{{.kind = S2S_END_CONNECT}, false},
		{{.kind = S2S_END_TLS}, false},
		{{.kind = S2S_END_CERT}, false},
		{{.kind = S2S_END_AUTH}, false},
		{{.kind = S2S_END_POLICY}, false},
		{{.kind = S2S_END_TIMEOUT}, false},
		{{.kind = S2S_END_EOF}, false},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++)
		if (s2s_reason_is_in_order(&rows[i].r) != rows[i].is_in_order)
			fail_msg("row %zu", i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_merging),
		cmocka_unit_test_setup_teardown(test_pace_of_a_pair, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_what_is_over_is_forgotten,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_pace_of_all, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(
			test_strangers_do_not_hide_our_own, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_hostile_texts, set_up,
						tear_down),
		cmocka_unit_test(test_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
