/*
 * Helpers on the generated stanza structs.  Everything made here lives in the
 * arena that is passed in.
 */
#ifndef FED_XMPP_STANZA_UTIL_H
#define FED_XMPP_STANZA_UTIL_H

#include "base/arena.h"
#include "stanza.pb-c.h"

/** New initialized structs; NULL when the arena is full. */
Fed__Stanza *stanza_new_message(struct arena *a);
Fed__Stanza *stanza_new_presence(struct arena *a);
Fed__Stanza *stanza_new_iq(struct arena *a);

/** Append a body/subject/status entry; lang may be "". 0 or FED_ENOMEM. */
int stanza_add_text(struct arena *a, Fed__Text ***list, size_t *count,
		    struct span lang, struct span text) FED_NODISCARD;

/** The stanza is of type error: it is never answered (RFC 6120 8.3.1). */
bool stanza_is_error(const Fed__Stanza *s);

/** The protocol lets any error be returned: not type error, not iq result, and
 * of presence only subscribe. */
bool stanza_may_be_answered(const Fed__Stanza *s);

/**
 * The error reply (RFC 6120 8.3.1): same kind, type error, addresses swapped,
 * same id.  The original's payload is not copied.  A probe is answered with
 * gone and redirect only.
 *
 * @param error  borrowed by the reply
 * @return NULL when the stanza must not be answered or the arena is full
 */
Fed__Stanza *stanza_error_reply(struct arena *a, const Fed__Stanza *to,
				Fed__Error *error);

/** "message", "presence" or "iq"; "none" when the oneof is empty. */
const char *stanza_kind_name(const Fed__Stanza *s);

/** The error inside, whichever the kind; NULL when there is none. */
const Fed__Error *stanza_get_error(const Fed__Stanza *s);

/**
 * The text to use when only one can be: the one in `lang`, else the one
 * without a language, else the first; NULL when there is none.
 */
const Fed__Text *stanza_pick_text(Fed__Text *const *list, size_t count,
				  const char *lang);

/**
 * What an honest edge never sends: a frame's stanza is checked as hostile
 * input (UTF-8, no NUL, enum ranges, JIDs present and shaped, sizes).
 *
 * @return 0; FED_EPROTO
 */
int stanza_validate(const Fed__Stanza *s) FED_NODISCARD;

#endif
