/* The store in a file of SQLite, with a write-ahead log. */
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "fe-gateway/store_backend.h"
#include "fe-gateway/store_sqlite.h"

enum {
	PAGE_BYTES = 4096, /* of a file that we made */
	/* of rows that are left out, so many are named */
	LEFT_OUT_NAMED = 10,
};

struct store_sqlite {
	struct store_backend head;
	char *path;
	const struct logger *log;
	sqlite3 *db;
	sqlite3_stmt *statements[STORE_SQLITE_STATEMENTS];
	struct store_sqlite_place place;
	int log_pages;	/* not yet copied into the file */
	bool is_astray; /* not where its name leads, when last looked */
};

static struct store_sqlite *sqlite_of(struct store_backend *b)
{
	return (struct store_sqlite *)b;
}

/* --- life ----------------------------------------------------------------- */

static void sqlite_close(struct store_backend *b)
{
	struct store_sqlite *s = sqlite_of(b);

	if (s == NULL)
		return;
	for (size_t i = 0; i < STORE_SQLITE_STATEMENTS; i++)
		(void)sqlite3_finalize(s->statements[i]);
	if (s->place.path != NULL)
		store_sqlite_place_leave(&s->place, s->db);
	/* copies the log into the file; else the next start reads it */
	if (sqlite3_close(s->db) != SQLITE_OK)
		fed_log(s->log, FED_LOG_ERROR, "store_close_failed",
			"file=\"%s\" why=\"%s\"", s->path,
			sqlite3_errmsg(s->db));
	store_sqlite_place_deinit(&s->place);
	free(s->path);
	free(s);
}

static int on_log(void *arg, sqlite3 *db, const char *name, int pages)
{
	struct store_sqlite *s = arg;

	(void)db;
	(void)name;
	s->log_pages = pages;
	return SQLITE_OK;
}

static int prepare(struct store_sqlite *s, struct errbuf *e)
{
	for (int i = 0; i < STORE_SQLITE_STATEMENTS; i++)
		if (sqlite3_prepare_v3(
			    s->db,
			    store_sqlite_sql((enum store_sqlite_statement)i),
			    -1, SQLITE_PREPARE_PERSISTENT, &s->statements[i],
			    NULL) != SQLITE_OK) {
			store_sqlite_explain(s->db, s->path, e);
			return FED_EIO;
		}
	return 0;
}

static int sqlite_open(struct store_backend **b_out, const char *path,
		       const struct logger *log, struct errbuf *e)
{
	struct store_sqlite *s = calloc(1, sizeof(*s));
	int err = FED_ENOMEM;

	if (s == NULL)
		return FED_ENOMEM;
	s->head.ops = &store_sqlite_ops;
	s->log = log;
	s->path = strdup(path);
	if (s->path != NULL)
		err = store_sqlite_file_open(&s->db, s->path,
					     store_sqlite_steps.count, e);
	if (err == 0)
		err = store_sqlite_migrate(s->db, s->path, &store_sqlite_steps,
					   log, e);
	if (err == 0)
		err = prepare(s, e);
	if (err == 0)
		err = store_sqlite_place_take(&s->place, s->db, s->path, e);
	if (err != 0) {
		sqlite_close(&s->head);
		return err;
	}
	(void)sqlite3_wal_hook(s->db, on_log, s);
	*b_out = &s->head;
	return 0;
}

/* --- reading -------------------------------------------------------------- */

struct load {
	struct store_sqlite *s;
	int (*fn)(const struct presence_row *row, void *arg);
	void *arg;
	uint64_t count;
	uint64_t left_out;
};

static void leave_out(struct load *l, enum presence_row_kind kind,
		      const char *wrong)
{
	l->left_out++;
	if (l->left_out <= LEFT_OUT_NAMED)
		fed_log(l->s->log, FED_LOG_WARN, "store_row_left_out",
			"table=%s wrong=%s",
			kind == PRESENCE_ROW_WATCH ? "watch" : "dialog", wrong);
}

static int load_table(struct load *l, enum presence_row_kind kind)
{
	sqlite3_stmt *stmt =
		l->s->statements[kind == PRESENCE_ROW_WATCH
					 ? STORE_SQLITE_LOAD_WATCHES
					 : STORE_SQLITE_LOAD_DIALOGS];
	struct presence_row row;
	int rc = SQLITE_ROW;
	int err = 0;

	while (err == 0 && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		const char *wrong = store_sqlite_read(stmt, kind, &row);

		if (wrong != NULL) {
			leave_out(l, kind, wrong);
			continue;
		}
		l->count++;
		err = l->fn(&row, l->arg);
	}
	if (err == 0 && rc != SQLITE_DONE) {
		fed_log(l->s->log, FED_LOG_ERROR, "store_unreadable",
			"file=\"%s\" why=\"%s\"", l->s->path,
			sqlite3_errmsg(l->s->db));
		err = rc == SQLITE_NOMEM ? FED_ENOMEM : FED_EIO;
	}
	(void)sqlite3_reset(stmt);
	return err;
}

