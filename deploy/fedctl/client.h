/*
 * The connection to a daemon's admin socket: blocking, one request.
 */
#ifndef FED_FEDCTL_CLIENT_H
#define FED_FEDCTL_CLIENT_H

#include "chan/admin_codec.h"

struct client {
	int fd;
	struct buf in;
	struct arena arena;
};

/** Always returns one that client_deinit() takes. */
void client_init(struct client *c);
void client_deinit(struct client *c);

/**
 * Connect.
 *
 * @param e  what is wrong and what to do
 * @return 0; FED_EIO
 */
int client_connect(struct client *c, const char *path,
		   struct errbuf *e) FED_NODISCARD;

/** Send. @return 0; FED_EIO; FED_ELIMIT; FED_ENOMEM */
int client_ask(struct client *c, const Fed__AdminRequest *r,
	       struct errbuf *e) FED_NODISCARD;

/**
 * Wait for the next response; it lives until the next call.
 *
 * @return 0; FED_EIO the daemon went away or says nothing; FED_EPROTO
 */
int client_next(struct client *c, Fed__AdminResponse **r_out,
		struct errbuf *e) FED_NODISCARD;

#endif
