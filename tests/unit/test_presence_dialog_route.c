/* Route sets of dialogs (RFC 3261 12.1, 12.2.1.1). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "base/limits.h"
#include "fe-gateway/core/dialog_route.h"

struct fixture {
	struct arena a;
};

static int setup(void **state)
{
	static struct fixture f;

	arena_init(&f.a, 1u << 20);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	arena_deinit(&f->a);
	return 0;
}

static void assert_text(const char *is, const char *expect)
{
	if (expect == NULL)
		assert_null(is);
	else if (is == NULL)
		fail_msg("none instead of %s", expect);
	else
		assert_string_equal(is, expect);
}

/* Record-Route of a request, and of a response to ours. */
static void test_record_route(void **state)
{
	static const struct {
		const char *records;
		int err;
		const char *in_order;
		const char *reversed;
	} rows[] = {
		{"", 0, NULL, NULL},
		{" , ,", 0, NULL, NULL},
		{"<sip:p1;lr>", 0, "<sip:p1;lr>", "<sip:p1;lr>"},
		/* V5, V6 */
		{"<sip:p2;lr>, <sip:p1;lr>", 0, "<sip:p2;lr>, <sip:p1;lr>",
		 "<sip:p1;lr>, <sip:p2;lr>"},
		{"<sip:a;lr>,<sip:b;lr>,\t<sip:c;lr>", 0,
		 "<sip:a;lr>, <sip:b;lr>, <sip:c;lr>",
		 "<sip:c;lr>, <sip:b;lr>, <sip:a;lr>"},
		/* commas that do not separate; header parameters stay */
		{"\"a, <b\\\", c\" <sip:x,y@p2;lr>;q=1, <sip:p1;lr;z=a,b>", 0,
		 "\"a, <b\\\", c\" <sip:x,y@p2;lr>;q=1, <sip:p1;lr;z=a,b>",
		 "<sip:p1;lr;z=a,b>, \"a, <b\\\", c\" <sip:x,y@p2;lr>;q=1"},
		{"sip:p1;lr", FED_EINVAL, NULL, NULL},
		{"<sip:p1;lr>, sip:p2", FED_EINVAL, NULL, NULL},
		{"<sip:p1;lr", FED_EINVAL, NULL, NULL},
		{"\"p <sip:p1;lr>", FED_EINVAL, NULL, NULL},
		{"<>", FED_EINVAL, NULL, NULL},
		{"<sip:p 1;lr>", FED_EINVAL, NULL, NULL},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct span records = span_str(rows[i].records);
		const char *out = NULL;

		assert_int_equal(dialog_route_of_request(records, &f->a, &out),
				 rows[i].err);
		if (rows[i].err == 0)
			assert_text(out, rows[i].in_order);
		assert_int_equal(dialog_route_of_response(records, &f->a, &out),
				 rows[i].err);
		if (rows[i].err == 0)
			assert_text(out, rows[i].reversed);
	}
}

