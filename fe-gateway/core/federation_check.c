/* What one record may say. */
#include "fe-gateway/core/federation_priv.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "fe-gateway/core/hop_uri.h"
#include "xmpp/jid.h"

void federation_check_name(struct federation_check *c, const char *key)
{
	struct span rest = span_str(key);
	size_t scope = span_find(rest, '/', 0);

	/* cut between characters */
	if (rest.n >= sizeof(c->label)) {
		rest.n = sizeof(c->label) - 1;
		while (rest.n > 0 && !span_is_utf8(rest))
			rest.n--;
	}
	memcpy(c->label, rest.p, rest.n);
	c->label[rest.n] = '\0';
	if (scope < rest.n)
		c->label[scope] = ' ';
	/* "policy user sales"; other names have no slash */
	if (span_starts(rest, SPAN_LIT("policy/")) &&
	    (scope = span_find(rest, '/', scope + 1)) < rest.n)
		c->label[scope] = ' ';
}

int federation_complain(struct federation_check *c, const char *field,
			const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	errbuf_set(c->e, "%s: %s%s%s", c->label, field != NULL ? field : "",
		   field != NULL ? ": " : "", text);
	return FED_EINVAL;
}

int federation_warn(struct federation_check *c, const char *fmt, ...)
{
	char text[400];
	char *kept;
	va_list ap;

	if (c->w == NULL || c->a == NULL)
		return 0;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	span_make_utf8(text);
	kept = arena_printf(c->a, "%s: %s", c->label, text);
	if (kept == NULL)
		return FED_ENOMEM;
	return arena_append(c->a, (void ***)&c->w->text, &c->w->count, kept);
}

/* --- fields ----------------------------------------------------------------
 */

static bool is_plain(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
			return false;
	return span_is_utf8(s);
}

static int check_description(struct federation_check *c, const char *text)
{
	struct span s = span_str(text);

	if (s.n > LIMIT_FEDERATION_TEXT_BYTES)
		return federation_complain(c, "description",
					   "%zu bytes; %u are the most", s.n,
					   LIMIT_FEDERATION_TEXT_BYTES);
	if (!is_plain(s))
		return federation_complain(
			c, "description", "one line of UTF-8 text is expected");
	return 0;
}

static int check_range(struct federation_check *c, const char *field,
		       uint32_t value, uint32_t min, uint32_t max)
{
	if (value >= min && value <= max)
		return 0;
	return federation_complain(c, field, "%u; %u to %u is expected", value,
				   min, max);
}

/* 0: no limit. */
static int check_rate(struct federation_check *c, const char *field,
		      uint32_t value, uint32_t min)
{
	if (value == 0 || (value >= min && value <= LIMIT_PARTNER_RATE_MAX))
		return 0;
	return federation_complain(c, field,
				   "%u; 0 (no limit) or %u to %u is expected",
				   value, min, LIMIT_PARTNER_RATE_MAX);
}

static bool is_host(struct span host)
{
	char ascii[LIMIT_DOMAIN_BYTES + 1];

	return host.n > 0 && domain_to_ascii(host, ascii, sizeof(ascii)) == 0;
}

static bool is_port(struct span port)
{
	uint32_t n;

	return span_to_u32(port, &n) == 0 && n >= 1 && n <= UINT16_MAX;
}

/* "host", "host:port", "[v6]", "[v6]:port" */
static bool is_proxy_host(struct span s)
{
	size_t from = s.n > 0 && s.p[0] == '[' ? span_find(s, ']', 0) : 0;
	size_t colon;

	if (from == SIZE_MAX || s.n > LIMIT_PROXY_HOST_BYTES || !is_plain(s))
		return false;
	colon = span_find(s, ':', from);
	if (colon == SIZE_MAX)
		return is_host(s);
	return is_host(span_sub(s, 0, colon)) &&
	       is_port(span_sub(s, colon + 1, s.n));
}

/* --- partner ---------------------------------------------------------------
 */

static int check_enums(struct federation_check *c, const Fed__PartnerRecord *p)
{
	if ((unsigned)p->type > FED__PARTNER_TYPE__FEDERATED)
		return federation_complain(
			c, "type",
			"federated, public-verified or public-unverified is "
			"expected");
	if ((unsigned)p->state > FED__PARTNER_STATE__LEGACY)
		return federation_complain(
			c, "state", "enabled, disabled or legacy is expected");
	return 0;
}

static int check_methods(struct federation_check *c,
			 const Fed__PartnerRecord *p)
{
	const struct federation_row *row = federation_row(p);

	if (row->methods != NULL)
		return 0;
	return federation_complain(c, "tls, sasl, dialback", "%s", row->remark);
}

static int check_proxy_host(struct federation_check *c,
			    const Fed__PartnerRecord *p)
{
	struct span s = span_str(p->proxy_host);

	if (s.n == 0)
		return 0;
	if (p->domain[0] == '*')
		return federation_complain(
			c, "proxy_host",
			"it would stand for every domain of the pattern; name "
			"the domain itself as a partner");
	if (is_proxy_host(s))
		return 0;
	return federation_complain(c, "proxy_host",
				   "\"%s\"; host, host:port or [IPv6]:port is "
				   "expected",
				   log_value(s).text);
}

/* "*" and what it already is. */
static int check_additional(struct federation_check *c,
			    const Fed__PartnerRecord *p)
{
	if (p->n_additional > 0 && strcmp(p->domain, "*") == 0)
		return federation_complain(
			c, "additional",
			"\"*\" is all others already; it has no additional "
			"domains");
	for (size_t i = 0; i < p->n_additional; i++)
		if (strcmp(p->additional[i], "*") == 0)
			return federation_complain(
				c, "additional",
				"\"*\" (all others) is a partner of its own");
	return 0;
}

