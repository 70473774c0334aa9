/*
 * Stanza error conditions (RFC 6120 8.3.3): names, usual types.
 */
#ifndef FED_XMPP_STANZA_ERROR_H
#define FED_XMPP_STANZA_ERROR_H

#include "base/arena.h"
#include "stanza.pb-c.h"

/** Element name, "item-not-found"; "undefined-condition" for others. */
const char *stanza_error_name(Fed__Condition c);

/** Condition of an element name; UNDEFINED_CONDITION when unknown. */
Fed__Condition stanza_error_parse(const char *name);

/** Usual type of the condition (RFC 6120 8.3.3); never NO_ERROR_TYPE. */
Fed__ErrorType stanza_error_usual_type(Fed__Condition c);

/** "cancel"...; type names both ways.  Unknown parses as CANCEL. */
const char *stanza_error_type_name(Fed__ErrorType t);
Fed__ErrorType stanza_error_type_parse(const char *name);

/**
 * New error in the arena with the usual type.
 *
 * @param text  English sentence for the sender, NULL: none; copied
 * @return NULL when the arena is full
 */
Fed__Error *stanza_error_new(struct arena *a, Fed__Condition c,
			     const char *text);

#endif
