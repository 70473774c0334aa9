/* TLS on memory buffers, with mbedTLS. */
#include "io/tls_engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/tls_priv.h"

struct tls_engine {
	mbedtls_ssl_context ssl;
	struct tls_creds *creds;
	struct tls_slot *slot;
	enum tls_side side;
	struct span in;
	struct buf *out;
	size_t out_before; /* bytes in out before the last steps */
	int worked;	   /* what tls_engine_work() came to */
	bool has_worked;
	bool is_hungry; /* the last step needs more input */
	bool is_up;
	bool is_closed; /* close_notify sent, or failed */
	char *sni;	/* SERVER: asked for */
	struct tls_facts facts;
	char problem[256];
};

/* ---- memory instead of a socket ------------------------------------------ */

static int bio_send(void *arg, const unsigned char *p, size_t n)
{
	struct tls_engine *e = arg;

	if (n > INT32_MAX || buf_put(e->out, p, n) != 0)
		return MBEDTLS_ERR_SSL_ALLOC_FAILED;
	return (int)n;
}

static int bio_recv(void *arg, unsigned char *p, size_t n)
{
	struct tls_engine *e = arg;

	if (e->in.n == 0)
		return MBEDTLS_ERR_SSL_WANT_READ;
	if (n > e->in.n)
		n = e->in.n;
	if (n > INT32_MAX)
		n = INT32_MAX;
	memcpy(p, e->in.p, n);
	e->in.p += n;
	e->in.n -= n;
	return (int)n;
}

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
	tls_verify_explain(flags, mbedtls_ssl_get_peer_cert(&e->ssl), why,
			   sizeof(why));
	(void)snprintf(e->problem, sizeof(e->problem),
		       "certificate refused: %s", why);
	return true;
}

static int fail(struct tls_engine *e, int rc)
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

/* ---- life ---------------------------------------------------------------- */

int tls_engine_new(struct tls_engine **e_out, struct tls_creds *creds,
		   const struct tls_params *p, struct buf *out)
{
	struct tls_slot *slot = tls_creds_next_slot(creds);
	const mbedtls_ssl_config *conf = tls_slot_config(slot, p);
	struct tls_engine *e;

	if (conf == NULL)
		return FED_ENOTFOUND;
	e = calloc(1, sizeof(*e));
	if (e == NULL)
		return FED_ENOMEM;
	e->creds = tls_creds_ref(creds);
	e->slot = slot;
	e->side = p->side;
	e->out = out;
	mbedtls_ssl_init(&e->ssl);
	/* The host name is for SNI; that it does not match counts nothing
	 * (tls_verify_callback).  It must be set, to NULL even, since later
	 * versions refuse to verify without. */
	if (mbedtls_ssl_setup(&e->ssl, conf) != 0 ||
	    (p->side == TLS_CLIENT &&
	     mbedtls_ssl_set_hostname(&e->ssl, p->sni) != 0)) {
		tls_engine_free(e);
		return FED_ENOMEM;
	}
	mbedtls_ssl_set_bio(&e->ssl, e, bio_send, bio_recv, NULL);
	*e_out = e;
	return 0;
}

void tls_engine_free(struct tls_engine *e)
{
	if (e == NULL)
		return;
	mbedtls_ssl_free(&e->ssl);
	tls_creds_unref(e->creds);
	free(e->sni);
	free(e);
}

void tls_engine_feed(struct tls_engine *e, struct span in)
{
	e->in = in;
}

struct span tls_engine_left(const struct tls_engine *e)
{
	return e->in;
}

/* ---- handshake and facts ------------------------------------------------- */

/* LIMIT: no DNS name is longer; what is longer was not asked for. */
enum { TLS_SNI_MAX = 255 };

void tls_engine_note_sni(mbedtls_ssl_context *ssl, struct span name)
{
	struct tls_engine *e = tls_compat_owner(ssl);

	if (e->sni == NULL && name.n <= TLS_SNI_MAX)
		e->sni = span_dup(name); /* no memory: not asked for */
}

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

