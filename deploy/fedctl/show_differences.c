/* presence diff: what is believed against what the watcher was last told. */
#include "deploy/fedctl/text.h"
#include "deploy/fedctl/watch.h"

/* Each resource that is in one list alone, or not the same in both. */
typedef void (*difference_fn)(void *arg, const Fed__PresenceResource *told,
			      const Fed__PresenceResource *believed);

static void compare(const Fed__PresenceWatch *w, difference_fn fn, void *arg)
{
	for (size_t i = 0; i < w->n_told; i++) {
		const Fed__PresenceResource *now = watch_find_resource(
			w->believed, w->n_believed, w->told[i]->name);

		if (!watch_resource_eq(w->told[i], now))
			fn(arg, w->told[i], now);
	}
	for (size_t i = 0; i < w->n_believed; i++)
		if (watch_find_resource(w->told, w->n_told,
					w->believed[i]->name) == NULL)
			fn(arg, NULL, w->believed[i]);
}

static void count_one(void *arg, const Fed__PresenceResource *told,
		      const Fed__PresenceResource *believed)
{
	size_t *n = arg;

	(void)told;
	(void)believed;
	++*n;
}

static bool is_different(const Fed__PresenceWatch *w)
{
	size_t n = 0;

	compare(w, count_one, &n);
	return n > 0;
}

/* ---- for people ---------------------------------------------------------- */

static void print_one(void *arg, const Fed__PresenceResource *told,
		      const Fed__PresenceResource *believed)
{
	FILE *to = arg;

	if (told != NULL) {
		(void)fputs("  - ", to);
		watch_print_resource(to, told);
	}
	if (believed != NULL) {
		(void)fputs("  + ", to);
		watch_print_resource(to, believed);
	}
}

static void more(struct shower *s, const Fed__AdminResponse *r)
{
	for (size_t i = 0; i < r->n_watch; i++) {
		const Fed__PresenceWatch *w = r->watch[i];

		if (!is_different(w))
			continue;
		if (s->shown++ == 0)
			(void)fputs("- what the watcher was last told, + what "
				    "the gateway believes\n",
				    s->to);
		watch_print_pair(s->to, w);
		compare(w, print_one, s->to);
		(void)fputs("  waiting for ", s->to);
		text_print(s->to,
			   span_str(w->waiting_for[0] == '\0' ? "nothing"
							      : w->waiting_for),
			   NULL);
		(void)fputc('\n', s->to);
	}
}

static void end(struct shower *s)
{
	if (s->shown == 0)
		(void)fputs("no difference\n", s->to);
}

const struct show show_differences_text = {.more = more, .end = end};

/* ---- for programs -------------------------------------------------------- */

struct collection {
	json_t *list;
	bool is_failed;
};

static void add_one(void *arg, const Fed__PresenceResource *told,
		    const Fed__PresenceResource *believed)
{
	const char *name = told != NULL ? told->name : believed->name;
	struct collection *c = arg;

	if (json_array_append_new(
		    c->list, json_pack("{s:s, s:o, s:o}", "name", name, "told",
				       watch_json_resource(told), "believed",
				       watch_json_resource(believed))) != 0)
		c->is_failed = true;
}

static json_t *difference_json(const Fed__PresenceWatch *w)
{
	json_t *pair = watch_json_pair(w);
	struct collection c = {.list = json_array()};

	compare(w, add_one, &c);
	if (json_object_set_new(pair, "resources", c.list) == 0 &&
	    !c.is_failed &&
	    json_object_set_new(pair, "waiting_for",
				json_text_or_null(w->waiting_for)) == 0)
		return pair;
	json_decref(pair);
	return NULL;
}

static void json_begin(struct shower *s)
{
	json_list_begin(s, "differences");
}

static void json_more(struct shower *s, const Fed__AdminResponse *r)
{
	for (size_t i = 0; i < r->n_watch; i++)
		if (is_different(r->watch[i]))
			json_entry(s, difference_json(r->watch[i]));
}

const struct show show_differences_json = {json_begin, json_more,
					   json_list_end};
