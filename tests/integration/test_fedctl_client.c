/* fedctl's socket: a long request to a daemon that does not read all of it. */
/* clang-format off: cmocka wants this order */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "chan/chan_rules.h"
#include "deploy/fedctl/client.h"

enum { LONG = 1024 * 1024 }; /* more than a socket holds */

struct daemon {
	char folder[64];
	struct sockaddr_un sa;
	int fd;
};

static void open_daemon(struct daemon *d)
{
	*d = (struct daemon){.sa = {.sun_family = AF_UNIX}};
	(void)snprintf(d->folder, sizeof(d->folder), "/tmp/fedctl-XXXXXX");
	assert_non_null(mkdtemp(d->folder));
	(void)snprintf(d->sa.sun_path, sizeof(d->sa.sun_path), "%s/sock",
		       d->folder);
	d->fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(
		0, bind(d->fd, (const struct sockaddr *)&d->sa, sizeof(d->sa)));
	assert_int_equal(0, listen(d->fd, 1));
}

static void close_daemon(struct daemon *d)
{
	(void)close(d->fd);
	assert_int_equal(0, unlink(d->sa.sun_path));
	assert_int_equal(0, rmdir(d->folder));
}

static int ask(struct client *c, unsigned patience_s, struct errbuf *e)
{
	Fed__AdminRequest r;
	char *edge = calloc(1, LONG);
	int err;

	assert_non_null(edge);
	memset(edge, 'x', LONG - 1);
	fed__admin_request__init(&r);
	r.edge = edge;
	err = client_ask(c, &r, patience_s, e);
	free(edge);
	return err;
}

static void test_nobody_reads(void **state)
{
	struct errbuf e = {.text = ""};
	struct daemon d;
	struct client c;

	(void)state;
	open_daemon(&d);
	client_init(&c, d.sa.sun_path);
	assert_int_equal(FED_EIO, ask(&c, 1, &e));
	assert_non_null(strstr(e.text, d.sa.sun_path));
	assert_non_null(strstr(e.text, "reads nothing for 1 seconds"));
	client_deinit(&c);
	close_daemon(&d);
}

/* In a process of its own: it has read a part, says why, and closes while
 * more of it is there. */
static void refuse(const struct daemon *d)
{
	static const char why[] = "no";
	static char part[64 * 1024];
	struct pollfd more = {.events = POLLIN};
	Fed__AdminResponse r;
	struct buf out;

	fed__admin_response__init(&r);
	r.error = chan_unconst(why);
	r.last = true;
	buf_init(&out, 1024);
	more.fd = accept(d->fd, NULL, NULL);
	if (recv(more.fd, part, sizeof(part), 0) <= 0 ||
	    poll(&more, 1, -1) != 1 ||
	    admin_codec_put_response(&out, &r) != 0 ||
	    send(more.fd, buf_span(&out).p, buf_len(&out), 0) <= 0)
		_exit(1);
	_exit(0);
}

static void test_refused(void **state)
{
	Fed__AdminResponse *r = NULL;
	struct errbuf e = {.text = ""};
	struct daemon d;
	struct client c;
	int status = -1;
	pid_t pid;

	(void)state;
	open_daemon(&d);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		refuse(&d);
	client_init(&c, d.sa.sun_path);
	if (ask(&c, 60, &e) != 0 || client_next(&c, &r, &e) != 0)
		fail_msg("%s", e.text);
	assert_string_equal("no", r->error);
	client_deinit(&c);
	assert_int_equal(pid, waitpid(pid, &status, 0));
	assert_int_equal(0, status);
	close_daemon(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nobody_reads),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
