/* Cells are kept until the widths of their columns are known. */
#include "deploy/fedctl/table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "deploy/fedctl/text.h"

void table_column(struct table *t, const char *head)
{
	if (FED_CHECK(t->column_count < TABLE_COLUMNS))
		t->heads[t->column_count++] = head;
}

static bool make_room(struct table *t)
{
	size_t room = t->cell_room == 0 ? 64 : 2 * t->cell_room;
	char **cells;

	if (t->cell_count < t->cell_room)
		return true;
	cells = reallocarray(t->cells, room, sizeof(*cells));
	if (cells == NULL)
		return false;
	t->cells = cells;
	t->cell_room = room;
	return true;
}

void table_cell(struct table *t, const char *fmt, ...)
{
	char *raw = NULL;
	char *cell = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&raw, fmt, ap) < 0)
		raw = NULL;
	va_end(ap);
	if (raw != NULL)
		cell = text_harmless(raw[0] == '\0' ? "-" : raw);
	free(raw);
	if (cell != NULL && make_room(t)) {
		t->cells[t->cell_count++] = cell;
	} else {
		free(cell);
		t->is_failed = true;
	}
}

static void print_cell(FILE *to, const char *text, size_t width, bool is_right,
		       bool is_last)
{
	size_t n = text_width(text);
	int pad = n < width ? (int)(width - n) : 0;

	if (is_right)
		(void)fprintf(to, "%*s%s", pad, "", text);
	else if (is_last)
		(void)fprintf(to, "%s", text);
	else
		(void)fprintf(to, "%s%*s", text, pad, "");
	(void)fputs(is_last ? "\n" : "  ", to);
}

static void print_row(const struct table *t, FILE *to, char *const *cells,
		      const size_t *widths)
{
	for (size_t i = 0; i < t->column_count; i++)
		print_cell(to, cells != NULL ? cells[i] : t->heads[i] + 1,
			   widths[i], t->heads[i][0] == '>',
			   i + 1 == t->column_count);
}

void table_print(const struct table *t, FILE *to)
{
	size_t widths[TABLE_COLUMNS] = {0};
	size_t rows;

	if (t->column_count == 0)
		return;
	rows = t->cell_count / t->column_count;
	for (size_t i = 0; i < t->column_count; i++)
		widths[i] = text_width(t->heads[i] + 1);
	for (size_t i = 0; i < rows * t->column_count; i++) {
		size_t n = text_width(t->cells[i]);
		size_t *width = &widths[i % t->column_count];

		if (n > *width)
			*width = n;
	}
	print_row(t, to, NULL, widths);
	for (size_t i = 0; i < rows; i++)
		print_row(t, to, t->cells + i * t->column_count, widths);
}

void table_deinit(struct table *t)
{
	for (size_t i = 0; i < t->cell_count; i++)
		free(t->cells[i]);
	free(t->cells);
	*t = (struct table){.column_count = 0};
}
