/*
 * The state of a reader, and the libxml2 callbacks that work on it.  Private
 * to xml_reader.c and xml_sax.c.
 *
 * Offsets count the bytes given to the present parser.  The boundary is where
 * the last first-level element ended (blanks behind it included): what came
 * after it is kept in `tail`, which bounds it before the parser sees more and
 * lets the parser be replaced when its dictionary has grown.
 */
#ifndef FED_EDGE_XML_SAX_H
#define FED_EDGE_XML_SAX_H

#include <libxml/parser.h>

#include "base/buf.h"
#include "edge-proxy/core/xml_reader.h"
#include "edge-proxy/core/xml_skip.h"
#include "edge-proxy/core/xml_tree.h"

enum xml_state {
	XML_STATE_PROLOG,  /* declaration not yet seen whole */
	XML_STATE_HEADER,  /* inside the stream's start tag */
	XML_STATE_REPLAY,  /* our own header goes to a new parser */
	XML_STATE_CONTENT, /* stream open */
	XML_STATE_SKIP,	   /* inside an element that is not read */
	XML_STATE_STUB,	   /* what is left of it goes to a new parser */
	XML_STATE_CLOSED,  /* </stream:stream> was read */
};

struct event_node {
	struct xml_event event;
	struct event_node *next;
};

struct xml_reader {
	xmlParserCtxtPtr ctxt;
	enum xml_state state;
	int err; /* sticky */
	size_t stanza_max;
	size_t fed;	      /* bytes given to ctxt */
	size_t boundary;      /* offset behind the last complete element */
	size_t mark;	      /* offset of the last callback */
	size_t prolog_n;      /* bytes dropped before the header */
	bool is_swap_due;     /* dictionary too big at the last boundary */
	bool is_lenient;      /* skip what breaks a limit */
	struct xml_skip skip; /* SKIP, STUB */
	xmlDictPtr old_dict;  /* names of events that are not drained yet */
	struct buf tail;      /* bytes [fed - length, fed); PROLOG: all */
	struct buf replay;    /* header with the peer's namespaces */
	struct xml_tree tree;
	struct event_node *first;
	struct event_node *last;
};

/** The callbacks; the parser's user data is the reader. */
void xml_sax_handler(xmlSAXHandler *handler_out);

/** Remember the first error and stop the parser. */
void xml_reader_fail(struct xml_reader *r, int err);

/** Offset up to which the parser has worked. */
size_t xml_reader_position(const struct xml_reader *r);

/** Spaces, tabs, CR, LF at the front. */
static inline size_t xml_blanks_at_front(struct span in)
{
	size_t n = 0;

	while (n < in.n && (in.p[n] == ' ' || in.p[n] == '\t' ||
			    in.p[n] == '\r' || in.p[n] == '\n'))
		n++;
	return n;
}

#endif
