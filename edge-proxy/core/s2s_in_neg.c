/* Receiving entity: headers, STARTTLS, SASL EXTERNAL. */
#include <stdlib.h>
#include <string.h>

#include "edge-proxy/core/s2s_note.h"
#include "edge-proxy/core/s2s_in_impl.h"
#include "edge-proxy/core/xml_names.h"
#include "edge-proxy/core/xml_writer.h"
#include "xmpp/jid.h"

/* Base64 of a domain, and no more than that. */
#define SASL_TEXT_MAX ((LIMIT_DOMAIN_BYTES + 2u) / 3u * 4u)

/* RFC 6120 5.4.3.3: what was learned before TLS is forgotten. */
static void forget_header(struct s2s_in *s)
{
	free(s->peer);
	free(s->local);
	free(s->lang);
	s->peer = NULL;
	s->local = NULL;
	s->lang = NULL;
	s->has_peer_version = true;
	s->has_bidi = false; /* XEP-0288 2.1: it is for after TLS */
	s->peer_max_bytes = 0;
}

static int keep_header(struct s2s_in *s, const struct s2s_header *h)
{
	forget_header(s);
	s->has_peer_version = h->has_version;
	if (h->from[0] != '\0')
		s->peer = strdup(h->from);
	if (policy_serves(s->env->policy, span_str(h->to)))
		s->local = strdup(h->to);
	if (h->lang != NULL)
		s->lang = strdup(h->lang);
	if ((h->from[0] != '\0' && s->peer == NULL) ||
	    (h->lang != NULL && s->lang == NULL))
		return FED_ENOMEM;
	return 0;
}

/* Whom the peer claims to be, and whom it wants. */
static enum s2s_condition check_names(struct s2s_in *s,
				      const struct s2s_header *h,
				      const char **text_out)
{
	*text_out = NULL;
	if (s->local == NULL)
		return S2S_HOST_UNKNOWN;
	if (h->has_from && s->peer == NULL)
		return S2S_INVALID_FROM;
	/* RFC 6120 4.7.1: `from` may wait until TLS is there */
	if (s->peer == NULL) {
		*text_out = "from is missing";
		return s->tls == NULL && h->has_version
			       ? S2S_NO_CONDITION
			       : S2S_IMPROPER_ADDRESSING;
	}
	if (policy_serves(s->env->policy, span_str(s->peer))) {
		*text_out = "that domain is served here";
		return S2S_INVALID_FROM;
	}
	if (s2s_in_rule(s) == NULL) {
		*text_out = "no federation with that domain";
		return S2S_POLICY_VIOLATION;
	}
	return S2S_NO_CONDITION;
}

/* The header behind SASL must be the authenticated one again
 * (RFC 6120 6.4.6, XEP-0178 3). */
static enum s2s_condition check_same(const struct s2s_in *s,
				     const struct s2s_header *h)
{
	if (!h->has_from || !span_eq_str(span_str(h->from), s->peer))
		return S2S_INVALID_FROM;
	if (!span_eq_str(span_str(h->to), s->local))
		return S2S_HOST_UNKNOWN;
	return S2S_NO_CONDITION;
}

static void write_features(struct s2s_in *s,
			   const struct negotiation_offer *offer)
{
	const struct s2s_limits ours = {s->env->policy->stanza_max,
					s2s_in_quiet_ms(s)};
	/* dialback has no restart: these are the last features it sees */
	bool are_last = offer->dialback || s->state == IN_OPEN;

	/* RFC 6120 4.3.2: features are for peers of version 1.0 */
	if (s->has_peer_version)
		s2s_write_features(&s->queue.out, offer,
				   are_last ? &ours : NULL);
}

void s2s_in_refuse(struct s2s_in *s, const char *text)
{
	metrics_count(s->env->metrics, METRIC_streams_refused);
	s2s_in_fail_as(s, S2S_END_POLICY, S2S_POLICY_VIOLATION, text);
}

