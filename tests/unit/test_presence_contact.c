/* IN, by the vectors: a SIP user watches an XMPP user.  P39 and P40 are in
 * test_presence_checks.c. */
#include "presence_in_harness.h"

#include "fe-gateway/core/pidf.h"

/* P21, P45, P22 to P26 */
static void test_story(void **state)
{
	struct fixture *f = *state;

	/* P21 */
	subscribe(f, -1);
	expect(f, "200 expires=3600\n"
		  "NOTIFY pending;expires=3600\n"
		  "<subscribe>\n");
	assert_string_equal(f->body, "");
	assert_string_equal(f->request_uri, "sip:romeo@192.0.2.7:5060");
	/* P45 */
	unavailable(f, "");
	expect(f, "outcome ok\n");
	/* P22 */
	wait_ms(f, 100000);
	subscribed(f);
	expect(f, "outcome ok\nNOTIFY active;expires=3500\n");
	assert_string_equal(f->body, "");
	assert_string_equal(f->content_type, "");
	/* P23 */
	available(f, "yn0cl4bnw0yr3vym", FED__SHOW__AWAY, 5, "Zzz");
	expect(f, "outcome ok\n"
		  "NOTIFY active;expires=3500 "
		  "{yn0cl4bnw0yr3vym away 5 'Zzz'}\n");
	assert_string_equal(f->content_type, "application/pidf+xml");
	assert_non_null(strstr(f->body, "pres:" J));
	assert_non_null(strstr(f->body, "ID-yn0cl4bnw0yr3vym"));
	assert_non_null(strstr(f->body, "0.039"));
	/* P24 */
	wait_ms(f, 10000);
	available(f, "chamber", FED__SHOW__DND, 0, NULL);
	expect(f, "outcome ok\n"
		  "NOTIFY active;expires=3490 "
		  "{chamber dnd, yn0cl4bnw0yr3vym away 5 'Zzz'}\n");
	/* P25 */
	wait_ms(f, 10000);
	unavailable(f, "yn0cl4bnw0yr3vym");
	expect(f, "outcome ok\nNOTIFY active;expires=3480 {chamber dnd}\n");
	/* P26 */
	wait_ms(f, 10000);
	unavailable(f, "chamber");
	expect(f, "outcome ok\nNOTIFY active;expires=3470 {}\n");
	assert_non_null(strstr(f->body, "<basic>closed</basic>"));
}

/* P27 */
static void test_refused_in_pending(void **state)
{
	struct fixture *f = *state;

	subscribe(f, 3600);
	drain(f);
	f->out[0] = '\0';
	unsubscribed(f);
	expect(f, "outcome ok\nNOTIFY terminated;reason=rejected\n");
	assert_string_equal(f->body, "");
	assert_int_equal(f->kept.count, 0);
	assert_int_equal(HASH_COUNT(f->p->contacts), 0);
	assert_int_equal(HASH_COUNT(f->p->dialogs), 0);
}

/* P28 */
static void test_refresh(void **state)
{
	struct fixture *f = *state;

	begin_allowed(f);
	wait_ms(f, 1000000);
	refresh(f, 3600);
	expect(f, "200 expires=3600\nNOTIFY active;expires=3600 {balcony}\n");
}

/* P29 */
static void test_refresh_unknown(void **state)
{
	struct fixture *f = *state;

	subscribe(f, 3600);
	drain(f);
	subscribed(f);
	drain(f);
	f->out[0] = '\0';
	refresh(f, 1800);
	expect(f, "200 expires=1800\nNOTIFY active;expires=1800\n");
	assert_string_equal(f->body, "");
}

/* P30 */
static void test_unsubscribe(void **state)
{
	struct fixture *f = *state;

	begin_allowed(f);
	refresh(f, 0);
	expect(f, "200 expires=0\n"
		  "NOTIFY terminated;reason=timeout {}\n"
		  "<unavailable>\n");
	assert_non_null(strstr(f->body, "<basic>closed</basic>"));
	assert_int_equal(HASH_COUNT(f->p->dialogs), 0);
	subscribe(f, 3600);
	expect(f, "200 expires=3600\nNOTIFY active;expires=3600 {balcony}\n");
}

/* P31: nothing is known, and nobody answers, the question is put all the
 * same */
static void test_poll_unknown(void **state)
{
	struct fixture *f = *state;

	subscribe(f, 0);
	expect(f, "200 expires=0\n<probe>\n");
	wait_ms(f, 1999);
	expect(f, "");
	wait_ms(f, 1);
	expect(f, "NOTIFY terminated;reason=timeout\n");
	assert_string_equal(f->body, "");
	assert_int_equal(f->kept.count, 0);
	assert_int_equal(HASH_COUNT(f->p->contacts), 0);
}

