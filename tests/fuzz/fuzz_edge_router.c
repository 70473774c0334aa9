/* Any order of calls on the edge's router: bounds hold, and every stanza that
 * was taken has exactly one outcome. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "edge-proxy/core/router.h"

static const char *const domains[] = {"a.example", "b.example", "c.example",
				      "d.example"};

struct rig {
	struct edge_router *r;
	uint64_t now;
	uint64_t streams[8]; /* last CONNECTs */
	uint64_t offset[8];
	size_t taken;
	size_t told;
};

static size_t slot_of(const struct rig *t, uint64_t stream)
{
	(void)t;
	return (size_t)(stream % 8);
}

static void drain(struct rig *t)
{
	struct edge_router_action a;

	while (edge_router_next_action(t->r, &a, t->now)) {
		size_t i = slot_of(t, a.stream);

		if (a.kind == EDGE_ROUTER_OUTCOME) {
			t->told++;
		} else if (a.kind == EDGE_ROUTER_CONNECT) {
			t->streams[i] = a.stream;
			t->offset[i] = 0;
		} else if (a.kind == EDGE_ROUTER_WRITE) {
			t->offset[i] += a.u.bytes.n;
			edge_router_wrote(t->r, a.stream, t->offset[i], t->now);
		}
	}
}

static void send_one(struct rig *t, uint8_t arg)
{
	static const char xml[64] = "<message/>";
	const struct edge_router_stanza s = {
		.pair = {"sip.example", domains[arg % 4]},
		.origin = {1, arg},
		.xml = span_of(xml, arg % sizeof(xml)),
		.tag = SPAN_NULL};
	struct edge_router_refusal no;

	if (edge_router_send(t->r, &s, t->now, &no) == 0)
		t->taken++;
}

/* The peer's own stream (XEP-0288). */
static void adopt(struct rig *t, uint8_t arg)
{
	const struct s2s_pair pair = {"sip.example", domains[arg % 4]};
	uint64_t stream = edge_router_adopt(t->r, &pair, arg >> 2, t->now);

	if (stream == 0)
		return;
	t->streams[slot_of(t, stream)] = stream;
	t->offset[slot_of(t, stream)] = 0;
}

static void step(struct rig *t, uint8_t op, uint8_t arg)
{
	const struct s2s_reason why = {.kind = (enum s2s_reason_kind)(arg % 13),
				       .text = "why"};
	const struct s2s_limits limits = {arg, arg * UINT64_C(1000)};
	size_t i = arg % 8;

	switch (op % 8) {
	case 0:
		edge_router_opened(t->r, t->streams[i], &limits, t->now);
		break;
	case 1:
		edge_router_ended(t->r, t->streams[i], &why, t->now);
		break;
	case 2:
		edge_router_flushed(t->r, t->streams[i],
				    t->offset[i] - (arg >> 3) % 4, t->now);
		break;
	case 3:
		edge_router_set_congested(t->r, t->streams[i], arg > 127);
		edge_router_heard(t->r, t->streams[i], t->now);
		break;
	case 4:
		t->now += (uint64_t)arg * arg * arg;
		edge_router_on_timer(t->r, t->now);
		break;
	case 5:
		adopt(t, arg);
		break;
	default:
		send_one(t, arg);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct id_source ids = {0};
	const struct edge_router_env env = {.ids = &ids};
	struct rig t = {.now = 1000};

	if (edge_router_new(&t.r, &env) != 0)
		return 0;
	for (size_t i = 0; i + 1 < size; i += 2) {
		step(&t, data[i], data[i + 1]);
		drain(&t);
		FED_REQUIRE(t.taken == t.told + edge_router_stanzas(t.r));
		FED_REQUIRE(edge_router_pairs(t.r) <= 4);
	}
	edge_router_free(t.r);
	return 0;
}
