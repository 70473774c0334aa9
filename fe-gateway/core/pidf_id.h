/*
 * Tuple ids and resources (RFC 8048 4.1).  An id is an xs:ID, so an NCName of
 * XML: "ID-" and the resource, in which a character that is no ASCII letter,
 * digit, '.', '-' or '_' is written as the hexadecimal digits of its code
 * point: "_x0020_", or eight digits above U+FFFF.  A '_' before an 'x' is
 * written so too, so that no two names have the same id.
 */
#ifndef FED_GATEWAY_PIDF_ID_H
#define FED_GATEWAY_PIDF_ID_H

#include "base/limits.h"
#include "base/span.h"

enum { PIDF_ID_BYTES = sizeof("ID-") - 1 + LIMIT_PIDF_ID_BYTES };

/**
 * The id of a resource, the same for the same name.  "", which no tuple of
 * others stands for, has one of its own; a name whose id would be longer than
 * LIMIT_PIDF_ID_BYTES, or that is not UTF-8, has a digest.
 *
 * @param out  NUL-terminated
 * @return 0; FED_EINVAL no digest could be made
 */
int pidf_id_make(struct span name, char out[PIDF_ID_BYTES + 1]) FED_NODISCARD;

/**
 * The resource of a tuple id: what pidf_id_make() wrote is taken back, the
 * ids of others are taken as they are, without "ID-".  Normalized (RFC 7622
 * 3.4); what cannot be a resource becomes a digest.
 *
 * @param out  NUL-terminated
 * @return 0; FED_EINVAL no digest could be made; FED_ENOMEM
 */
int pidf_id_name(struct span id,
		 char out[LIMIT_JID_PART_BYTES + 1]) FED_NODISCARD;

#endif
