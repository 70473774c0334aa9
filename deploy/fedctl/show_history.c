/* history: revisions, or one of them in detail. */
#include <inttypes.h>

#include "deploy/fedctl/changes.h"
#include "deploy/fedctl/text.h"

/* ---- the list ------------------------------------------------------------ */

static void list_more(struct shower *s, const Fed__AdminResponse *r)
{
	for (size_t i = 0; i < r->n_history; i++) {
		const Fed__Revision *v = r->history[i];

		if (s->shown++ == 0) {
			table_column(&s->table, ">REV");
			table_column(&s->table, "<WHEN");
			table_column(&s->table, "<WHO");
			table_column(&s->table, "<WHAT");
		}
		table_cell(&s->table, "%" PRIu64, v->number);
		table_cell(&s->table, "%s", text_time(v->at_ms).text);
		table_cell(&s->table, "%s", v->author);
		table_cell(&s->table, "%s", v->what);
	}
}

static void list_end(struct shower *s)
{
	if (s->shown == 0)
		(void)fputs("no revision: nothing is configured\n", s->to);
	else
		table_print(&s->table, s->to);
}

const struct show show_history_text = {.more = list_more, .end = list_end};

/* ---- one of them --------------------------------------------------------- */

static void print_line(FILE *to, const char *name, const char *value)
{
	(void)fprintf(to, "%s", name);
	text_print(to, span_str(value), NULL);
	(void)fputc('\n', to);
}

static void one_more(struct shower *s, const Fed__AdminResponse *r)
{
	for (size_t i = 0; i < r->n_history; i++) {
		const Fed__Revision *v = r->history[i];

		if (s->changes.added + s->changes.changed +
			    s->changes.removed ==
		    0) {
			(void)fprintf(s->to, "revision  %" PRIu64 "\n",
				      v->number);
			print_line(s->to, "when      ",
				   text_time(v->at_ms).text);
			print_line(s->to, "who       ", v->author);
			print_line(s->to, "what      ", v->what);
		}
		for (size_t j = 0; j < v->n_change; j++)
			changes_print(s, v->change[j]);
	}
}

static void one_end(struct shower *s)
{
	changes_print_hidden(s);
}

const struct show show_revision_text = {.more = one_more, .end = one_end};

/* ---- for programs -------------------------------------------------------- */

static json_t *changes_list(const Fed__Revision *v)
{
	json_t *all = json_array();

	for (size_t i = 0; i < v->n_change; i++)
		if (json_array_append_new(all, changes_json(v->change[i])) !=
		    0) {
			json_decref(all);
			return NULL;
		}
	return all;
}

static void json_begin(struct shower *s)
{
	json_list_begin(s, "history");
}

static void json_more(struct shower *s, const Fed__AdminResponse *r)
{
	for (size_t i = 0; i < r->n_history; i++) {
		const Fed__Revision *v = r->history[i];

		json_entry(s, json_pack("{s:I, s:I, s:s, s:s, s:o}", "revision",
					(json_int_t)v->number, "at_ms",
					(json_int_t)v->at_ms, "author",
					v->author, "what", v->what, "changes",
					changes_list(v)));
	}
}

const struct show show_history_json = {json_begin, json_more, json_list_end};
const struct show show_revision_json = {json_begin, json_more, json_list_end};
