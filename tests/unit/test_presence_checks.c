/* What SUBSCRIBE and NOTIFY must pass (RFC 3261 8.2, RFC 6665), and what
 * Accept takes. */
#include "message_map_harness.h"
#include "fe-gateway/core/media_range.h"
#include "fe-gateway/core/sip_checks.h"

static const char *const DOMAINS[] = {"example.net"};
static const char *const TRUSTED[] = {"192.0.2.1"};
static const struct sip_checks_params CHECKS = {
	.domains = DOMAINS,
	.domain_count = 1,
	.trusted = TRUSTED,
	.trusted_count = 1,
};

enum { PASS = 0 };

static struct sip_reply check(const struct sip_request_in *in, bool is_merged,
			      int status)
{
	struct sip_reply r = {.accept = NULL};
	const char *why;
	enum sip_checks_verdict v =
		sip_checks(&CHECKS, in, is_merged, &r, &why);

	if (status == PASS)
		assert_int_equal(v, SIP_CHECKS_PASS);
	else
		assert_int_equal(v,
				 status == 403 && strcmp(why, "untrusted") == 0
					 ? SIP_CHECKS_UNTRUSTED
					 : SIP_CHECKS_REPLY);
	if (status != PASS && r.line.status != status)
		fail_msg("%d (%s) instead of %d", r.line.status, why, status);
	return r;
}

static struct sip_request_in subscribe(const struct fixture *f)
{
	struct sip_request_in in = f->in;

	in.method = SPAN_LIT("SUBSCRIBE");
	in.contact_uri = SPAN_LIT("sip:romeo@192.0.2.9");
	in.has_event = true;
	in.event = SPAN_LIT("presence");
	in.body = in.content_type = SPAN_NULL;
	return in;
}

/* In a dialog; the Request-URI is our Contact. */
static struct sip_request_in notify(const struct fixture *f)
{
	struct sip_request_in in = subscribe(f);

	in.method = SPAN_LIT("NOTIFY");
	in.request_uri = SPAN_LIT("sip:10.0.0.1:5060;transport=tcp");
	in.has_to_tag = true;
	in.to_tag = SPAN_LIT("tt");
	in.subscription_state = SPAN_LIT("active;expires=60");
	in.content_type = SPAN_LIT("application/pidf+xml");
	in.body = SPAN_LIT("<presence/>");
	return in;
}

/* One change of a good request, and the answer. */
struct row {
	size_t at; /* span of sip_request_in */
	const char *value;
	int status;
};

#define AT(field) offsetof(struct sip_request_in, field)

static void play(const struct sip_request_in *good, const struct row *rows,
		 size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct sip_request_in in = *good;

		*(struct span *)((char *)&in + rows[i].at) =
			span_str(rows[i].value);
		in.has_accept = in.accept.p != NULL;
		(void)check(&in, false, rows[i].status);
	}
}

static void test_subscribe(void **state)
{
	static const struct row rows[] = {
		{AT(event), "presence", PASS},
		{AT(event), NULL, 489},
		{AT(event), "dialog", 489}, /* P39 */
		{AT(event), "Presence", 489},
		{AT(event), "presence.winfo", 489},
		{AT(accept), "application/pidf+xml", PASS},
		{AT(accept), "application/xpidf+xml", 406}, /* P40 */
		{AT(accept), "", 406},
		{AT(accept), "text/plain, */*;q=0.1", PASS},
		{AT(contact_uri), NULL, 400},
		{AT(contact_uri), "*", 400},
		{AT(contact_uri), "tel:+1", 400},
		{AT(contact_uri), "pres:romeo@example.net", 400},
		{AT(contact_uri), "sips:romeo@h", PASS},
		{AT(request_uri), "sips:juliet@example.com", 480},
		{AT(to_uri), "sips:juliet@example.com", 480},
		{AT(request_uri), "sip:example.com", 404},
		{AT(request_uri), "sip:%20juliet@example.com", 404},
		{AT(request_uri), "sip:tybalt@EXAMPLE.net", 404},
		{AT(request_uri), "tel:+1", 416},
		{AT(from_uri), "sip:romeo@evil.example", 403},
		{AT(from_uri), "sip:example.net", 400},
		{AT(from_tag), NULL, 400},
		{AT(from_uri), "sip:a%00b@example.net", 400},
		{AT(require), "foo", 420},
		{AT(source), "192.0.2.10", 403},
		/* of no matter here */
		{AT(content_type), "application/foo", PASS},
		{AT(subscription_state), "active", PASS},
	};
	struct sip_request_in in = subscribe(*state);
	struct sip_reply r;

	play(&in, rows, FED_ARRAY_LEN(rows));
	r = check(&in, true, 482);
	in.event = SPAN_LIT("dialog");
	r = check(&in, false, 489);
	assert_string_equal(r.allow_events, "presence");
	in = subscribe(*state);
	in.has_accept = true;
	r = check(&in, false, 406);
	assert_string_equal(r.accept, "application/pidf+xml");
	in.header_status = 513;
	(void)check(&in, false, 513);
}

