/*
 * Initiating entity under any sequence of events.  The first byte picks the
 * rule, then lines: "B<text>" bytes (up to the next 0x01), "T" TLS is up with
 * a good certificate, "t" with none, and one letter for each other event.
 */
#include <string.h>

#include "base/limits.h"
#include "edge-proxy/core/s2s_out.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const domains[] = {"home.example"};

static void check_action(const struct s2s_action *a, bool *is_closed)
{
	FED_REQUIRE(!*is_closed); /* CLOSE is the last one */
	*is_closed = a->kind == S2S_ACT_CLOSE;
	if (a->kind == S2S_ACT_WRITE)
		FED_REQUIRE(a->u.bytes.p != NULL && a->u.bytes.n > 0);
}

static void drain(struct s2s_out *core, bool *is_closed)
{
	struct s2s_action a;

	while (s2s_out_next_action(core, &a))
		check_action(&a, is_closed);
}

/* One event off the input; false at its end. */
static bool next_event(const uint8_t **p, const uint8_t *end,
		       struct tls_facts *tls, struct s2s_event *ev)
{
	const uint8_t *stop;
	uint8_t c;

	if (*p == end)
		return false;
	c = *(*p)++;
	stop = memchr(*p, 1, (size_t)(end - *p));
	stop = stop == NULL ? end : stop;
	if ((size_t)(stop - *p) > LIMIT_READ_BYTES)
		stop = *p + LIMIT_READ_BYTES;
	memset(ev, 0, sizeof(*ev));
	switch (c) {
	case 'T':
	case 't':
		tls->has_peer_cert = c == 'T';
		ev->kind = S2S_EV_TLS_UP;
		ev->u.tls = tls;
		break;
	case 'V':
	case 'v':
		ev->kind = S2S_EV_VERIFIED;
		ev->u.verified.pair =
			(struct s2s_pair){"home.example", "peer.example"};
		ev->u.verified.result =
			c == 'V' ? S2S_VERIFY_VALID : S2S_VERIFY_INVALID;
		break;
	case 'E':
		ev->kind = S2S_EV_EOF;
		break;
	case 'S':
		ev->kind = S2S_EV_SHUTDOWN;
		break;
	case 'I':
		ev->kind = S2S_EV_IDLE_CLOSE;
		break;
	case 'M':
		ev->kind = S2S_EV_TIMER;
		break;
	case 'O':
		ev->kind = S2S_EV_TOO_SLOW;
		break;
	default:
		ev->kind = S2S_EV_BYTES;
		ev->u.bytes = span_of(*p, (size_t)(stop - *p));
		*p = stop == end ? end : stop + 1;
		return ev->u.bytes.n > 0 || next_event(p, end, tls, ev);
	}
	return true;
}

static void play(struct s2s_out *core, const uint8_t *p, const uint8_t *end)
{
	struct tls_facts tls = {.is_chain_valid = false};
	struct s2s_event ev;
	bool is_closed = false;
	uint64_t now_ms = 1;

	drain(core, &is_closed);
	while (next_event(&p, end, &tls, &ev)) {
		now_ms += ev.kind == S2S_EV_TIMER ? 10000 : 1;
		if (s2s_out_on_event(core, &ev, now_ms) == FED_ESTATE &&
		    ev.kind != S2S_EV_BYTES && ev.kind != S2S_EV_VERIFIED)
			FED_REQUIRE(false);
		drain(core, &is_closed);
		FED_REQUIRE(is_closed ==
			    (s2s_out_deadline_ms(core) == UINT64_MAX));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t flags = size > 0 ? data[0] : 0;
	struct policy_partner rule = {"*", (enum policy_need)((flags >> 1) % 3),
				      (enum policy_need)((flags >> 3) % 3),
				      (enum policy_need)((flags >> 5) % 3)};
	struct policy policy = {
		domains, 1, &rule, 1, SPAN_LIT("0123456789abcdef"), 10000};
	struct id_source ids = {.counter = 0};
	struct metrics metrics = {.value = {0}};
	struct s2s_env env = {.policy = &policy,
			      .ids = &ids,
			      .metrics = &metrics,
			      .label = "fuzz"};
	struct s2s_out *core = NULL;
	const struct s2s_out_params params = {
		.mode = (flags & 1) != 0 ? S2S_OUT_VERIFY : S2S_OUT_ROUTE,
		.pair = {"home.example", "peer.example"},
		.stream_id = "i",
		.key = "k",
		.has_certificate = true,
	};

	if (size == 0 || s2s_out_new(&core, &env, &params, 0) != 0)
		return 0;
	play(core, data + 1, data + size);
	s2s_out_free(core);
	return 0;
}
