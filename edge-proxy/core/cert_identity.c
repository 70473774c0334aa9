/* Names of a certificate for XMPP. */
#include "edge-proxy/core/cert_identity.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/der.h"
#include "xmpp/jid.h"

#define SRV_PREFIX "_xmpp-server."

/* contents of the OBJECT IDENTIFIERs */
#define OID_BASIC_CONSTRAINTS SPAN_LIT("\x55\x1d\x13") /* 2.5.29.19 */
#define OID_SUBJECT_ALT_NAME SPAN_LIT("\x55\x1d\x11")  /* 2.5.29.17 */
#define OID_XMPP_ADDR SPAN_LIT("\x2b\x06\x01\x05\x05\x07\x08\x05")
#define OID_DNS_SRV SPAN_LIT("\x2b\x06\x01\x05\x05\x07\x08\x07")

enum name_kind { NAME_OTHER, NAME_DNS, NAME_SRV, NAME_XMPP };

struct name {
	enum name_kind kind;
	struct span text; /* hostile: any bytes */
};

/* What the extensions say. */
struct cert_names {
	struct span general_names; /* content of the SAN's SEQUENCE */
	bool has_san;
	bool has_constraints;
	bool is_ca;
};

/* RFC 5280 4.2.1.9: SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLen OPTIONAL } */
static int read_constraints(struct span value, struct cert_names *cn)
{
	struct span seq;
	struct span flag;

	if (cn->has_constraints || der_expect(&value, DER_SEQUENCE, &seq) != 0)
		return FED_EINVAL;
	cn->has_constraints = true;
	if (der_peek(seq) != DER_BOOLEAN)
		return 0;
	if (der_expect(&seq, DER_BOOLEAN, &flag) != 0 || flag.n != 1)
		return FED_EINVAL;
	cn->is_ca = flag.p[0] != 0;
	return 0;
}

static int read_alt_name(struct span value, struct cert_names *cn)
{
	/* RFC 5280 4.2: not more than one instance of an extension */
	if (cn->has_san ||
	    der_expect(&value, DER_SEQUENCE, &cn->general_names) != 0 ||
	    value.n != 0)
		return FED_EINVAL;
	cn->has_san = true;
	return 0;
}

/* Extension ::= SEQUENCE { OID, critical BOOLEAN DEFAULT FALSE, OCTET STRING }
 */
static int read_extension(struct span ext, struct cert_names *cn)
{
	struct span oid;
	struct span value;
	struct span critical;

	if (der_expect(&ext, DER_OID, &oid) != 0)
		return FED_EINVAL;
	if (der_peek(ext) == DER_BOOLEAN &&
	    der_expect(&ext, DER_BOOLEAN, &critical) != 0)
		return FED_EINVAL;
	if (der_expect(&ext, DER_OCTET_STRING, &value) != 0)
		return FED_EINVAL;
	if (span_eq(oid, OID_BASIC_CONSTRAINTS))
		return read_constraints(value, cn);
	if (span_eq(oid, OID_SUBJECT_ALT_NAME))
		return read_alt_name(value, cn);
	return 0;
}

static int read_extensions(struct span explicit_body, struct cert_names *cn)
{
	struct span list;
	struct span ext;

	if (der_expect(&explicit_body, DER_SEQUENCE, &list) != 0)
		return FED_EINVAL;
	while (list.n > 0)
		if (der_expect(&list, DER_SEQUENCE, &ext) != 0 ||
		    read_extension(ext, cn) != 0)
			return FED_EINVAL;
	return 0;
}

/* Certificate -> TBSCertificate -> extensions [3] (RFC 5280 4.1); what stands
 * before them is skipped by length only. */
static int read_cert(struct span der, struct cert_names *cn)
{
	struct span cert;
	struct span tbs;
	struct span body;
	unsigned tag = 0;

	memset(cn, 0, sizeof(*cn));
	if (der_expect(&der, DER_SEQUENCE, &cert) != 0 || der.n != 0 ||
	    der_expect(&cert, DER_SEQUENCE, &tbs) != 0)
		return FED_EINVAL;
	while (tbs.n > 0) {
		if (der_next(&tbs, &tag, &body) != 0)
			return FED_EINVAL;
		if (tag == DER_CONTEXT_CONS + 3)
			return read_extensions(body, cn);
	}
	return 0;
}

/* OtherName ::= SEQUENCE { type-id OID, value [0] EXPLICIT ANY } with implicit
 * tag (RFC 5280 4.2.1.6); SRVName is IA5String (RFC 4985 2), xmppAddr
 * UTF8String (RFC 6120 13.7.1.4). */
