/* <see-other-host/>: every shape. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "edge-proxy/core/other_host.h"

static const struct {
	const char *text;
	const char *host; /* NULL: refused */
	bool is_address;
	uint16_t port;
} rows[] = {
	{"other.example", "other.example", false, 5269},
	{" \n OTHER.example. ", "other.example", false, 5269},
	{"other.example:1", "other.example", false, 1},
	{"other.example:65535", "other.example", false, 65535},
	{"m\xC3\xBCller.example", "m\xC3\xBCller.example", false, 5269},
	{"192.0.2.1", "192.0.2.1", true, 5269},
	{"192.0.2.1:7", "192.0.2.1", true, 7},
	{"[2001:db8::1]", "2001:db8::1", true, 5269},
	{"[::1]:80", "::1", true, 80},
	{"", NULL, false, 0},
	{" ", NULL, false, 0},
	{":5269", NULL, false, 0},
	{"other.example:", NULL, false, 0},
	{"other.example:0", NULL, false, 0},
	{"other.example:65536", NULL, false, 0},
	{"other.example:-1", NULL, false, 0},
	{"other.example: 1", NULL, false, 0},
	{"other.example:x", NULL, false, 0},
	{"other.example:1:2", NULL, false, 0},
	{"2001:db8::1", NULL, false, 0},
	{"[2001:db8::1", NULL, false, 0},
	{"[2001:db8::1]5269", NULL, false, 0},
	{"[other.example]", NULL, false, 0},
	{"[]", NULL, false, 0},
	{"[fe80::1%eth0]", NULL, false, 0},
	{"a b.example", NULL, false, 0},
	{"a@b.example", NULL, false, 0},
	{"b.example/r", NULL, false, 0},
};

static void parse(void **state)
{
	struct other_host h;

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		int err = other_host_parse(span_str(rows[i].text), &h);

		if (rows[i].host == NULL) {
			if (err != FED_EINVAL)
				fail_msg("%s: %s", rows[i].text, h.host);
			continue;
		}
		if (err != 0 || strcmp(h.host, rows[i].host) != 0 ||
		    h.port != rows[i].port ||
		    h.is_address != rows[i].is_address)
			fail_msg("%s: %d %s %u", rows[i].text, err, h.host,
				 h.port);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
