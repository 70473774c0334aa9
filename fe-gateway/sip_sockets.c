/* Descriptors are given out from below, so they are asked one by one. */
#include "fe-gateway/sip_sockets.h"

#include <sys/resource.h>
#include <sys/socket.h>

/* Behind so many that are not in use there are no more. */
enum { HOLE_MAX = 1024 };

/* -1: no such option, so no such socket */
static int option(int fd, int name)
{
	socklen_t n = sizeof(int);
	int value = -1;

	if (getsockopt(fd, SOL_SOCKET, name, &value, &n) != 0)
		return -1;
	return value;
}

bool sip_socket_listens(int fd)
{
	return option(fd, SO_ACCEPTCONN) == 1;
}

size_t sip_sockets_each(sip_socket_fn fn, void *arg)
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
		if (fn(fd, arg))
			count++;
	}
	return count;
}
