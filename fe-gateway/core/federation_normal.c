/* Names of a record as the snapshot has them. */
#include "fe-gateway/core/federation_priv.h"

#include <string.h>

#include "base/log.h"
#include "fe-gateway/core/address.h"

/* The limits of names keep keys below that of a key. */
enum { USER_TEXT_MAX = 3072 };

static struct log_value shown(const char *text)
{
	return log_value(span_str(text));
}

static int out_of_memory(struct federation_check *c)
{
	errbuf_set(c->e, "out of memory");
	return FED_ENOMEM;
}

static int keep(struct federation_check *c, const char *text, char **out)
{
	*out = arena_dup(c->scratch, span_str(text));
	return *out != NULL ? 0 : out_of_memory(c);
}

/* --- domains ---------------------------------------------------------------
 */

static bool is_pattern(struct span s)
{
	return span_starts(s, SPAN_LIT("*."));
}

static int bad_domain(struct federation_check *c, const char *field,
		      const char *in, int err)
{
	if (err == FED_ENOMEM)
		return out_of_memory(c);
	return federation_complain(
		c, field,
		"\"%s\" is no domain; \"example.org\" or \"*.example.org\" "
		"(all below it) is expected",
		shown(in).text);
}

/* "example.org", "*.example.org", "*". */
static int normal_domain(struct federation_check *c, const char *field,
			 char **text)
{
	char name[LIMIT_DOMAIN_BYTES + 3] = "*.";
	struct span in = span_trim(span_str(*text));
	size_t at = 0;
	int err;

	if (span_eq_str(in, "*"))
		return keep(c, "*", text);
	if (is_pattern(in)) {
		at = 2;
		in = span_sub(in, 2, in.n);
	}
	/* a pattern of addresses has no meaning */
	err = at > 0 && in.n > 0 && in.p[0] == '['
		      ? FED_EINVAL
		      : domain_normalize(in, name + at, sizeof(name) - at);
	if (err != 0)
		return bad_domain(c, field, *text, err);
	return keep(c, name, text);
}

static int normal_domains(struct federation_check *c, const char *field,
			  size_t n, size_t max, char ***list)
{
	char **to;

	if (n > max)
		return federation_complain(
			c, field, "%zu domains; %zu are the most", n, max);
	to = arena_alloc(c->scratch, (n + 1) * sizeof(*to));
	if (to == NULL)
		return out_of_memory(c);
	for (size_t i = 0; i < n; i++) {
		int err;

		to[i] = (*list)[i];
		err = normal_domain(c, field, &to[i]);
		if (err != 0)
			return err;
	}
	*list = to;
	return 0;
}

/* --- users -----------------------------------------------------------------
 */

static int user_of(struct span in, struct jid *j)
{
	struct span scheme = SPAN_LIT("sip:");
	char sip[USER_TEXT_MAX];

	/* a user is the same one by whatever transport */
	if (span_ieq(span_sub(in, 0, 5), SPAN_LIT("sips:"))) {
		struct span rest = span_sub(in, 5, in.n);

		if (rest.n > sizeof(sip) - scheme.n)
			return FED_ELIMIT;
		memcpy(sip, scheme.p, scheme.n);
		memcpy(sip + scheme.n, rest.p, rest.n);
		return address_uri_to_jid(span_of(sip, scheme.n + rest.n), j);
	}
	if (span_ieq(span_sub(in, 0, scheme.n), scheme))
		return address_uri_to_jid(in, j);
	return jid_parse(in, j);
}

static int normal_user(struct federation_check *c, char **text)
{
	struct jid j;
	int err = user_of(span_trim(span_str(*text)), &j);

	if (err == FED_ENOMEM)
		return out_of_memory(c);
	if (err == 0 && (j.local_n == 0 || j.resource_n != 0))
		err = FED_EINVAL;
	if (err != 0)
		return federation_complain(
			c, NULL,
			"\"%s\" is no user; alice@example.net or "
			"sip:alice@example.net is expected",
			shown(*text).text);
	return keep(c, j.text, text);
}

/* --- names of policies and sites -------------------------------------------
 */

static bool is_name_byte(char ch)
{
	return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') ||
	       (ch >= '0' && ch <= '9') || ch == '.' || ch == '-' ||
	       ch == '_' || ch == ' ' || (ch & 0x80) != 0;
}

static bool is_name(struct span s)
{
	if (s.n == 0 || s.n > LIMIT_FEDERATION_NAME_BYTES || !span_is_utf8(s))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!is_name_byte(s.p[i]))
			return false;
	return s.p[0] != '-';
}

static int normal_name(struct federation_check *c, const char *field,
		       char **text)
{
	struct span s = span_trim(span_str(*text));

	if (!is_name(s))
		return federation_complain(
			c, field,
			"\"%s\" is no name; 1 to %u letters, digits, blanks "
			"and . _ - are expected",
			shown(*text).text, LIMIT_FEDERATION_NAME_BYTES);
	*text = arena_dup(c->scratch, s);
	return *text != NULL ? 0 : out_of_memory(c);
}

