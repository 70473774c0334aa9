/*
 * Stanza <-> XML: each row is what a peer sends, what becomes of it, and how
 * it is printed again.  What is printed must read back to the same bytes of
 * protobuf.
 */
#ifndef FED_TESTS_STANZA_XML_HARNESS_H
#define FED_TESTS_STANZA_XML_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "edge-proxy/core/stanza_xml.h"
#include "xmpp/stanza_util.h"

#define AB " from='a@a.example/r' to='b@b.example'"
#define ERR "urn:ietf:params:xml:ns:xmpp-stanzas"

/* One stanza in a stream of its own. */
struct fixture {
	struct xml_reader *reader;
	struct arena arena;
	struct metrics metrics;
	Fed__Stanza *stanza;
	Fed__Condition condition;
	enum stanza_verdict verdict;
};

static inline void read_xml(struct fixture *f, const char *xml,
			    const char *lang)
{
	static const char header[] = "<stream:stream xmlns='jabber:server' "
				     "xmlns:stream='urn:x' xmlns:c='"
				     "jabber:client'>";
	struct span in = span_str(xml);
	struct xml_event e;

	*f = (struct fixture){.condition = FED__CONDITION__NO_CONDITION};
	arena_init(&f->arena, LIMIT_STANZA_ARENA_BYTES);
	assert_int_equal(xml_reader_new(&f->reader, LIMIT_STANZA_BYTES), 0);
	assert_int_equal(xml_reader_feed(f->reader, span_str(header)), 0);
	assert_true(xml_reader_next(f->reader, &e));
	for (size_t at = 0; at < in.n; at += LIMIT_READ_BYTES)
		if (xml_reader_feed(f->reader,
				    span_sub(in, at, at + LIMIT_READ_BYTES)))
			fail_msg("not XML: %.200s", xml);
	if (!xml_reader_next(f->reader, &e))
		fail_msg("no element: %.200s", xml);
	f->verdict = stanza_xml_read(e.el, lang, &f->arena, &f->metrics,
				     &f->stanza, &f->condition);
}

static inline void done(struct fixture *f)
{
	xml_reader_free(f->reader);
	arena_deinit(&f->arena);
}

/* Printed, read and compared. */
static inline void assert_round_trip(const Fed__Stanza *s, const char *want)
{
	struct fixture again;
	struct buf b;
	size_t n = fed__stanza__get_packed_size(s);
	uint8_t *first = malloc(n + 1);
	uint8_t *second = malloc(n + 1);

	assert_true(first != NULL && second != NULL);
	buf_init(&b, 4 * LIMIT_STANZA_BYTES);
	assert_int_equal(stanza_validate(s), 0);
	assert_int_equal(stanza_xml_write(&b, s), 0);
	if (want != NULL)
		assert_string_equal(buf_cstr(&b), want);
	read_xml(&again, buf_cstr(&b), NULL);
	assert_int_equal(again.verdict, STANZA_OK);
	assert_int_equal(again.metrics.value[METRIC_elements_reduced], 0);
	assert_int_equal(fed__stanza__get_packed_size(again.stanza), n);
	fed__stanza__pack(s, first);
	fed__stanza__pack(again.stanza, second);
	assert_memory_equal(first, second, n);
	done(&again);
	buf_deinit(&b);
	free(first);
	free(second);
}

struct row {
	const char *id;
	const char *in;
	enum stanza_verdict verdict;
	Fed__Condition condition;
	const char *out; /* NULL: as `in` */
	unsigned int reduced;
};

static inline void check_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct row *row = &rows[i];
		struct fixture f;

		read_xml(&f, row->in, NULL);
		if (f.verdict != row->verdict ||
		    f.condition != row->condition ||
		    f.metrics.value[METRIC_elements_reduced] != row->reduced)
			fail_msg("%s: verdict %d, condition %d, reduced %u",
				 row->id, f.verdict, f.condition,
				 (unsigned int)f.metrics
					 .value[METRIC_elements_reduced]);
		if (f.verdict == STANZA_ANSWER)
			assert_string_equal(f.stanza->from, "a@a.example/r");
		if (f.verdict == STANZA_OK)
			assert_round_trip(f.stanza, row->out == NULL
							    ? row->in
							    : row->out);
		done(&f);
	}
}

#define OK STANZA_OK, FED__CONDITION__NO_CONDITION
#define IGNORED STANZA_IGNORE, FED__CONDITION__NO_CONDITION
#define IMPROPER STANZA_IMPROPER_ADDRESSING, FED__CONDITION__NO_CONDITION
#define UNKNOWN STANZA_UNKNOWN, FED__CONDITION__NO_CONDITION
#define BAD STANZA_ANSWER, FED__CONDITION__BAD_REQUEST
#define MALFORMED STANZA_ANSWER, FED__CONDITION__JID_MALFORMED
#define UNAVAILABLE STANZA_ANSWER, FED__CONDITION__SERVICE_UNAVAILABLE

#endif
