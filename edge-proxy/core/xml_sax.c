/* What libxml2 shows: elements, text, and what RFC 6120 11.1 forbids. */
#include "edge-proxy/core/xml_sax.h"

#include <string.h>

#include <libxml/parserInternals.h>
#include <libxml/dict.h>

#include "base/limits.h"
#include "edge-proxy/core/xml_names.h"
#include "edge-proxy/core/xml_writer.h"

void xml_reader_fail(struct xml_reader *r, int err)
{
	if (r->err != 0)
		return;
	r->err = err;
	xmlStopParser(r->ctxt);
}

size_t xml_reader_position(const struct xml_reader *r)
{
	long at = xmlByteConsumed(r->ctxt);

	return at < 0 ? 0 : (size_t)at;
}

static struct xml_event *queue_event(struct xml_reader *r,
				     enum xml_event_kind kind,
				     const struct xml_el *el)
{
	struct event_node *node = xml_tree_alloc(&r->tree, sizeof(*node));

	if (node == NULL) {
		xml_reader_fail(r, FED_ELIMIT);
		return NULL;
	}
	node->event.kind = kind;
	node->event.el = el;
	node->event.content_ns = "";
	if (r->last == NULL)
		r->first = node;
	else
		r->last->next = node;
	r->last = node;
	return &node->event;
}

static bool is_same(const xmlChar *a, const char *b)
{
	return a != NULL && strcmp((const char *)a, b) == 0;
}

/* " xmlns:prefix='name'" */
static int keep_namespace(struct xml_reader *r, const xmlChar *prefix,
			  const xmlChar *name)
{
	const char *value = name == NULL ? "" : (const char *)name;
	size_t n;
	char *attr;

	if (prefix == NULL) {
		xml_write_attr(&r->replay, "xmlns", value);
		return 0;
	}
	n = strlen((const char *)prefix);
	attr = xml_tree_alloc(&r->tree, sizeof("xmlns:") + n);
	if (attr == NULL)
		return FED_ELIMIT;
	/* zeroed behind: it stays terminated NOLINTNEXTLINE(bugprone-*) */
	memcpy(attr, "xmlns:", 6);
	memcpy(attr + 6, prefix, n);
	xml_write_attr(&r->replay, attr, value);
	return 0;
}

/* The start tag for a parser that replaces this one: without the peer's
 * namespaces its prefixes would be undeclared. ns: pairs prefix, name. */
static int keep_header(struct xml_reader *r, const struct xml_el *el,
		       const xmlChar **ns, size_t count)
{
	struct buf *b = &r->replay;

	buf_reset(b);
	buf_put_byte(b, '<');
	if (el->prefix[0] != '\0')
		buf_printf(b, "%s:", el->prefix);
	buf_put_str(b, el->name);
	for (size_t i = 0; i < count; i++) {
		int err = keep_namespace(r, ns[2 * i], ns[2 * i + 1]);

		if (err != 0)
			return err;
	}
	xml_write_body(b);
	return b->is_failed ? FED_ENOMEM : 0;
}

static void on_header(struct xml_reader *r, const struct xml_tag *tag,
		      const xmlChar **ns, size_t count)
{
	struct xml_el *el = xml_tree_single(&r->tree, tag);
	struct xml_event *event;
	int err;

	if (el == NULL) {
		xml_reader_fail(r, FED_ELIMIT);
		return;
	}
	event = queue_event(r, XML_HEADER, el);
	if (event == NULL)
		return;
	for (size_t i = 0; i < count; i++) {
		const xmlChar *prefix = ns[2 * i];
		const xmlChar *name = ns[2 * i + 1];

		if (prefix == NULL && name != NULL)
			event->content_ns = (const char *)name;
		if (is_same(prefix, "db") && is_same(name, NS_DIALBACK))
			event->has_dialback_ns = true;
	}
	err = keep_header(r, el, ns, count);
	if (err != 0)
		xml_reader_fail(r, err);
}

static void on_start(void *arg, const xmlChar *name, const xmlChar *prefix,
		     const xmlChar *uri, int ns_count, const xmlChar **ns,
		     int attr_count, int defaulted, const xmlChar **attrs)
{
	struct xml_reader *r = arg;
	const struct xml_tag tag = {.ns = uri,
				    .name = name,
				    .prefix = prefix,
				    .attrs = attrs,
				    .attr_count = (size_t)attr_count};
	size_t at;
	int err;

	(void)defaulted; /* there is no DTD */
	if (r->err != 0)
		return;
	at = xml_reader_position(r);
	if (r->state != XML_STATE_STUB &&
	    ((size_t)attr_count + (size_t)ns_count > LIMIT_XML_ATTRS ||
	     at - r->mark > LIMIT_XML_TAG_BYTES)) {
		xml_reader_fail(r, FED_ELIMIT);
		return;
	}
	r->mark = at;
	if (r->state == XML_STATE_HEADER || r->state == XML_STATE_REPLAY) {
		if (r->state == XML_STATE_HEADER)
			on_header(r, &tag, ns, (size_t)ns_count);
		r->state = XML_STATE_CONTENT;
		/* the parser stands on the '>' of a start tag */
		r->boundary = at + 1;
		return;
	}
	err = xml_tree_open(&r->tree, &tag);
	if (err != 0)
		xml_reader_fail(r, err);
}

static void on_element(struct xml_reader *r, struct xml_el *el)
{
	struct xml_event *event = queue_event(r, XML_ELEMENT, el);

	el->is_stub = r->state == XML_STATE_STUB;
	if (event != NULL)
		event->bytes =
			el->is_stub ? r->skip.bytes : r->mark - r->boundary;
	r->boundary = r->mark;
	r->is_swap_due =
		xmlDictSize(r->ctxt->dict) > (int)LIMIT_XML_DICT_ENTRIES ||
		xmlDictGetUsage(r->ctxt->dict) > LIMIT_XML_DICT_BYTES / 4;
}

