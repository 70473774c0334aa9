/* The two PRECIS profiles: map, lower, normalize, check (RFC 8264 7). */
#include "xmpp/precis.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <uninorm.h>
#include <unistr.h>
#include <unictype.h>

#include "xmpp/jid.h"
#include "xmpp/precis_class.h"

struct points {
	uint32_t cp[PRECIS_MAX_POINTS];
	size_t n;
};

enum profile {
	PROFILE_USERNAME, /* UsernameCaseMapped */
	PROFILE_FOLD,	  /* as USERNAME before XEP-0106 escapes: spaces pass,
			   * and the Bidi rule waits for the escaped text */
	PROFILE_OPAQUE,	  /* OpaqueString */
};

static int decode(struct span in, struct points *out)
{
	const uint8_t *p = (const uint8_t *)in.p;
	size_t left = in.n;

	out->n = 0;
	if (!span_is_utf8(in))
		return FED_EINVAL;
	while (left > 0) {
		ucs4_t cp = 0;
		int step = u8_mbtouc(&cp, p, left);

		if (step <= 0)
			return FED_EINVAL;
		if (out->n == PRECIS_MAX_POINTS)
			return FED_ELIMIT;
		out->cp[out->n++] = cp;
		p += step;
		left -= (size_t)step;
	}
	return 0;
}

/* A part is 1023 bytes at most, however large `out` is. */
static int encode(const struct points *in, char *out, size_t out_size,
		  size_t *n_out)
{
	size_t room = out_size - 1 < LIMIT_JID_PART_BYTES
			      ? out_size - 1
			      : LIMIT_JID_PART_BYTES;
	size_t n = 0;

	for (size_t i = 0; i < in->n; i++) {
		int step = u8_uctomb((uint8_t *)out + n, in->cp[i],
				     (int)(room - n));

		if (step <= 0)
			return step == -2 ? FED_ELIMIT : FED_EINVAL;
		n += (size_t)step;
	}
	out[n] = '\0';
	*n_out = n;
	return 0;
}

/* RFC 8265 3.3.1: fullwidth and halfwidth forms to their decomposition, one
 * level, nothing else of NFKC. */
static uint32_t map_width(uint32_t cp)
{
	ucs4_t decomposed[UC_DECOMPOSITION_MAX_LENGTH];
	int tag = 0;
	int n = uc_decomposition(cp, &tag, decomposed);

	if (n == 1 && (tag == UC_DECOMP_WIDE || tag == UC_DECOMP_NARROW))
		return decomposed[0];
	return cp;
}

/* RFC 8265 4.2.2: the other spaces of Unicode */
static uint32_t map_space(uint32_t cp)
{
	return uc_is_general_category_withtable(cp, UC_CATEGORY_MASK_Zs) ? 0x20
									 : cp;
}

/* Is the code point one of those that the profile lets pass? */
static bool is_allowed(uint32_t cp, enum profile profile)
{
	if (cp == 0x20)
		return profile != PROFILE_USERNAME;
	switch (precis_class_of(cp)) {
	case PRECIS_PVALID:
	case PRECIS_CONTEXT:
		return true;
	case PRECIS_FREE_PVALID:
		return profile == PROFILE_OPAQUE;
	case PRECIS_DISALLOWED:
		break;
	}
	return false;
}

/* Preparation: map, then the string class (RFC 8265 3.3.1, 4.2.1). */
static int prepare(struct points *s, enum profile profile)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->cp[i] < 0x80) {
			/* nothing to map */
		} else if (profile == PROFILE_OPAQUE) {
			s->cp[i] = map_space(s->cp[i]);
		} else {
			s->cp[i] = map_width(s->cp[i]);
		}
		if (!is_allowed(s->cp[i], profile))
			return FED_EINVAL;
	}
	return 0;
}

/* Lower case (not case folding: RFC 8265 3.3.2 keeps the sharp s), and NFC. */
static int fold(const struct points *in, enum profile profile,
		struct points *out)
{
	uint32_t *r;

	out->n = PRECIS_MAX_POINTS;
	if (profile == PROFILE_OPAQUE)
		r = u32_normalize(UNINORM_NFC, in->cp, in->n, out->cp, &out->n);
	else
		r = u32_tolower(in->cp, in->n, NULL, UNINORM_NFC, out->cp,
				&out->n);
	if (r == NULL)
		return errno == ENOMEM ? FED_ENOMEM : FED_EINVAL;
	if (r == out->cp)
		return 0;
	if (out->n <= PRECIS_MAX_POINTS)
		memcpy(out->cp, r, out->n * sizeof(*r));
	free(r);
	return out->n <= PRECIS_MAX_POINTS ? 0 : FED_ELIMIT;
}

