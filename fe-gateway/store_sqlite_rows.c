/* Rows to statements and back.  Texts are blobs: any bytes may be in them. */
#include <sqlite3.h>
#include <string.h>

#include "base/limits.h"
#include "fe-gateway/store_sqlite.h"

static const char *const statements[STORE_SQLITE_STATEMENTS] = {
	[STORE_SQLITE_PUT_WATCH] =
		"REPLACE INTO watch (direction, local, remote, auth, "
		"since_ms, told) VALUES (?, ?, ?, ?, ?, ?)",
	[STORE_SQLITE_DELETE_WATCH] =
		"DELETE FROM watch "
		"WHERE direction = ? AND local = ? AND remote = ?",
	[STORE_SQLITE_PUT_DIALOG] =
		"REPLACE INTO dialog (call_id, local_tag, direction, local, "
		"remote, remote_tag, local_uri, remote_uri, target, routes, "
		"event_id, local_cseq, remote_cseq, expires_ms, is_active) "
		"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[STORE_SQLITE_DELETE_DIALOG] =
		"DELETE FROM dialog WHERE call_id = ? AND local_tag = ?",
	[STORE_SQLITE_LOAD_WATCHES] =
		"SELECT direction, local, remote, auth, since_ms, told "
		"FROM watch",
	[STORE_SQLITE_LOAD_DIALOGS] =
		"SELECT call_id, local_tag, direction, local, remote, "
		"remote_tag, local_uri, remote_uri, target, routes, event_id, "
		"local_cseq, remote_cseq, expires_ms, is_active FROM dialog",
	[STORE_SQLITE_PUT_REVISION] =
		"INSERT INTO federation_revision (number, at_ms, author, what) "
		"VALUES (?, ?, ?, ?)",
	[STORE_SQLITE_PUT_CHANGE] =
		"INSERT INTO federation_change (number, position, key, before, "
		"after) VALUES (?, ?, ?, ?, ?)",
	[STORE_SQLITE_PUT_RECORD] =
		"REPLACE INTO federation_record (key, record) VALUES (?, ?)",
	[STORE_SQLITE_DELETE_RECORD] =
		"DELETE FROM federation_record WHERE key = ?",
	[STORE_SQLITE_FIND_TOO_OLD] = "SELECT number FROM federation_revision "
				      "ORDER BY number DESC LIMIT 1 OFFSET ?",
	[STORE_SQLITE_DROP_CHANGES] =
		"DELETE FROM federation_change WHERE number <= ?",
	[STORE_SQLITE_DROP_REVISIONS] =
		"DELETE FROM federation_revision WHERE number <= ?",
	[STORE_SQLITE_LOAD_REVISION] =
		"SELECT number, at_ms, author, what FROM federation_revision "
		"ORDER BY number DESC LIMIT 1",
	[STORE_SQLITE_LOAD_RECORDS] =
		"SELECT key, record FROM federation_record ORDER BY key",
	[STORE_SQLITE_READ_REVISIONS] =
		"SELECT number, at_ms, author, what FROM federation_revision "
		"WHERE number <= ? ORDER BY number DESC",
	[STORE_SQLITE_READ_CHANGES] =
		"SELECT key, before, after FROM federation_change "
		"WHERE number = ? AND position >= ? ORDER BY position",
	[STORE_SQLITE_FIND_REVISION] =
		"SELECT count(*), (SELECT min(number) FROM "
		"federation_revision) "
		"FROM federation_revision WHERE number = ?",
	/* the row with the least number of each key */
	[STORE_SQLITE_READ_BACK] =
		"SELECT key, before, min(number) FROM federation_change "
		"WHERE number > ? GROUP BY key ORDER BY key",
};

const char *store_sqlite_sql(enum store_sqlite_statement which)
{
	return statements[which];
}

enum store_sqlite_statement store_sqlite_statement_of(
	const struct presence_row *row)
{
	if (row->kind == PRESENCE_ROW_WATCH)
		return row->is_deleted ? STORE_SQLITE_DELETE_WATCH
				       : STORE_SQLITE_PUT_WATCH;
	return row->is_deleted ? STORE_SQLITE_DELETE_DIALOG
			       : STORE_SQLITE_PUT_DIALOG;
}

/* --- out ------------------------------------------------------------------ */

void store_sqlite_bind_number(struct store_sqlite_binder *b, uint64_t value)
{
	b->index++;
	if (b->rc == SQLITE_OK)
		b->rc = sqlite3_bind_int64(b->stmt, b->index,
					   (sqlite3_int64)value);
}

void store_sqlite_bind_text(struct store_sqlite_binder *b, struct span s)
{
	b->index++;
	/* a NULL pointer would be the value NULL */
	if (b->rc == SQLITE_OK)
		b->rc = sqlite3_bind_blob64(b->stmt, b->index,
					    s.n > 0 ? s.p : "", s.n,
					    SQLITE_STATIC);
}

