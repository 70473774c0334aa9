/* Life of an outbound stream: dial, s2s_out, the router or a verification. */
#include "edge-proxy/edge_session_out.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "edge-proxy/edge_attempts.h"
#include "edge-proxy/edge_check.h"
#include "xmpp/jid.h"

/* ---- end ----------------------------------------------------------------- */

void edge_out_reap(void *arg)
{
	struct edge_out *o = arg;

	s2s_out_free(o->core);
	free(o->local);
	free(o->remote);
	free(o->stream_id);
	if (o->key != NULL)
		explicit_bzero(o->key, strlen(o->key));
	free(o->key);
	free(o);
}

/* XEP-0220 2.4: what the reason means to the stream that asked. */
static enum s2s_verify_result verdict_of(const struct s2s_reason *r)
{
	switch (r->kind) {
	case S2S_END_DNS:
		return S2S_VERIFY_NOT_FOUND;
	case S2S_END_CONNECT:
		return S2S_VERIFY_NO_CONNECT;
	case S2S_END_ERROR_GOT:
		return r->condition == S2S_HOST_UNKNOWN ||
				       r->condition == S2S_HOST_GONE
			       ? S2S_VERIFY_NOT_FOUND
			       : S2S_VERIFY_NO_ANSWER;
	case S2S_END_NONE:
	case S2S_END_CLOSED:
	case S2S_END_TLS:
	case S2S_END_CERT:
	case S2S_END_AUTH:
	case S2S_END_POLICY:
	case S2S_END_ERROR_SENT:
	case S2S_END_TIMEOUT:
	case S2S_END_EOF:
	case S2S_END_SHUTDOWN:
		break;
	}
	return S2S_VERIFY_NO_ANSWER;
}

static void tell_verify(struct edge_out *o, const struct s2s_reason *r)
{
	struct edge_verify *v = o->verify;

	if (v == NULL)
		return;
	o->verify = NULL;
	v->out = NULL;
	v->is_done = true;
	v->result = o->has_verdict ? o->verdict : verdict_of(r);
	edge_in_verified(v->in);
}

void edge_out_detach(struct edge_out *o, const struct s2s_reason *r)
{
	const struct s2s_pair pair = {o->local, o->remote};

	if (o->route == 0)
		return;
	HASH_DELETE(hh, o->e->outs_by_route, o);
	o->route = 0;
	if (o->is_open)
		edge_news_ended(o->e, &pair, false, r);
	else
		edge_news_failed(o->e, &pair, r);
}

static void leave_route(struct edge_out *o, const struct s2s_reason *r)
{
	uint64_t route = o->route;

	edge_out_detach(o, r);
	if (route != 0)
		edge_routes_ended(o->e, route, r);
}

static void log_close(const struct edge_out *o, const struct s2s_reason *r)
{
	uint64_t ms = loop_now_ms(o->e->loop) - o->start_ms;
	uint64_t stanzas = o->stanzas + o->source.stanzas;
	char text[256];

	/* LIMIT: strangers make us verify; that does not fill the disk */
	if (o->mode == S2S_OUT_VERIFY &&
	    !ratelimit_take(&o->e->stranger_log, loop_now_ms(o->e->loop)))
		return;
	s2s_reason_format(r, text, sizeof(text));
	fed_log(&o->e->log, FED_LOG_INFO, "stream_close",
		"%s local=%s peer=%s reason=\"%s\" stanzas=%llu ms=%llu",
		o->label.text, log_value(span_str(o->local)).text,
		log_value(span_str(o->remote)).text, text,
		(unsigned long long)stanzas, (unsigned long long)ms);
}

