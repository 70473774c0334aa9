/* What is in flight at the SIP side, and who has it. */
#include "presence_harness.h"

enum { MANY = LIMIT_PRESENCE_SHARE_SIP + 8 };

static void subscribe(struct fixture *f, const char *watcher, int contact,
		      const char *device)
{
	struct sip_request_in q = request_of(f, "SUBSCRIBE");
	char call_id[64], to[64];

	(void)snprintf(to, sizeof(to), "sip:u%d@example.com", contact);
	(void)snprintf(call_id, sizeof(call_id), "%s-%d", watcher + 4, contact);
	q.request_uri = q.to_uri = span_str(to);
	q.from_uri = span_str(watcher);
	q.from_tag = SPAN_LIT("w");
	q.call_id = span_str(call_id);
	q.contact_uri = span_str(device);
	q.cseq = 1;
	q.has_expires = true;
	q.expires = 3600;
	presence_on_sip_request(f->p, &q, f->now);
	drain(f);
}

static size_t count(const struct fixture *f, const char *what)
{
	size_t n = 0;

	for (const char *at = f->text; (at = strstr(at, what)) != NULL; at++)
		n++;
	return n;
}

#define NOWHERE "sip:w@192.0.2.9"
#define HERE "sip:w@192.0.2.1"

static void flood(struct fixture *f)
{
	presence_on_channel(f->p, true, false, f->now);
	for (int i = 0; i < MANY; i++)
		subscribe(f, "sip:" ROMEO, i, NOWHERE);
}

/* One whose device does not answer does not keep the others waiting. */
static void test_one_of_many(void **state)
{
	struct fixture *f = *state;

	flood(f);
	assert_int_equal(count(f, "sip NOTIFY " NOWHERE),
			 LIMIT_PRESENCE_SHARE_SIP);
	subscribe(f, "sip:paris@example.net", 1, HERE);
	assert_int_equal(count(f, "sip NOTIFY " HERE), 1);
}

/* As one lands the next one leaves. */
static void test_one_by_one(void **state)
{
	struct fixture *f = *state;
	size_t sent = LIMIT_PRESENCE_SHARE_SIP;

	flood(f);
	while (f->sent_count > 0 && sent < MANY) {
		respond(f, 481);
		drain(f);
		assert_int_equal(count(f, "sip NOTIFY"), ++sent);
	}
	for (size_t i = 0; i < f->sent_count; i++) {
		const struct sip_response_in r = {.end = SIP_END_RESPONSE,
						  .status = 481};

		respond_to(f, &f->sent[i], &r);
	}
	drain(f);
	assert_int_equal(count(f, "sip NOTIFY"), MANY);
}

/* Those that wait, and their contacts, may go. */
static void test_gone(void **state)
{
	struct fixture *f = *state;
	char jid[64];

	flood(f);
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(jid, sizeof(jid), "u%d@example.com", i);
		from_xmpp(f, jid, ROMEO, "no",
			  FED__PRESENCE_TYPE__UNSUBSCRIBED);
		drain(f);
	}
	for (size_t i = 0; i < f->sent_count; i++) {
		const struct sip_response_in r = {.end = SIP_END_RESPONSE,
						  .status = 481};

		respond_to(f, &f->sent[i], &r);
		drain(f);
	}
	presence_stop(f->p, f->now);
	drain(f);
	for (size_t i = 0; i < f->sent_count; i++) {
		const struct sip_response_in r = {.end = SIP_END_RESPONSE,
						  .status = 481};

		respond_to(f, &f->sent[i], &r);
		drain(f);
	}
	assert_true(presence_is_idle(f->p));
}

/* Phones that are gone without a word fill the window, but not for long. */
static void test_dead_phones(void **state)
{
	struct fixture *f = *state;
	char watcher[64];

	presence_on_channel(f->p, true, false, f->now);
	for (unsigned i = 0; i < LIMIT_PRESENCE_SIP; i++) {
		(void)snprintf(watcher, sizeof(watcher), "sip:w%u@example.net",
			       i);
		subscribe(f, watcher, 1, NOWHERE);
		settle(f);
	}
	subscribe(f, "sip:paris@example.net", 1, HERE);
	assert_int_equal(count(f, "sip NOTIFY " HERE), 0);
	pass(f, LIMIT_SIP_SLOW_MS - 1);
	assert_int_equal(count(f, "sip NOTIFY " HERE), 0);
	pass(f, 1);
	assert_int_equal(count(f, "sip NOTIFY " HERE), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_one_of_many),
		T(test_one_by_one),
		T(test_gone),
		T(test_dead_phones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
