/* Harmless text, widths, times. */
#include "deploy/fedctl/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
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

/* The first line, off the front of s. */
static struct span cut_line(struct span *s)
{
	size_t at = span_find(*s, '\n', 0);
	struct span line = span_sub(*s, 0, at);

	*s = at == SIZE_MAX ? SPAN_NULL : span_sub(*s, at + 1, SIZE_MAX);
	if (span_ends(line, SPAN_LIT("\r")))
		line.n--;
	return line;
}

void text_print(FILE *to, struct span s, const char *indent)
{
	while (indent != NULL && s.n > 0) {
		(void)fputs(indent, to);
		put(to, cut_line(&s));
		(void)fputc('\n', to);
	}
	if (indent == NULL)
		put(to, s);
}

struct span text_cut(struct span s, size_t bytes)
{
	if (s.n <= bytes)
		return s;
	s.n = bytes;
	while (s.n > 0 && (s.p[s.n] & 0xC0) == 0x80)
		s.n--;
	return s;
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

/* ---- points in time ------------------------------------------------------ */

static bool local_time(int64_t at_ms, struct tm *parts_out)
{
	time_t at = (time_t)(at_ms / 1000);

	return localtime_r(&at, parts_out) != NULL;
}

struct text_time text_date(int64_t at_ms)
{
	struct text_time t = {.text = "?"};
	struct tm parts;

	if (local_time(at_ms, &parts))
		(void)strftime(t.text, sizeof(t.text), "%Y-%m-%d", &parts);
	return t;
}

struct text_time text_clock(int64_t at_ms)
{
	struct text_time t = {.text = "?"};
	struct tm parts;

	if (local_time(at_ms, &parts))
		(void)strftime(t.text, sizeof(t.text), "%H:%M:%S", &parts);
	return t;
}

struct text_time text_time(int64_t at_ms)
{
	struct text_time t;

	(void)snprintf(t.text, sizeof(t.text), "%.20s %.20s",
		       text_date(at_ms).text, text_clock(at_ms).text);
	return t;
}

/* ---- long lines ---------------------------------------------------------- */

/* The words of a paragraph. */
static void wrap_words(FILE *to, const char *text, size_t indent,
		       size_t columns)
{
	size_t at = indent;

	while (*text != '\0') {
		size_t n = strcspn(text, " ");
		char *word = span_dup(span_of(text, n));
		size_t width = word != NULL ? text_width(word) : n;

		free(word);
		if (at > indent && at + 1 + width > columns) {
			(void)fprintf(to, "\n%*s", (int)indent, "");
			at = indent;
		} else if (at > indent) {
			(void)fputc(' ', to);
			at++;
		}
		(void)fwrite(text, 1, n, to);
		at += width;
		text += n;
		while (*text == ' ')
			text++;
	}
}

void text_wrap(FILE *to, struct span s, const char *end, size_t indent,
	       size_t columns)
{
	struct span first = cut_line(&s);
	char *whole = NULL;
	char *harmless = NULL;

	if (asprintf(&whole, "%.*s%s", (int)first.n,
		     first.p != NULL ? first.p : "", end) < 0)
		whole = NULL;
	if (whole != NULL)
		harmless = text_harmless(whole);
	wrap_words(to, harmless != NULL ? harmless : "", indent, columns);
	free(whole);
	free(harmless);
	(void)fputc('\n', to);
	while (s.n > 0) {
		struct span line = cut_line(&s);

		(void)fprintf(to, "%*s", (int)indent, "");
		put(to, line);
		(void)fputc('\n', to);
	}
}

char *text_lent(const char *s)
{
	return (char *)(uintptr_t)s;
}
