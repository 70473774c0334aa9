/* Inbound streams that carry our stanzas too (XEP-0288): each authenticated
 * pair of such a stream is one that the router may use. */
#include "edge-proxy/edge_session_in.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

/* A pair on an inbound stream, under the router's number. */
struct edge_in_route {
	UT_hash_handle hh; /* in e->in_routes, by stream */
	uint64_t stream;
	struct edge_in *in;
	struct edge_in_route *prev;
	struct edge_in_route *next;
	const char *local; /* into key */
	const char *remote;
	char key[]; /* local NUL remote NUL */
};

static struct edge_in_route *new_route(struct edge_in *in,
				       const struct s2s_pair *pair)
{
	size_t local_n = strlen(pair->local) + 1;
	size_t remote_n = strlen(pair->remote) + 1;
	struct edge_in_route *rt = calloc(1, sizeof(*rt) + local_n + remote_n);

	if (rt == NULL)
		return NULL;
	memcpy(rt->key, pair->local, local_n);
	memcpy(rt->key + local_n, pair->remote, remote_n);
	rt->local = rt->key;
	rt->remote = rt->key + local_n;
	rt->in = in;
	return rt;
}

static void free_route(struct edge_in_route *rt)
{
	HASH_DEL(rt->in->e->in_routes, rt);
	DL_DELETE(rt->in->routes, rt);
	free(rt);
}

void edge_in_adopt(struct edge_in *in, const struct s2s_pair *pair)
{
	struct edge *e = in->e;
	struct edge_in_route *rt = new_route(in, pair);
	struct s2s_reason r;

	if (rt == NULL)
		return; /* our stanzas take a stream of our own */
	rt->stream =
		edge_routes_adopt(e, pair, s2s_in_peer_max_bytes(in->core));
	if (rt->stream == 0) {
		free(rt);
		return;
	}
	HASH_ADD(hh, e->in_routes, stream, sizeof(rt->stream), rt);
	if (rt->hh.tbl == NULL) {
		r = edge_reason(S2S_END_CLOSED, S2S_NO_CONDITION,
				"out of memory");
		edge_routes_ended(e, rt->stream, &r);
		free(rt);
		return;
	}
	DL_APPEND(in->routes, rt);
}

void edge_in_leave_routes(struct edge_in *in, const struct s2s_reason *r)
{
	while (in->routes != NULL) {
		uint64_t stream = in->routes->stream;

		free_route(in->routes);
		edge_routes_ended(in->e, stream, r);
	}
}

void edge_in_check_routes(struct edge_in *in)
{
	struct s2s_reason r;
	struct s2s_pair pair;

	if (in->routes == NULL || in->is_closed)
		return;
	pair = (struct s2s_pair){in->routes->local, in->routes->remote};
	/* a pair does not go while the stream is open */
	if (s2s_in_takes(in->core, &pair))
		return;
	r = edge_reason(S2S_END_CLOSED, S2S_NO_CONDITION, "closing");
	edge_in_leave_routes(in, &r);
}

void edge_in_heard(struct edge_in *in)
{
	const struct edge_in_route *rt;

	DL_FOREACH (in->routes, rt)
		edge_routes_heard(in->e, rt->stream);
}

void edge_in_drained(struct edge_in *in, struct conn *c)
{
	const struct edge_in_route *rt;

	DL_FOREACH (in->routes, rt)
		edge_routes_flushed(in->e, rt->stream, conn_flushed(c),
				    conn_is_congested(c));
}

static struct edge_in_route *find_route(struct edge *e, uint64_t stream)
{
	struct edge_in_route *rt = NULL;

	HASH_FIND(hh, e->in_routes, &stream, sizeof(stream), rt);
	return rt;
}

/* The peer takes nothing: its stanzas that came are still delivered, then the
 * stream ends. */
static void too_slow(struct edge_in *in)
{
	struct s2s_reason r =
		edge_reason(S2S_END_ERROR_SENT, S2S_RESOURCE_CONSTRAINT,
			    "peer does not read");

	edge_in_leave_routes(in, &r);
	edge_in_follow_up(in, S2S_EV_TOO_SLOW);
}

bool edge_in_write(struct edge *e, uint64_t stream, struct span bytes,
		   uint64_t *end_out, bool *is_congested_out)
{
	struct edge_in_route *rt = find_route(e, stream);
	struct edge_in *in;

	if (rt == NULL ||
	    !s2s_in_takes(rt->in->core,
			  &(struct s2s_pair){rt->local, rt->remote}))
		return false;
	in = rt->in;
	if (conn_write(in->conn, bytes) != 0) {
		too_slow(in);
		return false;
	}
	in->written++;
	metrics_count(&e->metrics, METRIC_stanzas_out);
	/* a stanza that is held stays where it is: only times change */
	s2s_in_wrote(in->core, loop_now_ms(e->loop));
	*end_out = conn_written(in->conn);
	*is_congested_out = conn_is_congested(in->conn);
	return true;
}

void edge_in_close(struct edge *e, uint64_t stream)
{
	const struct edge_in_route *rt = find_route(e, stream);

	/* the router closes a stream of the peer for one reason only */
	if (rt != NULL)
		too_slow(rt->in);
}
