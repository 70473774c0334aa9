/* Checks of fedctl: life, answers, the negotiation with a partner. */
#include "edge-proxy/edge_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chan/admin_finding.h"
#include "edge-proxy/edge_attempts.h"
#include "edge-proxy/edge_session_out.h"
#include "io/admin_show.h"
#include "xmpp/jid.h"

/* ---- the answer ---------------------------------------------------------- */

static int add_finding(struct arena *a, Fed__AdminResponse *out,
		       const struct check_finding *from)
{
	const struct admin_finding f = {
		.level = edge_attempts_level(from->level),
		.group = from->group,
		.what = from->what,
		.text = from->text,
		.advice = from->advice,
		.at_ms = from->at_ms,
		.took_ms = from->took_ms,
	};

	return admin_finding_add(a, out, &f);
}

/* Steps of its attempt that came meanwhile. */
static void take_steps(struct edge_check *ec, const struct attempt *at)
{
	if (at == NULL || ec->what != FED__ADMIN_CHECK__WHAT__PARTNER)
		return;
	while (ec->steps < at->step_count)
		check_add_step(&ec->found, at, &at->steps[ec->steps++]);
}

static enum admin_step give(struct edge_check *ec, struct arena *a,
			    Fed__AdminResponse *out)
{
	int err = 0;

	ec->is_due = false;
	while (err == 0 && ec->given < ec->found.count)
		err = add_finding(a, out, &ec->found.finding[ec->given++]);
	if (err != 0) {
		admin_show_no_memory(out);
		return ADMIN_LAST;
	}
	if (!ec->is_over)
		return ADMIN_MORE;
	out->verdict = ec->verdict;
	return ADMIN_LAST;
}

static void wake(struct edge_check *ec)
{
	ec->asker.ready(ec->asker.arg, ec->call);
}

void edge_check_over(struct edge_check *ec, const char *well)
{
	check_end(&ec->found);
	if (well != NULL)
		check_verdict(&ec->found, well, ec->verdict,
			      sizeof(ec->verdict));
	ec->is_over = true;
	loop_timer_arm(ec->timer, UINT64_MAX);
	wake(ec);
}

/* ---- the partner --------------------------------------------------------- */

static const struct attempt *attempt_of(const struct edge_check *ec)
{
	const struct attempt *list[ATTEMPTS_OF_DOMAIN];
	size_t n = attempts_of(ec->e->attempts, ec->domain, list);

	for (size_t i = 0; i < n; i++)
		if (list[i]->number == ec->attempt)
			return list[i];
	return NULL;
}

static bool is_partner(const struct edge_check *ec)
{
	return policy_find(&ec->e->policy, span_str(ec->domain)) != NULL;
}

static void tell_partner(struct edge_check *ec, const struct attempt *at)
{
	bool is_cert = ec->what == FED__ADMIN_CHECK__WHAT__CERT;
	char outcome[LIMIT_ATTEMPT_TEXT + 128] = "nothing is known of it";

	if (at != NULL && at->was_open) {
		check_add(&ec->found, ATTEMPT_GOOD, "partner",
			  "a stream to it can be had, authenticated by %s",
			  at->mechanism == NULL ? "?" : at->mechanism);
		if (is_cert)
			check_add(&ec->found, ATTEMPT_WARN, "certificate",
				  "it showed none on that stream");
		check_verdict(&ec->found,
			      "a stream to it can be had, with nothing amiss",
			      ec->verdict, sizeof(ec->verdict));
	} else {
		if (at != NULL)
			attempt_outcome(at, outcome, sizeof(outcome));
		(void)snprintf(ec->verdict, sizeof(ec->verdict),
			       "no stream to it: %s", outcome);
		/* its steps, which say so too, are not shown */
		if (is_cert)
			check_add(&ec->found, ATTEMPT_BAD, "certificate",
				  "it could not be seen: %s", outcome);
	}
	edge_check_over(ec, NULL);
}

void edge_check_ended(struct edge_out *o)
{
	struct edge_check *ec = o->check;
	const struct attempt *at;

	if (ec == NULL)
		return;
	o->check = NULL;
	ec->out = NULL;
	ec->attempt = o->env.attempt;
	at = attempt_of(ec);
	take_steps(ec, at);
	if (ec->what == FED__ADMIN_CHECK__WHAT__CERT && ec->tls.has_peer_cert)
		edge_check_fresh_cert(ec);
	else
		tell_partner(ec, at);
}

void edge_check_saw_tls(struct edge_out *o)
{
	const struct tls_facts *tls = conn_tls_facts(o->conn);
	struct edge_check *ec = o->check;

	if (ec == NULL || tls == NULL)
		return;
	ec->tls = *tls;
	buf_reset(&ec->der);
	if (buf_put_span(&ec->der, tls->peer_cert_der) != 0)
		ec->tls.has_peer_cert = false;
	ec->tls.peer_cert_der = buf_span(&ec->der);
}

static int begin_stream(struct edge_check *ec)
{
	const struct policy *policy = &ec->e->policy;
	struct s2s_pair pair = {"", ec->domain};

	if (policy->domain_count == 0)
		return FED_ENOTFOUND;
	pair.local = policy->domains[0];
	check_rule(&ec->found, policy_find(policy, span_str(ec->domain)));
	if (!is_partner(ec)) {
		edge_check_over(ec, "");
		return 0;
	}
	if (!edge_out_check(ec->e, ec, &pair))
		return FED_ELIMIT;
	if (ec->out != NULL)
		ec->attempt = ec->out->env.attempt;
	return 0;
}

