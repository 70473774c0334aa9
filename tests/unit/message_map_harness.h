/* A stanza and a request to map, and words for it: the vectors of RFC 7572. */
#ifndef FED_TESTS_MESSAGE_MAP_HARNESS_H
#define FED_TESTS_MESSAGE_MAP_HARNESS_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fe-gateway/core/message_map.h"
#include "xmpp/stanza_util.h"

static const char JULIET[] = "juliet@example.com/yn0cl4bnw0yr3vym";
static const char ROMEO[] = "romeo@example.net";
static const char MONTAGUE[] = "Art thou not Romeo, and a Montague?";
static const uint8_t ID[ID_RAW_BYTES] = {0xA0, 1, 2,  3,  4,  5,  6,  7,
					 8,    9, 10, 11, 12, 13, 14, 15};

struct fixture {
	struct arena a;
	struct thread_map *threads;
	struct message_map_params p;
	Fed__Stanza *s;
	struct message_map_sip sip;
	struct sip_request_in in;
	struct message_map_xmpp xmpp;
};

static inline int setup(void **state)
{
	static struct fixture f;

	f = (struct fixture){
		.p = {.page_max_bytes = 1300, .fixed_bytes = 100},
		.in =
			{
				.request_uri =
					SPAN_LIT("sip:juliet@example.com"),
				.to_uri = SPAN_LIT("sip:juliet@example.com"),
				.from_uri = SPAN_LIT("sip:romeo@example.net"),
				.from_tag = SPAN_LIT("vwxyz"),
				.method = SPAN_LIT("MESSAGE"),
				.source = SPAN_LIT("192.0.2.1"),
				.call_id = SPAN_LIT("9E97FB43-85F4-4A00-8751-"
						    "1124FD4C7B2E"),
				.cseq = 1,
				.content_type = SPAN_LIT("text/plain"),
				.body = SPAN_LIT(
					"Neither, fair saint, if either thee "
					"dislike."),
			},
	};
	arena_init(&f.a, 4u << 20);
	assert_int_equal(thread_map_new(&f.threads, 16), 0);
	f.s = stanza_new_message(&f.a);
	f.s->from = arena_dup(&f.a, span_str(JULIET));
	f.s->to = arena_dup(&f.a, span_str(ROMEO));
	*state = &f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	thread_map_free(f->threads);
	arena_deinit(&f->a);
	return 0;
}

static inline char *dup(struct fixture *f, const char *s)
{
	return arena_dup(&f->a, span_str(s));
}

static inline void add_body(struct fixture *f, const char *lang,
			    const char *text)
{
	assert_int_equal(stanza_add_text(&f->a, &f->s->message->body,
					 &f->s->message->n_body, span_str(lang),
					 span_str(text)),
			 0);
}

static inline void add_subject(struct fixture *f, const char *text)
{
	assert_int_equal(stanza_add_text(&f->a, &f->s->message->subject,
					 &f->s->message->n_subject, SPAN_NULL,
					 span_str(text)),
			 0);
}

static inline void to_sip(struct fixture *f, enum message_map_verdict expect)
{
	assert_int_equal(
		message_map_to_sip(&f->p, f->threads, f->s, ID, &f->a, &f->sip),
		0);
	assert_int_equal(f->sip.verdict, expect);
}

static inline void to_xmpp(struct fixture *f, enum message_map_verdict expect)
{
	assert_int_equal(
		message_map_to_xmpp(f->threads, &f->in, ID, &f->a, &f->xmpp),
		0);
	assert_int_equal(f->xmpp.verdict, expect);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

#endif
