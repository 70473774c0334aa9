/* Cutting SIP, im and pres URIs (RFC 3261 19.1, RFC 3859, RFC 3860). */
#include "fe-gateway/core/address.h"

static int parse_scheme(struct span name, enum address_scheme *out)
{
	static const struct {
		struct span name;
		enum address_scheme scheme;
	} rows[] = {
		{{"sip", 3}, ADDRESS_SIP},
		{{"sips", 4}, ADDRESS_SIPS},
		{{"im", 2}, ADDRESS_IM},
		{{"pres", 4}, ADDRESS_PRES},
	};

	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		if (span_ieq(name, rows[i].name)) {
			*out = rows[i].scheme;
			return 0;
		}
	}
	return FED_EPROTO;
}

/* Controls, blanks and the brackets of name-addr are in no URI.  Bytes above
 * ASCII are none either, but are taken as the text they mean. */
static bool has_stray_byte(struct span uri)
{
	for (size_t i = 0; i < uri.n; i++) {
		unsigned char c = (unsigned char)uri.p[i];

		if (c <= 0x20 || c == 0x7F || c == '<' || c == '>' || c == '"')
			return true;
	}
	return false;
}

static int split_userinfo(struct span info, struct address_uri *out)
{
	size_t colon = span_find(info, ':', 0);

	if (colon == SIZE_MAX) {
		out->user = info;
	} else if (out->scheme == ADDRESS_SIP || out->scheme == ADDRESS_SIPS) {
		/* a password is nobody's business on the other side */
		out->user = span_sub(info, 0, colon);
	} else {
		return FED_EINVAL;
	}
	return out->user.n > 0 ? 0 : FED_EINVAL;
}

/* Index of the first of the given bytes, or the end. */
static size_t find_any(struct span s, const char *set, size_t from)
{
	for (size_t i = from; i < s.n; i++)
		for (const char *c = set; *c != '\0'; c++)
			if (s.p[i] == *c)
				return i;
	return s.n;
}

/* hostport; *rest is what follows. */
static int split_hostport(struct span in, struct address_uri *out,
			  struct span *rest)
{
	size_t from = 0;
	size_t end;
	struct span port;

	if (in.n > 0 && in.p[0] == '[') {
		from = span_find(in, ']', 0);
		if (from == SIZE_MAX)
			return FED_EINVAL;
		from++;
		if (from < in.n && find_any(in, ":;?", from) != from)
			return FED_EINVAL;
	}
	end = find_any(in, ":;?", from);
	out->host = span_sub(in, 0, end);
	*rest = span_sub(in, end, in.n);
	if (out->host.n == 0)
		return FED_EINVAL;
	if (rest->n == 0 || rest->p[0] != ':')
		return 0;
	end = find_any(*rest, ";?", 0);
	port = span_sub(*rest, 1, end);
	*rest = span_sub(*rest, end, rest->n);
	if (span_to_u32(port, &out->port) != 0 || out->port == 0 ||
	    out->port > 65535)
		return FED_EINVAL;
	return 0;
}

/* One parameter, without its semicolon. */
static int take_param(struct span param, struct address_uri *out)
{
	size_t eq = span_find(param, '=', 0);

	if (!span_ieq(span_sub(param, 0, eq), SPAN_LIT("gr")))
		return 0;
	if (out->has_gr) /* RFC 3261 19.1.1: a name stands once */
		return FED_EINVAL;
	out->has_gr = true;
	if (eq != SIZE_MAX)
		out->gr = span_sub(param, eq + 1, param.n);
	return 0;
}

/* ";a=b;c?headers" */
static int split_params(struct span in, struct address_uri *out)
{
	size_t at = 0;

	while (at < in.n && in.p[at] == ';') {
		size_t end = find_any(in, ";?", at + 1);
		int err = take_param(span_sub(in, at + 1, end), out);

		if (err != 0)
			return err;
		at = end;
	}
	return 0;
}

int address_uri_split(struct span uri, struct address_uri *out)
{
	size_t colon = span_find(uri, ':', 0);
	struct span rest;
	size_t at;
	int err;

	*out = (struct address_uri){.port = 0};
	if (colon == SIZE_MAX || has_stray_byte(uri))
		return FED_EINVAL;
	err = parse_scheme(span_sub(uri, 0, colon), &out->scheme);
	if (err != 0)
		return err;
	rest = span_sub(uri, colon + 1, uri.n);
	at = span_find(rest, '@', 0);
	if (at != SIZE_MAX) {
		err = split_userinfo(span_sub(rest, 0, at), out);
		if (err != 0)
			return err;
		rest = span_sub(rest, at + 1, rest.n);
	}
	err = split_hostport(rest, out, &rest);
	return err == 0 ? split_params(rest, out) : err;
}

int address_uri_domain(struct span uri, char *out, size_t out_size)
{
	struct address_uri u;
	int err = address_uri_split(uri, &u);

	return err == 0 ? domain_normalize(u.host, out, out_size) : err;
}

int address_uri_domain_ascii(struct span uri, char *out, size_t out_size)
{
	struct address_uri u;
	int err = address_uri_split(uri, &u);

	return err == 0 ? domain_to_ascii(u.host, out, out_size) : err;
}

bool address_host_eq(struct span a, struct span b)
{
	char text_a[LIMIT_DOMAIN_BYTES + 1];
	char text_b[LIMIT_DOMAIN_BYTES + 1];

	return domain_to_ascii(a, text_a, sizeof(text_a)) == 0 &&
	       domain_to_ascii(b, text_b, sizeof(text_b)) == 0 &&
	       span_eq_str(span_str(text_a), text_b);
}
