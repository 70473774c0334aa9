/* Keys, defaults and words of records. */
#include "chan/federation_form.h"

#include <stdio.h>

#include "base/limits.h"

/* --- defaults --------------------------------------------------------------
 */

void federation_partner_init(Fed__PartnerRecord *p)
{
	fed__partner_record__init(p);
	p->type = FED__PARTNER_TYPE__PUBLIC_UNVERIFIED;
	p->tls = FED__NEED__REQUIRED;
	p->sasl = FED__NEED__REQUIRED;
	p->dialback = true;
	p->keep_alive = true;
}

static const Fed__SettingsRecord default_settings = {
	.base = PROTOBUF_C_MESSAGE_INIT(&fed__settings_record__descriptor),
	.connection_limit = LIMIT_STREAMS,
	.partner_connection_limit = LIMIT_STREAMS_PER_PARTNER,
	.keep_alive_interval_s = 300,
	.stream_establishment_timeout_s = 60,
	.stream_inactivity_timeout_s = 600,
	.subscription_refresh_interval_s = 28800,
	.legacy_next_hop = (char *)(uintptr_t)protobuf_c_empty_string,
};

void federation_settings_init(Fed__SettingsRecord *s)
{
	*s = default_settings;
}

const Fed__SettingsRecord *federation_settings_default(void)
{
	return &default_settings;
}

/* --- key -------------------------------------------------------------------
 */

static const char *const policy_prefixes[] = {"policy/global", "policy/site/",
					      "policy/user/"};

static size_t write_key(const char *prefix, const char *name,
			char key[FEDERATION_KEY_BYTES])
{
	int n = snprintf(key, FEDERATION_KEY_BYTES, "%s%s", prefix, name);

	return n > 0 && n < FEDERATION_KEY_BYTES ? (size_t)n : 0;
}

static size_t policy_key(const Fed__PolicyRecord *p,
			 char key[FEDERATION_KEY_BYTES])
{
	if (p->scope == FED__POLICY_SCOPE__GLOBAL)
		return write_key(policy_prefixes[0], "", key);
	if (p->scope != FED__POLICY_SCOPE__SITE &&
	    p->scope != FED__POLICY_SCOPE__USER)
		return 0;
	return write_key(policy_prefixes[p->scope], p->name, key);
}

size_t federation_key(const Fed__Record *r, char key[FEDERATION_KEY_BYTES])
{
	switch (r->kind_case) {
	case FED__RECORD__KIND_PARTNER:
		return write_key("partner/", r->partner->domain, key);
	case FED__RECORD__KIND_DENIED:
		return write_key("denied/", r->denied->domain, key);
	case FED__RECORD__KIND_POLICY:
		return policy_key(r->policy, key);
	case FED__RECORD__KIND_SITE:
		return write_key("site/", r->site->name, key);
	case FED__RECORD__KIND_MEMBER:
		return write_key("member/", r->member->user, key);
	case FED__RECORD__KIND_GRANT:
		return write_key("grant/", r->grant->user, key);
	case FED__RECORD__KIND_MOVER:
		return write_key("mover/", r->mover->user, key);
	case FED__RECORD__KIND_SETTINGS:
		return write_key("settings", "", key);
	case FED__RECORD__KIND__NOT_SET:
	case _FED__RECORD__KIND__CASE_IS_INT_SIZE:
		break;
	}
	return 0;
}

/* --- words -----------------------------------------------------------------
 */

const char *const federation_type_words[] = {
	[FED__PARTNER_TYPE__PUBLIC_UNVERIFIED] = "public-unverified",
	[FED__PARTNER_TYPE__PUBLIC_VERIFIED] = "public-verified",
	[FED__PARTNER_TYPE__FEDERATED] = "federated",
	NULL,
};

const char *const federation_state_words[] = {
	[FED__PARTNER_STATE__ENABLED] = "enabled",
	[FED__PARTNER_STATE__DISABLED] = "disabled",
	[FED__PARTNER_STATE__LEGACY] = "legacy",
	NULL,
};

const char *const federation_need_words[] = {
	[FED__NEED__OPTIONAL] = "optional",
	[FED__NEED__REQUIRED] = "required",
	[FED__NEED__OFF] = "not-supported",
	NULL,
};

const char *const federation_scope_words[] = {
	[FED__POLICY_SCOPE__GLOBAL] = "global",
	[FED__POLICY_SCOPE__SITE] = "site",
	[FED__POLICY_SCOPE__USER] = "user",
	NULL,
};

const char *federation_word(const char *const *words, unsigned value)
{
	for (unsigned i = 0; words[i] != NULL; i++)
		if (i == value)
			return words[i];
	return "?";
}

int federation_word_value(const char *const *words, struct span word)
{
	for (int i = 0; words[i] != NULL; i++)
		if (span_eq_str(word, words[i]))
			return i;
	return -1;
}
