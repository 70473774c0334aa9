/* Levenshtein distance of short words. */
#include "base/slip.h"

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

size_t slip_distance(struct span a, struct span b)
{
	size_t row[SLIP_WORD_BYTES + 1];

	if (a.n > SLIP_WORD_BYTES || b.n > SLIP_WORD_BYTES)
		return SIZE_MAX;
	for (size_t j = 0; j <= b.n; j++)
		row[j] = j;
	for (size_t i = 0; i < a.n; i++) {
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (size_t j = 0; j < b.n; j++) {
			size_t swap = diagonal + (a.p[i] != b.p[j]);

			diagonal = row[j + 1];
			row[j + 1] = min3(row[j] + 1, diagonal + 1, swap);
		}
	}
	return row[b.n];
}
