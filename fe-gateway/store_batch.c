/* Rows by key, each with its text behind it. */
#include "fe-gateway/store_batch.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/limits.h"

enum {
	/* kind, direction, length of the first text */
	KEY_HEAD_BYTES = 2 + sizeof(uint32_t),
};

/* No two keys have the same bytes: the length of the first text is there. */
static void write_key_head(char *out, const struct presence_row *row,
			   size_t first_bytes)
{
	uint32_t n = (uint32_t)first_bytes;

	out[0] = (char)row->kind;
	out[1] = row->kind == PRESENCE_ROW_WATCH ? (char)row->u.watch.direction
						 : '\0';
	memcpy(out + 2, &n, sizeof(n));
}

/* The text moves behind the row: head of the key, its texts, the others. */
static void take_texts(struct store_row *r, struct span *const *texts,
		       size_t count)
{
	char *p = r->text + KEY_HEAD_BYTES;

	write_key_head(r->text, &r->row, texts[0]->n);
	for (size_t i = 0; i < count; i++) {
		if (texts[i]->n > 0)
			memcpy(p, texts[i]->p, texts[i]->n);
		texts[i]->p = p;
		p += texts[i]->n;
	}
}

int store_row_new(struct store_row **r_out, const struct presence_row *row)
{
	struct presence_row copy = *row;
	struct span *texts[PRESENCE_ROW_SPANS];
	size_t count = presence_row_spans(&copy, texts);
	size_t bytes = sizeof(struct store_row) + KEY_HEAD_BYTES;
	struct store_row *r;

	for (size_t i = 0; i < count; i++) {
		if (row->is_deleted && i >= PRESENCE_ROW_KEY_SPANS)
			*texts[i] = SPAN_NULL;
		if (texts[i]->n > LIMIT_STORE_ROW_BYTES)
			return FED_ELIMIT;
		bytes += texts[i]->n;
	}
	if (bytes > LIMIT_STORE_ROW_BYTES)
		return FED_ELIMIT;
	r = calloc(1, bytes);
	if (r == NULL)
		return FED_ENOMEM;
	r->row = copy;
	r->bytes = bytes;
	(void)presence_row_spans(&r->row, texts);
	take_texts(r, texts, count);
	*r_out = r;
	return 0;
}

void store_row_free(struct store_row *r)
{
	free(r);
}

static size_t key_bytes(const struct store_row *r)
{
	const struct presence_row *row = &r->row;

	if (row->kind == PRESENCE_ROW_WATCH)
		return KEY_HEAD_BYTES + row->u.watch.local.n +
		       row->u.watch.remote.n;
	return KEY_HEAD_BYTES + row->u.dialog.call_id.n +
	       row->u.dialog.local_tag.n;
}

struct store_batch *store_batch_new(void)
{
	return calloc(1, sizeof(struct store_batch));
}

void store_batch_free(struct store_batch *b)
{
	struct store_row *r;
	struct store_row *next;
	struct store_revision *rev;

	if (b == NULL)
		return;
	HASH_ITER (hh, b->rows, r, next) {
		HASH_DEL(b->rows, r);
		store_row_free(r);
	}
	while ((rev = b->revisions) != NULL) {
		DL_DELETE(b->revisions, rev);
		store_revision_free(rev);
	}
	free(b);
}

struct store_row *store_batch_find(const struct store_batch *b,
				   const struct store_row *r)
{
	struct store_row *found;

	HASH_FIND(hh, b->rows, r->text, key_bytes(r), found);
	return found;
}

int store_batch_put(struct store_batch *b, struct store_row *r, uint64_t seq)
{
	struct store_row *old = store_batch_find(b, r);

	HASH_ADD_KEYPTR(hh, b->rows, r->text, key_bytes(r), r);
	if (r->hh.tbl == NULL)
		return FED_ENOMEM;
	b->count++;
	b->bytes += r->bytes;
	b->seq = seq;
	if (old != NULL) {
		HASH_DEL(b->rows, old);
		b->count--;
		b->bytes -= old->bytes;
		store_row_free(old);
	}
	return 0;
}

/* --- revisions ------------------------------------------------------------ */

static size_t text_bytes(const struct federation_revision_row *row)
{
	size_t n = row->author.n + row->what.n;

	for (size_t i = 0; i < row->change_count; i++) {
		const struct federation_change_row *c = &row->changes[i];

		n += c->key.n + c->before.n + c->after.n;
		if (n > LIMIT_FEDERATION_REVISION_BYTES)
			return SIZE_MAX;
	}
	return n;
}

static struct span take_text(char **room, struct span text)
{
	struct span copy = span_of(*room, text.n);

	if (text.n > 0)
		memcpy(*room, text.p, text.n);
	*room += text.n;
	return copy;
}

int store_revision_new(struct store_revision **r_out,
		       const struct federation_revision_row *row)
{
	size_t texts = text_bytes(row);
	size_t fixed = sizeof(struct store_revision);
	struct store_revision *r;
	char *room;

	if (texts > LIMIT_FEDERATION_REVISION_BYTES ||
	    row->change_count >
		    LIMIT_FEDERATION_REVISION_BYTES / sizeof(*row->changes))
		return FED_ELIMIT;
	fixed += row->change_count * sizeof(*row->changes);
	r = malloc(fixed + texts);
	if (r == NULL)
		return FED_ENOMEM;
	room = (char *)r + fixed;
	r->row = *row;
	r->row.author = take_text(&room, row->author);
	r->row.what = take_text(&room, row->what);
	r->row.changes = r->changes;
	for (size_t i = 0; i < row->change_count; i++) {
		r->changes[i].key = take_text(&room, row->changes[i].key);
		r->changes[i].before = take_text(&room, row->changes[i].before);
		r->changes[i].after = take_text(&room, row->changes[i].after);
	}
	r->bytes = fixed + texts;
	*r_out = r;
	return 0;
}

void store_revision_free(struct store_revision *r)
{
	free(r);
}

void store_batch_put_revision(struct store_batch *b, struct store_revision *r)
{
	DL_APPEND(b->revisions, r);
	b->count++;
	b->bytes += r->bytes;
	b->revision = r->row.number;
}
