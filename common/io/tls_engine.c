/* TLS on memory buffers, with mbedTLS. */
#include "io/tls_engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/tls_priv.h"

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
	e->shown = tls_slot_shown(slot, p);
	e->session_key = tls_session_key(p);
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
	mbedtls_ssl_set_verify(&e->ssl, tls_verify_callback, e);
	if (e->session_key != NULL)
		tls_session_offer(e);
	*e_out = e;
	return 0;
}

void tls_engine_free(struct tls_engine *e)
{
	if (e == NULL)
		return;
	mbedtls_ssl_free(&e->ssl);
	tls_creds_unref(e->creds);
	tls_engine_drop_peer(e);
	free(e->session_key);
	free(e->sni);
	free(e);
}

const mbedtls_x509_crt *tls_engine_peer(const struct tls_engine *e)
{
	return e->kept_peer != NULL ? e->kept_peer
				    : mbedtls_ssl_get_peer_cert(&e->ssl);
}

void tls_engine_drop_peer(struct tls_engine *e)
{
	if (e->kept_peer == NULL)
		return;
	mbedtls_x509_crt_free(e->kept_peer);
	free(e->kept_peer);
	e->kept_peer = NULL;
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

void tls_engine_note_shown(mbedtls_ssl_context *ssl, const char *identity)
{
	struct tls_engine *e = tls_compat_owner(ssl);

	e->shown = identity;
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

static _Thread_local struct tls_engine *running;

struct tls_engine *tls_engine_running(void)
{
	return running;
}

/* What was taken from a ticket or the cache does not count. */
static void note_full(struct tls_engine *e)
{
	e->is_full = true;
	e->verdict = (struct tls_verdict){.issued_ms = tls_now_ms(),
					  .until_ms = INT64_MAX};
	tls_engine_drop_peer(e);
}

static int run_step(struct tls_engine *e)
{
	int rc;

	if (!e->is_full &&
	    tls_compat_state(&e->ssl) == MBEDTLS_SSL_SERVER_CERTIFICATE)
		note_full(e);
	running = e;
	rc = mbedtls_ssl_handshake_step(&e->ssl);
	running = NULL;
	return tls_compat_is_again(rc) ? 0 : rc;
}

/* @return 0: the handshake is over; TLS_COSTLY; an error of the library */
static int run_steps(struct tls_engine *e, bool may_work)
{
	int rc;

	e->out_before = buf_len(e->out);
	while (tls_compat_state(&e->ssl) != MBEDTLS_SSL_HANDSHAKE_OVER) {
		if (!may_work &&
		    tls_compat_is_costly(&e->ssl, e->side == TLS_SERVER))
			return TLS_COSTLY;
		rc = run_step(e);
		if (rc != 0)
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

bool tls_engine_is_private(const struct tls_engine *e)
{
	return e->creds->verify == TLS_VERIFY_REQUIRED;
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

/* SNI may come behind the ticket in a ClientHello and choose another identity
 * than the ticket was opened for. */
static bool is_resumption_ours(const struct tls_engine *e)
{
	if (e->is_full)
		return true;
	return e->side == TLS_SERVER ? e->resumed_as == e->shown
				     : e->has_offered;
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
	if (rc == 0 && !is_resumption_ours(e))
		rc = MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE;
	if (rc != 0) {
		if (e->has_offered)
			tls_session_forget(e->creds, e->session_key);
		say_failure(e, rc);
		return tls_facts_fail(e, rc);
	}
	e->is_up = true;
	if (e->is_full)
		e->verdict.flags = mbedtls_ssl_get_verify_result(&e->ssl);
	tls_facts_gather(e);
	if (e->is_full && !tls_compat_is_13(&e->ssl))
		tls_session_keep(e);
	return 0;
}

bool tls_engine_is_up(const struct tls_engine *e)
{
	return e->is_up;
}

/* ---- records ------------------------------------------------------------- */

static bool is_idle(const struct tls_engine *e)
{
	return tls_compat_state(&e->ssl) == MBEDTLS_SSL_HANDSHAKE_OVER;
}

/* A ticket of TLS 1.3 is read, seen as one and taken in three calls. */
static int read_some(struct tls_engine *e, char *to, size_t size)
{
	for (;;) {
		bool was_idle = is_idle(e);
		int rc = mbedtls_ssl_read(&e->ssl, (unsigned char *)to, size);

		if (tls_compat_is_again(rc))
			tls_session_keep(e);
		else if (rc != MBEDTLS_ERR_SSL_WANT_READ || !was_idle ||
			 is_idle(e))
			return rc;
	}
}

int tls_engine_read(struct tls_engine *e, char *to, size_t size, size_t *n_out)
{
	int rc = read_some(e, to, size);

	*n_out = 0;
	if (rc > 0) {
		*n_out = (size_t)rc;
		return 0;
	}
	if (rc == MBEDTLS_ERR_SSL_WANT_READ)
		return FED_EAGAIN;
	if (rc == 0 || rc == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
		return FED_ECLOSED;
	return tls_facts_fail(e, rc);
}

int tls_engine_write(struct tls_engine *e, struct span plain)
{
	while (plain.n > 0) {
		int rc = mbedtls_ssl_write(
			&e->ssl, (const unsigned char *)plain.p, plain.n);

		if (rc <= 0)
			return tls_facts_fail(e, rc);
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
	return e->is_up && tls_verify_name(tls_engine_peer(e), name);
}
