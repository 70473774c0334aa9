/*
 * A command line: which command, its arguments, the options; checked against
 * the command's tables.
 */
#ifndef FED_FEDCTL_LINE_H
#define FED_FEDCTL_LINE_H

#include <stdint.h>
#include <stdio.h>

#include "base/span.h"

struct command;
struct command_option;

struct line_option {
	const struct command_option *option;
	const char *typed; /* "--type" as it was written */
	const char *value; /* NULL: a switch */
};

struct line {
	const struct command *command; /* NULL until line_match() */
	const char **words; /* name of the command, then its arguments */
	size_t word_count;
	size_t name_count; /* words of the name */
	struct line_option *options;
	size_t option_count;
};

/**
 * Take words and options apart; options may stand anywhere, and "--" ends
 * them.  argv is borrowed.
 *
 * @param err  told what is wrong
 * @return false: complained; line_deinit() is due all the same
 */
bool line_split(struct line *l, int argc, const char *const *argv, FILE *err);

/** Find the command and check everything against its tables.
 * @return as line_split() */
bool line_match(struct line *l, FILE *err);

/** The second half of line_match(). @return as line_split() */
bool line_check(const struct line *l, FILE *err);

void line_deinit(struct line *l);

/** The n-th argument, from 0; NULL: there are not so many. */
const char *line_arg(const struct line *l, size_t n);

size_t line_arg_count(const struct line *l);

/** Value of an option; NULL: it is not there, or a switch. */
const char *line_option(const struct line *l, const char *name);

bool line_has(const struct line *l, const char *name);

/** A number that line_match() has checked; `otherwise` where there is none. */
uint32_t line_number(const struct line *l, const char *name,
		     uint32_t otherwise);

/** The n-th value of an option that repeats, from 0; NULL: no more. */
const char *line_option_n(const struct line *l, const char *name, size_t n);

/** The line as it can be typed again, without what says only where to ask
 * and how to show: "partner add fabrikam.example --type federated".
 * @return malloc'd; NULL: no memory */
char *line_text(const struct line *l) FED_NODISCARD;

#endif
