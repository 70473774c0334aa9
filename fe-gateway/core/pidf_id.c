/* Tuple ids and resources. */
#include "fe-gateway/core/pidf_id.h"

#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "xmpp/jid.h"

static const struct span PREFIX = {"ID-", 3};

/* No name is escaped to something that begins like this: 'x' is followed by
 * digits there. */
static const struct span MARK = {"ID-_x_", 6};

enum { DIGEST_DIGITS = 32 };

static void copy_text(struct span s, char *out)
{
	if (s.n > 0)
		memcpy(out, s.p, s.n);
	out[s.n] = '\0';
}

static int digest_of(struct span s, struct span prefix, char *out)
{
	uint8_t hash[SHA256_BYTES];
	char hex[SHA256_HEX_BYTES + 1];
	int err = digest_sha256(s, hash);

	if (err != 0)
		return err;
	digest_hex(hash, sizeof(hash), hex);
	copy_text(prefix, out);
	copy_text(span_of(hex, DIGEST_DIGITS), out + prefix.n);
	return 0;
}

static bool is_bare(struct span s, size_t at)
{
	char c = s.p[at];

	if (c == '_')
		return at + 1 == s.n || s.p[at + 1] != 'x';
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '.' || c == '-';
}

/* The code point at s.p[*at], which is moved behind it.  The input is valid
 * UTF-8, so look-ahead stays inside. */
static uint32_t take_code_point(struct span s, size_t *at)
{
	const unsigned char *p = (const unsigned char *)s.p + *at;
	size_t more = p[0] >= 0xF0 ? 3 : p[0] >= 0xE0 ? 2 : p[0] >= 0xC0;
	uint32_t c = more == 0 ? p[0] : p[0] & (0x3Fu >> more);

	for (size_t i = 1; i <= more; i++)
		c = c << 6 | (p[i] & 0x3Fu);
	*at += more + 1;
	return c;
}

/* false: it would be longer than it may */
static bool escape(struct span name, char out[LIMIT_PIDF_ID_BYTES + 1])
{
	size_t n = 0;

	for (size_t at = 0; at < name.n;) {
		char code[sizeof("_x0010FFFF_")];
		uint32_t c;
		size_t len;

		if (is_bare(name, at)) {
			if (n == LIMIT_PIDF_ID_BYTES)
				return false;
			out[n++] = name.p[at++];
			continue;
		}
		c = take_code_point(name, &at);
		len = (size_t)snprintf(code, sizeof(code), "_x%0*X_",
				       c > 0xFFFF ? 8 : 4, c);
		if (n + len > LIMIT_PIDF_ID_BYTES)
			return false;
		memcpy(out + n, code, len);
		n += len;
	}
	out[n] = '\0';
	return true;
}

int pidf_id_make(struct span name, char out[PIDF_ID_BYTES + 1])
{
	if (name.n == 0) {
		copy_text(MARK, out);
		return 0;
	}
	copy_text(PREFIX, out);
	if (span_is_utf8(name) && escape(name, out + PREFIX.n))
		return 0;
	return digest_of(name, MARK, out);
}

/* ---- back ---- */

/* "_x0020_" at the front: the code point and its length; 0: there is none. */
static size_t take_escape(struct span s, uint32_t *c_out)
{
	size_t n = 2;
	uint32_t c = 0;

	if (!span_starts(s, SPAN_LIT("_x")))
		return 0;
	for (; n < s.n && n < 10 && s.p[n] != '_'; n++) {
		char d = s.p[n];

		if (d >= '0' && d <= '9')
			c = c * 16 + (uint32_t)(d - '0');
		else if (d >= 'A' && d <= 'F')
			c = c * 16 + (uint32_t)(d - 'A') + 10;
		else
			return 0;
	}
	*c_out = c;
	return n < s.n && s.p[n] == '_' ? n + 1 : 0;
}

/* As UTF-8, never longer than the escape was. */
static size_t put_code_point(uint32_t c, char *out)
{
	static const unsigned char lead[] = {0, 0xC0, 0xE0, 0xF0};
	size_t more = c >= 0x10000 ? 3 : c >= 0x800 ? 2 : c >= 0x80;

	out[0] = (char)(lead[more] | c >> 6 * more);
	for (size_t i = 1; i <= more; i++)
		out[i] = (char)(0x80u | (c >> 6 * (more - i) & 0x3F));
	return more + 1;
}

/* Into `out`, as long as s at most; what is no escape stays. */
static size_t unescape(struct span s, char *out)
{
	size_t n = 0;

	for (size_t at = 0; at < s.n;) {
		uint32_t c;
		size_t len = take_escape(span_sub(s, at, s.n), &c);

		if (len == 0 || c > 0x10FFFF) {
			out[n++] = s.p[at++];
			continue;
		}
		n += put_code_point(c, out + n);
		at += len;
	}
	return n;
}

/* The name that pidf_id_make() would write as this; false: there is none. */
static bool is_ours(struct span id, char name[PIDF_ID_BYTES + 1])
{
	char again[PIDF_ID_BYTES + 1];

	if (id.n > PIDF_ID_BYTES || !span_starts(id, PREFIX))
		return false;
	name[unescape(span_sub(id, PREFIX.n, id.n), name)] = '\0';
	return span_is_utf8(span_str(name)) &&
	       pidf_id_make(span_str(name), again) == 0 &&
	       span_eq_str(id, again);
}

/* 0; FED_EINVAL it cannot be a resource; FED_ENOMEM */
static int make_fit(struct span s, char out[LIMIT_JID_PART_BYTES + 1])
{
	struct jid jid;
	int err;

	if (s.n == 0)
		return FED_EINVAL;
	err = jid_make(SPAN_NULL, SPAN_LIT("x"), s, &jid);
	if (err != 0)
		return err == FED_ENOMEM ? err : FED_EINVAL;
	copy_text(jid_resource(&jid), out);
	return 0;
}

int pidf_id_name(struct span id, char out[LIMIT_JID_PART_BYTES + 1])
{
	char name[PIDF_ID_BYTES + 1];
	int err = FED_EINVAL;

	if (span_eq(id, MARK)) {
		out[0] = '\0';
		return 0;
	}
	if (is_ours(id, name))
		err = make_fit(span_str(name), out);
	if (err == FED_EINVAL)
		err = make_fit(span_starts(id, PREFIX)
				       ? span_sub(id, PREFIX.n, id.n)
				       : id,
			       out);
	return err == FED_EINVAL ? digest_of(id, SPAN_NULL, out) : err;
}
