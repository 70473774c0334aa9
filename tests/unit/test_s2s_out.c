/* Initiating entity: splits, every state x event, call order.  What it says to
 * whom is in tests/replay. */
#include "tests/unit/s2s_harness.h"

#define FEATURES(x) "<stream:features>" x "</stream:features>"
#define EXTERNAL                      \
	"<mechanisms xmlns='" SASL_NS \
	"'><mechanism>EXTERNAL</mechanism></mechanisms>"
#define LIMITS                                      \
	"<limits xmlns='urn:xmpp:stream-limits:0'>" \
	"<max-bytes>12345</max-bytes>"              \
	"<idle-seconds> 60 </idle-seconds></limits>"

/* Through all states: EXTERNAL refused, dialback. */
static const char *const by_dialback[] = {
	HEADER,
	FEATURES(STARTTLS),
	PROCEED,
	NULL,
	HEADER,
	FEATURES(EXTERNAL),
	"<failure xmlns='" SASL_NS "'><not-authorized/></failure>",
	"<db:result from='peer.example' to='home.example' type='valid'/>",
	"</stream:stream>",
};

static const char *const by_external[] = {
	HEADER,
	FEATURES(STARTTLS),
	PROCEED,
	NULL,
	HEADER,
	FEATURES(EXTERNAL),
	"<success xmlns='" SASL_NS "'/>",
	HEADER,
	FEATURES(LIMITS),
	"</stream:stream>",
};

#define BIDI "<bidi xmlns='urn:xmpp:features:bidi'/>"
#define MESSAGE                                                       \
	"<message from='a@peer.example' to='b@home.example' id='m1'>" \
	"<body>\xc3\xbc\xe2\x82\xac &amp; x</body></message>"

/* XEP-0288: the peer's stanzas come here. */
static const char *const by_bidi[] = {
	HEADER,
	FEATURES(STARTTLS),
	PROCEED,
	NULL,
	HEADER,
	FEATURES(EXTERNAL BIDI),
	"<success xmlns='" SASL_NS "'/>",
	HEADER,
	FEATURES(LIMITS),
	MESSAGE " " MESSAGE,
	"</stream:stream>",
};

static int on_event(void *core, const struct s2s_event *ev, uint64_t now_ms)
{
	return s2s_out_on_event(core, ev, now_ms);
}

static bool next_action(void *core, struct s2s_action *a)
{
	return s2s_out_next_action(core, a);
}

static struct harness_core new_core(struct harness *h, enum s2s_out_mode mode)
{
	struct s2s_out_params p = {.mode = mode,
				   .pair = {"home.example", "peer.example"},
				   .stream_id = "i",
				   .key = "k",
				   .has_certificate = true};
	struct s2s_out *s = NULL;

	harness_init(h);
	assert_int_equal(s2s_out_new(&s, &h->env, &p, 0), 0);
	return (struct harness_core){s, on_event, next_action};
}

static void end(struct harness *h, struct harness_core *c)
{
	s2s_out_free(c->core);
	buf_deinit(&h->log);
}

static void check_splits(const char *const *script, size_t steps,
			 const char *ready)
{
	struct harness whole;
	struct harness_core c = new_core(&whole, S2S_OUT_ROUTE);

	harness_play(&whole, &c, script, steps, SIZE_MAX, 0);
	assert_non_null(strstr(buf_cstr(&whole.log), ready));
	assert_non_null(strstr(buf_cstr(&whole.log), "[close closed"));
	for (size_t i = 0; i < steps; i++) {
		size_t n = script[i] == NULL ? 0 : strlen(script[i]);

		for (size_t cut = 1; cut < n; cut++) {
			struct harness h;
			struct harness_core d = new_core(&h, S2S_OUT_ROUTE);

			harness_play(&h, &d, script, steps, i, cut);
			assert_string_equal(buf_cstr(&h.log),
					    buf_cstr(&whole.log));
			end(&h, &d);
		}
	}
	end(&whole, &c);
}

static void test_splits(void **state)
{
	(void)state;
	check_splits(by_dialback, FED_ARRAY_LEN(by_dialback),
		     "[ready home.example peer.example 2]");
	check_splits(by_external, FED_ARRAY_LEN(by_external),
		     "[ready home.example peer.example 1]");
	check_splits(by_bidi, FED_ARRAY_LEN(by_bidi),
		     "[ready home.example peer.example 1 bidi]"
		     "[stanza message m1][stanza message m1]");
}

