/* TLS on loopback connections: facts, refusals, bytes. */
#include "loopback.h"

#include "io/tls_compat.h"
#include "tls_files.h"

static struct tls_files files;

/* ---- credentials --------------------------------------------------------- */

struct who {
	const char *trust;    /* file, NULL: none */
	const char *identity; /* file without ending, NULL: none */
	enum tls_verify verify;
	const char *alpn;
};

static struct tls_creds *creds_of(struct who w)
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

static bool is_decided(struct pair *p)
{
	const struct end *c = &p->client;
	const struct end *s = &p->server;

	return c->seen[CONN_TLS_UP] + c->seen[CONN_ERROR] > 0 &&
	       s->seen[CONN_TLS_UP] + s->seen[CONN_ERROR] > 0;
}

static void start(struct end *e, struct who w, enum tls_side side,
		  const char *sni)
{
	struct tls_creds *c = creds_of(w);

	assert_int_equal(0, conn_start_tls(e->conn, c, side, w.identity, sni));
	assert_int_equal(FED_ESTATE,
			 conn_start_tls(e->conn, c, side, w.identity, sni));
	assert_null(conn_tls_facts(e->conn));
	tls_creds_unref(c); /* the connection has its own reference */
}

static void handshake(struct pair *p, struct who client, struct who server)
{
	pair_open(p);
	start(&p->client, client, TLS_CLIENT, "never.matches.example");
	start(&p->server, server, TLS_SERVER, NULL);
	if (!run_until(p, is_decided, 5000))
		fail_msg("client: %s, server: %s", p->client.text,
			 p->server.text);
}

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

static void test_unknown_identity(void **state)
{
	struct tls_creds *c = creds_of((struct who){"ca.pem", "a", 0, NULL});
	struct pair p;

	(void)state;
	pair_open(&p);
	assert_int_equal(FED_ENOTFOUND, conn_start_tls(p.client.conn, c,
						       TLS_CLIENT, "b", NULL));
	assert_int_equal(FED_ENOTFOUND, conn_start_tls(p.server.conn, c,
						       TLS_SERVER, "b", NULL));
	tls_creds_unref(c);
	pair_close(&p);
}

/* Direct TLS: the server learns the domain from SNI. */
static void test_server_by_sni(void **state)
{
	static const char *const names[] = {"a", "B", "neither"};
	char path[4][128];
	struct tls_identity ids[] = {
		{"a", files_path(&files, "chain.pem", path[0]),
		 files_path(&files, "a.key", path[1])},
		{"b", files_path(&files, "b.pem", path[2]),
		 files_path(&files, "b.key", path[3])},
	};
	struct tls_creds_params params = {.identities = ids,
					  .identity_count = 2};
	struct who client = {"ca.pem", NULL, 0, NULL};
	struct tls_creds *c;
	struct errbuf e;

	(void)state;
	assert_int_equal(0, tls_creds_new(&c, &params, &e));
	for (size_t i = 0; i < FED_ARRAY_LEN(names); i++) {
		struct pair p;

		pair_open(&p);
		start(&p.client, client, TLS_CLIENT, names[i]);
		assert_int_equal(0, conn_start_tls(p.server.conn, c, TLS_SERVER,
						   NULL, NULL));
		assert_true(run_until(&p, is_decided, 5000));
		assert_int_equal(
			i == 1, conn_peer_has_name(p.client.conn, "b.example"));
		pair_close(&p);
	}
	tls_creds_unref(c);
}

/* ---- bytes --------------------------------------------------------------- */

static const struct who plain_a = {"ca.pem", "a", 0, NULL};

static bool server_got_all(struct pair *p)
{
	return buf_len(&p->server.got) >= 1500 * 1024;
}

static bool client_flushed(struct pair *p)
{
	return conn_flushed(p->client.conn) == conn_written(p->client.conn);
}

static void test_bytes_both_ways(void **state)
{
	uint64_t part;
	struct pair p;

	(void)state;
	handshake(&p, plain_a, plain_a);
	conn_pause(p.server.conn);
	write_pattern(&p.client, 0, 1500 * 1024);
	(void)run_until(&p, never, 100);
	assert_int_equal(0, p.server.seen[CONN_DATA]);
	part = conn_flushed(p.client.conn);
	assert_true(part <= 1500 * 1024);
	conn_resume(p.server.conn);
	assert_true(run_until(&p, server_got_all, 5000));
	assert_true(run_until(&p, client_flushed, 1000));
	check_pattern(&p.server.got, 1500 * 1024);
	assert_true(p.server.largest <= LIMIT_READ_BYTES);
	assert_int_equal(1500 * 1024, conn_flushed(p.client.conn));
	assert_int_equal(0, conn_flushed(p.server.conn)); /* no handshake */
	pair_close(&p);
}