static void on_end(void *arg, const xmlChar *name, const xmlChar *prefix,
		   const xmlChar *uri)
{
	struct xml_reader *r = arg;
	struct xml_el *el;

	(void)name;
	(void)prefix;
	(void)uri;
	if (r->err != 0)
		return;
	r->mark = xml_reader_position(r);
	if (r->tree.depth == 0) {
		r->state = XML_STATE_CLOSED;
		r->boundary = r->mark;
		queue_event(r, XML_CLOSE, NULL);
		return;
	}
	el = xml_tree_close(&r->tree);
	if (el == NULL)
		xml_reader_fail(r, FED_ELIMIT);
	else if (r->tree.depth == 0)
		on_element(r, el);
}

static void on_text(void *arg, const xmlChar *text, int len)
{
	struct xml_reader *r = arg;
	struct span s = span_of(text, (size_t)len);
	int err;

	if (r->err != 0)
		return;
	r->mark = xml_reader_position(r);
	/* libxml2 moves on before the call or after it */
	if (text == r->ctxt->input->cur)
		r->mark += s.n;
	if (r->tree.depth == 0) {
		if (xml_blanks_at_front(s) != s.n)
			xml_reader_fail(r, FED_EXML);
		else if (r->mark > r->boundary)
			r->boundary = r->mark;
		return;
	}
	err = xml_tree_text(&r->tree, s);
	if (err != 0)
		xml_reader_fail(r, err);
}

static void on_cdata(void *arg, const xmlChar *text, int len)
{
	struct xml_reader *r = arg;

	if (r->err == 0 && r->tree.depth == 0)
		xml_reader_fail(r, FED_EXML);
	else
		on_text(arg, text, len);
}

/* ---- what RFC 6120 11.1 forbids ---- */

static void on_comment(void *arg, const xmlChar *text)
{
	(void)text;
	xml_reader_fail(arg, FED_ERESTRICTED);
}

static void on_instruction(void *arg, const xmlChar *target,
			   const xmlChar *data)
{
	(void)target;
	(void)data;
	xml_reader_fail(arg, FED_ERESTRICTED);
}

/* Comes before the internal subset is read. */
static void on_doctype(void *arg, const xmlChar *name, const xmlChar *id,
		       const xmlChar *system)
{
	(void)name;
	(void)id;
	(void)system;
	xml_reader_fail(arg, FED_ERESTRICTED);
}

/* The five predefined ones never come here. */
static xmlEntityPtr on_entity(void *arg, const xmlChar *name)
{
	(void)name;
	xml_reader_fail(arg, FED_ERESTRICTED);
	return NULL;
}

static void on_reference(void *arg, const xmlChar *name)
{
	(void)name;
	xml_reader_fail(arg, FED_ERESTRICTED);
}

/* "<!" that begins neither comment nor CDATA: a piece of a DTD. */
static bool is_at_declaration(const struct xml_reader *r)
{
	const xmlParserInput *in = r->ctxt->input;

	return in != NULL && in->cur != NULL && in->end - in->cur >= 2 &&
	       in->cur[0] == '<' && in->cur[1] == '!';
}

/* libxml2 has several errors for it, depending on how the input was cut. */
static bool is_at_broken_utf8(const struct xml_reader *r)
{
	const xmlParserInput *in = r->ctxt->input;
	size_t n;

	if (in == NULL || in->cur == NULL || in->cur >= in->end ||
	    in->cur[0] < 0x80)
		return false;
	if (in->cur[0] < 0xC2 || in->cur[0] > 0xF4)
		return true;
	n = in->cur[0] >= 0xF0 ? 4 : in->cur[0] >= 0xE0 ? 3 : 2;
	return n <= (size_t)(in->end - in->cur) &&
	       !span_is_utf8(span_of(in->cur, n));
}

static int translate(const struct xml_reader *r, int code)
{
	/* a full dictionary shows as failed allocation or as missing name */
	if (xmlDictGetUsage(r->ctxt->dict) > LIMIT_XML_DICT_BYTES)
		return FED_ELIMIT;
	if (code == XML_ERR_NO_MEMORY)
		return FED_ENOMEM;
	if (code == XML_ERR_INVALID_ENCODING || is_at_broken_utf8(r))
		return FED_EENCODING;
	/* an XML declaration that does not stand at the front */
	if (code == XML_ERR_RESERVED_XML_NAME || is_at_declaration(r))
		return FED_ERESTRICTED;
	return FED_EXML;
}

/* COMPAT(libxml2, < 2.12): the error was not const. */
#if LIBXML_VERSION >= 21200
#define ERROR_CONST const
#else
#define ERROR_CONST
#endif

static void on_error(void *arg, ERROR_CONST xmlError *e)
{
	struct xml_reader *r = arg;

	if (e->level >= XML_ERR_ERROR && r->err == 0)
		xml_reader_fail(r, translate(r, e->code));
}

static const xmlSAXHandler HANDLER = {
	.initialized = XML_SAX2_MAGIC,
	.startElementNs = on_start,
	.endElementNs = on_end,
	.characters = on_text,
	.ignorableWhitespace = on_text,
	.cdataBlock = on_cdata,
	.comment = on_comment,
	.processingInstruction = on_instruction,
	.internalSubset = on_doctype,
	.getEntity = on_entity,
	.reference = on_reference,
	.serror = on_error,
};

void xml_sax_handler(xmlSAXHandler *handler_out)
{
	*handler_out = HANDLER;
}
