/* Checks behind the schema; each complaint names key and expectation. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "fe-gateway/core/hop_uri.h"
#include "fe-gateway/gateway_config.h"
#include "fe-gateway/gateway_federation.h"
#include "io/host_cert.h"
#include "io/tls_file.h"
#include "xmpp/jid.h"

/* A MESSAGE needs some 400 bytes of headers before its first letter. */
enum { PAGE_MAX_FLOOR = 600 };

struct check {
	struct host_place at;
	const struct gateway_config_file *f;
};

static int check_name(const struct check *c, const char *key, const char *name)
{
	char out[LIMIT_DOMAIN_BYTES + 1];

	if (domain_normalize(span_str(name), out, sizeof(out)) == 0)
		return 0;
	return host_complain(&c->at, key,
			     "\"%s\" is not a domain name, expected such as "
			     "\"sip.example\"",
			     name);
}

static bool is_same_domain(const char *a, const char *b)
{
	char na[LIMIT_DOMAIN_BYTES + 1];
	char nb[LIMIT_DOMAIN_BYTES + 1];

	return domain_normalize(span_str(a), na, sizeof(na)) == 0 &&
	       domain_normalize(span_str(b), nb, sizeof(nb)) == 0 &&
	       strcmp(na, nb) == 0;
}

static int check_domains(const struct check *c)
{
	const struct gateway_config_sip *s = &c->f->sip;
	const char *key = "sip.domains";
	int err = 0;

	if (s->domains_count == 0)
		return host_complain(
			&c->at, key,
			"is empty, expected one SIP domain or more");
	for (unsigned i = 0; i < s->domains_count && err == 0; i++) {
		struct host_path p = host_path_of(key, i, "");

		err = check_name(c, p.text, s->domains[i]);
		for (unsigned k = 0; k < i && err == 0; k++)
			if (is_same_domain(s->domains[i], s->domains[k]))
				err = host_complain(
					&c->at, p.text,
					"\"%s\" is there twice, "
					"expected different domains",
					s->domains[i]);
	}
	return err;
}

static bool is_udp(const char *listen)
{
	return strncmp(listen, "udp:", 4) == 0;
}

/* Nothing can listen twice on a port; TLS runs over TCP. */
static int check_overlap(const struct check *c, unsigned i)
{
	char *const *listen = c->f->sip.listen;
	struct sockaddr_storage a, b;

	for (unsigned k = 0; k < i; k++)
		if (is_udp(listen[i]) == is_udp(listen[k]) &&
		    host_config_sockaddr(listen[i] + 4, &a) == 0 &&
		    host_config_sockaddr(listen[k] + 4, &b) == 0 &&
		    host_config_overlaps(&a, &b))
			return host_complain(
				&c->at, host_path_of("sip.listen", i, "").text,
				"\"%s\" overlaps \"%s\", expected another "
				"address or port",
				listen[i], listen[k]);
	return 0;
}

static int check_listen(const struct check *c)
{
	const struct gateway_config_sip *s = &c->f->sip;
	const char *key = "sip.listen";
	struct sockaddr_storage addr;

	if (s->listen_count == 0)
		return host_complain(
			&c->at, key,
			"is empty, expected one address or more, such "
			"as [\"tcp:192.0.2.1:5060\"]");
	for (unsigned i = 0; i < s->listen_count; i++) {
		struct host_path p = host_path_of(key, i, "");
		const char *text = s->listen[i];

		if (strncmp(text, "udp:", 4) != 0 &&
		    strncmp(text, "tcp:", 4) != 0 &&
		    strncmp(text, "tls:", 4) != 0)
			return host_complain(&c->at, p.text,
					     "\"%s\" has no known transport, "
					     "expected \"udp:address:port\", "
					     "\"tcp:address:port\" or "
					     "\"tls:address:port\"",
					     text);
		if (host_config_sockaddr(text + 4, &addr) != 0)
			return host_complain(
				&c->at, p.text,
				"\"%s\" is not an address, expected "
				"\"%.3s:address:port\" or "
				"\"%.3s:[v6]:port\"",
				text, text, text);
		if (check_overlap(c, i) != 0)
			return FED_ECONFIG;
	}
	return 0;
}