static void test_request(void **state)
{
	static const struct {
		const char *routes;
		const char *target;
		int err;
		struct dialog_route out;
	} rows[] = {
		{"", "sip:u@h", 0, {"sip:u@h", NULL, "sip:u@h"}},
		{"<sip:p1;lr>, <sip:p2;lr>",
		 "sip:u@h:5062;transport=tcp",
		 0,
		 {"sip:u@h:5062;transport=tcp", "<sip:p1;lr>, <sip:p2;lr>",
		  "sip:p1;lr"}},
		{"<sip:p1;transport=tcp;LR=on>",
		 "sip:u@h",
		 0,
		 {"sip:u@h", "<sip:p1;transport=tcp;LR=on>",
		  "sip:p1;transport=tcp;LR=on"}},
		/* V7: a strict router */
		{"<sip:p1>", "sip:T", 0, {"sip:p1", "<sip:T>", "sip:p1"}},
		{"<sip:p1>;x=y, \"a, b\" <sip:p2;lr>,<sip:p3>",
		 "sip:u@h",
		 0,
		 {"sip:p1", "\"a, b\" <sip:p2;lr>,<sip:p3>, <sip:u@h>",
		  "sip:p1"}},
		/* lr elsewhere is no lr */
		{"<sip:a;lr@p1;lrx=1?lr=1>;lr",
		 "sip:T",
		 0,
		 {"sip:a;lr@p1;lrx=1", "<sip:T>", "sip:a;lr@p1;lrx=1"}},
		/* what would become headers of our request */
		{"",
		 "sip:u@h;x=1?Route=%3Csip:evil%3E&Subject=a",
		 0,
		 {"sip:u@h;x=1", NULL, "sip:u@h;x=1"}},
		{"",
		 "sip:u?a;b@h?X=y",
		 0,
		 {"sip:u?a;b@h", NULL, "sip:u?a;b@h"}},
		{"",
		 "sip:u@[2001:db8::1]:5070;Method=INVITE;ob",
		 0,
		 {"sip:u@[2001:db8::1]:5070;ob", NULL,
		  "sip:u@[2001:db8::1]:5070;ob"}},
		{"", "sip:u@[2001:db8?X=y]:5140", FED_EINVAL, {NULL}},
		{"", "sip:u@[2001:db8;x=y]", FED_EINVAL, {NULL}},
		{"", "", FED_EINVAL, {NULL}},
		{"", "tel:+1", FED_EINVAL, {NULL}},
		{"", "sip:a b@h", FED_EINVAL, {NULL}},
		{"", "sip:u@h>,<sip:x", FED_EINVAL, {NULL}},
		{"<tel:1>", "sip:u@h", FED_EINVAL, {NULL}},
		{"sip:p1;lr", "sip:u@h", FED_EINVAL, {NULL}},
		{"<sip:p1;lr", "sip:u@h", FED_EINVAL, {NULL}},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct dialog_route out;

		assert_int_equal(dialog_route_request(span_str(rows[i].routes),
						      span_str(rows[i].target),
						      &f->a, &out),
				 rows[i].err);
		if (rows[i].err != 0)
			continue;
		assert_text(out.request_uri, rows[i].out.request_uri);
		assert_text(out.routes, rows[i].out.routes);
		assert_text(out.destination, rows[i].out.destination);
	}
}

/* Entries and bytes at their limits and one above. */
static void test_limits(void **state)
{
	static char many[LIMIT_DIALOG_ROUTES_BYTES + 2];
	static char uri[LIMIT_SIP_URI_BYTES + 2] = "sip:h;";
	struct fixture *f = *state;
	struct dialog_route route;
	const char *out;
	size_t n = 0;

	for (size_t i = 0; i < LIMIT_DIALOG_ROUTES; i++) {
		memcpy(many + n, "<sip:p;lr>,", 11);
		n += 11;
	}
	assert_int_equal(dialog_route_of_request(span_of(many, n), &f->a, &out),
			 0);
	memcpy(many + n, "<sip:p;lr>", 10);
	n += 10;
	assert_int_equal(
		dialog_route_of_response(span_of(many, n), &f->a, &out),
		FED_ELIMIT);
	memset(many, 'a', sizeof(many));
	memcpy(many, "<sip:", 5);
	many[LIMIT_DIALOG_ROUTES_BYTES - 1] = '>';
	assert_int_equal(
		dialog_route_of_request(
			span_of(many, LIMIT_DIALOG_ROUTES_BYTES), &f->a, &out),
		0);
	assert_int_equal(dialog_route_of_request(
				 span_of(many, LIMIT_DIALOG_ROUTES_BYTES + 1),
				 &f->a, &out),
			 FED_ELIMIT);
	memset(uri + 6, 'a', LIMIT_SIP_URI_BYTES - 5);
	assert_int_equal(dialog_route_request(SPAN_NULL,
					      span_of(uri, LIMIT_SIP_URI_BYTES),
					      &f->a, &route),
			 0);
	assert_int_equal(
		dialog_route_request(SPAN_NULL,
				     span_of(uri, LIMIT_SIP_URI_BYTES + 1),
				     &f->a, &route),
		FED_ELIMIT);
}

/* An arena without room is an error, not a shorter way. */
static void test_no_memory(void **state)
{
	const struct span routes = SPAN_LIT("<sip:p1>, <sip:p2;lr>");
	struct dialog_route route;
	const char *out;
	struct arena a;
	size_t max = 0;
	int err;

	(void)state;
	do {
		arena_init(&a, max++);
		err = dialog_route_of_response(routes, &a, &out);
		if (err == 0)
			err = dialog_route_request(
				span_str(out), SPAN_LIT("sip:u@h"), &a, &route);
		arena_deinit(&a);
		assert_true(err == 0 || err == FED_ENOMEM);
		assert_true(max < 4096);
	} while (err != 0);
	assert_true(max > 40);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_record_route),
		T(test_request),
		T(test_limits),
		T(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
