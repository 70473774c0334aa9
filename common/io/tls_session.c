/*
 * Sessions that can be resumed: what is kept of one, and the clients' cache.
 *
 * A resumed session is judged by what the full handshake found.  That stays
 * true for these credentials, whose trust and revocation lists do not change,
 * until the first certificate of the chain or list expires; then the session
 * is not resumed and the full handshake judges anew.  The library keeps the
 * end certificate in TLS 1.2 only, and never its chain.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <utlist.h>

#include "io/tls_priv.h"

/* LIMIT: a session with a peer's certificate and its ticket, which has a
 * length of 16 bits. */
enum { SESSION_MAX = 128 * 1024 };

/* In front of the library's own form; never leaves this process in clear. */
struct session_head {
	struct tls_verdict verdict;
	uint32_t der_bytes; /* end certificate: the library does not keep it */
};

struct tls_session {
	char *key;
	struct buf image;
	int64_t until_ms; /* of the server's ticket */
	struct tls_session *prev;
	struct tls_session *next;
};

int64_t tls_now_ms(void)
{
	return (int64_t)time(NULL) * 1000;
}

bool tls_verdict_holds(const struct tls_verdict *v)
{
	int64_t now = tls_now_ms();

	return now < v->until_ms && now >= v->issued_ms &&
	       now < v->issued_ms + (int64_t)LIMIT_TLS_SESSION_MS;
}

/* ---- one session --------------------------------------------------------- */

static int put_session(struct buf *out, const mbedtls_ssl_session *session)
{
	size_t n = 0;
	char *room;

	(void)mbedtls_ssl_session_save(session, NULL, 0, &n);
	room = buf_reserve(out, n);
	if (room == NULL || mbedtls_ssl_session_save(
				    session, (unsigned char *)room, n, &n) != 0)
		return FED_EINVAL;
	buf_commit(out, n);
	return 0;
}

int tls_session_pack(const struct tls_engine *e,
		     const mbedtls_ssl_session *session, struct buf *out)
{
	const mbedtls_x509_crt *peer = tls_engine_peer(e);
	struct session_head head;
	int err;

	memset(&head, 0, sizeof(head)); /* padding too */
	head.verdict = e->verdict;
	if (e->is_full)
		head.verdict.flags = tls_compat_verify_result(session);
	if (peer != NULL && tls_compat_is_13(&e->ssl))
		head.der_bytes = (uint32_t)peer->raw.len;
	buf_init(out, SESSION_MAX);
	err = buf_put(out, &head, sizeof(head));
	if (err == 0 && head.der_bytes > 0)
		err = buf_put(out, peer->raw.p, peer->raw.len);
	return err == 0 ? put_session(out, session) : err;
}

static int keep_peer(struct tls_engine *e, struct span der)
{
	mbedtls_x509_crt *peer = malloc(sizeof(*peer));

	if (peer == NULL)
		return FED_ENOMEM;
	mbedtls_x509_crt_init(peer);
	tls_engine_drop_peer(e);
	e->kept_peer = peer;
	return mbedtls_x509_crt_parse_der(peer, (const unsigned char *)der.p,
					  der.n) == 0
		       ? 0
		       : FED_EINVAL;
}

int tls_session_unpack(struct tls_engine *e, struct span image,
		       mbedtls_ssl_session *session)
{
	struct session_head head;
	struct span rest;
	int err = 0;

	if (image.n < sizeof(head))
		return FED_EINVAL;
	memcpy(&head, image.p, sizeof(head));
	rest = span_sub(image, sizeof(head), SIZE_MAX);
	if (rest.n < head.der_bytes)
		return FED_EINVAL;
	if (!tls_verdict_holds(&head.verdict))
		return FED_ETIMEOUT;
	if (head.der_bytes > 0)
		err = keep_peer(e, span_sub(rest, 0, head.der_bytes));
	rest = span_sub(rest, head.der_bytes, SIZE_MAX);
	if (err == 0 &&
	    mbedtls_ssl_session_load(session, (const unsigned char *)rest.p,
				     rest.n) != 0)
		err = FED_EINVAL;
	if (err == 0)
		e->verdict = head.verdict;
	return err;
}

/* ---- clients ------------------------------------------------------------- */

static struct tls_session *find(const struct tls_creds *c, const char *key)
{
	struct tls_session *s;

	DL_FOREACH (c->sessions, s) {
		if (strcmp(s->key, key) == 0)
			return s;
	}
	return NULL;
}

static void drop(struct tls_creds *c, struct tls_session *s)
{
	DL_DELETE(c->sessions, s);
	c->session_count--;
	buf_deinit(&s->image);
	free(s->key);
	free(s);
}

void tls_session_forget(struct tls_creds *c, const char *key)
{
	struct tls_session *s = find(c, key);

	if (s != NULL)
		drop(c, s);
}

void tls_session_forget_all(struct tls_creds *c)
{
	while (c->sessions != NULL)
		drop(c, c->sessions);
}

char *tls_session_key(const struct tls_params *p)
{
	const char *own = p->identity == NULL ? "" : p->identity;
	struct buf b;
	const char *text;
	char *key = NULL;

	if (p->side != TLS_CLIENT || p->sni == NULL)
		return NULL;
	buf_init(&b, LIMIT_DOMAIN_BYTES * 2 + 16);
	(void)buf_printf(&b, "%c %s %s", p->is_direct ? 'd' : 's', own, p->sni);
	text = buf_cstr(&b);
	if (text != NULL && !b.is_failed)
		key = strdup(text);
	buf_deinit(&b);
	return key;
}

void tls_session_offer(struct tls_engine *e)
{
	struct tls_session *s = find(e->creds, e->session_key);
	mbedtls_ssl_session session;

	if (s == NULL)
		return;
	mbedtls_ssl_session_init(&session);
	if (tls_now_ms() < s->until_ms &&
	    tls_session_unpack(e, buf_span(&s->image), &session) == 0 &&
	    mbedtls_ssl_set_session(&e->ssl, &session) == 0)
		e->has_offered = true;
	else
		drop(e->creds, s);
	mbedtls_ssl_session_free(&session);
}

static void add(struct tls_engine *e, const mbedtls_ssl_session *session)
{
	struct tls_creds *c = e->creds;
	struct tls_session *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return;
	s->key = strdup(e->session_key);
	s->until_ms = INT64_MAX;
	if (tls_compat_ticket_s(session) > 0)
		s->until_ms = tls_now_ms() +
			      (int64_t)tls_compat_ticket_s(session) * 1000;
	if (tls_session_pack(e, session, &s->image) != 0 || s->key == NULL) {
		buf_deinit(&s->image);
		free(s->key);
		free(s);
		return;
	}
	DL_PREPEND(c->sessions, s);
	if (++c->session_count > LIMIT_TLS_SESSIONS)
		drop(c, c->sessions->prev); /* the oldest */
}

void tls_session_keep(struct tls_engine *e)
{
	mbedtls_ssl_session session;

	if (e->session_key == NULL)
		return;
	mbedtls_ssl_session_init(&session);
	if (mbedtls_ssl_get_session(&e->ssl, &session) == 0 &&
	    tls_compat_is_resumable(&session)) {
		tls_session_forget(e->creds, e->session_key);
		add(e, &session);
	}
	mbedtls_ssl_session_free(&session);
}
