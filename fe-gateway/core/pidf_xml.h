/*
 * XML out, for the gateway's documents: everything is escaped here, characters
 * that XML 1.0 forbids are dropped.  The first failure is kept and ends the
 * writing, so a caller looks once.
 */
#ifndef FED_GATEWAY_PIDF_XML_H
#define FED_GATEWAY_PIDF_XML_H

#include "base/buf.h"

struct pidf_xml {
	struct buf *out; /* borrowed; never filled above `end`, never failed */
	size_t end;	 /* length of `out` that is not passed */
	int err;	 /* 0; FED_ELIMIT; FED_ENOMEM */
};

/** Text that is markup already, of our own. */
void pidf_xml_raw(struct pidf_xml *x, struct span markup);

#define PIDF_XML_LIT(x, literal) pidf_xml_raw(x, SPAN_LIT(literal))

/** " name='value'"; the name is markup of our own. */
void pidf_xml_attr(struct pidf_xml *x, const char *name, struct span value);

/** Character data. */
void pidf_xml_text(struct pidf_xml *x, struct span text);

#endif
