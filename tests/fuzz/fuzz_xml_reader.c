/*
 * The reader: whole and in pieces give the same events and the same error, and
 * every string that comes out is UTF-8.  The first byte is the piece's size.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "edge-proxy/core/xml_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
		buf_printf(out, "\n%d %zu ", e.kind, e.bytes);
		put(out, e.content_ns);
		if (e.el != NULL)
			dump(out, e.el);
	}
	return err;
}

static int run(struct span in, size_t step, struct buf *out)
{
	struct xml_reader *r;
	int err = 0;

	if (xml_reader_new(&r, LIMIT_STANZA_BYTES_FLOOR) != 0)
		abort();
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole;
	struct buf pieces;
	struct span in;

	if (size < 1 || size > LIMIT_READ_BYTES)
		return 0;
	in = span_of(data + 1, size - 1);
	buf_init(&whole, 64u * 1024u * 1024u);
	buf_init(&pieces, 64u * 1024u * 1024u);
	/* which of two errors is seen first may depend on the cuts; what was
	 * accepted may not */
	if (run(in, size, &whole) == 0 &&
	    (run(in, (size_t)data[0] + 1, &pieces) != 0 ||
	     !span_eq(buf_span(&whole), buf_span(&pieces))))
		abort();
	buf_deinit(&whole);
	buf_deinit(&pieces);
	return 0;
}
