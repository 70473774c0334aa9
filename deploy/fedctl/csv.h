/*
 * Bulk: files of comma separated values (RFC 4180), read whole, or refused
 * with the numbers of the wrong lines.
 */
#ifndef FED_FEDCTL_CSV_H
#define FED_FEDCTL_CSV_H

#include "base/arena.h"
#include "deploy/fedctl/session.h"

enum { CSV_COLUMNS = 4 };

struct csv_row {
	size_t line; /* its number, from 1 */
	const char *cells[CSV_COLUMNS];
};

struct csv {
	const char *path; /* for complaints */
	struct csv_row *rows;
	size_t count;
	size_t wrong; /* lines that were complained of */
};

/**
 * Read a file; empty lines, those that begin with # and a first line of the
 * heads are left out.
 *
 * @param path   "-": stdin
 * @param heads  names of the columns, NULL ends them: each row has them all
 * @return STATUS_DONE; STATUS_USAGE wrong lines were named; STATUS_FAILED
 */
int csv_read(struct session *s, struct arena *a, const char *path,
	     const char *const *heads, struct csv *out) FED_NODISCARD;

/** A row is wrong: said with its line, the first ones of many. */
void csv_complain(struct session *s, struct csv *c, const struct csv_row *row,
		  const char *fmt, ...) FED_PRINTF(4, 5);

/** @return STATUS_DONE; STATUS_USAGE lines were complained of: how many, and
 * that nothing was changed */
int csv_verdict(struct session *s, const struct csv *c) FED_NODISCARD;

#endif
