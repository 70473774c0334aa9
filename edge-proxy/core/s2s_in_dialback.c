/* Receiving and authoritative role of server dialback (XEP-0220). */
#include <stdlib.h>
#include <string.h>

#include "edge-proxy/core/dialback.h"
#include "edge-proxy/core/s2s_in_impl.h"
#include "edge-proxy/core/s2s_note.h"

/* ---- the table of pairs ---- */

static bool is_pair(const struct in_pair *p, const char *local,
		    const char *remote)
{
	return p->state != IN_PAIR_FREE &&
	       span_eq_str(span_str(p->local), local) &&
	       span_eq_str(span_str(p->remote), remote);
}

static struct in_pair *find_pair(struct s2s_in *s, const char *local,
				 const char *remote)
{
	for (size_t i = 0; i < s->pair_count; i++)
		if (is_pair(&s->pairs[i], local, remote))
			return &s->pairs[i];
	return NULL;
}

struct in_pair *s2s_in_find_valid(struct s2s_in *s, struct span remote,
				  const struct span *local)
{
	for (size_t i = 0; i < s->pair_count; i++) {
		struct in_pair *p = &s->pairs[i];

		if (p->state == IN_PAIR_VALID &&
		    span_eq_str(remote, p->remote) &&
		    (local == NULL || span_eq_str(*local, p->local)))
			return p;
	}
	return NULL;
}

bool s2s_in_has_pair(const struct s2s_in *s, const struct s2s_pair *pair)
{
	for (size_t i = 0; i < s->pair_count; i++)
		if (s->pairs[i].state == IN_PAIR_VALID &&
		    is_pair(&s->pairs[i], pair->local, pair->remote))
			return true;
	return false;
}

size_t s2s_in_count_pairs(const struct s2s_in *s, enum in_pair_state state)
{
	size_t n = 0;

	for (size_t i = 0; i < s->pair_count; i++)
		n += s->pairs[i].state == state;
	return n;
}

bool s2s_in_had_pairs(const struct s2s_in *s)
{
	for (size_t i = 0; i < s->pair_count; i++)
		if (s->pairs[i].remote != NULL)
			return true;
	return false;
}

static void free_texts(struct in_pair *p)
{
	free(p->local);
	free(p->remote);
	free(p->key);
	p->local = NULL;
	p->remote = NULL;
	p->key = NULL;
}

void s2s_in_free_pairs(struct s2s_in *s)
{
	for (size_t i = 0; i < s->pair_count; i++)
		free_texts(&s->pairs[i]);
	free(s->pairs);
}

/* The first place that is free, or one more; NULL: none.  Most streams have
 * one pair. */
static struct in_pair *free_place(struct s2s_in *s)
{
	struct in_pair *more;

	for (size_t i = 0; i < s->pair_count; i++)
		if (s->pairs[i].state == IN_PAIR_FREE)
			return &s->pairs[i];
	if (s->pair_count == LIMIT_STREAM_PAIRS)
		return NULL;
	more = reallocarray(s->pairs, s->pair_count + 1, sizeof(*more));
	if (more == NULL)
		return NULL;
	s->pairs = more;
	more += s->pair_count++;
	*more = (struct in_pair){.state = IN_PAIR_FREE};
	return more;
}

/* A place with copies of the texts, still IN_PAIR_FREE; NULL: none. */
static struct in_pair *new_pair(struct s2s_in *s, const char *local,
				const char *remote, struct span key)
{
	struct in_pair *p = free_place(s);

	if (p == NULL)
		return NULL;
	free_texts(p);
	p->local = strdup(local);
	p->remote = strdup(remote);
	p->key = span_dup(key);
	if (p->local == NULL || p->remote == NULL || p->key == NULL)
		return NULL;
	return p;
}

static void set_valid(struct s2s_in *s, struct in_pair *p,
		      Fed__Mechanism mechanism)
{
	struct s2s_action a = {.kind = S2S_ACT_READY};

	p->state = IN_PAIR_VALID;
	p->mechanism = mechanism;
	if (mechanism == FED__MECHANISM__EXTERNAL)
		s->has_cert_pair = true;
	s2s_in_open(s, "authenticated");
	a.u.ready.pair = (struct s2s_pair){p->local, p->remote};
	a.u.ready.mechanism = mechanism;
	a.u.ready.is_bidi = s->has_bidi;
	s2s_in_push(s, &a);
}

