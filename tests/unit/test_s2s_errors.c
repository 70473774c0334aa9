/*
 * Stream errors, SASL failures and dialback errors, row by row.  Conversations
 * around them are in tests/replay.
 */
#include "tests/unit/s2s_harness.h"

#include <stdio.h>

#define H(attrs) "<stream:stream " attrs ">"
#define SERVER "xmlns='jabber:server' "
#define STREAMS "xmlns:stream='http://etherx.jabber.org/streams' "
#define NAMES "from='peer.example' to='home.example' "
#define AUTH "<auth xmlns='" SASL_NS "' mechanism='EXTERNAL'>=</auth>"
#define FEATURES(x) "<stream:features>" x "</stream:features>"
#define EXTERNAL                      \
	"<mechanisms xmlns='" SASL_NS \
	"'><mechanism>EXTERNAL</mechanism></mechanisms>"
#define AB " from='a@peer.example' to='b@home.example' id='1'"

/* ---- both cores ---- */

static int in_event(void *core, const struct s2s_event *ev, uint64_t now_ms)
{
	return s2s_in_on_event(core, ev, now_ms);
}

static bool in_next(void *core, struct s2s_action *a)
{
	return s2s_in_next_action(core, a);
}

static int out_event(void *core, const struct s2s_event *ev, uint64_t now_ms)
{
	return s2s_out_on_event(core, ev, now_ms);
}

static bool out_next(void *core, struct s2s_action *a)
{
	return s2s_out_next_action(core, a);
}

static struct harness_core new_in(struct harness *h)
{
	struct s2s_in *s = NULL;

	harness_init(h);
	assert_int_equal(s2s_in_new(&s, &h->env, 0), 0);
	return (struct harness_core){s, in_event, in_next};
}

static struct harness_core new_out(struct harness *h, enum s2s_out_mode mode)
{
	struct s2s_out_params p = {.mode = mode,
				   .pair = {"home.example", "peer.example"},
				   .stream_id = "i",
				   .key = "k",
				   .has_certificate = true};
	struct s2s_out *s = NULL;

	harness_init(h);
	assert_int_equal(s2s_out_new(&s, &h->env, &p, 0), 0);
	return (struct harness_core){s, out_event, out_next};
}

static void end_in(struct harness *h, struct harness_core *c)
{
	s2s_in_free(c->core);
	buf_deinit(&h->log);
}

static void end_out(struct harness *h, struct harness_core *c)
{
	s2s_out_free(c->core);
	buf_deinit(&h->log);
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	for (const char *p = text; (p = strstr(p, what)) != NULL; n++)
		p += strlen(what);
	return n;
}

/* ---- stream errors that we send (RFC 6120 4.9.3) ---- */

enum stage {
	NOTHING, /* not even a header was read */
	CLEAR,	 /* header, features */
	OPEN,	 /* authenticated by EXTERNAL */
};

static const char *const opening[] = {HEADER, STARTTLS, NULL,
				      HEADER, AUTH,	HEADER};

