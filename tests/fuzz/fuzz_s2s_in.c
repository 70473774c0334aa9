/*
 * Receiving entity under any sequence of events.  The first byte picks the
 * rule (lowest bit: bidi), then lines: "B<text>" bytes (up to the next 0x01),
 * "T" TLS is up with a good certificate, "t" with none, and one letter for each
 * other event; behind "P" (another policy) its flags.
 */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "edge-proxy/core/s2s_in.h"
#include "tests/unit/cert_fixtures.h"
#include "xmpp/jid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const domains[] = {"home.example"};

struct fuzz_policy {
	struct policy_partner rule;
	struct policy policy;
};

/* What was seen of one stream. */
struct seen {
	bool is_closed;
	bool has_bidi_rule;
	size_t ready_count;
	char ready[LIMIT_STREAM_PAIRS][LIMIT_DOMAIN_BYTES + 1]; /* remotes */
};

static bool is_ready(const struct seen *seen, struct span domain)
{
	for (size_t i = 0; i < seen->ready_count; i++)
		if (span_eq_str(domain, seen->ready[i]))
			return true;
	return false;
}

static struct span domain_of(const char *jid)
{
	return jid_split(span_str(jid)).domain;
}

/* No stanza of a domain that this stream did not authenticate, and no answer
 * that leaves for anybody else. */
static void check_stanza(const struct seen *seen, const struct s2s_action *a)
{
	const Fed__Stanza *s = a->u.stanza.stanza;
	bool is_reply = a->kind == S2S_ACT_REPLY;

	FED_REQUIRE(is_ready(seen, domain_of(is_reply ? s->to : s->from)));
	FED_REQUIRE(span_eq_str(domain_of(is_reply ? s->from : s->to),
				"home.example"));
	FED_REQUIRE(a->u.stanza.mechanism != FED__MECHANISM__NO_MECHANISM);
}

static void check_action(const struct s2s_action *a, struct seen *seen)
{
	FED_REQUIRE(!seen->is_closed); /* CLOSE is the last one */
	seen->is_closed = a->kind == S2S_ACT_CLOSE;
	if (a->kind == S2S_ACT_WRITE)
		FED_REQUIRE(a->u.bytes.p != NULL && a->u.bytes.n > 0);
	if (a->kind == S2S_ACT_STANZA || a->kind == S2S_ACT_REPLY)
		check_stanza(seen, a);
	if (a->kind == S2S_ACT_READY) {
		FED_REQUIRE(!a->u.ready.is_bidi || seen->has_bidi_rule);
		FED_REQUIRE(seen->ready_count < LIMIT_STREAM_PAIRS);
		snprintf(seen->ready[seen->ready_count++],
			 LIMIT_DOMAIN_BYTES + 1, "%s", a->u.ready.pair.remote);
	}
}

static void drain(struct s2s_in *core, struct seen *seen)
{
	struct s2s_action a;

	while (s2s_in_next_action(core, &a))
		check_action(&a, seen);
}

static void set_rule(struct policy_partner *rule, uint8_t flags)
{
	*rule = (struct policy_partner){
		.domain = "*",
		.tls = (enum policy_need)((flags >> 1) % 3),
		.sasl = (enum policy_need)((flags >> 3) % 3),
		.dialback = (enum policy_need)((flags >> 5) % 3)};
}

/* The same place has another rule, or none. */
static void change_policy(struct fuzz_policy *policy, uint8_t flags)
{
	set_rule(&policy->rule, flags);
	policy->policy.partner_count = flags >> 7;
}

/* One event off the input; false at its end. */
static bool next_event(const uint8_t **p, const uint8_t *end,
		       struct tls_facts *tls, struct fuzz_policy *policy,
		       struct s2s_event *ev)
{
	const uint8_t *stop;
	uint8_t c;