static int read_other_name(struct span body, struct name *out)
{
	struct span oid;
	struct span wrapped;
	bool is_srv;

	if (der_expect(&body, DER_OID, &oid) != 0 ||
	    der_expect(&body, DER_CONTEXT_CONS, &wrapped) != 0)
		return FED_EINVAL;
	is_srv = span_eq(oid, OID_DNS_SRV);
	if (!is_srv && !span_eq(oid, OID_XMPP_ADDR))
		return 0;
	out->kind = is_srv ? NAME_SRV : NAME_XMPP;
	return der_expect(&wrapped, is_srv ? DER_IA5_STRING : DER_UTF8_STRING,
			  &out->text);
}

/* Next GeneralName. */
static int next_name(struct span *names, struct name *out)
{
	unsigned tag = 0;
	struct span body;

	*out = (struct name){NAME_OTHER, SPAN_NULL};
	if (der_next(names, &tag, &body) != 0)
		return FED_EINVAL;
	if (tag == DER_CONTEXT_CONS)
		return read_other_name(body, out);
	if (tag == DER_CONTEXT + 2)
		*out = (struct name){NAME_DNS, body};
	return 0;
}

/* RFC 9525 6.3: '*' is a whole left-most label and stands for one label. */
static bool matches_dns(struct span pattern, struct span domain)
{
	size_t dot;

	if (span_ieq(pattern, domain))
		return true;
	if (!span_starts(pattern, SPAN_LIT("*.")))
		return false;
	dot = span_find(domain, '.', 0);
	if (dot == SIZE_MAX || dot == 0)
		return false;
	pattern = span_sub(pattern, 1, pattern.n);
	/* "*.tld" would speak for everybody */
	return span_find(pattern, '.', 1) != SIZE_MAX &&
	       span_ieq(pattern, span_sub(domain, dot, domain.n));
}

static bool matches_srv(struct span text, struct span domain)
{
	struct span prefix = SPAN_LIT(SRV_PREFIX);

	return text.n > prefix.n &&
	       span_ieq(span_sub(text, 0, prefix.n), prefix) &&
	       span_ieq(span_sub(text, prefix.n, text.n), domain);
}

static bool matches_xmpp(struct span text, struct span domain)
{
	char ascii[LIMIT_DOMAIN_BYTES + 1];

	return text.n > 0 && domain_to_ascii(text, ascii, sizeof(ascii)) == 0 &&
	       span_ieq(span_str(ascii), domain);
}

static bool matches_name(const struct name *n, struct span domain)
{
	switch (n->kind) {
	case NAME_DNS:
		return matches_dns(n->text, domain);
	case NAME_SRV:
		return matches_srv(n->text, domain);
	case NAME_XMPP:
		return matches_xmpp(n->text, domain);
	case NAME_OTHER:
		break;
	}
	return false;
}

bool cert_identity_matches(struct span der, struct span domain)
{
	char ascii[LIMIT_DOMAIN_BYTES + 1];
	struct cert_names cn;
	struct name n;
	bool is_match = false;

	if (domain.n == 0 || domain_to_ascii(domain, ascii, sizeof(ascii)) != 0)
		return false;
	/* RFC 6120 13.7.1.1: a CA's certificate is not an end entity's */
	if (read_cert(der, &cn) != 0 || cn.is_ca)
		return false;
	/* all names are read: a broken one spoils the certificate */
	while (cn.general_names.n > 0) {
		if (next_name(&cn.general_names, &n) != 0)
			return false;
		is_match = is_match || matches_name(&n, span_str(ascii));
	}
	return is_match;
}

size_t cert_identity_describe(struct span der, char *out, size_t out_size)
{
	static const char *const labels[] = {[NAME_OTHER] = "other",
					     [NAME_DNS] = "dns",
					     [NAME_SRV] = "srv",
					     [NAME_XMPP] = "xmpp"};
	struct cert_names cn;
	struct name n;
	size_t used = 0;

	if (out_size == 0)
		return 0;
	out[0] = '\0';
	if (read_cert(der, &cn) != 0)
		return 0;
	while (cn.general_names.n > 0 && used + 1 < out_size) {
		struct log_value text;
		int w;

		if (next_name(&cn.general_names, &n) != 0)
			break;
		if (n.kind == NAME_OTHER)
			continue;
		text = log_value(n.text);
		w = snprintf(out + used, out_size - used, "%s%s:%s",
			     used == 0 ? "" : " ", labels[n.kind], text.text);
		if (w < 0)
			break;
		used += (size_t)w < out_size - used ? (size_t)w
						    : out_size - used - 1;
	}
	return used;
}
