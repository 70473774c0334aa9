/* How many connections strangers and all may have, on loopback. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
/* one file of the daemon, without the SIP library the others link */
#include "fe-gateway/sip_accept.h"

static const char TRUSTED[] = "127.0.0.1";
static const char STRANGER[] = "127.0.0.2";

struct seen {
	size_t refused;
	char ip[INET6_ADDRSTRLEN];
};

static bool is_trusted(struct span ip, void *arg)
{
	(void)arg;
	return span_eq_str(ip, TRUSTED);
}

static void on_refused(struct span ip, void *arg)
{
	struct seen *s = arg;

	s->refused++;
	assert_true(ip.n < sizeof(s->ip));
	memcpy(s->ip, ip.p, ip.n);
	s->ip[ip.n] = '\0';
}

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

/* The accepted end, -1 when refused; the client's in *client_out. */
static int connect_from(const char *ip, int listener,
			const struct sockaddr_in *to, int *client_out)
{
	struct sockaddr_in from = {.sin_family = AF_INET};
	struct sockaddr_in peer;
	socklen_t n = sizeof(peer);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int server;

	assert_int_equal(inet_pton(AF_INET, ip, &from.sin_addr), 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)to, sizeof(*to)),
			 0);
	*client_out = fd;
	/* as the library calls it */
	server = accept(listener, (struct sockaddr *)&peer, &n);
	if (server < 0) {
		assert_int_equal(errno, EAGAIN);
		return -1;
	}
	assert_int_equal(n, sizeof(peer));
	assert_int_equal(peer.sin_addr.s_addr, from.sin_addr.s_addr);
	return server;
}

static bool is_closed(int client)
{
	char c;

	return recv(client, &c, 1, 0) == 0;
}

static void test_strangers(void **state)
{
	struct seen seen = {.refused = 0};
	const struct sip_accept_policy p = {is_trusted, on_refused, &seen};
	int client[LIMIT_SIP_STRANGER_CONNECTIONS];
	int server[LIMIT_SIP_STRANGER_CONNECTIONS];
	struct sockaddr_in a;
	int listener = listen_on(&a);
	int c, s;

	(void)state;
	sip_accept_set(&p);
	for (size_t i = 0; i < LIMIT_SIP_STRANGER_CONNECTIONS; i++) {
		server[i] = connect_from(STRANGER, listener, &a, &client[i]);
		assert_true(server[i] >= 0);
	}
	assert_int_equal(connect_from(STRANGER, listener, &a, &c), -1);
	assert_true(is_closed(c));
	(void)close(c);
	assert_int_equal(seen.refused, 1);
	assert_string_equal(seen.ip, STRANGER);
	/* the others are not touched, and one that goes makes room */
	s = connect_from(TRUSTED, listener, &a, &c);
	assert_true(s >= 0);
	(void)close(s);
	(void)close(c);
	(void)close(server[3]);
	(void)close(client[3]);
	server[3] = connect_from(STRANGER, listener, &a, &client[3]);
	assert_true(server[3] >= 0);
	for (size_t i = 0; i < LIMIT_SIP_STRANGER_CONNECTIONS; i++) {
		(void)close(client[i]);
		(void)close(server[i]);
	}
	assert_int_equal(seen.refused, 1);
	sip_accept_set(NULL);
	(void)close(listener);
}

static void test_all(void **state)
{
	static int client[LIMIT_SIP_CONNECTIONS], server[LIMIT_SIP_CONNECTIONS];
	struct seen seen = {.refused = 0};
	const struct sip_accept_policy p = {is_trusted, on_refused, &seen};
	struct sockaddr_in a;
	int listener = listen_on(&a);
	int c;

	(void)state;
	sip_accept_set(&p);
	for (size_t i = 0; i < LIMIT_SIP_CONNECTIONS; i++) {
		server[i] = connect_from(TRUSTED, listener, &a, &client[i]);
		assert_true(server[i] >= 0);
	}
	assert_int_equal(connect_from(TRUSTED, listener, &a, &c), -1);
	assert_int_equal(seen.refused, 1);
	(void)close(c);
	for (size_t i = 0; i < LIMIT_SIP_CONNECTIONS; i++) {
		(void)close(client[i]);
		(void)close(server[i]);
	}
	sip_accept_set(NULL);
	c = -1;
	server[0] = connect_from(STRANGER, listener, &a, &c);
	assert_true(server[0] >= 0);
	(void)close(server[0]);
	(void)close(c);
	(void)close(listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strangers),
		cmocka_unit_test(test_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
