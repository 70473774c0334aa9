/* Parts are walked, never copied; each level is scanned once. */
#include "fe-gateway/core/mime.h"

#include <string.h>

#include "base/limits.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* ---- lines and headers --------------------------------------------------- */

/* Cut the first line off; CR LF or LF ends it. */
static struct span take_line(struct span *rest)
{
	size_t n = span_find(*rest, '\n', 0);
	struct span line = span_sub(*rest, 0, n == SIZE_MAX ? rest->n : n);

	*rest = span_sub(*rest, n == SIZE_MAX ? rest->n : n + 1, rest->n);
	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

struct header {
	struct span name;
	struct span value; /* a folded one has its line ends in it */
};

/* @return a header was read; false: the empty line, or the end */
static bool take_header(struct span *rest, struct header *h)
{
	struct span line = take_line(rest);
	size_t colon;

	if (line.n == 0)
		return false;
	while (rest->n > 0 && (rest->p[0] == ' ' || rest->p[0] == '\t')) {
		struct span more = take_line(rest);

		line.n = (size_t)(more.p + more.n - line.p);
	}
	colon = span_find(line, ':', 0);
	if (colon == SIZE_MAX)
		colon = line.n;
	h->name = span_trim(span_sub(line, 0, colon));
	h->value = span_sub(line, colon + 1, line.n);
	return true;
}

/* ---- Content-Type -------------------------------------------------------- */

static struct span unquote(struct span s)
{
	if (s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"')
		return span_sub(s, 1, s.n - 1);
	return s;
}

/* End of what stands before the next ';' that is not quoted. */
static size_t find_semicolon(struct span s, size_t from)
{
	bool is_quoted = false;

	for (; from < s.n; from++) {
		if (s.p[from] == '"')
			is_quoted = !is_quoted;
		else if (s.p[from] == ';' && !is_quoted)
			break;
	}
	return from;
}

static void read_type(struct span value, struct mime_entity *e)
{
	size_t end = find_semicolon(value, 0);

	e->type = span_trim(span_sub(value, 0, end));
	while (end < value.n) {
		size_t from = end + 1;
		struct span param, name;
		size_t eq;

		end = find_semicolon(value, from);
		param = span_sub(value, from, end);
		eq = span_find(param, '=', 0);
		if (eq == SIZE_MAX)
			continue;
		name = span_trim(span_sub(param, 0, eq));
		param = unquote(span_trim(span_sub(param, eq + 1, param.n)));
		if (span_ieq(name, SPAN_LIT("charset")))
			e->charset = param;
		else if (span_ieq(name, SPAN_LIT("boundary")))
			e->boundary = param;
	}
}

/* RFC 2045 6: all others would have to be decoded; SIP is 8-bit clean, so
 * nobody needs them here. */
static bool is_plain_encoding(struct span value)
{
	struct span s = span_trim(value);

	return span_ieq(s, SPAN_LIT("7bit")) || span_ieq(s, SPAN_LIT("8bit")) ||
	       span_ieq(s, SPAN_LIT("binary"));
}

static struct span first_word(struct span value)
{
	struct span s = span_trim(value);

	for (size_t i = 0; i < s.n; i++)
		if (is_blank(s.p[i]) || s.p[i] == ',' || s.p[i] == ';')
			s.n = i;
	return s;
}

/* Headers, an empty line, the content. */
static struct mime_entity read_part(struct span bytes)
{
	struct mime_entity e = {.type = SPAN_NULL};
	struct header h;

