/* Messages of the admin socket: framing, bounds, names. */

/* clang-format off: cmocka wants this order */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */
#include <string.h>

#include "base/limits.h"
#include "chan/admin_codec.h"

struct sample {
	Fed__AdminRequest request;
	Fed__AdminPresence presence;
	struct arena arena;
	struct buf bytes;
};

static char user[] = "juliet@xmpp.example";

static void make(struct sample *s)
{
	fed__admin_request__init(&s->request);
	fed__admin_presence__init(&s->presence);
	s->request.id = 5;
	s->request.kind_case = FED__ADMIN_REQUEST__KIND_PRESENCE;
	s->request.presence = &s->presence;
	s->presence.target = user;
	s->presence.what = FED__ADMIN_PRESENCE__WHAT__DIFF;
	arena_init(&s->arena, LIMIT_ADMIN_REQUEST_ARENA_BYTES);
	buf_init(&s->bytes, LIMIT_ADMIN_REQUEST_BYTES + 1024);
}

static void drop(struct sample *s)
{
	arena_deinit(&s->arena);
	buf_deinit(&s->bytes);
}

/* Two messages, seen with every number of their bytes. */
static void test_every_split(void **state)
{
	Fed__AdminRequest *r;
	struct sample s;
	struct span all;
	size_t used;
	size_t one;

	(void)state;
	make(&s);
	assert_int_equal(0, admin_codec_put_request(&s.bytes, &s.request));
	one = buf_len(&s.bytes);
	assert_int_equal(0, admin_codec_put_request(&s.bytes, &s.request));
	all = buf_span(&s.bytes);
	for (size_t n = 0; n <= all.n; n++) {
		int err = admin_codec_take_request(span_sub(all, 0, n),
						   &s.arena, &r, &used);

		assert_int_equal(n < one ? FED_EAGAIN : 0, err);
		assert_int_equal(n < one ? 0 : one, used);
		if (err != 0)
			continue;
		assert_int_equal(5, r->id);
		assert_string_equal(user, r->presence->target);
	}
	drop(&s);
}

static void test_request_bounds(void **state)
{
	static char edge[LIMIT_ADMIN_REQUEST_BYTES + 1];
	Fed__AdminRequest *r;
	struct sample s;
	struct span all;
	size_t used;

	(void)state;
	make(&s);
	memset(edge, 'x', sizeof(edge) - 1);
	s.request.edge = edge;
	assert_int_equal(FED_ELIMIT,
			 admin_codec_put_request(&s.bytes, &s.request));
	assert_int_equal(0, buf_len(&s.bytes));
	/* exactly the limit */
	for (size_t n = sizeof(edge) - 2;
	     fed__admin_request__get_packed_size(&s.request) >
	     LIMIT_ADMIN_REQUEST_BYTES;
	     n--)
		edge[n] = '\0';
	assert_int_equal(LIMIT_ADMIN_REQUEST_BYTES,
			 fed__admin_request__get_packed_size(&s.request));
	assert_int_equal(0, admin_codec_put_request(&s.bytes, &s.request));
	all = buf_span(&s.bytes);
	assert_int_equal(0, admin_codec_take_request(all, &s.arena, &r, &used));
	assert_int_equal(all.n, used);
	/* the length is known as soon as it is there */
	assert_int_equal(0, admin_codec_peek(span_sub(all, 0, 4), &used));
	assert_int_equal(LIMIT_ADMIN_REQUEST_BYTES, used);
	assert_int_equal(FED_EAGAIN,
			 admin_codec_peek(span_sub(all, 0, 3), &used));
	/* one more is refused before it is there */
	s.bytes.data[s.bytes.start + 3]++;
	assert_int_equal(FED_ELIMIT,
			 admin_codec_take_request(span_sub(all, 0, 4), &s.arena,
						  &r, &used));
	drop(&s);
}

