/*
 * libxml2's SAX2 push parser behind limits: what is fed to it, when it is
 * replaced, what is kept.  The callbacks are in xml_sax.c.
 */
#include "edge-proxy/core/xml_reader.h"

#include <stdlib.h>

#include <libxml/parser.h>
#include <libxml/dict.h>

#include "base/limits.h"
#include "edge-proxy/core/xml_prolog.h"
#include "edge-proxy/core/xml_sax.h"

/* ---- life ---- */

static void drop_parser(struct xml_reader *r)
{
	if (r->ctxt == NULL)
		return;
	if (r->ctxt->myDoc != NULL)
		xmlFreeDoc(r->ctxt->myDoc);
	xmlFreeParserCtxt(r->ctxt);
	r->ctxt = NULL;
}

static const struct span DECLARATION = {"<?xml version='1.0'?>", 21};

/* dict: names that are pointed at still, taken; NULL: a new one. */
static int new_parser(struct xml_reader *r, xmlDictPtr dict)
{
	xmlSAXHandler handler;

	drop_parser(r);
	xml_sax_handler(&handler);
	r->is_swap_due = false;
	r->ctxt = xmlCreatePushParserCtxt(&handler, r, NULL, 0, NULL);
	if (r->ctxt == NULL) {
		xmlDictFree(dict);
		return FED_ENOMEM;
	}
	if (dict != NULL) {
		xmlDictFree(r->ctxt->dict);
		r->ctxt->dict = dict;
	}
	/* SAFETY: NOENT concerns the five predefined entities only, all others
	 * are refused; without it '&' in an attribute is shown as "&#38;" */
	xmlCtxtUseOptions(r->ctxt, XML_PARSE_NONET | XML_PARSE_IGNORE_ENC |
					   XML_PARSE_NOENT);
	xmlDictSetLimit(r->ctxt->dict, LIMIT_XML_DICT_BYTES);
	/* the peer's own declaration was checked and dropped; libxml2 would
	 * believe a second one if it had not seen the first */
	(void)xmlParseChunk(r->ctxt, DECLARATION.p, (int)DECLARATION.n, 0);
	r->fed = DECLARATION.n;
	r->boundary = r->fed;
	r->mark = r->fed;
	return r->err;
}

int xml_reader_new(struct xml_reader **reader_out, size_t stanza_max)
{
	struct xml_reader *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return FED_ENOMEM;
	xml_tree_init(&r->tree);
	/* set_stanza_max() may raise it: the limit is enforced in feed() */
	buf_init(&r->tail, SIZE_MAX / 4);
	/* "&apos;" is the longest that one byte of a header becomes */
	buf_init(&r->replay, 6 * LIMIT_HEADER_BYTES);
	xml_reader_set_stanza_max(r, stanza_max);
	if (xml_reader_restart(r) != 0) {
		xml_reader_free(r);
		return FED_ENOMEM;
	}
	*reader_out = r;
	return 0;
}

void xml_reader_free(struct xml_reader *r)
{
	if (r == NULL)
		return;
	drop_parser(r);
	xmlDictFree(r->old_dict);
	xml_skip_deinit(&r->skip);
	buf_deinit(&r->tail);
	buf_deinit(&r->replay);
	xml_tree_deinit(&r->tree);
	free(r);
}

int xml_reader_restart(struct xml_reader *r)
{
	r->state = XML_STATE_PROLOG;
	r->is_lenient = false;
	r->first = NULL;
	r->last = NULL;
	r->prolog_n = 0;
	buf_deinit(&r->tail);
	buf_reset(&r->replay);
	xml_skip_deinit(&r->skip);
	xml_tree_reset(&r->tree);
	r->err = 0;
	r->err = new_parser(r, NULL);
	return r->err;
}

void xml_reader_set_stanza_max(struct xml_reader *r, size_t bytes)
{
	r->stanza_max = bytes < LIMIT_STANZA_BYTES_FLOOR
				? LIMIT_STANZA_BYTES_FLOOR
				: bytes;
}

void xml_reader_set_lenient(struct xml_reader *r)
{
	r->is_lenient = true;
}

/* ---- feeding ---- */

/* No element begun, no bytes but blanks. */
static bool is_at_boundary(const struct xml_reader *r)
{
	return r->tree.depth == 0 && buf_len(&r->tail) == 0 &&
	       r->state != XML_STATE_HEADER;
}

