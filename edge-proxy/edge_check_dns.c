/* fedctl check dns: our sockets and addresses, and what DNS says. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edge-proxy/core/check_dns.h"
#include "edge-proxy/edge_check.h"

enum { LISTENERS_MAX = 32, ADDRESSES_MAX = 32 };

/* What is ours, for the judgement. */
struct own {
	struct check_listener listener[LISTENERS_MAX];
	size_t listener_count;
	struct dns_facts_address address[ADDRESSES_MAX];
	size_t address_count;
};

/* ---- ours ---------------------------------------------------------------- */

static bool is_zero(const struct dns_facts_address *a)
{
	static const unsigned char zero[16];

	return memcmp(a->raw, zero, sizeof(zero)) == 0;
}

/* "192.0.2.1:5269", "[2001:db8::1]:5269" as listener_address() says it. */
static bool parse(const char *text, struct check_listener *l)
{
	const char *colon = strrchr(text, ':');
	char host[64];
	uint32_t port;
	size_t n;

	if (colon == NULL || span_to_u32(span_str(colon + 1), &port) != 0)
		return false;
	n = (size_t)(colon - text);
	if (text[0] == '[' && n >= 2)
		(void)snprintf(host, sizeof(host), "%.*s", (int)n - 2,
			       text + 1);
	else
		(void)snprintf(host, sizeof(host), "%.*s", (int)n, text);
	l->port = (uint16_t)port;
	l->address.is_v6 = text[0] == '[';
	if (inet_pton(l->address.is_v6 ? AF_INET6 : AF_INET, host,
		      l->address.raw) != 1)
		return false;
	l->is_any = is_zero(&l->address);
	return true;
}

static void add_address(struct own *own, const struct dns_facts_address *a)
{
	for (size_t i = 0; i < own->address_count; i++)
		if (memcmp(&own->address[i], a, sizeof(*a)) == 0)
			return;
	if (own->address_count < ADDRESSES_MAX)
		own->address[own->address_count++] = *a;
}

/* "::" takes IPv4 too. */
static bool takes_any(const struct own *own)
{
	for (size_t i = 0; i < own->listener_count; i++)
		if (own->listener[i].is_any)
			return true;
	return false;
}

static bool is_link_local(const struct dns_facts_address *a)
{
	return a->is_v6 && a->raw[0] == 0xfe && (a->raw[1] & 0xc0) == 0x80;
}

static void add_interfaces(struct own *own)
{
	uv_interface_address_t *list = NULL;
	int n = 0;

	if (uv_interface_addresses(&list, &n) != 0)
		return;
	for (int i = 0; i < n; i++) {
		struct dns_facts_address a = {
			.is_v6 = list[i].address.address4.sin_family ==
				 AF_INET6};

		if (list[i].is_internal)
			continue;
		if (a.is_v6)
			memcpy(a.raw, &list[i].address.address6.sin6_addr, 16);
		else
			memcpy(a.raw, &list[i].address.address4.sin_addr, 4);
		if (!is_link_local(&a))
			add_address(own, &a);
	}
	uv_free_interface_addresses(list, n);
}

static void gather(const struct edge *e, struct own *own)
{
	unsigned plain = e->config->file->s2s.listen_count;

	memset(own, 0, sizeof(*own));
	for (size_t i = 0;
	     i < e->listener_count && own->listener_count < LISTENERS_MAX;
	     i++) {
		struct check_listener *l = &own->listener[own->listener_count];

		if (!parse(listener_address(e->listeners[i]), l))
			continue;
		l->is_direct_tls = i >= plain;
		own->listener_count++;
		if (!l->is_any)
			add_address(own, &l->address);
	}
	if (takes_any(own))
		add_interfaces(own);
}

/* ---- the check ----------------------------------------------------------- */

/* A host of the partner's rule goes before SRV. */
static void add_proxy(struct edge_check *ec)
{
	const struct policy_partner *rule =
		policy_find(&ec->e->policy, span_str(ec->domain));

	if (rule != NULL && rule->proxy_host != NULL)
		check_add(&ec->found, ATTEMPT_INFO, "policy",
			  "its rule names the host %s: what DNS says is not "
			  "used",
			  rule->proxy_host);
}

static void judge(struct edge_check *ec, const struct dns_facts *facts)
{
	const struct edge *e = ec->e;
	struct own own;
	struct check_dns p = {
		.domain = ec->ascii,
		.facts = facts,
		.is_anchored = e->config->file->dns.trust_anchor_file != NULL,
	};

	if (policy_serves(&e->policy, span_str(ec->domain))) {
		gather(e, &own);
		p.listener = own.listener;
		p.listener_count = own.listener_count;
		p.own = own.address;
		p.own_count = own.address_count;
		check_dns_own(&ec->found, &p);
		edge_check_over(ec, "its records lead here");
	} else {
		add_proxy(ec);
		check_dns_partner(&ec->found, &p);
		edge_check_over(ec, "its records can be used");
	}
}

static void on_resolved(void *arg, enum edge_dns_result result,
			const struct edge_dns_target *targets, size_t count,
			bool is_secure, const char *text)
{
	struct edge_check *ec = arg;
	const struct dns_facts *facts = edge_dns_facts(ec->query);

	(void)result;
	(void)targets;
	(void)count;
	(void)is_secure;
	ec->query = NULL;
	if (facts != NULL) {
		judge(ec, facts);
		return;
	}
	check_add(&ec->found, ATTEMPT_BAD, "dns", "%s", text);
	edge_check_over(ec, "");
}

int edge_check_dns_begin(struct edge_check *ec)
{
	return edge_dns_resolve(ec->e->dns, ec->ascii, true, on_resolved, ec,
				&ec->query);
}
