/*
 * The next hops that are known: the configured one or those of domains, which
 * are asked for signs of life, and destinations of dialogs, which are not.
 */
#include "fe-gateway/core/next_hop_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* host, port, transport, maddr */
enum { KEY_BYTES = 2 * SIP_HOST_BYTES + 32 };

struct hop *next_hop_find(struct next_hops *h, uint64_t id)
{
	struct hop *hop;

	HASH_FIND(hh_id, h->hop_ids, &id, sizeof(id), hop);
	return hop;
}

struct hop *next_hop_legacy(struct next_hops *h)
{
	struct hop *hop;

	HASH_FIND_STR(h->hops, NEXT_HOP_LEGACY_KEY, hop);
	return hop;
}

struct hop_target *next_hop_find_target(struct hop *hop, uint64_t id)
{
	for (size_t i = 0; hop != NULL && i < hop->count; i++)
		if (hop->targets[i].id == id)
			return &hop->targets[i];
	return NULL;
}

static struct hop **table_of(struct next_hops *h, const struct hop *hop)
{
	return hop->is_quiet ? &h->destinations : &h->hops;
}

void next_hop_want(struct next_hops *h, struct hop *hop)
{
	if (hop->is_wanted)
		return;
	hop->is_wanted = true;
	DL_APPEND2(h->wanted, hop, w_prev, w_next);
}

struct hop *next_hop_next_wanted(struct next_hops *h)
{
	struct hop *hop = h->wanted;

	if (hop == NULL)
		return NULL;
	DL_DELETE2(h->wanted, hop, w_prev, w_next);
	hop->is_wanted = false;
	return hop;
}

void next_hop_forget(struct next_hops *h, struct hop *hop)
{
	struct hop **table = table_of(h, hop);

	if (hop->is_wanted)
		DL_DELETE2(h->wanted, hop, w_prev, w_next);
	HASH_DELETE(hh, *table, hop);
	HASH_DELETE(hh_id, h->hop_ids, hop);
	free(hop->targets);
	free(hop);
}

/* LIMIT: domains that somebody invents, watchers who are each somewhere else;
 * the one unused for longest goes. */
static int make_room(struct next_hops *h, bool is_quiet)
{
	struct hop *first = is_quiet ? h->destinations : h->hops;
	size_t limit = is_quiet ? LIMIT_HOP_DESTINATIONS : LIMIT_HOPS;
	struct hop *hop, *tmp;
	struct hop *oldest = NULL;

	if (HASH_COUNT(first) < limit)
		return 0;
	HASH_ITER (hh, first, hop, tmp) {
		if (hop->is_permanent || hop->waiting != NULL)
			continue;
		if (oldest == NULL || hop->used_ms < oldest->used_ms)
			oldest = hop;
		/* those stand in the order of their use */
		if (is_quiet)
			break;
	}
	if (oldest == NULL)
		return FED_ELIMIT;
	next_hop_forget(h, oldest);
	return 0;
}

/* RFC 3263 4.1, 4.2: a numeric address needs no DNS. */
static int set_static(struct next_hops *h, struct hop *hop, uint64_t now_ms)
{
	struct hop_target *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return FED_ENOMEM;
	hop->targets = t;
	hop->is_static = true;
	hop->count = 1;
	hop->result = NEXT_HOP_FOUND;
	t->id = ++h->next_number;
	next_hop_numeric(&hop->uri, hop->uri.transport, &t->found.target);
	next_hop_watch(h, t, now_ms);
	return 0;
}

void next_hop_numeric(const struct hop_uri *uri, enum sip_transport transport,
		      struct sip_target *out)
{
	*out = (struct sip_target){.transport = transport, .port = uri->port};
	if (out->port == 0)
		out->port = hop_uri_default_port(transport);
	memcpy(out->host, uri->host, sizeof(out->host));
	(void)snprintf(out->ip, sizeof(out->ip), "%s", hop_uri_target(uri));
}