	if (*p == end)
		return false;
	c = *(*p)++;
	stop = memchr(*p, 1, (size_t)(end - *p));
	stop = stop == NULL ? end : stop;
	if ((size_t)(stop - *p) > LIMIT_READ_BYTES)
		stop = *p + LIMIT_READ_BYTES;
	memset(ev, 0, sizeof(*ev));
	switch (c) {
	case 'T':
	case 't':
		tls->has_peer_cert = c == 'T';
		tls->is_chain_valid = c == 'T';
		ev->kind = S2S_EV_TLS_UP;
		ev->expires_ms = 30000;
		ev->u.tls = tls;
		break;
	case 'V':
	case 'v':
		ev->kind = S2S_EV_VERIFIED;
		ev->u.verified.pair =
			(struct s2s_pair){"home.example", "peer.example"};
		ev->u.verified.result =
			c == 'V' ? S2S_VERIFY_VALID : S2S_VERIFY_INVALID;
		break;
	case 'E':
		ev->kind = S2S_EV_EOF;
		break;
	case 'S':
		ev->kind = S2S_EV_SHUTDOWN;
		break;
	case 'I':
		ev->kind = S2S_EV_IDLE_CLOSE;
		break;
	case 'M':
		ev->kind = S2S_EV_TIMER;
		break;
	case 'P':
		if (*p == end)
			return false;
		ev->kind = S2S_EV_POLICY;
		change_policy(policy, *(*p)++);
		break;
	case 'O':
		ev->kind = S2S_EV_TOO_SLOW;
		break;
	default:
		ev->kind = S2S_EV_BYTES;
		ev->u.bytes = span_of(*p, (size_t)(stop - *p));
		*p = stop == end ? end : stop + 1;
		return ev->u.bytes.n > 0 || next_event(p, end, tls, policy, ev);
	}
	return true;
}

/* Stanzas of ours may go out for pairs that were reported only (X34). */
static void check_takes(const struct s2s_in *core, const struct seen *seen)
{
	const struct s2s_pair pair = {"home.example", "peer.example"};

	FED_REQUIRE(!s2s_in_takes(core, &pair) ||
		    (seen->has_bidi_rule && !seen->is_closed &&
		     is_ready(seen, SPAN_LIT("peer.example"))));
}

static void play(struct s2s_in *core, const uint8_t *p, const uint8_t *end,
		 struct fuzz_policy *policy)
{
	struct tls_facts tls = {.peer_cert_der = cert_fixture("peer")};
	struct s2s_event ev;
	struct seen seen = {.has_bidi_rule = policy->policy.bidi};
	uint64_t now_ms = 1;

	drain(core, &seen);
	while (next_event(&p, end, &tls, policy, &ev)) {
		now_ms += ev.kind == S2S_EV_TIMER ? 10000 : 1;
		if (s2s_in_on_event(core, &ev, now_ms) == FED_ESTATE &&
		    ev.kind != S2S_EV_BYTES && ev.kind != S2S_EV_VERIFIED)
			FED_REQUIRE(false);
		drain(core, &seen);
		FED_REQUIRE(ev.kind != S2S_EV_POLICY || !s2s_in_offends(core));
		FED_REQUIRE(seen.is_closed ==
			    (s2s_in_deadline_ms(core) == UINT64_MAX));
		check_takes(core, &seen);
		s2s_in_wrote(core, now_ms);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t flags = size > 0 ? data[0] : 0;
	struct fuzz_policy policy = {
		.policy = {.domains = domains,
			   .domain_count = 1,
			   .partners = &policy.rule,
			   .partner_count = 1,
			   .dialback_secret = SPAN_LIT("0123456789abcdef"),
			   .stanza_max = 10000,
			   .bidi = (flags & 1) != 0}};
	struct id_source ids = {.counter = 0};
	struct metrics metrics = {.value = {0}};
	struct s2s_env env = {.policy = &policy.policy,
			      .ids = &ids,
			      .metrics = &metrics,
			      .label = "fuzz"};
	struct s2s_in *core = NULL;

	set_rule(&policy.rule, flags);
	if (size == 0 || s2s_in_new(&core, &env, 0) != 0)
		return 0;
	play(core, data + 1, data + size, &policy);
	s2s_in_free(core);
	return 0;
}