static const struct {
	const char *condition;
	enum stage stage;
	const char *in;
} sent[] = {
	{"bad-format", NOTHING,
	 "<stream:foo " SERVER STREAMS NAMES "version='1.0'>"},
	{"bad-namespace-prefix", NOTHING,
	 "<s:stream " SERVER "xmlns:s='http://etherx.jabber.org/streams' " NAMES
	 "version='1.0'>"},
	{"bad-namespace-prefix", OPEN,
	 "<j:message xmlns:j='jabber:server'" AB "/>"},
	{"host-unknown", NOTHING, /* X4 */
	 H(SERVER STREAMS
	   "from='peer.example' to='unknown.example' version='1.0'")},
	{"host-unknown", NOTHING,
	 H(SERVER STREAMS "from='peer.example' version='1.0'")},
	{"host-unknown", OPEN, /* X11 */
	 "<message from='a@peer.example' to='u@not-ours.example'/>"},
	{"improper-addressing", OPEN, "<message from='a@peer.example'/>"},
	{"improper-addressing", OPEN, /* X9 */
	 "<message to='b@home.example'/>"},
	{"improper-addressing", OPEN,
	 "<message from='a@peer.example' to='b@'/>"},
	{"invalid-from", NOTHING,
	 H(SERVER STREAMS "from='home.example' to='home.example' "
			  "version='1.0'")},
	{"invalid-from", OPEN, /* X10 */
	 "<message from='x@other.example' to='b@home.example'/>"},
	{"invalid-namespace", NOTHING, /* X5 */
	 H(SERVER "xmlns:stream='urn:other' " NAMES "version='1.0'")},
	{"invalid-namespace", NOTHING,
	 H("xmlns='jabber:client' " STREAMS NAMES "version='1.0'")},
	{"invalid-namespace", NOTHING, H(STREAMS NAMES "version='1.0'")},
	{"invalid-namespace", OPEN, "<message xmlns='jabber:client'" AB "/>"},
	{"not-authorized", CLEAR, "<message" AB "/>"}, /* X7 */
	{"not-authorized", CLEAR, "<iq" AB " type='get'/>"},
	{"not-well-formed", NOTHING, "GET / HTTP/1.1\r\n"},
	{"not-well-formed", OPEN, "<message" AB "></iq>"},
	{"not-well-formed", OPEN, "<message" AB "><u:x/></message>"},
	{"not-well-formed", OPEN, "<message from='a' from='b'/>"},
	{"policy-violation", NOTHING,
	 H(SERVER STREAMS "from='stranger.example' to='home.example' "
			  "version='1.0'")},
	{"policy-violation", CLEAR, STARTTLS "<iq/>"}, /* X8 */
	{"restricted-xml", OPEN, "<!-- -->"},	       /* X12 */
	{"restricted-xml", OPEN, "<?pi?>"},
	{"restricted-xml", OPEN, "<message" AB ">&foo;</message>"},
	{"restricted-xml", NOTHING, "<!DOCTYPE a><a/>"},
	{"unsupported-encoding", NOTHING,
	 "<?xml version='1.0' encoding='ISO-8859-1'?>"},
	{"unsupported-encoding", OPEN, /* X14 */
	 "<message" AB "><body>\xC0\x80</body></message>"},
	{"unsupported-encoding", OPEN,
	 "<message" AB "><body>\xED\xA0\x80</body></message>"},
	{"unsupported-stanza-type", CLEAR, "<x xmlns='urn:x'/>"},
	{"unsupported-stanza-type", OPEN, "<pubsub" AB "/>"},
	{"unsupported-stanza-type", OPEN, "<x xmlns='urn:x'/>"},
	{"unsupported-version", NOTHING,
	 H(SERVER STREAMS NAMES "version='one'")},
};

static void reach(struct harness *h, struct harness_core *c, enum stage stage)
{
	if (stage == CLEAR)
		harness_play(h, c, opening, 1, SIZE_MAX, 0);
	else if (stage == OPEN)
		harness_play(h, c, opening, FED_ARRAY_LEN(opening), SIZE_MAX,
			     0);
	if (stage == OPEN)
		assert_string_equal(s2s_in_state_name(c->core), "open");
	buf_reset(&h->log);
}

/* Own header where it was not said yet, the error, the end, in that order
 * (RFC 6120 4.9.1), and then the connection. */
