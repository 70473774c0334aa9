/*
 * The edge's host file: what belongs to this machine.  Strict: an unknown key
 * or a bad value is refused with file, line, key and what was expected.
 */
#ifndef FED_EDGE_CONFIG_H
#define FED_EDGE_CONFIG_H

#include "base/limits.h"
#include "base/log.h"
#include "edge-proxy/core/policy.h"
#include "io/host_admin.h"
#include "io/tls_creds.h"

/* As read; strings are owned. */
struct edge_config_domain {
	char *name;
	char *certificate;
	char *key;
};

/* policy_need, with 0 for "not written" */
enum edge_config_need {
	EDGE_NEED_DEFAULT,
	EDGE_NEED_OPTIONAL,
	EDGE_NEED_REQUIRED,
	EDGE_NEED_OFF,
};

struct edge_config_partner {
	char *domain;
	enum edge_config_need tls;
	enum edge_config_need sasl;
	enum edge_config_need dialback;
};

/* A switch, with 0 for "not written" */
enum edge_config_switch {
	EDGE_SWITCH_DEFAULT,
	EDGE_SWITCH_ON,
	EDGE_SWITCH_OFF,
};

struct edge_config_s2s {
	char **listen;
	unsigned listen_count;
	char **listen_direct_tls; /* XEP-0368 */
	unsigned listen_direct_tls_count;
	char *trust;
	char *crl; /* NULL: nothing is revoked */
	struct edge_config_domain *domains;
	unsigned domains_count;
	char *dialback_secret_file; /* NULL: random in each process */
	unsigned stanza_max;
	unsigned streams_max;
	enum edge_config_switch bidi;
};

struct edge_config_channel {
	char **listen;
	unsigned listen_count;
	char *trust;
	char *crl; /* NULL: nothing is revoked */
	char *certificate;
	char *key;
	char **gateways;
	unsigned gateways_count;
};

struct edge_config_dns {
	char **servers;
	unsigned servers_count;
	char *trust_anchor_file; /* NULL: DNSSEC is not looked at */
};

/* Where the last good Config of the gateways is kept. */
struct edge_config_federation {
	char *path;
};

/* fed_log_level plus one, 0 for "not written" */
struct edge_config_log {
	int level;
};

struct edge_config_file {
	char *instance;
	struct edge_config_s2s s2s;
	struct edge_config_federation federation;
	struct edge_config_partner *partners; /* until the first Config */
	unsigned partners_count;
	struct edge_config_channel channel;
	struct edge_config_dns dns;
	struct edge_config_log log;
	struct host_admin admin;
};

/* Read, checked, defaults filled in. */
struct edge_config {
	struct edge_config_file *file;
	struct policy policy; /* domains normalized; secret may be empty */
	char **domains;	      /* of policy */
	struct policy_partner *partners; /* of policy */
	struct buf secret;		 /* of policy, wiped when freed */
	enum fed_log_level log_level;
};

/**
 * Load and check everything that can be checked without the network: files
 * are readable, keys fit their certificates.
 *
 * @param e  "FILE:LINE: key: what is wrong, expected ..."
 * @return 0; FED_ECONFIG; FED_ENOMEM
 */
int edge_config_load(struct edge_config **c_out, const char *path,
		     struct errbuf *e) FED_NODISCARD;

/** Free; NULL is allowed. */
void edge_config_free(struct edge_config *c);

/** Print the effective file on stdout. @return as host_config_dump() */
int edge_config_dump(const struct edge_config *c) FED_NODISCARD;

/** Credentials of the XMPP side: facts only, the cores judge. */
int edge_config_s2s_creds(const struct edge_config *c,
			  struct tls_creds **creds_out,
			  struct errbuf *e) FED_NODISCARD;

/** Credentials of the channel: no valid chain, no connection. */
int edge_config_channel_creds(const struct edge_config *c,
			      struct tls_creds **creds_out,
			      struct errbuf *e) FED_NODISCARD;

enum { EDGE_SECRET_MAX = LIMIT_SECRET_BYTES };

/**
 * Read a dialback secret; blanks around it do not count.
 *
 * @param out  at most EDGE_SECRET_MAX bytes; wiped by its owner
 * @return 0; FED_EIO cannot be read; FED_EINVAL not 16 bytes or more, or too
 *         long
 */
int edge_config_read_secret(const char *path, struct buf *out) FED_NODISCARD;

/* --- edge_config_check.c for edge_config.c -------------------------------- */

/** Checks behind the schema. @return 0; FED_ECONFIG */
int edge_config_check(const struct edge_config_file *f, const char *path,
		      struct errbuf *e) FED_NODISCARD;

#endif
