/* Percent-encoding and XEP-0106, byte by byte. */
#include "fe-gateway/core/address_text.h"

#include <string.h>

/* Characters that stand bare beside letters and digits. */
static const char *const bare_sets[] = {
	/* mark and user-unreserved */
	[ADDRESS_PLACE_SIP_USER] = "-_.!~*'()&=+$,;?/",
	/* mark and param-unreserved */
	[ADDRESS_PLACE_SIP_GR] = "-_.!~*'()[]/:&+$",
	/* '?', '#' and what RFC 3986 has in no set are encoded, though table 1
	 * of RFC 7247 lets them stand: a URI parser would stumble */
	[ADDRESS_PLACE_IM_USER] = "-_!~*'&=+$/",
	[ADDRESS_PLACE_XMPP_NODE] = "-_.~!$()*+,;=",
	[ADDRESS_PLACE_XMPP_RES] = "-_.~!$()*+,;=&':",
};

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9');
}

static bool is_bare(struct span in, size_t at, enum address_place place)
{
	char c = in.p[at];

	if (is_alnum(c))
		return true;
	/* a dot of im: and pres: stands between atoms (RFC 5322 3.2.3) */
	if (c == '.' && place == ADDRESS_PLACE_IM_USER)
		return at > 0 && at + 1 < in.n && in.p[at - 1] != '.' &&
		       in.p[at + 1] != '.';
	return c != '\0' && strchr(bare_sets[place], c) != NULL;
}

size_t address_encoded_bytes(struct span in, enum address_place place)
{
	size_t n = in.n;

	for (size_t i = 0; i < in.n; i++)
		if (!is_bare(in, i, place))
			n += 2;
	return n;
}

char *address_encode(struct span in, enum address_place place, char *out)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < in.n; i++) {
		unsigned char c = (unsigned char)in.p[i];

		if (is_bare(in, i, place)) {
			*out++ = (char)c;
			continue;
		}
		*out++ = '%';
		*out++ = digits[c >> 4];
		*out++ = digits[c & 15];
	}
	return out;
}

/* 0..15, or -1 */
static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The byte that begins at in.p[*at], which is moved behind it; -1: none. */
static int decode_byte(struct span in, size_t *at)
{
	int hi;
	int lo;

	if (in.p[*at] != '%')
		return (unsigned char)in.p[(*at)++];
	if (in.n - *at < 3)
		return -1;
	hi = hex_value(in.p[*at + 1]);
	lo = hex_value(in.p[*at + 2]);
	*at += 3;
	return hi < 0 || lo < 0 ? -1 : hi * 16 + lo;
}

int address_decode(struct span in, char *out, size_t *n_out)
{
	bool is_ascii = true;
	size_t n = 0;

	for (size_t at = 0; at < in.n;) {
		int c = decode_byte(in, &at);

		if (c < 0x20 || c == 0x7F)
			return FED_EINVAL;
		if (n == ADDRESS_DECODED_BYTES)
			return FED_ELIMIT;
		if (c >= 0x80)
			is_ascii = false;
		out[n++] = (char)c;
	}
	out[n] = '\0';
	*n_out = n;
	return is_ascii || span_is_utf8(span_of(out, n)) ? 0 : FED_EINVAL;
}

/* XEP-0106 table 3; the backslash is last */
static const struct {
	char c;
	char code[3];
} escapes[] = {
	{' ', "20"}, {'"', "22"}, {'&', "26"}, {'\'', "27"}, {'/', "2f"},
	{':', "3a"}, {'<', "3c"}, {'>', "3e"}, {'@', "40"},  {'\\', "5c"},
};

/* The character whose code stands at in.p[at]; 0: none does. */
static char code_at(struct span in, size_t at)
{
	if (in.n - at < 2)
		return '\0';
	for (size_t i = 0; i < FED_ARRAY_LEN(escapes); i++)
		if (in.p[at] == escapes[i].code[0] &&
		    in.p[at + 1] == escapes[i].code[1])
			return escapes[i].c;
	return '\0';
}

/* Code to write for in.p[at]; NULL: the character stands as it is. */
static const char *code_for(struct span in, size_t at)
{
	/* only a backslash that would be read as an escape is one */
	if (in.p[at] == '\\' && code_at(in, at + 1) == '\0')
		return NULL;
	for (size_t i = 0; i < FED_ARRAY_LEN(escapes); i++)
		if (in.p[at] == escapes[i].c)
			return escapes[i].code;
	return NULL;
}

int address_escape(struct span in, char *out, size_t *n_out)
{
	size_t n = 0;

	/* XEP-0106 3.2: \20 is never first or last */
	if (in.n > 0 && (in.p[0] == ' ' || in.p[in.n - 1] == ' '))
		return FED_ENOTFOUND;
	for (size_t i = 0; i < in.n; i++) {
		const char *code = code_for(in, i);
		size_t need = code == NULL ? 1 : 3;

		if (n + need > LIMIT_JID_PART_BYTES)
			return FED_ELIMIT;
		if (code == NULL) {
			out[n] = in.p[i];
		} else {
			out[n] = '\\';
			out[n + 1] = code[0];
			out[n + 2] = code[1];
		}
		n += need;
	}
	out[n] = '\0';
	*n_out = n;
	return 0;
}

void address_unescape(struct span in, char *out, size_t *n_out)
{
	size_t n = 0;

	for (size_t i = 0; i < in.n;) {
		char c = in.p[i] == '\\' ? code_at(in, i + 1) : '\0';

		out[n++] = c != '\0' ? c : in.p[i];
		i += c != '\0' ? 3 : 1;
	}
	out[n] = '\0';
	*n_out = n;
}
