/*
 * What fedctl can do: tables that serve for finding a command, for checking
 * its command line, for its help, and for what it asks and shows.
 */
#ifndef FED_FEDCTL_COMMAND_H
#define FED_FEDCTL_COMMAND_H

#include "deploy/fedctl/ask.h"
#include "deploy/fedctl/line.h"
#include "deploy/fedctl/session.h"
#include "deploy/fedctl/show.h"

/* What a value must look like. */
enum command_value { COMMAND_TEXT, COMMAND_NUMBER };

enum command_count {
	COMMAND_ONE,
	COMMAND_MAYBE, /* [NAME] */
	COMMAND_SOME,  /* NAME... */
	COMMAND_LIST,  /* [NAME...] */
};

/* A word behind the command's name. */
struct command_arg {
	const char *name; /* "DOMAIN"; the last of a list has none */
	enum command_count count;
	enum command_value value;
	const char *const *words; /* the values there are, NULL ends them;
				   * NULL: any */
	const char *help;	  /* NULL: none */
};

struct command_option {
	const char *name;  /* "type"; the last of a list has none */
	char letter;	   /* 'f': -f too; 0: none */
	bool repeats;	   /* may be there more than once */
	bool is_due;	   /* must be there */
	const char *value; /* "TYPE"; NULL: a switch */
	enum command_value kind;
	const char *const *words; /* as those of an argument */
	const char *help;
};

enum command_where { COMMAND_ANY, COMMAND_GATEWAY, COMMAND_EDGE };

struct command {
	const char *name;		/* "partner add", at most three words */
	const struct command_arg *args; /* NULL: none */
	const struct command_option *options; /* of its own; NULL: none */
	const char *summary;
	const char *more;    /* its help; each line is a paragraph */
	const char *example; /* without "fedctl" */
	enum command_where where;
	/* One request: make it of the line.  @return NULL, or what is wrong
	 * with the line, in a sentence */
	const char *(*ask)(struct ask *a, const struct line *l);
	/* Its answer, for people and for --json. */
	const struct show *text;
	const struct show *json;
	/* Instead of these three, what needs several requests, files...
	 * @return the exit status */
	int (*run)(struct session *s, const struct line *l);
};

/* One folder of commands, as the help shows them. */
struct command_group {
	const char *title;
	const struct command *commands; /* the last one has no name */
};

extern const struct command commands_show[];
extern const struct command commands_presence[];
extern const struct command commands_partner[];
extern const struct command commands_policy[];
extern const struct command commands_grant[];
extern const struct command commands_site[];
extern const struct command commands_settings[];
extern const struct command commands_configuration[];
extern const struct command commands_why[];
extern const struct command commands_migrate[];
extern const struct command commands_explain[];
extern const struct command commands_test[];

/* Options that every command takes. */
extern const struct command_option command_globals[];

/** All groups in the order of the help; NULL ends them. */
const struct command_group *command_groups(void);

/** All commands in the order of the help; NULL begins, and ends. */
const struct command *command_next(const struct command *before);

/**
 * The command that the words begin with, the one with the longest name.
 *
 * @param used_out  words of its name
 * @return NULL: there is none
 */
const struct command *command_find(const char *const *words, size_t count,
				   size_t *used_out);

/** The option of that name; options NULL, and the result: there is none. */
const struct command_option *command_option_find(
	const struct command_option *options, struct span name);

/** The nearest command to words, of those whose name has at least so many
 * words; NULL: nothing is near. */
const struct command *command_near(const char *const *words, size_t count,
				   size_t least_words);

/** Words that name no command: what was meant, in a sentence. */
void command_complain(FILE *to, const char *const *words, size_t count);

/* ---- help.c -------------------------------------------------------------- */

/** "DOMAIN [OPTION...]": what stands behind the name. */
void command_synopsis(FILE *to, const struct command *c);

/** All commands, those that begin with a word, or one of them. */
void command_help(FILE *to);
bool command_help_word(FILE *to, const char *word);
void command_help_one(FILE *to, const struct command *c);

#endif
