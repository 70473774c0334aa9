/* Borrowed byte runs: comparison, search, numbers, UTF-8. */
#include "base/span.h"

#include <stdlib.h>
#include <string.h>

struct span span_str(const char *s)
{
	return s == NULL ? SPAN_NULL : span_of(s, strlen(s));
}

bool span_eq(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool span_eq_str(struct span a, const char *s)
{
	return span_eq(a, span_str(s));
}

static char ascii_lower(char c)
{
	return (c >= 'A' && c <= 'Z') ? (char)(c + ('a' - 'A')) : c;
}

/* strncasecmp() would stop at a NUL, and ask the locale */
bool span_ieq(struct span a, struct span b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
			return false;
	return true;
}

bool span_starts(struct span a, struct span prefix)
{
	return a.n >= prefix.n && span_eq(span_of(a.p, prefix.n), prefix);
}

bool span_ends(struct span a, struct span suffix)
{
	return a.n >= suffix.n &&
	       span_eq(span_sub(a, a.n - suffix.n, a.n), suffix);
}

size_t span_find(struct span a, char c, size_t from)
{
	const char *hit;

	if (from >= a.n)
		return SIZE_MAX;
	hit = memchr(a.p + from, c, a.n - from);
	return hit == NULL ? SIZE_MAX : (size_t)(hit - a.p);
}

struct span span_sub(struct span a, size_t from, size_t to)
{
	if (to > a.n)
		to = a.n;
	if (from >= to)
		return SPAN_NULL;
	return span_of(a.p + from, to - from);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct span span_trim(struct span a)
{
	while (a.n > 0 && is_blank(a.p[0])) {
		a.p++;
		a.n--;
	}
	while (a.n > 0 && is_blank(a.p[a.n - 1]))
		a.n--;
	return a;
}

int span_to_u32(struct span a, uint32_t *value_out)
{
	uint64_t v = 0;

	if (a.n == 0 || a.n > 10)
		return FED_EINVAL;
	for (size_t i = 0; i < a.n; i++) {
		if (a.p[i] < '0' || a.p[i] > '9')
			return FED_EINVAL;
		v = v * 10 + (uint64_t)(a.p[i] - '0');
	}
	if (v > UINT32_MAX)
		return FED_EINVAL;
	*value_out = (uint32_t)v;
	return 0;
}

/* Bytes of the sequence that begins at p, 0 when it is not UTF-8. */
static size_t utf8_sequence(const unsigned char *p, size_t n)
{
	static const struct {
		unsigned char lead_lo, lead_hi, second_lo, second_hi;
		size_t len;
	} rows[] = {
		/* RFC 3629 section 4, one row a line of its grammar */
		{0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
		{0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3},
		{0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4},
		{0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
	};

	if (p[0] >= 0x01 && p[0] <= 0x7F)
		return 1;
	for (size_t r = 0; r < FED_ARRAY_LEN(rows); r++) {
		if (p[0] < rows[r].lead_lo || p[0] > rows[r].lead_hi)
			continue;
		if (n < rows[r].len || p[1] < rows[r].second_lo ||
		    p[1] > rows[r].second_hi)
			return 0;
		for (size_t i = 2; i < rows[r].len; i++)
			if ((p[i] & 0xC0) != 0x80)
				return 0;
		return rows[r].len;
	}
	return 0;
}

bool span_is_utf8(struct span a)
{
	const unsigned char *p = (const unsigned char *)a.p;
	size_t i = 0;

	while (i < a.n) {
		size_t step = utf8_sequence(p + i, a.n - i);

		if (step == 0)
			return false;
		i += step;
	}
	return true;
}

void span_make_utf8(char *s)
{
	size_t n = strlen(s);
	size_t i = 0;

	while (i < n) {
		size_t step =
			utf8_sequence((const unsigned char *)s + i, n - i);

		if (step == 0) {
			s[i] = '?';
			step = 1;
		}
		i += step;
	}
}

char *span_dup(struct span a)
{
	char *s = malloc(a.n + 1);

	if (s == NULL)
		return NULL;
	if (a.n > 0)
		memcpy(s, a.p, a.n);
	s[a.n] = '\0';
	return s;
}