static struct negotiation_offer offer_of(const struct s2s_in *s)
{
	struct negotiation_offer offer = negotiation_offer(
		s2s_in_rule(s), s->tls, span_str(s2s_in_peer(s)));

	offer.bidi = offer.bidi && s->env->policy->bidi && s->has_peer_version;
	return offer;
}

bool s2s_in_has_way(const struct s2s_in *s)
{
	struct negotiation_offer offer = offer_of(s);

	/* a 0.9 peer knows neither STARTTLS nor SASL */
	return offer.dialback ||
	       (s->has_peer_version && (offer.starttls || offer.external));
}

static void negotiate(struct s2s_in *s)
{
	struct negotiation_offer offer = offer_of(s);

	s2s_in_write_header(s);
	s2s_in_set_state(s, s->tls == NULL ? IN_NEG_CLEAR : IN_NEG_SECURE,
			 "header");
	if (!s2s_in_has_way(s)) {
		s2s_in_refuse(s, s->tls == NULL
					 ? "TLS is required"
					 : "no valid certificate for the "
					   "domain in from");
		return;
	}
	write_features(s, &offer);
}

static void open_after_sasl(struct s2s_in *s)
{
	static const struct negotiation_offer nothing;

	s2s_in_write_header(s);
	s2s_in_open(s, "header");
	write_features(s, &nothing);
	s2s_in_add_valid(s, s->local, s->peer, FED__MECHANISM__EXTERNAL);
}

static void on_header_again(struct s2s_in *s, const struct s2s_header *h)
{
	enum s2s_condition c = check_same(s, h);

	if (c == S2S_NO_CONDITION)
		open_after_sasl(s);
	else
		s2s_in_fail(s, c, "not the authenticated header");
}

static void on_header_first(struct s2s_in *s, const struct s2s_header *h)
{
	const char *text = NULL;
	enum s2s_condition c = check_names(s, h, &text);

	if (c == S2S_NO_CONDITION)
		negotiate(s);
	else if (c == S2S_POLICY_VIOLATION)
		s2s_in_refuse(s, text);
	else
		s2s_in_fail(s, c, text);
}

/* In words in the clear, by the certificate behind TLS. */
static void note_header(const struct s2s_in *s, const struct s2s_header *h)
{
	if (s->state == IN_HDR_AUTH || h->from[0] == '\0')
		return;
	s2s_note_peer(s->env, s->now_ms, h->from, h->to, s->tls != NULL);
	if (s->tls != NULL)
		s2s_note_certificate(s->env, s->now_ms, s->tls, h->from, false);
}

void s2s_in_on_header(struct s2s_in *s, const struct xml_event *ev)
{
	struct s2s_header h;

	s2s_header_read(ev, &h);
	note_header(s, &h);
	if (s->state != IN_HDR_AUTH && keep_header(s, &h) != 0)
		s2s_in_fail(s, S2S_INTERNAL_SERVER_ERROR, NULL);
	else if (h.problem != S2S_NO_CONDITION)
		s2s_in_fail(s, h.problem, h.problem_text);
	else if (s->state == IN_HDR_AUTH)
		on_header_again(s, &h);
	else
		on_header_first(s, &h);
}

/* ---- bidi (XEP-0288 2.2) ---- */

/* Before the authentication only, so that it is known from the first pair on
 * which stanzas may go where.  Later, or not offered: it stays as it is, and
 * our stanzas take a stream of our own. */
void s2s_in_on_bidi(struct s2s_in *s, const struct xml_el *el)
{
	bool is_early = s->state == IN_NEG_CLEAR || s->state == IN_NEG_SECURE;

	if (is_early && !s2s_in_had_pairs(s) && offer_of(s).bidi) {
		s->has_bidi = true;
		s->peer_max_bytes = s2s_bidi_max_bytes(el);
		return;
	}
	if (s2s_may_log(s->env, s->now_ms))
		fed_log(s->env->log, FED_LOG_INFO, "s2s_bidi_ignored",
			"%s peer=%s state=%s", s->env->label, s2s_in_peer(s),
			s2s_in_state_name(s));
}

