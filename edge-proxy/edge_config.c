/* Loading of the host file: schema, defaults, policy. */
#include "edge-proxy/edge_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "io/host_config.h"
#include "xmpp/jid.h"

/* ---- schema -------------------------------------------------------------- */

static const cyaml_strval_t need_names[] = {
	{"optional", EDGE_NEED_OPTIONAL},
	{"required", EDGE_NEED_REQUIRED},
	{"off", EDGE_NEED_OFF},
};

static const cyaml_strval_t switch_names[] = {
	{"on", EDGE_SWITCH_ON},
	{"off", EDGE_SWITCH_OFF},
};

static const cyaml_strval_t level_names[] = {
	{"error", FED_LOG_ERROR + 1},
	{"warn", FED_LOG_WARN + 1},
	{"info", FED_LOG_INFO + 1},
	{"debug", FED_LOG_DEBUG + 1},
};

#define STRING(key, type, member)                                        \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER, type, member, 1, \
			       CYAML_UNLIMITED)
#define STRING_OPT(key, type, member)                                         \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, \
			       type, member, 1, CYAML_UNLIMITED)
#define NEED(key, member)                                                \
	CYAML_FIELD_ENUM(key, CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL,   \
			 struct edge_config_partner, member, need_names, \
			 FED_ARRAY_LEN(need_names))
#define LIST(key, flags, type, member, entry)                                 \
	CYAML_FIELD_SEQUENCE(key, CYAML_FLAG_POINTER | (flags), type, member, \
			     entry, 0, CYAML_UNLIMITED)

static const cyaml_schema_value_t text_entry = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, CYAML_UNLIMITED),
};

static const cyaml_schema_field_t domain_fields[] = {
	STRING("name", struct edge_config_domain, name),
	STRING("certificate", struct edge_config_domain, certificate),
	STRING("key", struct edge_config_domain, key),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t domain_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct edge_config_domain,
			    domain_fields),
};

static const cyaml_schema_field_t s2s_fields[] = {
	LIST("listen", 0, struct edge_config_s2s, listen, &text_entry),
	LIST("listen_direct_tls", CYAML_FLAG_OPTIONAL, struct edge_config_s2s,
	     listen_direct_tls, &text_entry),
	STRING("trust", struct edge_config_s2s, trust),
	STRING_OPT("crl", struct edge_config_s2s, crl),
	LIST("domains", 0, struct edge_config_s2s, domains, &domain_entry),
	STRING_OPT("dialback_secret_file", struct edge_config_s2s,
		   dialback_secret_file),
	CYAML_FIELD_UINT("stanza_max", CYAML_FLAG_OPTIONAL,
			 struct edge_config_s2s, stanza_max),
	CYAML_FIELD_UINT("streams_max", CYAML_FLAG_OPTIONAL,
			 struct edge_config_s2s, streams_max),
	CYAML_FIELD_ENUM("bidi", CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL,
			 struct edge_config_s2s, bidi, switch_names,
			 FED_ARRAY_LEN(switch_names)),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t partner_fields[] = {
	STRING("domain", struct edge_config_partner, domain),
	NEED("tls", tls),
	NEED("sasl", sasl),
	NEED("dialback", dialback),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t partner_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct edge_config_partner,
			    partner_fields),
};

