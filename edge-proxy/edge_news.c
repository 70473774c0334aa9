/* Shell of core/stream_news: to all gateways, at the end of the turn. */
#include "edge-proxy/core/stream_news.h"

#include <stdlib.h>

#include "edge-proxy/edge.h"

struct edge_news {
	struct stream_news *core;
	struct loop_deferred work;
	struct loop_timer *timer;
};

static void tell(struct edge *e, const struct stream_news_item *item)
{
	Fed__StreamEvent event;
	Fed__Frame frame;

	fed__stream_event__init(&event);
	event.what = item->what;
	event.local_domain = edge_unconst(item->pair.local);
	event.peer_domain = edge_unconst(item->pair.remote);
	event.inbound = item->is_inbound;
	event.reason = edge_unconst(item->reason);
	event.in_order = item->is_in_order;
	fed__frame__init(&frame);
	frame.kind_case = FED__FRAME__KIND_STREAM_EVENT;
	frame.stream_event = &event;
	edge_channel_tell(e, &frame);
}

static void on_work(void *arg)
{
	struct edge *e = arg;
	struct stream_news *n = e->news->core;
	struct stream_news_item item;

	while (stream_news_next(n, &item, loop_now_ms(e->loop)))
		tell(e, &item);
	loop_timer_arm(e->news->timer, stream_news_deadline_ms(n));
}

static void kick(struct edge *e)
{
	loop_defer(e->loop, &e->news->work);
}

int edge_news_new(struct edge *e)
{
	struct edge_news *en = calloc(1, sizeof(*en));

	if (en == NULL)
		return FED_ENOMEM;
	e->news = en;
	en->work = (struct loop_deferred){.fn = on_work, .arg = e};
	if (stream_news_new(&en->core, &e->metrics, loop_now_ms(e->loop)) ==
		    0 &&
	    loop_timer_new(&en->timer, e->loop, on_work, e) == 0)
		return 0;
	edge_news_free(e);
	return FED_ENOMEM;
}

void edge_news_free(struct edge *e)
{
	struct edge_news *en = e->news;

	if (en == NULL)
		return;
	e->news = NULL;
	loop_undefer(e->loop, &en->work);
	loop_timer_free(en->timer);
	stream_news_free(en->core);
	free(en);
}

void edge_news_opened(struct edge *e, const struct s2s_pair *pair,
		      bool is_inbound)
{
	stream_news_opened(e->news->core, pair, is_inbound);
	kick(e);
}

void edge_news_ended(struct edge *e, const struct s2s_pair *pair,
		     bool is_inbound, const struct s2s_reason *reason)
{
	stream_news_ended(e->news->core, pair, is_inbound, reason);
	kick(e);
}

void edge_news_failed(struct edge *e, const struct s2s_pair *pair,
		      const struct s2s_reason *reason)
{
	stream_news_failed(e->news->core, pair, reason);
	kick(e);
}
