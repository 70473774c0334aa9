/* Any bytes as frames: what is taken packs and is taken again. */
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "chan/chan_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);
	struct arena a, b;
	struct buf again;
	Fed__Frame *frame;
	Fed__Frame *second;
	size_t used;

	arena_init(&a, LIMIT_FRAME_ARENA_BYTES);
	arena_init(&b, LIMIT_FRAME_ARENA_BYTES);
	buf_init(&again, 2 * LIMIT_FRAME_BYTES);
	while (chan_codec_take(in, &a, &frame, &used) == 0) {
		FED_REQUIRE(used <= in.n && used >= CHAN_PREFIX_BYTES);
		FED_REQUIRE(a.used_bytes <= LIMIT_FRAME_ARENA_BYTES);
		buf_reset(&again);
		/* an unknown field of number 0 is kept by protobuf-c, which
		 * cannot read it again: then there is nothing to compare */
		if (chan_codec_put(&again, frame) == 0 &&
		    chan_codec_take(buf_span(&again), &b, &second, &used) == 0)
			FED_REQUIRE(second->kind_case == frame->kind_case &&
				    second->seq == frame->seq &&
				    second->ack == frame->ack);
		in = span_sub(in, CHAN_PREFIX_BYTES + chan_codec_peek(in),
			      in.n);
	}
	buf_deinit(&again);
	arena_deinit(&a);
	arena_deinit(&b);
	return 0;
}
