/* TLS on loopback connections: credentials, facts, refusals. */
#include "tls_pair.h"

#include "io/tls_compat.h"

/* ---- credentials --------------------------------------------------------- */

struct bad_creds {
	const char *trust;
	const char *cert;
	const char *key;
	const char *file;     /* that the sentence must name */
	const char *sentence; /* and what it must say */
};

static const struct bad_creds bad_creds[] = {
	{"ca.pem", "absent.pem", "a.key", "absent.pem", "cannot open: No such"},
	{"ca.pem", "a.pem", "absent.key", "absent.key", "cannot open: No such"},
	{"absent.pem", "a.pem", "a.key", "absent.pem", "cannot open: No such"},
	{"ca.pem", "empty.pem", "a.key", "empty.pem", "no certificate in it"},
	{"empty.pem", "a.pem", "a.key", "empty.pem", "no certificate in it"},
	{"ca.pem", "a.key", "a.key", "a.key", "no certificate in it"},
	{"ca.pem", "a.pem", "empty.pem", "empty.pem", "no private key in it"},
	{"ca.pem", "a.pem", "b.key", "b.key", "does not fit the certificate"},
	{"ca.pem", "turned.pem", "a.key", "turned.pem", "must come first"},
	{"ca.pem", "a.pem", "locked.key", "locked.key", "is encrypted"},
};

static void test_creds_refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(bad_creds); i++) {
		const struct bad_creds *b = &bad_creds[i];
		char trust[128];
		char cert[128];
		char key[128];
		struct tls_identity id = {
			.name = "a.example",
			.cert_file = files_path(&files, b->cert, cert),
			.key_file = files_path(&files, b->key, key),
		};
		struct tls_creds_params p = {
			.trust_file = files_path(&files, b->trust, trust),
			.identities = &id,
			.identity_count = 1,
		};
		struct tls_creds *c;
		struct errbuf e = {""};

		assert_int_equal(FED_ECONFIG, tls_creds_new(&c, &p, &e));
		if (strstr(e.text, b->sentence) == NULL ||
		    strstr(e.text, b->file) == NULL)
			fail_msg("row %zu: %s", i, e.text);
	}
}

static void test_creds_required_needs_anchors(void **state)
{
	struct tls_creds_params p = {.verify = TLS_VERIFY_REQUIRED};
	struct tls_creds *c;
	struct errbuf e;

	(void)state;
	assert_int_equal(FED_ECONFIG, tls_creds_new(&c, &p, &e));
	assert_non_null(strstr(e.text, "trusted certificates"));
}

static void test_creds_has(void **state)
{
	struct tls_creds *c = creds_of((struct who){"ca.pem", "a", 0, NULL});

	(void)state;
	assert_true(tls_creds_has(c, "a"));
	assert_true(tls_creds_has(c, "A"));
	assert_false(tls_creds_has(c, "b"));
	assert_ptr_equal(c, tls_creds_ref(c));
	tls_creds_unref(c);
	tls_creds_unref(c);
	tls_creds_unref(NULL);
}

/* ---- handshakes ---------------------------------------------------------- */

struct fact_row {
	struct who client;
	struct who server;
	const char *client_sees; /* chain_problem; NULL: no certificate */
	const char *server_sees;
};

static const struct fact_row fact_rows[] = {
	{{"ca.pem", "a", 0, NULL}, {"ca.pem", "b", 0, NULL}, "", ""},
	{{"ca.pem", NULL, 0, NULL}, {"ca.pem", "a", 0, NULL}, "", NULL},
	{{"ca.pem", "b", 0, NULL}, {"ca.pem", "a", 0, NULL}, "", ""},
	{{"ca.pem", "clientonly", 0, NULL}, {"ca.pem", "a", 0, NULL}, "", ""},
	{{"ca.pem", "self", 0, NULL},
	 {"ca.pem", "self", 0, NULL},
	 "self-signed certificate",
	 "self-signed certificate"},
	{{"ca.pem", "odd", 0, NULL},
	 {"ca.pem", "odd", 0, NULL},
	 "issuer not trusted",
	 "issuer not trusted"},
	{{"ca.pem", "old", 0, NULL},
	 {"ca.pem", "old", 0, NULL},
	 "expired certificate",
	 "expired certificate"},
	{{NULL, "a", 0, NULL},
	 {NULL, "a", 0, NULL},
	 "issuer not trusted",
	 "issuer not trusted"},
	{{"ca.pem", "a", 0, "xmpp-server"},
	 {"ca.pem", "b", 0, "xmpp-server"},
	 "",
	 ""},
};

