/* What fedctl prints of lists, against golden texts; and how it finds
 * commands. */

#include "fedctl_line.h"

#include "base/slip.h"
#include "deploy/fedctl/command.h"
#include "deploy/fedctl/text.h"

/* ---- lists --------------------------------------------------------------- */

static void test_version(void **state)
{
	Fed__AdminResponse r;
	Fed__VersionInfo v;

	(void)state;
	fed__admin_response__init(&r);
	fed__version_info__init(&v);
	v.program = s("fe-gateway");
	v.version = s("0.1.0");
	v.instance = s("gw1.inside.example");
	v.channel_version = 1;
	v.uptime_ms = 7384000;
	r.version = &v;
	r.last = true;
	shows(&show_version_text, false, NULL, &r, 1,
	      "fe-gateway 0.1.0\n"
	      "instance  gw1.inside.example\n"
	      "channel   version 1\n"
	      "up        2 h 3 min\n");
	shows(&show_version_json, false, NULL, &r, 1,
	      "{\"version\": {\"program\": \"fe-gateway\", \"version\": "
	      "\"0.1.0\", \"instance\": \"gw1.inside.example\", "
	      "\"channel_version\": 1, \"uptime_ms\": 7384000}}\n");
}

static void test_counters(void **state)
{
	Fed__AdminResponse r;
	Fed__Counter a;
	Fed__Counter b;
	Fed__Counter *both[] = {&a, &b};

	(void)state;
	fed__admin_response__init(&r);
	fed__counter__init(&a);
	fed__counter__init(&b);
	a.name = s("delivered");
	a.value = 1234567;
	b.name = s("of_a_newer_daemon");
	r.counter = both;
	r.n_counter = 2;
	shows(&show_counters_text, false, NULL, &r, 1,
	      "COUNTER              VALUE  MEANING\n"
	      "delivered          1234567  deliveries that ended well\n"
	      "of_a_newer_daemon        0  -\n");
	shows(&show_counters_json, false, NULL, &r, 1,
	      "{\"counters\": {\"delivered\": 1234567, "
	      "\"of_a_newer_daemon\": 0}}\n");
}

static void test_channels(void **state)
{
	Fed__AdminResponse r;
	Fed__ChannelInfo up;
	Fed__ChannelInfo down;
	Fed__ChannelInfo *both[] = {&up, &down};

	(void)state;
	fed__admin_response__init(&r);
	fed__channel_info__init(&up);
	fed__channel_info__init(&down);
	up.peer = s("edge1.dmz.example");
	up.address = s("10.66.0.1:23456");
	up.state = s("open");
	up.outstanding = 12;
	up.owed = 3;
	up.resumes = 1;
	up.up_ms = 61000;
	down.peer = s("edge2.dmz.example");
	down.state = s("closed");
	r.channel = both;
	r.n_channel = 2;
	shows(&show_channels_text, false, NULL, &r, 1,
	      "PEER               ADDRESS          STATE          UP  SENT  "
	      "OWED  RESUMES\n"
	      "edge1.dmz.example  10.66.0.1:23456  open    1 min 1 s    12     "
	      "3        1\n"
	      "edge2.dmz.example  -                closed          -     0     "
	      "0        0\n");
	shows(&show_channels_text, false, NULL, NULL, 0, "no channel\n");
	shows(&show_channels_json, false, NULL, &r, 1,
	      "{\"channels\": [\n"
	      "{\"peer\": \"edge1.dmz.example\", \"address\": "
	      "\"10.66.0.1:23456\", \"state\": \"open\", \"up_ms\": 61000, "
	      "\"outstanding\": 12, \"owed\": 3, \"resumes\": 1},\n"
	      "{\"peer\": \"edge2.dmz.example\", \"address\": null, "
	      "\"state\": \"closed\", \"up_ms\": 0, \"outstanding\": 0, "
	      "\"owed\": 0, \"resumes\": 0}\n"
	      "]}\n");
	shows(&show_channels_json, false, NULL, NULL, 0,
	      "{\"channels\": []}\n");
}

