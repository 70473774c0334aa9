/* Attempts of streams, recorded and shown. */
#include "edge-proxy/edge_attempts.h"

#include <string.h>

#include "chan/admin_finding.h"
#include "io/admin_show.h"
#include "xmpp/jid.h"

/* ---- recording ----------------------------------------------------------- */

static uint64_t now_of(const struct edge *e)
{
	return loop_now_ms(e->loop);
}

void edge_attempts_accepted(struct edge_in *in)
{
	const struct attempt_params p = {.is_inbound = true,
					 .local = "",
					 .domain = "",
					 .wall_ms = loop_wall_ms()};
	struct edge *e = in->e;

	in->env.attempts = e->attempts;
	in->env.attempt = attempts_begin(e->attempts, &p, now_of(e));
	s2s_note(&in->env, now_of(e), ATTEMPT_INFO, "tcp", "connection from %s",
		 conn_peer_address(in->conn));
}

void edge_attempts_dialing(struct edge_out *o)
{
	const struct attempt_params p = {
		.is_check = o->check != NULL,
		.local = o->local,
		.domain = o->remote,
		.is_partner = s2s_note_is_partner(&o->e->policy, o->remote),
		.wall_ms = loop_wall_ms(),
	};

	/* once, also where a redirect leads on */
	if (o->mode == S2S_OUT_VERIFY || o->env.attempts != NULL)
		return;
	o->env.attempts = o->e->attempts;
	o->env.attempt = attempts_begin(o->e->attempts, &p, now_of(o->e));
}

void edge_attempts_tls(struct edge *e, const struct s2s_env *env,
		       const struct conn *c, const char *problem)
{
	const struct tls_facts *tls = conn_tls_facts(c);

	if (problem != NULL)
		s2s_note(env, now_of(e), ATTEMPT_BAD, "tls",
			 "the TLS handshake failed: %s", problem);
	else if (tls != NULL)
		s2s_note(env, now_of(e), ATTEMPT_GOOD, "tls", "%s, %s%s",
			 tls->version, tls->cipher,
			 tls->is_resumed ? ", a session resumed" : "");
}

void edge_attempts_ready(struct edge *e, const struct s2s_env *env,
			 Fed__Mechanism mechanism, bool is_bidi)
{
	attempts_opened(env->attempts, env->attempt, now_of(e),
			mechanism == FED__MECHANISM__EXTERNAL ? "EXTERNAL"
							      : "dialback");
	if (is_bidi)
		s2s_note(env, now_of(e), ATTEMPT_INFO, "bidi",
			 "one stream for both directions");
}

void edge_attempts_ended(struct edge *e, const struct s2s_env *env,
			 const struct s2s_reason *r)
{
	char text[LIMIT_ATTEMPT_TEXT];

	s2s_reason_explain(r, text, sizeof(text));
	attempts_ended(env->attempts, env->attempt, now_of(e),
		       s2s_reason_is_in_order(r), text);
}

static const char *verdict_text(enum s2s_verify_result v)
{
	switch (v) {
	case S2S_VERIFY_VALID:
		return "valid";
	case S2S_VERIFY_INVALID:
		return "invalid";
	case S2S_VERIFY_NOT_FOUND:
		return "it does not know the domain";
	case S2S_VERIFY_NO_CONNECT:
	case S2S_VERIFY_NO_ANSWER:
		break;
	}
	return "no verdict";
}

void edge_attempts_verified(const struct edge_out *o,
			    const struct s2s_reason *r)
{
	const struct s2s_env *env;
	char text[LIMIT_ATTEMPT_TEXT];

	if (o->verify == NULL)
		return;
	env = &o->verify->in->env;
	if (o->has_verdict && o->conn != NULL) {
		attempts_note_since(
			env->attempts, env->attempt, now_of(o->e), o->start_ms,
			o->verdict == S2S_VERIFY_VALID ? ATTEMPT_GOOD
						       : ATTEMPT_BAD,
			"verify", "asked %s at %s whether the key is its: %s",
			log_value(span_str(o->remote)).text,
			conn_peer_address(o->conn), verdict_text(o->verdict));
		return;
	}
	s2s_reason_explain(r, text, sizeof(text));
	attempts_note_since(env->attempts, env->attempt, now_of(o->e),
			    o->start_ms, ATTEMPT_BAD, "verify",
			    "could not ask %s whether the key is its: %s",
			    log_value(span_str(o->remote)).text, text);
}

