/*
 * DNS: libunbound in thread mode, its descriptor on the loop.  One lookup is
 * one name and one type, bounded in time; whether DNSSEC calls the answer
 * forged is judged here, what its records mean is for the caller.
 */
#ifndef FED_IO_DNS_RESOLVER_H
#define FED_IO_DNS_RESOLVER_H

#include "base/span.h"
#include "io/loop.h"

struct dns_resolver;
struct dns_lookup;

/* Types of records that are asked for. */
enum dns_type {
	DNS_TYPE_A = 1,
	DNS_TYPE_AAAA = 28,
	DNS_TYPE_SRV = 33,
	DNS_TYPE_NAPTR = 35,
};

enum dns_verdict {
	DNS_DATA,   /* one record or more */
	DNS_NONE,   /* the name or the type does not exist */
	DNS_FAILED, /* no answer, or one that DNSSEC calls forged */
};

struct dns_answer {
	enum dns_verdict verdict;
	bool is_secure;	     /* DNSSEC vouched for it */
	bool is_nameless;    /* NONE: the name itself does not exist */
	uint32_t ttl_s;	     /* DATA: how long it may be kept */
	const char *problem; /* FAILED: a few words; else NULL */
};

/**
 * @param servers  "ip" or "ip:port" of recursive servers; none:
 *                 /etc/resolv.conf
 * @return 0; FED_ECONFIG; FED_EDNS; FED_ENOMEM
 */
int dns_resolver_new(struct dns_resolver **d_out, struct loop *loop,
		     const char *const *servers, size_t server_count,
		     struct errbuf *e) FED_NODISCARD;

/**
 * Believe what DNSSEC derives from these trust anchors, and nothing below them
 * that it does not.  Before the first lookup.
 *
 * @param file  DS and DNSKEY records in zone format
 * @return 0; FED_ECONFIG the file is none of that
 */
int dns_resolver_trust(struct dns_resolver *d, const char *file,
		       struct errbuf *e) FED_NODISCARD;

/** Would it take that file?  As dns_resolver_trust(), without a resolver. */
int dns_resolver_check_trust(const char *file, struct errbuf *e) FED_NODISCARD;

/** After all its lookups are freed; NULL is allowed. */
void dns_resolver_free(struct dns_resolver *d);

/** Called once, at the end of a turn, when the answer is there; the lookup may
 * be freed in it. */
typedef void (*dns_lookup_fn)(void *arg, struct dns_lookup *k);

/**
 * Ask for the records of a name (A-labels, ASCII).  fn is called within
 * LIMIT_DNS_MS, never from inside this call, also when the name cannot be
 * asked: that is an answer FAILED.
 *
 * @return 0; FED_ENOMEM
 */
int dns_lookup_new(struct dns_lookup **k_out, struct dns_resolver *d,
		   const char *name, enum dns_type type, dns_lookup_fn fn,
		   void *arg) FED_NODISCARD;

/** Forget it; fn will not be called any more.  NULL is allowed. */
void dns_lookup_free(struct dns_lookup *k);

/** There is no answer yet. */
bool dns_lookup_is_pending(const struct dns_lookup *k);

/** What was asked. */
const char *dns_lookup_name(const struct dns_lookup *k);
enum dns_type dns_lookup_type(const struct dns_lookup *k);

/** The answer; FAILED while it is pending. */
const struct dns_answer *dns_lookup_answer(const struct dns_lookup *k);

/** RDATA of record i in wire form, names not compressed; lives as long as the
 * lookup.  SPAN_NULL behind the last one. */
struct span dns_lookup_record(const struct dns_lookup *k, size_t i);

#endif
