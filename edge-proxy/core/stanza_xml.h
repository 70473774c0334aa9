/*
 * XML <-> the normalized stanza.  What has no field does not pass; it is
 * counted in metric elements_reduced.
 */
#ifndef FED_EDGE_STANZA_XML_H
#define FED_EDGE_STANZA_XML_H

#include "base/metrics.h"
#include "edge-proxy/core/xml_reader.h"
#include "base/buf.h"
#include "stanza.pb-c.h"

enum stanza_verdict {
	STANZA_OK,     /* stanza_out is complete */
	STANZA_IGNORE, /* nothing in it has a field: drop (RFC 6120 8.4) */
	STANZA_ANSWER, /* answer with *condition_out; stanza_out has at least
			* addresses, id and kind */
	STANZA_IMPROPER_ADDRESSING, /* to/from absent, or its domain is none:
				     * stream error (RFC 6120 4.9.3.7) */
	STANZA_UNKNOWN,		    /* not message, presence or iq */
	STANZA_NO_MEMORY, /* arena full: policy-violation to the sender */
};

/**
 * Reduce one first-level element in jabber:server to a stanza.
 *
 * An iq get/set with an unknown payload gives STANZA_ANSWER with
 * service-unavailable; a broken iq (no id, bad type) bad-request.  A local- or
 * resourcepart that cannot be gives STANZA_ANSWER with jid-malformed: it says
 * nothing about the honesty of the peer, whose domain is right.
 *
 * @param stream_lang  xml:lang of the stream header, NULL: none
 * @param m            counters, NULL allowed
 * @param stanza_out   in the arena; set unless IMPROPER/UNKNOWN/NO_MEMORY
 */
enum stanza_verdict stanza_xml_read(const struct xml_el *el,
				    const char *stream_lang, struct arena *a,
				    struct metrics *m, Fed__Stanza **stanza_out,
				    Fed__Condition *condition_out);

/**
 * Print one stanza for an s2s stream whose default namespace is
 * jabber:server.
 *
 * @return 0; FED_ELIMIT/FED_ENOMEM from the buffer; FED_EINVAL no kind
 */
int stanza_xml_write(struct buf *b, const Fed__Stanza *s) FED_NODISCARD;

#endif