static bool server_got_something(struct pair *p)
{
	return p->server.seen[CONN_DATA] > 0;
}

static void test_pause_inside_records(void **state)
{
	struct pair p;
	unsigned before;

	(void)state;
	handshake(&p, plain_a, plain_a);
	p.server.is_pause_on_data = true;
	write_pattern(&p.client, 0, 60 * 1024);
	assert_true(run_until(&p, server_got_something, 2000));
	(void)run_until(&p, never, 50);
	assert_int_equal(1, p.server.seen[CONN_DATA]);
	while (buf_len(&p.server.got) < 60 * 1024) {
		before = p.server.seen[CONN_DATA];
		conn_resume(p.server.conn);
		(void)run_until(&p, never, 20);
		assert_int_equal(before + 1, p.server.seen[CONN_DATA]);
	}
	check_pattern(&p.server.got, 60 * 1024);
	pair_close(&p);
}

static bool server_gone(struct pair *p)
{
	return p->server.conn == NULL;
}

static void test_close_between_records(void **state)
{
	struct pair p;

	(void)state;
	handshake(&p, plain_a, plain_a);
	p.server.is_close_on_data = true;
	write_pattern(&p.client, 0, 60 * 1024);
	assert_true(run_until(&p, server_gone, 2000));
	(void)run_until(&p, never, 30);
	assert_int_equal(1, p.server.seen[CONN_DATA]);
	pair_close(&p);
}

static bool server_eof(struct pair *p)
{
	return p->server.seen[CONN_EOF] > 0;
}

static void test_close_flushes_and_notifies(void **state)
{
	struct pair p;

	(void)state;
	handshake(&p, plain_a, plain_a);
	write_pattern(&p.client, 0, 700 * 1024);
	end_close(&p.client);
	assert_true(run_until(&p, server_eof, 5000));
	check_pattern(&p.server.got, 700 * 1024);
	assert_int_equal(0, p.server.seen[CONN_ERROR]);
	assert_int_equal(1, p.server.seen[CONN_EOF]);
	pair_close(&p);
}

/* ---- closing inside each event ------------------------------------------- */

static enum conn_event_kind close_at;

static void close_inside(struct end *e, const struct conn_event *ev)
{
	if (ev->kind != close_at || e->conn == NULL)
		return;
	assert_int_equal(0, conn_write(e->conn, SPAN_LIT("last words")));
	end_close(e);
}

static bool client_gone(struct pair *p)
{
	return p->client.conn == NULL;
}

/* What makes the client see the event. */
static void provoke(struct pair *p)
{
	switch (close_at) {
	case CONN_UP:
	case CONN_TLS_UP:
		break; /* comes by itself */
	case CONN_DATA:
		write_pattern(&p->server, 0, 40 * 1024);
		break;
	case CONN_DRAINED:
		write_pattern(&p->client, 0, 40 * 1024);
		break;
	case CONN_EOF:
		end_close(&p->server);
		break;
	case CONN_TIMEOUT:
		conn_set_deadline(p->client.conn, loop_now_ms(p->loop) + 10);
		break;
	case CONN_ERROR:
		break; /* nothing can be said any more */
	}
}

static void test_close_inside_every_event(void **state)
{
	static const enum conn_event_kind kinds[] = {
		CONN_TLS_UP, CONN_DATA, CONN_DRAINED, CONN_EOF, CONN_TIMEOUT,
	};
	struct pair p;

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(kinds); i++) {
		bool is_early = kinds[i] == CONN_TLS_UP;

		close_at = kinds[i];
		pair_open(&p);
		p.client.on_event = is_early ? close_inside : NULL;
		start(&p.client, plain_a, TLS_CLIENT, NULL);
		start(&p.server, plain_a, TLS_SERVER, NULL);
		assert_true(run_until(&p, is_decided, 5000));
		p.client.on_event = close_inside;
		provoke(&p);
		if (!run_until(&p, client_gone, 2000))
			fail_msg("event %d did not come", (int)close_at);
		if (p.server.conn != NULL) {
			assert_true(run_until(&p, server_eof, 2000));
			assert_true(span_ends(buf_span(&p.server.got),
					      SPAN_LIT("last words")));
		}
		pair_close(&p);
	}
}

