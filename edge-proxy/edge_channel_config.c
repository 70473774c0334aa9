/*
 * Configurations that gateways send.  Each is a write to the disk in the loop,
 * so each gateway has a rate; who asks one after the other waits a moment.
 */
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "edge-proxy/edge_channel.h"
#include "edge-proxy/edge_federation.h"

/* One that waits for its turn. */
struct waiting {
	struct edge_gateway *gw;
	struct waiting *prev;
	struct waiting *next;
	struct buf packed; /* has a secret */
};

/* Of one of the host file's gateways, whatever its sessions. */
struct edge_configs {
	struct edge_channel *ch;
	const char *gateway;
	struct ratelimit rate;
	struct waiting *waiting;
	size_t waiting_count;
	struct loop_timer *timer;
};

static uint64_t now_of(const struct edge_channel *ch)
{
	return loop_now_ms(ch->e->loop);
}

static size_t count_of(const struct edge_channel *ch)
{
	return ch->e->config->file->channel.gateways_count;
}

static struct edge_configs *find(struct edge_channel *ch,
				 const struct edge_gateway *gw)
{
	for (size_t i = 0; i < count_of(ch); i++)
		if (strcmp(ch->configs[i].gateway, chan_link_peer(gw->link)) ==
		    0)
			return &ch->configs[i];
	return NULL;
}

/* ---- answers ------------------------------------------------------------- */

static void log_refused(struct edge_channel *ch, const struct edge_gateway *gw,
			const Fed__Config *config, const char *why)
{
	fed_log(&ch->e->log, FED_LOG_WARN, "config_refused",
		"peer=%s revision=%llu check=%d text=\"%s\"",
		log_value(span_str(chan_link_peer(gw->link))).text,
		(unsigned long long)config->revision, (int)config->check_only,
		log_value(span_str(why)).text);
}

/* why: NULL: taken */
static void answer(struct edge_channel *ch, struct edge_gateway *gw,
		   const Fed__Config *config, struct errbuf *why)
{
	Fed__ConfigResult result;
	Fed__Frame reply;

	fed__config_result__init(&result);
	result.revision = config->revision;
	result.check_only = config->check_only;
	if (why != NULL)
		result.refused = why->text;
	result.in_force = edge_federation_revision(ch->e);
	fed__frame__init(&reply);
	reply.kind_case = FED__FRAME__KIND_CONFIG_RESULT;
	reply.config_result = &result;
	if (chan_link_send_frame(gw->link, &reply) != 0)
		fed_log(&ch->e->log, FED_LOG_WARN, "config_result_lost",
			"peer=%s",
			log_value(span_str(chan_link_peer(gw->link))).text);
}

static void take(struct edge_channel *ch, struct edge_gateway *gw,
		 const Fed__Config *config)
{
	struct errbuf why = {0};

	if (edge_federation_take(ch->e, config, &why) == 0) {
		answer(ch, gw, config, NULL);
		return;
	}
	log_refused(ch, gw, config, why.text);
	answer(ch, gw, config, &why);
}

static void refuse(struct edge_channel *ch, struct edge_gateway *gw,
		   const Fed__Config *config, const char *text)
{
	struct errbuf why;

	errbuf_set(&why, "%s", text);
	if (ratelimit_take(&ch->e->refused_log, now_of(ch)))
		log_refused(ch, gw, config, text);
	answer(ch, gw, config, &why);
}

/* ---- those that wait ----------------------------------------------------- */

static void arm(struct edge_configs *c)
{
	loop_timer_arm(c->timer,
		       c->waiting == NULL
			       ? UINT64_MAX
			       : now_of(c->ch) + 1000 / LIMIT_CONFIG_RATE);
}

static void leave(struct edge_configs *c, struct waiting *w)
{
	DL_DELETE(c->waiting, w);
	c->waiting_count--;
}

static void waiting_free(struct waiting *w)
{
	buf_deinit(&w->packed);
	free(w);
}

