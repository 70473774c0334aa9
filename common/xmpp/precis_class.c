/* Derived properties, contextual rules and the Bidi rule, on libunistring. */
#include "xmpp/precis_class.h"

#include <unictype.h>
#include <uninorm.h>

#include "base/err.h"

struct range {
	uint32_t lo;
	uint32_t hi;
	enum precis_class is;
};

/* RFC 8264 9.6, the same as RFC 5892 2.6 */
static const struct range exceptions[] = {
	{0x00B7, 0x00B7, PRECIS_CONTEXT},
	{0x00DF, 0x00DF, PRECIS_PVALID},
	{0x0375, 0x0375, PRECIS_CONTEXT},
	{0x03C2, 0x03C2, PRECIS_PVALID},
	{0x05F3, 0x05F4, PRECIS_CONTEXT},
	{0x0640, 0x0640, PRECIS_DISALLOWED},
	{0x0660, 0x0669, PRECIS_CONTEXT},
	{0x06F0, 0x06F9, PRECIS_CONTEXT},
	{0x06FD, 0x06FE, PRECIS_PVALID},
	{0x07FA, 0x07FA, PRECIS_DISALLOWED},
	{0x0F0B, 0x0F0B, PRECIS_PVALID},
	{0x3007, 0x3007, PRECIS_PVALID},
	{0x302E, 0x302F, PRECIS_DISALLOWED},
	{0x3031, 0x3035, PRECIS_DISALLOWED},
	{0x303B, 0x303B, PRECIS_DISALLOWED},
	{0x30FB, 0x30FB, PRECIS_CONTEXT},
};

static bool find_exception(uint32_t cp, enum precis_class *is_out)
{
	for (size_t i = 0; i < FED_ARRAY_LEN(exceptions); i++) {
		if (cp >= exceptions[i].lo && cp <= exceptions[i].hi) {
			*is_out = exceptions[i].is;
			return true;
		}
	}
	return false;
}

/* RFC 8264 9.9: conjoining jamo, Hangul_Syllable_Type L, V or T */
static bool is_conjoining_jamo(uint32_t cp)
{
	return (cp >= 0x1100 && cp <= 0x11FF) ||
	       (cp >= 0xA960 && cp <= 0xA97C) ||
	       (cp >= 0xD7B0 && cp <= 0xD7C6) || (cp >= 0xD7CB && cp <= 0xD7FB);
}

/* RFC 8264 9.17: toNFKC(cp) != cp.  Out of memory counts as yes: refused. */
static bool has_compat(uint32_t cp)
{
	uint32_t decomposed[UC_DECOMPOSITION_MAX_LENGTH];
	uint32_t back[UC_DECOMPOSITION_MAX_LENGTH];
	size_t n = FED_ARRAY_LEN(back);
	int tag = 0;

	if (uc_decomposition(cp, &tag, decomposed) < 0)
		return false;
	/* the result stands in `back`: its room is the longest there is */
	if (u32_normalize(UNINORM_NFKC, &cp, 1, back, &n) != back)
		return true;
	return n != 1 || back[0] != cp;
}

static bool is_letter_digit(uint32_t cp)
{
	return uc_is_general_category_withtable(
		cp, UC_CATEGORY_MASK_Ll | UC_CATEGORY_MASK_Lu |
			    UC_CATEGORY_MASK_Lo | UC_CATEGORY_MASK_Nd |
			    UC_CATEGORY_MASK_Lm | UC_CATEGORY_MASK_Mn |
			    UC_CATEGORY_MASK_Mc);
}

/* RFC 8264 9.11-9.16: other letters and digits, spaces, symbols, punctuation */
static bool is_freeform_only(uint32_t cp)
{
	return uc_is_general_category_withtable(
		cp, UC_CATEGORY_MASK_Lt | UC_CATEGORY_MASK_Nl |
			    UC_CATEGORY_MASK_No | UC_CATEGORY_MASK_Me |
			    UC_CATEGORY_MASK_Zs | UC_CATEGORY_MASK_S |
			    UC_CATEGORY_MASK_P);
}

/* the order of the tests is that of RFC 8264 section 8 */
enum precis_class precis_class_of(uint32_t cp)
{
	enum precis_class is;

	if (cp >= 0x21 && cp <= 0x7E)
		return PRECIS_PVALID;
	if (find_exception(cp, &is))
		return is;
	if (uc_is_general_category_withtable(cp, UC_CATEGORY_MASK_Cn))
		return PRECIS_DISALLOWED;
	if (cp == 0x200C || cp == 0x200D)
		return PRECIS_CONTEXT;
	if (is_conjoining_jamo(cp) ||
	    uc_is_property_default_ignorable_code_point(cp) ||
	    uc_is_property_not_a_character(cp) ||
	    uc_is_general_category_withtable(cp, UC_CATEGORY_MASK_Cc))
		return PRECIS_DISALLOWED;
	if (has_compat(cp))
		return PRECIS_FREE_PVALID;
	if (is_letter_digit(cp))
		return PRECIS_PVALID;
	return is_freeform_only(cp) ? PRECIS_FREE_PVALID : PRECIS_DISALLOWED;
}

