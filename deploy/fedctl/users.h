/*
 * Many users at once: rows of a CSV file, names of options; checked, and
 * nobody twice.
 */
#ifndef FED_FEDCTL_USERS_H
#define FED_FEDCTL_USERS_H

#include "deploy/fedctl/csv.h"

/** Users of the first column become bare JIDs; what is no user, and one that
 * is there twice, is complained of.
 * @return STATUS_DONE; STATUS_FAILED no memory, said */
int users_of_csv(struct session *s, struct arena *a,
		 struct csv *c) FED_NODISCARD;

/** One user that was typed. @return STATUS_DONE; STATUS_USAGE said */
int users_one(struct session *s, struct arena *a, const char *typed,
	      const char **user_out) FED_NODISCARD;

#endif
