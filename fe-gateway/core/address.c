/* URIs to JIDs and back (RFC 7247 6.4, 6.5, with XEP-0106 in full). */
#include "fe-gateway/core/address.h"

#include <string.h>

#include "fe-gateway/core/address_text.h"

/* A user who cannot be a localpart: refused without saying that the URI itself
 * is bad.  Only a bad host is the URI's fault. */
static int blame(int err, struct span host)
{
	char text[LIMIT_DOMAIN_BYTES + 1];

	if (err != FED_EINVAL)
		return err;
	return domain_normalize(host, text, sizeof(text)) == 0 ? FED_ENOTFOUND
							       : FED_EINVAL;
}

/* Decoded user to localpart: fold, then escape.  Only this order is safe:
 * U+FF20 folds to '@', and an upper-case escape to a real one. */
static int make_local(struct span user, char *out, size_t *n_out)
{
	char decoded[ADDRESS_DECODED_BYTES + 1];
	char folded[LIMIT_JID_PART_BYTES + 1];
	size_t n = 0;
	int err = address_decode(user, decoded, &n);

	if (err != 0)
		return err;
	err = precis_fold_username(span_of(decoded, n), folded, sizeof(folded));
	if (err != 0)
		return err == FED_EINVAL ? FED_ENOTFOUND : err;
	return address_escape(span_str(folded), out, n_out);
}

static int make_jid(const struct address_uri *u, struct span local,
		    struct jid *jid_out)
{
	char resource[ADDRESS_DECODED_BYTES + 1];
	size_t n = 0;
	int err;

	/* RFC 7247 6.3: ";gr" without a value is a temporary GRUU, no device */
	err = address_decode(u->gr, resource, &n);
	if (err != 0)
		return err;
	err = jid_make(local, u->host, span_of(resource, n), jid_out);
	if (err != 0)
		return blame(err, u->host);
	/* an escape ends in a letter, and a combining mark behind it would
	 * compose with that: "\3a" and U+0301 */
	return span_eq(jid_local(jid_out), local) ? 0 : FED_ENOTFOUND;
}

int address_uri_to_jid(struct span uri, struct jid *jid_out)
{
	char local[LIMIT_JID_PART_BYTES + 1];
	struct address_uri u;
	size_t n = 0;
	int err = address_uri_split(uri, &u);

	if (err != 0)
		return err;
	if (u.scheme == ADDRESS_SIPS)
		return FED_EDENIED;
	if (u.user.n > 0) {
		err = make_local(u.user, local, &n);
		if (err != 0)
			return err;
	}
	return make_jid(&u, span_of(local, n), jid_out);
}

int address_error_status(int err, bool is_target)
{
	switch (err) {
	case FED_EDENIED:
		return 480;
	case FED_ENOMEM:
		return 500;
	case FED_EPROTO:
		return is_target ? 416 : 400;
	case FED_ENOTFOUND:
		return is_target ? 404 : 400;
	case FED_ELIMIT:
		return is_target ? 414 : 400;
	default:
		return 400;
	}
}

/* Localpart to user, refused when the way back would lead elsewhere: \5c that
 * escapes nothing, a space at an end, a mark that composes with what was
 * escaped. */
static int make_user(struct span local, char *out, size_t *n_out)
{
	char text[LIMIT_JID_PART_BYTES + 1];
	size_t n = 0;
	int err;

	address_unescape(local, out, n_out);
	if (span_find(local, '\\', 0) == SIZE_MAX)
		return 0;
	err = precis_fold_username(span_of(out, *n_out), text, sizeof(text));
	if (err == 0 && !span_eq_str(span_of(out, *n_out), text))
		err = FED_EINVAL;
	if (err == 0)
		err = address_escape(span_of(out, *n_out), text, &n);
	if (err == 0 && !span_eq(span_of(text, n), local))
		err = FED_EINVAL;
	return err == FED_ENOTFOUND ? FED_EINVAL : err;
}

/* The pieces of a URI that is to be written. */
struct pieces {
	struct span prefix; /* scheme and colon */
	struct span user;
	enum address_place user_place;
	struct span host;
	struct span join; /* before the device */
	struct span device;
	enum address_place device_place;
};

static char *put(char *p, struct span s)
{
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return p + s.n;
}

/* All or nothing: the length is known before the first byte is written. */
static int write_pieces(const struct pieces *w, struct buf *out)
{
	size_t n = w->prefix.n + w->host.n;
	char *start;
	char *p;

	if (w->user.n > 0)
		n += address_encoded_bytes(w->user, w->user_place) + 1;
	if (w->device.n > 0)
		n += address_encoded_bytes(w->device, w->device_place) +
		     w->join.n;
	start = buf_reserve(out, n);
	if (start == NULL)
		return FED_ELIMIT;
	p = put(start, w->prefix);
	if (w->user.n > 0) {
		p = address_encode(w->user, w->user_place, p);
		*p++ = '@';
	}
	p = put(p, w->host);
	if (w->device.n > 0) {
		p = put(p, w->join);
		p = address_encode(w->device, w->device_place, p);
	}
	buf_commit(out, (size_t)(p - start));
	return 0;
}

