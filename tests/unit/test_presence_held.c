/* Answers that wait for a disk that stands still. */
#include "presence_harness.h"

static struct sip_request_in subscribe(struct fixture *f, const char *call_id)
{
	struct sip_request_in q = request_of(f, "SUBSCRIBE");

	q.request_uri = q.to_uri = SPAN_LIT("sip:" JULIET);
	q.from_uri = SPAN_LIT("sip:" ROMEO);
	q.from_tag = SPAN_LIT("w");
	q.call_id = span_str(call_id);
	q.contact_uri = SPAN_LIT("sip:w@192.0.2.1");
	q.cseq = 1;
	q.has_expires = true;
	q.expires = 3600;
	return q;
}

/* A transaction is not held for ever; a stanza stays with its sender. */
static void test_refused_in_time(void **state)
{
	struct fixture *f = *state;
	struct sip_request_in q = subscribe(f, "a");

	settle(f);
	f->is_commit_held = true;
	presence_on_sip_request(f->p, &q, f->now);
	expect(f, "");
	pass(f, 1);
	from_xmpp(f, JULIET, ROMEO, "s1", FED__PRESENCE_TYPE__SUBSCRIBE);
	pass(f, LIMIT_PRESENCE_HELD_MS - 2);
	expect(f, "");
	pass(f, 1);
	expect(f, "reply 1 500\n");
	pass(f, 60000);
	expect(f, "");
	f->is_commit_held = false;
	commit(f);
	drain(f);
	assert_non_null(strstr(f->text, "outcome 1 delivered\n"));
	assert_null(strstr(f->text, "reply"));
}

/* What was refused is done when the disk is back, and answered no second
 * time. */
static void test_done_all_the_same(void **state)
{
	struct fixture *f = *state;
	struct sip_request_in q = subscribe(f, "a");

	settle(f);
	f->is_commit_held = true;
	presence_on_sip_request(f->p, &q, f->now);
	pass(f, LIMIT_PRESENCE_HELD_MS);
	expect(f, "reply 1 500\n");
	f->is_commit_held = false;
	commit(f);
	expect(f, "sip NOTIFY sip:w@192.0.2.1 call=a cseq=1 to-tag=w "
		  "state=pending;expires=3590\n"
		  "stanza " ROMEO " -> " JULIET " subscribe\n");
	presence_on_channel(f->p, true, false, f->now);
	assert_int_equal(f->kept.count, 2);
}

/* The disk was only slow. */
static void test_in_time(void **state)
{
	struct fixture *f = *state;
	struct sip_request_in q = subscribe(f, "a");

	settle(f);
	f->is_commit_held = true;
	presence_on_sip_request(f->p, &q, f->now);
	pass(f, LIMIT_PRESENCE_HELD_MS - 1);
	f->is_commit_held = false;
	commit(f);
	drain(f);
	assert_non_null(strstr(f->text, "reply 1 200"));
	assert_null(strstr(f->text, " 500"));
}

/* What the store has no room for is put when it has, in its order. */
static void test_store_full(void **state)
{
	struct fixture *f = *state;

	presence_on_channel(f->p, true, false, f->now);
	settle(f);
	f->is_store_full = true;
	from_xmpp(f, JULIET, ROMEO, "s1", FED__PRESENCE_TYPE__SUBSCRIBE);
	pass(f, LIMIT_PRESENCE_STUCK_MS - 1);
	expect(f, "");
	f->is_store_full = false;
	pass(f, LIMIT_PRESENCE_AGAIN_MS);
	assert_non_null(strstr(f->text, "outcome 1 delivered\n"));
	assert_true(f->kept.count > 0);
}

/* A window that is full of what waits for the disk would have no room for
 * messages. */
static void test_stuck(void **state)
{
	struct fixture *f = *state;

	presence_on_channel(f->p, true, false, f->now);
	settle(f);
	f->is_commit_held = true;
	from_xmpp(f, JULIET, ROMEO, "s1", FED__PRESENCE_TYPE__SUBSCRIBE);
	drain(f);
	pass(f, LIMIT_PRESENCE_STUCK_MS - 1);
	from_xmpp(f, "a@example.com", ROMEO, "s2",
		  FED__PRESENCE_TYPE__SUBSCRIBE);
	expect(f, "");
	f->now++;
	from_xmpp(f, "b@example.com", ROMEO, "s3",
		  FED__PRESENCE_TYPE__SUBSCRIBE);
	expect(f, "outcome 3 resource-constraint\n");
	f->is_commit_held = false;
	commit(f);
	drain(f);
	assert_non_null(strstr(f->text, "outcome 1 delivered\n"));
	assert_non_null(strstr(f->text, "outcome 2 delivered\n"));
	settle(f);
	from_xmpp(f, "b@example.com", ROMEO, "s4",
		  FED__PRESENCE_TYPE__SUBSCRIBE);
	drain(f);
	assert_non_null(strstr(f->text, "outcome 4 delivered\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_refused_in_time), T(test_done_all_the_same),
		T(test_in_time),	 T(test_store_full),
		T(test_stuck),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