bool gateway_config_listens(const struct gateway_config_sip *s,
			    const char *transport)
{
	for (unsigned i = 0; i < s->listen_count; i++)
		if (strncmp(s->listen[i], transport, strlen(transport)) == 0)
			return true;
	return false;
}

static int check_transport(const struct check *c, const struct hop_uri *u)
{
	const char *uri = c->f->sip.next_hop;
	char transport[8];

	/* DNS knows transports where the URI has none */
	if (!u->has_transport && u->port == 0 &&
	    !hop_uri_is_ip(hop_uri_target(u)))
		return 0;
	(void)snprintf(transport, sizeof(transport),
		       "%s:", hop_uri_transport_name(u->transport));
	if (gateway_config_listens(&c->f->sip, transport))
		return 0;
	return host_complain(&c->at, "sip.next_hop",
			     "\"%s\" needs %.3s, expected an address of "
			     "that transport in sip.listen",
			     uri, transport);
}

static int check_next_hop(const struct check *c)
{
	const char *uri = c->f->sip.next_hop;
	struct hop_uri u;

	if (strcmp(uri, GATEWAY_CONFIG_DNS) == 0)
		return 0;
	if (hop_uri_parse(span_str(uri), &u) != 0 || u.is_sips ||
	    strpbrk(uri, "<>\" \t\r\n,?@") != NULL)
		return host_complain(
			&c->at, "sip.next_hop",
			"\"%s\" is not a SIP URI with transport udp, tcp or "
			"tls, expected such as "
			"\"sip:192.0.2.2:5060;transport=tcp\", "
			"\"sip:proxy.example\" or \"dns\"",
			uri);
	return check_transport(c, &u);
}

static int check_options(const struct check *c)
{
	unsigned s = *c->f->sip.options_interval;

	if (s <= LIMIT_HOP_OPTIONS_MAX_S)
		return 0;
	return host_complain(&c->at, "sip.options_interval",
			     "%u is out of range, expected 0 (never) to %u "
			     "seconds",
			     s, LIMIT_HOP_OPTIONS_MAX_S);
}

static int check_range(const struct check *c, const char *key, unsigned value,
		       unsigned least, unsigned most, const char *unit)
{
	if (value >= least && value <= most)
		return 0;
	return host_complain(&c->at, key,
			     "%u is out of range, expected %u to %u%s", value,
			     least, most, unit);
}

static int check_presence(const struct check *c)
{
	const struct gateway_config_presence *p = &c->f->presence;
	int err = check_range(c, "presence.expires_min", *p->expires_min, 1,
			      LIMIT_PRESENCE_EXPIRES_S, " seconds");

	if (err == 0 && p->expires != NULL)
		err = check_range(c, "presence.expires", *p->expires, 60,
				  LIMIT_PRESENCE_EXPIRES_S, " seconds");
	if (err == 0 && p->expires_max != NULL)
		err = check_range(c, "presence.expires_max", *p->expires_max,
				  *p->expires_min, LIMIT_PRESENCE_EXPIRES_S,
				  " seconds (not below presence.expires_min)");
	if (err == 0)
		err = check_range(c, "presence.notify_interval",
				  *p->notify_interval, 0, LIMIT_PRESENCE_WAIT_S,
				  " seconds");
	if (err == 0)
		err = check_range(c, "presence.hold_off", *p->hold_off, 0,
				  LIMIT_PRESENCE_WAIT_S, " seconds");
	if (err == 0)
		err = check_range(c, "presence.repair_rate", *p->repair_rate, 1,
				  LIMIT_PRESENCE_REPAIR_RATE, " a second");
	return err;
}

int gateway_config_ip(const char *text, char *out, size_t out_size)
{
	unsigned char raw[sizeof(struct in6_addr)];
	int family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;

	if (inet_pton(family, text, raw) != 1 ||
	    inet_ntop(family, raw, out, (socklen_t)out_size) == NULL)
		return FED_EINVAL;
	return 0;
}

static int check_trusted(const struct check *c)
{
	const struct gateway_config_sip *s = &c->f->sip;
	const char *key = "sip.trusted";
	char ip[INET6_ADDRSTRLEN];

	if (s->trusted_count == 0 && s->tls.peers_count == 0)
		return host_complain(
			&c->at, key,
			"is empty, expected the addresses that SIP "
			"requests come from, or sip.tls.peers");
	for (unsigned i = 0; i < s->trusted_count; i++)
		if (gateway_config_ip(s->trusted[i], ip, sizeof(ip)) != 0)
			return host_complain(
				&c->at, host_path_of(key, i, "").text,
				"\"%s\" is not an IP address, expected "
				"such as \"192.0.2.2\"",
				s->trusted[i]);
	return 0;
}

