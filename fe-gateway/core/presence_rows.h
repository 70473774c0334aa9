/*
 * The durable rows of presence.  Pure: the core makes them, the store keeps
 * them, after a restart the core reads them again.
 */
#ifndef FED_GATEWAY_PRESENCE_ROWS_H
#define FED_GATEWAY_PRESENCE_ROWS_H

#include "base/span.h"

enum presence_direction {
	PRESENCE_OUT, /* an XMPP user watches a SIP user */
	PRESENCE_IN,  /* a SIP user watches an XMPP user */
};

enum presence_auth {
	PRESENCE_NONE,	  /* nothing was asked, or it was refused */
	PRESENCE_PENDING, /* asked, not answered */
	PRESENCE_ALLOWED,
};

enum presence_row_kind { PRESENCE_ROW_WATCH, PRESENCE_ROW_DIALOG };

/* Key: direction, local, remote. */
struct presence_watch_row {
	enum presence_direction direction;
	struct span local;  /* SIP user, bare JID */
	struct span remote; /* XMPP user, bare JID */
	enum presence_auth auth;
	uint64_t since_ms; /* wall clock: of this auth */
	/* OUT: resources of the SIP user that the watcher was told to be
	 * available, separated by '\n'; a line of 0x01: he may not have
	 * heard "subscribed".  With PRESENCE_NONE: he left, and has not
	 * been told that they are gone */
	struct span told;
};

/* Key: call_id, local_tag.  Belongs to a watch, which may be absent: a poll
 * leaves no watch.  Empty spans are absent values. */
struct presence_dialog_row {
	enum presence_direction direction;
	struct span local;
	struct span remote;
	struct span call_id;
	struct span local_tag;
	struct span remote_tag;
	struct span local_uri;	/* of From in our requests, without <> */
	struct span remote_uri; /* of To */
	struct span target;	/* Contact of the peer, without <> */
	struct span routes;	/* Route of our requests, whole value */
	struct span event_id;	/* "id" of Event */
	uint32_t local_cseq;	/* all below it may have been used */
	uint32_t remote_cseq;
	uint64_t expires_ms; /* wall clock */
	bool is_active;	     /* IN: the watcher was told "active" */
};

struct presence_row {
	enum presence_row_kind kind;
	bool is_deleted; /* only the key counts */
	union {
		struct presence_watch_row watch;
		struct presence_dialog_row dialog;
	} u;
};

enum {
	PRESENCE_ROW_SPANS = 10,    /* of a row, at most */
	PRESENCE_ROW_KEY_SPANS = 2, /* the first ones of them */
};

/** "none", "pending", "allowed": for logs and operators. */
const char *presence_auth_name(enum presence_auth auth);

/** The spans of a row, those of its key first, always in the same order.
 * @return how many it has */
size_t presence_row_spans(struct presence_row *row,
			  struct span *out[PRESENCE_ROW_SPANS]);

#endif
