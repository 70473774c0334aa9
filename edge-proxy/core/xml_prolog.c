/* Byte order mark and XML declaration (RFC 6120 11.5, 11.6; XML 1.0 2.8). */
#include "edge-proxy/core/xml_prolog.h"

#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static size_t skip_blanks(struct span in, size_t at)
{
	while (at < in.n && is_blank(in.p[at]))
		at++;
	return at;
}

/* UTF-16 and UTF-32 show by their mark, which is never UTF-8, or by a NUL. */
static bool is_wide(struct span in)
{
	if (in.n >= 1 && (in.p[0] == '\xFF' || in.p[0] == '\xFE'))
		return true;
	return in.n >= 1 && memchr(in.p, 0, in.n < 4 ? in.n : 4) != NULL;
}

/* Both agree as far as `in` goes; *is_whole_out: all of lit is there. */
static bool begins(struct span in, size_t at, struct span lit,
		   bool *is_whole_out)
{
	size_t n = in.n - at < lit.n ? in.n - at : lit.n;

	*is_whole_out = n == lit.n;
	return memcmp(in.p + at, lit.p, n) == 0;
}

/* name='value' at *at with a blank before it; false when there is none. */
static bool take_pseudo_attr(struct span decl, size_t *at, struct span name,
			     struct span *value_out)
{
	size_t i = skip_blanks(decl, *at);
	size_t end;
	bool is_whole;

	if (i == *at || !begins(decl, i, name, &is_whole) || !is_whole)
		return false;
	i = skip_blanks(decl, i + name.n);
	if (i >= decl.n || decl.p[i] != '=')
		return false;
	i = skip_blanks(decl, i + 1);
	if (i >= decl.n || (decl.p[i] != '\'' && decl.p[i] != '"'))
		return false;
	end = span_find(decl, decl.p[i], i + 1);
	if (end == SIZE_MAX)
		return false;
	*value_out = span_sub(decl, i + 1, end);
	*at = end + 1;
	return true;
}

/* What stands between "<?xml" and "?>". */
static int check_declaration(struct span decl)
{
	size_t at = 0;
	struct span value;

	if (!take_pseudo_attr(decl, &at, SPAN_LIT("version"), &value) ||
	    !span_eq(value, SPAN_LIT("1.0")))
		return FED_EXML;
	if (take_pseudo_attr(decl, &at, SPAN_LIT("encoding"), &value) &&
	    !span_ieq(value, SPAN_LIT("UTF-8")))
		return FED_EENCODING;
	if (take_pseudo_attr(decl, &at, SPAN_LIT("standalone"), &value) &&
	    !span_eq(value, SPAN_LIT("yes")) && !span_eq(value, SPAN_LIT("no")))
		return FED_EXML;
	return skip_blanks(decl, at) == decl.n ? 0 : FED_EXML;
}

static int take_declaration(struct span in, size_t at, size_t *skip_out)
{
	const struct span open = SPAN_LIT("<?xml");
	size_t end = at + open.n;

	do {
		end = span_find(in, '?', end + 1);
		if (end == SIZE_MAX || end + 1 >= in.n)
			return FED_EAGAIN;
	} while (in.p[end + 1] != '>');
	*skip_out = end + 2;
	return check_declaration(span_sub(in, at + open.n, end));
}

int xml_prolog_check(struct span in, size_t *skip_out)
{
	size_t at = 0;
	bool is_whole;

	if (is_wide(in))
		return FED_EENCODING;
	if (in.n == 0)
		return FED_EAGAIN;
	/* RFC 6120 11.6 wants none; harmless, so tolerated */
	if (begins(in, 0, SPAN_LIT("\xEF\xBB\xBF"), &is_whole)) {
		if (!is_whole)
			return FED_EAGAIN;
		at = 3;
	}
	/* COMPAT: the keepalive blanks of before a restart may come late */
	at = skip_blanks(in, at);
	if (at == in.n)
		return FED_EAGAIN;
	if (in.p[at] != '<')
		return FED_EXML;
	*skip_out = at;
	if (!begins(in, at, SPAN_LIT("<?xml"), &is_whole))
		return 0;
	if (!is_whole || at + 5 == in.n)
		return FED_EAGAIN;
	/* <?xml-stylesheet ...?> is for the parser to refuse */
	if (!is_blank(in.p[at + 5]))
		return 0;
	return take_declaration(in, at, skip_out);
}