/* Into both tables; false: out of memory, it is in none. */
static bool insert(struct next_hops *h, struct hop *hop)
{
	struct hop **table = table_of(h, hop);

	HASH_ADD(hh_id, h->hop_ids, id, sizeof(hop->id), hop);
	if (hop->hh_id.tbl == NULL)
		return false;
	HASH_ADD_KEYPTR(hh, *table, hop->key, strlen(hop->key), hop);
	if (hop->hh.tbl != NULL)
		return true;
	HASH_DELETE(hh_id, h->hop_ids, hop);
	return false;
}

int next_hop_new(struct next_hops *h, const char *key,
		 const struct hop_uri *uri, bool is_quiet, uint64_t now_ms,
		 struct hop **hop_out)
{
	size_t n = strlen(key) + 1;
	int err = make_room(h, is_quiet);
	struct hop *hop;

	if (err != 0)
		return err;
	hop = calloc(1, sizeof(*hop) + n);
	if (hop == NULL)
		return FED_ENOMEM;
	memcpy(hop->key, key, n);
	hop->id = ++h->next_number;
	hop->uri = *uri;
	hop->is_quiet = is_quiet;
	hop->used_ms = now_ms;
	hop->result = NEXT_HOP_FAILED;
	if (!insert(h, hop)) {
		free(hop);
		return FED_ENOMEM;
	}
	if (!is_quiet && hop_uri_is_ip(hop_uri_target(uri)))
		err = set_static(h, hop, now_ms);
	if (err != 0) {
		next_hop_forget(h, hop);
		return err;
	}
	if (h->p.uri == NULL || is_quiet)
		next_hop_wake(h, now_ms + LIMIT_HOP_IDLE_MS);
	*hop_out = hop;
	return 0;
}

/* --- outside of dialogs ----------------------------------------------------
 */

static void print_key(const struct hop_uri *uri, char out[KEY_BYTES])
{
	(void)snprintf(out, KEY_BYTES, "%s %u", uri->host, (unsigned)uri->port);
}

/* The next hop of a request: the configured one, or that of the domain. */
static int hop_of_domain(struct next_hops *h, const struct sip_request_out *r,
			 uint64_t now_ms, struct hop **hop_out)
{
	const char *text = h->p.uri != NULL ? h->p.uri : r->request_uri;
	char key[KEY_BYTES];
	struct hop_uri uri;
	int err = hop_uri_parse(span_str(text), &uri);

	if (err != 0)
		return err;
	print_key(&uri, key);
	if (h->p.uri != NULL)
		key[0] = '\0';
	HASH_FIND_STR(h->hops, key, *hop_out);
	if (*hop_out == NULL)
		return next_hop_new(h, key, &uri, false, now_ms, hop_out);
	(*hop_out)->used_ms = now_ms;
	return 0;
}

/* --- destinations ----------------------------------------------------------
 */

static bool is_at_odds(bool is_said, enum sip_transport a, bool is_said_too,
		       enum sip_transport b)
{
	return is_said && is_said_too && a != b;
}

/* Both lead to the same place; a transport that is not said is any. */
static bool is_same_hop(const struct hop_uri *a, const struct hop_uri *b)
{
	bool is_numeric = hop_uri_is_ip(hop_uri_target(a));
	uint16_t usual = hop_uri_default_port(a->has_transport ? a->transport
							       : b->transport);
	/* a name without a port may have SRV records */
	uint16_t port_a = a->port == 0 && is_numeric ? usual : a->port;
	uint16_t port_b = b->port == 0 && is_numeric ? usual : b->port;

	return strcmp(a->host, b->host) == 0 &&
	       strcmp(a->maddr, b->maddr) == 0 && port_a == port_b &&
	       !is_at_odds(a->has_transport, a->transport, b->has_transport,
			   b->transport);
}

/* The configured hop, or one of a domain, that the URI leads to. */
static struct hop *known_hop(struct next_hops *h, const struct hop_uri *uri)
{
	char key[KEY_BYTES];
	struct hop *hop;

	print_key(uri, key);
	if (h->p.uri != NULL)
		key[0] = '\0';
	HASH_FIND_STR(h->hops, key, hop);
	return hop != NULL && is_same_hop(&hop->uri, uri) ? hop : NULL;
}

