/* XML out: tags, attributes, text; escaping in one place. */
#include "edge-proxy/core/xml_writer.h"

#include <string.h>

/* What a byte needs. */
enum byte_class {
	BYTE_PLAIN,
	BYTE_MARKUP,	 /* always written as a reference */
	BYTE_ATTR_BLANK, /* XML 1.0 3.3.3: a reference inside attributes */
	BYTE_FORBIDDEN,	 /* XML 1.0 2.2: not a character */
	BYTE_WIDE,	 /* begins or continues a UTF-8 sequence */
};

static enum byte_class classify(unsigned char c)
{
	switch (c) {
	case '&':
	case '<':
	case '>':
	case '\'':
	case '"':
	case '\r': /* XML 1.0 2.11: would be read as a line feed */
		return BYTE_MARKUP;
	case '\t':
	case '\n':
		return BYTE_ATTR_BLANK;
	default:
		if (c < 0x20)
			return BYTE_FORBIDDEN;
		return c < 0x80 ? BYTE_PLAIN : BYTE_WIDE;
	}
}

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
	case '\t':
		return SPAN_LIT("&#9;");
	case '\n':
		return SPAN_LIT("&#10;");
	default:
		return SPAN_LIT("&#13;");
	}
}

/* Bytes of the character at p (NUL-terminated), 0 when it must not be
 * written: broken UTF-8, or U+FFFE and U+FFFF, which XML forbids. */
static size_t wide_len(const char *p)
{
	unsigned char lead = (unsigned char)p[0];
	size_t n = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;

	if (strnlen(p, n) < n || !span_is_utf8(span_of(p, n)))
		return 0;
	if (n == 3 && (memcmp(p, "\xEF\xBF\xBE", 3) == 0 ||
		       memcmp(p, "\xEF\xBF\xBF", 3) == 0))
		return 0;
	return n;
}

static void put_escaped(struct buf *b, const char *s, bool is_attr)
{
	const char *run = s; /* not written yet */

	for (;;) {
		enum byte_class what = classify((unsigned char)*s);
		size_t n = what == BYTE_WIDE ? wide_len(s) : 1;

		if (what == BYTE_PLAIN || (what == BYTE_WIDE && n > 0) ||
		    (what == BYTE_ATTR_BLANK && !is_attr)) {
			s += n;
			continue;
		}
		if (s > run)
			buf_put(b, run, (size_t)(s - run));
		if (*s == '\0')
			return;
		if (what == BYTE_MARKUP || what == BYTE_ATTR_BLANK)
			buf_put_span(b, reference(*s));
		run = ++s;
	}
}

void xml_write_open(struct buf *b, const char *name)
{
	buf_put_byte(b, '<');
	buf_put_str(b, name);
}

void xml_write_attr(struct buf *b, const char *name, const char *value)
{
	if (value == NULL)
		return;
	buf_put_byte(b, ' ');
	buf_put_str(b, name);
	buf_put(b, "='", 2);
	put_escaped(b, value, true);
	buf_put_byte(b, '\'');
}

void xml_write_body(struct buf *b)
{
	buf_put_byte(b, '>');
}

void xml_write_empty(struct buf *b)
{
	buf_put(b, "/>", 2);
}

void xml_write_text(struct buf *b, const char *text)
{
	put_escaped(b, text, false);
}

void xml_write_close(struct buf *b, const char *name)
{
	buf_put(b, "</", 2);
	buf_put_str(b, name);
	buf_put_byte(b, '>');
}

void xml_write_leaf(struct buf *b, const char *name, const char *text)
{
	if (text == NULL || text[0] == '\0')
		return;
	xml_write_open(b, name);
	xml_write_body(b);
	xml_write_text(b, text);
	xml_write_close(b, name);
}

void xml_write_flag(struct buf *b, const char *name, const char *ns)
{
	xml_write_open(b, name);
	xml_write_attr(b, "xmlns", ns);
	xml_write_empty(b);
}
