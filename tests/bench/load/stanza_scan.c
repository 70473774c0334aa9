/* Stanzas by their names and end tags. */
#include "tests/bench/load/stanza_scan.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *open;
	const char *close;
} kinds[] = {
	{"<message", "</message>"},   {"<iq", "</iq>"},
	{"<presence", "</presence>"}, {"<stream:error", "</stream:error>"},
	{"</stream:stream", ">"},
};

/* Behind the first `what`; NULL: not in there. */
static const char *behind(struct span in, struct span what)
{
	const char *p = memmem(in.p, in.n, what.p, what.n);

	return p != NULL ? p + what.n : NULL;
}

int stanza_scan(struct span in, struct span *stanza_out, size_t *used_out)
{
	size_t blanks = 0;

	while (blanks < in.n && strchr(" \t\r\n", in.p[blanks]) != NULL)
		blanks++;
	*used_out = blanks;
	in = span_sub(in, blanks, SIZE_MAX);
	for (size_t i = 0; i < FED_ARRAY_LEN(kinds); i++) {
		struct span open = span_str(kinds[i].open);
		const char *end;

		if (in.n < open.n && span_starts(open, in))
			return FED_EAGAIN;
		if (!span_starts(in, open))
			continue;
		end = behind(in, span_str(kinds[i].close));
		if (end == NULL)
			return FED_EAGAIN;
		*stanza_out = span_sub(in, 0, (size_t)(end - in.p));
		*used_out += stanza_out->n;
		return 0;
	}
	return FED_EXML;
}

struct span stanza_scan_attr(struct span stanza, const char *name)
{
	struct span tag = span_sub(stanza, 0, span_find(stanza, '>', 0));
	char start[32];
	const char *value;
	size_t at;
	int n = snprintf(start, sizeof(start), " %s='", name);

	value = behind(tag, span_of(start, (size_t)n));
	if (value == NULL)
		return SPAN_NULL;
	at = (size_t)(value - tag.p);
	return span_sub(tag, at, span_find(tag, '\'', at));
}

struct span stanza_scan_body(struct span stanza)
{
	const char *p = behind(stanza, SPAN_LIT("<body>"));

	if (p == NULL)
		return SPAN_NULL;
	return span_sub(stanza, (size_t)(p - stanza.p), SIZE_MAX);
}
