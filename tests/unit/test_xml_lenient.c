/* The reader behind authentication: what breaks a limit is skipped, and the
 * stream goes on. */
#include "xml_harness.h"

#define M "<message from='a@a.example' to='b@b.example' id='1' type='chat'"
#define M_STUB                                                             \
	"(jabber:server||message |from=a@a.example |to=b@b.example |id=1 " \
	"|type=chat[])"

static struct xml_reader *lenient_reader(size_t stanza_max)
{
	struct xml_reader *r = NULL;
	struct buf out;

	buf_init(&out, 4096);
	assert_int_equal(xml_reader_new(&r, stanza_max), 0);
	assert_int_equal(feed_str(r, HEADER, &out), 0);
	xml_reader_set_lenient(r);
	buf_deinit(&out);
	return r;
}

static void put_times(struct buf *b, size_t n, const char *s)
{
	while (n-- > 0)
		buf_put_str(b, s);
}

/* ---- what is skipped, and what is left of it ---- */

enum { DEEP = (int)LIMIT_XML_DEPTH };

static void put_deep(struct buf *b)
{
	buf_put_str(b, M ">");
	put_times(b, DEEP, "<a>");
	buf_put_str(b, "x&amp;&#65;<![CDATA[</message>]]]>");
	put_times(b, DEEP, "</a >");
	buf_put_str(b, "</message\n>");
}

static void put_attrs_inside(struct buf *b)
{
	buf_put_str(b, M "><body n='>\"/>'/><x ");
	for (size_t i = 0; i <= LIMIT_XML_ATTRS; i++)
		buf_printf(b, "a%zu=\"it's %zu\" ", i, i);
	buf_put_str(b, "/>'\"/=></message>");
}

/* The first tag itself; what is kept may stand anywhere in it. */
static void put_attrs_outside(struct buf *b)
{
	buf_put_str(b, "<m:message from\t=\n'a&amp;b@a.example' ");
	for (size_t i = 0; i <= LIMIT_XML_ATTRS; i++)
		buf_printf(b, "a%zu='/>' ", i);
	buf_put_str(b, "xmlns:m='jabber:server' xmlns:n='u' "
		       "to=\"b@b.example\"/>");
}

static void put_objects(struct buf *b)
{
	buf_put_str(b, M ">");
	put_times(b, 30000, "<b/>");
	buf_put_str(b, "</message>");
}

static void put_declared(struct buf *b)
{
	buf_put_str(b, "<db:result from='a.example' to='b.example'>");
	put_times(b, DEEP, "<a>");
	put_times(b, DEEP, "</a>");
	buf_put_str(b, "</db:result>");
}

static void put_other_ns(struct buf *b)
{
	buf_put_str(b, "<x xmlns='urn:x' to=''>");
	put_times(b, DEEP, "<a>");
	put_times(b, DEEP, "</a>");
	buf_put_str(b, "</x>");
}

static const struct {
	void (*put)(struct buf *b);
	const char *stub;
	size_t split_step; /* not every byte of a huge one */
} forms[] = {
	{put_deep, M_STUB, 1},
	{put_attrs_inside, M_STUB, 1},
	{put_attrs_outside,
	 "(jabber:server|m|message |from=a&b@a.example |to=b@b.example[])", 1},
	{put_declared,
	 "(jabber:server:dialback|db|result |from=a.example |to=b.example[])",
	 1},
	{put_other_ns, "(urn:x||x |to=[])", 1},
	{put_objects, M_STUB, 9973},
};

static void check_form(size_t form, size_t split, size_t step)
{
	struct xml_reader *r = lenient_reader(LIMIT_STANZA_BYTES);
	struct buf in;
	struct buf out;
	struct buf want;
	size_t n;

	buf_init(&in, LIMIT_STANZA_BYTES);
	buf_init(&out, LIMIT_STANZA_BYTES);
	buf_init(&want, 65536);
	buf_put_str(&in, "<iq/> \n");
	n = buf_len(&in);
	forms[form].put(&in);
	assert_false(in.is_failed);
	n = buf_len(&in) - n;
	buf_put_str(&in, "<presence><a/></presence>");
	buf_printf(&want,
		   "E5 (jabber:server||iq[])\nS%zu %s\n"
		   "E25 (jabber:server||presence[](jabber:server||a[]))\n",
		   n, forms[form].stub);
	if (split > 0) {
		assert_int_equal(feed_all(r, span_sub(buf_span(&in), 0, split),
					  LIMIT_READ_BYTES, &out),
				 0);
		buf_consume(&in, split);
	}
	assert_int_equal(feed_all(r, buf_span(&in), step, &out), 0);
	assert_string_equal(buf_cstr(&out), buf_cstr(&want));
	assert_true(xml_reader_is_clean(r));
	xml_reader_free(r);
	buf_deinit(&in);
	buf_deinit(&out);
	buf_deinit(&want);
}

