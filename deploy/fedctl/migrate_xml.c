/*
 * The old gateway's configuration file (TGWConsoleGUI.dll.config).  Its shape
 * is documented in parts only, so elements are judged by what is in them: the
 * domain and the method may be attributes, a key and its value, or elements
 * inside.
 */
#include "deploy/fedctl/migrate_list.h"

#include <limits.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/tree.h>

/* LIMIT: nobody's configuration has more; a file that was made to hurt does. */
enum { XML_DEPTH = 32, XML_FIELDS = 16 };

struct field {
	const char *name;
	const char *value;
};

/* What one element says: its attributes, and children that are only text. */
struct said {
	struct field fields[XML_FIELDS];
	size_t count;
};

static bool contains(const char *text, const char *word)
{
	return strcasestr(text, word) != NULL;
}

static const char *text_of(const xmlNode *n)
{
	const xmlNode *c = n->children;

	return c != NULL && c->next == NULL && c->type == XML_TEXT_NODE
		       ? (const char *)c->content
		       : NULL;
}

static void add(struct said *s, const xmlChar *name, const char *value)
{
	if (value == NULL || s->count == XML_FIELDS)
		return;
	s->fields[s->count++] = (struct field){(const char *)name, value};
}

static void collect(const xmlNode *n, struct said *s)
{
	s->count = 0;
	for (const xmlAttr *a = n->properties; a != NULL; a = a->next)
		if (a->children != NULL && a->children->next == NULL)
			add(s, a->name, (const char *)a->children->content);
	for (const xmlNode *c = n->children; c != NULL; c = c->next)
		if (c->type == XML_ELEMENT_NODE && c->properties == NULL)
			add(s, c->name, text_of(c));
}

static const char *value_of(const struct said *s, const char *name)
{
	for (size_t i = 0; i < s->count; i++)
		if (strcasecmp(s->fields[i].name, name) == 0)
			return s->fields[i].value;
	return NULL;
}

static const char *value_like(const struct said *s, const char *word)
{
	for (size_t i = 0; i < s->count; i++)
		if (contains(s->fields[i].name, word))
			return s->fields[i].value;
	return NULL;
}

static bool is_domain(const char *text)
{
	return text != NULL && migrate_list_is_domain(span_str(text));
}

/* "key" and "name" may be those of anything: only with the name of a method it
 * is that of a domain. */
static const char *domain_of(const struct said *s, const char *method)
{
	const char *d = value_like(s, "domain");

	if (is_domain(d))
		return d;
	if (!migrate_method_is_named(span_str(method)))
		return NULL;
	d = value_of(s, "key");
	if (!is_domain(d))
		d = value_of(s, "name");
	return is_domain(d) ? d : NULL;
}

/* "tls: optional, sasl: required", of attributes of their own; NULL: none. */
static const char *method_of_parts(const struct said *s, struct arena *a)
{
	static const char *const parts[] = {"tls", "sasl", "dialback"};
	const char *text = NULL;

	for (size_t i = 0; i < FED_ARRAY_LEN(parts); i++) {
		const char *v = value_like(s, parts[i]);

		if (v != NULL)
			text = arena_printf(
				a, "%s%s%s: %s", text != NULL ? text : "",
				text != NULL ? ", " : "", parts[i], v);
	}
	return text;
}

static const char *method_of(const struct said *s, struct arena *a)
{
	static const char *const names[] = {"method", "negotiation", "security",
					    "authentication"};
	const char *text = NULL;

	for (size_t i = 0; i < FED_ARRAY_LEN(names) && text == NULL; i++)
		text = value_like(s, names[i]);
	if (text == NULL)
		text = method_of_parts(s, a);
	return text != NULL ? text : value_of(s, "value");
}

/* Settings that matter to who moves away from it. */
static int note_setting(struct migrate_list *l, unsigned line,
			const struct said *s)
{
	static const struct {
		const char *key;
		const char *what;
	} known[] = {
		{"SipIP", "its address on the SIP side"},
		{"XmppIP", "its address on the Internet"},
		{"SipDomain", "its SIP domain"},
		{"HostName", "the Access Edge that it talks to"},
	};
	const char *key = value_of(s, "key");
	const char *value = value_of(s, "value");

	if (key == NULL || value == NULL)
		return 0;
	for (size_t i = 0; i < FED_ARRAY_LEN(known); i++)
		if (strcasecmp(known[i].key, key) == 0)
			return migrate_list_note(l, line, true, "%s: %s, %s",
						 key, known[i].what, value);
	return migrate_list_note(l, line, false, "%s = \"%s\": not needed here",
				 key, value);
}

/* An element that by its name is a partner, and cannot be taken as one: it is
 * not passed over in silence. */
static int note_odd(struct migrate_list *l, const xmlNode *n,
		    const struct said *s)
{
	const char *element = (const char *)n->name;
	const char *name = value_of(s, "name");

	if (s->count == 0 ||
	    (!contains(element, "domain") && !contains(element, "partner")))
		return note_setting(l, n->line, s);
	if (name == NULL)
		name = s->fields[0].value;
	return migrate_list_note(l, n->line, false,
				 "%s \"%s\": no domain with a method that is "
				 "known; it is not taken over",
				 element, name);
}

static int read_element(struct migrate_list *l, const xmlNode *n)
{
	unsigned line = n->line;
	struct said s;
	const char *domain;
	const char *description;
	const char *method;

	collect(n, &s);
	method = method_of(&s, l->a);
	domain = domain_of(&s, method);
	if (domain == NULL)
		return note_odd(l, n, &s);
	description = value_like(&s, "description");
	if (description == NULL)
		description = value_like(&s, "comment");
	return migrate_list_partner(l, line, span_str(domain), span_str(method),
				    span_str(description));
}

static int walk(struct migrate_list *l, const xmlNode *n, unsigned depth)
{
	int err = 0;

	for (; n != NULL && err == 0; n = n->next) {
		if (n->type != XML_ELEMENT_NODE)
			continue;
		err = read_element(l, n);
		if (err == 0 && depth < XML_DEPTH)
			err = walk(l, n->children, depth + 1);
	}
	return err;
}

static void on_error(void *arg, xmlErrorPtr x)
{
	struct errbuf *e = arg;

	if (e->text[0] == '\0')
		errbuf_set(e, "line %d: %.*s", x->line,
			   (int)strcspn(x->message, "\r\n"), x->message);
}

static int check(const xmlDoc *doc, struct errbuf *e)
{
	if (doc == NULL)
		return FED_EXML;
	if (doc->intSubset == NULL && doc->extSubset == NULL)
		return 0;
	errbuf_set(e, "it has a DTD, which no configuration file has");
	return FED_EXML;
}

int migrate_xml(struct migrate_list *l, struct span text, struct errbuf *e)
{
	xmlParserCtxtPtr ctx = xmlNewParserCtxt();
	xmlDocPtr doc = NULL;
	int err = FED_ENOMEM;

	e->text[0] = '\0';
	if (ctx != NULL && text.n <= INT_MAX) {
		xmlSetStructuredErrorFunc(e, on_error);
		doc = xmlCtxtReadMemory(ctx, text.p, (int)text.n, NULL, NULL,
					XML_PARSE_NONET | XML_PARSE_NOCDATA |
						XML_PARSE_BIG_LINES);
		xmlSetStructuredErrorFunc(NULL, NULL);
		err = check(doc, e);
	}
	if (err == 0)
		err = walk(l, xmlDocGetRootElement(doc), 1);
	xmlFreeDoc(doc);
	xmlFreeParserCtxt(ctx);
	return err;
}