static void test_streams(void **state)
{
	Fed__AdminResponse r[2];
	Fed__StreamInfo a;
	Fed__StreamInfo b;
	Fed__StreamInfo *first[] = {&a};
	Fed__StreamInfo *second[] = {&b};

	(void)state;
	fed__admin_response__init(&r[0]);
	fed__admin_response__init(&r[1]);
	fed__stream_info__init(&a);
	fed__stream_info__init(&b);
	a.id = 17;
	a.inbound = true;
	a.local_domain = s("sip.example");
	a.peer_domain = s("xmpp.example");
	a.address = s("198.51.100.10:40332");
	a.state = s("open");
	a.mechanism = FED__MECHANISM__EXTERNAL;
	a.tls_version = s("TLSv1.2");
	a.tls_cipher = s("TLS-ECDHE-RSA-WITH-AES-128-GCM-SHA256");
	a.age_ms = 3600000;
	a.stanzas_in = 1200;
	a.stanzas_out = 3;
	b.id = 118;
	b.local_domain = s("sip.example");
	b.peer_domain = s("\xE4\xBE\x8B.example"); /* two columns wide */
	b.state = s("connecting");
	r[0].stream = first;
	r[0].n_stream = 1;
	r[1].stream = second;
	r[1].n_stream = 1;
	shows(&show_streams_text, false, NULL, r, 2,
	      " ID  DIR  LOCAL        PEER          STATE       AUTH      TLS  "
	      "AGE    IN  OUT\n"
	      " 17  in   sip.example  xmpp.example  open        external  1.2  "
	      "1 h  1200    3\n"
	      "118  out  sip.example  \xE4\xBE\x8B.example    connecting  "
	      "-         -    0 s     0    0\n");
	shows(&show_streams_json, false, NULL, r, 2,
	      "{\"streams\": [\n"
	      "{\"id\": 17, \"direction\": \"in\", \"local\": \"sip.example\", "
	      "\"peer\": \"xmpp.example\", \"address\": "
	      "\"198.51.100.10:40332\", \"state\": \"open\", \"mechanism\": "
	      "\"external\", \"tls_version\": \"TLSv1.2\", \"tls_cipher\": "
	      "\"TLS-ECDHE-RSA-WITH-AES-128-GCM-SHA256\", \"age_ms\": 3600000, "
	      "\"stanzas_in\": 1200, \"stanzas_out\": 3},\n"
	      "{\"id\": 118, \"direction\": \"out\", \"local\": "
	      "\"sip.example\", \"peer\": \"\xE4\xBE\x8B.example\", "
	      "\"address\": null, \"state\": \"connecting\", \"mechanism\": "
	      "null, \"tls_version\": null, \"tls_cipher\": null, \"age_ms\": "
	      "0, \"stanzas_in\": 0, \"stanzas_out\": 0}\n"
	      "]}\n");
	shows(&show_streams_text, false, NULL, NULL, 0, "no stream\n");
}

static void test_queues(void **state)
{
	Fed__AdminResponse r;
	Fed__QueueInfo q;
	Fed__QueueInfo *one[] = {&q};

	(void)state;
	fed__admin_response__init(&r);
	fed__queue_info__init(&q);
	q.local_domain = s("sip.example");
	q.peer_domain = s("xmpp.example");
	q.stanzas = 40;
	q.bytes = 9120;
	q.oldest_ms = 4999;
	r.queue = one;
	r.n_queue = 1;
	shows(&show_queues_text, false, NULL, &r, 1,
	      "LOCAL        PEER          STANZAS  BYTES  OLDEST\n"
	      "sip.example  xmpp.example       40   9120     4 s\n");
	shows(&show_queues_json, false, NULL, &r, 1,
	      "{\"queues\": [\n"
	      "{\"local\": \"sip.example\", \"peer\": \"xmpp.example\", "
	      "\"stanzas\": 40, \"bytes\": 9120, \"oldest_ms\": 4999}\n"
	      "]}\n");
	shows(&show_queues_text, false, NULL, NULL, 0, "no queue\n");
}

