/* Messages of admin.proto on the wire, and what requests are called. */
#include "chan/admin_codec.h"

#include "base/limits.h"
#include "chan/chan_rules.h"
#include "chan/proto_arena.h"

/* ---- out ----------------------------------------------------------------- */

static int put(struct buf *out, const ProtobufCMessage *m, size_t max)
{
	size_t n = protobuf_c_message_get_packed_size(m);
	uint8_t *room;

	if (n > max || n + ADMIN_PREFIX_BYTES > out->max - buf_len(out))
		return FED_ELIMIT;
	room = (uint8_t *)buf_reserve(out, n + ADMIN_PREFIX_BYTES);
	if (room == NULL)
		return FED_ENOMEM;
	room[0] = (uint8_t)(n >> 24);
	room[1] = (uint8_t)(n >> 16);
	room[2] = (uint8_t)(n >> 8);
	room[3] = (uint8_t)n;
	(void)protobuf_c_message_pack(m, room + ADMIN_PREFIX_BYTES);
	buf_commit(out, n + ADMIN_PREFIX_BYTES);
	return 0;
}

int admin_codec_put_request(struct buf *out, const Fed__AdminRequest *r)
{
	return put(out, &r->base, LIMIT_ADMIN_REQUEST_BYTES);
}

int admin_codec_put_response(struct buf *out, const Fed__AdminResponse *r)
{
	return put(out, &r->base, LIMIT_ADMIN_RESPONSE_BYTES);
}

/* ---- in ------------------------------------------------------------------ */

static int unpack(struct span in, struct arena *a,
		  const ProtobufCMessageDescriptor *what,
		  ProtobufCMessage **m_out)
{
	struct proto_arena memory;

	arena_reset(a);
	proto_arena_init(&memory, a);
	*m_out = protobuf_c_message_unpack(what, &memory.allocator, in.n,
					   (const uint8_t *)in.p);
	if (*m_out == NULL)
		return proto_arena_problem(&memory);
	return chan_message_is_clean(*m_out) ? 0 : FED_EPROTO;
}

int admin_codec_peek(struct span in, size_t *n_out)
{
	const uint8_t *b = (const uint8_t *)in.p;

	*n_out = 0;
	if (in.n < ADMIN_PREFIX_BYTES)
		return FED_EAGAIN;
	*n_out = (size_t)b[0] << 24 | (size_t)b[1] << 16 | (size_t)b[2] << 8 |
		 (size_t)b[3];
	return 0;
}

/* The message behind a length that is there as a whole. */
static int cut(struct span in, size_t max, struct span *body_out)
{
	size_t n;
	int err = admin_codec_peek(in, &n);

	if (err != 0)
		return err;
	if (n > max)
		return FED_ELIMIT;
	if (in.n - ADMIN_PREFIX_BYTES < n)
		return FED_EAGAIN;
	*body_out = span_sub(in, ADMIN_PREFIX_BYTES, ADMIN_PREFIX_BYTES + n);
	return 0;
}

int admin_codec_unpack_request(struct span in, struct arena *a,
			       Fed__AdminRequest **r_out)
{
	ProtobufCMessage *m = NULL;
	int err = in.n > LIMIT_ADMIN_REQUEST_BYTES
			  ? FED_ELIMIT
			  : unpack(in, a, &fed__admin_request__descriptor, &m);

	*r_out = err == 0 ? (Fed__AdminRequest *)m : NULL;
	return err;
}

int admin_codec_unpack_response(struct span in, struct arena *a,
				Fed__AdminResponse **r_out)
{
	ProtobufCMessage *m = NULL;
	int err = in.n > LIMIT_ADMIN_RESPONSE_BYTES
			  ? FED_ELIMIT
			  : unpack(in, a, &fed__admin_response__descriptor, &m);

	*r_out = err == 0 ? (Fed__AdminResponse *)m : NULL;
	return err;
}

int admin_codec_take_request(struct span in, struct arena *a,
			     Fed__AdminRequest **r_out, size_t *used_out)
{
	struct span body = SPAN_NULL;
	int err = cut(in, LIMIT_ADMIN_REQUEST_BYTES, &body);

	*r_out = NULL;
	*used_out = 0;
	if (err == 0)
		err = admin_codec_unpack_request(body, a, r_out);
	if (err == 0)
		*used_out = ADMIN_PREFIX_BYTES + body.n;
	return err;
}

int admin_codec_take_response(struct span in, struct arena *a,
			      Fed__AdminResponse **r_out, size_t *used_out)
{
	struct span body = SPAN_NULL;
	int err = cut(in, LIMIT_ADMIN_RESPONSE_BYTES, &body);

	*r_out = NULL;
	*used_out = 0;
	if (err == 0)
		err = admin_codec_unpack_response(body, a, r_out);
	if (err == 0)
		*used_out = ADMIN_PREFIX_BYTES + body.n;
	return err;
}

