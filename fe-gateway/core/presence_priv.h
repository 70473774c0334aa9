/*
 * Inside of presence: presence.c (life, work lists), presence_flight.c (what is
 * in flight), presence_held.c (what waits for the store), presence_dialog.c (a
 * SIP dialog and its requests), presence_sub*.c (OUT: we subscribe),
 * presence_contact*.c and presence_nd*.c (IN: what we know of an XMPP user for
 * one SIP user, and the dialogs that are notified of it), presence_domain.c
 * (domains and their watches), presence_access.c (who may see whom),
 * presence_query.c (for operators).
 */
#ifndef FED_GATEWAY_PRESENCE_PRIV_H
#define FED_GATEWAY_PRESENCE_PRIV_H

#include "base/map.h"
#include "base/ratelimit.h"
#include "base/timer_heap.h"
#include "fe-gateway/core/presence.h"
#include "fe-gateway/core/presence_view.h"

#include <utlist.h>

/* --- items: what has work, deadlines, things in flight ------------------- */

enum presence_item_kind {
	PRESENCE_ITEM_SUB,     /* struct presence_sub: requests, stanzas */
	PRESENCE_ITEM_CONTACT, /* struct presence_contact: stanzas */
	PRESENCE_ITEM_ND,      /* struct presence_nd: requests */
};

/* What the ids of our stanzas begin with, so that errors find back. */
enum { PRESENCE_CONTACT_ID = 'c', PRESENCE_SUB_ID = 's' };

struct presence_flight;
struct presence_domain;
struct presence_share;

/* First member of each. */
struct presence_item {
	enum presence_item_kind kind;
	bool is_sip_due, is_stanza_due; /* asked for, not tried yet */
	bool in_sip_list, in_xmpp_list, in_dirty_list;
	bool is_parked; /* of SIP work: too many of its user are in flight */
	bool is_stanza_parked; /* in_xmpp_list, but in that of its domain */
	bool is_counted;       /* its stanza in flight, by its domain */
	uint64_t seq; /* last row of it: nothing leaves before it is durable */
	uint64_t looked; /* round of presence_access_look() that it had */
	struct timer_node timer;
	struct presence_flight *sip;	       /* its request in flight */
	struct presence_flight *stanza;	       /* its stanza in flight */
	struct presence_item *s_prev, *s_next; /* list of SIP work */
	struct presence_item *x_prev, *x_next; /* list of XMPP work */
	struct presence_item *d_prev, *d_next; /* waits for the store */
	struct presence_domain *domain; /* of the XMPP user; NULL: an ND */
	struct presence_item *w_prev, *w_next; /* list of its watches */
	struct presence_share *share;	       /* of who asked; NULL: an ND */
};

/* A request or stanza whose end is not known. */
struct presence_flight {
	UT_hash_handle hh;
	uint64_t token;
	bool is_sip;
	struct presence_item *item;   /* NULL: gone meanwhile */
	struct presence_share *share; /* of a NOTIFY */
	bool is_flying;		      /* it left */
	bool is_slow;		      /* does not count against the window */
	uint64_t since_ms;
	struct presence_flight *prev, *next; /* requests, by age */
};

/* --- dialogs ------------------------------------------------------------- */

struct presence_dialog {
	UT_hash_handle hh; /* by key */
	enum presence_direction direction;
	struct presence_item *owner; /* a SUB or an ND */
	char *key;		     /* Call-ID, one blank, local tag */
	size_t call_id_len;
	char *remote_tag; /* NULL: none yet */
	char *local_uri;
	char *remote_uri;
	char *target;	/* NULL: none yet */
	char *routes;	/* NULL: none */
	char *event_id; /* NULL: none */
	uint32_t local_cseq;
	uint32_t cseq_ceiling; /* in the store: none above was used */
	uint32_t remote_cseq;
	bool has_remote_cseq;
	bool is_active;	     /* IN: the watcher was told "active" */
	bool is_transient;   /* of a poll: has no row */
	uint64_t expires_ms; /* of our clock */
	uint64_t begun_ms;
};

