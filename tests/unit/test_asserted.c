/* P-Asserted-Identity, RFC 3325. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "fe-gateway/core/asserted.h"

static void test_rows(void **state)
{
	static const struct {
		const char *value;
		const char *uri;
	} rows[] = {
		{"<sip:a@b.example>", "sip:a@b.example"},
		{"\"A, <sip:x@y>\\\" B\" <sip:a@b.example>", "sip:a@b.example"},
		{"tel:+123", ""},
		{"tel:+123, <sip:a@b.example>", "sip:a@b.example"},
		{"<tel:+123>,\"A\"<SIP:a@b.example;x=y>,<sip:c@d>",
		 "SIP:a@b.example;x=y"},
		{" sip:a@b.example ", "sip:a@b.example"},
		{"<sips:a@b.example>", ""},
		{"<sip:a@b.example", ""},
		{"\"open <sip:a@b.example>", ""},
		{"\"open\\", ""},
		{",,<sip:a@b>", "sip:a@b"},
		{"<>", ""},
		{"sip:", ""},
		{"", ""},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++)
		if (!span_eq_str(asserted_sip_uri(span_str(rows[i].value)),
				 rows[i].uri))
			fail_msg("%s", rows[i].value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
