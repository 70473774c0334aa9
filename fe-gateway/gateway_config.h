/*
 * The gateway's host file: what belongs to this machine.  Strict: an unknown
 * key or a bad value is refused with file, line, key and what was expected.
 */
#ifndef FED_GATEWAY_CONFIG_H
#define FED_GATEWAY_CONFIG_H

#include "base/log.h"
#include "fe-gateway/core/pidf.h"
#include "io/host_admin.h"
#include "io/tls_creds.h"

/* As read; strings are owned. */
struct gateway_config_edge {
	char *name;
	char *address;
};

/* sip.next_hop for "as DNS says of the domain" */
#define GATEWAY_CONFIG_DNS "dns"

/* sip.tls; absent: all zero */
struct gateway_config_tls {
	char *certificate;
	char *key;
	char *trust;
	char **peers;
	unsigned peers_count;
};

struct gateway_config_sip {
	char **domains;
	unsigned domains_count;
	char **listen; /* "udp:192.0.2.1:5060" */
	unsigned listen_count;
	char *next_hop;
	char **trusted;
	unsigned trusted_count;
	unsigned page_max;
	unsigned *options_interval; /* seconds; 0: never */
	struct gateway_config_tls tls;
};

struct gateway_config_dns {
	char **servers;
	unsigned servers_count;
};

/* Seconds, but for repair_rate; all but two are set after loading. */
struct gateway_config_presence {
	unsigned *expires; /* NULL: as the federation configuration says */
	unsigned *expires_min;
	unsigned *expires_max; /* NULL: as expires */
	unsigned *notify_interval;
	unsigned *hold_off;
	unsigned *repair_rate; /* watches a second */
	int profile;	       /* enum pidf_profile */
};

struct gateway_config_channel {
	char *trust;
	char *crl; /* NULL: nothing is revoked */
	char *certificate;
	char *key;
	struct gateway_config_edge *edges;
	unsigned edges_count;
};

/* store.path when it is not written: StateDirectory= of the unit */
#define GATEWAY_CONFIG_STORE "/var/lib/fe-gateway/fe-gateway.db"

struct gateway_config_store {
	char *path;
};

/* The file that becomes revision 1 when the store has none. */
struct gateway_config_federation {
	char *bootstrap; /* NULL: none */
};

/* fed_log_level plus one, 0 for "not written" */
struct gateway_config_log {
	int level;
};

struct gateway_config_file {
	char *instance;
	struct gateway_config_sip sip;
	struct gateway_config_channel channel;
	struct gateway_config_dns dns;
	struct gateway_config_presence presence;
	struct gateway_config_store store;
	struct gateway_config_federation federation;
	struct gateway_config_log log;
	struct host_admin admin;
};

/** Some address of sip.listen is of that transport ("tls:"). */
bool gateway_config_listens(const struct gateway_config_sip *s,
			    const char *transport);

/* Read, checked, defaults filled in. */
struct gateway_config {
	struct gateway_config_file *file;
	char **domains; /* of file->sip, normalized */
	char **trusted; /* of file->sip, as inet_ntop() prints them */
	enum fed_log_level log_level;
};

/**
 * Load and check everything that can be checked without the network.
 *
 * @param e  "FILE:LINE: key: what is wrong, expected ..."
 * @return 0; FED_ECONFIG; FED_ENOMEM
 */
int gateway_config_load(struct gateway_config **c_out, const char *path,
			struct errbuf *e) FED_NODISCARD;

/** Free; NULL is allowed. */
void gateway_config_free(struct gateway_config *c);

/** Print the effective file on stdout. @return as host_config_dump() */
int gateway_config_dump(const struct gateway_config *c) FED_NODISCARD;

/** Credentials of the channel: no valid chain, no connection. */
int gateway_config_creds(const struct gateway_config *c,
			 struct tls_creds **creds_out,
			 struct errbuf *e) FED_NODISCARD;

/* --- gateway_config_check.c for gateway_config.c ------------------------- */

/** Checks behind the schema. @return 0; FED_ECONFIG; FED_ENOMEM */
int gateway_config_check(const struct gateway_config_file *f, const char *path,
			 struct errbuf *e) FED_NODISCARD;

/** An IP address in the form of inet_ntop(). @return 0; FED_EINVAL */
int gateway_config_ip(const char *text, char *out,
		      size_t out_size) FED_NODISCARD;

#endif
