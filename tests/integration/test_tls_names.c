/* TLS on loopback connections: identities, SNI, ALPN. */
#include "tls_pair.h"

static void test_unknown_identity(void **state)
{
	struct tls_creds *c = creds_of((struct who){"ca.pem", "a", 0, NULL});
	struct tls_params params = {.side = TLS_CLIENT, .identity = "b"};
	struct pair p;

	(void)state;
	pair_open(&p);
	assert_int_equal(FED_ENOTFOUND,
			 conn_start_tls(p.client.conn, c, &params));
	params.side = TLS_SERVER;
	assert_int_equal(FED_ENOTFOUND,
			 conn_start_tls(p.server.conn, c, &params));
	tls_creds_unref(c);
	pair_close(&p);
}

static void test_server_without_identities(void **state)
{
	struct tls_creds *c = creds_of((struct who){"ca.pem", NULL, 0, NULL});
	const struct tls_params params = {.side = TLS_SERVER};
	struct pair p;

	(void)state;
	pair_open(&p);
	assert_int_equal(FED_ENOTFOUND,
			 conn_start_tls(p.server.conn, c, &params));
	tls_creds_unref(c);
	pair_close(&p);
}

/* A server of two domains, the first with two certificates. */
static struct tls_creds *two_domains(const char *alpn)
{
	char path[6][128];
	const struct tls_identity ids[] = {
		{"a.example", files_path(&files, "chain.pem", path[0]),
		 files_path(&files, "a.key", path[1]), NULL},
		{"b\u00fccher.example", files_path(&files, "b.pem", path[2]),
		 files_path(&files, "b.key", path[3]), "xn--bcher-kva.example"},
		{"a.example", files_path(&files, "self.pem", path[4]),
		 files_path(&files, "self.key", path[5]), NULL},
	};
	const struct tls_creds_params params = {
		.identities = ids, .identity_count = 3, .alpn = alpn};
	struct tls_creds *c;
	struct errbuf e = {""};

	if (tls_creds_new(&c, &params, &e) != 0)
		fail_msg("%s", e.text);
	return c;
}

struct name_row {
	const char *identity; /* that the server's owner names */
	bool is_server_direct;
	const char *sni;
	const char *offer; /* ALPN of the client */
	const char *shown; /* a name in the certificate; NULL: refused */
	const char *alpn;  /* agreed on */
};

static const struct name_row name_rows[] = {
	/* the certificate by SNI */
	{NULL, true, "a.example", "xmpp-server", "a.example", "xmpp-server"},
	{NULL, true, "xn--bcher-kva.example", "xmpp-server", "b.example",
	 "xmpp-server"},
	{NULL, true, "XN--Bcher-Kva.Example", "xmpp-server", "b.example",
	 "xmpp-server"},
	{NULL, true, "neither.example", "xmpp-server", "a.example",
	 "xmpp-server"},
	{NULL, true, NULL, "xmpp-server", "a.example", "xmpp-server"},
	{NULL, false, "xn--bcher-kva.example", NULL, "b.example", ""},
	/* the owner said which */
	{"a.example", false, "xn--bcher-kva.example", NULL, "a.example", ""},
	{"b\u00fccher.example", false, "a.example", NULL, "b.example", ""},
	/* RFC 7301 3.2: none offered, none agreed on; none in common, refused.
	 * With STARTTLS it does not matter. */
	{NULL, true, "a.example", NULL, "a.example", ""},
	{NULL, true, "a.example", "xmpp-client", NULL, NULL},
	{"a.example", false, "a.example", "xmpp-client", "a.example", ""},
};

static void run_name_row(struct pair *p, const struct name_row *r)
{
	struct who client = {"ca.pem", NULL, 0, r->offer};
	const struct tls_params params = {.side = TLS_SERVER,
					  .identity = r->identity,
					  .is_direct = r->is_server_direct};
	struct tls_creds *c = two_domains("xmpp-server");

	pair_open(p);
	start(&p->client, client, TLS_CLIENT, r->sni);
	assert_int_equal(0, conn_start_tls(p->server.conn, c, &params));
	tls_creds_unref(c);
	assert_true(run_until(p, is_decided, 5000));
}

static void check_name_row(const struct pair *p, const struct name_row *r,
			   size_t i)
{
	const struct tls_facts *cf = conn_tls_facts(p->client.conn);
	const struct tls_facts *sf = conn_tls_facts(p->server.conn);
	struct span asked = r->sni == NULL ? SPAN_NULL : span_str(r->sni);

	if (cf == NULL || sf == NULL)
		fail_msg("row %zu: %s; %s", i, p->client.text, p->server.text);
	if (!conn_peer_has_name(p->client.conn, r->shown))
		fail_msg("row %zu: another certificate", i);
	assert_string_equal(r->alpn, cf->alpn);
	assert_string_equal(r->alpn, sf->alpn);
	assert_int_equal(0, cf->sni.n);
	assert_true(span_eq(asked, sf->sni));
}

static void test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(name_rows); i++) {
		const struct name_row *r = &name_rows[i];
		struct pair p;

		run_name_row(&p, r);
		if (r->shown != NULL) {
			check_name_row(&p, r, i);
		} else {
			assert_int_equal(FED_ETLS, p.server.err);
			assert_non_null(strstr(p.client.text,
					       "120 (no application protocol"));
		}
		pair_close(&p);
	}
}

/* The owner asks for the ALPN of direct TLS only; creds that have none offer
 * none. */
static void test_alpn_is_asked_for(void **state)
{
	struct who a = {"ca.pem", "a", 0, "xmpp-server"};
	struct tls_creds *c = creds_of(a);
	const struct tls_params params = {
		.side = TLS_CLIENT, .identity = "a", .sni = "a"};
	struct pair p;

	(void)state;
	pair_open(&p);
	assert_int_equal(0, conn_start_tls(p.client.conn, c, &params));
	start(&p.server, a, TLS_SERVER, NULL);
	tls_creds_unref(c);
	assert_true(run_until(&p, is_decided, 5000));
	assert_string_equal("", conn_tls_facts(p.client.conn)->alpn);
	assert_string_equal("", conn_tls_facts(p.server.conn)->alpn);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unknown_identity),
		cmocka_unit_test(test_server_without_identities),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_alpn_is_asked_for),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
