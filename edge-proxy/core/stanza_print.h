/*
 * What the printers of stanza kinds share.  Private to stanza_xml_write*.c.
 */
#ifndef FED_EDGE_STANZA_PRINT_H
#define FED_EDGE_STANZA_PRINT_H

#include "base/buf.h"
#include "stanza.pb-c.h"

/** " name='value'"; nothing when value is "". */
void stanza_print_attr(struct buf *b, const char *name, const char *value);

/** xml:lang, when it differs from what is inherited. */
void stanza_print_lang(struct buf *b, const char *lang, const char *inherited);

/** The payload of an iq, if there is one. */
void stanza_print_payload(struct buf *b, const Fed__Stanza *s);

#endif
