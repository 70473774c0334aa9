/* The authenticated pairs of inbound streams; each is one that the router may
 * use where the stream carries our stanzas too (XEP-0288). */
#include "edge-proxy/edge_session_in.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

/* An authenticated pair of an inbound stream. */
struct edge_in_route {
	UT_hash_handle hh; /* in e->in_routes, by stream */
	uint64_t stream;   /* the router's number; 0: it does not use it */
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

/* The router uses it no more. */
static void leave(struct edge_in_route *rt, const struct s2s_reason *r)
{
	struct edge *e = rt->in->e;
	uint64_t stream = rt->stream;

	if (stream == 0)
		return;
	HASH_DEL(e->in_routes, rt);
	rt->stream = 0;
	edge_routes_ended(e, stream, r);
}

static void adopt(struct edge_in_route *rt, const struct s2s_pair *pair)
{
	struct edge *e = rt->in->e;
	struct s2s_reason r;

	rt->stream =
		edge_routes_adopt(e, pair, s2s_in_peer_max_bytes(rt->in->core));
	if (rt->stream == 0)
		return;
	HASH_ADD(hh, e->in_routes, stream, sizeof(rt->stream), rt);
	if (rt->hh.tbl != NULL)
		return;
	r = edge_reason(S2S_END_CLOSED, S2S_NO_CONDITION, "out of memory");
	edge_routes_ended(e, rt->stream, &r);
	rt->stream = 0;
}

void edge_in_add_pair(struct edge_in *in, const struct s2s_pair *pair,
		      bool is_bidi)
{
	struct edge_in_route *rt = new_route(in, pair);

	if (rt == NULL)
		return; /* our stanzas take a stream of our own */
	DL_APPEND(in->routes, rt);
	edge_news_opened(in->e, pair, true);
	if (is_bidi)
		adopt(rt, pair);
}

void edge_in_leave_routes(struct edge_in *in, const struct s2s_reason *r)
{
	struct edge_in_route *rt;

	DL_FOREACH (in->routes, rt)
		leave(rt, r);
}

void edge_in_drop_pairs(struct edge_in *in, const struct s2s_reason *r)
{
	struct edge_in_route *rt;
	struct edge_in_route *tmp;

	DL_FOREACH_SAFE (in->routes, rt, tmp) {
		leave(rt, r);
		edge_news_ended(in->e,
				&(struct s2s_pair){rt->local, rt->remote}, true,
				r);
		DL_DELETE(in->routes, rt);
		free(rt);
	}
}

/* One that the router uses; NULL: none. */
static struct edge_in_route *first_used(struct edge_in *in)
{
	struct edge_in_route *rt;

	DL_FOREACH (in->routes, rt)
		if (rt->stream != 0)
			break;
	return rt;
}

void edge_in_check_routes(struct edge_in *in)
{
	struct edge_in_route *rt;
	struct s2s_reason r;

	if (in->is_closed)
		return;
	rt = first_used(in);
	/* a pair does not go while the stream is open */
	if (rt == NULL ||
	    s2s_in_takes(in->core, &(struct s2s_pair){rt->local, rt->remote}))
		return;
	r = edge_reason(S2S_END_CLOSED, S2S_NO_CONDITION, "closing");
	edge_in_leave_routes(in, &r);
}

void edge_in_heard(struct edge_in *in)
{
	const struct edge_in_route *rt;

	DL_FOREACH (in->routes, rt)
		if (rt->stream != 0)
			edge_routes_heard(in->e, rt->stream);
}

void edge_in_drained(struct edge_in *in, struct conn *c)
{
	const struct edge_in_route *rt;

	DL_FOREACH (in->routes, rt)
		if (rt->stream != 0)
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
