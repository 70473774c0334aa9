/*
 * edge_dns against a real DNS server on the loopback: unbound(8) with local
 * data, started and ended here.
 */
/* clang-format off: cmocka wants this order */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "edge-proxy/edge_dns.h"
#include "io/dns_resolver.h"

static char dir[] = "/tmp/fed-dns-XXXXXX";
static char server[32];
static int server_port;
static pid_t child;

static const char zone[] =
	"local-zone: \"example.\" static\n"
	"local-data: \"_xmpp-server._tcp.two.example. SRV 10 0 5269 "
	"b.two.example.\"\n"
	"local-data: \"_xmpp-server._tcp.two.example. SRV 5 0 15269 "
	"a.two.example.\"\n"
	"local-data: \"_xmpps-server._tcp.two.example. SRV 1 0 5270 "
	"a.two.example.\"\n"
	"local-data: \"a.two.example. A 192.0.2.1\"\n"
	"local-data: \"a.two.example. AAAA 2001:db8::1\"\n"
	"local-data: \"b.two.example. A 192.0.2.2\"\n"
	"local-data: \"b.two.example. A 192.0.2.3\"\n"
	"local-data: \"bare.example. A 192.0.2.9\"\n"
	"local-data: \"_xmpp-server._tcp.dot.example. SRV 0 0 0 .\"\n"
	"local-data: \"dot.example. A 192.0.2.9\"\n"
	"local-data: \"_xmpp-server._tcp.lost.example. SRV 0 0 5269 "
	"no.lost.example.\"\n"
	"local-data: \"lost.example. A 192.0.2.9\"\n"
	"local-data: \"txt.example. TXT x\"\n"
	"local-data: \"_xmpps-server._tcp.tls.example. SRV 0 0 5270 "
	"bare.example.\"\n"
	"local-data: \"tls.example. A 192.0.2.9\"\n"
	"local-data: \"_xmpps-server._tcp.notls.example. SRV 0 0 0 .\"\n"
	"local-data: \"notls.example. A 192.0.2.9\"\n"
	"local-data: \"_xmpps-server._tcp.plain.example. SRV 0 0 0 .\"\n"
	"local-data: \"_xmpp-server._tcp.plain.example. SRV 0 0 5269 "
	"bare.example.\"\n"
	/* the other service's answer never comes */
	"local-zone: \"_xmpps-server._tcp.mute.example.\" deny\n"
	"local-data: \"_xmpp-server._tcp.mute.example. SRV 0 0 5269 "
	"bare.example.\"\n"
	"local-zone: \"_xmpp-server._tcp.mutetls.example.\" deny\n"
	"local-data: \"_xmpps-server._tcp.mutetls.example. SRV 0 0 5270 "
	"bare.example.\"\n"
	"local-data: \"_xmpp-server._tcp.alias.example. SRV 0 0 5269 "
	"www.alias.example.\"\n"
	"local-data: \"www.alias.example. CNAME bare.example.\"\n"
	/* absent names are absent for an hour, says the zone */
	"local-data: \"example. 3600 SOA ns.example. root.example. 1 3600 "
	"3600 3600 3600\"\n"
	"local-zone: \"refused.example.\" refuse\n"
	"local-zone: \"silent.example.\" deny\n"
	"local-data: \"_xmpp-server._tcp.half.example. SRV 1 0 5269 "
	"x.silent.example.\"\n"
	"local-data: \"_xmpp-server._tcp.half.example. SRV 2 0 5269 "
	"b.two.example.\"\n";

/* ---- the server ---------------------------------------------------------- */

static bool is_free(int type, int port)
{
	const struct sockaddr_in sa = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, type, 0);
	bool is_bound = fd >= 0 &&
			bind(fd, (const struct sockaddr *)&sa, sizeof(sa)) == 0;

	if (fd >= 0)
		(void)close(fd);
	return is_bound;
}

/* Free for both transports, and below the ports that the kernel gives to
 * connections of others meanwhile. */
static int free_port(void)
{
	enum { FIRST = 20000, COUNT = 10000 };

	for (int i = 0; i < COUNT; i++) {
		int port = FIRST + (getpid() + i) % COUNT;

		if (is_free(SOCK_DGRAM, port) && is_free(SOCK_STREAM, port))
			return port;
	}
	return -1;
}

