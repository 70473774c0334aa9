/*
 * A YAML document held against a libcyaml schema, before libcyaml loads it:
 * libcyaml's own complaints give the line of the value before, take any text
 * for a true boolean, and offer no list of what would be right.
 */
#ifndef FED_IO_HOST_CHECK_H
#define FED_IO_HOST_CHECK_H

#include <cyaml/cyaml.h>
#include <yaml.h>

#include "base/span.h"

/** Bytes of a host file; a larger one is not a configuration. */
enum { HOST_FILE_MAX = 1024 * 1024 };

/**
 * Parse into a tree; the caller deletes it (yaml_document_delete).
 *
 * @return 0; FED_ECONFIG empty, not YAML, more than one document
 */
int host_yaml_parse(const char *file, struct span text, yaml_document_t *out,
		    struct errbuf *e) FED_NODISCARD;

/** @return 0; FED_ECONFIG "FILE:LINE: key: problem; what is expected" */
int host_check(const char *file, yaml_document_t *doc,
	       const cyaml_schema_value_t *schema,
	       struct errbuf *e) FED_NODISCARD;

/** Node at "a.b[0].c" (entries count from 0); NULL: there is none. */
yaml_node_t *host_yaml_find(yaml_document_t *doc, const char *path);

#endif
