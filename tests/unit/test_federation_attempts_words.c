/* What is said of attempts, and what dials and streams leave there. */
#include "attempts_harness.h"

#include "edge-proxy/core/cert_facts.h"
#include "edge-proxy/core/dial_note.h"
#include "edge-proxy/core/s2s_note.h"
#include "s2s_harness.h"

static void expect_verdict(struct attempts *a, const char *domain,
			   const char *golden)
{
	const struct attempt *list[ATTEMPTS_OF_DOMAIN];
	size_t n = attempts_of(a, domain, list);
	struct buf b;

	buf_init(&b, 4096);
	attempts_verdict(list, n, WALL, &b);
	assert_string_equal(golden, buf_cstr(&b));
	buf_deinit(&b);
}

/* ---- words --------------------------------------------------------------- */

static void test_verdicts(void **state)
{
	struct attempts *a = *state;
	uint64_t n;

	expect_verdict(a, "peer.example",
		       "no attempt since the start at 2026-11-26 02:10:11 UTC");
	n = begin(a, false, "peer.example", true, NOW);
	expect_verdict(a, "peer.example", "to it: under way");
	attempts_note(a, n, NOW, ATTEMPT_INFO, "dns", "10 0 5269 h.example.");
	expect_verdict(a, "peer.example",
		       "to it: under way, last step dns: 10 0 5269 h.example.");
	attempts_note(a, n, NOW + 1000, ATTEMPT_BAD, "certificate",
		      "its certificate expired on 2026-01-02");
	attempts_ended(a, n, NOW + 1000, false,
		       "its certificate does not do (expired certificate)");
	expect_verdict(a, "peer.example",
		       "to it: failed at 2026-11-26 02:10:12 UTC: its "
		       "certificate expired on 2026-01-02");
	n = begin(a, false, "peer.example", true, NOW + 2000);
	attempts_note(a, n, NOW + 2000, ATTEMPT_BAD, "external",
		      "it refused our certificate with not-authorized");
	attempts_note(a, n, NOW + 2000, ATTEMPT_INFO, "dialback", "key sent");
	attempts_ended(a, n, NOW + 3000, false, "no answer in time (dialback)");
	/* the way that failed last */
	expect_verdict(a, "peer.example",
		       "to it: failed at 2026-11-26 02:10:14 UTC: no answer "
		       "in time (dialback)");
	n = begin(a, false, "peer.example", true, NOW + 4000);
	attempts_opened(a, n, NOW + 5000, "EXTERNAL");
	expect_verdict(a, "peer.example",
		       "to it: connected by EXTERNAL since 2026-11-26 "
		       "02:10:16 UTC");
	n = begin(a, true, "peer.example", true, NOW + 6000);
	attempts_ended(a, n, NOW + 6000, false, "our rules refuse it");
	expect_verdict(a, "peer.example",
		       "to it: connected by EXTERNAL since 2026-11-26 "
		       "02:10:16 UTC; from it: failed at 2026-11-26 02:10:17 "
		       "UTC: our rules refuse it");
}

static void test_ends_of_streams(void **state)
{
	struct attempts *a = *state;
	uint64_t n = begin(a, false, "idle.example", true, NOW);

	attempts_opened(a, n, NOW, "dialback");
	attempts_ended(a, n, NOW + 1000, true, "closed (idle)");
	expect_verdict(a, "idle.example",
		       "to it: was connected by dialback, then closed in "
		       "order: closed (idle) (2026-11-26 02:10:12 UTC)");
	n = begin(a, true, "lost.example", true, NOW);
	attempts_opened(a, n, NOW, "EXTERNAL");
	attempts_ended(a, n, NOW + 1000, false, "the connection was lost");
	expect_verdict(a, "lost.example",
		       "from it: was connected by EXTERNAL, then lost: the "
		       "connection was lost (2026-11-26 02:10:12 UTC)");
}

static void test_reasons(void **state)
{
	static const struct {
		struct s2s_reason r;
		const char *text;
	} rows[] = {
		{{.kind = S2S_END_EOF}, "the connection was lost"},
		{{.kind = S2S_END_CLOSED, .text = "idle"}, "closed (idle)"},
		{{.kind = S2S_END_ERROR_GOT,
		  .condition = S2S_HOST_UNKNOWN,
		  .text = "no \"such\" host\n"},
		 "it ended the stream with host-unknown (no \\\"such\\\" "
		 "host\\x0a)"},
		{{.kind = S2S_END_TIMEOUT,
		  .text = "DNS gives no answer",
		  .place = "x.example: SERVFAIL"},
		 "no answer in time (DNS gives no answer; x.example: "
		 "SERVFAIL)"},
		{{.kind = S2S_END_POLICY,
		  .condition = S2S_POLICY_VIOLATION,
		  .text = "no federation with that domain"},
		 "our rules refuse it with policy-violation (no federation "
		 "with "
		 "that domain)"},
	};
	char text[400];

	(void)state;
	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		s2s_reason_explain(&rows[i].r, text, sizeof(text));
		assert_string_equal(rows[i].text, text);
	}
}

