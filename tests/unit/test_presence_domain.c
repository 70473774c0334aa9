/* XMPP domains that can be reached or not, and the watches of their users. */
#include "presence_harness.h"

static void fail_domain(struct fixture *f, const char *name)
{
	presence_on_stream(f->p, span_str(name), PRESENCE_STREAM_FAILED,
			   f->now);
}

/* An edge that tells of domains that nobody watches, invented or not, takes
 * neither memory nor time. */
static void test_nobody_watches(void **state)
{
	struct fixture *f = *state;
	char name[32];

	presence_on_channel(f->p, true, false, f->now);
	settle(f);
	for (int i = 0; i < 10000; i++) {
		(void)snprintf(name, sizeof(name), "d%d.example", i);
		fail_domain(f, name);
	}
	assert_true(presence_deadline_ms(f->p) == UINT64_MAX);
}

/* A lost one goes with its last watch, and is found again with the next. */
static void test_last_watch_goes(void **state)
{
	struct fixture *f = *state;
	struct sip_request_in q = request_of(f, "SUBSCRIBE");

	presence_on_channel(f->p, true, false, f->now);
	q.request_uri = q.to_uri = SPAN_LIT("sip:" JULIET);
	q.from_uri = SPAN_LIT("sip:" ROMEO);
	q.from_tag = SPAN_LIT("w");
	q.call_id = SPAN_LIT("a");
	q.contact_uri = SPAN_LIT("sip:w@192.0.2.1");
	q.cseq = 1;
	q.has_expires = true;
	q.expires = 3600;
	presence_on_sip_request(f->p, &q, f->now);
	settle(f);
	fail_domain(f, "example.com");
	assert_true(presence_deadline_ms(f->p) <= f->now + 1000);
	from_xmpp(f, JULIET, ROMEO, "no", FED__PRESENCE_TYPE__UNSUBSCRIBED);
	settle(f);
	respond(f, 481);
	settle(f);
	assert_true(presence_deadline_ms(f->p) == UINT64_MAX);
	/* it is not believed to be away for who comes now */
	fail_domain(f, "example.com");
	q.handle++;
	q.call_id = SPAN_LIT("b");
	presence_on_sip_request(f->p, &q, f->now);
	drain(f);
	assert_non_null(strstr(f->text, "subscribe"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_nobody_watches),
		T(test_last_watch_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
