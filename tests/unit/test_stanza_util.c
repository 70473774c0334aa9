/* Stanza structs: making, answering, and refusing hostile ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/limits.h"
#include "xmpp/stanza_error.h"
#include "xmpp/stanza_util.h"

static struct arena arena;

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, 8u * 1024u * 1024u);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_deinit(&arena);
	return 0;
}

static char *str(const char *s)
{
	char *copy = arena_dup(&arena, span_str(s));

	assert_non_null(copy);
	return copy;
}

static Fed__Stanza *addressed(Fed__Stanza *s)
{
	assert_non_null(s);
	s->from = str("juliet@x.example/balcony");
	s->to = str("romeo@s.example");
	s->id = str("id1");
	return s;
}

static Fed__Stanza *message(void)
{
	return addressed(stanza_new_message(&arena));
}

static Fed__Stanza *presence(Fed__PresenceType type)
{
	Fed__Stanza *s = addressed(stanza_new_presence(&arena));

	s->presence->type = type;
	return s;
}

static Fed__Stanza *iq(Fed__IqType type)
{
	Fed__Stanza *s = addressed(stanza_new_iq(&arena));

	s->iq->type = type;
	return s;
}

static void test_condition_names(void **state)
{
	static const struct {
		const char *name;
		Fed__ErrorType type;
	} rows[] = {
		{"bad-request", FED__ERROR_TYPE__MODIFY},
		{"conflict", FED__ERROR_TYPE__CANCEL},
		{"feature-not-implemented", FED__ERROR_TYPE__CANCEL},
		{"forbidden", FED__ERROR_TYPE__AUTH},
		{"gone", FED__ERROR_TYPE__CANCEL},
		{"internal-server-error", FED__ERROR_TYPE__CANCEL},
		{"item-not-found", FED__ERROR_TYPE__CANCEL},
		{"jid-malformed", FED__ERROR_TYPE__MODIFY},
		{"not-acceptable", FED__ERROR_TYPE__MODIFY},
		{"not-allowed", FED__ERROR_TYPE__CANCEL},
		{"not-authorized", FED__ERROR_TYPE__AUTH},
		{"policy-violation", FED__ERROR_TYPE__MODIFY},
		{"recipient-unavailable", FED__ERROR_TYPE__WAIT},
		{"redirect", FED__ERROR_TYPE__MODIFY},
		{"registration-required", FED__ERROR_TYPE__AUTH},
		{"remote-server-not-found", FED__ERROR_TYPE__CANCEL},
		{"remote-server-timeout", FED__ERROR_TYPE__WAIT},
		{"resource-constraint", FED__ERROR_TYPE__WAIT},
		{"service-unavailable", FED__ERROR_TYPE__CANCEL},
		{"subscription-required", FED__ERROR_TYPE__AUTH},
		{"undefined-condition", FED__ERROR_TYPE__CANCEL},
		{"unexpected-request", FED__ERROR_TYPE__WAIT},
	};

	(void)state;
	assert_int_equal(FED_ARRAY_LEN(rows), 22); /* RFC 6120 8.3.3 */
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		Fed__Condition c = (Fed__Condition)(i + 1);

		assert_string_equal(stanza_error_name(c), rows[i].name);
		assert_int_equal(stanza_error_parse(rows[i].name), c);
		assert_int_equal(stanza_error_usual_type(c), rows[i].type);
	}
	/* RFC 6120 8.3.2 */
	assert_string_equal(stanza_error_name((Fed__Condition)0),
			    "undefined-condition");
	assert_string_equal(stanza_error_name((Fed__Condition)23),
			    "undefined-condition");
	assert_string_equal(stanza_error_name((Fed__Condition)-1),
			    "undefined-condition");
	assert_int_equal(stanza_error_parse("payment-required"),
			 FED__CONDITION__UNDEFINED_CONDITION);
	assert_int_equal(stanza_error_parse(""),
			 FED__CONDITION__UNDEFINED_CONDITION);
}

