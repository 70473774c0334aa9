/* Comma separated values. */
#include "deploy/fedctl/csv.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "deploy/fedctl/load.h"

static int no_memory(struct session *s)
{
	return session_fail(s, STATUS_FAILED, "out of memory");
}

/* ---- complaints ---------------------------------------------------------- */

void csv_complain(struct csv *c, struct csv_row *row, const char *fmt, ...)
{
	struct csv_complaint *list = c->complaints;
	size_t at = c->complaint_count;
	va_list ap;

	if (row->is_wrong)
		return;
	row->is_wrong = true;
	c->wrong++;
	while (at > 0 && list[at - 1].line > row->line)
		at--;
	if (at == CSV_COMPLAINTS)
		return;
	if (c->complaint_count < CSV_COMPLAINTS)
		c->complaint_count++;
	memmove(list + at + 1, list + at,
		(c->complaint_count - at - 1) * sizeof(*list));
	list[at].line = row->line;
	va_start(ap, fmt);
	(void)vsnprintf(list[at].text, sizeof(list[at].text), fmt, ap);
	va_end(ap);
}

int csv_verdict(struct session *s, const struct csv *c)
{
	if (c->wrong == 0)
		return STATUS_DONE;
	for (size_t i = 0; i < c->complaint_count; i++)
		(void)session_fail(s, STATUS_USAGE, "%s:%zu: %s", c->path,
				   c->complaints[i].line,
				   c->complaints[i].text);
	return session_fail(s, STATUS_USAGE,
			    "%s: %zu wrong line%s; nothing was changed",
			    c->path, c->wrong, c->wrong == 1 ? "" : "s");
}

/* ---- lines --------------------------------------------------------------- */

/* A quoted cell, up to behind its last quote; "" in it is one quote. */
static const char *take_quoted(struct arena *a, struct span *line)
{
	char *cell = arena_dup(a, *line);
	size_t n = 0;
	size_t at = 1;

	if (cell == NULL)
		return NULL;
	for (; at < line->n; at++) {
		if (line->p[at] == '"' &&
		    (at + 1 == line->n || line->p[at + 1] != '"'))
			break;
		at += line->p[at] == '"';
		cell[n++] = line->p[at];
	}
	cell[n] = '\0';
	/* without its end it is wrong: what is left over says so */
	*line = at < line->n ? span_sub(*line, at + 1, SIZE_MAX)
			     : span_sub(*line, 0, 1);
	return cell;
}

/* Up to the separator. */
static size_t cell_end(struct span line, bool has_semicolons)
{
	size_t at = 0;

	while (at < line.n && line.p[at] != ',' &&
	       !(has_semicolons && line.p[at] == ';'))
		at++;
	return at;
}

static const char *take_cell(struct arena *a, struct span *line,
			     bool has_semicolons)
{
	size_t at;
	const char *cell;

	*line = span_trim(*line);
	if (line->n > 0 && line->p[0] == '"') {
		cell = take_quoted(a, line);
		*line = span_trim(*line);
		return cell;
	}
	at = cell_end(*line, has_semicolons);
	cell = arena_dup(a, span_trim(span_sub(*line, 0, at)));
	*line = span_sub(*line, at, SIZE_MAX);
	return cell;
}

static int take_cells(struct arena *a, struct span line, bool has_semicolons,
		      struct csv_row *row)
{
	for (;;) {
		const char *cell = take_cell(a, &line, has_semicolons);

		if (cell == NULL)
			return FED_ENOMEM;
		if (row->count < CSV_COLUMNS)
			row->cells[row->count] = cell;
		row->count++;
		if (line.n == 0)
			return 0;
		if (cell_end(line, has_semicolons) > 0)
			break;
		line = span_sub(line, 1, SIZE_MAX);
	}
	row->count = SIZE_MAX;
	return 0;
}

