/* Harmless text, widths, times. */
#include "deploy/fedctl/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistr.h>
#include <uniwidth.h>

/* One character at the front of s, and whether a terminal may have it: no
 * controls (C0, DEL, C1), no marks that turn the writing direction. */
static size_t take(struct span s, bool *is_harmless_out)
{
	ucs4_t c;
	int n = u8_mbtouc(&c, (const uint8_t *)s.p, s.n);

	if (n < 1)
		n = 1;
	*is_harmless_out =
		c >= 0x20 && c != 0xFFFD && !(c >= 0x7F && c < 0xA0) &&
		!(c >= 0x2028 && c <= 0x202E) && !(c >= 0x2066 && c <= 0x2069);
	return (size_t)n;
}

static void put(FILE *to, struct span s)
{
	while (s.n > 0) {
		bool is_harmless;
		size_t n = take(s, &is_harmless);

		if (is_harmless)
			(void)fwrite(s.p, 1, n, to);
		else
			for (size_t i = 0; i < n; i++)
				(void)fprintf(to, "\\x%02x",
					      (unsigned char)s.p[i]);
		s = span_sub(s, n, SIZE_MAX);
	}
}

char *text_harmless(const char *s)
{
	char *out = NULL;
	size_t n = 0;
	FILE *to = open_memstream(&out, &n);

	if (to == NULL)
		return NULL;
	put(to, span_str(s));
	if (fclose(to) == 0)
		return out;
	free(out);
	return NULL;
}

void text_print(FILE *to, struct span s, const char *indent)
{
	while (indent != NULL && s.n > 0) {
		size_t at = span_find(s, '\n', 0);
		struct span line = span_sub(s, 0, at);

		if (span_ends(line, SPAN_LIT("\r")))
			line.n--;
		(void)fputs(indent, to);
		put(to, line);
		(void)fputc('\n', to);
		s = at == SIZE_MAX ? SPAN_NULL : span_sub(s, at + 1, SIZE_MAX);
	}
	if (indent == NULL)
		put(to, s);
}

size_t text_width(const char *s)
{
	int n = u8_strwidth((const uint8_t *)s, "UTF-8");

	return n < 0 ? strlen(s) : (size_t)n;
}

struct text_age text_age(uint64_t ms)
{
	static const struct {
		uint64_t seconds;
		const char *name;
		uint64_t part_seconds;
		const char *part;
	} units[] = {
		{86400, "d", 3600, "h"},
		{3600, "h", 60, "min"},
		{60, "min", 1, "s"},
	};
	uint64_t s = ms / 1000;
	struct text_age age;

	for (size_t i = 0; i < FED_ARRAY_LEN(units); i++) {
		uint64_t part = s % units[i].seconds / units[i].part_seconds;

		if (s < units[i].seconds)
			continue;
		if (part > 0)
			(void)snprintf(age.text, sizeof(age.text),
				       "%" PRIu64 " %s %" PRIu64 " %s",
				       s / units[i].seconds, units[i].name,
				       part, units[i].part);
		else
			(void)snprintf(age.text, sizeof(age.text),
				       "%" PRIu64 " %s", s / units[i].seconds,
				       units[i].name);
		return age;
	}
	(void)snprintf(age.text, sizeof(age.text), "%" PRIu64 " s", s);
	return age;
}
