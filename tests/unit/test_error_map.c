/* Stanza errors and SIP failures (RFC 7247 section 7), both ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "fe-gateway/core/error_map.h"
#include "xmpp/stanza_error.h"
#include "xmpp/stanza_util.h"

static Fed__Error make(Fed__Condition c)
{
	Fed__Error e;

	fed__error__init(&e);
	e.condition = c;
	return e;
}

#define C(name) FED__CONDITION__##name

/* Table 2: to a MESSAGE about a full JID, a bare one; to an INVITE. */
static const struct {
	Fed__Condition condition;
	int full, bare, invite_full;
} to_sip_rows[] = {
	{C(BAD_REQUEST), 400, 400, 400},
	{C(CONFLICT), 400, 400, 400},
	{C(FEATURE_NOT_IMPLEMENTED), 405, 501, 405}, /* E5 */
	{C(FORBIDDEN), 403, 603, 403},
	{C(GONE), 410, 410, 410}, /* E2 */
	{C(INTERNAL_SERVER_ERROR), 500, 500, 500},
	{C(ITEM_NOT_FOUND), 404, 604, 404}, /* E4 */
	{C(JID_MALFORMED), 400, 400, 400},
	{C(NOT_ACCEPTABLE), 406, 606, 406},
	{C(NOT_ALLOWED), 403, 403, 403},
	{C(NOT_AUTHORIZED), 403, 403, 403},
	{C(POLICY_VIOLATION), 403, 403, 403},
	{C(RECIPIENT_UNAVAILABLE), 480, 600, 480},
	{C(REDIRECT), 480, 480, 480},
	{C(REGISTRATION_REQUIRED), 403, 403, 403},
	{C(REMOTE_SERVER_NOT_FOUND), 404, 404, 404},
	{C(REMOTE_SERVER_TIMEOUT), 504, 504, 408}, /* E16 */
	{C(RESOURCE_CONSTRAINT), 500, 500, 500},
	{C(SERVICE_UNAVAILABLE), 403, 403, 403}, /* E3 */
	{C(SUBSCRIPTION_REQUIRED), 400, 400, 400},
	{C(UNDEFINED_CONDITION), 400, 400, 400},
	{C(UNEXPECTED_REQUEST), 400, 400, 491},
	{C(NO_CONDITION), 400, 400, 400},
	{(Fed__Condition)99, 400, 400, 400},
	{(Fed__Condition)-1, 400, 400, 400},
};

static void test_to_sip(void **state)
{
	struct sip_failure f;

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(to_sip_rows); i++) {
		Fed__Error e = make(to_sip_rows[i].condition);

		error_map_to_sip(&e, true, false, &f);
		if (f.status != to_sip_rows[i].full || f.phrase[0] == '\0' ||
		    f.contact[0] != '\0')
			fail_msg("full %zu: %d", i, f.status);
		error_map_to_sip(&e, false, false, &f);
		if (f.status != to_sip_rows[i].bare)
			fail_msg("bare %zu: %d", i, f.status);
		error_map_to_sip(&e, true, true, &f);
		if (f.status != to_sip_rows[i].invite_full)
			fail_msg("invite %zu: %d", i, f.status);
	}
	error_map_to_sip(NULL, true, false, &f);
	assert_int_equal(f.status, 500);
}

static void test_server_not_found_now(void **state)
{
	Fed__Error e = make(C(REMOTE_SERVER_NOT_FOUND));
	struct sip_failure f;

	(void)state;
	e.type = FED__ERROR_TYPE__WAIT;
	error_map_to_sip(&e, false, false, &f);
	assert_int_equal(f.status, 504);
	error_map_to_sip(&e, false, true, &f);
	assert_int_equal(f.status, 408);
	e.type = FED__ERROR_TYPE__CANCEL;
	error_map_to_sip(&e, false, true, &f);
	assert_int_equal(f.status, 404);
}

/* X35: the condition says that it is forbidden, the detail that it is long */
static void test_too_big(void **state)
{
	Fed__Error e = make(C(POLICY_VIOLATION));
	struct sip_failure f;

	(void)state;
	e.detail = FED__ERROR_DETAIL__STANZA_TOO_BIG;
	for (int i = 0; i < 4; i++) {
		error_map_to_sip(&e, (i & 1) != 0, (i & 2) != 0, &f);
		assert_int_equal(f.status, 513);
		assert_string_equal(f.phrase, "Message Too Large");
	}
}