/* ---- TLS ---- */

static void refuse_tls(struct s2s_in *s)
{
	struct s2s_reason r = s2s_reason_make(S2S_END_TLS, S2S_NO_CONDITION,
					      "STARTTLS was not offered");

	/* RFC 6120 5.4.2.2 */
	xml_write_flag(&s->queue.out, "failure", NS_TLS);
	s2s_in_finish(s, &r);
}

void s2s_in_on_starttls(struct s2s_in *s)
{
	struct s2s_action a = {.kind = S2S_ACT_START_TLS, .u.name = s->local};
	struct negotiation_offer offer;

	if (s->state != IN_NEG_CLEAR) {
		refuse_tls(s);
		return;
	}
	offer = negotiation_offer(s2s_in_rule(s), NULL, SPAN_NULL);
	/* a pair from before TLS must not survive it */
	if (!offer.starttls || s2s_in_had_pairs(s)) {
		refuse_tls(s);
		return;
	}
	/* RFC 6120 5.4.3.1: whatever stands behind <starttls/> was not
	 * protected; it closes the stream instead of being dropped, because
	 * honest peers wait for <proceed/> */
	if (!s2s_in_is_clean(s)) {
		s2s_in_fail(s, S2S_POLICY_VIOLATION, "data behind starttls");
		return;
	}
	xml_write_flag(&s->queue.out, "proceed", NS_TLS);
	s2s_in_push(s, &a);
	if (s->state == IN_NEG_CLEAR)
		s2s_in_set_state(s, IN_TLS, "starttls");
}

void s2s_in_on_tls_up(struct s2s_in *s, const struct s2s_event *ev)
{
	/* direct TLS (XEP-0368): up before any byte of the stream */
	bool is_direct = s->state == IN_HDR_CLEAR && s->unauth_bytes == 0;

	if (s->state != IN_TLS && !is_direct) {
		s2s_in_fail(s, S2S_INTERNAL_SERVER_ERROR, NULL);
		return;
	}
	s->tls = ev->u.tls;
	if (ev->expires_ms > 0)
		s->expires_ms = ev->expires_ms;
	forget_header(s);
	s2s_in_set_state(s, IN_HDR_SECURE, "tls-up");
	if (!is_direct && xml_reader_restart(s->reader) != 0)
		s2s_in_fail(s, S2S_INTERNAL_SERVER_ERROR, NULL);
}

/* ---- SASL EXTERNAL (RFC 6120 6.4, XEP-0178 3) ---- */

static void refuse_auth(struct s2s_in *s, const char *condition)
{
	s->sasl_tries++;
	s2s_note(s->env, s->now_ms, ATTEMPT_BAD, "external",
		 "we refused its EXTERNAL with %s", condition);
	s2s_write_sasl_failure(&s->queue.out, condition);
	if (s2s_may_log(s->env, s->now_ms))
		fed_log(s->env->log, FED_LOG_WARN, "s2s_sasl_refused",
			"%s peer=%s condition=%s", s->env->label,
			s2s_in_peer(s), condition);
	if (s->state == IN_SASL)
		s2s_in_set_state(s, IN_NEG_SECURE, "sasl-failure");
	/* RFC 6120 6.4.4 */
	if (s->sasl_tries >= LIMIT_SASL_TRIES)
		s2s_in_fail(s, S2S_POLICY_VIOLATION, "too many SASL failures");
}