static int run_server(int port, const char *more)
{
	char path[64];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/conf", dir);
	(void)snprintf(server, sizeof(server), "127.0.0.1:%d", port);
	f = fopen(path, "w");
	if (f == NULL)
		return -1;
	(void)fprintf(f,
		      "server:\ninterface: 127.0.0.1\nport: %d\n"
		      "username: \"\"\nchroot: \"\"\ndirectory: \"%s\"\n"
		      "pidfile: \"\"\nuse-syslog: no\nlogfile: \"%s/log\"\n"
		      "do-daemonize: no\nmodule-config: \"iterator\"\n"
		      "num-threads: 1\n%s%s"
		      "remote-control:\ncontrol-enable: no\n",
		      port, dir, dir, zone, more);
	(void)fclose(f);
	child = fork();
	if (child == 0) {
		(void)execl("/usr/sbin/unbound", "unbound", "-d", "-c", path,
			    (char *)NULL);
		_exit(127);
	}
	(void)usleep(300 * 1000);
	return child > 0 && waitpid(child, NULL, WNOHANG) == 0 ? 0 : -1;
}

static int start_server(void **state)
{
	(void)state;
	server_port = free_port();
	if (server_port < 0 || mkdtemp(dir) == NULL)
		return -1;
	return run_server(server_port, "");
}

static void end_server(void)
{
	(void)kill(child, SIGTERM);
	(void)waitpid(child, NULL, 0);
}

static int stop_server(void **state)
{
	char line[80];

	(void)state;
	end_server();
	(void)snprintf(line, sizeof(line), "rm -rf %s", dir);
	return system(line);
}

/* ---- one question -------------------------------------------------------- */

struct asked {
	struct loop *loop;
	unsigned calls;
	enum edge_dns_result result;
	char targets[1024]; /* "name=address:port[+tls] ..." */
	bool is_secure;
	char text[512];
};

static void on_result(void *arg, enum edge_dns_result result,
		      const struct edge_dns_target *targets, size_t count,
		      bool is_secure, const char *text)
{
	struct asked *a = arg;
	size_t n = 0;

	a->calls++;
	a->result = result;
	a->is_secure = is_secure;
	(void)snprintf(a->text, sizeof(a->text), "%s", text);
	for (size_t i = 0; i < count; i++) {
		char ip[INET6_ADDRSTRLEN] = "?";
		struct sockaddr_in in4;
		struct sockaddr_in6 in6;

		memcpy(&in4, &targets[i].addr, sizeof(in4));
		memcpy(&in6, &targets[i].addr, sizeof(in6));
		if (targets[i].addr.ss_family == AF_INET)
			(void)uv_ip4_name(&in4, ip, sizeof(ip));
		else
			(void)uv_ip6_name(&in6, ip, sizeof(ip));
		n += (size_t)snprintf(a->targets + n, sizeof(a->targets) - n,
				      "%s%s=%s:%u%s", n > 0 ? " " : "",
				      targets[i].name, ip, ntohs(in4.sin_port),
				      targets[i].is_direct_tls ? "+tls" : "");
	}
	loop_stop(a->loop);
}

static struct edge_dns *make_dns(struct loop *l)
{
	const char *const servers[] = {server};
	struct edge_dns *d;
	struct errbuf e = {""};

	if (edge_dns_new(&d, l, servers, 1, &e) != 0)
		fail_msg("%s", e.text);
	return d;
}

static struct asked ask(const char *domain, bool wants_direct_tls)
{
	struct asked a = {.calls = 0};
	struct edge_dns_query *q;
	struct edge_dns *d;

	assert_int_equal(0, loop_new(&a.loop, NULL));
	d = make_dns(a.loop);
	assert_int_equal(0, edge_dns_resolve(d, domain, wants_direct_tls,
					     on_result, &a, &q));
	assert_int_equal(0, a.calls);
	loop_run(a.loop);
	edge_dns_free(d);
	loop_free(a.loop);
	assert_int_equal(1, a.calls);
	return a;
}

/* One host, no SRV. */
static struct asked ask_host(const char *host)
{
	struct asked a = {.calls = 0};
	struct edge_dns_query *q;
	struct edge_dns *d;