void s2s_in_add_valid(struct s2s_in *s, const char *local, const char *remote,
		      Fed__Mechanism mechanism)
{
	struct in_pair *p = new_pair(s, local, remote, SPAN_NULL);

	if (p == NULL)
		s2s_in_fail(s, S2S_RESOURCE_CONSTRAINT, NULL);
	else
		set_valid(s, p, mechanism);
}

/* ---- answers ---- */

static void answer_result(struct s2s_in *s, const char *local,
			  const char *remote, const char *type,
			  const char *error)
{
	struct s2s_dialback d = {.element = "db:result",
				 .from = local,
				 .to = remote,
				 .type = type,
				 .error = error};

	s2s_write_dialback(&s->queue.out, &d);
	s2s_note_dialback(s->env, s->now_ms, remote, type, error);
	if (s2s_may_log(s->env, s->now_ms))
		fed_log(s->env->log, FED_LOG_INFO, "s2s_dialback",
			"%s local=%s peer=%s type=%s error=%s", s->env->label,
			local, remote, type, error == NULL ? "none" : error);
}

/* ---- receiving role (XEP-0220 2.2) ---- */

/* Why the request cannot be looked into; NULL: it can (XEP-0220 2.4.2). */
static const char *result_obstacle(const struct s2s_in *s,
				   const struct s2s_dialback_in *d)
{
	const struct policy_partner *rule =
		policy_find(s->env->policy, span_str(d->from));

	if (!policy_serves(s->env->policy, span_str(d->to)))
		return "item-not-found";
	if (policy_serves(s->env->policy, span_str(d->from)))
		return "not-acceptable";
	if (rule == NULL)
		return "policy-violation";
	if (!negotiation_allows_dialback(rule, s->tls))
		/* TLS would help, or only a certificate does */
		return s->tls == NULL && negotiation_methods(rule) != 0
			       ? "policy-violation"
			       : "not-authorized";
	if (d->key.n == 0 || d->key.n > DIALBACK_KEY_MAX)
		return "not-acceptable";
	return NULL;
}

static void ask_authority(struct s2s_in *s, const struct s2s_dialback_in *d)
{
	struct s2s_action a = {.kind = S2S_ACT_VERIFY};
	struct in_pair *p = NULL;

	if (s2s_in_count_pairs(s, IN_PAIR_PENDING) < LIMIT_DIALBACK_PENDING)
		p = new_pair(s, d->to, d->from, d->key);
	if (p == NULL) {
		answer_result(s, d->to, d->from, "error",
			      "resource-constraint");
		return;
	}
	p->state = IN_PAIR_PENDING;
	p->deadline_ms = s->now_ms + LIMIT_DIALBACK_MS;
	a.u.verify.pair = (struct s2s_pair){p->local, p->remote};
	a.u.verify.stream_id = s->id;
	a.u.verify.key = p->key;
	s2s_in_push(s, &a);
}

/* XEP-0344 2.1: the TLS certificate already proves the domain, unless the rule
 * wants more than certificates. */
static bool has_proof(const struct s2s_in *s, const struct s2s_dialback_in *d)
{
	const struct policy_partner *rule =
		policy_find(s->env->policy, span_str(d->from));

	return (negotiation_methods(rule) & NEGOTIATION_SASL_TLS) != 0 &&
	       negotiation_is_trusted(s->tls, span_str(d->from));
}

/* What was verified is the certificate, and that is what is reported. */
static void accept_certificate(struct s2s_in *s,
			       const struct s2s_dialback_in *d)
{
	struct in_pair *p = new_pair(s, d->to, d->from, SPAN_NULL);

	if (p == NULL) {
		answer_result(s, d->to, d->from, "error",
			      "resource-constraint");
		return;
	}
	answer_result(s, d->to, d->from, "valid", NULL);
	set_valid(s, p, FED__MECHANISM__EXTERNAL);
}

/* Where the operator switched dialback off, a request is as if it were not
 * there: the peer may still do without it. */
static bool is_ignored(struct s2s_in *s, const struct s2s_dialback_in *d)
{
	const struct policy_partner *rule =
		policy_of_pair(s->env->policy, d->to, d->from);

	if (rule == NULL || rule->dialback != POLICY_OFF)
		return false;
	if (s2s_may_log(s->env, s->now_ms))
		fed_log(s->env->log, FED_LOG_INFO, "s2s_dialback_ignored",
			"%s local=%s peer=%s", s->env->label, d->to, d->from);
	return true;
}

