/*
 * What DNS said of a domain, piece by piece, for those who explain it.  Plain
 * data, filled by the shell of the resolver.
 */
#ifndef FED_EDGE_DNS_FACTS_H
#define FED_EDGE_DNS_FACTS_H

#include "base/buf.h"
#include "edge-proxy/core/srv_plan.h"

enum dns_fact {
	DNS_FACT_UNKNOWN, /* not asked, or no answer yet */
	DNS_FACT_DATA,
	DNS_FACT_NONE,	  /* the name has none of that type */
	DNS_FACT_NO_NAME, /* the name does not exist */
	DNS_FACT_FAILED,
};

/* The answer to one question. */
struct dns_facts_answer {
	enum dns_fact fact;
	bool is_secure; /* DNSSEC vouched for it */
	uint32_t ttl_s;
	char problem[64]; /* FAILED: a few words */
};

struct dns_facts_address {
	bool is_v6;
	unsigned char raw[16]; /* in network order, 4 of them for IPv4 */
};

/* One target. */
struct dns_facts_host {
	char name[256];
	uint16_t priority;
	uint16_t weight;
	uint16_t port;
	bool is_direct_tls;
	struct dns_facts_answer a;
	struct dns_facts_answer aaaa;
	struct dns_facts_address address[2 * LIMIT_TARGET_ADDRESSES];
	size_t address_count;
};

enum { DNS_FACTS_XMPP, DNS_FACTS_XMPPS, DNS_FACTS_SERVICES };

struct dns_facts {
	struct dns_facts_answer srv[DNS_FACTS_SERVICES];
	struct srv_record rec[2 * LIMIT_SRV_TARGETS]; /* as they came */
	size_t rec_count;
	struct dns_facts_host host[LIMIT_SRV_TARGETS]; /* in order of use */
	size_t host_count;
	bool is_fallback; /* no SRV records: the domain's own address */
	bool is_host;	  /* one host was asked for, without SRV */
};

/** "_xmpp-server" or "_xmpps-server". */
const char *dns_facts_service(size_t which);

/** "192.0.2.1" */
void dns_facts_address_text(const struct dns_facts_address *from, char *out,
			    size_t out_size);

/** One line of a zone without the name: "10 0 5269 a.example." */
void dns_facts_put_srv(struct buf *out, const struct srv_record *rec);

/** The records of both services in one line; "" before any was asked. */
void dns_facts_put_records(struct buf *out, const struct dns_facts *f);

/** The addresses of all targets in one line; "" before any was asked. */
void dns_facts_put_addresses(struct buf *out, const struct dns_facts *f);

#endif
