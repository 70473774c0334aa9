/* What is remembered of attempts, and for how long. */
#include "attempts_harness.h"

/* ---- steps --------------------------------------------------------------- */

static void test_steps(void **state)
{
	struct attempts *a = *state;
	uint64_t n = begin(a, false, "peer.example", true, NOW);
	const struct attempt *at;

	attempts_note(a, n, NOW + 30, ATTEMPT_INFO, "dns", "%s", "found");
	attempts_note_since(a, n, NOW + 90, NOW + 40, ATTEMPT_WARN, "tcp",
			    "refused");
	attempts_note(a, n, NOW + 100, ATTEMPT_GOOD, "tls", "up");
	at = attempts_find(a, n);
	assert_int_equal(3, at->step_count);
	assert_int_equal(30, at->steps[0].took_ms);
	assert_int_equal(50, at->steps[1].took_ms);
	assert_int_equal(10, at->steps[2].took_ms);
	assert_int_equal(WALL + 90, attempt_wall_ms(at, at->steps[1].at_ms));
	assert_int_equal(WALL + 7, attempts_wall_ms(a, n, NOW + 7));
	assert_string_equal("found", at->steps[0].text);
	attempts_ended(a, n, NOW + 200, false, "over");
	assert_null(attempts_find(a, n));
	/* its number means nothing any more */
	attempts_note(a, n, NOW + 300, ATTEMPT_BAD, "late", "x");
	attempts_opened(a, n, NOW + 300, "EXTERNAL");
	attempts_ended(a, n, NOW + 300, true, "again");
	assert_int_equal(1, attempts_of(a, "peer.example",
					(const struct attempt *[8]){0}));
}

static void test_nobody_records(void **state)
{
	const struct attempt_params p = {.local = "", .domain = "x.example"};

	(void)state;
	assert_int_equal(0, attempts_begin(NULL, &p, NOW));
	attempts_name(NULL, 0, "x.example", true);
	attempts_note(NULL, 0, NOW, ATTEMPT_BAD, "x", "y");
	attempts_opened(NULL, 0, NOW, "EXTERNAL");
	attempts_ended(NULL, 0, NOW, true, "");
	assert_null(attempts_find(NULL, 1));
	assert_int_equal(0, attempts_wall_ms(NULL, 1, NOW));
	attempts_free(NULL);
}

