/* The shell of next_hop. */
#include "fe-gateway/sip_hops.h"

#include <stdlib.h>

#include "fe-gateway/sip_dns.h"
#include "fe-gateway/sip_peers.h"

struct sip_hops {
	struct sip_hops_params p;
	struct next_hops *core;
	/* NULL: nothing to resolve yet */
	struct dns_resolver *resolver;
	struct sip_dns *dns;
	bool is_dns_failed; /* so it was logged */
	struct loop_timer *timer;
	bool is_pumping;
	struct sip_peers peers; /* at the last look */
};

static uint64_t now_ms(const struct sip_hops *h)
{
	return loop_now_ms(h->p.loop);
}

/* --- actions ------------------------------------------------------------- */

static void take_response(struct sip_hops *h, uint64_t token,
			  const struct sip_response_in *response)
{
	struct sip_response_in r = *response;
	uint64_t owner;

	if (next_hops_on_response(h->core, token, &r, now_ms(h), &owner))
		h->p.fn(owner, &r, h->p.arg);
}

static void on_resolved(void *arg, uint64_t hop, enum next_hop_result result,
			const struct next_hop_found *found, size_t count,
			uint64_t ttl_ms);

static int start_dns(struct sip_hops *h, struct errbuf *e)
{
	struct sip_hops_params *p = &h->p;
	int err = dns_resolver_new(&h->resolver, p->loop, p->dns_servers,
				   p->dns_count, e);

	if (err == 0)
		err = sip_dns_new(&h->dns, p->loop, h->resolver,
				  p->core.transports, on_resolved, h);
	return err;
}

/* With a numeric next hop not before a destination has a name. */
static bool has_dns(struct sip_hops *h)
{
	struct errbuf e = {.text = ""};

	if (h->dns != NULL || h->is_dns_failed)
		return h->dns != NULL;
	if (start_dns(h, &e) == 0)
		return true;
	h->is_dns_failed = true;
	fed_log(loop_log(h->p.loop), FED_LOG_ERROR, "sip_dns_failed",
		"error=%s", log_value(span_str(e.text)).text);
	return false;
}

static void perform(struct sip_hops *h, const struct next_hop_action *a)
{
	struct sip_response_in r = {.end = SIP_END_TRANSPORT};

	switch (a->kind) {
	case NEXT_HOP_ACT_SEND:
		if (sip_adapter_send(h->p.adapter, a->u.send.token,
				     a->u.send.request, a->u.send.target) != 0)
			take_response(h, a->u.send.token, &r);
		break;
	case NEXT_HOP_ACT_RESOLVE:
		if (!has_dns(h) || sip_dns_resolve(h->dns, a->u.resolve.hop,
						   a->u.resolve.uri) != 0)
			next_hops_on_resolved(h->core, a->u.resolve.hop,
					      NEXT_HOP_FAILED, NULL, 0, 0,
					      now_ms(h));
		break;
	case NEXT_HOP_ACT_BACK:
		h->p.on_back(a->u.back.host, h->p.arg);
		break;
	case NEXT_HOP_ACT_END:
		r.end = a->u.end.end;
		h->p.fn(a->u.end.token, &r, h->p.arg);
		break;
	}
}

static void pump(struct sip_hops *h)
{
	struct next_hop_action a;

	if (h->is_pumping)
		return;
	h->is_pumping = true;
	while (next_hops_next_action(h->core, &a, now_ms(h)))
		perform(h, &a);
	h->is_pumping = false;
	loop_timer_arm(h->timer, next_hops_deadline_ms(h->core));
}

static void on_deadline(void *arg)
{
	pump(arg);
}

/* --- events -------------------------------------------------------------- */

void sip_hops_send(struct sip_hops *h, uint64_t token,
		   const struct sip_request_out *request)
{
	struct sip_response_in failed = {.end = SIP_END_TRANSPORT};

	if (next_hops_send(h->core, token, request, now_ms(h)) != 0)
		h->p.fn(token, &failed, h->p.arg);
	pump(h);
}

void sip_hops_on_response(struct sip_hops *h, uint64_t token,
			  const struct sip_response_in *r)
{
	take_response(h, token, r);
	pump(h);
}

int sip_hops_set_legacy(struct sip_hops *h, const char *uri)
{
	int err = next_hops_set_legacy(h->core, uri, now_ms(h));

	pump(h);
	return err;
}

void sip_hops_ask(struct sip_hops *h)
{
	next_hops_ask(h->core, now_ms(h));
	pump(h);
}

enum next_hop_health sip_hops_health(struct sip_hops *h, bool of_legacy)
{
	return next_hops_health(h->core, of_legacy);
}

static void on_lost(const char *ip, uint16_t port, void *arg)
{
	struct sip_hops *h = arg;

	next_hops_on_lost(h->core, ip, port, now_ms(h));
}

void sip_hops_look(struct sip_hops *h)
{
	sip_peers_look(&h->peers, on_lost, h);
	pump(h);
}

static void on_resolved(void *arg, uint64_t hop, enum next_hop_result result,
			const struct next_hop_found *found, size_t count,
			uint64_t ttl_ms)
{
	struct sip_hops *h = arg;

	next_hops_on_resolved(h->core, hop, result, found, count, ttl_ms,
			      now_ms(h));
	pump(h);
}

/* --- life ---------------------------------------------------------------- */

static unsigned bound_transports(const struct sip_adapter *a)
{
	unsigned bits = 0;

	for (unsigned i = 0; i < SIP_TRANSPORTS; i++)
		if (sip_adapter_via_bytes(a, (enum sip_transport)i) > 0)
			bits |= 1u << i;
	return bits;
}

static size_t contact_bytes(const struct sip_adapter *a)
{
	size_t most = 0;

	for (unsigned i = 0; i < SIP_TRANSPORTS; i++) {
		size_t n = sip_adapter_contact_bytes(a, (enum sip_transport)i);

		if (n > most)
			most = n;
	}
	return most;
}

static bool needs_dns(const char *uri)
{
	struct hop_uri u;

	return uri == NULL || hop_uri_parse(span_str(uri), &u) != 0 ||
	       !hop_uri_is_ip(hop_uri_target(&u));
}

static int make(struct sip_hops *h, struct errbuf *e)
{
	struct sip_hops_params *p = &h->p;
	int err = loop_timer_new(&h->timer, p->loop, on_deadline, h);

	p->core.transports = bound_transports(p->adapter);
	p->core.contact_bytes = contact_bytes(p->adapter);
	if (err == 0 && needs_dns(p->core.uri))
		err = start_dns(h, e);
	if (err == 0)
		err = next_hops_new(&h->core, &p->core, now_ms(h));
	return err;
}

int sip_hops_new(struct sip_hops **h_out, const struct sip_hops_params *p,
		 struct errbuf *e)
{
	struct sip_hops *h = calloc(1, sizeof(*h));
	int err;

	if (h == NULL)
		return FED_ENOMEM;
	h->p = *p;
	err = make(h, e);
	if (err != 0) {
		sip_hops_free(h);
		return err;
	}
	pump(h);
	*h_out = h;
	return 0;
}

void sip_hops_free(struct sip_hops *h)
{
	if (h == NULL)
		return;
	sip_dns_free(h->dns);
	dns_resolver_free(h->resolver);
	next_hops_free(h->core);
	loop_timer_free(h->timer);
	free(h);
}