static void bind_watch(struct store_sqlite_binder *b,
		       const struct presence_row *row)
{
	const struct presence_watch_row *w = &row->u.watch;

	store_sqlite_bind_number(b, w->direction);
	store_sqlite_bind_text(b, w->local);
	store_sqlite_bind_text(b, w->remote);
	if (row->is_deleted)
		return;
	store_sqlite_bind_number(b, w->auth);
	store_sqlite_bind_number(b, w->since_ms);
	store_sqlite_bind_text(b, w->told);
}

static void bind_dialog(struct store_sqlite_binder *b,
			const struct presence_row *row)
{
	const struct presence_dialog_row *d = &row->u.dialog;

	store_sqlite_bind_text(b, d->call_id);
	store_sqlite_bind_text(b, d->local_tag);
	if (row->is_deleted)
		return;
	store_sqlite_bind_number(b, d->direction);
	store_sqlite_bind_text(b, d->local);
	store_sqlite_bind_text(b, d->remote);
	store_sqlite_bind_text(b, d->remote_tag);
	store_sqlite_bind_text(b, d->local_uri);
	store_sqlite_bind_text(b, d->remote_uri);
	store_sqlite_bind_text(b, d->target);
	store_sqlite_bind_text(b, d->routes);
	store_sqlite_bind_text(b, d->event_id);
	store_sqlite_bind_number(b, d->local_cseq);
	store_sqlite_bind_number(b, d->remote_cseq);
	store_sqlite_bind_number(b, d->expires_ms);
	store_sqlite_bind_number(b, d->is_active ? 1 : 0);
}

int store_sqlite_bind(struct sqlite3_stmt *stmt, const struct presence_row *row)
{
	struct store_sqlite_binder b = {.stmt = stmt, .rc = SQLITE_OK};

	if (row->kind == PRESENCE_ROW_WATCH)
		bind_watch(&b, row);
	else
		bind_dialog(&b, row);
	return b.rc;
}

/* --- in ------------------------------------------------------------------- */

/* Columns from left to right; the first complaint stays. */
struct reader {
	sqlite3_stmt *stmt;
	int index;
	size_t bytes;
	const char *wrong;
};

static uint64_t read_number(struct reader *r, uint64_t max, const char *wrong)
{
	uint64_t value = (uint64_t)sqlite3_column_int64(r->stmt, r->index);

	if (sqlite3_column_type(r->stmt, r->index) != SQLITE_INTEGER ||
	    value > max)
		r->wrong = r->wrong != NULL ? r->wrong : wrong;
	r->index++;
	return value;
}

static struct span read_text(struct reader *r)
{
	const void *p = sqlite3_column_blob(r->stmt, r->index);
	int n = sqlite3_column_bytes(r->stmt, r->index);

	r->index++;
	r->bytes += (size_t)n;
	if (r->bytes > LIMIT_STORE_ROW_BYTES && r->wrong == NULL)
		r->wrong = "too long";
	return span_of(p, (size_t)n);
}

/* A part of the key, or of what the row is about. */
static struct span read_name(struct reader *r, const char *wrong)
{
	struct span s = read_text(r);

	if (s.n == 0 && r->wrong == NULL)
		r->wrong = wrong;
	return s;
}

static enum presence_direction read_direction(struct reader *r)
{
	return (enum presence_direction)read_number(r, PRESENCE_IN,
						    "direction");
}

static void read_watch(struct reader *r, struct presence_watch_row *w)
{
	w->direction = read_direction(r);
	w->local = read_name(r, "local");
	w->remote = read_name(r, "remote");
	w->auth = (enum presence_auth)read_number(r, PRESENCE_ALLOWED, "auth");
	w->since_ms = read_number(r, UINT64_MAX, "since_ms");
	w->told = read_text(r);
}

static void read_dialog(struct reader *r, struct presence_dialog_row *d)
{
	d->call_id = read_name(r, "call_id");
	d->local_tag = read_name(r, "local_tag");
	d->direction = read_direction(r);
	d->local = read_name(r, "local");
	d->remote = read_name(r, "remote");
	d->remote_tag = read_text(r);
	d->local_uri = read_text(r);
	d->remote_uri = read_text(r);
	d->target = read_text(r);
	d->routes = read_text(r);
	d->event_id = read_text(r);
	d->local_cseq = (uint32_t)read_number(r, UINT32_MAX, "local_cseq");
	d->remote_cseq = (uint32_t)read_number(r, UINT32_MAX, "remote_cseq");
	d->expires_ms = read_number(r, UINT64_MAX, "expires_ms");
	d->is_active = read_number(r, 1, "is_active") != 0;
}

const char *store_sqlite_read(struct sqlite3_stmt *stmt,
			      enum presence_row_kind kind,
			      struct presence_row *out)
{
	struct reader r = {.stmt = stmt};

	memset(out, 0, sizeof(*out));
	out->kind = kind;
	if (kind == PRESENCE_ROW_WATCH)
		read_watch(&r, &out->u.watch);
	else
		read_dialog(&r, &out->u.dialog);
	return r.wrong;
}
