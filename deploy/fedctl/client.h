/*
 * The connection to a daemon's admin socket: blocking, one request after the
 * other.
 */
#ifndef FED_FEDCTL_CLIENT_H
#define FED_FEDCTL_CLIENT_H

#include "chan/admin_codec.h"

struct client {
	const char *path;
	int fd; /* -1: not connected */
	unsigned patience_s;
	struct buf in;
	struct arena arena;
};

/** Always makes one that client_deinit() takes; the path is borrowed. */
void client_init(struct client *c, const char *path);
void client_deinit(struct client *c);

/**
 * Send a request; the first one connects.
 *
 * @param patience_s  how long the daemon may say nothing
 * @param e           what is wrong and what to do
 * @return 0; FED_EIO; FED_ELIMIT; FED_ENOMEM
 */
int client_ask(struct client *c, const Fed__AdminRequest *r,
	       unsigned patience_s, struct errbuf *e) FED_NODISCARD;

/**
 * Wait for the next response; it lives until the next call.
 *
 * @return 0; FED_EIO the daemon went away or says nothing; FED_EPROTO
 */
int client_next(struct client *c, Fed__AdminResponse **r_out,
		struct errbuf *e) FED_NODISCARD;

#endif