static void check_sent(struct harness *h, const char *condition,
		       bool wants_header)
{
	char error[200];
	char close[100];
	const char *log = buf_cstr(&h->log);
	const char *at;

	(void)snprintf(error, sizeof(error),
		       "<stream:error><%s xmlns='urn:ietf:params:xml:ns:xmpp-"
		       "streams'/>",
		       condition);
	(void)snprintf(close, sizeof(close), "[close error-sent %s", condition);
	at = strstr(log, error);
	if (at == NULL ||
	    strstr(at, "</stream:error></stream:stream>") == NULL ||
	    count(log, "</stream:stream>") != 1 ||
	    (strstr(log, close) == NULL &&
	     strstr(log, "[close policy policy-violation") == NULL))
		fail_msg("%s: %s", condition, log);
	if ((strncmp(log, "<?xml", 5) == 0) != wants_header ||
	    (!wants_header && at != log))
		fail_msg("%s: %s", condition, log);
}

static void test_sent(void **state)
{
	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(sent); i++) {
		struct harness h;
		struct harness_core c = new_in(&h);

		reach(&h, &c, sent[i].stage);
		harness_bytes(&h, &c, sent[i].in, SIZE_MAX);
		check_sent(&h, sent[i].condition, sent[i].stage == NOTHING);
		end_in(&h, &c);
	}
}

/* Those that time and the shell cause. */
static void test_sent_by_events(void **state)
{
	static const struct {
		const char *condition;
		enum stage stage;
		struct s2s_event ev;
		uint64_t now_ms;
	} rows[] = {
		{"connection-timeout",
		 CLEAR,
		 {.kind = S2S_EV_TIMER},
		 LIMIT_STREAM_SETUP_MS},
		{"resource-constraint", OPEN, {.kind = S2S_EV_TOO_SLOW}, 1},
		{"resource-constraint", CLEAR, {.kind = S2S_EV_TOO_SLOW}, 1},
		{"system-shutdown", CLEAR, {.kind = S2S_EV_SHUTDOWN}, 1},
		{"system-shutdown", OPEN, {.kind = S2S_EV_SHUTDOWN}, 1},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct harness h;
		struct harness_core c = new_in(&h);
		char error[100];

		reach(&h, &c, rows[i].stage);
		harness_send(&h, &c, &rows[i].ev, rows[i].now_ms);
		(void)snprintf(error, sizeof(error), "<stream:error><%s ",
			       rows[i].condition);
		if (strncmp(buf_cstr(&h.log), error, strlen(error)) != 0)
			fail_msg("row %zu: %s", i, buf_cstr(&h.log));
		end_in(&h, &c);
	}
}

/* ---- stream errors that we get ---- */

/* name and, unless it is the same, what it is taken for */
static const char *const got[][2] = {
	{"bad-format", NULL},
	{"bad-namespace-prefix", NULL},
	{"conflict", NULL},
	{"connection-timeout", NULL},
	{"host-gone", NULL},
	{"host-unknown", NULL},
	{"improper-addressing", NULL},
	{"internal-server-error", NULL},
	{"invalid-from", NULL},
	{"invalid-namespace", NULL},
	{"invalid-xml", NULL},
	{"not-authorized", NULL},
	{"not-well-formed", NULL},
	{"policy-violation", NULL},
	{"remote-connection-failed", NULL},
	{"reset", NULL},
	{"resource-constraint", NULL},
	{"restricted-xml", NULL},
	{"see-other-host", NULL},
	{"system-shutdown", NULL},
	{"undefined-condition", NULL},
	{"unsupported-encoding", NULL},
	{"unsupported-feature", NULL},
	{"unsupported-stanza-type", NULL},
	{"unsupported-version", NULL},
	{"xml-not-well-formed", "not-well-formed"}, /* RFC 3920 */
	{"something-new", "undefined-condition"},
	{"text", "undefined-condition"},
};

static void put_error(char *out, size_t size, const char *name)
{
	(void)snprintf(out, size,
		       "<stream:error><text xmlns='urn:ietf:params:xml:ns:"
		       "xmpp-streams' xml:lang='en'>so</text><%s xmlns='urn:"
		       "ietf:params:xml:ns:xmpp-streams'/><app "
		       "xmlns='urn:app'/></stream:error></stream:stream>",
		       name);
}

