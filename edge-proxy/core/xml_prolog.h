/*
 * What stands before the stream header: byte order mark, XML declaration.
 * Checked here because libxml2 would follow another encoding.
 */
#ifndef FED_EDGE_XML_PROLOG_H
#define FED_EDGE_XML_PROLOG_H

#include "base/span.h"

/**
 * Look at the first bytes of a document.
 *
 * @param in        everything received so far
 * @param skip_out  bytes to drop before the document goes to the parser: a
 *                  UTF-8 byte order mark, blanks, the declaration
 * @return 0; FED_EAGAIN more bytes are needed
 *         FED_EENCODING another encoding, by its mark or by its name
 *         FED_EXML not the beginning of an XML 1.0 document
 */
int xml_prolog_check(struct span in, size_t *skip_out) FED_NODISCARD;

#endif
