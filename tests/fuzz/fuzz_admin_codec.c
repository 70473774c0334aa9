/* Any bytes as requests of the admin socket: what is taken packs and is taken
 * again, and has a name. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/limits.h"
#include "chan/admin_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void again(const Fed__AdminRequest *first, struct arena *a)
{
	Fed__AdminRequest *second;
	struct buf b;
	size_t used;

	buf_init(&b, 2 * LIMIT_ADMIN_REQUEST_BYTES);
	/* an unknown field of number 0 is kept by protobuf-c, which cannot
	 * read it again: then there is nothing to compare */
	if (admin_codec_put_request(&b, first) == 0 &&
	    admin_codec_take_request(buf_span(&b), a, &second, &used) == 0) {
		FED_REQUIRE(used == buf_len(&b));
		FED_REQUIRE(second->kind_case == first->kind_case &&
			    second->id == first->id);
		FED_REQUIRE(strcmp(second->edge, first->edge) == 0);
		FED_REQUIRE(strcmp(admin_request_target(second),
				   admin_request_target(first)) == 0);
	}
	buf_deinit(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);
	struct arena a, b;
	Fed__AdminRequest *r;
	Fed__AdminResponse *response;
	size_t used;

	arena_init(&a, LIMIT_ADMIN_ARENA_BYTES);
	arena_init(&b, LIMIT_ADMIN_ARENA_BYTES);
	/* what fedctl would make of it */
	(void)admin_codec_take_response(in, &a, &response, &used);
	while (admin_codec_take_request(in, &a, &r, &used) == 0) {
		FED_REQUIRE(used <= in.n && used >= ADMIN_PREFIX_BYTES);
		FED_REQUIRE(a.used_bytes <= LIMIT_ADMIN_ARENA_BYTES);
		FED_REQUIRE(admin_request_name(r)[0] != '\0');
		(void)admin_request_changes(r);
		again(r, &b);
		in = span_sub(in, used, SIZE_MAX);
	}
	arena_deinit(&a);
	arena_deinit(&b);
	return 0;
}
