/* history: revisions, or one of them in detail. */
#include <inttypes.h>

#include "deploy/fedctl/changes.h"
#include "deploy/fedctl/text.h"

/* Of what was done, in a list, so that a line has 80 columns. */
enum { LIST_BYTES = 30 };

/* Many changes of one revision come in several parts. */
static bool is_next(struct shower *s, const Fed__Revision *v)
{
	bool is_other = s->revisions == 0 || s->changes.revision != v->number;

	s->changes.revision = v->number;
	s->revisions += is_other;
	return is_other;
}

/* ---- the list ------------------------------------------------------------ */

static void list_more(struct shower *s, const Fed__AdminResponse *r)
{
	for (size_t i = 0; i < r->n_history; i++) {
		const Fed__Revision *v = r->history[i];
		struct span cut;

		if (!is_next(s, v))
			continue;
		if (s->revisions == 1) {
			table_column(&s->table, ">REV");
			table_column(&s->table, "<WHEN");
			table_column(&s->table, "<WHO");
			table_column(&s->table, "<WHAT");
		}
		table_cell(&s->table, "%" PRIu64, v->number);
		table_cell(&s->table, "%s", text_time(v->at_ms).text);
		table_cell(&s->table, "%s", v->author);
		cut = text_cut(span_str(v->what),
			       s->is_full ? SIZE_MAX : LIST_BYTES);
		table_cell(&s->table, "%.*s%s", (int)cut.n, cut.p,
			   v->what[cut.n] == '\0' ? "" : "...");
	}
}

static void list_end(struct shower *s)
{
	if (s->revisions == 0)
		(void)fputs("no revision: nothing is configured\n", s->to);
	else
		table_print(&s->table, s->to);
}

const struct show show_history_text = {.more = list_more, .end = list_end};

/* ---- one of them --------------------------------------------------------- */

/* The daemon gives the next older one where there is none of that number. */
static bool is_it(const struct shower *s, const Fed__Revision *v)
{
	uint32_t wanted;

	return span_to_u32(span_str(s->arg), &wanted) == 0 &&
	       v->number == wanted;
}

static void print_line(FILE *to, const char *name, const char *value)
{
	(void)fprintf(to, "%-8s  ", name);
	text_wrap(to, span_str(value), "", 10, TEXT_COLUMNS);
}

static void one_more(struct shower *s, const Fed__AdminResponse *r)
{
	for (size_t i = 0; i < r->n_history; i++) {
		const Fed__Revision *v = r->history[i];

		if (!is_it(s, v))
			continue;
		if (is_next(s, v)) {
			(void)fprintf(s->to, "revision  %" PRIu64 "\n",
				      v->number);
			print_line(s->to, "when", text_time(v->at_ms).text);
			print_line(s->to, "who", v->author);
			print_line(s->to, "what", v->what);
		}
		for (size_t j = 0; j < v->n_change; j++)
			changes_print(s, v->change[j]);
	}
}

static void complain_missing(struct shower *s)
{
	if (s->revisions == 0)
		(void)snprintf(s->missing, sizeof(s->missing),
			       "there is no revision %s; \"history --count 0\" "
			       "lists those there are",
			       s->arg);
}

static void one_end(struct shower *s)
{
	complain_missing(s);
	changes_print_hidden(s);
}

const struct show show_revision_text = {.more = one_more, .end = one_end};

/* ---- for programs -------------------------------------------------------- */

static void print_text(struct shower *s, const char *name, const char *value)
{
	(void)fprintf(s->to, ", \"%s\": ", name);
	json_value(s, json_string(value));
}

static void json_revision(struct shower *s, const Fed__Revision *v)
{
	if (is_next(s, v)) {
		(void)fputs(s->revisions == 1 ? "{\"history\": [\n" : "]},\n",
			    s->to);
		(void)fprintf(s->to,
			      "{\"revision\": %" PRIu64 ", \"at_ms\": %" PRId64,
			      v->number, v->at_ms);
		print_text(s, "author", v->author);
		print_text(s, "what", v->what);
		(void)fputs(", \"changes\": [", s->to);
		s->shown = 0;
	}
	for (size_t i = 0; i < v->n_change; i++)
		json_entry(s, changes_json(v->change[i]));
}

static void json_more(struct shower *s, const Fed__AdminResponse *r)
{
	for (size_t i = 0; i < r->n_history; i++)
		json_revision(s, r->history[i]);
}

static void json_one_more(struct shower *s, const Fed__AdminResponse *r)
{
	for (size_t i = 0; i < r->n_history; i++)
		if (is_it(s, r->history[i]))
			json_revision(s, r->history[i]);
}

static void json_end(struct shower *s)
{
	(void)fputs(s->revisions == 0 ? "{\"history\": []}\n" : "]}\n]}\n",
		    s->to);
}

static void json_one_end(struct shower *s)
{
	complain_missing(s);
	if (s->revisions > 0)
		json_end(s);
}

const struct show show_history_json = {.more = json_more, .end = json_end};
const struct show show_revision_json = {.more = json_one_more,
					.end = json_one_end};
