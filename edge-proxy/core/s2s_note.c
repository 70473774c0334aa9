/* Steps of negotiation in words. */
#include "edge-proxy/core/s2s_note.h"

#include <stdio.h>
#include <string.h>

#include "edge-proxy/core/cert_facts.h"
#include "edge-proxy/core/s2s_wire.h"
#include "edge-proxy/core/xml_names.h"

bool s2s_note_is_partner(const struct policy *policy, const char *domain)
{
	const struct policy_partner *rule =
		policy_find(policy, span_str(domain));

	return rule != NULL && rule->domain[0] != '*';
}

void s2s_note_peer(const struct s2s_env *env, uint64_t now_ms,
		   const char *domain, const char *wanted, bool is_secure)
{
	if (env->attempts == NULL || domain[0] == '\0')
		return;
	attempts_name(env->attempts, env->attempt, domain,
		      s2s_note_is_partner(env->policy, domain));
	if (is_secure)
		return;
	s2s_note(env, now_ms, ATTEMPT_INFO, "header",
		 "says it is %s and wants %s", log_value(span_str(domain)).text,
		 wanted[0] == '\0' ? "nobody"
				   : log_value(span_str(wanted)).text);
}

/* ---- features ------------------------------------------------------------ */

static void put_word(struct buf *b, const char *word)
{
	if (buf_len(b) > 0)
		buf_put_str(b, ", ");
	buf_put_str(b, word);
}

static void put_mechanisms(struct buf *b, const struct xml_el *el)
{
	for (const struct xml_el *c = el->children; c != NULL; c = c->next)
		put_word(b, log_value(span_str(c->text)).text);
}

static void put_feature(struct buf *b, const struct xml_el *el)
{
	if (xml_is(el, NS_SASL, "mechanisms")) {
		put_mechanisms(b, el);
		return;
	}
	put_word(b, log_value(span_str(el->name)).text);
	if (xml_child(el, el->ns, "required") != NULL)
		buf_put_str(b, " (required)");
}

void s2s_note_features(const struct s2s_env *env, uint64_t now_ms,
		       const struct xml_el *el)
{
	struct buf b;

	if (env->attempts == NULL)
		return;
	/* LIMIT: more than that is not kept anyway */
	buf_init(&b, LIMIT_ATTEMPT_TEXT);
	for (const struct xml_el *c = el->children; c != NULL && !b.is_failed;
	     c = c->next)
		put_feature(&b, c);
	s2s_note(env, now_ms, ATTEMPT_INFO, "features", "it offers %.*s",
		 buf_len(&b) > 0 ? (int)buf_len(&b) : 7,
		 buf_len(&b) > 0 ? buf_span(&b).p : "nothing");
	buf_deinit(&b);
}

/* ---- certificate --------------------------------------------------------- */

void s2s_note_certificate(const struct s2s_env *env, uint64_t now_ms,
			  const struct tls_facts *tls, const char *domain,
			  bool is_fatal)
{
	enum attempt_level level = ATTEMPT_GOOD;
	char text[LIMIT_ATTEMPT_TEXT];

	if (env->attempts == NULL)
		return;
	if (!cert_facts_judge(
		    tls, span_str(domain),
		    attempts_wall_ms(env->attempts, env->attempt, now_ms), text,
		    sizeof(text)))
		level = is_fatal ? ATTEMPT_BAD : ATTEMPT_WARN;
	s2s_note(env, now_ms, level, "certificate", "%s", text);
}

/* ---- authentication ------------------------------------------------------ */

void s2s_note_sasl_failure(const struct s2s_env *env, uint64_t now_ms,
			   const struct xml_el *el)
{
	const struct xml_el *text = xml_child(el, NS_SASL, "text");
	struct log_value name =
		log_value(span_str(s2s_child_name(el, NS_SASL)));
	struct log_value words =
		log_value(span_str(text == NULL ? "" : text->text));

	s2s_note(env, now_ms, ATTEMPT_BAD, "external",
		 "it refused our certificate with %s%s%s%s", name.text,
		 words.text[0] == '\0' ? "" : " (\"", words.text,
		 words.text[0] == '\0' ? "" : "\")");
}

void s2s_note_dialback(const struct s2s_env *env, uint64_t now_ms,
		       const char *remote, const char *type, const char *error)
{
	bool is_valid = strcmp(type, "valid") == 0;

	s2s_note(env, now_ms, is_valid ? ATTEMPT_GOOD : ATTEMPT_BAD, "dialback",
		 "we answered %s: %s%s%s", log_value(span_str(remote)).text,
		 type, error == NULL ? "" : " ", error == NULL ? "" : error);
}

void s2s_note_dialback_answer(const struct s2s_env *env, uint64_t now_ms,
			      const char *type, const char *error)
{
	if (strcmp(type, "valid") == 0)
		s2s_note(env, now_ms, ATTEMPT_GOOD, "dialback",
			 "it found our key valid");
	else if (strcmp(type, "invalid") == 0)
		s2s_note(env, now_ms, ATTEMPT_BAD, "dialback",
			 "it says that our dialback key is invalid: does its "
			 "DNS lead to us, and have all edges one secret?");
	else
		s2s_note(env, now_ms, ATTEMPT_BAD, "dialback",
			 "it could not verify our key: %s",
			 log_value(span_str(error)).text);
}

/* ---- ends ---------------------------------------------------------------- */

/* How the sentence about that kind of end begins. */
static const char *beginning(const struct s2s_reason *r)
{
	switch (r->kind) {
	case S2S_END_DNS:
		return "DNS has no XMPP service for it";
	case S2S_END_CONNECT:
		return "no connection to any address";
	case S2S_END_TLS:
		return "TLS failed";
	case S2S_END_CERT:
		return "its certificate does not do";
	case S2S_END_AUTH:
		return "authentication failed";
	case S2S_END_POLICY:
		return "our rules refuse it";
	case S2S_END_ERROR_SENT:
		return "we ended the stream with";
	case S2S_END_ERROR_GOT:
		return "it ended the stream with";
	case S2S_END_TIMEOUT:
		return "no answer in time";
	case S2S_END_EOF:
		return "the connection was lost";
	case S2S_END_SHUTDOWN:
		return "we are stopping";
	case S2S_END_NONE:
	case S2S_END_CLOSED:
		break;
	}
	return "closed";
}

void s2s_reason_explain(const struct s2s_reason *r, char *out, size_t out_size)
{
	struct log_value text = log_value(span_str(r->text));
	struct log_value place = log_value(span_str(r->place));
	bool has_condition = r->condition != S2S_NO_CONDITION;
	bool is_sentence =
		r->kind == S2S_END_ERROR_SENT || r->kind == S2S_END_ERROR_GOT;
	bool has_both = text.text[0] != '\0' && place.text[0] != '\0';
	bool has_any = text.text[0] != '\0' || place.text[0] != '\0';

	(void)snprintf(out, out_size, "%s%s%s%s%s%s%s%s", beginning(r),
		       !has_condition ? ""
		       : is_sentence  ? " "
				      : " with ",
		       has_condition ? s2s_condition_name(r->condition) : "",
		       has_any ? " (" : "", text.text, has_both ? "; " : "",
		       place.text, has_any ? ")" : "");
}
