/*
 * Pieces of the --json documents.
 */
#ifndef FED_FEDCTL_JSON_H
#define FED_FEDCTL_JSON_H

#include <jansson.h>

#include "deploy/fedctl/show.h"

/** A value within a document; takes it, NULL is out of memory. */
void json_value(struct shower *s, json_t *value);

/** A document with one member; takes `value`, NULL is out of memory. */
void json_document(struct shower *s, const char *name, json_t *value);

/** A document {"name": [...]} that is printed as it comes: a line for each
 * entry.  json_entry() takes `entry`, NULL is out of memory. */
void json_list_begin(struct shower *s, const char *name);
void json_entry(struct shower *s, json_t *entry);
void json_list_end(struct shower *s);

/** Text, or null when it is empty. */
json_t *json_text_or_null(const char *text);

/** A number, or null when it is negative. */
json_t *json_age_or_null(int64_t ms);

/** Bytes that are a text, or null when they are none. */
json_t *json_bytes(const ProtobufCBinaryData *b);

#endif
