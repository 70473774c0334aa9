/* Issuer, dates, key and usage of a certificate (RFC 5280 4.1). */
#include "edge-proxy/core/cert_facts.h"

#include <stdio.h>
#include <string.h>

#include "base/der.h"
#include "base/log.h"
#include "edge-proxy/core/attempts.h"
#include "edge-proxy/core/cert_identity.h"
#include "edge-proxy/core/stamp.h"

enum {
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_UTC_TIME = 0x17,
	DER_GENERALIZED_TIME = 0x18,
	DER_SET = 0x31,
};

#define OID_COMMON_NAME SPAN_LIT("\x55\x04\x03")
#define OID_ORGANISATION SPAN_LIT("\x55\x04\x0a")
#define OID_BASIC_CONSTRAINTS SPAN_LIT("\x55\x1d\x13")
#define OID_EXT_KEY_USAGE SPAN_LIT("\x55\x1d\x25")
#define OID_ANY_USAGE SPAN_LIT("\x55\x1d\x25\x00")
#define OID_SERVER_AUTH SPAN_LIT("\x2b\x06\x01\x05\x05\x07\x03\x01")
#define OID_CLIENT_AUTH SPAN_LIT("\x2b\x06\x01\x05\x05\x07\x03\x02")
#define OID_RSA SPAN_LIT("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01")
#define OID_EC SPAN_LIT("\x2a\x86\x48\xce\x3d\x02\x01")
#define OID_ED25519 SPAN_LIT("\x2b\x65\x70")
#define OID_ED448 SPAN_LIT("\x2b\x65\x71")

struct oid_bits {
	struct span oid;
	unsigned bits;
};

/* ---- names --------------------------------------------------------------- */

/* Name ::= SEQUENCE OF SET OF SEQUENCE { OID, string } */
static void read_name(struct span name, char *out, size_t out_size)
{
	struct span set;
	struct span pair;
	struct span oid;
	struct span text;
	unsigned tag = 0;
	bool is_common;

	out[0] = '\0';
	while (der_expect(&name, DER_SET, &set) == 0) {
		if (der_expect(&set, DER_SEQUENCE, &pair) != 0 ||
		    der_expect(&pair, DER_OID, &oid) != 0 ||
		    der_next(&pair, &tag, &text) != 0)
			return;
		is_common = span_eq(oid, OID_COMMON_NAME);
		if (is_common || span_eq(oid, OID_ORGANISATION))
			(void)snprintf(out, out_size, "%s",
				       log_value(text).text);
		if (is_common)
			return;
	}
}

/* ---- dates --------------------------------------------------------------- */

/* Time ::= UTCTime YYMMDDHHMMSSZ | GeneralizedTime YYYYMMDDHHMMSSZ
 * (RFC 5280 4.1.2.5) */
static int read_time(struct span *in, int64_t *ms_out)
{
	char stamp[32];
	struct span t;
	unsigned tag = 0;
	const char *century = "";

	if (der_next(in, &tag, &t) != 0)
		return FED_EINVAL;
	if (tag == DER_UTC_TIME && t.n == 13)
		century = t.p[0] >= '5' ? "19" : "20";
	else if (tag != DER_GENERALIZED_TIME || t.n != 15)
		return FED_EINVAL;
	(void)snprintf(stamp, sizeof(stamp), "%s%.*s", century, (int)t.n, t.p);
	if (strlen(stamp) != 15)
		return FED_EINVAL;
	/* 20260102030405Z to 2026-01-02T03:04:05Z */
	(void)snprintf(stamp, sizeof(stamp),
		       "%s%.*s-%.2s-%.2s"
		       "T%.2s:%.2s:%.2sZ",
		       century, 4 - (int)strlen(century), t.p, t.p + t.n - 11,
		       t.p + t.n - 9, t.p + t.n - 7, t.p + t.n - 5,
		       t.p + t.n - 3);
	return stamp_parse(span_str(stamp), ms_out);
}

static int read_validity(struct span seq, struct cert_facts *f)
{
	return read_time(&seq, &f->from_ms) != 0 ||
			       read_time(&seq, &f->to_ms) != 0
		       ? FED_EINVAL
		       : 0;
}

/* ---- key ----------------------------------------------------------------- */

static unsigned bits_of(struct span number)
{
	unsigned bits;
	unsigned top;

	while (number.n > 0 && number.p[0] == '\0')
		number = span_sub(number, 1, SIZE_MAX);
	if (number.n == 0 || number.n > 4096)
		return 0;
	bits = 8 * (unsigned)number.n;
	top = (unsigned char)number.p[0];
	while ((top & 0x80u) == 0) {
		top <<= 1;
		bits--;
	}
	return bits;
}

