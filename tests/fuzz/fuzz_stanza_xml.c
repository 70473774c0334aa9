/*
 * A first-level element to a stanza to XML and back: what crosses is valid,
 * and printing it and reading it again changes nothing.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "edge-proxy/core/stanza_xml.h"
#include "xmpp/stanza_util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Takes the element as it is printed, in a stream of its own. */
static enum stanza_verdict read_one(struct span in, struct arena *a,
				    const char *lang, Fed__Stanza **out)
{
	struct xml_reader *r;
	struct xml_event e;
	struct metrics m = {{0}};
	Fed__Condition condition = FED__CONDITION__NO_CONDITION;
	enum stanza_verdict verdict = STANZA_UNKNOWN;

	*out = NULL;
	if (xml_reader_new(&r, LIMIT_STANZA_BYTES) != 0 ||
	    xml_reader_feed(r, SPAN_LIT("<s:stream xmlns:s='s' "
					"xmlns='jabber:server'>")) != 0 ||
	    !xml_reader_next(r, &e))
		abort();
	(void)xml_reader_feed(r, in);
	if (xml_reader_next(r, &e) && e.kind == XML_ELEMENT)
		verdict = stanza_xml_read(e.el, lang, a, &m, out, &condition);
	if ((verdict == STANZA_ANSWER) !=
	    (condition != FED__CONDITION__NO_CONDITION))
		abort();
	if ((verdict == STANZA_OK || verdict == STANZA_ANSWER ||
	     verdict == STANZA_IGNORE) != (*out != NULL))
		abort();
	xml_reader_free(r);
	return verdict;
}

static void print_again(const Fed__Stanza *s)
{
	size_t n = fed__stanza__get_packed_size(s);
	uint8_t *first = malloc(n + 1);
	uint8_t *second = malloc(n + 1);
	struct arena a;
	struct buf b;
	Fed__Stanza *again;

	if (first == NULL || second == NULL)
		abort();
	arena_init(&a, 4 * LIMIT_STANZA_ARENA_BYTES);
	buf_init(&b, 4 * LIMIT_STANZA_BYTES);
	if (stanza_xml_write(&b, s) != 0 ||
	    read_one(buf_span(&b), &a, NULL, &again) != STANZA_OK ||
	    fed__stanza__get_packed_size(again) != n)
		abort();
	fed__stanza__pack(s, first);
	fed__stanza__pack(again, second);
	if (memcmp(first, second, n) != 0)
		abort();
	free(first);
	free(second);
	buf_deinit(&b);
	arena_deinit(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a;
	Fed__Stanza *s;

	if (size > LIMIT_READ_BYTES)
		return 0;
	arena_init(&a, LIMIT_STANZA_ARENA_BYTES);
	if (read_one(span_of(data, size), &a, "en", &s) == STANZA_OK) {
		if (stanza_validate(s) != 0)
			abort();
		print_again(s);
	}
	arena_deinit(&a);
	return 0;
}