static char long_iri[2000];

static void test_contact(void **state)
{
	static const struct {
		Fed__Condition condition;
		const char *address;
		int status;
		const char *contact;
	} rows[] = {
		/* E1 */
		{C(GONE), "xmpp:romeo@afterlife.example.net", 301,
		 "sip:romeo@afterlife.example.net"},
		{C(REDIRECT), "xmpp:a@x.example/r", 302,
		 "sip:a@x.example;gr=r"},
		{C(REDIRECT), "sip:a@x.example", 302, "sip:a@x.example"},
		{C(GONE), "mailto:a@x.example", 410, ""},
		{C(REDIRECT), "mailto:a@x.example", 480, ""},
		{C(GONE), "", 410, ""},
		/* no header comes out of an address */
		{C(GONE), "xmpp:a@x.example\r\nX: y", 410, ""},
		{C(GONE), "xmpp:a%0D%0AX@x.example", 410, ""},
		{C(GONE), "xmpp:a>;x=<b@x.example", 410, ""},
		{C(GONE), long_iri, 410, ""},
		/* an address means nothing with other conditions */
		{C(FORBIDDEN), "xmpp:a@x.example", 403, ""},
	};
	struct sip_failure f;

	(void)state;
	memset(long_iri, 'a', sizeof(long_iri) - 1);
	memcpy(long_iri, "xmpp:a@x.example/", 17);
	/* longer than a Contact may be, shorter than a JID may be */
	for (size_t i = 17; i < 17 + 1023; i++)
		long_iri[i] = '@';
	long_iri[17 + 1023] = '\0';
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		Fed__Error e = make(rows[i].condition);
		char address[sizeof(long_iri)];

		memcpy(address, rows[i].address, strlen(rows[i].address) + 1);
		e.address = address;
		error_map_to_sip(&e, true, false, &f);
		if (f.status != rows[i].status ||
		    strcmp(f.contact, rows[i].contact) != 0)
			fail_msg("%zu: %d %s", i, f.status, f.contact);
	}
}

static void test_phrase(void **state)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{"Come back later", "Come back later"},
		{"a\r\nX-Evil: 1", "a X-Evil: 1"},
		{"a\x01\x02 \t b", "a b"},
		{"  a  ", "a"},
		{"a \"b\" <c>", "a b c"},
		{"Gr\xC3\xBC\xC3\x9F"
		 "e",
		 "Gr\xC3\xBC\xC3\x9F"
		 "e"},
		{"a\xC2\x85"
		 "b",
		 "a b"}, /* C1 */
		{"a\xE2\x80\xAE"
		 "b",
		 "a b"}, /* right-to-left override */
		{"a\xE2\x81\xA6"
		 "b",
		 "a b"}, /* isolate */
		{"a\xE2\x80\xA8"
		 "b",
		 "a b"},			      /* line separator */
		{"\xE2\x82\xAC 5", "\xE2\x82\xAC 5"}, /* other U+2xxx stay */
		{"\xFF", "Forbidden"},
		{"\r\n", "Forbidden"},
		{"", "Forbidden"},
	};
	struct sip_failure f;
	char big[400];

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		Fed__Error e = make(C(NOT_ALLOWED));
		char text[64];
		Fed__Text t;
		Fed__Text *list[] = {&t};

		fed__text__init(&t);
		memcpy(text, rows[i].text, strlen(rows[i].text) + 1);
		t.text = text;
		e.n_text = 1;
		e.text = list;
		error_map_to_sip(&e, true, false, &f);
		if (strcmp(f.phrase, rows[i].want) != 0)
			fail_msg("%zu: %s", i, f.phrase);
	}
	/* cut between characters */
	memset(big, 'a', sizeof(big));
	for (size_t i = 1; i + 2 < sizeof(big); i += 2)
		memcpy(big + i, "\xC3\xBC", 2);
	big[sizeof(big) - 1] = '\0';
	{
		Fed__Error e = make(C(NOT_ALLOWED));
		Fed__Text t;
		Fed__Text *list[] = {&t};

		fed__text__init(&t);
		big[sizeof(big) - 2] = 'a';
		big[sizeof(big) - 3] = 'a';
		t.text = big;
		e.n_text = 1;
		e.text = list;
		error_map_to_sip(&e, true, false, &f);
		assert_int_equal(strlen(f.phrase), 127);
		assert_true(span_is_utf8(span_str(f.phrase)));
	}
}

