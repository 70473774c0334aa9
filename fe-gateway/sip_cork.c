/* Connections of others in the process are held for the turn as well: what they
 * write leaves at the end of it anyway. */
#include "fe-gateway/sip_cork.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "fe-gateway/sip_sockets.h"

/* A new connection waits so long until it is among them. */
enum { LOOK_MS = 1000 };

static bool note(int fd, void *arg)
{
	struct sockaddr_storage a = {.ss_family = AF_UNSPEC};
	struct sip_cork *c = arg;
	socklen_t n = sizeof(a);

	if (sip_socket_listens(fd) ||
	    getpeername(fd, (struct sockaddr *)&a, &n) != 0 ||
	    (a.ss_family != AF_INET && a.ss_family != AF_INET6))
		return false;
	if (c->count < SIP_CORK_SOCKETS)
		c->fds[c->count++] = fd;
	return true;
}

static void look(struct sip_cork *c)
{
	c->count = 0;
	if (sip_sockets_each(note, c) > SIP_CORK_SOCKETS)
		c->count = 0;
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
