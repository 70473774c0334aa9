/*
 * The way of a request inside a dialog (RFC 3261 12.1, 12.2.1.1): what becomes
 * of Record-Route, and what of a route set and a remote target.  Pure.
 */
#ifndef FED_GATEWAY_DIALOG_ROUTE_H
#define FED_GATEWAY_DIALOG_ROUTE_H

#include "base/arena.h"

/* As sip_request_out has them; in the arena. */
struct dialog_route {
	const char *request_uri;
	const char *routes; /* NULL: none */
	const char *destination;
};

/**
 * The entry at *at of a list of name-addr, display name and header parameters
 * included; *at moves behind it.  Commas inside of quotes and <> do not
 * separate; empty entries are skipped.
 *
 * @return 1; 0 there is none left; FED_EINVAL a quote or < that does not end
 */
int dialog_route_next(struct span list, size_t *at,
		      struct span *entry_out) FED_NODISCARD;

/**
 * The route set of one who answered the request that has this Record-Route:
 * the same order.
 *
 * @param records    all values, as one list
 * @param routes_out in the arena; NULL: the list is empty
 * @return 0; FED_EINVAL an entry without a URI in <>; FED_ELIMIT; FED_ENOMEM
 */
int dialog_route_of_request(struct span records, struct arena *a,
			    const char **routes_out) FED_NODISCARD;

/** The route set of one who sent the request whose response has this
 * Record-Route: the reverse order.  As dialog_route_of_request(). */
int dialog_route_of_response(struct span records, struct arena *a,
			     const char **routes_out) FED_NODISCARD;

/**
 * Address a request: loose routers get the target as Request-URI, a strict
 * one (no lr) its own URI, and the target stands at the end of the routes.
 *
 * What a Request-URI may not have is taken off the target: headers, which the
 * SIP library would make headers of ours, and the method.
 *
 * @param routes  of dialog_route_of_*(); empty: none
 * @param target  Contact of the peer, without <>
 * @return 0; FED_EINVAL; FED_ELIMIT; FED_ENOMEM
 */
int dialog_route_request(struct span routes, struct span target,
			 struct arena *a,
			 struct dialog_route *out) FED_NODISCARD;

#endif
