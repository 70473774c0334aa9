/* fedctl explain: the gates, and the way behind them as it is now. */
#include "fe-gateway/gateway_admin_explain.h"

#include <string.h>

#include "chan/admin_finding.h"
#include "fe-gateway/core/address.h"
#include "fe-gateway/gateway_federation.h"
#include "fe-gateway/gateway_session_priv.h"
#include "io/admin_show.h"

/* ---- addresses ----------------------------------------------------------- */

int gateway_address_parse(struct span text, struct jid *out)
{
	const struct span xmpp = SPAN_LIT("xmpp:");

	if (span_starts(text, xmpp))
		text = span_sub(text, xmpp.n, SIZE_MAX);
	/* ':' is not allowed in a JID, but in an IPv6 address */
	else if (span_find(text, ':', 0) < span_find(text, '[', 0))
		return address_uri_to_jid(text, out);
	return jid_parse(text, out);
}

char *gateway_address_complain(struct arena *a, const char *text)
{
	return arena_printf(a,
			    "\"%s\" is no address; juliet@xmpp.example, "
			    "sip:romeo@sip.example or a domain is expected",
			    log_value(span_str(text)).text);
}

bool gateway_is_ours(const struct gateway_session *s, const struct jid *j)
{
	for (size_t i = 0; i < s->config->file->sip.domains_count; i++)
		if (span_eq_str(jid_domain(j), s->config->domains[i]))
			return true;
	return false;
}

static char *print_domains(const struct gateway_session *s, struct arena *a)
{
	char *all = arena_dup(a, SPAN_NULL);

	for (size_t i = 0;
	     all != NULL && i < s->config->file->sip.domains_count; i++)
		all = arena_printf(a, "%s%s%s", all, i > 0 ? ", " : "",
				   s->config->domains[i]);
	return all;
}

static char *complain_sides(const struct gateway_session *s, bool are_ours,
			    struct arena *a)
{
	char *domains = print_domains(s, a);

	if (domains == NULL)
		return NULL;
	return arena_printf(a,
			    are_ours
				    ? "both are of domains that we serve (%s): "
				      "one must be of another domain"
				    : "neither is of a domain that we serve "
				      "(%s): one must be",
			    domains);
}

bool gateway_pair_parse(const struct gateway_session *s, const char *from,
			const char *to, struct gateway_pair *out,
			struct arena *a, const char **why_out)
{
	struct jid first, second;
	bool is_first_ours;

	if (gateway_address_parse(span_str(from), &first) != 0) {
		*why_out = gateway_address_complain(a, from);
		return false;
	}
	if (gateway_address_parse(span_str(to), &second) != 0) {
		*why_out = gateway_address_complain(a, to);
		return false;
	}
	is_first_ours = gateway_is_ours(s, &first);
	if (is_first_ours == gateway_is_ours(s, &second)) {
		*why_out = complain_sides(s, is_first_ours, a);
		return false;
	}
	out->is_swapped = !is_first_ours;
	out->local = is_first_ours ? first : second;
	out->remote = is_first_ours ? second : first;
	return true;
}

/* ---- the decision -------------------------------------------------------- */

static const struct federation *in_force(const struct gateway_session *s)
{
	return gateway_federation_now(s->federation);
}

static void look_up_contact(const struct gateway_session *s,
			    struct access_query *q)
{
	struct presence *core =
		s->presence != NULL ? gateway_presence_core(s->presence) : NULL;

	q->has_contact =
		core != NULL && presence_has_contact(core, q->local, q->remote);
}

struct access_verdict gateway_access(const struct gateway_session *s,
				     struct access_query *q)
{
	look_up_contact(s, q);
	return access_decide(in_force(s), q);
}

/* ---- findings ------------------------------------------------------------ */

/* One explanation at work. */
struct explaining {
	struct gateway_session *s;
	struct arena *a;
	Fed__AdminResponse *out;
	const char *group;
	const char *stops; /* what else would; NULL: nothing */
};

/* text, advice NULL: no memory */
static int add(struct explaining *x, Fed__Finding__Level level,
	       const char *what, const char *text, const char *advice)
{
	const struct admin_finding f = {
		.level = level, .what = what, .text = text, .advice = advice};

	return advice == NULL ? FED_ENOMEM
			      : admin_finding_add(x->a, x->out, &f);
}

/* ---- the way ------------------------------------------------------------- */

static const char *edge_state(const struct session_edge *e)
{
	if (!chan_link_is_up(e->link))
		return "not connected";
	if (e->is_draining)
		return "connected, draining: it takes nothing new";
	return chan_link_can_send(e->link)
		       ? "connected"
		       : "connected, its window is full: what comes waits";
}