/* ---- STARTTLS ------------------------------------------------------------ */

static void server_proceeds(struct end *e, const struct conn_event *ev)
{
	if (ev->kind != CONN_DATA || e->seen[CONN_DATA] != 1)
		return;
	assert_int_equal(0, conn_write(e->conn, SPAN_LIT("proceed")));
	start(e, plain_a, TLS_SERVER, NULL);
	/* waits for the handshake */
	assert_int_equal(0, conn_write(e->conn, SPAN_LIT("secret")));
}

static void client_proceeds(struct end *e, const struct conn_event *ev)
{
	if (ev->kind == CONN_DATA && e->seen[CONN_DATA] == 1)
		start(e, plain_a, TLS_CLIENT, "a.example");
}

static bool client_got_both(struct pair *p)
{
	return buf_len(&p->client.got) >= 13;
}

static void test_starttls_inside_data(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p);
	p.server.on_event = server_proceeds;
	p.client.on_event = client_proceeds;
	assert_int_equal(0, conn_write(p.client.conn, SPAN_LIT("starttls")));
	assert_true(run_until(&p, client_got_both, 5000));
	assert_true(span_eq_str(buf_span(&p.client.got), "proceedsecret"));
	assert_int_equal(1, p.client.seen[CONN_TLS_UP]);
	assert_int_equal(1, p.server.seen[CONN_TLS_UP]);
	assert_int_equal(13, conn_flushed(p.server.conn));
	pair_close(&p);
}

static bool server_failed(struct pair *p)
{
	return p->server.seen[CONN_ERROR] > 0;
}

/* Clear bytes behind the upgrade never reach the owner as DATA. */
static void test_injected_clear_bytes(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p);
	p.server.on_event = server_proceeds;
	write_pattern(&p.client, 0, 40 * 1024); /* three DATA without TLS */
	assert_true(run_until(&p, server_failed, 5000));
	assert_int_equal(1, p.server.seen[CONN_DATA]);
	assert_int_equal(FED_ETLS, p.server.err);
	pair_close(&p);
}

static void test_gone_in_handshake(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p);
	start(&p.server, plain_a, TLS_SERVER, NULL);
	end_close(&p.client);
	assert_true(run_until(&p, server_failed, 2000));
	assert_int_equal(FED_ETLS, p.server.err);
	assert_non_null(strstr(p.server.text, "during the TLS handshake"));
	pair_close(&p);
}

static void test_paused_handshake(void **state)
{
	struct pair p;

	(void)state;
	pair_open(&p);
	conn_pause(p.server.conn);
	start(&p.client, plain_a, TLS_CLIENT, NULL);
	start(&p.server, plain_a, TLS_SERVER, NULL);
	assert_int_equal(0, conn_write(p.client.conn, SPAN_LIT("early")));
	assert_true(run_until(&p, is_decided, 5000));
	(void)run_until(&p, never, 30);
	assert_int_equal(1, p.server.seen[CONN_TLS_UP]);
	assert_int_equal(0, p.server.seen[CONN_DATA]);
	conn_resume(p.server.conn);
	assert_true(run_until(&p, server_got_something, 1000));
	assert_true(span_eq_str(buf_span(&p.server.got), "early"));
	pair_close(&p);
}

static int make_files(void **state)
{
	(void)state;
	files_make(&files);
	return 0;
}

static int remove_files(void **state)
{
	(void)state;
	files_remove(&files);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_creds_refusals),
		cmocka_unit_test(test_creds_required_needs_anchors),
		cmocka_unit_test(test_creds_has),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_peer_names),
		cmocka_unit_test(test_required_refuses),
		cmocka_unit_test(test_required_accepts),
		cmocka_unit_test(test_unknown_identity),
		cmocka_unit_test(test_server_by_sni),
		cmocka_unit_test(test_bytes_both_ways),
		cmocka_unit_test(test_pause_inside_records),
		cmocka_unit_test(test_close_between_records),
		cmocka_unit_test(test_close_flushes_and_notifies),
		cmocka_unit_test(test_close_inside_every_event),
		cmocka_unit_test(test_starttls_inside_data),
		cmocka_unit_test(test_injected_clear_bytes),
		cmocka_unit_test(test_gone_in_handshake),
		cmocka_unit_test(test_paused_handshake),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
