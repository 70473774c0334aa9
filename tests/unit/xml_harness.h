/* A reader in a test: what it reports is written down as one line of text per
 * event. */
#ifndef FED_TESTS_XML_HARNESS_H
#define FED_TESTS_XML_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/limits.h"
#include "edge-proxy/core/xml_names.h"
#include "edge-proxy/core/xml_reader.h"

#define HEADER                                                \
	"<stream:stream xmlns='jabber:server' "               \
	"xmlns:stream='http://etherx.jabber.org/streams' "    \
	"xmlns:db='jabber:server:dialback' from='a.example' " \
	"to='b.example' version='1.0' xml:lang='en'>"

static inline void dump_el(struct buf *b, const struct xml_el *el)
{
	buf_printf(b, "(%s|%s|%s", el->ns, el->prefix, el->name);
	for (const struct xml_attr *a = el->attrs; a != NULL; a = a->next)
		buf_printf(b, " %s|%s=%s", a->ns, a->name, a->value);
	buf_printf(b, "[%s]", el->text);
	for (const struct xml_el *c = el->children; c != NULL; c = c->next) {
		assert_ptr_equal(c->parent, el);
		dump_el(b, c);
	}
	buf_put_byte(b, ')');
}

static inline void drain(struct xml_reader *r, struct buf *b)
{
	struct xml_event e;

	while (xml_reader_next(r, &e)) {
		if (e.kind == XML_HEADER)
			buf_printf(b, "H %s %d ", e.content_ns,
				   e.has_dialback_ns);
		else if (e.kind == XML_CLOSE)
			buf_put_byte(b, 'C');
		else
			buf_printf(b, "%c%zu ", e.el->is_stub ? 'S' : 'E',
				   e.bytes);
		if (e.el != NULL)
			dump_el(b, e.el);
		buf_put_byte(b, '\n');
	}
}

static inline struct xml_reader *new_reader(void)
{
	struct xml_reader *r = NULL;

	assert_int_equal(xml_reader_new(&r, LIMIT_STANZA_BYTES), 0);
	return r;
}

/* Feeds all in pieces of step bytes; the last error. */
static inline int feed_all(struct xml_reader *r, struct span in, size_t step,
			   struct buf *out)
{
	for (size_t at = 0; at < in.n; at += step) {
		int err = xml_reader_feed(r, span_sub(in, at, at + step));

		drain(r, out);
		if (err != 0)
			return err;
	}
	return 0;
}

static inline int feed_str(struct xml_reader *r, const char *s, struct buf *out)
{
	return feed_all(r, span_str(s), LIMIT_READ_BYTES, out);
}

/* Header, then s. */
static inline int result_of(const char *s, size_t n, size_t step,
			    struct buf *out)
{
	struct xml_reader *r = new_reader();
	int err = feed_str(r, HEADER, out);

	assert_int_equal(err, 0);
	err = feed_all(r, span_of(s, n), step, out);
	if (err != 0) /* it stays failed */
		assert_int_equal(xml_reader_feed(r, SPAN_LIT(" ")), err);
	xml_reader_free(r);
	return err;
}

static inline size_t heap_in_use(void)
{
	return mallinfo2().uordblks;
}

#if defined(__SANITIZE_ADDRESS__)
enum { HAS_HEAP_COUNT = 0 };
#else
enum { HAS_HEAP_COUNT = 1 };
#endif

static inline void assert_heap_below(size_t before, size_t bytes)
{
	if (HAS_HEAP_COUNT && heap_in_use() > before + bytes)
		fail_msg("heap grew by %zu", heap_in_use() - before);
}

#endif
