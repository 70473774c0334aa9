/*
 * Finds the end of a first-level element that is too big or too complex to be
 * read, with a few hundred bytes of state however long, deep or inventive it
 * is.
 *
 * libxml2 cannot do that: it remembers every name, shows a tag only when it is
 * whole, and ends at a depth of its own.  This is a scanner and no parser: it
 * knows tags, quotes, CDATA sections and references, and refuses what RFC 6120
 * 11.1 forbids.  Names of start and end tags are counted, not compared, for
 * all of it is thrown away; in well-formed XML it ends where the element ends.
 *
 * Of the first tag it keeps a short one, the stub: the name and the attributes
 * that an answer needs, as they were written, for the parser to read.
 */
#ifndef FED_EDGE_XML_SKIP_H
#define FED_EDGE_XML_SKIP_H

#include "base/buf.h"
#include "base/limits.h"

enum xml_skip_state {
	XML_SKIP_BEFORE, /* blanks, then '<' */
	XML_SKIP_OPEN,	 /* behind '<' */
	XML_SKIP_NAME,	 /* of a start tag */
	XML_SKIP_TAG,	 /* inside a start tag, behind its name */
	XML_SKIP_VALUE,	 /* inside quotes */
	XML_SKIP_SLASH,	 /* the '/' of an empty element */
	XML_SKIP_END,	 /* inside an end tag */
	XML_SKIP_TEXT,	 /* character data */
	XML_SKIP_REF,	 /* behind '&' */
	XML_SKIP_BANG,	 /* in "<![CDATA[" */
	XML_SKIP_CDATA,	 /* inside one */
	XML_SKIP_DONE,	 /* the element is over */
};

struct xml_skip {
	enum xml_skip_state state;
	enum xml_skip_state back; /* behind a reference */
	size_t depth;		  /* open elements */
	size_t bytes;		  /* of the element, scanned */
	char quote;		  /* VALUE: the one that ends it */
	unsigned char matched;	  /* BANG, CDATA: of the delimiter */
	unsigned char ref_n;
	char ref[6]; /* beginning of a reference's name */
	/* the first tag only */
	struct buf stub; /* "<message from='a@b'", then "/>" */
	size_t prefix_n; /* of the element's name, without ':' */
	size_t attr_at;	 /* where in stub the present attribute begins */
	size_t attr_max; /* bytes it may have; 0: it is not kept */
	size_t attr_n;	 /* of its name; above attr[]: too long */
	char attr[80];
};

/** Begin; the first byte fed is the element's '<' or a blank before it. */
void xml_skip_init(struct xml_skip *k);

/** Free the stub. */
void xml_skip_deinit(struct xml_skip *k);

/**
 * Scan on.
 *
 * @param used_out  bytes that belong to the element: all, unless it is over
 * @return 0; FED_EXML not well-formed; FED_ERESTRICTED; FED_ELIMIT longer than
 *         LIMIT_SKIPPED_BYTES, or a name that is not worth an answer;
 *         FED_ENOMEM
 */
int xml_skip_feed(struct xml_skip *k, struct span in,
		  size_t *used_out) FED_NODISCARD;

/** The element is over: what xml_skip_feed() used last was its end. */
static inline bool xml_skip_is_done(const struct xml_skip *k)
{
	return k->state == XML_SKIP_DONE;
}

/** When it is over: an empty element with the name and the attributes from,
 * to, id and type; one that is longer than any honest value is left out. */
static inline struct span xml_skip_stub(const struct xml_skip *k)
{
	return buf_span(&k->stub);
}

#endif
