/* What the tests of both s2s cores share: a policy, and the actions of a core
 * written down as text. */
#ifndef FED_TEST_S2S_HARNESS_H
#define FED_TEST_S2S_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/limits.h"
#include "edge-proxy/core/s2s_in.h"
#include "edge-proxy/core/s2s_out.h"
#include "tests/unit/cert_fixtures.h"
#include "xmpp/stanza_util.h"

#define HEADER                                                   \
	"<stream:stream xmlns='jabber:server' "                  \
	"xmlns:stream='http://etherx.jabber.org/streams' "       \
	"xmlns:db='jabber:server:dialback' from='peer.example' " \
	"to='home.example' id='p1' version='1.0'>"
#define STARTTLS "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
#define PROCEED "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
#define SASL_NS "urn:ietf:params:xml:ns:xmpp-sasl"

static const char *const harness_domains[] = {"home.example"};
static const struct policy_partner harness_rules[] = {
	{.domain = "contradiction.example",
	 .tls = POLICY_OFF,
	 .sasl = POLICY_REQUIRED,
	 .dialback = POLICY_OFF},
	{.domain = "peer.example"},
};

/* Everything a core borrows. */
struct harness {
	struct policy policy;
	struct id_source ids;
	struct metrics metrics;
	struct s2s_env env;
	struct tls_facts tls;
	struct buf log; /* actions as text */
};

static inline void harness_init(struct harness *h)
{
	memset(h, 0, sizeof(*h));
	h->policy.domains = harness_domains;
	h->policy.domain_count = 1;
	h->policy.partners = harness_rules;
	h->policy.partner_count = FED_ARRAY_LEN(harness_rules);
	h->policy.dialback_secret = SPAN_LIT("s3cr3tf0rd14lb4ck");
	h->policy.stanza_max = 20000;
	h->policy.bidi = true;
	h->env.policy = &h->policy;
	h->env.ids = &h->ids;
	h->env.metrics = &h->metrics;
	h->env.label = "test";
	h->tls.has_peer_cert = true;
	h->tls.is_chain_valid = true;
	h->tls.peer_cert_der = cert_fixture("peer");
	buf_init(&h->log, 1u << 20);
}

/* One action as text; bytes in a row run together. */
static inline void harness_note(struct harness *h, const struct s2s_action *a)
{
	char text[256];

	switch (a->kind) {
	case S2S_ACT_WRITE:
		buf_put_span(&h->log, a->u.bytes);
		break;
	case S2S_ACT_START_TLS:
		buf_printf(&h->log, "[start-tls %s]", a->u.name);
		break;
	case S2S_ACT_READY:
		buf_printf(&h->log, "[ready %s %s %d%s]", a->u.ready.pair.local,
			   a->u.ready.pair.remote, (int)a->u.ready.mechanism,
			   a->u.ready.is_bidi ? " bidi" : "");
		break;
	case S2S_ACT_PAIR_REFUSED:
		buf_printf(&h->log, "[refused %s]", a->u.refused.reason.text);
		break;
	case S2S_ACT_VERIFY:
		buf_printf(&h->log, "[verify %s %s]", a->u.verify.pair.remote,
			   a->u.verify.key);
		break;
	case S2S_ACT_VERDICT:
		buf_printf(&h->log, "[verdict %d]", (int)a->u.verdict);
		break;
	case S2S_ACT_STANZA:
	case S2S_ACT_REPLY:
		buf_printf(&h->log, "[%s %s %s]",
			   a->kind == S2S_ACT_STANZA ? "stanza" : "reply",
			   stanza_kind_name(a->u.stanza.stanza),
			   a->u.stanza.stanza->id);
		break;
	case S2S_ACT_REDIRECT:
		buf_printf(&h->log, "[redirect %s %u]", a->u.redirect->host,
			   a->u.redirect->port);
		break;
	case S2S_ACT_CLOSE:
		s2s_reason_format(&a->u.reason, text, sizeof(text));
		buf_printf(&h->log, "[close %s]", text);
		break;
	}
}

/* Feeds one event and drains, whichever the core. */
typedef int (*harness_event_fn)(void *core, const struct s2s_event *ev,
				uint64_t now_ms);
typedef bool (*harness_next_fn)(void *core, struct s2s_action *a);

struct harness_core {
	void *core;
	harness_event_fn on_event;
	harness_next_fn next_action;
};

static inline size_t harness_drain(struct harness *h, struct harness_core *c)
{
	struct s2s_action a = {.kind = S2S_ACT_WRITE};
	size_t n = 0;

	for (; c->next_action(c->core, &a); n++) {
		harness_note(h, &a);
		if (a.kind == S2S_ACT_CLOSE)
			assert_false(c->next_action(c->core, &a));
	}
	return n;
}

static inline void harness_send(struct harness *h, struct harness_core *c,
				const struct s2s_event *ev, uint64_t now_ms)
{
	int err;

	(void)harness_drain(h, c);
	err = c->on_event(c->core, ev, now_ms);
	assert_true(err == 0 || err == FED_ESTATE);
	(void)harness_drain(h, c);
}

/* Text in two pieces, cut at `cut`. */
static inline void harness_bytes(struct harness *h, struct harness_core *c,
				 const char *text, size_t cut)
{
	size_t n = strlen(text);
	struct s2s_event ev = {.kind = S2S_EV_BYTES};

	cut = cut > n ? n : cut;
	if (cut > 0) {
		ev.u.bytes = span_of(text, cut);
		harness_send(h, c, &ev, 1);
	}
	if (cut < n) {
		ev.u.bytes = span_of(text + cut, n - cut);
		harness_send(h, c, &ev, 1);
	}
}

static inline void harness_tls_up(struct harness *h, struct harness_core *c)
{
	struct s2s_event ev = {.kind = S2S_EV_TLS_UP, .u.tls = &h->tls};

	harness_send(h, c, &ev, 1);
}

/* A session: what the peer says; NULL: the handshake ends. */
static inline void harness_play(struct harness *h, struct harness_core *c,
				const char *const *script, size_t steps,
				size_t cut_step, size_t cut)
{
	(void)harness_drain(h, c);
	for (size_t i = 0; i < steps; i++)
		if (script[i] == NULL)
			harness_tls_up(h, c);
		else
			harness_bytes(h, c, script[i],
				      i == cut_step ? cut : SIZE_MAX);
}

/* All kinds of events, with harmless content. */
static inline struct s2s_event harness_event(struct harness *h, int kind)
{
	struct s2s_event ev = {.kind = (enum s2s_event_kind)kind};

	if (ev.kind == S2S_EV_BYTES)
		ev.u.bytes = SPAN_LIT(" ");
	else if (ev.kind == S2S_EV_TLS_UP)
		ev.u.tls = &h->tls;
	else if (ev.kind == S2S_EV_TLS_FAILED)
		ev.u.text = "reason";
	else if (ev.kind == S2S_EV_VERIFIED)
		ev.u.verified.pair =
			(struct s2s_pair){"home.example", "peer.example"};
	return ev;
}

#endif
