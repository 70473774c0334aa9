/* presence diff: what is believed against what the watcher was last told. */
#include "chan/admin_watch.h"
#include "deploy/fedctl/text.h"
#include "deploy/fedctl/watch.h"

/* ---- for people ---------------------------------------------------------- */

static void print_difference(FILE *to, const struct admin_difference *d)
{
	if (d->told != NULL) {
		(void)fputs("  - ", to);
		watch_print_resource(to, d->told);
	}
	if (d->believed != NULL) {
		(void)fputs("  + ", to);
		watch_print_resource(to, d->believed);
	}
}

static void print_watch(FILE *to, const Fed__PresenceWatch *w)
{
	struct admin_difference d = {.at = 0};

	watch_print_pair(to, w);
	while (admin_watch_next_difference(w, &d))
		print_difference(to, &d);
	(void)fputs("  waiting for ", to);
	text_print(to,
		   span_str(w->waiting_for[0] == '\0' ? "nothing"
						      : w->waiting_for),
		   NULL);
	(void)fputc('\n', to);
}

static void more(struct shower *s, const Fed__AdminResponse *r)
{
	for (size_t i = 0; i < r->n_watch; i++) {
		if (!admin_watch_differs(r->watch[i]))
			continue;
		if (s->shown++ == 0)
			(void)fputs("- what the watcher was last told, + what "
				    "the gateway believes\n",
				    s->to);
		print_watch(s->to, r->watch[i]);
	}
}

static void end(struct shower *s)
{
	if (s->shown == 0)
		(void)fputs("no difference\n", s->to);
}

const struct show show_differences_text = {.more = more, .end = end};

/* ---- for programs -------------------------------------------------------- */

static json_t *resources_json(const Fed__PresenceWatch *w)
{
	struct admin_difference d = {.at = 0};
	json_t *all = json_array();

	while (admin_watch_next_difference(w, &d)) {
		const char *name =
			d.told != NULL ? d.told->name : d.believed->name;
		json_t *one = json_pack("{s:s, s:o, s:o}", "name", name, "told",
					watch_json_resource(d.told), "believed",
					watch_json_resource(d.believed));

		if (json_array_append_new(all, one) != 0) {
			json_decref(all);
			return NULL;
		}
	}
	return all;
}

static json_t *difference_json(const Fed__PresenceWatch *w)
{
	json_t *pair = watch_json_pair(w);

	if (json_object_set_new(pair, "resources", resources_json(w)) == 0 &&
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
		if (admin_watch_differs(r->watch[i]))
			json_entry(s, difference_json(r->watch[i]));
}

const struct show show_differences_json = {json_begin, json_more,
					   json_list_end};
