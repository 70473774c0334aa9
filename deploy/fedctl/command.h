/*
 * What fedctl can do: one table for finding a command, for its help and for
 * what it asks and shows.
 */
#ifndef FED_FEDCTL_COMMAND_H
#define FED_FEDCTL_COMMAND_H

#include "deploy/fedctl/ask.h"
#include "deploy/fedctl/show.h"

enum command_where { COMMAND_ANY, COMMAND_GATEWAY, COMMAND_EDGE };

struct command {
	const char *name; /* "presence show" */
	const char *arg;  /* "USER"; NULL: it takes none */
	const char *summary;
	const char *more;    /* paragraphs of its help */
	const char *example; /* without "fedctl" */
	enum command_where where;
	/* Turn the argument into the request.  @return NULL, or what is wrong
	 * with the argument */
	const char *(*ask)(struct ask *a, const char *arg);
	const struct show *text;
	const struct show *json;
};

/* All of them, in the order of the help; the last one has no name. */
extern const struct command commands[];

/**
 * The command that the words begin with.
 *
 * @param used_out  words of its name
 * @return NULL: there is none
 */
const struct command *command_find(const char *const *words, size_t count,
				   size_t *used_out);

/** Words that name no command: what was meant, in a sentence. */
void command_complain(FILE *to, const char *const *words, size_t count);

/** All commands, or one of them. */
void command_help(FILE *to);
void command_help_one(FILE *to, const struct command *c);

#endif
