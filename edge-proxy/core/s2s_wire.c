/* Elements of s2s negotiation: recognised. */
#include "edge-proxy/core/s2s_wire.h"

#include <stdio.h>
#include <string.h>

#include "edge-proxy/core/xml_names.h"
#include "xmpp/jid.h"

/* Normalized domain of an attribute; "" when it is absent or no domain. */
static void read_domain(const char *value, char out[LIMIT_DOMAIN_BYTES + 1])
{
	if (value == NULL ||
	    domain_normalize(span_str(value), out, LIMIT_DOMAIN_BYTES + 1) != 0)
		out[0] = '\0';
}

/* RFC 6120 4.7.5: numeric per component; absent or below 1.0: 0.9. */
static int read_version(const char *value, bool *has_version_out)
{
	struct span s = span_str(value);
	size_t dot = span_find(s, '.', 0);
	uint32_t major = 0;
	uint32_t minor = 0;

	*has_version_out = false;
	if (value == NULL)
		return 0;
	if (dot == SIZE_MAX || span_to_u32(span_sub(s, 0, dot), &major) != 0 ||
	    span_to_u32(span_sub(s, dot + 1, s.n), &minor) != 0)
		return FED_EINVAL;
	*has_version_out = major >= 1;
	return 0;
}

static void problem(struct s2s_header *h, enum s2s_condition c,
		    const char *text)
{
	if (h->problem != S2S_NO_CONDITION)
		return;
	h->problem = c;
	h->problem_text = text;
}

void s2s_header_read(const struct xml_event *ev, struct s2s_header *h)
{
	const struct xml_el *el = ev->el;
	const char *from = xml_attr_get(el, "from");
	const char *to = xml_attr_get(el, "to");
	const char *id = xml_attr_get(el, "id");

	memset(h, 0, sizeof(*h));
	h->has_from = from != NULL;
	read_domain(from, h->from);
	read_domain(to, h->to);
	h->id = id == NULL ? "" : id;
	h->lang = xml_attr_get_ns(el, NS_XML, "lang");
	if (strcmp(el->ns, NS_STREAM) != 0)
		problem(h, S2S_INVALID_NAMESPACE, "not a stream");
	if (strcmp(el->name, "stream") != 0)
		problem(h, S2S_BAD_FORMAT, "root is not stream");
	if (strcmp(el->prefix, "stream") != 0)
		problem(h, S2S_BAD_NAMESPACE_PREFIX, NULL);
	if (strcmp(ev->content_ns, NS_SERVER) != 0)
		problem(h, S2S_INVALID_NAMESPACE, "content is not " NS_SERVER);
	if (read_version(xml_attr_get(el, "version"), &h->has_version) != 0)
		problem(h, S2S_UNSUPPORTED_VERSION, NULL);
}

static bool has_external(const struct xml_el *mechanisms)
{
	for (const struct xml_el *m = mechanisms->children; m != NULL;
	     m = m->next)
		if (xml_is(m, NS_SASL, "mechanism") &&
		    span_eq(span_trim(span_str(m->text)), SPAN_LIT("EXTERNAL")))
			return true;
	return false;
}

static uint32_t read_number(const struct xml_el *el, const char *name)
{
	const struct xml_el *child = xml_child(el, NS_LIMITS, name);
	uint32_t n = 0;

	if (child == NULL ||
	    span_to_u32(span_trim(span_str(child->text)), &n) != 0)
		return 0;
	return n;
}

/* XEP-0478: <limits/> inside el; false: none */
static bool read_limits(const struct xml_el *el, struct s2s_limits *out)
{
	const struct xml_el *limits = xml_child(el, NS_LIMITS, "limits");

	*out = (struct s2s_limits){0};
	if (limits == NULL)
		return false;
	out->max_bytes = read_number(limits, "max-bytes");
	out->idle_ms = (uint64_t)read_number(limits, "idle-seconds") * 1000;
	return true;
}

void s2s_features_read(const struct xml_el *el, struct s2s_features *f)
{
	const struct xml_el *mechanisms = xml_child(el, NS_SASL, "mechanisms");

	*f = (struct s2s_features){0};
	f->has_starttls = xml_child(el, NS_TLS, "starttls") != NULL;
	f->has_external = mechanisms != NULL && has_external(mechanisms);
	/* COMPAT(ejabberd, 24.12): it announces by the name of the request */
	f->has_bidi = xml_child(el, NS_BIDI_FEATURE, "bidi") != NULL ||
		      xml_child(el, NS_BIDI, "bidi") != NULL;
	f->has_limits = read_limits(el, &f->limits);
}

