/* Glue: events of links and SIP into the router, its actions out again. */
#include "fe-gateway/gateway_session_priv.h"

#include <inttypes.h>
#include <stdlib.h>

#include "fe-gateway/gateway_admin_migrate.h"
#include "fe-gateway/sip_accept.h"
#include "fe-gateway/sip_silent.h"

enum {
	/* the last answers leave in this time after nothing is held any more */
	SESSION_LINGER_MS = 200,
	SESSION_SWEEP_MS = 10000,
	/* a proxy is not restarted in less */
	SESSION_LOOK_MS = 2000,
};

static uint64_t now_ms(const struct gateway_session *s)
{
	return loop_now_ms(s->loop);
}

/* --- actions ------------------------------------------------------------- */

static void send_stanza(struct gateway_session *s, size_t edge,
			const struct chan_delivery *d)
{
	uint64_t handle = d->handle;
	int err = chan_link_send_stanza(s->edges[edge].link, d);

	if (err == 0)
		return;
	if (err != FED_EAGAIN)
		fed_log(s->log, FED_LOG_WARN, "stanza_unsendable",
			"edge=%s error=%s", s->edge_names[edge],
			fed_strerror(err));
	gw_router_on_send_failed(s->router, handle, err, now_ms(s));
}

static void send_outcome(struct gateway_session *s, size_t edge, uint64_t ref,
			 const Fed__Error *refused)
{
	int err = chan_link_send_outcome(s->edges[edge].link, ref, refused);

	/* of a session that is gone: the edge sends the Stanza again */
	if (err != 0)
		fed_log(s->log, FED_LOG_DEBUG, "outcome_lost",
			"edge=%s ref=%" PRIu64 " error=%s", s->edge_names[edge],
			ref, fed_strerror(err));
}

/* One to a synthetic user is answered here. */
static void send_request(struct gateway_session *s, uint64_t token,
			 const struct sip_request_out *request)
{
	const struct sip_response_in ok = {
		.end = SIP_END_RESPONSE,
		.status = 200,
	};

	if (gateway_tests_on_request(s->tests, request))
		gw_router_on_sip_response(s->router, token, &ok, now_ms(s));
	else
		sip_hops_send(s->hops, token, request);
}

static void perform(struct gateway_session *s, const struct gw_action *a)
{
	switch (a->kind) {
	case GW_ACT_SIP_REPLY:
		if (!gateway_tests_on_reply(s->tests, a->u.sip_reply.handle,
					    a->u.sip_reply.reply))
			sip_adapter_reply(s->sip, a->u.sip_reply.handle,
					  a->u.sip_reply.reply);
		break;
	case GW_ACT_SIP_DROP:
		sip_adapter_drop(s->sip, a->u.sip_reply.handle);
		break;
	case GW_ACT_SIP_PASS:
		sip_adapter_pass(s->sip, a->u.sip_reply.handle);
		break;
	case GW_ACT_SIP_SEND:
		send_request(s, a->u.sip_send.token, a->u.sip_send.request);
		break;
	case GW_ACT_STANZA:
		send_stanza(s, a->u.stanza.edge, &a->u.stanza.delivery);
		break;
	case GW_ACT_OUTCOME:
		send_outcome(s, a->u.outcome.edge, a->u.outcome.ref,
			     a->u.outcome.refused);
		break;
	case GW_ACT_STORE:
		if (gateway_presence_put(s->presence, a->u.store.row,
					 a->u.store.seq) != 0)
			gw_router_on_store_full(s->router, now_ms(s));
		break;
	}
}

/* Once: requests that are refused meanwhile give no more time. */
static void begin_linger(struct gateway_session *s)
{
	uint64_t at = now_ms(s) + SESSION_LINGER_MS;

	if (!s->is_stopping || s->is_lingering || !gw_router_is_idle(s->router))
		return;
	s->is_lingering = true;
	loop_timer_arm(s->end, at < s->stop_at_ms ? at : s->stop_at_ms);
}

