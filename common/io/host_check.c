/* A YAML tree against a libcyaml schema. */
#include "io/host_check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/slip.h"

enum { PATH_MAX_BYTES = 256 };

struct check {
	const char *file;
	yaml_document_t *doc;
	struct errbuf *e;
	char path[PATH_MAX_BYTES];
	char expected[PATH_MAX_BYTES];
};

static int check_value(struct check *k, yaml_node_t *node,
		       const cyaml_schema_value_t *schema);

/* ---- words --------------------------------------------------------------- */

static struct span scalar_of(const yaml_node_t *node)
{
	return span_of(node->data.scalar.value, node->data.scalar.length);
}

static const char *found_name(const yaml_node_t *node)
{
	switch (node->type) {
	case YAML_SEQUENCE_NODE:
		return "a list";
	case YAML_MAPPING_NODE:
		return "a group of keys";
	case YAML_SCALAR_NODE:
	case YAML_NO_NODE:
		break;
	}
	return node->data.scalar.length == 0 ? "nothing" : "a single value";
}

static void describe_enum(struct check *k, const cyaml_schema_value_t *schema)
{
	size_t n = 0;

	n += (size_t)snprintf(k->expected, sizeof(k->expected), "one of");
	for (uint32_t i = 0; i < schema->enumeration.count; i++) {
		if (n >= sizeof(k->expected))
			return;
		n += (size_t)snprintf(k->expected + n, sizeof(k->expected) - n,
				      "%s %s", i == 0 ? "" : ",",
				      schema->enumeration.strings[i].str);
	}
}

/* What would be right, for the end of a sentence. */
static const char *expected(struct check *k, const cyaml_schema_value_t *schema)
{
	switch (schema->type) {
	case CYAML_INT:
		return "a whole number";
	case CYAML_UINT:
		return "a whole number, 0 or more";
	case CYAML_BOOL:
		return "true or false";
	case CYAML_ENUM:
		describe_enum(k, schema);
		return k->expected;
	case CYAML_FLOAT:
		return "a number";
	case CYAML_STRING:
		return "a text";
	case CYAML_MAPPING:
		return "a group of keys";
	case CYAML_SEQUENCE:
	case CYAML_SEQUENCE_FIXED:
		return "a list";
	case CYAML_FLAGS:
	case CYAML_BITFIELD:
	case CYAML_IGNORE:
	case CYAML__TYPE_COUNT:
		break;
	}
	return "another value";
}

static int complain(const struct check *k, const yaml_node_t *at,
		    const char *fmt, ...) FED_PRINTF(3, 4);

static int complain(const struct check *k, const yaml_node_t *at,
		    const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	errbuf_set(k->e, "%s:%zu: %s%s%s", k->file, at->start_mark.line + 1,
		   k->path, k->path[0] != '\0' ? ": " : "", text);
	return FED_ECONFIG;
}

static int wrong_value(struct check *k, const yaml_node_t *node,
		       const cyaml_schema_value_t *schema)
{
	return complain(k, node, "\"%s\" is not right; %s is expected",
			log_value(scalar_of(node)).text, expected(k, schema));
}

static int wrong_type(struct check *k, const yaml_node_t *node,
		      const cyaml_schema_value_t *schema)
{
	return complain(k, node, "%s is expected, %s was found",
			expected(k, schema), found_name(node));
}

/* ---- single values ------------------------------------------------------- */

static bool copy_text(struct span s, char out[64])
{
	if (s.n == 0 || s.n >= 64 || memchr(s.p, '\0', s.n) != NULL)
		return false;
	memcpy(out, s.p, s.n);
	out[s.n] = '\0';
	return true;
}

static bool is_int(struct span s, const cyaml_schema_value_t *schema)
{
	unsigned bits = schema->data_size * 8;
	int64_t top;
	char text[64];
	char *end;
	long long v;

	if (bits == 0 || bits > 64 || !copy_text(s, text))
		return false;
	top = bits == 64 ? INT64_MAX : ((int64_t)1 << (bits - 1)) - 1;
	errno = 0;
	v = strtoll(text, &end, 0);
	return errno == 0 && *end == '\0' && v <= top && v >= -top - 1;
}