size_t s2s_bidi_max_bytes(const struct xml_el *el)
{
	struct s2s_limits limits;

	(void)read_limits(el, &limits);
	return limits.max_bytes;
}

struct s2s_reason s2s_reason_make(enum s2s_reason_kind kind,
				  enum s2s_condition condition,
				  const char *text)
{
	struct s2s_reason r = {.kind = kind, .condition = condition};

	snprintf(r.text, sizeof(r.text), "%s", text == NULL ? "" : text);
	return r;
}

const char *s2s_child_name(const struct xml_el *el, const char *ns)
{
	for (const struct xml_el *c = el->children; c != NULL; c = c->next)
		if (strcmp(c->ns, ns) == 0 && strcmp(c->name, "text") != 0)
			return c->name;
	return "";
}

void s2s_error_read(const struct xml_el *el, struct s2s_reason *r)
{
	const struct xml_el *text = xml_child(el, NS_STREAM_ERRORS, "text");
	const char *name = s2s_child_name(el, NS_STREAM_ERRORS);

	*r = s2s_reason_make(S2S_END_ERROR_GOT, s2s_condition_parse(name),
			     text == NULL ? NULL : text->text);
}

enum s2s_condition s2s_feed_condition(int feed_err)
{
	switch (feed_err) {
	case FED_EXML:
		return S2S_NOT_WELL_FORMED;
	case FED_ERESTRICTED:
		return S2S_RESTRICTED_XML;
	case FED_EENCODING:
		return S2S_UNSUPPORTED_ENCODING;
	case FED_ELIMIT:
		return S2S_POLICY_VIOLATION;
	default:
		return S2S_INTERNAL_SERVER_ERROR;
	}
}

void s2s_dialback_read(const struct xml_el *el, struct s2s_dialback_in *d)
{
	const struct xml_el *error = xml_child(el, NS_SERVER, "error");
	const char *id = xml_attr_get(el, "id");
	const char *type = xml_attr_get(el, "type");

	read_domain(xml_attr_get(el, "from"), d->from);
	read_domain(xml_attr_get(el, "to"), d->to);
	d->id = id == NULL ? "" : id;
	d->type = type == NULL ? "" : type;
	d->key = span_trim(span_str(el->text));
	/* COMPAT: some write the error into the dialback namespace */
	if (error == NULL)
		error = xml_child(el, NS_DIALBACK, "error");
	d->error = error == NULL ? "" : s2s_child_name(error, NS_STANZA_ERRORS);
}

enum s2s_el s2s_el_classify(const struct xml_el *el)
{
	static const struct {
		const char *ns;
		const char *name; /* NULL: any */
		enum s2s_el is;
	} table[] = {
		{NS_SERVER, NULL, S2S_EL_STANZA},
		{NS_STREAM, "features", S2S_EL_FEATURES},
		{NS_STREAM, "error", S2S_EL_ERROR},
		{NS_TLS, "starttls", S2S_EL_STARTTLS},
		{NS_TLS, "proceed", S2S_EL_PROCEED},
		{NS_TLS, "failure", S2S_EL_TLS_FAILURE},
		{NS_SASL, "auth", S2S_EL_AUTH},
		{NS_SASL, "response", S2S_EL_RESPONSE},
		{NS_SASL, "abort", S2S_EL_ABORT},
		{NS_SASL, "challenge", S2S_EL_CHALLENGE},
		{NS_SASL, "success", S2S_EL_SUCCESS},
		{NS_SASL, "failure", S2S_EL_SASL_FAILURE},
		{NS_DIALBACK, "result", S2S_EL_RESULT},
		{NS_DIALBACK, "verify", S2S_EL_VERIFY},
		{NS_BIDI, "bidi", S2S_EL_BIDI},
		{"jabber:client", NULL, S2S_EL_CLIENT},
	};

	if (el->is_stub && strcmp(el->ns, NS_SERVER) != 0)
		return S2S_EL_TOO_BIG;
	for (size_t i = 0; i < FED_ARRAY_LEN(table); i++)
		if (strcmp(el->ns, table[i].ns) == 0 &&
		    (table[i].name == NULL ||
		     strcmp(el->name, table[i].name) == 0))
			return table[i].is;
	return S2S_EL_OTHER;
}