/* What an action causes is drained by the outermost call. */
static void pump(struct gateway_session *s)
{
	struct gw_action a;

	if (s->is_pumping)
		return;
	s->is_pumping = true;
	while (gw_router_next_action(s->router, &a, now_ms(s)))
		perform(s, &a);
	s->is_pumping = false;
	loop_timer_arm(s->timer, gw_router_deadline_ms(s->router));
	begin_linger(s);
}

void session_on_deadline(void *arg)
{
	pump(arg);
}

void session_on_end(void *arg)
{
	struct gateway_session *s = arg;

	loop_stop(s->loop);
}

void session_on_sweep(void *arg)
{
	struct gateway_session *s = arg;
	size_t count = sip_silent_end(LIMIT_SIP_SILENT_MS);

	if (s->sip_tls != NULL)
		count += sip_tls_compat_end_slow();
	if (count > 0)
		fed_log(s->log, FED_LOG_INFO, "sip_silent", "closed=%zu",
			count);
	loop_timer_arm(s->sweep, now_ms(s) + SESSION_SWEEP_MS);
}

void session_on_look(void *arg)
{
	struct gateway_session *s = arg;

	sip_hops_look(s->hops);
	loop_timer_arm(s->look, now_ms(s) + SESSION_LOOK_MS);
}

/* --- events -------------------------------------------------------------- */

bool session_admit_udp(struct span source, void *arg)
{
	struct gateway_session *s = arg;

	return gw_router_admit_udp(s->router, source, now_ms(s));
}

bool session_is_trusted(struct span ip, void *arg)
{
	struct gateway_session *s = arg;

	return gw_router_is_trusted(s->router, ip);
}

void session_on_connection_refused(struct span ip, void *arg)
{
	struct gateway_session *s = arg;

	gw_router_on_connection_refused(s->router, ip, now_ms(s));
}

void session_on_sip_request(const struct sip_request_in *r, void *arg)
{
	struct gateway_session *s = arg;

	gw_router_on_sip_request(s->router, r, now_ms(s));
	pump(s);
}

void session_on_sip_response(uint64_t token, const struct sip_response_in *r,
			     void *arg)
{
	struct gateway_session *s = arg;

	if (gateway_admin_migrate_on_response(s, token, r))
		return;
	gw_router_on_sip_response(s->router, token, r, now_ms(s));
	pump(s);
}

void session_on_transaction_end(uint64_t token, const struct sip_response_in *r,
				void *arg)
{
	struct gateway_session *s = arg;

	sip_hops_on_response(s->hops, token, r);
}

static void tell_edge_state(struct session_edge *e)
{
	enum gw_edge_state state = GW_EDGE_READY;

	if (!chan_link_is_up(e->link))
		state = GW_EDGE_DOWN;
	else if (e->is_draining)
		state = GW_EDGE_DRAINING;
	else if (!chan_link_can_send(e->link))
		state = GW_EDGE_FULL;
	gw_router_on_edge(e->session->router, e->index, state,
			  now_ms(e->session));
}

/* What came in before a stream broke may not have been all of it. */
static enum presence_stream_event stream_event(const Fed__StreamEvent *ev)
{
	if (ev->what == FED__STREAM_EVENT__WHAT__OPENED)
		return PRESENCE_STREAM_OPENED;
	return ev->what == FED__STREAM_EVENT__WHAT__CLOSED && ev->in_order
		       ? PRESENCE_STREAM_CLOSED
		       : PRESENCE_STREAM_FAILED;
}

