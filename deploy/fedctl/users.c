/* Users of a file or a line. */
#include "deploy/fedctl/users.h"

#include <stdlib.h>
#include <string.h>

#include "deploy/fedctl/change.h"
#include "deploy/fedctl/name.h"

int users_one(struct session *s, struct arena *a, const char *typed,
	      const char **user_out)
{
	if (!name_is_user(typed))
		return session_usage(s,
				     "\"%s\" is no user; one such as "
				     "romeo@sip.example is expected",
				     typed);
	*user_out = name_user(a, typed);
	return *user_out != NULL ? STATUS_DONE : change_no_memory(s);
}

static int by_user(const void *a, const void *b)
{
	const struct csv_row *x = *(struct csv_row *const *)a;
	const struct csv_row *y = *(struct csv_row *const *)b;
	int order = strcmp(x->cells[0], y->cells[0]);

	if (order != 0)
		return order;
	return x->line < y->line ? -1 : 1;
}

static int complain_twice(struct session *s, struct arena *a, struct csv *c)
{
	struct csv_row **sorted =
		arena_alloc(a, (c->count + 1) * sizeof(struct csv_row *));

	if (sorted == NULL)
		return change_no_memory(s);
	for (size_t i = 0; i < c->count; i++)
		sorted[i] = &c->rows[i];
	qsort(sorted, c->count, sizeof(void *), by_user);
	for (size_t i = 1; i < c->count; i++)
		if (strcmp(sorted[i - 1]->cells[0], sorted[i]->cells[0]) == 0)
			csv_complain(c, sorted[i], "%s is in line %zu already",
				     sorted[i]->cells[0], sorted[i - 1]->line);
	return STATUS_DONE;
}

int users_of_csv(struct session *s, struct arena *a, struct csv *c)
{
	for (size_t i = 0; i < c->count; i++) {
		struct csv_row *row = &c->rows[i];

		if (!name_is_user(row->cells[0])) {
			csv_complain(c, row,
				     "\"%s\" is no user; one such as "
				     "romeo@sip.example is expected",
				     row->cells[0]);
			continue;
		}
		row->cells[0] = name_user(a, row->cells[0]);
		if (row->cells[0] == NULL)
			return change_no_memory(s);
	}
	return complain_twice(s, a, c);
}
