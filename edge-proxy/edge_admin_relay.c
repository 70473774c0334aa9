/* Requests from gateways: a few at once, the one that is unused goes. */
#include "edge-proxy/edge_admin_relay.h"

#include <stdlib.h>
#include <utlist.h>

#include "edge-proxy/edge_admin.h"
#include "io/admin_show.h"

/* A request that is not answered to the end. */
struct edge_relay {
	struct admin_call call; /* first: what is answered has only that */
	uint64_t gateway;
	uint64_t id;	 /* the gateway's */
	bool is_waiting; /* the gateway wants a response, there is none yet */
	bool is_ready;	 /* now there is */
	struct arena arena; /* of the request */
	struct edge_relay *prev;
	struct edge_relay *next;
};

struct edge_relays {
	struct edge *e;
	struct edge_relay *list; /* the one that was used last is first */
	size_t count;
	struct arena arena; /* of the response being made */
	struct buf out;	    /* the same, packed */
	struct loop_deferred work;
};

static void forget(struct edge_relays *r, struct edge_relay *one)
{
	DL_DELETE(r->list, one);
	r->count--;
	edge_check_end(&one->call);
	arena_deinit(&one->arena);
	free(one);
}

/* ---- answers ------------------------------------------------------------- */

static void send_back(struct edge_relays *r, struct chan_link *link,
		      uint64_t id, const Fed__AdminResponse *response)
{
	Fed__AdminRelay relay;
	Fed__Frame frame;
	struct span bytes;
	int err;

	buf_reset(&r->out);
	err = admin_codec_put_response(&r->out, response);
	bytes = span_sub(buf_span(&r->out), ADMIN_PREFIX_BYTES, SIZE_MAX);
	fed__admin_relay__init(&relay);
	relay.request_id = id;
	relay.payload.data = (uint8_t *)(uintptr_t)bytes.p;
	relay.payload.len = bytes.n;
	fed__frame__init(&frame);
	frame.kind_case = FED__FRAME__KIND_ADMIN_RESPONSE;
	frame.admin_response = &relay;
	if (err == 0)
		err = chan_link_send_frame(link, &frame);
	/* the gateway does not wait for long */
	if (err != 0)
		fed_log(&r->e->log, FED_LOG_WARN, "admin_response_lost",
			"peer=%s error=%s",
			log_value(span_str(chan_link_peer(link))).text,
			fed_strerror(err));
}

static void refuse(struct edge_relays *r, struct chan_link *link, uint64_t id,
		   const char *why)
{
	Fed__AdminResponse response;

	fed__admin_response__init(&response);
	response.last = true;
	admin_show_error(&response, why);
	metrics_count(&r->e->metrics, METRIC_admin_refused);
	send_back(r, link, id, &response);
}

static void on_ready(void *arg, struct admin_call *call);

static void answer(struct edge_relays *r, struct edge_relay *one,
		   struct chan_link *link)
{
	const struct edge_asker asker = {on_ready, r};
	Fed__AdminResponse response;
	enum admin_step step;

	fed__admin_response__init(&response);
	response.id = one->call.request->id;
	one->is_waiting = true;
	step = edge_admin_answer(r->e, &one->call, &asker, &r->arena,
				 &response);
	if (step == ADMIN_WAIT)
		return;
	one->is_waiting = false;
	response.last = step == ADMIN_LAST;
	send_back(r, link, one->id, &response);
	arena_reset(&r->arena);
	if (response.last)
		forget(r, one);
}

/* At the end of the turn: it may be said from inside of anything. */
static void on_work(void *arg)
{
	struct edge_relays *r = arg;
	struct edge_relay *one;
	struct edge_relay *next;
	struct chan_link *link;

	DL_FOREACH_SAFE (r->list, one, next) {
		if (!one->is_ready || !one->is_waiting)
			continue;
		one->is_ready = false;
		link = edge_channel_link(r->e, one->gateway);
		if (link == NULL)
			forget(r, one);
		else
			answer(r, one, link);
	}
}

static void on_ready(void *arg, struct admin_call *call)
{
	struct edge_relays *r = arg;

	((struct edge_relay *)call)->is_ready = true;
	loop_defer(r->e->loop, &r->work);
}

/* ---- requests ------------------------------------------------------------ */

static void log_change(struct edge_relays *r, struct chan_link *link,
		       const Fed__AdminRequest *request)
{
	fed_log(&r->e->log, FED_LOG_INFO, "admin_request",
		"gateway=%s request=%s target=%s",
		log_value(span_str(chan_link_peer(link))).text,
		admin_request_name(request),
		log_value(span_str(admin_request_target(request))).text);
}

static int begin(struct edge_relays *r, uint64_t gateway,
		 const Fed__AdminRelay *relay, struct edge_relay **one_out)
{
	struct edge_relay *one = calloc(1, sizeof(*one));
	struct span bytes = span_of(relay->payload.data, relay->payload.len);
	Fed__AdminRequest *request;
	int err;

	if (one == NULL)
		return FED_ENOMEM;
	arena_init(&one->arena, 4u * LIMIT_ADMIN_RELAYED_BYTES);
	err = admin_codec_unpack_request(bytes, &one->arena, &request);
	if (err != 0) {
		arena_deinit(&one->arena);
		free(one);
		return err;
	}
	one->gateway = gateway;
	one->id = relay->request_id;
	one->call.request = request;
	/* LIMIT: a gateway that never asks for the rest */
	if (r->count >= LIMIT_ADMIN_RELAYS)
		forget(r, r->list->prev);
	DL_PREPEND(r->list, one);
	r->count++;
	*one_out = one;
	return 0;
}

static struct edge_relay *find(struct edge_relays *r, uint64_t gateway,
			       uint64_t id)
{
	struct edge_relay *one;

	DL_FOREACH (r->list, one)
		if (one->gateway == gateway && one->id == id)
			return one;
	return NULL;
}

void edge_relays_take(struct edge_relays *r, uint64_t gateway,
		      struct chan_link *link, const Fed__AdminRelay *relay)
{
	struct edge_relay *one = find(r, gateway, relay->request_id);

	if (relay->payload.len == 0 && one == NULL) {
		refuse(r, link, relay->request_id,
		       "the edge has forgotten the request");
		return;
	}
	if (relay->payload.len == 0) {
		DL_DELETE(r->list, one);
		DL_PREPEND(r->list, one);
		answer(r, one, link);
		return;
	}
	if (one != NULL)
		forget(r, one);
	if (begin(r, gateway, relay, &one) != 0) {
		refuse(r, link, relay->request_id, "this is not a request");
		return;
	}
	metrics_count(&r->e->metrics, METRIC_admin_requests);
	if (admin_request_changes(one->call.request))
		log_change(r, link, one->call.request);
	answer(r, one, link);
}

/* ---- life ---------------------------------------------------------------- */

int edge_relays_new(struct edge_relays **r_out, struct edge *e)
{
	struct edge_relays *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return FED_ENOMEM;
	r->e = e;
	r->work = (struct loop_deferred){.fn = on_work, .arg = r};
	arena_init(&r->arena, LIMIT_ADMIN_ARENA_BYTES);
	buf_init(&r->out, LIMIT_ADMIN_RESPONSE_BYTES + ADMIN_PREFIX_BYTES);
	*r_out = r;
	return 0;
}

void edge_relays_free(struct edge_relays *r)
{
	if (r == NULL)
		return;
	loop_undefer(r->e->loop, &r->work);
	while (r->list != NULL)
		forget(r, r->list);
	arena_deinit(&r->arena);
	buf_deinit(&r->out);
	free(r);
}
