/*
 * What would happen between two addresses, and what an address is on the other
 * side: for fedctl.
 */
#ifndef FED_GATEWAY_ADMIN_EXPLAIN_H
#define FED_GATEWAY_ADMIN_EXPLAIN_H

#include "fe-gateway/core/access.h"
#include "fe-gateway/gateway_session.h"
#include "io/admin_server.h"
#include "xmpp/jid.h"

/* One of ours and one of theirs. */
struct gateway_pair {
	struct jid local;  /* SIP user */
	struct jid remote; /* XMPP user, or a domain */
	bool is_swapped;   /* `from` is the remote one */
};

/** A bare JID, a sip:, im:, pres: or xmpp: URI, or a domain.
 * @return 0; as jid_parse() and address_uri_to_jid() */
int gateway_address_parse(struct span text, struct jid *out) FED_NODISCARD;

/** "...is no address". @return NULL: no memory */
char *gateway_address_complain(struct arena *a, const char *text) FED_NODISCARD;

/** The user, or domain, is of one that we serve. */
bool gateway_is_ours(const struct gateway_session *s, const struct jid *j);

/**
 * Whose is which: the domains that we serve say so.
 *
 * @param why_out  when false is returned: a sentence; NULL: no memory
 */
bool gateway_pair_parse(const struct gateway_session *s, const char *from,
			const char *to, struct gateway_pair *out,
			struct arena *a, const char **why_out);

/** The decision that would be made now; q->has_contact is looked up. */
struct access_verdict gateway_access(const struct gateway_session *s,
				     struct access_query *q);

/** The response to explain, and to map. */
enum admin_step gateway_admin_explain(struct gateway_session *s,
				      const struct admin_call *call,
				      struct arena *a, Fed__AdminResponse *out);
enum admin_step gateway_admin_map(const struct gateway_session *s,
				  const struct admin_call *call,
				  struct arena *a, Fed__AdminResponse *out);

#endif