static int explain_no_edge(struct explaining *x)
{
	x->stops = "no edge is connected";
	return add(x, FED__FINDING__LEVEL__BAD, "channel",
		   arena_printf(x->a,
				"no edge is connected: messages wait %u "
				"s for one and are refused then (504)",
				LIMIT_EDGE_GRACE_MS / 1000),
		   arena_printf(x->a, "fedctl show channels"));
}

static char *print_word(struct explaining *x, const struct last_word *w,
			const char *domain)
{
	unsigned long long s = (loop_now_ms(x->s->loop) - w->at_ms) / 1000;

	switch (w->what) {
	case FED__STREAM_EVENT__WHAT__OPENED:
		return arena_printf(x->a, "a stream to %s is open since %llu s",
				    domain, s);
	case FED__STREAM_EVENT__WHAT__FAILED:
		return arena_printf(x->a,
				    "the last attempt with %s failed %llu s "
				    "ago: %s",
				    domain, s,
				    log_value(span_str(w->reason)).text);
	case FED__STREAM_EVENT__WHAT__CLOSED:
	case _FED__STREAM_EVENT__WHAT_IS_INT_SIZE:
		break;
	}
	return arena_printf(x->a,
			    "the last stream to %s ended %llu s ago (%s); "
			    "the next stanza opens one",
			    domain, s, log_value(span_str(w->reason)).text);
}

static int explain_stream(struct explaining *x, size_t edge, const char *domain)
{
	const struct last_word *w = last_words_find(x->s->last_words, edge,
						    span_str(domain), false);
	const char *name = x->s->edge_names[edge];

	if (w == NULL)
		return add(x, FED__FINDING__LEVEL__INFO, "stream",
			   arena_printf(x->a,
					"no stream to %s that we heard of; the "
					"next stanza opens one",
					domain),
			   arena_printf(x->a,
					"fedctl --edge %s check partner "
					"%s",
					name, domain));
	if (w->what != FED__STREAM_EVENT__WHAT__FAILED)
		return add(x,
			   w->what == FED__STREAM_EVENT__WHAT__OPENED
				   ? FED__FINDING__LEVEL__GOOD
				   : FED__FINDING__LEVEL__INFO,
			   "stream", print_word(x, w, domain),
			   arena_dup(x->a, SPAN_NULL));
	x->stops = "the last attempt to reach the domain failed";
	return add(x, FED__FINDING__LEVEL__BAD, "stream",
		   print_word(x, w, domain),
		   arena_printf(x->a, "fedctl --edge %s why %s", name, domain));
}

static int explain_way_out(struct explaining *x, const struct jid *remote)
{
	size_t edge = gw_router_pick_edge(x->s->router, jid_domain(remote));
	char *domain = arena_dup(x->a, jid_domain(remote));
	int err;

	if (domain == NULL)
		return FED_ENOMEM;
	if (edge >= x->s->edge_count)
		return explain_no_edge(x);
	err = add(x, FED__FINDING__LEVEL__GOOD, "channel",
		  arena_printf(x->a, "edge %s has what goes to %s: %s",
			       x->s->edge_names[edge], domain,
			       edge_state(&x->s->edges[edge])),
		  arena_dup(x->a, SPAN_NULL));
	return err != 0 ? err : explain_stream(x, edge, domain);
}

/* Any edge may have it: the partner's server chooses one. */
static int explain_way_in(struct explaining *x)
{
	const struct gateway_config_sip *sip = &x->s->config->file->sip;
	size_t up = 0;
	int err;

	for (size_t i = 0; i < x->s->edge_count; i++)
		up += chan_link_is_up(x->s->edges[i].link);
	if (up == 0)
		x->stops = "no edge is connected";
	err = add(x,
		  up > 0 ? FED__FINDING__LEVEL__GOOD : FED__FINDING__LEVEL__BAD,
		  "channel",
		  arena_printf(x->a,
			       "%zu of %zu edges are connected; the "
			       "partner's server chooses one",
			       up, x->s->edge_count),
		  up > 0 ? arena_dup(x->a, SPAN_NULL)
			 : arena_printf(x->a, "fedctl show channels"));
	if (err != 0)
		return err;
	if (sip_hops_health(x->s->hops, false) == NEXT_HOP_DOWN) {
		x->stops = "the SIP side does not answer";
		return add(x, FED__FINDING__LEVEL__BAD, "next-hop",
			   arena_printf(x->a, "no target of %s answers",
					sip->next_hop),
			   arena_printf(x->a, "is it running, and may it be "
					      "reached from here?"));
	}
	return add(x, FED__FINDING__LEVEL__GOOD, "next-hop",
		   arena_printf(x->a, "%s, and it is not known to be down",
				sip->next_hop),
		   arena_dup(x->a, SPAN_NULL));
}

/* ---- one direction ------------------------------------------------------- */

