/* Frames on the wire: 4-byte big-endian length and a protobuf Frame. */
#include "chan/chan_codec.h"

#include "base/limits.h"
#include "chan/proto_arena.h"

size_t chan_codec_size(const Fed__Frame *frame)
{
	return CHAN_PREFIX_BYTES + fed__frame__get_packed_size(frame);
}

void chan_codec_write(const Fed__Frame *frame, size_t size, uint8_t *out)
{
	size_t n = size - CHAN_PREFIX_BYTES;

	out[0] = (uint8_t)(n >> 24);
	out[1] = (uint8_t)(n >> 16);
	out[2] = (uint8_t)(n >> 8);
	out[3] = (uint8_t)n;
	(void)fed__frame__pack(frame, out + CHAN_PREFIX_BYTES);
}

int chan_codec_put(struct buf *out, const Fed__Frame *frame)
{
	size_t size = chan_codec_size(frame);
	char *room;

	if (size - CHAN_PREFIX_BYTES > LIMIT_FRAME_BYTES)
		return FED_ELIMIT;
	if (size > out->max - buf_len(out))
		return FED_ELIMIT;
	room = buf_reserve(out, size);
	if (room == NULL)
		return FED_ENOMEM;
	chan_codec_write(frame, size, (uint8_t *)room);
	buf_commit(out, size);
	return 0;
}

size_t chan_codec_peek(struct span in)
{
	const uint8_t *b = (const uint8_t *)in.p;

	if (in.n < CHAN_PREFIX_BYTES)
		return SIZE_MAX;
	return (size_t)b[0] << 24 | (size_t)b[1] << 16 | (size_t)b[2] << 8 |
	       (size_t)b[3];
}

int chan_codec_take(struct span in, struct arena *a, Fed__Frame **frame_out,
		    size_t *used_out)
{
	struct proto_arena m;
	size_t n = chan_codec_peek(in);

	*frame_out = NULL;
	*used_out = 0;
	if (n == SIZE_MAX)
		return FED_EAGAIN;
	if (n > LIMIT_FRAME_BYTES)
		return FED_ELIMIT;
	if (in.n - CHAN_PREFIX_BYTES < n)
		return FED_EAGAIN;
	arena_reset(a);
	proto_arena_init(&m, a);
	*frame_out = fed__frame__unpack(
		&m.allocator, n, (const uint8_t *)in.p + CHAN_PREFIX_BYTES);
	if (*frame_out == NULL)
		return proto_arena_problem(&m);
	*used_out = CHAN_PREFIX_BYTES + n;
	return 0;
}
