/* Host files: YAML by schema, with refusals a person can act on. */
#include "io/host_config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "io/file_read.h"
#include "io/host_check.h"

/* ---- addresses ----------------------------------------------------------- */

static int parse_ip(struct span ip, uint16_t port, bool is_v6,
		    struct sockaddr_storage *out)
{
	char text[INET6_ADDRSTRLEN];
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	struct sockaddr_in in4 = {.sin_family = AF_INET};

	if (ip.n == 0 || ip.n >= sizeof(text) ||
	    memchr(ip.p, '\0', ip.n) != NULL)
		return FED_EINVAL;
	memcpy(text, ip.p, ip.n);
	text[ip.n] = '\0';
	memset(out, 0, sizeof(*out));
	in6.sin6_port = htons(port);
	in4.sin_port = htons(port);
	if (is_v6 && inet_pton(AF_INET6, text, &in6.sin6_addr) == 1)
		memcpy(out, &in6, sizeof(in6));
	else if (!is_v6 && inet_pton(AF_INET, text, &in4.sin_addr) == 1)
		memcpy(out, &in4, sizeof(in4));
	else
		return FED_EINVAL;
	return 0;
}

int host_config_sockaddr(const char *text, struct sockaddr_storage *out)
{
	struct span s = span_str(text);
	bool is_v6 = s.n > 0 && s.p[0] == '[';
	struct span ip;
	struct span port;
	uint32_t number;
	size_t at;

	at = is_v6 ? span_find(s, ']', 0) : span_find(s, ':', 0);
	if (at == SIZE_MAX)
		return FED_EINVAL;
	ip = span_sub(s, is_v6 ? 1 : 0, at);
	port = span_sub(s, is_v6 ? at + 1 : at, SIZE_MAX);
	if (port.n < 2 || port.p[0] != ':')
		return FED_EINVAL;
	if (span_to_u32(span_sub(port, 1, SIZE_MAX), &number) != 0 ||
	    number > UINT16_MAX)
		return FED_EINVAL;
	return parse_ip(ip, (uint16_t)number, is_v6, out);
}

/* Port in network order; *is_any_out: the address is 0.0.0.0 or [::]. */
static in_port_t port_of(const struct sockaddr_storage *a, bool *is_any_out)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)a;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)a;

	if (a->ss_family == AF_INET) {
		*is_any_out = v4->sin_addr.s_addr == htonl(INADDR_ANY);
		return v4->sin_port;
	}
	*is_any_out = IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr);
	return v6->sin6_port;
}

bool host_config_overlaps(const struct sockaddr_storage *a,
			  const struct sockaddr_storage *b)
{
	bool is_any_a, is_any_b;

	/* sockets of IPv6 are for IPv6 alone here */
	if (a->ss_family != b->ss_family ||
	    port_of(a, &is_any_a) != port_of(b, &is_any_b))
		return false;
	/* port 0: the system chooses a free one */
	if (port_of(a, &is_any_a) == 0)
		return false;
	return is_any_a || is_any_b || memcmp(a, b, sizeof(*a)) == 0;
}

/* ---- files --------------------------------------------------------------- */

/* What libcyaml says when it is the first to see a problem (aliases, types
 * that host_check() leaves to it). */
struct complaint {
	char text[200];
	unsigned line;
};

static void on_cyaml_log(cyaml_log_t level, void *ctx, const char *fmt,
			 va_list args) FED_PRINTF(3, 0);

static void on_cyaml_log(cyaml_log_t level, void *ctx, const char *fmt,
			 va_list args)
{
	struct complaint *c = ctx;
	char text[200];
	const char *at;

	(void)level;
	(void)vsnprintf(text, sizeof(text), fmt, args);
	text[strcspn(text, "\n")] = '\0';
	at = strstr(text, "(line: ");
	if (at != NULL && c->line == 0)
		c->line = (unsigned)strtoul(at + 7, NULL, 10);
	if (strncmp(text, "Load: ", 6) == 0 && c->text[0] == '\0' &&
	    strstr(text, "Backtrace") == NULL)
		(void)snprintf(c->text, sizeof(c->text), "%s", text + 6);
}

static int load_text(const char *file, struct span text,
		     const cyaml_schema_value_t *schema, void **data_out,
		     struct errbuf *e)
{
	struct complaint c = {.line = 0};
	cyaml_config_t config = {
		.log_fn = on_cyaml_log,
		.log_ctx = &c,
		.mem_fn = cyaml_mem,
		.log_level = CYAML_LOG_ERROR,
		.flags = CYAML_CFG_NO_ALIAS,
	};
	cyaml_err_t rc = cyaml_load_data((const uint8_t *)text.p, text.n,
					 &config, schema, data_out, NULL);

