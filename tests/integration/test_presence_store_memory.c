/* The SQLite store when the library gets no memory. */
#include "store_file.h"

#include <sqlite3.h>
#include <stdatomic.h>

static const struct store_factory factory = {"sqlite", store_file_make,
					     store_file_drop};

static sqlite3_mem_methods real;
static _Atomic long countdown;	 /* the one that reaches 0 fails */
static _Atomic bool is_for_ever; /* and all after it */

static bool fails(void)
{
	long before = atomic_fetch_sub(&countdown, 1);

	return before == 1 || (before < 1 && atomic_load(&is_for_ever));
}

static void *counted_malloc(int n)
{
	return fails() ? NULL : real.xMalloc(n);
}

static void *counted_realloc(void *p, int n)
{
	return fails() ? NULL : real.xRealloc(p, n);
}

static void want_memory(long from, bool for_ever)
{
	atomic_store(&is_for_ever, for_ever);
	atomic_store(&countdown, from);
}

static void have_memory(void)
{
	want_memory(INT32_MAX, false);
}

static int setup(void **state)
{
	struct store_rig *r = malloc(sizeof(*r));

	assert_non_null(r);
	have_memory();
	rig_init(r, &factory);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct store_rig *r = *state;

	have_memory();
	rig_deinit(r);
	free(r);
	return 0;
}

/* Every allocation of a start fails once, in turn, for a new file and for one
 * with rows; nothing of it stays behind, and the rows do. */
static void sweep_open(struct store_rig *r, unsigned at_least)
{
	unsigned failed = 0;
	bool was_hit = true;

	for (long n = 1; was_hit; n++) {
		struct errbuf e = {.text = ""};
		int err;

		want_memory(n, false);
		err = rig_try_open(r, &e);
		was_hit = atomic_load(&countdown) < 1;
		have_memory();
		if (err != 0) {
			failed++;
			assert_true(err == FED_ENOMEM || err == FED_EIO);
			assert_true(e.text[0] != '\0');
			assert_null(r->store);
		} else {
			rig_close(r);
		}
		assert_in_range(n, 1, 100000);
	}
	assert_in_range(failed, at_least, 100000);
}

static void test_start_without_memory(void **state)
{
	struct store_rig *r = *state;
	struct rig_rows rows;

	sweep_open(r, 20);
	rig_open(r);
	rig_put(r, row_of_watch("a", "b", 1));
	rig_put(r, row_of_dialog("c", "t", 1));
	rig_close(r);
	sweep_open(r, 20);
	rig_reload(r, &rows);
	assert_int_equal(1, rows.watches);
	assert_int_equal(1, rows.dialogs);
	rig_rows_free(&rows);
}

static int count_row(const struct presence_row *row, void *arg)
{
	(void)row;
	++*(int *)arg;
	return 0;
}

static void test_load_without_memory(void **state)
{
	struct store_rig *r = *state;
	int count = 0;
	int err;

	rig_open(r);
	for (int i = 0; i < 2000; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "u%d", i);
		rig_put(r, row_of_watch(name, "b", 1));
	}
	rig_close(r);
	rig_open(r);
	want_memory(2, true);
	err = store_load(r->store, count_row, &count);
	have_memory();
	/* all of them, or an error: never a part that passes for all */
	assert_true(err == FED_ENOMEM || (err == 0 && count == 2000));
	count = 0;
	assert_int_equal(0, store_load(r->store, count_row, &count));
	assert_int_equal(2000, count);
}

static bool is_troubled(const struct store_rig *r)
{
	return r->troubles > 0;
}

/* One allocation fails: the batch is written at the next try, whole. */
static void test_write_with_a_gap(void **state)
{
	struct store_rig *r = *state;
	struct rig_rows rows;
	char name[32];

	rig_open(r);
	for (int i = 0; i < 60; i++) {
		(void)snprintf(name, sizeof(name), "u%d", i);
		want_memory(1 + i, false);
		rig_put(r, row_of_dialog(name, "t", 1));
		if (i % 3 == 0)
			rig_settle(r);
	}
	have_memory();
	rig_settle(r);
	assert_in_range(r->troubles, 1, 60);
	assert_int_equal(r->troubles, r->mends);
	rig_reload(r, &rows);
	assert_int_equal(60, rows.dialogs);
	rig_rows_free(&rows);
}

static void test_write_without_memory(void **state)
{
	struct store_rig *r = *state;
	struct presence_row row = row_of_watch("a", "b", 7);
	struct rig_rows rows;
	char text[60000];

	memset(text, 'x', sizeof(text));
	row.u.watch.told = span_of(text, sizeof(text));
	rig_open(r);
	want_memory(1, true);
	rig_put(r, row);
	assert_true(rig_run(r, is_troubled, 5000));
	assert_non_null(strstr(r->why, "out of memory"));
	have_memory();
	rig_settle(r);
	assert_int_equal(1, r->troubles);
	assert_int_equal(1, r->mends);
	rig_reload(r, &rows);
	assert_int_equal(1, rows.watches);
	rig_rows_free(&rows);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_start_without_memory),
		TEST(test_load_without_memory),
		TEST(test_write_with_a_gap),
		TEST(test_write_without_memory),
	};
	sqlite3_mem_methods counted;

	have_memory();
	if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real) != SQLITE_OK)
		return 1;
	counted = real;
	counted.xMalloc = counted_malloc;
	counted.xRealloc = counted_realloc;
	if (sqlite3_config(SQLITE_CONFIG_MALLOC, &counted) != SQLITE_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
