/*
 * The XML of one stream direction: bytes in, whole first-level elements out.
 * libxml2's SAX2 push parser behind limits; the only reader of Internet XML.
 */
#ifndef FED_EDGE_XML_READER_H
#define FED_EDGE_XML_READER_H

#include "base/arena.h"

struct xml_attr {
	const char *ns; /* "" when the attribute has no namespace */
	const char *name;
	const char *value; /* UTF-8, NUL-terminated */
	struct xml_attr *next;
};

struct xml_el {
	const char *ns; /* "" when none */
	const char *name;
	const char *prefix; /* as written, "" when none */
	struct xml_attr *attrs;
	struct xml_el *children;
	struct xml_el *next; /* sibling */
	struct xml_el *parent;
	const char *text; /* character data directly inside, "" when none */
	bool is_stub;	  /* a first-level element that broke a limit: only its
			   * name, from, to, id and type are here */
};

enum xml_event_kind {
	XML_HEADER,  /* <stream:stream ...>: el has attributes only; its
		      * default namespace is in content_ns */
	XML_ELEMENT, /* one whole first-level element */
	XML_CLOSE,   /* </stream:stream> */
};

struct xml_event {
	enum xml_event_kind kind;
	const struct xml_el *el; /* NULL for XML_CLOSE */
	const char *content_ns;	 /* XML_HEADER: default namespace, "" none */
	bool has_dialback_ns;	 /* XML_HEADER: xmlns:db was declared */
	size_t bytes;		 /* XML_ELEMENT: size on the wire */
};

struct xml_reader;

/**
 * New reader that expects a stream header.
 *
 * @param stanza_max  bytes of one first-level element, at least
 *                    LIMIT_STANZA_BYTES_FLOOR
 * @return 0; FED_ENOMEM
 */
int xml_reader_new(struct xml_reader **reader_out,
		   size_t stanza_max) FED_NODISCARD;

/** Free; NULL is allowed.  Never from inside a callback: there are none. */
void xml_reader_free(struct xml_reader *r);

/**
 * Feed received bytes; may split anywhere, also inside UTF-8.  Completed
 * events are queued for xml_reader_next(), also those before an error.  All
 * queued events must be drained before the next feed.
 *
 * @param in  borrowed, 0..LIMIT_READ_BYTES bytes
 * @return 0; FED_EXML not well-formed (RFC 6120 4.9.3.13)
 *         FED_ERESTRICTED comment, PI, DTD, entity (RFC 6120 11.1)
 *         FED_EENCODING not UTF-8 (RFC 6120 11.6)
 *         FED_ELIMIT size, depth or name limit (see
 *         xml_reader_set_lenient())
 *         FED_ESTATE events of the last feed are not drained
 *         FED_ENOMEM
 *         After an error the reader stays failed and repeats it.
 */
int xml_reader_feed(struct xml_reader *r, struct span in) FED_NODISCARD;

/**
 * Next queued event; false when drained.  Pointers live until the next
 * xml_reader_feed(), xml_reader_restart() or free.
 */
bool xml_reader_next(struct xml_reader *r, struct xml_event *event_out);

/**
 * Nothing is buffered beyond the events taken so far: no queued event, no
 * partial element, no bytes but whitespace.  Asked at TLS and SASL
 * boundaries: what a peer (or somebody in between) injected shows here.
 */
bool xml_reader_is_clean(const struct xml_reader *r);

/** The last event taken was completed with nothing behind it and a new
 * document begins: forget everything, expect a header. 0; FED_ENOMEM */
int xml_reader_restart(struct xml_reader *r) FED_NODISCARD;

/** Lower or raise the element limit (before and after authentication). */
void xml_reader_set_stanza_max(struct xml_reader *r, size_t bytes);

/**
 * From now on, behind the header, a first-level element above a limit (size,
 * depth, attributes, names, objects) is skipped and shown as a stub instead of
 * ending the stream: one user's stanza must not cost the others of his server
 * theirs.  FED_ELIMIT is left for one above LIMIT_SKIPPED_BYTES.
 * xml_reader_restart() ends it.
 */
void xml_reader_set_lenient(struct xml_reader *r);

/* ---- looking at elements ---- */

/** Attribute without namespace, NULL when absent. */
const char *xml_attr_get(const struct xml_el *el, const char *name);

/** Attribute in a namespace, such as xml:lang; NULL when absent. */
const char *xml_attr_get_ns(const struct xml_el *el, const char *ns,
			    const char *name);

/** First child of that namespace and name; NULL when absent. */
const struct xml_el *xml_child(const struct xml_el *el, const char *ns,
			       const char *name);

/** The element has that namespace and name. */
bool xml_is(const struct xml_el *el, const char *ns, const char *name);

#endif
