/* The library does not show its sockets, so the process' own are looked at. */
#include "fe-gateway/sip_silent.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/socket.h>

enum {
	PORTS_MAX = 64,
	/* descriptors are given out from below: behind so many that are not
	 * in use there are no more */
	HOLE_MAX = 1024,
};

struct ports {
	in_port_t port[PORTS_MAX];
	size_t count;
};

/* What Linux fills; the C library's structure is older and shorter. */
struct tcp_facts {
	struct tcp_info info;
	uint64_t pacing_rate;
	uint64_t max_pacing_rate;
	uint64_t bytes_acked;
	uint64_t bytes_received;
};

/* -1: no such option, so no such socket */
static int option(int fd, int name)
{
	socklen_t n = sizeof(int);
	int value = -1;

	if (getsockopt(fd, SOL_SOCKET, name, &value, &n) != 0)
		return -1;
	return value;
}

/* Local port in network order; 0: none. */
static in_port_t port_of(int fd)
{
	struct sockaddr_storage a = {.ss_family = AF_UNSPEC};
	socklen_t n = sizeof(a);

	if (getsockname(fd, (struct sockaddr *)&a, &n) != 0)
		return 0;
	if (a.ss_family == AF_INET)
		return ((struct sockaddr_in *)&a)->sin_port;
	if (a.ss_family == AF_INET6)
		return ((struct sockaddr_in6 *)&a)->sin6_port;
	return 0;
}

static bool has_port(const struct ports *p, in_port_t port)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->port[i] == port)
			return true;
	return false;
}

static bool is_silent(int fd, uint32_t age_ms)
{
	struct tcp_facts t = {.bytes_received = 1};
	socklen_t n = sizeof(t);

	/* without data the time runs from the handshake */
	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &t, &n) == 0 &&
	       n == sizeof(t) && t.info.tcpi_state == TCP_ESTABLISHED &&
	       t.bytes_received == 0 && t.info.tcpi_last_data_recv >= age_ms;
}

typedef bool (*socket_fn)(int fd, struct ports *p, uint32_t age_ms);

static bool note_listener(int fd, struct ports *p, uint32_t age_ms)
{
	(void)age_ms;
	if (p->count == PORTS_MAX || option(fd, SO_ACCEPTCONN) != 1)
		return false;
	p->port[p->count] = port_of(fd);
	if (p->port[p->count] == 0)
		return false;
	p->count++;
	return true;
}

static bool end_silent(int fd, struct ports *p, uint32_t age_ms)
{
	return option(fd, SO_ACCEPTCONN) == 0 && has_port(p, port_of(fd)) &&
	       is_silent(fd, age_ms) && shutdown(fd, SHUT_RDWR) == 0;
}

static size_t for_each_stream(socket_fn fn, struct ports *p, uint32_t age_ms)
{
	struct rlimit limit = {.rlim_cur = HOLE_MAX};
	size_t count = 0;
	int hole = 0;

	(void)getrlimit(RLIMIT_NOFILE, &limit);
	for (int fd = 0; (rlim_t)fd < limit.rlim_cur && hole < HOLE_MAX; fd++) {
		hole++;
		if (option(fd, SO_TYPE) != SOCK_STREAM)
			continue;
		hole = 0;
		if (fn(fd, p, age_ms))
			count++;
	}
	return count;
}

size_t sip_silent_end(uint32_t age_ms)
{
	struct ports p = {.count = 0};

	if (for_each_stream(note_listener, &p, age_ms) == 0)
		return 0;
	return for_each_stream(end_silent, &p, age_ms);
}