/* ---- showing ------------------------------------------------------------- */

Fed__Finding__Level edge_attempts_level(enum attempt_level level)
{
	switch (level) {
	case ATTEMPT_GOOD:
		return FED__FINDING__LEVEL__GOOD;
	case ATTEMPT_INFO:
		break;
	case ATTEMPT_WARN:
		return FED__FINDING__LEVEL__WARN;
	case ATTEMPT_BAD:
		return FED__FINDING__LEVEL__BAD;
	}
	return FED__FINDING__LEVEL__INFO;
}

int edge_attempts_add(struct arena *a, Fed__AdminResponse *out,
		      const struct attempt *at, const struct attempt_step *step,
		      const char *group)
{
	const struct admin_finding f = {
		.level = edge_attempts_level(step->level),
		.group = group,
		.what = step->what,
		.text = arena_dup(a, span_str(step->text)),
		.at_ms = attempt_wall_ms(at, step->at_ms),
		.took_ms = step->took_ms,
	};

	return admin_finding_add(a, out, &f);
}

static int add_left_out(struct arena *a, Fed__AdminResponse *out,
			const struct attempt *at, const char *group)
{
	const struct admin_finding f = {
		.level = FED__FINDING__LEVEL__INFO,
		.group = group,
		.what = "steps",
		.text = arena_printf(a, "and %zu more steps", at->left_out),
		.at_ms = attempt_wall_ms(at, at->changed_ms),
	};

	return admin_finding_add(a, out, &f);
}

static int add_attempt(struct arena *a, Fed__AdminResponse *out,
		       const struct attempt *at, size_t place)
{
	const char *group;
	int err = 0;

	group = arena_printf(a, "attempt %zu, %s%s", place,
			     at->is_inbound ? "inbound" : "outbound",
			     at->is_check ? " (a check)" : "");
	if (group == NULL)
		return FED_ENOMEM;
	for (size_t i = 0; err == 0 && i < at->step_count; i++) {
		/* most of them came before the last one */
		if (i + 1 == at->step_count && at->left_out > 0)
			err = add_left_out(a, out, at, group);
		if (err == 0)
			err = edge_attempts_add(a, out, at, &at->steps[i],
						group);
	}
	return err;
}

static int add_verdict(struct edge *e, struct arena *a, const char *domain,
		       const struct attempt *const *list, size_t count,
		       Fed__AdminResponse *out)
{
	uint64_t up_ms = now_of(e) - e->start_ms;
	struct buf verdict;

	buf_init(&verdict, 4u * LIMIT_ATTEMPT_BYTES);
	if (policy_find(&e->policy, span_str(domain)) == NULL)
		buf_put_str(&verdict, "this edge has no rule that makes it a "
				      "partner");
	if (count > 0 || buf_len(&verdict) == 0)
		attempts_verdict(list, count, loop_wall_ms() - (int64_t)up_ms,
				 &verdict);
	out->verdict = arena_dup(a, buf_span(&verdict));
	buf_deinit(&verdict);
	return out->verdict == NULL ? FED_ENOMEM : 0;
}

void edge_attempts_why(struct edge *e, const Fed__AdminWhy *why,
		       struct arena *a, Fed__AdminResponse *out)
{
	const struct attempt *list[ATTEMPTS_OF_DOMAIN];
	char domain[LIMIT_DOMAIN_BYTES + 1];
	size_t count;
	int err = 0;

	if (domain_normalize(span_str(why->domain), domain, sizeof(domain)) !=
	    0) {
		admin_show_error(out, "that is no domain");
		return;
	}
	count = attempts_of(e->attempts, domain, list);
	for (size_t i = 0; err == 0 && i < count; i++)
		err = add_attempt(a, out, list[i], i + 1);
	if (err == 0)
		err = add_verdict(e, a, domain, list, count, out);
	if (err != 0)
		admin_show_no_memory(out);
}