static int sqlite_load(struct store_backend *b,
		       int (*fn)(const struct presence_row *row, void *arg),
		       void *arg)
{
	struct load l = {.s = sqlite_of(b), .fn = fn, .arg = arg};
	int err = load_table(&l, PRESENCE_ROW_WATCH);

	if (err == 0)
		err = load_table(&l, PRESENCE_ROW_DIALOG);
	fed_log(l.s->log, l.left_out > 0 ? FED_LOG_WARN : FED_LOG_INFO,
		"store_loaded",
		"file=\"%s\" rows=%" PRIu64 " left_out=%" PRIu64, l.s->path,
		l.count, l.left_out);
	return err;
}

static int sqlite_load_federation(struct store_backend *b,
				  const struct store_federation_reader *fn,
				  void *arg)
{
	struct store_sqlite *s = sqlite_of(b);
	int err = store_sqlite_load_federation(s->statements, fn, arg);

	if (err == FED_EIO)
		fed_log(s->log, FED_LOG_ERROR, "store_unreadable",
			"file=\"%s\" why=\"%s\"", s->path,
			sqlite3_errmsg(s->db));
	return err;
}

static void sqlite_answer(struct store_backend *b, const struct store_ask *ask,
			  struct arena *a, struct store_answer *out)
{
	store_sqlite_answer(sqlite_of(b)->statements, ask, a, out);
}

/* --- writing, in the writer's thread -------------------------------------- */

/* The log is ours alone: all of it is copied, and the next transaction begins
 * it anew.  It does not grow while that fails. */
static int copy_log(struct store_sqlite *s)
{
	int rc;

	if ((unsigned)s->log_pages < LIMIT_STORE_LOG_BYTES / PAGE_BYTES)
		return SQLITE_OK;
	rc = sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE,
				       NULL, NULL);
	if (rc == SQLITE_OK)
		s->log_pages = 0;
	return rc;
}

static int write_row(struct store_sqlite *s, const struct presence_row *row)
{
	sqlite3_stmt *stmt = s->statements[store_sqlite_statement_of(row)];
	int rc = store_sqlite_bind(stmt, row);
	int reset;

	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	reset = sqlite3_reset(stmt);
	return rc == SQLITE_DONE ? reset : rc;
}

static int write_rows(struct store_sqlite *s, const struct store_batch *batch)
{
	const struct store_revision *rev;
	const struct store_row *r;
	int rc = sqlite3_exec(s->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);

	for (r = batch->rows; r != NULL && rc == SQLITE_OK; r = r->hh.next)
		rc = write_row(s, &r->row);
	for (rev = batch->revisions; rev != NULL && rc == SQLITE_OK;
	     rev = rev->next)
		rc = store_sqlite_write_revision(s->statements, &rev->row);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL);
	return rc;
}

/* Some errors have ended the transaction by themselves. */
static void roll_back(struct store_sqlite *s)
{
	if (sqlite3_get_autocommit(s->db) == 0)
		(void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
}

/* Go on with the copy that was put in the place of ours. */
static int move(struct store_sqlite *s, struct errbuf *why)
{
	struct store_backend *b = NULL;
	struct store_sqlite *other;
	struct store_sqlite old;
	int err = sqlite_open(&b, s->path, NULL, why);

	if (err != 0)
		return err;
	other = sqlite_of(b);
	err = store_sqlite_place_is_copy(&other->place, &s->place, why);
	if (err == 0) {
		old = *s;
		*s = *other;
		s->log = old.log;
		*other = old;
		other->log = NULL; /* this is not the loop's thread */
		(void)sqlite3_wal_hook(s->db, on_log, s);
	}
	sqlite_close(b);
	return err;
}

static int look(struct store_sqlite *s, struct errbuf *why)
{
	int err = store_sqlite_place_look(&s->place, why);

	s->is_astray = err != 0;
	return err;
}

/* It was told, so it may be mended. */
static int find_back(struct store_sqlite *s, struct errbuf *why)
{
	int err = look(s, why);

	if (err == 0)
		return 0;
	err = store_sqlite_place_mend(&s->place, s->db, why);
	return err != 0 ? err : move(s, why);
}

static int sqlite_look(struct store_backend *b, struct errbuf *why)
{
	struct store_sqlite *s = sqlite_of(b);

	roll_back(s);
	return s->is_astray ? find_back(s, why) : look(s, why);
}

/* What is written where no name leads is not on disk for the next start. */
static int sqlite_write(struct store_backend *b,
			const struct store_batch *batch, struct errbuf *why)
{
	struct store_sqlite *s = sqlite_of(b);
	int err;
	int rc;

	roll_back(s); /* what an earlier one could not */
	err = s->is_astray ? find_back(s, why) : 0;
	if (err != 0)
		return err;
	rc = copy_log(s);
	if (rc == SQLITE_OK)
		rc = write_rows(s, batch);
	if (rc == SQLITE_OK)
		return look(s, why);
	store_sqlite_explain(s->db, s->path, why);
	roll_back(s);
	return rc == SQLITE_NOMEM ? FED_ENOMEM : FED_EIO;
}

const struct store_backend_ops store_sqlite_ops = {
	.open = sqlite_open,
	.close = sqlite_close,
	.load = sqlite_load,
	.load_federation = sqlite_load_federation,
	.answer = sqlite_answer,
	.write = sqlite_write,
	.look = sqlite_look,
};
