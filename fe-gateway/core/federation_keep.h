/*
 * What came of a change, kept for who is told of it later: the core goes on
 * before all of it is told.  Pure.
 */
#ifndef FED_GATEWAY_FEDERATION_KEEP_H
#define FED_GATEWAY_FEDERATION_KEEP_H

#include "admin.pb-c.h"
#include "base/arena.h"
#include "base/err.h"

/**
 * Copy what came of it.
 *
 * @param error        NULL: it is in force
 * @param changed_out  in a; NULL: e has the sentence
 * @param e            the error; or that it is done, and cannot be told: it is
 *                     in force all the same
 */
void federation_keep(const Fed__FederationChanged *changed, const char *error,
		     struct arena *a, Fed__FederationChanged **changed_out,
		     struct errbuf *e);

#endif
