/* Receiving entity: splits, every state x event, call order, reasons.  What it
 * says to whom is in tests/replay. */
#include "tests/unit/s2s_harness.h"

#include <stdio.h>

#define MESSAGE                                                       \
	"<message from='a@peer.example' to='b@home.example' id='m1'>" \
	"<body>\xc3\xbc\xe2\x82\xac &amp; x</body></message>"

/* One session through all states (X16). */
static const char *const session[] = {
	HEADER,
	STARTTLS,
	NULL,
	HEADER,
	"<bidi xmlns='urn:xmpp:bidi'/>",
	"<auth xmlns='" SASL_NS "' mechanism='EXTERNAL'/>",
	"<response xmlns='" SASL_NS "'>cGVlci5leGFtcGxl</response>",
	HEADER,
	MESSAGE " " MESSAGE,
	"<db:verify from='peer.example' to='home.example' id='i'>k</db:verify>",
	"</stream:stream>",
};

static int on_event(void *core, const struct s2s_event *ev, uint64_t now_ms)
{
	return s2s_in_on_event(core, ev, now_ms);
}

static bool next_action(void *core, struct s2s_action *a)
{
	return s2s_in_next_action(core, a);
}

static struct harness_core new_core(struct harness *h)
{
	struct s2s_in *s = NULL;

	harness_init(h);
	assert_int_equal(s2s_in_new(&s, &h->env, 0), 0);
	return (struct harness_core){s, on_event, next_action};
}

static void end(struct harness *h, struct harness_core *c)
{
	s2s_in_free(c->core);
	buf_deinit(&h->log);
}

static void test_splits(void **state)
{
	struct harness whole;
	struct harness_core c = new_core(&whole);

	(void)state;
	harness_play(&whole, &c, session, FED_ARRAY_LEN(session), SIZE_MAX, 0);
	assert_non_null(strstr(buf_cstr(&whole.log),
			       "[ready home.example peer.example 1 bidi]"
			       "[stanza message m1][stanza message m1]"));
	assert_non_null(strstr(buf_cstr(&whole.log), "[close closed"));
	for (size_t i = 0; i < FED_ARRAY_LEN(session); i++) {
		size_t n = session[i] == NULL ? 0 : strlen(session[i]);

		for (size_t cut = 1; cut < n; cut++) {
			struct harness h;
			struct harness_core d = new_core(&h);

			harness_play(&h, &d, session, FED_ARRAY_LEN(session), i,
				     cut);
			assert_string_equal(buf_cstr(&h.log),
					    buf_cstr(&whole.log));
			end(&h, &d);
		}
	}
	end(&whole, &c);
}

/* Every event in every state that the session goes through: no crash, a
 * deadline in every state but the last, CLOSE at most once and last. */
static void test_every_event(void **state)
{
	(void)state;
	for (size_t steps = 0; steps <= FED_ARRAY_LEN(session); steps++)
		for (int k = 0; k <= (int)S2S_EV_TOO_SLOW; k++) {
			struct harness h;
			struct harness_core c = new_core(&h);
			struct s2s_event ev = harness_event(&h, k);
			uint64_t due;

			harness_play(&h, &c, session, steps, SIZE_MAX, 0);
			due = s2s_in_deadline_ms(c.core);
			assert_int_equal(due == UINT64_MAX,
					 strcmp(s2s_in_state_name(c.core),
						"closed") == 0);
			harness_send(&h, &c, &ev, due == UINT64_MAX ? 1 : due);
			/* and the next deadlines (whitespace first) lead to the
			 * end */
			ev.kind = S2S_EV_TIMER;
			for (int i = 0; i < 9; i++) {
				due = s2s_in_deadline_ms(c.core);
				if (due != UINT64_MAX)
					harness_send(&h, &c, &ev, due);
			}
			assert_string_equal(s2s_in_state_name(c.core),
					    "closed");
			assert_non_null(strstr(buf_cstr(&h.log), "[close "));
			end(&h, &c);
		}
}

