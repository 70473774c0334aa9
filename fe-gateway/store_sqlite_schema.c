/* The schema and its history. */
#include <sqlite3.h>
#include <stdio.h>

#include "fe-gateway/store_sqlite.h"

/*
 * STRICT: a column has what it says.  WITHOUT ROWID: a row lies under its key.
 * No foreign keys: a dialog that polls has no watch.  A step is never changed
 * once it was released; the next one goes behind it.
 */
static const char *const steps[] = {
	/* 1 */
	"CREATE TABLE watch ("
	" direction INTEGER NOT NULL," /* 0 out, 1 in */
	" local BLOB NOT NULL,"
	" remote BLOB NOT NULL,"
	" auth INTEGER NOT NULL," /* 0 none, 1 pending, 2 allowed */
	" since_ms INTEGER NOT NULL,"
	" told BLOB NOT NULL,"
	" PRIMARY KEY (direction, local, remote)"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE dialog ("
	" call_id BLOB NOT NULL,"
	" local_tag BLOB NOT NULL,"
	" direction INTEGER NOT NULL,"
	" local BLOB NOT NULL,"
	" remote BLOB NOT NULL,"
	" remote_tag BLOB NOT NULL,"
	" local_uri BLOB NOT NULL,"
	" remote_uri BLOB NOT NULL,"
	" target BLOB NOT NULL,"
	" routes BLOB NOT NULL,"
	" event_id BLOB NOT NULL,"
	" local_cseq INTEGER NOT NULL,"
	" remote_cseq INTEGER NOT NULL,"
	" expires_ms INTEGER NOT NULL,"
	" is_active INTEGER NOT NULL,"
	" PRIMARY KEY (call_id, local_tag)"
	") STRICT, WITHOUT ROWID;",
	/* 2: before and after are empty where there was nothing, or is
	 * nothing */
	"CREATE TABLE federation_record ("
	" key BLOB NOT NULL,"
	" record BLOB NOT NULL,"
	" PRIMARY KEY (key)"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE federation_revision ("
	" number INTEGER NOT NULL PRIMARY KEY,"
	" at_ms INTEGER NOT NULL,"
	" author BLOB NOT NULL,"
	" what BLOB NOT NULL"
	") STRICT;"
	"CREATE TABLE federation_change ("
	" number INTEGER NOT NULL,"
	" position INTEGER NOT NULL,"
	" key BLOB NOT NULL,"
	" before BLOB NOT NULL,"
	" after BLOB NOT NULL,"
	" PRIMARY KEY (number, position)"
	") STRICT, WITHOUT ROWID;",
};

const struct store_sqlite_steps store_sqlite_steps = {
	steps,
	FED_ARRAY_LEN(steps),
};

static int exec(sqlite3 *db, const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

/* The version is in the file's header: it changes with the tables. */
static int take_step(sqlite3 *db, const char *sql, int version)
{
	char marks[96];
	int rc = exec(db, "BEGIN IMMEDIATE");

	(void)snprintf(marks, sizeof(marks),
		       "PRAGMA application_id = %d; PRAGMA user_version = %d",
		       STORE_SQLITE_APPLICATION, version);
	if (rc == SQLITE_OK)
		rc = exec(db, sql);
	if (rc == SQLITE_OK)
		rc = exec(db, marks);
	if (rc == SQLITE_OK)
		rc = exec(db, "COMMIT");
	return rc;
}

static int get_version(sqlite3 *db, int *version_out)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &stmt, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		*version_out = sqlite3_column_int(stmt, 0);
	(void)sqlite3_finalize(stmt);
	return rc == SQLITE_ROW ? SQLITE_OK : rc;
}

int store_sqlite_migrate(struct sqlite3 *db, const char *path,
			 const struct store_sqlite_steps *s,
			 const struct logger *log, struct errbuf *e)
{
	int before = 0;
	int rc = get_version(db, &before);

	for (int i = before; i < s->count && rc == SQLITE_OK; i++)
		rc = take_step(db, s->sql[i], i + 1);
	if (rc != SQLITE_OK) {
		char what[256];

		(void)snprintf(what, sizeof(what),
			       "%.200s: cannot be brought to schema %d", path,
			       s->count);
		store_sqlite_explain(db, what, e);
		if (sqlite3_get_autocommit(db) == 0)
			(void)exec(db, "ROLLBACK");
		return FED_EIO;
	}
	if (before < s->count)
		fed_log(log, FED_LOG_INFO, "store_schema",
			"file=\"%s\" from=%d to=%d", path, before, s->count);
	return 0;
}