static void on_request(struct s2s_in *s, const struct s2s_dialback_in *d)
{
	const char *obstacle = result_obstacle(s, d);
	const struct in_pair *known = find_pair(s, d->to, d->from);

	if (is_ignored(s, d))
		return;
	if (obstacle != NULL)
		answer_result(s, d->to, d->from, "error", obstacle);
	else if (known != NULL && known->state == IN_PAIR_VALID)
		answer_result(s, d->to, d->from, "valid", NULL);
	else if (known != NULL)
		fed_log(s->env->log, FED_LOG_DEBUG, "s2s_dialback_again",
			"%s peer=%s", s->env->label, d->from);
	else if (has_proof(s, d))
		accept_certificate(s, d);
	else
		ask_authority(s, d);
}

static bool may_dialback(const struct s2s_in *s)
{
	return s->state == IN_NEG_CLEAR || s->state == IN_NEG_SECURE ||
	       s->state == IN_OPEN;
}

/* An answer on an inbound stream is one that we never asked for, with bidi too
 * (we ask on our own streams only): believing it would let anybody authenticate
 * himself (XEP-0288 4). */
static bool is_unsolicited(const struct s2s_in *s,
			   const struct s2s_dialback_in *d)
{
	if (d->type[0] == '\0')
		return false;
	if (s2s_may_log(s->env, s->now_ms))
		fed_log(s->env->log, FED_LOG_WARN, "s2s_dialback_unsolicited",
			"%s peer=%s type=%s", s->env->label, s2s_in_peer(s),
			log_value(span_str(d->type)).text);
	return true;
}

void s2s_in_on_result(struct s2s_in *s, const struct xml_el *el)
{
	struct s2s_dialback_in d;

	s2s_dialback_read(el, &d);
	if (is_unsolicited(s, &d))
		return;
	if (!may_dialback(s))
		s2s_in_fail(s, S2S_POLICY_VIOLATION, "dialback during SASL");
	else if (d.from[0] == '\0' || d.to[0] == '\0')
		s2s_in_fail(s, S2S_IMPROPER_ADDRESSING, NULL);
	else
		on_request(s, &d);
}

/* XEP-0220 2.2, 2.4.2: what the sender is told. */
static const char *verify_error(enum s2s_verify_result result)
{
	switch (result) {
	case S2S_VERIFY_NOT_FOUND:
		return "remote-server-not-found";
	case S2S_VERIFY_NO_CONNECT:
		return "remote-connection-failed";
	case S2S_VERIFY_VALID:
	case S2S_VERIFY_INVALID:
	case S2S_VERIFY_NO_ANSWER:
		break;
	}
	return "remote-server-timeout";
}

static void on_invalid(struct s2s_in *s, struct in_pair *p)
{
	struct s2s_reason r = s2s_reason_make(S2S_END_AUTH, S2S_NOT_AUTHORIZED,
					      "dialback key is invalid");

	metrics_count(s->env->metrics, METRIC_dialback_invalid);
	p->state = IN_PAIR_FREE;
	/* XEP-0220 2.2: a stream with authenticated pairs may stay */
	if (s2s_in_count_pairs(s, IN_PAIR_VALID) > 0) {
		answer_result(s, p->local, p->remote, "error", "forbidden");
		return;
	}
	answer_result(s, p->local, p->remote, "invalid", NULL);
	s2s_in_finish(s, &r);
}

void s2s_in_on_verified(struct s2s_in *s, const struct s2s_pair *pair,
			enum s2s_verify_result result)
{
	struct in_pair *p = find_pair(s, pair->local, pair->remote);

	/* too late, or the stream moved on: dropped (XEP-0220 2.3.2) */
	if (p == NULL || p->state != IN_PAIR_PENDING || !may_dialback(s))
		return;
	if (result == S2S_VERIFY_INVALID) {
		on_invalid(s, p);
	} else if (result == S2S_VERIFY_VALID) {
		metrics_count(s->env->metrics, METRIC_dialback_valid);
		answer_result(s, p->local, p->remote, "valid", NULL);
		set_valid(s, p, FED__MECHANISM__DIALBACK);
	} else {
		p->state = IN_PAIR_FREE;
		answer_result(s, p->local, p->remote, "error",
			      verify_error(result));
	}
}

