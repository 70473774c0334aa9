/* Outbound streams: making them, and what the router and others ask. */
#include "edge-proxy/edge_session_out.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "edge-proxy/core/negotiation.h"
#include "edge-proxy/edge_attempts.h"
#include "edge-proxy/edge_check.h"

/* ---- making -------------------------------------------------------------- */

static struct edge_out *new_out(struct edge *e, enum s2s_out_mode mode,
				const struct s2s_pair *pair)
{
	struct edge_out *o = calloc(1, sizeof(*o));

	if (o == NULL)
		return NULL;
	o->e = e;
	o->mode = mode;
	o->local = strdup(pair->local);
	o->remote = strdup(pair->remote);
	o->reap = (struct loop_deferred){.fn = edge_out_reap, .arg = o};
	o->redial = (struct loop_deferred){.fn = edge_out_redial, .arg = o};
	if (o->local == NULL || o->remote == NULL) {
		edge_out_reap(o);
		return NULL;
	}
	o->label =
		edge_label_next(e, mode == S2S_OUT_VERIFY ? "verify" : "out");
	o->env = (struct s2s_env){.policy = &e->policy,
				  .ids = &e->ids,
				  .log = &e->log,
				  .metrics = &e->metrics,
				  .label = o->label.text,
				  .log_limit = &e->stranger_log};
	o->start_ms = loop_now_ms(e->loop);
	edge_source_init(&o->source, e, edge_out_retry, o);
	DL_APPEND(e->outs, o);
	e->streams++;
	return o;
}

static void forbid(struct edge_out *o)
{
	const struct s2s_reason r =
		edge_reason(S2S_END_POLICY, S2S_POLICY_VIOLATION,
			    "the domain is not a partner any more");

	edge_out_finish(o, &r);
}

void edge_out_dial(struct edge_out *o)
{
	const struct policy_partner *rule =
		policy_of_pair(&o->e->policy, o->local, o->remote);
	struct edge_dial_params p = {.loop = o->e->loop,
				     .dns = o->e->dns,
				     .domain = o->remote,
				     .label = o->label.text,
				     .fn = edge_out_dialed,
				     .arg = o};
	struct other_host proxy;
	struct s2s_reason r;
	int err;

	edge_attempts_dialing(o);
	if (rule == NULL) {
		forbid(o);
		return;
	}
	p.note = (struct dial_note){o->env.attempts, o->env.attempt};
	if (o->other.host[0] != '\0')
		p.host = &o->other;
	else if (rule->proxy_host != NULL &&
		 other_host_parse(span_str(rule->proxy_host), &proxy) == 0)
		p.host = &proxy;
	/* direct TLS only where the rule allows TLS */
	if (rule->tls != POLICY_OFF)
		p.creds = o->e->creds;
	if (tls_creds_has(o->e->creds, o->local))
		p.identity = o->local;
	err = edge_dial_new(&o->dial, &p);
	if (err == 0)
		return;
	r = edge_reason(err == FED_EINVAL ? S2S_END_DNS : S2S_END_TIMEOUT,
			S2S_NO_CONDITION,
			err == FED_EINVAL ? "not a name for DNS"
					  : "too many queries");
	edge_out_finish(o, &r);
}

static void end_route(struct edge *e, uint64_t stream,
		      const struct s2s_pair *pair, const struct s2s_reason *r)
{
	edge_news_failed(e, pair, r);
	edge_routes_ended(e, stream, r);
}

static void cannot_route(struct edge *e, uint64_t stream,
			 const struct s2s_pair *pair, const char *text)
{
	const struct s2s_reason r =
		edge_reason(S2S_END_ERROR_SENT, S2S_RESOURCE_CONSTRAINT, text);

	end_route(e, stream, pair, &r);
}

/* LIMIT: streams of one partner */
static void refuse_partner(struct edge_out *o, uint64_t stream,
			   const struct s2s_pair *pair)
{
	const struct s2s_reason r =
		edge_reason(S2S_END_ERROR_SENT, S2S_RESOURCE_CONSTRAINT,
			    "too many streams of the partner");

	metrics_count(&o->e->metrics, METRIC_streams_refused);
	end_route(o->e, stream, pair, &r);
	edge_out_finish(o, &r);
}

