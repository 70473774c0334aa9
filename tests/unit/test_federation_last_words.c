/* What edges last said of streams. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/limits.h"
#include "fe-gateway/core/last_words.h"

static void note(struct last_words *w, size_t edge, const char *domain,
		 bool inbound, Fed__StreamEvent__What what, const char *reason,
		 uint64_t now_ms)
{
	Fed__StreamEvent ev;

	fed__stream_event__init(&ev);
	ev.what = what;
	ev.peer_domain = (char *)(uintptr_t)domain;
	ev.inbound = inbound;
	ev.reason = (char *)(uintptr_t)reason;
	last_words_note(w, edge, &ev, now_ms);
}

static void test_the_last_one_counts(void **state)
{
	const struct last_word *found;
	struct last_words *w;

	(void)state;
	assert_int_equal(last_words_new(&w), 0);
	assert_null(last_words_find(w, 0, SPAN_LIT("a.example"), false));
	note(w, 0, "a.example", false, FED__STREAM_EVENT__WHAT__FAILED, "dns",
	     5);
	note(w, 0, "a.example", true, FED__STREAM_EVENT__WHAT__OPENED, "", 6);
	note(w, 1, "a.example", false, FED__STREAM_EVENT__WHAT__OPENED, "", 7);
	found = last_words_find(w, 0, SPAN_LIT("a.example"), false);
	assert_non_null(found);
	assert_int_equal(found->what, FED__STREAM_EVENT__WHAT__FAILED);
	assert_string_equal(found->reason, "dns");
	assert_int_equal(found->at_ms, 5);
	note(w, 0, "a.example", false, FED__STREAM_EVENT__WHAT__CLOSED, "eof",
	     9);
	found = last_words_find(w, 0, SPAN_LIT("a.example"), false);
	assert_int_equal(found->what, FED__STREAM_EVENT__WHAT__CLOSED);
	assert_string_equal(found->reason, "eof");
	found = last_words_find(w, 0, SPAN_LIT("a.example"), true);
	assert_int_equal(found->what, FED__STREAM_EVENT__WHAT__OPENED);
	last_words_forget(w, 0);
	assert_null(last_words_find(w, 0, SPAN_LIT("a.example"), false));
	assert_null(last_words_find(w, 0, SPAN_LIT("a.example"), true));
	assert_non_null(last_words_find(w, 1, SPAN_LIT("a.example"), false));
	last_words_free(w);
	last_words_free(NULL);
}

static void test_the_oldest_goes(void **state)
{
	struct last_words *w;
	char name[64];

	(void)state;
	assert_int_equal(last_words_new(&w), 0);
	note(w, 0, "first.example", false, FED__STREAM_EVENT__WHAT__OPENED, "",
	     0);
	note(w, 0, "second.example", false, FED__STREAM_EVENT__WHAT__OPENED, "",
	     0);
	/* said again: it is not the oldest any more */
	note(w, 0, "first.example", false, FED__STREAM_EVENT__WHAT__CLOSED, "",
	     1);
	for (unsigned i = 0; i < LIMIT_LAST_WORDS - 1; i++) {
		(void)snprintf(name, sizeof(name), "n%u.example", i);
		note(w, 0, name, false, FED__STREAM_EVENT__WHAT__OPENED, "", 2);
	}
	assert_null(last_words_find(w, 0, SPAN_LIT("second.example"), false));
	assert_non_null(
		last_words_find(w, 0, SPAN_LIT("first.example"), false));
	last_words_free(w);
}

/* It has most of the room, and so it is its words that go. */
static void test_an_edge_invents_domains(void **state)
{
	struct last_words *w;
	char name[64];

	(void)state;
	assert_int_equal(last_words_new(&w), 0);
	note(w, 0, "first.example", false, FED__STREAM_EVENT__WHAT__OPENED, "",
	     0);
	note(w, 63, "last.example", true, FED__STREAM_EVENT__WHAT__FAILED,
	     "dns", 0);
	for (unsigned i = 0; i < 2 * LIMIT_LAST_WORDS; i++) {
		(void)snprintf(name, sizeof(name), "n%u.example", i);
		note(w, 5, name, false, FED__STREAM_EVENT__WHAT__OPENED, "", 1);
	}
	assert_non_null(
		last_words_find(w, 0, SPAN_LIT("first.example"), false));
	assert_non_null(last_words_find(w, 63, SPAN_LIT("last.example"), true));
	assert_non_null(last_words_find(w, 5, span_str(name), false));
	(void)snprintf(name, sizeof(name), "n%u.example", LIMIT_LAST_WORDS + 2);
	assert_non_null(last_words_find(w, 5, span_str(name), false));
	(void)snprintf(name, sizeof(name), "n%u.example", LIMIT_LAST_WORDS + 1);
	assert_null(last_words_find(w, 5, span_str(name), false));
	last_words_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_last_one_counts),
		cmocka_unit_test(test_the_oldest_goes),
		cmocka_unit_test(test_an_edge_invents_domains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
