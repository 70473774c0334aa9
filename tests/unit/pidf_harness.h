/* A view as one line of text, for tables of what documents come to. */
#ifndef FED_TESTS_PIDF_HARNESS_H
#define FED_TESTS_PIDF_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fe-gateway/core/pidf.h"

static inline const char *show_word(Fed__Show show)
{
	static const char *const words[] = {"", " away", " chat", " dnd",
					    " xa"};

	return words[show];
}

/* "name +away 5 [cs]Zzz" for an open one, "name -" for a closed one; the
 * priority where it is not 0; between resources ", ". */
static inline void view_text(const struct presence_view *v, char *out,
			     size_t size)
{
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < v->count; i++) {
		const struct presence_resource *r = v->items[i];

		n += (size_t)snprintf(
			out + n, size - n, "%s%s %s%s", i > 0 ? ", " : "",
			r->name, r->is_open ? "+" : "-", show_word(r->show));
		if (r->priority != 0)
			n += (size_t)snprintf(out + n, size - n, " %d",
					      r->priority);
		for (size_t k = 0; k < r->note_count; k++)
			n += (size_t)snprintf(out + n, size - n, " [%s]%s",
					      r->note[k].lang, r->note[k].text);
		if (n >= size)
			fail_msg("the text of a view is too long");
	}
}

static inline void put(struct presence_view *v,
		       const struct presence_resource *r)
{
	assert_int_equal(presence_view_set(v, r), 0);
}

/* Read a document and compare; what: said when they differ. */
static inline void check_read_span(const char *what, struct span doc,
				   const char *lang, int err,
				   const char *expected)
{
	struct presence_view v = {.count = 0};
	/* what is no string must not be read as one */
	char *copy = malloc(doc.n + 1);
	char text[8192];
	int got;

	assert_non_null(copy);
	if (doc.n > 0)
		memcpy(copy, doc.p, doc.n);
	got = pidf_read(span_of(copy, doc.n), span_str(lang), &v);
	view_text(&v, text, sizeof(text));
	if (got != err)
		fail_msg("%s: error %s, not %s", what, fed_strerror(got),
			 fed_strerror(err));
	if (strcmp(text, err == 0 ? expected : "") != 0)
		fail_msg("%s: \"%s\", not \"%s\"", what, text, expected);
	presence_view_clear(&v);
	free(copy);
}

static inline void check_read(const char *what, const char *doc,
			      const char *lang, int err, const char *expected)
{
	check_read_span(what, span_str(doc), lang, err, expected);
}

#endif
