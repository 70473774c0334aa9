/*
 * One request with the memory of its parts.
 */
#ifndef FED_FEDCTL_ASK_H
#define FED_FEDCTL_ASK_H

#include "admin.pb-c.h"
#include "base/err.h"

struct ask {
	Fed__AdminRequest request;
	/* how long the daemon may say nothing; 0: SESSION_PATIENCE_S */
	unsigned patience_s;
	struct errbuf wrong; /* for sentences with what was typed in them */
	union {
		Fed__AdminShow show;
		Fed__AdminLogLevel log_level;
		Fed__AdminPresence presence;
		Fed__AdminFederationStatus federation_status;
		Fed__AdminExplain explain;
		Fed__AdminMap map;
		Fed__AdminTest test;
	} part;
};

/** Empty request. */
void ask_init(struct ask *a);

/** One of the lists.  Always NULL: nothing can be wrong. */
const char *ask_show(struct ask *a, Fed__AdminShow__What what);

/** @return NULL, or what is wrong with the level */
const char *ask_log_level(struct ask *a, const char *level);

/** @return NULL, or what is wrong with the target */
const char *ask_presence(struct ask *a, Fed__AdminPresence__What what,
			 const char *target);

#endif
