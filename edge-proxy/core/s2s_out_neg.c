/* Initiating entity: headers, features, STARTTLS, SASL EXTERNAL. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edge-proxy/core/cert_identity.h"
#include "edge-proxy/core/s2s_note.h"
#include "edge-proxy/core/s2s_out_impl.h"
#include "edge-proxy/core/xml_names.h"
#include "edge-proxy/core/xml_writer.h"

static bool is_clean(const struct s2s_out *s)
{
	return s->feed_err == 0 && xml_reader_is_clean(s->reader);
}

static void give_up(struct s2s_out *s)
{
	if (s->tls == NULL)
		s2s_out_finish(s, S2S_END_TLS, S2S_NO_CONDITION,
			       "TLS is required and not offered");
	else
		s2s_out_finish(s, S2S_END_AUTH, S2S_NO_CONDITION,
			       s->has_certificate
				       ? "EXTERNAL is required and not offered"
				       : "EXTERNAL is required and we have no "
					 "certificate");
}

static struct negotiation_view view_of(const struct s2s_out *s,
				       const struct s2s_features *f)
{
	return (struct negotiation_view){
		.tls = s->tls,
		.has_starttls = f->has_starttls,
		.has_external = f->has_external,
		.has_version = s->has_peer_version,
		.has_own_cert = s->has_certificate,
		.is_external_refused = s->sasl_tries > 0,
	};
}

static void start_tls(struct s2s_out *s)
{
	xml_write_flag(&s->queue.out, "starttls", NS_TLS);
	s2s_out_set_state(s, OUT_PROCEED, "starttls");
}

/* The peer's stanzas may have the size that we announced.  The first of them
 * can come in one piece with the words that open the stream, so the reader
 * has to know before. */
static void expect_stanzas(struct s2s_out *s)
{
	xml_reader_set_stanza_max(s->reader, s->env->policy->stanza_max);
	xml_reader_set_lenient(s->reader);
}

/* XEP-0288 2.2: behind TLS, before the authentication. */
static void ask_for_bidi(struct s2s_out *s, const struct s2s_features *f)
{
	const struct s2s_limits ours = {s->env->policy->stanza_max,
					policy_idle_ms(s->env->policy)};

	if (!f->has_bidi || !s->env->policy->bidi || s->is_check ||
	    !negotiation_wants_bidi(s2s_out_rule(s), s->tls,
				    span_str(s->remote)))
		return;
	s2s_write_bidi(&s->queue.out, &ours);
	s->has_bidi = true;
	expect_stanzas(s);
}

static void start_sasl(struct s2s_out *s)
{
	/* XEP-0178 3: the authzid is given for the sake of old peers */
	s2s_write_auth(&s->queue.out, s->local);
	s2s_out_set_state(s, OUT_SASL, "external");
}

/* A verify stream needs no authentication, but TLS where it can be had. */
static void next_verify_step(struct s2s_out *s,
			     const struct negotiation_view *view)
{
	enum negotiation_step step = negotiation_next(s2s_out_rule(s), view);

	if (s->tls == NULL && step == NEGOTIATION_STARTTLS)
		start_tls(s);
	else if (s->tls == NULL && step == NEGOTIATION_GIVE_UP)
		give_up(s);
	else
		s2s_out_start_verify(s, "features");
}

static void next_step(struct s2s_out *s, const struct s2s_features *f)
{
	struct negotiation_view view = view_of(s, f);
	enum negotiation_step step;

	if (s->mode == S2S_OUT_VERIFY) {
		next_verify_step(s, &view);
		return;
	}
	step = negotiation_next(s2s_out_rule(s), &view);
	/* the same certificate is wanted where a redirect led */
	if (s->redirects > 0 && s->tls == NULL && view.has_version)
		step = NEGOTIATION_STARTTLS;
	else if (s->redirects > 0 && s->tls == NULL)
		step = NEGOTIATION_GIVE_UP;
	switch (step) {
	case NEGOTIATION_STARTTLS:
		start_tls(s);
		break;
	case NEGOTIATION_EXTERNAL:
		ask_for_bidi(s, f);
		start_sasl(s);
		break;
	case NEGOTIATION_DIALBACK:
		ask_for_bidi(s, f);
		s2s_out_start_dialback(s, "features");
		break;
	case NEGOTIATION_GIVE_UP:
		give_up(s);
		break;
	}
}

/* RFC 6120 4.7.5, 4.3.2: a peer below 1.0 sends no features; what it can be
 * asked is known at once. */
static void go_on_after_header(struct s2s_out *s)
{
	static const struct s2s_features nothing;

	if (!s->has_peer_version && s->state != OUT_HDR_AUTH) {
		next_step(s, &nothing);
		return;
	}
	if (s->state == OUT_HDR_CLEAR)
		s2s_out_set_state(s, OUT_FEAT_CLEAR, "header");
	else if (s->state == OUT_HDR_SECURE)
		s2s_out_set_state(s, OUT_FEAT_SECURE, "header");
	else
		s2s_out_set_state(s, OUT_FEAT_AUTH, "header");
}

