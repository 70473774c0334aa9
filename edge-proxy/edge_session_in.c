/* Life of an inbound stream: conn, s2s_in, the channel. */
#include "edge-proxy/edge_session_in.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "edge-proxy/edge_attempts.h"

/* ---- end ----------------------------------------------------------------- */

void edge_in_reap(void *arg)
{
	struct edge_in *in = arg;

	s2s_in_free(in->core);
	free(in->partner);
	free(in);
}

static void free_verify(struct edge_in *in, struct edge_verify *v)
{
	DL_DELETE(in->verifies, v);
	free(v->local);
	free(v->remote);
	free(v);
}

static void drop_verifies(struct edge_in *in)
{
	struct edge_verify *v;
	struct edge_verify *tmp;

	DL_FOREACH_SAFE (in->verifies, v, tmp) {
		if (v->out != NULL)
			edge_out_abandon(v->out);
		free_verify(in, v);
	}
}

static void no_stranger(struct edge_in *in)
{
	if (in->is_stranger)
		edge_count_drop(&in->e->strangers, in->address);
	in->is_stranger = false;
}

static void log_close(const struct edge_in *in, const struct s2s_reason *r)
{
	uint64_t now_ms = loop_now_ms(in->e->loop);
	uint64_t ms = now_ms - in->start_ms;
	uint64_t stanzas = in->source.stanzas + in->written;
	char text[256];

	/* LIMIT: strangers that come and go do not fill the disk */
	if (in->is_stranger && !ratelimit_take(&in->e->stranger_log, now_ms))
		return;
	s2s_reason_format(r, text, sizeof(text));
	fed_log(&in->e->log, FED_LOG_INFO, "stream_close",
		"%s local=%s peer=%s reason=\"%s\" stanzas=%llu ms=%llu",
		in->label.text,
		log_value(span_str(s2s_in_local(in->core))).text,
		log_value(span_str(s2s_in_peer(in->core))).text, text,
		(unsigned long long)stanzas, (unsigned long long)ms);
}

void edge_in_finish(struct edge_in *in, const struct s2s_reason *r)
{
	struct edge *e = in->e;

	if (in->is_closed)
		return;
	in->is_closed = true;
	log_close(in, r);
	edge_attempts_ended(e, &in->env, r);
	DL_DELETE(e->ins, in);
	e->streams--;
	no_stranger(in);
	edge_source_end(&in->source);
	drop_verifies(in);
	edge_in_drop_pairs(in, r);
	conn_close(in->conn);
	in->conn = NULL;
	loop_undefer(e->loop, &in->work);
	loop_defer(e->loop, &in->reap);
	edge_check_stopped(e);
}

/* ---- actions of the core ------------------------------------------------- */

static void follow_up(struct edge_in *in, enum s2s_event_kind kind)
{
	if (in->has_follow_up)
		return;
	in->has_follow_up = true;
	in->follow_up = (struct s2s_event){.kind = kind};
	if (kind == S2S_EV_TLS_FAILED)
		in->follow_up.u.text = "TLS cannot be started";
}

static void count_partner(struct edge_in *in, const char *remote)
{
	if (in->partner != NULL)
		return;
	in->partner = strdup(remote);
	if (in->partner != NULL &&
	    edge_partner_enter(&in->source, remote, true, EDGE_PARTNER_NEW))
		return;
	metrics_count(&in->e->metrics, METRIC_streams_refused);
	if (ratelimit_take(&in->e->refused_log, loop_now_ms(in->e->loop)))
		fed_log(&in->e->log, FED_LOG_WARN, "stream_refused",
			"%s peer=%s limit=per_partner", in->label.text,
			log_value(span_str(remote)).text);
	follow_up(in, S2S_EV_TOO_MANY);
}

