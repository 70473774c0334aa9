/*
 * Frames on the wire: 4-byte big-endian length and a protobuf Frame.
 */
#ifndef FED_CHAN_CHAN_CODEC_H
#define FED_CHAN_CHAN_CODEC_H

#include "base/arena.h"
#include "base/buf.h"
#include "channel.pb-c.h"

enum { CHAN_PREFIX_BYTES = 4 }; /* the length in front of every frame */

/** Bytes of the frame on the wire, prefix included. */
size_t chan_codec_size(const Fed__Frame *frame);

/** Write the frame; out has chan_codec_size() bytes, at most
 * LIMIT_FRAME_BYTES + CHAN_PREFIX_BYTES. */
void chan_codec_write(const Fed__Frame *frame, size_t size, uint8_t *out);

/** Length that the prefix announces, prefix not counted; SIZE_MAX when `in`
 * has no whole prefix yet. */
size_t chan_codec_peek(struct span in);

/**
 * Append one frame.
 *
 * @return 0; FED_ELIMIT over LIMIT_FRAME_BYTES or the buffer's maximum;
 *         FED_ENOMEM
 */
int chan_codec_put(struct buf *out, const Fed__Frame *frame) FED_NODISCARD;

/**
 * Take one whole frame off the front of `in`.
 *
 * @param a         reset and used for the frame, which lives until its next
 *                  reset; bounded, so hostile counts cannot grow it
 * @param used_out  bytes to consume from `in`
 * @return 0; FED_EAGAIN more bytes needed; FED_ELIMIT length over the limit;
 *         FED_EPROTO not a frame, or its objects pass the arena's maximum;
 *         FED_ENOMEM
 */
int chan_codec_take(struct span in, struct arena *a, Fed__Frame **frame_out,
		    size_t *used_out) FED_NODISCARD;

#endif
