/* A router with two edges, a clock, and words for what it is told and says. */
#ifndef FED_TESTS_GW_ROUTER_HARNESS_H
#define FED_TESTS_GW_ROUTER_HARNESS_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "federation_rules.h"
#include "fe-gateway/core/router.h"
#include "xmpp/stanza_error.h"
#include "xmpp/stanza_util.h"

static const char *const DOMAINS[] = {"sip.example"};
static const char *const TRUSTED[] = {"192.0.2.1"};
static const char *const EDGES[] = {"edge1.example", "edge2.example"};

struct fixture {
	struct gw_router *r;
	struct federation *federation;
	struct id_source ids;
	struct metrics metrics;
	struct arena a;
	struct gw_action act;
	uint64_t now;
	uint64_t next_handle;
	bool is_redelivered; /* what is fed */
	struct span body;    /* of the requests */
	uint8_t next_id;
	char log[65536];
	struct logger logger;
};

static inline void sink(void *arg, enum fed_log_level level, const char *line,
			size_t n)
{
	struct fixture *f = arg;
	size_t used = strlen(f->log);

	(void)level;
	if (used + n + 2 < sizeof(f->log))
		(void)snprintf(f->log + used, sizeof(f->log) - used, "%s\n",
			       line);
}

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct gw_router_params p = {
		.checks = {.domains = DOMAINS,
			   .domain_count = 1,
			   .trusted = TRUSTED,
			   .trusted_count = 1},
		.map = {.page_max_bytes = 1300, .fixed_bytes = 100},
		.edges = EDGES,
		.edge_count = 2,
	};

	assert_non_null(f);
	f->now = 1000000;
	f->body = SPAN_LIT("hello");
	f->logger = (struct logger){FED_LOG_INFO, sink, f};
	p.ids = &f->ids;
	p.log = &f->logger;
	p.metrics = &f->metrics;
	arena_init(&f->a, 64u << 20);
	assert_int_equal(gw_router_new(&f->r, &p, f->now), 0);
	f->federation = rules_open();
	gw_router_set_federation(f->r, f->federation, f->now);
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	gw_router_free(f->r);
	federation_free(f->federation);
	arena_deinit(&f->a);
	free(f);
	return 0;
}

/* Lines of the log that hold both texts. */
static inline int count_log(const struct fixture *f, const char *a,
			    const char *b)
{
	char line[1024];
	int count = 0;

	for (const char *p = f->log; *p != '\0';) {
		size_t n = strcspn(p, "\n");

		(void)snprintf(line, sizeof(line), "%.*s", (int)n, p);
		if (strstr(line, a) != NULL && strstr(line, b) != NULL)
			count++;
		p += n + 1;
	}
	return count;
}

static inline bool next(struct fixture *f)
{
	return gw_router_next_action(f->r, &f->act, f->now);
}

static inline void expect(struct fixture *f, enum gw_action_kind kind)
{
	assert_true(next(f));
	assert_int_equal(f->act.kind, kind);
}

static inline void expect_none(struct fixture *f)
{
	assert_false(next(f));
}

static inline void expect_reply(struct fixture *f, uint64_t handle, int status)
{
	expect(f, GW_ACT_SIP_REPLY);
	assert_int_equal(f->act.u.sip_reply.handle, handle);
	assert_int_equal(f->act.u.sip_reply.reply->line.status, status);
}

/* Condition of an OUTCOME; NO_CONDITION: delivered. */
static inline void expect_outcome(struct fixture *f, uint64_t ref,
				  Fed__Condition c)
{
	const Fed__Error *e;

	expect(f, GW_ACT_OUTCOME);
	assert_int_equal(f->act.u.outcome.ref, ref);
	e = f->act.u.outcome.refused;
	assert_int_equal(
		e != NULL ? e->condition : FED__CONDITION__NO_CONDITION, c);
}

static inline uint64_t request_to(struct fixture *f, const char *uri)
{
	char call_id[32];
	struct sip_request_in r = {
		.handle = ++f->next_handle,
		.method = SPAN_LIT("MESSAGE"),
		.source = SPAN_LIT("192.0.2.1"),
		.request_uri = span_str(uri),
		.to_uri = span_str(uri),
		.from_uri = SPAN_LIT("sip:romeo@sip.example"),
		.from_tag = SPAN_LIT("t"),
		.cseq = 1,
		.content_type = SPAN_LIT("text/plain"),
		.body = f->body,
	};

	(void)snprintf(call_id, sizeof(call_id), "call%d", (int)f->next_handle);
	r.call_id = span_str(call_id);
	gw_router_on_sip_request(f->r, &r, f->now);
	return r.handle;
}

static inline uint64_t request(struct fixture *f)
{
	return request_to(f, "sip:juliet@example.com");
}

static inline Fed__Stanza *message(struct fixture *f, const char *to)
{
	Fed__Stanza *s = stanza_new_message(&f->a);

	s->from = arena_dup(&f->a, SPAN_LIT("juliet@example.com/balcony"));
	s->to = arena_dup(&f->a, span_str(to));
	s->id = arena_dup(&f->a, SPAN_LIT("m1"));
	assert_int_equal(stanza_add_text(&f->a, &s->message->body,
					 &s->message->n_body, SPAN_NULL,
					 SPAN_LIT("hi")),
			 0);
	return s;
}

static inline void feed_id(struct fixture *f, size_t edge, uint64_t ref,
			   Fed__Stanza *s, uint32_t id)
{
	uint8_t raw[ID_RAW_BYTES] = {(uint8_t)(id >> 16), (uint8_t)(id >> 8),
				     (uint8_t)id};
	Fed__StanzaFrame frame;

	fed__stanza_frame__init(&frame);
	frame.delivery_id.data = raw;
	frame.delivery_id.len = ID_RAW_BYTES;
	frame.stanza = s;
	frame.redelivered = f->is_redelivered;
	gw_router_on_stanza(f->r, edge, ref, &frame, f->now);
}

static inline void feed(struct fixture *f, uint64_t ref, Fed__Stanza *s)
{
	feed_id(f, 0, ref, s, (uint32_t)ref);
}

static inline void respond(struct fixture *f, uint64_t token, int status)
{
	struct sip_response_in r = {.end = SIP_END_RESPONSE, .status = status};

	gw_router_on_sip_response(f->r, token, &r, f->now);
}

static inline void both_edges_up(struct fixture *f)
{
	gw_router_on_edge(f->r, 0, GW_EDGE_READY, f->now);
	gw_router_on_edge(f->r, 1, GW_EDGE_READY, f->now);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

#endif
