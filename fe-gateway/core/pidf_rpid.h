/*
 * Words for what a person does: activities of RPID (RFC 4480), of its drafts,
 * and the numbers of Microsoft's servers, against `show` of XMPP.
 */
#ifndef FED_GATEWAY_PIDF_RPID_H
#define FED_GATEWAY_PIDF_RPID_H

#include "base/span.h"
#include "stanza.pb-c.h"

#define PIDF_NS "urn:ietf:params:xml:ns:pidf"
#define PIDF_NS_MODEL "urn:ietf:params:xml:ns:pidf:data-model"
#define PIDF_NS_RPID "urn:ietf:params:xml:ns:pidf:rpid"
/* the draft that Microsoft's servers speak */
#define PIDF_NS_RPID_STATUS "urn:ietf:params:xml:ns:pidf:status:rpid-status"
#define PIDF_NS_CLIENT "jabber:client"

/** RPID, or a draft of it. */
bool pidf_rpid_is_namespace(struct span ns);

/** The show that an activity is worth; NO_SHOW for one that is not known, or
 * keeps nobody from talking. */
Fed__Show pidf_rpid_show(struct span activity);

/** The one of two that says more: xa, dnd, away, none. */
Fed__Show pidf_rpid_stronger(Fed__Show a, Fed__Show b);

/** The activity of a show, "away" or "busy"; NULL: none. */
const char *pidf_rpid_activity(Fed__Show show);

/** The show of jabber:client, exactly; false: it is none. */
bool pidf_show_parse(struct span text, Fed__Show *show_out);

/** The same the other way; NULL for NO_SHOW. */
const char *pidf_show_name(Fed__Show show);

enum pidf_basic { PIDF_UNKNOWN, PIDF_OPEN, PIDF_CLOSED };

/* What a number says: neither, one or both. */
struct pidf_availability {
	enum pidf_basic basic;
	Fed__Show show;
};

/** "availability" of Lync: ranges from 3500 to 18500. */
struct pidf_availability pidf_lync_availability(uint32_t number);

/** aggregate='' of "availability" (is_activity: of "activity") in documents
 * of Live Communications Server, 0..999; numbers above are Lync's. */
struct pidf_availability pidf_lync_aggregate(uint32_t number, bool is_activity);

#endif
