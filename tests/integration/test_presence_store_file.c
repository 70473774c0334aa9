/*
 * The file of the SQLite store: what is found at the start, each with its
 * sentence, and versions.
 */
#include "store_file.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "fe-gateway/store_sqlite.h"

static const struct store_factory factory = {"sqlite", store_file_make,
					     store_file_drop};

enum { NOBODY = 65534 };

static int setup(void **state)
{
	struct store_rig *r = malloc(sizeof(*r));

	assert_non_null(r);
	rig_init(r, &factory);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct store_rig *r = *state;

	rig_deinit(r);
	free(r);
	return 0;
}

/* It does not open, and the sentence has that. */
static void assert_refused(struct store_rig *r, int err, const char *words)
{
	struct errbuf e = {.text = ""};

	int got = rig_try_open(r, &e);

	if (got != err || strstr(e.text, words) == NULL ||
	    strstr(e.text, r->path) == NULL)
		fail_msg("%d, \"%s\" in \"%s\"?", got, words, e.text);
}

/* As another program does, or a later one. */
static void sql(const struct store_rig *r, const char *text)
{
	sqlite3 *db = NULL;
	char *why = NULL;

	assert_int_equal(SQLITE_OK, sqlite3_open(r->path, &db));
	if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s: %s", text, why);
	assert_int_equal(SQLITE_OK, sqlite3_close(db));
}

static void write_file(const struct store_rig *r, const char *text)
{
	int fd = open(r->path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(strlen(text), write(fd, text, strlen(text)));
	assert_int_equal(0, close(fd));
}

/* A store with some rows, closed. */
static void fill(struct store_rig *r, int rows)
{
	char name[32];

	rig_open(r);
	for (int i = 0; i < rows; i++) {
		(void)snprintf(name, sizeof(name), "u%d", i);
		rig_put(r, row_of_watch(name, "juliet@xmpp.example", 1));
		rig_put(r, row_of_dialog(name, "t", 1));
	}
	rig_close(r);
}

/* --- a place that is wrong ------------------------------------------------ */

static void test_files_are_private(void **state)
{
	struct store_rig *r = *state;
	char name[300];
	struct stat st;

	(void)umask(0);
	rig_open(r);
	rig_put(r, row_of_watch("a", "b", 1));
	rig_settle(r);
	assert_int_equal(0, stat(r->path, &st));
	assert_int_equal(0600, st.st_mode & 07777);
	(void)snprintf(name, sizeof(name), "%s-wal", r->path);
	assert_int_equal(0, stat(name, &st));
	assert_int_equal(0600, st.st_mode & 07777);
	(void)umask(022);
	rig_close(r);
	assert_int_equal(-1, stat(name, &st)); /* all is in the file */
}

static void test_places_that_cannot_be(void **state)
{
	struct store_rig *r = *state;
	char good[sizeof(r->path)];

	memcpy(good, r->path, sizeof(good));
	(void)snprintf(r->path, sizeof(r->path), "/nowhere/store.db");
	assert_refused(r, FED_ECONFIG, "folder cannot be used: No such file");
	(void)snprintf(r->path, sizeof(r->path), "/etc/passwd/store.db");
	assert_refused(r, FED_ECONFIG, "folder cannot be used: Not a dir");
	(void)snprintf(r->path, sizeof(r->path), "/tmp");
	assert_refused(r, FED_ECONFIG, "is not a file");
	(void)snprintf(r->path, sizeof(r->path), "/dev/null");
	assert_refused(r, FED_ECONFIG, "is not a file");
	memcpy(r->path, good, sizeof(good));
}

static void test_postgresql_is_not_there_yet(void **state)
{
	struct store_rig *r = *state;
	char good[sizeof(r->path)];
	struct errbuf e = {.text = ""};

	memcpy(good, r->path, sizeof(good));
	(void)snprintf(r->path, sizeof(r->path), "postgresql://db.example/fed");
	assert_int_equal(FED_ECONFIG, rig_try_open(r, &e));
	assert_non_null(strstr(e.text, "SQLite only"));
	memcpy(r->path, good, sizeof(good));
}

static void test_user_may_not(void **state)
{
	struct store_rig *r = *state;
	char folder[300];

	store_file_folder(r->path, folder, sizeof(folder));
	assert_int_equal(0, chmod(folder, 0755));
	assert_int_equal(0, seteuid(NOBODY));
	assert_refused(r, FED_ECONFIG,
		       "folder cannot be written to: Permission denied");
	assert_int_equal(0, seteuid(0));
	fill(r, 1);
	assert_int_equal(0, chmod(folder, 0777));
	assert_int_equal(0, seteuid(NOBODY));
	assert_refused(r, FED_ECONFIG, "cannot be written: Permission denied");
	assert_int_equal(0, seteuid(0));
	assert_int_equal(0, chmod(r->path, 0444));
	assert_int_equal(0, chown(r->path, NOBODY, NOBODY));
	assert_int_equal(0, seteuid(NOBODY));
	assert_refused(r, FED_ECONFIG, "cannot be written: Permission denied");
	assert_int_equal(0, seteuid(0));
}

static void test_two_in_one_process(void **state)
{
	struct store_rig *r = *state;
	struct store_rig second = *r;

	rig_open(r);
	assert_refused(&second, FED_ECONFIG, "another process has it open");
	rig_put(r, row_of_watch("a", "b", 1));
	rig_settle(r);
	assert_refused(&second, FED_ECONFIG, "another process has it open");
	rig_close(r);
	rig_open(r);
}

/* The child holds it; -1: it could not. */
static pid_t hold_in_child(struct store_rig *r, int *ready)
{
	int fd[2];
	pid_t pid;
	char c;

	assert_int_equal(0, pipe(fd));
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		rig_open(r);
		if (write(fd[1], "x", 1) == 1)
			(void)pause();
		_exit(0);
	}
	(void)close(fd[1]);
	assert_int_equal(1, read(fd[0], &c, 1));
	*ready = fd[0];
	return pid;
}

