/* Records of a domain, judged. */
#include "edge-proxy/core/check_dns.h"

#include <stdio.h>
#include <string.h>

enum { TTL_LONG_S = 86400, TTL_PUBLISHED_S = 3600 };

struct walk {
	struct check *c;
	const struct check_dns *p;
};

/* ---- addresses ----------------------------------------------------------- */

static bool is_same(const struct dns_facts_address *a,
		    const struct dns_facts_address *b)
{
	return a->is_v6 == b->is_v6 &&
	       memcmp(a->raw, b->raw, a->is_v6 ? 16 : 4) == 0;
}

/* RFC 1918, RFC 4193: the world sees another one. */
static bool is_private(const struct dns_facts_address *a)
{
	if (a->is_v6)
		return (a->raw[0] & 0xfe) == 0xfc;
	return a->raw[0] == 10 || (a->raw[0] == 192 && a->raw[1] == 168) ||
	       (a->raw[0] == 172 && (a->raw[1] & 0xf0) == 16);
}

static bool is_of_host(const struct check_dns *p,
		       const struct dns_facts_address *a)
{
	for (size_t i = 0; i < p->own_count; i++)
		if (is_same(a, &p->own[i]))
			return true;
	return false;
}

/* Some socket of that kind takes connections to the address. */
static bool is_listening(const struct check_dns *p,
			 const struct dns_facts_address *a, bool is_direct_tls,
			 uint16_t port)
{
	for (size_t i = 0; i < p->listener_count; i++) {
		const struct check_listener *l = &p->listener[i];

		if (l->is_direct_tls == is_direct_tls && l->port == port &&
		    (is_same(a, &l->address) ||
		     (l->is_any && is_of_host(p, a))))
			return true;
	}
	return false;
}

/* The host has it, whatever the port. */
static bool is_ours(const struct check_dns *p,
		    const struct dns_facts_address *a)
{
	for (size_t i = 0; i < p->listener_count; i++)
		if (is_same(a, &p->listener[i].address))
			return true;
	return is_of_host(p, a);
}

static bool listens(const struct check_dns *p, bool is_direct_tls,
		    uint16_t *port_out)
{
	for (size_t i = 0; i < p->listener_count; i++) {
		if (p->listener[i].is_direct_tls != is_direct_tls)
			continue;
		*port_out = p->listener[i].port;
		return true;
	}
	return false;
}

/* Nothing here has an address that the world could use. */
static bool is_behind_nat(const struct check_dns *p)
{
	for (size_t i = 0; i < p->own_count; i++)
		if (!is_private(&p->own[i]))
			return false;
	return true;
}

/* ---- what to publish ----------------------------------------------------- */

static void put_addresses(struct buf *b, const struct check_dns *p,
			  const char *host)
{
	char text[64];
	size_t n = 0;

	for (size_t i = 0; i < p->own_count; i++) {
		const struct dns_facts_address *a = &p->own[i];

		if (is_private(a))
			continue;
		dns_facts_address_text(a, text, sizeof(text));
		buf_printf(b, "\n%s. %d IN %s %s", host, TTL_PUBLISHED_S,
			   a->is_v6 ? "AAAA" : "A", text);
		n++;
	}
	if (n == 0)
		buf_printf(b, "\n%s. %d IN A <the address that the world sees>",
			   host, TTL_PUBLISHED_S);
}

static void put_service(struct buf *b, const struct check_dns *p,
			bool is_direct_tls, const char *host)
{
	uint16_t port = 0;

	if (!listens(p, is_direct_tls, &port))
		return;
	buf_printf(b, "%s%s._tcp.%s. %d IN SRV 10 0 %u %s.",
		   buf_len(b) > 0 ? "\n" : "",
		   dns_facts_service(is_direct_tls ? DNS_FACTS_XMPPS
						   : DNS_FACTS_XMPP),
		   p->domain, TTL_PUBLISHED_S, port, host);
}

static void advise_zone(const struct walk *w, bool is_here)
{
	const struct dns_facts *f = w->p->facts;
	bool has_host = f->host_count > 0 && !f->is_fallback && is_here;
	char host[300];
	struct buf b;

	/* a name that leads here already */
	(void)snprintf(host, sizeof(host), "%s%.255s", has_host ? "" : "xmpp.",
		       has_host ? f->host[0].name : w->p->domain);
	buf_init(&b, 1000);
	put_service(&b, w->p, false, host);
	put_service(&b, w->p, true, host);
	if (!has_host)
		put_addresses(&b, w->p, host);
	check_advise(w->c,
		     "publish (one SRV record for each edge; the same "
		     "priority shares the load, a higher number is a "
		     "spare):\n%.*s",
		     (int)buf_len(&b), buf_span(&b).p);
	buf_deinit(&b);
}

/* ---- both ---------------------------------------------------------------- */

static bool add_failed(const struct walk *w, const char *what, const char *name,
		       const struct dns_facts_answer *a)
{
	if (a->fact != DNS_FACT_FAILED && a->fact != DNS_FACT_UNKNOWN)
		return false;
	check_add(w->c, ATTEMPT_BAD, what, "%s cannot be looked up: %s", name,
		  a->fact == DNS_FACT_FAILED ? a->problem
					     : "no answer in time");
	return true;
}

