/*
 * PIDF from SIP through libxml2's SAX2 parser, everything closed that a hostile
 * document could use.  What elements mean is in pidf_doc.c.
 */
#include "fe-gateway/core/pidf.h"

#include <string.h>

#include <libxml/parser.h>

#include "fe-gateway/core/charset.h"
#include "fe-gateway/core/pidf_doc.h"

struct reading {
	struct pidf_doc doc;
	xmlParserCtxtPtr ctxt;
	int err; /* the first one, then the parser is stopped */
};

static void fail(struct reading *r, int err)
{
	if (r->err != 0)
		return;
	r->err = err;
	xmlStopParser(r->ctxt);
}

/* ---- callbacks ---- */

static struct span span_of_xml(const xmlChar *s)
{
	return span_str((const char *)s);
}

/* The attributes that mean something here; five pointers for each: name,
 * prefix, namespace, value, end of value. */
static void take_attributes(struct pidf_tag *tag, const xmlChar **attrs,
			    size_t count)
{
	static const struct span xml = {"http://www.w3.org/XML/1998/namespace",
					36};

	for (size_t i = 0; i < count; i++, attrs += 5) {
		struct span name = span_of_xml(attrs[0]);
		struct span ns = span_of_xml(attrs[2]);
		struct span value =
			span_of(attrs[3], (size_t)(attrs[4] - attrs[3]));

		if (ns.n == 0 && span_eq_str(name, "id")) {
			tag->id = value;
		} else if (ns.n == 0 && span_eq_str(name, "priority")) {
			tag->priority = value;
		} else if (ns.n == 0 && span_eq_str(name, "aggregate")) {
			tag->aggregate = value;
		} else if (span_eq(ns, xml) && span_eq_str(name, "lang")) {
			tag->lang = value;
			tag->has_lang = true;
		} else if (span_eq_str(ns, PIDF_NS) &&
			   span_eq_str(name, "mustUnderstand")) {
			value = span_trim(value);
			tag->must_understand = span_eq_str(value, "1") ||
					       span_eq_str(value, "true");
		}
	}
}

static void on_start(void *arg, const xmlChar *name, const xmlChar *prefix,
		     const xmlChar *uri, int ns_count, const xmlChar **ns,
		     int attr_count, int defaulted, const xmlChar **attrs)
{
	struct reading *r = arg;
	struct pidf_tag tag = {.ns = span_of_xml(uri),
			       .name = span_of_xml(name)};
	int err;

	(void)prefix;
	(void)ns;
	(void)defaulted; /* there is no DTD */
	if (r->err != 0)
		return;
	if ((size_t)attr_count + (size_t)ns_count > LIMIT_XML_ATTRS) {
		fail(r, FED_ELIMIT);
		return;
	}
	take_attributes(&tag, attrs, (size_t)attr_count);
	err = pidf_doc_open(&r->doc, &tag);
	if (err != 0)
		fail(r, err);
}

static void on_end(void *arg, const xmlChar *name, const xmlChar *prefix,
		   const xmlChar *uri)
{
	struct reading *r = arg;
	int err;

	(void)name;
	(void)prefix;
	(void)uri;
	if (r->err != 0)
		return;
	err = pidf_doc_close(&r->doc);
	if (err != 0)
		fail(r, err);
}

static void on_text(void *arg, const xmlChar *text, int len)
{
	struct reading *r = arg;

	if (r->err == 0)
		pidf_doc_text(&r->doc, span_of(text, (size_t)len));
}

/* Comes before the internal subset is read. */
static void on_doctype(void *arg, const xmlChar *name, const xmlChar *id,
		       const xmlChar *system)
{
	(void)name;
	(void)id;
	(void)system;
	fail(arg, FED_ERESTRICTED);
}

/* The five predefined ones never come here. */
static xmlEntityPtr on_entity(void *arg, const xmlChar *name)
{
	(void)name;
	fail(arg, FED_ERESTRICTED);
	return NULL;
}

static void on_reference(void *arg, const xmlChar *name)
{
	(void)name;
	fail(arg, FED_ERESTRICTED);
}

/* COMPAT(libxml2, < 2.12): the error was not const. */
#if LIBXML_VERSION >= 21200
#define ERROR_CONST const
#else
#define ERROR_CONST
#endif

/* Errors of namespaces are not fatal: a prefix without a namespace makes an
 * element that is not known. */
static void on_error(void *arg, ERROR_CONST xmlError *e)
{
	if (e->code == XML_ERR_NO_MEMORY)
		fail(arg, FED_ENOMEM);
	else if (e->level >= XML_ERR_FATAL)
		fail(arg, FED_EXML);
}

/* Comments and processing instructions are passed over. */
static const xmlSAXHandler HANDLER = {
	.initialized = XML_SAX2_MAGIC,
	.startElementNs = on_start,
	.endElementNs = on_end,
	.characters = on_text,
	.ignorableWhitespace = on_text,
	.cdataBlock = on_text,
	.internalSubset = on_doctype,
	.getEntity = on_entity,
	.reference = on_reference,
	.serror = on_error,
};

/* ---- parsing ---- */

enum { CHUNK_BYTES = 4096 };