static void test_two_processes(void **state)
{
	struct store_rig *r = *state;
	int ready;
	pid_t pid = hold_in_child(r, &ready);
	uint64_t began = uv_hrtime();

	assert_refused(r, FED_ECONFIG,
		       "another process has it open; each gateway needs");
	assert_in_range((uv_hrtime() - began) / 1000000, 0, 2000);
	assert_int_equal(0, kill(pid, SIGKILL));
	assert_int_equal(pid, waitpid(pid, NULL, 0));
	(void)close(ready);
	rig_open(r); /* nothing of it is in the way */
}

/* --- a file that is wrong ------------------------------------------------- */

static void test_not_ours(void **state)
{
	struct store_rig *r = *state;

	write_file(r, "This is a letter to my mother, and it is long enough "
		      "for what comes first in a database of SQLite: more "
		      "than a hundred bytes.\n");
	assert_refused(r, FED_ECONFIG, "is not a database");
	(void)unlink(r->path);

	sql(r, "CREATE TABLE letters (text)");
	assert_refused(r, FED_ECONFIG, "a database of another program");
	(void)unlink(r->path);

	sql(r, "CREATE TABLE t (x); PRAGMA application_id = 7;"
	       "PRAGMA user_version = 1");
	assert_refused(r, FED_ECONFIG, "a database of another program");
	(void)unlink(r->path);

	write_file(r, ""); /* made beforehand: as good as none */
	fill(r, 1);
}

static void test_made_by_a_newer_program(void **state)
{
	struct store_rig *r = *state;
	struct rig_rows rows;

	fill(r, 3);
	sql(r, "PRAGMA user_version = 7");
	assert_refused(r, FED_ECONFIG,
		       "was made by a newer program (schema 7, "
		       "this one knows 2)");
	sql(r, "PRAGMA user_version = 2");
	rig_reload(r, &rows); /* it was left as it was */
	assert_int_equal(3, rows.watches);
	rig_rows_free(&rows);
}

static void test_truncated(void **state)
{
	struct store_rig *r = *state;
	struct stat st;

	fill(r, 2000);
	assert_int_equal(0, stat(r->path, &st));
	assert_int_equal(0, truncate(r->path, st.st_size - 4096));
	assert_refused(r, FED_EIO, "is damaged");
	assert_int_equal(0, truncate(r->path, st.st_size / 2));
	assert_refused(r, FED_EIO, "is damaged");
	assert_int_equal(0, truncate(r->path, 4096));
	assert_refused(r, FED_EIO, "is damaged");
	assert_int_equal(0, truncate(r->path, 50));
	assert_refused(r, FED_EIO, "is damaged");
}

static void flip(const struct store_rig *r, off_t from, size_t n,
		 unsigned *seed)
{
	int fd = open(r->path, O_WRONLY);
	char byte;

	assert_true(fd >= 0);
	for (size_t i = 0; i < n; i++) {
		byte = (char)(rand_r(seed) >> 8);
		assert_int_equal(1, pwrite(fd, &byte, 1, from + (off_t)i));
	}
	assert_int_equal(0, close(fd));
}

static char *read_all(const struct store_rig *r, size_t n)
{
	char *p = malloc(n);
	int fd = open(r->path, O_RDONLY);

	assert_non_null(p);
	assert_int_equal(n, read(fd, p, n));
	assert_int_equal(0, close(fd));
	return p;
}

