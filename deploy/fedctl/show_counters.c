/* show counters */
#include <inttypes.h>

#include "base/metrics.h"
#include "deploy/fedctl/json.h"

/* What this program knows of a counter of that name. */
static const char *help_of(const char *name)
{
	for (unsigned i = 0; i < METRIC_COUNT; i++)
		if (span_eq_str(span_str(name), metrics_name((enum metric)i)))
			return metrics_help((enum metric)i);
	return "";
}

static void begin(struct shower *s)
{
	table_column(&s->table, "<COUNTER");
	table_column(&s->table, ">VALUE");
	table_column(&s->table, "<MEANING");
}

static void more(struct shower *s, const Fed__AdminResponse *r)
{
	for (size_t i = 0; i < r->n_counter; i++) {
		table_cell(&s->table, "%s", r->counter[i]->name);
		table_cell(&s->table, "%" PRIu64, r->counter[i]->value);
		table_cell(&s->table, "%s", help_of(r->counter[i]->name));
	}
}

static void end(struct shower *s)
{
	table_print(&s->table, s->to);
}

static void print_json(struct shower *s, const Fed__AdminResponse *r)
{
	json_t *all = json_object();

	for (size_t i = 0; i < r->n_counter; i++)
		if (json_object_set_new(
			    all, r->counter[i]->name,
			    json_integer((json_int_t)r->counter[i]->value)) !=
		    0)
			s->is_failed = true;
	json_document(s, "counters", all);
}

const struct show show_counters_text = {begin, more, end};
const struct show show_counters_json = {.more = print_json};
