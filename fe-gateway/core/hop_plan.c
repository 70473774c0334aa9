/* NAPTR, SRV, addresses (RFC 3263 4.1, 4.2). */
#include "fe-gateway/core/hop_plan.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/dns_rdata.h"

enum { SRV_FIXED_BYTES = 6, NAPTR_FIXED_BYTES = 4 };

/* In the order of our own preference, when DNS has no NAPTR. */
static const struct service {
	enum sip_transport transport;
	const char *naptr;
	const char *srv;
} SERVICES[SIP_TRANSPORTS] = {
	{SIP_TLS, "SIPS+D2T", "_sips._tcp."},
	{SIP_TCP, "SIP+D2T", "_sip._tcp."},
	{SIP_UDP, "SIP+D2U", "_sip._udp."},
};

static bool is_wanted(const struct hop_plan *p, enum sip_transport t)
{
	if ((p->transports & (1u << t)) == 0)
		return false;
	return !p->uri.has_transport || p->uri.transport == t;
}

static void ask(struct hop_plan *p, const char *name, enum hop_plan_type type,
		size_t about)
{
	struct hop_plan_question *q = &p->questions[p->question_count++];

	*q = (struct hop_plan_question){.type = type, .about = about};
	(void)snprintf(q->name, sizeof(q->name), "%s", name);
}

/* --- addresses ----------------------------------------------------------- */

static enum hop_plan_state ask_addresses(struct hop_plan *p)
{
	p->stage = HOP_STAGE_ADDRESS;
	p->question_count = 0;
	for (size_t i = 0; i < p->host_count; i++) {
		ask(p, p->hosts[i].name, HOP_PLAN_A, i);
		ask(p, p->hosts[i].name, HOP_PLAN_AAAA, i);
	}
	return HOP_PLAN_ASK;
}

/* The transport of a URI that says none, for a host that is asked for
 * addresses only: UDP (RFC 3263 4.1), or what we have. */
static enum sip_transport plain_transport(const struct hop_plan *p)
{
	if (p->uri.has_transport)
		return p->uri.transport;
	if ((p->transports & (1u << SIP_UDP)) != 0)
		return SIP_UDP;
	return (p->transports & (1u << SIP_TCP)) != 0 ? SIP_TCP : SIP_TLS;
}

static enum hop_plan_state ask_plain_host(struct hop_plan *p)
{
	struct hop_plan_item *host = &p->hosts[0];

	*host = (struct hop_plan_item){.transport = plain_transport(p)};
	host->port = p->uri.port != 0 ? p->uri.port
				      : hop_uri_default_port(host->transport);
	(void)snprintf(host->name, sizeof(host->name), "%s",
		       hop_uri_target(&p->uri));
	p->host_count = 1;
	return ask_addresses(p);
}

static void take_address(struct hop_plan *p, const struct hop_plan_question *q,
			 struct span rdata)
{
	const struct hop_plan_item *host = &p->hosts[q->about];
	bool is_v4 = q->type == HOP_PLAN_A;
	struct next_hop_found *f = &p->found[p->count];

	if (p->count == LIMIT_HOP_TARGETS ||
	    rdata.n !=
		    (is_v4 ? sizeof(struct in_addr) : sizeof(struct in6_addr)))
		return;
	*f = (struct next_hop_found){
		.rank = (uint32_t)host->service << 16 | host->preference,
		.weight = host->weight,
		.group = (unsigned)q->about,
	};
	f->target.transport = host->transport;
	f->target.port = host->port;
	memcpy(f->target.host, p->uri.host, sizeof(f->target.host));
	if (inet_ntop(is_v4 ? AF_INET : AF_INET6, rdata.p, f->target.ip,
		      sizeof(f->target.ip)) != NULL)
		p->count++;
}

/* --- SRV ----------------------------------------------------------------- */

static enum hop_plan_state ask_srv(struct hop_plan *p)
{
	p->stage = HOP_STAGE_SRV;
	p->question_count = 0;
	for (size_t i = 0; i < p->service_count; i++)
		ask(p, p->services[i].name, HOP_PLAN_SRV, i);
	return HOP_PLAN_ASK;
}

/* RFC 3263 4.1: without NAPTR, the services of all our transports. */
static enum hop_plan_state ask_own_services(struct hop_plan *p)
{
	for (size_t i = 0; i < FED_ARRAY_LEN(SERVICES); i++) {
		struct hop_plan_item *s = &p->services[p->service_count];

		if (!is_wanted(p, SERVICES[i].transport))
			continue;
		*s = (struct hop_plan_item){.transport = SERVICES[i].transport};
		(void)snprintf(s->name, sizeof(s->name), "%s%s",
			       SERVICES[i].srv, p->uri.host);
		p->service_count++;
	}
	return p->service_count > 0 ? ask_srv(p) : HOP_PLAN_NOT_FOUND;
}

static void take_srv(struct hop_plan *p, const struct hop_plan_question *q,
		     struct span rdata)
{
	struct hop_plan_item *host = &p->hosts[p->host_count];

	p->has_srv = true;
	if (p->host_count == LIMIT_HOP_TARGETS || rdata.n <= SRV_FIXED_BYTES)
		return;
	*host = (struct hop_plan_item){
		.transport = p->services[q->about].transport,
		.service = (unsigned)q->about,
		.preference = dns_rdata_u16(rdata.p),
		.weight = dns_rdata_u16(rdata.p + 2),
		.port = dns_rdata_u16(rdata.p + 4),
	};
	/* "." is no host: the service is not there (RFC 2782) */
	if (host->port != 0 &&
	    dns_rdata_name(span_sub(rdata, SRV_FIXED_BYTES, SIZE_MAX),
			   host->name, SIP_HOST_BYTES) == 0 &&
	    host->name[0] != '\0')
		p->host_count++;
}

