/*
 * Rules of the edge as plain data: served domains, partners, what their streams
 * may do.  Cores borrow it; the shell changes it as a whole and tells them
 * (S2S_EV_POLICY), so they keep no pointer into it.
 *
 * Of a partner's rules the most special one counts: the domain itself, then
 * the longest "*." pattern, then "*".  A domain that is denied has only the
 * rule of its own name.
 */
#ifndef FED_EDGE_POLICY_H
#define FED_EDGE_POLICY_H

#include "base/buf.h"

enum policy_need { POLICY_OPTIONAL, POLICY_REQUIRED, POLICY_OFF };

struct policy_partner {
	const char *domain; /* normalized, "*.example.org": all below it, "*" */
	enum policy_need tls;
	enum policy_need sasl;
	enum policy_need dialback;
	const char *name; /* its domains share limits; NULL: each has its own */
	bool keep_alive;  /* it sends signs of life */
	unsigned connection_limit; /* both directions; 0: the edge's own */
	const char *proxy_host;	   /* instead of SRV; NULL: none */
	uint32_t stanzas_per_s;	   /* from it; 0: no limit */
	uint32_t bytes_per_s;	   /* the same */
};

struct policy {
	const char *const *domains; /* served, normalized (domain_normalize) */
	size_t domain_count;
	const struct policy_partner *partners; /* in policy_sort()'s order */
	size_t partner_count;
	struct span dialback_secret; /* at least 16 bytes */
	size_t stanza_max;	     /* bytes */
	bool bidi;		     /* XEP-0288, in both roles */
	const char *const *denied;   /* in policy_sort_denied()'s order */
	size_t denied_count;
	size_t connection_limit; /* streams in all; 0: the host file's */
	uint64_t keep_alive_ms;	 /* silence that is allowed; 0: any */
	uint64_t setup_ms;	 /* of a stream; 0: LIMIT_STREAM_SETUP_MS */
	uint64_t idle_ms;	 /* 0: LIMIT_STREAM_IDLE_MS */
};

/** Bring rules into the order in which policy_find() looks for them. */
void policy_sort(struct policy_partner *partners, size_t count);
void policy_sort_denied(const char **denied, size_t count);

/** We serve that domain (normalized). */
bool policy_serves(const struct policy *p, struct span domain);

/** The rule for a peer domain (normalized); NULL: not a partner. */
const struct policy_partner *policy_find(const struct policy *p,
					 struct span domain);

/** The rule under which a pair may have streams; NULL: it may not: ours is not
 * served, or the other one is, or is no partner. */
const struct policy_partner *policy_of_pair(const struct policy *p,
					    const char *local,
					    const char *remote);

/** What the limits of a domain's streams are counted by: its partner's name;
 * its own where the rule is one for strangers. */
const char *policy_limit_name(const struct policy_partner *rule,
			      const char *domain);

/** Time from the first byte to an authenticated stream, and without a stanza
 * on one. */
uint64_t policy_setup_ms(const struct policy *p);
uint64_t policy_idle_ms(const struct policy *p);

#endif
