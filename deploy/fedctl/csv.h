/*
 * Bulk: files of comma separated values (RFC 4180), read whole, or refused
 * with the numbers of the wrong lines.
 */
#ifndef FED_FEDCTL_CSV_H
#define FED_FEDCTL_CSV_H

#include "base/arena.h"
#include "deploy/fedctl/session.h"

enum { CSV_COLUMNS = 4 };

/* Wrong lines that are named one by one. */
enum { CSV_COMPLAINTS = 10 };

struct csv_row {
	size_t line;   /* its number, from 1 */
	size_t count;  /* of cells; SIZE_MAX: its quotes are wrong */
	bool is_wrong; /* it was complained of */
	const char *cells[CSV_COLUMNS]; /* those that are not there are "" */
};

/* Text that is taken row by row. */
struct csv_text {
	struct span rest;
	size_t line;	     /* the last one that was taken */
	bool has_semicolons; /* separate cells too */
};

/* Rows that are expected. */
struct csv_form {
	const char *const *heads; /* names of the columns, NULL ends them */
	size_t due;		  /* so many of them say something */
	/* tables of other programs: ; separates too, columns behind the last
	 * one are passed over */
	bool is_foreign;
};

struct csv_complaint {
	size_t line;
	char text[512];
};

struct csv {
	const char *path; /* for complaints */
	struct csv_row *rows;
	size_t count;
	size_t wrong; /* lines that were complained of */
	/* the first ones, by their lines */
	struct csv_complaint complaints[CSV_COMPLAINTS];
	size_t complaint_count;
};

/** Begin; the text is borrowed. */
void csv_text_init(struct csv_text *t, struct span text, bool has_semicolons);

/** The next row; empty lines and those that begin with # are left out.
 * @return 1; 0 there is none; FED_ENOMEM */
int csv_next(struct csv_text *t, struct arena *a,
	     struct csv_row *out) FED_NODISCARD;

/**
 * Read a file; a first line of the heads is left out.
 *
 * @param path  "-": stdin
 * @return STATUS_DONE; wrong lines are complained of; STATUS_FAILED said
 */
int csv_read(struct session *s, struct arena *a, const char *path,
	     const struct csv_form *form, struct csv *out) FED_NODISCARD;

/** A row is wrong, csv_verdict() says it; what is wrong with one that is wrong
 * already is passed over. */
void csv_complain(struct csv *c, struct csv_row *row, const char *fmt, ...)
	FED_PRINTF(3, 4);

/** @return STATUS_DONE; STATUS_USAGE lines are wrong: said with their numbers,
 * the first ones of many, how many, and that nothing was changed */
int csv_verdict(struct session *s, const struct csv *c) FED_NODISCARD;

#endif