static struct span scheme_prefix(enum address_scheme scheme)
{
	switch (scheme) {
	case ADDRESS_SIP:
		break;
	case ADDRESS_SIPS:
		return SPAN_LIT("sips:");
	case ADDRESS_IM:
		return SPAN_LIT("im:");
	case ADDRESS_PRES:
		return SPAN_LIT("pres:");
	}
	return SPAN_LIT("sip:");
}

static int write_jid(struct span jid, enum address_scheme scheme,
		     bool with_resource, struct buf *out)
{
	bool is_sip = scheme == ADDRESS_SIP || scheme == ADDRESS_SIPS;
	char user[LIMIT_JID_PART_BYTES + 1];
	char host[LIMIT_DOMAIN_BYTES + 1];
	struct pieces w = {
		.prefix = scheme_prefix(scheme),
		.user_place =
			is_sip ? ADDRESS_PLACE_SIP_USER : ADDRESS_PLACE_IM_USER,
		.join = SPAN_LIT(";gr="),
		.device_place = ADDRESS_PLACE_SIP_GR,
	};
	struct jid j;
	size_t user_n = 0;
	int err = jid_parse(jid, &j);

	if (err == 0)
		err = make_user(jid_local(&j), user, &user_n);
	if (err == 0)
		err = domain_to_ascii(jid_domain(&j), host, sizeof(host));
	if (err != 0)
		return err;
	w.user = span_of(user, user_n);
	w.host = span_str(host);
	if (with_resource && is_sip)
		w.device = jid_resource(&j);
	return write_pieces(&w, out);
}

int address_jid_to_uri(struct span jid, enum address_scheme scheme,
		       struct buf *out)
{
	return write_jid(jid, scheme, true, out);
}

int address_jid_to_aor(struct span jid, enum address_scheme scheme,
		       struct buf *out)
{
	return write_jid(jid, scheme, false, out);
}

Fed__Condition address_error_condition(int err)
{
	if (err == FED_ENOMEM)
		return FED__CONDITION__INTERNAL_SERVER_ERROR;
	return FED__CONDITION__JID_MALFORMED;
}

bool address_uri_same_user(struct span a, struct span b)
{
	struct jid ja;
	struct jid jb;

	return address_uri_to_jid(a, &ja) == 0 &&
	       address_uri_to_jid(b, &jb) == 0 &&
	       span_eq(jid_bare(&ja), jid_bare(&jb));
}

/* The JID of "xmpp:[//authority/]node@host/resource?query#fragment". */
static int iri_to_jid(struct span path, struct jid *jid_out)
{
	char local[ADDRESS_DECODED_BYTES + 1];
	char domain[ADDRESS_DECODED_BYTES + 1];
	char resource[ADDRESS_DECODED_BYTES + 1];
	struct jid_parts parts;
	size_t n[3];

	if (span_starts(path, SPAN_LIT("//"))) {
		size_t slash = span_find(path, '/', 2);

		if (slash == SIZE_MAX)
			return FED_EINVAL;
		path = span_sub(path, slash + 1, path.n);
	}
	path = span_sub(path, 0, span_find(path, '#', 0));
	path = span_sub(path, 0, span_find(path, '?', 0));
	parts = jid_split(path);
	if (path.n > 0 && path.p[0] == '@')
		return FED_EINVAL;
	if (address_decode(parts.local, local, &n[0]) != 0 ||
	    address_decode(parts.domain, domain, &n[1]) != 0 ||
	    address_decode(parts.resource, resource, &n[2]) != 0)
		return FED_EINVAL;
	return jid_make(span_of(local, n[0]), span_of(domain, n[1]),
			span_of(resource, n[2]), jid_out);
}

int address_iri_to_uri(struct span iri, struct buf *out)
{
	size_t colon = span_find(iri, ':', 0);
	struct jid j;
	int err;

	if (colon != SIZE_MAX &&
	    span_ieq(span_sub(iri, 0, colon), SPAN_LIT("xmpp")))
		err = iri_to_jid(span_sub(iri, colon + 1, iri.n), &j);
	else
		err = address_uri_to_jid(iri, &j);
	if (err != 0)
		return err;
	return address_jid_to_uri(jid_full(&j), ADDRESS_SIP, out);
}

int address_uri_to_iri(struct span uri, struct buf *out)
{
	char host[LIMIT_DOMAIN_BYTES + 1];
	struct pieces w = {
		.prefix = SPAN_LIT("xmpp:"),
		.user_place = ADDRESS_PLACE_XMPP_NODE,
		.join = SPAN_LIT("/"),
		.device_place = ADDRESS_PLACE_XMPP_RES,
	};
	struct jid j;
	int err = address_uri_to_jid(uri, &j);

	if (err == 0)
		err = domain_to_ascii(jid_domain(&j), host, sizeof(host));
	if (err != 0)
		return err;
	w.user = jid_local(&j);
	w.host = span_str(host);
	w.device = jid_resource(&j);
	return write_pieces(&w, out);
}