static int check_sip(const struct check *c)
{
	unsigned page_max = c->f->sip.page_max;
	int err = check_domains(c);

	if (err == 0)
		err = check_listen(c);
	if (err == 0)
		err = check_next_hop(c);
	if (err == 0)
		err = check_options(c);
	if (err == 0)
		err = check_trusted(c);
	if (err == 0 &&
	    (page_max < PAGE_MAX_FLOOR || page_max > LIMIT_SIP_BYTES))
		err = host_complain(
			&c->at, "sip.page_max",
			"%u is out of range, expected %d to %u bytes", page_max,
			PAGE_MAX_FLOOR, LIMIT_SIP_BYTES);
	return err;
}

/* The certificates load, and are those of this instance. */
static int check_channel(const struct check *c)
{
	const struct gateway_config_channel *ch = &c->f->channel;
	struct host_pair pair = {c->f->instance, "channel.certificate",
				 ch->certificate, "channel.key", ch->key};
	int err = host_check_trust(&c->at, "channel.trust", ch->trust);

	if (err == 0)
		err = host_check_crl(&c->at, "channel.crl", ch->crl);
	return err != 0 ? err : host_check_channel_pair(&c->at, &pair);
}

/* One of its keys is there, and others are not. */
static int check_tls_keys(const struct check *c)
{
	const struct gateway_config_tls *t = &c->f->sip.tls;
	const struct {
		const char *key;
		const char *value;
	} rows[] = {{"certificate", t->certificate},
		    {"key", t->key},
		    {"trust", t->trust}};
	bool is_any = t->peers_count > 0;

	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++)
		is_any = is_any || rows[i].value != NULL;
	for (size_t i = 0; is_any && i < FED_ARRAY_LEN(rows); i++)
		if (rows[i].value == NULL)
			return host_complain(
				&c->at, "sip.tls",
				"the key \"%s\" is missing; a text "
				"is expected",
				rows[i].key);
	return 0;
}

static int check_tls(const struct check *c)
{
	const struct gateway_config_tls *t = &c->f->sip.tls;
	struct host_pair pair = {c->f->instance, "sip.tls.certificate",
				 t->certificate, "sip.tls.key", t->key};
	struct tls_file *file = NULL;
	int err = check_tls_keys(c);

	if (err == 0 && t->certificate == NULL) {
		if (!gateway_config_listens(&c->f->sip, "tls:"))
			return 0;
		return host_complain(&c->at, "sip.tls",
				     "is missing, expected certificate, key "
				     "and trust for \"tls:\" in sip.listen");
	}
	for (unsigned i = 0; i < t->peers_count && err == 0; i++)
		err = check_name(c, host_path_of("sip.tls.peers", i, "").text,
				 t->peers[i]);
	if (err == 0)
		err = host_check_trust(&c->at, "sip.tls.trust", t->trust);
	/* which names it must have is the peers' affair */
	if (err == 0)
		err = host_check_pair(&c->at, &pair, &file);
	tls_file_free(file);
	return err;
}

static int check_edge(const struct check *c, unsigned i)
{
	const struct gateway_config_edge *edges = c->f->channel.edges;
	struct host_path name = host_path_of("channel.edges", i, ".name");
	struct host_path address = host_path_of("channel.edges", i, ".address");
	struct sockaddr_storage addr;
	int err = check_name(c, name.text, edges[i].name);

	for (unsigned k = 0; k < i && err == 0; k++)
		if (strcasecmp(edges[i].name, edges[k].name) == 0)
			err = host_complain(
				&c->at, name.text,
				"\"%s\" is there twice, expected one "
				"entry for each edge",
				edges[i].name);
	if (err == 0 && host_config_sockaddr(edges[i].address, &addr) != 0)
		err = host_complain(&c->at, address.text,
				    "\"%s\" is not an address, expected "
				    "\"address:port\" or \"[v6]:port\"",
				    edges[i].address);
	return err;
}

