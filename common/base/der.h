/*
 * Reading DER (X.690) from hostile bytes: definite lengths only, nothing
 * beyond the given span is ever looked at.
 */
#ifndef FED_BASE_DER_H
#define FED_BASE_DER_H

#include "base/span.h"

enum {
	DER_BOOLEAN = 0x01,
	DER_OCTET_STRING = 0x04,
	DER_OID = 0x06,
	DER_UTF8_STRING = 0x0c,
	DER_IA5_STRING = 0x16,
	DER_SEQUENCE = 0x30,
	DER_CONTEXT = 0x80,	 /* + number: primitive, implicit */
	DER_CONTEXT_CONS = 0xa0, /* + number: constructed */
};

/**
 * Take the first element off *in.
 *
 * @param tag_out   identifier octet (low tag numbers only)
 * @param body_out  its content
 * @return 0; FED_EINVAL not DER, or cut off
 */
int der_next(struct span *in, unsigned *tag_out,
	     struct span *body_out) FED_NODISCARD;

/** As der_next(), but the element must have that tag. */
int der_expect(struct span *in, unsigned tag,
	       struct span *body_out) FED_NODISCARD;

/** Tag of the first element; 0 when there is none. */
unsigned der_peek(struct span in);

#endif