static void on_stream_event(struct session_edge *e, const Fed__StreamEvent *ev)
{
	/* the channel passes no other value */
	static const char *const what[] = {"opened", "closed", "failed"};

	fed_log(e->session->log, FED_LOG_DEBUG, "edge_stream",
		"edge=%s what=%s dir=%s local=%s peer=%s in_order=%d "
		"reason=\"%s\"",
		chan_link_peer(e->link), what[ev->what],
		ev->inbound ? "in" : "out",
		log_value(span_str(ev->local_domain)).text,
		log_value(span_str(ev->peer_domain)).text, ev->in_order,
		log_value(span_str(ev->reason)).text);
	last_words_note(e->session->last_words, e->index, ev,
			now_ms(e->session));
	gw_router_on_stream(e->session->router, span_str(ev->peer_domain),
			    stream_event(ev), now_ms(e->session));
}

static void on_frame(struct session_edge *e, const Fed__Frame *f)
{
	if (f->kind_case == FED__FRAME__KIND_CONFIG_RESULT)
		gateway_federation_on_result(e->session->federation, e->index,
					     f->config_result);
	if (f->kind_case == FED__FRAME__KIND_STREAM_EVENT)
		on_stream_event(e, f->stream_event);
	else if (f->kind_case == FED__FRAME__KIND_ADMIN_RESPONSE &&
		 e->session->admin != NULL)
		gateway_admin_on_response(e->session->admin, e->index,
					  f->admin_response);
}

void session_on_link(struct chan_link *l, const struct chan_action *a,
		     void *arg)
{
	struct session_edge *e = arg;
	struct gateway_session *s = e->session;

	(void)l;
	switch (a->kind) {
	case CHAN_ACT_UP:
		e->is_draining = false;
		if (!a->u.up.is_resumed) {
			last_words_forget(s->last_words, e->index);
			gw_router_on_session(s->router, e->index);
		}
		tell_edge_state(e);
		if (a->u.up.is_resumed)
			gateway_federation_on_resumed(s->federation, e->index);
		else
			gateway_federation_on_session(s->federation, e->index);
		break;
	case CHAN_ACT_STANZA:
		gateway_tests_on_stanza(s->tests, a->u.stanza.frame->stanza);
		gw_router_on_stanza(s->router, e->index, a->u.stanza.ref,
				    a->u.stanza.frame, now_ms(s));
		break;
	case CHAN_ACT_OUTCOME:
		gateway_tests_on_outcome(
			s->tests,
			gw_router_sent(s->router, a->u.outcome.handle),
			s->edge_names[e->index], a->u.outcome.refused);
		gw_router_on_outcome(s->router, a->u.outcome.handle,
				     a->u.outcome.refused, now_ms(s));
		break;
	case CHAN_ACT_RETURNED:
		gw_router_on_returned(s->router, e->index, a->u.outcome.handle,
				      now_ms(s));
		break;
	case CHAN_ACT_DRAIN:
		e->is_draining = true;
		tell_edge_state(e);
		break;
	case CHAN_ACT_DOWN:
	case CHAN_ACT_GONE:
		gateway_federation_on_edge_down(s->federation, e->index);
		tell_edge_state(e);
		break;
	case CHAN_ACT_WINDOW:
		tell_edge_state(e);
		break;
	case CHAN_ACT_FRAME:
		on_frame(e, a->u.frame);
		break;
	case CHAN_ACT_CLOSE:
		/* the link closes by itself */
		break;
	}
	pump(s);
}

void session_on_back(const char *host, void *arg)
{
	struct gateway_session *s = arg;

	gw_router_on_next_hop(s->router,
			      host != NULL ? span_str(host) : SPAN_NULL,
			      now_ms(s));
	pump(s);
}

void session_on_committed(uint64_t seq, void *arg)
{
	struct gateway_session *s = arg;

	gw_router_on_committed(s->router, seq, now_ms(s));
	pump(s);
}

void session_on_revision(uint64_t number, void *arg)
{
	struct gateway_session *s = arg;

	gateway_federation_on_committed(s->federation, number);
}

