/* What a change did, or would do. */
#include <inttypes.h>
#include <stdlib.h>

#include "deploy/fedctl/changes.h"
#include "deploy/fedctl/text.h"

/* ---- for people ---------------------------------------------------------- */

/* "2 new, 1 changed" */
static void print_counts(const struct shower *s)
{
	const struct {
		size_t count;
		const char *what;
	} rows[] = {
		{s->changes.added, "new"},
		{s->changes.changed, "changed"},
		{s->changes.removed, "removed"},
	};
	bool is_any = false;

	for (size_t i = 0; i < FED_ARRAY_LEN(rows); i++) {
		if (rows[i].count == 0)
			continue;
		(void)fprintf(s->to, "%s%zu %s", is_any ? ", " : "",
			      rows[i].count, rows[i].what);
		is_any = true;
	}
}

static void print_verdict(const struct shower *s)
{
	size_t all = s->changes.added + s->changes.changed + s->changes.removed;

	if (all == 0) {
		(void)fprintf(
			s->to,
			"nothing %s: revision %" PRIu64 " says the same\n",
			s->changes.is_dry_run ? "would change" : "changed",
			s->changes.revision);
		return;
	}
	print_counts(s);
	if (s->changes.is_dry_run)
		(void)fputs("; a dry run: nothing was put in force\n", s->to);
	else
		(void)fprintf(s->to, ": revision %" PRIu64 " is in force\n",
			      s->changes.revision);
}

static void print_warning(FILE *to, const char *text)
{
	(void)fputs("warning: ", to);
	text_wrap(to, span_str(text), "", 9, TEXT_COLUMNS);
}

/* What both forms keep until the end. */
static void keep(struct shower *s, const Fed__FederationChanged *c)
{
	if (s->warnings == NULL)
		s->warnings = json_array();
	s->changes.revision = c->revision;
	s->changes.is_dry_run = c->dry_run;
	for (size_t i = 0; i < c->n_warning; i++)
		if (json_array_append_new(s->warnings,
					  json_string(c->warning[i])) != 0)
			s->is_failed = true;
}

static void more(struct shower *s, const Fed__AdminResponse *r)
{
	if (r->changed == NULL)
		return;
	keep(s, r->changed);
	for (size_t i = 0; i < r->changed->n_change; i++)
		changes_print(s, r->changed->change[i]);
}

static void end(struct shower *s)
{
	changes_print_hidden(s);
	for (size_t i = 0; i < json_array_size(s->warnings); i++)
		print_warning(s->to, json_string_value(
					     json_array_get(s->warnings, i)));
	print_verdict(s);
}

const struct show show_changed_text = {.more = more, .end = end};

/* ---- for programs -------------------------------------------------------- */

static void json_begin(struct shower *s)
{
	(void)fputs("{\"changed\": {\"changes\": [", s->to);
}

static void json_more(struct shower *s, const Fed__AdminResponse *r)
{
	if (r->changed == NULL)
		return;
	keep(s, r->changed);
	for (size_t i = 0; i < r->changed->n_change; i++)
		json_entry(s, changes_json(r->changed->change[i]));
}

static void json_end(struct shower *s)
{
	(void)fputs(s->shown == 0 ? "]" : "\n]", s->to);
	(void)fprintf(
		s->to,
		", \"revision\": %" PRIu64 ", \"dry_run\": %s, \"warnings\": ",
		s->changes.revision, s->changes.is_dry_run ? "true" : "false");
	json_value(s, s->warnings != NULL ? json_incref(s->warnings)
					  : json_array());
	(void)fputs("}}\n", s->to);
}

const struct show show_changed_json = {json_begin, json_more, json_end};
