/* What is checked of a peer's certificate, and how it is told. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "io/tls_priv.h"

/* Of these a server takes no notice: many XMPP servers show a certificate
 * that is meant for TLS servers only when they are the client (XEP-0178,
 * RFC 6120 13.7.2).  mbedTLS checks usage after the verify callback, so the
 * flags are taken out of the result; with TLS_VERIFY_REQUIRED (a private CA,
 * our own certificates) they count. */
enum {
	USAGE_FLAGS = MBEDTLS_X509_BADCERT_KEY_USAGE |
		      MBEDTLS_X509_BADCERT_EXT_KEY_USAGE |
		      MBEDTLS_X509_BADCERT_NS_CERT_TYPE,
};

struct flag_text {
	uint32_t flag;
	const char *text;
};

static const struct flag_text flag_texts[] = {
	{MBEDTLS_X509_BADCERT_MISSING, "no certificate"},
	{MBEDTLS_X509_BADCERT_SKIP_VERIFY, "not verified"},
	{MBEDTLS_X509_BADCERT_REVOKED, "revoked certificate"},
	{MBEDTLS_X509_BADCERT_EXPIRED, "expired certificate"},
	{MBEDTLS_X509_BADCERT_FUTURE, "certificate not valid yet"},
	{MBEDTLS_X509_BADCERT_BAD_MD, "weak signature hash"},
	{MBEDTLS_X509_BADCERT_BAD_PK, "signature algorithm not accepted"},
	{MBEDTLS_X509_BADCERT_BAD_KEY, "key too weak"},
	{MBEDTLS_X509_BADCERT_KEY_USAGE, "key usage forbids it"},
	{MBEDTLS_X509_BADCERT_EXT_KEY_USAGE,
	 "extended key usage forbids it (serverAuth/clientAuth)"},
	{MBEDTLS_X509_BADCERT_NS_CERT_TYPE, "certificate type forbids it"},
	{MBEDTLS_X509_BADCRL_NOT_TRUSTED, "revocation list not trusted"},
	{MBEDTLS_X509_BADCRL_EXPIRED, "revocation list out of date"},
	{MBEDTLS_X509_BADCRL_FUTURE, "revocation list from the future"},
	{MBEDTLS_X509_BADCERT_OTHER, "certificate refused"},
};

int64_t tls_verify_time_ms(const mbedtls_x509_time *t)
{
	struct tm utc = {
		.tm_year = t->year - 1900,
		.tm_mon = t->mon - 1,
		.tm_mday = t->day,
		.tm_hour = t->hour,
		.tm_min = t->min,
		.tm_sec = t->sec,
	};

	return (int64_t)timegm(&utc) * 1000;
}

int64_t tls_crl_until_ms(const mbedtls_x509_crl *crl, int64_t after_ms)
{
	int64_t until = INT64_MAX;

	for (; crl != NULL && crl->raw.p != NULL; crl = crl->next) {
		int64_t next = tls_verify_time_ms(&crl->next_update);

		/* RFC 5280 5.1.2.5: always there; the library takes others */
		if (crl->next_update.year != 0 && next > after_ms &&
		    next < until)
			until = next;
	}
	return until;
}

int tls_verify_callback(void *arg, mbedtls_x509_crt *crt, int depth,
			uint32_t *flags)
{
	struct tls_engine *e = arg;
	int64_t end_ms = tls_verify_time_ms(&crt->valid_to);
	int64_t crl_ms = tls_crl_until_ms(&e->slot->crl, e->verdict.issued_ms);

	if (end_ms > crl_ms)
		end_ms = crl_ms;
	if (end_ms < e->verdict.until_ms)
		e->verdict.until_ms = end_ms;
	/* Names are judged elsewhere (RFC 6120 13.7.2), against the XMPP
	 * domain; the host name is set for SNI only. */
	if (depth == 0)
		*flags &= ~(uint32_t)MBEDTLS_X509_BADCERT_CN_MISMATCH;
	return 0;
}

uint32_t tls_verify_flags(uint32_t flags, enum tls_side side)
{
	flags &= ~(uint32_t)MBEDTLS_X509_BADCERT_CN_MISMATCH;
	if (side == TLS_SERVER)
		flags &= ~(uint32_t)USAGE_FLAGS;
	return flags;
}

static bool is_self_signed(const mbedtls_x509_crt *cert)
{
	return cert != NULL && cert->subject_raw.len == cert->issuer_raw.len &&
	       memcmp(cert->subject_raw.p, cert->issuer_raw.p,
		      cert->subject_raw.len) == 0;
}

static void add_text(char *out, size_t out_size, const char *text)
{
	size_t n = strlen(out);

	(void)snprintf(out + n, out_size - n, "%s%s", n > 0 ? ", " : "", text);
}

void tls_verify_explain(uint32_t flags, const mbedtls_x509_crt *cert, char *out,
			size_t out_size)
{
	out[0] = '\0';
	if (flags == UINT32_MAX) { /* the library's "it never came to that" */
		add_text(out, out_size, "not verified");
		return;
	}
	if (flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED)
		add_text(out, out_size,
			 is_self_signed(cert) ? "self-signed certificate"
					      : "issuer not trusted");
	for (size_t i = 0; i < FED_ARRAY_LEN(flag_texts); i++)
		if (flags & flag_texts[i].flag)
			add_text(out, out_size, flag_texts[i].text);
	if (flags != 0 && out[0] == '\0')
		add_text(out, out_size, "certificate refused");
}

/* RFC 9525 6.3: a wildcard is the whole left-most label and stands for
 * exactly one label. */
static bool dns_name_covers(struct span pattern, struct span name)
{
	size_t dot;

	if (span_ieq(pattern, name))
		return name.n > 0;
	if (!span_starts(pattern, SPAN_LIT("*.")))
		return false;
	dot = span_find(name, '.', 0);
	if (dot == SIZE_MAX || dot == 0)
		return false;
	return span_ieq(span_sub(pattern, 1, SIZE_MAX),
			span_sub(name, dot, SIZE_MAX));
}

bool tls_verify_name(const mbedtls_x509_crt *cert, const char *name)
{
	const mbedtls_x509_sequence *san;

	if (cert == NULL)
		return false;
	for (san = &cert->subject_alt_names; san != NULL; san = san->next) {
		int kind = san->buf.tag & MBEDTLS_ASN1_TAG_VALUE_MASK;

		if (san->buf.p == NULL || kind != 2) /* dNSName */
			continue;
		if (dns_name_covers(span_of(san->buf.p, san->buf.len),
				    span_str(name)))
			return true;
	}
	return false;
}