static void move_findings(Fed__AdminResponse *from, struct explaining *x,
			  int *err)
{
	for (size_t i = 0; i < from->n_finding && *err == 0; i++)
		*err = arena_append(x->a, (void ***)&x->out->finding,
				    &x->out->n_finding, from->finding[i]);
}

static int add_verdict(struct explaining *x, const char *said,
		       const struct access_verdict *v)
{
	bool is_stopped = v->gate == ACCESS_GATES && x->stops != NULL;
	char *one = is_stopped
			    ? arena_printf(x->a, "%s, but %s", said, x->stops)
			    : arena_dup(x->a, span_str(said));

	if (one != NULL && x->out->verdict[0] != '\0')
		one = arena_printf(x->a, "%s; %s", x->out->verdict, one);
	if (one == NULL)
		return FED_ENOMEM;
	x->out->verdict = one;
	return 0;
}

static int explain_direction(struct explaining *x,
			     const struct gateway_pair *pair,
			     enum access_what what,
			     enum access_direction direction)
{
	bool is_out = direction == ACCESS_TO_XMPP;
	struct span local = jid_bare(&pair->local);
	/* as in the router, what is for our domain is for no user of it */
	bool has_user = is_out || jid_split(local).local.n > 0;
	struct access_query q = {
		.what = what,
		.direction = direction,
		.local = has_user ? local : SPAN_NULL,
		.remote = jid_bare(&pair->remote),
	};
	Fed__AdminResponse gates;
	struct access_verdict v = gateway_access(x->s, &q);
	size_t first = x->out->n_finding;
	int err;

	fed__admin_response__init(&gates);
	x->stops = NULL;
	err = access_explain(in_force(x->s), &q, x->a, &gates);
	if (err == 0)
		move_findings(&gates, x, &err);
	if (err == 0 && !v.is_legacy)
		err = is_out ? explain_way_out(x, &pair->remote)
			     : explain_way_in(x);
	if (err == 0)
		err = add_verdict(x, gates.verdict, &v);
	if (err != 0)
		return err;
	x->group = arena_printf(x->a, "%.*s to %.*s",
				(int)(is_out ? local : q.remote).n,
				(is_out ? local : q.remote).p,
				(int)(is_out ? q.remote : local).n,
				(is_out ? q.remote : local).p);
	if (x->group == NULL)
		return FED_ENOMEM;
	for (size_t i = first; i < x->out->n_finding; i++) {
		x->out->finding[i]->group = arena_dup(x->a, span_str(x->group));
		if (x->out->finding[i]->group == NULL)
			return FED_ENOMEM;
	}
	return 0;
}

/* ---- the request --------------------------------------------------------- */

static bool parse_what(const char *text, enum access_what *out)
{
	if (strcmp(text, "message") == 0 || text[0] == '\0')
		*out = ACCESS_MESSAGE;
	else if (strcmp(text, "subscribe") == 0)
		*out = ACCESS_SUBSCRIBE;
	else if (strcmp(text, "note") == 0)
		*out = ACCESS_PRESENCE;
	else
		return false;
	return true;
}

static int explain_both(struct explaining *x, const struct gateway_pair *pair,
			enum access_what what, const char *wanted)
{
	enum access_direction order[] = {ACCESS_TO_XMPP, ACCESS_TO_SIP};
	static const char *const words[] = {
		[ACCESS_TO_XMPP] = "to-xmpp",
		[ACCESS_TO_SIP] = "to-sip",
	};
	int err = 0;

	for (size_t i = 0; i < FED_ARRAY_LEN(order) && err == 0; i++) {
		enum access_direction d = order[pair->is_swapped ? 1 - i : i];

		if (wanted[0] == '\0' || strcmp(wanted, words[d]) == 0)
			err = explain_direction(x, pair, what, d);
	}
	return err;
}

static enum admin_step refuse(Fed__AdminResponse *out, const char *why)
{
	admin_show_no_memory(out);
	if (why != NULL)
		admin_show_error(out, why);
	return ADMIN_LAST;
}

enum admin_step gateway_admin_explain(struct gateway_session *s,
				      const struct admin_call *call,
				      struct arena *a, Fed__AdminResponse *out)
{
	const Fed__AdminExplain *r = call->request->explain;
	struct explaining x = {.s = s, .a = a, .out = out};
	struct gateway_pair pair;
	enum access_what what;
	const char *why;

	if (!parse_what(r->what, &what))
		return refuse(out, "message, subscribe or note is expected");
	if (r->direction[0] != '\0' && strcmp(r->direction, "to-xmpp") != 0 &&
	    strcmp(r->direction, "to-sip") != 0)
		return refuse(out, "the direction is to-xmpp or to-sip");
	if (!gateway_pair_parse(s, r->from, r->to, &pair, a, &why))
		return refuse(out, why);
	if (explain_both(&x, &pair, what, r->direction) != 0)
		return refuse(out, NULL);
	return ADMIN_LAST;
}
