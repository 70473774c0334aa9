/*
 * The part of a host file that says where the admin socket is; both daemons
 * have it.
 */
#ifndef FED_IO_HOST_ADMIN_H
#define FED_IO_HOST_ADMIN_H

#include "io/host_config.h"

/* "admin", as read; strings are owned. */
struct host_admin {
	char *socket;
};

/* Its schema. */
extern const cyaml_schema_field_t host_admin_fields[];

/** What was not written: /run/PROGRAM/admin.sock.  @return 0; FED_ENOMEM */
int host_admin_fill(struct host_admin *a, const char *program) FED_NODISCARD;

/** Absolute, and short enough for a socket.  @return 0; FED_ECONFIG */
int host_admin_check(const struct host_place *at,
		     const struct host_admin *a) FED_NODISCARD;

#endif
