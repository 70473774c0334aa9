/* A store of presence rows in memory, as small as the contract allows: the
 * last word on a key counts, watches come before dialogs. */
#ifndef FED_TESTS_PRESENCE_STORE_H
#define FED_TESTS_PRESENCE_STORE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fe-gateway/core/presence_rows.h"

struct row_copy {
	struct presence_row row;
	char text[];
};

struct rows {
	struct row_copy **items; /* watches, then dialogs */
	size_t count;
};

static inline struct row_copy *row_dup(const struct presence_row *row)
{
	struct presence_row in = *row;
	struct span *from[PRESENCE_ROW_SPANS], *to[PRESENCE_ROW_SPANS];
	size_t count = presence_row_spans(&in, from);
	size_t bytes = 0;
	struct row_copy *c;
	char *at;

	for (size_t i = 0; i < count; i++)
		bytes += from[i]->n;
	c = malloc(sizeof(*c) + bytes);
	if (c == NULL)
		abort();
	c->row = in;
	at = c->text;
	(void)presence_row_spans(&c->row, to);
	for (size_t i = 0; i < count; i++) {
		if (from[i]->n > 0)
			memcpy(at, from[i]->p, from[i]->n);
		*to[i] = span_of(at, from[i]->n);
		at += from[i]->n;
	}
	return c;
}

static inline bool row_is_same_key(const struct presence_row *a,
				   const struct presence_row *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == PRESENCE_ROW_DIALOG)
		return span_eq(a->u.dialog.call_id, b->u.dialog.call_id) &&
		       span_eq(a->u.dialog.local_tag, b->u.dialog.local_tag);
	return a->u.watch.direction == b->u.watch.direction &&
	       span_eq(a->u.watch.local, b->u.watch.local) &&
	       span_eq(a->u.watch.remote, b->u.watch.remote);
}

static inline void rows_put(struct rows *r, const struct presence_row *row)
{
	size_t at = 0;

	while (at < r->count && !row_is_same_key(&r->items[at]->row, row))
		at++;
	if (at < r->count) {
		free(r->items[at]);
		memmove(r->items + at, r->items + at + 1,
			(--r->count - at) * sizeof(r->items[0]));
	}
	if (row->is_deleted)
		return;
	r->items = realloc(r->items, (r->count + 1) * sizeof(r->items[0]));
	if (r->items == NULL)
		abort();
	at = row->kind == PRESENCE_ROW_DIALOG ? r->count : 0;
	memmove(r->items + at + 1, r->items + at,
		(r->count - at) * sizeof(r->items[0]));
	r->items[at] = row_dup(row);
	r->count++;
}

static inline void rows_free(struct rows *r)
{
	for (size_t i = 0; i < r->count; i++)
		free(r->items[i]);
	free(r->items);
	*r = (struct rows){.count = 0};
}

static inline void rows_copy(struct rows *to, const struct rows *from)
{
	rows_free(to);
	if (from->count == 0)
		return;
	to->items = calloc(from->count, sizeof(to->items[0]));
	if (to->items == NULL)
		abort();
	for (size_t i = 0; i < from->count; i++)
		to->items[to->count++] = row_dup(&from->items[i]->row);
}

/* "put watch out romeo@example.net juliet@example.com allowed told=a b" */
static inline void rows_text(const struct presence_row *row, char *out,
			     size_t size)
{
	static const char *const auths[] = {"none", "pending", "allowed"};
	const struct presence_watch_row *w = &row->u.watch;
	const struct presence_dialog_row *d = &row->u.dialog;
	const char *verb = row->is_deleted ? "delete" : "put";
	int n;

	if (row->kind == PRESENCE_ROW_DIALOG) {
		(void)snprintf(out, size, "%s dialog %s %.*s %.*s", verb,
			       d->direction == PRESENCE_OUT ? "out" : "in",
			       (int)d->local.n, d->local.p, (int)d->remote.n,
			       d->remote.p);
		return;
	}
	n = snprintf(out, size, "%s watch %s %.*s %.*s", verb,
		     w->direction == PRESENCE_OUT ? "out" : "in",
		     (int)w->local.n, w->local.p, (int)w->remote.n,
		     w->remote.p);
	if (!row->is_deleted && n > 0 && (size_t)n < size)
		(void)snprintf(out + n, size - (size_t)n, " %s told=%.*s",
			       auths[w->auth], (int)w->told.n, w->told.p);
	for (char *at = out; *at != '\0'; at++)
		if (*at == '\n')
			*at = ' ';
}

#endif
