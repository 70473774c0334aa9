/*
 * The scanner that skips elements against the parser that reads them: where
 * the parser takes an element, the scanner ends at the same byte, however the
 * input was cut; and what the scanner keeps of it reads as the same name and
 * addresses.  Otherwise a stanza could hide inside a skipped one.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "edge-proxy/core/xml_reader.h"
#include "edge-proxy/core/xml_skip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct span HEADER = SPAN_LIT(
	"<stream:stream xmlns='jabber:server' "
	"xmlns:stream='http://etherx.jabber.org/streams' xmlns:p='u'>");

/* A reader that gave the first element of in, or NULL. */
static struct xml_reader *read_one(struct span in, struct xml_event *event_out)
{
	struct xml_reader *r;

	if (xml_reader_new(&r, LIMIT_STANZA_BYTES) != 0 ||
	    xml_reader_feed(r, HEADER) != 0 || !xml_reader_next(r, event_out))
		abort();
	/* the error may be behind the element */
	if (xml_reader_feed(r, in) == FED_ENOMEM ||
	    !xml_reader_next(r, event_out) || event_out->kind != XML_ELEMENT) {
		xml_reader_free(r);
		return NULL;
	}
	return r;
}

static void check_same(const struct xml_el *a, const struct xml_el *b)
{
	static const char *const names[] = {"from", "to", "id", "type"};

	if (!xml_is(a, b->ns, b->name) || strcmp(a->prefix, b->prefix) != 0)
		abort();
	for (size_t i = 0; i < FED_ARRAY_LEN(names); i++) {
		const char *kept = xml_attr_get(b, names[i]);
		const char *want = xml_attr_get(a, names[i]);

		/* one that is too long is left out */
		if (kept == NULL && (want == NULL || strlen(want) > 500))
			continue;
		if (kept == NULL || want == NULL || strcmp(kept, want) != 0)
			abort();
	}
}

static void check_stub(const struct xml_el *el, struct span stub)
{
	struct xml_event e;
	struct xml_reader *r = read_one(stub, &e);

	/* LIMIT: a namespace above the scanner's limit is left out, and then
	 * there is another one */
	if (strlen(el->ns) <= 500) {
		if (r == NULL)
			abort();
		check_same(el, e.el);
	}
	xml_reader_free(r);
}

/* The scanner over in, in pieces of step bytes. */
static void scan(struct span in, size_t step, const struct xml_event *e)
{
	struct xml_skip k;
	size_t total = 0;

	xml_skip_init(&k);
	while (!xml_skip_is_done(&k) && total < in.n) {
		size_t used = 0;
		int err = xml_skip_feed(&k, span_sub(in, total, total + step),
					&used);

		/* a name that is longer than any known one */
		if (err == FED_ELIMIT && strlen(e->el->name) > 20) {
			xml_skip_deinit(&k);
			return;
		}
		if (err != 0 || used == 0)
			abort();
		total += used;
	}
	if (!xml_skip_is_done(&k) || k.bytes != e->bytes)
		abort();
	check_stub(e->el, xml_skip_stub(&k));
	xml_skip_deinit(&k);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xml_event e;
	struct xml_reader *r;
	struct span in;

	if (size < 1 || size > LIMIT_READ_BYTES)
		return 0;
	in = span_of(data + 1, size - 1);
	r = read_one(in, &e);
	if (r == NULL)
		return 0;
	scan(in, in.n, &e);
	scan(in, (size_t)data[0] + 1, &e);
	xml_reader_free(r);
	return 0;
}
