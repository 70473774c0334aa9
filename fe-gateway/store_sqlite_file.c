/*
 * The file: whose it is, whether it is whole, and nobody else's meanwhile.
 * Nothing is written before that is known.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "fe-gateway/store_sqlite.h"

/* The library has texts of several lines, and names in quotes.  The log has a
 * line for each event, and this in quotes. */
static void put_on_one_line(struct errbuf *e)
{
	for (char *c = e->text; *c != '\0'; c++)
		if ((unsigned char)*c < ' ')
			*c = ' ';
		else if (*c == '"')
			*c = '\'';
}

/* The library's sentence does not say much: with the system's where there is
 * one, else with the code that says what was being done. */
void store_sqlite_explain(struct sqlite3 *db, const char *what,
			  struct errbuf *e)
{
	int sys = sqlite3_system_errno(db);
	int rc = sqlite3_errcode(db);
	int code = sqlite3_extended_errcode(db);

	if (sys != 0 && (rc == SQLITE_IOERR || rc == SQLITE_CANTOPEN))
		errbuf_set(e, "%s: %s (%s)", what, sqlite3_errmsg(db),
			   strerror(sys));
	else if (code != rc)
		errbuf_set(e, "%s: %s (code %d of SQLite)", what,
			   sqlite3_errmsg(db), code);
	else
		errbuf_set(e, "%s: %s", what, sqlite3_errmsg(db));
	put_on_one_line(e);
}

/* --- before the library has it -------------------------------------------- */

static int check_folder(const char *path, struct errbuf *e)
{
	const char *slash = strrchr(path, '/');
	char folder[4096] = ".";
	struct stat st;
	int why = 0;

	if (slash != NULL && snprintf(folder, sizeof(folder), "%.*s",
				      slash == path ? 1 : (int)(slash - path),
				      path) >= (int)sizeof(folder)) {
		errbuf_set(e, "%.200s...: the path is too long", path);
		return FED_ECONFIG;
	}
	if (stat(folder, &st) != 0)
		why = errno;
	else if (!S_ISDIR(st.st_mode))
		why = ENOTDIR;
	if (why != 0) {
		errbuf_set(e,
			   "%s: its folder cannot be used: %s; expected a "
			   "folder that this user may write to",
			   path, strerror(why));
		return FED_ECONFIG;
	}
	/* the log is a second file beside it */
	if (faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) != 0) {
		errbuf_set(e, "%s: its folder cannot be written to: %s", path,
			   strerror(errno));
		return FED_ECONFIG;
	}
	return 0;
}

/* Made by us for its mode.  An empty file is an empty database. */
static int make_file(const char *path, struct errbuf *e)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0) {
		errbuf_set(e, "%s: cannot be made: %s", path, strerror(errno));
		return FED_ECONFIG;
	}
	(void)close(fd); /* nothing was written */
	return 0;
}

static int check_file(const char *path, struct errbuf *e)
{
	struct stat st;

	if (stat(path, &st) != 0) {
		if (errno == ENOENT)
			return make_file(path, e);
		errbuf_set(e, "%s: cannot be used: %s", path, strerror(errno));
		return FED_ECONFIG;
	}
	if (!S_ISREG(st.st_mode)) {
		errbuf_set(e, "%s: is not a file", path);
		return FED_ECONFIG;
	}
	/* what is opened must not be closed again: the library's locks in this
	 * process would go with it */
	if (faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS) != 0) {
		errbuf_set(e, "%s: cannot be written: %s", path,
			   strerror(errno));
		return FED_ECONFIG;
	}
	return 0;
}

/* --- what is in it -------------------------------------------------------- */

struct file {
	sqlite3 *db;
	const char *path;
	struct errbuf *e;
};

static int complain(const struct file *f)
{
	switch (sqlite3_errcode(f->db)) {
	case SQLITE_BUSY:
		errbuf_set(f->e,
			   "%s: another process has it open; each gateway "
			   "needs a file of its own",
			   f->path);
		return FED_ECONFIG;
	case SQLITE_NOTADB:
		errbuf_set(f->e, "%s: is not a database of this program",
			   f->path);
		return FED_ECONFIG;
	case SQLITE_CORRUPT:
		errbuf_set(f->e,
			   "%s: is damaged (%s); put a copy in its place, or "
			   "move it away to begin without subscriptions",
			   f->path, sqlite3_errmsg(f->db));
		return FED_EIO;
	case SQLITE_NOMEM:
		errbuf_set(f->e, "out of memory");
		return FED_ENOMEM;
	default:
		store_sqlite_explain(f->db, f->path, f->e);
		return FED_EIO;
	}
}

