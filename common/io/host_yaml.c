/* YAML text to a tree, and ways in it. */
#include <string.h>

#include "io/host_check.h"

/* A tab before the first letter of that line (they count from 0). */
static bool is_tab_indented(struct span text, size_t line)
{
	size_t at = 0;

	while (line > 0) {
		at = span_find(text, '\n', at);
		if (at == SIZE_MAX)
			return false;
		at++;
		line--;
	}
	while (at < text.n && text.p[at] == ' ')
		at++;
	return at < text.n && text.p[at] == '\t';
}

static int syntax_error(const char *file, struct span text,
			const yaml_parser_t *p, struct errbuf *e)
{
	const char *problem = p->problem != NULL ? p->problem : "not YAML";
	const char *context = p->context != NULL ? p->context : "";
	size_t line = p->problem_mark.line;

	if (is_tab_indented(text, line)) {
		problem = "a tab indents this line; spaces are expected";
		context = "";
	} else if (p->error == YAML_READER_ERROR) {
		problem = "not UTF-8 text";
	}
	errbuf_set(e, "%s:%zu: not readable as YAML: %s%s%s", file, line + 1,
		   problem, context[0] != '\0' ? " " : "", context);
	return FED_ECONFIG;
}

/* A second document would be ignored silently. */
static int expect_end(const char *file, struct span text, yaml_parser_t *p,
		      struct errbuf *e)
{
	yaml_document_t more;
	yaml_node_t *root;
	int err = 0;

	if (!yaml_parser_load(p, &more))
		return syntax_error(file, text, p, e);
	root = yaml_document_get_root_node(&more);
	if (root != NULL) {
		errbuf_set(e, "%s:%zu: a second document; one is expected",
			   file, root->start_mark.line + 1);
		err = FED_ECONFIG;
	}
	yaml_document_delete(&more);
	return err;
}

int host_yaml_parse(const char *file, struct span text, yaml_document_t *out,
		    struct errbuf *e)
{
	yaml_parser_t p;
	int err = 0;

	if (!yaml_parser_initialize(&p))
		return FED_ENOMEM;
	yaml_parser_set_input_string(&p, (const unsigned char *)text.p, text.n);
	if (!yaml_parser_load(&p, out)) {
		err = syntax_error(file, text, &p, e);
		yaml_parser_delete(&p);
		return err;
	}
	if (yaml_document_get_root_node(out) == NULL) {
		errbuf_set(e, "%s:1: the file is empty; keys are expected",
			   file);
		err = FED_ECONFIG;
	} else {
		err = expect_end(file, text, &p, e);
	}
	if (err != 0)
		yaml_document_delete(out);
	yaml_parser_delete(&p);
	return err;
}

static yaml_node_t *find_key(yaml_document_t *doc, const yaml_node_t *map,
			     struct span key)
{
	const yaml_node_pair_t *it;

	if (map->type != YAML_MAPPING_NODE)
		return NULL;
	for (it = map->data.mapping.pairs.start;
	     it < map->data.mapping.pairs.top; it++) {
		const yaml_node_t *k = yaml_document_get_node(doc, it->key);

		if (k->type == YAML_SCALAR_NODE &&
		    span_eq(span_of(k->data.scalar.value,
				    k->data.scalar.length),
			    key))
			return yaml_document_get_node(doc, it->value);
	}
	return NULL;
}

static yaml_node_t *find_entry(yaml_document_t *doc, const yaml_node_t *list,
			       struct span number)
{
	uint32_t i;

	if (list->type != YAML_SEQUENCE_NODE || span_to_u32(number, &i) != 0)
		return NULL;
	if (i >= (size_t)(list->data.sequence.items.top -
			  list->data.sequence.items.start))
		return NULL;
	return yaml_document_get_node(doc, list->data.sequence.items.start[i]);
}

yaml_node_t *host_yaml_find(yaml_document_t *doc, const char *path)
{
	yaml_node_t *node = yaml_document_get_root_node(doc);

	while (node != NULL && *path != '\0') {
		size_t n;

		if (*path == '[') {
			n = strcspn(++path, "]");
			node = find_entry(doc, node, span_of(path, n));
			path += n + (path[n] == ']' ? 1 : 0);
		} else {
			n = strcspn(path, ".[");
			node = find_key(doc, node, span_of(path, n));
			path += n;
		}
		if (*path == '.')
			path++;
	}
	return node;
}