static bool is_target(const struct sip_target *t, const struct hop_uri *uri)
{
	uint16_t port =
		uri->port != 0 ? uri->port : hop_uri_default_port(t->transport);

	return t->port == port && strcmp(t->ip, hop_uri_target(uri)) == 0 &&
	       !is_at_odds(true, t->transport, uri->has_transport,
			   uri->transport);
}

/* Proxies write their addresses into Record-Route: what is known of that one,
 * its certificate's name too, holds there. */
static bool known_target(struct next_hops *h, const struct hop_uri *uri,
			 struct next_hop_way *out)
{
	struct hop *hop, *tmp;

	HASH_ITER (hh, h->hops, hop, tmp)
		for (size_t i = 0; i < hop->count; i++) {
			if (!is_target(&hop->targets[i].found.target, uri))
				continue;
			out->hop = hop;
			out->pinned = &hop->targets[i];
			out->target = hop->targets[i].found.target;
			return true;
		}
	return false;
}

/* RFC 3263 4.1: what the URI says, else UDP, if we have it. */
static enum sip_transport numeric_transport(const struct next_hops *h,
					    const struct hop_uri *uri)
{
	if (uri->has_transport || (h->p.transports & (1u << SIP_UDP)) != 0)
		return uri->transport;
	return SIP_TCP;
}

/* In the order of use: the last one behind all others. */
static void touch(struct next_hops *h, struct hop *hop, uint64_t now_ms)
{
	hop->used_ms = now_ms;
	if (hop->hh.next == NULL)
		return;
	/* the table stays as large: this cannot fail */
	HASH_DELETE(hh, h->destinations, hop);
	HASH_ADD_KEYPTR(hh, h->destinations, hop->key, strlen(hop->key), hop);
}

static int hop_of_name(struct next_hops *h, const struct hop_uri *uri,
		       uint64_t now_ms, struct hop **hop_out)
{
	char key[KEY_BYTES];

	(void)snprintf(
		key, sizeof(key), "%s %u %s %s", uri->host, (unsigned)uri->port,
		uri->has_transport ? hop_uri_transport_name(uri->transport)
				   : "-",
		uri->maddr);
	HASH_FIND_STR(h->destinations, key, *hop_out);
	if (*hop_out == NULL)
		return next_hop_new(h, key, uri, true, now_ms, hop_out);
	touch(h, *hop_out, now_ms);
	return 0;
}

int next_hop_way(struct next_hops *h, const struct sip_request_out *r,
		 uint64_t now_ms, struct next_hop_way *out)
{
	struct hop_uri uri;
	int err;

	*out = (struct next_hop_way){.hop = NULL};
	if (r->passed != 0) {
		out->hop = next_hop_legacy(h);
		return out->hop != NULL ? 0 : FED_ENOTFOUND;
	}
	if (r->destination == NULL)
		return hop_of_domain(h, r, now_ms, &out->hop);
	err = hop_uri_parse(span_str(r->destination), &uri);
	if (err != 0)
		return err;
	out->hop = known_hop(h, &uri);
	if (out->hop != NULL) {
		out->hop->used_ms = now_ms;
		return 0;
	}
	if (!hop_uri_is_ip(hop_uri_target(&uri)))
		return hop_of_name(h, &uri, now_ms, &out->hop);
	out->is_direct = true;
	if (!known_target(h, &uri, out))
		next_hop_numeric(&uri, numeric_transport(h, &uri),
				 &out->target);
	return 0;
}

void next_hop_forget_idle(struct next_hops *h, uint64_t now_ms)
{
	struct hop *hop, *tmp;

	HASH_ITER (hh, h->destinations, hop, tmp) {
		uint64_t at = hop->used_ms + LIMIT_HOP_IDLE_MS;

		if (at > now_ms) {
			next_hop_wake(h, at);
			break;
		}
		/* what waits for DNS does so for seconds */
		if (hop->waiting == NULL)
			next_hop_forget(h, hop);
		else
			next_hop_wake(h, now_ms + LIMIT_DNS_MS);
	}
}
