/* Reason-Phrases: the standard ones, and a peer's words made safe. */
#include "fe-gateway/core/phrase.h"

#include <string.h>

#include "fe-gateway/core/error_map.h"

static const struct {
	int status;
	const char *phrase;
} phrases[] = {
	{100, "Trying"},
	{180, "Ringing"},
	{200, "OK"},
	{202, "Accepted"},
	{301, "Moved Permanently"},
	{302, "Moved Temporarily"},
	{400, "Bad Request"},
	{403, "Forbidden"},
	{404, "Not Found"},
	{401, "Unauthorized"},
	{405, "Method Not Allowed"},
	{406, "Not Acceptable"},
	{408, "Request Timeout"},
	{410, "Gone"},
	{413, "Request Entity Too Large"},
	{414, "Request-URI Too Long"},
	{415, "Unsupported Media Type"},
	{416, "Unsupported URI Scheme"},
	{420, "Bad Extension"},
	{423, "Interval Too Brief"},
	{480, "Temporarily Unavailable"},
	{481, "Call/Transaction Does Not Exist"},
	{482, "Loop Detected"},
	{483, "Too Many Hops"},
	{486, "Busy Here"},
	{487, "Request Terminated"},
	{488, "Not Acceptable Here"},
	{489, "Bad Event"},
	{491, "Request Pending"},
	{500, "Server Internal Error"},
	{501, "Not Implemented"},
	{504, "Server Time-out"},
	{505, "Version Not Supported"},
	{513, "Message Too Large"},
	{600, "Busy Everywhere"},
	{603, "Decline"},
	{604, "Does Not Exist Anywhere"},
	{606, "Not Acceptable"},
};

const char *error_map_phrase(int status)
{
	for (size_t i = 0; i < FED_ARRAY_LEN(phrases); i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	switch (status / 100) {
	case 1:
		return "Progress";
	case 2:
		return "Success";
	case 3:
		return "Redirection";
	case 4:
		return "Request Failure";
	case 5:
		return "Server Failure";
	default:
		return "Global Failure";
	}
}

/* RFC 3261 25: reserved, unreserved; the rest of ASCII is not in a phrase. */
static bool is_phrase_ascii(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr(";/?:@&=+$,-_.!~*'()", c) != NULL);
}

/* Bytes of the UTF-8 character at p, which is known to be valid. */
static size_t character_bytes(const char *p)
{
	unsigned char c = (unsigned char)*p;

	if (c < 0x80)
		return 1;
	if (c < 0xE0)
		return 2;
	return c < 0xF0 ? 3 : 4;
}

/* C1 controls, line and paragraph separators, marks that turn the direction:
 * nothing a log or a phone should be shown. */
static bool is_hidden(const char *p, size_t n)
{
	unsigned char b = n > 1 ? (unsigned char)p[1] : 0;
	unsigned char c = n > 2 ? (unsigned char)p[2] : 0;

	if (n == 2)
		return p[0] == '\xC2' && b < 0xA0;
	if (n != 3 || p[0] != '\xE2')
		return false;
	return (b == 0x80 &&
		(c == 0x8E || c == 0x8F || (c >= 0xA8 && c <= 0xAE))) ||
	       (b == 0x81 && c >= 0xA6 && c <= 0xA9);
}

bool phrase_clean(struct span in, char *out)
{
	bool is_space_due = false;
	size_t n = 0;
	size_t step;

	if (!span_is_utf8(in))
		return false;
	for (size_t i = 0; i < in.n; i += step) {
		const char *p = in.p + i;
		size_t gap = is_space_due ? 1 : 0;

		step = character_bytes(p);
		if (step == 1 ? !is_phrase_ascii(*p) : is_hidden(p, step)) {
			is_space_due = n > 0;
			continue;
		}
		if (n + gap + step > LIMIT_SIP_PHRASE_BYTES)
			break;
		if (gap != 0)
			out[n++] = ' ';
		memcpy(out + n, p, step);
		n += step;
		is_space_due = false;
	}
	if (n == 0)
		return false;
	out[n] = '\0';
	return true;
}