/* LIMIT: steps, texts */
static void test_step_bounds(void **state)
{
	struct attempts *a = *state;
	uint64_t n = begin(a, false, "peer.example", true, NOW);
	const struct attempt *list[ATTEMPTS_OF_DOMAIN];
	char big[2 * LIMIT_ATTEMPT_TEXT];

	for (unsigned i = 0; i < 3 * LIMIT_ATTEMPT_STEPS; i++)
		attempts_note(a, n, NOW, ATTEMPT_INFO, "step", "%u", i);
	attempts_note(a, n, NOW, ATTEMPT_BAD, "wrong", "so has what is wrong");
	attempts_ended(a, n, NOW, false, "the end has a place");
	(void)attempts_of(a, "peer.example", list);
	assert_int_equal(LIMIT_ATTEMPT_STEPS, list[0]->step_count);
	assert_int_equal(2 * LIMIT_ATTEMPT_STEPS + 2, list[0]->left_out);
	assert_string_equal("so has what is wrong",
			    list[0]->steps[LIMIT_ATTEMPT_STEPS - 2].text);
	assert_string_equal("the end has a place",
			    list[0]->steps[LIMIT_ATTEMPT_STEPS - 1].text);
	memset(big, 'x', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	n = begin(a, false, "peer.example", true, NOW);
	for (unsigned i = 0; i < LIMIT_ATTEMPT_STEPS; i++)
		attempts_note(a, n, NOW, ATTEMPT_INFO, "step", "%s", big);
	assert_int_equal(LIMIT_ATTEMPT_TEXT - 1,
			 strlen(attempts_find(a, n)->steps[0].text));
	/* what went wrong, and the end, have room however much there was */
	for (unsigned i = 0; i < 2; i++)
		attempts_note(a, n, NOW, ATTEMPT_BAD, "wrong", "%s", big);
	attempts_ended(a, n, NOW, false, big);
	(void)attempts_of(a, "peer.example", list);
	assert_true(list[0]->bytes <= LIMIT_ATTEMPT_BYTES);
	assert_true(list[0]->step_count < LIMIT_ATTEMPT_STEPS);
	assert_string_equal("end",
			    list[0]->steps[list[0]->step_count - 1].what);
	assert_string_equal("wrong",
			    list[0]->steps[list[0]->step_count - 2].what);
	assert_string_equal("step",
			    list[0]->steps[list[0]->step_count - 3].what);
	assert_int_equal(LIMIT_ATTEMPT_STEPS + 3,
			 list[0]->step_count + list[0]->left_out);
}

/* Cut in the middle of a character, or never text. */
static void test_text_is_utf8(void **state)
{
	static const struct {
		const char *in;
		const char *out;
	} rows[] = {
		{"plain", "plain"},
		{"b\xc3\xbc"
		 "cher",
		 "b\xc3\xbc"
		 "cher"},
		{"b\xc3", "b?"},
		{"\xff\xfe", "??"},
		{"\xe2\x82", "??"},
		{"\xe2\x82\xac!", "\xe2\x82\xac!"},
		{"\xed\xa0\x80", "???"},
		{"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
		{"", ""},
	};
	struct attempts *a = *state;

	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		uint64_t n = begin(a, false, "peer.example", true, NOW);

		attempts_note(a, n, NOW, ATTEMPT_INFO, "x", "%s", rows[i].in);
		assert_string_equal(rows[i].out,
				    attempts_find(a, n)->steps[0].text);
	}
}

/* ---- of a domain --------------------------------------------------------- */

static void test_newest_first(void **state)
{
	struct attempts *a = *state;
	const struct attempt *list[ATTEMPTS_OF_DOMAIN];
	uint64_t number[6];

	for (unsigned i = 0; i < 6; i++) {
		number[i] = begin(a, i % 2 != 0, "peer.example", true, NOW + i);
		attempts_ended(a, number[i], NOW + i, false, "x");
	}
	assert_int_equal(6, attempts_of(a, "peer.example", list));
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(number[5 - i], list[i]->number);
	assert_int_equal(0, attempts_of(a, "other.example", list));
}

/* LIMIT: four in each direction; an open stream is not forgotten for the sake
 * of those that failed after it. */
static void test_last_four(void **state)
{
	struct attempts *a = *state;
	const struct attempt *list[ATTEMPTS_OF_DOMAIN];
	uint64_t open = begin(a, false, "peer.example", true, NOW);
	uint64_t n = 0;

	attempts_opened(a, open, NOW, "EXTERNAL");
	for (unsigned i = 0; i < 10; i++) {
		n = begin(a, false, "peer.example", true, NOW);
		attempts_ended(a, n, NOW, false, "x");
	}
	assert_int_equal(LIMIT_ATTEMPTS, attempts_of(a, "peer.example", list));
	assert_int_equal(n, list[0]->number);
	assert_int_equal(open, list[LIMIT_ATTEMPTS - 1]->number);
	/* where all are open the oldest goes, and goes on unseen */
	for (unsigned i = 0; i < LIMIT_ATTEMPTS; i++) {
		n = begin(a, false, "peer.example", true, NOW);
		attempts_opened(a, n, NOW, "EXTERNAL");
	}
	assert_int_equal(LIMIT_ATTEMPTS, attempts_of(a, "peer.example", list));
	assert_true(list[LIMIT_ATTEMPTS - 1]->number > open);
	assert_non_null(attempts_find(a, open));
	attempts_ended(a, open, NOW, true, "unseen");
	assert_null(attempts_find(a, open));
}

/* Anybody can say that he is the domain: the last stream that was proven to be
 * its stays, the ones before it do not. */
static void test_proven_stays(void **state)
{
	struct attempts *a = *state;
	const struct attempt *list[ATTEMPTS_OF_DOMAIN];
	uint64_t proven = 0;
	uint64_t n = 0;

	for (unsigned i = 0; i < 2; i++) {
		proven = begin(a, true, "peer.example", true, NOW);
		attempts_opened(a, proven, NOW, "EXTERNAL");
		attempts_ended(a, proven, NOW, true, "idle");
	}
	for (unsigned i = 0; i < 10; i++) {
		n = begin(a, true, "peer.example", true, NOW);
		attempts_ended(a, n, NOW, false, "x");
	}
	assert_int_equal(LIMIT_ATTEMPTS, attempts_of(a, "peer.example", list));
	assert_int_equal(n, list[0]->number);
	assert_int_equal(n - 1, list[1]->number);
	assert_int_equal(proven, list[LIMIT_ATTEMPTS - 1]->number);
}

static void test_named_later(void **state)
{
	struct attempts *a = *state;
	uint64_t n = begin(a, true, "", false, NOW);
	const struct attempt *list[ATTEMPTS_OF_DOMAIN];

	attempts_note(a, n, NOW, ATTEMPT_INFO, "tcp", "connection");
	assert_int_equal(0, attempts_domains(a));
	attempts_name(a, n, "", false);
	attempts_name(a, n, "first.example", false);
	attempts_name(a, n, "second.example", false);
	assert_int_equal(1, attempts_domains(a));
	assert_int_equal(1, attempts_of(a, "first.example", list));
	assert_int_equal(1, list[0]->step_count);
	/* who never says who he is leaves nothing */
	n = begin(a, true, "", false, NOW);
	attempts_ended(a, n, NOW, false, "x");
	assert_int_equal(1, attempts_domains(a));
}

/* ---- domains ------------------------------------------------------------- */

static void one(struct attempts *a, const char *prefix, unsigned i,
		bool is_partner)
{
	char domain[64];
	uint64_t n;

	(void)snprintf(domain, sizeof(domain), "%s%u.example", prefix, i);
	n = begin(a, true, domain, is_partner, NOW);
	attempts_ended(a, n, NOW, false, "x");
}

static size_t remembered(struct attempts *a, const char *prefix, unsigned from,
			 unsigned to)
{
	const struct attempt *list[ATTEMPTS_OF_DOMAIN];
	char domain[64];
	size_t n = 0;

	for (unsigned i = from; i < to; i++) {
		(void)snprintf(domain, sizeof(domain), "%s%u.example", prefix,
			       i);
		n += attempts_of(a, domain, list) > 0;
	}
	return n;
}

/* LIMIT: strangers under many names push out each other. */
static void test_strangers_flush_no_partner(void **state)
{
	struct attempts *a = *state;
	const unsigned partners =
		LIMIT_ATTEMPT_DOMAINS - LIMIT_ATTEMPT_STRANGERS;

	for (unsigned i = 0; i < partners; i++)
		one(a, "p", i, true);
	for (unsigned i = 0; i < 5 * LIMIT_ATTEMPT_DOMAINS; i++)
		one(a, "s", i, false);
	assert_int_equal(LIMIT_ATTEMPT_DOMAINS, attempts_domains(a));
	assert_int_equal(partners, remembered(a, "p", 0, partners));
	/* nor do partners push out all strangers */
	for (unsigned i = partners; i < 3 * LIMIT_ATTEMPT_DOMAINS; i++)
		one(a, "p", i, true);
	assert_int_equal(LIMIT_ATTEMPT_DOMAINS, attempts_domains(a));
	assert_int_equal(LIMIT_ATTEMPT_STRANGERS,
			 remembered(a, "s", 0, 5 * LIMIT_ATTEMPT_DOMAINS));
}

/* Room that nobody else wants is for anybody. */
static void test_strangers_alone(void **state)
{
	struct attempts *a = *state;

	for (unsigned i = 0; i < LIMIT_ATTEMPT_DOMAINS; i++)
		one(a, "s", i, false);
	assert_int_equal(LIMIT_ATTEMPT_DOMAINS,
			 remembered(a, "s", 0, LIMIT_ATTEMPT_DOMAINS));
	one(a, "p", 0, true);
	/* the one that was used last is kept the longest */
	assert_int_equal(0, remembered(a, "s", 0, 1));
	assert_int_equal(1, remembered(a, "s", 1, 2));
	one(a, "s", 1, false);
	one(a, "p", 1, true);
	assert_int_equal(1, remembered(a, "s", 1, 2));
	assert_int_equal(0, remembered(a, "s", 2, 3));
}

/* A stranger becomes a partner, and the reverse. */
static void test_changes_side(void **state)
{
	struct attempts *a = *state;

	one(a, "x", 0, false);
	one(a, "x", 0, true);
	for (unsigned i = 0; i < 2 * LIMIT_ATTEMPT_DOMAINS; i++)
		one(a, "s", i, false);
	assert_int_equal(1, remembered(a, "x", 0, 1));
	one(a, "x", 0, false);
	for (unsigned i = 0; i < LIMIT_ATTEMPT_DOMAINS; i++)
		one(a, "s", i, false);
	assert_int_equal(0, remembered(a, "x", 0, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_steps),
		T(test_nobody_records),
		T(test_step_bounds),
		T(test_text_is_utf8),
		T(test_newest_first),
		T(test_last_four),
		T(test_proven_stays),
		T(test_named_later),
		T(test_strangers_flush_no_partner),
		T(test_strangers_alone),
		T(test_changes_side),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