static void add_dnssec(const struct walk *w)
{
	const struct dns_facts *f = w->p->facts;
	bool is_secure = f->srv[DNS_FACTS_XMPP].is_secure &&
			 f->srv[DNS_FACTS_XMPPS].is_secure;

	for (size_t i = 0; i < f->host_count; i++)
		is_secure = is_secure && f->host[i].a.is_secure &&
			    f->host[i].aaaa.is_secure;
	if (!w->p->is_anchored)
		check_add(w->c, ATTEMPT_INFO, "dnssec",
			  "not looked at: there is no dns.trust_anchor_file");
	else if (is_secure)
		check_add(w->c, ATTEMPT_GOOD, "dnssec",
			  "DNSSEC vouches for all answers");
	else
		check_add(w->c, ATTEMPT_INFO, "dnssec",
			  "DNSSEC does not vouch for all answers");
}

static void put_host(struct buf *b, const struct dns_facts_host *h)
{
	char text[64];

	buf_printf(b, "priority %u, weight %u: %s port %u%s", h->priority,
		   h->weight, h->name, h->port,
		   h->is_direct_tls ? ", direct TLS" : "");
	for (size_t i = 0; i < h->address_count; i++) {
		dns_facts_address_text(&h->address[i], text, sizeof(text));
		buf_printf(b, "%s%s", i == 0 ? " (" : ", ", text);
	}
	if (h->address_count > 0)
		buf_put_byte(b, ')');
}

/* RFC 2782: zero is for servers that are hardly ever to be chosen. */
static void add_weights(const struct walk *w)
{
	const struct dns_facts *f = w->p->facts;

	for (size_t i = 0; i < f->host_count; i++) {
		for (size_t j = 0; j < f->host_count; j++) {
			const struct dns_facts_host *a = &f->host[i];
			const struct dns_facts_host *b = &f->host[j];

			if (a->priority != b->priority || a->weight != 0 ||
			    b->weight == 0)
				continue;
			check_add(w->c, ATTEMPT_WARN, "srv",
				  "%s has weight 0 beside others of priority "
				  "%u: it is hardly ever chosen",
				  a->name, a->priority);
			return;
		}
	}
}

static void add_dots(const struct walk *w)
{
	for (size_t i = 0; i < w->p->facts->rec_count; i++) {
		const struct srv_record *r = &w->p->facts->rec[i];

		if (r->target[0] != '\0')
			continue;
		check_add(w->c, r->is_direct_tls ? ATTEMPT_INFO : ATTEMPT_BAD,
			  "srv", "%s says \".\": that service is not offered",
			  dns_facts_service(r->is_direct_tls));
	}
}

/* ---- ours ---------------------------------------------------------------- */

/* The first target is this host. */
static bool leads_here(const struct walk *w)
{
	const struct dns_facts *f = w->p->facts;

	return f->host_count > 0 && f->host[0].address_count > 0 &&
	       is_ours(w->p, &f->host[0].address[0]);
}

static void add_missing(const struct walk *w, bool is_direct_tls)
{
	const char *service = dns_facts_service(is_direct_tls);
	uint16_t port = 0;
	bool is_wanted = listens(w->p, is_direct_tls, &port);

	if (is_direct_tls && !is_wanted)
		return;
	check_add(w->c, is_direct_tls ? ATTEMPT_WARN : ATTEMPT_BAD, "srv",
		  "there is no %s._tcp.%s record%s", service, w->p->domain,
		  is_direct_tls ? ", though direct TLS listens here" : "");
	advise_zone(w, leads_here(w));
}

static void add_ttl(const struct walk *w, const struct dns_facts_answer *a)
{
	if (a->ttl_s > TTL_LONG_S)
		check_add(w->c, ATTEMPT_WARN, "srv",
			  "the records may be kept for %u s: a change takes "
			  "that long to be seen everywhere",
			  a->ttl_s);
	else
		check_add(w->c, ATTEMPT_INFO, "srv",
			  "this answer may be kept for %u s, by this edge too",
			  a->ttl_s);
}

static bool add_services(const struct walk *w)
{
	const struct dns_facts *f = w->p->facts;
	bool has_failed = false;

	for (size_t i = 0; i < DNS_FACTS_SERVICES; i++) {
		if (add_failed(w, "srv", dns_facts_service(i), &f->srv[i]))
			has_failed = true;
		else if (f->srv[i].fact != DNS_FACT_DATA)
			add_missing(w, i == DNS_FACTS_XMPPS);
		else
			add_ttl(w, &f->srv[i]);
	}
	return !has_failed;
}

