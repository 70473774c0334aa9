/* fedctl check cert: our files, and what a partner shows. */
#include <stdio.h>
#include <stdlib.h>
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
};

/* How far the check of our own is.  Bundles of CAs and hundreds of
 * certificates take their time: whoever else the loop serves has it between
 * two of them. */
enum own_step { OWN_TRUST, OWN_DOMAINS, OWN_CHANNEL, OWN_CHANNEL_PAIR };

struct edge_own_certs {
	struct edge_check *ec;
	struct loop_timer *turn;
	enum own_step step;
	unsigned domain;	 /* the next one, of the host file */
	struct tls_trust *trust; /* of s2s, then of the channel; NULL: why */
	struct errbuf why;
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

static void load_trust(struct edge_own_certs *own, const char *trust_file,
		       const char *crl_file)
{
	own->why.text[0] = '\0';
	tls_trust_free(own->trust);
	if (tls_trust_new(&own->trust, trust_file, crl_file, &own->why) != 0 &&
	    own->why.text[0] == '\0')
		errbuf_set(&own->why, "out of memory");
}

static void check_file(struct edge_own_certs *own, const struct pair *p,
		       struct tls_file *f)
{
	struct edge_check *ec = own->ec;
	struct span chain[CHECK_CERT_CHAIN];
	char problem[160] = "";
	char key[512];
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
	if (own->trust != NULL)
		tls_file_verify(f, own->trust, problem, sizeof(problem));
	else
		(void)snprintf(problem, sizeof(problem), "%.150s",
			       own->why.text);
	check_cert(&ec->found, &c);
}

static void check_pair(struct edge_own_certs *own, const struct pair *p)
{
	struct edge_check *ec = own->ec;
	struct errbuf why = {.text = ""};
	struct tls_file *f = NULL;

	check_group(&ec->found, "%s%s (%s)",
		    p->what_for == CHECK_CERT_CHANNEL ? "channel, " : "",
		    p->name, p->cert_file);
	if (tls_file_new(&f, p->cert_file, false, &why) != 0)
		check_add(&ec->found, ATTEMPT_BAD, "file", "%s", why.text);
	else
		check_file(own, p, f);
	tls_file_free(f);
}

/* Those that are loaded; when the CAs are not, whether these are to blame. */
static void check_lists(struct edge_own_certs *own, const char *key,
			const char *file)
{
	struct check *found = &own->ec->found;
	struct errbuf why = {.text = ""};
	int64_t until_ms = 0;

	if (file == NULL)
		return;
	check_group(found, "%s (%s)", key, file);
	if (own->trust != NULL)
		until_ms = tls_trust_crl_until_ms(own->trust);
	else
		(void)(tls_file_check_crl(file, &until_ms, &why) == 0);
	check_crl(found, key, until_ms, why.text, loop_wall_ms());
}

static void check_channel(struct edge_own_certs *own)
{
	const struct edge_config_file *file = own->ec->e->config->file;
	const struct pair p = {
		.what_for = CHECK_CERT_CHANNEL,
		.name = file->instance,
		.cert_file = file->channel.certificate,
		.key_file = file->channel.key,
		.trust = "channel.trust",
	};

	check_pair(own, &p);
	check_lists(own, "channel.crl", file->channel.crl);
}

static bool is_asked_for(const struct edge_check *ec,
			 const struct edge_config_domain *d, char *name_out,
			 size_t name_size)
{
	return d->certificate != NULL &&
	       domain_normalize(span_str(d->name), name_out, name_size) == 0 &&
	       (ec->domain[0] == '\0' || strcmp(name_out, ec->domain) == 0);
}

/* @return false: there is none any more */
static bool check_next_domain(struct edge_own_certs *own)
{
	const struct edge_config_s2s *s2s = &own->ec->e->config->file->s2s;
	char name[LIMIT_DOMAIN_BYTES + 1];

	while (own->domain < s2s->domains_count) {
		const struct edge_config_domain *d =
			&s2s->domains[own->domain++];
		const struct pair p = {
			.name = name,
			.cert_file = d->certificate,
			.key_file = d->key,
			.trust = "s2s.trust",
		};

		if (!is_asked_for(own->ec, d, name, sizeof(name)))
			continue;
		check_pair(own, &p);
		return true;
	}
	return false;
}

static void end_domains(struct edge_own_certs *own)
{
	struct edge_check *ec = own->ec;

	if (ec->found.count == 0)
		check_add(&ec->found, ATTEMPT_BAD, "file",
			  "the host file has no certificate for it");
	check_lists(own, "s2s.crl", ec->e->config->file->s2s.crl);
}

/* One step. @return false: it was the last */
static bool go_on(struct edge_own_certs *own)
{
	const struct edge_config_file *file = own->ec->e->config->file;

	switch (own->step) {
	case OWN_TRUST:
		load_trust(own, file->s2s.trust, file->s2s.crl);
		own->step = OWN_DOMAINS;
		return true;
	case OWN_DOMAINS:
		if (check_next_domain(own))
			return true;
		end_domains(own);
		own->step = OWN_CHANNEL;
		return own->ec->domain[0] == '\0';
	case OWN_CHANNEL:
		load_trust(own, file->channel.trust, file->channel.crl);
		own->step = OWN_CHANNEL_PAIR;
		return true;
	case OWN_CHANNEL_PAIR:
		check_channel(own);
		break;
	}
	return false;
}

/* Not a deferred call: several rounds of those are one turn. */
static void arm_next_turn(struct edge_own_certs *own)
{
	loop_timer_arm(own->turn, loop_now_ms(own->ec->e->loop) + 1);
}

static void on_turn(void *arg)
{
	struct edge_own_certs *own = arg;

	if (go_on(own))
		arm_next_turn(own);
	else
		edge_check_over(own->ec,
				"nothing is wrong with the certificates");
}

int edge_check_own_certs(struct edge_check *ec)
{
	struct edge_own_certs *own = calloc(1, sizeof(*own));

	if (own == NULL)
		return FED_ENOMEM;
	own->ec = ec;
	if (loop_timer_new(&own->turn, ec->e->loop, on_turn, own) != 0) {
		free(own);
		return FED_ENOMEM;
	}
	ec->own = own;
	arm_next_turn(own);
	return 0;
}

void edge_own_certs_free(struct edge_own_certs *own)
{
	if (own == NULL)
		return;
	loop_timer_free(own->turn);
	tls_trust_free(own->trust);
	free(own);
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