static void accept_auth(struct s2s_in *s)
{
	/* RFC 6120 6.4.6: the stream is new behind <success/> */
	if (!s2s_in_is_clean(s)) {
		s2s_in_fail(s, S2S_POLICY_VIOLATION, "data behind auth");
		return;
	}
	xml_write_flag(&s->queue.out, "success", NS_SASL);
	s2s_note(s->env, s->now_ms, ATTEMPT_GOOD, "external",
		 "we accepted its certificate");
	s2s_in_set_state(s, IN_HDR_AUTH, "sasl-success");
	if (xml_reader_restart(s->reader) != 0)
		s2s_in_fail(s, S2S_INTERNAL_SERVER_ERROR, NULL);
}

/* The authorization identity is the header's domain, given or implied. */
static bool is_own_authzid(const struct s2s_in *s, struct span authzid)
{
	char domain[LIMIT_DOMAIN_BYTES + 1];

	return domain_normalize(authzid, domain, sizeof(domain)) == 0 &&
	       span_eq_str(span_str(domain), s->peer);
}

static void check_authzid(struct s2s_in *s, struct span text)
{
	struct buf authzid;
	bool is_base64;
	bool is_own;

	if (text.n == 0 || span_eq(text, SPAN_LIT("="))) {
		accept_auth(s);
		return;
	}
	if (text.n > SASL_TEXT_MAX) {
		refuse_auth(s, "invalid-authzid");
		return;
	}
	buf_init(&authzid, SASL_TEXT_MAX + 4u);
	is_base64 = digest_base64_decode(text, &authzid) == 0;
	is_own = is_base64 && is_own_authzid(s, buf_span(&authzid));
	buf_deinit(&authzid);
	if (is_own)
		accept_auth(s);
	else
		refuse_auth(s, is_base64 ? "invalid-authzid"
					 : "incorrect-encoding");
}

/* Why EXTERNAL cannot be had now; NULL: it can. */
static const char *auth_obstacle(const struct s2s_in *s, const char *mechanism)
{
	struct negotiation_offer offer;

	if (s->tls == NULL)
		return "encryption-required";
	offer = negotiation_offer(s2s_in_rule(s), s->tls, span_str(s->peer));
	if (mechanism == NULL)
		return "malformed-request";
	if (strcmp(mechanism, "EXTERNAL") != 0 || !offer.external)
		return "invalid-mechanism";
	return NULL;
}

void s2s_in_on_auth(struct s2s_in *s, const struct xml_el *el)
{
	struct span text = span_trim(span_str(el->text));
	const char *obstacle;

	/* IN_SASL: RFC 6120 6.4.2, a new <auth/> replaces the one in progress;
	 * dialback and SASL exclude each other: a late VERIFIED of the old
	 * stream id would be taken for an answer to the new one */
	if ((s->state != IN_NEG_SECURE && s->state != IN_NEG_CLEAR &&
	     s->state != IN_SASL) ||
	    s2s_in_had_pairs(s)) {
		s2s_in_fail(s, S2S_POLICY_VIOLATION, "SASL is not offered now");
		return;
	}
	obstacle = auth_obstacle(s, xml_attr_get(el, "mechanism"));
	if (obstacle != NULL) {
		refuse_auth(s, obstacle);
	} else if (text.n > 0) {
		check_authzid(s, text);
	} else if (s->state == IN_NEG_SECURE) {
		/* no initial response: RFC 6120 6.4.2, RFC 4422 5 */
		xml_write_flag(&s->queue.out, "challenge", NS_SASL);
		s2s_in_set_state(s, IN_SASL, "auth");
	} else {
		refuse_auth(s, "malformed-request");
	}
}

void s2s_in_on_response(struct s2s_in *s, const struct xml_el *el)
{
	if (s->state == IN_SASL)
		check_authzid(s, span_trim(span_str(el->text)));
	else
		s2s_in_fail(s, S2S_UNSUPPORTED_STANZA_TYPE, NULL);
}

void s2s_in_on_abort(struct s2s_in *s)
{
	if (s->state == IN_SASL)
		refuse_auth(s, "aborted");
	else
		s2s_in_fail(s, S2S_UNSUPPORTED_STANZA_TYPE, NULL);
}