/* A dialog is what it is; only the request itself is looked at. */
static void test_refresh(void **state)
{
	static const struct row rows[] = {
		{AT(request_uri), "sip:10.0.0.1:5060;transport=tcp", PASS},
		{AT(request_uri), "sip:gw@example.net", PASS},
		{AT(from_uri), "sip:anonymous@anonymous.invalid", PASS},
		{AT(contact_uri), NULL, PASS},
		{AT(contact_uri), "*", 400},
		{AT(event), NULL, 489},
		{AT(accept), "text/plain", 406},
		{AT(require), "foo", 420},
		{AT(request_uri), "a b", 400},
		{AT(source), "192.0.2.10", 403},
	};
	struct sip_request_in in = subscribe(*state);

	in.has_to_tag = true;
	play(&in, rows, FED_ARRAY_LEN(rows));
	/* a request that is in order; the dialog has CSeq against copies */
	(void)check(&in, true, PASS);
}

static void test_notify(void **state)
{
	static const struct row rows[] = {
		{AT(event), "presence", PASS},
		{AT(event), "dialog", 489},
		{AT(event), NULL, 489},
		{AT(subscription_state), NULL, 400},
		{AT(subscription_state), "pending", PASS},
		{AT(contact_uri), NULL, PASS},
		{AT(content_type), "Application/PIDF+xml", PASS},
		{AT(content_type), "application/xpidf+xml", 415},
		{AT(content_type), "text/plain", 415},
		{AT(content_type), NULL, 415},
		{AT(content_encoding), "gzip", 415},
		{AT(content_encoding), "Identity", PASS},
		{AT(body), NULL, PASS},
		{AT(from_uri), "sip:romeo@evil.example", PASS},
		{AT(request_uri), "sips:10.0.0.1", 480},
		{AT(require), "foo", 420},
		{AT(source), "192.0.2.10", 403},
	};
	struct sip_request_in in = notify(*state);
	struct sip_reply r;

	play(&in, rows, FED_ARRAY_LEN(rows));
	in.content_type = SPAN_LIT("text/plain");
	r = check(&in, false, 415);
	assert_string_equal(r.accept, "application/pidf+xml");
	in.body = SPAN_NULL;
	(void)check(&in, false, PASS);
	/* whose would it be? */
	in.has_to_tag = false;
	(void)check(&in, false, 481);
}

static void test_others(void **state)
{
	struct sip_request_in in = notify(*state);
	struct sip_reply r;

	/* MESSAGE and OPTIONS have no dialogs, and no headers of events */
	in.method = SPAN_LIT("MESSAGE");
	(void)check(&in, false, 481);
	in = ((struct fixture *)*state)->in;
	in.header_status = 400;
	(void)check(&in, false, PASS);
	in.method = SPAN_LIT("OPTIONS");
	r = check(&in, false, 200);
	assert_string_equal(r.allow_events, "presence");
	assert_non_null(strstr(r.accept, "application/pidf+xml"));
	assert_non_null(strstr(r.accept, "text/plain"));
}

static void test_media_range(void **state)
{
	static const struct {
		const char *list;
		bool is_allowed;
	} rows[] = {
		{"application/pidf+xml", true},
		{"APPLICATION/Pidf+XML", true},
		{"*/*", true},
		{"*", true},
		{"application/*", true},
		{"Application/*;q=0.2", true},
		{"", false},
		{" , ,", false},
		{"application/xpidf+xml", false},
		{"application/pidf+xml2", false},
		{"application/pidf+xm", false},
		{"text/*, app/*", false},
		{"text/plain,application/pidf+xml;q=0.7", true},
		{"application/pidf+xml;q=0", false},
		{"application/pidf+xml ; Q = 0.000 ", false},
		{"application/pidf+xml;q=0.001", true},
		{"application/pidf+xml;q=1", true},
		{"application/pidf+xml;x=0", true},
		{"application/pidf+xml;q", true},
		/* the one that says most, wherever it stands */
		{"*/*, application/pidf+xml;q=0", false},
		{"application/pidf+xml;q=0, */*, application/*", false},
		{"application/*;q=0, */*", false},
		{"*/*;q=0, application/*", true},
		{"*/*;q=0, application/pidf+xml", true},
		/* what is quoted does not separate */
		{"text/plain;x=\", application/pidf+xml\"", false},
		{"text/plain;x=\"\\\", */*\", application/pidf+xml", true},
		{"application/pidf+xml;x=\";q=0\"", true},
		{"text/plain;x=\"application/pidf+xml", false},
		{"text/plain;x=\"\\", false},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++)
		if (media_range_allows(span_str(rows[i].list),
				       SPAN_LIT("application/pidf+xml")) !=
		    rows[i].is_allowed)
			fail_msg("%s", rows[i].list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_subscribe), T(test_refresh),	T(test_notify),
		T(test_others),	   T(test_media_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
