/* Reading: YAML by schema into records. */
#include "io/federation_yaml.h"

#include <string.h>

#include "base/digest.h"
#include "base/limits.h"
#include "chan/federation_form.h"
#include "io/file_read.h"
#include "io/host_config.h"

/* --- the file as libcyaml loads it; NULL: the key is absent ----------------
 */

struct yaml_settings {
	bool *federation;
	int *mode;
	uint32_t *connection_limit;
	uint32_t *partner_connection_limit;
	uint32_t *keep_alive_interval;
	uint32_t *stream_establishment_timeout;
	uint32_t *stream_inactivity_timeout;
	uint32_t *subscription_refresh_interval;
	char *dialback_secret;
	bool *log_bodies;
	char *legacy_next_hop;
};

struct yaml_partner {
	char *domain;
	char **additional;
	uint32_t additional_count;
	char *description;
	int *type;
	int *state;
	int *tls;
	int *sasl;
	bool *dialback;
	bool *keep_alive;
	uint32_t *connection_limit;
	char *proxy_host;
	uint32_t *stanzas_per_second;
	uint32_t *bytes_per_second;
};

struct yaml_denied {
	char *domain;
	char *description;
};

struct yaml_policy {
	int scope;
	char *name;
	bool *federation;
	bool *xmpp;
	char *description;
};

struct yaml_site {
	char *name;
	char **domains;
	uint32_t domains_count;
	char **users;
	uint32_t users_count;
	char *description;
};

struct yaml_grant {
	char *user;
	char *policy;
};

struct yaml_file {
	struct yaml_settings *settings;
	struct yaml_partner *partners;
	uint32_t partners_count;
	struct yaml_denied *denied;
	uint32_t denied_count;
	struct yaml_policy *policies;
	uint32_t policies_count;
	struct yaml_site *sites;
	uint32_t sites_count;
	struct yaml_grant *grants;
	uint32_t grants_count;
};

/* --- schema ----------------------------------------------------------------
 */

enum { OPTIONAL = CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL };

#define NAME(type, key)                                                \
	CYAML_FIELD_STRING_PTR(#key, CYAML_FLAG_POINTER, type, key, 1, \
			       CYAML_UNLIMITED)
#define TEXT(type, key) \
	CYAML_FIELD_STRING_PTR(#key, OPTIONAL, type, key, 0, CYAML_UNLIMITED)
#define FLAG(type, key) CYAML_FIELD_BOOL_PTR(#key, OPTIONAL, type, key)
#define NUMBER(type, key) CYAML_FIELD_UINT_PTR(#key, OPTIONAL, type, key)
#define WORD(type, key, words)                                              \
	CYAML_FIELD_ENUM_PTR(#key, OPTIONAL | CYAML_FLAG_STRICT, type, key, \
			     words, FED_ARRAY_LEN(words))
#define LIST(type, key, entry, max) \
	CYAML_FIELD_SEQUENCE(#key, OPTIONAL, type, key, entry, 0, max)

static const cyaml_strval_t modes[] = {{"closed", false}, {"open", true}};

static const cyaml_strval_t types[] = {
	{"federated", FED__PARTNER_TYPE__FEDERATED},
	{"public-verified", FED__PARTNER_TYPE__PUBLIC_VERIFIED},
	{"public-unverified", FED__PARTNER_TYPE__PUBLIC_UNVERIFIED},
};

static const cyaml_strval_t states[] = {
	{"enabled", FED__PARTNER_STATE__ENABLED},
	{"disabled", FED__PARTNER_STATE__DISABLED},
	{"legacy", FED__PARTNER_STATE__LEGACY},
};

static const cyaml_strval_t needs[] = {
	{"required", FED__NEED__REQUIRED},
	{"optional", FED__NEED__OPTIONAL},
	{"not-supported", FED__NEED__OFF},
};

static const cyaml_strval_t scopes[] = {
	{"global", FED__POLICY_SCOPE__GLOBAL},
	{"site", FED__POLICY_SCOPE__SITE},
	{"user", FED__POLICY_SCOPE__USER},
};

static const cyaml_schema_value_t text_entry = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, CYAML_UNLIMITED),
};