#define T(name) FED__ERROR_TYPE__##name

/* Table 3 */
static const struct {
	int status;
	Fed__Condition condition;
	Fed__ErrorType type;
} from_sip_rows[] = {
	{300, C(REDIRECT), T(MODIFY)},
	{301, C(GONE), T(CANCEL)},
	{302, C(REDIRECT), T(MODIFY)},
	{305, C(REDIRECT), T(MODIFY)},
	{380, C(NOT_ACCEPTABLE), T(MODIFY)},
	{399, C(REDIRECT), T(MODIFY)}, /* E10 */
	{400, C(BAD_REQUEST), T(MODIFY)},
	{401, C(NOT_AUTHORIZED), T(AUTH)},
	{402, C(BAD_REQUEST), T(MODIFY)},
	{403, C(FORBIDDEN), T(AUTH)},
	{404, C(ITEM_NOT_FOUND), T(CANCEL)},
	{405, C(FEATURE_NOT_IMPLEMENTED), T(CANCEL)},
	{406, C(NOT_ACCEPTABLE), T(MODIFY)},
	{407, C(REGISTRATION_REQUIRED), T(AUTH)},
	{408, C(REMOTE_SERVER_TIMEOUT), T(WAIT)},
	{410, C(GONE), T(CANCEL)},
	{413, C(POLICY_VIOLATION), T(MODIFY)},
	{414, C(POLICY_VIOLATION), T(MODIFY)},
	{415, C(NOT_ACCEPTABLE), T(MODIFY)},
	{416, C(NOT_ACCEPTABLE), T(MODIFY)},
	{420, C(FEATURE_NOT_IMPLEMENTED), T(CANCEL)},
	{421, C(NOT_ACCEPTABLE), T(MODIFY)},
	{423, C(RESOURCE_CONSTRAINT), T(WAIT)}, /* E11 */
	{430, C(RECIPIENT_UNAVAILABLE), T(WAIT)},
	{433, C(BAD_REQUEST), T(MODIFY)}, /* E10 */
	{439, C(FEATURE_NOT_IMPLEMENTED), T(CANCEL)},
	{440, C(POLICY_VIOLATION), T(MODIFY)},
	{480, C(RECIPIENT_UNAVAILABLE), T(WAIT)},
	{481, C(ITEM_NOT_FOUND), T(CANCEL)},
	{482, C(NOT_ACCEPTABLE), T(MODIFY)},
	{483, C(NOT_ACCEPTABLE), T(MODIFY)},
	{484, C(ITEM_NOT_FOUND), T(CANCEL)},
	{485, C(ITEM_NOT_FOUND), T(CANCEL)},
	{486, C(RECIPIENT_UNAVAILABLE), T(WAIT)},
	{487, C(RECIPIENT_UNAVAILABLE), T(WAIT)},
	{488, C(NOT_ACCEPTABLE), T(MODIFY)},
	{489, C(POLICY_VIOLATION), T(MODIFY)},
	{491, C(UNEXPECTED_REQUEST), T(WAIT)},
	{493, C(BAD_REQUEST), T(MODIFY)},
	{500, C(INTERNAL_SERVER_ERROR), T(CANCEL)},
	{501, C(FEATURE_NOT_IMPLEMENTED), T(CANCEL)},
	{502, C(REMOTE_SERVER_NOT_FOUND), T(CANCEL)},
	{503, C(INTERNAL_SERVER_ERROR), T(CANCEL)}, /* E9 */
	{504, C(REMOTE_SERVER_TIMEOUT), T(WAIT)},
	{505, C(NOT_ACCEPTABLE), T(MODIFY)},
	{513, C(POLICY_VIOLATION), T(MODIFY)},
	{555, C(INTERNAL_SERVER_ERROR), T(CANCEL)}, /* E10 */
	{600, C(RECIPIENT_UNAVAILABLE), T(WAIT)},
	{603, C(RECIPIENT_UNAVAILABLE), T(WAIT)}, /* E8 */
	{604, C(ITEM_NOT_FOUND), T(CANCEL)},
	{606, C(NOT_ACCEPTABLE), T(MODIFY)},
	{699, C(RECIPIENT_UNAVAILABLE), T(WAIT)}, /* E10 */
	{700, C(INTERNAL_SERVER_ERROR), T(CANCEL)},
	{99, C(INTERNAL_SERVER_ERROR), T(CANCEL)},
	{0, C(INTERNAL_SERVER_ERROR), T(CANCEL)},
	{-404, C(INTERNAL_SERVER_ERROR), T(CANCEL)},
};

