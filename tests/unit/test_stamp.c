/* XEP-0082 dates and times: read, and printed again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/span.h"
#include "edge-proxy/core/stamp.h"

static void stamps(void **state)
{
	static const struct {
		const char *in;
		int64_t ms;
		const char *out; /* NULL: as in; "": refused */
	} rows[] = {
		{"1970-01-01T00:00:00Z", 0, NULL},
		{"1969-07-21T02:56:15Z", -14159025000, NULL},
		{"1969-07-20T21:56:15-05:00", -14159025000,
		 "1969-07-21T02:56:15Z"},
		{"2000-02-29T23:59:59.999Z", 951868799999, NULL},
		{"2024-12-31T23:59:60Z", 1735689600000, "2025-01-01T00:00:00Z"},
		{"0001-01-01T00:00:00Z", -62135596800000, NULL},
		{"9999-12-31T23:59:59.999Z", 253402300799999, NULL},
		{"1970-01-01T00:00:00.1Z", 100, "1970-01-01T00:00:00.100Z"},
		{"1970-01-01T00:00:00.0019Z", 1, "1970-01-01T00:00:00.001Z"},
		{"1900-02-29T00:00:00Z", 0, ""},
		{"0001-01-01T00:00:00+00:01", 0, ""},
		{"0000-01-01T00:00:00Z", 0, ""},
		{"1970-13-01T00:00:00Z", 0, ""},
		{"1970-04-31T00:00:00Z", 0, ""},
		{"1970-01-01T24:00:00Z", 0, ""},
		{"1970-01-01T00:60:00Z", 0, ""},
		{"1970-01-01T00:00:61Z", 0, ""},
		{"1970-01-01T00:00:00", 0, ""},
		{"1970-01-01T00:00:00.Z", 0, ""},
		{"1970-01-01T00:00:00Zx", 0, ""},
		{"1970-01-01 00:00:00Z", 0, ""},
		{"1970-01-01T00:00:00+0100", 0, ""},
		{"1970-1-1T00:00:00Z", 0, ""},
		{"", 0, ""},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		bool is_refused = rows[i].out != NULL && rows[i].out[0] == '\0';
		char out[STAMP_TEXT_BYTES + 1];
		int64_t ms = 0;
		int err = stamp_parse(span_str(rows[i].in), &ms);

		if ((err != 0) != is_refused)
			fail_msg("%s", rows[i].in);
		if (is_refused)
			continue;
		assert_true(ms == rows[i].ms);
		assert_int_equal(stamp_format(ms, out), 0);
		assert_string_equal(out, rows[i].out == NULL ? rows[i].in
							     : rows[i].out);
	}
	assert_int_equal(stamp_format(INT64_MIN, (char[25]){0}), FED_EINVAL);
	assert_int_equal(stamp_format(INT64_MAX, (char[25]){0}), FED_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stamps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