static bool is_uint(struct span s, const cyaml_schema_value_t *schema)
{
	unsigned bits = schema->data_size * 8;
	uint64_t top;
	char text[64];
	char *end;
	unsigned long long v;

	if (bits == 0 || bits > 64 || !copy_text(s, text) || text[0] == '-')
		return false;
	top = bits == 64 ? UINT64_MAX : ((uint64_t)1 << bits) - 1;
	errno = 0;
	v = strtoull(text, &end, 0);
	return errno == 0 && *end == '\0' && v <= top;
}

static bool is_bool(struct span s)
{
	static const char *const words[] = {"true", "false", "yes",
					    "no",   "on",    "off"};

	for (size_t i = 0; i < FED_ARRAY_LEN(words); i++)
		if (span_ieq(s, span_str(words[i])))
			return true;
	return false;
}

static bool is_enum(struct span s, const cyaml_schema_value_t *schema)
{
	for (uint32_t i = 0; i < schema->enumeration.count; i++)
		if (span_eq_str(s, schema->enumeration.strings[i].str))
			return true;
	return false;
}

static int check_string(struct check *k, yaml_node_t *node,
			const cyaml_schema_value_t *schema)
{
	size_t n = node->data.scalar.length;

	if (n < schema->string.min && n == 0)
		return complain(k, node, "a value is expected");
	if (n < schema->string.min)
		return complain(k, node, "at least %u bytes are expected",
				schema->string.min);
	if (n > schema->string.max)
		return complain(k, node, "at most %u bytes are expected",
				schema->string.max);
	if (memchr(node->data.scalar.value, '\0', n) != NULL)
		return complain(k, node, "a NUL byte in a text");
	return 0;
}

static int check_scalar(struct check *k, yaml_node_t *node,
			const cyaml_schema_value_t *schema)
{
	struct span s = scalar_of(node);
	bool is_right = true;

	if (schema->type == CYAML_STRING)
		return check_string(k, node, schema);
	if (s.n == 0)
		return wrong_type(k, node, schema);
	if (schema->type == CYAML_INT)
		is_right = is_int(s, schema);
	else if (schema->type == CYAML_UINT)
		is_right = is_uint(s, schema);
	else if (schema->type == CYAML_BOOL)
		is_right = is_bool(s);
	else if (schema->type == CYAML_ENUM)
		is_right = is_enum(s, schema);
	return is_right ? 0 : wrong_value(k, node, schema);
}

/* ---- keys ---------------------------------------------------------------- */

static int unknown_key(struct check *k, const yaml_node_t *key,
		       const cyaml_schema_field_t *fields)
{
	struct span s = scalar_of(key);
	const char *nearest = NULL;
	size_t best = SLIP_NEAR + 1;
	size_t n = 0;

	for (const cyaml_schema_field_t *f = fields; f->key != NULL; f++) {
		size_t d = slip_distance(s, span_str(f->key));

		if (d < best) {
			best = d;
			nearest = f->key;
		}
		if (n < sizeof(k->expected))
			n += (size_t)snprintf(k->expected + n,
					      sizeof(k->expected) - n, "%s%s",
					      n == 0 ? "" : ", ", f->key);
	}
	if (nearest != NULL)
		return complain(k, key,
				"unknown key \"%s\"; did you mean \"%s\"?",
				log_value(s).text, nearest);
	return complain(k, key, "unknown key \"%s\"; known here: %s",
			log_value(s).text, k->expected);
}

static const cyaml_schema_field_t *find_field(
	const cyaml_schema_field_t *fields, struct span key)
{
	for (; fields->key != NULL; fields++)
		if (span_eq_str(key, fields->key))
			return fields;
	return NULL;
}

/* The same key in the pairs before `pair`. */
static const yaml_node_t *find_earlier(struct check *k, const yaml_node_t *map,
				       const yaml_node_pair_t *pair,
				       struct span key)
{
	const yaml_node_pair_t *it;

	for (it = map->data.mapping.pairs.start; it < pair; it++) {
		const yaml_node_t *n = yaml_document_get_node(k->doc, it->key);

		if (n->type == YAML_SCALAR_NODE && span_eq(scalar_of(n), key))
			return n;
	}
	return NULL;
}