static const cyaml_schema_field_t settings_fields[] = {
	FLAG(struct yaml_settings, federation),
	WORD(struct yaml_settings, mode, modes),
	NUMBER(struct yaml_settings, connection_limit),
	NUMBER(struct yaml_settings, partner_connection_limit),
	NUMBER(struct yaml_settings, keep_alive_interval),
	NUMBER(struct yaml_settings, stream_establishment_timeout),
	NUMBER(struct yaml_settings, stream_inactivity_timeout),
	NUMBER(struct yaml_settings, subscription_refresh_interval),
	TEXT(struct yaml_settings, dialback_secret),
	FLAG(struct yaml_settings, log_bodies),
	TEXT(struct yaml_settings, legacy_next_hop),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t partner_fields[] = {
	NAME(struct yaml_partner, domain),
	LIST(struct yaml_partner, additional, &text_entry,
	     LIMIT_PARTNER_DOMAINS),
	TEXT(struct yaml_partner, description),
	WORD(struct yaml_partner, type, types),
	WORD(struct yaml_partner, state, states),
	WORD(struct yaml_partner, tls, needs),
	WORD(struct yaml_partner, sasl, needs),
	FLAG(struct yaml_partner, dialback),
	FLAG(struct yaml_partner, keep_alive),
	NUMBER(struct yaml_partner, connection_limit),
	TEXT(struct yaml_partner, proxy_host),
	NUMBER(struct yaml_partner, stanzas_per_second),
	NUMBER(struct yaml_partner, bytes_per_second),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t denied_fields[] = {
	NAME(struct yaml_denied, domain),
	TEXT(struct yaml_denied, description),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t policy_fields[] = {
	CYAML_FIELD_ENUM("scope", CYAML_FLAG_STRICT, struct yaml_policy, scope,
			 scopes, FED_ARRAY_LEN(scopes)),
	TEXT(struct yaml_policy, name),
	FLAG(struct yaml_policy, federation),
	FLAG(struct yaml_policy, xmpp),
	TEXT(struct yaml_policy, description),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t site_fields[] = {
	NAME(struct yaml_site, name),
	LIST(struct yaml_site, domains, &text_entry, LIMIT_SITE_DOMAINS),
	LIST(struct yaml_site, users, &text_entry, LIMIT_FEDERATION_USERS),
	TEXT(struct yaml_site, description),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t grant_fields[] = {
	NAME(struct yaml_grant, user),
	NAME(struct yaml_grant, policy),
	CYAML_FIELD_END,
};

#define ENTRY(name, type, fields)                                      \
	static const cyaml_schema_value_t name = {                     \
		CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, type, fields), \
	}

ENTRY(partner_entry, struct yaml_partner, partner_fields);
ENTRY(denied_entry, struct yaml_denied, denied_fields);
ENTRY(policy_entry, struct yaml_policy, policy_fields);
ENTRY(site_entry, struct yaml_site, site_fields);
ENTRY(grant_entry, struct yaml_grant, grant_fields);

static const cyaml_schema_field_t file_fields[] = {
	CYAML_FIELD_MAPPING_PTR("settings", OPTIONAL, struct yaml_file,
				settings, settings_fields),
	LIST(struct yaml_file, partners, &partner_entry,
	     LIMIT_FEDERATION_PARTNERS),
	LIST(struct yaml_file, denied, &denied_entry, LIMIT_FEDERATION_DENIED),
	LIST(struct yaml_file, policies, &policy_entry,
	     LIMIT_FEDERATION_POLICIES),
	LIST(struct yaml_file, sites, &site_entry, LIMIT_FEDERATION_SITES),
	LIST(struct yaml_file, grants, &grant_entry, LIMIT_FEDERATION_USERS),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t file_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct yaml_file, file_fields),
};

/* --- records ---------------------------------------------------------------
 */

struct reading {
	const char *name;
	struct arena *a;
	struct federation_records *out;
	struct errbuf *e;
};

/* A record and its message in one piece. */
static void *add(struct reading *r, Fed__Record__KindCase kind,
		 const ProtobufCMessageDescriptor *d)
{
	Fed__Record *record =
		arena_alloc(r->a, sizeof(*record) + d->sizeof_message);

	if (record == NULL)
		return NULL;
	fed__record__init(record);
	record->kind_case = kind;
	/* the members of the oneof share one place */
	record->partner = (Fed__PartnerRecord *)(record + 1);
	protobuf_c_message_init(d, &record->partner->base);
	if (arena_append(r->a, (void ***)&r->out->items, &r->out->count,
			 record) != 0)
		return NULL;
	return record->partner;
}

/* *to stays as it is when the key is absent; false: no memory. */
static bool text(struct reading *r, const char *from, char **to)
{
	if (from == NULL)
		return true;
	*to = arena_dup(r->a, span_str(from));
	return *to != NULL;
}

static bool texts(struct reading *r, char *const *from, uint32_t n, char ***to,
		  size_t *to_n)
{
	for (uint32_t i = 0; i < n; i++) {
		char *s = arena_dup(r->a, span_str(from[i]));

		if (s == NULL || arena_append(r->a, (void ***)to, to_n, s) != 0)
			return false;
	}
	return true;
}

static int read_partner(struct reading *r, const struct yaml_partner *from)
{
	Fed__PartnerRecord *p = add(r, FED__RECORD__KIND_PARTNER,
				    &fed__partner_record__descriptor);

	if (p == NULL)
		return FED_ENOMEM;
	federation_partner_init(p);
	if (!text(r, from->domain, &p->domain) ||
	    !texts(r, from->additional, from->additional_count, &p->additional,
		   &p->n_additional) ||
	    !text(r, from->description, &p->description) ||
	    !text(r, from->proxy_host, &p->proxy_host))
		return FED_ENOMEM;
	p->type = from->type != NULL ? (Fed__PartnerType)*from->type : p->type;
	p->state = from->state != NULL ? (Fed__PartnerState)*from->state
				       : p->state;
	p->tls = from->tls != NULL ? (Fed__Need)*from->tls : p->tls;
	p->sasl = from->sasl != NULL ? (Fed__Need)*from->sasl : p->sasl;
	if (from->dialback != NULL)
		p->dialback = *from->dialback;
	if (from->keep_alive != NULL)
		p->keep_alive = *from->keep_alive;
	if (from->connection_limit != NULL)
		p->connection_limit = *from->connection_limit;
	if (from->stanzas_per_second != NULL)
		p->stanzas_per_s = *from->stanzas_per_second;
	if (from->bytes_per_second != NULL)
		p->bytes_per_s = *from->bytes_per_second;
	return 0;
}

static int read_denied(struct reading *r, const struct yaml_denied *from)
{
	Fed__DeniedRecord *d = add(r, FED__RECORD__KIND_DENIED,
				   &fed__denied_record__descriptor);

	if (d == NULL || !text(r, from->domain, &d->domain) ||
	    !text(r, from->description, &d->description))
		return FED_ENOMEM;
	return 0;
}

static int read_policy(struct reading *r, const struct yaml_policy *from)
{
	Fed__PolicyRecord *p = add(r, FED__RECORD__KIND_POLICY,
				   &fed__policy_record__descriptor);

	if (p == NULL || !text(r, from->name, &p->name) ||
	    !text(r, from->description, &p->description))
		return FED_ENOMEM;
	p->scope = (Fed__PolicyScope)from->scope;
	p->federation = from->federation != NULL && *from->federation;
	p->xmpp = from->xmpp != NULL && *from->xmpp;
	return 0;
}

static int read_member(struct reading *r, const char *user, const char *site)
{
	Fed__MemberRecord *m = add(r, FED__RECORD__KIND_MEMBER,
				   &fed__member_record__descriptor);

	if (m == NULL || !text(r, user, &m->user) || !text(r, site, &m->site))
		return FED_ENOMEM;
	return 0;
}

static int read_site(struct reading *r, const struct yaml_site *from)
{
	Fed__SiteRecord *s =
		add(r, FED__RECORD__KIND_SITE, &fed__site_record__descriptor);
	int err = 0;

	if (s == NULL || !text(r, from->name, &s->name) ||
	    !texts(r, from->domains, from->domains_count, &s->domain,
		   &s->n_domain) ||
	    !text(r, from->description, &s->description))
		return FED_ENOMEM;
	for (uint32_t i = 0; i < from->users_count && err == 0; i++)
		err = read_member(r, from->users[i], from->name);
	return err;
}

static int read_grant(struct reading *r, const struct yaml_grant *from)
{
	Fed__GrantRecord *g =
		add(r, FED__RECORD__KIND_GRANT, &fed__grant_record__descriptor);

	if (g == NULL || !text(r, from->user, &g->user) ||
	    !text(r, from->policy, &g->policy))
		return FED_ENOMEM;
	return 0;
}

/* --- settings --------------------------------------------------------------
 */

/* Bytes that are no text are written behind this. */
static const char base64_mark[] = "base64:";

static int read_secret(struct reading *r, const char *from,
		       ProtobufCBinaryData *to)
{
	struct span s = span_str(from);
	struct buf decoded;
	int err = 0;

	buf_init(&decoded, LIMIT_SECRET_BYTES + 1);
	if (span_starts(s, span_str(base64_mark))) {
		s = span_sub(s, strlen(base64_mark), s.n);
		err = digest_base64_decode(s, &decoded);
		s = buf_span(&decoded);
	}
	if (err == FED_EINVAL || err == FED_ELIMIT) {
		errbuf_set(r->e,
			   "%s: settings.dialback_secret: base64 of at most "
			   "%u bytes is expected behind \"base64:\"",
			   r->name, LIMIT_SECRET_BYTES);
		err = FED_ECONFIG;
	}
	if (err == 0) {
		to->data = (uint8_t *)arena_dup(r->a, s);
		to->len = s.n;
		err = to->data != NULL ? 0 : FED_ENOMEM;
	}
	buf_deinit(&decoded);
	return err;
}

static void read_numbers(const struct yaml_settings *from,
			 Fed__SettingsRecord *s)
{
	const struct {
		const uint32_t *from;
		uint32_t *to;
	} numbers[] = {
		{from->connection_limit, &s->connection_limit},
		{from->partner_connection_limit, &s->partner_connection_limit},
		{from->keep_alive_interval, &s->keep_alive_interval_s},
		{from->stream_establishment_timeout,
		 &s->stream_establishment_timeout_s},
		{from->stream_inactivity_timeout,
		 &s->stream_inactivity_timeout_s},
		{from->subscription_refresh_interval,
		 &s->subscription_refresh_interval_s},
	};

	for (size_t i = 0; i < FED_ARRAY_LEN(numbers); i++)
		if (numbers[i].from != NULL)
			*numbers[i].to = *numbers[i].from;
}

static int read_settings(struct reading *r, const struct yaml_settings *from)
{
	Fed__SettingsRecord *s;

	if (from == NULL)
		return 0;
	s = add(r, FED__RECORD__KIND_SETTINGS,
		&fed__settings_record__descriptor);
	if (s == NULL)
		return FED_ENOMEM;
	federation_settings_init(s);
	s->federation = from->federation != NULL && *from->federation;
	s->open = from->mode != NULL && *from->mode != 0;
	s->log_bodies = from->log_bodies != NULL && *from->log_bodies;
	read_numbers(from, s);
	if (!text(r, from->legacy_next_hop, &s->legacy_next_hop))
		return FED_ENOMEM;
	if (from->dialback_secret == NULL)
		return 0;
	return read_secret(r, from->dialback_secret, &s->dialback_secret);
}

/* --- file ------------------------------------------------------------------
 */

static int read_all(struct reading *r, const struct yaml_file *file)
{
	int err = read_settings(r, file->settings);

	for (uint32_t i = 0; i < file->partners_count && err == 0; i++)
		err = read_partner(r, &file->partners[i]);
	for (uint32_t i = 0; i < file->denied_count && err == 0; i++)
		err = read_denied(r, &file->denied[i]);
	for (uint32_t i = 0; i < file->policies_count && err == 0; i++)
		err = read_policy(r, &file->policies[i]);
	for (uint32_t i = 0; i < file->sites_count && err == 0; i++)
		err = read_site(r, &file->sites[i]);
	for (uint32_t i = 0; i < file->grants_count && err == 0; i++)
		err = read_grant(r, &file->grants[i]);
	if (err == FED_ENOMEM)
		errbuf_set(r->e, "%s: out of memory", r->name);
	return err;
}

int federation_yaml_read(const char *name, struct span in, struct arena *a,
			 struct federation_records *out, struct errbuf *e)
{
	struct reading r = {.name = name, .a = a, .out = out, .e = e};
	void *file = NULL;
	int err;

	*out = (struct federation_records){NULL, 0};
	err = host_config_load_text(name, in, &file_schema, &file, e);
	if (err == 0)
		err = read_all(&r, file);
	host_config_free(&file_schema, file);
	return err;
}

int federation_yaml_read_file(const char *path, struct arena *a,
			      struct federation_records *out, struct errbuf *e)
{
	struct buf in;
	int err;

	*out = (struct federation_records){NULL, 0};
	buf_init(&in, LIMIT_FEDERATION_FILE_BYTES);
	err = file_read(path, &in, e);
	if (err == 0)
		err = federation_yaml_read(path, buf_span(&in), a, out, e);
	buf_deinit(&in);
	return err;
}
