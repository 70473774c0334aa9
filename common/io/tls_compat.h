/*
 * mbedTLS 2.28 (TLS 1.2) and 3.6 (TLS 1.3): the places where they differ.
 * Only tls_*.c include this.
 */
#ifndef FED_IO_TLS_COMPAT_H
#define FED_IO_TLS_COMPAT_H

#include <stdbool.h>
#include <string.h>
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/gcm.h>
#include <mbedtls/pk.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/ssl.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crl.h>
#include <mbedtls/x509_crt.h>

#if MBEDTLS_VERSION_NUMBER >= 0x03000000
#define TLS_COMPAT_3 1
#include <psa/crypto.h>
#else
#define TLS_COMPAT_3 0
#endif

/* SAFETY: handshakes run in threads and share the random generator. */
#if !defined(MBEDTLS_THREADING_C)
#error "mbedTLS without threads (MBEDTLS_THREADING_C) cannot be used"
#endif

/* The suites of TLS 1.3, in the same order as the others: forward secrecy and
 * AEAD only, AES-GCM before ChaCha20 because the processors have AES
 * instructions. */
#if TLS_COMPAT_3
#define TLS_COMPAT_SUITES_13                                                  \
	MBEDTLS_TLS1_3_AES_128_GCM_SHA256, MBEDTLS_TLS1_3_AES_256_GCM_SHA384, \
		MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
#else
#define TLS_COMPAT_SUITES_13
#endif

/* What a library call needs before the first use of it in the process. */
static inline int tls_compat_start(void)
{
#if TLS_COMPAT_3
	return psa_crypto_init() == PSA_SUCCESS ? 0 : -1;
#else
	return 0;
#endif
}

static inline void tls_compat_min_version(mbedtls_ssl_config *conf)
{
#if TLS_COMPAT_3
	mbedtls_ssl_conf_min_tls_version(conf, MBEDTLS_SSL_VERSION_TLS1_2);
#else
	mbedtls_ssl_conf_min_version(conf, MBEDTLS_SSL_MAJOR_VERSION_3,
				     MBEDTLS_SSL_MINOR_VERSION_3);
#endif
}

static inline int tls_compat_parse_key(mbedtls_pk_context *key,
				       const unsigned char *pem, size_t n,
				       mbedtls_ctr_drbg_context *rng)
{
#if TLS_COMPAT_3
	return mbedtls_pk_parse_key(key, pem, n, NULL, 0,
				    mbedtls_ctr_drbg_random, rng);
#else
	(void)rng;
	return mbedtls_pk_parse_key(key, pem, n, NULL, 0);
#endif
}

static inline int tls_compat_check_pair(const mbedtls_pk_context *pub,
					const mbedtls_pk_context *key,
					mbedtls_ctr_drbg_context *rng)
{
#if TLS_COMPAT_3
	return mbedtls_pk_check_pair(pub, key, mbedtls_ctr_drbg_random, rng);
#else
	(void)rng;
	return mbedtls_pk_check_pair(pub, key);
#endif
}

static inline bool tls_compat_is_ca(const mbedtls_x509_crt *c)
{
#if TLS_COMPAT_3
	return c->MBEDTLS_PRIVATE(ca_istrue) != 0;
#else
	return c->ca_istrue != 0;
#endif
}

static inline int tls_compat_state(const mbedtls_ssl_context *ssl)
{
#if TLS_COMPAT_3
	return ssl->MBEDTLS_PRIVATE(state);
#else
	return ssl->state;
#endif
}

static inline bool tls_compat_is_13(const mbedtls_ssl_context *ssl)
{
	return strcmp(mbedtls_ssl_get_version(ssl), "TLSv1.3") == 0;
}

/* What the verification of that session's peer found. */
static inline uint32_t tls_compat_verify_result(const mbedtls_ssl_session *s)
{
#if TLS_COMPAT_3
	return s->MBEDTLS_PRIVATE(verify_result);
#else
	return s->verify_result;
#endif
}

/* The life of the server's ticket, seconds; 0: it did not say. */
static inline uint32_t tls_compat_ticket_s(const mbedtls_ssl_session *s)
{
#if TLS_COMPAT_3
	return s->MBEDTLS_PRIVATE(ticket_lifetime);
#else
	return s->ticket_lifetime;
#endif
}

/* The server gave a ticket or an id (RFC 5246 F.1.4). */
static inline bool tls_compat_is_resumable(const mbedtls_ssl_session *s)
{
#if TLS_COMPAT_3
	return s->MBEDTLS_PRIVATE(ticket_len) > 0 ||
	       s->MBEDTLS_PRIVATE(id_len) > 0;
#else
	return s->ticket_len > 0 || s->id_len > 0;
#endif
}

/* In TLS 1.3 tickets come behind the handshake. */
static inline void tls_compat_want_tickets(mbedtls_ssl_config *conf)
{
	mbedtls_ssl_conf_session_tickets(conf,
					 MBEDTLS_SSL_SESSION_TICKETS_ENABLED);
#if TLS_COMPAT_3
	mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(
		conf, MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
#endif
}

/* The next handshake step signs, verifies, or makes or uses a key share;
 * the others cost some 20 us. */
static inline bool tls_compat_is_costly(const mbedtls_ssl_context *ssl,
					bool is_server)
{
	switch (tls_compat_state(ssl)) {
	case MBEDTLS_SSL_SERVER_CERTIFICATE:
	case MBEDTLS_SSL_SERVER_KEY_EXCHANGE:
	case MBEDTLS_SSL_CLIENT_CERTIFICATE:
	case MBEDTLS_SSL_CLIENT_KEY_EXCHANGE:
	case MBEDTLS_SSL_CERTIFICATE_VERIFY:
		return true;
	case MBEDTLS_SSL_HELLO_REQUEST:
		return false;
	case MBEDTLS_SSL_CLIENT_HELLO:
		/* in TLS 1.3 it brings a key share */
		return TLS_COMPAT_3 && !is_server;
	default: /* in TLS 1.3 secrets are made all along */
		return TLS_COMPAT_3;
	}
}

/* What mbedtls_ssl_set_bio() was given. */
static inline void *tls_compat_owner(const mbedtls_ssl_context *ssl)
{
#if TLS_COMPAT_3
	return ssl->MBEDTLS_PRIVATE(p_bio);
#else
	return ssl->p_bio;
#endif
}

/* The number of the fatal alert just received: library calls report only
 * that there was one. */
static inline int tls_compat_alert(const mbedtls_ssl_context *ssl)
{
#if TLS_COMPAT_3
	const unsigned char *msg = ssl->MBEDTLS_PRIVATE(in_msg);
#else
	const unsigned char *msg = ssl->in_msg;
#endif
	return msg == NULL ? -1 : msg[1];
}

/* Not an error: call again (3.6 reports TLS 1.3 tickets this way). */
static inline bool tls_compat_is_again(int rc)
{
#if TLS_COMPAT_3 && defined(MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)
	return rc == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET;
#else
	(void)rc;
	return false;
#endif
}

#endif
