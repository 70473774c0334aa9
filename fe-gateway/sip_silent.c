/* Listeners of the library are found first, then who came to their ports. */
#include "fe-gateway/sip_silent.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "fe-gateway/sip_sockets.h"

enum { PORTS_MAX = 64 };

struct ports {
	in_port_t port[PORTS_MAX];
	size_t count;
	uint32_t age_ms; /* silent for so long */
};

/* What Linux fills; the C library's structure is older and shorter. */
struct tcp_facts {
	struct tcp_info info;
	uint64_t pacing_rate;
	uint64_t max_pacing_rate;
	uint64_t bytes_acked;
	uint64_t bytes_received;
};

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

static bool note_listener(int fd, void *arg)
{
	struct ports *p = arg;

	if (p->count == PORTS_MAX || !sip_socket_listens(fd))
		return false;
	p->port[p->count] = port_of(fd);
	if (p->port[p->count] == 0)
		return false;
	p->count++;
	return true;
}

static bool end_silent(int fd, void *arg)
{
	const struct ports *p = arg;

	return !sip_socket_listens(fd) && has_port(p, port_of(fd)) &&
	       is_silent(fd, p->age_ms) && shutdown(fd, SHUT_RDWR) == 0;
}

size_t sip_silent_end(uint32_t age_ms)
{
	struct ports p = {.age_ms = age_ms};

	if (sip_sockets_each(note_listener, &p) == 0)
		return 0;
	return sip_sockets_each(end_silent, &p);
}