static void test_type_names(void **state)
{
	static const char *const names[] = {"auth", "cancel", "continue",
					    "modify", "wait"};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(names); i++) {
		Fed__ErrorType t = (Fed__ErrorType)(i + 1);

		assert_string_equal(stanza_error_type_name(t), names[i]);
		assert_int_equal(stanza_error_type_parse(names[i]), t);
	}
	assert_string_equal(stanza_error_type_name((Fed__ErrorType)0),
			    "cancel");
	assert_string_equal(stanza_error_type_name((Fed__ErrorType)9),
			    "cancel");
	assert_int_equal(stanza_error_type_parse("Wait"),
			 FED__ERROR_TYPE__CANCEL);
}

static void test_error_new(void **state)
{
	struct arena small;
	Fed__Error *e = stanza_error_new(&arena, FED__CONDITION__ITEM_NOT_FOUND,
					 "no such user");

	(void)state;
	assert_non_null(e);
	assert_int_equal(e->condition, FED__CONDITION__ITEM_NOT_FOUND);
	assert_int_equal(e->type, FED__ERROR_TYPE__CANCEL);
	assert_int_equal(e->n_text, 1);
	assert_string_equal(e->text[0]->text, "no such user");
	assert_string_equal(e->text[0]->lang, "en");
	e = stanza_error_new(&arena, FED__CONDITION__GONE, NULL);
	assert_non_null(e);
	assert_int_equal(e->n_text, 0);
	for (size_t max = 0;; max += 16) {
		assert_true(max < 1024);
		arena_init(&small, max);
		e = stanza_error_new(&small, FED__CONDITION__GONE, "text");
		if (e != NULL)
			assert_int_equal(e->n_text, 1);
		arena_deinit(&small);
		if (e != NULL)
			break;
	}
}

static void test_may_be_answered(void **state)
{
	static const bool presences[] = {
		[FED__PRESENCE_TYPE__SUBSCRIBE] = true,
		[FED__PRESENCE_TYPE__PRESENCE_ERROR] = false,
	};
	Fed__Stanza *s = message();

	(void)state;
	for (int t = 0; t < FED__MESSAGE_TYPE__MESSAGE_ERROR; t++) {
		s->message->type = (Fed__MessageType)t;
		assert_true(stanza_may_be_answered(s));
		assert_false(stanza_is_error(s));
	}
	s->message->type = FED__MESSAGE_TYPE__MESSAGE_ERROR; /* E14 */
	assert_false(stanza_may_be_answered(s));
	assert_true(stanza_is_error(s));
	for (int t = 0; t <= FED__PRESENCE_TYPE__PRESENCE_ERROR; t++) {
		s = presence((Fed__PresenceType)t);
		assert_int_equal(stanza_may_be_answered(s), presences[t]);
		assert_int_equal(stanza_is_error(s),
				 t == FED__PRESENCE_TYPE__PRESENCE_ERROR);
	}
	assert_true(stanza_may_be_answered(iq(FED__IQ_TYPE__GET)));
	assert_true(stanza_may_be_answered(iq(FED__IQ_TYPE__SET)));
	assert_false(stanza_may_be_answered(iq(FED__IQ_TYPE__RESULT)));
	assert_false(stanza_may_be_answered(iq(FED__IQ_TYPE__IQ_ERROR)));
	assert_true(stanza_is_error(iq(FED__IQ_TYPE__IQ_ERROR)));
	s->kind_case = FED__STANZA__KIND__NOT_SET;
	assert_false(stanza_may_be_answered(s));
	assert_false(stanza_is_error(s));
}

static void check_reply(const Fed__Stanza *s)
{
	Fed__Error *e = stanza_error_new(&arena, FED__CONDITION__GONE, NULL);
	Fed__Stanza *r = stanza_error_reply(&arena, s, e);

	assert_non_null(r);
	assert_int_equal(r->kind_case, s->kind_case);
	assert_true(stanza_is_error(r));
	assert_string_equal(r->from, s->to);
	assert_string_equal(r->to, s->from);
	assert_string_equal(r->id, s->id);
	assert_ptr_equal(stanza_get_error(r), e);
	assert_int_equal(stanza_validate(r), 0);
	/* RFC 6120 8.3.1: an error is never answered */
	assert_null(stanza_error_reply(&arena, r, e));
}

/* RFC 6121 4.3.2, 8.5: who asks for a subscription is told why not, who probes
 * at most where to go, nobody else anything. */