static int check_pair(struct check *k, const yaml_node_t *map,
		      const yaml_node_pair_t *pair,
		      const cyaml_schema_field_t *fields)
{
	const yaml_node_t *key = yaml_document_get_node(k->doc, pair->key);
	const cyaml_schema_field_t *field;
	const yaml_node_t *earlier;
	size_t depth = strlen(k->path);
	int err;

	if (key->type != YAML_SCALAR_NODE)
		return complain(k, key, "a key must be a single word");
	field = find_field(fields, scalar_of(key));
	if (field == NULL)
		return unknown_key(k, key, fields);
	(void)snprintf(k->path + depth, sizeof(k->path) - depth, "%s%s",
		       depth > 0 ? "." : "", field->key);
	earlier = find_earlier(k, map, pair, scalar_of(key));
	if (earlier != NULL)
		return complain(k, key, "given twice, first on line %zu",
				earlier->start_mark.line + 1);
	err = check_value(k, yaml_document_get_node(k->doc, pair->value),
			  &field->value);
	if (err == 0)
		k->path[depth] = '\0';
	return err;
}

static bool has_key(struct check *k, const yaml_node_t *map, const char *key)
{
	return find_earlier(k, map, map->data.mapping.pairs.top,
			    span_str(key)) != NULL;
}

static int check_mapping(struct check *k, yaml_node_t *node,
			 const cyaml_schema_value_t *schema)
{
	const cyaml_schema_field_t *fields = schema->mapping.fields;
	const yaml_node_pair_t *it;
	int err = 0;

	for (it = node->data.mapping.pairs.start;
	     err == 0 && it < node->data.mapping.pairs.top; it++)
		err = check_pair(k, node, it, fields);
	for (; err == 0 && fields->key != NULL; fields++)
		if ((fields->value.flags & CYAML_FLAG_OPTIONAL) == 0 &&
		    !has_key(k, node, fields->key))
			err = complain(k, node,
				       "the key \"%s\" is missing; %s is "
				       "expected",
				       fields->key,
				       expected(k, &fields->value));
	return err;
}

/* ---- lists --------------------------------------------------------------- */

static int check_sequence(struct check *k, yaml_node_t *node,
			  const cyaml_schema_value_t *schema)
{
	const yaml_node_item_t *start = node->data.sequence.items.start;
	size_t n = (size_t)(node->data.sequence.items.top - start);
	size_t depth = strlen(k->path);

	if (n < schema->sequence.min)
		return complain(k, node, "at least %u entries are expected",
				schema->sequence.min);
	if (n > schema->sequence.max)
		return complain(k, node, "at most %u entries are expected",
				schema->sequence.max);
	for (size_t i = 0; i < n; i++) {
		int err;

		(void)snprintf(k->path + depth, sizeof(k->path) - depth,
			       "[%zu]", i);
		err = check_value(k, yaml_document_get_node(k->doc, start[i]),
				  schema->sequence.entry);
		if (err != 0)
			return err;
		k->path[depth] = '\0';
	}
	return 0;
}

/* ---- any ----------------------------------------------------------------- */

static yaml_node_type_t node_type_of(const cyaml_schema_value_t *schema)
{
	switch (schema->type) {
	case CYAML_INT:
	case CYAML_UINT:
	case CYAML_BOOL:
	case CYAML_ENUM:
	case CYAML_FLOAT:
	case CYAML_STRING:
		return YAML_SCALAR_NODE;
	case CYAML_MAPPING:
		return YAML_MAPPING_NODE;
	case CYAML_SEQUENCE:
	case CYAML_SEQUENCE_FIXED:
		return YAML_SEQUENCE_NODE;
	case CYAML_FLAGS:
	case CYAML_BITFIELD:
	case CYAML_IGNORE:
	case CYAML__TYPE_COUNT:
		break;
	}
	return YAML_NO_NODE; /* left to libcyaml */
}

static int check_value(struct check *k, yaml_node_t *node,
		       const cyaml_schema_value_t *schema)
{
	yaml_node_type_t type = node_type_of(schema);

	if (type == YAML_NO_NODE)
		return 0;
	if (node->type != type)
		return wrong_type(k, node, schema);
	if (type == YAML_MAPPING_NODE)
		return check_mapping(k, node, schema);
	if (type == YAML_SEQUENCE_NODE)
		return check_sequence(k, node, schema);
	return check_scalar(k, node, schema);
}

int host_check(const char *file, yaml_document_t *doc,
	       const cyaml_schema_value_t *schema, struct errbuf *e)
{
	struct check k = {.file = file, .doc = doc, .e = e};

	return check_value(&k, yaml_document_get_root_node(doc), schema);
}
