/*
 * What fedctl and a daemon say to each other on the admin socket: messages of
 * admin.proto, each behind a 4-byte big-endian length.
 */
#ifndef FED_CHAN_ADMIN_CODEC_H
#define FED_CHAN_ADMIN_CODEC_H

#include "admin.pb-c.h"
#include "base/arena.h"
#include "base/buf.h"

enum { ADMIN_PREFIX_BYTES = 4 }; /* the length in front of every message */

/**
 * Append a request.
 *
 * @return 0; FED_ELIMIT over LIMIT_ADMIN_REQUEST_BYTES or the buffer's
 *         maximum; FED_ENOMEM
 */
int admin_codec_put_request(struct buf *out,
			    const Fed__AdminRequest *r) FED_NODISCARD;

/** As admin_codec_put_request(), with LIMIT_ADMIN_RESPONSE_BYTES. */
int admin_codec_put_response(struct buf *out,
			     const Fed__AdminResponse *r) FED_NODISCARD;

/** How long the message at the front of `in` is, without the length itself;
 * nothing of it need be there.  @return 0; FED_EAGAIN more bytes needed */
int admin_codec_peek(struct span in, size_t *n_out) FED_NODISCARD;

/**
 * Take one whole request off the front of `in`.
 *
 * @param a         reset and used for it, which lives until the next reset;
 *                  bounded, so hostile counts cannot grow it
 * @param used_out  bytes to consume from `in`
 * @return 0; FED_EAGAIN more bytes needed; FED_ELIMIT length over
 *         LIMIT_ADMIN_REQUEST_BYTES; FED_EPROTO not a request, strings that
 *         are not UTF-8, or its objects pass the arena's maximum; FED_ENOMEM
 */
int admin_codec_take_request(struct span in, struct arena *a,
			     Fed__AdminRequest **r_out,
			     size_t *used_out) FED_NODISCARD;

/** As admin_codec_take_request(), with LIMIT_ADMIN_RESPONSE_BYTES. */
int admin_codec_take_response(struct span in, struct arena *a,
			      Fed__AdminResponse **r_out,
			      size_t *used_out) FED_NODISCARD;

/** The same without a length in front, as it crosses the channel in an
 * AdminRelay.  @return as admin_codec_take_request(), never FED_EAGAIN */
int admin_codec_unpack_request(struct span in, struct arena *a,
			       Fed__AdminRequest **r_out) FED_NODISCARD;

/** As admin_codec_unpack_request(). */
int admin_codec_unpack_response(struct span in, struct arena *a,
				Fed__AdminResponse **r_out) FED_NODISCARD;

/** The request changes something: it is for the log. */
bool admin_request_changes(const Fed__AdminRequest *r);

/** What is asked for, in a word: "show-streams", "presence-repair". */
const char *admin_request_name(const Fed__AdminRequest *r);

/** What it is about, a user or a level; "": nothing. */
const char *admin_request_target(const Fed__AdminRequest *r);

#endif
