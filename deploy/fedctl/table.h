/*
 * Columns that line up on a terminal.
 */
#ifndef FED_FEDCTL_TABLE_H
#define FED_FEDCTL_TABLE_H

#include <stdint.h>
#include <stdio.h>

#include "base/span.h"

enum { TABLE_COLUMNS = 12 };

struct table {
	const char *heads[TABLE_COLUMNS]; /* "<NAME" left, ">AGE" right */
	size_t column_count;
	char **cells; /* rows one behind the other */
	size_t cell_count;
	size_t cell_room;
	bool is_failed; /* out of memory */
};

/** Another column; '<' or '>' in front of its head says to which side its
 * cells go. */
void table_column(struct table *t, const char *head);

/** The next cell, made harmless; printf style. */
void table_cell(struct table *t, const char *fmt, ...) FED_PRINTF(2, 3);

/** Print heads and rows. */
void table_print(const struct table *t, FILE *to);

/** Free the cells. */
void table_deinit(struct table *t);

#endif
