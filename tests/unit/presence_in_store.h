/* Rows of presence as a store keeps them: the last word on a key counts. */
#ifndef FED_TESTS_PRESENCE_IN_STORE_H
#define FED_TESTS_PRESENCE_IN_STORE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "fe-gateway/core/presence_rows.h"

enum { STORE_ROWS = 4096 };

/* A row, and its key as text. */
struct stored {
	char key[512];
	struct presence_row row;
	struct arena a;
};

struct kept {
	struct stored *rows[STORE_ROWS];
	size_t count;
};

static inline void forget_stored(struct kept *k, size_t i)
{
	arena_deinit(&k->rows[i]->a);
	free(k->rows[i]);
	k->rows[i] = k->rows[--k->count];
}

static inline void kept_clear(struct kept *k)
{
	while (k->count > 0)
		forget_stored(k, 0);
}

static inline struct span keep(struct arena *a, struct span s)
{
	return s.n > 0 ? span_of(arena_dup(a, s), s.n) : SPAN_NULL;
}

static inline void print_key(const struct presence_row *row, char *out,
			     size_t size)
{
	const struct presence_watch_row *w = &row->u.watch;
	const struct presence_dialog_row *d = &row->u.dialog;
	struct span a = row->kind == PRESENCE_ROW_WATCH ? w->local : d->call_id;
	struct span b =
		row->kind == PRESENCE_ROW_WATCH ? w->remote : d->local_tag;

	(void)snprintf(out, size, "%d %.*s %.*s", (int)row->kind, (int)a.n, a.p,
		       (int)b.n, b.p);
}

static inline void copy_spans(struct stored *s)
{
	struct span *spans[PRESENCE_ROW_SPANS];
	size_t count = presence_row_spans(&s->row, spans);

	for (size_t i = 0; i < count; i++)
		*spans[i] = keep(&s->a, *spans[i]);
}

static inline void kept_put(struct kept *k, const struct presence_row *row)
{
	char key[512];
	struct stored *s;

	print_key(row, key, sizeof(key));
	for (size_t i = 0; i < k->count; i++) {
		if (strcmp(k->rows[i]->key, key) == 0) {
			forget_stored(k, i);
			break;
		}
	}
	if (row->is_deleted)
		return;
	assert_true(k->count < STORE_ROWS);
	s = calloc(1, sizeof(*s));
	assert_non_null(s);
	arena_init(&s->a, 65536);
	s->row = *row;
	(void)snprintf(s->key, sizeof(s->key), "%s", key);
	copy_spans(s);
	k->rows[k->count++] = s;
}

static inline size_t kept_count(const struct kept *k,
				enum presence_row_kind kind)
{
	size_t count = 0;

	for (size_t i = 0; i < k->count; i++)
		count += k->rows[i]->row.kind == kind;
	return count;
}

#endif
