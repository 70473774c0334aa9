/* Links to the gateways: their actions, outcomes both ways. */
#include "edge-proxy/edge_channel.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "edge-proxy/edge_admin.h"
#include "io/admin_show.h"
#include "xmpp/stanza_error.h"

static uint64_t now_of(const struct edge_channel *ch)
{
	return loop_now_ms(ch->e->loop);
}

/* ---- table --------------------------------------------------------------- */

static struct edge_gateway *find_link(struct edge_channel *ch,
				      const struct chan_link *l)
{
	struct edge_gateway *gw;

	DL_FOREACH (ch->gateways, gw)
		if (gw->link == l)
			return gw;
	return NULL;
}

static struct edge_gateway *find_number(struct edge_channel *ch,
					uint64_t number)
{
	struct edge_gateway *gw;

	DL_FOREACH (ch->gateways, gw)
		if (gw->number == number)
			return gw;
	return NULL;
}

struct chan_link *edge_channel_link(struct edge *e, uint64_t number)
{
	struct edge_gateway *gw =
		e->channel == NULL ? NULL : find_number(e->channel, number);

	return gw == NULL ? NULL : gw->link;
}

static struct edge_gateway *find_or_add(struct edge_channel *ch,
					struct chan_link *l)
{
	struct edge_gateway *gw = find_link(ch, l);

	if (gw != NULL)
		return gw;
	gw = calloc(1, sizeof(*gw));
	if (gw == NULL)
		return NULL;
	gw->link = l;
	gw->number = ++ch->last_number;
	DL_APPEND(ch->gateways, gw);
	return gw;
}

static void note_alone(struct edge_channel *ch)
{
	const struct edge_gateway *gw;

	DL_FOREACH (ch->gateways, gw)
		if (gw->is_up && !gw->is_draining)
			return;
	ch->alone_ms = now_of(ch);
}

static void kick(struct edge_channel *ch)
{
	loop_defer(ch->e->loop, &ch->work);
}

static void log_gateway(struct edge_channel *ch, const struct edge_gateway *gw,
			const char *what)
{
	fed_log(&ch->e->log, FED_LOG_INFO, "gateway", "peer=%s state=%s",
		log_value(span_str(chan_link_peer(gw->link))).text, what);
}

/* ---- actions of a link --------------------------------------------------- */

static void on_up(struct edge_channel *ch, struct edge_gateway *gw,
		  bool is_resumed)
{
	if (!is_resumed)
		edge_configs_drop(ch, gw);
	gw->is_up = true;
	gw->is_draining = false;
	gw->is_given_up = false;
	log_gateway(ch, gw, "up");
	if (ch->is_draining)
		chan_link_drain(gw->link, "the edge is stopping");
	kick(ch);
}

static void on_down(struct edge_channel *ch, struct edge_gateway *gw)
{
	gw->is_up = false;
	gw->down_ms = now_of(ch);
	note_alone(ch);
	log_gateway(ch, gw, "down");
	kick(ch);
}

static void on_drain(struct edge_channel *ch, struct edge_gateway *gw)
{
	gw->is_draining = true;
	note_alone(ch);
	log_gateway(ch, gw, "draining");
	edge_line_move(ch, gw);
}

static void on_gone(struct edge_channel *ch, struct edge_gateway *gw)
{
	bool was_up = gw->is_up;

	log_gateway(ch, gw, "gone");
	edge_line_move(ch, gw);
	edge_configs_drop(ch, gw);
	DL_DELETE(ch->gateways, gw);
	free(gw);
	if (was_up)
		note_alone(ch);
	kick(ch);
}

static void answer(struct edge_channel *ch, struct edge_gateway *gw,
		   uint64_t ref, const Fed__Error *refused)
{
	int err = chan_link_send_outcome(gw->link, ref, refused);

	if (err != 0)
		fed_log(&ch->e->log, FED_LOG_WARN, "outcome_lost",
			"peer=%s error=%s",
			log_value(span_str(chan_link_peer(gw->link))).text,
			fed_strerror(err));
}

