/* fedctl check cert: our files, and what a partner shows. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "edge-proxy/core/check_cert.h"
#include "edge-proxy/edge_check.h"
#include "edge-proxy/edge_session_in.h"
#include "edge-proxy/edge_session_out.h"
#include "io/tls_file.h"
#include "xmpp/jid.h"

/* ---- ours ---------------------------------------------------------------- */

struct pair {
	enum check_cert_for what_for;
	const char *name;
	const char *cert_file;
	const char *key_file;
	const char *trust; /* key of the host file */
	const char *trust_file;
	const char *crl_file;
};

static void fit_key(const struct pair *p, char *out, size_t out_size)
{
	const struct tls_identity id = {p->name, p->cert_file, p->key_file,
					NULL};
	const struct tls_creds_params params = {.identities = &id,
						.identity_count = 1};
	struct tls_creds *creds = NULL;
	struct errbuf why = {.text = ""};

	out[0] = '\0';
	if (tls_creds_new(&creds, &params, &why) != 0)
		(void)snprintf(out, out_size, "%s", why.text);
	tls_creds_unref(creds);
}

/* The file is not the one that the daemon has read. */
static bool is_newer(const struct edge *e, const char *file)
{
	uint64_t up_ms = loop_now_ms(e->loop) - e->start_ms;
	int64_t start_ms = loop_wall_ms() - (int64_t)up_ms;
	struct stat st;

	return stat(file, &st) == 0 &&
	       (int64_t)st.st_mtime * 1000 > start_ms + 1000;
}

static void check_file(struct edge_check *ec, const struct pair *p,
		       struct tls_file *f)
{
	struct span chain[CHECK_CERT_CHAIN];
	char problem[160] = "";
	char key[512];
	struct errbuf why = {.text = ""};
	struct check_cert c = {
		.what_for = p->what_for,
		.name = p->name,
		.file = p->cert_file,
		.trust = p->trust,
		.chain = chain,
		.chain_problem = problem,
		.key_problem = key,
		.is_newer = is_newer(ec->e, p->cert_file),
		.wall_ms = loop_wall_ms(),
	};

	while (c.chain_count < tls_file_count(f) &&
	       c.chain_count < CHECK_CERT_CHAIN) {
		chain[c.chain_count] = tls_file_der_at(f, c.chain_count);
		c.chain_count++;
	}
	fit_key(p, key, sizeof(key));
	if (tls_file_verify(f, p->trust_file, p->crl_file, problem,
			    sizeof(problem), &why) != 0)
		(void)snprintf(problem, sizeof(problem), "%.150s", why.text);
	check_cert(&ec->found, &c);
}

static void check_pair(struct edge_check *ec, const struct pair *p)
{
	struct errbuf why = {.text = ""};
	struct tls_file *f = NULL;

	check_group(&ec->found, "%s%s (%s)",
		    p->what_for == CHECK_CERT_CHANNEL ? "channel, " : "",
		    p->name, p->cert_file);
	if (tls_file_new(&f, p->cert_file, false, &why) != 0)
		check_add(&ec->found, ATTEMPT_BAD, "file", "%s", why.text);
	else
		check_file(ec, p, f);
	tls_file_free(f);
}

static void check_lists(struct edge_check *ec, const char *key,
			const char *file)
{
	struct errbuf why = {.text = ""};
	int64_t until_ms = 0;

	if (file == NULL)
		return;
	check_group(&ec->found, "%s (%s)", key, file);
	(void)(tls_file_check_crl(file, &until_ms, &why) == 0);
	check_crl(&ec->found, key, until_ms, why.text, loop_wall_ms());
}

static void check_channel(struct edge_check *ec)
{
	const struct edge_config_file *file = ec->e->config->file;
	const struct pair p = {
		.what_for = CHECK_CERT_CHANNEL,
		.name = file->instance,
		.cert_file = file->channel.certificate,
		.key_file = file->channel.key,
		.trust = "channel.trust",
		.trust_file = file->channel.trust,
		.crl_file = file->channel.crl,
	};

	check_pair(ec, &p);
	check_lists(ec, "channel.crl", file->channel.crl);
}

void edge_check_own_certs(struct edge_check *ec)
{
	const struct edge_config_s2s *s2s = &ec->e->config->file->s2s;
	char name[LIMIT_DOMAIN_BYTES + 1];

	for (unsigned i = 0; i < s2s->domains_count; i++) {
		const struct edge_config_domain *d = &s2s->domains[i];
		const struct pair p = {
			.name = name,
			.cert_file = d->certificate,
			.key_file = d->key,
			.trust = "s2s.trust",
			.trust_file = s2s->trust,
			.crl_file = s2s->crl,
		};

		if (d->certificate == NULL ||
		    domain_normalize(span_str(d->name), name, sizeof(name)) !=
			    0 ||
		    (ec->domain[0] != '\0' && strcmp(name, ec->domain) != 0))
			continue;
		check_pair(ec, &p);
	}
	if (ec->found.count == 0)
		check_add(&ec->found, ATTEMPT_BAD, "file",
			  "the host file has no certificate for it");
	check_lists(ec, "s2s.crl", s2s->crl);
	if (ec->domain[0] == '\0')
		check_channel(ec);
	edge_check_over(ec, "nothing is wrong with the certificates");
}

/* ---- a partner's --------------------------------------------------------- */

static void check_shown(struct edge_check *ec, const struct tls_facts *tls)
{
	const struct check_cert c = {
		.name = ec->domain,
		.file = "",
		.trust = "s2s.trust",
		.chain = &tls->peer_cert_der,
		.chain_count = tls->has_peer_cert ? 1 : 0,
		.chain_problem = tls->chain_problem,
		.wall_ms = loop_wall_ms(),
	};

	check_cert(&ec->found, &c);
	edge_check_over(ec, "nothing is wrong with its certificate");
}

static const struct conn *find_conn(const struct edge *e, const char *domain)
{
	const struct edge_out *o;
	const struct edge_in *in;

	for (o = e->outs; o != NULL; o = o->next)
		if (strcmp(o->remote, domain) == 0 && o->conn != NULL &&
		    conn_tls_facts(o->conn) != NULL)
			return o->conn;
	/* not what a stream says of itself: anybody may say that */
	for (in = e->ins; in != NULL; in = in->next)
		if (in->partner != NULL && strcmp(in->partner, domain) == 0 &&
		    conn_tls_facts(in->conn) != NULL)
			return in->conn;
	return NULL;
}

bool edge_check_seen_cert(struct edge_check *ec)
{
	const struct conn *c = find_conn(ec->e, ec->domain);

	if (c == NULL)
		return false;
	check_group(&ec->found, "%s, shown on the stream with %s", ec->domain,
		    conn_peer_address(c));
	check_shown(ec, conn_tls_facts(c));
	return true;
}

void edge_check_fresh_cert(struct edge_check *ec)
{
	check_group(&ec->found, "%s, shown now", ec->domain);
	check_shown(ec, &ec->tls);
}