static const cyaml_schema_field_t channel_fields[] = {
	LIST("listen", 0, struct edge_config_channel, listen, &text_entry),
	STRING("trust", struct edge_config_channel, trust),
	STRING_OPT("crl", struct edge_config_channel, crl),
	STRING("certificate", struct edge_config_channel, certificate),
	STRING("key", struct edge_config_channel, key),
	LIST("gateways", 0, struct edge_config_channel, gateways, &text_entry),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t federation_fields[] = {
	STRING_OPT("path", struct edge_config_federation, path),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t dns_fields[] = {
	LIST("servers", CYAML_FLAG_OPTIONAL, struct edge_config_dns, servers,
	     &text_entry),
	STRING_OPT("trust_anchor_file", struct edge_config_dns,
		   trust_anchor_file),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t log_fields[] = {
	CYAML_FIELD_ENUM("level", CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL,
			 struct edge_config_log, level, level_names,
			 FED_ARRAY_LEN(level_names)),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t file_fields[] = {
	STRING("instance", struct edge_config_file, instance),
	CYAML_FIELD_MAPPING("s2s", CYAML_FLAG_DEFAULT, struct edge_config_file,
			    s2s, s2s_fields),
	CYAML_FIELD_MAPPING("federation", CYAML_FLAG_OPTIONAL,
			    struct edge_config_file, federation,
			    federation_fields),
	LIST("partners", CYAML_FLAG_OPTIONAL, struct edge_config_file, partners,
	     &partner_entry),
	CYAML_FIELD_MAPPING("channel", CYAML_FLAG_DEFAULT,
			    struct edge_config_file, channel, channel_fields),
	CYAML_FIELD_MAPPING("dns", CYAML_FLAG_OPTIONAL, struct edge_config_file,
			    dns, dns_fields),
	CYAML_FIELD_MAPPING("log", CYAML_FLAG_OPTIONAL, struct edge_config_file,
			    log, log_fields),
	CYAML_FIELD_MAPPING("admin", CYAML_FLAG_OPTIONAL,
			    struct edge_config_file, admin, host_admin_fields),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t file_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct edge_config_file,
			    file_fields),
};

/* ---- defaults and policy ------------------------------------------------- */

#define DEFAULT_PATH "/var/lib/edge-proxy/federation.pb"

static int fill_defaults(struct edge_config_file *f)
{
	if (f->s2s.stanza_max == 0)
		f->s2s.stanza_max = LIMIT_STANZA_BYTES;
	if (f->s2s.streams_max == 0)
		f->s2s.streams_max = LIMIT_STREAMS;
	if (f->s2s.bidi == EDGE_SWITCH_DEFAULT)
		f->s2s.bidi = EDGE_SWITCH_ON;
	if (f->log.level == 0)
		f->log.level = FED_LOG_INFO + 1;
	for (unsigned i = 0; i < f->partners_count; i++) {
		struct edge_config_partner *p = &f->partners[i];

		if (p->tls == EDGE_NEED_DEFAULT)
			p->tls = EDGE_NEED_REQUIRED;
		if (p->sasl == EDGE_NEED_DEFAULT)
			p->sasl = EDGE_NEED_OPTIONAL;
		if (p->dialback == EDGE_NEED_DEFAULT)
			p->dialback = EDGE_NEED_OPTIONAL;
	}
	if (f->federation.path == NULL)
		f->federation.path = strdup(DEFAULT_PATH);
	return f->federation.path == NULL
		       ? FED_ENOMEM
		       : host_admin_fill(&f->admin, "edge-proxy");
}

static enum policy_need need_of(enum edge_config_need n)
{
	switch (n) {
	case EDGE_NEED_REQUIRED:
		return POLICY_REQUIRED;
	case EDGE_NEED_OFF:
		return POLICY_OFF;
	case EDGE_NEED_DEFAULT:
	case EDGE_NEED_OPTIONAL:
		break;
	}
	return POLICY_OPTIONAL;
}

/* The file was checked: names normalize.  "*" and "*." stay in front. */
static char *normalized(const char *name)
{
	char out[LIMIT_DOMAIN_BYTES + 3] = "*.";
	size_t at = strncmp(name, out, 2) == 0 ? 2 : 0;

	if (strcmp(name, "*") == 0)
		return strdup(name);
	if (domain_normalize(span_str(name + at), out + at, sizeof(out) - at) !=
	    0)
		return NULL;
	return strdup(out);
}

static int make_domains(struct edge_config *c)
{
	const struct edge_config_s2s *s = &c->file->s2s;

	c->domains = calloc(s->domains_count, sizeof(*c->domains));
	if (c->domains == NULL)
		return FED_ENOMEM;
	for (unsigned i = 0; i < s->domains_count; i++) {
		c->domains[i] = normalized(s->domains[i].name);
		if (c->domains[i] == NULL)
			return FED_ENOMEM;
	}
	c->policy.domains = (const char *const *)c->domains;
	c->policy.domain_count = s->domains_count;
	return 0;
}

static int make_partners(struct edge_config *c)
{
	const struct edge_config_file *f = c->file;

	if (f->partners_count == 0)
		return 0;
	c->partners = calloc(f->partners_count, sizeof(*c->partners));
	if (c->partners == NULL)
		return FED_ENOMEM;
	c->policy.partners = c->partners;
	for (unsigned i = 0; i < f->partners_count; i++) {
		struct policy_partner *p = &c->partners[i];

		p->domain = normalized(f->partners[i].domain);
		if (p->domain == NULL)
			return FED_ENOMEM;
		p->tls = need_of(f->partners[i].tls);
		p->sasl = need_of(f->partners[i].sasl);
		p->dialback = need_of(f->partners[i].dialback);
		c->policy.partner_count = i + 1;
	}
	policy_sort(c->partners, f->partners_count);
	return 0;
}

int edge_config_read_secret(const char *path, struct buf *out)
{
	char chunk[256];
	size_t n;
	FILE *f = fopen(path, "r");

	if (f == NULL)
		return FED_EIO;
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		(void)buf_put(out, chunk, n);
	explicit_bzero(chunk, sizeof(chunk));
	(void)fclose(f);
	if (out->is_failed ||
	    span_trim(buf_span(out)).n < LIMIT_SECRET_BYTES_FLOOR)
		return FED_EINVAL;
	return 0;
}

static int take_secret(struct edge_config *c, struct errbuf *e)
{
	const char *path = c->file->s2s.dialback_secret_file;

	if (path == NULL)
		return 0;
	if (edge_config_read_secret(path, &c->secret) != 0) {
		errbuf_set(e, "%s: no dialback secret", path);
		return FED_ECONFIG;
	}
	c->policy.dialback_secret = span_trim(buf_span(&c->secret));
	return 0;
}

static int make_policy(struct edge_config *c, struct errbuf *e)
{
	int err = make_domains(c);

	c->policy.stanza_max = c->file->s2s.stanza_max;
	c->policy.bidi = c->file->s2s.bidi == EDGE_SWITCH_ON;
	c->log_level = (enum fed_log_level)(c->file->log.level - 1);
	if (err == 0)
		err = make_partners(c);
	if (err == FED_ENOMEM)
		errbuf_set(e, "out of memory");
	return err != 0 ? err : take_secret(c, e);
}

/* ---- public -------------------------------------------------------------- */

int edge_config_load(struct edge_config **c_out, const char *path,
		     struct errbuf *e)
{
	struct edge_config *c = calloc(1, sizeof(*c));
	void *data = NULL;
	int err;

	if (c == NULL) {
		errbuf_set(e, "out of memory");
		return FED_ENOMEM;
	}
	buf_init(&c->secret, EDGE_SECRET_MAX);
	err = host_config_load(path, &file_schema, &data, e);
	c->file = data;
	if (err == 0) {
		err = fill_defaults(c->file);
		if (err != 0)
			errbuf_set(e, "out of memory");
	}
	if (err == 0)
		err = edge_config_check(c->file, path, e);
	if (err == 0)
		err = make_policy(c, e);
	if (err != 0) {
		edge_config_free(c);
		return err;
	}
	*c_out = c;
	return 0;
}

void edge_config_free(struct edge_config *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; c->domains != NULL && i < c->file->s2s.domains_count;
	     i++)
		free(c->domains[i]);
	free(c->domains);
	for (size_t i = 0; i < c->policy.partner_count; i++)
		free((void *)(uintptr_t)c->partners[i].domain);
	free(c->partners);
	buf_deinit(&c->secret);
	if (c->file != NULL)
		host_config_free(&file_schema, c->file);
	free(c);
}

int edge_config_dump(const struct edge_config *c)
{
	return host_config_dump(&file_schema, c->file);
}

struct sni_name {
	char text[LIMIT_DOMAIN_BYTES + 1];
};

int edge_config_s2s_creds(const struct edge_config *c,
			  struct tls_creds **creds_out, struct errbuf *e)
{
	const struct edge_config_s2s *s = &c->file->s2s;
	struct tls_identity *ids = calloc(s->domains_count, sizeof(*ids));
	struct sni_name *sni = calloc(s->domains_count, sizeof(*sni));
	struct tls_creds_params p = {
		.trust_file = s->trust,
		.crl_file = s->crl,
		.identities = ids,
		.identity_count = s->domains_count,
		.verify = TLS_VERIFY_FACTS,
		.alpn = "xmpp-server", /* XEP-0368 */
	};
	int err = ids == NULL || sni == NULL ? FED_ENOMEM : 0;

	for (unsigned i = 0; err == 0 && i < s->domains_count; i++) {
		ids[i] = (struct tls_identity){c->domains[i],
					       s->domains[i].certificate,
					       s->domains[i].key, sni[i].text};
		err = domain_to_ascii(span_str(c->domains[i]), sni[i].text,
				      sizeof(sni[i].text));
	}
	if (err == 0)
		err = tls_creds_new(creds_out, &p, e);
	free(ids);
	free(sni);
	return err;
}

int edge_config_channel_creds(const struct edge_config *c,
			      struct tls_creds **creds_out, struct errbuf *e)
{
	const struct edge_config_channel *ch = &c->file->channel;
	struct tls_identity id = {c->file->instance, ch->certificate, ch->key,
				  NULL};
	struct tls_creds_params p = {
		.trust_file = ch->trust,
		.crl_file = ch->crl,
		.identities = &id,
		.identity_count = 1,
		.verify = TLS_VERIFY_REQUIRED,
	};

	return tls_creds_new(creds_out, &p, e);
}
