/*
 * What PRECIS allows code point by code point (RFC 8264 sections 8 and 9), the
 * contextual rules (RFC 5892 appendix A) and the Bidi rule (RFC 5893 2).
 * Private to common/xmpp.
 */
#ifndef FED_XMPP_PRECIS_CLASS_H
#define FED_XMPP_PRECIS_CLASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum precis_class {
	PRECIS_PVALID,	    /* allowed in both string classes */
	PRECIS_FREE_PVALID, /* allowed in FreeformClass only */
	PRECIS_CONTEXT,	    /* allowed where its rule holds */
	PRECIS_DISALLOWED,  /* unassigned ones too */
};

/** The derived property of a code point. */
enum precis_class precis_class_of(uint32_t cp);

/** The contextual rule of the code point at cps[at] holds. */
bool precis_context_holds(const uint32_t *cps, size_t n, size_t at);

/** No right-to-left code point, or the six conditions of RFC 5893 hold. */
bool precis_bidi_holds(const uint32_t *cps, size_t n);

#endif
