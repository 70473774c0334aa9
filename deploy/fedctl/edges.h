/*
 * Questions that edges answer: asked of one of them, or, where the daemon is a
 * gateway and no --edge was named, of each it has.
 */
#ifndef FED_FEDCTL_EDGES_H
#define FED_FEDCTL_EDGES_H

#include "deploy/fedctl/session.h"

/** Ask, and show findings and verdicts as one answer; those of several edges
 * begin with their names.  @return as session_show() */
int edges_show(struct session *s, Fed__AdminRequest *r,
	       const struct show *how) FED_NODISCARD;

#endif
