/* A command line, word by word. */
#include "deploy/fedctl/line.h"

#include <stdlib.h>
#include <string.h>

#include "deploy/fedctl/command.h"
#include "deploy/fedctl/name.h"
#include "deploy/fedctl/text.h"

/* ---- complaints ---------------------------------------------------------- */

/* "fedctl: ", the command's name when it is known, a word that was typed. */
static void complain(FILE *err, const struct line *l, const char *typed)
{
	(void)fputs("fedctl: ", err);
	if (l->command != NULL)
		(void)fprintf(err, "%s: ", l->command->name);
	text_print(err, span_str(typed), NULL);
}

static void near_option(struct name_near *near,
			const struct command_option *list)
{
	for (; list != NULL && list->name != NULL; list++)
		name_near_try(near, list->name);
}

/* @param c  NULL: no command can be told yet */
static void complain_option(FILE *err, const char *typed,
			    const struct command *c)
{
	struct span name = span_str(typed);
	struct name_near near;

	while (span_starts(name, SPAN_LIT("-")))
		name = span_sub(name, 1, SIZE_MAX);
	name = span_sub(name, 0, span_find(name, '=', 0));
	name_near_init(&near, name);
	if (c != NULL)
		near_option(&near, c->options);
	near_option(&near, command_globals);
	(void)fprintf(err, "fedctl: %s%s", c != NULL ? c->name : "",
		      c != NULL ? ": " : "");
	text_print(err, span_str(typed), NULL);
	if (near.best != NULL)
		(void)fprintf(err, " is no option; did you mean --%s?\n",
			      near.best);
	else
		(void)fprintf(err,
			      " is no option; \"fedctl help%s%s\" lists them\n",
			      c != NULL ? " " : "", c != NULL ? c->name : "");
}

/* ---- taking apart -------------------------------------------------------- */

/* Any command's: whether it takes a value is the same for all of them. */
static const struct command_option *option_anywhere(struct span name)
{
	const struct command_option *o =
		command_option_find(command_globals, name);
	const struct command *c = NULL;

	while (o == NULL && (c = command_next(c)) != NULL)
		o = command_option_find(c->options, name);
	return o;
}

static const struct command_option *letter_anywhere(char letter)
{
	const struct command *c = NULL;

	while ((c = command_next(c)) != NULL)
		for (const struct command_option *o = c->options;
		     o != NULL && o->name != NULL; o++)
			if (o->letter == letter)
				return o;
	return NULL;
}

static bool is_option(const char *word)
{
	return word[0] == '-' && word[1] != '\0';
}

/* The option at argv[*at], and its value from there or from the next word. */
static bool take_option(struct line *l, int argc, const char *const *argv,
			int *at, FILE *err)
{
	const char *word = argv[*at];
	const struct command_option *o;
	const char *value = NULL;
	size_t used;

	if (word[1] == '-') {
		const char *is = strchr(word, '=');

		o = option_anywhere(
			span_sub(span_str(word), 2,
				 is == NULL ? SIZE_MAX : (size_t)(is - word)));
		value = is == NULL ? NULL : is + 1;
	} else {
		o = letter_anywhere(word[1]);
		value = o != NULL && word[2] != '\0' ? word + 2 : NULL;
	}
	if (o == NULL) {
		complain_option(err, word,
				command_find(l->words, l->word_count, &used));
		return false;
	}
	if (o->value != NULL && value == NULL) {
		if (*at + 1 == argc) {
			complain(err, l, word);
			(void)fputs(": a value is missing\n", err);
			return false;
		}
		value = argv[++*at];
	}
	if (o->value == NULL && value != NULL) {
		complain(err, l, word);
		(void)fputs(": it takes no value\n", err);
		return false;
	}
	l->options[l->option_count++] = (struct line_option){o, word, value};
	return true;
}

