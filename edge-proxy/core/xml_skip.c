/* A scanner for elements that are not read. */
#include "edge-proxy/core/xml_skip.h"

#include <string.h>

enum {
	/* LIMIT: name of the first element, longer than any that is known */
	NAME_BYTES = 64,
	/* local- and domainpart, and a resource of nothing but "&apos;" */
	ADDRESS_BYTES = 2 * (int)LIMIT_JID_PART_BYTES + 2 +
			6 * (int)LIMIT_JID_PART_BYTES,
	/* id, type, namespace names */
	VALUE_BYTES = (int)LIMIT_STANZA_ID_BYTES,
	STUB_BYTES = NAME_BYTES + 2 * (ADDRESS_BYTES + 16) +
		     4 * (VALUE_BYTES + NAME_BYTES + 16),
};

static const char CDATA_OPEN[] = "![CDATA[";

void xml_skip_init(struct xml_skip *k)
{
	*k = (struct xml_skip){.state = XML_SKIP_BEFORE};
	buf_init(&k->stub, STUB_BYTES);
}

void xml_skip_deinit(struct xml_skip *k)
{
	buf_deinit(&k->stub);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Not a byte of a name, in well-formed XML. */
static bool ends_name(char c)
{
	return is_blank(c) || c == '<' || c == '>' || c == '/' || c == '=' ||
	       c == '\'' || c == '"' || c == '&';
}

/* ---- the stub ---- */

static bool is_first_tag(const struct xml_skip *k)
{
	return k->depth == 0;
}

static bool is_attr(const struct xml_skip *k, const char *name)
{
	return span_eq_str(span_of(k->attr, k->attr_n), name);
}

/* xmlns, or the declaration of the element's own prefix */
static bool is_own_namespace(const struct xml_skip *k)
{
	struct span name = span_of(k->attr, k->attr_n);
	struct span prefix = span_sub(buf_span(&k->stub), 1, 1 + k->prefix_n);
	const struct span xmlns = SPAN_LIT("xmlns:");

	if (is_attr(k, "xmlns"))
		return true;
	return prefix.n > 0 && span_starts(name, xmlns) &&
	       span_eq(span_sub(name, xmlns.n, name.n), prefix);
}

static size_t attr_room(const struct xml_skip *k)
{
	if (k->attr_n > sizeof(k->attr))
		return 0;
	if (is_attr(k, "from") || is_attr(k, "to"))
		return ADDRESS_BYTES;
	if (is_attr(k, "id") || is_attr(k, "type") || is_own_namespace(k))
		return VALUE_BYTES;
	return 0;
}

static void forget_attr(struct xml_skip *k)
{
	buf_truncate(&k->stub, k->attr_at);
	k->attr_max = 0;
}

static void begin_value(struct xml_skip *k, char quote)
{
	k->quote = quote;
	k->state = XML_SKIP_VALUE;
	k->attr_max = is_first_tag(k) ? attr_room(k) : 0;
	if (k->attr_max == 0)
		return;
	k->attr_at = buf_len(&k->stub);
	k->attr_max += k->attr_at + k->attr_n + 3;
	buf_put_byte(&k->stub, ' ');
	buf_put(&k->stub, k->attr, k->attr_n);
	buf_put_byte(&k->stub, '=');
	buf_put_byte(&k->stub, quote);
}

static void keep_value(struct xml_skip *k, struct span s)
{
	if (k->attr_max == 0)
		return;
	/* LIMIT: no address and no id is so long */
	if (buf_len(&k->stub) + s.n > k->attr_max)
		forget_attr(k);
	else
		buf_put_span(&k->stub, s);
}

static void end_value(struct xml_skip *k)
{
	if (k->attr_max > 0)
		buf_put_byte(&k->stub, k->quote);
	k->attr_max = 0;
	k->attr_n = 0;
	k->state = XML_SKIP_TAG;
}

/* ---- tags ---- */

static int in_before(struct xml_skip *k, char c)
{
	if (c == '<')
		k->state = XML_SKIP_OPEN;
	else if (!is_blank(c))
		return FED_EXML;
	return 0;
}

static int begin_name(struct xml_skip *k, char c)
{
	if (ends_name(c))
		return FED_EXML;
	k->state = XML_SKIP_NAME;
	k->attr_n = 0;
	if (is_first_tag(k)) {
		buf_put_byte(&k->stub, '<');
		buf_put_byte(&k->stub, c);
	}
	return 0;
}

static int in_open(struct xml_skip *k, char c)
{
	switch (c) {
	case '/':
		/* the stream's own end tag, and a long one */
		if (k->depth == 0)
			return FED_ELIMIT;
		k->state = XML_SKIP_END;
		return 0;
	case '?':
		return FED_ERESTRICTED;
	case '!':
		k->state = XML_SKIP_BANG;
		k->matched = 1;
		return 0;
	default:
		return begin_name(k, c);
	}
}

static int close_element(struct xml_skip *k)
{
	k->state = k->depth == 0 ? XML_SKIP_DONE : XML_SKIP_TEXT;
	return k->stub.is_failed ? FED_ENOMEM : 0;
}

static int end_start_tag(struct xml_skip *k, bool is_empty)
{
	if (is_first_tag(k))
		buf_put_str(&k->stub, "/>");
	if (is_empty)
		return close_element(k);
	k->depth++;
	k->state = XML_SKIP_TEXT;
	return 0;
}

static int in_tag(struct xml_skip *k, char c)
{
	switch (c) {
	case '>':
		return end_start_tag(k, false);
	case '/':
		k->state = XML_SKIP_SLASH;
		return 0;
	case '<':
	case '&':
		return FED_EXML;
	case '\'':
	case '"':
		begin_value(k, c);
		return 0;
	default:
		if (is_blank(c) || c == '=' || k->attr_n > sizeof(k->attr))
			return 0;
		if (k->attr_n < sizeof(k->attr))
			k->attr[k->attr_n] = c;
		k->attr_n++;
		return 0;
	}
}

static int in_name(struct xml_skip *k, char c)
{
	if (ends_name(c)) {
		k->state = XML_SKIP_TAG;
		return c == '=' ? FED_EXML : in_tag(k, c);
	}
	if (!is_first_tag(k))
		return 0;
	if (c == ':')
		k->prefix_n = buf_len(&k->stub) - 1;
	buf_put_byte(&k->stub, c);
	return buf_len(&k->stub) > NAME_BYTES ? FED_ELIMIT : 0;
}

static int in_slash(struct xml_skip *k, char c)
{
	return c == '>' ? end_start_tag(k, true) : FED_EXML;
}

static int in_end(struct xml_skip *k, char c)
{
	if (c == '>') {
		k->depth--;
		return close_element(k);
	}
	return is_blank(c) || !ends_name(c) ? 0 : FED_EXML;
}

/* ---- content ---- */

static void begin_ref(struct xml_skip *k)
{
	k->back = k->state;
	k->state = XML_SKIP_REF;
	k->ref_n = 0;
}

/* RFC 6120 11.1: the five predefined ones and character references. */
static bool is_known_ref(const struct xml_skip *k)
{
	static const char *const names[] = {"amp", "lt", "gt", "quot", "apos"};

	if (k->ref_n > 0 && k->ref[0] == '#')
		return true;
	for (size_t i = 0; i < FED_ARRAY_LEN(names); i++)
		if (span_eq_str(span_of(k->ref, k->ref_n), names[i]))
			return true;
	return false;
}

static int in_ref(struct xml_skip *k, char c)
{
	if (k->back == XML_SKIP_VALUE)
		keep_value(k, span_of(&c, 1));
	if (c == ';') {
		k->state = k->back;
		return is_known_ref(k) ? 0 : FED_ERESTRICTED;
	}
	if (ends_name(c))
		return FED_EXML;
	if (k->ref_n < sizeof(k->ref))
		k->ref[k->ref_n++] = c;
	return 0;
}

static int in_text(struct xml_skip *k, char c)
{
	if (c == '<')
		k->state = XML_SKIP_OPEN;
	else if (c == '&')
		begin_ref(k);
	return 0;
}

static int in_value(struct xml_skip *k, char c)
{
	if (c == k->quote) {
		end_value(k);
		return 0;
	}
	if (c == '<')
		return FED_EXML;
	keep_value(k, span_of(&c, 1));
	if (c == '&')
		begin_ref(k);
	return 0;
}

static int in_bang(struct xml_skip *k, char c)
{
	/* comments and pieces of a DTD; CDATA has no place between stanzas */
	if (c != CDATA_OPEN[k->matched])
		return FED_ERESTRICTED;
	k->matched++;
	if (k->matched < sizeof(CDATA_OPEN) - 1)
		return 0;
	k->state = XML_SKIP_CDATA;
	k->matched = 0;
	return k->depth == 0 ? FED_EXML : 0;
}

/* "]]>", also behind more of the first kind */
static int in_cdata(struct xml_skip *k, char c)
{
	if (c == ']')
		k->matched = k->matched == 2 ? 2 : k->matched + 1;
	else if (c == '>' && k->matched == 2)
		k->state = XML_SKIP_TEXT;
	else
		k->matched = 0;
	return 0;
}

static int step(struct xml_skip *k, char c)
{
	switch (k->state) {
	case XML_SKIP_BEFORE:
		return in_before(k, c);
	case XML_SKIP_OPEN:
		return in_open(k, c);
	case XML_SKIP_NAME:
		return in_name(k, c);
	case XML_SKIP_TAG:
		return in_tag(k, c);
	case XML_SKIP_VALUE:
		return in_value(k, c);
	case XML_SKIP_SLASH:
		return in_slash(k, c);
	case XML_SKIP_END:
		return in_end(k, c);
	case XML_SKIP_TEXT:
		return in_text(k, c);
	case XML_SKIP_REF:
		return in_ref(k, c);
	case XML_SKIP_BANG:
		return in_bang(k, c);
	case XML_SKIP_CDATA:
		return in_cdata(k, c);
	case XML_SKIP_DONE:
		break;
	}
	return 0;
}

int xml_skip_feed(struct xml_skip *k, struct span in, size_t *used_out)
{
	int err = 0;
	size_t i = 0;

	while (i < in.n && err == 0 && k->state != XML_SKIP_DONE) {
		err = step(k, in.p[i++]);
		k->bytes += k->state != XML_SKIP_BEFORE;
	}
	*used_out = i;
	/* LIMIT: a stanza without end */
	if (err == 0 && k->bytes > LIMIT_SKIPPED_BYTES)
		err = FED_ELIMIT;
	return err;
}