/* BIT STRING of SEQUENCE { modulus INTEGER, ... } (RFC 8017 A.1.1) */
static unsigned rsa_bits(struct span key)
{
	struct span seq;
	struct span modulus;

	if (key.n < 1 || key.p[0] != '\0')
		return 0;
	key = span_sub(key, 1, SIZE_MAX);
	if (der_expect(&key, DER_SEQUENCE, &seq) != 0 ||
	    der_expect(&seq, DER_INTEGER, &modulus) != 0)
		return 0;
	return bits_of(modulus);
}

/* The named curve (RFC 5480 2.1.1.1). */
static unsigned curve_bits(struct span oid)
{
	const struct oid_bits curves[] = {
		{SPAN_LIT("\x2a\x86\x48\xce\x3d\x03\x01\x07"), 256},
		{SPAN_LIT("\x2b\x81\x04\x00\x22"), 384},
		{SPAN_LIT("\x2b\x81\x04\x00\x23"), 521},
		{SPAN_LIT("\x2b\x81\x04\x00\x0a"), 256},
		{SPAN_LIT("\x2a\x86\x48\xce\x3d\x03\x01\x01"), 192},
		{SPAN_LIT("\x2b\x81\x04\x00\x21"), 224},
	};

	for (size_t i = 0; i < FED_ARRAY_LEN(curves); i++)
		if (span_eq(oid, curves[i].oid))
			return curves[i].bits;
	return 0;
}

static int read_key(struct span spki, struct cert_facts *f)
{
	struct span algorithm;
	struct span oid;
	struct span curve;
	struct span key;

	if (der_expect(&spki, DER_SEQUENCE, &algorithm) != 0 ||
	    der_expect(&algorithm, DER_OID, &oid) != 0 ||
	    der_expect(&spki, DER_BIT_STRING, &key) != 0)
		return FED_EINVAL;
	if (span_eq(oid, OID_RSA)) {
		f->key = CERT_KEY_RSA;
		f->key_bits = rsa_bits(key);
	} else if (span_eq(oid, OID_EC)) {
		f->key = CERT_KEY_EC;
		if (der_expect(&algorithm, DER_OID, &curve) == 0)
			f->key_bits = curve_bits(curve);
	} else if (span_eq(oid, OID_ED25519) || span_eq(oid, OID_ED448)) {
		f->key = CERT_KEY_EDWARDS;
		f->key_bits = span_eq(oid, OID_ED25519) ? 256 : 456;
	}
	return 0;
}

/* md5WithRSA, sha1WithRSA, ecdsa-with-SHA1 */
static bool is_weak(struct span algorithm)
{
	const struct span weak[] = {
		SPAN_LIT("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04"),
		SPAN_LIT("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05"),
		SPAN_LIT("\x2a\x86\x48\xce\x3d\x04\x01"),
	};
	struct span oid;

	if (der_expect(&algorithm, DER_OID, &oid) != 0)
		return false;
	for (size_t i = 0; i < FED_ARRAY_LEN(weak); i++)
		if (span_eq(oid, weak[i]))
			return true;
	return false;
}

/* ---- extensions ---------------------------------------------------------- */

static void read_usage(struct span value, struct cert_facts *f)
{
	struct span list;
	struct span oid;

	f->has_usage = true;
	if (der_expect(&value, DER_SEQUENCE, &list) != 0)
		return;
	while (der_expect(&list, DER_OID, &oid) == 0) {
		bool is_any = span_eq(oid, OID_ANY_USAGE);

		f->is_server |= is_any || span_eq(oid, OID_SERVER_AUTH);
		f->is_client |= is_any || span_eq(oid, OID_CLIENT_AUTH);
	}
}

static void read_constraints(struct span value, struct cert_facts *f)
{
	struct span seq;
	struct span flag;

	if (der_expect(&value, DER_SEQUENCE, &seq) == 0 &&
	    der_expect(&seq, DER_BOOLEAN, &flag) == 0 && flag.n == 1)
		f->is_ca = flag.p[0] != '\0';
}

static void read_extensions(struct span body, struct cert_facts *f)
{
	struct span list;
	struct span ext;
	struct span oid;
	struct span flag;
	struct span value;

	if (der_expect(&body, DER_SEQUENCE, &list) != 0)
		return;
	while (der_expect(&list, DER_SEQUENCE, &ext) == 0) {
		if (der_expect(&ext, DER_OID, &oid) != 0)
			return;
		if (der_peek(ext) == DER_BOOLEAN &&
		    der_expect(&ext, DER_BOOLEAN, &flag) != 0)
			return;
		if (der_expect(&ext, DER_OCTET_STRING, &value) != 0)
			return;
		if (span_eq(oid, OID_EXT_KEY_USAGE))
			read_usage(value, f);
		else if (span_eq(oid, OID_BASIC_CONSTRAINTS))
			read_constraints(value, f);
	}
}

