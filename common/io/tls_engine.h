/*
 * TLS on memory: ciphertext in, plaintext and ciphertext out; no socket, no
 * thread.
 *
 * A full handshake costs 5 ms for its private and public keys.  The engine
 * stops before such a step, and its owner has tls_engine_work() called where
 * that does not hurt: in a worker thread.
 */
#ifndef FED_IO_TLS_ENGINE_H
#define FED_IO_TLS_ENGINE_H

#include "base/buf.h"
#include "base/tls_facts.h"
#include "io/tls_creds.h"

struct tls_engine;

/**
 * New engine, nothing sent yet.
 *
 * @param out  borrowed for the engine's life: ciphertext is appended here
 * @return 0; FED_ENOTFOUND no such identity; FED_ENOMEM
 */
int tls_engine_new(struct tls_engine **e_out, struct tls_creds *creds,
		   const struct tls_params *p, struct buf *out) FED_NODISCARD;

/** Free; NULL is allowed. */
void tls_engine_free(struct tls_engine *e);

/** Ciphertext to work on next; borrowed until it is used up or replaced.
 * What is left of an earlier feed is forgotten. */
void tls_engine_feed(struct tls_engine *e, struct span in);

/** What was fed and not yet taken. */
struct span tls_engine_left(const struct tls_engine *e);

/**
 * Go on with the handshake.
 *
 * @return 0 done: facts are there; FED_EAGAIN needs more input;
 *         FED_EBUSY tls_engine_work() is due, then this again;
 *         FED_ETLS failed: an alert may be in out; FED_ENOMEM
 */
int tls_engine_handshake(struct tls_engine *e) FED_NODISCARD;

/**
 * Do what costs milliseconds, until more input is needed.  The only function
 * that any thread may call, after tls_engine_claim(); meanwhile nobody else
 * touches the engine, what it was fed, or its out.
 */
void tls_engine_work(struct tls_engine *e);

/** Make it the one that works with its slot of the credentials; false:
 * another does, try again when that one is done.  The loop's thread only. */
bool tls_engine_claim(struct tls_engine *e);

/** A peer without a certificate of our own CA is refused: not for strangers. */
bool tls_engine_is_private(const struct tls_engine *e);

/** The work is done.  The loop's thread only. */
void tls_engine_release(struct tls_engine *e);

/** The handshake is done. */
bool tls_engine_is_up(const struct tls_engine *e);

/**
 * Decrypt up to size bytes.
 *
 * @return 0; FED_EAGAIN needs more input; FED_ECLOSED close_notify;
 *         FED_ETLS; FED_ENOMEM
 */
int tls_engine_read(struct tls_engine *e, char *to, size_t size,
		    size_t *n_out) FED_NODISCARD;

/** Encrypt all of it into out.  @return 0; FED_ETLS; FED_ENOMEM */
int tls_engine_write(struct tls_engine *e, struct span plain) FED_NODISCARD;

/** Put close_notify into out; once, and only when up. */
void tls_engine_close_notify(struct tls_engine *e);

/** Facts; NULL before the handshake is done; live as the engine. */
const struct tls_facts *tls_engine_facts(const struct tls_engine *e);

/** The last failure, for a human. */
const char *tls_engine_problem(const struct tls_engine *e);

/** The peer's certificate has that dNSName, exact or by wildcard. */
bool tls_engine_peer_has_name(const struct tls_engine *e, const char *name);

#endif
