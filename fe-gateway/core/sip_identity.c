/* RFC 5922 7: SIP domain certificates. */
#include "fe-gateway/core/sip_identity.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/der.h"
#include "fe-gateway/core/address.h"

/* GeneralName, RFC 5280 4.2.1.6 */
enum {
	NAME_DNS = DER_CONTEXT + 2,
	NAME_URI = DER_CONTEXT + 6,
	NAME_IP = DER_CONTEXT + 7,
};

/* What the names are compared with, or what finds the first of them. */
struct search {
	struct span host;
	bool has_uri; /* some SIP domain was there */
	bool is_found;
	struct span first_uri;
	struct span first_dns;
};

static bool is_same_host(struct span name, struct span host)
{
	/* a zero byte would end the name for others, not for us */
	if (span_find(name, '*', 0) != SIZE_MAX ||
	    span_find(name, '\0', 0) != SIZE_MAX)
		return false;
	return span_ieq(name, host) || address_host_eq(name, host);
}

/* The host of a SIP URI that names a domain: one with a user names a person,
 * and "sips" is no identity (RFC 5922 7.1). */
static bool uri_domain(struct span uri, struct span *host_out)
{
	struct address_uri u;

	if (uri.n < 4 || !span_ieq(span_sub(uri, 0, 4), SPAN_LIT("sip:")) ||
	    span_find(uri, '@', 0) != SIZE_MAX ||
	    address_uri_split(uri, &u) != 0 || u.user.n > 0)
		return false;
	*host_out = u.host;
	return true;
}

/* Address octets, and the host as the URI has it. */
static bool is_same_ip(struct span octets, struct span host)
{
	unsigned char raw[sizeof(struct in6_addr)];
	char text[INET6_ADDRSTRLEN];
	struct span h = host;
	int family;

	if (h.n > 2 && h.p[0] == '[' && h.p[h.n - 1] == ']')
		h = span_sub(h, 1, h.n - 1);
	if (h.n == 0 || h.n >= sizeof(text))
		return false;
	memcpy(text, h.p, h.n);
	text[h.n] = '\0';
	family = octets.n == sizeof(struct in_addr) ? AF_INET : AF_INET6;
	if (family == AF_INET6 && octets.n != sizeof(struct in6_addr))
		return false;
	return inet_pton(family, text, raw) == 1 &&
	       memcmp(raw, octets.p, octets.n) == 0;
}

static void look_at(struct search *s, unsigned tag, struct span body)
{
	struct span domain;

	if (tag == NAME_URI && uri_domain(body, &domain)) {
		if (!s->has_uri)
			s->first_uri = domain;
		/* from here on DNS names do not count */
		if (!s->has_uri)
			s->is_found = false;
		s->has_uri = true;
		s->is_found = s->is_found || is_same_host(domain, s->host);
	} else if (tag == NAME_DNS && !s->has_uri) {
		if (s->first_dns.n == 0)
			s->first_dns = body;
		s->is_found = s->is_found || is_same_host(body, s->host);
	} else if (tag == NAME_IP && !s->has_uri) {
		s->is_found = s->is_found || is_same_ip(body, s->host);
	}
}

/* @return false: broken DER */
static bool search_san(struct search *s, struct span san)
{
	struct span names;
	struct span body;
	unsigned tag;

	if (der_expect(&san, DER_SEQUENCE, &names) != 0 || san.n > 0)
		return false;
	while (names.n > 0) {
		if (der_next(&names, &tag, &body) != 0)
			return false;
		look_at(s, tag, body);
	}
	return true;
}

bool sip_identity_is(const struct sip_identity *id, struct span host)
{
	struct search s = {.host = host};

	if (host.n == 0)
		return false;
	if (!id->has_san)
		return id->cn.n > 0 && is_same_host(id->cn, host);
	return search_san(&s, id->san) && s.is_found;
}

struct span sip_identity_name(const struct sip_identity *id)
{
	struct search s = {.host = SPAN_NULL};

	if (!id->has_san)
		return id->cn;
	if (!search_san(&s, id->san))
		return SPAN_NULL;
	return s.has_uri ? s.first_uri : s.first_dns;
}