static void test_presence_replies(void **state)
{
	(void)state;
	for (int t = 0; t <= FED__PRESENCE_TYPE__PRESENCE_ERROR; t++) {
		for (int c = 1; c <= FED__CONDITION__UNEXPECTED_REQUEST; c++) {
			bool is_new_address = c == FED__CONDITION__GONE ||
					      c == FED__CONDITION__REDIRECT;
			bool want = t == FED__PRESENCE_TYPE__SUBSCRIBE ||
				    (t == FED__PRESENCE_TYPE__PROBE &&
				     is_new_address);
			Fed__Error e;

			fed__error__init(&e);
			e.condition = (Fed__Condition)c;
			assert_int_equal(want,
					 stanza_error_reply(
						 &arena,
						 presence((Fed__PresenceType)t),
						 &e) != NULL);
		}
	}
}

static void test_error_reply(void **state)
{
	Fed__Stanza *s = message();
	struct arena small;
	bool is_done = false;

	(void)state;
	check_reply(s);
	check_reply(presence(FED__PRESENCE_TYPE__SUBSCRIBE));
	check_reply(iq(FED__IQ_TYPE__GET));
	assert_null(stanza_get_error(s));
	assert_string_equal(stanza_kind_name(s), "message");
	assert_string_equal(stanza_kind_name(iq(FED__IQ_TYPE__GET)), "iq");
	assert_string_equal(
		stanza_kind_name(presence(FED__PRESENCE_TYPE__PROBE)),
		"presence");
	for (size_t max = 0; !is_done; max += 16) {
		Fed__Error e;

		fed__error__init(&e);
		assert_true(max < 4096);
		arena_init(&small, max);
		is_done = stanza_error_reply(&small, s, &e) != NULL;
		arena_deinit(&small);
	}
	s->from = str("");
	assert_null(stanza_error_reply(&arena, s, NULL));
	s->kind_case = FED__STANZA__KIND__NOT_SET;
	assert_string_equal(stanza_kind_name(s), "none");
	assert_null(stanza_get_error(s));
}

static void test_texts(void **state)
{
	Fed__Message *m = message()->message;

	(void)state;
	assert_null(stanza_pick_text(m->body, m->n_body, "en"));
	assert_int_equal(stanza_add_text(&arena, &m->body, &m->n_body,
					 SPAN_LIT("de"), SPAN_LIT("Tag")),
			 0);
	/* only one there is */
	assert_string_equal(stanza_pick_text(m->body, m->n_body, "en")->text,
			    "Tag");
	assert_int_equal(stanza_add_text(&arena, &m->body, &m->n_body,
					 SPAN_NULL, SPAN_LIT("Day")),
			 0);
	assert_int_equal(stanza_add_text(&arena, &m->body, &m->n_body,
					 SPAN_LIT("fr"), SPAN_LIT("Jour")),
			 0);
	assert_int_equal(m->n_body, 3);
	assert_string_equal(stanza_pick_text(m->body, m->n_body, "FR")->text,
			    "Jour");
	assert_string_equal(stanza_pick_text(m->body, m->n_body, "it")->text,
			    "Day");
	assert_string_equal(stanza_pick_text(m->body, m->n_body, NULL)->text,
			    "Day");
}

/* ---- stanza_validate() --------------------------------------------------- */

static Fed__Stanza *full_message(void)
{
	Fed__Stanza *s = message();
	Fed__Message *m = s->message;

	assert_int_equal(stanza_add_text(&arena, &m->body, &m->n_body,
					 SPAN_LIT("en"),
					 SPAN_LIT("Hi\n\tall\r\xC3\xBC")),
			 0);
	m->type = FED__MESSAGE_TYPE__CHAT;
	m->thread = str("t1");
	m->chat_state = FED__CHAT_STATE__STATE_GONE;
	m->delay = arena_alloc(&arena, sizeof(*m->delay));
	assert_non_null(m->delay);
	fed__delay__init(m->delay);
	m->delay->stamp_ms = -1;
	m->error = stanza_error_new(&arena, FED__CONDITION__GONE, "text");
	assert_non_null(m->error);
	return s;
}