static void refuse(struct edge_channel *ch, struct edge_gateway *gw,
		   uint64_t ref, const struct edge_router_refusal *no)
{
	struct arena arena;
	Fed__Error bare;
	Fed__Error *error;

	arena_init(&arena, 4096);
	error = stanza_error_new(&arena, no->condition,
				 no->text[0] == '\0' ? NULL : no->text);
	if (error == NULL) { /* an outcome there must be */
		fed__error__init(&bare);
		bare.condition = no->condition;
		error = &bare;
	}
	error->detail = no->detail;
	answer(ch, gw, ref, error);
	arena_deinit(&arena);
}

static void on_stanza(struct edge_channel *ch, struct edge_gateway *gw,
		      const struct chan_action *a)
{
	const struct edge_origin origin = {gw->number, a->u.stanza.ref};
	struct edge_router_refusal no = {0};

	if (edge_routes_send(ch->e, origin, a->u.stanza.frame, &no) != 0)
		refuse(ch, gw, a->u.stanza.ref, &no);
}

static void on_outcome(struct edge_channel *ch, const struct chan_action *a)
{
	const Fed__StanzaFrame *f = a->u.outcome.frame;
	const Fed__Error *refused = a->u.outcome.refused;

	metrics_count(&ch->e->metrics,
		      refused == NULL ? METRIC_delivered : METRIC_refused);
	edge_line_log(ch, f, a->u.outcome.handle,
		      refused == NULL ? "delivered"
				      : stanza_error_name(refused->condition));
	if (refused != NULL && f != NULL && f->stanza != NULL)
		edge_routes_send_error(ch->e, f->stanza, refused);
}

static void on_frame(struct edge_channel *ch, struct edge_gateway *gw,
		     const Fed__Frame *f)
{
	if (f->kind_case == FED__FRAME__KIND_CONFIG)
		edge_configs_take(ch, gw, f->config);
	else if (f->kind_case == FED__FRAME__KIND_ADMIN_REQUEST)
		edge_admin_on_relay(ch->e, gw->number, gw->link,
				    f->admin_request);
	else
		fed_log(&ch->e->log, FED_LOG_DEBUG, "frame_ignored",
			"peer=%s kind=%d",
			log_value(span_str(chan_link_peer(gw->link))).text,
			(int)f->kind_case);
}

static void on_link(struct chan_link *l, const struct chan_action *a, void *arg)
{
	struct edge_channel *ch = arg;
	struct edge_gateway *gw =
		a->kind == CHAN_ACT_UP ? find_or_add(ch, l) : find_link(ch, l);

	if (gw == NULL)
		return; /* no memory: its stanzas come back to the gateway */
	switch (a->kind) {
	case CHAN_ACT_UP:
		on_up(ch, gw, a->u.up.is_resumed);
		break;
	case CHAN_ACT_STANZA:
		on_stanza(ch, gw, a);
		break;
	case CHAN_ACT_OUTCOME:
		on_outcome(ch, a);
		break;
	case CHAN_ACT_RETURNED:
		edge_line_return(ch, a->u.outcome.frame, a->u.outcome.handle);
		break;
	case CHAN_ACT_WINDOW:
		kick(ch);
		break;
	case CHAN_ACT_DRAIN:
		on_drain(ch, gw);
		break;
	case CHAN_ACT_DOWN:
		on_down(ch, gw);
		break;
	case CHAN_ACT_GONE:
		on_gone(ch, gw);
		break;
	case CHAN_ACT_FRAME:
		on_frame(ch, gw, a->u.frame);
		break;
	case CHAN_ACT_CLOSE:
		break; /* the link does it itself */
	}
	edge_check_stopped(ch->e);
}

void edge_channel_outcome(struct edge *e, struct edge_origin origin,
			  const Fed__Error *refused)
{
	/* a gateway that went away gives its stanzas to another edge itself;
	 * so do all when the channel closed before the streams */
	struct edge_gateway *gw =
		e->channel == NULL ? NULL
				   : find_number(e->channel, origin.link);

	if (gw != NULL)
		answer(e->channel, gw, origin.ref, refused);
}