static void parse(struct xml_reader *r, struct span s)
{
	size_t done;

	/* the length is at most LIMIT_READ_BYTES or stanza_max */
	(void)xmlParseChunk(r->ctxt, s.p, (int)s.n, 0);
	r->fed += s.n;
	if (r->err != 0)
		return;
	if (!r->ctxt->wellFormed) {
		xml_reader_fail(r, FED_EXML);
		return;
	}
	/* LIMIT: a tag is shown only when it is whole */
	done = xml_reader_position(r);
	if (r->fed > done && r->fed - done > LIMIT_XML_TAG_BYTES &&
	    r->state != XML_STATE_STUB)
		xml_reader_fail(r, FED_ELIMIT);
}

/* After s was parsed: keep what lies behind the boundary. */
static void keep_tail(struct xml_reader *r, struct span s)
{
	struct buf *tail = &r->tail;
	size_t old = buf_len(tail);
	size_t old_at = r->fed - s.n - old;
	size_t done = r->boundary > old_at ? r->boundary - old_at : 0;

	if (done < old) {
		buf_consume(tail, done);
	} else {
		s = span_sub(s, done - old, s.n);
		/* what one huge stanza needed is not kept */
		if (tail->cap > LIMIT_READ_BYTES)
			buf_deinit(tail);
		else
			buf_reset(tail);
	}
	if (buf_put_span(tail, s) != 0)
		xml_reader_fail(r, FED_ENOMEM);
	/* keepalives (RFC 6120 4.6.1) belong to no stanza */
	if (r->tree.depth == 0 && r->state != XML_STATE_HEADER)
		buf_consume(tail, xml_blanks_at_front(buf_span(tail)));
	r->boundary = r->fed - buf_len(tail);
}

/* A parser that stands where this one does: behind the header. */
static void replace_parser(struct xml_reader *r, xmlDictPtr dict)
{
	r->err = new_parser(r, dict);
	if (r->err != 0)
		return;
	r->state = XML_STATE_REPLAY;
	parse(r, buf_span(&r->replay));
	r->boundary = r->fed;
}

/* Replaces the parser between two elements: libxml2 never forgets a name. */
static void swap_parser(struct xml_reader *r)
{
	struct span tail = buf_span(&r->tail);

	xml_tree_reset(&r->tree);
	replace_parser(r, NULL);
	if (r->err == 0 && tail.n > 0)
		parse(r, tail);
}

/* ---- skipping ---- */

static bool may_skip(const struct xml_reader *r)
{
	return r->is_lenient && r->err == FED_ELIMIT &&
	       r->state == XML_STATE_CONTENT;
}

/*
 * The parser has stopped inside an element or on its tag.  The scanner takes
 * it from its beginning: what came before this piece is in the tail, the rest
 * is returned.
 */
static struct span begin_skip(struct xml_reader *r, struct span piece,
			      struct span s)
{
	struct span tail = buf_span(&r->tail);
	size_t tail_at = r->fed - piece.n - tail.n;
	size_t done = r->boundary > tail_at ? r->boundary - tail_at : 0;
	size_t used;

	xml_tree_abandon(&r->tree);
	xml_skip_init(&r->skip);
	r->state = XML_STATE_SKIP;
	r->err = xml_skip_feed(&r->skip, span_sub(tail, done, tail.n), &used);
	/* the parser did not see the end there: names did not match */
	if (r->err == 0 && xml_skip_is_done(&r->skip))
		r->err = FED_EXML;
	buf_deinit(&r->tail);
	return span_sub(s, done > tail.n ? done - tail.n : 0, s.n);
}

/* Events that are not drained point at names: their dictionary stays, and is
 * used on unless it is full. */
static xmlDictPtr keep_dict(struct xml_reader *r)
{
	xmlDictPtr dict = r->ctxt->dict;

	if (r->first == NULL && r->is_swap_due)
		return NULL;
	if (xmlDictGetUsage(dict) > LIMIT_XML_DICT_BYTES &&
	    r->old_dict == NULL) {
		xmlDictReference(dict);
		r->old_dict = dict;
		return NULL;
	}
	xmlDictReference(dict);
	return dict;
}

