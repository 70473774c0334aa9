/*
 * XML out: the only place that prints XML; everything is escaped here.
 * Characters that XML 1.0 forbids are dropped.  Failures are sticky in the
 * buffer (buf.is_failed), so a caller looks once.
 */
#ifndef FED_EDGE_XML_WRITER_H
#define FED_EDGE_XML_WRITER_H

#include "base/buf.h"

/** "<name" ; attributes may follow. */
void xml_write_open(struct buf *b, const char *name);

/** " name='value'" with value escaped; nothing when value is NULL. */
void xml_write_attr(struct buf *b, const char *name, const char *value);

/** ">" behind the attributes. */
void xml_write_body(struct buf *b);

/** "/>" behind the attributes. */
void xml_write_empty(struct buf *b);

/** Character data, escaped. */
void xml_write_text(struct buf *b, const char *text);

/** "</name>". */
void xml_write_close(struct buf *b, const char *name);

/** <name>text</name>; nothing when text is NULL or "". */
void xml_write_leaf(struct buf *b, const char *name, const char *text);

/** <name xmlns='ns'/> */
void xml_write_flag(struct buf *b, const char *name, const char *ns);

#endif