static void write_all(const struct store_rig *r, const char *p, size_t n)
{
	int fd = open(r->path, O_WRONLY | O_TRUNC);

	assert_int_equal(n, write(fd, p, n));
	assert_int_equal(0, close(fd));
}

/* Damage anywhere: it is said, or the rows that come are rows. */
static void test_damaged(void **state)
{
	struct store_rig *r = *state;
	struct errbuf e;
	struct stat st;
	unsigned refused = 0;
	unsigned of_many_lines = 0;
	unsigned unreadable = 0;
	unsigned seed = 1;
	size_t size;
	char *good;

	fill(r, 1000);
	assert_int_equal(0, stat(r->path, &st));
	size = (size_t)st.st_size;
	good = read_all(r, size);
	for (int i = 0; i < 300; i++) {
		/* the head of a page, where its structure is, or anywhere */
		size_t from = (size_t)rand_r(&seed) % (size - 64);
		struct rig_rows rows = {0};

		if (i % 2 == 0)
			from = from / 4096 * 4096;
		write_all(r, good, size);
		flip(r, (off_t)from, 1 + (size_t)rand_r(&seed) % 64, &seed);
		if (rig_try_open(r, &e) != 0) {
			assert_non_null(strstr(e.text, r->path));
			if (strpbrk(e.text, "\n\"") != NULL)
				of_many_lines++;
			refused++;
			continue;
		}
		if (store_load(r->store, rig_on_row, &rows) != 0)
			unreadable++;
		assert_in_range(rows.watches, 0, 1000);
		assert_in_range(rows.dialogs, 0, 1000);
		rig_rows_free(&rows);
		rig_close(r);
	}
	assert_in_range(refused, 150, 300);
	assert_int_equal(0, of_many_lines);
	assert_int_equal(0, unreadable); /* what opens is whole */
	free(good);
}

static void test_rows_that_are_wrong_are_left_out(void **state)
{
	struct store_rig *r = *state;
	struct rig_rows rows;

	fill(r, 10);
	sql(r, "UPDATE watch SET direction = 2 WHERE local = x'7530';"
	       "UPDATE watch SET auth = -1 WHERE local = x'7531';"
	       "UPDATE watch SET remote = x'' WHERE local = x'7532';"
	       "UPDATE watch SET told = zeroblob(200000) WHERE local = x'7533';"
	       "UPDATE dialog SET is_active = 2 WHERE call_id = x'7530';"
	       "UPDATE dialog SET local_cseq = 4294967296 "
	       "WHERE call_id = x'7531';"
	       "UPDATE dialog SET local_tag = x'' WHERE call_id = x'7532'");
	rig_reload(r, &rows);
	assert_int_equal(6, rows.watches);
	assert_int_equal(7, rows.dialogs);
	rig_rows_free(&rows);
	assert_non_null(strstr(r->logged, "rows=13 left_out=7"));
	assert_non_null(strstr(r->logged, "table=watch wrong=auth"));
	assert_non_null(strstr(r->logged, "table=dialog wrong=local_cseq"));
}

/* --- versions ------------------------------------------------------------- */

static int version_of(sqlite3 *db, const char *pragma)
{
	sqlite3_stmt *stmt = NULL;
	int version;

	assert_int_equal(SQLITE_OK,
			 sqlite3_prepare_v2(db, pragma, -1, &stmt, NULL));
	assert_int_equal(SQLITE_ROW, sqlite3_step(stmt));
	version = sqlite3_column_int(stmt, 0);
	assert_int_equal(SQLITE_OK, sqlite3_finalize(stmt));
	return version;
}

static void test_steps_from_schema_to_schema(void **state)
{
	static const char *const sqls[] = {
		"CREATE TABLE a (x); INSERT INTO a VALUES (1)",
		"ALTER TABLE a ADD COLUMN y; UPDATE a SET y = x + 1",
		"CREATE TABLE b (x); INSERT INTO b SELECT y FROM a",
		"CREATE TABLE c (x); INSERT INTO nowhere VALUES (1)",
	};
	struct store_rig *r = *state;
	struct store_sqlite_steps s = {sqls, 1};
	struct errbuf e = {.text = ""};
	sqlite3 *db = NULL;

	assert_int_equal(SQLITE_OK, sqlite3_open(r->path, &db));
	for (s.count = 1; s.count <= 3; s.count += 2) {
		/* 0 to 1, then 1 to 3 over 2; and again, which does nothing */
		assert_int_equal(
			0, store_sqlite_migrate(db, r->path, &s, &r->log, &e));
		assert_int_equal(
			0, store_sqlite_migrate(db, r->path, &s, &r->log, &e));
		assert_int_equal(s.count,
				 version_of(db, "PRAGMA user_version"));
	}
	assert_int_equal(STORE_SQLITE_APPLICATION,
			 version_of(db, "PRAGMA application_id"));
	assert_int_equal(2, version_of(db, "SELECT x FROM b"));
	assert_non_null(strstr(r->logged, "from=0 to=1"));
	assert_non_null(strstr(r->logged, "from=1 to=3"));

	/* a step that fails leaves nothing, and the rest as it was */
	s.count = 4;
	assert_int_equal(FED_EIO,
			 store_sqlite_migrate(db, r->path, &s, NULL, &e));
	assert_non_null(strstr(e.text, "cannot be brought to schema 4: no "
				       "such table: nowhere"));
	assert_int_equal(3, version_of(db, "PRAGMA user_version"));
	assert_int_equal(2, version_of(db, "SELECT count(*) FROM "
					   "sqlite_schema"));
	assert_int_equal(SQLITE_OK, sqlite3_close(db));
}

