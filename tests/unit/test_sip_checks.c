/* What a request must pass: RFC 3261 8.2. */
#include "message_map_harness.h"
#include "fe-gateway/core/sip_checks.h"

static const char *const DOMAINS[] = {"example.net"};
static const char *const TRUSTED[] = {"192.0.2.1"};
static const struct sip_checks_params CHECKS = {
	.domains = DOMAINS,
	.domain_count = 1,
	.trusted = TRUSTED,
	.trusted_count = 1,
};

static struct sip_reply check(struct fixture *f, bool is_merged,
			      enum sip_checks_verdict expect)
{
	struct sip_reply r = {.accept = NULL};
	const char *why;

	assert_int_equal(sip_checks(&CHECKS, &f->in, is_merged, &r, &why),
			 expect);
	return r;
}

static void test_checks_methods(void **state)
{
	static const struct {
		const char *method;
		int status;
	} rows[] = {
		{"REGISTER", 405}, {"PUBLISH", 405}, /* V15 */
		{"INVITE", 405},   {"REFER", 405},
		{"FOO", 501},	   {"message", 501}, /* V16 */
		{"OPTIONS", 200},
	};
	struct fixture *f = *state;

	(void)check(f, false, SIP_CHECKS_PASS);
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct sip_reply r;

		f->in.method = span_str(rows[i].method);
		r = check(f, false, SIP_CHECKS_REPLY);
		assert_int_equal(r.line.status, rows[i].status);
		assert_string_equal(r.allow, "MESSAGE, OPTIONS, SUBSCRIBE, "
					     "NOTIFY, CANCEL, ACK");
	}
	f->in.method = SPAN_LIT("ACK");
	(void)check(f, false, SIP_CHECKS_DROP);
}

static void test_checks_source(void **state)
{
	struct fixture *f = *state;

	f->in.source = SPAN_LIT("192.0.2.10");
	assert_int_equal(check(f, false, SIP_CHECKS_UNTRUSTED).line.status,
			 403);
	f->in.source = SPAN_NULL;
	(void)check(f, false, SIP_CHECKS_UNTRUSTED);
}

static void test_checks_rest(void **state)
{
	struct fixture *f = *state;
	struct sip_request_in good = f->in;
	struct sip_reply r;

	/* IM20, C28 */
	f->in.request_uri = SPAN_LIT("sips:juliet@example.com");
	r = check(f, false, SIP_CHECKS_REPLY);
	assert_int_equal(r.line.status, 480);
	assert_string_equal(r.warning, "SIPS Not Allowed");
	f->in = good;
	f->in.to_uri = SPAN_LIT("sips:juliet@example.com");
	assert_int_equal(check(f, false, SIP_CHECKS_REPLY).line.status, 480);
	f->in.request_uri = SPAN_LIT("soap.beep://192.0.2.103:3002");
	assert_int_equal(check(f, false, SIP_CHECKS_REPLY).line.status, 416);
	f->in = good;
	f->in.has_to_tag = true;
	assert_int_equal(check(f, false, SIP_CHECKS_REPLY).line.status, 481);
	f->in = good; /* V13 */
	assert_int_equal(check(f, true, SIP_CHECKS_REPLY).line.status, 482);
	f->in.require = SPAN_LIT("foo, bar"); /* V17 */
	r = check(f, false, SIP_CHECKS_REPLY);
	assert_int_equal(r.line.status, 420);
	assert_string_equal(r.unsupported, "foo, bar");
	f->in = good; /* IM15 */
	f->in.content_type = SPAN_LIT("application/foo");
	r = check(f, false, SIP_CHECKS_REPLY);
	assert_int_equal(r.line.status, 415);
	assert_non_null(strstr(r.accept, "text/plain"));
	f->in.content_type = SPAN_LIT("multipart/mixed");
	(void)check(f, false, SIP_CHECKS_PASS);
	f->in = good;
	f->in.content_encoding = SPAN_LIT("gzip");
	r = check(f, false, SIP_CHECKS_REPLY);
	assert_int_equal(r.line.status, 415);
	assert_non_null(r.accept_encoding);
	f->in = good; /* V29 */
	f->in.from_uri = SPAN_LIT("sip:romeo@evil.example");
	assert_int_equal(check(f, false, SIP_CHECKS_REPLY).line.status, 403);
	f->in = good; /* loop */
	f->in.request_uri = SPAN_LIT("sip:tybalt@EXAMPLE.net");
	assert_int_equal(check(f, false, SIP_CHECKS_REPLY).line.status, 404);
}

/* lwsruri, badaspec: what is no URI is 400, whatever the method */
static void test_checks_syntax(void **state)
{
	static const char *const rows[] = {"", "sip:a b@example.com",
					   " sip:juliet@example.com"};
	struct fixture *f = *state;
	struct sip_request_in good = f->in;

	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		f->in.method = SPAN_LIT("INVITE");
		f->in.request_uri = span_str(rows[i]);
		assert_int_equal(check(f, false, SIP_CHECKS_REPLY).line.status,
				 400);
		f->in = good;
		f->in.to_uri = span_str(rows[i]);
		assert_int_equal(check(f, false, SIP_CHECKS_REPLY).line.status,
				 400);
		f->in = good;
		f->in.from_uri = span_str(rows[i]);
		assert_int_equal(check(f, false, SIP_CHECKS_REPLY).line.status,
				 400);
		f->in = good;
	}
	f->in.to_uri = SPAN_LIT("isbn:2983792873"); /* unksm2 */
	(void)check(f, false, SIP_CHECKS_PASS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_checks_methods),
		T(test_checks_source),
		T(test_checks_syntax),
		T(test_checks_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
