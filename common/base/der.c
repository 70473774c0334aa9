/* DER elements. */
#include "base/der.h"

enum { LONG_FORM = 0x80, LENGTH_OCTETS_MAX = 3, HIGH_TAG = 0x1f };

static unsigned octet(struct span s, size_t i)
{
	return (unsigned char)s.p[i];
}

/* Length octets behind the tag (X.690 8.1.3): shortest form only. */
static int take_length(struct span in, size_t *at, size_t *n_out)
{
	unsigned first = octet(in, *at);
	unsigned count = first & ~(unsigned)LONG_FORM;
	size_t n = 0;

	(*at)++;
	if (first < LONG_FORM) {
		*n_out = first;
		return 0;
	}
	if (count == 0 || count > LENGTH_OCTETS_MAX || in.n - *at < count)
		return FED_EINVAL;
	for (unsigned i = 0; i < count; i++)
		n = n << 8 | octet(in, (*at)++);
	if (n < LONG_FORM || n >> (8 * (count - 1)) == 0)
		return FED_EINVAL;
	*n_out = n;
	return 0;
}

int der_next(struct span *in, unsigned *tag_out, struct span *body_out)
{
	size_t at = 1;
	size_t n = 0;

	if (in->n < 2 || (octet(*in, 0) & HIGH_TAG) == HIGH_TAG)
		return FED_EINVAL;
	if (take_length(*in, &at, &n) != 0 || in->n - at < n)
		return FED_EINVAL;
	*tag_out = octet(*in, 0);
	*body_out = span_of(in->p + at, n);
	*in = span_of(in->p + at + n, in->n - at - n);
	return 0;
}

int der_expect(struct span *in, unsigned tag, struct span *body_out)
{
	unsigned got = 0;

	if (der_peek(*in) != tag)
		return FED_EINVAL;
	return der_next(in, &got, body_out);
}

unsigned der_peek(struct span in)
{
	return in.n == 0 ? 0 : octet(in, 0);
}
