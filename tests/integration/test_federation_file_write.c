/* Files that are replaced whole, on a disk that does not always do. */
#include "loopback.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "io/file_read.h"
#include "io/file_write.h"

/* ---- the disk ------------------------------------------------------------ */

static bool is_folder_bad;
static bool is_file_bad;
static unsigned folder_syncs;

int fsync(int fd)
{
	struct stat st;
	bool is_folder = fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);

	folder_syncs += is_folder;
	if (is_folder ? is_folder_bad : is_file_bad) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fsync, fd);
}

static char folder[] = "/tmp/file_write.XXXXXX";
static char path[sizeof(folder) + 8];
static char beside[sizeof(folder) + 16];

static int set_up(void **state)
{
	struct errbuf e = {""};

	(void)state;
	is_folder_bad = false;
	is_file_bad = false;
	folder_syncs = 0;
	memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/file", folder);
	(void)snprintf(beside, sizeof(beside), "%s.new", path);
	assert_int_equal(0, file_replace(path, SPAN_LIT("old"), &e));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	(void)unlink(path);
	assert_int_equal(0, rmdir(folder)); /* nothing lies beside */
	return 0;
}

static void expect_file(const char *content)
{
	struct errbuf e = {""};
	struct buf b;

	buf_init(&b, 64u * 1024u);
	assert_int_equal(0, file_read(path, &b, &e));
	assert_true(span_eq_str(buf_span(&b), content));
	buf_deinit(&b);
	assert_int_equal(-1, access(beside, F_OK));
}

/* ---- tests --------------------------------------------------------------- */

static void test_replaced(void **state)
{
	struct errbuf e = {""};
	struct stat st;

	(void)state;
	folder_syncs = 0;
	assert_int_equal(0, file_replace_try(path, SPAN_LIT("new"), &e));
	assert_int_equal(1, folder_syncs);
	expect_file("old");
	assert_int_equal(0, file_replace(path, SPAN_LIT("new"), &e));
	assert_int_equal(2, folder_syncs);
	expect_file("new");
	assert_int_equal(0, stat(path, &st));
	assert_int_equal(0600, st.st_mode & 0777);
}

static void test_bytes_do_not_go(void **state)
{
	struct errbuf e = {""};

	(void)state;
	is_file_bad = true;
	assert_int_equal(FED_EIO, file_replace_try(path, SPAN_LIT("new"), &e));
	assert_int_equal(FED_EIO, file_replace(path, SPAN_LIT("new"), &e));
	assert_non_null(strstr(e.text, "file.new: Input/output error"));
	expect_file("old");
}

/* A check says it before anything changes; afterwards it is too late to say
 * that nothing did. */
static void test_folder_does_not_go(void **state)
{
	struct errbuf e = {""};

	(void)state;
	is_folder_bad = true;
	assert_int_equal(FED_EIO, file_replace_try(path, SPAN_LIT("new"), &e));
	assert_non_null(strstr(e.text, "/file: Input/output error"));
	expect_file("old");
	assert_int_equal(FED_ESTATE, file_replace(path, SPAN_LIT("new"), &e));
	assert_non_null(strstr(e.text, "/file: Input/output error"));
	expect_file("new");
}

static void test_no_folder(void **state)
{
	struct errbuf e = {""};
	char lost[sizeof(path) + 8];

	(void)state;
	(void)snprintf(lost, sizeof(lost), "%s/x/file", folder);
	assert_int_equal(FED_EIO, file_replace_try(lost, SPAN_LIT("new"), &e));
	assert_int_equal(FED_EIO, file_replace(lost, SPAN_LIT("new"), &e));
	assert_non_null(strstr(e.text, "/x/: No such file or directory"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_replaced),
		T(test_bytes_do_not_go),
		T(test_folder_does_not_go),
		T(test_no_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