bool line_split(struct line *l, int argc, const char *const *argv, FILE *err)
{
	bool is_ended = false;

	*l = (struct line){.command = NULL};
	l->words = calloc((size_t)argc + 1, sizeof(*l->words));
	l->options = calloc((size_t)argc + 1, sizeof(*l->options));
	if (l->words == NULL || l->options == NULL) {
		(void)fputs("fedctl: out of memory\n", err);
		return false;
	}
	for (int i = 1; i < argc; i++) {
		if (is_ended || !is_option(argv[i]))
			l->words[l->word_count++] = argv[i];
		else if (strcmp(argv[i], "--") == 0)
			is_ended = true;
		else if (!take_option(l, argc, argv, &i, err))
			return false;
	}
	return true;
}

void line_deinit(struct line *l)
{
	free(l->words);
	free(l->options);
	*l = (struct line){.command = NULL};
}

/* ---- checking ------------------------------------------------------------ */

/* "a, b or c" */
static void print_words(FILE *err, const char *const *words)
{
	for (size_t i = 0; words[i] != NULL; i++) {
		if (i > 0)
			(void)fputs(words[i + 1] == NULL ? " or " : ", ", err);
		(void)fputs(words[i], err);
	}
}

/* @param name  of what the value is: "--type", "LEVEL" */
static bool check_value(const struct line *l, const char *name,
			const char *value, const char *const *words,
			enum command_value kind, FILE *err)
{
	struct name_near near;
	uint32_t ignored;

	if (kind == COMMAND_NUMBER) {
		if (span_to_u32(span_str(value), &ignored) == 0)
			return true;
		complain(err, l, name);
		(void)fputs(" \"", err);
		text_print(err, span_str(value), NULL);
		(void)fputs("\": a number is expected\n", err);
		return false;
	}
	if (words == NULL && span_is_utf8(span_str(value)))
		return true;
	for (size_t i = 0; words != NULL && words[i] != NULL; i++)
		if (strcmp(words[i], value) == 0)
			return true;
	complain(err, l, name);
	(void)fputs(" \"", err);
	text_print(err, span_str(value), NULL);
	(void)fputs("\": ", err);
	if (words == NULL) {
		(void)fputs("UTF-8 is expected\n", err);
		return false;
	}
	print_words(err, words);
	name_near_init(&near, span_str(value));
	for (; *words != NULL; words++)
		name_near_try(&near, *words);
	(void)fprintf(err, " is expected%s\n", name_near_hint(&near).text);
	return false;
}

static bool check_due(const struct line *l, FILE *err)
{
	for (const struct command_option *o = l->command->options;
	     o != NULL && o->name != NULL; o++)
		if (o->is_due && !line_has(l, o->name)) {
			(void)fprintf(err,
				      "fedctl: %s: --%s is missing, as in: "
				      "fedctl %s\n",
				      l->command->name, o->name,
				      l->command->example);
			return false;
		}
	return true;
}

static bool check_options(const struct line *l, FILE *err)
{
	for (size_t i = 0; i < l->option_count; i++) {
		struct line_option *x = &l->options[i];
		struct span name = span_str(x->option->name);
		const struct command_option *own =
			command_option_find(l->command->options, name);

		if (own == NULL)
			own = command_option_find(command_globals, name);
		if (own == NULL) {
			complain_option(err, x->typed, l->command);
			return false;
		}
		x->option = own;
		for (size_t j = 0; j < i && !own->repeats; j++)
			if (l->options[j].option == own) {
				complain(err, l, x->typed);
				(void)fputs(" is there twice\n", err);
				return false;
			}
		if (x->value != NULL &&
		    !check_value(l, x->typed, x->value, own->words, own->kind,
				 err))
			return false;
	}
	return true;
}

/* A command that is the begin of another one's name: it may be that. */
static bool complain_missing(const struct line *l, const char *name, FILE *err)
{
	const struct command *near =
		command_near(l->words, l->word_count, l->name_count + 1);

	(void)fprintf(err, "fedctl: %s: %s is missing, as in: fedctl %s\n",
		      l->command->name, name, l->command->example);
	if (near != NULL)
		(void)fprintf(err, "fedctl: or did you mean \"%s\"?\n",
			      near->name);
	return false;
}