	assert_int_equal(0, loop_new(&a.loop, NULL));
	d = make_dns(a.loop);
	assert_int_equal(0,
			 edge_dns_resolve_host(d, host, 7, on_result, &a, &q));
	assert_int_equal(0, a.calls);
	loop_run(a.loop);
	edge_dns_free(d);
	loop_free(a.loop);
	assert_int_equal(1, a.calls);
	return a;
}

struct row {
	const char *domain;
	bool wants_direct_tls;
	enum edge_dns_result result;
	const char *targets;
	const char *text;
};

static const struct row rows[] = {
	{"two.example", false, EDGE_DNS_OK,
	 "a.two.example=192.0.2.1:15269 a.two.example=2001:db8::1:15269 "
	 "b.two.example=192.0.2.2:5269 b.two.example=192.0.2.3:5269",
	 ""},
	{"two.example", true, EDGE_DNS_OK,
	 "a.two.example=192.0.2.1:5270+tls "
	 "a.two.example=2001:db8::1:5270+tls "
	 "a.two.example=192.0.2.1:15269 a.two.example=2001:db8::1:15269 "
	 "b.two.example=192.0.2.2:5269 b.two.example=192.0.2.3:5269",
	 ""},
	/* no SRV: the domain itself */
	{"bare.example", false, EDGE_DNS_OK, "bare.example=192.0.2.9:5269", ""},
	{"bare.example", true, EDGE_DNS_OK, "bare.example=192.0.2.9:5269", ""},
	/* RFC 2782 forbids it, and it occurs */
	{"alias.example", false, EDGE_DNS_OK,
	 "www.alias.example=192.0.2.9:5269", ""},
	/* X29; never its A record */
	{"dot.example", false, EDGE_DNS_NOT_FOUND, "", "no XMPP service"},
	{"lost.example", false, EDGE_DNS_NOT_FOUND, "",
	 "the SRV targets have no address"},
	{"absent.example", false, EDGE_DNS_NOT_FOUND, "",
	 "neither SRV records nor an address"},
	{"txt.example", false, EDGE_DNS_NOT_FOUND, "",
	 "neither SRV records nor an address"},
	{"tls.example", true, EDGE_DNS_OK, "bare.example=192.0.2.9:5270+tls",
	 ""},
	/* there are SRV records, none that may be used: not its A record */
	{"tls.example", false, EDGE_DNS_NOT_FOUND, "", "no XMPP service"},
	{"notls.example", true, EDGE_DNS_NOT_FOUND, "", "no XMPP service"},
	{"plain.example", true, EDGE_DNS_OK, "bare.example=192.0.2.9:5269", ""},
	{"mute.example", true, EDGE_DNS_OK, "bare.example=192.0.2.9:5269", ""},
	{"mutetls.example", true, EDGE_DNS_OK,
	 "bare.example=192.0.2.9:5270+tls", ""},
	{"mutetls.example", false, EDGE_DNS_FAILED, "", "no answer"},
	{"refused.example", false, EDGE_DNS_FAILED, "", "could not answer"},
	{"", false, EDGE_DNS_FAILED, "", "not a name"},
};

/* The order of equal targets is by chance: compare as sets of words. */
static bool same_words(const char *a, const char *b)
{
	char copy[1024];
	char *save;
	char *word;

	if (strlen(a) != strlen(b) || strlen(a) >= sizeof(copy))
		return false;
	memcpy(copy, a, strlen(a) + 1);
	for (word = strtok_r(copy, " ", &save); word != NULL;
	     word = strtok_r(NULL, " ", &save))
		if (strstr(b, word) == NULL)
			return false;
	return true;
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		struct asked a = ask(r->domain, r->wants_direct_tls);

		if (a.result != r->result ||
		    !same_words(r->targets, a.targets) ||
		    strstr(a.text, r->text) == NULL)
			fail_msg("row %zu: %d \"%s\" \"%s\"", i, (int)a.result,
				 a.targets, a.text);
		assert_false(a.is_secure);
	}
}

