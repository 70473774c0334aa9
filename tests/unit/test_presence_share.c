/* One who asks for everybody leaves room for others. */
#include "presence_harness.h"

#include "base/limits.h"

static void begin(struct fixture *f)
{
	presence_on_channel(f->p, true, false, f->now);
	f->is_store_broken = true; /* the test's own is slow */
	settle(f);
}

/* The SIP side takes it, and says no more. */
static void taken(struct fixture *f)
{
	drain(f);
	if (f->sent_count > 0)
		respond(f, 200);
	drain(f);
}

/* Forget what was done, and what Call-IDs there were. */
static void forget(struct fixture *f)
{
	settle(f);
	f->call_count = 0;
}

static void watch_one(struct fixture *f, const char *watcher, unsigned i)
{
	char local[64];

	(void)snprintf(local, sizeof(local), "u%u@example.net", i);
	arena_reset(&f->a);
	(void)from_xmpp(f, watcher, local, "q", FED__PRESENCE_TYPE__SUBSCRIBE);
}

static void watch_many(struct fixture *f, const char *watcher, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		forget(f);
		watch_one(f, watcher, i);
		drain(f);
		assert_non_null(strstr(f->text, " delivered\n"));
		taken(f);
	}
	forget(f);
}

static size_t watches(const struct fixture *f)
{
	struct presence_counts c;

	presence_count(f->p, &c);
	return c.out_watches;
}

static void test_watcher(void **state)
{
	struct fixture *f = *state;

	begin(f);
	watch_many(f, JULIET, LIMIT_PRESENCE_SHARE - 1);
	watch_one(f, JULIET, LIMIT_PRESENCE_SHARE);
	drain(f);
	assert_non_null(strstr(f->text, "sip SUBSCRIBE"));
	forget(f);
	watch_one(f, JULIET "/balcony", LIMIT_PRESENCE_SHARE + 1);
	expect(f, "outcome 5001 resource-constraint\n");
	/* a probe is no way around it */
	(void)from_xmpp(f, JULIET, "x@example.net", "p",
			FED__PRESENCE_TYPE__PROBE);
	expect(f, "outcome 5002 delivered\n");
	/* those he has go on */
	watch_one(f, JULIET, 1);
	expect(f, "outcome 5003 delivered\n");
	watch_one(f, "nurse@example.com", LIMIT_PRESENCE_SHARE + 1);
	drain(f);
	assert_non_null(strstr(f->text, "sip SUBSCRIBE"));
	forget(f);
	/* one of his ends */
	respond_to(f, &f->sent[f->sent_count - 2],
		   &(struct sip_response_in){.end = SIP_END_RESPONSE,
					     .status = 404});
	forget(f);
	watch_one(f, JULIET, LIMIT_PRESENCE_SHARE + 1);
	drain(f);
	assert_non_null(strstr(f->text, "sip SUBSCRIBE"));
}

static void test_domain(void **state)
{
	struct fixture *f = *state;
	char watcher[64];
	unsigned n = LIMIT_PRESENCE_DOMAIN_WATCHES / LIMIT_PRESENCE_SHARE;

	begin(f);
	for (unsigned i = 0; i < n; i++) {
		(void)snprintf(watcher, sizeof(watcher), "w%u@example.com", i);
		watch_many(f, watcher, LIMIT_PRESENCE_SHARE);
	}
	assert_int_equal(watches(f), LIMIT_PRESENCE_DOMAIN_WATCHES);
	watch_one(f, JULIET, 1);
	drain(f);
	assert_non_null(strstr(f->text, " resource-constraint\n"));
	forget(f);
	watch_one(f, "juliet@example.org", 1);
	drain(f);
	assert_non_null(strstr(f->text, "sip SUBSCRIBE"));
	assert_int_equal(watches(f), LIMIT_PRESENCE_DOMAIN_WATCHES + 1);
}

/* What is in the store was taken: it is no matter whose it is. */
static void test_restart(void **state)
{
	struct fixture *f = *state;
	char local[64];

	for (unsigned i = 0; i <= LIMIT_PRESENCE_SHARE; i++) {
		struct presence_row row = {
			.kind = PRESENCE_ROW_WATCH,
			.u.watch = {.direction = PRESENCE_OUT,
				    .remote = SPAN_LIT(JULIET),
				    .auth = PRESENCE_ALLOWED},
		};

		(void)snprintf(local, sizeof(local), "u%u@example.net", i);
		row.u.watch.local = span_str(local);
		assert_int_equal(presence_restore(f->p, &row, f->now), 0);
	}
	watch_one(f, JULIET, LIMIT_PRESENCE_SHARE + 1);
	drain(f);
	assert_non_null(strstr(f->text, "outcome 1 resource-constraint\n"));
}

static void subscribe_one(struct fixture *f, const char *from, unsigned i,
			  uint32_t expires)
{
	struct sip_request_in q = request_of(f, "SUBSCRIBE");
	char to[64], call_id[64];

	(void)snprintf(to, sizeof(to), "sip:u%u@example.com", i);
	(void)snprintf(call_id, sizeof(call_id), "c%u", (unsigned)q.handle);
	q.request_uri = q.to_uri = span_str(to);
	q.from_uri = span_str(from);
	q.from_tag = SPAN_LIT("w");
	q.call_id = span_str(call_id);
	q.contact_uri = SPAN_LIT("sip:w@192.0.2.1");
	q.cseq = 1;
	q.has_expires = true;
	q.expires = expires;
	presence_on_sip_request(f->p, &q, f->now);
}

static void test_subscriber(void **state)
{
	struct fixture *f = *state;

	begin(f);
	for (unsigned i = 0; i < LIMIT_PRESENCE_SHARE; i++) {
		subscribe_one(f, "sip:" ROMEO, i, 3600);
		drain(f);
		assert_non_null(strstr(f->text, " 200 expires=3600"));
		taken(f);
		forget(f);
	}
	subscribe_one(f, "sip:" ROMEO, LIMIT_PRESENCE_SHARE, 3600);
	expect(f, "reply 5001 480\n");
	subscribe_one(f, "sip:" ROMEO ";x=y", LIMIT_PRESENCE_SHARE, 0);
	expect(f, "reply 5002 480\n");
	/* a second device of his, and others */
	subscribe_one(f, "sip:" ROMEO, 1, 3600);
	drain(f);
	assert_non_null(strstr(f->text, " 200 expires=3600"));
	forget(f);
	subscribe_one(f, "sip:mercutio@example.net", LIMIT_PRESENCE_SHARE,
		      3600);
	drain(f);
	assert_non_null(strstr(f->text, " 200 expires=3600"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_watcher),
		T(test_domain),
		T(test_restart),
		T(test_subscriber),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