/* Actions are made one element at a time, and only when asked for. */
static void test_back_pressure(void **state)
{
	struct harness h;
	struct harness_core c = new_core(&h);
	struct s2s_event ev = {.kind = S2S_EV_BYTES};
	struct s2s_action a;

	(void)state;
	harness_play(&h, &c, session, 8, SIZE_MAX, 0);
	ev.u.bytes = SPAN_LIT(MESSAGE MESSAGE);
	assert_int_equal(s2s_in_on_event(c.core, &ev, 1), 0);
	assert_int_equal(h.metrics.value[METRIC_stanzas_in], 0);
	assert_true(s2s_in_next_action(c.core, &a));
	assert_int_equal(h.metrics.value[METRIC_stanzas_in], 1);
	/* the second waits in the reader: more bytes are refused */
	assert_int_equal(s2s_in_on_event(c.core, &ev, 1), FED_ESTATE);
	assert_true(s2s_in_next_action(c.core, &a));
	assert_false(s2s_in_next_action(c.core, &a));
	assert_int_equal(h.metrics.value[METRIC_stanzas_in], 2);
	end(&h, &c);
}

/* LIMIT_DIALBACK_PENDING pairs wait; one more is refused; all verdicts fit
 * into the ring without a drain in between. */
static void test_pending_limit(void **state)
{
	struct harness h;
	struct harness_core c = new_core(&h);
	struct policy_partner any = {
		.domain = "*", .tls = POLICY_OFF, .sasl = POLICY_OFF};
	struct s2s_event ev = {.kind = S2S_EV_VERIFIED};
	char text[200];

	(void)state;
	h.policy.partners = &any;
	h.policy.partner_count = 1;
	harness_bytes(&h, &c, HEADER, SIZE_MAX);
	for (unsigned i = 0; i <= LIMIT_DIALBACK_PENDING; i++) {
		snprintf(text, sizeof(text),
			 "<db:result from='d%u.example' "
			 "to='home.example'>k</db:result>",
			 i);
		harness_bytes(&h, &c, text, SIZE_MAX);
	}
	assert_non_null(strstr(buf_cstr(&h.log), "[verify d15.example k]"));
	assert_null(strstr(buf_cstr(&h.log), "[verify d16.example k]"));
	assert_non_null(strstr(buf_cstr(&h.log), "<resource-constraint"));
	assert_int_equal(s2s_in_mechanism(c.core),
			 FED__MECHANISM__NO_MECHANISM);
	for (unsigned i = 0; i < LIMIT_DIALBACK_PENDING; i++) {
		snprintf(text, sizeof(text), "d%u.example", i);
		ev.u.verified.pair = (struct s2s_pair){"home.example", text};
		ev.u.verified.result = S2S_VERIFY_VALID;
		assert_int_equal(s2s_in_on_event(c.core, &ev, 1), 0);
	}
	(void)harness_drain(&h, &c);
	assert_string_equal(s2s_in_state_name(c.core), "open");
	assert_int_equal(s2s_in_mechanism(c.core), FED__MECHANISM__DIALBACK);
	assert_non_null(
		strstr(buf_cstr(&h.log), "[ready home.example d15.example 2]"));
	assert_int_equal(h.metrics.value[METRIC_dialback_valid], 16);
	end(&h, &c);
}

static void test_bounces(void **state)
{
	static const struct {
		struct s2s_reason r;
		Fed__Condition c;
	} table[] = {
		{{S2S_END_DNS, S2S_NO_CONDITION, "", ""},
		 FED__CONDITION__REMOTE_SERVER_NOT_FOUND},
		{{S2S_END_CONNECT, S2S_NO_CONDITION, "", ""},
		 FED__CONDITION__REMOTE_SERVER_TIMEOUT},
		{{S2S_END_TIMEOUT, S2S_CONNECTION_TIMEOUT, "", ""},
		 FED__CONDITION__REMOTE_SERVER_TIMEOUT},
		{{S2S_END_EOF, S2S_NO_CONDITION, "", ""},
		 FED__CONDITION__REMOTE_SERVER_TIMEOUT},
		{{S2S_END_AUTH, S2S_NOT_AUTHORIZED, "", ""},
		 FED__CONDITION__INTERNAL_SERVER_ERROR},
		{{S2S_END_AUTH, S2S_NO_CONDITION, "", ""},
		 FED__CONDITION__REMOTE_SERVER_TIMEOUT},
		{{S2S_END_POLICY, S2S_NO_CONDITION, "", ""},
		 FED__CONDITION__POLICY_VIOLATION},
		{{S2S_END_ERROR_GOT, S2S_HOST_UNKNOWN, "", ""},
		 FED__CONDITION__REMOTE_SERVER_NOT_FOUND},
		{{S2S_END_ERROR_GOT, S2S_POLICY_VIOLATION, "", ""},
		 FED__CONDITION__REMOTE_SERVER_TIMEOUT},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(table); i++)
		if (s2s_reason_bounce(&table[i].r) != table[i].c)
			fail_msg("row %zu", i);
}