/* The stream is closed, once, with what the peer said; never answered by an
 * error. */
static void check_got(struct harness *h, size_t i)
{
	const char *name = got[i][1] == NULL ? got[i][0] : got[i][1];
	char want[100];

	(void)snprintf(want, sizeof(want),
		       "</stream:stream>[close error-got %s (so)]", name);
	assert_string_equal(buf_cstr(&h->log), want);
}

static void test_got(void **state)
{
	char error[500];

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(got); i++) {
		struct harness h;
		struct harness_core c = new_in(&h);

		put_error(error, sizeof(error), got[i][0]);
		reach(&h, &c, OPEN);
		harness_bytes(&h, &c, error, SIZE_MAX);
		check_got(&h, i);
		end_in(&h, &c);

		c = new_out(&h, S2S_OUT_ROUTE);
		harness_bytes(&h, &c, HEADER, SIZE_MAX);
		buf_reset(&h.log);
		harness_bytes(&h, &c, error, SIZE_MAX);
		check_got(&h, i);
		end_out(&h, &c);
	}
}

/* ---- SASL failures (RFC 6120 6.5) ---- */

static const char *const to_sasl[] = {HEADER, FEATURES(STARTTLS), PROCEED, NULL,
				      HEADER, FEATURES(EXTERNAL)};

static void test_sasl_failures_got(void **state)
{
	static const char *const names[] = {"aborted",
					    "account-disabled",
					    "credentials-expired",
					    "encryption-required",
					    "incorrect-encoding",
					    "invalid-authzid",
					    "invalid-mechanism",
					    "malformed-request",
					    "mechanism-too-weak",
					    "not-authorized",
					    "temporary-auth-failure",
					    "something-new"};
	static const struct policy_partner strict = {.domain = "peer.example",
						     .tls = POLICY_REQUIRED,
						     .sasl = POLICY_REQUIRED,
						     .dialback = POLICY_OFF};
	char text[200];
	char want[200];

	(void)state;
	for (size_t i = 0; i < 2 * FED_ARRAY_LEN(names); i++) {
		bool is_strict = i % 2 == 1;
		struct harness h;
		struct harness_core c = new_out(&h, S2S_OUT_ROUTE);

		if (is_strict) {
			s2s_out_free(c.core);
			h.policy.partners = &strict;
			h.policy.partner_count = 1;
			assert_int_equal(
				s2s_out_new((struct s2s_out **)&c.core, &h.env,
					    &(struct s2s_out_params){
						    .pair = {"home.example",
							     "peer.example"},
						    .has_certificate = true},
					    0),
				0);
		}
		harness_play(&h, &c, to_sasl, FED_ARRAY_LEN(to_sasl), SIZE_MAX,
			     0);
		buf_reset(&h.log);
		(void)snprintf(text, sizeof(text),
			       "<failure xmlns='" SASL_NS
			       "'><%s/><text>x</text></failure>",
			       names[i / 2]);
		harness_bytes(&h, &c, text, SIZE_MAX);
		/* XEP-0178 3: dialback where the rule allows it */
		(void)snprintf(want, sizeof(want),
			       is_strict ? "</stream:stream>[close "
					   "authentication (%s)]"
					 : "<db:result ",
			       names[i / 2]);
		if (strncmp(buf_cstr(&h.log), want, strlen(want)) != 0)
			fail_msg("%s: %s", names[i / 2], buf_cstr(&h.log));
		end_out(&h, &c);
	}
}

