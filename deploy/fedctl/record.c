/* Kinds, fields, what they are called. */
#include "deploy/fedctl/record.h"

#include <stdlib.h>
#include <string.h>

#include "chan/federation_form.h"
#include "deploy/fedctl/json.h"
#include "deploy/fedctl/name.h"
#include "deploy/fedctl/text.h"

/* ---- tables -------------------------------------------------------------- */

const char *const record_off_on[] = {"off", "on", NULL};
static const char *const closed_open[] = {"closed", "open", NULL};
static const char *const no_yes[] = {"no", "yes", NULL};

#define AT(of, member) .at = offsetof(Fed__##of, member)
#define LIST_AT(of, member)                 \
	.type = FIELD_LIST, AT(of, member), \
	.count_at = offsetof(Fed__##of, n_##member)
#define WORD_AT(of, member, list) \
	.type = FIELD_WORD, AT(of, member), .words = (list)
#define NUMBER_AT(of, member) .type = FIELD_NUMBER, AT(of, member)
#define DESCRIPTION(of)                                    \
	{                                                  \
		.name = "description", AT(of, description) \
	}

static const struct field partner_fields[] = {
	{.name = "domain", AT(PartnerRecord, domain), .is_key = true},
	{.name = "additional", LIST_AT(PartnerRecord, additional)},
	DESCRIPTION(PartnerRecord),
	{.name = "type", WORD_AT(PartnerRecord, type, federation_type_words)},
	{.name = "state",
	 WORD_AT(PartnerRecord, state, federation_state_words)},
	{.name = "tls", WORD_AT(PartnerRecord, tls, federation_need_words)},
	{.name = "sasl", WORD_AT(PartnerRecord, sasl, federation_need_words)},
	{.name = "dialback", WORD_AT(PartnerRecord, dialback, record_off_on)},
	{.name = "keep_alive",
	 WORD_AT(PartnerRecord, keep_alive, record_off_on)},
	{.name = "connection_limit",
	 NUMBER_AT(PartnerRecord, connection_limit),
	 .none = "partner_connection_limit of the settings"},
	{.name = "proxy_host",
	 AT(PartnerRecord, proxy_host),
	 .none = "the domain's SRV records"},
	{.name = "stanzas_per_second",
	 NUMBER_AT(PartnerRecord, stanzas_per_s),
	 .none = "no limit"},
	{.name = "bytes_per_second",
	 NUMBER_AT(PartnerRecord, bytes_per_s),
	 .none = "no limit"},
	{.name = NULL},
};

static const struct field denied_fields[] = {
	{.name = "domain", AT(DeniedRecord, domain), .is_key = true},
	DESCRIPTION(DeniedRecord),
	{.name = NULL},
};

static const struct field policy_fields[] = {
	{.name = "scope",
	 WORD_AT(PolicyRecord, scope, federation_scope_words),
	 .is_key = true},
	{.name = "name", AT(PolicyRecord, name), .is_key = true},
	{.name = "federation",
	 WORD_AT(PolicyRecord, federation, record_off_on)},
	{.name = "xmpp", WORD_AT(PolicyRecord, xmpp, record_off_on)},
	DESCRIPTION(PolicyRecord),
	{.name = NULL},
};

static const struct field site_fields[] = {
	{.name = "name", AT(SiteRecord, name), .is_key = true},
	{.name = "domains", LIST_AT(SiteRecord, domain)},
	DESCRIPTION(SiteRecord),
	{.name = NULL},
};

static const struct field member_fields[] = {
	{.name = "user", AT(MemberRecord, user), .is_key = true},
	{.name = "site", AT(MemberRecord, site)},
	{.name = NULL},
};

static const struct field grant_fields[] = {
	{.name = "user", AT(GrantRecord, user), .is_key = true},
	{.name = "policy", AT(GrantRecord, policy)},
	{.name = NULL},
};

static const struct field mover_fields[] = {
	{.name = "user", AT(MoverRecord, user), .is_key = true},
	{.name = "moved", WORD_AT(MoverRecord, is_moved, no_yes)},
	{.name = NULL},
};

static const struct field settings_fields[] = {
	{.name = "federation",
	 WORD_AT(SettingsRecord, federation, record_off_on)},
	{.name = "mode", WORD_AT(SettingsRecord, open, closed_open)},
	{.name = "connection_limit",
	 NUMBER_AT(SettingsRecord, connection_limit)},
	{.name = "partner_connection_limit",
	 NUMBER_AT(SettingsRecord, partner_connection_limit)},
	{.name = "keep_alive_interval",
	 NUMBER_AT(SettingsRecord, keep_alive_interval_s)},
	{.name = "stream_establishment_timeout",
	 NUMBER_AT(SettingsRecord, stream_establishment_timeout_s)},
	{.name = "stream_inactivity_timeout",
	 NUMBER_AT(SettingsRecord, stream_inactivity_timeout_s)},
	{.name = "subscription_refresh_interval",
	 NUMBER_AT(SettingsRecord, subscription_refresh_interval_s)},
	{.name = "dialback_secret",
	 .type = FIELD_SECRET,
	 AT(SettingsRecord, dialback_secret),
	 .none = "each edge's own"},
	{.name = "log_bodies",
	 WORD_AT(SettingsRecord, log_bodies, record_off_on)},
	{.name = "legacy_next_hop",
	 AT(SettingsRecord, legacy_next_hop),
	 .none = "no old gateway"},
	{.name = NULL},
};

#define KIND(text, texts, upper, lower)                           \
	{                                                         \
		.name = text, .plural = texts,                    \
		.kind = FED__RECORD__KIND_##upper,                \
		.get = FED__ADMIN_FEDERATION_GET__KIND__##upper,  \
		.descriptor = &fed__##lower##_record__descriptor, \
		.fields = lower##_fields                          \
	}

static const struct record_kind kinds[] = {
	KIND("settings", "settings", SETTINGS, settings),
	KIND("partner", "partners", PARTNER, partner),
	KIND("denied", "denied", DENIED, denied),
	KIND("policy", "policies", POLICY, policy),
	KIND("site", "sites", SITE, site),
	KIND("member", "members", MEMBER, member),
	KIND("grant", "grants", GRANT, grant),
	KIND("mover", "movers", MOVER, mover),
};

const struct record_kind *record_kind(Fed__Record__KindCase kind)
{
	for (size_t i = 0; i < FED_ARRAY_LEN(kinds); i++)
		if (kinds[i].kind == kind)
			return &kinds[i];
	return NULL;
}

/* ---- memory -------------------------------------------------------------- */

Fed__Record *record_new(struct arena *a, Fed__Record__KindCase kind)
{
	const struct record_kind *k = record_kind(kind);
	Fed__Record *r = arena_alloc(a, sizeof(*r));
	void *part = arena_alloc(a, k->descriptor->sizeof_message);

	if (r == NULL || part == NULL)
		return NULL;
	fed__record__init(r);
	protobuf_c_message_init(k->descriptor, part);
	r->kind_case = kind;
	r->partner = part; /* all of them are at one place */
	if (kind == FED__RECORD__KIND_PARTNER)
		federation_partner_init(part);
	else if (kind == FED__RECORD__KIND_SETTINGS)
		federation_settings_init(part);
	return r;
}

static void *take(void *arena, size_t n)
{
	return arena_alloc(arena, n);
}

static void give_back(void *arena, void *p)
{
	(void)arena;
	(void)p;
}

void *message_dup(struct arena *a, const ProtobufCMessage *m)
{
	ProtobufCAllocator memory = {take, give_back, a};
	size_t n = protobuf_c_message_get_packed_size(m);
	uint8_t *bytes = arena_alloc(a, n + 1);

	if (bytes == NULL)
		return NULL;
	(void)protobuf_c_message_pack(m, bytes);
	return protobuf_c_message_unpack(m->descriptor, &memory, n, bytes);
}

Fed__Record *record_dup(struct arena *a, const Fed__Record *r)
{
	return message_dup(a, &r->base);
}

/* ---- members ------------------------------------------------------------- */

static void *member(const struct field *f, const Fed__Record *r)
{
	return (char *)r->partner + f->at;
}

static const char *text_of(const struct field *f, const Fed__Record *r)
{
	return *(char *const *)member(f, r);
}

static int word_of(const struct field *f, const Fed__Record *r)
{
	int value;

	memcpy(&value, member(f, r), sizeof(value));
	return value;
}

static uint32_t number_of(const struct field *f, const Fed__Record *r)
{
	uint32_t value;

	memcpy(&value, member(f, r), sizeof(value));
	return value;
}

static size_t count_of(const struct field *f, const Fed__Record *r)
{
	size_t n;

	memcpy(&n, (const char *)r->partner + f->count_at, sizeof(n));
	return n;
}

static struct span secret_of(const struct field *f, const Fed__Record *r)
{
	const ProtobufCBinaryData *bytes = member(f, r);

	return span_of(bytes->data, bytes->len);
}

const char *field_item(const struct field *f, const Fed__Record *r, size_t n)
{
	return n < count_of(f, r) ? (*(char **const *)member(f, r))[n] : NULL;
}

/* ---- reading ------------------------------------------------------------- */

const struct field *field_find(const struct record_kind *k, struct span name)
{
	for (const struct field *f = k->fields; f->name != NULL; f++)
		if (span_eq_str(name, f->name))
			return f;
	return NULL;
}

static bool lists_equal(const struct field *f, const Fed__Record *a,
			const Fed__Record *b)
{
	if (count_of(f, a) != count_of(f, b))
		return false;
	for (size_t i = 0; i < count_of(f, a); i++)
		if (strcmp(field_item(f, a, i), field_item(f, b, i)) != 0)
			return false;
	return true;
}

bool field_equal(const struct field *f, const Fed__Record *a,
		 const Fed__Record *b)
{
	switch (f->type) {
	case FIELD_TEXT:
		return strcmp(text_of(f, a), text_of(f, b)) == 0;
	case FIELD_LIST:
		return lists_equal(f, a, b);
	case FIELD_WORD:
		return word_of(f, a) == word_of(f, b);
	case FIELD_NUMBER:
		return number_of(f, a) == number_of(f, b);
	case FIELD_SECRET:
		break;
	}
	return span_eq(secret_of(f, a), secret_of(f, b));
}

bool field_is_none(const struct field *f, const Fed__Record *r)
{
	switch (f->type) {
	case FIELD_TEXT:
		return text_of(f, r)[0] == '\0';
	case FIELD_LIST:
		return count_of(f, r) == 0;
	case FIELD_WORD:
		return false;
	case FIELD_NUMBER:
		return number_of(f, r) == 0;
	case FIELD_SECRET:
		break;
	}
	return secret_of(f, r).n == 0;
}

void field_print(FILE *to, const struct field *f, const Fed__Record *r)
{
	const char *item;

	switch (f->type) {
	case FIELD_TEXT:
		text_print(to, span_str(text_of(f, r)), NULL);
		break;
	case FIELD_LIST:
		for (size_t i = 0; (item = field_item(f, r, i)) != NULL; i++) {
			if (i > 0)
				(void)fputs(", ", to);
			text_print(to, span_str(item), NULL);
		}
		break;
	case FIELD_WORD:
		(void)fputs(federation_word(f->words, word_of(f, r)), to);
		break;
	case FIELD_NUMBER:
		(void)fprintf(to, "%u", number_of(f, r));
		break;
	case FIELD_SECRET:
		if (secret_of(f, r).n > 0)
			(void)fputs("***", to);
		break;
	}
}

/* ---- names --------------------------------------------------------------- */

const char *record_name(const Fed__Record *r)
{
	const struct record_kind *k = record_kind(r->kind_case);

	for (const struct field *f = k != NULL ? k->fields : NULL;
	     f != NULL && f->name != NULL; f++)
		if (f->is_key && f->type == FIELD_TEXT)
			return text_of(f, r);
	return "";
}

char *record_label(struct arena *a, const Fed__Record *r)
{
	const struct record_kind *k = record_kind(r->kind_case);
	const char *name = record_name(r);
	const char *scope = "";

	if (k == NULL)
		return arena_dup(a, SPAN_LIT("something new"));
	if (r->kind_case == FED__RECORD__KIND_POLICY)
		scope = federation_word(federation_scope_words,
					(int)r->policy->scope);
	return arena_printf(a, "%s%s%s%s%s", k->name,
			    scope[0] != '\0' ? " " : "", scope,
			    name[0] != '\0' ? " " : "", name);
}

/* ---- whole records ------------------------------------------------------- */

static void print_field(FILE *to, const struct field *f, const Fed__Record *r,
			int width)
{
	(void)fprintf(to, "%-*s  ", width, f->name);
	if (!field_is_none(f, r))
		field_print(to, f, r);
	else if (f->none != NULL)
		(void)fprintf(to, "- (%s)", f->none);
	else
		(void)fputc('-', to);
	(void)fputc('\n', to);
}

void record_print(FILE *to, const Fed__Record *r, const char *indent)
{
	const struct record_kind *k = record_kind(r->kind_case);
	int width = 0;

	if (k == NULL)
		return;
	for (const struct field *f = k->fields; f->name != NULL; f++)
		if (!f->is_key && (int)strlen(f->name) > width)
			width = (int)strlen(f->name);
	for (const struct field *f = k->fields; f->name != NULL; f++) {
		if (f->is_key)
			continue;
		(void)fputs(indent, to);
		print_field(to, f, r, width);
	}
}

static json_t *list_json(const struct field *f, const Fed__Record *r)
{
	json_t *all = json_array();
	const char *item;

	for (size_t i = 0; (item = field_item(f, r, i)) != NULL; i++)
		if (json_array_append_new(all, json_string(item)) != 0) {
			json_decref(all);
			return NULL;
		}
	return all;
}

/* On and off are true and false in a program. */
static json_t *word_json(const struct field *f, const Fed__Record *r)
{
	if (f->words == record_off_on || f->words == no_yes)
		return json_boolean(word_of(f, r) != 0);
	return json_string(federation_word(f->words, word_of(f, r)));
}

static json_t *field_json(const struct field *f, const Fed__Record *r)
{
	switch (f->type) {
	case FIELD_TEXT:
		return json_text_or_null(text_of(f, r));
	case FIELD_LIST:
		return list_json(f, r);
	case FIELD_WORD:
		return word_json(f, r);
	case FIELD_NUMBER:
		return json_integer((json_int_t)number_of(f, r));
	case FIELD_SECRET:
		break;
	}
	return json_text_or_null(secret_of(f, r).n > 0 ? "***" : "");
}

json_t *record_json(const Fed__Record *r)
{
	const struct record_kind *k =
		r != NULL ? record_kind(r->kind_case) : NULL;
	json_t *all;

	if (k == NULL)
		return json_null();
	all = json_object();
	for (const struct field *f = k->fields; f->name != NULL; f++)
		if (json_object_set_new(all, f->name, field_json(f, r)) != 0) {
			json_decref(all);
			return NULL;
		}
	return all;
}