/* ... or the answer comes in time */
static void test_poll_answered(void **state)
{
	struct fixture *f = *state;

	subscribe(f, 0);
	drain(f);
	f->out[0] = '\0';
	wait_ms(f, 700);
	available(f, "balcony", FED__SHOW__AWAY, 0, NULL);
	expect(f, "outcome ok\n"
		  "NOTIFY terminated;reason=timeout {balcony away}\n");
}

/* ... or it is known */
static void test_poll_known(void **state)
{
	struct fixture *f = *state;

	begin_allowed(f);
	subscribe(f, 0);
	expect(f, "200 expires=0\n"
		  "NOTIFY terminated;reason=timeout {balcony}\n");
	/* the other one lives */
	assert_int_equal(HASH_COUNT(f->p->dialogs), 1);
}

/* P32 */
static void test_expiry(void **state)
{
	struct fixture *f = *state;

	begin_allowed(f);
	wait_ms(f, 3599999);
	expect(f, "");
	wait_ms(f, 1);
	expect(f, "NOTIFY terminated;reason=timeout {}\n<unavailable>\n");
	assert_int_equal(count_rows(f, PRESENCE_ROW_DIALOG), 0);
	assert_int_equal(count_rows(f, PRESENCE_ROW_WATCH), 1);
}

/* P33 */
static void test_notify_refused(void **state)
{
	struct fixture *f = *state;

	begin_allowed(f);
	f->sip_status = 481;
	available(f, "balcony", FED__SHOW__DND, 0, NULL);
	wait_ms(f, 5000);
	expect(f, "outcome ok\n"
		  "NOTIFY active;expires=3595 {balcony dnd}\n"
		  "<unavailable>\n");
	available(f, "balcony", FED__SHOW__AWAY, 0, NULL);
	wait_ms(f, 100000);
	expect(f, "outcome ok\n");
	assert_int_equal(count_rows(f, PRESENCE_ROW_DIALOG), 0);
}

/* P34 */
static void test_priorities(void **state)
{
	static const struct {
		int priority;
		const char *text; /* NULL: no such attribute */
	} rows[] = {
		{-1, NULL},	  {-128, NULL},	      {0, "\"0\""},
		{1, "\"0.007\""}, {126, "\"0.992\""}, {127, "\"1\""},
	};
	struct fixture *f = *state;

	begin_allowed(f);
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		char wanted[64];

		wait_ms(f, 10000);
		f->body[0] = '\0';
		available(f, "balcony", FED__SHOW__DND, rows[i].priority, NULL);
		drain(f);
		assert_non_null(strstr(f->body, "<contact"));
		if (rows[i].text == NULL) {
			assert_null(strstr(f->body, "priority="));
			continue;
		}
		(void)snprintf(wanted, sizeof(wanted), "priority=%s",
			       rows[i].text);
		for (char *p = f->body; *p != '\0'; p++)
			if (*p == '\'')
				*p = '"';
		assert_non_null(strstr(f->body, wanted));
	}
}

/* The id of the only tuple. */
static void tuple_id(const struct fixture *f, char *out, size_t size)
{
	const char *at = strstr(f->body, "<tuple id=");

	assert_non_null(at);
	at += strlen("<tuple id=") + 1;
	(void)snprintf(out, size, "%.*s", (int)strcspn(at, "'\""), at);
}

/* P36 */
static void test_strange_resource(void **state)
{
	struct fixture *f = *state;
	char first[256], second[256];

	begin_allowed(f);
	unavailable(f, "balcony");
	wait_ms(f, 10000);
	available(f, "1 a/b", FED__SHOW__NO_SHOW, 0, NULL);
	wait_ms(f, 10000);
	tuple_id(f, first, sizeof(first));
	assert_int_equal(strncmp(first, "ID-", 3), 0);
	assert_int_equal(strspn(first + 3, "abcdefghijklmnopqrstuvwxyz"
					   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					   "0123456789-._"),
			 strlen(first + 3));
	available(f, "1 a/b", FED__SHOW__AWAY, 0, NULL);
	wait_ms(f, 10000);
	tuple_id(f, second, sizeof(second));
	assert_string_equal(first, second);
}

