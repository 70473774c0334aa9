/*
 * The file of the SQLite store is deleted or replaced while it is in use:
 * that is told, nothing more is reported as committed, and a whole copy takes
 * its place as soon as nothing else stands there.
 */
#include "store_file.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>

static const struct store_factory factory = {"sqlite", store_file_make,
					     store_file_drop};

enum { ROWS = 20 };

static int setup(void **state)
{
	struct store_rig *r = malloc(sizeof(*r));

	assert_non_null(r);
	rig_init(r, &factory);
	rig_open(r);
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

static void put_rows(struct store_rig *r, int count)
{
	char name[32];

	for (int i = 0; i < count; i++) {
		(void)snprintf(name, sizeof(name), "u%" PRIu64, r->put_seq);
		rig_put(r, row_of_watch(name, "juliet@xmpp.example", 1));
	}
}

static bool is_troubled(const struct store_rig *r)
{
	return r->troubles > 0;
}

static bool is_mended(const struct store_rig *r)
{
	return r->mends > 0 && rig_is_settled(r);
}

static bool never(const struct store_rig *r)
{
	(void)r;
	return false;
}

static void name_of(const struct store_rig *r, const char *end, char *out,
		    size_t size)
{
	(void)snprintf(out, size, "%s%s", r->path, end);
}

static void drop(const struct store_rig *r, const char *end)
{
	char name[300];

	name_of(r, end, name, sizeof(name));
	assert_int_equal(0, unlink(name));
}

static void move(const struct store_rig *r, const char *from, const char *to)
{
	char names[2][300];

	name_of(r, from, names[0], sizeof(names[0]));
	name_of(r, to, names[1], sizeof(names[1]));
	assert_int_equal(0, rename(names[0], names[1]));
}

static bool is_there(const struct store_rig *r, const char *end)
{
	char name[300];

	name_of(r, end, name, sizeof(name));
	return access(name, F_OK) == 0;
}

/* A note of somebody: what must not be touched. */
static void write_note(const struct store_rig *r, const char *end)
{
	char name[300];
	int fd;

	name_of(r, end, name, sizeof(name));
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0644);
	assert_int_equal(4, write(fd, "note", 4));
	assert_int_equal(0, close(fd));
}

static void assert_note(const struct store_rig *r, const char *end)
{
	char name[300];
	char text[16];
	int fd;

	name_of(r, end, name, sizeof(name));
	fd = open(name, O_RDONLY);
	assert_int_equal(4, read(fd, text, sizeof(text)));
	assert_memory_equal("note", text, 4);
	assert_int_equal(0, close(fd));
}

/* Told once, and no more is committed. */
static void assert_told(struct store_rig *r, const char *words)
{
	assert_true(rig_run(r, is_troubled, 10000));
	if (strstr(r->why, words) == NULL || strstr(r->why, r->path) == NULL)
		fail_msg("\"%s\" in \"%s\"?", words, r->why);
}

/* Over, told once, and each row is there for one who opens it anew. */
static void assert_mended(struct store_rig *r)
{
	struct rig_rows rows;
	size_t count = r->put_seq;
	struct stat st;

	assert_true(rig_run(r, is_mended, 10000));
	assert_int_equal(1, r->troubles);
	assert_int_equal(1, r->mends);
	assert_int_equal(0, stat(r->path, &st));
	assert_int_equal(0600, st.st_mode & 07777);
	assert_int_equal(1, st.st_nlink);
	assert_false(is_there(r, "-copy"));
	rig_reload(r, &rows);
	assert_int_equal(count, rows.watches);
	rig_rows_free(&rows);
	assert_null(strstr(r->logged, "store_lost"));
}

/* --- gone ----------------------------------------------------------------- */

static void test_deleted(void **state)
{
	struct store_rig *r = *state;

	(void)umask(0);
	put_rows(r, ROWS);
	rig_settle(r);
	drop(r, "");
	drop(r, "-wal");
	put_rows(r, ROWS);
	assert_told(r, "store.db: is gone");
	assert_int_equal(ROWS, r->committed);
	put_rows(r, ROWS);
	assert_true(rig_run(r, is_mended, 10000));
	put_rows(r, ROWS); /* it goes on in the new one */
	rig_settle(r);
	assert_mended(r);
	(void)umask(022);
}

/* Killed at once: what was reported after the copy, and before, is on disk. */
static void test_deleted_then_killed(void **state)
{
	struct store_rig *r = *state;
	struct rig_rows rows;
	int status = 0;
	pid_t pid;

	rig_close(r);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		rig_open(r);
		put_rows(r, ROWS);
		rig_settle(r);
		drop(r, "");
		put_rows(r, ROWS);
		rig_settle(r);
		_exit(r->troubles == 1 ? 0 : 1);
	}
	assert_int_equal(pid, waitpid(pid, &status, 0));
	assert_int_equal(0, status);
	rig_reload(r, &rows);
	assert_int_equal(2 * ROWS, rows.watches);
	rig_rows_free(&rows);
}

/* The old log would be read into the new file. */
static void test_deleted_without_its_log(void **state)
{
	struct store_rig *r = *state;

	put_rows(r, ROWS);
	rig_settle(r);
	drop(r, "");
	put_rows(r, ROWS);
	assert_told(r, "store.db: is gone");
	assert_mended(r);
}

static void test_log_deleted(void **state)
{
	struct store_rig *r = *state;

	put_rows(r, ROWS);
	rig_settle(r);
	drop(r, "-wal");
	put_rows(r, ROWS);
	assert_told(r, "store.db-wal: is gone");
	assert_mended(r);
}