/* see-other-host: addresses of a name, an address as itself, never SRV. */
static void test_host(void **state)
{
	static const struct row hosts[] = {
		{"a.two.example", false, EDGE_DNS_OK,
		 "a.two.example=192.0.2.1:7 a.two.example=2001:db8::1:7", ""},
		{"192.0.2.200", false, EDGE_DNS_OK, "192.0.2.200=192.0.2.200:7",
		 ""},
		{"2001:db8::c8", false, EDGE_DNS_OK,
		 "2001:db8::c8=2001:db8::c8:7", ""},
		{"absent.example", false, EDGE_DNS_NOT_FOUND, "", "address"},
		{"", false, EDGE_DNS_FAILED, "", "not a name"},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(hosts); i++) {
		struct asked a = ask_host(hosts[i].domain);

		if (a.result != hosts[i].result ||
		    !same_words(hosts[i].targets, a.targets) ||
		    strstr(a.text, hosts[i].text) == NULL)
			fail_msg("row %zu: %d \"%s\" \"%s\"", i, (int)a.result,
				 a.targets, a.text);
	}
}

/* Priority is kept although both targets were asked for at once. */
static void test_priority(void **state)
{
	struct asked a = ask("two.example", false);

	(void)state;
	assert_int_equal(0, strncmp(a.targets, "a.two.example=", 14));
}

static void test_silence(void **state)
{
	uint64_t start = uv_hrtime();
	struct asked a = ask("silent.example", false);
	uint64_t ms = (uv_hrtime() - start) / 1000000;

	(void)state;
	assert_int_equal(EDGE_DNS_FAILED, a.result);
	assert_in_range(ms, 500, LIMIT_DNS_MS + 500);
}

/* One target's server is silent: the others are tried in time. */
static void test_half_silence(void **state)
{
	uint64_t start = uv_hrtime();
	struct asked a = ask("half.example", false);
	uint64_t ms = (uv_hrtime() - start) / 1000000;

	(void)state;
	assert_int_equal(EDGE_DNS_OK, a.result);
	assert_in_range(ms, 0, LIMIT_DNS_REST_MS + 500);
	assert_non_null(strstr(a.targets, "b.two.example=192.0.2.2:5269"));
}

/* As ask(), of a resolver that has a past. */
static void ask_again(struct edge_dns *d, struct asked *a, const char *domain)
{
	unsigned before = a->calls;
	struct edge_dns_query *q;

	assert_int_equal(0,
			 edge_dns_resolve(d, domain, true, on_result, a, &q));
	while (a->calls == before)
		(void)uv_run(loop_uv(a->loop), UV_RUN_ONCE);
}

/* A partner that is set up while somebody asks for it works soon, not when
 * the zone's negative TTL has passed. */
static void test_name_that_appears(void **state)
{
	struct asked a = {.calls = 0};
	uint64_t start;
	struct edge_dns *d;

	(void)state;
	assert_int_equal(0, loop_new(&a.loop, NULL));
	d = make_dns(a.loop);
	ask_again(d, &a, "new.example");
	assert_int_equal(EDGE_DNS_NOT_FOUND, a.result);
	end_server();
	assert_int_equal(0,
			 run_server(server_port, "local-data: \"new.example. A "
						 "192.0.2.7\"\n"));
	start = uv_hrtime();
	do {
		(void)usleep(200 * 1000);
		ask_again(d, &a, "new.example");
	} while (a.result != EDGE_DNS_OK &&
		 uv_hrtime() - start < UINT64_C(6000000000));
	assert_int_equal(EDGE_DNS_OK, a.result);
	assert_string_equal("new.example=192.0.2.7:5269", a.targets);
	edge_dns_free(d);
	loop_free(a.loop);
}

/* As ask(), with an anchor for a name; its zone's key is not this one. */
static struct asked ask_with_anchor(const char *anchored, const char *domain)
{
	struct asked a = {.calls = 0};
	struct errbuf e = {""};
	struct edge_dns *d;
	char path[64];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/anchor", dir);
	f = fopen(path, "w");
	assert_non_null(f);
	(void)fprintf(f,
		      "%s. IN DS 12345 13 2 0123456789abcdef0123456789abcdef"
		      "0123456789abcdef0123456789abcdef\n",
		      anchored);
	(void)fclose(f);
	assert_int_equal(0, loop_new(&a.loop, NULL));
	d = make_dns(a.loop);
	if (edge_dns_trust(d, path, &e) != 0)
		fail_msg("%s", e.text);
	ask_again(d, &a, domain);
	edge_dns_free(d);
	loop_free(a.loop);
	return a;
}