/* --- what waits for the store -------------------------------------------- */

struct presence_row_copy; /* presence.c */
struct presence_held;	  /* presence.c */

/* A reply as it is held; more than this no reply of presence has. */
struct presence_reply {
	uint64_t handle;
	int status;
	bool has_expires;
	uint32_t expires;
	uint32_t min_expires;
	uint32_t retry_after;
	bool is_dialog; /* a 2xx that makes or refreshes one: Contact */
	char to_tag[ID_TEXT_BYTES + 1]; /* "": none */
	const char *accept;		/* of static storage, or NULL */
	const char *allow_events;
};

struct presence {
	struct presence_params p;
	uint64_t wall_offset_ms; /* wall clock minus our clock */
	bool is_stopping;
	uint64_t now_ms; /* of presence_next_action() */
	uint64_t next_token;
	uint64_t next_id; /* of watches, for cursors */

	struct presence_sub *subs;	   /* by local and remote */
	struct presence_contact *contacts; /* by local and remote */
	struct presence_dialog *dialogs;   /* by key */
	struct presence_domain *domains;   /* by name; of all watches */
	struct timer_heap domain_timers;
	struct presence_share *sub_shares;     /* by XMPP user */
	struct presence_share *contact_shares; /* by SIP user */
	uint64_t alone_ms;  /* no edge is there since; 0: one is */
	bool is_alone_told; /* ... and all contacts are away */

	struct timer_heap timers;
	size_t item_count;
	size_t poll_count; /* watches that are polls of strangers */
	struct presence_item *sip_work, *xmpp_work, *dirty;
	struct presence_flight *flights;
	struct presence_flight *sip_ages; /* requests that left */
	struct presence_flight *sip_fast; /* of them: all before it are slow */
	size_t sip_fast_count, sip_slow_count, stanzas_flying;

	uint64_t last_seq; /* of rows */
	uint64_t committed_seq;
	struct presence_row_copy *rows; /* not given to the owner yet */
	struct presence_held *held_replies, *held_outcomes; /* in order */
	struct presence_held *ready; /* those that may leave */
	size_t held_count;
	struct presence_cursor *cursors;

	const struct federation *federation; /* NULL: nothing is allowed */
	uint64_t round;			     /* of looks at all watches */
	struct presence_cursor walk;	     /* of this round */
	bool is_walking;
	uint64_t walk_ms; /* its next step */

	uint64_t next_slot_us; /* of paced work */
	struct ratelimit warn_rate;

	/* what the last action points into */
	struct arena arena;
	struct sip_request_out request;
	struct sip_reply reply;
	struct presence_row_copy *last_row;
	uint64_t rows_again_ms;	      /* the store had no room: not before */
	uint64_t stuck_seq, stuck_ms; /* presence_held_is_stuck() */
	const struct presence_item *making; /* whose stanza is being made */
};

/* --- presence.c: services ------------------------------------------------ */

/** Count it, make room for its timer. @return 0; FED_ELIMIT; FED_ENOMEM */
int presence_item_add(struct presence *p, struct presence_item *item,
		      enum presence_item_kind kind) FED_NODISCARD;

/** Out of all lists; what is in flight for it ends without it. */
void presence_item_drop(struct presence *p, struct presence_item *item);

/** It has a request (a stanza) to send: presence_*_next_sip()
 * (presence_*_next_stanza()) is called when there is room, nothing of it is
 * in flight, and its rows are durable.  Idempotent. */
void presence_want_sip(struct presence *p, struct presence_item *item);
void presence_want_stanza(struct presence *p, struct presence_item *item);

/** Its one deadline; UINT64_MAX: none.  presence_*_on_time() is called. */
void presence_set_timer(struct presence *p, struct presence_item *item,
			uint64_t at_ms);

/** When it is the turn of one more watch to be repaired. */
uint64_t presence_paced_at(struct presence *p, uint64_t now_ms);

/** A number in 0..below-1, for jitter; 0 for 0. */
uint64_t presence_jitter(struct presence *p, uint64_t below);