void s2s_in_expire_pairs(struct s2s_in *s)
{
	for (size_t i = 0; i < s->pair_count; i++) {
		struct in_pair *p = &s->pairs[i];

		if (p->state != IN_PAIR_PENDING || p->deadline_ms > s->now_ms)
			continue;
		p->state = IN_PAIR_FREE;
		answer_result(s, p->local, p->remote, "error",
			      verify_error(S2S_VERIFY_NO_ANSWER));
	}
}

uint64_t s2s_in_pairs_deadline_ms(const struct s2s_in *s)
{
	uint64_t earliest = UINT64_MAX;

	for (size_t i = 0; i < s->pair_count; i++) {
		const struct in_pair *p = &s->pairs[i];

		if (p->state == IN_PAIR_PENDING && p->deadline_ms < earliest)
			earliest = p->deadline_ms;
	}
	return earliest;
}

/* ---- another policy ---- */

bool s2s_in_allows_pair(const struct s2s_in *s, const struct in_pair *p)
{
	const struct policy_partner *rule =
		policy_of_pair(s->env->policy, p->local, p->remote);

	if (rule == NULL)
		return false;
	if (p->state == IN_PAIR_VALID &&
	    p->mechanism == FED__MECHANISM__EXTERNAL)
		return (negotiation_methods(rule) & NEGOTIATION_SASL_TLS) != 0;
	return negotiation_allows_dialback(rule, s->tls);
}

static void drop_pending(struct s2s_in *s, struct in_pair *p)
{
	const struct policy_partner *rule =
		policy_of_pair(s->env->policy, p->local, p->remote);

	p->state = IN_PAIR_FREE;
	if (rule == NULL || rule->dialback != POLICY_OFF)
		answer_result(s, p->local, p->remote, "error",
			      "policy-violation");
}

size_t s2s_in_drop_pairs(struct s2s_in *s)
{
	size_t valid = 0;

	for (size_t i = 0; i < s->pair_count; i++) {
		struct in_pair *p = &s->pairs[i];

		if (p->state == IN_PAIR_FREE || s2s_in_allows_pair(s, p))
			continue;
		if (p->state == IN_PAIR_PENDING) {
			drop_pending(s, p);
		} else {
			p->state = IN_PAIR_FREE;
			valid++;
		}
	}
	return valid;
}

/* ---- authoritative role (XEP-0220 2.3) ---- */

/* The asking server is the receiving one (`from`), the domain whose key it is
 * is ours (`to`); computed again, nothing was stored. */
static void answer_verify(struct s2s_in *s, const struct s2s_dialback_in *d)
{
	const struct policy *policy = s->env->policy;
	struct s2s_dialback a = {.element = "db:verify",
				 .from = d->to,
				 .to = d->from,
				 .id = d->id};

	if (!policy_serves(policy, span_str(d->to))) {
		a.type = "error";
		a.error = "item-not-found";
	} else {
		a.type = dialback_key_matches(policy->dialback_secret, d->from,
					      d->to, d->id, d->key)
				 ? "valid"
				 : "invalid";
	}
	s2s_write_dialback(&s->queue.out, &a);
	if (s2s_may_log(s->env, s->now_ms))
		fed_log(s->env->log, FED_LOG_INFO, "s2s_dialback_asked",
			"%s local=%s peer=%s type=%s", s->env->label, d->to,
			d->from, a.type);
}

void s2s_in_on_verify(struct s2s_in *s, const struct xml_el *el)
{
	struct s2s_dialback_in d;

	s2s_dialback_read(el, &d);
	if (is_unsolicited(s, &d))
		return;
	if (d.from[0] == '\0' || d.to[0] == '\0')
		s2s_in_fail(s, S2S_IMPROPER_ADDRESSING, NULL);
	else
		answer_verify(s, &d);
}

Fed__Mechanism s2s_in_mechanism(const struct s2s_in *s)
{
	for (size_t i = 0; i < s->pair_count; i++)
		if (s->pairs[i].state == IN_PAIR_VALID)
			return s->pairs[i].mechanism;
	return FED__MECHANISM__NO_MECHANISM;
}