static Fed__Stanza *disco_iq(void)
{
	Fed__Stanza *s = iq(FED__IQ_TYPE__RESULT);
	Fed__DiscoInfo *d = arena_alloc(&arena, sizeof(*d));
	void **features = NULL;

	assert_non_null(d);
	fed__disco_info__init(d);
	assert_int_equal(arena_append(&arena, &features, &d->n_feature,
				      str("urn:xmpp:ping")),
			 0);
	d->feature = (char **)features;
	s->iq->payload_case = FED__IQ__PAYLOAD_DISCO_INFO;
	s->iq->disco_info = d;
	return s;
}

static void test_validate_good(void **state)
{
	Fed__Stanza *s = presence(FED__PRESENCE_TYPE__AVAILABLE);

	(void)state;
	assert_int_equal(stanza_validate(message()), 0);
	assert_int_equal(stanza_validate(full_message()), 0);
	assert_int_equal(stanza_validate(disco_iq()), 0);
	assert_int_equal(stanza_validate(iq(FED__IQ_TYPE__GET)), 0);
	s->presence->priority = -128;
	assert_int_equal(stanza_validate(s), 0);
	s->presence->priority = 127;
	assert_int_equal(stanza_validate(s), 0);
}

static void test_validate_addresses(void **state)
{
	static const char *const bad[] = {
		"",
		"@x.example",
		"a@",
		"a@x.example/",
		"a@b@x.example",
		"A@x.example",
		"a@X.example",
		"a b@x.example",
		"a@x.example/\x07",
		"\xFF@x.example",
		"a'@x.example",
	};
	char big[1100];
	Fed__Stanza *s = message();

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(bad); i++) {
		s->from = str(bad[i]);
		if (stanza_validate(s) != FED_EPROTO)
			fail_msg("from %s", bad[i]);
		s->from = str("x.example");
		s->to = str(bad[i]);
		if (stanza_validate(s) != FED_EPROTO)
			fail_msg("to %s", bad[i]);
		s->to = str("x.example");
		assert_int_equal(stanza_validate(s), 0);
	}
	memset(big, 'a', sizeof(big));
	memcpy(big + 1023, "@b", 3);
	s->from = str(big);
	assert_int_equal(stanza_validate(s), 0);
	memcpy(big + 1023, "a@b", 4);
	s->from = str(big);
	assert_int_equal(stanza_validate(s), FED_EPROTO);
	s->from = NULL;
	assert_int_equal(stanza_validate(s), FED_EPROTO);
}

static void test_validate_strings(void **state)
{
	static const char *const bad[] = {
		"\x01",		"a\x1F",	"\xFF",		 "\xC3",
		"\xED\xA0\x80", "\xEF\xBF\xBE", "a\xEF\xBF\xBF", "\xC0\x80",
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(bad); i++) {
		Fed__Stanza *s = full_message();

		s->id = str(bad[i]);
		assert_int_equal(stanza_validate(s), FED_EPROTO);
		s = full_message();
		s->message->body[0]->text = str(bad[i]);
		assert_int_equal(stanza_validate(s), FED_EPROTO);
		s = full_message();
		s->message->error->text[0]->lang = str(bad[i]);
		assert_int_equal(stanza_validate(s), FED_EPROTO);
		s = full_message();
		s->message->delay->from = str(bad[i]);
		assert_int_equal(stanza_validate(s), FED_EPROTO);
		s = disco_iq();
		s->iq->disco_info->feature[0] = str(bad[i]);
		assert_int_equal(stanza_validate(s), FED_EPROTO);
	}
}

/* Text is looked at eight bytes at once: each byte at each place. */
static void test_validate_every_byte(void **state)
{
	Fed__Stanza *s = full_message();
	char text[] = "twenty-four bytes of it.";

	(void)state;
	s->message->body[0]->text = text;
	for (size_t at = 0; at < sizeof(text) - 1; at++) {
		char kept = text[at];

		for (int c = 1; c < 0x100; c++) {
			bool is_good =
				c >= 0x20 ? c < 0x80
					  : c == '\t' || c == '\n' || c == '\r';

			text[at] = (char)c;
			assert_int_equal(stanza_validate(s),
					 is_good ? 0 : FED_EPROTO);
		}
		text[at] = kept;
	}
	memcpy(text + 5, "\xC3\xA9", 2);
	assert_int_equal(stanza_validate(s), 0);
	text[9] = '\x01';
	assert_int_equal(stanza_validate(s), FED_EPROTO);
}

