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

static void watch_user(struct fixture *f, unsigned i, const char *domain)
{
	struct sip_request_in q = request_of(f, "SUBSCRIBE");
	char from[64], to[64], call_id[16];

	(void)snprintf(from, sizeof(from), "sip:r%u@example.net", i);
	(void)snprintf(to, sizeof(to), "sip:u%u@%s", i, domain);
	(void)snprintf(call_id, sizeof(call_id), "c%u", (unsigned)q.handle);
	q.request_uri = q.to_uri = span_str(to);
	q.from_uri = span_str(from);
	q.from_tag = SPAN_LIT("w");
	q.call_id = span_str(call_id);
	q.contact_uri = SPAN_LIT("sip:w@192.0.2.1");
	q.cseq = 1;
	q.has_expires = true;
	q.expires = 3600;
	presence_on_sip_request(f->p, &q, f->now);
	drain(f);
}

static void from_user(struct fixture *f, unsigned i, Fed__PresenceType type)
{
	char from[64], to[64];

	(void)snprintf(from, sizeof(from), "u%u@example.com", i);
	(void)snprintf(to, sizeof(to), "r%u@example.net", i);
	(void)from_xmpp(f, from, to, "q", type);
}

/* Stanzas that left since the last time. */
static unsigned count_stanzas(struct fixture *f)
{
	const char *at = f->text;
	unsigned n = 0;

	drain(f);
	while ((at = strstr(at, "stanza ")) != NULL) {
		at++;
		n++;
	}
	settle(f);
	return n;
}

enum { ONE_DOMAIN = LIMIT_PRESENCE_DOMAIN_STANZAS, PARKED = 20 };

static void fill_domain(struct fixture *f)
{
	presence_on_channel(f->p, true, false, f->now);
	f->is_outcome_held = true;
	for (unsigned i = 0; i < ONE_DOMAIN + PARKED; i++)
		watch_user(f, i, "example.com");
	assert_int_equal(count_stanzas(f), ONE_DOMAIN);
}

/* A server that takes connections and says nothing holds up nobody else; as
 * one stanza ends, the next one leaves. */
static void test_slow_domain(void **state)
{
	struct fixture *f = *state;

	fill_domain(f);
	watch_user(f, 1, "example.org");
	assert_int_equal(count_stanzas(f), 1);
	end_stanza(f, FED__CONDITION__NO_CONDITION);
	assert_int_equal(count_stanzas(f), 0);
	watch_user(f, 2, "example.com");
	assert_int_equal(count_stanzas(f), 0);
}

static void test_turns(void **state)
{
	struct fixture *f = *state;

	fill_domain(f);
	for (unsigned i = 0; i < PARKED; i++) {
		end_stanza(f, FED__CONDITION__NO_CONDITION);
		assert_int_equal(count_stanzas(f), 1);
	}
	end_stanza(f, FED__CONDITION__NO_CONDITION);
	assert_int_equal(count_stanzas(f), 0);
}

/* One that waits goes, or has nothing to say any more: the turn is that of the
 * next one. */
static void test_turn_not_used(void **state)
{
	struct fixture *f = *state;

	fill_domain(f);
	/* the last one is refused, and told so */
	from_user(f, ONE_DOMAIN + PARKED - 1, FED__PRESENCE_TYPE__UNSUBSCRIBED);
	respond(f, 200);
	drain(f);
	respond(f, 200);
	/* one of the first that wait has said yes by itself */
	from_user(f, ONE_DOMAIN + 1, FED__PRESENCE_TYPE__SUBSCRIBED);
	assert_int_equal(count_stanzas(f), 0);
	for (unsigned i = 0; i < PARKED - 2; i++) {
		end_stanza(f, FED__CONDITION__NO_CONDITION);
		assert_int_equal(count_stanzas(f), 1);
	}
	end_stanza(f, FED__CONDITION__NO_CONDITION);
	assert_int_equal(count_stanzas(f), 0);
}

/* One goes whose stanza has no end yet. */
static void test_flight_goes(void **state)
{
	struct fixture *f = *state;
	struct sent first;

	fill_domain(f);
	/* the oldest whose NOTIFY the harness remembers */
	first = f->sent[0];
	from_user(f, ONE_DOMAIN + PARKED - FLIGHTS,
		  FED__PRESENCE_TYPE__UNSUBSCRIBED);
	respond_to(f, &first,
		   &(struct sip_response_in){.end = SIP_END_RESPONSE,
					     .status = 200});
	drain(f);
	assert_non_null(strstr(f->text, "terminated"));
	assert_int_equal(count_stanzas(f), 0);
	respond(f, 200);
	assert_int_equal(count_stanzas(f), 1);
}

/* Those that wait for a domain that is lost wait for it to be back. */
static void test_lost_while_slow(void **state)
{
	struct fixture *f = *state;

	fill_domain(f);
	end_stanza(f, FED__CONDITION__REMOTE_SERVER_TIMEOUT);
	assert_int_equal(count_stanzas(f), 0);
	(void)from_xmpp(f, "x@example.com", ROMEO, "a",
			FED__PRESENCE_TYPE__AVAILABLE);
	assert_int_equal(count_stanzas(f), 1);
	for (unsigned i = 1; i < PARKED; i++) {
		end_stanza(f, FED__CONDITION__NO_CONDITION);
		assert_int_equal(count_stanzas(f), 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_nobody_watches),	 T(test_last_watch_goes),
		T(test_slow_domain),	 T(test_turns),
		T(test_turn_not_used),	 T(test_flight_goes),
		T(test_lost_while_slow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