/* @return it leads here */
static bool add_own_host(const struct walk *w, const struct dns_facts_host *h)
{
	bool is_here = false;
	bool is_up = false;
	struct buf b;

	for (size_t i = 0; i < h->address_count; i++) {
		is_here = is_here || is_ours(w->p, &h->address[i]);
		is_up = is_up || is_listening(w->p, &h->address[i],
					      h->is_direct_tls, h->port);
	}
	buf_init(&b, 1000);
	put_host(&b, h);
	if (h->address_count == 0)
		check_add(w->c, ATTEMPT_BAD, "srv", "%.*s has no address",
			  (int)buf_len(&b), buf_span(&b).p);
	else if (is_up)
		check_add(w->c, ATTEMPT_GOOD, "srv", "%.*s: this edge",
			  (int)buf_len(&b), buf_span(&b).p);
	else if (is_here)
		check_add(w->c, ATTEMPT_BAD, "srv",
			  "%.*s: this host, but nothing listens there%s",
			  (int)buf_len(&b), buf_span(&b).p,
			  h->is_direct_tls ? " for direct TLS" : "");
	else
		check_add(w->c, ATTEMPT_INFO, "srv", "%.*s: another host",
			  (int)buf_len(&b), buf_span(&b).p);
	buf_deinit(&b);
	return is_here;
}

static void add_own_targets(const struct walk *w)
{
	const struct dns_facts *f = w->p->facts;
	bool is_here = false;

	for (size_t i = 0; i < f->host_count; i++)
		is_here = add_own_host(w, &f->host[i]) || is_here;
	if (is_here || f->host_count == 0)
		return;
	if (is_behind_nat(w->p))
		check_add(w->c, ATTEMPT_WARN, "srv",
			  "no record leads to an address of this host: right "
			  "only where the network translates addresses");
	else
		check_add(w->c, ATTEMPT_BAD, "srv",
			  "no record leads to this edge");
	advise_zone(w, false);
}

/* What servers do without SRV records (RFC 6120 3.2.2). */
static void add_own_fallback(const struct walk *w)
{
	const struct dns_facts_host *h = &w->p->facts->host[0];
	bool is_up = false;
	struct buf b;

	if (w->p->facts->host_count == 0)
		return;
	for (size_t i = 0; i < h->address_count; i++)
		is_up = is_up ||
			is_listening(w->p, &h->address[i], false, h->port);
	buf_init(&b, 1000);
	put_host(&b, h);
	if (h->address_count == 0)
		check_add(w->c, ATTEMPT_BAD, "address",
			  "nor has %s an address: nobody can reach it",
			  w->p->domain);
	else
		check_add(w->c, is_up ? ATTEMPT_WARN : ATTEMPT_BAD, "address",
			  "other servers try %.*s, %s", (int)buf_len(&b),
			  buf_span(&b).p,
			  is_up ? "which is this edge"
				: "which is not this edge");
	buf_deinit(&b);
}

void check_dns_own(struct check *c, const struct check_dns *p)
{
	const struct walk w = {c, p};

	if (!add_services(&w))
		return;
	add_dots(&w);
	if (p->facts->is_fallback) {
		add_own_fallback(&w);
	} else {
		add_own_targets(&w);
		add_weights(&w);
	}
	add_dnssec(&w);
}

/* ---- a partner's --------------------------------------------------------- */

static void add_partner_host(const struct walk *w,
			     const struct dns_facts_host *h, size_t place)
{
	struct buf b;
	bool is_failed;

	buf_init(&b, 1000);
	put_host(&b, h);
	is_failed = h->address_count == 0 &&
		    add_failed(w, "address", h->name, &h->a);
	if (h->address_count > 0)
		check_add(w->c, ATTEMPT_GOOD, "srv", "%zu. %.*s", place,
			  (int)buf_len(&b), buf_span(&b).p);
	else if (!is_failed)
		check_add(w->c, ATTEMPT_BAD, "srv", "%zu. %.*s: %s", place,
			  (int)buf_len(&b), buf_span(&b).p,
			  h->a.fact == DNS_FACT_NO_NAME
				  ? "there is no such name"
				  : "it has no address");
	buf_deinit(&b);
}

static void add_partner_fallback(const struct walk *w)
{
	const struct dns_facts_host *h = &w->p->facts->host[0];

	check_add(w->c, ATTEMPT_WARN, "srv",
		  "it has no SRV records: its own address is used");
	if (w->p->facts->host_count > 0 && h->address_count == 0)
		check_add(w->c, ATTEMPT_BAD, "address", "%s has no address%s",
			  w->p->domain,
			  h->a.fact == DNS_FACT_NO_NAME
				  ? ": there is no such domain"
				  : "");
	else if (w->p->facts->host_count > 0)
		add_partner_host(w, h, 1);
}

void check_dns_partner(struct check *c, const struct check_dns *p)
{
	const struct walk w = {c, p};
	const struct dns_facts *f = p->facts;

	for (size_t i = 0; i < DNS_FACTS_SERVICES; i++)
		(void)add_failed(&w, "srv", dns_facts_service(i), &f->srv[i]);
	add_dots(&w);
	if (f->is_fallback) {
		add_partner_fallback(&w);
	} else {
		for (size_t i = 0; i < f->host_count; i++)
			add_partner_host(&w, &f->host[i], i + 1);
		add_weights(&w);
	}
	add_dnssec(&w);
}
