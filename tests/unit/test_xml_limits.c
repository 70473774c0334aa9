/* The reader: sizes, depths, counts, and the heap it takes for ever. */
#include "xml_harness.h"

/* open, then fill again and again until there are n bytes, then close */
static int sized(size_t n, const char *open, const char *fill,
		 const char *close, size_t step)
{
	struct buf in;
	struct buf out;
	int err;

	buf_init(&in, 4 * LIMIT_STANZA_BYTES);
	buf_init(&out, 16 * LIMIT_STANZA_BYTES);
	buf_put_str(&in, open);
	while (buf_len(&in) + strlen(fill) + strlen(close) <= n)
		buf_put_str(&in, fill);
	buf_put_str(&in, close);
	assert_false(in.is_failed);
	err = result_of(buf_cstr(&in), buf_len(&in), step, &out);
	assert_false(out.is_failed);
	buf_deinit(&in);
	buf_deinit(&out);
	return err;
}

static void stanza_size(void **state)
{
	const size_t max = LIMIT_STANZA_BYTES;

	(void)state;
	for (size_t step = 700; step < 17000; step += 8000) {
		/* X15 */
		assert_int_equal(sized(10000, "<a><b>", "x", "</b></a>", step),
				 0);
		assert_int_equal(sized(max, "<a>", "x", "</a>", step), 0);
		assert_int_equal(sized(max + 1, "<a>", "x", "</a>", step),
				 FED_ELIMIT);
		assert_int_equal(sized(max, "<a>", "&lt;", "</a>", step), 0);
	}
	/* never-ending tokens */
	assert_int_equal(sized(2 * max, "<a b='", "x", "", 1000), FED_ELIMIT);
	assert_int_equal(sized(2 * max, "<aaaa", "a", "", 1000), FED_ELIMIT);
	assert_int_equal(sized(2 * max, "<a><![CDATA[", "x", "", 1000),
			 FED_ELIMIT);
	assert_int_equal(sized(2 * max, "<a><!--", "x", "", 1000), FED_ELIMIT);
	assert_int_equal(sized(2 * max, "<a></a", " ", "", 1000), FED_ELIMIT);
	assert_int_equal(sized(2 * max, "<a>&#x", "0", "", 1000), FED_ELIMIT);
}

static void stanza_max_is_settable(void **state)
{
	char body[12000];
	struct xml_reader *r;
	struct buf out;

	(void)state;
	buf_init(&out, 65536);
	memset(body, 'x', sizeof(body));
	memcpy(body, "<iq/><a>", 8);
	/* below the floor of RFC 6120 13.12 is the floor */
	assert_int_equal(xml_reader_new(&r, 1), 0);
	assert_int_equal(feed_str(r, HEADER, &out), 0);
	assert_int_equal(feed_all(r, span_of(body, 10005), 5000, &out), 0);
	assert_int_equal(feed_str(r, "x", &out), FED_ELIMIT);
	xml_reader_free(r);
	assert_int_equal(xml_reader_new(&r, 1), 0);
	assert_int_equal(feed_str(r, HEADER, &out), 0);
	xml_reader_set_stanza_max(r, 12001);
	assert_int_equal(feed_all(r, span_of(body, 12000), 5000, &out), 0);
	assert_int_equal(feed_str(r, "</a>", &out), 0);
	/* lowered below what is buffered */
	assert_int_equal(feed_all(r, span_of(body, 11000), 5000, &out), 0);
	xml_reader_set_stanza_max(r, 1);
	assert_int_equal(feed_str(r, "x", &out), FED_ELIMIT);
	xml_reader_free(r);
	buf_deinit(&out);
}