static int check_partner(struct federation_check *c,
			 const Fed__PartnerRecord *p)
{
	int err = check_description(c, p->description);

	if (err == 0)
		err = check_enums(c, p);
	if (err == 0)
		err = check_methods(c, p);
	if (err == 0)
		err = check_additional(c, p);
	if (err == 0 && p->connection_limit != 0)
		err = check_range(c, "connection_limit", p->connection_limit, 1,
				  LIMIT_STREAMS_MOST);
	if (err == 0)
		err = check_proxy_host(c, p);
	if (err == 0)
		err = check_rate(c, "stanzas_per_second", p->stanzas_per_s, 1);
	if (err == 0)
		err = check_rate(c, "bytes_per_second", p->bytes_per_s,
				 LIMIT_PARTNER_BYTES_PER_S_FLOOR);
	return err;
}

/* --- settings --------------------------------------------------------------
 */

static int check_secret(struct federation_check *c, ProtobufCBinaryData s)
{
	if (s.len == 0 ||
	    (s.len >= LIMIT_SECRET_BYTES_FLOOR && s.len <= LIMIT_SECRET_BYTES))
		return 0;
	return federation_complain(
		c, "dialback_secret", "%zu bytes; %u to %u are expected", s.len,
		LIMIT_SECRET_BYTES_FLOOR, LIMIT_SECRET_BYTES);
}

static int check_next_hop(struct federation_check *c, const char *uri)
{
	struct span s = span_str(uri);
	struct hop_uri u;

	if (s.n == 0)
		return 0;
	if (s.n <= LIMIT_SIP_CONTACT_BYTES && is_plain(s) &&
	    hop_uri_parse(s, &u) == 0)
		return 0;
	return federation_complain(
		c, "legacy_next_hop",
		"\"%s\"; a SIP URI such as sip:old.example.net;transport=tls "
		"is expected",
		log_value(s).text);
}

static int check_settings(struct federation_check *c,
			  const Fed__SettingsRecord *s)
{
	const struct {
		const char *field;
		uint32_t value, min, max;
	} ranges[] = {
		{"connection_limit", s->connection_limit, LIMIT_STREAMS_FLOOR,
		 LIMIT_STREAMS_MOST},
		{"partner_connection_limit", s->partner_connection_limit, 1,
		 LIMIT_STREAMS_MOST},
		{"keep_alive_interval", s->keep_alive_interval_s,
		 LIMIT_KEEP_ALIVE_FLOOR_S, LIMIT_SETTING_S},
		{"stream_establishment_timeout",
		 s->stream_establishment_timeout_s, LIMIT_ESTABLISHMENT_FLOOR_S,
		 LIMIT_SETTING_SETUP_S},
		{"stream_inactivity_timeout", s->stream_inactivity_timeout_s,
		 LIMIT_INACTIVITY_FLOOR_S, LIMIT_SETTING_S},
		{"subscription_refresh_interval",
		 s->subscription_refresh_interval_s, LIMIT_REFRESH_FLOOR_S,
		 LIMIT_PRESENCE_EXPIRES_S},
	};
	int err = 0;

	for (size_t i = 0; i < FED_ARRAY_LEN(ranges) && err == 0; i++)
		err = check_range(c, ranges[i].field, ranges[i].value,
				  ranges[i].min, ranges[i].max);
	if (err == 0 && s->partner_connection_limit > s->connection_limit)
		err = federation_complain(
			c, "partner_connection_limit",
			"%u; one partner cannot have more than all "
			"(connection_limit: %u)",
			s->partner_connection_limit, s->connection_limit);
	if (err == 0)
		err = check_secret(c, s->dialback_secret);
	if (err == 0)
		err = check_next_hop(c, s->legacy_next_hop);
	return err;
}

/* --- the others ------------------------------------------------------------
 */

static int check_denied(struct federation_check *c, const Fed__DeniedRecord *d)
{
	if (strcmp(d->domain, "*") == 0)
		return federation_complain(
			c, "domain",
			"all are denied already where settings say mode: "
			"closed");
	return check_description(c, d->description);
}

static int check_policy(struct federation_check *c, const Fed__PolicyRecord *p)
{
	if (p->xmpp && !p->federation)
		return federation_complain(
			c, "xmpp",
			"it is part of federation; set federation: on too, or "
			"xmpp: off");
	return check_description(c, p->description);
}

static int check_site(struct federation_check *c, const Fed__SiteRecord *s)
{
	for (size_t i = 0; i < s->n_domain; i++)
		if (s->domain[i][0] == '*')
			return federation_complain(
				c, "domains",
				"\"%s\"; a site has SIP domains by their "
				"names, without patterns",
				log_value(span_str(s->domain[i])).text);
	return check_description(c, s->description);
}

int federation_check_record(struct federation_check *c, const Fed__Record *r)
{
	switch (r->kind_case) {
	case FED__RECORD__KIND_PARTNER:
		return check_partner(c, r->partner);
	case FED__RECORD__KIND_DENIED:
		return check_denied(c, r->denied);
	case FED__RECORD__KIND_POLICY:
		return check_policy(c, r->policy);
	case FED__RECORD__KIND_SITE:
		return check_site(c, r->site);
	case FED__RECORD__KIND_SETTINGS:
		return check_settings(c, r->settings);
	case FED__RECORD__KIND_MEMBER:
	case FED__RECORD__KIND_GRANT:
	case FED__RECORD__KIND_MOVER:
	case FED__RECORD__KIND__NOT_SET:
	case _FED__RECORD__KIND__CASE_IS_INT_SIZE:
		break;
	}
	return 0;
}
