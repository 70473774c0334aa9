/* What a handshake came to: facts, or why it failed. */
#include <stdio.h>
#include <string.h>

#include "io/tls_engine.h"
#include "io/tls_priv.h"

/* ---- failures ------------------------------------------------------------ */

struct alert_text {
	int number;
	const char *text;
};

/* RFC 5246 7.2.2, RFC 8446 6.2 */
static const struct alert_text alert_texts[] = {
	{20, "bad record MAC"},
	{40, "handshake failure"},
	{42, "bad certificate"},
	{43, "unsupported certificate"},
	{44, "certificate revoked"},
	{45, "certificate expired"},
	{46, "certificate unknown"},
	{47, "illegal parameter"},
	{48, "unknown certificate authority"},
	{49, "access denied"},
	{50, "decode error"},
	{51, "decrypt error"},
	{70, "protocol version"},
	{71, "insufficient security"},
	{80, "internal error"},
	{86, "inappropriate fallback"},
	{112, "unrecognized name"},
	{116, "certificate required"},
	{120, "no application protocol"},
};

static const char *alert_name(int number)
{
	for (size_t i = 0; i < FED_ARRAY_LEN(alert_texts); i++)
		if (alert_texts[i].number == number)
			return alert_texts[i].text;
	return "unknown";
}

/* The reason that the certificate gave, when it is the reason. */
static bool explain_verify(struct tls_engine *e, int rc)
{
	uint32_t flags = mbedtls_ssl_get_verify_result(&e->ssl);
	char why[128];

	if (e->is_up || flags == 0 || flags == UINT32_MAX ||
	    rc == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE)
		return false;
	if (e->creds->verify != TLS_VERIFY_REQUIRED)
		return false;
	tls_verify_explain(flags, tls_engine_peer(e), why, sizeof(why));
	(void)snprintf(e->problem, sizeof(e->problem),
		       "certificate refused: %s", why);
	return true;
}

int tls_facts_fail(struct tls_engine *e, int rc)
{
	char text[128];

	e->is_closed = true;
	if (rc == MBEDTLS_ERR_SSL_ALLOC_FAILED ||
	    rc == MBEDTLS_ERR_X509_ALLOC_FAILED) {
		(void)snprintf(e->problem, sizeof(e->problem), "out of memory");
		return FED_ENOMEM;
	}
	if (explain_verify(e, rc))
		return FED_ETLS;
	if (rc == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE) {
		int n = tls_compat_alert(&e->ssl);

		(void)snprintf(e->problem, sizeof(e->problem),
			       "the peer sent TLS alert %d (%s)", n,
			       alert_name(n));
		return FED_ETLS;
	}
	mbedtls_strerror(rc, text, sizeof(text));
	(void)snprintf(e->problem, sizeof(e->problem), "%s (-0x%04x)", text,
		       (unsigned)-rc);
	return FED_ETLS;
}

/* ---- facts --------------------------------------------------------------- */

/* "TLS-ECDHE-..." and "TLS1-3-AES-..." to the names of IANA */
static void copy_suite(struct tls_facts *f, const char *suite)
{
	if (suite == NULL)
		suite = "";
	if (strncmp(suite, "TLS1-3-", 7) == 0)
		(void)snprintf(f->cipher, sizeof(f->cipher), "TLS_%s",
			       suite + 7);
	else
		(void)snprintf(f->cipher, sizeof(f->cipher), "%s", suite);
	for (char *p = f->cipher; *p != '\0'; p++)
		if (*p == '-')
			*p = '_';
}

void tls_facts_gather(struct tls_engine *e)
{
	const mbedtls_x509_crt *peer = tls_engine_peer(e);
	uint32_t flags = tls_verify_flags(e->verdict.flags, e->side);
	const char *alpn = mbedtls_ssl_get_alpn_protocol(&e->ssl);
	struct tls_facts *f = &e->facts;

	*f = (struct tls_facts){.is_resumed = !e->is_full,
				.has_peer_cert = peer != NULL};
	(void)snprintf(f->version, sizeof(f->version), "%s",
		       mbedtls_ssl_get_version(&e->ssl));
	copy_suite(f, mbedtls_ssl_get_ciphersuite(&e->ssl));
	if (peer == NULL) {
		flags = MBEDTLS_X509_BADCERT_MISSING;
		f->peer_cert_der = SPAN_NULL;
	} else {
		f->peer_cert_der = span_of(peer->raw.p, peer->raw.len);
		f->peer_not_after_ms = tls_verify_time_ms(&peer->valid_to);
	}
	if (alpn != NULL)
		(void)snprintf(f->alpn, sizeof(f->alpn), "%s", alpn);
	f->sni = span_str(e->sni == NULL ? "" : e->sni);
	f->is_chain_valid = flags == 0;
	tls_verify_explain(flags, peer, f->chain_problem,
			   sizeof(f->chain_problem));
}