/* Answers that must be signed and are not lead nowhere; the same answers of
 * another zone do. */
static void test_forged(void **state)
{
	struct asked a = ask_with_anchor("two.example", "two.example");

	(void)state;
	assert_int_equal(EDGE_DNS_FAILED, a.result);
	assert_string_equal("", a.targets);
	assert_non_null(strstr(a.text, "DNSSEC validation failed"));
	a = ask_with_anchor("bare.example", "two.example");
	assert_int_equal(EDGE_DNS_OK, a.result);
	assert_false(a.is_secure);
	/* nor when it is the target that must be signed */
	a = ask_with_anchor("bare.example", "alias.example");
	assert_int_equal(EDGE_DNS_FAILED, a.result);
}

static void test_bad_anchors(void **state)
{
	static const char *const bad[] = {"/nowhere/at/all", "/etc/passwd"};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(bad); i++) {
		struct errbuf e = {""};

		assert_int_equal(FED_ECONFIG,
				 dns_resolver_check_trust(bad[i], &e));
		assert_non_null(strstr(e.text, bad[i]));
	}
}

static void stop(void *arg)
{
	loop_stop(arg);
}

static void test_cancel_and_free(void **state)
{
	static const char *const names[] = {"two.example", "",
					    "silent.example"};
	struct asked a = {.calls = 0};
	struct edge_dns_query *q[3];
	struct loop_timer *t;
	struct edge_dns *d;

	(void)state;
	assert_int_equal(0, loop_new(&a.loop, NULL));
	d = make_dns(a.loop);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(0, edge_dns_resolve(d, names[i], true,
						     on_result, &a, &q[i]));
	edge_dns_cancel(q[0]);
	edge_dns_cancel(q[1]);
	edge_dns_cancel(NULL);
	assert_int_equal(0, loop_timer_new(&t, a.loop, stop, a.loop));
	loop_timer_arm(t, loop_now_ms(a.loop) + 200);
	loop_run(a.loop);
	edge_dns_free(d); /* with one pending */
	edge_dns_free(NULL);
	loop_free(a.loop);
	assert_int_equal(0, a.calls);
}

static void test_too_many(void **state)
{
	struct asked a = {.calls = 0};
	struct edge_dns_query *q;
	struct edge_dns *d;

	(void)state;
	assert_int_equal(0, loop_new(&a.loop, NULL));
	d = make_dns(a.loop);
	for (size_t i = 0; i < LIMIT_DNS_QUERIES; i++)
		assert_int_equal(0, edge_dns_resolve(d, "silent.example", false,
						     on_result, &a, &q));
	assert_int_equal(FED_ELIMIT, edge_dns_resolve(d, "two.example", false,
						      on_result, &a, &q));
	edge_dns_free(d);
	loop_free(a.loop);
}

static void test_bad_servers(void **state)
{
	static const char *const bad[] = {"",
					  "dns.example",
					  "127.0.0.1:",
					  "127.0.0.1:0",
					  "127.0.0.1:65536",
					  "[::1]",
					  "127.0.0.1@53"};
	struct loop *l;
	struct edge_dns *d;
	struct errbuf e;

	(void)state;
	assert_int_equal(0, loop_new(&l, NULL));
	for (size_t i = 0; i < FED_ARRAY_LEN(bad); i++) {
		assert_int_equal(FED_ECONFIG,
				 edge_dns_new(&d, l, &bad[i], 1, &e));
		assert_non_null(strstr(e.text, "is not a DNS server"));
	}
	loop_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_host),
		cmocka_unit_test(test_priority),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_half_silence),
		cmocka_unit_test(test_name_that_appears),
		cmocka_unit_test(test_forged),
		cmocka_unit_test(test_bad_anchors),
		cmocka_unit_test(test_cancel_and_free),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_bad_servers),
	};

	return cmocka_run_group_tests(tests, start_server, stop_server);
}