static void drop(struct edge_configs *c, struct waiting *w)
{
	leave(c, w);
	waiting_free(w);
}

static void take_waiting(struct edge_configs *c, const struct waiting *w)
{
	struct span packed = buf_span(&w->packed);
	Fed__Config *config =
		fed__config__unpack(NULL, packed.n, (const uint8_t *)packed.p);

	if (config == NULL)
		return; /* no memory; the gateway asks again */
	take(c->ch, w->gw, config);
	if (config->dialback_secret.len > 0)
		explicit_bzero(config->dialback_secret.data,
			       config->dialback_secret.len);
	fed__config__free_unpacked(config, NULL);
}

static void on_timer(void *arg)
{
	struct edge_configs *c = arg;
	struct waiting *w = c->waiting;

	if (w != NULL && ratelimit_take(&c->rate, now_of(c->ch))) {
		leave(c, w);
		take_waiting(c, w);
		waiting_free(w);
	}
	arm(c);
}

/* @return whether there was memory */
static bool keep(struct edge_configs *c, struct edge_gateway *gw,
		 const Fed__Config *config)
{
	size_t n = fed__config__get_packed_size(config);
	struct waiting *w = calloc(1, sizeof(*w));
	char *place;

	if (w == NULL)
		return false;
	buf_init(&w->packed, LIMIT_FRAME_BYTES + 1);
	place = buf_reserve(&w->packed, n + 1);
	if (place == NULL) {
		free(w);
		return false;
	}
	buf_commit(&w->packed, fed__config__pack(config, (uint8_t *)place));
	w->gw = gw;
	DL_APPEND(c->waiting, w);
	c->waiting_count++;
	if (c->waiting_count == 1)
		arm(c);
	return true;
}

/* LIMIT: each is written and synced */
void edge_configs_take(struct edge_channel *ch, struct edge_gateway *gw,
		       const Fed__Config *config)
{
	struct edge_configs *c = find(ch, gw);

	if (!FED_CHECK(c != NULL))
		return; /* the server lets no others in */
	if (c->waiting == NULL && ratelimit_take(&c->rate, now_of(ch)))
		take(ch, gw, config);
	else if (c->waiting_count >= LIMIT_CONFIGS_WAITING)
		refuse(ch, gw, config, "too many configurations");
	else if (!keep(c, gw, config))
		refuse(ch, gw, config, "out of memory");
}

void edge_configs_drop(struct edge_channel *ch, const struct edge_gateway *gw)
{
	struct edge_configs *c = find(ch, gw);
	struct waiting *w;
	struct waiting *next;

	if (c == NULL)
		return;
	DL_FOREACH_SAFE (c->waiting, w, next)
		if (w->gw == gw)
			drop(c, w);
}

/* ---- life ---------------------------------------------------------------- */

int edge_configs_new(struct edge_channel *ch)
{
	int err = 0;

	ch->configs = calloc(count_of(ch), sizeof(*ch->configs));
	if (ch->configs == NULL)
		return FED_ENOMEM;
	for (size_t i = 0; err == 0 && i < count_of(ch); i++) {
		struct edge_configs *c = &ch->configs[i];

		c->ch = ch;
		c->gateway = ch->e->config->file->channel.gateways[i];
		ratelimit_init(&c->rate, LIMIT_CONFIG_RATE, LIMIT_CONFIG_BURST,
			       now_of(ch));
		err = loop_timer_new(&c->timer, ch->e->loop, on_timer, c);
	}
	return err;
}

void edge_configs_free(struct edge_channel *ch)
{
	struct waiting *w;
	struct waiting *next;

	for (size_t i = 0; ch->configs != NULL && i < count_of(ch); i++) {
		DL_FOREACH_SAFE (ch->configs[i].waiting, w, next)
			drop(&ch->configs[i], w);
		loop_timer_free(ch->configs[i].timer);
	}
	free(ch->configs);
	ch->configs = NULL;
}