static size_t form_bytes(size_t form)
{
	struct buf b;
	size_t n;

	buf_init(&b, LIMIT_STANZA_BYTES);
	forms[form].put(&b);
	n = buf_len(&b) + strlen("<iq/> \n<presence><a/></presence>");
	buf_deinit(&b);
	return n;
}

static void skipped_split_anywhere(void **state)
{
	(void)state;
	for (size_t f = 0; f < FED_ARRAY_LEN(forms); f++) {
		size_t n = form_bytes(f);

		for (size_t at = 0; at <= n; at += forms[f].split_step)
			check_form(f, at, LIMIT_READ_BYTES);
		for (size_t step = 1; step < 70; step += 1 + step / 8)
			check_form(f, 0, step * forms[f].split_step);
	}
}

/* The same as if nobody were there: before authentication nothing is. */
static void strict_before(void **state)
{
	(void)state;
	for (size_t f = 0; f < FED_ARRAY_LEN(forms); f++) {
		struct xml_reader *r = lenient_reader(LIMIT_STANZA_BYTES);
		struct buf in;
		struct buf out;

		buf_init(&in, LIMIT_STANZA_BYTES);
		buf_init(&out, 16 * LIMIT_STANZA_BYTES);
		forms[f].put(&in);
		/* a new document is strict again */
		assert_int_equal(xml_reader_restart(r), 0);
		assert_int_equal(feed_str(r, HEADER, &out), 0);
		assert_int_equal(feed_all(r, buf_span(&in), 5000, &out),
				 FED_ELIMIT);
		xml_reader_free(r);
		buf_deinit(&in);
		buf_deinit(&out);
	}
}

/* ---- sizes ---- */

/* open, fill up to n bytes, close; what came out of a reader of the floor */
static int skip_sized(size_t n, const char *open, const char *fill,
		      const char *close, struct buf *out)
{
	struct xml_reader *r = lenient_reader(LIMIT_STANZA_BYTES_FLOOR);
	struct buf in;
	int err;

	buf_init(&in, 2 * LIMIT_SKIPPED_BYTES);
	buf_put_str(&in, open);
	while (buf_len(&in) + strlen(fill) + strlen(close) <= n)
		buf_put_str(&in, fill);
	buf_put_str(&in, close);
	assert_false(in.is_failed);
	buf_reset(out);
	err = feed_all(r, buf_span(&in), LIMIT_READ_BYTES, out);
	if (err == 0)
		assert_int_equal(feed_str(r, "<iq/>", out), 0);
	else
		assert_int_equal(xml_reader_feed(r, SPAN_LIT(" ")), err);
	xml_reader_free(r);
	buf_deinit(&in);
	return err;
}

static void sizes(void **state)
{
	static const struct {
		const char *open;
		const char *fill;
		const char *close;
		const char *stub;
	} rows[] = {
		{M ">", "x", "</message>", M_STUB},
		{M "><a b='", "x", "'/></message>", M_STUB},
		{M " b='", "x", "'/>", M_STUB},
		{M "><", "a", "/></message>", M_STUB},
		{M "><![CDATA[", "]", "]]></message>", M_STUB},
		{M ">", "<a>", "</message>", NULL}, /* never closed */
		{M ">", "<a b='", "</message>", NULL},
		/* no answer needs so much: left out */
		{"<message from='a' id='", "x", "'/>",
		 "(jabber:server||message |from=a[])"},
		{"<message to='b' from='", "&apos;", "'/>",
		 "(jabber:server||message |to=b[])"},
	};
	const size_t n[] = {LIMIT_STANZA_BYTES_FLOOR + 8, 1000000};
	struct buf out;
	struct buf want;

	(void)state;
	buf_init(&out, 65536);
	buf_init(&want, 65536);
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		for (size_t k = 0; k < FED_ARRAY_LEN(n); k++) {
			int err;

			if (rows[i].stub == NULL)
				continue;
			err = skip_sized(n[k], rows[i].open, rows[i].fill,
					 rows[i].close, &out);
			if (err != 0)
				fail_msg("row %zu, %zu bytes: %s", i, n[k],
					 fed_strerror(err));
			if (strstr(buf_cstr(&out), rows[i].stub) == NULL ||
			    strstr(buf_cstr(&out), "E5 ") == NULL)
				fail_msg("row %zu: %s", i, buf_cstr(&out));
		}
		assert_int_equal(
			skip_sized(LIMIT_SKIPPED_BYTES + 100, rows[i].open,
				   rows[i].fill, rows[i].close, &out),
			strcmp(rows[i].fill, "<a b='") == 0 ? FED_EXML
							    : FED_ELIMIT);
	}
	/* the size is told, up to the last byte that is skipped */
	assert_int_equal(
		skip_sized(LIMIT_SKIPPED_BYTES, M ">", "x", "</message>", &out),
		0);
	assert_int_equal(skip_sized(1000000, M ">", "x", "</message>", &out),
			 0);
	buf_printf(&want, "S1000000 %s\nE5 (jabber:server||iq[])\n", M_STUB);
	assert_string_equal(buf_cstr(&out), buf_cstr(&want));
	buf_deinit(&out);
	buf_deinit(&want);
}

