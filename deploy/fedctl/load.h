/*
 * What an operator hands over: a file, or stdin.
 */
#ifndef FED_FEDCTL_LOAD_H
#define FED_FEDCTL_LOAD_H

#include "base/arena.h"
#include "deploy/fedctl/session.h"

/** What a file is called in complaints. */
const char *load_name(const char *path);

/**
 * All of a file, at most LIMIT_ADMIN_REQUEST_BYTES.
 *
 * @param path  "-": stdin
 * @return STATUS_DONE; STATUS_FAILED why was said
 */
int load_file(struct session *s, struct arena *a, const char *path,
	      struct span *out) FED_NODISCARD;

#endif
