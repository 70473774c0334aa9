/* Resumed TLS sessions: the same facts for less, and only where they hold. */
#include "tls_pair.h"

#include "io/tls_compat.h"

/* Both sides of a handshake, kept for the next one. */
struct both {
	struct tls_creds *client;
	struct tls_creds *server;
	struct tls_params client_params;
	struct tls_params server_params;
};

static struct both both_of(struct who client, struct who server)
{
	return (struct both){
		.client = creds_of(client),
		.server = creds_of(server),
		.client_params = {.side = TLS_CLIENT,
				  .identity = client.identity,
				  .sni = "a.example",
				  .is_direct = client.alpn != NULL},
		.server_params = {.side = TLS_SERVER,
				  .identity = server.identity,
				  .is_direct = server.alpn != NULL},
	};
}

static void both_free(struct both *b)
{
	tls_creds_unref(b->client);
	tls_creds_unref(b->server);
}

static void both_start(struct pair *p, struct both *b)
{
	const struct tls_facts *facts;

	pair_open(p);
	assert_int_equal(0, conn_start_tls(p->client.conn, b->client,
					   &b->client_params));
	assert_int_equal(0, conn_start_tls(p->server.conn, b->server,
					   &b->server_params));
	assert_true(run_until(p, is_decided, 5000));
	/* in TLS 1.3 tickets come behind the handshake */
	facts = conn_tls_facts(p->client.conn);
	if (facts != NULL && strcmp(facts->version, "TLSv1.3") == 0)
		(void)run_until(p, never, 30);
}

static bool is_resumed(const struct pair *p)
{
	const struct tls_facts *c = conn_tls_facts(p->client.conn);
	const struct tls_facts *s = conn_tls_facts(p->server.conn);

	if (c == NULL || s == NULL)
		fail_msg("client: %s, server: %s", p->client.text,
			 p->server.text);
	assert_int_equal(c->is_resumed, s->is_resumed);
	return c->is_resumed;
}

/* One more handshake: is it a resumption? */
static bool again(struct both *b)
{
	struct pair p;
	bool is;

	both_start(&p, b);
	is = is_resumed(&p);
	pair_close(&p);
	return is;
}

/* A client remembers so many servers, the last ones. */
static void test_cache_is_bounded(void **state)
{
	struct both b = both_of((struct who){"ca.pem", "a", 0, NULL},
				(struct who){"ca.pem", "a", 0, NULL});
	char name[32];

	(void)state;
	b.client_params.sni = name;
	for (unsigned i = 0; i <= LIMIT_TLS_SESSIONS; i++) {
		(void)snprintf(name, sizeof(name), "n%u.example", i);
		assert_false(again(&b));
	}
	assert_true(again(&b));
	(void)snprintf(name, sizeof(name), "n%u.example", 1u);
	assert_true(again(&b));
	/* the one that was there first made room */
	(void)snprintf(name, sizeof(name), "n%u.example", 0u);
	assert_false(again(&b));
	both_free(&b);
}

/* ---- the same facts ------------------------------------------------------ */

static void check_same(const struct conn *full, const struct conn *resumed)
{
	const struct tls_facts *a = conn_tls_facts(full);
	const struct tls_facts *b = conn_tls_facts(resumed);

	assert_false(a->is_resumed);
	assert_true(b->is_resumed);
	assert_string_equal(a->version, b->version);
	assert_string_equal(a->cipher, b->cipher);
	assert_int_equal(a->has_peer_cert, b->has_peer_cert);
	assert_int_equal(a->is_chain_valid, b->is_chain_valid);
	assert_string_equal(a->chain_problem, b->chain_problem);
	assert_true(span_eq(a->peer_cert_der, b->peer_cert_der));
	assert_true(a->peer_not_after_ms == b->peer_not_after_ms);
	assert_string_equal(a->alpn, b->alpn);
	assert_true(span_eq(a->sni, b->sni));
	assert_int_equal(conn_peer_has_name(full, "a.example"),
			 conn_peer_has_name(resumed, "a.example"));
}

struct resume_row {
	struct who client;
	struct who server;
};

