/* Host files: what is refused, where, and in which words. */
/* clang-format off: cmocka wants this order */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/span.h"
#include "io/host_config.h"

/* ---- a schema with a bit of everything ----------------------------------- */

struct domain {
	char *name;
	char *certificate;
};

struct store {
	char *url;
	bool is_durable;
};

struct config {
	char *listen;
	uint16_t port;
	int32_t offset;
	bool is_on;
	int level;
	struct domain *domains;
	unsigned domains_count;
	char **peers;
	unsigned peers_count;
	struct store *store;
};

static const cyaml_strval_t levels[] = {{"error", 0}, {"warn", 1}};

static const cyaml_schema_field_t domain_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct domain, name,
			       1, 20),
	CYAML_FIELD_STRING_PTR("certificate",
			       CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
			       struct domain, certificate, 0, CYAML_UNLIMITED),
	CYAML_FIELD_END};

static const cyaml_schema_value_t domain_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct domain, domain_fields)};

static const cyaml_schema_value_t peer_schema = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, CYAML_UNLIMITED)};

static const cyaml_schema_field_t store_fields[] = {
	CYAML_FIELD_STRING_PTR("url", CYAML_FLAG_POINTER, struct store, url, 1,
			       CYAML_UNLIMITED),
	CYAML_FIELD_BOOL("durable", CYAML_FLAG_OPTIONAL, struct store,
			 is_durable),
	CYAML_FIELD_END};

static const cyaml_schema_field_t fields[] = {
	CYAML_FIELD_STRING_PTR("listen", CYAML_FLAG_POINTER, struct config,
			       listen, 1, CYAML_UNLIMITED),
	CYAML_FIELD_UINT("port", CYAML_FLAG_DEFAULT, struct config, port),
	CYAML_FIELD_INT("offset", CYAML_FLAG_OPTIONAL, struct config, offset),
	CYAML_FIELD_BOOL("enabled", CYAML_FLAG_OPTIONAL, struct config, is_on),
	CYAML_FIELD_ENUM("level", CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT,
			 struct config, level, levels, 2),
	CYAML_FIELD_SEQUENCE("domains", CYAML_FLAG_POINTER, struct config,
			     domains, &domain_schema, 1, 2),
	CYAML_FIELD_SEQUENCE("peers", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
			     struct config, peers, &peer_schema, 0, 2),
	CYAML_FIELD_MAPPING_PTR("store",
				CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
				struct config, store, store_fields),
	CYAML_FIELD_END};

static const cyaml_schema_value_t schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct config, fields)};

/* ---- files --------------------------------------------------------------- */

static char path[] = "/tmp/fed-host-XXXXXX";

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	if (fd < 0)
		return -1;
	return close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

static void write_bytes(const char *text, size_t n)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(n, fwrite(text, 1, n, f));
	assert_int_equal(0, fclose(f));
}

/* ---- good ---------------------------------------------------------------- */

static const char good[] = "# a comment\n"
			   "listen: 0.0.0.0\n"
			   "port: 5269\n"
			   "offset: -5\n"
			   "enabled: no\n"
			   "level: warn\n"
			   "domains:\n"
			   "  - name: a.example\n"
			   "    certificate: /etc/a.pem\n"
			   "  - name: b.example\n"
			   "peers: [x, y]\n"
			   "store:\n"
			   "  url: sqlite:/var/lib/x\n"
			   "  durable: true\n";

static void check_good(const struct config *c)
{
	assert_string_equal("0.0.0.0", c->listen);
	assert_int_equal(5269, c->port);
	assert_int_equal(-5, c->offset);
	assert_false(c->is_on);
	assert_int_equal(1, c->level);
	assert_int_equal(2, c->domains_count);
	assert_string_equal("a.example", c->domains[0].name);
	assert_string_equal("/etc/a.pem", c->domains[0].certificate);
	assert_null(c->domains[1].certificate);
	assert_int_equal(2, c->peers_count);
	assert_string_equal("y", c->peers[1]);
	assert_true(c->store->is_durable);
}

static void test_loads(void **state)
{
	struct errbuf e = {""};
	void *data;

	(void)state;
	write_bytes(good, strlen(good));
	if (host_config_load(path, &schema, &data, &e) != 0)
		fail_msg("%s", e.text);
	check_good(data);
	host_config_free(&schema, data);
	host_config_free(&schema, NULL);
}