static bool check_args(const struct line *l, FILE *err)
{
	const struct command_arg *a = l->command->args;
	size_t at = l->name_count;

	for (; a != NULL && a->name != NULL; a++) {
		bool repeats =
			a->count == COMMAND_SOME || a->count == COMMAND_LIST;
		bool is_due =
			a->count == COMMAND_ONE || a->count == COMMAND_SOME;

		if (at == l->word_count && is_due)
			return complain_missing(l, a->name, err);
		while (at < l->word_count) {
			if (!check_value(l, a->name, l->words[at], a->words,
					 a->value, err))
				return false;
			at++;
			if (!repeats)
				break;
		}
	}
	if (at == l->word_count)
		return true;
	(void)fprintf(err, "fedctl: %s: \"", l->command->name);
	text_print(err, span_str(l->words[at]), NULL);
	(void)fputs("\" is one word too many\n", err);
	return false;
}

bool line_check(const struct line *l, FILE *err)
{
	return check_options(l, err) && check_args(l, err) && check_due(l, err);
}

bool line_match(struct line *l, FILE *err)
{
	l->command = command_find(l->words, l->word_count, &l->name_count);
	if (l->command == NULL) {
		command_complain(err, l->words, l->word_count);
		return false;
	}
	return line_check(l, err);
}

/* ---- reading ------------------------------------------------------------- */

const char *line_arg(const struct line *l, size_t n)
{
	return n < line_arg_count(l) ? l->words[l->name_count + n] : NULL;
}

size_t line_arg_count(const struct line *l)
{
	return l->word_count - l->name_count;
}

static const struct line_option *find(const struct line *l, const char *name,
				      size_t n)
{
	for (size_t i = 0; i < l->option_count; i++)
		if (strcmp(l->options[i].option->name, name) == 0 && n-- == 0)
			return &l->options[i];
	return NULL;
}

const char *line_option_n(const struct line *l, const char *name, size_t n)
{
	const struct line_option *o = find(l, name, n);

	return o != NULL ? o->value : NULL;
}

const char *line_option(const struct line *l, const char *name)
{
	return line_option_n(l, name, 0);
}

bool line_has(const struct line *l, const char *name)
{
	return find(l, name, 0) != NULL;
}

uint32_t line_number(const struct line *l, const char *name, uint32_t otherwise)
{
	const char *value = line_option(l, name);
	uint32_t number;

	return value != NULL && span_to_u32(span_str(value), &number) == 0
		       ? number
		       : otherwise;
}

/* As a shell would take it: in quotes where it must be. */
static void put_word(FILE *to, const char *word)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789@%+=:,./_-";

	if (word[0] != '\0' && word[strspn(word, plain)] == '\0') {
		(void)fputs(word, to);
		return;
	}
	(void)fputc('\'', to);
	for (; *word != '\0'; word++)
		if (*word == '\'')
			(void)fputs("'\\''", to);
		else
			(void)fputc(*word, to);
	(void)fputc('\'', to);
}

char *line_text(const struct line *l)
{
	char *text = NULL;
	size_t n = 0;
	FILE *to = open_memstream(&text, &n);

	if (to == NULL)
		return NULL;
	for (size_t i = 0; i < l->word_count; i++) {
		if (i > 0)
			(void)fputc(' ', to);
		put_word(to, l->words[i]);
	}
	for (size_t i = 0; i < l->option_count; i++) {
		const struct line_option *o = &l->options[i];

		if (command_option_find(command_globals,
					span_str(o->option->name)) != NULL)
			continue;
		(void)fprintf(to, " --%s", o->option->name);
		if (o->value != NULL) {
			(void)fputc(' ', to);
			put_word(to, o->value);
		}
	}
	if (fclose(to) == 0)
		return text;
	free(text);
	return NULL;
}