static void test_not_a_message(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		int err;
	} rows[] = {
		{"", 0, FED_EAGAIN},
		{"\0\0\0\0", 4, 0}, /* a request for nothing */
		{"\0\0\0\x01\x00", 5, FED_EPROTO},
		{"\0\0\0\x03\x12\x01\xff", 7, FED_EPROTO}, /* not UTF-8 */
		{"\0\0\0\x03\x12\x01\x00", 7, 0},	   /* a NUL ends it */
		{"\0\0\0\x04\x1a\x02\x08\x63", 8,
		 FED_EPROTO},			       /* no such what */
		{"\0\0\0\x02\x12\x05", 6, FED_EPROTO}, /* cut short */
		{"\x7f\xff\xff\xff", 4, FED_ELIMIT},
	};
	struct arena a;

	(void)state;
	arena_init(&a, LIMIT_ADMIN_ARENA_BYTES);
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		Fed__AdminRequest *r;
		size_t used;
		int err = admin_codec_take_request(
			span_of(rows[i].bytes, rows[i].n), &a, &r, &used);

		if (err != rows[i].err)
			fail_msg("row %zu: %s", i, fed_strerror(err));
		assert_int_equal(err == 0 ? rows[i].n : 0, used);
		assert_true((err == 0) == (r != NULL));
	}
	arena_deinit(&a);
}

/* Objects that take more memory than their bytes do. */
static void test_arena_bound(void **state)
{
	Fed__AdminResponse *r;
	struct buf b;
	struct arena a;
	size_t used;

	(void)state;
	arena_init(&a, 64 * 1024);
	buf_init(&b, LIMIT_ADMIN_RESPONSE_BYTES + ADMIN_PREFIX_BYTES);
	assert_int_equal(0, buf_put(&b, "\0\0\x40\0", 4));
	for (unsigned i = 0; i < 0x4000 / 2; i++)
		assert_int_equal(0, buf_put(&b, "\x42\0", 2)); /* a counter */
	assert_int_equal(FED_EPROTO, admin_codec_take_response(buf_span(&b), &a,
							       &r, &used));
	arena_deinit(&a);
	buf_deinit(&b);
}

static void test_response(void **state)
{
	Fed__AdminResponse out;
	Fed__AdminResponse *in;
	struct sample s;
	struct span body;
	size_t used;

	(void)state;
	make(&s);
	fed__admin_response__init(&out);
	out.id = 9;
	out.last = true;
	out.error = user;
	assert_int_equal(0, admin_codec_put_response(&s.bytes, &out));
	assert_int_equal(0, admin_codec_take_response(buf_span(&s.bytes),
						      &s.arena, &in, &used));
	assert_int_equal(9, in->id);
	assert_true(in->last);
	assert_string_equal(user, in->error);
	/* as the channel carries it */
	body = span_sub(buf_span(&s.bytes), ADMIN_PREFIX_BYTES, SIZE_MAX);
	assert_int_equal(0, admin_codec_unpack_response(body, &s.arena, &in));
	assert_int_equal(9, in->id);
	drop(&s);
}

static void test_names(void **state)
{
	struct sample s;

	(void)state;
	make(&s);
	assert_string_equal("presence-diff", admin_request_name(&s.request));
	assert_string_equal(user, admin_request_target(&s.request));
	assert_false(admin_request_changes(&s.request));
	s.presence.what = FED__ADMIN_PRESENCE__WHAT__REPAIR;
	assert_string_equal("presence-repair", admin_request_name(&s.request));
	assert_true(admin_request_changes(&s.request));
	/* the words of its commands; each kind has some */
	s.request.kind_case = FED__ADMIN_REQUEST__KIND_RELOAD;
	assert_string_equal("reload", admin_request_name(&s.request));
	s.request.kind_case = FED__ADMIN_REQUEST__KIND_FEDERATION_STATUS;
	assert_string_equal("federation-status",
			    admin_request_name(&s.request));
	for (unsigned i = 0; i < fed__admin_request__descriptor.n_fields; i++) {
		s.request.kind_case =
			(Fed__AdminRequest__KindCase)
				fed__admin_request__descriptor.fields[i]
					.id;
		if (s.request.kind_case <= FED__ADMIN_REQUEST__KIND_SHOW)
			continue;
		assert_string_not_equal("nothing",
					admin_request_name(&s.request));
	}
	s.request.kind_case = FED__ADMIN_REQUEST__KIND__NOT_SET;
	assert_string_equal("nothing", admin_request_name(&s.request));
	assert_string_equal("", admin_request_target(&s.request));
	assert_false(admin_request_changes(&s.request));
	drop(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_split),
		cmocka_unit_test(test_request_bounds),
		cmocka_unit_test(test_not_a_message),
		cmocka_unit_test(test_arena_bound),
		cmocka_unit_test(test_response),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
