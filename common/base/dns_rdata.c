/* RDATA on the wire. */
#include "base/dns_rdata.h"

enum { DNS_LABEL_MAX = 63 };

/* What host names hold, and "_" which occurs.  Nothing that would change a
 * name's meaning in text: no dot, no NUL, no control. */
static bool is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* RFC 1035 3.1, uncompressed, to dotted text. */
int dns_rdata_name(struct span in, char *out, size_t out_size)
{
	size_t n = 0;
	size_t i = 0;

	while (i < in.n && in.p[i] != 0) {
		size_t len = (uint8_t)in.p[i++];

		if (len > DNS_LABEL_MAX || len >= in.n - i ||
		    n + len + 2 > out_size)
			return FED_EINVAL;
		if (n > 0)
			out[n++] = '.';
		for (; len > 0; len--) {
			if (!is_name_byte(in.p[i]))
				return FED_EINVAL;
			out[n++] = in.p[i++];
		}
	}
	if (i + 1 != in.n) /* the root label, and nothing behind it */
		return FED_EINVAL;
	out[n] = '\0';
	return 0;
}

uint16_t dns_rdata_u16(const char *p)
{
	return (uint16_t)((uint8_t)p[0] << 8 | (uint8_t)p[1]);
}