static int run(const struct file *f, const char *sql)
{
	return sqlite3_exec(f->db, sql, NULL, NULL, NULL) == SQLITE_OK
		       ? 0
		       : complain(f);
}

struct answer {
	char text[256];
	int64_t number; /* 0: it is none */
};

/* The only column of the only row. */
static int ask(const struct file *f, const char *sql, struct answer *out)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(f->db, sql, -1, &stmt, NULL);
	int err = 0;

	*out = (struct answer){.text = ""};
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW) {
		const unsigned char *text;

		out->number = sqlite3_column_int64(stmt, 0);
		text = sqlite3_column_text(stmt, 0);
		(void)snprintf(out->text, sizeof(out->text), "%s",
			       text != NULL ? (const char *)text : "");
	} else {
		err = complain(f);
	}
	(void)sqlite3_finalize(stmt);
	return err;
}

/* A new file has nothing in it, not even the mark. */
static int check_owner(const struct file *f, int known)
{
	struct answer application = {.number = 0};
	struct answer version = {.number = 0};
	struct answer objects = {.number = 0};
	int err = ask(f, "PRAGMA application_id", &application);

	if (err == 0)
		err = ask(f, "PRAGMA user_version", &version);
	if (err == 0)
		err = ask(f, "SELECT count(*) FROM sqlite_schema", &objects);
	if (err != 0)
		return err;
	if (application.number != STORE_SQLITE_APPLICATION &&
	    (application.number != 0 || version.number != 0 ||
	     objects.number != 0)) {
		errbuf_set(f->e, "%s: is a database of another program",
			   f->path);
		return FED_ECONFIG;
	}
	if (version.number < 0 || version.number > known) {
		errbuf_set(f->e,
			   "%s: was made by a newer program (schema %" PRId64
			   ", this one knows %d)",
			   f->path, version.number, known);
		return FED_ECONFIG;
	}
	return 0;
}

static int check_whole(const struct file *f)
{
	struct answer answer;
	int err = ask(f, "PRAGMA quick_check(1)", &answer);

	if (err != 0 || strcmp(answer.text, "ok") == 0)
		return err;
	errbuf_set(f->e,
		   "%s: is damaged (%.200s); put a copy in its place, or move "
		   "it away to begin without subscriptions",
		   f->path, answer.text);
	return FED_EIO;
}

/* What is acknowledged is on disk: FULL syncs the log at each commit. */
static int set_up(const struct file *f)
{
	char settings[192];
	struct answer mode;
	int err = ask(f, "PRAGMA journal_mode = WAL", &mode);

	if (err == 0 && strcmp(mode.text, "wal") != 0) {
		errbuf_set(f->e, "%s: cannot have a log beside it", f->path);
		return FED_EIO;
	}
	(void)snprintf(settings, sizeof(settings),
		       "PRAGMA synchronous = FULL;"
		       "PRAGMA wal_autocheckpoint = 0;"
		       "PRAGMA journal_size_limit = %u;"
		       "PRAGMA cache_size = -16384;",
		       LIMIT_STORE_LOG_BYTES);
	return err != 0 ? err : run(f, settings);
}

static int open_for_us(const struct file *f, int version)
{
	/* EXCLUSIVE: no second process, and no reader that would keep the log
	 * from being copied; the locks are taken when it is first read */
	int err = run(f, "PRAGMA locking_mode = EXCLUSIVE;"
			 "PRAGMA trusted_schema = OFF;"
			 "PRAGMA cell_size_check = ON;"
			 "PRAGMA temp_store = MEMORY;");

	if (err == 0)
		err = check_owner(f, version);
	if (err == 0 && sqlite3_db_readonly(f->db, "main") != 0) {
		errbuf_set(f->e, "%s: cannot be written", f->path);
		return FED_ECONFIG;
	}
	if (err == 0)
		err = check_whole(f);
	return err != 0 ? err : set_up(f);
}

int store_sqlite_file_open(struct sqlite3 **db_out, const char *path,
			   int version, struct errbuf *e)
{
	struct file f = {.path = path, .e = e};
	int err = check_folder(path, e);

	if (err == 0)
		err = check_file(path, e);
	if (err != 0)
		return err;
	/* NOMUTEX: one thread at a time is in it */
	if (sqlite3_open_v2(path, &f.db,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
			    NULL) != SQLITE_OK) {
		err = f.db != NULL ? complain(&f) : FED_ENOMEM;
	} else {
		(void)sqlite3_busy_timeout(f.db, LIMIT_STORE_BUSY_MS);
		err = open_for_us(&f, version);
	}
	if (err != 0) {
		put_on_one_line(e);
		(void)sqlite3_close(f.db);
		return err;
	}
	*db_out = f.db;
	return 0;
}
