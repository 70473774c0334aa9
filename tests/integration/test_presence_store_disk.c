/*
 * The SQLite store on a disk that is full or refuses, and the bound of its
 * log.  Rows wait; trouble is told once when it begins and once when it ends.
 */
#include "store_file.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

static const struct store_factory factory = {"sqlite", store_file_make,
					     store_file_drop};

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

static void put_many(struct store_rig *r, int from, int count, size_t bytes)
{
	char *text = calloc(1, bytes);
	char name[32];

	assert_non_null(text);
	for (int i = from; i < from + count; i++) {
		struct presence_row row;

		(void)snprintf(name, sizeof(name), "u%d", i);
		row = row_of_watch(name, "b", 1);
		row.u.watch.told = span_of(text, bytes);
		rig_put(r, row);
	}
	free(text);
}

static bool is_troubled(const struct store_rig *r)
{
	return r->troubles > 0;
}

static bool never(const struct store_rig *r)
{
	(void)r;
	return false;
}

static void assert_watches(struct store_rig *r, size_t count)
{
	struct rig_rows rows;

	rig_reload(r, &rows);
	assert_int_equal(count, rows.watches);
	rig_rows_free(&rows);
}

/* --- a small disk --------------------------------------------------------- */

/* In place of the folder, for this process alone. */
static void mount_small(struct store_rig *r, const char *options)
{
	char folder[300];

	store_file_folder(r->path, folder, sizeof(folder));
	assert_int_equal(0, unshare(CLONE_NEWNS));
	assert_int_equal(0,
			 mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
	assert_int_equal(0, mount("none", folder, "tmpfs", 0, options));
}

static void remount(struct store_rig *r, unsigned long flags,
		    const char *options)
{
	char folder[300];

	store_file_folder(r->path, folder, sizeof(folder));
	assert_int_equal(
		0, mount("none", folder, "tmpfs", MS_REMOUNT | flags, options));
}

static void unmount(struct store_rig *r)
{
	char folder[300];

	rig_close(r);
	store_file_remove(r->path);
	store_file_folder(r->path, folder, sizeof(folder));
	assert_int_equal(0, umount(folder));
}

static void test_disk_full(void **state)
{
	struct store_rig *r = *state;
	uint64_t committed;

	mount_small(r, "size=1m");
	rig_open(r);
	put_many(r, 0, 10, 1000);
	rig_settle(r);
	assert_int_equal(0, r->troubles);
	committed = r->committed;
	put_many(r, 10, 30, 100000);
	assert_true(rig_run(r, is_troubled, 5000));
	assert_non_null(strstr(r->why, r->path));
	assert_non_null(strstr(r->why, "full"));
	put_many(r, 40, 20, 1000); /* these wait behind them */
	(void)rig_run(r, never, 1000);
	assert_int_equal(1, r->troubles); /* once, for all tries */
	assert_int_equal(0, r->mends);
	assert_in_range(r->committed, committed, 39);
	assert_in_range(store_pending(r->store), 20, 50);

	remount(r, 0, "size=32m");
	rig_settle(r);
	assert_int_equal(1, r->troubles);
	assert_int_equal(1, r->mends);
	assert_watches(r, 60);
	unmount(r);
}

/* What was committed before is there; what could not be is told. */
static void test_disk_full_to_the_end(void **state)
{
	struct store_rig *r = *state;
	uint64_t began;

	mount_small(r, "size=1m");
	rig_open(r);
	put_many(r, 0, 10, 1000);
	rig_settle(r);
	put_many(r, 10, 60, 100000);
	assert_true(rig_run(r, is_troubled, 5000));
	began = uv_hrtime();
	rig_close(r);
	assert_in_range((uv_hrtime() - began) / 1000000, 1000,
			LIMIT_STORE_CLOSE_MS + 1000);
	assert_non_null(strstr(r->logged, "event=store_lost rows="));
	remount(r, 0, "size=32m");
	rig_open(r);
	unmount(r);
}

/* The end of the program does not wait for the next try. */
static void test_room_at_the_last_moment(void **state)
{
	struct store_rig *r = *state;

	mount_small(r, "size=1m");
	rig_open(r);
	put_many(r, 0, 60, 100000);
	assert_true(rig_run(r, is_troubled, 5000));
	(void)rig_run(r, never, 2000); /* tries are far between by now */
	remount(r, 0, "size=32m");
	assert_watches(r, 60);
	assert_null(strstr(r->logged, "store_lost"));
	unmount(r);
}

static void test_folder_of_a_disk_that_is_read_only(void **state)
{
	struct store_rig *r = *state;
	struct errbuf e = {.text = ""};

	mount_small(r, "size=1m");
	rig_open(r);
	rig_close(r);
	remount(r, MS_RDONLY, NULL);
	assert_int_equal(FED_ECONFIG, rig_try_open(r, &e));
	assert_non_null(strstr(e.text, "Read-only file system"));
	remount(r, 0, NULL);
	unmount(r);
}

/* A new file does not fit: said at the start. */
static void test_no_room_at_the_start(void **state)
{
	struct store_rig *r = *state;
	struct errbuf e = {.text = ""};

	mount_small(r, "size=8k");
	assert_int_equal(FED_EIO, rig_try_open(r, &e));
	assert_non_null(strstr(e.text, "full"));
	unmount(r);
}

/* Another error than a full disk: a file may not grow. */
static void test_write_that_fails(void **state)
{
	struct store_rig *r = *state;
	struct rlimit small = {1024 * 1024, RLIM_INFINITY};
	struct rlimit large = {RLIM_INFINITY, RLIM_INFINITY};

	(void)signal(SIGXFSZ, SIG_IGN);
	rig_open(r);
	assert_int_equal(0, setrlimit(RLIMIT_FSIZE, &small));
	put_many(r, 0, 40, 100000);
	(void)rig_run(r, is_troubled, 5000);
	assert_int_equal(0, setrlimit(RLIMIT_FSIZE, &large));
	/* newer versions of the library hand the system's word on */
	if (strstr(r->why, "disk I/O error (code 778 ") == NULL &&
	    strstr(r->why, "disk I/O error (File too large)") == NULL)
		fail_msg("%s", r->why);
	rig_settle(r);
	assert_int_equal(1, r->troubles);
	assert_int_equal(1, r->mends);
	assert_watches(r, 40);
}

/* --- the log -------------------------------------------------------------- */

static off_t log_bytes(const struct store_rig *r)
{
	char name[300];
	struct stat st;

	(void)snprintf(name, sizeof(name), "%s-wal", r->path);
	return stat(name, &st) == 0 ? st.st_size : 0;
}

/* Much more is written than the log may have. */
static void test_log_is_bounded(void **state)
{
	struct store_rig *r = *state;
	/* one transaction above it at most, and 24 bytes for each page */
	const off_t bound = LIMIT_STORE_LOG_BYTES + 8 * 1024 * 1024;
	off_t largest = 0;

	rig_open(r);
	for (int i = 0; i < 100; i++) {
		put_many(r, i % 3 * 50, 50, 100000);
		rig_settle(r);
		if (log_bytes(r) > largest)
			largest = log_bytes(r);
		assert_in_range(log_bytes(r), 0, bound);
	}
	assert_in_range(largest, LIMIT_STORE_LOG_BYTES / 2, bound);
	assert_watches(r, 150);
	assert_int_equal(0, log_bytes(r));
}

/* Where the file cannot grow, the log does not grow instead. */
static void test_log_is_bounded_while_it_cannot_be_copied(void **state)
{
	struct store_rig *r = *state;

	mount_small(r, "size=32m");
	rig_open(r);
	for (int i = 0; i < 8 && r->troubles == 0; i++) {
		put_many(r, i * 50, 50, 100000);
		(void)rig_run(r, rig_is_settled, 1000);
	}
	assert_int_equal(1, r->troubles);
	assert_in_range(log_bytes(r), 0,
			LIMIT_STORE_LOG_BYTES + 8 * 1024 * 1024);
	remount(r, 0, "size=128m");
	rig_settle(r);
	assert_int_equal(1, r->mends);
	assert_watches(r, r->put_seq);
	unmount(r);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_disk_full),
		TEST(test_disk_full_to_the_end),
		TEST(test_room_at_the_last_moment),
		TEST(test_folder_of_a_disk_that_is_read_only),
		TEST(test_no_room_at_the_start),
		TEST(test_write_that_fails),
		TEST(test_log_is_bounded),
		TEST(test_log_is_bounded_while_it_cannot_be_copied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
