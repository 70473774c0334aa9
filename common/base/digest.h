/*
 * Hashes, encodings, constant-time comparison, and unpredictable ids that a
 * pure core may make because its seed is handed in.
 */
#ifndef FED_BASE_DIGEST_H
#define FED_BASE_DIGEST_H

#include "base/buf.h"

enum { SHA256_BYTES = 32, SHA256_HEX_BYTES = 64 };

/** SHA-256 of in. @return 0; FED_EINVAL the library refused */
int digest_sha256(struct span in, uint8_t out[SHA256_BYTES]) FED_NODISCARD;

/** HMAC-SHA-256. @return 0; FED_EINVAL the library refused */
int digest_hmac_sha256(struct span key, struct span in,
		       uint8_t out[SHA256_BYTES]) FED_NODISCARD;

/** Lower-case hex of n bytes; out has 2n + 1 bytes, NUL-terminated. */
void digest_hex(const uint8_t *in, size_t n, char *out);

/** Equal, in time that depends on the lengths only. */
bool digest_equal(struct span a, struct span b);

/** Append the base64 of in. @return 0; as buf_put() */
int digest_base64_encode(struct span in, struct buf *out) FED_NODISCARD;

/** Append the decoded bytes. @return 0; FED_EINVAL not base64; as buf_put() */
int digest_base64_decode(struct span in, struct buf *out) FED_NODISCARD;

/* Unpredictable ids without randomness of its own: a counter, encrypted as one
 * block of AES-256 under a key that the shell drew from the system.  A block
 * cipher under a secret key cannot be told from a random permutation, so an id
 * never repeats and says nothing about the next one; each stanza needs one,
 * and an HMAC costs thirty-five times as much. */
struct id_source {
	uint8_t key[SHA256_BYTES];
	uint64_t counter;
};

enum { ID_TEXT_BYTES = 32, ID_RAW_BYTES = 16 };

/** Next id as 16 raw bytes (128 unpredictable bits). */
void id_source_next_raw(struct id_source *s, uint8_t out[ID_RAW_BYTES]);

/** Next id as 32 hex digits and a NUL. */
void id_source_next(struct id_source *s, char out[ID_TEXT_BYTES + 1]);

#endif