static const struct resume_row resume_rows[] = {
	{{"ca.pem", "a", 0, NULL}, {"ca.pem", "a", 0, NULL}},
	{{"ca.pem", "a", TLS_VERIFY_REQUIRED, NULL},
	 {"ca.pem", "b", TLS_VERIFY_REQUIRED, NULL}},
	{{"ca.pem", NULL, 0, NULL}, {"ca.pem", "a", 0, NULL}},
	{{"ca.pem", "self", 0, NULL}, {"ca.pem", "self", 0, NULL}},
	{{"ca.pem", "odd", 0, NULL}, {NULL, "b", 0, NULL}},
	{{"ca.pem", "a", 0, "xmpp-server"}, {"ca.pem", "a", 0, "xmpp-server"}},
};

static void test_same_facts(void **state)
{
	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(resume_rows); i++) {
		struct both b =
			both_of(resume_rows[i].client, resume_rows[i].server);
		struct pair full;
		struct pair resumed;

		both_start(&full, &b);
		assert_false(is_resumed(&full));
		for (int k = 0; k < 3; k++) {
			both_start(&resumed, &b);
			check_same(full.client.conn, resumed.client.conn);
			check_same(full.server.conn, resumed.server.conn);
			write_pattern(&resumed.client, 0, 1000);
			(void)run_until(&resumed, never, 20);
			check_pattern(&resumed.server.got, 1000);
			pair_close(&resumed);
		}
		pair_close(&full);
		both_free(&b);
	}
}

/* ---- only where they hold ------------------------------------------------ */

static struct tls_creds *creds_of_two(void)
{
	char path[4][128];
	const struct tls_identity ids[] = {
		{"a.example", files_path(&files, "a.pem", path[0]),
		 files_path(&files, "a.key", path[1]), NULL},
		{"b.example", files_path(&files, "b.pem", path[2]),
		 files_path(&files, "b.key", path[3]), NULL},
	};
	char trust[128];
	const struct tls_creds_params p = {
		.trust_file = files_path(&files, "ca.pem", trust),
		.identities = ids,
		.identity_count = 2,
	};
	struct tls_creds *c;
	struct errbuf e = {""};

	if (tls_creds_new(&c, &p, &e) != 0)
		fail_msg("%s", e.text);
	return c;
}

static struct both both_of_two(const char *client, const char *server)
{
	return (struct both){
		.client = creds_of_two(),
		.server = creds_of_two(),
		.client_params = {.side = TLS_CLIENT,
				  .identity = client,
				  .sni = "a.example"},
		.server_params = {.side = TLS_SERVER, .identity = server},
	};
}

/* A client that is another domain now is not taken for what it was. */
static void test_not_as_another_client(void **state)
{
	struct both b = both_of_two("a.example", "a.example");

	(void)state;
	assert_false(again(&b));
	assert_true(again(&b));
	b.client_params.identity = "b.example";
	assert_false(again(&b));
	assert_true(again(&b));
	b.client_params.identity = NULL;
	assert_false(again(&b));
	b.client_params.identity = "a.example";
	assert_true(again(&b));
	both_free(&b);
}

/* The ticket of one of our domains is worth nothing at the other: RFC 6066 3,
 * here with the owner's choice and with SNI's. */
static void test_not_at_another_identity(void **state)
{
	struct both b = both_of_two("a.example", "a.example");

	(void)state;
	assert_false(again(&b));
	b.server_params.identity = "b.example"; /* the client cannot know */
	assert_false(again(&b));
	assert_true(again(&b));
	b.server_params.identity = NULL; /* SNI says a.example */
	assert_false(again(&b));
	assert_true(again(&b));
	b.client_params.sni = "b.example";
	assert_false(again(&b));
	assert_true(again(&b));
	both_free(&b);
}

/* Other credentials: other trust, other keys, such as s2s and the channel. */
static void test_not_with_other_creds(void **state)
{
	struct both b = both_of_two("a.example", "a.example");

	(void)state;
	assert_false(again(&b));
	assert_true(again(&b));
	tls_creds_unref(b.server);
	b.server = creds_of(
		(struct who){"stranger.pem", "a", TLS_VERIFY_REQUIRED, NULL});
	b.server_params.identity = "a";
	{
		struct pair p;

		both_start(&p, &b);
		assert_true(run_until(&p, is_decided, 2000));
		assert_int_equal(FED_ETLS, p.server.err);
		assert_non_null(strstr(p.server.text, "certificate refused"));
		pair_close(&p);
	}
	tls_creds_unref(b.server);
	b.server = creds_of_two();
	b.server_params.identity = "a.example";
	assert_false(again(&b));
	assert_true(again(&b));
	tls_creds_unref(b.client); /* its sessions go with it */
	b.client = creds_of_two();
	assert_false(again(&b));
	both_free(&b);
}