/* An address of the greatest length, each byte of its resource escaped. */
static void longest_address_is_kept(void **state)
{
	struct buf open;
	struct buf out;

	(void)state;
	buf_init(&open, 65536);
	buf_init(&out, 65536);
	buf_put_str(&open, "<message from='a@b/");
	put_times(&open, LIMIT_JID_PART_BYTES, "&apos;");
	buf_put_str(&open, "' to='c'>");
	assert_int_equal(
		skip_sized(30000, buf_cstr(&open), "x", "</message>", &out), 0);
	assert_non_null(strstr(buf_cstr(&out), "''' |to=c[])"));
	buf_deinit(&open);
	buf_deinit(&out);
}

static void ten_thousand_deep(void **state)
{
	struct xml_reader *r = lenient_reader(LIMIT_STANZA_BYTES);
	struct buf in;
	struct buf out;

	(void)state;
	buf_init(&in, LIMIT_STANZA_BYTES);
	buf_init(&out, 65536);
	buf_put_str(&in, M ">");
	put_times(&in, 10000, "<a>");
	put_times(&in, 10000, "</a>");
	buf_put_str(&in, "</message>" M "/>");
	assert_int_equal(feed_all(r, buf_span(&in), 1448, &out), 0);
	assert_string_equal(buf_cstr(&out), "S70074 " M_STUB "\n"
					    "E65 " M_STUB "\n");
	xml_reader_free(r);
	buf_deinit(&in);
	buf_deinit(&out);
}

/* ---- what ends the stream all the same ---- */

static void refused_inside(void **state)
{
	static const struct {
		const char *in; /* behind too many open elements */
		int err;
	} rows[] = {
		/* X12 */
		{"<!-- -->", FED_ERESTRICTED},
		{"<?pi?>", FED_ERESTRICTED},
		{"<!DOCTYPE a>", FED_ERESTRICTED},
		{"<![CDAT [", FED_ERESTRICTED},
		{"&foo;", FED_ERESTRICTED},
		{"&quotes;", FED_ERESTRICTED},
		{"&;", FED_ERESTRICTED},
		{"<a b='&foo;'/>", FED_ERESTRICTED},
		{"<", 0},
		{"< ", FED_EXML},
		{"<a b='<'/>", FED_EXML},
		{"<a <b/>", FED_EXML},
		{"<a / >", FED_EXML},
		{"<a&/>", FED_EXML},
		{"<a=''/>", FED_EXML},
		{"</a b='c'>", FED_EXML},
		{"& ", FED_EXML},
		{"&a<", FED_EXML},
		{"\xC3\xA4 ]]]] > &#x1F600; &lt;", 0},
		{"\0", FED_EXML},
	};
	struct buf out;

	(void)state;
	buf_init(&out, 65536);
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct xml_reader *r = lenient_reader(LIMIT_STANZA_BYTES);
		size_t n = rows[i].in[0] == '\0' ? 1 : strlen(rows[i].in);
		int err;

		assert_int_equal(feed_str(r, "<message>", &out), 0);
		for (int k = 0; k < DEEP; k++)
			assert_int_equal(feed_str(r, "<a>", &out), 0);
		assert_false(xml_reader_is_clean(r));
		err = feed_all(r, span_of(rows[i].in, n), 1, &out);
		if (err != rows[i].err)
			fail_msg("%s: %s", rows[i].in, fed_strerror(err));
		assert_false(xml_reader_is_clean(r));
		xml_reader_free(r);
	}
	/* not inside an element: no stanza to be refused alone */
	{
		struct xml_reader *r = lenient_reader(LIMIT_STANZA_BYTES_FLOOR);

		buf_reset(&out);
		buf_put_str(&out, "</stream:stream");
		put_times(&out, 2 * LIMIT_STANZA_BYTES_FLOOR, " ");
		assert_int_equal(
			xml_reader_feed(r, span_sub(buf_span(&out), 0, 16000)),
			FED_ELIMIT);
		xml_reader_free(r);
	}
	buf_deinit(&out);
}