/* In pieces, so that a tag without end is seen before it is whole. */
static void feed(struct reading *r, struct span in)
{
	size_t fed = 0;

	while (r->err == 0 && fed < in.n) {
		struct span part = span_sub(in, fed, fed + CHUNK_BYTES);
		long done;

		fed += part.n;
		(void)xmlParseChunk(r->ctxt, part.p, (int)part.n, fed == in.n);
		done = xmlByteConsumed(r->ctxt);
		/* LIMIT: libxml2 compares attributes pairwise */
		if (done >= 0 && fed > (size_t)done &&
		    fed - (size_t)done > LIMIT_XML_TAG_BYTES)
			fail(r, FED_ELIMIT);
	}
	if (r->err == 0 && !r->ctxt->wellFormed)
		r->err = FED_EXML;
}

/* utf8: checked, begins with '<' */
static int parse(struct span utf8, struct span lang, struct presence_view *view)
{
	struct reading r = {.err = 0};
	xmlSAXHandler handler = HANDLER;

	r.err = pidf_doc_init(&r.doc, lang);
	if (r.err != 0)
		return r.err;
	r.ctxt = xmlCreatePushParserCtxt(&handler, &r, NULL, 0, NULL);
	if (r.ctxt == NULL) {
		pidf_doc_deinit(&r.doc);
		return FED_ENOMEM;
	}
	/* SAFETY: NOENT concerns the five predefined entities only, all others
	 * are refused; without it '&' in an attribute is shown as "&#38;" */
	xmlCtxtUseOptions(r.ctxt, XML_PARSE_NONET | XML_PARSE_IGNORE_ENC |
					  XML_PARSE_NOENT);
	feed(&r, utf8);
	if (r.err == 0)
		r.err = pidf_doc_view(&r.doc, view);
	if (r.err != 0)
		presence_view_clear(view);
	if (r.ctxt->myDoc != NULL)
		xmlFreeDoc(r.ctxt->myDoc);
	xmlFreeParserCtxt(r.ctxt);
	pidf_doc_deinit(&r.doc);
	return r.err;
}

/* ---- encodings ---- */

static struct span without_mark(struct span doc)
{
	const struct span mark = SPAN_LIT("\xEF\xBB\xBF");

	return span_starts(doc, mark) ? span_sub(doc, mark.n, doc.n) : doc;
}

/* What the XML declaration names; empty: nothing.  It is for the parser to
 * see whether it is one. */
static struct span declared_encoding(struct span doc)
{
	struct span decl;
	size_t at = 0;

	if (!span_starts(doc, SPAN_LIT("<?xml")))
		return SPAN_NULL;
	decl = span_sub(doc, 0, span_find(doc, '>', 0));
	do {
		at = span_find(decl, 'e', at + 1);
		if (at == SIZE_MAX)
			return SPAN_NULL;
	} while (
		!span_starts(span_sub(decl, at, decl.n), SPAN_LIT("encoding")));
	decl = span_trim(span_sub(decl, at + 8, decl.n));
	if (decl.n == 0 || decl.p[0] != '=')
		return SPAN_NULL;
	decl = span_trim(span_sub(decl, 1, decl.n));
	if (decl.n == 0 || (decl.p[0] != '\'' && decl.p[0] != '"'))
		return SPAN_NULL;
	return span_sub(decl, 1, span_find(decl, decl.p[0], 1));
}

/* The charset that the bytes are in, for charset_to_text(); empty: UTF-8.
 * What the bytes show counts before what they say: a document that was made
 * UTF-8 on its way may still say UTF-16. */
static struct span charset_of(struct span doc)
{
	struct span name;

	if (doc.n < 2)
		return SPAN_NULL;
	if (memcmp(doc.p, "\xFF\xFE", 2) == 0 || memcmp(doc.p, "<\0", 2) == 0)
		return SPAN_LIT("utf-16le");
	if (memcmp(doc.p, "\xFE\xFF", 2) == 0 || memcmp(doc.p, "\0<", 2) == 0)
		return SPAN_LIT("utf-16be");
	name = declared_encoding(span_trim(without_mark(doc)));
	if (span_ieq(name, SPAN_LIT("utf-8")) ||
	    span_ieq(name, SPAN_LIT("us-ascii")) ||
	    span_ieq(span_sub(name, 0, 6), SPAN_LIT("utf-16")))
		return SPAN_NULL;
	return name;
}

int pidf_read(struct span doc, struct span lang, struct presence_view *view)
{
	struct span charset;
	struct buf utf8;
	int err;

	presence_view_clear(view);
	if (doc.n > LIMIT_PIDF_BYTES)
		return FED_ELIMIT;
	charset = charset_of(doc);
	buf_init(&utf8, 4 * LIMIT_PIDF_BYTES);
	if (charset.n > 0) {
		err = charset_to_text(doc, charset, &utf8);
		doc = buf_span(&utf8);
	} else {
		doc = without_mark(doc);
		err = span_is_utf8(doc) ? 0 : FED_EENCODING;
	}
	if (err == FED_ENOTFOUND)
		err = FED_EENCODING;
	/* COMPAT: blanks before the declaration, where XML has none */
	doc = span_trim(doc);
	/* nothing but '<' in front: libxml2 would see other encodings there */
	if (err == 0 && !span_starts(doc, SPAN_LIT("<")))
		err = FED_EXML;
	if (err == 0)
		err = parse(doc, lang, view);
	buf_deinit(&utf8);
	return err;
}
