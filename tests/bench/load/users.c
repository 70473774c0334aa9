/* Addresses of the command line. */
#include "tests/bench/load/users.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "tests/bench/load/flow.h"

void load_address(const char *text, struct sockaddr_storage *out)
{
	const char *colon = strrchr(text, ':');
	char host[64] = "";

	if (colon != NULL && (size_t)(colon - text) < sizeof(host))
		memcpy(host, text, (size_t)(colon - text));
	if (host[0] == '\0' ||
	    uv_ip4_addr(host, (int)strtol(colon + 1, NULL, 10),
			(struct sockaddr_in *)out) != 0)
		flow_die("not an address: %s", text);
}
