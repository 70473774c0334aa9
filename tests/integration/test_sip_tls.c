/*
 * TLS of the SIP side on loopback: who gets a connection, what a connection
 * leaves behind, and that other users of OpenSSL do not notice.
 */
#include "sip_tls_rig.h"

/* ---- tests --------------------------------------------------------------- */

/* Who may dial us, and with what. */
static void test_who_may_dial(void **state)
{
	static const struct {
		const char *peer;    /* sip.tls.peers */
		const char *trusted; /* sip.trusted */
		const char *name;    /* certificate of the client */
		int max_version;
		int rc;
	} rows[] = {
		{NULL, "127.0.0.1", "a-both.pem", 0, 0},
		{NULL, "127.0.0.1", "a-both.pem", TLS1_2_VERSION, 0},
		{"a.example", NULL, "a-both.pem", 0, 0},
		{"a.example", "192.0.2.1", "a-both.pem", 0, 0},
		/* for servers only, as many a SIP server has it */
		{"b.example", NULL, "b-both.pem", 0, 0},
		{NULL, "192.0.2.1", "a-both.pem", TLS1_2_VERSION, 1},
		{"b.example", NULL, "a-both.pem", TLS1_2_VERSION, 1},
		{"x.wild.example", NULL, "a-both.pem", TLS1_2_VERSION, 1},
		{NULL, "127.0.0.1", "odd-both.pem", TLS1_2_VERSION, 1},
		{NULL, "127.0.0.1", "old-both.pem", TLS1_2_VERSION, 1},
		{NULL, "127.0.0.1", NULL, TLS1_2_VERSION, 1},
		/* TLS 1.3: the client is done before it is refused */
		{NULL, "192.0.2.1", "a-both.pem", 0, 2},
		{NULL, "127.0.0.1", NULL, 0, 2},
		{NULL, "127.0.0.1", "a-both.pem", TLS1_1_VERSION, 1},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct client c = {.name = rows[i].name,
				   .max_version = rows[i].max_version,
				   .count = 1};
		struct fixture f;
		int rc;

		start(&f, rows[i].peer, rows[i].trusted);
		rc = serve(&f, c);
		if (rc != rows[i].rc)
			fail_msg("row %zu: %d", i, rc);
		assert_int_equal(f.requests, rc == 0);
		assert_true(f.was_tls == (rc == 0));
		stop(&f);
	}
}

/* What Via says of the transport is the sender's word: what comes over UDP and
 * says TLS gets nothing, what says UDP is heard. */
static void test_via_is_no_proof(void **state)
{
	static const char *const said[] = {"TLS", "TCP", "UDP"};
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct fixture f;

	(void)state;
	start_over(&f, "udp", NULL, NULL);
	to.sin_port = htons(f.port);
	for (size_t i = 0; i < FED_ARRAY_LEN(said); i++) {
		char text[600];
		int n = print_options(text, sizeof(text), said[i], (int)i);

		assert_int_equal(sendto(fd, text, (size_t)n, 0,
					(struct sockaddr *)&to, sizeof(to)),
				 n);
	}
	run_shortly(&f);
	assert_int_equal(f.requests, 1);
	assert_int_equal(f.admitted, 1);
	assert_false(f.was_tls);
	(void)close(fd);
	stop(&f);
}

static const struct sip_request_out OPTIONS = {
	.method = "OPTIONS",
	.request_uri = "sip:a.example",
	.from_uri = "sip:gw.example",
	.from_tag = "t",
	.to_uri = "sip:a.example",
	.call_id = "c",
	.branch = "z9hG4bKx",
	.cseq = 1,
};

