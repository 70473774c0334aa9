/*
 * What fedctl prints of a response, against a golden text.
 */
#ifndef FED_TEST_FEDCTL_HARNESS_H
#define FED_TEST_FEDCTL_HARNESS_H

/* clang-format off: cmocka wants this order */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */
#include <stdlib.h>
#include <string.h>

#include "deploy/fedctl/show.h"

/* protobuf-c's structs have no const. */
static inline char *s(const char *text)
{
	return (char *)(uintptr_t)text;
}

/* ---- comparing ----------------------------------------------------------- */

struct out {
	char *text;
	size_t n;
	FILE *to;
};

static inline FILE *begin(struct out *o)
{
	o->to = open_memstream(&o->text, &o->n);
	assert_non_null(o->to);
	return o->to;
}

static inline void expect(struct out *o, const char *golden)
{
	assert_int_equal(0, fclose(o->to));
	assert_string_equal(golden, o->text);
	free(o->text);
}

/* The responses shown as one answer. */
static inline void shows(const struct show *how, bool is_full, const char *arg,
			 const Fed__AdminResponse *r, size_t count,
			 const char *golden)
{
	struct shower sh;
	struct out o;

	shower_init(&sh, begin(&o), arg);
	sh.is_full = is_full;
	if (how->begin != NULL)
		how->begin(&sh);
	for (size_t i = 0; i < count; i++)
		how->more(&sh, &r[i]);
	if (how->end != NULL)
		how->end(&sh);
	assert_false(sh.is_failed);
	assert_false(sh.table.is_failed);
	shower_deinit(&sh);
	expect(&o, golden);
}

#endif