void s2s_out_on_header(struct s2s_out *s, const struct xml_event *ev)
{
	struct s2s_header h;

	s2s_header_read(ev, &h);
	if (h.problem != S2S_NO_CONDITION) {
		s2s_out_fail(s, h.problem, h.problem_text);
		return;
	}
	free(s->peer_id);
	free(s->peer_lang);
	s->peer_id = strdup(h.id);
	s->peer_lang = h.lang == NULL ? NULL : strdup(h.lang);
	if (s->peer_id == NULL || (h.lang != NULL && s->peer_lang == NULL)) {
		s2s_out_fail(s, S2S_INTERNAL_SERVER_ERROR, NULL);
		return;
	}
	s->has_peer_version = h.has_version;
	go_on_after_header(s);
}

/* ---- TLS ---- */

static void on_proceed(struct s2s_out *s)
{
	struct s2s_action a = {.kind = S2S_ACT_START_TLS};

	if (s->state != OUT_PROCEED) {
		s2s_out_fail(s, S2S_UNSUPPORTED_STANZA_TYPE, NULL);
		return;
	}
	/* what stands behind <proceed/> was not protected (RFC 6120 5.4.3.1) */
	if (!is_clean(s)) {
		s2s_out_fail_as(s, S2S_END_TLS, S2S_POLICY_VIOLATION,
				"data behind proceed");
		return;
	}
	a.u.name = s->remote;
	s2s_out_push(s, &a);
	s2s_out_set_state(s, OUT_TLS, "proceed");
}

static void on_tls_failure(struct s2s_out *s)
{
	if (s->state == OUT_PROCEED)
		s2s_out_finish(s, S2S_END_TLS, S2S_NO_CONDITION,
			       "the peer refused STARTTLS");
	else
		s2s_out_fail(s, S2S_UNSUPPORTED_STANZA_TYPE, NULL);
}

/* What is wrong with the certificate, in the operator's log and fedctl. */
static struct s2s_reason cert_reason(const struct tls_facts *tls)
{
	struct s2s_reason r = s2s_reason_make(
		S2S_END_CERT, S2S_NO_CONDITION,
		tls->has_peer_cert ? tls->chain_problem : "no certificate");
	char names[96];

	if (!tls->has_peer_cert || !tls->is_chain_valid)
		return r;
	(void)cert_identity_describe(tls->peer_cert_der, names, sizeof(names));
	(void)snprintf(r.text, sizeof(r.text),
		       "certificate does not speak for the domain, names: %s",
		       names[0] == '\0' ? "none" : names);
	return r;
}

static void refuse_cert(struct s2s_out *s, const struct tls_facts *tls)
{
	struct s2s_reason r = cert_reason(tls);

	s2s_note_certificate(s->env, s->now_ms, tls, s->remote, true);
	s2s_out_drop(s, &r);
}

void s2s_out_on_tls_up(struct s2s_out *s, const struct s2s_event *ev)
{
	const struct tls_facts *tls = ev->u.tls;
	/* direct TLS (XEP-0368): up before the first byte */
	bool is_direct = s->state == OUT_START;

	if (s->state != OUT_TLS && !is_direct) {
		s2s_out_fail(s, S2S_INTERNAL_SERVER_ERROR, NULL);
		return;
	}
	/* a verify stream carries nothing secret; its peer is the one that
	 * DNS names (XEP-0220 2.3) */
	if (s->mode == S2S_OUT_ROUTE &&
	    (!negotiation_accepts_peer(s2s_out_rule(s), tls,
				       span_str(s->remote)) ||
	     (s->redirects > 0 &&
	      !negotiation_is_trusted(tls, span_str(s->remote))))) {
		refuse_cert(s, tls);
		return;
	}
	s2s_note_certificate(s->env, s->now_ms, tls, s->remote, false);
	s->tls = tls;
	s->cert_ms = ev->expires_ms;
	s2s_out_start_stream(s, OUT_HDR_SECURE, "tls-up");
	if (!is_direct && xml_reader_restart(s->reader) != 0)
		s2s_out_fail(s, S2S_INTERNAL_SERVER_ERROR, NULL);
}

/* ---- SASL ---- */

static void on_success(struct s2s_out *s)
{
	if (s->state != OUT_SASL) {
		s2s_out_fail(s, S2S_UNSUPPORTED_STANZA_TYPE, NULL);
		return;
	}
	if (!is_clean(s)) {
		s2s_out_fail(s, S2S_POLICY_VIOLATION, "data behind success");
		return;
	}
	s2s_note(s->env, s->now_ms, ATTEMPT_GOOD, "external",
		 "it accepted our certificate");
	s2s_out_start_stream(s, OUT_HDR_AUTH, "success");
	if (xml_reader_restart(s->reader) != 0)
		s2s_out_fail(s, S2S_INTERNAL_SERVER_ERROR, NULL);
	else if (s->has_bidi)
		expect_stanzas(s);
}

