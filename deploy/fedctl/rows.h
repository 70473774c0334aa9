/*
 * Lists of records: a table for people, a list for programs, with a filter.
 */
#ifndef FED_FEDCTL_ROWS_H
#define FED_FEDCTL_ROWS_H

#include "deploy/fedctl/change.h"

/* How a kind is listed. */
struct rows {
	Fed__Record__KindCase kind;
	const char *none; /* when there is nothing: "no partner" */
	void (*heads)(struct table *t);
	void (*cells)(struct table *t, const Fed__Record *r);
	/* NULL: all */
	bool (*wants)(const struct line *l, const Fed__Record *r);
};

/** List records of a kind whose name has the pattern (NULL: all).
 * @return exit status */
int rows_list(struct session *s, const struct rows *how, const char *pattern);

/** One record, all its fields. @return exit status */
int rows_show(struct session *s, const struct record_kind *k,
	      const Fed__Record *r);

#endif
