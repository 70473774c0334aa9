/* Calls that an edge answers: asked, answered or given up. */
#include "fe-gateway/gateway_admin_relay.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/limits.h"
#include "base/slip.h"
#include "chan/chan_rules.h"
#include "fe-gateway/gateway_session_priv.h"
#include "io/admin_show.h"

enum relay_state {
	RELAY_ASKED,	/* the edge has until deadline_ms */
	RELAY_ANSWERED, /* response is there */
	RELAY_FAILED,	/* it did not answer, or not with an answer */
};

struct gateway_relay {
	uint64_t id;
	size_t edge;
	enum relay_state state;
	uint64_t deadline_ms;
	struct admin_server *server;
	struct admin_call *call;
	struct arena arena; /* of response */
	Fed__AdminResponse *response;
	struct gateway_relay *prev;
	struct gateway_relay *next;
};

struct gateway_relays {
	struct gateway_session *session;
	struct gateway_relay *list; /* who asked first is first */
	uint64_t last_id;
	struct loop_timer *timer; /* of the first deadline */
};

/* ---- asking -------------------------------------------------------------- */

static void arm(struct gateway_relays *r)
{
	const struct gateway_relay *one;
	uint64_t at_ms = UINT64_MAX;

	DL_FOREACH (r->list, one)
		if (one->state == RELAY_ASKED && one->deadline_ms < at_ms)
			at_ms = one->deadline_ms;
	loop_timer_arm(r->timer, at_ms);
}

static void set_answer(struct gateway_relays *r, struct gateway_relay *one,
		       enum relay_state state)
{
	one->state = state;
	admin_server_ready(one->server, one->call);
	arm(r);
}

static void on_timer(void *arg)
{
	struct gateway_relays *r = arg;
	uint64_t now_ms = loop_now_ms(r->session->loop);
	struct gateway_relay *one;

	DL_FOREACH (r->list, one)
		if (one->state == RELAY_ASKED && one->deadline_ms <= now_ms)
			set_answer(r, one, RELAY_FAILED);
	arm(r);
}

/* @return 0, or the channel cannot take it */
static int ask(struct gateway_relays *r, struct gateway_relay *one,
	       struct span payload)
{
	Fed__AdminRelay relay;
	Fed__Frame frame;
	int err;

	fed__admin_relay__init(&relay);
	relay.request_id = one->id;
	relay.payload.data = (uint8_t *)chan_unconst(payload.p);
	relay.payload.len = payload.n;
	fed__frame__init(&frame);
	frame.kind_case = FED__FRAME__KIND_ADMIN_REQUEST;
	frame.admin_request = &relay;
	err = chan_link_send_frame(r->session->edges[one->edge].link, &frame);
	if (err != 0)
		return err;
	one->state = RELAY_ASKED;
	one->deadline_ms = loop_now_ms(r->session->loop) + LIMIT_ADMIN_RELAY_MS;
	arm(r);
	return 0;
}

static int ask_first(struct gateway_relays *r, struct gateway_relay *one)
{
	Fed__AdminRequest request = *one->call->request;
	struct buf b;
	int err;

	request.edge = chan_unconst("");
	buf_init(&b, LIMIT_ADMIN_RELAYED_BYTES + ADMIN_PREFIX_BYTES);
	err = admin_codec_put_request(&b, &request);
	if (err == 0)
		err = ask(r, one,
			  span_sub(buf_span(&b), ADMIN_PREFIX_BYTES, SIZE_MAX));
	buf_deinit(&b);
	return err;
}

/* ---- calls --------------------------------------------------------------- */

static bool find_edge(const struct gateway_session *s, const char *name,
		      size_t *edge_out)
{
	for (size_t i = 0; i < s->edge_count; i++) {
		if (strcmp(s->edge_names[i], name) == 0) {
			*edge_out = i;
			return true;
		}
	}
	return false;
}

/* "the edge NAME what": the end of the answer. */
static enum admin_step say(struct arena *a, Fed__AdminResponse *out,
			   const char *edge, const char *what)
{
	const char *text = arena_printf(a, "the edge \"%s\" %s",
					log_value(span_str(edge)).text, what);

	admin_show_no_memory(out); /* and nothing else is in it */
	if (text != NULL)
		admin_show_error(out, text);
	return ADMIN_LAST;
}