/* The dump goes to stdout: catch it in the file and load that. */
static void test_dump_loads_again(void **state)
{
	struct errbuf e = {""};
	int saved = dup(STDOUT_FILENO);
	void *data;
	void *again;

	(void)state;
	write_bytes(good, strlen(good));
	assert_int_equal(0, host_config_load(path, &schema, &data, &e));
	(void)fflush(stdout);
	assert_non_null(freopen(path, "w", stdout));
	assert_int_equal(0, host_config_dump(&schema, data));
	(void)fflush(stdout);
	assert_true(dup2(saved, STDOUT_FILENO) >= 0);
	(void)close(saved);
	if (host_config_load(path, &schema, &again, &e) != 0)
		fail_msg("%s", e.text);
	check_good(again);
	host_config_free(&schema, data);
	host_config_free(&schema, again);
}

/* ---- broken -------------------------------------------------------------- */

#define DOMAINS "domains:\n  - name: a\n"

struct broken {
	const char *text;
	const char *error; /* behind the file's name */
};

static const struct broken broken[] = {
	{"listen: a\nport: high\n" DOMAINS,
	 ":2: port: \"high\" is not right; a whole number, 0 or more is "
	 "expected"},
	{"listen: a\nport: 65536\n" DOMAINS, ":2: port: \"65536\" is not"},
	{"listen: a\nport: -1\n" DOMAINS, ":2: port: \"-1\" is not right"},
	{"listen: a\nport: 1x\n" DOMAINS, ":2: port: \"1x\" is not right"},
	{"listen: a\nport: 1\noffset: 2147483648\n" DOMAINS,
	 ":3: offset: \"2147483648\" is not right; a whole number is"},
	{"listen: a\nprot: 1\n" DOMAINS,
	 ":2: unknown key \"prot\"; did you mean \"port\"?"},
	{"listen: a\nzebra: 1\n" DOMAINS,
	 ":2: unknown key \"zebra\"; known here: listen, port, offset, "},
	{"listen: a\n\n\n" DOMAINS,
	 ":1: the key \"port\" is missing; a whole number, 0 or more is "
	 "expected"},
	{"listen: a\nport: 1\nport: 2\n" DOMAINS,
	 ":3: port: given twice, first on line 2"},
	{"listen: a\nport: [1]\n" DOMAINS,
	 ":2: port: a whole number, 0 or more is expected, a list was found"},
	{"listen: a\nport:\n" DOMAINS,
	 ":2: port: a whole number, 0 or more is expected, nothing was found"},
	{"listen: a\nport: 1\nenabled: maybe\n" DOMAINS,
	 ":3: enabled: \"maybe\" is not right; true or false is expected"},
	{"listen: a\nport: 1\nlevel: loud\n" DOMAINS,
	 ":3: level: \"loud\" is not right; one of error, warn is expected"},
	{"listen:\nport: 1\n" DOMAINS, ":1: listen: a value is expected"},
	{"listen: a\nport: 1\ndomains: a\n",
	 ":3: domains: a list is expected, a single value was found"},
	{"listen: a\nport: 1\ndomains: []\n",
	 ":3: domains: at least 1 entries are expected"},
	{"listen: a\nport: 1\n" DOMAINS "  - name: b\n  - name: c\n",
	 ":4: domains: at most 2 entries are expected"},
	{"listen: a\nport: 1\n" DOMAINS "  - name: b\n    certficate: x\n",
	 ":6: domains[1]: unknown key \"certficate\"; did you mean "
	 "\"certificate\"?"},
	{"listen: a\nport: 1\n" DOMAINS "  - certificate: x\n",
	 ":5: domains[1]: the key \"name\" is missing; a text is expected"},
	{"listen: a\nport: 1\n" DOMAINS "  - name: "
	 "abcdefghijabcdefghijabcdefghij\n",
	 ":5: domains[1].name: at most 20 bytes are expected"},
	{"listen: a\nport: 1\n" DOMAINS "  - b\n",
	 ":5: domains[1]: a group of keys is expected, a single value was "
	 "found"},
	{"listen: a\nport: 1\n" DOMAINS "store:\n  durable: yes\n",
	 ":6: store: the key \"url\" is missing; a text is expected"},
	{"listen: a\nport: 1\n" DOMAINS "store:\n  url: {a: b}\n",
	 ":6: store.url: a text is expected, a group of keys was found"},
	{"listen: a\nport: 1\n" DOMAINS "peers: [a, [b]]\n",
	 ":5: peers[1]: a text is expected, a list was found"},
	{"- a\n", ":1: a group of keys is expected, a list was found"},
	{"", ":1: the file is empty; keys are expected"},
	{"# nothing\n", ":1: the file is empty; keys are expected"},
	{"listen: a\n\tport: 1\n", ":2: not readable as YAML: a tab indents"},
	{"listen: a\nport 1\n" DOMAINS,
	 ":3: not readable as YAML: could not find expected ':'"},
	{"listen: \"a\nport: 1\n", ": not readable as YAML: "},
	{"listen: a\nport: 1\n" DOMAINS "---\nlisten: b\n",
	 ":6: a second document; one is expected"},
	{"listen: &x a\nport: 1\n" DOMAINS "peers: [*x]\n",
	 "an alias (*name); values written out are expected"},
	{"listen: a\xff\nport: 1\n" DOMAINS, ": not UTF-8 text"},
	{"listen: \"a\\0b\"\nport: 1\n" DOMAINS, ":1: listen: a NUL byte"},
	{"listen: a\nport: 1\n? [x]\n: y\n" DOMAINS,
	 ":3: a key must be a single word"},
};

