/* Records and revisions to statements and back. */
#include <sqlite3.h>
#include <string.h>

#include "base/limits.h"
#include "fe-gateway/store_sqlite.h"

static struct span column(sqlite3_stmt *stmt, int index)
{
	const void *p = sqlite3_column_blob(stmt, index);

	return span_of(p, (size_t)sqlite3_column_bytes(stmt, index));
}

/* Its revision's columns, without changes. */
static struct federation_revision_row revision_at(sqlite3_stmt *stmt)
{
	return (struct federation_revision_row){
		.number = (uint64_t)sqlite3_column_int64(stmt, 0),
		.at_ms = sqlite3_column_int64(stmt, 1),
		.author = column(stmt, 2),
		.what = column(stmt, 3),
	};
}

static int error_of(int rc)
{
	return rc == SQLITE_DONE || rc == SQLITE_ROW ? 0
	       : rc == SQLITE_NOMEM		     ? FED_ENOMEM
						     : FED_EIO;
}

/* --- writing -------------------------------------------------------------- */

/* All of it is bound.  @return SQLITE_OK, or the library's code */
static int run(struct store_sqlite_binder *b)
{
	int rc = b->rc == SQLITE_OK ? sqlite3_step(b->stmt) : b->rc;
	int reset = sqlite3_reset(b->stmt);

	return rc == SQLITE_DONE ? reset : rc;
}

static int put_revision(sqlite3_stmt *const *st,
			const struct federation_revision_row *r)
{
	struct store_sqlite_binder b = {.stmt = st[STORE_SQLITE_PUT_REVISION]};

	store_sqlite_bind_number(&b, r->number);
	store_sqlite_bind_number(&b, (uint64_t)r->at_ms);
	store_sqlite_bind_text(&b, r->author);
	store_sqlite_bind_text(&b, r->what);
	return run(&b);
}

static int put_change(sqlite3_stmt *const *st,
		      const struct federation_revision_row *r, size_t position)
{
	const struct federation_change_row *c = &r->changes[position];
	struct store_sqlite_binder b = {.stmt = st[STORE_SQLITE_PUT_CHANGE]};

	store_sqlite_bind_number(&b, r->number);
	store_sqlite_bind_number(&b, position);
	store_sqlite_bind_text(&b, c->key);
	store_sqlite_bind_text(&b, c->before);
	store_sqlite_bind_text(&b, c->after);
	return run(&b);
}

static int put_record(sqlite3_stmt *const *st,
		      const struct federation_change_row *c)
{
	bool is_gone = c->after.n == 0;
	struct store_sqlite_binder b = {
		.stmt = st[is_gone ? STORE_SQLITE_DELETE_RECORD
				   : STORE_SQLITE_PUT_RECORD]};

	store_sqlite_bind_text(&b, c->key);
	if (!is_gone)
		store_sqlite_bind_text(&b, c->after);
	return run(&b);
}

static int drop(sqlite3_stmt *stmt, uint64_t number)
{
	struct store_sqlite_binder b = {.stmt = stmt};

	store_sqlite_bind_number(&b, number);
	return run(&b);
}

static int drop_too_old(sqlite3_stmt *const *st)
{
	struct store_sqlite_binder b = {.stmt = st[STORE_SQLITE_FIND_TOO_OLD]};
	uint64_t number = 0;
	int rc;

	store_sqlite_bind_number(&b, LIMIT_FEDERATION_HISTORY + 1);
	rc = b.rc == SQLITE_OK ? sqlite3_step(b.stmt) : b.rc;
	if (rc == SQLITE_ROW) {
		number = (uint64_t)sqlite3_column_int64(b.stmt, 0);
		rc = SQLITE_DONE;
	}
	(void)sqlite3_reset(b.stmt);
	if (rc != SQLITE_DONE)
		return rc;
	if (number == 0)
		return SQLITE_OK;
	rc = drop(st[STORE_SQLITE_DROP_CHANGES], number);
	return rc == SQLITE_OK ? drop(st[STORE_SQLITE_DROP_REVISIONS], number)
			       : rc;
}

int store_sqlite_write_revision(struct sqlite3_stmt *const *statements,
				const struct federation_revision_row *r)
{
	int rc = put_revision(statements, r);

	for (size_t i = 0; i < r->change_count && rc == SQLITE_OK; i++) {
		rc = put_change(statements, r, i);
		if (rc == SQLITE_OK)
			rc = put_record(statements, &r->changes[i]);
	}
	return rc == SQLITE_OK ? drop_too_old(statements) : rc;
}