/* ---- names --------------------------------------------------------------- */

bool admin_request_changes(const Fed__AdminRequest *r)
{
	switch (r->kind_case) {
	case FED__ADMIN_REQUEST__KIND_CLOSE_STREAM:
	case FED__ADMIN_REQUEST__KIND_LOG_LEVEL:
	case FED__ADMIN_REQUEST__KIND_RELOAD:
	case FED__ADMIN_REQUEST__KIND_TEST:
		return true;
	case FED__ADMIN_REQUEST__KIND_PRESENCE:
		return r->presence->what == FED__ADMIN_PRESENCE__WHAT__REPAIR;
	case FED__ADMIN_REQUEST__KIND_FEDERATION_APPLY:
		return !r->federation_apply->dry_run;
	case FED__ADMIN_REQUEST__KIND_MIGRATE:
		return r->migrate->what == FED__ADMIN_MIGRATE__WHAT__ENABLE ||
		       r->migrate->what == FED__ADMIN_MIGRATE__WHAT__ROLLBACK;
	case FED__ADMIN_REQUEST__KIND_SHOW:
	case FED__ADMIN_REQUEST__KIND_FEDERATION_GET:
	case FED__ADMIN_REQUEST__KIND_FEDERATION_HISTORY:
	case FED__ADMIN_REQUEST__KIND_FEDERATION_STATUS:
	case FED__ADMIN_REQUEST__KIND_EXPLAIN:
	case FED__ADMIN_REQUEST__KIND_MAP:
	case FED__ADMIN_REQUEST__KIND_WHY:
	case FED__ADMIN_REQUEST__KIND_CHECK:
	case FED__ADMIN_REQUEST__KIND__NOT_SET:
	case _FED__ADMIN_REQUEST__KIND__CASE_IS_INT_SIZE:
		break;
	}
	return false;
}

const char *admin_request_name(const Fed__AdminRequest *r)
{
	static const char *const shows[] = {"show-version", "show-streams",
					    "show-queues", "show-channels",
					    "show-counters"};
	static const char *const presences[] = {
		"presence-show", "presence-diff", "presence-repair"};
	static const char *const kinds[] = {
		[FED__ADMIN_REQUEST__KIND_CLOSE_STREAM] = "close-stream",
		[FED__ADMIN_REQUEST__KIND_LOG_LEVEL] = "log-level",
		[FED__ADMIN_REQUEST__KIND_RELOAD] = "reload",
		[FED__ADMIN_REQUEST__KIND_FEDERATION_GET] = "federation-get",
		[FED__ADMIN_REQUEST__KIND_FEDERATION_APPLY] =
			"federation-apply",
		[FED__ADMIN_REQUEST__KIND_FEDERATION_HISTORY] =
			"federation-history",
		[FED__ADMIN_REQUEST__KIND_FEDERATION_STATUS] =
			"federation-status",
		[FED__ADMIN_REQUEST__KIND_EXPLAIN] = "explain",
		[FED__ADMIN_REQUEST__KIND_MAP] = "map",
		[FED__ADMIN_REQUEST__KIND_WHY] = "why",
		[FED__ADMIN_REQUEST__KIND_CHECK] = "check",
		[FED__ADMIN_REQUEST__KIND_TEST] = "test",
		[FED__ADMIN_REQUEST__KIND_MIGRATE] = "migrate",
	};
	size_t i;

	if (r->kind_case == FED__ADMIN_REQUEST__KIND_SHOW) {
		i = (size_t)r->show->what;
		return i < FED_ARRAY_LEN(shows) ? shows[i] : "show";
	}
	if (r->kind_case == FED__ADMIN_REQUEST__KIND_PRESENCE) {
		i = (size_t)r->presence->what;
		return i < FED_ARRAY_LEN(presences) ? presences[i] : "presence";
	}
	i = (size_t)r->kind_case;
	return i < FED_ARRAY_LEN(kinds) && kinds[i] != NULL ? kinds[i]
							    : "nothing";
}

const char *admin_request_target(const Fed__AdminRequest *r)
{
	if (r->kind_case == FED__ADMIN_REQUEST__KIND_PRESENCE)
		return r->presence->target;
	if (r->kind_case == FED__ADMIN_REQUEST__KIND_LOG_LEVEL)
		return r->log_level->level;
	if (r->kind_case == FED__ADMIN_REQUEST__KIND_TEST)
		return r->test->to;
	return "";
}
