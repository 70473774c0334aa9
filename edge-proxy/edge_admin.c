/* fedctl asks the edge. */
#include "edge-proxy/edge_admin.h"

#include <stdlib.h>

#include "edge-proxy/edge_admin_relay.h"
#include "edge-proxy/edge_attempts.h"
#include "edge-proxy/edge_session_in.h"
#include "edge-proxy/edge_session_out.h"
#include "io/admin_show.h"

/* Streams or queues of one response: with the longest names it fits. */
enum { ADMIN_BATCH = 32 };

struct edge_admin {
	struct edge *e;
	struct admin_server *server;
	struct edge_relays *relays;
};

/* ---- streams ------------------------------------------------------------- */

static Fed__StreamInfo *add_stream(struct arena *a, Fed__AdminResponse *out)
{
	Fed__StreamInfo *s = arena_alloc(a, sizeof(*s));

	if (s == NULL ||
	    arena_append(a, (void ***)&out->stream, &out->n_stream, s) != 0)
		return NULL;
	fed__stream_info__init(s);
	return s;
}

static void take_tls(Fed__StreamInfo *s, const struct conn *c)
{
	const struct tls_facts *tls = c == NULL ? NULL : conn_tls_facts(c);

	if (c != NULL)
		s->address = edge_unconst(conn_peer_address(c));
	if (tls == NULL)
		return;
	s->tls_version = edge_unconst(tls->version);
	s->tls_cipher = edge_unconst(tls->cipher);
}

static bool add_in(struct arena *a, Fed__AdminResponse *out,
		   const struct edge_in *in)
{
	Fed__StreamInfo *s = add_stream(a, out);

	if (s == NULL)
		return false;
	s->id = in->label.number;
	s->inbound = true;
	s->local_domain = edge_unconst(s2s_in_local(in->core));
	s->peer_domain = edge_unconst(s2s_in_peer(in->core));
	s->state = edge_unconst(s2s_in_state_name(in->core));
	s->mechanism = s2s_in_mechanism(in->core);
	s->age_ms = loop_now_ms(in->e->loop) - in->start_ms;
	s->stanzas_in = in->source.stanzas;
	s->stanzas_out = in->written;
	take_tls(s, in->conn);
	return true;
}

static bool add_out(struct arena *a, Fed__AdminResponse *out,
		    const struct edge_out *o)
{
	Fed__StreamInfo *s = add_stream(a, out);

	if (s == NULL)
		return false;
	s->id = o->label.number;
	s->local_domain = o->local;
	s->peer_domain = o->remote;
	s->state = edge_unconst(o->core == NULL ? "connecting"
						: s2s_out_state_name(o->core));
	if (o->core != NULL)
		s->mechanism = s2s_out_mechanism(o->core);
	s->age_ms = loop_now_ms(o->e->loop) - o->start_ms;
	s->stanzas_in = o->source.stanzas;
	s->stanzas_out = o->stanzas;
	take_tls(s, o->conn);
	return true;
}

/* Both lists are in the order of their numbers. */
static enum admin_step show_streams(struct edge *e, struct admin_call *call,
				    struct arena *a, Fed__AdminResponse *out)
{
	const struct edge_in *in = e->ins;
	const struct edge_out *o = e->outs;
	bool is_added = true;

	while (in != NULL && in->label.number <= call->cursor)
		in = in->next;
	while (o != NULL && o->label.number <= call->cursor)
		o = o->next;
	while (is_added && out->n_stream < ADMIN_BATCH &&
	       (in != NULL || o != NULL)) {
		if (o == NULL ||
		    (in != NULL && in->label.number < o->label.number)) {
			is_added = add_in(a, out, in);
			call->cursor = in->label.number;
			in = in->next;
		} else {
			is_added = add_out(a, out, o);
			call->cursor = o->label.number;
			o = o->next;
		}
	}
	if (!is_added)
		admin_show_no_memory(out);
	return is_added && (in != NULL || o != NULL) ? ADMIN_MORE : ADMIN_LAST;
}

/* ---- queues -------------------------------------------------------------- */

static bool add_queue(struct arena *a, Fed__AdminResponse *out,
		      const struct edge_router_queue *from)
{
	Fed__QueueInfo *q = arena_alloc(a, sizeof(*q));

	if (q == NULL ||
	    arena_append(a, (void ***)&out->queue, &out->n_queue, q) != 0)
		return false;
	fed__queue_info__init(q);
	q->local_domain = edge_unconst(from->pair.local);
	q->peer_domain = edge_unconst(from->pair.remote);
	q->stanzas = (uint32_t)from->stanzas;
	q->bytes = from->bytes;
	q->oldest_ms = from->oldest_ms;
	return true;
}

static enum admin_step show_queues(struct edge *e, struct admin_call *call,
				   struct arena *a, Fed__AdminResponse *out)
{
	struct edge_router_queue found[ADMIN_BATCH];
	size_t n = edge_routes_queues(e, &call->cursor, found, ADMIN_BATCH);

	for (size_t i = 0; i < n; i++) {
		if (!add_queue(a, out, &found[i])) {
			admin_show_no_memory(out);
			return ADMIN_LAST;
		}
	}
	return n == ADMIN_BATCH ? ADMIN_MORE : ADMIN_LAST;
}