/* --- records ---------------------------------------------------------------
 */

static int normal_policy(struct federation_check *c, Fed__PolicyRecord *p)
{
	if (p->scope == FED__POLICY_SCOPE__GLOBAL) {
		if (p->name[0] == '\0' || strcmp(p->name, "global") == 0)
			return keep(c, "", &p->name);
		return federation_complain(
			c, "name",
			"there is one policy of scope global, and it has no "
			"name; scope: site or user is expected for \"%s\"",
			shown(p->name).text);
	}
	if (p->scope != FED__POLICY_SCOPE__SITE &&
	    p->scope != FED__POLICY_SCOPE__USER)
		return federation_complain(c, "scope",
					   "global, site or user is expected");
	return normal_name(c, "name", &p->name);
}

/* An empty secret is one that was not said: answers never show it. */
static void keep_secret(struct federation_check *c, Fed__SettingsRecord *s)
{
	if (s->dialback_secret.len == 0 && !c->is_exact)
		s->dialback_secret =
			federation_settings(c->base)->dialback_secret;
}

/* A copy of the kind's own message, which is what changes. */
static Fed__Record *shallow(struct federation_check *c, const Fed__Record *r)
{
	/* every kind is a message at the same place */
	const ProtobufCMessage *from = &r->partner->base;
	Fed__Record *to = arena_alloc(c->scratch, sizeof(*to));
	void *kind = arena_alloc(c->scratch, from->descriptor->sizeof_message);

	if (to == NULL || kind == NULL)
		return NULL;
	memcpy(to, r, sizeof(*to));
	memcpy(kind, from, from->descriptor->sizeof_message);
	to->partner = kind;
	return to;
}

static int normal_key(struct federation_check *c, Fed__Record *r)
{
	switch (r->kind_case) {
	case FED__RECORD__KIND_PARTNER:
		return normal_domain(c, "domain", &r->partner->domain);
	case FED__RECORD__KIND_DENIED:
		return normal_domain(c, "domain", &r->denied->domain);
	case FED__RECORD__KIND_POLICY:
		return normal_policy(c, r->policy);
	case FED__RECORD__KIND_SITE:
		return normal_name(c, "name", &r->site->name);
	case FED__RECORD__KIND_MEMBER:
		return normal_user(c, &r->member->user);
	case FED__RECORD__KIND_GRANT:
		return normal_user(c, &r->grant->user);
	case FED__RECORD__KIND_MOVER:
		return normal_user(c, &r->mover->user);
	case FED__RECORD__KIND_SETTINGS:
	case FED__RECORD__KIND__NOT_SET:
	case _FED__RECORD__KIND__CASE_IS_INT_SIZE:
		break;
	}
	return 0;
}

static int normal_rest(struct federation_check *c, Fed__Record *r)
{
	switch (r->kind_case) {
	case FED__RECORD__KIND_PARTNER:
		return normal_domains(c, "additional", r->partner->n_additional,
				      LIMIT_PARTNER_DOMAINS,
				      &r->partner->additional);
	case FED__RECORD__KIND_SITE:
		return normal_domains(c, "domains", r->site->n_domain,
				      LIMIT_SITE_DOMAINS, &r->site->domain);
	case FED__RECORD__KIND_MEMBER:
		return normal_name(c, "site", &r->member->site);
	case FED__RECORD__KIND_GRANT:
		return normal_name(c, "policy", &r->grant->policy);
	case FED__RECORD__KIND_SETTINGS:
		keep_secret(c, r->settings);
		break;
	case FED__RECORD__KIND_DENIED:
	case FED__RECORD__KIND_POLICY:
	case FED__RECORD__KIND_MOVER:
	case FED__RECORD__KIND__NOT_SET:
	case _FED__RECORD__KIND__CASE_IS_INT_SIZE:
		break;
	}
	return 0;
}

int federation_normalize(struct federation_check *c, const Fed__Record *r,
			 bool is_key_only, const Fed__Record **out)
{
	static const char *const labels[FEDERATION_KINDS] = {
		"record", "partner", "denied", "policy",  "site",
		"member", "grant",   "mover",  "settings"};
	char key[FEDERATION_KEY_BYTES];
	Fed__Record *to;
	int err;

	if ((unsigned)r->kind_case >= FEDERATION_KINDS ||
	    r->kind_case == FED__RECORD__KIND__NOT_SET || r->partner == NULL) {
		errbuf_set(c->e, "a record of no kind that is known here");
		return FED_EINVAL;
	}
	federation_check_name(c, labels[r->kind_case]);
	to = shallow(c, r);
	if (to == NULL)
		return out_of_memory(c);
	*out = to;
	err = normal_key(c, to);
	if (err != 0)
		return err;
	if (!FED_CHECK(federation_key(to, key) > 0))
		return FED_EINVAL;
	federation_check_name(c, key);
	return is_key_only ? 0 : normal_rest(c, to);
}