static void end_skip(struct xml_reader *r)
{
	replace_parser(r, keep_dict(r));
	if (r->err == 0) {
		r->state = XML_STATE_STUB;
		parse(r, xml_skip_stub(&r->skip));
		r->boundary = r->fed;
		r->state = XML_STATE_CONTENT;
	}
	xml_skip_deinit(&r->skip);
}

static struct span skip_piece(struct xml_reader *r, struct span s)
{
	size_t used = 0;

	r->err = xml_skip_feed(&r->skip, s, &used);
	if (r->err == 0 && xml_skip_is_done(&r->skip))
		end_skip(r);
	return span_sub(s, used, s.n);
}

/* Bytes that may still come before the element or the header must end. */
static size_t room(const struct xml_reader *r)
{
	size_t max = r->stanza_max;
	size_t used = buf_len(&r->tail);

	if (r->state == XML_STATE_HEADER || r->state == XML_STATE_PROLOG) {
		max = LIMIT_HEADER_BYTES;
		used += r->prolog_n;
	}
	return used < max ? max - used : 0;
}

static void feed_prolog(struct xml_reader *r, struct span s)
{
	size_t skip = 0;
	struct span document;
	int err;

	if (buf_put_span(&r->tail, s) != 0) {
		xml_reader_fail(r, FED_ENOMEM);
		return;
	}
	err = xml_prolog_check(buf_span(&r->tail), &skip);
	if (err == FED_EAGAIN)
		return;
	if (err != 0) {
		xml_reader_fail(r, err);
		return;
	}
	r->state = XML_STATE_HEADER;
	r->prolog_n = skip;
	buf_consume(&r->tail, skip);
	document = buf_span(&r->tail);
	if (document.n == 0)
		return;
	parse(r, document);
	if (r->err == 0)
		keep_tail(r, SPAN_NULL);
}

/* One piece of s that breaks no limit; the rest is returned. */
static struct span feed_piece(struct xml_reader *r, struct span s)
{
	struct span piece;
	size_t n;

	if (r->state == XML_STATE_SKIP)
		return skip_piece(r, s);
	if (is_at_boundary(r) && r->state != XML_STATE_PROLOG)
		s = span_sub(s, xml_blanks_at_front(s), s.n);
	if (s.n == 0)
		return s;
	n = room(r);
	if (n == 0)
		xml_reader_fail(r, FED_ELIMIT);
	piece = span_sub(s, 0, n);
	if (r->err == 0 && r->state == XML_STATE_PROLOG) {
		feed_prolog(r, piece);
	} else if (r->err == 0) {
		parse(r, piece);
		if (r->err == 0)
			keep_tail(r, piece);
	}
	if (may_skip(r))
		return begin_skip(r, piece, s);
	return span_sub(s, piece.n, s.n);
}

int xml_reader_feed(struct xml_reader *r, struct span in)
{
	/* XML has no NUL; libxml2 takes one for the end of its input */
	size_t nul = span_find(in, '\0', 0);
	struct span s = nul == SIZE_MAX ? in : span_sub(in, 0, nul);

	if (r->err != 0)
		return r->err;
	if (r->first != NULL)
		return FED_ESTATE;
	r->last = NULL;
	xmlDictFree(r->old_dict);
	r->old_dict = NULL;
	xml_tree_begin_feed(&r->tree);
	if (r->is_swap_due && r->state == XML_STATE_CONTENT)
		swap_parser(r);
	while (s.n > 0 && r->err == 0)
		s = feed_piece(r, s);
	if (nul != SIZE_MAX && r->err == 0)
		xml_reader_fail(r, r->state == XML_STATE_PROLOG ? FED_EENCODING
								: FED_EXML);
	return r->err;
}

bool xml_reader_next(struct xml_reader *r, struct xml_event *event_out)
{
	if (r->first == NULL)
		return false;
	*event_out = r->first->event;
	r->first = r->first->next;
	return true;
}

bool xml_reader_is_clean(const struct xml_reader *r)
{
	struct span tail = buf_span(&r->tail);

	return r->err == 0 && r->first == NULL && r->tree.depth == 0 &&
	       r->state != XML_STATE_HEADER && r->state != XML_STATE_SKIP &&
	       xml_blanks_at_front(tail) == tail.n;
}