/* --- NAPTR --------------------------------------------------------------- */

/* A character-string (RFC 1035 3.3) off *in. */
static int take_string(struct span *in, struct span *out)
{
	size_t n;

	if (in->n == 0)
		return FED_EINVAL;
	n = (unsigned char)in->p[0];
	if (in->n - 1 < n)
		return FED_EINVAL;
	*out = span_sub(*in, 1, 1 + n);
	*in = span_sub(*in, 1 + n, SIZE_MAX);
	return 0;
}

/* Sorted by order, then preference; of each transport the first. */
static void add_service(struct hop_plan *p, const struct hop_plan_item *s)
{
	size_t i = p->service_count;

	if (i == SIP_TRANSPORTS)
		return;
	while (i > 0 && (p->services[i - 1].order > s->order ||
			 (p->services[i - 1].order == s->order &&
			  p->services[i - 1].preference > s->preference))) {
		p->services[i] = p->services[i - 1];
		i--;
	}
	p->services[i] = *s;
	p->service_count++;
}

/* RFC 3403 4.1, RFC 3263 4.1: flag "s", no expression. */
static void take_naptr(struct hop_plan *p, struct span rdata)
{
	struct hop_plan_item s = {.order = 0};
	struct span flags, service, regexp, rest;

	p->has_naptr = true;
	if (rdata.n <= NAPTR_FIXED_BYTES)
		return;
	s.order = dns_rdata_u16(rdata.p);
	s.preference = dns_rdata_u16(rdata.p + 2);
	rest = span_sub(rdata, NAPTR_FIXED_BYTES, SIZE_MAX);
	if (take_string(&rest, &flags) != 0 ||
	    take_string(&rest, &service) != 0 ||
	    take_string(&rest, &regexp) != 0 ||
	    !span_ieq(flags, SPAN_LIT("s")) || regexp.n > 0 ||
	    dns_rdata_name(rest, s.name, sizeof(s.name)) != 0 ||
	    s.name[0] == '\0')
		return;
	for (size_t i = 0; i < FED_ARRAY_LEN(SERVICES); i++) {
		if (!span_ieq(service, span_str(SERVICES[i].naptr)) ||
		    !is_wanted(p, SERVICES[i].transport))
			continue;
		s.transport = SERVICES[i].transport;
		add_service(p, &s);
	}
}

/* RFC 3403 4.1: behind the first order that can be used, others do not
 * count. */
static void cut_orders(struct hop_plan *p)
{
	for (size_t i = 1; i < p->service_count; i++)
		if (p->services[i].order != p->services[0].order) {
			p->service_count = i;
			return;
		}
}

/* --- the steps ----------------------------------------------------------- */

enum hop_plan_state hop_plan_begin(struct hop_plan *p,
				   const struct hop_uri *uri,
				   unsigned transports)
{
	memset(p, 0, sizeof(*p));
	p->uri = *uri;
	p->transports = transports;
	p->ttl_ms = UINT64_MAX;
	if ((transports & (1u << plain_transport(p))) == 0)
		return HOP_PLAN_NOT_FOUND;
	if (uri->port != 0 || uri->maddr[0] != '\0')
		return ask_plain_host(p);
	if (uri->has_transport && !uri->is_sips)
		return ask_own_services(p);
	p->stage = HOP_STAGE_NAPTR;
	ask(p, uri->host, HOP_PLAN_NAPTR, 0);
	return HOP_PLAN_ASK;
}

void hop_plan_record(struct hop_plan *p, size_t i, struct span rdata,
		     uint32_t ttl_s)
{
	const struct hop_plan_question *q = &p->questions[i];

	if ((uint64_t)ttl_s * 1000 < p->ttl_ms)
		p->ttl_ms = (uint64_t)ttl_s * 1000;
	switch (p->stage) {
	case HOP_STAGE_NAPTR:
		take_naptr(p, rdata);
		break;
	case HOP_STAGE_SRV:
		take_srv(p, q, rdata);
		break;
	case HOP_STAGE_ADDRESS:
		take_address(p, q, rdata);
		break;
	}
}

void hop_plan_failed(struct hop_plan *p, size_t i)
{
	p->questions[i].has_failed = true;
}

static bool has_failed(const struct hop_plan *p)
{
	for (size_t i = 0; i < p->question_count; i++)
		if (p->questions[i].has_failed)
			return true;
	return false;
}

/* Records that exist but could not be had are no reason to go elsewhere. */
static enum hop_plan_state step_naptr(struct hop_plan *p)
{
	if (has_failed(p))
		return HOP_PLAN_FAILED;
	cut_orders(p);
	if (p->service_count > 0)
		return ask_srv(p);
	return p->has_naptr ? HOP_PLAN_NOT_FOUND : ask_own_services(p);
}

static enum hop_plan_state step_srv(struct hop_plan *p)
{
	if (p->host_count > 0)
		return ask_addresses(p);
	if (has_failed(p))
		return HOP_PLAN_FAILED;
	if (p->has_srv || p->has_naptr)
		return HOP_PLAN_NOT_FOUND;
	return ask_plain_host(p);
}

enum hop_plan_state hop_plan_step(struct hop_plan *p)
{
	switch (p->stage) {
	case HOP_STAGE_NAPTR:
		return step_naptr(p);
	case HOP_STAGE_SRV:
		return step_srv(p);
	case HOP_STAGE_ADDRESS:
		break;
	}
	if (p->count > 0)
		return HOP_PLAN_FOUND;
	return has_failed(p) ? HOP_PLAN_FAILED : HOP_PLAN_NOT_FOUND;
}
