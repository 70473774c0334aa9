/*
 * A MESSAGE request from hostile fields: what passes is a valid stanza, and
 * the answer to that stanza is a request that cannot break a header.
 *
 * Input: lines method, Request-URI, From, Call-ID, Content-Type, charset,
 * language, subject, Require; the rest is the body.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fe-gateway/core/message_map.h"
#include "fe-gateway/core/sip_checks.h"
#include "xmpp/stanza_util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const DOMAINS[] = {"s.example"};
static const char *const TRUSTED[] = {"192.0.2.1"};
static const uint8_t ID[ID_RAW_BYTES] = {1, 2, 3};

static void expect(bool holds)
{
	if (!holds)
		abort();
}

static struct span take_line(struct span *in)
{
	size_t n = span_find(*in, '\n', 0);
	struct span line = span_sub(*in, 0, n == SIZE_MAX ? in->n : n);

	*in = span_sub(*in, n == SIZE_MAX ? in->n : n + 1, in->n);
	return line;
}

static void check_line(const char *s)
{
	for (; s != NULL && *s != '\0'; s++)
		expect((unsigned char)*s >= 0x20 && *s != 0x7F);
}

static void check_request(const struct message_map_params *p,
			  const struct sip_request_out *r)
{
	check_line(r->request_uri);
	check_line(r->from_uri);
	check_line(r->to_uri);
	check_line(r->call_id);
	check_line(r->subject);
	check_line(r->content_language);
	check_line(r->content_type);
	expect(thread_is_call_id(span_str(r->call_id)));
	expect(memchr(r->body.p, 0, r->body.n) == NULL);
	expect(message_map_request_bytes(p, r) <= p->page_max_bytes);
}

/* The stanza's answer: addresses swapped. */
static void check_answer(struct thread_map *threads, Fed__Stanza *s,
			 struct arena *a)
{
	const struct message_map_params p = {.page_max_bytes = 2000};
	struct message_map_sip out;
	char *from = s->from;

	s->from = s->to;
	s->to = from;
	if (message_map_to_sip(&p, threads, s, ID, a, &out) == 0 &&
	    out.verdict == MESSAGE_MAP_SEND)
		check_request(&p, &out.request);
}

static void check_message(const struct sip_request_in *r)
{
	struct thread_map *threads = NULL;
	struct message_map_xmpp out;
	struct arena a;

	arena_init(&a, LIMIT_STANZA_ARENA_BYTES);
	if (thread_map_new(&threads, 4) != 0)
		return;
	if (message_map_to_xmpp(threads, r, ID, &a, &out) == 0) {
		if (out.verdict == MESSAGE_MAP_SEND) {
			expect(stanza_validate(out.stanza) == 0);
			check_answer(threads, out.stanza, &a);
		} else {
			expect(out.reply.line.status >= 200);
			check_line(out.reply.line.phrase);
		}
	}
	thread_map_free(threads);
	arena_deinit(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct sip_checks_params checks = {
		.domains = DOMAINS,
		.domain_count = 1,
		.trusted = TRUSTED,
		.trusted_count = 1,
	};
	struct span in = span_of(data, size);
	struct sip_request_in r = {.source = SPAN_LIT("192.0.2.1")};
	struct sip_reply reply = {.accept = NULL};
	const char *why;

	r.method = take_line(&in);
	r.request_uri = take_line(&in);
	r.to_uri = r.request_uri;
	r.from_uri = take_line(&in);
	r.call_id = take_line(&in);
	r.content_type = take_line(&in);
	r.charset = take_line(&in);
	r.content_language = take_line(&in);
	r.subject = take_line(&in);
	r.require = take_line(&in);
	r.body = in;
	switch (sip_checks(&checks, &r, false, &reply, &why)) {
	case SIP_CHECKS_PASS:
		check_message(&r);
		break;
	case SIP_CHECKS_REPLY:
		expect(reply.line.status >= 200);
		check_line(reply.line.phrase);
		check_line(reply.unsupported);
		break;
	case SIP_CHECKS_UNTRUSTED:
		abort();
	case SIP_CHECKS_DROP:
		break;
	}
	return 0;
}
