/* A machine whose clock is wrong when it starts. */
#include "presence_harness.h"

static void subscribe(struct fixture *f)
{
	struct sip_request_in q = request_of(f, "SUBSCRIBE");

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
}

/* Behind: what would have expired in years does so as if it were new. */
static void test_behind(void **state)
{
	struct fixture *f = *state;

	presence_on_channel(f->p, true, false, f->now);
	subscribe(f);
	respond(f, 200);
	from_xmpp(f, JULIET, ROMEO, "yes", FED__PRESENCE_TYPE__SUBSCRIBED);
	settle(f);
	f->begun = 0;
	crash(f, 1000);
	presence_on_channel(f->p, true, false, f->now);
	pass(f, 1000);
	from_xmpp(f, JULIET "/x", ROMEO, "p", FED__PRESENCE_TYPE__AVAILABLE);
	drain(f);
	assert_non_null(strstr(f->text, "state=active;expires=7199"));
	f->text_n = 0;
	respond(f, 200);
	pass(f, f->params.expires_max_s * 1000ull);
	assert_non_null(strstr(f->text, "reason=timeout"));
}

/* Ahead: it has expired. */
static void test_ahead(void **state)
{
	struct fixture *f = *state;

	presence_on_channel(f->p, true, false, f->now);
	subscribe(f);
	respond(f, 200);
	f->begun *= 2;
	crash(f, 1000);
	presence_on_channel(f->p, true, false, f->now);
	pass(f, 1000);
	assert_non_null(strstr(f->text, "reason=timeout"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_behind),
		T(test_ahead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