static void gather_facts(struct tls_engine *e)
{
	const mbedtls_x509_crt *peer = mbedtls_ssl_get_peer_cert(&e->ssl);
	uint32_t flags = tls_verify_flags(&e->ssl, e->side);
	const char *alpn = mbedtls_ssl_get_alpn_protocol(&e->ssl);
	struct tls_facts *f = &e->facts;

	*f = (struct tls_facts){.has_peer_cert = peer != NULL};
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

/* Some refusals (no client certificate) the library leaves unsaid. */
static void say_failure(struct tls_engine *e, int rc)
{
	if (rc == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE ||
	    buf_len(e->out) != e->out_before)
		return;
	(void)mbedtls_ssl_send_alert_message(
		&e->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL,
		MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE);
}

/* No error of the library. */
enum { TLS_COSTLY = 1 };

/* @return 0: the handshake is over; TLS_COSTLY; an error of the library */
static int run_steps(struct tls_engine *e, bool may_work)
{
	int rc;

	e->out_before = buf_len(e->out);
	while (tls_compat_state(&e->ssl) != MBEDTLS_SSL_HANDSHAKE_OVER) {
		if (!may_work &&
		    tls_compat_is_costly(&e->ssl, e->side == TLS_SERVER))
			return TLS_COSTLY;
		rc = mbedtls_ssl_handshake_step(&e->ssl);
		if (rc != 0 && !tls_compat_is_again(rc))
			return rc;
	}
	return 0;
}

void tls_engine_work(struct tls_engine *e)
{
	e->worked = run_steps(e, true);
	e->has_worked = true;
}

bool tls_engine_claim(struct tls_engine *e)
{
	if (e->slot->is_busy)
		return false;
	e->slot->is_busy = true;
	return true;
}

void tls_engine_release(struct tls_engine *e)
{
	e->slot->is_busy = false;
}

static int next_result(struct tls_engine *e)
{
	if (e->has_worked) {
		e->has_worked = false;
		return e->worked;
	}
	if (e->is_hungry && e->in.n == 0)
		return MBEDTLS_ERR_SSL_WANT_READ;
	return run_steps(e, false);
}

int tls_engine_handshake(struct tls_engine *e)
{
	int rc;

	if (e->is_up)
		return 0;
	if (e->is_closed)
		return FED_ETLS;
	rc = next_result(e);
	e->is_hungry = rc == MBEDTLS_ERR_SSL_WANT_READ;
	if (e->is_hungry)
		return FED_EAGAIN;
	if (rc == TLS_COSTLY)
		return FED_EBUSY;
	if (rc != 0) {
		say_failure(e, rc);
		return fail(e, rc);
	}
	e->is_up = true;
	gather_facts(e);
	return 0;
}

bool tls_engine_is_up(const struct tls_engine *e)
{
	return e->is_up;
}

/* ---- records ------------------------------------------------------------- */

int tls_engine_read(struct tls_engine *e, char *to, size_t size, size_t *n_out)
{
	int rc;

	*n_out = 0;
	do {
		rc = mbedtls_ssl_read(&e->ssl, (unsigned char *)to, size);
	} while (tls_compat_is_again(rc));
	if (rc > 0) {
		*n_out = (size_t)rc;
		return 0;
	}
	if (rc == MBEDTLS_ERR_SSL_WANT_READ)
		return FED_EAGAIN;
	if (rc == 0 || rc == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
		return FED_ECLOSED;
	return fail(e, rc);
}

int tls_engine_write(struct tls_engine *e, struct span plain)
{
	while (plain.n > 0) {
		int rc = mbedtls_ssl_write(
			&e->ssl, (const unsigned char *)plain.p, plain.n);

		if (rc <= 0)
			return fail(e, rc);
		plain = span_sub(plain, (size_t)rc, SIZE_MAX);
	}
	return 0;
}

void tls_engine_close_notify(struct tls_engine *e)
{
	if (!e->is_up || e->is_closed)
		return;
	e->is_closed = true;
	(void)mbedtls_ssl_close_notify(&e->ssl);
}

const struct tls_facts *tls_engine_facts(const struct tls_engine *e)
{
	return e->is_up ? &e->facts : NULL;
}

const char *tls_engine_problem(const struct tls_engine *e)
{
	return e->problem;
}

bool tls_engine_peer_has_name(const struct tls_engine *e, const char *name)
{
	return e->is_up &&
	       tls_verify_name(mbedtls_ssl_get_peer_cert(&e->ssl), name);
}
