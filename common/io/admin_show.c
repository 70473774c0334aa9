/* Version, counters, channels, the log's level. */
#include "io/admin_show.h"

#include "chan/chan_rules.h"

void admin_show_error(Fed__AdminResponse *out, const char *error)
{
	out->error = chan_unconst(error);
}

void admin_show_no_memory(Fed__AdminResponse *out)
{
	Fed__AdminResponse empty;

	fed__admin_response__init(&empty);
	empty.id = out->id;
	*out = empty;
	admin_show_error(out, "out of memory");
}

void admin_show_version(struct arena *a, Fed__AdminResponse *out,
			const char *program, const char *instance,
			uint64_t up_ms)
{
	Fed__VersionInfo *v = arena_alloc(a, sizeof(*v));

	if (v == NULL) {
		admin_show_no_memory(out);
		return;
	}
	fed__version_info__init(v);
	v->program = chan_unconst(program);
	v->version = chan_unconst(FED_VERSION);
	v->instance = chan_unconst(instance);
	v->channel_version = CHAN_VERSION;
	v->uptime_ms = up_ms;
	out->version = v;
}

void admin_show_counters(struct arena *a, Fed__AdminResponse *out,
			 const struct metrics *m)
{
	for (unsigned i = 0; i < METRIC_COUNT; i++) {
		Fed__Counter *c = arena_alloc(a, sizeof(*c));

		if (c == NULL || arena_append(a, (void ***)&out->counter,
					      &out->n_counter, c) != 0) {
			admin_show_no_memory(out);
			return;
		}
		fed__counter__init(c);
		c->name = chan_unconst(metrics_name((enum metric)i));
		c->value = m->value[i];
	}
}

int admin_show_channel(struct arena *a, Fed__AdminResponse *out,
		       const struct chan_link *l, uint64_t now_ms)
{
	const struct chan_core *core = chan_link_core(l);
	Fed__ChannelInfo *c = arena_alloc(a, sizeof(*c));

	if (c == NULL ||
	    arena_append(a, (void ***)&out->channel, &out->n_channel, c) != 0)
		return FED_ENOMEM;
	fed__channel_info__init(c);
	c->peer = chan_unconst(chan_link_peer(l));
	c->address = chan_unconst(chan_link_address(l));
	c->state = chan_unconst(chan_core_state_name(core));
	c->outstanding = chan_core_outstanding(core);
	c->owed = chan_core_owed(core);
	c->resumes = chan_core_resumes(core);
	c->up_ms = chan_core_age_ms(core, now_ms);
	return 0;
}

void admin_set_log_level(struct arena *a, Fed__AdminResponse *out,
			 struct logger *log, const char *level)
{
	enum fed_log_level to;
	const char *error;

	if (log_level_parse(span_str(level), &to) == 0) {
		log->level = to;
		return;
	}
	error = arena_printf(a, "\"%s\" is no level: error, warn, info, debug",
			     log_value(span_str(level)).text);
	if (error == NULL)
		admin_show_no_memory(out);
	else
		admin_show_error(out, error);
}
