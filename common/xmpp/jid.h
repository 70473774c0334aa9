/*
 * JIDs (RFC 7622) and domain names.  localpart: PRECIS UsernameCaseMapped
 * (RFC 8265 3.3), resourcepart: OpaqueString (RFC 8265 4.2), or unchanged
 * where that refuses it and it is UTF-8 without controls; domainpart: IDNA2008
 * U-labels in lower case.
 */
#ifndef FED_XMPP_JID_H
#define FED_XMPP_JID_H

#include "base/limits.h"
#include "base/span.h"

/* A normalized JID, all parts in one block owned by the struct. */
struct jid {
	char text[LIMIT_JID_BYTES + 1]; /* local@domain/resource */
	size_t local_n;			/* bytes of the localpart, 0: none */
	size_t domain_at;		/* offset of the domainpart */
	size_t domain_n;
	size_t resource_at; /* offset of the resourcepart, 0 when none */
	size_t resource_n;
};

/**
 * Split and normalize.  The split comes first, before any mapping
 * (RFC 7622 3.1): first '/', then the first '@' before it.
 *
 * @return 0; FED_EINVAL not a JID (empty part, forbidden character, bad
 *         UTF-8); FED_ELIMIT a part is over 1023 bytes; FED_ENOMEM
 */
int jid_parse(struct span in, struct jid *jid_out) FED_NODISCARD;

/**
 * Build from parts that are normalized here; local and resource may be empty
 * spans (none).  Errors as jid_parse().
 */
int jid_make(struct span local, struct span domain, struct span resource,
	     struct jid *jid_out) FED_NODISCARD;

/** Parts; empty span when absent.  They live as long as the jid. */
struct span jid_local(const struct jid *j);
struct span jid_domain(const struct jid *j);
struct span jid_resource(const struct jid *j);

/** local@domain or domain, without the resource. */
struct span jid_bare(const struct jid *j);

/** The whole text. */
struct span jid_full(const struct jid *j);

/* The three parts of JID text without normalization: for stanzas that were
 * normalized at the edge.  Borrowed from the text. */
struct jid_parts {
	struct span local;
	struct span domain;
	struct span resource;
	struct span bare;
};

/** Split only, never fails; garbage in gives garbage spans out. */
struct jid_parts jid_split(struct span text);

/**
 * Normalize a domainpart: one trailing dot dropped, lower case, A-labels to
 * U-labels, IDNA2008 checked; IPv4 and [IPv6] literals pass.
 *
 * @param out      NUL-terminated result
 * @param out_size bytes at out, LIMIT_DOMAIN_BYTES + 1 is always enough
 * @return 0; FED_EINVAL; FED_ELIMIT
 */
int domain_normalize(struct span in, char *out, size_t out_size) FED_NODISCARD;

/**
 * The ASCII form (A-labels, lower case) for DNS, certificates and SIP.
 * Parameters and errors as domain_normalize().
 */
int domain_to_ascii(struct span in, char *out, size_t out_size) FED_NODISCARD;

/**
 * PRECIS preparation of one part, exposed for the address algorithms.
 * UsernameCaseMapped without the exclusion of the nine characters that JIDs
 * forbid (those are escaped by the caller): width mapping, lower case, NFC.
 *
 * @param out  at least LIMIT_JID_PART_BYTES + 1 bytes, NUL-terminated
 * @return 0; FED_EINVAL forbidden code point, control, bad UTF-8;
 *         FED_ELIMIT; FED_ENOMEM
 */
int precis_fold_username(struct span in, char *out,
			 size_t out_size) FED_NODISCARD;

#endif
