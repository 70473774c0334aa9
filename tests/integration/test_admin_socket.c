/* The file of the admin socket: its mode, and what lies in its place. */
#include "admin_rig.h"

static void test_mode(void **state)
{
	mode_t old = umask(077);
	struct stat st;
	struct rig r;

	(void)state;
	open_rig(&r);
	(void)umask(old);
	assert_int_equal(0, stat(r.path, &st));
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(0660, st.st_mode & 07777);
	assert_int_equal(getegid(), st.st_gid);
	close_rig(&r);
}

static void test_living_daemon(void **state)
{
	struct admin_server *second;
	struct errbuf e;
	struct client c;
	struct rig r;

	(void)state;
	open_rig(&r);
	assert_int_equal(FED_EIO, serve(&r, &second, &e));
	assert_non_null(strstr(e.text, "another process listens there"));
	assert_non_null(strstr(e.text, r.path));
	/* the first one was not disturbed */
	open_client(&r, &c);
	ask(&c, 1);
	wait_seen(&r, &c, 1);
	assert_true(c.is_last);
	close_client(&c);
	close_rig(&r);
}

static void test_dead_daemon(void **state)
{
	struct sockaddr_un sa;
	struct client c;
	struct rig r;
	struct errbuf e;
	int fd;

	(void)state;
	open_rig(&r);
	admin_server_free(r.server);
	turn(&r, 2);
	sa = address(&r);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(0, bind(fd, (const struct sockaddr *)&sa, sizeof(sa)));
	(void)close(fd); /* as kill -9 leaves it */
	assert_int_equal(0, access(r.path, F_OK));
	assert_int_equal(0, serve(&r, &r.server, &e));
	open_client(&r, &c);
	ask(&c, 1);
	wait_seen(&r, &c, 1);
	assert_int_equal(1, c.seen);
	close_client(&c);
	close_rig(&r);
}

static void test_no_socket(void **state)
{
	struct admin_server *s;
	struct rig r;
	struct errbuf e;
	int fd;

	(void)state;
	open_rig(&r);
	admin_server_free(r.server);
	r.server = NULL;
	fd = open(r.path, O_CREAT | O_WRONLY | O_EXCL, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(FED_EIO, serve(&r, &s, &e));
	assert_non_null(strstr(e.text, "a file that is no socket is there"));
	assert_int_equal(0, unlink(r.path)); /* still there */
	(void)snprintf(r.path, sizeof(r.path), "%s/none/sock", r.folder);
	assert_int_equal(FED_EIO, serve(&r, &s, &e));
	assert_non_null(strstr(e.text, "no such file or directory"));
	close_rig(&r);
}

/* Whoever took the name since keeps it. */
static void test_name_of_another(void **state)
{
	struct rig r;
	int fd;

	(void)state;
	open_rig(&r);
	assert_int_equal(0, unlink(r.path));
	fd = open(r.path, O_CREAT | O_WRONLY | O_EXCL, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
	admin_server_free(r.server);
	r.server = NULL;
	assert_int_equal(0, access(r.path, F_OK));
	assert_int_equal(0, unlink(r.path));
	close_rig(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mode),
		cmocka_unit_test(test_living_daemon),
		cmocka_unit_test(test_dead_daemon),
		cmocka_unit_test(test_no_socket),
		cmocka_unit_test(test_name_of_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
