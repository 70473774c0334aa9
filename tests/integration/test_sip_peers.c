/* Connections that end between two looks, on loopback. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fe-gateway/sip_peers.h"

struct lost {
	char ip[SIP_IP_TEXT_BYTES];
	uint16_t port;
	int count;
};

static void on_lost(const char *ip, uint16_t port, void *arg)
{
	struct lost *l = arg;

	memcpy(l->ip, ip, strlen(ip) + 1);
	l->port = port;
	l->count++;
}

static int listen_on(struct sockaddr_in *a)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t n = sizeof(*a);

	*a = (struct sockaddr_in){.sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	assert_int_equal(bind(fd, (struct sockaddr *)a, n), 0);
	assert_int_equal(listen(fd, SIP_PEERS_MOST + 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)a, &n), 0);
	return fd;
}

static int connect_to(const struct sockaddr_in *a)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (const struct sockaddr *)a, sizeof(*a)),
			 0);
	return fd;
}

static void test_end_is_seen_once(void **state)
{
	static struct sip_peers peers;
	struct lost lost = {.count = 0};
	struct sockaddr_in a;
	int listener = listen_on(&a);
	int first = connect_to(&a);
	int second;

	(void)state;
	sip_peers_look(&peers, on_lost, &lost);
	sip_peers_look(&peers, on_lost, &lost);
	assert_int_equal(lost.count, 0);
	close(first);
	/* the same descriptor, the same peer, another connection */
	second = connect_to(&a);
	assert_int_equal(first, second);
	sip_peers_look(&peers, on_lost, &lost);
	assert_int_equal(lost.count, 1);
	assert_string_equal(lost.ip, "127.0.0.1");
	assert_int_equal(lost.port, ntohs(a.sin_port));
	sip_peers_look(&peers, on_lost, &lost);
	assert_int_equal(lost.count, 1);
	close(second);
	close(listener);
}

/* With more connections than are looked at, those that found no room in the
 * list are there all the same. */
static void test_too_many(void **state)
{
	static struct sip_peers peers;
	static int fds[SIP_PEERS_MOST];
	struct lost lost = {.count = 0};
	struct sockaddr_in a;
	int low = dup(0);
	int listener = listen_on(&a);
	int first;

	(void)state;
	for (size_t i = 0; i < SIP_PEERS_MOST; i++)
		fds[i] = connect_to(&a);
	sip_peers_look(&peers, on_lost, &lost);
	close(low);
	/* it is looked at before the others */
	first = connect_to(&a);
	assert_int_equal(first, low);
	sip_peers_look(&peers, on_lost, &lost);
	assert_int_equal(lost.count, 0);
	close(fds[0]);
	sip_peers_look(&peers, on_lost, &lost);
	assert_int_equal(lost.count, 1);
	for (size_t i = 1; i < SIP_PEERS_MOST; i++)
		close(fds[i]);
	close(first);
	close(listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_end_is_seen_once),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
