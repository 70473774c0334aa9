/* Checks behind the schema; each complaint names key and expectation. */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "edge-proxy/core/cert_identity.h"
#include "edge-proxy/edge_config.h"
#include "io/dns_resolver.h"
#include "io/host_cert.h"
#include "io/tls_file.h"
#include "xmpp/jid.h"

static int check_each_address(const struct host_place *c, const char *key,
			      char *const *list, unsigned n)
{
	struct sockaddr_storage addr;

	for (unsigned i = 0; i < n; i++)
		if (host_config_sockaddr(list[i], &addr) != 0)
			return host_complain(
				c, host_path_of(key, i, "").text,
				"\"%s\" is not an address, expected "
				"\"address:port\" or \"[v6]:port\"",
				list[i]);
	return 0;
}

static int check_addresses(const struct host_place *c, const char *key,
			   char *const *list, unsigned n)
{
	if (n == 0)
		return host_complain(
			c, key,
			"is empty, expected one address or more, such "
			"as [\"192.0.2.1:5269\"]");
	return check_each_address(c, key, list, n);
}

static int check_name(const struct host_place *c, const char *key,
		      const char *name)
{
	char out[LIMIT_DOMAIN_BYTES + 1];

	if (domain_normalize(span_str(name), out, sizeof(out)) == 0)
		return 0;
	return host_complain(c, key,
			     "\"%s\" is not a domain name, expected such as "
			     "\"chat.example\"",
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

/* By the rules that the peers go by (RFC 6120 13.7, RFC 9525). */
static int check_domain_pair(const struct host_place *c,
			     const struct edge_config_domain *d, unsigned i)
{
	struct host_path cert = host_path_of("s2s.domains", i, ".certificate");
	struct host_path key = host_path_of("s2s.domains", i, ".key");
	struct host_pair p = {d->name, cert.text, d->certificate, key.text,
			      d->key};
	char domain[LIMIT_DOMAIN_BYTES + 1];
	char names[256];
	struct tls_file *f = NULL;
	int err = host_check_pair(c, &p, &f);

	if (err == 0 &&
	    domain_normalize(span_str(d->name), domain, sizeof(domain)) != 0)
		err = FED_ECONFIG;
	if (err == 0 &&
	    !cert_identity_matches(tls_file_der(f), span_str(domain))) {
		(void)cert_identity_describe(tls_file_der(f), names,
					     sizeof(names));
		err = host_complain(c, cert.text,
				    "\"%s\" has the names [%s], expected "
				    "\"%s\" among them (in subjectAltName, as "
				    "dNSName, SRVName or xmppAddr)",
				    d->certificate, names, d->name);
	}
	tls_file_free(f);
	return err;
}

static int check_domain(const struct host_place *c,
			const struct edge_config_s2s *s, unsigned i)
{
	const struct edge_config_domain *d = &s->domains[i];
	int err = check_name(c, host_path_of("s2s.domains", i, ".name").text,
			     d->name);

	for (unsigned k = 0; err == 0 && k < i; k++)
		if (is_same_domain(d->name, s->domains[k].name))
			err = host_complain(
				c, host_path_of("s2s.domains", i, ".name").text,
				"\"%s\" is there twice, expected each "
				"domain once",
				d->name);
	return err != 0 ? err : check_domain_pair(c, d, i);
}

static int check_secret(const struct host_place *c, const char *file)
{
	static const char key[] = "s2s.dialback_secret_file";
	struct buf secret;
	int err = host_check_readable(c, key, file);

	buf_init(&secret, EDGE_SECRET_MAX);
	if (err == 0 && edge_config_read_secret(file, &secret) != 0)
		err = host_complain(
			c, key,
			"\"%s\" has no usable secret in it, expected 16 to %d "
			"bytes",
			file, EDGE_SECRET_MAX);
	buf_deinit(&secret);
	return err;
}

static int check_s2s(const struct host_place *c,
		     const struct edge_config_s2s *s)
{
	int err = check_addresses(c, "s2s.listen", s->listen, s->listen_count);

	if (err == 0)
		err = check_each_address(c, "s2s.listen_direct_tls",
					 s->listen_direct_tls,
					 s->listen_direct_tls_count);
	if (err == 0)
		err = host_check_trust(c, "s2s.trust", s->trust);
	if (err == 0)
		err = host_check_crl(c, "s2s.crl", s->crl);
	if (err == 0 && s->domains_count == 0)
		err = host_complain(c, "s2s.domains",
				    "is empty, expected one domain or more");
	for (unsigned i = 0; err == 0 && i < s->domains_count; i++)
		err = check_domain(c, s, i);
	if (err == 0 && s->dialback_secret_file != NULL)
		err = check_secret(c, s->dialback_secret_file);
	/* RFC 6120 13.12: below 10000 bytes is not allowed */
	if (err == 0 && (s->stanza_max < LIMIT_STANZA_BYTES_FLOOR ||
			 s->stanza_max > LIMIT_STANZA_BYTES))
		err = host_complain(
			c, "s2s.stanza_max",
			"%u is out of range, expected %u to %u bytes",
			s->stanza_max, LIMIT_STANZA_BYTES_FLOOR,
			LIMIT_STANZA_BYTES);
	if (err == 0 && (s->streams_max < LIMIT_STREAMS_FLOOR ||
			 s->streams_max > LIMIT_STREAMS_MOST))
		err = host_complain(
			c, "s2s.streams_max",
			"%u is out of range, expected %u to %u streams",
			s->streams_max, LIMIT_STREAMS_FLOOR,
			LIMIT_STREAMS_MOST);
	return err;
}

static int check_partner(const struct host_place *c,
			 const struct edge_config_partner *p, unsigned i)
{
	/* "*.": all below the domain */
	size_t at = strncmp(p->domain, "*.", 2) == 0 ? 2 : 0;

	if (strcmp(p->domain, "*") != 0) {
		int err = check_name(
			c, host_path_of("partners", i, ".domain").text,
			p->domain + at);

		if (err != 0)
			return err;
	}
	/* a certificate is only shown in TLS */
	if (p->tls == EDGE_NEED_OFF && p->sasl == EDGE_NEED_REQUIRED)
		return host_complain(c,
				     host_path_of("partners", i, ".tls").text,
				     "off with sasl: required can never "
				     "authenticate, expected tls: required");
	if (p->dialback == EDGE_NEED_OFF &&
	    (p->sasl == EDGE_NEED_OFF || p->tls == EDGE_NEED_OFF))
		return host_complain(
			c, host_path_of("partners", i, ".dialback").text,
			"off leaves no way to authenticate, expected "
			"sasl (with tls) or dialback to be allowed");
	return 0;
}

static bool is_same_partner(const char *a, const char *b)
{
	bool is_pattern = strncmp(a, "*.", 2) == 0;

	if (strcmp(a, b) == 0 || is_same_domain(a, b))
		return true;
	return is_pattern && strncmp(b, "*.", 2) == 0 &&
	       is_same_domain(a + 2, b + 2);
}

static int check_partner_once(const struct host_place *c,
			      const struct edge_config_partner *list,
			      unsigned i)
{
	for (unsigned k = 0; k < i; k++)
		if (is_same_partner(list[i].domain, list[k].domain))
			return host_complain(
				c, host_path_of("partners", i, ".domain").text,
				"\"%s\" is there twice, expected one rule for "
				"each partner (the first is on line %u)",
				list[i].domain,
				host_config_line(
					c->file,
					host_path_of("partners", k, ".domain")
						.text));
	return 0;
}

static int check_partners(const struct host_place *c,
			  const struct edge_config_file *f)
{
	int err = 0;

	for (unsigned i = 0; err == 0 && i < f->partners_count; i++)
		err = check_partner(c, &f->partners[i], i);
	for (unsigned i = 1; err == 0 && i < f->partners_count; i++)
		err = check_partner_once(c, f->partners, i);
	return err;
}

/* The daemon's folder is not the one it is started in. */
static int check_federation(const struct host_place *c,
			    const struct edge_config_federation *f)
{
	if (f->path[0] == '/')
		return 0;
	return host_complain(c, "federation.path",
			     "\"%s\" is not an absolute path, expected such as "
			     "\"/var/lib/edge-proxy/federation.pb\"",
			     f->path);
}

static int check_gateway(const struct host_place *c,
			 const struct edge_config_channel *ch, unsigned i)
{
	struct host_path key = host_path_of("channel.gateways", i, "");
	int err = check_name(c, key.text, ch->gateways[i]);

	for (unsigned k = 0; err == 0 && k < i; k++)
		if (is_same_domain(ch->gateways[i], ch->gateways[k]))
			err = host_complain(c, key.text,
					    "\"%s\" is there twice, expected "
					    "each gateway once",
					    ch->gateways[i]);
	return err;
}

static int check_gateways(const struct host_place *c,
			  const struct edge_config_channel *ch)
{
	int err = 0;

	if (ch->gateways_count == 0)
		return host_complain(
			c, "channel.gateways",
			"is empty, expected the names of the gateways' "
			"certificates");
	/* LIMIT: sessions of one edge */
	if (ch->gateways_count > LIMIT_CHANNEL_SESSIONS)
		return host_complain(c, "channel.gateways",
				     "has %u entries, expected at most %u",
				     ch->gateways_count,
				     LIMIT_CHANNEL_SESSIONS);
	for (unsigned i = 0; err == 0 && i < ch->gateways_count; i++)
		err = check_gateway(c, ch, i);
	return err;
}

static int check_channel(const struct host_place *c,
			 const struct edge_config_file *f)
{
	const struct edge_config_channel *ch = &f->channel;
	struct host_pair pair = {f->instance, "channel.certificate",
				 ch->certificate, "channel.key", ch->key};
	int err = check_addresses(c, "channel.listen", ch->listen,
				  ch->listen_count);

	if (err == 0)
		err = host_check_trust(c, "channel.trust", ch->trust);
	if (err == 0)
		err = host_check_crl(c, "channel.crl", ch->crl);
	if (err == 0)
		err = host_check_channel_pair(c, &pair);
	return err != 0 ? err : check_gateways(c, ch);
}

static int check_anchor(const struct host_place *c, const char *file)
{
	static const char key[] = "dns.trust_anchor_file";
	struct errbuf why = {0};
	int err = host_check_readable(c, key, file);

	if (err == 0 && dns_resolver_check_trust(file, &why) != 0)
		err = host_complain(c, key, "%s, expected DS or DNSKEY records",
				    why.text);
	return err;
}

static int check_dns(const struct host_place *c,
		     const struct edge_config_dns *d)
{
	int err = host_check_dns_servers(c, d->servers, d->servers_count);

	if (err == 0 && d->trust_anchor_file != NULL)
		err = check_anchor(c, d->trust_anchor_file);
	return err;
}

struct listener {
	struct host_path key;
	const char *text;
};

static int check_against(const struct host_place *c, const struct listener *l,
			 const char *key, char *const *list, unsigned n)
{
	struct sockaddr_storage a, b;

	if (host_config_sockaddr(l->text, &a) != 0)
		return 0;
	for (unsigned i = 0; i < n; i++) {
		struct host_path other = host_path_of(key, i, "");

		/* itself: pairs are looked at once, from the later one */
		if (strcmp(other.text, l->key.text) == 0)
			break;
		if (host_config_sockaddr(list[i], &b) == 0 &&
		    host_config_overlaps(&a, &b))
			return host_complain(
				c, l->key.text,
				"\"%s\" overlaps %s (\"%s\"), expected "
				"another address or port",
				l->text, other.text, list[i]);
	}
	return 0;
}

/* Nothing can listen twice on a port. */
static int check_overlaps(const struct host_place *c,
			  const struct edge_config_file *f)
{
	const struct {
		const char *key;
		char *const *list;
		unsigned count;
	} lists[] = {
		{"s2s.listen", f->s2s.listen, f->s2s.listen_count},
		{"s2s.listen_direct_tls", f->s2s.listen_direct_tls,
		 f->s2s.listen_direct_tls_count},
		{"channel.listen", f->channel.listen, f->channel.listen_count},
	};
	int err = 0;

	for (size_t l = 0; l < FED_ARRAY_LEN(lists); l++)
		for (unsigned i = 0; i < lists[l].count; i++) {
			struct listener it = {host_path_of(lists[l].key, i, ""),
					      lists[l].list[i]};

			for (size_t o = 0; o <= l && err == 0; o++)
				err = check_against(c, &it, lists[o].key,
						    lists[o].list,
						    lists[o].count);
		}
	return err;
}

int edge_config_check(const struct edge_config_file *f, const char *path,
		      struct errbuf *e)
{
	const struct host_place c = {path, e};
	int err = check_name(&c, "instance", f->instance);

	if (err == 0)
		err = check_s2s(&c, &f->s2s);
	if (err == 0)
		err = check_partners(&c, f);
	if (err == 0)
		err = check_federation(&c, &f->federation);
	if (err == 0)
		err = check_channel(&c, f);
	if (err == 0)
		err = check_overlaps(&c, f);
	if (err == 0)
		err = host_admin_check(&c, &f->admin);
	return err != 0 ? err : check_dns(&c, &f->dns);
}
