/* Connected sockets by their kernel cookie. */
#include "fe-gateway/sip_peers.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "fe-gateway/sip_sockets.h"

/* false: it has no peer */
static bool read_peer(int fd, struct sip_peer *out)
{
	struct sockaddr_storage a = {.ss_family = AF_UNSPEC};
	socklen_t n = sizeof(a);
	socklen_t cookie_n = sizeof(out->cookie);
	const void *ip;

	if (getpeername(fd, (struct sockaddr *)&a, &n) != 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_COOKIE, &out->cookie, &cookie_n) != 0)
		return false;
	if (a.ss_family == AF_INET) {
		ip = &((struct sockaddr_in *)&a)->sin_addr;
		out->port = ntohs(((struct sockaddr_in *)&a)->sin_port);
	} else if (a.ss_family == AF_INET6) {
		ip = &((struct sockaddr_in6 *)&a)->sin6_addr;
		out->port = ntohs(((struct sockaddr_in6 *)&a)->sin6_port);
	} else {
		return false;
	}
	out->fd = fd;
	return inet_ntop(a.ss_family, ip, out->ip, sizeof(out->ip)) != NULL;
}

static bool note(int fd, void *arg)
{
	struct sip_peers *p = arg;

	if (p->count == SIP_PEERS_MOST || !read_peer(fd, &p->peer[p->count]))
		return false;
	p->count++;
	return true;
}

/* Asked of itself: with more than SIP_PEERS_MOST it may only have had no room
 * in the list of now. */
static bool is_there(const struct sip_peer *old)
{
	struct sip_peer now;

	return read_peer(old->fd, &now) && now.cookie == old->cookie;
}

void sip_peers_look(struct sip_peers *p,
		    void (*fn)(const char *ip, uint16_t port, void *arg),
		    void *arg)
{
	struct sip_peers *old = malloc(sizeof(*old));

	if (old == NULL)
		return;
	*old = *p;
	p->count = 0;
	(void)sip_sockets_each(note, p);
	for (size_t i = 0; i < old->count; i++)
		if (!is_there(&old->peer[i]))
			fn(old->peer[i].ip, old->peer[i].port, arg);
	free(old);
}
