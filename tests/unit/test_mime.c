/* Text inside multipart and message/cpim: RFC 2046 5.1, RFC 3862. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "fe-gateway/core/mime.h"

#define MIXED "multipart/mixed"
#define PLAIN "Content-Type: text/plain\r\n\r\n"
#define HTML "Content-Type: text/html\r\n\r\n"
#define OTHER "Content-Type: application/foo\r\n\r\n"

struct row {
	const char *name;
	const char *type;
	const char *boundary;
	const char *body;
	int err;
	const char *part_type; /* "": not said */
	const char *text;
};

static const struct row ROWS[] = {
	{"plain", "text/plain", "", "hello", 0, "text/plain", "hello"},
	{"no type", "", "", "hello", 0, "", "hello"},
	{"upper case", "TEXT/Plain", "", "hello", 0, "TEXT/Plain", "hello"},
	{"other", "application/foo", "", "x", FED_ENOTFOUND, NULL, NULL},
	{"first plain", MIXED, "b",
	 "--b\r\n" HTML "<b>x</b>\r\n--b\r\n" PLAIN "one\r\n--b\r\n" PLAIN
	 "two\r\n--b--\r\n",
	 0, "text/plain", "one"},
	{"html when there is no plain", "multipart/alternative", "b",
	 "--b\r\n" OTHER "x\r\n--b\r\n" HTML "<b>x</b>\r\n--b--", 0,
	 "text/html", "<b>x</b>"},
	{"nothing to read", MIXED, "b", "--b\r\n" OTHER "x\r\n--b--",
	 FED_ENOTFOUND, NULL, NULL},
	{"a part without headers is text/plain", MIXED, "b",
	 "--b\r\n\r\nbare\r\n--b--", 0, "text/plain", "bare"},
	{"what stands before and behind is no part", MIXED, "b",
	 "This is MIME.\r\n--b\r\n" PLAIN "in\r\n--b--\r\n" PLAIN "behind", 0,
	 "text/plain", "in"},
	{"a text keeps its line ends", MIXED, "b",
	 "--b\r\n" PLAIN "one\r\n\r\ntwo\r\n\r\n--b--", 0, "text/plain",
	 "one\r\n\r\ntwo\r\n"},
	{"LF alone ends lines too", MIXED, "b",
	 "--b\nContent-Type: text/plain\n\nx\n--b--\n", 0, "text/plain", "x"},
	{"an empty part", MIXED, "b", "--b\r\n" PLAIN "\r\n--b--", 0,
	 "text/plain", ""},
	{"no part", MIXED, "b", "--b--\r\n", FED_ENOTFOUND, NULL, NULL},
	{"never closed", MIXED, "b", "--b\r\n" PLAIN "open", 0, "text/plain",
	 "open"},
	{"a boundary inside a line is text", MIXED, "b",
	 "--b\r\n" PLAIN "x --b\r\n--bc\r\n--b--", 0, "text/plain",
	 "x --b\r\n--bc"},
	{"white space behind a boundary", MIXED, "b",
	 "--b \t\r\n" PLAIN "x\r\n--b-- \r\n", 0, "text/plain", "x"},
	{"no boundary", MIXED, "", "--\r\n" PLAIN "x\r\n----", FED_EPROTO, NULL,
	 NULL},
	{"no delimiter", MIXED, "b", PLAIN "x", FED_EPROTO, NULL, NULL},
	{"an attachment is not the message", MIXED, "b",
	 "--b\r\nContent-Disposition: attachment; filename=a\r\n" PLAIN
	 "file\r\n--b\r\n" PLAIN "text\r\n--b--",
	 0, "text/plain", "text"},
	{"base64 is not read", MIXED, "b",
	 "--b\r\nContent-Transfer-Encoding: base64\r\n" PLAIN "eA==\r\n--b--",
	 FED_ENOTFOUND, NULL, NULL},
	{"8bit is", MIXED, "b",
	 "--b\r\nContent-Transfer-Encoding: 8BIT\r\n" PLAIN "x\r\n--b--", 0,
	 "text/plain", "x"},
	{"a part in a part", MIXED, "a",
	 "--a\r\n" OTHER "x\r\n--a\r\nContent-Type: multipart/alternative;\r\n"
	 " boundary=\"b;=\"\r\n\r\n--b;=\r\n" PLAIN "deep\r\n--b;=--\r\n--a--",
	 0, "text/plain", "deep"},
	{"the text of the outer one is nearer", MIXED, "a",
	 "--a\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" PLAIN
	 "deep\r\n--b--\r\n--a\r\n" PLAIN "near\r\n--a--",
	 0, "text/plain", "near"},
	{"cpim", "message/cpim", "",
	 "From: <im:a@b>\r\nTo: <im:c@d>\r\n\r\n" PLAIN "hello", 0,
	 "text/plain", "hello"},
	{"cpim around multipart", "Message/CPIM", "",
	 "From: <im:a@b>\r\n\r\nContent-Type: multipart/mixed;boundary=b\r\n"
	 "\r\n--b\r\n" PLAIN "x\r\n--b--",
	 0, "text/plain", "x"},
	{"multipart around cpim", MIXED, "b",
	 "--b\r\nContent-Type: message/cpim\r\n\r\nFrom: <im:a@b>\r\n\r\n" PLAIN
	 "x\r\n--b--",
	 0, "text/plain", "x"},
	{"cpim in cpim", "message/cpim", "",
	 "From: <im:a@b>\r\n\r\nContent-Type: message/cpim\r\n\r\n"
	 "From: <im:a@b>\r\n\r\n" PLAIN "x",
	 FED_ENOTFOUND, NULL, NULL},
	{"cpim that requires", "message/cpim", "",
	 "From: <im:a@b>\r\nNS: X <urn:x>\r\nRequire: X.Vital\r\n\r\n" PLAIN
	 "x",
	 FED_ENOTFOUND, NULL, NULL},
	{"cpim of something else", "message/cpim", "",
	 "From: <im:a@b>\r\n\r\nContent-Type: message/imdn+xml\r\n\r\n<imdn/>",
	 FED_ENOTFOUND, NULL, NULL},
	{"cpim without an end", "message/cpim", "", "From: <im:a@b>\r\n",
	 FED_EPROTO, NULL, NULL},
	{"cpim of nonsense", "message/cpim", "", "nonsense\r\n\r\n" PLAIN "x",
	 FED_EPROTO, NULL, NULL},
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(ROWS); i++) {
		const struct row *r = &ROWS[i];
		struct mime_entity root = {.type = span_str(r->type),
					   .boundary = span_str(r->boundary),
					   .body = span_str(r->body)};
		struct mime_text t;
		int err = mime_find_text(&root, &t);

		if (err != r->err)
			fail_msg("%s: %d", r->name, err);
		if (err != 0)
			continue;
		if (!span_eq_str(t.part.type, r->part_type) ||
		    !span_eq_str(t.part.body, r->text))
			fail_msg("%s: \"%.*s\"", r->name, (int)t.part.body.n,
				 t.part.body.p);
	}
}

