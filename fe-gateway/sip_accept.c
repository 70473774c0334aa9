/* Who may have a connection, and how many.  The library does not say when it
 * closes one, so those that were let in are looked at again. */
#include "fe-gateway/sip_accept.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"

struct guest {
	int fd;
	struct sockaddr_storage peer;
	bool is_stranger;
};

/* accept() has no argument of ours, and there is one SIP side in a process */
static struct {
	struct sip_accept_policy policy;
	struct guest guests[LIMIT_SIP_CONNECTIONS];
	size_t count;
	bool is_on;
} door;

bool sip_accept_is_in_place(void)
{
	return (uintptr_t)dlsym(RTLD_DEFAULT, "accept") ==
	       (uintptr_t)sip_accept_one;
}

void sip_accept_set(const struct sip_accept_policy *p)
{
	door.is_on = p != NULL;
	door.count = 0;
	if (p != NULL)
		door.policy = *p;
}

/* The descriptor may belong to another connection by now. */
static bool is_here(const struct guest *g)
{
	struct sockaddr_storage peer;
	socklen_t n = sizeof(peer);

	memset(&peer, 0, sizeof(peer));
	return getpeername(g->fd, (struct sockaddr *)&peer, &n) == 0 &&
	       memcmp(&peer, &g->peer, sizeof(peer)) == 0;
}

static void forget_gone(void)
{
	size_t kept = 0;

	for (size_t i = 0; i < door.count; i++)
		if (is_here(&door.guests[i]))
			door.guests[kept++] = door.guests[i];
	door.count = kept;
}

static size_t count_strangers(void)
{
	size_t n = 0;

	for (size_t i = 0; i < door.count; i++)
		if (door.guests[i].is_stranger)
			n++;
	return n;
}

static struct span print_ip(const struct sockaddr_storage *a, char *buf,
			    size_t size)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)a;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)a;

	buf[0] = '\0';
	if (a->ss_family == AF_INET)
		(void)inet_ntop(AF_INET, &v4->sin_addr, buf, (socklen_t)size);
	else if (a->ss_family == AF_INET6 &&
		 IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
		(void)inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], buf,
				(socklen_t)size);
	else if (a->ss_family == AF_INET6)
		(void)inet_ntop(AF_INET6, &v6->sin6_addr, buf, (socklen_t)size);
	return span_str(buf);
}

/* LIMIT: a stranger's connections cost memory before he is told 403. */
static bool let_in(struct guest *g)
{
	char text[INET6_ADDRSTRLEN];
	struct span ip = print_ip(&g->peer, text, sizeof(text));

	g->is_stranger = !door.policy.is_trusted(ip, door.policy.arg);
	forget_gone();
	if (door.count < LIMIT_SIP_CONNECTIONS &&
	    (!g->is_stranger ||
	     count_strangers() < LIMIT_SIP_STRANGER_CONNECTIONS)) {
		door.guests[door.count++] = *g;
		return true;
	}
	door.policy.on_refused(ip, door.policy.arg);
	return false;
}

int sip_accept_one(int listener, struct sockaddr *peer, socklen_t *peer_bytes)
{
	struct guest g;
	socklen_t n = sizeof(g.peer);

	memset(&g, 0, sizeof(g));
	g.fd = accept4(listener, (struct sockaddr *)&g.peer, &n, SOCK_CLOEXEC);
	if (g.fd < 0)
		return -1;
	/* one at a time: the listener is asked again while more wait */
	if (door.is_on && !let_in(&g)) {
		(void)close(g.fd);
		errno = EAGAIN;
		return -1;
	}
	if (peer != NULL && peer_bytes != NULL) {
		memcpy(peer, &g.peer, *peer_bytes < n ? *peer_bytes : n);
		*peer_bytes = n;
	}
	return g.fd;
}