/* P37 */
static void test_language(void **state)
{
	struct fixture *f = *state;
	Fed__Stanza *s;

	begin_allowed(f);
	s = presence_of(f, J "/balcony", FED__PRESENCE_TYPE__AVAILABLE);
	assert_int_equal(stanza_add_text(&f->a, &s->presence->status,
					 &s->presence->n_status, SPAN_LIT("cs"),
					 SPAN_LIT("Spim")),
			 0);
	feed(f, s);
	wait_ms(f, 5000);
	assert_string_equal(f->language, "cs");
	assert_non_null(strstr(f->body, "xml:lang="));
	assert_non_null(strstr(f->body, "Spim"));
}

/* P38 */
static void test_coalescing(void **state)
{
	struct fixture *f = *state;

	begin_allowed(f);
	wait_ms(f, 10000);
	available(f, "balcony", FED__SHOW__AWAY, 0, NULL);
	expect(f, "outcome ok\nNOTIFY active;expires=3590 {balcony away}\n");
	wait_ms(f, 300);
	available(f, "balcony", FED__SHOW__DND, 0, NULL);
	wait_ms(f, 300);
	available(f, "balcony", FED__SHOW__XA, 0, NULL);
	wait_ms(f, 4399);
	expect(f, "outcome ok\noutcome ok\n");
	wait_ms(f, 1);
	expect(f, "NOTIFY active;expires=3585 {balcony xa}\n");
	/* what comes to the same again is not said */
	available(f, "balcony", FED__SHOW__DND, 0, NULL);
	available(f, "balcony", FED__SHOW__XA, 0, NULL);
	wait_ms(f, 60000);
	expect(f, "outcome ok\noutcome ok\n");
}

/* P41, and the other errors of his server */
static void test_errors(void **state)
{
	static const struct {
		Fed__Condition condition;
		const char *notify;
	} rows[] = {
		{FED__CONDITION__ITEM_NOT_FOUND, "noresource"},
		{FED__CONDITION__GONE, "noresource"},
		{FED__CONDITION__FORBIDDEN, "rejected"},
		{FED__CONDITION__NOT_ALLOWED, "rejected"},
		{FED__CONDITION__POLICY_VIOLATION, "rejected"},
		{FED__CONDITION__REMOTE_SERVER_NOT_FOUND,
		 "probation;retry-after=3600"},
		{FED__CONDITION__REMOTE_SERVER_TIMEOUT,
		 "probation;retry-after=3600"},
		{FED__CONDITION__SERVICE_UNAVAILABLE, NULL},
		{FED__CONDITION__RESOURCE_CONSTRAINT, NULL},
		{FED__CONDITION__RECIPIENT_UNAVAILABLE, NULL},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < 2 * FED_ARRAY_LEN(rows); i++) {
		const char *notify = rows[i / 2].notify;
		char wanted[128] = "";
		bool is_outcome = i % 2 == 1;

		f->is_stanza_slow = true;
		subscribe(f, 3600);
		drain(f);
		f->out[0] = '\0';
		outcome(f, is_outcome ? rows[i / 2].condition
				      : FED__CONDITION__NO_CONDITION);
		if (!is_outcome)
			refuse(f, rows[i / 2].condition);
		if (notify != NULL)
			(void)snprintf(wanted, sizeof(wanted),
				       "NOTIFY terminated;reason=%s\n", notify);
		drain(f);
		assert_string_equal(f->out + (is_outcome ? 0 : 11), wanted);
		assert_int_equal(count_rows(f, PRESENCE_ROW_WATCH),
				 notify == NULL);
		/* the next row begins with nothing */
		unsubscribed(f);
		drain(f);
		assert_int_equal(f->kept.count, 0);
		f->out[0] = '\0';
	}
}

/* an error that is not about our question says nothing */
static void test_error_of_another_stanza(void **state)
{
	struct fixture *f = *state;
	Fed__Stanza *s = presence_of(f, J, FED__PRESENCE_TYPE__PRESENCE_ERROR);

	subscribe(f, 3600);
	drain(f);
	f->out[0] = '\0';
	s->id = arena_dup(&f->a, SPAN_LIT("c0123"));
	s->presence->error =
		stanza_error_new(&f->a, FED__CONDITION__ITEM_NOT_FOUND, NULL);
	feed(f, s);
	s->presence->error = NULL;
	feed(f, s);
	expect(f, "outcome ok\noutcome ok\n");
}