static void test_sasl_failures_sent(void **state)
{
	static const struct {
		bool has_tls;
		const char *in;
		const char *failure;
	} rows[] = {
		{false, AUTH, "encryption-required"},
		{true, "<auth xmlns='" SASL_NS "'>=</auth>",
		 "malformed-request"},
		{true, "<auth xmlns='" SASL_NS "' mechanism='PLAIN'>=</auth>",
		 "invalid-mechanism"}, /* X18 */
		{true,
		 "<auth xmlns='" SASL_NS
		 "' mechanism='EXTERNAL'>b3RoZXIuZXhhbXBsZQ==</auth>",
		 "invalid-authzid"}, /* X17 */
		{true,
		 "<auth xmlns='" SASL_NS "' mechanism='EXTERNAL'>%%%</auth>",
		 "incorrect-encoding"},
		{true,
		 "<auth xmlns='" SASL_NS "' mechanism='EXTERNAL'/>"
		 "<abort xmlns='" SASL_NS "'/>",
		 "aborted"},
		{true,
		 "<auth xmlns='" SASL_NS "' mechanism='EXTERNAL'/>"
		 "<auth xmlns='" SASL_NS "' mechanism='EXTERNAL'/>",
		 "malformed-request"},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct harness h;
		struct harness_core c = new_in(&h);
		char want[100];

		harness_play(&h, &c, opening, rows[i].has_tls ? 4 : 1, SIZE_MAX,
			     0);
		buf_reset(&h.log);
		harness_bytes(&h, &c, rows[i].in, SIZE_MAX);
		(void)snprintf(want, sizeof(want),
			       "<failure xmlns='" SASL_NS "'><%s/></failure>",
			       rows[i].failure);
		if (strstr(buf_cstr(&h.log), want) == NULL)
			fail_msg("row %zu: %s", i, buf_cstr(&h.log));
		end_in(&h, &c);
	}
}

/* ---- dialback (XEP-0220 2.4) ---- */

/* What the authority's answer to db:verify means to the stream that asked. */
static void test_verify_errors(void **state)
{
	static const struct {
		const char *answer;
		enum s2s_verify_result verdict;
	} rows[] = {
		{"type='valid'", S2S_VERIFY_VALID},
		{"type='invalid'", S2S_VERIFY_INVALID},
		{"item-not-found", S2S_VERIFY_NOT_FOUND},
		{"host-unknown", S2S_VERIFY_NOT_FOUND},
		{"remote-server-not-found", S2S_VERIFY_NOT_FOUND},
		{"remote-connection-failed", S2S_VERIFY_NO_CONNECT},
		{"remote-server-timeout", S2S_VERIFY_NO_ANSWER},
		{"policy-violation", S2S_VERIFY_NO_ANSWER},
		{"something-new", S2S_VERIFY_NO_ANSWER},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		bool is_error = strncmp(rows[i].answer, "type", 4) != 0;
		struct harness h;
		struct harness_core c = new_out(&h, S2S_OUT_VERIFY);
		char text[400];
		char want[100];

		harness_play(&h, &c, to_sasl, FED_ARRAY_LEN(to_sasl), SIZE_MAX,
			     0);
		buf_reset(&h.log);
		(void)snprintf(text, sizeof(text),
			       "<db:verify from='peer.example' "
			       "to='home.example' id='i' %s>%s%s%s</db:verify>",
			       is_error ? "type='error'" : rows[i].answer,
			       is_error ? "<error type='cancel'><" : "",
			       is_error ? rows[i].answer : "",
			       is_error ? " xmlns='urn:ietf:params:xml:ns:"
					  "xmpp-stanzas'/></error>"
					: "");
		harness_bytes(&h, &c, text, SIZE_MAX);
		(void)snprintf(want, sizeof(want),
			       "[verdict %d]</stream:stream>[close closed",
			       (int)rows[i].verdict);
		if (strncmp(buf_cstr(&h.log), want, strlen(want)) != 0)
			fail_msg("row %zu: %s", i, buf_cstr(&h.log));
		end_out(&h, &c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sent),
		cmocka_unit_test(test_sent_by_events),
		cmocka_unit_test(test_got),
		cmocka_unit_test(test_sasl_failures_got),
		cmocka_unit_test(test_sasl_failures_sent),
		cmocka_unit_test(test_verify_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
