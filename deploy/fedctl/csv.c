/* Comma separated values. */
#include "deploy/fedctl/csv.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "deploy/fedctl/load.h"

/* Wrong lines that are named one by one. */
enum { COMPLAINTS = 10 };

static int no_memory(struct session *s)
{
	return session_fail(s, STATUS_FAILED, "out of memory");
}

/* ---- complaints ---------------------------------------------------------- */

void csv_complain(struct session *s, struct csv *c, const struct csv_row *row,
		  const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (c->wrong++ >= COMPLAINTS)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)session_fail(s, STATUS_USAGE, "%s:%zu: %s", c->path, row->line,
			   text);
}

int csv_verdict(struct session *s, const struct csv *c)
{
	if (c->wrong == 0)
		return STATUS_DONE;
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

static const char *take_cell(struct arena *a, struct span *line)
{
	size_t at;
	const char *cell;

	*line = span_trim(*line);
	if (line->n > 0 && line->p[0] == '"') {
		cell = take_quoted(a, line);
		*line = span_trim(*line);
		return cell;
	}
	at = span_find(*line, ',', 0);
	cell = arena_dup(a, span_trim(span_sub(*line, 0, at)));
	*line = at == SIZE_MAX ? SPAN_NULL : span_sub(*line, at, SIZE_MAX);
	return cell;
}

/* @param count_out  cells that the line has, SIZE_MAX: quotes are wrong
 * @return 0; FED_ENOMEM */
static int take_cells(struct arena *a, struct span line, struct csv_row *row,
		      size_t *count_out)
{
	size_t count = 0;

	for (;;) {
		const char *cell = take_cell(a, &line);

		if (cell == NULL)
			return FED_ENOMEM;
		if (count < CSV_COLUMNS)
			row->cells[count] = cell;
		count++;
		if (line.n == 0)
			break;
		if (line.p[0] != ',') {
			count = SIZE_MAX;
			break;
		}
		line = span_sub(line, 1, SIZE_MAX);
	}
	*count_out = count;
	return 0;
}

static bool is_heads(const struct csv_row *row, const char *const *heads)
{
	for (size_t i = 0; heads[i] != NULL; i++)
		if (strcasecmp(row->cells[i], heads[i]) != 0)
			return false;
	return true;
}

/* "user,policy" */
static const char *join_heads(struct arena *a, const char *const *heads)
{
	const char *all = "";

	for (size_t i = 0; all != NULL && heads[i] != NULL; i++)
		all = arena_printf(a, "%s%s%s", all, i > 0 ? "," : "",
				   heads[i]);
	return all != NULL ? all : "?";
}

/* Cells that are there, and say something. */
static bool check_row(struct session *s, struct arena *a, struct csv *c,
		      const struct csv_row *row, size_t count,
		      const char *const *heads)
{
	size_t columns = 0;

	while (heads[columns] != NULL)
		columns++;
	if (count == SIZE_MAX || count != columns) {
		csv_complain(s, c, row, "%s is expected", join_heads(a, heads));
		return false;
	}
	for (size_t i = 0; i < columns; i++) {
		if (!span_is_utf8(span_str(row->cells[i]))) {
			csv_complain(s, c, row, "UTF-8 is expected");
			return false;
		}
		if (row->cells[i][0] == '\0') {
			csv_complain(s, c, row, "the %s is missing", heads[i]);
			return false;
		}
	}
	return true;
}

static int take_line(struct session *s, struct arena *a, struct csv *c,
		     struct span line, size_t number, const char *const *heads)
{
	struct csv_row *row = &c->rows[c->count];
	size_t count;

	line = span_trim(line);
	if (line.n == 0 || line.p[0] == '#')
		return 0;
	*row = (struct csv_row){.line = number};
	if (take_cells(a, line, row, &count) != 0)
		return FED_ENOMEM;
	if (!check_row(s, a, c, row, count, heads))
		return 0;
	if (c->count > 0 || c->wrong > 0 || !is_heads(row, heads))
		c->count++;
	return 0;
}

static size_t count_lines(struct span s)
{
	size_t n = 1;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == '\n';
	return n;
}

int csv_read(struct session *s, struct arena *a, const char *path,
	     const char *const *heads, struct csv *out)
{
	struct span all = SPAN_NULL;
	int status = load_file(s, a, path, &all);
	size_t number = 0;

	*out = (struct csv){.path = strcmp(path, "-") == 0 ? "stdin" : path};
	if (status != STATUS_DONE)
		return status;
	/* a mark that editors of another system put in front */
	if (span_starts(all, SPAN_LIT("\xEF\xBB\xBF")))
		all = span_sub(all, 3, SIZE_MAX);
	out->rows = arena_alloc(a, count_lines(all) * sizeof(*out->rows));
	if (out->rows == NULL)
		return no_memory(s);
	while (all.n > 0) {
		size_t at = span_find(all, '\n', 0);

		if (take_line(s, a, out, span_sub(all, 0, at), ++number,
			      heads) != 0)
			return no_memory(s);
		all = at == SIZE_MAX ? SPAN_NULL
				     : span_sub(all, at + 1, SIZE_MAX);
	}
	return STATUS_DONE;
}
