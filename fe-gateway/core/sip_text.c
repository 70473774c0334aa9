/* Request line and CSeq as RFC 3261 25.1 has them. */
#include "fe-gateway/core/sip_text.h"

#include <string.h>

#include "base/limits.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_token_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("-.!%*_+`'~", c) != NULL);
}

bool sip_text_is_token(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_token_char(s.p[i]))
			return false;
	return s.n > 0;
}

bool sip_text_is_solid(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7F)
			return false;
	return s.n > 0;
}

bool sip_text_is_language(struct span s)
{
	size_t n = 0; /* of the subtag */
	bool is_first = true;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool is_digit = c >= '0' && c <= '9';

		if (c == '-' && n > 0) {
			is_first = false;
			n = 0;
			continue;
		}
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		      (is_digit && !is_first)) ||
		    ++n > 8)
			return false;
	}
	return n > 0 && s.n <= LIMIT_LANG_BYTES;
}

/* Index of the first blank from `from`; the end when there is none. */
static size_t find_blank(struct span s, size_t from)
{
	while (from < s.n && !is_blank(s.p[from]))
		from++;
	return from;
}

/* "SIP/" digit, ".", digit; its case does not matter (RFC 3261 7.1). */
static bool is_version(struct span s)
{
	return s.n >= 7 && span_ieq(span_sub(s, 0, 4), SPAN_LIT("SIP/")) &&
	       s.p[4] >= '0' && s.p[4] <= '9' && s.p[5] == '.' &&
	       s.p[6] >= '0' && s.p[6] <= '9' && sip_text_is_solid(s);
}

int sip_text_request_line(struct span line, struct sip_text_line *out)
{
	struct span s = span_trim(line);
	size_t end = find_blank(s, 0);
	size_t last = s.n;

	while (last > end && !is_blank(s.p[last - 1]))
		last--;
	out->method = span_sub(s, 0, end);
	out->uri = span_trim(span_sub(s, end, last));
	out->version = span_sub(s, last, s.n);
	out->is_uri = sip_text_is_solid(out->uri);
	if (!sip_text_is_token(out->method) || out->uri.n == 0 ||
	    !is_version(out->version))
		return FED_EINVAL;
	return 0;
}

int sip_text_cseq(struct span value, uint32_t *number_out,
		  struct span *method_out)
{
	struct span s = span_trim(value);
	size_t end = find_blank(s, 0);
	struct span digits = span_sub(s, 0, end);

	/* leading zeros carry no value, however many there are */
	while (digits.n > 1 && digits.p[0] == '0')
		digits = span_sub(digits, 1, digits.n);
	*method_out = span_trim(span_sub(s, end, s.n));
	if (span_to_u32(digits, number_out) != 0 ||
	    !sip_text_is_token(*method_out))
		return FED_EINVAL;
	return 0;
}
