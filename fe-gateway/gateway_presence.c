/* Presence, its settings and its rows. */
#include "fe-gateway/gateway_presence.h"

#include <stdlib.h>

struct gateway_presence {
	struct gateway_presence_params p;
	struct presence *core;
	size_t odd_rows; /* that the core did not take */
	bool is_full;	 /* the last row was not taken, which was logged */
};

static const struct logger *log_of(const struct gateway_presence *g)
{
	return loop_log(g->p.loop);
}

static int make_core(struct gateway_presence *g)
{
	const struct gateway_config_presence *c = &g->p.config->file->presence;
	struct presence_params p = {
		.route = g->p.next_hop,
		.branch_mark = g->p.branch_mark,
		.profile = (enum pidf_profile)c->profile,
		.expires_s = c->expires != NULL ? *c->expires : 0,
		.expires_min_s = *c->expires_min,
		.expires_max_s = c->expires_max != NULL ? *c->expires_max : 0,
		.notify_interval_ms = *c->notify_interval * 1000ull,
		.hold_off_ms = *c->hold_off * 1000ull,
		.repair_rate = *c->repair_rate,
		.wall_ms = (uint64_t)loop_wall_ms(),
		.ids = g->p.ids,
		.log = log_of(g),
		.metrics = g->p.metrics,
	};

	return presence_new(&g->core, &p, loop_now_ms(g->p.loop));
}

/* A row that is not understood is no reason not to start: the next word about
 * its watch replaces it. */
static int take_row(const struct presence_row *row, void *arg)
{
	struct gateway_presence *g = arg;
	int err = presence_restore(g->core, row, loop_now_ms(g->p.loop));

	if (err != FED_EINVAL)
		return err;
	g->odd_rows++;
	return 0;
}

static int load(struct gateway_presence *g, struct errbuf *e)
{
	struct presence_counts n;
	int err = store_load(g->p.store, take_row, g);

	if (err != 0) {
		errbuf_set(e, "store.path: the rows cannot be read: %s",
			   fed_strerror(err));
		return err;
	}
	presence_count(g->core, &n);
	fed_log(log_of(g), FED_LOG_INFO, "presence_restored",
		"out=%zu in=%zu dialogs=%zu odd=%zu", n.out_watches,
		n.in_watches, n.dialogs, g->odd_rows);
	return 0;
}

int gateway_presence_new(struct gateway_presence **g_out,
			 const struct gateway_presence_params *p,
			 struct errbuf *e)
{
	struct gateway_presence *g = calloc(1, sizeof(*g));
	int err;

	if (g == NULL)
		return FED_ENOMEM;
	g->p = *p;
	err = make_core(g);
	if (err == 0)
		err = load(g, e);
	if (err != 0) {
		gateway_presence_free(g);
		return err;
	}
	*g_out = g;
	return 0;
}

void gateway_presence_free(struct gateway_presence *g)
{
	if (g == NULL)
		return;
	presence_free(g->core);
	free(g);
}

struct presence *gateway_presence_core(struct gateway_presence *g)
{
	return g->core;
}

int gateway_presence_put(struct gateway_presence *g,
			 const struct presence_row *row, uint64_t seq)
{
	int err = store_put(g->p.store, row, seq);

	if (err != 0 && !g->is_full)
		fed_log(log_of(g), FED_LOG_ERROR, "store_put_failed",
			"waiting=%zu error=%s", store_pending(g->p.store),
			fed_strerror(err));
	g->is_full = err != 0;
	return err;
}
