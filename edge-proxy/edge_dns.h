/*
 * DNS of the edge: libunbound in thread mode on the loop.  Gives a list of
 * addresses to try for an XMPP domain.
 */
#ifndef FED_EDGE_DNS_H
#define FED_EDGE_DNS_H

#include "edge-proxy/core/dns_facts.h"
#include "io/loop.h"

struct edge_dns;
struct edge_dns_query;

struct edge_dns_target {
	struct sockaddr_storage addr;
	char name[256]; /* the SRV target, for logs */
	unsigned place; /* its place in the order of SRV */
	bool is_direct_tls;
};

enum edge_dns_result {
	EDGE_DNS_OK,	    /* at least one address */
	EDGE_DNS_NOT_FOUND, /* the domain has no XMPP service */
	EDGE_DNS_FAILED,    /* cannot be resolved now: timeout, servfail */
};

/** Addresses by target, targets in the order to try; borrowed for the call.
 * text: for the log only, names hosts. */
typedef void (*edge_dns_fn)(void *arg, enum edge_dns_result result,
			    const struct edge_dns_target *targets, size_t count,
			    bool is_secure, const char *text);

/**
 * @param servers  "ip" or "ip:port" of recursive servers; none:
 *                 /etc/resolv.conf
 * @return 0; FED_ECONFIG; FED_EDNS; FED_ENOMEM
 */
int edge_dns_new(struct edge_dns **d_out, struct loop *loop,
		 const char *const *servers, size_t server_count,
		 struct errbuf *e) FED_NODISCARD;
void edge_dns_free(struct edge_dns *d);

/** As dns_resolver_trust(): answers that do not validate are failures. */
int edge_dns_trust(struct edge_dns *d, const char *file,
		   struct errbuf *e) FED_NODISCARD;

/**
 * Resolve a domain (A-label form): SRV of _xmpp-server._tcp and
 * _xmpps-server._tcp, then A and AAAA of every target.  fn is called once,
 * within LIMIT_DNS_MS, never from inside this call.
 *
 * @param wants_direct_tls  false: the targets of _xmpps-server are left out
 *
 * @return 0; FED_ENOMEM; FED_ELIMIT too many queries at once
 */
int edge_dns_resolve(struct edge_dns *d, const char *domain,
		     bool wants_direct_tls, edge_dns_fn fn, void *arg,
		     struct edge_dns_query **q_out) FED_NODISCARD;

/**
 * A and AAAA of one host, without SRV: a domain said that it is served there.
 *
 * @param host  A-label form, or an IPv4 or IPv6 address
 * @return as edge_dns_resolve()
 */
int edge_dns_resolve_host(struct edge_dns *d, const char *host, uint16_t port,
			  edge_dns_fn fn, void *arg,
			  struct edge_dns_query **q_out) FED_NODISCARD;

/** What DNS said, piece by piece, for those who explain it: while fn is called,
 * and until then what is there by now.  NULL: there was no memory. */
const struct dns_facts *edge_dns_facts(const struct edge_dns_query *q);

/** fn will not be called.  NULL is allowed. */
void edge_dns_cancel(struct edge_dns_query *q);

#endif