static bool is_script(uint32_t cp, const char *name)
{
	const uc_script_t *want = uc_script_byname(name);

	return want != NULL && uc_is_script(cp, want);
}

static bool has_any_in(const uint32_t *cps, size_t n, uint32_t lo, uint32_t hi)
{
	for (size_t i = 0; i < n; i++)
		if (cps[i] >= lo && cps[i] <= hi)
			return true;
	return false;
}

static bool has_kana_or_han(const uint32_t *cps, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_script(cps[i], "Hiragana") ||
		    is_script(cps[i], "Katakana") || is_script(cps[i], "Han"))
			return true;
	return false;
}

static bool follows_virama(const uint32_t *cps, size_t at)
{
	return at > 0 && uc_combining_class(cps[at - 1]) == UC_CCC_VR;
}

/* RFC 5892 A.1: (Joining_Type:{L,D})(T)* ZWNJ (T)*(Joining_Type:{R,D}) */
static bool joins_on_both_sides(const uint32_t *cps, size_t n, size_t at)
{
	size_t before = at;
	size_t after = at + 1;
	int type;

	while (before > 0 &&
	       uc_joining_type(cps[before - 1]) == UC_JOINING_TYPE_T)
		before--;
	while (after < n && uc_joining_type(cps[after]) == UC_JOINING_TYPE_T)
		after++;
	if (before == 0 || after == n)
		return false;
	type = uc_joining_type(cps[before - 1]);
	if (type != UC_JOINING_TYPE_L && type != UC_JOINING_TYPE_D)
		return false;
	type = uc_joining_type(cps[after]);
	return type == UC_JOINING_TYPE_R || type == UC_JOINING_TYPE_D;
}

bool precis_context_holds(const uint32_t *cps, size_t n, size_t at)
{
	uint32_t cp = cps[at];

	if (cp >= 0x0660 && cp <= 0x0669) /* A.8 */
		return !has_any_in(cps, n, 0x06F0, 0x06F9);
	if (cp >= 0x06F0 && cp <= 0x06F9) /* A.9 */
		return !has_any_in(cps, n, 0x0660, 0x0669);
	switch (cp) {
	case 0x200C: /* A.1 */
		return follows_virama(cps, at) ||
		       joins_on_both_sides(cps, n, at);
	case 0x200D: /* A.2 */
		return follows_virama(cps, at);
	case 0x00B7: /* A.3: between two l, as in Catalan */
		return at > 0 && at + 1 < n && cps[at - 1] == 'l' &&
		       cps[at + 1] == 'l';
	case 0x0375: /* A.4 */
		return at + 1 < n && is_script(cps[at + 1], "Greek");
	case 0x05F3: /* A.5 */
	case 0x05F4: /* A.6 */
		return at > 0 && is_script(cps[at - 1], "Hebrew");
	case 0x30FB: /* A.7 */
		return has_kana_or_han(cps, n);
	default:
		return false;
	}
}

static bool is_rtl_class(int bidi)
{
	return bidi == UC_BIDI_R || bidi == UC_BIDI_AL || bidi == UC_BIDI_AN;
}

static bool has_rtl(const uint32_t *cps, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_rtl_class(uc_bidi_class(cps[i])))
			return true;
	return false;
}

/* Conditions 2 and 5: classes that may stand inside. */
static bool may_stand_inside(int bidi, bool is_rtl)
{
	switch (bidi) {
	case UC_BIDI_EN:
	case UC_BIDI_ES:
	case UC_BIDI_CS:
	case UC_BIDI_ET:
	case UC_BIDI_ON:
	case UC_BIDI_BN:
	case UC_BIDI_NSM:
		return true;
	case UC_BIDI_L:
		return !is_rtl;
	default:
		return is_rtl && is_rtl_class(bidi);
	}
}

/* Conditions 3 and 6: the last class that is not a non-spacing mark. */
static bool may_stand_last(int bidi, bool is_rtl)
{
	if (bidi == UC_BIDI_EN)
		return true;
	return is_rtl ? is_rtl_class(bidi) : bidi == UC_BIDI_L;
}

bool precis_bidi_holds(const uint32_t *cps, size_t n)
{
	bool has_en = false;
	bool has_an = false;
	bool is_rtl;
	int first;
	size_t last = n;

	if (n == 0 || !has_rtl(cps, n))
		return true;
	first = uc_bidi_class(cps[0]);
	is_rtl = first == UC_BIDI_R || first == UC_BIDI_AL;
	if (!is_rtl && first != UC_BIDI_L) /* condition 1 */
		return false;
	for (size_t i = 0; i < n; i++) {
		int bidi = uc_bidi_class(cps[i]);

		if (!may_stand_inside(bidi, is_rtl))
			return false;
		has_en = has_en || bidi == UC_BIDI_EN;
		has_an = has_an || bidi == UC_BIDI_AN;
	}
	while (last > 1 && uc_bidi_class(cps[last - 1]) == UC_BIDI_NSM)
		last--;
	if (!may_stand_last(uc_bidi_class(cps[last - 1]), is_rtl))
		return false;
	return !(is_rtl && has_en && has_an); /* condition 4 */
}
