/* How fedctl takes command lines apart, and what it says of wrong ones. */
#include "fedctl_line.h"

static const char *const colors[] = {"red", "green", "blue", NULL};

static const struct command_arg args[] = {
	{.name = "ONE"},
	{.name = "COLOR", .count = COMMAND_MAYBE, .words = colors},
	{.name = "MORE", .count = COMMAND_LIST, .value = COMMAND_NUMBER},
	{.name = NULL},
};

static const struct command_option own[] = {
	{.name = "shade", .value = "COLOR", .words = colors},
	{.name = "depth", .value = "N", .kind = COMMAND_NUMBER},
	{.name = "also", .value = "X", .repeats = true},
	{.name = "quick"},
	{.name = NULL},
};

static const struct command painter = {
	.name = "paint", .args = args, .options = own, .example = "paint wall"};

static void check_line(const char *const *words_in,
		       const struct line_option *options_in, const char *said)
{
	const char *words[5] = {"paint"};
	struct line_option options[3];
	struct line l = {.command = &painter,
			 .words = words,
			 .word_count = 1,
			 .name_count = 1,
			 .options = options};
	struct out o;
	bool is_right;

	while (l.word_count < 5 && words_in[l.word_count - 1] != NULL) {
		words[l.word_count] = words_in[l.word_count - 1];
		l.word_count++;
	}
	while (l.option_count < 3 &&
	       options_in[l.option_count].option != NULL) {
		options[l.option_count] = options_in[l.option_count];
		l.option_count++;
	}
	is_right = line_check(&l, begin(&o));
	assert_int_equal(said[0] == '\0', is_right);
	expect(&o, said);
}

/* Checks of a line whose command has options of every kind. */
static void test_line(void **state)
{
	static const struct {
		const char *args[5];
		struct line_option options[4];
		const char *said; /* "": it is right */
	} rows[] = {
		{{"wall"}, {{NULL, NULL, NULL}}, ""},
		{{"wall", "red", "1", "2"}, {{NULL, NULL, NULL}}, ""},
		{{NULL},
		 {{NULL, NULL, NULL}},
		 "fedctl: paint: ONE is missing, as in: fedctl paint wall\n"},
		{{"wall", "rod"},
		 {{NULL, NULL, NULL}},
		 "fedctl: paint: COLOR \"rod\": red, green or blue is "
		 "expected; "
		 "did you mean \"red\"?\n"},
		{{"wall", "yellow"},
		 {{NULL, NULL, NULL}},
		 "fedctl: paint: COLOR \"yellow\": red, green or blue is "
		 "expected\n"},
		{{"wall", "red", "1", "two"},
		 {{NULL, NULL, NULL}},
		 "fedctl: paint: MORE \"two\": a number is expected\n"},
		{{"wa\xFF"},
		 {{NULL, NULL, NULL}},
		 "fedctl: paint: ONE \"wa\\xff\": UTF-8 is expected\n"},
		{{"wall"},
		 {{&own[0], "--shade", "blue"},
		  {&own[2], "--also", "a"},
		  {&own[2], "--also", "b"}},
		 ""},
		{{"wall"},
		 {{&own[0], "--shade", "blau"}},
		 "fedctl: paint: --shade \"blau\": red, green or blue is "
		 "expected; did you mean \"blue\"?\n"},
		{{"wall"},
		 {{&own[1], "--depth", "-1"}},
		 "fedctl: paint: --depth \"-1\": a number is expected\n"},
		{{"wall"},
		 {{&own[3], "--quick", NULL}, {&own[3], "--quick", NULL}},
		 "fedctl: paint: --quick is there twice\n"},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++)
		check_line(rows[i].args, rows[i].options, rows[i].said);
}

static void test_line_reading(void **state)
{
	const char *words[] = {"paint", "the wall", "red"};
	struct line_option options[] = {{&own[2], "--also", "it's"},
					{&own[1], "--depth", "7"},
					{&command_globals[2], "--json", NULL},
					{&own[2], "--also", ""},
					{&own[3], "--quick", NULL}};
	struct line l = {&painter, words, 3, 1, options, 5};
	char *text = line_text(&l);

	(void)state;
	assert_string_equal("paint 'the wall' red --also 'it'\\''s' --depth 7 "
			    "--also '' --quick",
			    text);
	free(text);
	assert_int_equal(2, line_arg_count(&l));
	assert_string_equal("red", line_arg(&l, 1));
	assert_null(line_arg(&l, 2));
	assert_string_equal("it's", line_option(&l, "also"));
	assert_string_equal("", line_option_n(&l, "also", 1));
	assert_null(line_option_n(&l, "also", 2));
	assert_int_equal(7, line_number(&l, "depth", 1));
	assert_int_equal(1, line_number(&l, "width", 1));
	assert_true(line_has(&l, "quick"));
	assert_true(line_has(&l, "json"));
	assert_false(line_has(&l, "shade"));
}

/* Options stand anywhere; what cannot be taken apart is named. */
static void test_line_split(void **state)
{
	static const struct {
		const char *typed;
		const char *words; /* joined by '|'; NULL: it is wrong */
		const char *said;
	} rows[] = {
		{"show version", "show|version", ""},
		{"--json show --socket /x version", "show|version", ""},
		{"show --socket=/x version --edge e", "show|version", ""},
		{"log -- --socket", "log|--socket", ""},
		{"log -", "log|-", ""},
		{"log --sockt x", NULL,
		 "fedctl: log: --sockt is no option; did you mean --socket?\n"},
		{"--frobnicate", NULL,
		 "fedctl: --frobnicate is no option; \"fedctl help\" lists "
		 "them\n"},
		{"show version -q", NULL,
		 "fedctl: show version: -q is no option; \"fedctl help show "
		 "version\" lists them\n"},
		{"log --socket", NULL,
		 "fedctl: --socket: a value is missing\n"},
		{"log --json=yes", NULL,
		 "fedctl: --json=yes: it takes no value\n"},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		char joined[128] = "";
		struct typed t;
		struct line l;
		struct out o;
		bool is_right;

		type(&t, rows[i].typed);
		is_right = line_split(&l, t.argc, t.argv, begin(&o));
		assert_int_equal(rows[i].words != NULL, is_right);
		for (size_t j = 0; is_right && j < l.word_count; j++)
			(void)snprintf(joined + strlen(joined),
				       sizeof(joined) - strlen(joined), "%s%s",
				       j > 0 ? "|" : "", l.words[j]);
		if (rows[i].words != NULL)
			assert_string_equal(rows[i].words, joined);
		line_deinit(&l);
		expect(&o, rows[i].said);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_line_reading),
		cmocka_unit_test(test_line_split),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
