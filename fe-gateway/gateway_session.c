/* Glue: events of links and SIP into the router, its actions out again. */
#include "fe-gateway/gateway_session_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "fe-gateway/sip_accept.h"
#include "fe-gateway/sip_silent.h"
#include "io/daemon.h"

enum {
	/* the last answers leave in this time after nothing is held any more */
	SESSION_LINGER_MS = 200,
	SESSION_SWEEP_MS = 10000,
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

static void perform(struct gateway_session *s, const struct gw_action *a)
{
	switch (a->kind) {
	case GW_ACT_SIP_REPLY:
		sip_adapter_reply(s->sip, a->u.sip_reply.handle,
				  a->u.sip_reply.reply);
		break;
	case GW_ACT_SIP_DROP:
		sip_adapter_drop(s->sip, a->u.sip_reply.handle);
		break;
	case GW_ACT_SIP_SEND:
		sip_hops_send(s->hops, a->u.sip_send.token,
			      a->u.sip_send.request);
		break;
	case GW_ACT_STANZA:
		send_stanza(s, a->u.stanza.edge, &a->u.stanza.delivery);
		break;
	case GW_ACT_OUTCOME:
		send_outcome(s, a->u.outcome.edge, a->u.outcome.ref,
			     a->u.outcome.refused);
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

static void on_deadline(void *arg)
{
	pump(arg);
}

static void on_end(void *arg)
{
	struct gateway_session *s = arg;

	loop_stop(s->loop);
}

static void on_sweep(void *arg)
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

/* --- events -------------------------------------------------------------- */

static bool admit_udp(struct span source, void *arg)
{
	struct gateway_session *s = arg;

	return gw_router_admit_udp(s->router, source, now_ms(s));
}

static bool is_trusted(struct span ip, void *arg)
{
	struct gateway_session *s = arg;

	return gw_router_is_trusted(s->router, ip);
}

static void on_connection_refused(struct span ip, void *arg)
{
	struct gateway_session *s = arg;

	gw_router_on_connection_refused(s->router, ip, now_ms(s));
}

static void on_sip_request(const struct sip_request_in *r, void *arg)
{
	struct gateway_session *s = arg;

	gw_router_on_sip_request(s->router, r, now_ms(s));
	pump(s);
}

static void on_sip_response(uint64_t token, const struct sip_response_in *r,
			    void *arg)
{
	struct gateway_session *s = arg;

	gw_router_on_sip_response(s->router, token, r, now_ms(s));
	pump(s);
}

static void on_transaction_end(uint64_t token, const struct sip_response_in *r,
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

static void on_frame(struct session_edge *e, const Fed__Frame *f)
{
	/* the channel passes no other value */
	static const char *const what[] = {"opened", "closed", "failed"};
	const Fed__StreamEvent *ev;

	if (f->kind_case != FED__FRAME__KIND_STREAM_EVENT)
		return;
	ev = f->stream_event;
	fed_log(e->session->log, FED_LOG_DEBUG, "edge_stream",
		"edge=%s what=%s dir=%s local=%s peer=%s in_order=%d "
		"reason=\"%s\"",
		chan_link_peer(e->link), what[ev->what],
		ev->inbound ? "in" : "out",
		log_value(span_str(ev->local_domain)).text,
		log_value(span_str(ev->peer_domain)).text, ev->in_order,
		log_value(span_str(ev->reason)).text);
}

static void on_link(struct chan_link *l, const struct chan_action *a, void *arg)
{
	struct session_edge *e = arg;
	struct gateway_session *s = e->session;

	(void)l;
	switch (a->kind) {
	case CHAN_ACT_UP:
		e->is_draining = false;
		tell_edge_state(e);
		break;
	case CHAN_ACT_STANZA:
		gw_router_on_stanza(s->router, e->index, a->u.stanza.ref,
				    a->u.stanza.frame, now_ms(s));
		break;
	case CHAN_ACT_OUTCOME:
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
	case CHAN_ACT_WINDOW:
	case CHAN_ACT_DOWN:
	case CHAN_ACT_GONE:
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

/* All that was put up to seq is on disk. */
static void on_store_committed(uint64_t seq, void *arg)
{
	struct gateway_session *s = arg;

	(void)seq;
	pump(s);
}

static void on_store_trouble(bool is_broken, const char *why, void *arg)
{
	struct gateway_session *s = arg;

	if (is_broken)
		fed_log(s->log, FED_LOG_ERROR, "store_failed",
			"waiting=%zu why=\"%s\"", store_pending(s->store), why);
	else
		fed_log(s->log, FED_LOG_INFO, "store_back", "waiting=%zu",
			store_pending(s->store));
}

/* --- life ---------------------------------------------------------------- */

/* All requests go there; NULL: each one to the domain of its Request-URI. */
static const char *next_hop(const struct gateway_session *s)
{
	const char *uri = s->config->file->sip.next_hop;

	return strcmp(uri, GATEWAY_CONFIG_DNS) == 0 ? NULL : uri;
}

/* What the adapter adds to each request: Via of the transport that has the
 * longest, Route. */
static size_t fixed_bytes(const struct gateway_session *s)
{
	const char *uri = next_hop(s);
	size_t via = 0;

	for (unsigned i = 0; i < SIP_TRANSPORTS; i++) {
		size_t n = sip_adapter_via_bytes(s->sip, (enum sip_transport)i);

		if (n > via)
			via = n;
	}
	return via +
	       (uri != NULL ? sizeof("Route: <;lr>\r\n") - 1 + strlen(uri) : 0);
}

static int make_mark(struct gateway_session *s)
{
	uint8_t sha[SHA256_BYTES];
	int err = digest_sha256(span_str(s->config->file->instance), sha);

	if (err == 0)
		digest_hex(sha, MARK_BYTES, s->branch_mark);
	return err;
}

static int make_router(struct gateway_session *s, struct id_source *ids)
{
	const struct gateway_config_sip *sip = &s->config->file->sip;
	struct gw_router_params p = {
		.checks =
			{
				.domains =
					(const char *const *)s->config->domains,
				.domain_count = sip->domains_count,
				.trusted =
					(const char *const *)s->config->trusted,
				.trusted_count = sip->trusted_count,
			},
		.map =
			{
				.page_max_bytes = sip->page_max,
				.fixed_bytes = fixed_bytes(s),
				.branch_mark = s->branch_mark,
			},
		.next_hop = next_hop(s),
		.edges = s->edge_names,
		.edge_count = s->edge_count,
		.ids = ids,
		.log = s->log,
		.metrics = s->metrics,
	};

	return gw_router_new(&s->router, &p, now_ms(s));
}

static int make_store(struct gateway_session *s, struct errbuf *e)
{
	const struct store_params p = {
		.path = s->config->file->store.path,
		.loop = s->loop,
		.on_committed = on_store_committed,
		.on_trouble = on_store_trouble,
		.arg = s,
	};

	return store_open(&s->store, &p, e);
}

static int make_tls(struct gateway_session *s)
{
	const struct gateway_config_sip *sip = &s->config->file->sip;
	struct sip_tls_params p = {
		.certificate = sip->tls.certificate,
		.key = sip->tls.key,
		.trust = sip->tls.trust,
		.peers = (const char *const *)sip->tls.peers,
		.peer_count = sip->tls.peers_count,
		.trusted = (const char *const *)s->config->trusted,
		.trusted_count = sip->trusted_count,
		.loop = s->loop,
	};

	return sip->tls.certificate != NULL ? sip_tls_new(&s->sip_tls, &p) : 0;
}

static int make_sip(struct gateway_session *s, struct errbuf *e)
{
	const struct gateway_config_file *f = s->config->file;
	struct sip_adapter_params p = {
		.loop = s->sip_loop,
		.instance = f->instance,
		.listen = (const char *const *)f->sip.listen,
		.listen_count = f->sip.listen_count,
		.tls = s->sip_tls,
		.admit_udp = admit_udp,
		.on_request = on_sip_request,
		.on_response = on_transaction_end,
		.arg = s,
	};

	return sip_adapter_new(&s->sip, &p, e);
}

static int make_hops(struct gateway_session *s, struct id_source *ids,
		     struct errbuf *e)
{
	const struct gateway_config_file *f = s->config->file;
	struct sip_hops_params p = {
		.adapter = s->sip,
		.core =
			{
				.uri = next_hop(s),
				.options_ms =
					*f->sip.options_interval * 1000ull,
				.from_uri = s->from_uri,
				.fixed_bytes = fixed_bytes(s),
				.ids = ids,
				.log = s->log,
			},
		.loop = s->loop,
		.dns_servers = (const char *const *)f->dns.servers,
		.dns_count = f->dns.servers_count,
		.fn = on_sip_response,
		.arg = s,
	};

	(void)snprintf(s->from_uri, sizeof(s->from_uri), "sip:%s",
		       f->sip.domains[0]);
	return sip_hops_new(&s->hops, &p, e);
}

static int dial_edges(struct gateway_session *s, struct id_source *ids,
		      struct errbuf *e)
{
	const struct gateway_config_file *f = s->config->file;
	struct chan_link_common p = {
		.loop = s->loop,
		.instance = f->instance,
		.creds = s->creds,
		.ids = ids,
		.metrics = s->metrics,
		.fn = on_link,
	};
	int err = daemon_random(p.boot_id, sizeof(p.boot_id));

	for (size_t i = 0; i < s->edge_count && err == 0; i++) {
		s->edges[i].session = s;
		s->edges[i].index = i;
		p.arg = &s->edges[i];
		err = chan_link_dial(&s->edges[i].link, &p,
				     f->channel.edges[i].name,
				     f->channel.edges[i].address, e);
	}
	return err;
}

/* What this program puts in the place of a library's function protects it:
 * better no start than a start without. */
static int check_in_place(struct errbuf *e)
{
	if (sip_accept_is_in_place() && sip_adapter_parse_is_in_place())
		return 0;
	errbuf_set(e, "the SIP library does not use this program's functions: "
		      "was it linked without -rdynamic?");
	return FED_EIO;
}

static int make_all(struct gateway_session *s, struct id_source *ids,
		    struct errbuf *e)
{
	const struct sip_accept_policy door = {
		.is_trusted = is_trusted,
		.on_refused = on_connection_refused,
		.arg = s,
	};
	int err = check_in_place(e);

	if (err == 0)
		err = loop_timer_new(&s->timer, s->loop, on_deadline, s);
	if (err == 0)
		err = loop_timer_new(&s->end, s->loop, on_end, s);
	if (err == 0)
		err = loop_timer_new(&s->sweep, s->loop, on_sweep, s);
	if (err == 0)
		err = gateway_config_creds(s->config, &s->creds, e);
	if (err == 0)
		err = make_store(s, e);
	if (err == 0)
		err = make_tls(s);
	if (err == 0)
		err = make_sip(s, e);
	if (err == 0)
		err = make_hops(s, ids, e);
	if (err == 0)
		err = make_mark(s);
	if (err == 0)
		err = make_router(s, ids);
	if (err == 0)
		err = dial_edges(s, ids, e);
	if (err == 0) {
		sip_accept_set(&door);
		on_sweep(s);
	}
	return err;
}

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
	err = make_all(s, ids, e);
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
	store_close(s->store);
	loop_timer_free(s->timer);
	loop_timer_free(s->end);
	loop_timer_free(s->sweep);
	tls_creds_unref(s->creds);
	free(s);
}
