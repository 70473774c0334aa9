/*
 * Inside of OUT watches: presence_sub.c (life, rows, timer),
 * presence_sub_ask.c (stanzas of the watcher), presence_sub_sip.c (dialogs
 * and requests), presence_sub_response.c, presence_sub_notify.c,
 * presence_sub_xmpp.c (stanzas to the watcher), presence_sub_access.c (gates
 * that open and close), presence_sub_restore.c (restart, repair, stop,
 * operators).
 *
 * Each event changes the state and ends in presence_sub_settle(), which sees
 * to rows, work lists and the timer, and frees a watch that is over.
 */
#ifndef FED_GATEWAY_PRESENCE_SUB_PRIV_H
#define FED_GATEWAY_PRESENCE_SUB_PRIV_H

#include "fe-gateway/core/presence_priv.h"

/* Priority of a told resource of which no more is known than that it was told
 * to be there: it equals no real one. */
enum { PRESENCE_STALE = 1000 };

/* A line of the row that is no resource (RFC 7622 3.4.1: no controls):
 * "subscribed" is not known to have arrived. */
#define PRESENCE_OWED "\x01"

/* --- presence_sub.c ------------------------------------------------------ */

/** A new watch without authorization. @return NULL: a limit, or no memory */
struct presence_sub *presence_sub_new(struct presence *p, const char *local,
				      const char *remote);

/** The end of each event: nothing may touch the watch after it. */
void presence_sub_settle(struct presence *p, struct presence_sub *s,
			 uint64_t now_ms);

/** Its timer, after a deadline was changed outside of an event. */
void presence_sub_arm(struct presence *p, struct presence_sub *s,
		      uint64_t now_ms);

/** "asking" ..., for logs and operators. */
const char *presence_sub_state_name(const struct presence_sub *s);

void presence_sub_set_state(struct presence *p, struct presence_sub *s,
			    enum presence_sub_state to, const char *why);

/** The row as it should be now. @return as presence_put_row() */
int presence_sub_put(struct presence *p, struct presence_sub *s);

/** Authorization as from now on; its row is due. */
void presence_sub_set_auth(struct presence *p, struct presence_sub *s,
			   enum presence_auth auth, uint64_t now_ms);

/** The resource is not known any more (is known to be nowhere). */
void presence_sub_forget_doc(struct presence_sub *s, bool is_known);

/* --- presence_sub_sip.c -------------------------------------------------- */

/** The dialog and its row go. */
void presence_sub_forget_dialog(struct presence *p, struct presence_sub *s,
				struct presence_dialog *d);

/** A new dialog, now; the old one is forgotten. */
void presence_sub_begin(struct presence *p, struct presence_sub *s,
			const char *why, uint64_t now_ms);

/** The same, but not too often. */
void presence_sub_renew(struct presence *p, struct presence_sub *s,
			const char *why, uint64_t now_ms);

/** The same, after the back-off, and at least so many seconds. */
void presence_sub_back_off(struct presence *p, struct presence_sub *s,
			   uint32_t at_least_s, const char *why,
			   uint64_t now_ms);

/** The same, after so long. */
void presence_sub_wait(struct presence *p, struct presence_sub *s,
		       uint64_t wait_ms, const char *why, uint64_t now_ms);

/** No dialog any more. */
void presence_sub_quiet(struct presence *p, struct presence_sub *s,
			const char *why, uint64_t now_ms);

/** The dialog is not wanted any more: end it at the SIP side. */
void presence_sub_end(struct presence *p, struct presence_sub *s,
		      const char *why, uint64_t now_ms);

/** It has ended. */
void presence_sub_ended(struct presence *p, struct presence_sub *s,
			const char *why, uint64_t now_ms);

/** The watcher showed interest: an own back-off is cut short. */
void presence_sub_poke(struct presence *p, struct presence_sub *s,
		       uint64_t now_ms);

/** The SIP side says no for good: "unsubscribed". */
void presence_sub_cancel(struct presence *p, struct presence_sub *s,
			 const char *why, uint64_t now_ms);

/** What is known may not be true any more. */
void presence_sub_doubt(struct presence *p, struct presence_sub *s,
			uint64_t now_ms);

/** The try failed: the watcher is told once while he waits. */
void presence_sub_tell_failed(struct presence_sub *s, int error);

/** The next wait of a row of failures, longer each time. */
uint64_t presence_sub_back_off_ms(struct presence *p, struct presence_sub *s);

/** A wait that the SIP side asks for. */
uint64_t presence_sub_bounded_ms(uint32_t seconds);

/** Deadlines that passed. */
void presence_sub_act(struct presence *p, struct presence_sub *s,
		      uint64_t now_ms);

/** The request that is due. */
enum presence_sub_request presence_sub_due(const struct presence_sub *s);

/* --- presence_sub_response.c --------------------------------------------- */

/** Lifetime of the dialog, from now on. */
void presence_sub_set_expiry(struct presence *p, struct presence_sub *s,
			     uint64_t lifetime_s, uint64_t now_ms);

/* --- presence_sub_ask.c -------------------------------------------------- */

/** The watcher's side answered with an error: after many of them he is left
 * alone until he asks again. */
void presence_sub_count_error(struct presence *p, struct presence_sub *s,
			      uint64_t now_ms);

/** He asks again. */
void presence_sub_unmute(struct presence_sub *s);

/* --- presence_sub_xmpp.c ------------------------------------------------- */

/** What is to be said next; *r_out: the resource, in `doc` or `told`. */
enum presence_sub_say presence_sub_pick(const struct presence *p,
					const struct presence_sub *s,
					const struct presence_resource **r_out);

/** "subscribed" could not be said: from now on it is tried again. */
void presence_sub_promise(struct presence_sub *s);

/** All that was told is to be said again. */
void presence_sub_make_stale(struct presence_sub *s);

/** Who asks is answered; in the place of an earlier one. */
int presence_sub_set_answer(struct presence_sub *s, struct span to,
			    struct span id, struct span resource) FED_NODISCARD;
void presence_sub_drop_answer(struct presence_sub *s);

/** Said in full: it goes. */
void presence_sub_trim_answer(struct presence_sub *s);

#endif