	while (take_header(&bytes, &h)) {
		if (span_ieq(h.name, SPAN_LIT("Content-Type")))
			read_type(h.value, &e);
		else if (span_ieq(h.name, SPAN_LIT("Content-Language")))
			e.language = first_word(h.value);
		else if (span_ieq(h.name,
				  SPAN_LIT("Content-Transfer-Encoding")))
			e.is_text_unfit |= !is_plain_encoding(h.value);
		else if (span_ieq(h.name, SPAN_LIT("Content-Disposition")))
			e.is_text_unfit |= span_ieq(first_word(h.value),
						    SPAN_LIT("attachment"));
	}
	/* RFC 2046 5.1: what is not said is text/plain */
	if (e.type.n == 0)
		e.type = SPAN_LIT("text/plain");
	e.body = bytes;
	return e;
}

/* ---- kinds --------------------------------------------------------------- */

static bool is_plain(const struct mime_entity *e)
{
	return span_ieq(e->type, SPAN_LIT("text/plain"));
}

static bool is_html(const struct mime_entity *e)
{
	return span_ieq(e->type, SPAN_LIT("text/html"));
}

static bool is_cpim(const struct mime_entity *e)
{
	return span_ieq(e->type, SPAN_LIT("message/cpim"));
}

static bool is_multipart(const struct mime_entity *e)
{
	return span_ieq(e->type, SPAN_LIT("multipart/mixed")) ||
	       span_ieq(e->type, SPAN_LIT("multipart/alternative"));
}

bool mime_is_known(struct span type)
{
	const struct mime_entity e = {.type = type};

	return is_plain(&e) || is_html(&e) || is_cpim(&e) || is_multipart(&e);
}

/* ---- multipart ----------------------------------------------------------- */

struct delimiter {
	size_t start; /* of the line end before it */
	size_t next;  /* behind its own line */
	bool is_last; /* "--boundary--" */
};

/* The line at `at` is one; *out but for its start is filled. */
static bool is_delimiter(struct span body, size_t at, struct span boundary,
			 struct delimiter *out)
{
	struct span rest = span_sub(body, at, body.n);
	struct span line = take_line(&rest);

	if (!span_starts(line, SPAN_LIT("--")) ||
	    !span_starts(span_sub(line, 2, line.n), boundary))
		return false;
	line = span_sub(line, 2 + boundary.n, line.n);
	out->is_last = span_starts(line, SPAN_LIT("--"));
	if (out->is_last)
		line = span_sub(line, 2, line.n);
	out->next = body.n - rest.n;
	/* anything but white space: another boundary that begins like ours */
	return span_trim(line).n == 0;
}

static bool find_delimiter(struct span body, size_t from, struct span boundary,
			   struct delimiter *out)
{
	size_t at = from;

	for (;;) {
		size_t end;

		if (is_delimiter(body, at, boundary, out)) {
			out->start = at;
			if (out->start > from && body.p[out->start - 1] == '\n')
				out->start--;
			if (out->start > from && body.p[out->start - 1] == '\r')
				out->start--;
			return true;
		}
		end = span_find(body, '\n', at);
		if (end == SIZE_MAX)
			return false;
		at = end + 1;
	}
}

/* What of one level is worth something. */
struct finds {
	struct mime_entity plain, html, nested;
	bool has_plain, has_html, has_nested;
};

static void note_part(struct finds *f, const struct mime_entity *e)
{
	if (is_plain(e) && !e->is_text_unfit && !f->has_plain) {
		f->plain = *e;
		f->has_plain = true;
	} else if (is_html(e) && !e->is_text_unfit && !f->has_html) {
		f->html = *e;
		f->has_html = true;
	} else if ((is_cpim(e) || is_multipart(e)) && !f->has_nested) {
		f->nested = *e;
		f->has_nested = true;
	}
}

static int walk_parts(const struct mime_entity *m, struct finds *f)
{
	struct delimiter d = {.is_last = false};
	size_t from;

	/* RFC 2046 5.1.1: 1 to 70 characters */
	if (m->boundary.n == 0 || m->boundary.n > 70 ||
	    !find_delimiter(m->body, 0, m->boundary, &d))
		return FED_EPROTO;
	/* LIMIT: a body of nothing but delimiters */
	for (size_t i = 0; !d.is_last && i < LIMIT_MIME_PARTS; i++) {
		struct mime_entity e;
		bool is_closed;

		from = d.next;
		is_closed = find_delimiter(m->body, from, m->boundary, &d);
		if (!is_closed)
			d = (struct delimiter){m->body.n, m->body.n, true};
		e = read_part(span_sub(m->body, from, d.start));
		note_part(f, &e);
	}
	return 0;
}

/* The best part of a multipart, in *m. */
static int choose_part(struct mime_entity *m)
{
	struct finds f = {.has_plain = false};
	int err = walk_parts(m, &f);

	if (err != 0)
		return err;
	if (f.has_plain)
		*m = f.plain;
	else if (f.has_html)
		*m = f.html;
	else if (f.has_nested)
		*m = f.nested;
	else
		return FED_ENOTFOUND;
	return 0;
}

/* ---- message/cpim -------------------------------------------------------- */

/* "Display name <uri>" */
static struct span uri_of(struct span value)
{
	size_t from = span_find(value, '<', 0);
	size_t to = from == SIZE_MAX ? from : span_find(value, '>', from);

