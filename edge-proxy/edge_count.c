/* Counts by name. */
#include "edge-proxy/edge_count.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"

struct edge_count_entry {
	UT_hash_handle hh;
	unsigned count;
	char name[];
};

static struct edge_count_entry *find(const struct edge_count *c,
				     const char *name)
{
	struct edge_count_entry *it = NULL;

	HASH_FIND(hh, c->entries, name, strlen(name), it);
	return it;
}

static struct edge_count_entry *add(struct edge_count *c, const char *name)
{
	size_t n = strlen(name);
	struct edge_count_entry *it = calloc(1, sizeof(*it) + n + 1);

	if (it == NULL)
		return NULL;
	memcpy(it->name, name, n + 1);
	HASH_ADD(hh, c->entries, name, n, it);
	if (it->hh.tbl == NULL) {
		free(it);
		return NULL;
	}
	return it;
}

bool edge_count_add(struct edge_count *c, const char *name, unsigned max)
{
	struct edge_count_entry *it = find(c, name);

	if (it == NULL)
		it = add(c, name);
	if (it == NULL || it->count >= max)
		return false;
	it->count++;
	return true;
}

void edge_count_drop(struct edge_count *c, const char *name)
{
	struct edge_count_entry *it = find(c, name);

	if (it == NULL || --it->count > 0)
		return;
	HASH_DEL(c->entries, it);
	free(it);
}

void edge_source_of(const char *address, char out[EDGE_SOURCE_BYTES])
{
	const char *colon = strrchr(address, ':');
	size_t n = colon == NULL ? strlen(address) : (size_t)(colon - address);
	struct in6_addr v6;

	if (n >= EDGE_SOURCE_BYTES)
		n = EDGE_SOURCE_BYTES - 1;
	memcpy(out, address, n);
	out[n] = '\0';
	if (n < 2 || out[0] != '[')
		return;
	out[n - 1] = '\0';
	if (inet_pton(AF_INET6, out + 1, &v6) != 1)
		return;
	/* LIMIT: one subscriber usually has a whole /64 */
	if (!IN6_IS_ADDR_V4MAPPED(&v6))
		memset(v6.s6_addr + 8, 0, 8);
	(void)inet_ntop(AF_INET6, &v6, out, EDGE_SOURCE_BYTES);
}