void edge_out_route(struct edge *e, uint64_t stream,
		    const struct s2s_pair *pair)
{
	struct edge_out *o = NULL;
	struct s2s_reason r;

	/* what waited while the policy changed */
	if (policy_of_pair(&e->policy, pair->local, pair->remote) == NULL) {
		r = edge_reason(S2S_END_POLICY, S2S_POLICY_VIOLATION,
				"the domain is not a partner any more");
		end_route(e, stream, pair, &r);
		return;
	}
	/* LIMIT: streams in all */
	if (e->streams < edge_streams_max(e))
		o = new_out(e, S2S_OUT_ROUTE, pair);
	if (o == NULL) {
		metrics_count(&e->metrics, METRIC_streams_refused);
		cannot_route(e, stream, pair, "too many streams");
		return;
	}
	edge_attempts_dialing(o);
	if (!edge_partner_enter(&o->source, pair->remote, false,
				EDGE_PARTNER_NEW)) {
		refuse_partner(o, stream, pair);
		return;
	}
	o->route = stream;
	HASH_ADD(hh, e->outs_by_route, route, sizeof(o->route), o);
	if (o->hh.tbl == NULL) {
		o->route = 0;
		cannot_route(e, stream, pair, "out of memory");
		edge_out_finish(o,
				&(struct s2s_reason){
					.kind = S2S_END_ERROR_SENT,
					.condition = S2S_RESOURCE_CONSTRAINT});
		return;
	}
	edge_out_dial(o);
}

static bool may_verify(struct edge *e, const char *remote)
{
	/* LIMIT: strangers can make us connect; so many at a time, in all
	 * and to one domain, and never with the quarter of the streams that
	 * is kept for our own stanzas */
	if (e->verifies >= LIMIT_DIALBACK_PENDING_ALL ||
	    e->streams >= edge_streams_of_others(e) ||
	    !edge_count_add(&e->verifying, remote, LIMIT_STREAMS_PER_PARTNER)) {
		metrics_count(&e->metrics, METRIC_streams_refused);
		return false;
	}
	return true;
}

void edge_out_verify(struct edge *e, struct edge_verify *v,
		     const char *stream_id, const char *key)
{
	const struct s2s_pair pair = {v->local, v->remote};
	struct edge_out *o;

	v->result = S2S_VERIFY_NO_ANSWER;
	v->is_done = true;
	if (!may_verify(e, v->remote)) {
		edge_in_verified(v->in);
		return;
	}
	o = new_out(e, S2S_OUT_VERIFY, &pair);
	if (o == NULL) {
		edge_count_drop(&e->verifying, v->remote);
		edge_in_verified(v->in);
		return;
	}
	e->verifies++;
	v->is_done = false;
	v->out = o;
	o->verify = v;
	o->stream_id = strdup(stream_id);
	o->key = strdup(key);
	if (o->stream_id == NULL || o->key == NULL)
		edge_out_finish(o,
				&(struct s2s_reason){.kind = S2S_END_TIMEOUT});
	else
		edge_out_dial(o);
}

bool edge_out_check(struct edge *e, struct edge_check *check,
		    const struct s2s_pair *pair)
{
	struct edge_out *o = NULL;
	struct s2s_reason r;

	/* LIMIT: streams in all */
	if (e->streams < edge_streams_max(e))
		o = new_out(e, S2S_OUT_ROUTE, pair);
	if (o == NULL)
		return false;
	o->check = check;
	check->out = o;
	edge_attempts_dialing(o);
	if (edge_partner_enter(&o->source, pair->remote, false,
			       EDGE_PARTNER_NEW)) {
		edge_out_dial(o);
	} else {
		r = edge_reason(S2S_END_ERROR_SENT, S2S_RESOURCE_CONSTRAINT,
				"too many streams of the partner");
		edge_out_finish(o, &r);
	}
	return true;
}

/* ---- from the outside ---------------------------------------------------- */

static struct edge_out *find_route(struct edge *e, uint64_t stream)
{
	struct edge_out *o = NULL;

	HASH_FIND(hh, e->outs_by_route, &stream, sizeof(stream), o);
	return o;
}

/* Close in order where there is a stream, else at once. */
static void close_with(struct edge_out *o, enum s2s_event_kind kind)
{
	if (o->core != NULL && o->conn != NULL)
		edge_out_event(o, &(struct s2s_event){.kind = kind});
	else
		edge_out_finish(o,
				&(struct s2s_reason){.kind = S2S_END_SHUTDOWN});
}

