/* JIDs: split, then normalize each part in place.  Plain ASCII, which is
 * nearly every JID on the wire, is done here without a library call. */
#include "xmpp/jid.h"

#include <string.h>

#include "xmpp/domain.h"
#include "xmpp/jid_shape.h"
#include "xmpp/precis.h"

/* Sets of ASCII characters, one bit each, 32 to a word. */
static const uint32_t local_set[4] = {
	/* 20-3F: all but space " & ' / : < > (RFC 7622 3.3.1) */
	0,
	0xABFF7F3A,
	/* 40-5F: all but @ */
	0xFFFFFFFE,
	/* 60-7F: all but DEL */
	0x7FFFFFFF,
};

static const uint32_t resource_set[4] = {0, 0xFFFFFFFF, 0xFFFFFFFF, 0x7FFFFFFF};

static bool is_in_set(const uint32_t set[4], unsigned char c)
{
	return c < 0x80 && ((set[c >> 5] >> (c & 31)) & 1) != 0;
}

/* RFC 7622 3.3.1: what PRECIS allows and JIDs do not. */
static bool has_forbidden(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((p[i] & 0x80) == 0 &&
		    !is_in_set(local_set, (unsigned char)p[i]))
			return true;
	return false;
}

/* Copy ASCII of the set, in lower case if wanted; false: not all was. */
static bool copy_ascii(struct span in, const uint32_t set[4], bool is_lower,
		       char *out)
{
	if (in.n > LIMIT_JID_PART_BYTES)
		return false;
	for (size_t i = 0; i < in.n; i++) {
		unsigned char c = (unsigned char)in.p[i];

		if (!is_in_set(set, c))
			return false;
		if (is_lower && c >= 'A' && c <= 'Z')
			c = (unsigned char)(c + 32);
		out[i] = (char)c;
	}
	out[in.n] = '\0';
	return true;
}

static int put_local(struct span in, char *out, size_t *n_out)
{
	int err;

	if (copy_ascii(in, local_set, true, out)) {
		*n_out = in.n;
		return 0;
	}
	err = precis_username(in, out, LIMIT_JID_PART_BYTES + 1, n_out);
	if (err == 0 && has_forbidden(out, *n_out))
		return FED_EINVAL;
	return err;
}

/* COMPAT(stringprep, other versions of Unicode): what OpaqueString refuses may
 * be what the user's own server took: zero width joiners and variation
 * selectors of emoji, emoji that our tables do not know yet.  That server has
 * the say (RFC 7622 3.4, 4), so the resource stays as it is. */
static int put_resource(struct span in, char *out, size_t *n_out)
{
	int err;

	if (copy_ascii(in, resource_set, false, out)) {
		*n_out = in.n;
		return 0;
	}
	err = precis_opaque(in, out, LIMIT_JID_PART_BYTES + 1, n_out);
	if (err != FED_EINVAL)
		return err;
	return precis_verbatim(in, out, LIMIT_JID_PART_BYTES + 1, n_out);
}

int jid_make(struct span local, struct span domain, struct span resource,
	     struct jid *jid_out)
{
	struct jid *j = jid_out;
	int err = 0;

	j->local_n = 0;
	j->domain_at = 0;
	j->resource_at = 0;
	j->resource_n = 0;
	if (local.n > 0) {
		err = put_local(local, j->text, &j->local_n);
		if (err != 0)
			return err;
		j->text[j->local_n] = '@';
		j->domain_at = j->local_n + 1;
	}
	err = domain_normalize_n(domain, j->text + j->domain_at,
				 LIMIT_DOMAIN_BYTES + 1, &j->domain_n);
	if (err != 0 || resource.n == 0)
		return err;
	j->resource_at = j->domain_at + j->domain_n + 1;
	j->text[j->resource_at - 1] = '/';
	return put_resource(resource, j->text + j->resource_at, &j->resource_n);
}

int jid_parse(struct span in, struct jid *jid_out)
{
	struct jid_parts parts = jid_split(in);

	/* RFC 7622 3.3, 3.4: a separator promises a part */
	if ((parts.local.n == 0 && in.n > 0 && in.p[0] == '@') ||
	    (parts.resource.n == 0 && parts.bare.n < in.n))
		return FED_EINVAL;
	return jid_make(parts.local, parts.domain, parts.resource, jid_out);
}

struct span jid_local(const struct jid *j)
{
	return span_of(j->text, j->local_n);
}

struct span jid_domain(const struct jid *j)
{
	return span_of(j->text + j->domain_at, j->domain_n);
}

struct span jid_resource(const struct jid *j)
{
	return span_of(j->text + j->resource_at, j->resource_n);
}

struct span jid_bare(const struct jid *j)
{
	return span_of(j->text, j->domain_at + j->domain_n);
}

struct span jid_full(const struct jid *j)
{
	if (j->resource_at == 0)
		return jid_bare(j);
	return span_of(j->text, j->resource_at + j->resource_n);
}

struct jid_parts jid_split(struct span text)
{
	struct jid_parts parts = {.bare = text, .domain = text};
	size_t slash = span_find(text, '/', 0);
	size_t at;

	if (slash != SIZE_MAX) {
		parts.bare = span_sub(text, 0, slash);
		parts.resource = span_sub(text, slash + 1, text.n);
		parts.domain = parts.bare;
	}
	at = span_find(parts.bare, '@', 0);
	if (at != SIZE_MAX) {
		parts.local = span_sub(parts.bare, 0, at);
		parts.domain = span_sub(parts.bare, at + 1, parts.bare.n);
	}
	return parts;
}

/* Non-ASCII passes; ASCII has to be of the set and not upper case. */
static bool is_shaped_part(struct span s, const uint32_t set[4], bool is_lower)
{
	if (s.n > LIMIT_JID_PART_BYTES)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c >= 0x80)
			continue;
		if (!is_in_set(set, c) || (is_lower && c >= 'A' && c <= 'Z'))
			return false;
	}
	return true;
}

static bool has_high_byte(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((s.p[i] & 0x80) != 0)
			return true;
	return false;
}

/* '-' '.' 0-9 ':' '[' ']' a-z: names and both kinds of address literals */
static const uint32_t domain_set[4] = {0, 0x07FF6000, 0x28000000, 0x07FFFFFE};

bool jid_is_shaped(struct span text)
{
	struct jid_parts parts = jid_split(text);

	/* an empty part beside its separator */
	if (parts.domain.n == 0 || text.p[0] == '@' ||
	    (parts.resource.n == 0 && parts.bare.n < text.n))
		return false;
	return is_shaped_part(parts.local, local_set, true) &&
	       is_shaped_part(parts.domain, domain_set, true) &&
	       is_shaped_part(parts.resource, resource_set, false) &&
	       (!has_high_byte(text) || span_is_utf8(text));
}
