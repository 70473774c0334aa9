/*
 * PIDF (RFC 3863) with what RPID (RFC 4480), the data model (RFC 4479) and RFC
 * 8048 put into it, to a view and back.
 */
#ifndef FED_GATEWAY_PIDF_H
#define FED_GATEWAY_PIDF_H

#include "base/buf.h"
#include "fe-gateway/core/presence_view.h"

#define PIDF_TYPE "application/pidf+xml"

enum pidf_profile {
	PIDF_STANDARD, /* one tuple for each resource, RFC 8048 4 */
	/* one tuple for all, activities "busy" and "away" only, in the
	 * namespaces that Lync's family reads */
	PIDF_LYNC,
};

struct pidf_write_params {
	enum pidf_profile profile;
	struct span entity;    /* bare JID of the presentity */
	uint64_t timestamp_ms; /* since 1970; two documents of a dialog never
				* have the same */
};

/**
 * Append the document of a view, at most LIMIT_PIDF_BYTES: when it would be
 * more, notes stand once for all and contacts are left out.  An empty view is
 * one closed tuple; the best resource comes first, closed ones come last.  A
 * resource of negative priority has no priority (RFC 8048 4.1).  Tuple ids are
 * NCNames made of the names, the same for the same name.
 *
 * @param out       as before when this fails
 * @param lang_out  for Content-Language: the language of all notes when they
 *                  have one in common; else empty.  Lives as long as the view
 * @return 0; FED_ELIMIT `out` is full; FED_EINVAL the entity; FED_ENOMEM
 */
int pidf_write(const struct pidf_write_params *p,
	       const struct presence_view *view, struct buf *out,
	       struct span *lang_out) FED_NODISCARD;

/**
 * Read a document from SIP into a view, which is cleared before.  Hostile
 * input: no DTD, no entity but the five, bounded depth, attributes, tuples,
 * notes, sizes.  Unknown elements are passed over.  Tuples without basic are
 * ignored; a document without a tuple is an empty view.  Names are tuple ids
 * without "ID-", unescaped where pidf_write() made them, made fit for a
 * resource otherwise.  Closed tuples are in the view, closed.
 *
 * @param lang  Content-Language, for notes without xml:lang; may be empty
 * @return 0; FED_EXML not well-formed or no PIDF; FED_ERESTRICTED a DTD;
 *         FED_EENCODING; FED_ELIMIT; FED_ENOMEM: the view is empty then
 */
int pidf_read(struct span doc, struct span lang,
	      struct presence_view *view) FED_NODISCARD;

#endif