/* V6 */
static void test_route_set(void **state)
{
	struct fixture *f = *state;
	struct sip_request_in q = request(f, 3600);

	q.record_routes = SPAN_LIT("<sip:p2;lr>, <sip:p1;lr>");
	send_request(f, &q);
	drain(f);
	assert_string_equal(f->routes, "<sip:p2;lr>, <sip:p1;lr>");
	f->out[0] = '\0';
	/* its target may move (RFC 3261 12.2.1.2), its route set may not */
	q = request_again(f, 3600);
	q.record_routes = SPAN_LIT("<sip:p9;lr>");
	q.contact_uri = SPAN_LIT("sip:romeo@192.0.2.8");
	send_request(f, &q);
	drain(f);
	assert_string_equal(f->routes, "<sip:p2;lr>, <sip:p1;lr>");
	assert_string_equal(f->request_uri, "sip:romeo@192.0.2.8");
}

/* Who he is was asserted by a proxy; the dialog has what he wrote. */
static void test_asserted_watcher(void **state)
{
	struct fixture *f = *state;
	struct sip_request_in q = request(f, 3600);

	q.from_written = SPAN_LIT("sip:anonymous@anonymous.invalid");
	send_request(f, &q);
	drain(f);
	assert_string_equal(f->to_uri, "sip:anonymous@anonymous.invalid");
}

/* V8: 481 to what has no dialog; V9: 500 to an old CSeq */
static void test_dialog_rules(void **state)
{
	struct fixture *f = *state;
	struct sip_request_in q;

	begin_allowed(f);
	q = request_again(f, 3600);
	q.to_tag = SPAN_LIT("nobody");
	send_request(f, &q);
	expect(f, "481\n");
	q = request_again(f, 3600);
	q.from_tag = SPAN_LIT("another");
	send_request(f, &q);
	expect(f, "481\n");
	q = request_again(f, 3600);
	q.event_id = SPAN_LIT("7");
	send_request(f, &q);
	expect(f, "481\n");
	q = request_again(f, 3600);
	q.cseq = 1;
	send_request(f, &q);
	expect(f, "500\n");
	refresh(f, 3600);
	expect(f, "200 expires=3600\nNOTIFY active;expires=3600 {balcony}\n");
}

/* V28, and how long it gets */
static void test_expires(void **state)
{
	static const struct {
		long asked;
		const char *answer;
	} rows[] = {
		{1, "423 min=60\n"},
		{10, "423 min=60\n"},
		{59, "423 min=60\n"},
		{60, "200 expires=60\n"},
		{-1, "200 expires=3600\n"},
		{7200, "200 expires=7200\n"},
		{7201, "200 expires=7200\n"},
		{0x7FFFFFFF, "200 expires=7200\n"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		f->out[0] = '\0';
		subscribe(f, rows[i].asked);
		drain(f);
		assert_int_equal(
			strncmp(f->out, rows[i].answer, strlen(rows[i].answer)),
			0);
	}
	/* inside of a dialog the same */
	f->out[0] = '\0';
	refresh(f, 59);
	expect(f, "423 min=60\n");
	refresh(f, 61);
	expect(f, "200 expires=61\nNOTIFY pending;expires=61\n");
}

/* a shorter minimum than an hour does not refuse an hour */
static void test_expires_long_minimum(void **state)
{
	struct fixture *f = *state;

	f->p->p.expires_min_s = 5000;
	subscribe(f, 3599);
	expect(f, "423 min=5000\n");
	subscribe(f, 3600);
	expect(f, "200 expires=3600\n"
		  "NOTIFY pending;expires=3600\n"
		  "<subscribe>\n");
}

/* a resource is not looked at: the user is watched */
static void test_addresses(void **state)
{
	struct fixture *f = *state;
	struct sip_request_in q = request(f, 3600);

	q.request_uri = SPAN_LIT("sip:" J ";gr=balcony");
	q.from_uri = SPAN_LIT("sip:Romeo@EXAMPLE.net;gr=a");
	send_request(f, &q);
	expect(f, "200 expires=3600\n"
		  "NOTIFY pending;expires=3600\n"
		  "<subscribe>\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_story),
		T(test_refused_in_pending),
		T(test_refresh),
		T(test_refresh_unknown),
		T(test_unsubscribe),
		T(test_poll_unknown),
		T(test_poll_answered),
		T(test_poll_known),
		T(test_expiry),
		T(test_notify_refused),
		T(test_priorities),
		T(test_strange_resource),
		T(test_language),
		T(test_coalescing),
		T(test_errors),
		T(test_error_of_another_stanza),
		T(test_route_set),
		T(test_asserted_watcher),
		T(test_dialog_rules),
		T(test_expires),
		T(test_expires_long_minimum),
		T(test_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
