/* What there is, and how it is typed. */
#include <string.h>

#include "deploy/fedctl/command.h"
#include "deploy/fedctl/text.h"

/* Columns of the names, of commands and of options. */
enum { COMMAND_COLUMNS = 29, OPTION_COLUMNS = 24 };

static int print_arg(FILE *to, const struct command_arg *a)
{
	bool is_due = a->count == COMMAND_ONE || a->count == COMMAND_SOME;
	bool repeats = a->count == COMMAND_SOME || a->count == COMMAND_LIST;
	char text[64];

	(void)snprintf(text, sizeof(text), " %s%s%s%s", is_due ? "" : "[",
		       a->name, repeats ? "..." : "", is_due ? "" : "]");
	(void)fputs(text, to);
	return (int)strlen(text);
}

/* An option that must be there, in its short form. */
static int print_due(FILE *to, const struct command_option *o)
{
	char text[64];

	(void)snprintf(text, sizeof(text), " -%c %s", o->letter, o->value);
	(void)fputs(text, to);
	return (int)strlen(text);
}

static int print_args(FILE *to, const struct command *c)
{
	int width = 0;

	for (const struct command_arg *a = c->args;
	     a != NULL && a->name != NULL; a++)
		width += print_arg(to, a);
	for (const struct command_option *o = c->options;
	     o != NULL && o->name != NULL; o++)
		if (o->is_due)
			width += print_due(to, o);
	return width;
}

void command_synopsis(FILE *to, const struct command *c)
{
	(void)print_args(to, c);
	if (c->options != NULL)
		(void)fputs(" [OPTION...]", to);
}

/* "name   text", the text's further lines below the first one; a long name has
 * a line of its own. */
static void print_entry(FILE *to, int width, int columns, const char *text)
{
	if (width > columns) {
		(void)fputc('\n', to);
		width = -2;
	}
	(void)fprintf(to, "%*s", columns - width + 1, "");
	text_wrap(to, span_str(text), "", (size_t)columns + 3, TEXT_COLUMNS);
}

/* Each line of the text is a paragraph. */
static void print_paragraphs(FILE *to, const char *text)
{
	while (*text != '\0') {
		size_t n = strcspn(text, "\n");

		text_wrap(to, span_of(text, n), "", 0, TEXT_COLUMNS);
		text += n + (text[n] == '\n' ? 1 : 0);
	}
}

static void print_command(FILE *to, const struct command *c)
{
	int width = (int)strlen(c->name);

	(void)fprintf(to, "  %s", c->name);
	width += print_args(to, c);
	print_entry(to, width, COMMAND_COLUMNS, c->summary);
}

static void print_option(FILE *to, const struct command_option *o)
{
	int width = 0;

	(void)fputs("  ", to);
	if (o->letter != '\0') {
		(void)fprintf(to, "-%c, ", o->letter);
		width += 4;
	}
	(void)fprintf(to, "--%s%s%s", o->name, o->value != NULL ? " " : "",
		      o->value != NULL ? o->value : "");
	width += 2 + (int)strlen(o->name) +
		 (o->value != NULL ? 1 + (int)strlen(o->value) : 0);
	print_entry(to, width, OPTION_COLUMNS, o->help);
}

static void print_options(FILE *to, const struct command_option *o)
{
	for (; o != NULL && o->name != NULL; o++)
		print_option(to, o);
}

void command_help(FILE *to)
{
	(void)fputs("usage: fedctl COMMAND [ARGUMENT...] [OPTION...]\n", to);
	for (const struct command_group *g = command_groups(); g->title != NULL;
	     g++) {
		(void)fprintf(to, "\n%s:\n", g->title);
		for (const struct command *c = g->commands; c->name != NULL;
		     c++)
			print_command(to, c);
	}
	(void)fputs("\nhelp [COMMAND] tells more about one, with its options "
		    "and an example.\n"
		    "\n"
		    "options of all commands:\n",
		    to);
	print_options(to, command_globals);
	(void)fputs("\n"
		    "exit status: 0 done, 1 failed, 2 wrong command line, 3 no "
		    "daemon there\n",
		    to);
}

bool command_help_word(FILE *to, const char *word)
{
	const struct command *c = NULL;
	size_t n = strlen(word);
	bool is_any = false;

	while ((c = command_next(c)) != NULL)
		if (strncmp(c->name, word, n) == 0 &&
		    (c->name[n] == ' ' || c->name[n] == '\0')) {
			print_command(to, c);
			is_any = true;
		}
	return is_any;
}

static void print_words(FILE *to, const struct command *c)
{
	for (const struct command_arg *a = c->args;
	     a != NULL && a->name != NULL; a++) {
		if (a->help == NULL)
			continue;
		(void)fprintf(to, "  %s", a->name);
		print_entry(to, (int)strlen(a->name), OPTION_COLUMNS, a->help);
	}
	print_options(to, c->options);
	if (c->options != NULL || (c->args != NULL && c->args->help != NULL))
		(void)fputc('\n', to);
}

void command_help_one(FILE *to, const struct command *c)
{
	static const char *const where[] = {
		[COMMAND_ANY] = "",
		[COMMAND_GATEWAY] = "Only a gateway can do this.\n",
		[COMMAND_EDGE] = ("Only an edge knows this: its own socket, or "
				  "--edge NAME at a gateway's.\n"),
	};

	(void)fprintf(to, "fedctl %s", c->name);
	command_synopsis(to, c);
	(void)fprintf(to, ": %s\n\n", c->summary);
	print_words(to, c);
	print_paragraphs(to, c->more);
	(void)fprintf(to, "%s\nexample: fedctl %s\n", where[c->where],
		      c->example);
}