/* ---- the dial ------------------------------------------------------------ */

static void test_lost_dials(void **state)
{
	static const struct {
		struct dial_note_end end;
		const char *text;
	} rows[] = {
		{{1, DIAL_FATE_REFUSED, "h.example", 5269, "connection refused",
		  false, false},
		 "SRV points to a host that refuses port 5269"},
		{{1, DIAL_FATE_SILENT, "h.example", 5270,
		  "TCP connect timed out", false, false},
		 "SRV points to a host that does not answer on port 5270"},
		{{3, DIAL_FATE_REFUSED, "h.example", 5269, "connection refused",
		  false, false},
		 "SRV points to 3 addresses, and each (the last is h.example) "
		 "refuses port 5269"},
		{{2, DIAL_FATE_NONE, "h.example", 5269, "TCP connect timed out",
		  false, false},
		 "SRV points to 2 addresses that cannot be connected to; the "
		 "last, h.example, does not answer on port 5269"},
		{{1, DIAL_FATE_REFUSED, "x.example", 5269, "connection refused",
		  true, false},
		 "DNS has no SRV records, and the domain's own address refuses "
		 "port 5269"},
		{{1, DIAL_FATE_OTHER, "h.example", 5280,
		  "network is unreachable", false, true},
		 "the host h.example cannot be used on port 5280: network is "
		 "unreachable"},
	};
	struct attempts *a = *state;

	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		struct dial_note n = {
			a, begin(a, false, "peer.example", true, NOW)};

		dial_note_lost(&n, NOW, &rows[i].end);
		assert_string_equal(rows[i].text,
				    attempts_find(a, n.attempt)->steps[0].text);
		assert_int_equal(ATTEMPT_BAD,
				 attempts_find(a, n.attempt)->steps[0].level);
	}
}

static void test_dns_words(void **state)
{
	static struct dns_facts f;
	struct attempts *a = *state;
	struct dial_note n = {a, begin(a, false, "peer.example", true, NOW)};
	const struct attempt *at = attempts_find(a, n.attempt);

	f.srv[DNS_FACTS_XMPP].fact = DNS_FACT_DATA;
	f.srv[DNS_FACTS_XMPPS].fact = DNS_FACT_NO_NAME;
	f.rec[0] = (struct srv_record){10, 5, 5269, "a.example", false};
	f.rec[1] = (struct srv_record){20, 0, 5269, "b.example", false};
	f.rec_count = 2;
	f.host_count = 2;
	(void)snprintf(f.host[0].name, sizeof(f.host[0].name), "a.example");
	f.host[0].address[0] =
		(struct dns_facts_address){.raw = {192, 0, 2, 1}};
	f.host[0].address[1] = (struct dns_facts_address){
		.is_v6 = true, .raw = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}};
	f.host[0].address_count = 2;
	f.host[0].a.fact = f.host[0].aaaa.fact = DNS_FACT_DATA;
	(void)snprintf(f.host[1].name, sizeof(f.host[1].name), "b.example");
	f.host[1].a.fact = DNS_FACT_NO_NAME;
	f.host[1].aaaa.fact = DNS_FACT_FAILED;
	(void)snprintf(f.host[1].aaaa.problem, sizeof(f.host[1].aaaa.problem),
		       "no answer");
	dial_note_dns(&n, NOW, &f, true, NULL);
	assert_int_equal(2, at->step_count);
	assert_string_equal("_xmpp-server: 10 5 5269 a.example., 20 0 5269 "
			    "b.example.; _xmpps-server: none (secured by "
			    "DNSSEC)",
			    at->steps[0].text);
	assert_string_equal("a.example: 192.0.2.1, 2001:db8::1; b.example: no "
			    "such name (AAAA: no answer)",
			    at->steps[1].text);
	dial_note_dns(&n, NOW, NULL, false, "no XMPP service");
	assert_int_equal(ATTEMPT_BAD, at->steps[2].level);
}

/* ---- what the streams' cores leave --------------------------------------- */

static int out_event(void *core, const struct s2s_event *ev, uint64_t now_ms)
{
	return s2s_out_on_event(core, ev, now_ms);
}

static bool out_next(void *core, struct s2s_action *a)
{
	return s2s_out_next_action(core, a);
}

static int in_event(void *core, const struct s2s_event *ev, uint64_t now_ms)
{
	return s2s_in_on_event(core, ev, now_ms);
}

