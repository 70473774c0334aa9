/* The parts of the running gateway, made one after the other. */
#include "fe-gateway/gateway_session_priv.h"

#include <stdio.h>
#include <string.h>

#include "fe-gateway/sip_accept.h"
#include "io/daemon.h"

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
		.presence = gateway_presence_core(s->presence),
		.log = s->log,
		.metrics = s->metrics,
	};

	return gw_router_new(&s->router, &p, loop_now_ms(s->loop));
}

static int make_store(struct gateway_session *s, struct errbuf *e)
{
	const struct store_params p = {
		.path = s->config->file->store.path,
		.loop = s->loop,
		.on_committed = session_on_committed,
		.on_revision = session_on_revision,
		.on_trouble = session_on_store_trouble,
		.arg = s,
	};

	return store_open(&s->store, &p, e);
}

static int make_federation(struct gateway_session *s, struct errbuf *e)
{
	const struct gateway_federation_params p = {
		.config = s->config,
		.edges = s->edge_names,
		.edge_count = s->edge_count,
		.loop = s->loop,
		.store = s->store,
		.send = session_send_frame,
		.on_change = session_on_federation,
		.arg = s,
	};
	int err = gateway_federation_new(&s->federation, &p, e);

	return err != 0 ? err : gateway_federation_start(s->federation, e);
}

static int make_presence(struct gateway_session *s, struct id_source *ids,
			 struct errbuf *e)
{
	const struct gateway_presence_params p = {
		.config = s->config,
		.loop = s->loop,
		.ids = ids,
		.metrics = s->metrics,
		.next_hop = next_hop(s),
		.branch_mark = s->branch_mark,
		.store = s->store,
	};

	return gateway_presence_new(&s->presence, &p, e);
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
		.admit_udp = session_admit_udp,
		.on_request = session_on_sip_request,
		.on_response = session_on_transaction_end,
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
		.fn = session_on_sip_response,
		.on_back = session_on_back,
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
		.fn = session_on_link,
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

int gateway_session_make(struct gateway_session *s, struct id_source *ids,
			 struct errbuf *e)
{
	const struct sip_accept_policy door = {
		.is_trusted = session_is_trusted,
		.on_refused = session_on_connection_refused,
		.arg = s,
	};
	int err = check_in_place(e);

	s->ids = ids;
	if (err == 0)
		err = loop_timer_new(&s->timer, s->loop, session_on_deadline,
				     s);
	if (err == 0)
		err = loop_timer_new(&s->end, s->loop, session_on_end, s);
	if (err == 0)
		err = loop_timer_new(&s->sweep, s->loop, session_on_sweep, s);
	if (err == 0)
		err = loop_timer_new(&s->look, s->loop, session_on_look, s);
	if (err == 0)
		err = last_words_new(&s->last_words);
	if (err == 0)
		err = gateway_config_creds(s->config, &s->creds, e);
	if (err == 0)
		err = make_tls(s);
	if (err == 0)
		err = make_sip(s, e);
	if (err == 0)
		err = make_hops(s, ids, e);
	if (err == 0)
		err = make_mark(s);
	if (err == 0)
		err = make_store(s, e);
	if (err == 0)
		err = make_presence(s, ids, e);
	if (err == 0)
		err = make_federation(s, e);
	if (err == 0)
		err = make_router(s, ids);
	if (err == 0)
		session_on_federation(gateway_federation_now(s->federation), s);
	if (err == 0)
		err = dial_edges(s, ids, e);
	if (err == 0) {
		sip_accept_set(&door);
		session_on_sweep(s);
		session_on_look(s);
	}
	return err;
}