void edge_out_finish(struct edge_out *o, const struct s2s_reason *r)
{
	struct edge *e = o->e;

	if (o->is_closed)
		return;
	o->is_closed = true;
	log_close(o, r);
	edge_attempts_verified(o, r);
	edge_attempts_ended(e, &o->env, r);
	edge_check_ended(o);
	DL_DELETE(e->outs, o);
	e->streams--;
	if (o->mode == S2S_OUT_VERIFY) {
		e->verifies--;
		edge_count_drop(&e->verifying, o->remote);
	}
	edge_source_end(&o->source);
	/* SAFETY: now and not when it is freed: a connection that comes up in
	 * the same turn would be given to it, and outlive it */
	edge_dial_free(o->dial);
	o->dial = NULL;
	conn_close(o->conn);
	o->conn = NULL;
	leave_route(o, r);
	tell_verify(o, r);
	loop_undefer(e->loop, &o->redial);
	loop_defer(e->loop, &o->reap);
	edge_check_stopped(e);
}

/* ---- see-other-host ------------------------------------------------------ */

static void on_redirect(struct edge_out *o, const struct other_host *host)
{
	o->other = *host;
	o->redirects++;
	s2s_note(&o->env, loop_now_ms(o->e->loop), ATTEMPT_INFO, "redirect",
		 "it sends us to %s port %u",
		 log_value(span_str(host->host)).text, host->port);
	fed_log(&o->e->log, FED_LOG_INFO, "stream_redirected",
		"%s peer=%s host=%s port=%u count=%u", o->label.text,
		log_value(span_str(o->remote)).text,
		log_value(span_str(host->host)).text, host->port, o->redirects);
	loop_defer(o->e->loop, &o->redial);
}

void edge_out_redial(void *arg)
{
	struct edge_out *o = arg;

	s2s_out_free(o->core);
	o->core = NULL;
	o->is_direct = false;
	o->is_lost = false;
	edge_out_dial(o);
}

/* The last word of the host that sent us away: the attempt goes on. */
static void on_close(struct edge_out *o, const struct s2s_reason *r)
{
	if (!o->redial.is_queued || o->e->phase != EDGE_RUNNING) {
		edge_out_finish(o, r);
		return;
	}
	conn_close(o->conn);
	o->conn = NULL;
}

/* ---- actions of the core ------------------------------------------------- */

static void follow_up(struct edge_out *o, enum s2s_event_kind kind)
{
	if (o->has_follow_up)
		return;
	o->has_follow_up = true;
	o->follow_up = (struct s2s_event){.kind = kind};
	if (kind == S2S_EV_TLS_FAILED)
		o->follow_up.u.text = "TLS cannot be started";
}

static void start_tls(struct edge_out *o, const char *name)
{
	bool has_own = tls_creds_has(o->e->creds, o->local);
	char sni[LIMIT_DOMAIN_BYTES + 1];
	const struct tls_params tls = {
		.side = TLS_CLIENT,
		.identity = has_own ? o->local : NULL,
		.sni = sni,
	};

	if (domain_to_ascii(span_str(name), sni, sizeof(sni)) != 0 ||
	    conn_start_tls(o->conn, o->e->creds, &tls) != 0)
		follow_up(o, S2S_EV_TLS_FAILED);
}

static void on_ready(struct edge_out *o, bool is_bidi)
{
	const struct tls_facts *tls = conn_tls_facts(o->conn);

	o->is_open = true;
	edge_attempts_ready(o->e, &o->env, s2s_out_mechanism(o->core), is_bidi);
	fed_log(&o->e->log, FED_LOG_INFO, "stream_open",
		"%s local=%s peer=%s address=%s mechanism=%s tls=%s "
		"direct=%d bidi=%d",
		o->label.text, log_value(span_str(o->local)).text,
		log_value(span_str(o->remote)).text, conn_peer_address(o->conn),
		s2s_out_mechanism(o->core) == FED__MECHANISM__EXTERNAL
			? "external"
			: "dialback",
		tls == NULL ? "none" : tls->version, o->is_direct,
		(int)is_bidi);
	if (o->check != NULL)
		follow_up(o, S2S_EV_IDLE_CLOSE);
	if (o->route == 0)
		return;
	edge_routes_opened(o->e, o->route, s2s_out_peer_limits(o->core));
	edge_news_opened(o->e, &(struct s2s_pair){o->local, o->remote}, false);
}

