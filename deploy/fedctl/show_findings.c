/* Findings: what was looked at, and how it was; and the verdict. */
#include <stdlib.h>
#include <string.h>

#include "deploy/fedctl/json.h"
#include "deploy/fedctl/text.h"

enum { WHAT_COLUMNS = 11 };

static const char *level_name(Fed__Finding__Level level)
{
	switch (level) {
	case FED__FINDING__LEVEL__GOOD:
		return "good";
	case FED__FINDING__LEVEL__WARN:
		return "warn";
	case FED__FINDING__LEVEL__BAD:
		return "bad";
	case FED__FINDING__LEVEL__INFO:
	case _FED__FINDING__LEVEL_IS_INT_SIZE:
		break;
	}
	return "info";
}

static void keep(struct shower *s, char **kept, const char *text)
{
	free(*kept);
	*kept = span_dup(span_str(text));
	if (*kept == NULL)
		s->is_failed = true;
}

/* ---- for people ---------------------------------------------------------- */

/* A new group has a line of its own, with the day that its times are of. */
static void print_group(struct shower *s, const Fed__Finding *f)
{
	const char *last = s->group != NULL ? s->group : "";

	if (s->shown > 0 && strcmp(last, f->group) == 0)
		return;
	if (s->shown > 0)
		(void)fputc('\n', s->to);
	keep(s, &s->group, f->group);
	if (f->group[0] == '\0')
		return;
	text_print(s->to, span_str(f->group), NULL);
	if (f->at_ms != 0)
		(void)fprintf(s->to, ", %s", text_date(f->at_ms).text);
	(void)fputc('\n', s->to);
}

static void print_finding(struct shower *s, const Fed__Finding *f)
{
	const char *mark = f->level == FED__FINDING__LEVEL__BAD
				   ? "BAD "
				   : level_name(f->level);
	size_t indent = 2;
	char took[32] = "";

	print_group(s, f);
	s->shown++;
	(void)fputs("  ", s->to);
	if (f->at_ms != 0) {
		(void)fprintf(s->to, "%s  ", text_clock(f->at_ms).text);
		indent += 10;
	}
	(void)fprintf(s->to, "%s  ", mark);
	text_print(s->to, span_str(f->what), NULL);
	(void)fprintf(s->to, "%*s",
		      text_width(f->what) < WHAT_COLUMNS
			      ? (int)(WHAT_COLUMNS - text_width(f->what)) + 2
			      : 2,
		      "");
	indent += 6 + WHAT_COLUMNS + 2;
	if (f->took_ms > 0)
		(void)snprintf(took, sizeof(took), " (%u ms)", f->took_ms);
	text_wrap(s->to, span_str(f->text), took, indent, TEXT_COLUMNS);
	if (f->advice[0] == '\0')
		return;
	(void)fprintf(s->to, "%*s-> ", (int)indent, "");
	text_wrap(s->to, span_str(f->advice), "", indent + 3, TEXT_COLUMNS);
}

static void print_more(struct shower *s, const Fed__AdminResponse *r)
{
	for (size_t i = 0; i < r->n_finding; i++)
		print_finding(s, r->finding[i]);
	if (r->verdict[0] != '\0')
		keep(s, &s->verdict, r->verdict);
}

static void print_end(struct shower *s)
{
	if (s->shown == 0 && s->verdict == NULL)
		(void)fputs("nothing is known\n", s->to);
	if (s->verdict == NULL)
		return;
	if (s->shown > 0)
		(void)fputc('\n', s->to);
	text_wrap(s->to, span_str(s->verdict), "", 0, TEXT_COLUMNS);
}

/* ---- for programs -------------------------------------------------------- */

static void json_begin(struct shower *s)
{
	(void)fputs("{\"report\": {\"findings\": [", s->to);
}

static json_t *finding_json(const Fed__Finding *f)
{
	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:I}", "level",
			 level_name(f->level), "what", f->what, "text", f->text,
			 "advice", json_text_or_null(f->advice), "group",
			 json_text_or_null(f->group), "at_ms",
			 f->at_ms == 0 ? json_null() : json_integer(f->at_ms),
			 "took_ms", (json_int_t)f->took_ms);
}

static void json_more(struct shower *s, const Fed__AdminResponse *r)
{
	for (size_t i = 0; i < r->n_finding; i++)
		json_entry(s, finding_json(r->finding[i]));
	if (r->verdict[0] != '\0')
		keep(s, &s->verdict, r->verdict);
}

static void json_end(struct shower *s)
{
	(void)fputs(s->shown == 0 ? "], \"verdict\": " : "\n], \"verdict\": ",
		    s->to);
	json_value(s, json_text_or_null(s->verdict != NULL ? s->verdict : ""));
	(void)fputs("}}\n", s->to);
}

/* ---- checks -------------------------------------------------------------- */

static void judge(struct shower *s, const Fed__AdminResponse *r)
{
	for (size_t i = 0; i < r->n_finding; i++)
		if (r->finding[i]->level == FED__FINDING__LEVEL__BAD)
			s->is_bad = true;
}

static void check_more(struct shower *s, const Fed__AdminResponse *r)
{
	print_more(s, r);
	judge(s, r);
}

static void check_json_more(struct shower *s, const Fed__AdminResponse *r)
{
	json_more(s, r);
	judge(s, r);
}

const struct show show_findings_text = {.more = print_more, .end = print_end};
const struct show show_findings_json = {json_begin, json_more, json_end};
const struct show show_check_text = {.more = check_more, .end = print_end};
const struct show show_check_json = {json_begin, check_json_more, json_end};