/* TBSCertificate: [0] version, serial, signature, issuer, validity, subject,
 * key, then optional parts. */
static int read_tbs(struct span tbs, struct cert_facts *f)
{
	struct span part;
	struct span issuer;
	struct span subject;
	unsigned tag = 0;

	if (der_peek(tbs) == DER_CONTEXT_CONS &&
	    der_expect(&tbs, DER_CONTEXT_CONS, &part) != 0)
		return FED_EINVAL;
	if (der_expect(&tbs, DER_INTEGER, &part) != 0 ||
	    der_expect(&tbs, DER_SEQUENCE, &part) != 0)
		return FED_EINVAL;
	f->is_weak_hash = is_weak(part);
	if (der_expect(&tbs, DER_SEQUENCE, &issuer) != 0 ||
	    der_expect(&tbs, DER_SEQUENCE, &part) != 0 ||
	    read_validity(part, f) != 0 ||
	    der_expect(&tbs, DER_SEQUENCE, &subject) != 0 ||
	    der_expect(&tbs, DER_SEQUENCE, &part) != 0 ||
	    read_key(part, f) != 0)
		return FED_EINVAL;
	f->is_self_issued = span_eq(issuer, subject);
	read_name(issuer, f->issuer, sizeof(f->issuer));
	read_name(subject, f->subject, sizeof(f->subject));
	while (der_next(&tbs, &tag, &part) == 0)
		if (tag == DER_CONTEXT_CONS + 3)
			read_extensions(part, f);
	return 0;
}

int cert_facts_read(struct span der, struct cert_facts *f_out)
{
	struct span cert;
	struct span tbs;

	*f_out = (struct cert_facts){.key = CERT_KEY_OTHER};
	if (der_expect(&der, DER_SEQUENCE, &cert) != 0 ||
	    der_expect(&cert, DER_SEQUENCE, &tbs) != 0)
		return FED_EINVAL;
	return read_tbs(tbs, f_out);
}

/* ---- judgement ----------------------------------------------------------- */

static bool bad_date(const struct cert_facts *f, int64_t wall_ms, char *out,
		     size_t out_size)
{
	char day[40];

	if (wall_ms > f->to_ms) {
		attempt_day(f->to_ms, day, sizeof(day));
		(void)snprintf(out, out_size, "its certificate expired on %s",
			       day);
	} else if (wall_ms < f->from_ms) {
		attempt_day(f->from_ms, day, sizeof(day));
		(void)snprintf(out, out_size,
			       "its certificate is not valid before %s", day);
	} else {
		return false;
	}
	return true;
}

static void bad_chain(const struct tls_facts *tls, const struct cert_facts *f,
		      char *out, size_t out_size)
{
	if (strstr(tls->chain_problem, "self-signed") != NULL)
		(void)snprintf(out, out_size,
			       "its certificate is self-signed (by \"%s\")",
			       f->issuer);
	else if (strstr(tls->chain_problem, "issuer not trusted") != NULL)
		(void)snprintf(out, out_size,
			       "its certificate is from a CA that is not "
			       "trusted here, or intermediate certificates are "
			       "missing (issuer \"%s\")",
			       f->issuer);
	else
		(void)snprintf(out, out_size,
			       "its certificate is refused: %s (issuer "
			       "\"%s\")",
			       tls->chain_problem, f->issuer);
}

bool cert_facts_judge(const struct tls_facts *tls, struct span domain,
		      int64_t wall_ms, char *out, size_t out_size)
{
	struct cert_facts f;
	char names[160];
	char day[40];

	if (!tls->has_peer_cert) {
		(void)snprintf(out, out_size, "it shows no certificate");
		return false;
	}
	if (cert_facts_read(tls->peer_cert_der, &f) != 0) {
		(void)snprintf(out, out_size, "its certificate cannot be read");
		return false;
	}
	if (bad_date(&f, wall_ms, out, out_size))
		return false;
	if (!tls->is_chain_valid) {
		bad_chain(tls, &f, out, out_size);
		return false;
	}
	(void)cert_identity_describe(tls->peer_cert_der, names, sizeof(names));
	if (!cert_identity_matches(tls->peer_cert_der, domain)) {
		(void)snprintf(out, out_size,
			       "its certificate is not for %s but for %s",
			       log_value(domain).text,
			       names[0] == '\0' ? "no XMPP name" : names);
		return false;
	}
	attempt_day(f.to_ms, day, sizeof(day));
	(void)snprintf(out, out_size,
		       "its certificate (%s) is valid until %s, issuer \"%s\"",
		       names, day, f.issuer);
	return true;
}
