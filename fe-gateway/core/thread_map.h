/*
 * What is remembered of a pair of users between messages, bounded: which
 * Call-ID stands for a thread that is not one itself (RFC 7572 4, 5), and
 * whether the XMPP user last wrote with type chat.
 */
#ifndef FED_GATEWAY_THREAD_MAP_H
#define FED_GATEWAY_THREAD_MAP_H

#include "base/arena.h"
#include "base/limits.h"

struct thread_map;

/** @param max  most entries; the one not used for longest goes
 * @return 0; FED_ENOMEM */
int thread_map_new(struct thread_map **m_out, size_t max) FED_NODISCARD;
void thread_map_free(struct thread_map *m);

/** The text is a Call-ID (RFC 3261 25.1: word ["@" word]) of bearable length
 * and can stand for itself. */
bool thread_is_call_id(struct span thread);

/**
 * The Call-ID for a thread.  One that is a Call-ID stands for itself and is
 * not remembered; for others it is a digest of users and thread, the same on
 * every gateway, and the way back is remembered.
 *
 * @param xmpp,sip  bare JIDs of the two users: a thread means nothing beyond
 *                  its pair, since peers choose it freely
 * @return NUL-terminated, in the arena; NULL: out of memory
 */
const char *thread_map_call_id(struct thread_map *m, struct span xmpp,
			       struct span sip, struct span thread,
			       struct arena *a) FED_NODISCARD;

/** The thread of a Call-ID between these users; the Call-ID itself when it
 * stands for no other.  Lives until the map changes. */
struct span thread_map_thread(struct thread_map *m, struct span xmpp,
			      struct span sip, struct span call_id);

/** The XMPP user wrote to the SIP user, with type chat or without.
 * Forgetting is allowed, so a failure is none. */
void thread_map_note_type(struct thread_map *m, struct span xmpp,
			  struct span sip, bool is_chat);

/** The XMPP user last wrote with type chat; false when nothing is known. */
bool thread_map_is_chat(struct thread_map *m, struct span xmpp,
			struct span sip);

/** Entries now. */
size_t thread_map_count(const struct thread_map *m);

#endif