static void test_what_a_part_says(void **state)
{
	static const char body[] =
		"--b\r\nContent-Type: text/plain ; charset = \"ISO-8859-1\"\r\n"
		"content-language: cs, en\r\n\r\nx\r\n--b--";
	const struct mime_entity root = {.type = SPAN_LIT(MIXED),
					 .boundary = SPAN_LIT("b"),
					 .body = span_str(body)};
	struct mime_text t;

	(void)state;
	assert_int_equal(mime_find_text(&root, &t), 0);
	assert_true(span_eq_str(t.part.charset, "ISO-8859-1"));
	assert_true(span_eq_str(t.part.language, "cs"));
}

static void test_cpim_headers(void **state)
{
	static const char body[] =
		"From: Romeo <im:romeo@example.net>\r\n"
		"To: <im:juliet@example.com>\r\nTo: <im:other@example.com>\r\n"
		"DateTime: 2026-01-01T00:00:00Z\r\n"
		"Subject:;lang=fr Vol\\u00e9\\n\\\\ \\q\r\n"
		"Subject: second\r\nsubject: no header of that name\r\n"
		"\r\n" PLAIN "x";
	const struct mime_entity root = {.type = SPAN_LIT("message/cpim"),
					 .body = span_str(body)};
	struct mime_text t;
	struct buf b;

	(void)state;
	assert_int_equal(mime_find_text(&root, &t), 0);
	assert_true(span_eq_str(t.cpim_from, "im:romeo@example.net"));
	assert_true(span_eq_str(t.cpim_to, "im:juliet@example.com"));
	buf_init(&b, 100);
	assert_int_equal(mime_cpim_unescape(t.cpim_subject, &b), 0);
	assert_true(span_eq_str(buf_span(&b), "Vol\xC3\xA9\n\\ q"));
	buf_reset(&b);
	assert_int_equal(
		mime_cpim_unescape(SPAN_LIT("\\u20AC\\u0041\\uD800\\u12"
					    "\\u0000\\"),
				   &b),
		0);
	assert_true(span_eq_str(buf_span(&b), "\xE2\x82\xAC"
					      "AuD800u12u0000\\"));
	buf_deinit(&b);
}

/* Too many parts, too deep: an end in bounded time. */
static void test_bounds(void **state)
{
	enum { BYTES = 64 * 1024 };
	char *text = malloc(BYTES);
	struct mime_entity root = {.type = SPAN_LIT(MIXED),
				   .boundary = SPAN_LIT("b")};
	struct mime_text t;
	size_t n = 0;

	(void)state;
	assert_non_null(text);
	while (n + 4 <= BYTES) {
		memcpy(text + n, "--b\n", 4);
		n += 4;
	}
	root.body = span_of(text, n);
	/* parts of nothing: text/plain without a letter */
	assert_int_equal(mime_find_text(&root, &t), 0);
	assert_int_equal(t.part.body.n, 0);
	n = 0;
	for (unsigned i = 0; i <= LIMIT_MIME_DEPTH; i++) {
		static const char level[] =
			"--b\nContent-Type: multipart/mixed;boundary=b\n\n";

		memcpy(text + n, level, sizeof(level) - 1);
		n += sizeof(level) - 1;
	}
	root.body = span_of(text, n);
	assert_int_not_equal(mime_find_text(&root, &t), 0);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_what_a_part_says),
		cmocka_unit_test(test_cpim_headers),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