static void on_ready(struct edge_in *in, const struct s2s_action *a)
{
	const struct tls_facts *tls = conn_tls_facts(in->conn);

	no_stranger(in);
	edge_attempts_ready(in->e, &in->env, a->u.ready.mechanism,
			    a->u.ready.is_bidi);
	count_partner(in, a->u.ready.pair.remote);
	edge_routes_seen(in->e, &a->u.ready.pair);
	edge_in_add_pair(in, &a->u.ready.pair,
			 a->u.ready.is_bidi && !in->has_follow_up);
	fed_log(&in->e->log, FED_LOG_INFO, "stream_open",
		"%s local=%s peer=%s address=%s mechanism=%s tls=%s "
		"direct=%d bidi=%d",
		in->label.text, log_value(span_str(a->u.ready.pair.local)).text,
		log_value(span_str(a->u.ready.pair.remote)).text,
		conn_peer_address(in->conn),
		a->u.ready.mechanism == FED__MECHANISM__EXTERNAL ? "external"
								 : "dialback",
		tls == NULL ? "none" : tls->version, in->is_direct,
		(int)a->u.ready.is_bidi);
}

static void start_verify(struct edge_in *in, const struct s2s_action *a)
{
	struct edge_verify *v = calloc(1, sizeof(*v));

	if (v == NULL)
		return; /* the core's deadline answers */
	v->in = in;
	v->local = strdup(a->u.verify.pair.local);
	v->remote = strdup(a->u.verify.pair.remote);
	DL_APPEND(in->verifies, v);
	if (v->local == NULL || v->remote == NULL)
		free_verify(in, v);
	else
		edge_out_verify(in->e, v, a->u.verify.stream_id,
				a->u.verify.key);
}

static void start_tls(struct edge_in *in, const char *name)
{
	const struct tls_params tls = {.side = TLS_SERVER, .identity = name};

	if (conn_start_tls(in->conn, in->e->creds, &tls) != 0)
		follow_up(in, S2S_EV_TLS_FAILED);
}

static void do_action(struct edge_in *in, const struct s2s_action *a)
{
	switch (a->kind) {
	case S2S_ACT_WRITE:
		if (conn_write(in->conn, a->u.bytes) != 0)
			follow_up(in, S2S_EV_TOO_SLOW);
		break;
	case S2S_ACT_START_TLS:
		start_tls(in, a->u.name);
		break;
	case S2S_ACT_READY:
		on_ready(in, a);
		break;
	case S2S_ACT_VERIFY:
		start_verify(in, a);
		break;
	case S2S_ACT_STANZA:
		edge_source_take(&in->source, a);
		break;
	case S2S_ACT_REPLY:
		edge_routes_send_own(in->e, &a->u.stanza.pair,
				     a->u.stanza.stanza);
		break;
	case S2S_ACT_CLOSE:
		edge_in_finish(in, &a->u.reason);
		break;
	case S2S_ACT_PAIR_REFUSED:
	case S2S_ACT_VERDICT:
	case S2S_ACT_REDIRECT:
		(void)FED_CHECK(a->kind == S2S_ACT_WRITE); /* s2s_out only */
		break;
	}
}

/* ---- events -------------------------------------------------------------- */

static void drain(struct edge_in *in)
{
	struct s2s_action a;

	while (!in->is_closed && !edge_source_is_busy(&in->source) &&
	       s2s_in_next_action(in->core, &a))
		do_action(in, &a);
	edge_in_check_routes(in);
}

static void feed(struct edge_in *in, const struct s2s_event *ev)
{
	int err = s2s_in_on_event(in->core, ev, loop_now_ms(in->e->loop));

	drain(in);
	if (err == 0 || in->is_closed)
		return;
	fed_log(&in->e->log, FED_LOG_ERROR, "stream_broken", "%s error=%s",
		in->label.text, fed_strerror(err));
	edge_in_finish(in, &(struct s2s_reason){
				   .kind = S2S_END_ERROR_SENT,
				   .condition = S2S_INTERNAL_SERVER_ERROR});
}

/* What had to wait until the actions were drained. */
static void feed_followed(struct edge_in *in)
{
	while (in->has_follow_up && !in->is_closed &&
	       !edge_source_is_busy(&in->source)) {
		struct s2s_event next = in->follow_up;

		in->has_follow_up = false;
		feed(in, &next);
	}
	if (!in->is_closed && !edge_source_is_busy(&in->source))
		conn_set_deadline(in->conn, s2s_in_deadline_ms(in->core));
}

static void feed_rest(struct edge_in *in)
{
	feed_followed(in);
	if (!in->is_closed && in->verifies != NULL &&
	    !edge_source_is_busy(&in->source))
		loop_defer(in->e->loop, &in->work);
}

