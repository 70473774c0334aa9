/*
 * The reader: whole and in pieces give the same events and the same error, and
 * every string that comes out is UTF-8.  The first byte is the piece's size.
 * Then the same behind a header with a lenient reader, which skips what breaks
 * a limit.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "edge-proxy/core/xml_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct span HEADER =
	SPAN_LIT("<stream:stream xmlns='jabber:server' "
		 "xmlns:stream='http://etherx.jabber.org/streams'>");

static void put(struct buf *b, const char *s)
{
	if (!span_is_utf8(span_str(s)))
		abort();
	buf_put_str(b, s);
	buf_put_byte(b, '|');
}

static void dump(struct buf *b, const struct xml_el *el)
{
	put(b, el->ns);
	put(b, el->name);
	put(b, el->prefix);
	put(b, el->text);
	for (const struct xml_attr *a = el->attrs; a != NULL; a = a->next) {
		put(b, a->ns);
		put(b, a->name);
		put(b, a->value);
	}
	buf_put_byte(b, '(');
	for (const struct xml_el *c = el->children; c != NULL; c = c->next)
		dump(b, c);
	buf_put_byte(b, ')');
}

static int feed(struct xml_reader *r, struct span in, struct buf *out)
{
	struct xml_event e;
	int err = xml_reader_feed(r, in);

	while (xml_reader_next(r, &e)) {
		buf_printf(out, "\n%d %zu %d ", e.kind, e.bytes,
			   e.el != NULL && e.el->is_stub);
		put(out, e.content_ns);
		if (e.el != NULL)
			dump(out, e.el);
	}
	return err;
}

static int run(struct span in, size_t step, bool is_lenient, struct buf *out)
{
	struct xml_reader *r;
	int err = 0;

	if (xml_reader_new(&r, LIMIT_STANZA_BYTES_FLOOR) != 0)
		abort();
	if (is_lenient) {
		if (feed(r, HEADER, out) != 0)
			abort();
		xml_reader_set_lenient(r);
	}
	for (size_t at = 0; at < in.n && err == 0; at += step)
		err = feed(r, span_sub(in, at, at + step), out);
	/* a wrong byte may wait for the next tag before it is looked at */
	if (err == 0)
		err = feed(r, SPAN_LIT("<x/>"), out);
	if (xml_reader_is_clean(r) && err != 0)
		abort();
	xml_reader_free(r);
	return err;
}

static void check(struct span in, size_t step, bool is_lenient)
{
	struct buf whole;
	struct buf pieces;
	int err;

	buf_init(&whole, 64u * 1024u * 1024u);
	buf_init(&pieces, 64u * 1024u * 1024u);
	/* which of two errors is seen first may depend on the cuts; what was
	 * accepted may not.  In a skipped element some errors are not looked
	 * for, and it depends on the cuts whether one was seen before. */
	if (run(in, in.n + 1, is_lenient, &whole) == 0) {
		err = run(in, step, is_lenient, &pieces);
		if ((err != 0 && !is_lenient) ||
		    (err == 0 && !span_eq(buf_span(&whole), buf_span(&pieces))))
			abort();
	}
	buf_deinit(&whole);
	buf_deinit(&pieces);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in;

	if (size < 1 || size > LIMIT_READ_BYTES)
		return 0;
	in = span_of(data + 1, size - 1);
	check(in, (size_t)data[0] + 1, false);
	check(in, (size_t)data[0] + 1, true);
	return 0;
}
