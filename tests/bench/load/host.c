/* Domains, certificates and policy of the load generator. */
#include "tests/bench/load/host.h"

#include <stdio.h>
#include <sys/random.h>

#include "base/limits.h"
#include "tests/bench/load/flow.h"
#include "tests/bench/load/users.h"

#define WILDCARD "*." LOAD_XMPP_DOMAIN

enum { NAME_BYTES = sizeof("s999." LOAD_XMPP_DOMAIN) };

static void log_line(void *arg, enum fed_log_level level, const char *line,
		     size_t n)
{
	(void)arg;
	(void)level;
	(void)fprintf(stderr, "load: %.*s\n", (int)n, line);
}

const struct logger *host_log(void)
{
	static const struct logger log = {FED_LOG_WARN, log_line, NULL};

	return &log;
}

struct tls_creds *host_load_creds(const struct host_files *files)
{
	const struct tls_identity identities[] = {
		{LOAD_XMPP_DOMAIN, files->cert, files->key, NULL},
		{WILDCARD, files->wildcard_cert, files->wildcard_key, NULL},
	};
	const struct tls_creds_params p = {
		.trust_file = files->trust,
		.identities = identities,
		.identity_count = FED_ARRAY_LEN(identities),
	};
	struct tls_creds *creds;
	struct errbuf e;

	if (tls_creds_new(&creds, &p, &e) != 0)
		flow_die("%s", e.text);
	return creds;
}

static const char *const *all_domains(void)
{
	static char names[HOST_DOMAINS][NAME_BYTES];
	static const char *domains[HOST_DOMAINS + 1];

	domains[0] = LOAD_XMPP_DOMAIN;
	for (unsigned i = 0; i < HOST_DOMAINS; i++) {
		(void)snprintf(names[i], sizeof(names[i]),
			       "s%u." LOAD_XMPP_DOMAIN, i);
		domains[i + 1] = names[i];
	}
	return domains;
}

void host_init(struct peer_host *host, struct loop *loop,
	       const struct host_files *files)
{
	static const struct policy_partner everybody = {.domain = "*"};
	static struct policy policy = {
		.domain_count = HOST_DOMAINS + 1,
		.partners = &everybody,
		.partner_count = 1,
		.dialback_secret = {"dialback is not used", 20},
		.stanza_max = LIMIT_STANZA_BYTES,
	};

	policy.domains = all_domains();
	*host = (struct peer_host){.loop = loop,
				   .creds = host_load_creds(files),
				   .policy = &policy,
				   .log = host_log(),
				   .remote = LOAD_SIP_DOMAIN,
				   .identity = WILDCARD};
	if (getrandom(host->ids.key, sizeof(host->ids.key), 0) < 0)
		flow_die("no random bytes");
}