/* ---- memory ---- */

/* Invented names for megabytes, in stanzas that are skipped and in others
 * between them: the stream goes on, and nothing is remembered. */
static void names_of_skipped_stanzas(void **state)
{
	struct xml_reader *r = lenient_reader(LIMIT_STANZA_BYTES);
	struct buf in;
	struct buf out;
	size_t before;
	int i = 0;

	(void)state;
	buf_init(&in, LIMIT_SKIPPED_BYTES);
	buf_init(&out, LIMIT_STANZA_BYTES);
	assert_int_equal(feed_str(r, "<iq/>", &out), 0);
	for (int round = 0; round < 2; round++) {
		buf_reset(&in);
		buf_put_str(&in, M ">");
		while (buf_len(&in) < 3u * 1024 * 1024)
			buf_printf(&in, "<e%d a%d=''/>", i, i), i++;
		buf_put_str(&in, "</message>");
		for (int k = 0; k < 200; k++)
			buf_printf(&in, "<iq b%d=''/>", i), i++;
		before = heap_in_use();
		for (size_t at = 0; at < buf_len(&in); at += 1448) {
			buf_reset(&out);
			assert_int_equal(
				feed_all(r,
					 span_sub(buf_span(&in), at, at + 1448),
					 1448, &out),
				0);
			assert_heap_below(before, 3000000);
		}
	}
	/* little is kept, wherever in a stanza the peer falls silent */
	assert_int_equal(feed_str(r, M ">", &out), 0);
	for (int k = 0; k < DEEP; k++)
		assert_int_equal(feed_str(r, "<a>", &out), 0);
	before = heap_in_use();
	for (int k = 0; k < 1000; k++)
		assert_int_equal(feed_str(r, "<a b='xxxxxxxxxxxxxxxxx'>", &out),
				 0);
	assert_heap_below(before, 4096);
	xml_reader_free(r);
	buf_deinit(&in);
	buf_deinit(&out);
}

/* As many as a packet can hold: names of all stay readable until they are
 * drained, and no parser is kept for them. */
static void many_in_one_feed(void **state)
{
	struct xml_reader *r = lenient_reader(LIMIT_STANZA_BYTES);
	struct xml_event e;
	struct buf in;
	char want[32];
	size_t before;
	int count = 0;

	(void)state;
	buf_init(&in, LIMIT_READ_BYTES);
	while (buf_len(&in) < LIMIT_READ_BYTES - 400) {
		buf_printf(&in, "<n%d id='i%d'>", count, count);
		put_times(&in, DEEP, "<a>");
		put_times(&in, DEEP, "</a>");
		buf_printf(&in, "</n%d><x%d/>", count, count);
		count++;
	}
	before = heap_in_use();
	assert_int_equal(xml_reader_feed(r, buf_span(&in)), 0);
	assert_heap_below(before, 400000);
	for (int i = 0; i < count; i++) {
		assert_true(xml_reader_next(r, &e));
		assert_true(e.el->is_stub);
		(void)snprintf(want, sizeof(want), "n%d", i);
		assert_string_equal(e.el->name, want);
		(void)snprintf(want, sizeof(want), "i%d", i);
		assert_string_equal(xml_attr_get(e.el, "id"), want);
		assert_true(xml_reader_next(r, &e));
		assert_false(e.el->is_stub);
		(void)snprintf(want, sizeof(want), "x%d", i);
		assert_string_equal(e.el->name, want);
	}
	assert_false(xml_reader_next(r, &e));
	xml_reader_free(r);
	buf_deinit(&in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(skipped_split_anywhere),
		cmocka_unit_test(strict_before),
		cmocka_unit_test(sizes),
		cmocka_unit_test(longest_address_is_kept),
		cmocka_unit_test(ten_thousand_deep),
		cmocka_unit_test(refused_inside),
		cmocka_unit_test(names_of_skipped_stanzas),
		cmocka_unit_test(many_in_one_feed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