/* Certificates of tls_files.h last 30 days; that one ended long ago. */
static void check_not_after(const struct tls_facts *f)
{
	const int64_t day_ms = 24 * 3600 * 1000;
	int64_t left = f->peer_not_after_ms - loop_wall_ms();

	if (!f->has_peer_cert)
		assert_true(f->peer_not_after_ms == 0);
	else if (strcmp(f->chain_problem, "expired certificate") == 0)
		assert_true(f->peer_not_after_ms == 1704153600000);
	else
		assert_true(left > 29 * day_ms && left <= 30 * day_ms);
}

static void check_facts(const struct end *e, const char *sees, size_t row)
{
	const struct tls_facts *f = conn_tls_facts(e->conn);
	bool is_valid = sees != NULL && sees[0] == '\0';

	if (f == NULL)
		fail_msg("row %zu: no facts: %s", row, e->text);
	assert_int_equal(0, strncmp(f->version, "TLSv1.", 6));
	assert_int_equal(0, strncmp(f->cipher, "TLS_", 4));
	assert_non_null(strstr(f->cipher, "AES_128_GCM_SHA256"));
	assert_false(f->is_resumed);
	assert_int_equal(sees != NULL, f->has_peer_cert);
	assert_int_equal(is_valid, f->is_chain_valid);
	if (strcmp(f->chain_problem, sees == NULL ? "no certificate" : sees))
		fail_msg("row %zu: %s", row, f->chain_problem);
	assert_int_equal(sees != NULL, f->peer_cert_der.n > 100);
	check_not_after(f);
}

static void test_facts(void **state)
{
	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(fact_rows); i++) {
		const struct fact_row *r = &fact_rows[i];
		struct pair p;

		handshake(&p, r->client, r->server);
		check_facts(&p.client, r->client_sees, i);
		check_facts(&p.server, r->server_sees, i);
		pair_close(&p);
	}
}

static void test_peer_names(void **state)
{
	struct who a = {"ca.pem", "a", 0, NULL};
	struct pair p;
	struct conn *c;

	(void)state;
	handshake(&p, a, a);
	c = p.client.conn;
	assert_true(conn_peer_has_name(c, "a.example"));
	assert_true(conn_peer_has_name(c, "A.Example"));
	assert_true(conn_peer_has_name(c, "x.wild.example"));
	assert_false(conn_peer_has_name(c, "x.y.wild.example"));
	assert_false(conn_peer_has_name(c, "wild.example"));
	assert_false(conn_peer_has_name(c, ".wild.example"));
	assert_false(conn_peer_has_name(c, "a")); /* that is the CN */
	assert_false(conn_peer_has_name(c, ""));
	pair_close(&p);
}

/* ---- revocation ---------------------------------------------------------- */

static struct tls_creds *creds_with_crl(const char *crl, enum tls_verify verify)
{
	char path[4][128];
	const struct tls_identity id = {
		"a", files_path(&files, "a.pem", path[0]),
		files_path(&files, "a.key", path[1]), NULL};
	const struct tls_creds_params p = {
		.trust_file = files_path(&files, "ca.pem", path[2]),
		.crl_file = files_path(&files, crl, path[3]),
		.identities = &id,
		.identity_count = 1,
		.verify = verify,
	};
	struct tls_creds *c;
	struct errbuf e = {""};

	if (tls_creds_new(&c, &p, &e) != 0)
		fail_msg("%s", e.text);
	return c;
}

static void meet(struct pair *p, const char *peer, struct tls_creds *server)
{
	const struct tls_params params = {.side = TLS_SERVER, .identity = "a"};
	struct who client = {"ca.pem", peer, 0, NULL};

	pair_open(p);
	start(&p->client, client, TLS_CLIENT, "a.example");
	assert_int_equal(0, conn_start_tls(p->server.conn, server, &params));
	assert_true(run_until(p, is_decided, 5000));
}

static void test_revoked(void **state)
{
	struct tls_creds *c;
	struct pair p;

	(void)state;
	files_revoke(&files, "ca", "b", "some", 3600);
	c = creds_with_crl("some.crl", TLS_VERIFY_FACTS);
	meet(&p, "b", c);
	check_facts(&p.server, "revoked certificate", 0);
	pair_close(&p);
	meet(&p, "a", c);
	check_facts(&p.server, "", 0);
	pair_close(&p);
	meet(&p, "odd", c); /* of a CA without a list */
	check_facts(&p.server, "issuer not trusted", 0);
	pair_close(&p);
	tls_creds_unref(c);

	c = creds_with_crl("some.crl", TLS_VERIFY_REQUIRED);
	meet(&p, "b", c);
	assert_non_null(strstr(p.server.text,
			       "certificate refused: revoked certificate"));
	pair_close(&p);
	tls_creds_unref(c);
}