static void check_every_event(enum s2s_out_mode mode, const char *const *script,
			      size_t steps, int k)
{
	struct harness h;
	struct harness_core c = new_core(&h, mode);
	struct s2s_event ev = harness_event(&h, k);
	struct s2s_event bye = {.kind = S2S_EV_IDLE_CLOSE};
	uint64_t due;

	harness_play(&h, &c, script, steps, SIZE_MAX, 0);
	due = s2s_out_deadline_ms(c.core);
	assert_int_equal(due == UINT64_MAX,
			 strcmp(s2s_out_state_name(c.core), "closed") == 0);
	harness_send(&h, &c, &ev, due == UINT64_MAX ? 1 : due);
	/* an open stream lives on; any other ends by its deadlines */
	if (s2s_out_is_open(c.core))
		harness_send(&h, &c, &bye, due);
	ev.kind = S2S_EV_TIMER;
	for (int i = 0; i < 4; i++) {
		due = s2s_out_deadline_ms(c.core);
		if (due != UINT64_MAX)
			harness_send(&h, &c, &ev, due);
	}
	assert_string_equal(s2s_out_state_name(c.core), "closed");
	assert_non_null(strstr(buf_cstr(&h.log), "[close "));
	if (mode == S2S_OUT_VERIFY)
		assert_non_null(strstr(buf_cstr(&h.log), "[verdict "));
	end(&h, &c);
}

static void test_every_event(void **state)
{
	(void)state;
	for (int k = 0; k <= (int)S2S_EV_TOO_SLOW; k++) {
		for (size_t n = 0; n <= FED_ARRAY_LEN(by_dialback); n++)
			check_every_event(S2S_OUT_ROUTE, by_dialback, n, k);
		for (size_t n = 0; n <= FED_ARRAY_LEN(by_external); n++)
			check_every_event(S2S_OUT_ROUTE, by_external, n, k);
		for (size_t n = 0; n <= FED_ARRAY_LEN(by_bidi); n++)
			check_every_event(S2S_OUT_ROUTE, by_bidi, n, k);
		for (size_t n = 0; n <= 6; n++)
			check_every_event(S2S_OUT_VERIFY, by_external, n, k);
	}
}

static void test_policy(void **state)
{
	struct harness h;
	struct s2s_out *s = NULL;
	struct s2s_out_params p = {.pair = {"home.example", "no.example"}};

	(void)state;
	harness_init(&h);
	assert_int_equal(s2s_out_new(&s, &h.env, &p, 0), FED_EDENIED);
	p.pair.remote = "contradiction.example";
	assert_int_equal(s2s_out_new(&s, &h.env, &p, 0), FED_EDENIED);
	assert_null(s);
	s2s_out_free(NULL);
}

static void test_facts_when_open(void **state)
{
	struct harness h;
	struct harness_core c = new_core(&h, S2S_OUT_ROUTE);
	size_t steps = FED_ARRAY_LEN(by_external) - 1;

	(void)state;
	assert_false(s2s_out_is_open(c.core));
	harness_play(&h, &c, by_external, steps, SIZE_MAX, 0);
	assert_true(s2s_out_is_open(c.core));
	assert_int_equal(s2s_out_peer_limits(c.core)->max_bytes, 12345);
	assert_int_equal(s2s_out_peer_limits(c.core)->idle_ms, 60000);
	assert_int_equal(s2s_out_mechanism(c.core), FED__MECHANISM__EXTERNAL);
	assert_int_equal(h.metrics.value[METRIC_streams_out], 1);
	end(&h, &c);
}

/* RFC 6120 5.4.3.3: in the clear anybody could say how little the peer takes */
static void test_limits_in_the_clear(void **state)
{
	static const char *const script[] = {
		HEADER,
		FEATURES(STARTTLS LIMITS),
		PROCEED,
		NULL,
		HEADER,
		FEATURES(),
		"<db:result from='peer.example' to='home.example' "
		"type='valid'/>",
	};
	struct harness h;
	struct harness_core c = new_core(&h, S2S_OUT_ROUTE);

	(void)state;
	harness_play(&h, &c, script, FED_ARRAY_LEN(script), SIZE_MAX, 0);
	assert_true(s2s_out_is_open(c.core));
	assert_int_equal(s2s_out_peer_limits(c.core)->max_bytes, 0);
	assert_int_equal(s2s_out_peer_limits(c.core)->idle_ms, 0);
	end(&h, &c);
}

/* Stanzas come one at a time, and only when asked for. */
static void test_bidi_back_pressure(void **state)
{
	struct harness h;
	struct harness_core c = new_core(&h, S2S_OUT_ROUTE);
	struct s2s_event ev = {.kind = S2S_EV_BYTES};
	struct s2s_action a;

	(void)state;
	harness_play(&h, &c, by_bidi, 9, SIZE_MAX, 0);
	assert_true(s2s_out_is_bidi(c.core));
	ev.u.bytes = SPAN_LIT(MESSAGE MESSAGE);
	assert_int_equal(s2s_out_on_event(c.core, &ev, 1), 0);
	assert_true(s2s_out_next_action(c.core, &a));
	assert_int_equal(h.metrics.value[METRIC_stanzas_in], 1);
	assert_int_equal(s2s_out_on_event(c.core, &ev, 1), FED_ESTATE);
	assert_true(s2s_out_next_action(c.core, &a));
	assert_false(s2s_out_next_action(c.core, &a));
	assert_int_equal(h.metrics.value[METRIC_stanzas_in], 2);
	end(&h, &c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_splits),
		cmocka_unit_test(test_every_event),
		cmocka_unit_test(test_policy),
		cmocka_unit_test(test_facts_when_open),
		cmocka_unit_test(test_limits_in_the_clear),
		cmocka_unit_test(test_bidi_back_pressure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