/* --- loading -------------------------------------------------------------- */

int store_sqlite_load_federation(struct sqlite3_stmt *const *statements,
				 const struct store_federation_reader *fn,
				 void *arg)
{
	sqlite3_stmt *stmt = statements[STORE_SQLITE_LOAD_REVISION];
	struct federation_revision_row r;
	int err = 0;
	int rc = sqlite3_step(stmt);

	if (rc == SQLITE_ROW) {
		r = revision_at(stmt);
		err = fn->on_revision(&r, arg);
	}
	(void)sqlite3_reset(stmt);
	if (err != 0 || error_of(rc) != 0)
		return err != 0 ? err : error_of(rc);
	stmt = statements[STORE_SQLITE_LOAD_RECORDS];
	while (err == 0 && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
		err = fn->on_record(column(stmt, 0), column(stmt, 1), arg);
	(void)sqlite3_reset(stmt);
	return err != 0 ? err : error_of(rc);
}

/* --- answers -------------------------------------------------------------- */

/* What an answer is made in. */
struct page {
	sqlite3_stmt *const *st;
	struct arena *a;
	size_t bytes; /* of texts */
};

/* Room for one more in a list whose room is a power of two.
 * @return the list; NULL: out of memory */
static void *grow(struct arena *a, const void *list, size_t count, size_t size)
{
	void *more;

	if ((count & (count - 1)) != 0)
		return (void *)(uintptr_t)list;
	more = arena_alloc(a, (count == 0 ? 1 : 2 * count) * size);
	if (more != NULL && count > 0)
		memcpy(more, list, count * size);
	return more;
}

static int copy(struct page *p, struct span *text)
{
	const char *c = arena_dup(p->a, *text);

	if (c == NULL)
		return FED_ENOMEM;
	p->bytes += text->n;
	text->p = c;
	return 0;
}

static int add_change(struct page *p, struct federation_revision_row *r,
		      struct federation_change_row c)
{
	struct federation_change_row *list =
		grow(p->a, r->changes, r->change_count, sizeof(c));
	int err = list != NULL ? copy(p, &c.key) : FED_ENOMEM;

	if (err == 0)
		err = copy(p, &c.before);
	if (err == 0)
		err = copy(p, &c.after);
	if (err != 0)
		return err;
	list[r->change_count++] = c;
	r->changes = list;
	return 0;
}

/* @return it, where it stands; NULL: out of memory */
static struct federation_revision_row *add_revision(
	struct page *p, struct store_answer *out,
	struct federation_revision_row r)
{
	struct federation_revision_row *list =
		grow(p->a, out->revisions, out->count, sizeof(r));

	if (list == NULL || copy(p, &r.author) != 0 || copy(p, &r.what) != 0)
		return NULL;
	list[out->count] = r;
	out->revisions = list;
	return &list[out->count++];
}

static bool is_full(const struct page *p)
{
	return p->bytes >= LIMIT_FEDERATION_PAGE_BYTES;
}

/* From that position on, what the page takes: one at least.
 * @param is_whole_out  all are there */
static int add_changes(struct page *p, struct federation_revision_row *r,
		       size_t position, bool *is_whole_out)
{
	sqlite3_stmt *stmt = p->st[STORE_SQLITE_READ_CHANGES];
	struct store_sqlite_binder b = {.stmt = stmt};
	int err = 0;
	int rc;

	store_sqlite_bind_number(&b, r->number);
	store_sqlite_bind_number(&b, position);
	rc = b.rc == SQLITE_OK ? sqlite3_step(stmt) : b.rc;
	while (rc == SQLITE_ROW && err == 0 &&
	       (r->change_count == 0 || !is_full(p))) {
		err = add_change(p, r,
				 (struct federation_change_row){
					 column(stmt, 0), column(stmt, 1),
					 column(stmt, 2)});
		if (err == 0)
			rc = sqlite3_step(stmt);
	}
	*is_whole_out = rc == SQLITE_DONE;
	(void)sqlite3_reset(stmt);
	return err != 0 ? err : error_of(rc);
}

static void go_on_at(struct store_answer *out, const struct store_ask *ask,
		     uint64_t number, size_t position)
{
	out->is_more = true;
	out->next = *ask;
	out->next.number = number;
	out->next.position = position;
}

/* One more revision.  @return as add_changes() */
static int read_revision(struct page *p, const struct store_ask *ask,
			 struct federation_revision_row r,
			 struct store_answer *out)
{
	size_t position = r.number == ask->number ? ask->position : 0;
	struct federation_revision_row *last = add_revision(p, out, r);
	bool is_whole = false;
	int err;

	if (last == NULL)
		return FED_ENOMEM;
	err = add_changes(p, last, position, &is_whole);
	if (err == 0 && !is_whole)
		go_on_at(out, ask, r.number, position + last->change_count);
	return err;
}

static int read_history(struct page *p, const struct store_ask *ask,
			struct store_answer *out)
{
	sqlite3_stmt *stmt = p->st[STORE_SQLITE_READ_REVISIONS];
	struct store_sqlite_binder b = {.stmt = stmt};
	int err = 0;
	int rc;

	store_sqlite_bind_number(&b, ask->number);
	rc = b.rc;
	while (rc == SQLITE_OK && err == 0 && !out->is_more &&
	       out->count < ask->count) {
		rc = sqlite3_step(stmt);
		if (rc != SQLITE_ROW)
			break;
		rc = SQLITE_OK;
		if (is_full(p))
			go_on_at(out, ask,
				 (uint64_t)sqlite3_column_int64(stmt, 0), 0);
		else
			err = read_revision(p, ask, revision_at(stmt), out);
	}
	(void)sqlite3_reset(stmt);
	/* of those that were asked for, the last one here goes on */
	if (out->is_more)
		out->next.count = ask->count - out->count +
				  (out->revisions[out->count - 1].number ==
						   out->next.number
					   ? 1
					   : 0);
	return err != 0 || rc == SQLITE_OK ? err : error_of(rc);
}

static int find_revision(struct page *p, uint64_t number, uint64_t *oldest_out)
{
	sqlite3_stmt *stmt = p->st[STORE_SQLITE_FIND_REVISION];
	struct store_sqlite_binder b = {.stmt = stmt};
	bool is_there = false;
	int rc;

	store_sqlite_bind_number(&b, number);
	rc = b.rc == SQLITE_OK ? sqlite3_step(stmt) : b.rc;
	if (rc == SQLITE_ROW) {
		is_there = sqlite3_column_int64(stmt, 0) > 0;
		*oldest_out = (uint64_t)sqlite3_column_int64(stmt, 1);
	}
	(void)sqlite3_reset(stmt);
	if (error_of(rc) != 0)
		return error_of(rc);
	return is_there ? 0 : FED_ENOTFOUND;
}

static int read_back(struct page *p, const struct store_ask *ask,
		     struct store_answer *out)
{
	sqlite3_stmt *stmt = p->st[STORE_SQLITE_READ_BACK];
	struct store_sqlite_binder b = {.stmt = stmt};
	struct federation_revision_row r = {.number = ask->number};
	int err = find_revision(p, ask->number, &out->oldest);
	int rc = SQLITE_DONE;

	if (err != 0)
		return err;
	store_sqlite_bind_number(&b, ask->number);
	if (b.rc != SQLITE_OK)
		return error_of(b.rc);
	while (err == 0 && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		err = add_change(p, &r,
				 (struct federation_change_row){column(stmt, 0),
								column(stmt, 1),
								SPAN_NULL});
		if (p->bytes > LIMIT_FEDERATION_REVISION_BYTES)
			err = FED_ELIMIT;
	}
	(void)sqlite3_reset(stmt);
	if (err == 0)
		err = error_of(rc);
	if (err == 0 && add_revision(p, out, r) == NULL)
		err = FED_ENOMEM;
	return err;
}

void store_sqlite_answer(struct sqlite3_stmt *const *statements,
			 const struct store_ask *ask, struct arena *a,
			 struct store_answer *out)
{
	struct page p = {.st = statements, .a = a};

	*out = (struct store_answer){.err = 0};
	switch (ask->kind) {
	case STORE_ASK_HISTORY:
		out->err = read_history(&p, ask, out);
		break;
	case STORE_ASK_BACK:
		out->err = read_back(&p, ask, out);
		break;
	}
}