void edge_out_abandon(struct edge_out *o)
{
	o->verify = NULL;
	close_with(o, S2S_EV_IDLE_CLOSE);
}

/* A stanza of the peer may be held: the stream's end waits for it, the router
 * does not. */
static void leave_slow(struct edge_out *o)
{
	const struct s2s_reason r =
		edge_reason(S2S_END_ERROR_SENT, S2S_RESOURCE_CONSTRAINT,
			    "peer does not read");
	uint64_t route = o->route;

	edge_out_detach(o, &r);
	edge_routes_ended(o->e, route, &r);
}

bool edge_out_write(struct edge *e, uint64_t stream, struct span bytes,
		    uint64_t *end_out, bool *is_congested_out)
{
	struct edge_out *o = find_route(e, stream);

	if (o == NULL || o->conn == NULL || !s2s_out_is_open(o->core))
		return false;
	if (conn_write(o->conn, bytes) != 0) {
		leave_slow(o);
		edge_out_event(o, &(struct s2s_event){.kind = S2S_EV_TOO_SLOW});
		return false;
	}
	o->stanzas++;
	metrics_count(&e->metrics, METRIC_stanzas_out);
	*end_out = conn_written(o->conn);
	*is_congested_out = conn_is_congested(o->conn);
	return true;
}

static struct s2s_reason close_reason(enum edge_router_close_why why)
{
	switch (why) {
	case EDGE_ROUTER_IDLE:
		break;
	case EDGE_ROUTER_STALLED:
		return edge_reason(S2S_END_TIMEOUT, S2S_NO_CONDITION,
				   "the peer takes nothing");
	case EDGE_ROUTER_GIVE_UP:
		return edge_reason(S2S_END_TIMEOUT, S2S_NO_CONDITION,
				   "no stream in time");
	}
	return edge_reason(S2S_END_CLOSED, S2S_NO_CONDITION, "idle");
}

void edge_out_close(struct edge *e, uint64_t stream,
		    enum edge_router_close_why why)
{
	struct edge_out *o = find_route(e, stream);
	const struct s2s_reason r = close_reason(why);

	if (o == NULL)
		return;
	edge_out_detach(o, &r);
	close_with(o, why == EDGE_ROUTER_STALLED ? S2S_EV_TOO_SLOW
						 : S2S_EV_IDLE_CLOSE);
}

/* One that is being connected has no core yet. */
static bool offends(const struct edge_out *o)
{
	const struct policy_partner *rule =
		policy_of_pair(&o->e->policy, o->local, o->remote);

	if (o->core == NULL || o->conn == NULL)
		return rule == NULL || negotiation_methods(rule) == 0;
	return s2s_out_offends(o->core);
}

static void look_again(struct edge_out *o)
{
	bool was_busy = edge_source_is_busy(&o->source);

	/* its domain may be another partner's, at another rate */
	if (o->source.partner != NULL)
		(void)edge_partner_enter(&o->source, o->remote, false,
					 EDGE_PARTNER_THERE);
	if (offends(o)) {
		edge_source_give_up(&o->source);
		if (o->core == NULL || o->conn == NULL)
			forbid(o);
		else
			edge_out_event(
				o, &(struct s2s_event){.kind = S2S_EV_POLICY});
	}
	if (was_busy && !o->is_closed && !o->source.is_held)
		edge_out_retry(o);
}

void edge_out_look_again_all(struct edge *e)
{
	struct edge_out *o;
	struct edge_out *tmp;

	DL_FOREACH_SAFE (e->outs, o, tmp)
		look_again(o);
}

void edge_out_release_all(struct edge *e)
{
	struct edge_out *o;
	struct edge_out *tmp;

	DL_FOREACH_SAFE (e->outs, o, tmp) {
		if (!edge_source_is_busy(&o->source))
			continue;
		edge_partner_hurry(&o->source);
		edge_out_retry(o);
	}
}

void edge_out_shutdown_all(struct edge *e)
{
	struct edge_out *o;
	struct edge_out *tmp;

	DL_FOREACH_SAFE (e->outs, o, tmp)
		close_with(o, S2S_EV_SHUTDOWN);
}

void edge_out_kill_all(struct edge *e)
{
	struct edge_out *o;
	struct edge_out *tmp;

	DL_FOREACH_SAFE (e->outs, o, tmp)
		edge_out_finish(o,
				&(struct s2s_reason){.kind = S2S_END_SHUTDOWN});
}