static void test_log_level(void **state)
{
	Fed__AdminResponse r;

	(void)state;
	fed__admin_response__init(&r);
	r.last = true;
	shows(&show_log_level_text, false, "debug", &r, 1,
	      "the log's level is debug now\n");
	shows(&show_log_level_json, false, "debug", &r, 1,
	      "{\"log\": {\"level\": \"debug\"}}\n");
}

/* ---- text ---------------------------------------------------------------- */

static void test_age(void **state)
{
	static const struct {
		uint64_t ms;
		const char *text;
	} rows[] = {
		{0, "0 s"},
		{999, "0 s"},
		{59999, "59 s"},
		{60000, "1 min"},
		{3599000, "59 min 59 s"},
		{3600000, "1 h"},
		{3661000, "1 h 1 min"},
		{86399000, "23 h 59 min"},
		{86400000, "1 d"},
		{176400000, "2 d 1 h"},
		{UINT64_MAX, "213503982334 d 14 h"},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++)
		assert_string_equal(rows[i].text, text_age(rows[i].ms).text);
}

static void test_harmless(void **state)
{
	static const struct {
		const char *in;
		const char *out;
	} rows[] = {
		{"", ""},
		{"caf\xC3\xA9", "caf\xC3\xA9"},
		{"a\tb\x7F", "a\\x09b\\x7f"},
		{"\x1b]0;title\x07", "\\x1b]0;title\\x07"},
		{"\xC2\x9B[2J", "\\xc2\\x9b[2J"}, /* C1: CSI in one */
		{"\xE2\x80\xAE.exe", "\\xe2\\x80\\xae.exe"}, /* RLO */
		{"\xE2\x81\xA6x", "\\xe2\\x81\\xa6x"},	     /* LRI */
		{"\xFFz\xC3", "\\xffz\\xc3"},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		char *out = text_harmless(rows[i].in);

		assert_non_null(out);
		assert_string_equal(rows[i].out, out);
		free(out);
	}
}

static void test_slip_distance(void **state)
{
	static const struct {
		const char *a;
		const char *b;
		size_t distance;
	} rows[] = {
		{"", "", 0},
		{"show", "show", 0},
		{"shw", "show", 1},
		{"hsow", "show", 2},
		{"sho", "show", 1},
		{"showw", "show", 1},
		{"queue", "queues", 1},
		{"abc", "xyz", 3},
		{"", "abc", 3},
	};
	static const char word[] =
		"a word that is longer than any key or command is here";

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct span a = span_str(rows[i].a);
		struct span b = span_str(rows[i].b);

		assert_int_equal(rows[i].distance, slip_distance(a, b));
		assert_int_equal(rows[i].distance, slip_distance(b, a));
	}
	assert_true(slip_distance(span_str(word), span_str("a")) == SIZE_MAX);
}

/* ---- commands ------------------------------------------------------------ */

static void test_find(void **state)
{
	static const char *const show[] = {"show", "streams", "now"};
	static const char *const log[] = {"log", "debug"};
	static const char *const half[] = {"show"};
	size_t used;

	(void)state;
	assert_string_equal("show streams", command_find(show, 3, &used)->name);
	assert_int_equal(2, used);
	assert_string_equal("log", command_find(log, 2, &used)->name);
	assert_int_equal(1, used);
	assert_null(command_find(half, 1, &used));
	assert_null(command_find(half, 0, &used));
}