	if (rc == CYAML_OK && *data_out != NULL)
		return 0;
	if (rc == CYAML_ERR_OOM)
		return FED_ENOMEM;
	errbuf_set(e, "%s:%u: %s", file, c.line,
		   rc == CYAML_ERR_ALIAS ? "an alias (*name); values written "
					   "out are expected"
		   : c.text[0] != '\0'	 ? c.text
					 : cyaml_strerror(rc));
	return FED_ECONFIG;
}

static int check_text(const char *file, struct span text,
		      const cyaml_schema_value_t *schema, struct errbuf *e)
{
	yaml_document_t doc;
	int err = host_yaml_parse(file, text, &doc, e);

	if (err != 0)
		return err;
	err = host_check(file, &doc, schema, e);
	yaml_document_delete(&doc);
	return err;
}

int host_config_load_text(const char *name, struct span text,
			  const cyaml_schema_value_t *schema, void **data_out,
			  struct errbuf *e)
{
	int err;

	*data_out = NULL;
	err = check_text(name, text, schema, e);
	if (err == 0)
		err = load_text(name, text, schema, data_out, e);
	if (err == FED_ENOMEM)
		errbuf_set(e, "%s: out of memory", name);
	return err;
}

int host_config_load(const char *file, const cyaml_schema_value_t *schema,
		     void **data_out, struct errbuf *e)
{
	struct buf text;
	int err;

	*data_out = NULL;
	buf_init(&text, HOST_FILE_MAX);
	err = file_read(file, &text, e);
	if (err == 0)
		err = host_config_load_text(file, buf_span(&text), schema,
					    data_out, e);
	buf_deinit(&text);
	return err;
}

void host_config_free(const cyaml_schema_value_t *schema, void *data)
{
	cyaml_config_t config = {.mem_fn = cyaml_mem};

	if (data != NULL)
		(void)cyaml_free(&config, schema, data, 0);
}

int host_config_dump(const cyaml_schema_value_t *schema, const void *data)
{
	cyaml_config_t config = {
		.mem_fn = cyaml_mem,
		.flags = CYAML_CFG_STYLE_BLOCK,
	};
	char *text = NULL;
	size_t n = 0;
	bool is_written;
	cyaml_err_t rc = cyaml_save_data(&text, &n, &config, schema, data, 0);

	if (rc != CYAML_OK)
		return rc == CYAML_ERR_OOM ? FED_ENOMEM : FED_EIO;
	is_written = fwrite(text, 1, n, stdout) == n && fflush(stdout) == 0;
	free(text);
	return is_written ? 0 : FED_EIO;
}

unsigned host_config_line(const char *file, const char *path)
{
	yaml_document_t doc;
	struct buf text;
	unsigned line = 0;

	buf_init(&text, HOST_FILE_MAX);
	if (file_read(file, &text, NULL) == 0 &&
	    host_yaml_parse(file, buf_span(&text), &doc, NULL) == 0) {
		const yaml_node_t *node = host_yaml_find(&doc, path);

		if (node != NULL)
			line = (unsigned)node->start_mark.line + 1;
		yaml_document_delete(&doc);
	}
	buf_deinit(&text);
	return line;
}

/* Of what is not in the file, the line of the group it belongs in. */
static unsigned nearest_line(const char *file, const char *key)
{
	struct host_path p;
	unsigned line;

	(void)snprintf(p.text, sizeof(p.text), "%s", key);
	for (;;) {
		char *dot = strrchr(p.text, '.');

		line = host_config_line(file, p.text);
		if (line != 0 || dot == NULL)
			return line != 0 ? line : 1;
		*dot = '\0';
	}
}

int host_complain(const struct host_place *at, const char *key, const char *fmt,
		  ...)
{
	unsigned line = nearest_line(at->file, key);
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	errbuf_set(at->e, "%s:%u: %s: %s", at->file, line, key, text);
	return FED_ECONFIG;
}

struct host_path host_path_of(const char *list, unsigned i, const char *leaf)
{
	struct host_path p;

	(void)snprintf(p.text, sizeof(p.text), "%s[%u]%s", list, i, leaf);
	return p;
}

int host_check_dns_servers(const struct host_place *at, char *const *servers,
			   unsigned count)
{
	struct sockaddr_storage addr;
	char with_port[128];

	for (unsigned i = 0; i < count; i++) {
		const char *s = servers[i];
		bool is_v6 = strchr(s, ':') != strrchr(s, ':') && s[0] != '[';

		(void)snprintf(with_port, sizeof(with_port),
			       is_v6 ? "[%s]:53" : "%s:53", s);
		if (host_config_sockaddr(s, &addr) != 0 &&
		    host_config_sockaddr(with_port, &addr) != 0)
			return host_complain(
				at, host_path_of("dns.servers", i, "").text,
				"\"%s\" is not an address, expected "
				"\"address\" or \"address:port\"",
				s);
	}
	return 0;
}