/* The class again, for what composition made, and the rules on the whole. */
static int check(const struct points *s, enum profile profile)
{
	for (size_t i = 0; i < s->n; i++) {
		uint32_t cp = s->cp[i];

		if (!is_allowed(cp, profile))
			return FED_EINVAL;
		if (cp >= 0x80 && precis_class_of(cp) == PRECIS_CONTEXT &&
		    !precis_context_holds(s->cp, s->n, i))
			return FED_EINVAL;
	}
	if (profile == PROFILE_USERNAME && !precis_bidi_holds(s->cp, s->n))
		return FED_EINVAL;
	return 0;
}

/* Once through all steps, from `in` to `out`; `in` is changed. */
static int apply(struct points *in, enum profile profile, struct points *out)
{
	int err = prepare(in, profile);

	if (err == 0)
		err = fold(in, profile, out);
	return err == 0 ? check(out, profile) : err;
}

static int enforce(struct span in, enum profile profile, char *out,
		   size_t out_size, size_t *n_out)
{
	struct points a;
	struct points b;
	struct points again;
	int err;

	*n_out = 0;
	if (in.n == 0 || out_size == 0)
		return FED_EINVAL;
	/* no mapping shrinks a code point of 4 bytes to less than 1 */
	if (in.n > 4u * PRECIS_MAX_POINTS)
		return FED_ELIMIT;
	err = decode(in, &a);
	if (err == 0)
		err = apply(&a, profile, &b);
	if (err != 0)
		return err;
	/* RFC 8264 7: a result that changes once more is nobody's name, and
	 * two of our hosts would disagree on it */
	memcpy(&a, &b, sizeof(a));
	err = apply(&a, profile, &again);
	if (err == 0 && (again.n != b.n ||
			 memcmp(again.cp, b.cp, b.n * sizeof(b.cp[0])) != 0))
		err = FED_EINVAL;
	return err == 0 ? encode(&b, out, out_size, n_out) : err;
}

int precis_username(struct span in, char *out, size_t out_size, size_t *n_out)
{
	return enforce(in, PROFILE_USERNAME, out, out_size, n_out);
}

int precis_opaque(struct span in, char *out, size_t out_size, size_t *n_out)
{
	return enforce(in, PROFILE_OPAQUE, out, out_size, n_out);
}

static bool is_harmless(uint32_t cp)
{
	return !uc_is_general_category_withtable(
		       cp, UC_CATEGORY_MASK_Cc | UC_CATEGORY_MASK_Zl |
				   UC_CATEGORY_MASK_Zp) &&
	       !uc_is_property_not_a_character(cp);
}

int precis_verbatim(struct span in, char *out, size_t out_size, size_t *n_out)
{
	struct points s;
	int err;

	*n_out = 0;
	if (in.n == 0 || out_size == 0)
		return FED_EINVAL;
	if (in.n > LIMIT_JID_PART_BYTES)
		return FED_ELIMIT;
	err = decode(in, &s);
	for (size_t i = 0; err == 0 && i < s.n; i++)
		if (!is_harmless(s.cp[i]))
			err = FED_EINVAL;
	return err == 0 ? encode(&s, out, out_size, n_out) : err;
}

int precis_map_domain(struct span in, char *out, size_t out_size, size_t *n_out)
{
	struct points s;
	struct points folded;
	int err;

	*n_out = 0;
	if (in.n == 0 || out_size == 0)
		return FED_EINVAL;
	if (in.n > 4u * PRECIS_MAX_POINTS)
		return FED_ELIMIT;
	err = decode(in, &s);
	if (err != 0)
		return err;
	for (size_t i = 0; i < s.n; i++) {
		s.cp[i] = map_width(s.cp[i]);
		if (s.cp[i] == 0x3002)
			s.cp[i] = '.';
	}
	err = fold(&s, PROFILE_USERNAME, &folded);
	return err == 0 ? encode(&folded, out, out_size, n_out) : err;
}

int precis_fold_username(struct span in, char *out, size_t out_size)
{
	size_t n = 0;

	if (in.n == 0 || out_size == 0)
		return FED_EINVAL;
	/* printable ASCII needs no tables */
	while (n < in.n && n + 1 < out_size && n < LIMIT_JID_PART_BYTES) {
		char c = in.p[n];

		if (c < 0x20 || c > 0x7E)
			break;
		out[n++] = (c >= 'A' && c <= 'Z') ? (char)(c + 32) : c;
	}
	if (n == in.n) {
		out[n] = '\0';
		return 0;
	}
	return enforce(in, PROFILE_FOLD, out, out_size, &n);
}