static void header_size(void **state)
{
	struct buf in;
	struct buf out;

	(void)state;
	buf_init(&in, 65536);
	buf_init(&out, 65536);
	for (size_t over = 0; over < 2; over++) {
		for (size_t step = 1; step < 9000; step = step * 8000 + 1) {
			struct xml_reader *r = new_reader();

			buf_reset(&in);
			buf_put_str(&in, "<?xml version='1.0'?><s a='");
			while (buf_len(&in) < LIMIT_HEADER_BYTES - 2 + over)
				buf_put_byte(&in, 'x');
			buf_put_str(&in, "'><iq/>");
			assert_int_equal(feed_all(r, buf_span(&in), step, &out),
					 over == 0 ? 0 : FED_ELIMIT);
			xml_reader_free(r);
		}
	}
	buf_deinit(&in);
	buf_deinit(&out);
}

static void depth_and_attributes(void **state)
{
	char in[4096];
	struct buf out;

	(void)state;
	buf_init(&out, 65536);
	for (size_t depth = LIMIT_XML_DEPTH; depth <= LIMIT_XML_DEPTH + 1;
	     depth++) {
		for (size_t i = 0; i < depth; i++)
			memcpy(in + 3 * i, "<a>", 3);
		assert_int_equal(result_of(in, 3 * depth, 4096, &out),
				 depth <= LIMIT_XML_DEPTH ? 0 : FED_ELIMIT);
	}
	for (size_t count = LIMIT_XML_ATTRS; count <= LIMIT_XML_ATTRS + 1;
	     count++) {
		struct buf b;

		buf_init(&b, 4096);
		buf_put_str(&b, "<a xmlns='u'");
		for (size_t i = 1; i < count; i++)
			buf_printf(&b, " a%zu='1'", i);
		buf_put_str(&b, "/>");
		assert_int_equal(
			result_of(buf_cstr(&b), buf_len(&b), 4096, &out),
			count <= LIMIT_XML_ATTRS ? 0 : FED_ELIMIT);
		buf_deinit(&b);
	}
	buf_deinit(&out);
}

/* Many objects from few bytes, and many names in one stanza. */
static void objects_and_names(void **state)
{
	struct buf in;
	struct buf out;

	(void)state;
	assert_int_equal(
		sized(LIMIT_STANZA_BYTES, "<a>", "<b/>", "</a>", 16000),
		FED_ELIMIT);
	buf_init(&in, LIMIT_STANZA_BYTES);
	buf_init(&out, 16 * LIMIT_STANZA_BYTES);
	buf_put_str(&in, "<a>");
	for (int i = 0; buf_len(&in) < 8000; i++)
		buf_printf(&in, "<b%d/>", i);
	buf_put_str(&in, "</a>");
	assert_int_equal(result_of(buf_cstr(&in), buf_len(&in), 5000, &out), 0);
	buf_deinit(&in);
	buf_deinit(&out);
}

/* The dictionary itself: a stanza of the usual limit can never fill it, also
 * behind others; a bigger one can. */
static void names_of_one_stanza(void **state)
{
	const size_t sizes[] = {LIMIT_STANZA_BYTES, 4 * LIMIT_STANZA_BYTES};
	struct buf in;
	struct buf out;

	(void)state;
	buf_init(&in, 4 * LIMIT_STANZA_BYTES);
	buf_init(&out, 64 * LIMIT_STANZA_BYTES);
	for (size_t k = 0; k < FED_ARRAY_LEN(sizes); k++) {
		struct xml_reader *r;
		int i = 0;

		assert_int_equal(xml_reader_new(&r, sizes[k]), 0);
		assert_int_equal(feed_str(r, HEADER, &out), 0);
		for (int round = 0; round < 4; round++) {
			int err;

			buf_reset(&in);
			buf_reset(&out);
			buf_put_str(&in, "<a>");
			while (buf_len(&in) < sizes[k] - 200)
				buf_printf(&in, "<b%0100d/>", i++);
			buf_put_str(&in, "</a>");
			err = feed_all(r, buf_span(&in), 5000, &out);
			assert_int_equal(err, k == 0 ? 0 : FED_ELIMIT);
			if (err != 0)
				break;
		}
		xml_reader_free(r);
	}
	buf_deinit(&in);
	buf_deinit(&out);
}