static void do_action(struct edge_out *o, const struct s2s_action *a)
{
	switch (a->kind) {
	case S2S_ACT_WRITE:
		if (conn_write(o->conn, a->u.bytes) != 0)
			follow_up(o, S2S_EV_TOO_SLOW);
		break;
	case S2S_ACT_START_TLS:
		start_tls(o, a->u.name);
		break;
	case S2S_ACT_READY:
		on_ready(o, a->u.ready.is_bidi);
		break;
	case S2S_ACT_PAIR_REFUSED:
		/* the stream has one pair: without it, it has no use */
		leave_route(o, &a->u.refused.reason);
		follow_up(o, S2S_EV_IDLE_CLOSE);
		break;
	case S2S_ACT_VERDICT:
		o->has_verdict = true;
		o->verdict = a->u.verdict;
		break;
	case S2S_ACT_REDIRECT:
		on_redirect(o, a->u.redirect);
		break;
	case S2S_ACT_CLOSE:
		on_close(o, &a->u.reason);
		break;
	case S2S_ACT_STANZA:
		edge_source_take(&o->source, a);
		break;
	case S2S_ACT_REPLY:
		edge_routes_send_own(o->e, &a->u.stanza.pair,
				     a->u.stanza.stanza);
		break;
	case S2S_ACT_VERIFY:
		(void)FED_CHECK(a->kind == S2S_ACT_WRITE); /* s2s_in only */
		break;
	}
}

/* The peer said goodbye: what waits goes to a new stream at once. */
static void check_still_open(struct edge_out *o)
{
	struct s2s_reason r;

	if (!o->is_open || o->is_closed || s2s_out_is_open(o->core))
		return;
	r = edge_reason(S2S_END_CLOSED, S2S_NO_CONDITION, "closing");
	leave_route(o, &r);
}

static void drain(struct edge_out *o)
{
	struct s2s_action a;

	while (!o->is_closed && !edge_source_is_busy(&o->source) &&
	       s2s_out_next_action(o->core, &a))
		do_action(o, &a);
	check_still_open(o);
}

static void feed(struct edge_out *o, const struct s2s_event *ev)
{
	int err = s2s_out_on_event(o->core, ev, loop_now_ms(o->e->loop));

	drain(o);
	if (err == 0 || o->is_closed)
		return;
	fed_log(&o->e->log, FED_LOG_ERROR, "stream_broken", "%s error=%s",
		o->label.text, fed_strerror(err));
	edge_out_finish(o, &(struct s2s_reason){
				   .kind = S2S_END_ERROR_SENT,
				   .condition = S2S_INTERNAL_SERVER_ERROR});
}

/* What had to wait until the actions were drained. */
static void feed_rest(struct edge_out *o)
{
	while (o->has_follow_up && !o->is_closed &&
	       !edge_source_is_busy(&o->source)) {
		struct s2s_event next = o->follow_up;

		o->has_follow_up = false;
		feed(o, &next);
	}
	if (o->conn != NULL && !edge_source_is_busy(&o->source))
		conn_set_deadline(o->conn, s2s_out_deadline_ms(o->core));
}

void edge_out_event(struct edge_out *o, const struct s2s_event *ev)
{
	if (edge_source_is_busy(&o->source)) {
		follow_up(o, ev->kind);
		return;
	}
	feed(o, ev);
	feed_rest(o);
}

/* The connection is dead: the core has its say. */
static void lost(struct edge_out *o, const struct s2s_event *ev)
{
	edge_out_event(o, ev);
	if (o->conn != NULL && !edge_source_is_busy(&o->source))
		edge_out_finish(o, &(struct s2s_reason){.kind = S2S_END_EOF});
}

void edge_out_retry(void *arg)
{
	struct edge_out *o = arg;

	edge_source_retry(&o->source);
	drain(o);
	if (o->conn == NULL || edge_source_is_busy(&o->source))
		return;
	if (o->is_lost) {
		lost(o, &(struct s2s_event){.kind = S2S_EV_EOF});
		return;
	}
	conn_resume(o->conn);
	if (o->is_timer_due) {
		o->is_timer_due = false;
		feed(o, &(struct s2s_event){.kind = S2S_EV_TIMER});
	}
	feed_rest(o);
}

