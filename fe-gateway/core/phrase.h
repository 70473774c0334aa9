/*
 * Reason-Phrases (RFC 3261 7.2).  Private to the error map.
 */
#ifndef FED_GATEWAY_PHRASE_H
#define FED_GATEWAY_PHRASE_H

#include "base/limits.h"
#include "base/span.h"

/**
 * A peer's words as a Reason-Phrase: controls and what the grammar does not
 * have become single spaces, cut between characters at LIMIT_SIP_PHRASE_BYTES.
 *
 * @param out  LIMIT_SIP_PHRASE_BYTES + 1 bytes, NUL-terminated, not touched
 *             when nothing is left
 * @return something is left
 */
bool phrase_clean(struct span in, char *out);

#endif