	return to == SIZE_MAX ? SPAN_NULL : span_sub(value, from + 1, to);
}

/* RFC 3862 2.3.3: ":;lang=fr Vol" has parameters before its value. */
static struct span without_params(struct span value)
{
	size_t i = 0;

	if (value.n == 0 || value.p[0] != ';')
		return span_trim(value);
	while (i < value.n && value.p[i] != ' ')
		i++;
	return span_trim(span_sub(value, i, value.n));
}

/* Its headers into *t, what it wraps into *m.  Names are case-sensitive, lines
 * are not folded (RFC 3862 2.1). */
static int open_cpim(struct mime_entity *m, struct mime_text *t)
{
	struct span rest = m->body;
	struct span line;

	for (line = take_line(&rest); line.n > 0; line = take_line(&rest)) {
		size_t colon = span_find(line, ':', 0);
		struct span name, value;

		if (colon == SIZE_MAX)
			return FED_EPROTO;
		name = span_sub(line, 0, colon);
		value = span_sub(line, colon + 1, line.n);
		if (span_eq_str(name, "From"))
			t->cpim_from = uri_of(value);
		else if (span_eq_str(name, "To") && t->cpim_to.n == 0)
			t->cpim_to = uri_of(value);
		else if (span_eq_str(name, "Subject") && t->cpim_subject.n == 0)
			t->cpim_subject = without_params(value);
		else if (span_eq_str(name, "Require"))
			/* 2.3.4: not understood, so not delivered */
			return FED_ENOTFOUND;
	}
	/* the MIME headers of the content must be there */
	if (rest.n == 0)
		return FED_EPROTO;
	*m = read_part(rest);
	return m->is_text_unfit ? FED_ENOTFOUND : 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The four digits of "\uxxxx" as UTF-8; false: they are none, or half of a
 * pair, or a NUL. */
static bool put_code_unit(struct span digits, struct buf *out)
{
	unsigned c = 0;
	char u[3];

	if (digits.n != 4)
		return false;
	for (size_t i = 0; i < 4; i++) {
		int d = hex_digit(digits.p[i]);

		if (d < 0)
			return false;
		c = c * 16 + (unsigned)d;
	}
	if (c == 0 || (c >= 0xD800 && c <= 0xDFFF))
		return false;
	if (c < 0x80) {
		(void)buf_put_byte(out, (char)c);
	} else if (c < 0x800) {
		u[0] = (char)(0xC0 | (c >> 6));
		u[1] = (char)(0x80 | (c & 0x3F));
		(void)buf_put(out, u, 2);
	} else {
		u[0] = (char)(0xE0 | (c >> 12));
		u[1] = (char)(0x80 | ((c >> 6) & 0x3F));
		u[2] = (char)(0x80 | (c & 0x3F));
		(void)buf_put(out, u, 3);
	}
	return true;
}

int mime_cpim_unescape(struct span value, struct buf *out)
{
	static const char letters[] = "btnr";
	static const char controls[] = "\b\t\n\r";

	for (size_t i = 0; i < value.n && !out->is_failed; i++) {
		const char *at;

		if (value.p[i] != '\\' || i + 1 == value.n) {
			(void)buf_put_byte(out, value.p[i]);
			continue;
		}
		i++;
		if (value.p[i] == 'u' &&
		    put_code_unit(span_sub(value, i + 1, i + 5), out)) {
			i += 4;
			continue;
		}
		at = value.p[i] != '\0' ? strchr(letters, value.p[i]) : NULL;
		(void)buf_put_byte(out, at != NULL ? controls[at - letters]
						   : value.p[i]);
	}
	return out->is_failed ? FED_ELIMIT : 0;
}

int mime_find_text(const struct mime_entity *root, struct mime_text *out)
{
	struct mime_entity m = *root;
	bool was_cpim = false;

	*out = (struct mime_text){.cpim_from = SPAN_NULL};
	/* LIMIT: wrappers around wrappers; each is scanned from its start */
	for (size_t depth = 0; depth < LIMIT_MIME_DEPTH; depth++) {
		int err;

		if (m.type.n == 0 || is_plain(&m) || is_html(&m)) {
			out->part = m;
			return 0;
		}
		if (is_cpim(&m) && !was_cpim) {
			was_cpim = true;
			err = open_cpim(&m, out);
		} else if (is_multipart(&m)) {
			err = choose_part(&m);
		} else {
			err = FED_ENOTFOUND;
		}
		if (err != 0)
			return err;
	}
	return FED_ENOTFOUND;
}