/* ---- connection ---------------------------------------------------------- */

static void on_drained(struct edge_out *o, struct conn *c)
{
	if (o->route != 0)
		edge_routes_flushed(o->e, o->route, conn_flushed(c),
				    conn_is_congested(c));
}

static void on_error(struct edge_out *o, const struct conn_event *cev)
{
	struct s2s_event ev = {.kind = S2S_EV_EOF};
	struct s2s_reason r = {.kind = S2S_END_EOF};

	if (cev->kind == CONN_ERROR && cev->err == FED_ETLS) {
		ev.kind = S2S_EV_TLS_FAILED;
		ev.u.text = cev->text;
		edge_attempts_tls(o->e, &o->env, o->conn, cev->text);
	}
	/* a stanza that waits for the channel is still delivered */
	o->is_lost = true;
	if (edge_source_is_busy(&o->source))
		leave_route(o, &r);
	else
		lost(o, &ev);
}

static void on_data(struct edge_out *o, struct span data)
{
	struct s2s_event ev = {.kind = S2S_EV_BYTES, .u.bytes = data};

	if (o->route != 0 && s2s_out_is_bidi(o->core))
		edge_routes_heard(o->e, o->route);
	edge_out_event(o, &ev);
	if (o->is_open)
		edge_partner_spend(&o->source, 0, data.n);
}

static void on_conn(struct conn *c, const struct conn_event *cev, void *arg)
{
	struct edge_out *o = arg;
	struct s2s_event ev = {0};

	switch (cev->kind) {
	case CONN_UP:
		return;
	case CONN_DRAINED:
		on_drained(o, c);
		return;
	case CONN_DATA:
		on_data(o, cev->data);
		return;
	case CONN_TLS_UP:
		ev.kind = S2S_EV_TLS_UP;
		ev.u.tls = conn_tls_facts(c);
		ev.expires_ms = edge_expires_ms(o->e, ev.u.tls);
		edge_attempts_tls(o->e, &o->env, c, NULL);
		edge_check_saw_tls(o);
		break;
	case CONN_TIMEOUT:
		o->is_timer_due = edge_source_is_busy(&o->source);
		if (o->is_timer_due)
			return;
		ev.kind = S2S_EV_TIMER;
		break;
	case CONN_EOF:
	case CONN_ERROR:
		on_error(o, cev);
		return;
	}
	edge_out_event(o, &ev);
}

void edge_out_dialed(void *arg, struct conn *c, const struct s2s_reason *why)
{
	struct edge_out *o = arg;
	struct s2s_out_params p = {
		.mode = o->mode,
		.pair = {o->local, o->remote},
		.stream_id = o->stream_id,
		.key = o->key,
		.has_certificate = tls_creds_has(o->e->creds, o->local),
		.redirects = o->redirects,
		.is_check = o->check != NULL,
	};
	int err;

	edge_dial_free(o->dial);
	o->dial = NULL;
	if (c == NULL) {
		edge_out_finish(o, why);
		return;
	}
	o->conn = c;
	o->source.conn = c;
	conn_set_handler(c, on_conn, o);
	err = s2s_out_new(&o->core, &o->env, &p, loop_now_ms(o->e->loop));
	if (err != 0) {
		edge_out_finish(o, &(struct s2s_reason){
					   .kind = err == FED_EDENIED
							   ? S2S_END_POLICY
							   : S2S_END_CONNECT});
		return;
	}
	if (conn_tls_facts(c) != NULL) { /* a direct-TLS target */
		o->is_direct = true;
		on_conn(c, &(struct conn_event){.kind = CONN_TLS_UP}, o);
		return;
	}
	drain(o);
	if (o->conn != NULL)
		conn_set_deadline(c, s2s_out_deadline_ms(o->core));
}