static void test_complain(void **state)
{
	static const struct {
		const char *words[3];
		size_t count;
		const char *text;
	} rows[] = {
		{{"show", "stream"},
		 2,
		 "fedctl: \"show stream\" is no command; did you mean \"show "
		 "streams\"?\n"},
		{{"presence", "hsow", "juliet@xmpp.example"},
		 3,
		 "fedctl: \"presence hsow\" is no command; did you mean "
		 "\"presence show USER\"?\n"},
		{{"lgo", "debug"},
		 2,
		 "fedctl: \"lgo debug\" is no command; did you mean \"log "
		 "LEVEL\"?\n"},
		{{"show"},
		 1,
		 "fedctl: \"show\" is no command; \"show\" goes on with "
		 "version, "
		 "counters, channels, streams, queues\n"},
		{{"presence", "everything"},
		 2,
		 "fedctl: \"presence everything\" is no command; "
		 "\"presence\" goes on with show, diff, repair\n"},
		{{"dance\x1b"},
		 1,
		 "fedctl: \"dance\\x1b\" is no command; \"fedctl help\" lists "
		 "them\n"},
	};

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct out o;

		command_complain(begin(&o), rows[i].words, rows[i].count);
		expect(&o, rows[i].text);
	}
}

/* Its example is a right line of its own, and can be asked. */
static void check_example(const struct command *c)
{
	struct typed t;
	struct line l;
	struct ask a;

	type(&t, c->example);
	if (!line_split(&l, t.argc, t.argv, stderr) || !line_match(&l, stderr))
		fail_msg("%s", c->example);
	assert_ptr_equal(c, l.command);
	assert_true((c->run != NULL) != (c->ask != NULL));
	if (c->ask != NULL) {
		ask_init(&a);
		assert_null(c->ask(&a, &l));
		assert_true(a.request.kind_case !=
			    FED__ADMIN_REQUEST__KIND__NOT_SET);
		assert_non_null(c->text);
		assert_non_null(c->json);
	}
	line_deinit(&l);
}

/* It fits a terminal, and each command has its example. */
static void test_help(void **state)
{
	const struct command *c = NULL;
	struct out o;

	(void)state;
	command_help(begin(&o));
	while ((c = command_next(c)) != NULL)
		command_help_one(o.to, c);
	(void)fflush(o.to);
	for (const char *line = o.text; *line != '\0';) {
		size_t n = strcspn(line, "\n");

		if (n > 79)
			fail_msg("%zu columns: %.*s", n, (int)n, line);
		line += n + (line[n] == '\n' ? 1 : 0);
	}
	while ((c = command_next(c)) != NULL) {
		assert_non_null(strstr(o.text, c->example));
		check_example(c);
	}
	(void)fclose(o.to);
	free(o.text);
}

/* An option takes a value with all commands or with none: words and options
 * are taken apart before the command is known. */
static void test_options_agree(void **state)
{
	const struct command *c = NULL;

	(void)state;
	while ((c = command_next(c)) != NULL)
		for (const struct command_option *o = c->options;
		     o != NULL && o->name != NULL; o++) {
			const struct command *d = NULL;

			assert_null(command_option_find(command_globals,
							span_str(o->name)));
			while ((d = command_next(d)) != NULL) {
				const struct command_option *same =
					command_option_find(d->options,
							    span_str(o->name));

				assert_true(same == NULL ||
					    (same->value == NULL) ==
						    (o->value == NULL));
			}
		}
}

static void test_ask(void **state)
{
	struct ask a;

	(void)state;
	ask_init(&a);
	assert_non_null(ask_log_level(&a, "verbose"));
	assert_non_null(ask_presence(&a, FED__ADMIN_PRESENCE__WHAT__SHOW, ""));
	assert_non_null(
		ask_presence(&a, FED__ADMIN_PRESENCE__WHAT__SHOW, "\xFF"));
	assert_null(ask_presence(&a, FED__ADMIN_PRESENCE__WHAT__REPAIR, "x"));
	assert_string_equal("x", a.request.presence->target);
	assert_int_equal(FED__ADMIN_PRESENCE__WHAT__REPAIR,
			 a.request.presence->what);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_version),
		cmocka_unit_test(test_counters),
		cmocka_unit_test(test_channels),
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_queues),
		cmocka_unit_test(test_log_level),
		cmocka_unit_test(test_age),
		cmocka_unit_test(test_harmless),
		cmocka_unit_test(test_slip_distance),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_complain),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_options_agree),
		cmocka_unit_test(test_ask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
