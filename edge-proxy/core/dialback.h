/*
 * Dialback keys (XEP-0185) as XEP-0220 uses them.
 */
#ifndef FED_EDGE_DIALBACK_H
#define FED_EDGE_DIALBACK_H

#include "base/digest.h"

/* A key as text; longer keys of others are refused unread. */
enum { DIALBACK_KEY_BYTES = SHA256_HEX_BYTES, DIALBACK_KEY_MAX = 1024 };

/**
 * hex(HMAC-SHA256(hex(SHA256(secret)), receiving ' ' originating ' ' id)).
 *
 * @param receiving    target domain, which asks for the proof
 * @param originating  sender domain, which owns the secret
 * @param id           stream id that the receiving server gave
 * @param key_out      DIALBACK_KEY_BYTES + 1 bytes, NUL-terminated
 * @return 0; FED_EINVAL, FED_ENOMEM
 */
int dialback_key(struct span secret, const char *receiving,
		 const char *originating, const char *id,
		 char key_out[DIALBACK_KEY_BYTES + 1]) FED_NODISCARD;

/** The key is ours for that id; in constant time. */
bool dialback_key_matches(struct span secret, const char *receiving,
			  const char *originating, const char *id,
			  struct span key);

#endif