/* Without a name there is no telling whose session it would be. */
static void test_not_without_a_name(void **state)
{
	struct both b = both_of_two("a.example", "a.example");

	(void)state;
	b.client_params.sni = NULL;
	assert_false(again(&b));
	assert_false(again(&b));
	both_free(&b);
}

/* What was valid for a while is not valid for the life of a ticket. */
static void test_expired_meanwhile(void **state)
{
	struct who brief = {"ca.pem", "brief", 0, NULL};
	struct who a = {"ca.pem", "a", 0, NULL};
	struct both b;
	struct pair p;

	(void)state;
	files_request(&files, "brief", "subjectAltName=DNS:a.example");
	files_issue_short(&files, "ca", "brief", 3);
	b = both_of(brief, a);
	assert_false(again(&b));
	assert_true(again(&b));
	sleep(4);
	both_start(&p, &b);
	assert_false(is_resumed(&p));
	assert_false(conn_tls_facts(p.server.conn)->is_chain_valid);
	assert_string_equal("expired certificate",
			    conn_tls_facts(p.server.conn)->chain_problem);
	pair_close(&p);
	both_free(&b);

	/* the other side's */
	files_issue_short(&files, "ca", "brief", 3);
	b = both_of(a, brief);
	assert_false(again(&b));
	assert_true(again(&b));
	sleep(4);
	both_start(&p, &b);
	assert_false(is_resumed(&p));
	assert_string_equal("expired certificate",
			    conn_tls_facts(p.client.conn)->chain_problem);
	pair_close(&p);
	both_free(&b);
}

static struct tls_creds *a_with_crl(const char *crl)
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
	};
	struct tls_creds *c;
	struct errbuf e = {""};

	if (tls_creds_new(&c, &p, &e) != 0)
		fail_msg("%s", e.text);
	return c;
}

/* Who holds a ticket from before he was revoked, and who one from a time when
 * the list was still in date. */
static void test_revoked_meanwhile(void **state)
{
	struct who client = {"ca.pem", "b", 0, NULL};
	struct who server = {"ca.pem", "a", 0, NULL};
	struct both b = both_of(client, server);
	struct pair p;

	(void)state;
	assert_false(again(&b));
	assert_true(again(&b));
	files_revoke(&files, "ca", "b", "some", 3600);
	tls_creds_unref(b.server); /* as the server's restart does */
	b.server = a_with_crl("some.crl");
	both_start(&p, &b);
	assert_false(is_resumed(&p));
	assert_string_equal("revoked certificate",
			    conn_tls_facts(p.server.conn)->chain_problem);
	pair_close(&p);
	assert_true(again(&b)); /* as revoked as before */
	both_start(&p, &b);
	assert_string_equal("revoked certificate",
			    conn_tls_facts(p.server.conn)->chain_problem);
	pair_close(&p);
	both_free(&b);
}

static void test_crl_expired_meanwhile(void **state)
{
	struct who client = {"ca.pem", "b", 0, NULL};
	struct who server = {"ca.pem", "a", 0, NULL};
	struct both b = both_of(client, server);
	struct pair p;

	(void)state;
	files_revoke(&files, "ca", "clientonly", "brief", 3);
	tls_creds_unref(b.server);
	b.server = a_with_crl("brief.crl");
	assert_false(again(&b));
	assert_true(again(&b));
	sleep(4);
	both_start(&p, &b);
	assert_false(is_resumed(&p));
	assert_string_equal("revocation list out of date",
			    conn_tls_facts(p.server.conn)->chain_problem);
	pair_close(&p);
	both_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_facts),
		cmocka_unit_test(test_cache_is_bounded),
		cmocka_unit_test(test_not_as_another_client),
		cmocka_unit_test(test_not_at_another_identity),
		cmocka_unit_test(test_not_with_other_creds),
		cmocka_unit_test(test_not_without_a_name),
		cmocka_unit_test(test_expired_meanwhile),
		cmocka_unit_test(test_revoked_meanwhile),
		cmocka_unit_test(test_crl_expired_meanwhile),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
