/*
 * Host files: YAML through libcyaml schemas, strict.  An unknown key or a bad
 * value is refused with file:line and what was expected.
 */
#ifndef FED_IO_HOST_CONFIG_H
#define FED_IO_HOST_CONFIG_H

#include <cyaml/cyaml.h>
#include <sys/socket.h>

#include <stdbool.h>

#include "base/span.h"

/**
 * Load a file by schema.
 *
 * @param schema   top-level mapping (CYAML_VALUE_MAPPING ... POINTER)
 * @param data_out freed with host_config_free()
 * @param e        "FILE:LINE: key: what was wrong, what is expected"
 * @return 0; FED_ECONFIG; FED_ENOMEM
 */
int host_config_load(const char *file, const cyaml_schema_value_t *schema,
		     void **data_out, struct errbuf *e) FED_NODISCARD;

/**
 * The same of text that was read already.
 *
 * @param name  of the file, for e
 */
int host_config_load_text(const char *name, struct span text,
			  const cyaml_schema_value_t *schema, void **data_out,
			  struct errbuf *e) FED_NODISCARD;

void host_config_free(const cyaml_schema_value_t *schema, void *data);

/** Print as YAML on stdout, in a form that loads to the same.
 * @return 0; FED_EIO; FED_ENOMEM */
int host_config_dump(const cyaml_schema_value_t *schema,
		     const void *data) FED_NODISCARD;

/** "address:port", "[v6]:port" -> socket address.
 * @return 0; FED_EINVAL */
int host_config_sockaddr(const char *text,
			 struct sockaddr_storage *out) FED_NODISCARD;

/** Two addresses of one transport that cannot both be listened on: the same
 * port of the same address, or of a wildcard. */
bool host_config_overlaps(const struct sockaddr_storage *a,
			  const struct sockaddr_storage *b);

/**
 * For checks behind the schema: the line of a value in the file, found by its
 * path such as "s2s.domains[1].certificate" (entries count from 0); 0 when
 * not found.
 */
unsigned host_config_line(const char *file, const char *path);

/* For checks behind the schema: where they look and whom they tell. */
struct host_place {
	const char *file;
	struct errbuf *e;
};

/**
 * "FILE:LINE: key: what is wrong and what was expected".
 *
 * @param key  path of the value, as host_config_line() takes it
 * @return FED_ECONFIG
 */
int host_complain(const struct host_place *at, const char *key, const char *fmt,
		  ...) FED_PRINTF(3, 4);

struct host_path {
	char text[96];
};

/** "list[i]leaf": path of an entry, or of a value inside it. */
struct host_path host_path_of(const char *list, unsigned i, const char *leaf);

/** Each entry of dns.servers is "address" or "address:port".
 * @return 0; FED_ECONFIG complained */
int host_check_dns_servers(const struct host_place *at, char *const *servers,
			   unsigned count) FED_NODISCARD;

#endif