void session_on_store_trouble(bool is_broken, const char *why, void *arg)
{
	struct gateway_session *s = arg;

	if (is_broken)
		fed_log(s->log, FED_LOG_ERROR, "store_failed",
			"waiting=%zu why=\"%s\"", store_pending(s->store), why);
	else
		fed_log(s->log, FED_LOG_INFO, "store_back", "waiting=%zu",
			store_pending(s->store));
}

int session_send_frame(size_t edge, Fed__Frame *frame, void *arg)
{
	struct gateway_session *s = arg;
	struct chan_link *link = s->edges[edge].link;

	/* at the start, before they are dialled */
	return link != NULL ? chan_link_send_frame(link, frame) : FED_EAGAIN;
}

/* Where requests go that are not ours yet. */
static void use_legacy(struct gateway_session *s, const char *uri)
{
	bool is_there = uri[0] != '\0';
	int err = sip_hops_set_legacy(s->hops, is_there ? uri : NULL);

	if (err != 0)
		fed_log(s->log, FED_LOG_ERROR, "legacy_next_hop_failed",
			"uri=%s error=%s", log_value(span_str(uri)).text,
			fed_strerror(err));
	sip_adapter_keep_text(s->sip, is_there);
}

/* What becomes hidden is said before the edges are told, who may close the
 * streams that it is said on. */
void session_on_federation(const struct federation *f, void *arg)
{
	struct gateway_session *s = arg;

	use_legacy(s, federation_settings(f)->legacy_next_hop);
	/* it is told when it is made */
	if (s->router == NULL)
		return;
	gw_router_set_federation(s->router, f, now_ms(s));
	pump(s);
}

/* --- life ---------------------------------------------------------------- */

int gateway_session_new(struct gateway_session **s_out,
			const struct gateway_config *config,
			struct sip_loop *loop, struct id_source *ids,
			struct metrics *metrics, struct errbuf *e)
{
	const struct gateway_config_channel *ch = &config->file->channel;
	struct gateway_session *s = calloc(1, sizeof(*s));
	int err;

	errbuf_set(e, "out of memory");
	if (s == NULL)
		return FED_ENOMEM;
	s->config = config;
	s->sip_loop = loop;
	s->loop = sip_loop_inner(loop);
	s->log = loop_log(s->loop);
	s->metrics = metrics;
	s->edge_count = ch->edges_count;
	for (size_t i = 0; i < s->edge_count; i++)
		s->edge_names[i] = ch->edges[i].name;
	err = gateway_session_make(s, ids, e);
	if (err != 0) {
		gateway_session_free(s);
		return err;
	}
	*s_out = s;
	return 0;
}

void gateway_session_stop(struct gateway_session *s)
{
	if (s->is_stopping)
		return;
	s->is_stopping = true;
	fed_log(s->log, FED_LOG_INFO, "stopping", "held_in=%zu held_out=%zu",
		gw_router_held_in(s->router), gw_router_held_out(s->router));
	s->stop_at_ms = now_ms(s) + LIMIT_GATEWAY_STOP_MS + SESSION_LINGER_MS;
	loop_timer_arm(s->end, s->stop_at_ms);
	gw_router_stop(s->router, now_ms(s));
	for (size_t i = 0; i < s->edge_count; i++)
		chan_link_drain(s->edges[i].link, "stopping");
	pump(s);
}

void gateway_session_free(struct gateway_session *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->edge_count; i++)
		if (s->edges[i].link != NULL)
			chan_link_free(s->edges[i].link);
	sip_accept_set(NULL);
	sip_hops_free(s->hops);
	sip_adapter_free(s->sip);
	sip_tls_free(s->sip_tls);
	gw_router_free(s->router);
	gateway_federation_free(s->federation);
	store_close(s->store);
	gateway_presence_free(s->presence);
	last_words_free(s->last_words);
	loop_timer_free(s->timer);
	loop_timer_free(s->end);
	loop_timer_free(s->sweep);
	loop_timer_free(s->look);
	tls_creds_unref(s->creds);
	free(s);
}