static bool in_next(void *core, struct s2s_action *a)
{
	return s2s_in_next_action(core, a);
}

/* "what: text" of each step in a line. */
static void expect_steps(struct attempts *a, uint64_t n, const char *golden)
{
	const struct attempt *at = attempts_find(a, n);
	char day[40];
	char certificate[200];
	struct cert_facts f;
	struct buf b;

	/* the fixture's, whenever it was made */
	assert_int_equal(0, cert_facts_read(cert_fixture("peer"), &f));
	attempt_day(f.to_ms, day, sizeof(day));
	(void)snprintf(certificate, sizeof(certificate),
		       "its certificate (dns:peer.example) is valid until %s, "
		       "issuer \"peer.example\"",
		       day);
	buf_init(&b, 8192);
	for (size_t i = 0; i < at->step_count; i++)
		buf_printf(&b, "%s: %s\n", at->steps[i].what,
			   strcmp(at->steps[i].text, certificate) == 0
				   ? "good"
				   : at->steps[i].text);
	assert_string_equal(golden, buf_cstr(&b));
	buf_deinit(&b);
}

static void play_out(struct attempts *a, const char *const *script, size_t n,
		     const char *golden)
{
	const struct s2s_out_params p = {
		.pair = {"home.example", "peer.example"},
		.has_certificate = true};
	struct harness_core c = {.on_event = out_event,
				 .next_action = out_next};
	struct s2s_out *core = NULL;
	struct harness h;

	harness_init(&h);
	h.env.attempts = a;
	h.env.attempt = begin(a, false, "peer.example", true, 1);
	assert_int_equal(0, s2s_out_new(&core, &h.env, &p, 1));
	c.core = core;
	harness_play(&h, &c, script, n, SIZE_MAX, 0);
	expect_steps(a, h.env.attempt, golden);
	s2s_out_free(core);
	buf_deinit(&h.log);
}

#define CERTIFICATE "certificate: good\n"

#define MECHANISMS                                            \
	"<mechanisms xmlns='" SASL_NS "'><mechanism>EXTERNAL" \
	"</mechanism></mechanisms>"

static void test_outbound_steps(void **state)
{
	static const char *const refused[] = {
		HEADER,
		"<stream:features>" STARTTLS "<evil xmlns='x'/>"
		"</stream:features>",
		PROCEED,
		NULL,
		HEADER,
		"<stream:features>" MECHANISMS
		"<dialback xmlns='urn:xmpp:features:dialback'/>"
		"</stream:features>",
		"<failure xmlns='" SASL_NS "'><not-authorized/>"
		"<text>We \"know\" you</text></failure>",
		"<db:result from='peer.example' to='home.example' "
		"type='invalid'/>",
	};

	play_out(*state, refused, FED_ARRAY_LEN(refused),
		 "features: it offers starttls, evil\n" CERTIFICATE
		 "features: it offers EXTERNAL, dialback\n"
		 "external: it refused our certificate with not-authorized "
		 "(\"We \\\"know\\\" you\")\n"
		 "dialback: our key is sent; it has to ask our server now\n"
		 "dialback: it says that our dialback key is invalid: does "
		 "its DNS lead to us, and have all edges one secret?\n");
}

static void test_inbound_steps(void **state)
{
	static const char *const script[] = {
		HEADER,
		STARTTLS,
		NULL,
		HEADER,
		"<auth xmlns='" SASL_NS "' mechanism='PLAIN'>AA==</auth>",
		"<auth xmlns='" SASL_NS "' mechanism='EXTERNAL'>=</auth>",
	};
	struct attempts *a = *state;
	struct harness_core c = {.on_event = in_event, .next_action = in_next};
	const struct attempt *list[ATTEMPTS_OF_DOMAIN];
	struct s2s_in *core = NULL;
	struct harness h;

	harness_init(&h);
	h.env.attempts = a;
	h.env.attempt = begin(a, true, "", false, 1);
	assert_int_equal(0, s2s_in_new(&core, &h.env, 1));
	c.core = core;
	harness_play(&h, &c, script, FED_ARRAY_LEN(script), SIZE_MAX, 0);
	assert_int_equal(1, attempts_of(a, "peer.example", list));
	expect_steps(a, h.env.attempt,
		     "header: says it is peer.example and wants "
		     "home.example\n" CERTIFICATE
		     "external: we refused its EXTERNAL with "
		     "invalid-mechanism\n"
		     "external: we accepted its certificate\n");
	s2s_in_free(core);
	buf_deinit(&h.log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_verdicts),      T(test_ends_of_streams),
		T(test_reasons),       T(test_lost_dials),
		T(test_dns_words),     T(test_outbound_steps),
		T(test_inbound_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