static void test_crl_refusals(void **state)
{
	static const char *const bad[] = {"absent.crl", "empty.pem", "a.pem",
					  "broken.crl"};
	static const char *const says[] = {
		"cannot open: No such", "no revocation list in it",
		"no revocation list in it", "not a usable revocation list"};

	(void)state;
	files_run(&files, "printf '%s\\n' '-----BEGIN X509 CRL-----' aGFsbG8= "
			  "'-----END X509 CRL-----' > broken.crl");
	for (size_t i = 0; i < FED_ARRAY_LEN(bad); i++) {
		char path[128];
		const struct tls_creds_params p = {
			.crl_file = files_path(&files, bad[i], path)};
		struct tls_creds *c;
		struct errbuf e = {""};

		assert_int_equal(FED_ECONFIG, tls_creds_new(&c, &p, &e));
		if (strstr(e.text, says[i]) == NULL ||
		    strstr(e.text, bad[i]) == NULL)
			fail_msg("row %zu: %s", i, e.text);
	}
}

/* ---- refusals ------------------------------------------------------------ */

struct refusal_row {
	struct who client;
	struct who server;
	bool is_client_refusing;
	const char *reason; /* of the one who refuses */
};

static const struct refusal_row refusal_rows[] = {
	{{"ca.pem", "odd", 0, NULL},
	 {"ca.pem", "a", TLS_VERIFY_REQUIRED, NULL},
	 false,
	 "certificate refused: issuer not trusted"},
	{{"ca.pem", "old", 0, NULL},
	 {"ca.pem", "a", TLS_VERIFY_REQUIRED, NULL},
	 false,
	 "certificate refused: expired certificate"},
	{{"ca.pem", NULL, 0, NULL},
	 {"ca.pem", "a", TLS_VERIFY_REQUIRED, NULL},
	 false,
	 "certificate"},
	{{"ca.pem", "a", TLS_VERIFY_REQUIRED, NULL},
	 {"ca.pem", "odd", 0, NULL},
	 true,
	 "certificate refused: issuer not trusted"},
};

static bool both_failed(struct pair *p)
{
	return p->client.seen[CONN_ERROR] > 0 && p->server.seen[CONN_ERROR] > 0;
}

static void test_required_refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(refusal_rows); i++) {
		const struct refusal_row *r = &refusal_rows[i];
		const struct end *by;
		const struct end *of;
		struct pair p;

		handshake(&p, r->client, r->server);
		/* in TLS 1.3 a client is done before it is refused */
		assert_true(run_until(&p, both_failed, 2000));
		by = r->is_client_refusing ? &p.client : &p.server;
		of = r->is_client_refusing ? &p.server : &p.client;
		assert_int_equal(FED_ETLS, by->err);
		if (strstr(by->text, r->reason) == NULL)
			fail_msg("row %zu: %s", i, by->text);
		assert_int_equal(0, by->seen[CONN_TLS_UP]);
		assert_int_equal(FED_ETLS, of->err);
		/* COMPAT(mbedTLS 3.6): in TLS 1.3 these alerts go out under
		 * keys that the other side does not use then. */
		if (!TLS_COMPAT_3 && strstr(of->text, "sent TLS alert") == NULL)
			fail_msg("row %zu: %s", i, of->text);
		pair_close(&p);
	}
}

static void test_required_accepts(void **state)
{
	struct pair p;

	(void)state;
	handshake(&p, (struct who){"ca.pem", "a", TLS_VERIFY_REQUIRED, NULL},
		  (struct who){"ca.pem", "b", TLS_VERIFY_REQUIRED, NULL});
	check_facts(&p.client, "", 0);
	check_facts(&p.server, "", 0);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_creds_refusals),
		cmocka_unit_test(test_creds_required_needs_anchors),
		cmocka_unit_test(test_creds_has),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_peer_names),
		cmocka_unit_test(test_revoked),
		cmocka_unit_test(test_crl_refusals),
		cmocka_unit_test(test_required_refuses),
		cmocka_unit_test(test_required_accepts),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
