/* Next hops with a clock, and words for what they do. */
#ifndef FED_TESTS_NEXT_HOP_HARNESS_H
#define FED_TESTS_NEXT_HOP_HARNESS_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "fe-gateway/core/next_hop.h"

enum { ALL = 1 << SIP_UDP | 1 << SIP_TCP | 1 << SIP_TLS };

struct fixture {
	struct next_hops *h;
	struct id_source ids;
	struct next_hop_params p;
	struct next_hop_action act;
	uint64_t now;
	char body[4096];
	char log[16384];
	struct logger logger;
	bool is_again; /* of the last response */
};

static inline void sink(void *arg, enum fed_log_level level, const char *line,
			size_t n)
{
	struct fixture *f = arg;
	size_t used = strlen(f->log);

	(void)level;
	(void)n;
	(void)snprintf(f->log + used, sizeof(f->log) - used, "%s\n", line);
}

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->now = 1000000;
	f->logger = (struct logger){FED_LOG_INFO, sink, f};
	f->p = (struct next_hop_params){
		.transports = ALL,
		.options_ms = 30000,
		.from_uri = "sip:sip.example",
		.fixed_bytes = 100,
		.ids = &f->ids,
		.log = &f->logger,
	};
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	next_hops_free(f->h);
	free(f);
	return 0;
}

static inline void begin(struct fixture *f, const char *uri)
{
	f->p.uri = uri;
	assert_int_equal(next_hops_new(&f->h, &f->p, f->now), 0);
}

static inline void send_to(struct fixture *f, uint64_t token, const char *uri)
{
	struct sip_request_out r = {
		.method = "MESSAGE",
		.request_uri = uri,
		.from_uri = "sip:juliet@example.com",
		.from_tag = "tag",
		.to_uri = uri,
		.call_id = "call",
		.branch = "z9hG4bKabc",
		.cseq = 7,
		.content_type = "text/plain",
		.body = span_str(f->body[0] != '\0' ? f->body : "hi"),
	};

	assert_int_equal(next_hops_send(f->h, token, &r, f->now), 0);
}

static inline bool next(struct fixture *f)
{
	return next_hops_next_action(f->h, &f->act, f->now);
}

/* @return the token */
static inline uint64_t expect_send(struct fixture *f, const char *ip,
				   const char *branch)
{
	assert_true(next(f));
	assert_int_equal(f->act.kind, NEXT_HOP_ACT_SEND);
	assert_string_equal(f->act.u.send.request->method, "MESSAGE");
	assert_string_equal(f->act.u.send.target->ip, ip);
	assert_string_equal(f->act.u.send.request->branch, branch);
	assert_string_equal(f->act.u.send.request->call_id, "call");
	assert_string_equal(f->act.u.send.request->from_tag, "tag");
	assert_int_equal(f->act.u.send.request->cseq, 7);
	return f->act.u.send.token;
}

static inline uint64_t expect_probe(struct fixture *f, const char *ip)
{
	assert_true(next(f));
	assert_int_equal(f->act.kind, NEXT_HOP_ACT_SEND);
	assert_string_equal(f->act.u.send.request->method, "OPTIONS");
	assert_string_equal(f->act.u.send.target->ip, ip);
	return f->act.u.send.token;
}

static inline void expect_end(struct fixture *f, uint64_t token,
			      enum sip_end why)
{
	assert_true(next(f));
	assert_int_equal(f->act.kind, NEXT_HOP_ACT_END);
	assert_int_equal(f->act.u.end.token, token);
	assert_int_equal(f->act.u.end.end, why);
}

static inline void expect_back(struct fixture *f)
{
	assert_true(next(f));
	assert_int_equal(f->act.kind, NEXT_HOP_ACT_BACK);
	assert_null(f->act.u.back.host);
}

static inline uint64_t expect_resolve(struct fixture *f, const char *host)
{
	assert_true(next(f));
	assert_int_equal(f->act.kind, NEXT_HOP_ACT_RESOLVE);
	assert_string_equal(f->act.u.resolve.uri->host, host);
	return f->act.u.resolve.hop;
}

static inline void expect_none(struct fixture *f)
{
	assert_false(next(f));
}

/* @return the owner's token; 0: not for the owner */
static inline uint64_t finish(struct fixture *f, uint64_t token,
			      enum sip_end end, int status)
{
	struct sip_response_in r = {.end = end, .status = status};
	uint64_t owner = 0;
	bool is_owners = next_hops_on_response(f->h, token, &r, f->now, &owner);

	f->is_again = r.is_again;
	return is_owners ? owner : 0;
}

static inline uint64_t respond(struct fixture *f, uint64_t token, int status)
{
	return finish(f, token, SIP_END_RESPONSE, status);
}

static inline struct next_hop_found found(const char *ip, uint32_t rank,
					  uint16_t weight, unsigned group)
{
	struct next_hop_found x = {
		.rank = rank,
		.weight = weight,
		.group = group,
		.target = {.transport = SIP_TCP, .port = 5060}};

	(void)snprintf(x.target.ip, sizeof(x.target.ip), "%s", ip);
	return x;
}

/* Two servers, the second for when the first fails. */
static inline void begin_two(struct fixture *f)
{
	const struct next_hop_found two[] = {found("192.0.2.1", 1, 0, 0),
					     found("192.0.2.2", 2, 0, 1)};

	begin(f, "sip:proxy.example");
	next_hops_on_resolved(f->h, expect_resolve(f, "proxy.example"),
			      NEXT_HOP_FOUND, two, 2, 600000, f->now);
}

#define USER "sip:romeo@sip.example"

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

#endif
