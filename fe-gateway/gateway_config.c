/* Loading of the host file: schema, defaults. */
#include "fe-gateway/gateway_config.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "io/host_config.h"
#include "xmpp/jid.h"

/* What is not written: RFC 3856 6.4, 6.10, RFC 8048 as we read them. */
enum {
	PRESENCE_EXPIRES_MIN_S = 60,
	PRESENCE_NOTIFY_S = 5,
	PRESENCE_HOLD_OFF_S = 300,
	PRESENCE_REPAIR_RATE = 500,
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
#define LIST(key, type, member, entry)                                        \
	CYAML_FIELD_SEQUENCE(key, CYAML_FLAG_POINTER, type, member, entry, 0, \
			     CYAML_UNLIMITED)

static const cyaml_schema_value_t text_entry = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, CYAML_UNLIMITED),
};

static const cyaml_schema_field_t tls_fields[] = {
	/* all three or none: gateway_config_check(); libcyaml would not dump
	 * the none */
	STRING_OPT("certificate", struct gateway_config_tls, certificate),
	STRING_OPT("key", struct gateway_config_tls, key),
	STRING_OPT("trust", struct gateway_config_tls, trust),
	CYAML_FIELD_SEQUENCE("peers", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
			     struct gateway_config_tls, peers, &text_entry, 0,
			     CYAML_UNLIMITED),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t sip_fields[] = {
	LIST("domains", struct gateway_config_sip, domains, &text_entry),
	LIST("listen", struct gateway_config_sip, listen, &text_entry),
	STRING("next_hop", struct gateway_config_sip, next_hop),
	LIST("trusted", struct gateway_config_sip, trusted, &text_entry),
	CYAML_FIELD_UINT("page_max", CYAML_FLAG_OPTIONAL,
			 struct gateway_config_sip, page_max),
	CYAML_FIELD_UINT_PTR("options_interval",
			     CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
			     struct gateway_config_sip, options_interval),
	CYAML_FIELD_MAPPING("tls", CYAML_FLAG_OPTIONAL,
			    struct gateway_config_sip, tls, tls_fields),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t edge_fields[] = {
	STRING("name", struct gateway_config_edge, name),
	STRING("address", struct gateway_config_edge, address),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t edge_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct gateway_config_edge,
			    edge_fields),
};

static const cyaml_schema_field_t channel_fields[] = {
	STRING("trust", struct gateway_config_channel, trust),
	STRING_OPT("crl", struct gateway_config_channel, crl),
	STRING("certificate", struct gateway_config_channel, certificate),
	STRING("key", struct gateway_config_channel, key),
	LIST("edges", struct gateway_config_channel, edges, &edge_entry),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t dns_fields[] = {
	CYAML_FIELD_SEQUENCE("servers",
			     CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
			     struct gateway_config_dns, servers, &text_entry, 0,
			     CYAML_UNLIMITED),
	CYAML_FIELD_END,
};

static const cyaml_strval_t profile_names[] = {
	{"standard", PIDF_STANDARD},
	{"lync", PIDF_LYNC},
};

#define PRESENCE_UINT(key)                                                   \
	CYAML_FIELD_UINT_PTR(#key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, \
			     struct gateway_config_presence, key)

static const cyaml_schema_field_t presence_fields[] = {
	PRESENCE_UINT(expires),
	PRESENCE_UINT(expires_min),
	PRESENCE_UINT(expires_max),
	PRESENCE_UINT(notify_interval),
	PRESENCE_UINT(hold_off),
	PRESENCE_UINT(repair_rate),
	CYAML_FIELD_ENUM("profile", CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL,
			 struct gateway_config_presence, profile, profile_names,
			 FED_ARRAY_LEN(profile_names)),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t store_fields[] = {
	STRING("path", struct gateway_config_store, path),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t federation_fields[] = {
	STRING_OPT("bootstrap", struct gateway_config_federation, bootstrap),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t log_fields[] = {
	CYAML_FIELD_ENUM("level", CYAML_FLAG_STRICT | CYAML_FLAG_OPTIONAL,
			 struct gateway_config_log, level, level_names,
			 FED_ARRAY_LEN(level_names)),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t file_fields[] = {
	STRING("instance", struct gateway_config_file, instance),
	CYAML_FIELD_MAPPING("sip", CYAML_FLAG_DEFAULT,
			    struct gateway_config_file, sip, sip_fields),
	CYAML_FIELD_MAPPING("channel", CYAML_FLAG_DEFAULT,
			    struct gateway_config_file, channel,
			    channel_fields),
	CYAML_FIELD_MAPPING("dns", CYAML_FLAG_OPTIONAL,
			    struct gateway_config_file, dns, dns_fields),
	CYAML_FIELD_MAPPING("presence", CYAML_FLAG_OPTIONAL,
			    struct gateway_config_file, presence,
			    presence_fields),
	CYAML_FIELD_MAPPING("store", CYAML_FLAG_OPTIONAL,
			    struct gateway_config_file, store, store_fields),
	CYAML_FIELD_MAPPING("federation", CYAML_FLAG_OPTIONAL,
			    struct gateway_config_file, federation,
			    federation_fields),
	CYAML_FIELD_MAPPING("log", CYAML_FLAG_OPTIONAL,
			    struct gateway_config_file, log, log_fields),
	CYAML_FIELD_MAPPING("admin", CYAML_FLAG_OPTIONAL,
			    struct gateway_config_file, admin,
			    host_admin_fields),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t file_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct gateway_config_file,
			    file_fields),
};

/* The file was checked: names and addresses normalize. */
static int normalize(struct gateway_config *c)
{
	const struct gateway_config_sip *s = &c->file->sip;
	char name[LIMIT_DOMAIN_BYTES + 1];
	char ip[INET6_ADDRSTRLEN];

	c->domains = calloc(s->domains_count, sizeof(*c->domains));
	c->trusted = calloc(s->trusted_count, sizeof(*c->trusted));
	if (c->domains == NULL || c->trusted == NULL)
		return FED_ENOMEM;
	for (unsigned i = 0; i < s->domains_count; i++) {
		if (domain_normalize(span_str(s->domains[i]), name,
				     sizeof(name)) != 0)
			return FED_ECONFIG;
		c->domains[i] = strdup(name);
		if (c->domains[i] == NULL)
			return FED_ENOMEM;
	}
	for (unsigned i = 0; i < s->trusted_count; i++) {
		if (gateway_config_ip(s->trusted[i], ip, sizeof(ip)) != 0)
			return FED_ECONFIG;
		c->trusted[i] = strdup(ip);
		if (c->trusted[i] == NULL)
			return FED_ENOMEM;
	}
	return 0;
}

/* It is freed by libcyaml, which takes its memory from malloc() too. */
static bool fill(unsigned **value, unsigned by_default)
{
	if (*value != NULL)
		return true;
	*value = malloc(sizeof(**value));
	if (*value != NULL)
		**value = by_default;
	return *value != NULL;
}

static int fill_numbers(struct gateway_config_file *f)
{
	struct gateway_config_presence *p = &f->presence;

	return fill(&f->sip.options_interval, LIMIT_HOP_OPTIONS_S) &&
			       fill(&p->expires_min, PRESENCE_EXPIRES_MIN_S) &&
			       fill(&p->notify_interval, PRESENCE_NOTIFY_S) &&
			       fill(&p->hold_off, PRESENCE_HOLD_OFF_S) &&
			       fill(&p->repair_rate, PRESENCE_REPAIR_RATE)
		       ? 0
		       : FED_ENOMEM;
}

static int fill_store(struct gateway_config_store *s)
{
	if (s->path == NULL)
		s->path = strdup(GATEWAY_CONFIG_STORE);
	return s->path != NULL ? 0 : FED_ENOMEM;
}

static int fill_defaults(struct gateway_config *c)
{
	struct gateway_config_file *f = c->file;
	int err;

	if (f->sip.page_max == 0)
		f->sip.page_max = LIMIT_PAGE_BYTES;
	if (f->log.level == 0)
		f->log.level = FED_LOG_INFO + 1;
	c->log_level = (enum fed_log_level)(f->log.level - 1);
	err = fill_numbers(f);
	if (err == 0)
		err = fill_store(&f->store);
	return err != 0 ? err : host_admin_fill(&f->admin, "fe-gateway");
}

int gateway_config_load(struct gateway_config **c_out, const char *path,
			struct errbuf *e)
{
	struct gateway_config *c = calloc(1, sizeof(*c));
	void *data = NULL;
	int err;

	if (c == NULL) {
		errbuf_set(e, "out of memory");
		return FED_ENOMEM;
	}
	err = host_config_load(path, &file_schema, &data, e);
	c->file = data;
	if (err == 0) {
		err = fill_defaults(c);
		if (err != 0)
			errbuf_set(e, "out of memory");
	}
	if (err == 0) {
		err = gateway_config_check(c->file, path, e);
	}
	if (err == 0) {
		err = normalize(c);
		if (err != 0)
			errbuf_set(e, "out of memory");
	}
	if (err != 0) {
		gateway_config_free(c);
		return err;
	}
	*c_out = c;
	return 0;
}

static void free_list(char **list, unsigned n)
{
	for (unsigned i = 0; list != NULL && i < n; i++)
		free(list[i]);
	free(list);
}

void gateway_config_free(struct gateway_config *c)
{
	if (c == NULL)
		return;
	if (c->file != NULL) {
		free_list(c->domains, c->file->sip.domains_count);
		free_list(c->trusted, c->file->sip.trusted_count);
		host_config_free(&file_schema, c->file);
	}
	free(c);
}

int gateway_config_dump(const struct gateway_config *c)
{
	return host_config_dump(&file_schema, c->file);
}

int gateway_config_creds(const struct gateway_config *c,
			 struct tls_creds **creds_out, struct errbuf *e)
{
	const struct gateway_config_channel *ch = &c->file->channel;
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