/* ---- requests ------------------------------------------------------------ */

static enum admin_step show(struct edge *e, struct admin_call *call,
			    struct arena *a, Fed__AdminResponse *out)
{
	switch (call->request->show->what) {
	case FED__ADMIN_SHOW__WHAT__VERSION:
		admin_show_version(a, out, "edge-proxy",
				   e->config->file->instance,
				   loop_now_ms(e->loop) - e->start_ms);
		break;
	case FED__ADMIN_SHOW__WHAT__STREAMS:
		return show_streams(e, call, a, out);
	case FED__ADMIN_SHOW__WHAT__QUEUES:
		return show_queues(e, call, a, out);
	case FED__ADMIN_SHOW__WHAT__CHANNELS:
		edge_channel_show(e, a, out);
		break;
	case FED__ADMIN_SHOW__WHAT__COUNTERS:
		admin_show_counters(a, out, &e->metrics);
		break;
	case _FED__ADMIN_SHOW__WHAT_IS_INT_SIZE:
		break;
	}
	return ADMIN_LAST;
}

enum admin_step edge_admin_answer(struct edge *e, struct admin_call *call,
				  const struct edge_asker *asker,
				  struct arena *a, Fed__AdminResponse *out)
{
	const Fed__AdminRequest *r = call->request;

	switch (r->kind_case) {
	case FED__ADMIN_REQUEST__KIND_SHOW:
		return show(e, call, a, out);
	case FED__ADMIN_REQUEST__KIND_LOG_LEVEL:
		admin_set_log_level(a, out, &e->log, r->log_level->level);
		break;
	case FED__ADMIN_REQUEST__KIND_PRESENCE:
		admin_show_error(out, "an edge knows nothing of presence: ask "
				      "a gateway");
		break;
	case FED__ADMIN_REQUEST__KIND_FEDERATION_GET:
	case FED__ADMIN_REQUEST__KIND_FEDERATION_APPLY:
	case FED__ADMIN_REQUEST__KIND_FEDERATION_HISTORY:
	case FED__ADMIN_REQUEST__KIND_FEDERATION_STATUS:
	case FED__ADMIN_REQUEST__KIND_EXPLAIN:
	case FED__ADMIN_REQUEST__KIND_MAP:
	case FED__ADMIN_REQUEST__KIND_TEST:
	case FED__ADMIN_REQUEST__KIND_MIGRATE:
		admin_show_error(out, "a gateway decides that: ask one");
		break;
	case FED__ADMIN_REQUEST__KIND_WHY:
		edge_attempts_why(e, r->why, a, out);
		break;
	case FED__ADMIN_REQUEST__KIND_CHECK:
		return edge_check_more(e, call, asker, a, out);
	case FED__ADMIN_REQUEST__KIND_CLOSE_STREAM:
	case FED__ADMIN_REQUEST__KIND_RELOAD:
	case FED__ADMIN_REQUEST__KIND__NOT_SET:
	case _FED__ADMIN_REQUEST__KIND__CASE_IS_INT_SIZE:
		admin_show_error(out, "an edge knows no such request");
		break;
	}
	return ADMIN_LAST;
}

static void on_ready(void *arg, struct admin_call *call)
{
	const struct edge_admin *ea = arg;

	admin_server_ready(ea->server, call);
}

static enum admin_step on_more(struct admin_call *call, struct arena *a,
			       Fed__AdminResponse *out, void *arg)
{
	struct edge_admin *ea = arg;
	const struct edge_asker asker = {on_ready, ea};

	if (call->request->edge[0] != '\0') {
		admin_show_error(out, "an edge has no channel to edges: ask a "
				      "gateway");
		return ADMIN_LAST;
	}
	return edge_admin_answer(ea->e, call, &asker, a, out);
}

static void on_end(struct admin_call *call, void *arg)
{
	(void)arg;
	edge_check_end(call);
}

void edge_admin_on_relay(struct edge *e, uint64_t gateway,
			 struct chan_link *link, const Fed__AdminRelay *relay)
{
	/* the channel is made first */
	if (e->admin != NULL)
		edge_relays_take(e->admin->relays, gateway, link, relay);
}

int edge_admin_new(struct edge *e, struct errbuf *err)
{
	struct edge_admin *ea = calloc(1, sizeof(*ea));
	const struct admin_handler handler = {
		.on_more = on_more,
		.on_end = on_end,
		.arg = ea,
		.request_max = LIMIT_ADMIN_RELAYED_BYTES,
	};
	int rc;

	if (ea == NULL)
		return FED_ENOMEM;
	ea->e = e;
	rc = edge_relays_new(&ea->relays, e);
	if (rc == 0)
		rc = admin_server_new(&ea->server, e->loop,
				      e->config->file->admin.socket, &handler,
				      &e->metrics, err);
	if (rc != 0) {
		edge_admin_free(ea);
		return rc;
	}
	e->admin = ea;
	return 0;
}

void edge_admin_free(struct edge_admin *ea)
{
	if (ea == NULL)
		return;
	admin_server_free(ea->server);
	edge_relays_free(ea->relays);
	free(ea);
}