void csv_text_init(struct csv_text *t, struct span text, bool has_semicolons)
{
	/* a mark that editors of another system put in front */
	if (span_starts(text, SPAN_LIT("\xEF\xBB\xBF")))
		text = span_sub(text, 3, SIZE_MAX);
	*t = (struct csv_text){.rest = text, .has_semicolons = has_semicolons};
}

int csv_next(struct csv_text *t, struct arena *a, struct csv_row *out)
{
	while (t->rest.n > 0) {
		size_t at = span_find(t->rest, '\n', 0);
		struct span line = span_trim(span_sub(t->rest, 0, at));

		t->rest = at == SIZE_MAX ? SPAN_NULL
					 : span_sub(t->rest, at + 1, SIZE_MAX);
		t->line++;
		if (line.n == 0 || line.p[0] == '#')
			continue;
		*out = (struct csv_row){.line = t->line};
		for (size_t i = 0; i < CSV_COLUMNS; i++)
			out->cells[i] = "";
		return take_cells(a, line, t->has_semicolons, out) == 0
			       ? 1
			       : FED_ENOMEM;
	}
	return 0;
}

/* ---- files --------------------------------------------------------------- */

static bool is_heads(const struct csv_row *row, const struct csv_form *form)
{
	/* what another program calls its columns is not known */
	size_t known = form->is_foreign ? 1 : CSV_COLUMNS;

	for (size_t i = 0; i < known && form->heads[i] != NULL; i++)
		if (strcasecmp(row->cells[i], form->heads[i]) != 0)
			return false;
	return true;
}

/* "user,policy", "user[,state]" */
static const char *join_heads(struct arena *a, const struct csv_form *form)
{
	const char *all = "";
	size_t i = 0;

	for (; all != NULL && form->heads[i] != NULL; i++)
		all = arena_printf(a, "%s%s%s%s", all,
				   i >= form->due ? "[" : "", i > 0 ? "," : "",
				   form->heads[i]);
	for (; all != NULL && i > form->due; i--)
		all = arena_printf(a, "%s]", all);
	return all != NULL ? all : "?";
}

/* Cells that are there, and say something. */
static bool check_row(struct arena *a, struct csv *c, struct csv_row *row,
		      const struct csv_form *form)
{
	size_t columns = 0;

	while (form->heads[columns] != NULL)
		columns++;
	if (row->count == SIZE_MAX || row->count < form->due ||
	    (row->count > columns && !form->is_foreign)) {
		csv_complain(c, row, "%s is expected", join_heads(a, form));
		return false;
	}
	for (size_t i = 0; i < columns; i++) {
		if (!span_is_utf8(span_str(row->cells[i]))) {
			csv_complain(c, row, "UTF-8 is expected");
			return false;
		}
		if (i < form->due && row->cells[i][0] == '\0') {
			csv_complain(c, row, "the %s is missing",
				     form->heads[i]);
			return false;
		}
	}
	return true;
}

static size_t count_lines(struct span s)
{
	size_t n = 1;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == '\n';
	return n;
}

int csv_read(struct session *s, struct arena *a, const char *path,
	     const struct csv_form *form, struct csv *out)
{
	struct span all = SPAN_NULL;
	int status = load_file(s, a, path, &all);
	struct csv_text t;
	struct csv_row row;
	int more;

	*out = (struct csv){.path = load_name(path)};
	if (status != STATUS_DONE)
		return status;
	out->rows = arena_alloc(a, count_lines(all) * sizeof(*out->rows));
	if (out->rows == NULL)
		return no_memory(s);
	csv_text_init(&t, all, form->is_foreign);
	while ((more = csv_next(&t, a, &row)) == 1) {
		bool is_first = out->count == 0 && out->wrong == 0;

		if (check_row(a, out, &row, form) &&
		    !(is_first && is_heads(&row, form)))
			out->rows[out->count++] = row;
	}
	return more == 0 ? STATUS_DONE : no_memory(s);
}
