/* Connections that never say anything, on loopback. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <stdbool.h>
#include <unistd.h>

/* one file of the daemon, without the SIP library the others link */
#include "fe-gateway/sip_silent.h"

struct pair {
	int client;
	int server;
};

static int listen_on(struct sockaddr_in *a)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t n = sizeof(*a);

	*a = (struct sockaddr_in){.sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)a, n), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)a, &n), 0);
	return fd;
}

static struct pair connect_to(int listener, const struct sockaddr_in *a)
{
	struct pair p = {socket(AF_INET, SOCK_STREAM, 0), -1};

	assert_int_equal(
		connect(p.client, (const struct sockaddr *)a, sizeof(*a)), 0);
	p.server = accept(listener, NULL, NULL);
	assert_true(p.server >= 0);
	return p;
}

static bool is_open(struct pair p)
{
	char c;

	return recv(p.client, &c, 1, MSG_DONTWAIT) < 0;
}

static void close_pair(struct pair p)
{
	(void)close(p.client);
	(void)close(p.server);
}

/* Only the accepted end that never got a byte is ended, and not too early:
 * what this process dialled itself stays. */
static void test_only_silent_ones(void **state)
{
	struct sockaddr_in a;
	int listener = listen_on(&a);
	struct pair silent = connect_to(listener, &a);
	struct pair talking = connect_to(listener, &a);

	(void)state;
	assert_int_equal(send(talking.client, "x", 1, 0), 1);
	assert_int_equal(sip_silent_end(60000), 0);
	assert_true(is_open(silent));
	(void)usleep(300000);
	assert_int_equal(sip_silent_end(200), 1);
	assert_false(is_open(silent));
	assert_true(is_open(talking));
	close_pair(silent);
	close_pair(talking);
	(void)close(listener);
}

static void test_without_listener(void **state)
{
	struct sockaddr_in a;
	int listener = listen_on(&a);
	struct pair p = connect_to(listener, &a);

	(void)state;
	(void)close(listener);
	(void)usleep(50000);
	assert_int_equal(sip_silent_end(10), 0);
	assert_true(is_open(p));
	close_pair(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_silent_ones),
		cmocka_unit_test(test_without_listener),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