static void test_from_sip(void **state)
{
	struct arena a;
	Fed__Error *e;

	(void)state;
	arena_init(&a, 65536);
	for (size_t i = 0; i < FED_ARRAY_LEN(from_sip_rows); i++) {
		int err = error_map_from_sip(from_sip_rows[i].status, SPAN_NULL,
					     SPAN_LIT("sip:new@x.example"), &a,
					     &e);

		assert_int_equal(err, 0);
		if (e->condition != from_sip_rows[i].condition ||
		    e->type != from_sip_rows[i].type || e->n_text != 0)
			fail_msg("%d: %d %d", from_sip_rows[i].status,
				 (int)e->condition, (int)e->type);
		/* only these name an address, and 410 never does (E7) */
		if (from_sip_rows[i].status == 301 ||
		    e->condition == C(REDIRECT))
			assert_string_equal(e->address, "xmpp:new@x.example");
		else
			assert_string_equal(e->address, "");
		assert_int_equal(e->detail,
				 from_sip_rows[i].status == 413 ||
						 from_sip_rows[i].status == 513
					 ? FED__ERROR_DETAIL__STANZA_TOO_BIG
					 : FED__ERROR_DETAIL__NO_DETAIL);
	}
	/* E12 */
	for (int status = 100; status < 300; status++) {
		e = (Fed__Error *)&a;
		assert_int_equal(error_map_from_sip(status, SPAN_NULL,
						    SPAN_NULL, &a, &e),
				 0);
		assert_null(e);
	}
	arena_deinit(&a);
}

static void test_from_sip_contact(void **state)
{
	struct arena a;
	Fed__Error *e;

	(void)state;
	arena_init(&a, 65536);
	/* E6 */
	assert_int_equal(error_map_from_sip(301, SPAN_LIT("Moved"),
					    SPAN_LIT("sip:new@x"), &a, &e),
			 0);
	assert_int_equal(e->condition, C(GONE));
	assert_string_equal(e->address, "xmpp:new@x");
	assert_string_equal(e->text[0]->text, "Moved");
	assert_int_equal(error_map_from_sip(301, SPAN_NULL, SPAN_NULL, &a, &e),
			 0);
	assert_int_equal(e->condition, C(GONE));
	assert_string_equal(e->address, "");
	/* a redirect that names nobody is none */
	assert_int_equal(error_map_from_sip(302, SPAN_NULL, SPAN_NULL, &a, &e),
			 0);
	assert_int_equal(e->condition, C(RECIPIENT_UNAVAILABLE));
	assert_int_equal(e->type, T(WAIT));
	assert_int_equal(error_map_from_sip(302, SPAN_NULL,
					    SPAN_LIT("tel:+1555"), &a, &e),
			 0);
	assert_int_equal(e->condition, C(RECIPIENT_UNAVAILABLE));
	/* E13 */
	assert_int_equal(error_map_from_sip(404, SPAN_LIT("Unbekannt"),
					    SPAN_NULL, &a, &e),
			 0);
	assert_int_equal(e->condition, C(ITEM_NOT_FOUND));
	assert_int_equal(e->n_text, 1);
	assert_string_equal(e->text[0]->text, "Unbekannt");
	/* what is not text is left out */
	assert_int_equal(error_map_from_sip(404,
					    SPAN_LIT("\xFC"
						     "ber"),
					    SPAN_NULL, &a, &e),
			 0);
	assert_int_equal(e->n_text, 0);
	assert_int_equal(error_map_from_sip(404,
					    SPAN_LIT("a\x01"
						     "b"),
					    SPAN_NULL, &a, &e),
			 0);
	assert_string_equal(e->text[0]->text, "a b");
	arena_deinit(&a);
}

static void test_out_of_memory(void **state)
{
	struct arena a;
	Fed__Error *e = NULL;
	int err = FED_ENOMEM;

	(void)state;
	for (size_t max = 0; err != 0; max += 16) {
		assert_true(max < 4096);
		arena_init(&a, max);
		err = error_map_from_sip(301, SPAN_LIT("Moved"),
					 SPAN_LIT("sip:new@x"), &a, &e);
		assert_true(err == 0 || err == FED_ENOMEM);
		arena_deinit(&a);
	}
	arena_init(&a, 0);
	assert_null(error_map_from_cause(ERROR_MAP_TIMEOUT, &a));
	arena_deinit(&a);
}

