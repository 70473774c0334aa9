/* From a stream to the channel. */
#include "edge-proxy/edge_source.h"

#include "edge-proxy/edge_confirm.h"

void edge_source_init(struct edge_source *src, struct edge *e,
		      void (*retry)(void *arg), void *arg)
{
	src->e = e;
	src->wait.retry = retry;
	src->wait.arg = arg;
}

static int deliver(struct edge_source *src, const struct s2s_action *a)
{
	const struct tls_facts *tls = conn_tls_facts(src->conn);
	Fed__Facts facts;

	fed__facts__init(&facts);
	facts.peer_domain = edge_unconst(a->u.stanza.pair.remote);
	facts.local_domain = edge_unconst(a->u.stanza.pair.local);
	facts.mechanism = a->u.stanza.mechanism;
	if (tls != NULL)
		facts.tls_version = edge_unconst(tls->version);
	return edge_channel_deliver(src->e, &src->wait, &facts,
				    a->u.stanza.stanza);
}

/* The sender of a stanza that no gateway took. */
static void answer_failure(struct edge *e, const Fed__Stanza *s, int err)
{
	switch (err) {
	case FED_EAGAIN:
		edge_routes_refuse(e, s, FED__CONDITION__REMOTE_SERVER_TIMEOUT,
				   "the edge is stopping");
		break;
	case FED_ENOTFOUND:
		edge_routes_refuse(e, s, FED__CONDITION__REMOTE_SERVER_TIMEOUT,
				   "no gateway is there now");
		break;
	case FED_ELIMIT:
		edge_routes_refuse(e, s, FED__CONDITION__POLICY_VIOLATION,
				   "too large");
		break;
	default:
		edge_routes_refuse(e, s, FED__CONDITION__RESOURCE_CONSTRAINT,
				   NULL);
		break;
	}
}

static void count(struct edge_source *src)
{
	src->stanzas++;
	edge_partner_spend(src, 1, 0);
}

void edge_source_take(struct edge_source *src, const struct s2s_action *a)
{
	int err;

	if (edge_confirm_take(src->e, a->u.stanza.stanza)) {
		count(src);
		return;
	}
	err = deliver(src, a);
	if (err == FED_EAGAIN && src->e->phase == EDGE_RUNNING) {
		src->is_held = true;
		src->held = *a;
		conn_pause(src->conn);
		return;
	}
	edge_channel_forget(&src->wait);
	count(src);
	if (err != 0)
		answer_failure(src->e, a->u.stanza.stanza, err);
}

void edge_source_retry(struct edge_source *src)
{
	const struct s2s_action a = src->held;

	if (!src->is_held)
		return;
	src->is_held = false;
	edge_source_take(src, &a);
}

void edge_source_give_up(struct edge_source *src)
{
	const struct s2s_pair *pair = &src->held.u.stanza.pair;

	if (!src->is_held)
		return;
	src->is_held = false;
	edge_channel_forget(&src->wait);
	src->stanzas++;
	if (policy_of_pair(&src->e->policy, pair->local, pair->remote) != NULL)
		edge_routes_refuse(src->e, src->held.u.stanza.stanza,
				   FED__CONDITION__REMOTE_SERVER_TIMEOUT,
				   "the stream is being closed");
	else
		metrics_count(&src->e->metrics, METRIC_stanzas_dropped);
}

void edge_source_end(struct edge_source *src)
{
	edge_partner_leave(src);
	src->is_held = false;
	src->conn = NULL;
	edge_channel_forget(&src->wait);
}