/* LIMIT: one that acknowledges nothing loses what is above its bound. */
static void tell_one(struct edge_channel *ch, struct edge_gateway *gw,
		     Fed__Frame *frame)
{
	int err = chan_link_send_frame(gw->link, frame);

	if (err == 0 || err == FED_EAGAIN) /* no session: nobody to tell */
		return;
	metrics_count(&ch->e->metrics, METRIC_stream_news_lost);
	if (ratelimit_take(&ch->e->refused_log, now_of(ch)))
		fed_log(&ch->e->log, FED_LOG_WARN, "event_lost",
			"peer=%s error=%s",
			log_value(span_str(chan_link_peer(gw->link))).text,
			fed_strerror(err));
}

void edge_channel_tell(struct edge *e, Fed__Frame *frame)
{
	struct edge_gateway *gw;

	if (e->channel == NULL)
		return;
	DL_FOREACH (e->channel->gateways, gw)
		tell_one(e->channel, gw, frame);
}

/* ---- life ---------------------------------------------------------------- */

static void on_work(void *arg)
{
	edge_line_run(arg);
}

static void on_timer(void *arg)
{
	edge_line_run(arg);
}

static int listen_all(struct edge *e, struct tls_creds *creds,
		      struct errbuf *err)
{
	const struct edge_config_channel *c = &e->config->file->channel;
	struct chan_link_common p = {.loop = e->loop,
				     .instance = e->config->file->instance,
				     .creds = creds,
				     .ids = &e->ids,
				     .metrics = &e->metrics,
				     .fn = on_link,
				     .arg = e->channel};
	int rc = 0;

	id_source_next_raw(&e->ids, p.boot_id);
	for (unsigned i = 0; rc == 0 && i < c->listen_count; i++)
		rc = chan_server_new(&e->channel->servers[i], &p, c->listen[i],
				     (const char *const *)c->gateways,
				     c->gateways_count, err);
	return rc;
}

int edge_channel_new(struct edge *e, struct tls_creds *creds,
		     struct errbuf *err)
{
	struct edge_channel *ch = calloc(1, sizeof(*ch));
	int rc = FED_ENOMEM;

	if (ch == NULL)
		return FED_ENOMEM;
	ch->e = e;
	ch->alone_ms = loop_now_ms(e->loop);
	ch->work = (struct loop_deferred){.fn = on_work, .arg = ch};
	e->channel = ch;
	ch->servers = calloc(e->config->file->channel.listen_count,
			     sizeof(struct chan_server *));
	if (ch->servers != NULL &&
	    loop_timer_new(&ch->timer, e->loop, on_timer, ch) == 0)
		rc = edge_configs_new(ch);
	if (rc == 0)
		rc = listen_all(e, creds, err);
	if (rc != 0)
		edge_channel_free(e);
	return rc;
}

void edge_channel_free(struct edge *e)
{
	struct edge_channel *ch = e->channel;
	struct edge_gateway *gw;
	struct edge_gateway *tmp;

	if (ch == NULL)
		return;
	for (unsigned i = 0;
	     ch->servers != NULL && i < e->config->file->channel.listen_count;
	     i++)
		chan_server_free(ch->servers[i]);
	e->channel = NULL;
	edge_configs_free(ch);
	DL_FOREACH_SAFE (ch->gateways, gw, tmp) {
		DL_DELETE(ch->gateways, gw);
		free(gw);
	}
	edge_line_clear(ch);
	loop_undefer(e->loop, &ch->work);
	loop_timer_free(ch->timer);
	free(ch->servers);
	free(ch);
}

void edge_channel_drain(struct edge *e)
{
	struct edge_gateway *gw;

	e->channel->is_draining = true;
	DL_FOREACH (e->channel->gateways, gw)
		chan_link_drain(gw->link, "the edge is stopping");
}

void edge_channel_show(struct edge *e, struct arena *a, Fed__AdminResponse *out)
{
	const struct edge_gateway *gw;

	DL_FOREACH (e->channel->gateways, gw) {
		if (admin_show_channel(a, out, gw->link, now_of(e->channel)) !=
		    0) {
			admin_show_no_memory(out);
			return;
		}
	}
}

size_t edge_channel_outstanding(const struct edge *e)
{
	const struct edge_gateway *gw;
	size_t n = 0;

	DL_FOREACH (e->channel->gateways, gw)
		if (gw->is_up)
			n += chan_core_outstanding(chan_link_core(gw->link));
	return n;
}