void edge_in_follow_up(struct edge_in *in, enum s2s_event_kind kind)
{
	follow_up(in, kind);
	feed_rest(in);
}

void edge_in_event(struct edge_in *in, const struct s2s_event *ev)
{
	feed(in, ev);
	feed_rest(in);
}

/* Verdicts come from the end of the turn: never while actions are drained. */
void edge_in_work(void *arg)
{
	struct edge_in *in = arg;
	struct edge_verify *v = in->verifies;

	while (v != NULL && !in->is_closed &&
	       !edge_source_is_busy(&in->source)) {
		struct edge_verify done = *v;
		struct s2s_event ev = {.kind = S2S_EV_VERIFIED};

		if (!v->is_done) {
			v = v->next;
			continue;
		}
		DL_DELETE(in->verifies, v);
		free(v);
		ev.u.verified.pair = (struct s2s_pair){done.local, done.remote};
		ev.u.verified.result = done.result;
		feed(in, &ev);
		free(done.local);
		free(done.remote);
		v = in->verifies;
	}
	feed_followed(in);
}

void edge_in_verified(struct edge_in *in)
{
	if (!in->is_closed)
		loop_defer(in->e->loop, &in->work);
}

/* The connection is gone: the core had its say. */
static void lost(struct edge_in *in)
{
	edge_in_event(in, &(struct s2s_event){.kind = S2S_EV_EOF});
	if (!in->is_closed && !edge_source_is_busy(&in->source))
		edge_in_finish(in, &(struct s2s_reason){.kind = S2S_END_EOF});
}

void edge_in_retry(void *arg)
{
	struct edge_in *in = arg;

	edge_source_retry(&in->source);
	drain(in);
	if (in->is_closed || edge_source_is_busy(&in->source))
		return;
	if (in->is_lost) {
		lost(in);
		return;
	}
	s2s_in_resumed(in->core, loop_now_ms(in->e->loop));
	conn_resume(in->conn);
	if (in->is_timer_due) {
		in->is_timer_due = false;
		feed(in, &(struct s2s_event){.kind = S2S_EV_TIMER});
	}
	feed_rest(in);
}

/* ---- connection ---------------------------------------------------------- */

static void on_error(struct edge_in *in, const struct conn_event *cev)
{
	struct s2s_event ev = {.kind = S2S_EV_TLS_FAILED};

	ev.u.text = cev->text;
	/* a stanza that waits for the channel is still delivered */
	in->is_lost = true;
	if (edge_source_is_busy(&in->source)) {
		edge_in_leave_routes(in,
				     &(struct s2s_reason){.kind = S2S_END_EOF});
		return;
	}
	if (cev->kind == CONN_ERROR && cev->err == FED_ETLS) {
		edge_attempts_tls(in->e, &in->env, in->conn, cev->text);
		edge_in_event(in, &ev);
	}
	if (!in->is_closed)
		lost(in);
}

void edge_in_conn(struct conn *c, const struct conn_event *cev, void *arg)
{
	struct edge_in *in = arg;
	struct s2s_event ev = {0};

	switch (cev->kind) {
	case CONN_UP:
		return;
	case CONN_DRAINED:
		edge_in_drained(in, c);
		return;
	case CONN_TLS_UP:
		ev.kind = S2S_EV_TLS_UP;
		ev.u.tls = conn_tls_facts(c);
		ev.expires_ms = edge_expires_ms(in->e, ev.u.tls);
		edge_attempts_tls(in->e, &in->env, c, NULL);
		break;
	case CONN_DATA:
		ev.kind = S2S_EV_BYTES;
		ev.u.bytes = cev->data;
		edge_in_heard(in);
		edge_in_event(in, &ev);
		edge_partner_spend(&in->source, 0, cev->data.n);
		return;
	case CONN_TIMEOUT:
		in->is_timer_due = edge_source_is_busy(&in->source);
		if (edge_source_is_busy(&in->source))
			return;
		ev.kind = S2S_EV_TIMER;
		break;
	case CONN_EOF:
	case CONN_ERROR:
		on_error(in, cev);
		return;
	}
	edge_in_event(in, &ev);
}
