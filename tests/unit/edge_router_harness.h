/* What the tests of the edge's router share: a rig, and its actions written
 * down as text. */
#ifndef FED_TEST_EDGE_ROUTER_HARNESS_H
#define FED_TEST_EDGE_ROUTER_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edge-proxy/core/router.h"

struct rig {
	struct edge_router *r;
	struct id_source ids;
	struct metrics metrics;
	uint64_t now;
	char trace[4096]; /* actions as text */
	bool shows_lost;  /* there too */
	uint64_t stream;  /* of the last CONNECT */
	uint64_t offset;  /* of the stream, advanced by WRITE */
	size_t outcomes, delivered, refused, lost;
	Fed__Condition last_refused;
	Fed__ErrorDetail last_detail;
	char last_text[128];
};

static const struct s2s_pair pair_ab = {"sip.example", "xmpp.example"};

static inline int setup(void **state)
{
	struct rig *t = calloc(1, sizeof(*t));
	struct edge_router_env env = {0};

	memset(t->ids.key, 7, sizeof(t->ids.key));
	t->now = 1000000;
	env.ids = &t->ids;
	env.metrics = &t->metrics;
	assert_int_equal(edge_router_new(&t->r, &env), 0);
	*state = t;
	return 0;
}

static inline int teardown(void **state)
{
	struct rig *t = *state;

	edge_router_free(t->r);
	free(t);
	return 0;
}

static inline void note(struct rig *t, const char *what, const char *arg)
{
	size_t n = strlen(t->trace);

	(void)snprintf(t->trace + n, sizeof(t->trace) - n, "%s%s ", what, arg);
}

static inline void on_outcome(struct rig *t, const struct edge_router_action *a)
{
	char ref[32];

	t->outcomes++;
	if (a->u.outcome.refused == FED__CONDITION__NO_CONDITION)
		t->delivered++;
	else
		t->refused++;
	t->last_refused = a->u.outcome.refused;
	t->last_detail = a->u.outcome.detail;
	(void)snprintf(t->last_text, sizeof(t->last_text), "%s",
		       a->u.outcome.text);
	(void)snprintf(ref, sizeof(ref), "%llu",
		       (unsigned long long)a->u.outcome.origin.ref);
	note(t, a->u.outcome.refused == 0 ? "ok" : "no", ref);
}

static inline void on_write(struct rig *t, const struct edge_router_action *a)
{
	char text[32] = {0};

	memcpy(text, a->u.bytes.p, a->u.bytes.n < 31 ? a->u.bytes.n : 31);
	note(t, "w:", text);
	t->offset += a->u.bytes.n;
}

/* Drain; WRITEs are reported as written, not as flushed. */
static inline void drain(struct rig *t)
{
	struct edge_router_action a;

	t->trace[0] = '\0';
	while (edge_router_next_action(t->r, &a, t->now)) {
		switch (a.kind) {
		case EDGE_ROUTER_CONNECT:
			note(t, "connect:", a.u.pair.remote);
			t->stream = a.stream;
			t->offset = 0;
			break;
		case EDGE_ROUTER_WRITE:
			on_write(t, &a);
			edge_router_wrote(t->r, a.stream, t->offset, t->now);
			break;
		case EDGE_ROUTER_CLOSE:
			note(t, "close",
			     a.u.why == EDGE_ROUTER_IDLE      ? ":idle"
			     : a.u.why == EDGE_ROUTER_STALLED ? ":stalled"
							      : ":late");
			break;
		case EDGE_ROUTER_OUTCOME:
			on_outcome(t, &a);
			break;
		case EDGE_ROUTER_LOST:
			assert_string_equal(a.u.pair.remote, "xmpp.example");
			t->lost++;
			if (t->shows_lost)
				note(t, "lost", "");
			break;
		}
	}
}

static inline int send_xml(struct rig *t, const struct s2s_pair *pair,
			   uint64_t ref, struct span xml,
			   struct edge_router_refusal *no)
{
	struct edge_router_stanza s = {.pair = *pair,
				       .origin = {1, ref},
				       .xml = xml,
				       .tag = SPAN_LIT("tag")};

	return edge_router_send(t->r, &s, t->now, no);
}

static inline int send_text(struct rig *t, uint64_t ref, const char *xml)
{
	struct edge_router_refusal no = {0};
	int err = send_xml(t, &pair_ab, ref, span_str(xml), &no);

	t->last_refused = no.condition;
	return err;
}

static inline void expect(struct rig *t, const char *trace)
{
	drain(t);
	assert_string_equal(t->trace, trace);
}

static inline void end_with(struct rig *t, enum s2s_reason_kind kind)
{
	struct s2s_reason why = {.kind = kind,
				 .text = "r\xc3\xa9"
					 "ason",
				 .place = "192.0.2.1"};

	edge_router_ended(t->r, t->stream, &why, t->now);
}

/* Jump to the deadline, at least `ms` later. */
static inline void pass(struct rig *t, uint64_t ms)
{
	t->now += ms;
	edge_router_on_timer(t->r, t->now);
}

static inline void open_with(struct rig *t, size_t max_bytes, uint64_t idle_ms)
{
	const struct s2s_limits limits = {max_bytes, idle_ms};

	edge_router_opened(t->r, t->stream, &limits, t->now);
}

static inline void open_stream(struct rig *t)
{
	open_with(t, 0, 0);
}

#endif