/* With the one that may be meant. */
static enum admin_step no_edge(const struct gateway_session *s, struct arena *a,
			       Fed__AdminResponse *out, const char *name)
{
	const char *what = "is none of channel.edges";
	size_t best = SLIP_NEAR + 1;

	for (size_t i = 0; i < s->edge_count; i++) {
		size_t d = slip_distance(span_str(name),
					 span_str(s->edge_names[i]));

		if (d >= best)
			continue;
		best = d;
		what = arena_printf(a,
				    "is none of channel.edges; did you mean "
				    "\"%s\"?",
				    s->edge_names[i]);
		if (what == NULL)
			what = "is none of channel.edges";
	}
	return say(a, out, name, what);
}

static enum admin_step begin(struct gateway_relays *r,
			     struct admin_server *server,
			     struct admin_call *call, struct arena *a,
			     Fed__AdminResponse *out)
{
	const char *name = call->request->edge;
	struct gateway_relay *one;
	size_t edge = 0;
	int err;

	if (!find_edge(r->session, name, &edge))
		return no_edge(r->session, a, out, name);
	one = calloc(1, sizeof(*one));
	if (one == NULL) {
		admin_show_no_memory(out);
		return ADMIN_LAST;
	}
	one->id = ++r->last_id;
	one->edge = edge;
	one->server = server;
	one->call = call;
	arena_init(&one->arena, LIMIT_ADMIN_ARENA_BYTES);
	DL_APPEND(r->list, one);
	call->state = one;
	err = ask_first(r, one);
	if (err != 0)
		return say(a, out, name,
			   err == FED_ELIMIT ? "is not asked at such length"
					     : "has no channel now");
	return ADMIN_WAIT;
}

/* What it answered; the strings live until it is asked again and answers. */
static enum admin_step pass_on(struct gateway_relays *r,
			       struct gateway_relay *one, struct arena *a,
			       Fed__AdminResponse *out)
{
	uint64_t id = out->id;

	*out = *one->response;
	out->id = id;
	if (out->last || out->error[0] != '\0')
		return ADMIN_LAST;
	if (ask(r, one, SPAN_NULL) != 0)
		return say(a, out, one->call->request->edge,
			   "has no channel now");
	return ADMIN_MORE;
}

enum admin_step gateway_relays_more(struct gateway_relays *r,
				    struct admin_server *server,
				    struct admin_call *call, struct arena *a,
				    Fed__AdminResponse *out)
{
	struct gateway_relay *one = call->state;

	if (one == NULL)
		return begin(r, server, call, a, out);
	switch (one->state) {
	case RELAY_ASKED:
		break;
	case RELAY_ANSWERED:
		return pass_on(r, one, a, out);
	case RELAY_FAILED:
		return say(a, out, call->request->edge, "does not answer");
	}
	return ADMIN_WAIT;
}

void gateway_relays_end(struct gateway_relays *r, struct admin_call *call)
{
	struct gateway_relay *one = call->state;

	if (one == NULL)
		return;
	DL_DELETE(r->list, one);
	arena_deinit(&one->arena);
	free(one);
	arm(r);
}

void gateway_relays_on_response(struct gateway_relays *r, size_t edge,
				const Fed__AdminRelay *relay)
{
	struct span bytes = span_of(relay->payload.data, relay->payload.len);
	struct gateway_relay *one;

	DL_FOREACH (r->list, one)
		if (one->id == relay->request_id && one->edge == edge &&
		    one->state == RELAY_ASKED)
			break;
	if (one == NULL)
		return; /* nobody waits any more */
	if (admin_codec_unpack_response(bytes, &one->arena, &one->response) ==
	    0)
		set_answer(r, one, RELAY_ANSWERED);
	else
		set_answer(r, one, RELAY_FAILED);
}

/* ---- life ---------------------------------------------------------------- */

int gateway_relays_new(struct gateway_relays **r_out, struct gateway_session *s)
{
	struct gateway_relays *r = calloc(1, sizeof(*r));
	int err;

	if (r == NULL)
		return FED_ENOMEM;
	r->session = s;
	err = loop_timer_new(&r->timer, s->loop, on_timer, r);
	if (err != 0) {
		free(r);
		return err;
	}
	*r_out = r;
	return 0;
}

void gateway_relays_free(struct gateway_relays *r)
{
	if (r == NULL)
		return;
	loop_timer_free(r->timer);
	free(r);
}
