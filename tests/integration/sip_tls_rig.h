/*
 * The SIP side with TLS on loopback, and a client in a process of its own.
 */
#ifndef FED_TESTS_SIP_TLS_RIG_H
#define FED_TESTS_SIP_TLS_RIG_H

/* clang-format off: cmocka wants this order */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fe-gateway/sip_adapter.h"
#include "tls_files.h"

enum {
	/* connections; the library kept 36 KB of each */
	CROWD = 5000,
	SETTLED = 500,
#ifdef __SANITIZE_ADDRESS__
	/* its own tables grow too; a leak would be 160 MB */
	GROWTH_MAX_KB = 16 * 1024,
#else
	GROWTH_MAX_KB = 1024,
#endif
};

static struct tls_files files;
static char chain[128], key[128], trust[128];

/* A SIP side with TLS, and what happened on it. */
struct fixture {
	struct loop *loop;
	struct sip_loop *sip_loop;
	struct sip_tls *tls;
	struct sip_adapter *a;
	struct loop_timer *timer;
	uint16_t port;
	int admitted; /* asked about, since they came over UDP */
	int requests;
	bool was_tls;
	long settled_kb;
	pid_t child;
	int child_status;
	int ends;
	enum sip_end end;
	int status;
};

static long rss_kb(void)
{
	long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%*s %ld", &pages), 1);
	(void)fclose(f);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static uint16_t free_port(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&a, n), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
	(void)close(fd);
	return ntohs(a.sin_port);
}

static bool admit(struct span source, void *arg)
{
	struct fixture *f = arg;

	(void)source;
	f->admitted++;
	return true;
}

static void on_request(const struct sip_request_in *r, void *arg)
{
	struct fixture *f = arg;
	struct sip_reply ok = {.line = {.status = 200, .phrase = "OK"}};

	f->requests++;
	f->was_tls = r->is_tls;
	if (f->requests == SETTLED)
		f->settled_kb = rss_kb();
	sip_adapter_reply(f->a, r->handle, &ok);
}

static void on_response(uint64_t token, const struct sip_response_in *r,
			void *arg)
{
	struct fixture *f = arg;

	(void)token;
	f->ends++;
	f->end = r->end;
	f->status = r->status;
	loop_stop(f->loop);
}

static void start_over(struct fixture *f, const char *transport,
		       const char *peer, const char *trusted)
{
	static const char *peers[1], *trusteds[1];
	static char listen[64];
	static const char *listens[1];
	struct errbuf e = {.text = ""};
	struct sip_tls_params t = {
		.certificate = chain,
		.key = key,
		.trust = trust,
		.peers = peers,
		.peer_count = peer != NULL,
		.trusted = trusteds,
		.trusted_count = trusted != NULL,
	};
	struct sip_adapter_params p = {
		.instance = "gw.example",
		.listen = listens,
		.listen_count = 1,
		.admit_udp = admit,
		.on_request = on_request,
		.on_response = on_response,
		.arg = f,
	};

	*f = (struct fixture){.port = free_port()};
	peers[0] = peer;
	trusteds[0] = trusted;
	listens[0] = listen;
	(void)snprintf(listen, sizeof(listen), "%s:127.0.0.1:%u", transport,
		       f->port);
	assert_int_equal(loop_new(&f->loop, NULL), 0);
	assert_int_equal(sip_loop_new(&f->sip_loop, f->loop), 0);
	t.loop = f->loop;
	p.loop = f->sip_loop;
	assert_int_equal(sip_tls_new(&f->tls, &t), 0);
	p.tls = f->tls;
	if (sip_adapter_new(&f->a, &p, &e) != 0)
		fail_msg("%s", e.text);
}

static void start(struct fixture *f, const char *peer, const char *trusted)
{
	start_over(f, "tls", peer, trusted);
}

static void stop(struct fixture *f)
{
	sip_adapter_free(f->a);
	sip_tls_free(f->tls);
	loop_timer_free(f->timer);
	sip_loop_free(f->sip_loop);
	loop_free(f->loop);
}

/* ---- a client of its own process ----------------------------------------- */

