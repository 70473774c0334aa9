/*
 * Text for a terminal: what peers wrote is made harmless, times are short.
 * And text for a request, which borrows it.
 */
#ifndef FED_FEDCTL_TEXT_H
#define FED_FEDCTL_TEXT_H

#include <stdint.h>
#include <stdio.h>

#include "base/span.h"

/* The terminal that long lines are broken for. */
enum { TEXT_COLUMNS = 79 };

/** Copy in which control characters, and bytes that are not UTF-8, stand as
 * \xNN: a note must not move the cursor.  @return malloc'd; NULL: no memory */
char *text_harmless(const char *s) FED_NODISCARD;

/** Print it so; lines keep their ends when `indent` is not NULL, which stands
 * before each of them then. */
void text_print(FILE *to, struct span s, const char *indent);

/** At most so many bytes of it, cut between characters. */
struct span text_cut(struct span s, size_t bytes);

/** Columns that it takes on a terminal. */
size_t text_width(const char *s);

struct text_age {
	char text[32];
};

/** "3 s", "5 min 2 s", "2 h 5 min", "3 d 4 h". */
struct text_age text_age(uint64_t ms);

struct text_time {
	char text[48];
};

/** "2026-11-26 02:10:11", its day, its time of day; local, as the operator's
 * clock has it. */
struct text_time text_time(int64_t at_ms);
struct text_time text_date(int64_t at_ms);
struct text_time text_clock(int64_t at_ms);

/**
 * Print harmless text with a line's end, broken at blanks before `columns`;
 * further lines are indented. Lines behind a line's end in the text are not
 * broken: they are to be copied.
 *
 * @param end     printed behind the first paragraph
 * @param indent  columns that are printed already
 */
void text_wrap(FILE *to, struct span s, const char *end, size_t indent,
	       size_t columns);

/** A text for a struct of protobuf-c, which has no const and borrows it: nobody
 * writes to it. */
char *text_lent(const char *s);

#endif