/* Whom we dial: the certificate stands for the host of the URI. */
static void test_whom_we_dial(void **state)
{
	static const struct {
		const char *host;
		enum sip_end end;
	} rows[] = {
		{"a.example", SIP_END_RESPONSE},
		{"A.example", SIP_END_RESPONSE},
		{"b.example", SIP_END_TRANSPORT},
		{"x.wild.example", SIP_END_TRANSPORT},
		{"127.0.0.1", SIP_END_TRANSPORT},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct sip_target t = {.transport = SIP_TLS, .ip = "127.0.0.1"};
		struct fixture f;

		start(&f, NULL, "127.0.0.1");
		t.port = f.port;
		(void)snprintf(t.host, sizeof(t.host), "%s", rows[i].host);
		assert_int_equal(sip_adapter_send(f.a, 1, &OPTIONS, &t), 0);
		sip_loop_run(f.sip_loop);
		if (f.end != rows[i].end)
			fail_msg("%s", rows[i].host);
		assert_int_equal(f.requests, f.end == SIP_END_RESPONSE);
		stop(&f);
	}
}

/* Its ClientHello, which has the name in clear. */
static size_t dial_and_read(const char *host, char *hello, size_t size)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sip_target t = {.transport = SIP_TLS, .ip = "127.0.0.1"};
	socklen_t len = sizeof(a);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	struct fixture f;
	ssize_t n;
	int fd;

	start(&f, NULL, "127.0.0.1");
	assert_int_equal(bind(listener, (struct sockaddr *)&a, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&a, &len), 0);
	t.port = ntohs(a.sin_port);
	(void)snprintf(t.host, sizeof(t.host), "%s", host);
	assert_int_equal(sip_adapter_send(f.a, 1, &OPTIONS, &t), 0);
	run_shortly(&f);
	fd = accept(listener, NULL, NULL);
	n = recv(fd, hello, size, MSG_DONTWAIT);
	assert_true(n > 0);
	(void)close(fd);
	(void)close(listener);
	stop(&f);
	return (size_t)n;
}

/* RFC 6066 3: a name, never an address. */
static void test_server_name(void **state)
{
	static const struct {
		const char *host;
		bool is_sent;
	} rows[] = {
		{"a.example", true},
		{"192.0.2.7", false},
		{"2001:db8::7", false},
	};
	char hello[4096];

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		const char *host = rows[i].host;
		size_t n = dial_and_read(host, hello, sizeof(hello));

		if ((memmem(hello, n, host, strlen(host)) != NULL) !=
		    rows[i].is_sent)
			fail_msg("%s", host);
	}
}

/* A connection that is open to the same address, but for another domain. */
static void test_no_reuse_for_others(void **state)
{
	struct sip_target t = {.transport = SIP_TLS, .ip = "127.0.0.1"};
	struct sip_request_out again = OPTIONS;
	struct fixture f;

	(void)state;
	again.branch = "z9hG4bKy";
	start(&f, NULL, "127.0.0.1");
	t.port = f.port;
	(void)snprintf(t.host, sizeof(t.host), "a.example");
	assert_int_equal(sip_adapter_send(f.a, 1, &OPTIONS, &t), 0);
	sip_loop_run(f.sip_loop);
	assert_int_equal(f.status, 200);
	(void)snprintf(t.host, sizeof(t.host), "b.example");
	assert_int_equal(sip_adapter_send(f.a, 2, &again, &t), FED_EIO);
	assert_int_equal(f.requests, 1);
	stop(&f);
}

static void test_no_growth(void **state)
{
	struct client c = {.name = "a-both.pem", .count = CROWD};
	struct fixture f;
	long kb;

	(void)state;
	start(&f, NULL, "127.0.0.1");
	assert_int_equal(serve(&f, c), 0);
	kb = rss_kb();
	assert_int_equal(f.requests, CROWD);
	print_message("%d connections: %ld KB after %d, %ld KB at the end\n",
		      CROWD, f.settled_kb, SETTLED, kb);
	assert_true(kb - f.settled_kb < GROWTH_MAX_KB);
	stop(&f);
}

/* ---- somebody else in the process ---------------------------------------- */

static int ssl_frees, bio_frees;

static void on_ssl_free(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx,
			long argl, void *argp)
{
	(void)parent;
	(void)ad;
	(void)idx;
	(void)argl;
	(void)argp;
	if (ptr != NULL)
		ssl_frees++;
}

static long on_bio(BIO *b, int oper, const char *argp, size_t len, int argi,
		   long argl, int ret, size_t *processed)
{
	(void)b;
	(void)argp;
	(void)len;
	(void)argi;
	(void)argl;
	(void)processed;
	if (oper == BIO_CB_FREE)
		bio_frees++;
	return ret;
}