static void on_challenge(struct s2s_out *s)
{
	/* COMPAT: a peer that overlooked the initial response asks again */
	if (s->state != OUT_SASL || s->challenges > 0) {
		s2s_out_fail(s, S2S_UNSUPPORTED_STANZA_TYPE, NULL);
		return;
	}
	s->challenges++;
	s2s_write_response(&s->queue.out, s->local);
}

/* XEP-0178 3: dialback may follow a refused EXTERNAL */
static void on_sasl_failure(struct s2s_out *s, const struct xml_el *el)
{
	const char *name = s2s_child_name(el, NS_SASL);

	if (s->state != OUT_SASL) {
		s2s_out_fail(s, S2S_UNSUPPORTED_STANZA_TYPE, NULL);
		return;
	}
	s->sasl_tries++;
	s2s_note_sasl_failure(s->env, s->now_ms, el);
	fed_log(s->env->log, FED_LOG_WARN, "s2s_sasl_failed",
		"%s peer=%s condition=%s", s->env->label, s->remote,
		log_value(span_str(name)).text);
	if (negotiation_allows_dialback(s2s_out_rule(s), s->tls))
		s2s_out_start_dialback(s, "sasl-failure");
	else
		s2s_out_finish(s, S2S_END_AUTH, S2S_NO_CONDITION, name);
}

/* ---- dispatch ---- */

static void on_features(struct s2s_out *s, const struct xml_el *el)
{
	struct s2s_features f;

	s2s_features_read(el, &f);
	s2s_note_features(s->env, s->now_ms, el);
	if (f.has_limits)
		s->peer_limits = f.limits;
	if (s->state == OUT_FEAT_AUTH)
		s2s_out_open(s, FED__MECHANISM__EXTERNAL, "features");
	else if (s->state == OUT_FEAT_CLEAR || s->state == OUT_FEAT_SECURE)
		next_step(s, &f);
}

/* RFC 6120 4.9.3.19: only where the one that says so is proven to be
 * the domain, and before a stanza was sent.  LIMIT: a circle of hosts. */
static bool may_follow(const struct s2s_out *s)
{
	return s->mode == S2S_OUT_ROUTE && s->state != OUT_OPEN &&
	       s->state != OUT_DRAIN && s->redirects < LIMIT_REDIRECTS &&
	       negotiation_is_trusted(s->tls, span_str(s->remote));
}

static void follow(struct s2s_out *s, const struct xml_el *el)
{
	struct s2s_action a = {.kind = S2S_ACT_REDIRECT};
	const struct xml_el *host =
		xml_child(el, NS_STREAM_ERRORS, "see-other-host");

	if (host == NULL || !may_follow(s) ||
	    other_host_parse(span_str(host->text), &s->other_host) != 0)
		return;
	a.u.redirect = &s->other_host;
	s2s_out_push(s, &a);
}

static void on_peer_error(struct s2s_out *s, const struct xml_el *el)
{
	struct s2s_reason r;

	s2s_error_read(el, &r);
	if (r.condition == S2S_SEE_OTHER_HOST)
		follow(s, el);
	metrics_count(s->env->metrics, METRIC_stream_errors_got);
	/* the answer to <starttls/> that was not offered */
	if (s->state == OUT_PROCEED)
		r.kind = S2S_END_TLS;
	s2s_out_finish(s, r.kind, r.condition, r.text);
}

void s2s_out_on_element(struct s2s_out *s, const struct xml_el *el)
{
	enum s2s_el is = s2s_el_classify(el);

	/* behind our </stream:stream> nothing can be answered any more; without
	 * bidi a stanza is not worth an error then */
	if (s->state == OUT_DRAIN && is != S2S_EL_ERROR &&
	    !(is == S2S_EL_STANZA && s->has_bidi))
		return;
	switch (is) {
	case S2S_EL_FEATURES:
		on_features(s, el);
		break;
	case S2S_EL_ERROR:
		on_peer_error(s, el);
		break;
	case S2S_EL_PROCEED:
		on_proceed(s);
		break;
	case S2S_EL_TLS_FAILURE:
		on_tls_failure(s);
		break;
	case S2S_EL_CHALLENGE:
		on_challenge(s);
		break;
	case S2S_EL_SUCCESS:
		on_success(s);
		break;
	case S2S_EL_SASL_FAILURE:
		on_sasl_failure(s, el);
		break;
	case S2S_EL_RESULT:
		s2s_out_on_result(s, el);
		break;
	case S2S_EL_VERIFY:
		s2s_out_on_verify(s, el);
		break;
	case S2S_EL_STANZA:
		s2s_out_on_stanza(s, el);
		break;
	case S2S_EL_CLIENT:
		s2s_out_fail(s, S2S_INVALID_NAMESPACE, NULL);
		break;
	case S2S_EL_TOO_BIG:
		s2s_out_fail(s, S2S_POLICY_VIOLATION, NULL);
		break;
	case S2S_EL_STARTTLS:
	case S2S_EL_AUTH:
	case S2S_EL_RESPONSE:
	case S2S_EL_ABORT:
	case S2S_EL_BIDI:
	case S2S_EL_OTHER:
		s2s_out_fail(s, S2S_UNSUPPORTED_STANZA_TYPE, NULL);
		break;
	}
}
