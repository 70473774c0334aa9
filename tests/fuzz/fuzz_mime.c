/*
 * Bodies of MESSAGE: what is found lies inside the input.
 *
 * Input: a line with the type, a line with the boundary; the rest is the body.
 */
#include <stdint.h>
#include <stdlib.h>

#include "fe-gateway/core/mime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct span take_line(struct span *in)
{
	size_t n = span_find(*in, '\n', 0);
	struct span line = span_sub(*in, 0, n == SIZE_MAX ? in->n : n);

	*in = span_sub(*in, n == SIZE_MAX ? in->n : n + 1, in->n);
	return line;
}

static void lies_in(struct span part, struct span whole)
{
	if (part.n > 0 &&
	    (part.p < whole.p || part.p + part.n > whole.p + whole.n))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);
	struct span whole = in;
	struct mime_entity root = {.type = SPAN_NULL};
	struct mime_text t;
	struct buf b;

	root.type = take_line(&in);
	root.boundary = take_line(&in);
	root.body = in;
	if (mime_find_text(&root, &t) != 0)
		return 0;
	lies_in(t.part.body, whole);
	lies_in(t.part.charset, whole);
	lies_in(t.part.language, whole);
	lies_in(t.cpim_from, whole);
	lies_in(t.cpim_to, whole);
	lies_in(t.cpim_subject, whole);
	buf_init(&b, size + 1);
	if (mime_cpim_unescape(t.cpim_subject, &b) != 0)
		abort();
	buf_deinit(&b);
	return 0;
}
