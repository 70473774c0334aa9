/* How words are found in the tables of commands. */
#include "deploy/fedctl/command.h"

#include <string.h>

#include "base/slip.h"
#include "deploy/fedctl/text.h"

static const struct command_group groups[] = {
	{"what the daemons do", commands_show},
	{"presence", commands_presence},
	{"partners, with whom users may talk", commands_partner},
	{"policies, which users may talk with others", commands_policy},
	{"grants, policies of single users", commands_grant},
	{"sites, users by their place", commands_site},
	{"settings", commands_settings},
	{"the configuration as a whole", commands_configuration},
	{"what goes on with a domain", commands_why},
	{"moving from an old gateway", commands_migrate},
	{"why something goes, or does not", commands_explain},
	{"tests of the real way", commands_test},
	{NULL, NULL},
};

const struct command_option command_globals[] = {
	{.name = "socket",
	 .value = "PATH",
	 .help = "of the daemon; else $FEDCTL_SOCKET, else\n"
		 "/run/fe-gateway/admin.sock, or the edge's"},
	{.name = "edge",
	 .value = "NAME",
	 .help = "ask that edge, through the gateway"},
	{.name = "json", .help = "one document for programs, see fedctl(1)"},
	{.name = "full",
	 .help = "nothing left out: documents, users of a change,\n"
		 "long lines of the history"},
	{.name = "help", .help = "this list, or more about one command"},
	{.name = "version", .help = "print the version"},
	{.name = NULL},
};

/* ---- finding ------------------------------------------------------------- */

const struct command_group *command_groups(void)
{
	return groups;
}

const struct command *command_next(const struct command *before)
{
	const struct command_group *g = groups;

	if (before == NULL)
		return groups[0].commands;
	if (before[1].name != NULL)
		return before + 1;
	for (; g->title != NULL; g++) {
		const struct command *c = g->commands;

		while (c->name != NULL && c != before)
			c++;
		if (c == before)
			return g[1].commands;
	}
	return NULL;
}

/* How many of the words the name has, if they are its. */
static size_t match(const char *name, const char *const *words, size_t count)
{
	size_t used = 0;

	while (*name != '\0') {
		size_t n = strcspn(name, " ");

		if (used == count ||
		    !span_eq(span_of(name, n), span_str(words[used])))
			return 0;
		used++;
		name += n + (name[n] == ' ' ? 1 : 0);
	}
	return used;
}

const struct command *command_find(const char *const *words, size_t count,
				   size_t *used_out)
{
	const struct command *best = NULL;
	const struct command *c = NULL;

	*used_out = 0;
	while ((c = command_next(c)) != NULL) {
		size_t used = match(c->name, words, count);

		if (used > *used_out) {
			*used_out = used;
			best = c;
		}
	}
	return best;
}

const struct command_option *command_option_find(
	const struct command_option *options, struct span name)
{
	for (; options != NULL && options->name != NULL; options++)
		if (span_eq_str(name, options->name))
			return options;
	return NULL;
}

/* ---- complaining --------------------------------------------------------- */

static size_t words_of(const char *name)
{
	size_t n = 1;

	for (; *name != '\0'; name++)
		n += *name == ' ';
	return n;
}

/* The first words as one. */
static void join(char *out, size_t size, const char *const *words, size_t count)
{
	size_t at = 0;

	for (size_t i = 0; i < count && at < size; i++)
		at += (size_t)snprintf(out + at, size - at, "%s%s",
				       i > 0 ? " " : "", words[i]);
}

const struct command *command_near(const char *const *words, size_t count,
				   size_t least_words)
{
	const struct command *best = NULL;
	const struct command *c = NULL;
	size_t best_distance = SLIP_NEAR + 1;
	char typed[128];

	while ((c = command_next(c)) != NULL) {
		size_t in_name = words_of(c->name);
		size_t d;

		if (in_name < least_words)
			continue;
		join(typed, sizeof(typed), words,
		     count < in_name ? count : in_name);
		d = slip_distance(span_str(typed), span_str(c->name));
		if (d < best_distance) {
			best_distance = d;
			best = c;
		}
	}
	return best;
}

/* "show" alone: what may stand behind it. */
static bool list_group(FILE *to, const char *word)
{
	const struct command *c = NULL;
	size_t n = strlen(word);
	bool is_any = false;

	while ((c = command_next(c)) != NULL) {
		if (strncmp(c->name, word, n) != 0 || c->name[n] != ' ')
			continue;
		if (is_any)
			(void)fputs(", ", to);
		else
			(void)fprintf(to, "; \"%s\" goes on with ", word);
		(void)fputs(c->name + n + 1, to);
		is_any = true;
	}
	return is_any;
}

/* The first word of a command that is near to what was typed. */
static const char *near_first(const char *typed, char *out, size_t size)
{
	const struct command *c = NULL;
	size_t best = SLIP_NEAR + 1;

	while ((c = command_next(c)) != NULL) {
		struct span first = span_of(c->name, strcspn(c->name, " "));
		size_t d = slip_distance(span_str(typed), first);

		if (d < best) {
			best = d;
			(void)snprintf(out, size, "%.*s", (int)first.n,
				       first.p);
		}
	}
	return best <= SLIP_NEAR ? out : NULL;
}

void command_complain(FILE *to, const char *const *words, size_t count)
{
	const struct command *near = command_near(words, count, 1);
	char typed[128] = "";
	const char *first = NULL;
	char word[32];

	if (count > 0)
		first = near_first(words[0], word, sizeof(word));
	/* a group may be nearer than a command of one word */
	if (near != NULL && first != NULL && strchr(near->name, ' ') == NULL &&
	    strcmp(near->name, first) != 0)
		near = NULL;
	join(typed, sizeof(typed), words, count < 2 ? count : 2);
	(void)fputs("fedctl: \"", to);
	text_print(to, span_str(typed), NULL);
	if (near != NULL) {
		(void)fprintf(to, "\" is no command; did you mean \"%s",
			      near->name);
		command_synopsis(to, near);
		(void)fputs("\"?\n", to);
		return;
	}
	(void)fputs("\" is no command", to);
	if (first == NULL || !list_group(to, first))
		(void)fputs("; \"fedctl help\" lists them", to);
	(void)fputc('\n', to);
}
