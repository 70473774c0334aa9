/*
 * Loopback pairs with TLS, on certificates made for the test.
 */
#ifndef FED_TEST_TLS_PAIR_H
#define FED_TEST_TLS_PAIR_H

#include "loopback.h"

#include "tls_files.h"

static struct tls_files files;

struct who {
	const char *trust;    /* file, NULL: none */
	const char *identity; /* file without ending, NULL: none */
	enum tls_verify verify;
	const char *alpn; /* direct TLS with it, NULL: not direct */
};

static inline struct tls_creds *creds_of(struct who w)
{
	char trust[128];
	char cert[128];
	char key[128];
	char name[64];
	struct tls_identity id = {.name = w.identity};
	struct tls_creds_params p = {.verify = w.verify, .alpn = w.alpn};
	struct tls_creds *c;
	struct errbuf e = {""};

	if (w.trust != NULL)
		p.trust_file = files_path(&files, w.trust, trust);
	if (w.identity != NULL) {
		(void)snprintf(name, sizeof(name), "%s.pem", w.identity);
		id.cert_file = files_path(&files, name, cert);
		(void)snprintf(name, sizeof(name), "%s.key", w.identity);
		id.key_file = files_path(&files, name, key);
		p.identities = &id;
		p.identity_count = 1;
	}
	if (tls_creds_new(&c, &p, &e) != 0)
		fail_msg("%s", e.text);
	return c;
}

static inline bool is_decided(struct pair *p)
{
	const struct end *c = &p->client;
	const struct end *s = &p->server;

	return c->seen[CONN_TLS_UP] + c->seen[CONN_ERROR] > 0 &&
	       s->seen[CONN_TLS_UP] + s->seen[CONN_ERROR] > 0;
}

static inline void start(struct end *e, struct who w, enum tls_side side,
			 const char *sni)
{
	struct tls_creds *c = creds_of(w);
	const struct tls_params p = {.side = side,
				     .identity = w.identity,
				     .sni = sni,
				     .is_direct = w.alpn != NULL};

	assert_int_equal(0, conn_start_tls(e->conn, c, &p));
	assert_int_equal(FED_ESTATE, conn_start_tls(e->conn, c, &p));
	assert_null(conn_tls_facts(e->conn));
	tls_creds_unref(c); /* the connection has its own reference */
}

static inline void handshake(struct pair *p, struct who client,
			     struct who server)
{
	pair_open(p);
	start(&p->client, client, TLS_CLIENT, "never.matches.example");
	start(&p->server, server, TLS_SERVER, NULL);
	if (!run_until(p, is_decided, 5000))
		fail_msg("client: %s, server: %s", p->client.text,
			 p->server.text);
}

static inline int make_files(void **state)
{
	(void)state;
	files_make(&files);
	return 0;
}

static inline int remove_files(void **state)
{
	(void)state;
	files_remove(&files);
	return 0;
}

#endif