/* ---- life ---------------------------------------------------------------- */

static void on_timer(void *arg)
{
	struct edge_check *ec = arg;
	uint64_t now_ms = loop_now_ms(ec->e->loop);

	if (now_ms >= ec->until_ms && ec->out != NULL) {
		edge_out_finish(ec->out,
				&(struct s2s_reason){.kind = S2S_END_TIMEOUT,
						     .text = "the check ends"});
		return;
	}
	take_steps(ec, attempts_find(ec->e->attempts, ec->attempt));
	ec->is_due = true;
	loop_timer_arm(ec->timer, now_ms + LIMIT_CHECK_SIGN_MS);
	wake(ec);
}

static void forget(struct edge_check *ec)
{
	ec->e->checks--;
	loop_timer_free(ec->timer);
	edge_dns_cancel(ec->query);
	edge_own_certs_free(ec->own);
	if (ec->out != NULL) {
		ec->out->check = NULL;
		edge_out_abandon(ec->out);
	}
	check_deinit(&ec->found);
	buf_deinit(&ec->der);
	free(ec);
}

void edge_check_end(struct admin_call *call)
{
	if (call->request->kind_case == FED__ADMIN_REQUEST__KIND_CHECK &&
	    call->state != NULL)
		forget(call->state);
	call->state = NULL;
}

static int begin(struct edge_check *ec)
{
	bool is_own = ec->domain[0] == '\0' ||
		      policy_serves(&ec->e->policy, span_str(ec->domain));

	switch (ec->what) {
	case FED__ADMIN_CHECK__WHAT__DNS:
		return edge_check_dns_begin(ec);
	case FED__ADMIN_CHECK__WHAT__CERT:
		if (is_own)
			return edge_check_own_certs(ec);
		if (!edge_check_seen_cert(ec))
			return begin_stream(ec);
		return 0;
	case FED__ADMIN_CHECK__WHAT__PARTNER:
		return begin_stream(ec);
	case _FED__ADMIN_CHECK__WHAT_IS_INT_SIZE:
		break;
	}
	return FED_EINVAL;
}

/* What cannot be checked; NULL: it can. */
static const char *obstacle(struct edge_check *ec, const Fed__AdminCheck *r)
{
	bool is_all =
		r->what == FED__ADMIN_CHECK__WHAT__CERT && r->domain[0] == '\0';

	if (!is_all && (domain_normalize(span_str(r->domain), ec->domain,
					 sizeof(ec->domain)) != 0 ||
			domain_to_ascii(span_str(ec->domain), ec->ascii,
					sizeof(ec->ascii)) != 0))
		return "that is no domain";
	if (r->what == FED__ADMIN_CHECK__WHAT__PARTNER &&
	    policy_serves(&ec->e->policy, span_str(ec->domain)))
		return "that domain is served here: it is no partner";
	if (ec->e->phase != EDGE_RUNNING)
		return "the edge is stopping";
	/* LIMIT: each resolves and connects */
	if (ec->e->checks > LIMIT_CHECKS)
		return "too many checks at once";
	return NULL;
}

static const char *problem_of(int err)
{
	switch (err) {
	case FED_ENOTFOUND:
		return "this edge serves no domain";
	case FED_ELIMIT:
		return "too many streams or DNS queries";
	case FED_EINVAL:
		return "that is no check that this edge knows";
	default:
		return "out of memory";
	}
}

static struct edge_check *new_check(struct edge *e, struct admin_call *call,
				    const struct edge_asker *asker)
{
	struct edge_check *ec = calloc(1, sizeof(*ec));

	if (ec == NULL)
		return NULL;
	if (loop_timer_new(&ec->timer, e->loop, on_timer, ec) != 0) {
		free(ec);
		return NULL;
	}
	ec->e = e;
	ec->call = call;
	ec->asker = *asker;
	ec->what = call->request->check->what;
	check_init(&ec->found);
	buf_init(&ec->der, 64u * 1024u);
	ec->until_ms = loop_now_ms(e->loop) + LIMIT_CHECK_MS;
	loop_timer_arm(ec->timer, loop_now_ms(e->loop) + LIMIT_CHECK_SIGN_MS);
	e->checks++;
	call->state = ec;
	return ec;
}

enum admin_step edge_check_more(struct edge *e, struct admin_call *call,
				const struct edge_asker *asker, struct arena *a,
				Fed__AdminResponse *out)
{
	struct edge_check *ec = call->state;
	const char *why;
	int err;

	if (ec == NULL) {
		ec = new_check(e, call, asker);
		why = ec == NULL ? "out of memory"
				 : obstacle(ec, call->request->check);
		err = why == NULL ? begin(ec) : 0;
		if (err != 0)
			why = problem_of(err);
		if (why != NULL) {
			admin_show_error(out, why);
			return ADMIN_LAST;
		}
	}
	if (!ec->is_over && !ec->is_due && ec->given == ec->found.count)
		return ADMIN_WAIT;
	return give(ec, a, out);
}