static int check_edges(const struct check *c)
{
	const struct gateway_config_channel *ch = &c->f->channel;
	int err = 0;

	if (ch->edges_count == 0 || ch->edges_count > LIMIT_CHANNEL_SESSIONS)
		return host_complain(&c->at, "channel.edges",
				     "has %u entries, expected 1 to %u edges",
				     ch->edges_count, LIMIT_CHANNEL_SESSIONS);
	for (unsigned i = 0; i < ch->edges_count && err == 0; i++)
		err = check_edge(c, i);
	return err;
}

/* Whether it may be written is asked at the start: this may be another user.
 * The folder of the default is made by the service manager. */
static int check_store(const struct check *c)
{
	const char *path = c->f->store.path;
	const char *key = "store.path";
	size_t folder_bytes = 0;
	char folder[4096];
	struct stat st;

	if (strcmp(path, GATEWAY_CONFIG_STORE) == 0)
		return 0;
	if (path[0] == '/')
		folder_bytes = (size_t)(strrchr(path, '/') - path);
	if (path[0] != '/' || path[folder_bytes + 1] == '\0' ||
	    folder_bytes >= sizeof(folder))
		return host_complain(&c->at, key,
				     "\"%s\" is not the path of a file, "
				     "expected such as \"%s\"",
				     path, GATEWAY_CONFIG_STORE);
	(void)snprintf(folder, sizeof(folder), "%.*s/", (int)folder_bytes,
		       path);
	if (stat(folder, &st) != 0)
		return host_complain(&c->at, key,
				     "\"%s\": %s, expected a file in a folder "
				     "that is there",
				     path, strerror(errno));
	return 0;
}

/* Normalized, in the arena. @return NULL: out of memory */
static const char *const *domains_of(const struct check *c, struct arena *a)
{
	const struct gateway_config_sip *s = &c->f->sip;
	const char **domains =
		arena_alloc(a, s->domains_count * sizeof(*domains));
	char name[LIMIT_DOMAIN_BYTES + 1];

	for (unsigned i = 0; domains != NULL && i < s->domains_count; i++) {
		if (domain_normalize(span_str(s->domains[i]), name,
				     sizeof(name)) != 0)
			return NULL; /* was checked before */
		domains[i] = arena_dup(a, span_str(name));
		if (domains[i] == NULL)
			return NULL;
	}
	return domains;
}

static int check_bootstrap(const struct check *c, const char *path)
{
	Fed__AdminFederationApply apply;
	const char *const *domains;
	struct arena a;
	int err = FED_ENOMEM;

	arena_init(&a, LIMIT_FEDERATION_ARENA_BYTES);
	errbuf_set(c->at.e, "%s: out of memory", path);
	domains = domains_of(c, &a);
	if (domains != NULL)
		err = gateway_federation_bootstrap(path, domains,
						   c->f->sip.domains_count, &a,
						   &apply, c->at.e);
	arena_deinit(&a);
	return err;
}

static int check_federation(const struct check *c)
{
	const char *path = c->f->federation.bootstrap;
	const char *key = "federation.bootstrap";
	struct stat st;

	if (path == NULL)
		return 0;
	if (path[0] != '/')
		return host_complain(
			&c->at, key,
			"\"%s\" is not an absolute path, expected "
			"such as \"/etc/fe-gateway/federation.conf\"",
			path);
	if (stat(path, &st) != 0)
		return host_complain(&c->at, key,
				     "\"%s\": %s, expected a readable file",
				     path, strerror(errno));
	return check_bootstrap(c, path);
}

int gateway_config_check(const struct gateway_config_file *f, const char *path,
			 struct errbuf *e)
{
	struct check c = {.at = {path, e}, .f = f};
	int err = check_name(&c, "instance", f->instance);

	if (err == 0)
		err = check_sip(&c);
	if (err == 0)
		err = check_presence(&c);
	if (err == 0)
		err = check_edges(&c);
	if (err == 0)
		err = check_channel(&c);
	if (err == 0)
		err = check_tls(&c);
	if (err == 0)
		err = check_store(&c);
	if (err == 0)
		err = check_federation(&c);
	if (err == 0)
		err = host_admin_check(&c.at, &f->admin);
	if (err == 0)
		err = host_check_dns_servers(&c.at, c.f->dns.servers,
					     c.f->dns.servers_count);
	return err;
}