static void test_validate_enums(void **state)
{
	Fed__Stanza *s = full_message();

	(void)state;
	s->message->type = (Fed__MessageType)5;
	assert_int_equal(stanza_validate(s), FED_EPROTO);
	s = full_message();
	s->message->chat_state = (Fed__ChatState)-1;
	assert_int_equal(stanza_validate(s), FED_EPROTO);
	s = full_message();
	s->message->error->condition = (Fed__Condition)23;
	assert_int_equal(stanza_validate(s), FED_EPROTO);
	s = full_message();
	s->message->error->type = (Fed__ErrorType)6;
	assert_int_equal(stanza_validate(s), FED_EPROTO);
	s = presence((Fed__PresenceType)8);
	assert_int_equal(stanza_validate(s), FED_EPROTO);
	s = presence(FED__PRESENCE_TYPE__AVAILABLE);
	s->presence->show = (Fed__Show)5;
	assert_int_equal(stanza_validate(s), FED_EPROTO);
	s->presence->show = FED__SHOW__XA;
	s->presence->priority = 128;
	assert_int_equal(stanza_validate(s), FED_EPROTO);
	s->presence->priority = -129;
	assert_int_equal(stanza_validate(s), FED_EPROTO);
	assert_int_equal(stanza_validate(iq((Fed__IqType)4)), FED_EPROTO);
}

static void test_validate_shape(void **state)
{
	Fed__Stanza *s = message();

	(void)state;
	s->kind_case = FED__STANZA__KIND__NOT_SET;
	assert_int_equal(stanza_validate(s), FED_EPROTO);
	s->kind_case = (Fed__Stanza__KindCase)9;
	assert_int_equal(stanza_validate(s), FED_EPROTO);
	s = message();
	s->message = NULL;
	assert_int_equal(stanza_validate(s), FED_EPROTO);
	/* the kind says presence, the struct is a message */
	s = message();
	s->kind_case = FED__STANZA__KIND_PRESENCE;
	assert_int_equal(stanza_validate(s), FED_EPROTO);
	s = disco_iq();
	s->iq->disco_info = NULL;
	assert_int_equal(stanza_validate(s), FED_EPROTO);
	s = full_message();
	s->message->body[0] = NULL;
	assert_int_equal(stanza_validate(s), FED_EPROTO);
	s = full_message();
	s->message->body = NULL;
	assert_int_equal(stanza_validate(s), FED_EPROTO);
	s = disco_iq();
	s->iq->disco_info->feature[0] = NULL;
	assert_int_equal(stanza_validate(s), FED_EPROTO);
}

static void test_validate_counts(void **state)
{
	size_t n = LIMIT_STANZA_LIST + 1;
	char **list = calloc(n, sizeof(*list));
	Fed__Stanza *s = disco_iq();
	char *big;

	(void)state;
	assert_non_null(list);
	for (size_t i = 0; i < n; i++)
		list[i] = s->iq->disco_info->feature[0];
	s->iq->disco_info->feature = list;
	s->iq->disco_info->n_feature = n - 1;
	assert_int_equal(stanza_validate(s), 0);
	s->iq->disco_info->n_feature = n;
	assert_int_equal(stanza_validate(s), FED_EPROTO);
	free(list);

	s = full_message();
	big = malloc(LIMIT_STANZA_BYTES + 2u);
	assert_non_null(big);
	memset(big, 'a', LIMIT_STANZA_BYTES + 1u);
	big[LIMIT_STANZA_BYTES + 1u] = '\0';
	s->message->body[0]->text = big;
	assert_int_equal(stanza_validate(s), FED_EPROTO);
	big[LIMIT_STANZA_BYTES] = '\0';
	assert_int_equal(stanza_validate(s), 0);
	free(big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_condition_names),
		cmocka_unit_test(test_type_names),
		cmocka_unit_test_setup_teardown(test_error_new, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_presence_replies, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_may_be_answered, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_error_reply, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_texts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_validate_good, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_validate_addresses, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_validate_strings, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_validate_every_byte,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_validate_enums, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_validate_shape, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_validate_counts, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