static void test_broken(void **state)
{
	size_t n = strlen(path);

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(broken); i++) {
		struct errbuf e = {""};
		void *data;

		write_bytes(broken[i].text, strlen(broken[i].text));
		assert_int_equal(FED_ECONFIG,
				 host_config_load(path, &schema, &data, &e));
		assert_null(data);
		if (strncmp(e.text, path, n) != 0 ||
		    strstr(e.text, broken[i].error) == NULL)
			fail_msg("row %zu: %s", i, e.text);
		if (broken[i].error[0] == ':' && broken[i].error[1] != ' ' &&
		    strstr(e.text, broken[i].error) != e.text + n)
			fail_msg("row %zu: %s", i, e.text);
	}
}

static void test_no_file(void **state)
{
	struct errbuf e = {""};
	void *data;

	(void)state;
	assert_int_equal(FED_ECONFIG, host_config_load("/nonexistent/x.yaml",
						       &schema, &data, &e));
	assert_string_equal(
		"/nonexistent/x.yaml: cannot open: No such file or directory",
		e.text);
	assert_int_equal(FED_ECONFIG,
			 host_config_load("/tmp", &schema, &data, &e));
	assert_string_equal("/tmp: cannot read: Is a directory", e.text);
}

static void test_too_large(void **state)
{
	size_t n = 2 * 1024 * 1024;
	char *text = malloc(n);
	struct errbuf e = {""};
	void *data;

	(void)state;
	assert_non_null(text);
	memset(text, '#', n);
	write_bytes(text, n);
	free(text);
	assert_int_equal(FED_ECONFIG,
			 host_config_load(path, &schema, &data, &e));
	assert_non_null(strstr(e.text, "too large"));
}

/* ---- lines and addresses ------------------------------------------------- */

static void test_lines(void **state)
{
	(void)state;
	write_bytes(good, strlen(good));
	assert_int_equal(2, host_config_line(path, "listen"));
	assert_int_equal(9, host_config_line(path, "domains[0].certificate"));
	assert_int_equal(10, host_config_line(path, "domains[1].name"));
	assert_int_equal(11, host_config_line(path, "peers[1]"));
	assert_int_equal(14, host_config_line(path, "store.durable"));
	assert_int_equal(0, host_config_line(path, "domains[2].name"));
	assert_int_equal(0, host_config_line(path, "store.nothing"));
	assert_int_equal(0, host_config_line(path, "listen.deeper"));
	assert_int_equal(0, host_config_line("/nonexistent", "listen"));
}

struct address {
	const char *text;
	int family; /* 0: refused */
	uint16_t port;
};

static const struct address addresses[] = {
	{"127.0.0.1:5269", AF_INET, 5269},
	{"0.0.0.0:0", AF_INET, 0},
	{"[::1]:5269", AF_INET6, 5269},
	{"[2001:db8::5]:65535", AF_INET6, 65535},
	{"", 0, 0},
	{"127.0.0.1", 0, 0},
	{"127.0.0.1:", 0, 0},
	{":5269", 0, 0},
	{"127.0.0.1:65536", 0, 0},
	{"127.0.0.1:-1", 0, 0},
	{"127.0.0.1:+1", 0, 0},
	{"127.0.0.1:5269 ", 0, 0},
	{"127.0.0:5269", 0, 0},
	{"::1:5269", 0, 0},
	{"[::1]", 0, 0},
	{"[::1]5269", 0, 0},
	{"[127.0.0.1]:5269", 0, 0},
	{"[::1:5269", 0, 0},
	{"host.example:5269", 0, 0},
};

static void test_addresses(void **state)
{
	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(addresses); i++) {
		const struct address *a = &addresses[i];
		struct sockaddr_storage sa;
		struct sockaddr_in in4;
		int err = host_config_sockaddr(a->text, &sa);

		if (err != (a->family == 0 ? FED_EINVAL : 0))
			fail_msg("row %zu: %d", i, err);
		if (err != 0)
			continue;
		assert_int_equal(a->family, sa.ss_family);
		memcpy(&in4, &sa, sizeof(in4)); /* the port is there in both */
		assert_int_equal(a->port, ntohs(in4.sin_port));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_loads),
		cmocka_unit_test(test_dump_loads_again),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_addresses),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
