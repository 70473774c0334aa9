/* The library does not show its sockets, so the process' own are looked at. */
#include "fe-gateway/sip_cork.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>

enum {
	/* a new connection waits so long until it is among them */
	LOOK_MS = 1000,
	/* descriptors are given out from below: behind so many that are not
	 * in use there are no more */
	HOLE_MAX = 256,
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

static bool is_connection(int fd)
{
	struct sockaddr_storage a = {.ss_family = AF_UNSPEC};
	socklen_t n = sizeof(a);

	return option(fd, SO_ACCEPTCONN) == 0 &&
	       getpeername(fd, (struct sockaddr *)&a, &n) == 0 &&
	       (a.ss_family == AF_INET || a.ss_family == AF_INET6);
}

static void look(struct sip_cork *c)
{
	struct rlimit limit = {.rlim_cur = HOLE_MAX};
	int hole = 0;

	(void)getrlimit(RLIMIT_NOFILE, &limit);
	c->count = 0;
	for (int fd = 0; (rlim_t)fd < limit.rlim_cur && hole < HOLE_MAX; fd++) {
		hole++;
		if (option(fd, SO_TYPE) != SOCK_STREAM)
			continue;
		hole = 0;
		if (!is_connection(fd))
			continue;
		if (c->count == SIP_CORK_SOCKETS) {
			c->count = 0;
			return;
		}
		c->fds[c->count++] = fd;
	}
}

/* A descriptor that is another one's by now is let go again like all. */
static void set_all(const struct sip_cork *c, int value)
{
	for (size_t i = 0; i < c->count; i++)
		(void)setsockopt(c->fds[i], IPPROTO_TCP, TCP_CORK, &value,
				 sizeof(value));
}

void sip_cork_message(struct sip_cork *c, uint64_t now_ms)
{
	c->messages++;
	if (c->is_held || c->messages < 2)
		return;
	if (!c->is_known || now_ms - c->looked_ms >= LOOK_MS) {
		look(c);
		c->is_known = true;
		c->looked_ms = now_ms;
	}
	c->is_held = true;
	set_all(c, 1);
}

void sip_cork_release(struct sip_cork *c)
{
	c->messages = 0;
	if (!c->is_held)
		return;
	c->is_held = false;
	set_all(c, 0);
}
