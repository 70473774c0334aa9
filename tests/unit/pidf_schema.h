/* A document against the rules of RFC 3863's schema, of xs:ID, and of what
 * RFC 4479 says about persons; by a tree, not by our reader. */
#ifndef FED_TESTS_PIDF_SCHEMA_H
#define FED_TESTS_PIDF_SCHEMA_H

#include <libxml/parser.h>
#include <libxml/tree.h>

#include "tests/unit/pidf_harness.h"

#define SCHEMA_NS "urn:ietf:params:xml:ns:pidf"

static inline bool is_pidf(const xmlNode *n, const char *name)
{
	return n->ns != NULL &&
	       strcmp((const char *)n->ns->href, SCHEMA_NS) == 0 &&
	       strcmp((const char *)n->name, name) == 0;
}

/* The value, in a buffer; "" when there is none. */
static inline void attr_of(xmlNode *n, const char *name, char out[8192])
{
	xmlChar *value = xmlGetNoNsProp(n, (const xmlChar *)name);

	(void)snprintf(out, 8192, "%s", value == NULL ? "" : (char *)value);
	xmlFree(value);
}

static inline void check_text(xmlNode *n, const char *const *allowed)
{
	xmlChar *text = xmlNodeGetContent(n);
	bool is_allowed = false;

	for (size_t i = 0; allowed[i] != NULL; i++)
		is_allowed |= strcmp((char *)text, allowed[i]) == 0;
	if (!is_allowed)
		fail_msg("\"%s\" may not stand there", (char *)text);
	xmlFree(text);
}

/* Children in this order: each name as often as it may, other namespaces where
 * the name is NULL. */
struct schema_child {
	const char *name;
	size_t least, most;
};

static inline void check_children(xmlNode *n, const struct schema_child *order)
{
	xmlNode *child = xmlFirstElementChild(n);

	for (; order->most > 0; order++) {
		size_t count = 0;

		while (child != NULL && count < order->most &&
		       (order->name == NULL
				? strcmp((const char *)child->ns->href,
					 SCHEMA_NS) != 0
				: is_pidf(child, order->name))) {
			count++;
			child = xmlNextElementSibling(child);
		}
		if (count < order->least)
			fail_msg("no %s", order->name);
	}
	if (child != NULL)
		fail_msg("<%s> in the wrong place", (const char *)child->name);
}

/* 0, 1, or with three digits behind the point */
static inline void check_priority(xmlNode *contact)
{
	char p[8192];

	attr_of(contact, "priority", p);
	if (p[0] == '\0' || strcmp(p, "0") == 0 || strcmp(p, "1") == 0)
		return;
	assert_int_equal(strlen(p), 5);
	assert_memory_equal(p, "0.", 2);
	assert_int_equal(strspn(p + 2, "0123456789"), 3);
}

static inline void check_tuple(xmlNode *tuple)
{
	static const struct schema_child order[] = {
		{"status", 1, 1},      {NULL, 0, SIZE_MAX}, {"contact", 0, 1},
		{"note", 0, SIZE_MAX}, {"timestamp", 0, 1}, {"", 0, 0},
	};
	static const struct schema_child in_status[] = {
		{"basic", 0, 1}, {NULL, 0, SIZE_MAX}, {"", 0, 0}};
	static const char *const basics[] = {"open", "closed", NULL};

	check_children(tuple, order);
	for (xmlNode *n = xmlFirstElementChild(tuple); n != NULL;
	     n = xmlNextElementSibling(n)) {
		if (is_pidf(n, "contact"))
			check_priority(n);
		if (!is_pidf(n, "status"))
			continue;
		check_children(n, in_status);
		assert_non_null(xmlFirstElementChild(n));
		check_text(xmlFirstElementChild(n), basics);
	}
}

/* Returns the number of tuples. */
static inline size_t check_schema(struct span doc)
{
	static const struct schema_child order[] = {{"tuple", 0, SIZE_MAX},
						    {"note", 0, SIZE_MAX},
						    {NULL, 0, SIZE_MAX},
						    {"", 0, 0}};
	static char ids[LIMIT_PRESENCE_RESOURCES + 1][8192];
	size_t count = 0;
	size_t tuples = 0;
	char entity[8192];
	xmlNode *root;
	xmlDoc *d;

	assert_true(span_starts(doc, SPAN_LIT("<?xml version='1.0'")));
	d = xmlReadMemory(doc.p, (int)doc.n, NULL, NULL,
			  XML_PARSE_NONET | XML_PARSE_PEDANTIC);
	assert_non_null(d);
	root = xmlDocGetRootElement(d);
	assert_true(is_pidf(root, "presence"));
	attr_of(root, "entity", entity);
	assert_true(entity[0] != '\0');
	check_children(root, order);
	for (xmlNode *n = xmlFirstElementChild(root); n != NULL;
	     n = xmlNextElementSibling(n)) {
		if (is_pidf(n, "note"))
			continue;
		/* a tuple or a person */
		assert_true(count < FED_ARRAY_LEN(ids));
		attr_of(n, "id", ids[count]);
		assert_int_equal(xmlValidateNCName((xmlChar *)ids[count], 0),
				 0);
		for (size_t i = 0; i < count; i++)
			assert_string_not_equal(ids[i], ids[count]);
		count++;
		if (is_pidf(n, "tuple")) {
			check_tuple(n);
			tuples++;
		}
	}
	xmlFreeDoc(d);
	return tuples;
}

#endif
