/*
 * What the files of the SQLite store share.
 */
#ifndef FED_GATEWAY_STORE_SQLITE_H
#define FED_GATEWAY_STORE_SQLITE_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/log.h"
#include "fe-gateway/store.h"
#include "fe-gateway/core/presence_rows.h"

struct sqlite3;
struct sqlite3_stmt;

/* --- store_sqlite_file.c -------------------------------------------------- */

/* "FEDG": in the file's header, so that others can tell whose it is. */
enum { STORE_SQLITE_APPLICATION = 0x46454447 };

/**
 * Open the file, made with mode 0600 where there is none, for us alone.  It
 * was found whole, ours and not newer than we are.
 *
 * @param version  the schema that this program knows
 * @return 0; FED_ECONFIG, FED_EIO with a sentence; FED_ENOMEM
 */
int store_sqlite_file_open(struct sqlite3 **db_out, const char *path,
			   int version, struct errbuf *e) FED_NODISCARD;

/** Why the last call on it failed, after what was tried: one line. */
void store_sqlite_explain(struct sqlite3 *db, const char *what,
			  struct errbuf *e);

/* --- store_sqlite_place.c ------------------------------------------------- */

/* A file, whatever it is called by now. */
struct store_sqlite_id {
	dev_t device;
	ino_t inode;
};

/* Where the file is, and its log, as they were opened. */
struct store_sqlite_place {
	const char *path;     /* the caller's */
	const char *log_name; /* the connection's */
	char *copy_name;
	struct store_sqlite_id file;
	struct store_sqlite_id log;
	struct store_sqlite_id copy; /* that was put in its place */
	bool has_log;
};

/**
 * Of a file that was just opened.
 *
 * @param p  zeros; store_sqlite_place_deinit() also after an error
 * @return 0; FED_EIO with a sentence; FED_ENOMEM
 */
int store_sqlite_place_take(struct store_sqlite_place *p, struct sqlite3 *db,
			    const char *path, struct errbuf *e) FED_NODISCARD;

/** Memory only. */
void store_sqlite_place_deinit(struct store_sqlite_place *p);

/** @return 0: both are where they were; FED_EIO with a sentence */
int store_sqlite_place_look(const struct store_sqlite_place *p,
			    struct errbuf *why) FED_NODISCARD;

/**
 * Put a whole copy of what is open where nothing is any more, on disk when it
 * returns.  Another file that stands there is left alone.  It is to be opened
 * instead of this one.
 *
 * @return 0; FED_EIO with a sentence; FED_ENOMEM
 */
int store_sqlite_place_mend(struct store_sqlite_place *p, struct sqlite3 *db,
			    struct errbuf *why) FED_NODISCARD;

/** What was opened now is the copy that was put there before.
 * @return 0; FED_EIO with a sentence */
int store_sqlite_place_is_copy(const struct store_sqlite_place *now,
			       const struct store_sqlite_place *before,
			       struct errbuf *why) FED_NODISCARD;

/** Before it is closed: what is not ours is not deleted. */
void store_sqlite_place_leave(const struct store_sqlite_place *p,
			      struct sqlite3 *db);

/* --- store_sqlite_schema.c ------------------------------------------------ */

/* One step from a schema to the next: number i leads to version i + 1. */
struct store_sqlite_steps {
	const char *const *sql;
	int count;
};

/* Those of this program. */
extern const struct store_sqlite_steps store_sqlite_steps;

/**
 * Bring the file to the last version, each step whole or not at all.
 *
 * @return 0; FED_EIO with a sentence
 */
int store_sqlite_migrate(struct sqlite3 *db, const char *path,
			 const struct store_sqlite_steps *steps,
			 const struct logger *log,
			 struct errbuf *e) FED_NODISCARD;

/* --- store_sqlite_rows.c -------------------------------------------------- */

enum store_sqlite_statement {
	STORE_SQLITE_PUT_WATCH,
	STORE_SQLITE_DELETE_WATCH,
	STORE_SQLITE_PUT_DIALOG,
	STORE_SQLITE_DELETE_DIALOG,
	STORE_SQLITE_LOAD_WATCHES,
	STORE_SQLITE_LOAD_DIALOGS,
	STORE_SQLITE_PUT_REVISION,
	STORE_SQLITE_PUT_CHANGE,
	STORE_SQLITE_PUT_RECORD,
	STORE_SQLITE_DELETE_RECORD,
	STORE_SQLITE_FIND_TOO_OLD,
	STORE_SQLITE_DROP_CHANGES,
	STORE_SQLITE_DROP_REVISIONS,
	STORE_SQLITE_LOAD_REVISION,
	STORE_SQLITE_LOAD_RECORDS,
	STORE_SQLITE_READ_REVISIONS,
	STORE_SQLITE_READ_CHANGES,
	STORE_SQLITE_FIND_REVISION,
	STORE_SQLITE_READ_BACK,
	STORE_SQLITE_STATEMENTS,
};

/** The text of a statement. */
const char *store_sqlite_sql(enum store_sqlite_statement which);

/* Parameters from left to right; the first failure stays. */
struct store_sqlite_binder {
	struct sqlite3_stmt *stmt;
	int index;
	int rc;
};

void store_sqlite_bind_number(struct store_sqlite_binder *b, uint64_t value);

/** The bytes stay until the statement is reset. */
void store_sqlite_bind_text(struct store_sqlite_binder *b, struct span s);

/** The statement that a row is written with. */
enum store_sqlite_statement store_sqlite_statement_of(
	const struct presence_row *row);

/** Bind what it needs; the row stays until the statement is reset.
 * @return 0 or the library's code */
int store_sqlite_bind(struct sqlite3_stmt *stmt,
		      const struct presence_row *row) FED_NODISCARD;

/**
 * The row at which the statement stands; its spans are valid until the next
 * step.
 *
 * @return NULL, or what is wrong with it
 */
const char *store_sqlite_read(struct sqlite3_stmt *stmt,
			      enum presence_row_kind kind,
			      struct presence_row *out);

/* --- store_sqlite_federation.c -------------------------------------------- */

/** Inside of a transaction. @return SQLITE_OK, or the library's code */
int store_sqlite_write_revision(struct sqlite3_stmt *const *statements,
				const struct federation_revision_row *r)
	FED_NODISCARD;

/** As store_load_federation(). */
int store_sqlite_load_federation(struct sqlite3_stmt *const *statements,
				 const struct store_federation_reader *fn,
				 void *arg) FED_NODISCARD;

/** As store_ask(). */
void store_sqlite_answer(struct sqlite3_stmt *const *statements,
			 const struct store_ask *ask, struct arena *a,
			 struct store_answer *out);

#endif
