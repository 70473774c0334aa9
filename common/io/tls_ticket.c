/*
 * Session tickets (RFC 5077, RFC 8446 4.6.1): the session, encrypted for
 * ourselves.  The identity that was shown is authenticated with it: a ticket
 * of one domain is worth nothing at another, and none of these credentials
 * anything at others, which have other keys.
 */
#include <stdlib.h>
#include <string.h>

#include "io/tls_priv.h"

enum {
	NAME_BYTES = 4,
	IV_BYTES = 12,
	TAG_BYTES = 16,
	KEY_BYTES = 32,
	HEAD_BYTES = NAME_BYTES + IV_BYTES + TAG_BYTES,
};

/* ---- keys ---------------------------------------------------------------- */

int tls_tickets_init(struct tls_tickets *t)
{
	for (size_t i = 0; i < FED_ARRAY_LEN(t->keys); i++)
		mbedtls_gcm_init(&t->keys[i].gcm);
	return pthread_mutex_init(&t->lock, NULL) == 0 ? 0 : FED_ENOMEM;
}

void tls_tickets_deinit(struct tls_tickets *t)
{
	for (size_t i = 0; i < FED_ARRAY_LEN(t->keys); i++)
		mbedtls_gcm_free(&t->keys[i].gcm);
	(void)pthread_mutex_destroy(&t->lock);
}

static int renew(struct tls_ticket_key *key, mbedtls_ctr_drbg_context *rng)
{
	unsigned char secret[KEY_BYTES];
	int rc;

	key->made_ms = 0;
	rc = mbedtls_ctr_drbg_random(rng, key->name, NAME_BYTES);
	if (rc == 0)
		rc = mbedtls_ctr_drbg_random(rng, secret, sizeof(secret));
	if (rc == 0)
		rc = mbedtls_gcm_setkey(&key->gcm, MBEDTLS_CIPHER_ID_AES,
					secret, 8 * KEY_BYTES);
	mbedtls_platform_zeroize(secret, sizeof(secret));
	if (rc == 0)
		key->made_ms = tls_now_ms();
	return rc;
}

/* The one before is kept for what it encrypted last. */
static struct tls_ticket_key *key_to_write(struct tls_creds *c)
{
	struct tls_tickets *t = &c->tickets;
	struct tls_ticket_key *key = &t->keys[t->active];

	if (key->made_ms != 0 &&
	    tls_now_ms() - key->made_ms < (int64_t)LIMIT_TLS_SESSION_MS)
		return key;
	t->active = (t->active + 1) % FED_ARRAY_LEN(t->keys);
	key = &t->keys[t->active];
	return renew(key, &c->rng) == 0 ? key : NULL;
}

static struct tls_ticket_key *key_to_read(struct tls_tickets *t,
					  const unsigned char *name)
{
	for (size_t i = 0; i < FED_ARRAY_LEN(t->keys); i++)
		if (t->keys[i].made_ms != 0 &&
		    memcmp(t->keys[i].name, name, NAME_BYTES) == 0)
			return &t->keys[i];
	return NULL;
}

/* ---- sealing ------------------------------------------------------------- */

static int seal(struct tls_creds *c, const char *identity, struct span plain,
		unsigned char *out)
{
	unsigned char *iv = out + NAME_BYTES;
	unsigned char *tag = iv + IV_BYTES;
	struct tls_ticket_key *key = key_to_write(c);
	int rc = key == NULL ? -1 : 0;

	if (rc == 0) {
		memcpy(out, key->name, NAME_BYTES);
		rc = mbedtls_ctr_drbg_random(&c->rng, iv, IV_BYTES);
	}
	if (rc == 0)
		rc = mbedtls_gcm_crypt_and_tag(
			&key->gcm, MBEDTLS_GCM_ENCRYPT, plain.n, iv, IV_BYTES,
			(const unsigned char *)identity, strlen(identity),
			(const unsigned char *)plain.p, tag + TAG_BYTES,
			TAG_BYTES, tag);
	return rc;
}

static int open_sealed(struct tls_creds *c, const char *identity,
		       const unsigned char *in, size_t n, struct buf *plain)
{
	const unsigned char *iv = in + NAME_BYTES;
	const unsigned char *tag = iv + IV_BYTES;
	struct tls_ticket_key *key = key_to_read(&c->tickets, in);
	char *room = buf_reserve(plain, n - HEAD_BYTES + 1);
	int rc;

	if (key == NULL || room == NULL)
		return MBEDTLS_ERR_SSL_INVALID_MAC;
	rc = mbedtls_gcm_auth_decrypt(&key->gcm, n - HEAD_BYTES, iv, IV_BYTES,
				      (const unsigned char *)identity,
				      strlen(identity), tag, TAG_BYTES,
				      tag + TAG_BYTES, (unsigned char *)room);
	if (rc != 0)
		return MBEDTLS_ERR_SSL_INVALID_MAC;
	buf_commit(plain, n - HEAD_BYTES);
	return 0;
}

/* ---- for the library ----------------------------------------------------- */

int tls_ticket_write(void *arg, const mbedtls_ssl_session *session,
		     unsigned char *start, const unsigned char *end,
		     size_t *n_out, uint32_t *lifetime_s)
{
	struct tls_creds *c = arg;
	const struct tls_engine *e = tls_engine_running();
	int64_t age_ms = tls_now_ms() - e->verdict.issued_ms;
	struct buf plain;
	int rc = MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL;

	*n_out = 0;
	*lifetime_s =
		age_ms >= (int64_t)LIMIT_TLS_SESSION_MS
			? 0
			: (uint32_t)((LIMIT_TLS_SESSION_MS - (uint64_t)age_ms) /
				     1000);
	if (tls_session_pack(e, session, &plain) == 0 &&
	    buf_len(&plain) + HEAD_BYTES <= (size_t)(end - start)) {
		(void)pthread_mutex_lock(&c->tickets.lock);
		rc = seal(c, e->shown, buf_span(&plain), start);
		(void)pthread_mutex_unlock(&c->tickets.lock);
		*n_out = rc == 0 ? buf_len(&plain) + HEAD_BYTES : 0;
	}
	buf_deinit(&plain);
	return rc;
}

int tls_ticket_parse(void *arg, mbedtls_ssl_session *session, unsigned char *in,
		     size_t n)
{
	struct tls_creds *c = arg;
	struct tls_engine *e = tls_engine_running();
	struct buf plain;
	int rc;

	if (n < HEAD_BYTES)
		return MBEDTLS_ERR_SSL_INVALID_MAC;
	buf_init(&plain, n);
	(void)pthread_mutex_lock(&c->tickets.lock);
	rc = open_sealed(c, e->shown, in, n, &plain);
	(void)pthread_mutex_unlock(&c->tickets.lock);
	if (rc == 0 && tls_session_unpack(e, buf_span(&plain), session) != 0)
		rc = MBEDTLS_ERR_SSL_SESSION_TICKET_EXPIRED;
	if (rc == 0)
		e->resumed_as = e->shown;
	buf_deinit(&plain);
	return rc;
}