static void test_causes(void **state)
{
	static const struct {
		enum error_map_cause cause;
		Fed__Condition condition;
		Fed__ErrorType type;
		int message, invite;
	} rows[] = {
		{ERROR_MAP_TIMEOUT, C(REMOTE_SERVER_TIMEOUT), T(WAIT), 504,
		 408},
		{ERROR_MAP_TRANSPORT, C(REMOTE_SERVER_TIMEOUT), T(WAIT), 504,
		 408},
		{ERROR_MAP_DNS, C(REMOTE_SERVER_NOT_FOUND), T(CANCEL), 404,
		 404},
		{ERROR_MAP_OVERLOAD, C(RESOURCE_CONSTRAINT), T(WAIT), 500, 500},
		{ERROR_MAP_DENIED, C(POLICY_VIOLATION), T(MODIFY), 403, 403},
		{ERROR_MAP_LOOP, C(NOT_ACCEPTABLE), T(CANCEL), 404, 404},
		{ERROR_MAP_INTERNAL, C(INTERNAL_SERVER_ERROR), T(CANCEL), 500,
		 500},
		{(enum error_map_cause)99, C(INTERNAL_SERVER_ERROR), T(CANCEL),
		 500, 500},
	};
	struct arena a;
	struct sip_failure f;

	(void)state;
	arena_init(&a, 65536);
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		Fed__Error *e = error_map_from_cause(rows[i].cause, &a);

		assert_non_null(e);
		assert_int_equal(e->condition, rows[i].condition);
		assert_int_equal(e->type, rows[i].type);
		assert_int_equal(e->n_text, 1);
		error_map_cause_to_sip(rows[i].cause, false, &f);
		assert_int_equal(f.status, rows[i].message);
		error_map_cause_to_sip(rows[i].cause, true, &f);
		assert_int_equal(f.status, rows[i].invite);
		assert_int_not_equal(f.phrase[0], '\0');
		assert_int_equal(f.contact[0], '\0');
	}
	arena_deinit(&a);
}

static void test_conceal(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 65536);
	for (int c = 1; c <= FED__CONDITION__UNEXPECTED_REQUEST; c++) {
		Fed__Error *e =
			stanza_error_new(&a, (Fed__Condition)c, "no such user");
		bool tells = c == C(ITEM_NOT_FOUND) ||
			     c == C(RECIPIENT_UNAVAILABLE) || c == C(GONE) ||
			     c == C(REDIRECT);

		assert_non_null(e);
		e->address = arena_dup(&a, SPAN_LIT("xmpp:a@b"));
		error_map_conceal(e);
		assert_int_equal(e->condition,
				 tells ? (int)C(SERVICE_UNAVAILABLE) : c);
		if (!tells)
			continue;
		assert_int_equal(e->type, T(CANCEL));
		assert_int_equal(e->n_text, 0);
		assert_string_equal(e->address, "");
	}
	arena_deinit(&a);
}

static void test_phrases(void **state)
{
	struct sip_failure f;

	(void)state;
	assert_string_equal(error_map_phrase(404), "Not Found");
	assert_string_equal(error_map_phrase(200), "OK");
	assert_string_equal(error_map_phrase(199), "Progress");
	assert_string_equal(error_map_phrase(299), "Success");
	assert_string_equal(error_map_phrase(399), "Redirection");
	assert_string_equal(error_map_phrase(499), "Request Failure");
	assert_string_equal(error_map_phrase(599), "Server Failure");
	assert_string_equal(error_map_phrase(699), "Global Failure");
	error_map_status(480, &f);
	assert_int_equal(f.status, 480);
	assert_string_equal(f.phrase, "Temporarily Unavailable");
	assert_string_equal(f.contact, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_to_sip),
		cmocka_unit_test(test_server_not_found_now),
		cmocka_unit_test(test_too_big),
		cmocka_unit_test(test_contact),
		cmocka_unit_test(test_phrase),
		cmocka_unit_test(test_from_sip),
		cmocka_unit_test(test_from_sip_contact),
		cmocka_unit_test(test_out_of_memory),
		cmocka_unit_test(test_causes),
		cmocka_unit_test(test_conceal),
		cmocka_unit_test(test_phrases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