static void test_names(void **state)
{
	struct s2s_reason r = {.kind = S2S_END_ERROR_GOT,
			       .condition = S2S_HOST_UNKNOWN,
			       .text = "no\n"};
	struct s2s_reason place = {.kind = S2S_END_CONNECT,
				   .text = "connection refused",
				   .place = "198.51.100.7:5269"};
	char text[64];

	(void)state;
	for (int c = S2S_BAD_FORMAT; c <= (int)S2S_UNSUPPORTED_VERSION; c++)
		assert_int_equal(s2s_condition_parse(s2s_condition_name(
					 (enum s2s_condition)c)),
				 c);
	assert_int_equal(s2s_condition_parse("xml-not-well-formed"),
			 S2S_NOT_WELL_FORMED);
	assert_int_equal(s2s_condition_parse("none"), S2S_UNDEFINED_CONDITION);
	s2s_reason_format(&r, text, sizeof(text));
	assert_memory_equal(text, "error-got host-unknown (no", 26);
	assert_null(strchr(text, '\n'));
	s2s_reason_format(&r, text, 8);
	assert_string_equal(text, "error-g");
	s2s_reason_format(&place, text, sizeof(text));
	assert_string_equal(text,
			    "connect (connection refused; 198.51.100.7:5269)");
	s2s_reason_tell(&place, text, sizeof(text));
	assert_string_equal(text, "connect (connection refused)");
	place.text[0] = '\0';
	s2s_reason_format(&place, text, sizeof(text));
	assert_string_equal(text, "connect (198.51.100.7:5269)");
	s2s_reason_tell(&place, text, sizeof(text));
	assert_string_equal(text, "connect");
}

static void count_line(void *arg, enum fed_log_level level, const char *line,
		       size_t n)
{
	size_t *lines = arg;

	(void)level;
	(void)line;
	(void)n;
	++*lines;
}

/* Whoever connects can ask as often as LIMIT_UNAUTH_BYTES allows. */
static void test_strangers_do_not_fill_the_log(void **state)
{
	static const char *const hello[] = {HEADER, STARTTLS, NULL, HEADER};
	static const char *const ask[] = {
		"<db:verify from='peer.example' to='home.example' id='i'>"
		"k</db:verify>"};
	size_t lines = 0;
	struct logger log = {FED_LOG_INFO, count_line, &lines};
	struct ratelimit limit;
	struct harness h;
	struct harness_core c = new_core(&h);

	(void)state;
	ratelimit_init(&limit, 1, 3, 0);
	h.env.log = &log;
	h.env.log_limit = &limit;
	harness_play(&h, &c, hello, FED_ARRAY_LEN(hello), SIZE_MAX, 0);
	for (size_t i = 0; i < 50; i++)
		harness_play(&h, &c, ask, 1, SIZE_MAX, 0);
	assert_int_equal(lines, 3);
	end(&h, &c);
}

/* A stanza of ours makes the stream busy, also while the peer's last stanza is
 * still held: nothing that its action points at may go. */
static void test_bidi_wrote(void **state)
{
	const struct s2s_pair pair = {"home.example", "peer.example"};
	struct harness h;
	struct harness_core c = new_core(&h);
	struct s2s_event ev = {.kind = S2S_EV_BYTES};
	struct s2s_action a;

	(void)state;
	harness_play(&h, &c, session, 7, SIZE_MAX, 0);
	assert_false(s2s_in_takes(c.core, &pair));
	s2s_in_wrote(c.core, 500);
	harness_play(&h, &c, session + 7, 1, SIZE_MAX, 0);
	assert_true(s2s_in_takes(c.core, &pair));
	assert_int_equal(s2s_in_deadline_ms(c.core),
			 1 + LIMIT_STREAM_KEEPALIVE_MS);
	ev.u.bytes = SPAN_LIT(MESSAGE MESSAGE);
	assert_int_equal(s2s_in_on_event(c.core, &ev, 1), 0);
	assert_true(s2s_in_next_action(c.core, &a));
	s2s_in_wrote(c.core, 5000);
	assert_string_equal(a.u.stanza.stanza->id, "m1");
	assert_int_equal(s2s_in_deadline_ms(c.core),
			 5000 + LIMIT_STREAM_KEEPALIVE_MS);
	end(&h, &c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_splits),
		cmocka_unit_test(test_every_event),
		cmocka_unit_test(test_back_pressure),
		cmocka_unit_test(test_pending_limit),
		cmocka_unit_test(test_bounces),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_strangers_do_not_fill_the_log),
		cmocka_unit_test(test_bidi_wrote),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
