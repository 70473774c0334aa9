/* The text of an HTML document, for people; not an HTML parser: nothing of
 * the markup survives, so nothing of it has to be understood well. */
#include "fe-gateway/core/charset.h"

#include <string.h>

#include "base/limits.h"

struct html {
	struct span in;
	size_t at;
	struct buf *out;
	bool is_space_due; /* white space was seen behind text */
	bool has_text;	   /* on this line */
};

static const struct {
	const char *name;
	const char *text;
} ENTITIES[] = {
	{"amp", "&"},	{"lt", "<"},   {"gt", ">"},
	{"quot", "\""}, {"apos", "'"}, {"nbsp", "\xC2\xA0"},
};

/* Elements whose start or end is a line end. */
static const char *const BLOCKS[] = {
	"br", "p", "div", "li", "tr", "h1", "h2", "h3", "blockquote", "pre",
};

/* Elements whose content is not text. */
static const char *const SILENT[] = {"script", "style", "head", "title"};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool in_list(struct span name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (span_ieq(name, span_str(list[i])))
			return true;
	return false;
}

static void put_text(struct html *h, const char *p, size_t n)
{
	if (h->is_space_due && h->has_text)
		(void)buf_put_byte(h->out, ' ');
	h->is_space_due = false;
	h->has_text = true;
	(void)buf_put(h->out, p, n);
}

static void end_line(struct html *h)
{
	if (h->has_text)
		(void)buf_put_byte(h->out, '\n');
	h->has_text = false;
	h->is_space_due = false;
}

static void put_code_point(struct html *h, uint32_t c)
{
	char u[4];

	if (c < 0x20 || (c >= 0xD800 && c <= 0xDFFF) || c > 0x10FFFF ||
	    c == 0xFFFE || c == 0xFFFF)
		return;
	if (c < 0x80) {
		u[0] = (char)c;
		put_text(h, u, 1);
	} else if (c < 0x800) {
		u[0] = (char)(0xC0 | (c >> 6));
		u[1] = (char)(0x80 | (c & 0x3F));
		put_text(h, u, 2);
	} else if (c < 0x10000) {
		u[0] = (char)(0xE0 | (c >> 12));
		u[1] = (char)(0x80 | ((c >> 6) & 0x3F));
		u[2] = (char)(0x80 | (c & 0x3F));
		put_text(h, u, 3);
	} else {
		u[0] = (char)(0xF0 | (c >> 18));
		u[1] = (char)(0x80 | ((c >> 12) & 0x3F));
		u[2] = (char)(0x80 | ((c >> 6) & 0x3F));
		u[3] = (char)(0x80 | (c & 0x3F));
		put_text(h, u, 4);
	}
}

static int hex_value(struct span s, uint32_t *out)
{
	uint32_t v = 0;

	if (s.n == 0 || s.n > 6)
		return FED_EINVAL;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		uint32_t d;

		if (c >= '0' && c <= '9')
			d = (uint32_t)(c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			d = (uint32_t)((c | 0x20) - 'a' + 10);
		else
			return FED_EINVAL;
		v = v * 16 + d;
	}
	*out = v;
	return 0;
}

/* The reference between '&' and ';'; false: print it as it stands. */
static bool put_reference(struct html *h, struct span name)
{
	uint32_t c;

	if (name.n > 1 && name.p[0] == '#') {
		bool is_hex = (name.p[1] | 0x20) == 'x';
		int err = is_hex ? hex_value(span_sub(name, 2, name.n), &c)
				 : span_to_u32(span_sub(name, 1, name.n), &c);

		if (err != 0)
			return false;
		put_code_point(h, c);
		return true;
	}
	for (size_t i = 0; i < FED_ARRAY_LEN(ENTITIES); i++)
		if (span_eq_str(name, ENTITIES[i].name)) {
			put_text(h, ENTITIES[i].text, strlen(ENTITIES[i].text));
			return true;
		}
	return false;
}

static void on_ampersand(struct html *h)
{
	struct span near = span_sub(h->in, h->at + 1, h->at + 12);
	size_t end = span_find(near, ';', 0);

	if (end != SIZE_MAX && put_reference(h, span_sub(near, 0, end))) {
		h->at += end + 2;
		return;
	}
	put_text(h, "&", 1);
	h->at++;
}

/* Jump behind "</name", so that its '>' is next; to the end without one. */
static void skip_element(struct html *h, struct span name)
{
	for (; h->at + 2 + name.n <= h->in.n; h->at++) {
		struct span end =
			span_sub(h->in, h->at + 2, h->at + 2 + name.n);

		if (h->in.p[h->at] == '<' && h->in.p[h->at + 1] == '/' &&
		    span_ieq(end, name))
			return;
	}
	h->at = h->in.n;
}

static void on_tag(struct html *h)
{
	size_t close;
	struct span tag, name;
	bool is_end;

	if (span_starts(span_sub(h->in, h->at, h->in.n), SPAN_LIT("<!--"))) {
		size_t i = h->at + 4;

		while (i < h->in.n && !span_starts(span_sub(h->in, i, h->in.n),
						   SPAN_LIT("-->")))
			i++;
		h->at = i + 3 < h->in.n ? i + 3 : h->in.n;
		return;
	}
	close = span_find(h->in, '>', h->at);
	if (close == SIZE_MAX)
		close = h->in.n;
	tag = span_sub(h->in, h->at + 1, close);
	is_end = tag.n > 0 && tag.p[0] == '/';
	name = span_sub(tag, is_end ? 1 : 0, tag.n);
	for (size_t i = 0; i < name.n; i++)
		if (is_blank(name.p[i]) || name.p[i] == '/')
			name.n = i;
	h->at = close < h->in.n ? close + 1 : close;
	if (in_list(name, BLOCKS, FED_ARRAY_LEN(BLOCKS)))
		end_line(h);
	else if (!is_end && in_list(name, SILENT, FED_ARRAY_LEN(SILENT)))
		skip_element(h, name);
}

int charset_html_to_text(struct span html, struct buf *out)
{
	struct html h = {.in = html, .out = out};

	while (h.at < html.n && !out->is_failed) {
		char c = html.p[h.at];

		if (c == '<') {
			on_tag(&h);
		} else if (c == '&') {
			on_ampersand(&h);
		} else if (is_blank(c)) {
			h.is_space_due = true;
			h.at++;
		} else {
			put_text(&h, &c, 1);
			h.at++;
		}
	}
	return out->is_failed ? FED_ELIMIT : 0;
}
