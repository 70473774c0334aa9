/* XML out: markup as it is, attributes and text escaped. */
#include "fe-gateway/core/pidf_xml.h"

#include <string.h>

void pidf_xml_raw(struct pidf_xml *x, struct span markup)
{
	if (x->err != 0)
		return;
	if (markup.n > x->end - buf_len(x->out))
		x->err = FED_ELIMIT;
	else
		x->err = buf_put_span(x->out, markup);
}

/* What stands for the byte; empty: it stands for itself. */
static struct span reference(char c)
{
	switch (c) {
	case '&':
		return SPAN_LIT("&amp;");
	case '<':
		return SPAN_LIT("&lt;");
	case '>':
		return SPAN_LIT("&gt;");
	case '\'':
		return SPAN_LIT("&apos;");
	case '"':
		return SPAN_LIT("&quot;");
	case '\r': /* XML 1.0 2.11: would be read as a line feed */
		return SPAN_LIT("&#13;");
	default:
		return SPAN_NULL;
	}
}

/* Bytes of the character at `at`, 0 when XML 1.0 2.2 does not have it. */
static size_t character(struct span s, size_t at)
{
	unsigned char lead = (unsigned char)s.p[at];
	size_t n = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
	struct span c = span_sub(s, at, at + n);

	if (lead < 0x80)
		return lead >= 0x20 || lead == '\t' || lead == '\n' ||
		       lead == '\r';
	if (c.n < n || !span_is_utf8(c) ||
	    span_eq(c, SPAN_LIT("\xEF\xBF\xBE")) ||
	    span_eq(c, SPAN_LIT("\xEF\xBF\xBF")))
		return 0;
	return n;
}

void pidf_xml_text(struct pidf_xml *x, struct span text)
{
	size_t done = 0; /* what is before was written */
	size_t at = 0;

	while (at < text.n) {
		size_t n = character(text, at);
		struct span ref = reference(text.p[at]);

		if (n > 0 && ref.n == 0) {
			at += n;
			continue;
		}
		pidf_xml_raw(x, span_sub(text, done, at));
		pidf_xml_raw(x, ref);
		done = ++at;
	}
	pidf_xml_raw(x, span_sub(text, done, at));
}

void pidf_xml_attr(struct pidf_xml *x, const char *name, struct span value)
{
	PIDF_XML_LIT(x, " ");
	pidf_xml_raw(x, span_str(name));
	PIDF_XML_LIT(x, "='");
	pidf_xml_text(x, value);
	PIDF_XML_LIT(x, "'");
}