struct client {
	uint16_t port;
	const char *name; /* NULL: no certificate */
	int max_version;
	int count;
};

static SSL_CTX *client_ctx(const struct client *c)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	char pem[128], ca[128];

	if (c->name != NULL &&
	    (SSL_CTX_use_certificate_file(ctx, files_path(&files, c->name, pem),
					  1) != 1 ||
	     SSL_CTX_use_PrivateKey_file(ctx, pem, 1) != 1))
		_exit(99);
	(void)files_path(&files, "ca.pem", ca);
	if (SSL_CTX_load_verify_locations(ctx, ca, NULL) != 1)
		_exit(99);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	if (c->max_version != 0) {
		SSL_CTX_set_security_level(ctx, 0);
		(void)SSL_CTX_set_max_proto_version(ctx, c->max_version);
	}
	return ctx;
}

static int print_options(char *out, size_t size, const char *transport, int i)
{
	return snprintf(out, size,
			"OPTIONS sip:gw.example SIP/2.0\r\n"
			"Via: SIP/2.0/%s 127.0.0.1:9;branch=z9hG4bK%d\r\n"
			"From: <sip:a.example>;tag=t\r\nTo: <sip:b.example>\r\n"
			"Call-ID: c%d\r\nCSeq: 1 OPTIONS\r\n"
			"Max-Forwards: 1\r\nContent-Length: 0\r\n\r\n",
			transport, i, i);
}

static int ask_options(SSL *ssl, int i)
{
	char text[600];
	int n = print_options(text, sizeof(text), "TLS", i);

	if (SSL_write(ssl, text, n) != n)
		return 2;
	n = SSL_read(ssl, text, sizeof(text) - 1);
	return n >= 12 && memcmp(text, "SIP/2.0 200 ", 12) == 0 ? 0 : 2;
}

/* 0: answered; 1: no handshake, or the chain is not complete; 2: no answer. */
static int connect_once(SSL_CTX *ctx, const struct client *c, int i)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				.sin_port = htons(c->port)};
	struct linger abort_it = {1, 0};
	int yes = 1;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	SSL *ssl = SSL_new(ctx);
	int rc = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0 &&
	    SSL_set_fd(ssl, fd) == 1 && SSL_connect(ssl) == 1)
		rc = ask_options(ssl, i);
	/* ends of all kinds: with an alert, without one, with a reset */
	if (rc == 0 && i % 3 == 0)
		(void)SSL_shutdown(ssl);
	if (i % 3 == 1)
		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort_it,
				 sizeof(abort_it));
	(void)close(fd);
	SSL_free(ssl);
	return rc;
}

static void run_client(const struct client *c)
{
	SSL_CTX *ctx = client_ctx(c);
	int rc = 0;

	(void)alarm(120);
	for (int i = 0; i < c->count && rc == 0; i++)
		rc = connect_once(ctx, c, i);
	_exit(rc);
}

static void on_tick(void *arg)
{
	struct fixture *f = arg;

	if (waitpid(f->child, &f->child_status, WNOHANG) == f->child)
		loop_stop(f->loop);
	else
		loop_timer_arm(f->timer, loop_now_ms(f->loop) + 20);
}

/* @return its exit status, as connect_once() */
static int serve(struct fixture *f, struct client c)
{
	c.port = f->port;
	f->child = fork();
	if (f->child == 0)
		run_client(&c);
	assert_int_equal(loop_timer_new(&f->timer, f->loop, on_tick, f), 0);
	on_tick(f);
	sip_loop_run(f->sip_loop);
	assert_true(WIFEXITED(f->child_status));
	return WEXITSTATUS(f->child_status);
}

static void on_late(void *arg)
{
	struct fixture *f = arg;

	loop_stop(f->loop);
}

/* Long enough for what is on loopback already. */
static void run_shortly(struct fixture *f)
{
	assert_int_equal(loop_timer_new(&f->timer, f->loop, on_late, f), 0);
	loop_timer_arm(f->timer, loop_now_ms(f->loop) + 200);
	sip_loop_run(f->sip_loop);
}

#endif