/* As the first release wrote it.  Never change this: it is what is out there;
 * the row that is expected gets defaults for what came later. */
static void test_a_file_of_schema_1(void **state)
{
	struct store_rig *r = *state;
	struct presence_row w =
		row_of_watch("romeo@sip.example", "juliet@xmpp.example", 1700);
	struct presence_row d = row_of_dialog("c1", "t1", 1800);
	struct rig_rows rows;

	sql(r, "CREATE TABLE watch (direction INTEGER NOT NULL, local BLOB NOT "
	       "NULL, remote BLOB NOT NULL, auth INTEGER NOT NULL, since_ms "
	       "INTEGER NOT NULL, told BLOB NOT NULL, PRIMARY KEY (direction, "
	       "local, remote)) STRICT, WITHOUT ROWID;"
	       "CREATE TABLE dialog (call_id BLOB NOT NULL, local_tag BLOB NOT "
	       "NULL, direction INTEGER NOT NULL, local BLOB NOT NULL, remote "
	       "BLOB NOT NULL, remote_tag BLOB NOT NULL, local_uri BLOB NOT "
	       "NULL, remote_uri BLOB NOT NULL, target BLOB NOT NULL, routes "
	       "BLOB NOT NULL, event_id BLOB NOT NULL, local_cseq INTEGER NOT "
	       "NULL, remote_cseq INTEGER NOT NULL, expires_ms INTEGER NOT "
	       "NULL, is_active INTEGER NOT NULL, PRIMARY KEY (call_id, "
	       "local_tag)) STRICT, WITHOUT ROWID;"
	       "INSERT INTO watch VALUES (0, CAST('romeo@sip.example' AS BLOB),"
	       " CAST('juliet@xmpp.example' AS BLOB), 2, 1700, "
	       "CAST('desk' AS BLOB));"
	       "INSERT INTO dialog VALUES (CAST('c1' AS BLOB), "
	       "CAST('t1' AS BLOB), 1, CAST('romeo@sip.example' AS BLOB), "
	       "CAST('juliet@xmpp.example' AS BLOB), CAST('t2' AS BLOB), "
	       "CAST('sip:l' AS BLOB), CAST('sip:r' AS BLOB), "
	       "CAST('sip:t' AS BLOB), CAST('<sip:p;lr>' AS BLOB), x'', 8, 9, "
	       "1800, 1);"
	       "PRAGMA application_id = 1178944583; PRAGMA user_version = 1");
	rig_reload(r, &rows);
	w.u.watch.told = SPAN_LIT("desk");
	d.u.dialog.remote_tag = SPAN_LIT("t2");
	d.u.dialog.local_uri = SPAN_LIT("sip:l");
	d.u.dialog.remote_uri = SPAN_LIT("sip:r");
	d.u.dialog.target = SPAN_LIT("sip:t");
	d.u.dialog.routes = SPAN_LIT("<sip:p;lr>");
	d.u.dialog.local_cseq = 8;
	d.u.dialog.remote_cseq = 9;
	d.u.dialog.is_active = true;
	assert_int_equal(1, rows.watches);
	assert_int_equal(1, rows.dialogs);
	assert_true(rig_rows_have(&rows, &w));
	assert_true(rig_rows_have(&rows, &d));
	rig_rows_free(&rows);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_files_are_private),
		TEST(test_places_that_cannot_be),
		TEST(test_postgresql_is_not_there_yet),
		TEST(test_user_may_not),
		TEST(test_two_processes),
		TEST(test_two_in_one_process),
		TEST(test_not_ours),
		TEST(test_made_by_a_newer_program),
		TEST(test_truncated),
		TEST(test_damaged),
		TEST(test_rows_that_are_wrong_are_left_out),
		TEST(test_steps_from_schema_to_schema),
		TEST(test_a_file_of_schema_1),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
