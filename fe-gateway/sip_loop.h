/*
 * The gateway's loop: sofia's root outside, libuv inside it.  libuv's own
 * event queue is one descriptor among the root's, and the root never waits
 * longer than libuv would.
 */
#ifndef FED_GATEWAY_SIP_LOOP_H
#define FED_GATEWAY_SIP_LOOP_H

#include "io/loop.h"

struct sip_loop;
struct su_root_s;

/**
 * Start sofia in this thread, around a loop.
 *
 * @param loop  borrowed
 * @return 0; FED_EIO; FED_ENOMEM
 */
int sip_loop_new(struct sip_loop **s_out, struct loop *loop) FED_NODISCARD;

/** After everything that was made on the root is gone; NULL is allowed. */
void sip_loop_free(struct sip_loop *s);

/** Run until loop_stop(). */
void sip_loop_run(struct sip_loop *s);

/** A SIP message is about to be given to sofia: those of one turn leave
 * together at its end. */
void sip_loop_message(struct sip_loop *s);

/** sofia's root, for the adapter. */
struct su_root_s *sip_loop_root(struct sip_loop *s);

/** The loop inside. */
struct loop *sip_loop_inner(struct sip_loop *s);

#endif
