/* fedctl test: one request as a SIP user would send it, on the real way. */
#include "fe-gateway/gateway_admin_test.h"

#include <stdlib.h>
#include <utlist.h>

#include "base/ratelimit.h"
#include "fe-gateway/core/synthetic.h"
#include "fe-gateway/gateway_admin_explain.h"
#include "fe-gateway/gateway_session_priv.h"
#include "io/admin_show.h"

/* Tells the handles of tests from those of the SIP adapter. */
#define TEST_HANDLE (1ull << 62)

struct gateway_test {
	struct synthetic core;
	uint64_t deadline_ms;
	size_t edge; /* the domain's, when it began */
	struct admin_server *server;
	struct admin_call *call;
	struct gateway_test *prev;
	struct gateway_test *next;
};

struct gateway_tests {
	struct gateway_session *session;
	struct id_source *ids;
	struct gateway_test *list;
	unsigned count;
	uint64_t last_handle;
	struct ratelimit rate;
	struct loop_timer *timer; /* of the first deadline */
};

static uint64_t now_ms(const struct gateway_tests *t)
{
	return loop_now_ms(t->session->loop);
}

/* ---- the end ------------------------------------------------------------- */

static void arm(struct gateway_tests *t)
{
	const struct gateway_test *one;
	uint64_t at_ms = UINT64_MAX;

	DL_FOREACH (t->list, one)
		if (!one->core.is_over && one->deadline_ms < at_ms)
			at_ms = one->deadline_ms;
	loop_timer_arm(t->timer, at_ms);
}

static void look(struct gateway_tests *t, struct gateway_test *one)
{
	if (one->core.is_over)
		admin_server_ready(one->server, one->call);
	arm(t);
}

static void on_timer(void *arg)
{
	struct gateway_tests *t = arg;
	struct gateway_test *one;

	DL_FOREACH (t->list, one) {
		if (one->core.is_over || one->deadline_ms > now_ms(t))
			continue;
		synthetic_give_up(&one->core, now_ms(t));
		admin_server_ready(one->server, one->call);
	}
	arm(t);
}

/* ---- what comes ---------------------------------------------------------- */

bool gateway_tests_on_reply(struct gateway_tests *t, uint64_t handle,
			    const struct sip_reply *reply)
{
	struct gateway_test *one;

	if ((handle & TEST_HANDLE) == 0)
		return false;
	if (t == NULL)
		return true;
	DL_FOREACH (t->list, one) {
		if (one->core.request.handle != handle)
			continue;
		synthetic_on_reply(&one->core, reply, now_ms(t));
		look(t, one);
		break;
	}
	return true;
}

bool gateway_tests_on_request(struct gateway_tests *t,
			      const struct sip_request_out *request)
{
	struct gateway_test *one;

	if (!synthetic_is_notify(request))
		return false;
	if (t == NULL)
		return true;
	DL_FOREACH (t->list, one) {
		if (synthetic_on_notify(&one->core, request, now_ms(t))) {
			look(t, one);
			break;
		}
	}
	return true;
}

void gateway_tests_on_outcome(struct gateway_tests *t,
			      const Fed__Stanza *stanza, const char *edge,
			      const Fed__Error *refused)
{
	struct gateway_test *one;

	if (t == NULL || t->list == NULL || stanza == NULL)
		return;
	DL_FOREACH (t->list, one) {
		if (!synthetic_is_ours(&one->core, stanza))
			continue;
		synthetic_on_outcome(&one->core, refused, edge, now_ms(t));
		look(t, one);
	}
}

void gateway_tests_on_stanza(struct gateway_tests *t, const Fed__Stanza *stanza)
{
	struct gateway_test *one;

	if (t == NULL || t->list == NULL || stanza == NULL)
		return;
	DL_FOREACH (t->list, one) {
		if (!synthetic_is_answer(&one->core, stanza))
			continue;
		synthetic_on_answer(&one->core, stanza, now_ms(t));
		look(t, one);
	}
}

/* ---- beginning ----------------------------------------------------------- */

static enum admin_step refuse(Fed__AdminResponse *out, const char *why)
{
	admin_show_no_memory(out);
	if (why != NULL)
		admin_show_error(out, why);
	return ADMIN_LAST;
}

static struct access_query query_of(const struct synthetic *s)
{
	return (struct access_query){
		.what = s->what == SYNTHETIC_IM ? ACCESS_MESSAGE
						: ACCESS_SUBSCRIBE,
		.direction = ACCESS_TO_XMPP,
		.local = span_str(s->from),
		.remote = span_str(s->to),
	};
}

/* One more may begin; else why not. */
static const char *check_room(struct gateway_tests *t)
{
	if (t->session->is_stopping)
		return "the gateway is stopping";
	/* LIMIT */
	if (t->count >= LIMIT_SYNTHETIC || !ratelimit_take(&t->rate, now_ms(t)))
		return "too many tests: the next one in a few seconds";
	return NULL;
}

static const char *check_pair(struct gateway_tests *t,
			      const struct gateway_pair *pair, struct arena *a)
{
	struct access_query q = {
		.what = ACCESS_MESSAGE,
		.direction = ACCESS_TO_XMPP,
		.local = jid_bare(&pair->local),
		.remote = jid_bare(&pair->remote),
	};

	if (pair->is_swapped)
		return arena_printf(a,
				    "only a SIP user of ours can be tested "
				    "from; the other way the other server "
				    "would have to: \"%s\" first",
				    log_value(q.local).text);
	if (pair->local.local_n == 0 || pair->remote.local_n == 0)
		return "users are expected, not domains";
	if (gateway_access(t->session, &q).is_legacy)
		return "the old gateway has that domain, so the way would not "
		       "be ours; \"fedctl migrate enable\" comes first";
	return NULL;
}