/** Have a row written; item->seq becomes its number.  item NULL: nobody waits
 * for it. @return 0; FED_ELIMIT the store is behind; FED_ENOMEM */
int presence_put_row(struct presence *p, struct presence_item *item,
		     const struct presence_row *row) FED_NODISCARD;

/** Time of the wall for one of our clock, and back (0 if before its
 * begin). */
uint64_t presence_wall_ms(const struct presence *p, uint64_t at_ms);
uint64_t presence_clock_ms(const struct presence *p, uint64_t wall_ms);

/** Answer when all rows up to seq are durable; 0: at once.  After
 * LIMIT_PRESENCE_HELD of them wait, or LIMIT_PRESENCE_HELD_MS, a 500. */
void presence_answer(struct presence *p, const struct presence_reply *r,
		     uint64_t seq);

/** presence_answer() at once, with a status and nothing else. */
void presence_answer_status(struct presence *p, uint64_t handle, int status);

/** The Outcome of a stanza: delivered, or refused with the condition. */
void presence_outcome(struct presence *p, size_t edge, uint64_t ref,
		      Fed__Condition refused, uint64_t seq);

/**
 * A presence stanza in p->arena as the action.  For presence_*_next_stanza().
 *
 * @param from, to  JIDs; resource: appended to from, "": none
 * @param id        NULL: a new one
 * @return the presence part, to be filled; NULL: no memory, no action
 */
Fed__Presence *presence_make_stanza(struct presence *p,
				    struct presence_action *out,
				    const char *from, const char *resource,
				    const char *to, const char *id,
				    Fed__PresenceType type);

/** Show, priority and notes of an open or a closed resource; false: no
 * memory. */
bool presence_fill_stanza(struct presence *p, Fed__Presence *to,
			  const struct presence_resource *r);

/** A resource as the stanza has it; its strings are the stanza's.  Names that
 * are longer than LIMIT_PRESENCE_NOTE_BYTES are not cut, notes are. */
void presence_read_stanza(const Fed__Stanza *s, struct span name,
			  struct presence_resource *out);

/* --- presence_held.c, for presence.c ------------------------------------- */

/** The next row for the owner, the next answer that may leave. */
bool presence_next_row(struct presence *p, struct presence_action *out);
bool presence_next_held(struct presence *p, struct presence_action *out);

/** A disk that stands still: SIP is answered in time all the same. */
void presence_held_on_time(struct presence *p, uint64_t now_ms);
uint64_t presence_held_deadline_ms(const struct presence *p);
bool presence_held_is_empty(const struct presence *p);
void presence_held_free_all(struct presence *p);

/** An Outcome waits for the disk for so long that no more should. */
bool presence_held_is_stuck(const struct presence *p, uint64_t now_ms);

/** When rows that found no room are given out again; UINT64_MAX: none. */
uint64_t presence_rows_deadline_ms(const struct presence *p);

/** presence.c: items whose rows are durable now go on. */
void presence_work_committed(struct presence *p);

/* --- presence_query.c, for presence.c ------------------------------------ */

/** The item goes: cursors that stand at it move on. */
void presence_query_leave(struct presence *p, struct presence_item *item);

/** The next one of all watches; NULL: the walk is over. */
struct presence_item *presence_query_step(struct presence *p,
					  struct presence_cursor *c);

/** Log line of a watch: event=presence what=... local=... remote=... */
void presence_log(const struct presence *p, enum fed_log_level level,
		  const char *what, const char *local, const char *remote,
		  const char *detail);

/** Log line of an authorization that changed. */
void presence_log_auth(const struct presence *p,
		       enum presence_direction direction, const char *local,
		       const char *remote, enum presence_auth auth);

/* --- presence_access.c --------------------------------------------------- */

/**
 * Whoever is about to do something for a watch asks this first, if its gates
 * were not looked at since the configuration changed.
 *
 * @return they changed: it was hidden or comes back, and is settled, or it is
 *         gone
 */