/* Nobody writes: it is found all the same. */
static void test_deleted_while_nothing_is_written(void **state)
{
	struct store_rig *r = *state;

	put_rows(r, ROWS);
	rig_settle(r);
	drop(r, "");
	drop(r, "-wal");
	assert_true(rig_run(r, is_troubled, LIMIT_STORE_LOOK_MS + 1000));
	assert_mended(r);
}

/* What waits for it to come back is in nobody's way. */
static void test_replaced_before_it_is_read(void **state)
{
	struct store_rig *r = *state;
	struct rig_rows rows = {0};

	put_rows(r, ROWS);
	rig_close(r);
	rig_open(r);
	drop(r, "");
	write_note(r, "");
	assert_true(rig_run(r, is_troubled, LIMIT_STORE_LOOK_MS + 1000));
	assert_int_equal(0, store_load(r->store, rig_on_row, &rows));
	assert_int_equal(ROWS, rows.watches);
	rig_rows_free(&rows);
	drop(r, "");
	r->put_seq = r->committed = 0;
	put_rows(r, ROWS);
	assert_mended(r);
}

/* The end of the program is the last moment. */
static void test_deleted_just_before_the_end(void **state)
{
	struct store_rig *r = *state;
	struct rig_rows rows;

	put_rows(r, ROWS);
	rig_settle(r);
	drop(r, "");
	drop(r, "-wal");
	rig_reload(r, &rows);
	assert_int_equal(ROWS, rows.watches);
	rig_rows_free(&rows);
}

/* Again and again, with the next one's log and all. */
static void test_deleted_often(void **state)
{
	struct store_rig *r = *state;

	for (int i = 0; i < 5; i++) {
		r->troubles = r->mends = 0;
		drop(r, "");
		if (i % 2 == 0)
			drop(r, "-wal");
		put_rows(r, ROWS);
		assert_told(r, "is gone");
		assert_true(rig_run(r, is_mended, 10000));
	}
	assert_mended(r);
}

/* --- another -------------------------------------------------------------- */

static void test_replaced(void **state)
{
	struct store_rig *r = *state;

	put_rows(r, ROWS);
	rig_settle(r);
	drop(r, "");
	write_note(r, "");
	put_rows(r, ROWS);
	assert_told(r, "store.db: was replaced by another file");
	(void)rig_run(r, never, 1000);
	assert_int_equal(0, r->mends);
	assert_int_equal(ROWS, r->committed);
	assert_note(r, "");
	/* it would be read into the other at the next start */
	assert_false(is_there(r, "-wal"));
	drop(r, "");
	assert_mended(r);
}

static void test_log_replaced(void **state)
{
	struct store_rig *r = *state;

	put_rows(r, ROWS);
	rig_settle(r);
	drop(r, "-wal");
	write_note(r, "-wal");
	put_rows(r, ROWS);
	assert_told(r, "store.db-wal: was replaced by another file");
	(void)rig_run(r, never, 500);
	assert_note(r, "-wal");
	drop(r, "-wal");
	assert_mended(r);
}

/* The other and its log stay as they are, what could not be kept is told. */
static void test_replaced_to_the_end(void **state)
{
	struct store_rig *r = *state;

	put_rows(r, ROWS);
	rig_settle(r);
	drop(r, "");
	drop(r, "-wal");
	write_note(r, "");
	write_note(r, "-wal");
	put_rows(r, ROWS);
	assert_told(r, "was replaced by another file");
	rig_close(r);
	assert_note(r, "");
	assert_note(r, "-wal");
	assert_non_null(strstr(r->logged, "event=store_lost rows=20 why="));
	assert_false(is_there(r, "-copy"));
}

/* Moved away it is whole, with what was in the log; and it can come back. */
static void test_moved_away_and_back(void **state)
{
	struct store_rig *r = *state;
	sqlite3 *db = NULL;
	sqlite3_stmt *stmt = NULL;
	char name[300];

	put_rows(r, ROWS);
	rig_settle(r);
	move(r, "", "-old");
	write_note(r, "");
	put_rows(r, ROWS);
	assert_told(r, "was replaced by another file");
	(void)rig_run(r, never, 500);
	drop(r, "");
	move(r, "-old", "");
	assert_mended(r);

	r->troubles = r->mends = 0;
	move(r, "", "-old");
	put_rows(r, ROWS);
	assert_true(rig_run(r, is_mended, 10000));
	name_of(r, "-old", name, sizeof(name));
	assert_int_equal(SQLITE_OK, sqlite3_open(name, &db));
	assert_int_equal(SQLITE_OK,
			 sqlite3_prepare_v2(db, "SELECT count(*) FROM watch",
					    -1, &stmt, NULL));
	assert_int_equal(SQLITE_ROW, sqlite3_step(stmt));
	assert_in_range(sqlite3_column_int(stmt, 0), 2 * ROWS, 3 * ROWS);
	assert_int_equal(SQLITE_OK, sqlite3_finalize(stmt));
	assert_int_equal(SQLITE_OK, sqlite3_close(db));
	drop(r, "-old");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_deleted),
		TEST(test_deleted_then_killed),
		TEST(test_deleted_without_its_log),
		TEST(test_log_deleted),
		TEST(test_deleted_while_nothing_is_written),
		TEST(test_replaced_before_it_is_read),
		TEST(test_deleted_just_before_the_end),
		TEST(test_deleted_often),
		TEST(test_replaced),
		TEST(test_log_replaced),
		TEST(test_replaced_to_the_end),
		TEST(test_moved_away_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