static uint64_t patience_ms(const Fed__AdminTest *what)
{
	if (what->timeout_ms == 0)
		return LIMIT_SYNTHETIC_DEFAULT_MS;
	return what->timeout_ms < LIMIT_SYNTHETIC_MS ? what->timeout_ms
						     : LIMIT_SYNTHETIC_MS;
}

static int add(struct gateway_tests *t, struct admin_server *server,
	       struct admin_call *call, const struct gateway_pair *pair)
{
	const Fed__AdminTest *what = call->request->test;
	struct gateway_test *one = calloc(1, sizeof(*one));
	int err;

	if (one == NULL)
		return FED_ENOMEM;
	err = synthetic_init(&one->core,
			     what->what == FED__ADMIN_TEST__WHAT__IM
				     ? SYNTHETIC_IM
				     : SYNTHETIC_PRESENCE,
			     jid_bare(&pair->local), jid_bare(&pair->remote),
			     TEST_HANDLE | ++t->last_handle, t->ids, now_ms(t));
	if (err != 0) {
		free(one);
		return err;
	}
	one->server = server;
	one->call = call;
	one->edge = gw_router_pick_edge(t->session->router,
					span_str(one->core.domain));
	one->deadline_ms = now_ms(t) + patience_ms(what);
	DL_APPEND(t->list, one);
	t->count++;
	call->state = one;
	arm(t);
	return 0;
}

static enum admin_step begin(struct gateway_tests *t,
			     struct admin_server *server,
			     struct admin_call *call, struct arena *a,
			     Fed__AdminResponse *out)
{
	const Fed__AdminTest *what = call->request->test;
	struct gateway_test *one;
	struct gateway_pair pair;
	const char *why;
	int err;

	if (!gateway_pair_parse(t->session, what->from, what->to, &pair, a,
				&why))
		return refuse(out, why);
	why = check_pair(t, &pair, a);
	if (why == NULL)
		why = check_room(t);
	if (why != NULL)
		return refuse(out, why);
	err = add(t, server, call, &pair);
	if (err != 0)
		return refuse(out, err == FED_EINVAL
					   ? "one of them has no SIP URI; "
					     "\"fedctl map\" says why"
					   : NULL);
	one = call->state;
	gw_router_on_sip_request(t->session->router, &one->core.request,
				 now_ms(t));
	session_on_deadline(t->session); /* what is due now */
	return ADMIN_WAIT;
}

/* ---- the result ---------------------------------------------------------- */

static void log_result(struct gateway_tests *t, const struct gateway_test *one,
		       const Fed__TestResult *r)
{
	fed_log(t->session->log, FED_LOG_INFO, "synthetic",
		"what=%s from=%s to=%s uid=%u ok=%d ms=%llu error=\"%s\"",
		one->core.what == SYNTHETIC_IM ? "im" : "presence",
		log_value(span_str(one->core.from)).text,
		log_value(span_str(one->core.to)).text,
		(unsigned)one->call->user.uid, r->ok,
		(unsigned long long)(r->latency_us / 1000),
		log_value(span_str(r->error)).text);
}

static enum admin_step say_result(struct gateway_tests *t,
				  struct gateway_test *one, struct arena *a,
				  Fed__AdminResponse *out)
{
	const struct gateway_session *s = t->session;
	struct access_query q = query_of(&one->core);
	struct synthetic_facts facts = {
		.access = gateway_access(t->session, &q),
		.edge = one->edge < s->edge_count ? s->edge_names[one->edge]
						  : NULL,
	};

	out->test = synthetic_result(&one->core, &facts, a);
	if (out->test == NULL)
		return refuse(out, NULL);
	log_result(t, one, out->test);
	return ADMIN_LAST;
}

enum admin_step gateway_tests_more(struct gateway_tests *t,
				   struct admin_server *server,
				   struct admin_call *call, struct arena *a,
				   Fed__AdminResponse *out)
{
	struct gateway_test *one = call->state;

	if (one == NULL)
		return begin(t, server, call, a, out);
	return one->core.is_over ? say_result(t, one, a, out) : ADMIN_WAIT;
}

void gateway_tests_end(struct gateway_tests *t, struct admin_call *call)
{
	struct gateway_test *one = call->state;

	if (one == NULL)
		return;
	DL_DELETE(t->list, one);
	t->count--;
	synthetic_deinit(&one->core);
	free(one);
	arm(t);
}

/* ---- life ---------------------------------------------------------------- */

int gateway_tests_new(struct gateway_tests **t_out, struct gateway_session *s,
		      struct id_source *ids)
{
	struct gateway_tests *t = calloc(1, sizeof(*t));
	int err;

	if (t == NULL)
		return FED_ENOMEM;
	t->session = s;
	t->ids = ids;
	ratelimit_init(&t->rate, LIMIT_SYNTHETIC_RATE, LIMIT_SYNTHETIC_BURST,
		       loop_now_ms(s->loop));
	err = loop_timer_new(&t->timer, s->loop, on_timer, t);
	if (err != 0) {
		free(t);
		return err;
	}
	*t_out = t;
	return 0;
}

void gateway_tests_free(struct gateway_tests *t)
{
	if (t == NULL)
		return;
	loop_timer_free(t->timer);
	free(t);
}