bool presence_access_look(struct presence *p, struct presence_item *item,
			  uint64_t now_ms);

/** The SIP user has a contact that he had not, or the reverse: what the XMPP
 * user may see of him may be another thing now. */
void presence_access_contact(struct presence *p, struct presence_contact *c,
			     uint64_t now_ms);

/** Log line of gates that opened or closed for a watch. */
void presence_log_access(const struct presence *p,
			 enum presence_direction direction, const char *local,
			 const char *remote, const struct access_verdict *v);

/** For presence.c: steps of the walk. */
void presence_access_walk(struct presence *p, uint64_t now_ms);
uint64_t presence_access_deadline_ms(const struct presence *p);

/** Seconds that we ask for, and the longest that we grant. */
uint32_t presence_expires_s(const struct presence *p);
uint32_t presence_expires_max_s(const struct presence *p);

/* --- presence_dialog.c --------------------------------------------------- */

/** A new one of which we are the subscriber: Call-ID, tag and CSeq are drawn.
 * @return NULL: no memory */
struct presence_dialog *presence_dialog_new(struct presence *p,
					    struct presence_item *owner,
					    const char *local_uri,
					    const char *remote_uri,
					    uint64_t now_ms);

/** A new one that an initial SUBSCRIBE asks for: we are the notifier, our tag
 * is drawn; route set and target are the request's. @return NULL: no memory,
 * or the request has no usable Contact */
struct presence_dialog *presence_dialog_accept(struct presence *p,
					       struct presence_item *owner,
					       const struct sip_request_in *q,
					       uint64_t now_ms);

/** The one that a row tells of, its owner not yet set; NULL: no memory, or
 * not what we write. */
struct presence_dialog *presence_dialog_restore(
	struct presence *p, const struct presence_dialog_row *row,
	uint64_t now_ms);

void presence_dialog_free(struct presence *p, struct presence_dialog *d);

/** The one that a request with a To tag belongs to (RFC 3261 12.2.2), or that
 * a NOTIFY before the 200 belongs to; NULL: none. */
struct presence_dialog *presence_dialog_find(struct presence *p,
					     struct span call_id,
					     struct span local_tag);

/** Call-ID and tag of this side. */
struct span presence_dialog_call_id(const struct presence_dialog *d);
const char *presence_dialog_local_tag(const struct presence_dialog *d);

/** The request's CSeq is in order (RFC 3261 12.2.2), and is remembered; the
 * target is refreshed from its Contact; false: it is an old one: 500. */
bool presence_dialog_take_request(struct presence_dialog *d,
				  const struct sip_request_in *q);

/** Remote tag, route set (reversed: RFC 3261 12.1.2) and target of the 2xx of
 * our SUBSCRIBE, unless they are known.  The first NOTIFY's route set (in
 * order) takes its place (RFC 6665 4.4.1); of the two, whichever comes first,
 * one that has none leaves it to the other.
 * @return 0; FED_EINVAL, FED_ELIMIT of Record-Route; FED_ENOMEM */
int presence_dialog_learn_response(struct presence_dialog *d,
				   const struct sip_response_in *r)
	FED_NODISCARD;
int presence_dialog_learn_notify(struct presence_dialog *d,
				 const struct sip_request_in *q) FED_NODISCARD;

/** The next request of the dialog, in p->arena: p->request, and the action
 * without its token.  Adds what the method needs by itself: Contact, Event
 * (with id), Accept of a SUBSCRIBE.  @return 0; FED_EAGAIN the first one of
 * this run waits for its row: once more when it is durable; FED_EINVAL no
 * request can be sent to that target; FED_ENOMEM; FED_ELIMIT the store is
 * behind */
int presence_dialog_request(struct presence *p, struct presence_dialog *d,
			    const char *method, const char *local,
			    const char *remote,
			    struct presence_action *out) FED_NODISCARD;

/** Have the dialog's row written (deleted). @return as presence_put_row() */
int presence_dialog_put(struct presence *p, struct presence_dialog *d,
			const char *local, const char *remote,
			bool is_deleted) FED_NODISCARD;

