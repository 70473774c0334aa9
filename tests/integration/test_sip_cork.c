/* Messages of one turn in one segment, on loopback. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <unistd.h>

/* one file of the daemon, without the SIP library the others link */
#include "fe-gateway/sip_cork.h"

struct pair {
	int client;
	int server;
};

static struct pair connect_pair(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct pair p = {socket(AF_INET, SOCK_STREAM, 0), -1};
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t n = sizeof(a);
	int yes = 1;

	assert_int_equal(bind(listener, (struct sockaddr *)&a, n), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&a, &n), 0);
	assert_int_equal(connect(p.client, (struct sockaddr *)&a, n), 0);
	p.server = accept(listener, NULL, NULL);
	assert_true(p.server >= 0);
	/* as sofia does */
	assert_int_equal(setsockopt(p.client, IPPROTO_TCP, TCP_NODELAY, &yes,
				    sizeof(yes)),
			 0);
	(void)close(listener);
	return p;
}

static void close_pair(struct pair p)
{
	(void)close(p.client);
	(void)close(p.server);
}

static int is_corked(int fd)
{
	int value = -1;
	socklen_t n = sizeof(value);

	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_CORK, &value, &n), 0);
	return value;
}

/* What arrived so far, without waiting. */
static ssize_t arrived(int fd)
{
	char text[64];

	return recv(fd, text, sizeof(text), MSG_DONTWAIT | MSG_PEEK);
}

static void send_message(struct sip_cork *c, int fd)
{
	sip_cork_message(c, 1000);
	assert_int_equal(send(fd, "message", 7, 0), 7);
}

/* Loopback delivers what is sent at once. */
static void test_one_leaves_at_once(void **state)
{
	struct pair p = connect_pair();
	struct sip_cork c = {.count = 0};

	(void)state;
	for (int turn = 0; turn < 3; turn++) {
		send_message(&c, p.client);
		assert_int_equal(is_corked(p.client), 0);
		assert_int_equal(arrived(p.server), 7 * (turn + 1));
		sip_cork_release(&c);
	}
	close_pair(p);
}

static void test_many_leave_together(void **state)
{
	struct pair p = connect_pair();
	struct sip_cork c = {.count = 0};

	(void)state;
	send_message(&c, p.client);
	send_message(&c, p.client);
	send_message(&c, p.client);
	assert_int_equal(arrived(p.server), 7);
	sip_cork_release(&c);
	assert_int_equal(is_corked(p.client), 0);
	assert_int_equal(arrived(p.server), 21);
	/* the next turn begins anew */
	send_message(&c, p.client);
	assert_int_equal(arrived(p.server), 28);
	close_pair(p);
}

/* A connection made since the last look is left alone until the next one. */
static void test_sockets_are_looked_for(void **state)
{
	struct pair old = connect_pair();
	struct sip_cork c = {.count = 0};
	struct pair young;

	(void)state;
	sip_cork_message(&c, 1000);
	sip_cork_message(&c, 1000);
	assert_int_equal(is_corked(old.client), 1);
	sip_cork_release(&c);
	young = connect_pair();
	sip_cork_message(&c, 1999);
	sip_cork_message(&c, 1999);
	assert_int_equal(is_corked(young.client), 0);
	sip_cork_release(&c);
	sip_cork_message(&c, 2000);
	sip_cork_message(&c, 2000);
	assert_int_equal(is_corked(young.client), 1);
	/* one that was closed meanwhile does no harm */
	close_pair(old);
	sip_cork_release(&c);
	assert_int_equal(is_corked(young.client), 0);
	close_pair(young);
}

/* Each message would cost more calls than it saves packets. */
static void test_too_many_are_left_alone(void **state)
{
	struct pair p[SIP_CORK_SOCKETS];
	struct sip_cork c = {.count = 0};

	(void)state;
	for (size_t i = 0; i < SIP_CORK_SOCKETS; i++)
		p[i] = connect_pair();
	send_message(&c, p[0].client);
	send_message(&c, p[0].client);
	assert_int_equal(is_corked(p[0].client), 0);
	assert_int_equal(arrived(p[0].server), 14);
	sip_cork_release(&c);
	for (size_t i = 0; i < SIP_CORK_SOCKETS; i++)
		close_pair(p[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_leaves_at_once),
		cmocka_unit_test(test_many_leave_together),
		cmocka_unit_test(test_sockets_are_looked_for),
		cmocka_unit_test(test_too_many_are_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