static SSL *other_ssl(SSL_CTX *ctx, int index, BIO *in, BIO *out)
{
	static int mark;
	SSL *s = SSL_new(ctx);

	assert_non_null(s);
	assert_int_equal(SSL_set_ex_data(s, index, &mark), 1);
	BIO_set_callback_ex(in, on_bio);
	SSL_set_bio(s, in, out);
	return s;
}

static void test_others_are_left_alone(void **state)
{
	char pem[128];
	struct fixture f;
	SSL_CTX *ctx;
	BIO *left, *right;
	SSL *client, *server;
	int index;

	(void)state;
	start(&f, NULL, "127.0.0.1");
	index = SSL_get_ex_new_index(0, NULL, NULL, NULL, on_ssl_free);
	ctx = SSL_CTX_new(TLS_method());
	assert_int_equal(SSL_CTX_use_certificate_file(
				 ctx, files_path(&files, "a-both.pem", pem), 1),
			 1);
	assert_int_equal(SSL_CTX_use_PrivateKey_file(ctx, pem, 1), 1);
	assert_int_equal(SSL_CTX_get_min_proto_version(ctx), 0);
	assert_int_equal(BIO_new_bio_pair(&left, 65536, &right, 65536), 1);
	client = other_ssl(ctx, index, left, left);
	server = other_ssl(ctx, index, right, right);
	SSL_set_connect_state(client);
	SSL_set_accept_state(server);
	for (int i = 0; i < 4; i++) {
		(void)SSL_do_handshake(client);
		(void)SSL_do_handshake(server);
	}
	assert_true(SSL_is_init_finished(server));
	(void)SSL_shutdown(client);
	(void)SSL_shutdown(server);
	assert_int_equal(ssl_frees, 0);
	assert_string_equal(SSL_get_version(server), "TLSv1.3");
	SSL_free(client);
	SSL_free(server);
	assert_int_equal(ssl_frees, 2);
	assert_int_equal(bio_frees, 2);
	SSL_CTX_free(ctx);
	stop(&f);
}

static void test_bad_files(void **state)
{
	struct errbuf e = {.text = ""};
	struct sip_tls_params p = {
		.certificate = "/nonexistent", .key = key, .trust = trust};
	struct sip_tls *t;

	(void)state;
	assert_int_equal(loop_new(&p.loop, NULL), 0);
	assert_int_equal(sip_tls_new(&t, &p), 0);
	assert_int_equal(sip_tls_begin_load(t, &e), FED_EIO);
	assert_non_null(strstr(e.text, "No such file"));
	assert_string_equal(sip_tls_folder(t), "");
	sip_tls_free(t);
	loop_free(p.loop);
}

static int make_files(void **state)
{
	(void)state;
	files_make(&files);
	/* the server's own: below a CA that peers do not know */
	files_issue(&files, "ca", "between",
		    "basicConstraints=critical,CA:TRUE\\n"
		    "keyUsage=keyCertSign");
	files_issue(&files, "between", "gw",
		    "subjectAltName=DNS:a.example,DNS:*.wild.example");
	files_run(&files, "cat gw.pem between.pem > gwchain.pem");
	files_run(&files, "for n in a b odd old; do "
			  "cat $n.pem $n.key > $n-both.pem; done");
	(void)files_path(&files, "gwchain.pem", chain);
	(void)files_path(&files, "gw.key", key);
	(void)files_path(&files, "ca.pem", trust);
	return setenv("TMPDIR", files.dir, 1);
}

/* Nothing of the private key is left. */
static int remove_files(void **state)
{
	(void)state;
	files_run(&files, "! ls -d fe-gateway-* 2>/dev/null");
	files_remove(&files);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_may_dial),
		cmocka_unit_test(test_via_is_no_proof),
		cmocka_unit_test(test_whom_we_dial),
		cmocka_unit_test(test_server_name),
		cmocka_unit_test(test_no_reuse_for_others),
		cmocka_unit_test(test_others_are_left_alone),
		cmocka_unit_test(test_bad_files),
		cmocka_unit_test(test_no_growth),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
