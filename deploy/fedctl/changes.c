/* A record before and after. */
#include "deploy/fedctl/changes.h"

#include <string.h>

#include "deploy/fedctl/text.h"

/* Users that are shown without --full, and room for a label. */
enum { USERS_SHOWN = 20, LABEL_BYTES = 16 * 1024 };

static const Fed__Record *newer(const Fed__Change *c)
{
	return c->after != NULL ? c->after : c->before;
}

static bool is_of_user(const Fed__Record *r)
{
	return r->kind_case == FED__RECORD__KIND_GRANT ||
	       r->kind_case == FED__RECORD__KIND_MEMBER ||
	       r->kind_case == FED__RECORD__KIND_MOVER;
}

static void print_label(FILE *to, char mark, const Fed__Record *r)
{
	struct arena a;
	const char *label;

	arena_init(&a, LABEL_BYTES);
	label = record_label(&a, r);
	(void)fprintf(to, "%c ", mark);
	text_print(to, span_str(label != NULL ? label : "?"), NULL);
	arena_deinit(&a);
}

/* The items that came, and those that went. */
static void print_list(FILE *to, const struct field *f, const Fed__Record *of,
		       const Fed__Record *other, char mark, bool *is_any)
{
	const char *item;

	for (size_t i = 0; (item = field_item(f, of, i)) != NULL; i++) {
		const char *same = NULL;
		size_t j = 0;

		while ((same = field_item(f, other, j)) != NULL &&
		       strcmp(same, item) != 0)
			j++;
		if (same != NULL)
			continue;
		(void)fprintf(to, "%s%c", *is_any ? ", " : "", mark);
		text_print(to, span_str(item), NULL);
		*is_any = true;
	}
}

static void print_value(FILE *to, const struct field *f, const Fed__Record *r)
{
	if (field_is_none(f, r))
		(void)fputs("(none)", to);
	else
		field_print(to, f, r);
}

static void print_difference(FILE *to, const struct field *f,
			     const Fed__Change *c)
{
	bool is_any = false;

	if (f->type == FIELD_LIST) {
		print_list(to, f, c->before, c->after, '-', &is_any);
		print_list(to, f, c->after, c->before, '+', &is_any);
		if (!is_any)
			(void)fputs("in another order", to);
	} else {
		print_value(to, f, c->before);
		(void)fputs(" -> ", to);
		print_value(to, f, c->after);
	}
}

/* Of a new record what it says, of another one what is different. */
static bool is_shown(const struct field *f, const Fed__Change *c)
{
	if (f->is_key)
		return false;
	if (c->before == NULL)
		return !field_is_none(f, c->after);
	return !field_equal(f, c->before, c->after);
}

static void print_fields(FILE *to, const struct record_kind *k,
			 const Fed__Change *c)
{
	bool is_any = false;
	int width = 0;

	for (const struct field *f = k->fields; f->name != NULL; f++)
		if (is_shown(f, c) && (int)strlen(f->name) > width)
			width = (int)strlen(f->name);
	for (const struct field *f = k->fields; f->name != NULL; f++) {
		if (!is_shown(f, c))
			continue;
		(void)fprintf(to, "    %-*s  ", width, f->name);
		if (c->before == NULL)
			field_print(to, f, c->after);
		else
			print_difference(to, f, c);
		(void)fputc('\n', to);
		is_any = true;
	}
	if (!is_any && c->before != NULL)
		(void)fputs("    something that is not shown: a secret\n", to);
}

/* Users have one field: they stand on one line. */
static void print_user(FILE *to, const struct record_kind *k,
		       const Fed__Change *c)
{
	const struct field *f = &k->fields[1];

	(void)fputs(": ", to);
	if (c->before != NULL && c->after != NULL)
		print_difference(to, f, c);
	else
		field_print(to, f, newer(c));
	(void)fputc('\n', to);
}

void changes_print(struct shower *s, const Fed__Change *c)
{
	const Fed__Record *r = newer(c);
	const struct record_kind *k =
		r != NULL ? record_kind(r->kind_case) : NULL;
	char mark = c->before == NULL ? '+' : c->after == NULL ? '-' : '~';

	s->changes.added += mark == '+';
	s->changes.removed += mark == '-';
	s->changes.changed += mark == '~';
	if (k == NULL)
		return;
	if (is_of_user(r) && !s->is_full && s->shown++ >= USERS_SHOWN) {
		s->changes.hidden++;
		return;
	}
	print_label(s->to, mark, r);
	if (is_of_user(r)) {
		print_user(s->to, k, c);
		return;
	}
	(void)fputc('\n', s->to);
	if (c->after != NULL)
		print_fields(s->to, k, c);
}

void changes_print_hidden(const struct shower *s)
{
	if (s->changes.hidden > 0)
		(void)fprintf(s->to,
			      "  and %zu more users; --full shows them\n",
			      s->changes.hidden);
}

json_t *changes_json(const Fed__Change *c)
{
	const Fed__Record *r = newer(c);
	struct arena a;
	const char *label = NULL;
	json_t *all = NULL;

	arena_init(&a, LABEL_BYTES);
	if (r != NULL)
		label = record_label(&a, r);
	if (label != NULL)
		all = json_pack("{s:s, s:o, s:o}", "record", label, "before",
				record_json(c->before), "after",
				record_json(c->after));
	arena_deinit(&a);
	return all;
}