/* --- presence_domain.c --------------------------------------------------- */

/** The watch is one of a user of remote's domain, until it is dropped.
 * @return 0; FED_ENOMEM */
int presence_domain_join(struct presence *p, struct presence_item *item,
			 const char *remote) FED_NODISCARD;

/** For presence_item_drop(). */
void presence_domain_leave(struct presence *p, struct presence_item *item);

/** A stanza of it leaves (has ended). */
void presence_domain_flies(struct presence_item *item);
void presence_domain_landed(struct presence *p, struct presence_item *item);

/** It is the first in the list of XMPP work; true: its domain has enough in
 * flight, and it waits there. */
bool presence_domain_park(struct presence *p, struct presence_item *item);

/** It does not use its turn: the next one of its domain is listed again. */
void presence_domain_pass(struct presence *p, struct presence_item *item);

/** Out of the list of its domain. */
void presence_domain_unpark(struct presence_item *item);

/** One more OUT watch of that domain may be. */
bool presence_domain_has_room(struct presence *p, struct span domain);

/** A stanza to it was refused as if it could not be reached, or it was
 * delivered, or something came from it. */
void presence_domain_failed(struct presence *p, struct span domain,
			    uint64_t now_ms);
void presence_domain_seen(struct presence *p, struct span domain,
			  uint64_t now_ms);

/** Whoever is about to send it a stanza asks this first, from
 * presence_*_next_stanza() only: true: not now, presence_*_domain_back() is
 * called when it can be reached again.  Now and then false although it is
 * away, as a sign of life. */
bool presence_domain_is_away(struct presence *p, struct span domain);

/** The condition says that the domain could not be reached. */
bool presence_is_unreachable(const Fed__Error *e);

/** For presence.c. */
void presence_domain_on_time(struct presence *p, uint64_t now_ms);
uint64_t presence_domain_deadline_ms(const struct presence *p);
void presence_domain_deinit(struct presence *p); /* no watch is left */

/* --- presence_flight.c --------------------------------------------------- */

/** One that is about to leave; NULL: no memory. */
struct presence_flight *presence_flight_new(struct presence *p,
					    struct presence_item *item,
					    bool is_sip);

/** It leaves. */
void presence_flight_begin(struct presence *p, struct presence_flight *f,
			   uint64_t now_ms);

/** It is over, or did not leave. */
void presence_flight_end(struct presence *p, struct presence_flight *f);

/** It is over: the item that it was for; NULL: gone, or not known. */
struct presence_item *presence_flight_land(struct presence *p, uint64_t token,
					   bool is_sip);

/** One more request may leave. */
bool presence_flight_has_room(struct presence *p, uint64_t now_ms);

/** When it may, because one in flight is slow; UINT64_MAX: nobody waits. */
uint64_t presence_flight_deadline_ms(const struct presence *p);

void presence_flight_free_all(struct presence *p);

/* --- presence_share.c ---------------------------------------------------- */

/** The watch is one that this bare JID asked for, until it is dropped.
 * @return 0; FED_ENOMEM */
int presence_share_join(struct presence *p, struct presence_item *item,
			const char *asker) FED_NODISCARD;

/** For presence_item_drop(). */
void presence_share_leave(struct presence *p, struct presence_item *item);

/** He may have one more, of that kind. */
bool presence_share_has_room(struct presence *p, enum presence_item_kind kind,
			     const char *asker);

/** It is a NOTIFY too many of its SIP user: out of the list of SIP work, and in
 * again when there is room; false: it is not. */
bool presence_share_park(struct presence *p, struct presence_item *item);
void presence_share_unpark(struct presence_item *item);

/** Its request leaves; what comes back is given to presence_share_land() when
 * it ended. */
struct presence_share *presence_share_fly(struct presence_item *item);
void presence_share_land(struct presence *p, struct presence_share *s);

#include "fe-gateway/core/presence_contact.h"
#include "fe-gateway/core/presence_sub.h"

#endif
