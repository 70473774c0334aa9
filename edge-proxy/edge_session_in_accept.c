/* Inbound streams: accepting under limits, ending all. */
#include "edge-proxy/edge_session_in.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "edge-proxy/edge_attempts.h"

/* ---- accepting ----------------------------------------------------------- */

static const char *refusal(struct edge *e, const char *source)
{
	/* LIMIT: streams in all */
	if (e->streams >= edge_streams_of_others(e))
		return "streams";
	/* LIMIT: one source that only connects */
	if (!edge_count_add(&e->strangers, source, LIMIT_UNAUTH_PER_ADDRESS))
		return "unauthenticated_per_address";
	return NULL;
}

static void refuse(struct edge *e, struct conn *c, const char *why)
{
	metrics_count(&e->metrics, METRIC_streams_refused);
	if (ratelimit_take(&e->refused_log, loop_now_ms(e->loop)))
		fed_log(&e->log, FED_LOG_WARN, "connection_refused",
			"address=%s limit=%s refused=%llu",
			conn_peer_address(c), why,
			(unsigned long long)
				e->metrics.value[METRIC_streams_refused]);
	conn_close(c);
}

static struct edge_in *take(struct edge *e, struct conn *c)
{
	char source[EDGE_SOURCE_BYTES];
	struct edge_in *in;
	const char *why;

	edge_source_of(conn_peer_address(c), source);
	why = refusal(e, source);
	if (why != NULL) {
		refuse(e, c, why);
		return NULL;
	}
	in = calloc(1, sizeof(*in));
	if (in != NULL) {
		in->label = edge_label_next(e, "in");
		in->env = (struct s2s_env){.policy = &e->policy,
					   .ids = &e->ids,
					   .log = &e->log,
					   .metrics = &e->metrics,
					   .label = in->label.text,
					   .log_limit = &e->stranger_log};
	}
	if (in == NULL ||
	    s2s_in_new(&in->core, &in->env, loop_now_ms(e->loop)) != 0) {
		edge_count_drop(&e->strangers, source);
		free(in);
		refuse(e, c, "memory");
		return NULL;
	}
	memcpy(in->address, source, sizeof(source));
	in->is_stranger = true;
	in->e = e;
	in->conn = c;
	edge_source_init(&in->source, e, edge_in_retry, in);
	in->source.conn = c;
	in->start_ms = loop_now_ms(e->loop);
	in->work = (struct loop_deferred){.fn = edge_in_work, .arg = in};
	in->reap = (struct loop_deferred){.fn = edge_in_reap, .arg = in};
	edge_attempts_accepted(in);
	DL_APPEND(e->ins, in);
	e->streams++;
	conn_set_handler(c, edge_in_conn, in);
	conn_set_deadline(c, s2s_in_deadline_ms(in->core));
	return in;
}

void edge_in_accept(struct listener *l, struct conn *c, void *arg)
{
	(void)l;
	(void)take(arg, c);
}

void edge_in_accept_direct(struct listener *l, struct conn *c, void *arg)
{
	/* the certificate that SNI asks for; whether it was the right one for
	 * the stream's "to" is for the peer to judge, as it is with STARTTLS */
	const struct tls_params p = {.side = TLS_SERVER, .is_direct = true};
	struct edge *e = arg;
	struct edge_in *in = take(e, c);

	(void)l;
	if (in == NULL)
		return;
	in->is_direct = true;
	if (conn_start_tls(c, e->creds, &p) != 0)
		edge_in_event(in, &(struct s2s_event){
					  .kind = S2S_EV_TLS_FAILED,
					  .u.text = "TLS cannot be started"});
}

/* ---- all of them --------------------------------------------------------- */

static void look_again(struct edge_in *in)
{
	bool was_busy = edge_source_is_busy(&in->source);

	/* its domain may be another partner's, at another rate */
	if (in->source.partner != NULL)
		(void)edge_partner_enter(&in->source, in->partner, true,
					 EDGE_PARTNER_THERE);
	if (s2s_in_offends(in->core))
		edge_source_give_up(&in->source);
	/* where a stanza stays, only times are others: they come with bytes */
	if (!in->source.is_held)
		edge_in_event(in, &(struct s2s_event){.kind = S2S_EV_POLICY});
	if (was_busy && !in->is_closed && !in->source.is_held)
		edge_in_retry(in);
}

void edge_in_look_again_all(struct edge *e)
{
	struct edge_in *in;
	struct edge_in *tmp;

	DL_FOREACH_SAFE (e->ins, in, tmp)
		look_again(in);
}

void edge_in_shutdown_all(struct edge *e)
{
	struct edge_in *in;
	struct edge_in *tmp;

	DL_FOREACH_SAFE (e->ins, in, tmp) {
		bool was_busy = edge_source_is_busy(&in->source);

		/* nobody waits any more: stanzas that have no place get an
		 * error, and reading goes on to see the peer's end */
		edge_partner_hurry(&in->source);
		if (was_busy)
			edge_in_retry(in);
		if (in->is_closed)
			continue;
		edge_in_event(in, &(struct s2s_event){.kind = S2S_EV_SHUTDOWN});
	}
}

void edge_in_kill_all(struct edge *e)
{
	struct edge_in *in;
	struct edge_in *tmp;

	DL_FOREACH_SAFE (e->ins, in, tmp)
		edge_in_finish(in,
			       &(struct s2s_reason){.kind = S2S_END_SHUTDOWN});
}