static void whitespace_costs_nothing(void **state)
{
	char blanks[LIMIT_READ_BYTES];
	struct xml_reader *r = new_reader();
	struct buf out;
	size_t before;

	(void)state;
	buf_init(&out, 65536);
	memset(blanks, ' ', sizeof(blanks));
	blanks[100] = '\n';
	assert_int_equal(feed_str(r, HEADER "<iq/>", &out), 0);
	before = heap_in_use();
	for (int i = 0; i < 200; i++)
		assert_int_equal(
			xml_reader_feed(r, span_of(blanks, sizeof(blanks))), 0);
	assert_heap_below(before, 20000);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(xml_reader_feed(r, SPAN_LIT(" ")), 0);
	assert_true(xml_reader_is_clean(r));
	assert_heap_below(before, 20000);
	/* nor behind a stanza of the same packet, nor before one */
	memcpy(blanks, "<iq/>", 5);
	memcpy(blanks + sizeof(blanks) - 4, "<iq/", 4);
	buf_reset(&out);
	assert_int_equal(feed_all(r, span_of(blanks, sizeof(blanks)),
				  sizeof(blanks), &out),
			 0);
	assert_false(xml_reader_is_clean(r));
	assert_int_equal(feed_str(r, ">", &out), 0);
	assert_string_equal(buf_cstr(&out), "E5 (jabber:server||iq[])\n"
					    "E5 (jabber:server||iq[])\n");
	xml_reader_free(r);
	buf_deinit(&out);
}

/* Invented names for ever: the parser is replaced between two stanzas. */
static void put_invented(struct buf *b, int form, int i)
{
	switch (form) {
	case 0:
		buf_printf(b, "<message a%dx='1' to='c@d'>", i);
		break;
	case 1:
		buf_printf(b, "<message to='c@d'><e%d/>", i);
		break;
	case 2:
		buf_printf(b, "<message><x xmlns='urn:u:%d'/>", i);
		break;
	default:
		buf_printf(b, "<message><db:r a%d='1'/><stream:s/>", i);
		break;
	}
	buf_printf(b, "<body>b%d</body></message>", i);
}

static void dictionary_flood(void **state)
{
	const int forms = 4;
	const int total = 100000;

	(void)state;
	for (int f = 0; f < forms; f++) {
		struct xml_reader *r = new_reader();
		struct xml_event e;
		struct buf in;
		struct buf out;
		size_t before;
		size_t step = 1;
		int seen = 0;

		buf_init(&in, 1u << 24);
		buf_init(&out, 65536);
		assert_int_equal(feed_str(r, HEADER, &out), 0);
		for (int i = 0; i < total; i++)
			put_invented(&in, f, i);
		before = heap_in_use();
		while (buf_len(&in) > 0) {
			struct span piece = span_sub(buf_span(&in), 0, step);

			assert_int_equal(xml_reader_feed(r, piece), 0);
			while (xml_reader_next(r, &e)) {
				const struct xml_el *body =
					xml_child(e.el, NS_SERVER, "body");
				char want[16];

				(void)snprintf(want, sizeof(want), "b%d",
					       seen++);
				assert_non_null(body);
				assert_string_equal(body->text, want);
			}
			buf_consume(&in, piece.n);
			/* all kinds of cuts, most of them big */
			step = step * 7 % 16381;
			assert_heap_below(before, 1500000);
		}
		assert_int_equal(seen, total);
		xml_reader_free(r);
		buf_deinit(&in);
		buf_deinit(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stanza_size),
		cmocka_unit_test(stanza_max_is_settable),
		cmocka_unit_test(header_size),
		cmocka_unit_test(depth_and_attributes),
		cmocka_unit_test(objects_and_names),
		cmocka_unit_test(names_of_one_stanza),
		cmocka_unit_test(whitespace_costs_nothing),
		cmocka_unit_test(dictionary_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
