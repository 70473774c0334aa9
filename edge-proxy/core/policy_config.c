/* A gateway's Config, checked and made a policy. */
#include "edge-proxy/core/policy_config.h"

#include <string.h>

#include "base/digest.h"
#include "base/limits.h"
#include "base/log.h"
#include "edge-proxy/core/negotiation.h"
#include "edge-proxy/core/other_host.h"
#include "xmpp/jid.h"

/* What is being read, and whom to tell. */
struct reading {
	const Fed__Config *c;
	const struct policy *host;
	size_t streams_max;
	struct arena *a;
	struct policy *out;
	struct errbuf *e;
};

/* Of a name in a sentence. */
static struct log_value quoted(const char *name)
{
	return log_value(span_str(name));
}

static int no_memory(const struct reading *r)
{
	errbuf_set(r->e, "more rules than this edge takes");
	return FED_ELIMIT;
}

/* ---- names --------------------------------------------------------------- */

static bool is_normal(struct span name)
{
	char out[LIMIT_DOMAIN_BYTES + 1];

	return domain_normalize(name, out, sizeof(out)) == 0 &&
	       span_eq_str(name, out);
}

static bool is_pattern(const char *name)
{
	struct span s = span_str(name);

	return span_starts(s, SPAN_LIT("*.")) && is_normal(span_sub(s, 2, s.n));
}

static bool is_anybody(const char *name)
{
	return strcmp(name, "*") == 0;
}

static int check_name(const struct reading *r, const char *what,
		      const char *name)
{
	if (is_normal(span_str(name)) || is_pattern(name))
		return 0;
	errbuf_set(r->e,
		   "%s \"%s\" is not a domain in its normal form, nor \"*.\" "
		   "and one",
		   what, quoted(name).text);
	return FED_EINVAL;
}

/* ---- served domains ------------------------------------------------------ */

static int check_served(const struct reading *r, size_t i)
{
	const char *name = r->c->domain[i]->name;

	if (!policy_serves(r->host, span_str(name))) {
		errbuf_set(r->e,
			   "served domain \"%s\": the host file has no "
			   "certificate for it",
			   quoted(name).text);
		return FED_EINVAL;
	}
	for (size_t k = 0; k < i; k++)
		if (strcmp(name, r->c->domain[k]->name) == 0) {
			errbuf_set(r->e, "served domain \"%s\" is there twice",
				   quoted(name).text);
			return FED_EINVAL;
		}
	return 0;
}

static int read_served(const struct reading *r)
{
	const char **names;

	/* as many as the host file has, at most: not more of them than that
	 * can pass */
	if (r->c->n_domain == 0)
		return 0;
	names = arena_alloc(r->a, r->c->n_domain * sizeof(*names));
	if (names == NULL)
		return no_memory(r);
	for (size_t i = 0; i < r->c->n_domain; i++) {
		int err = check_served(r, i);

		if (err != 0)
			return err;
		names[i] = r->c->domain[i]->name;
	}
	r->out->domains = names;
	r->out->domain_count = r->c->n_domain;
	return 0;
}

/* ---- partners ------------------------------------------------------------ */

const char *policy_row_problem(const struct policy_partner *rule)
{
	if (negotiation_methods(rule) != 0)
		return NULL;
	if (rule->tls == POLICY_OFF && rule->sasl != POLICY_OFF)
		return "sasl needs tls, and dialback is off: there is no way "
		       "to authenticate";
	return "sasl and dialback are both off: there is no way to "
	       "authenticate";
}

static enum policy_need need_of(Fed__Need need)
{
	switch (need) {
	case FED__NEED__REQUIRED:
		return POLICY_REQUIRED;
	case FED__NEED__OPTIONAL:
		return POLICY_OPTIONAL;
	case FED__NEED__OFF:
	case _FED__NEED_IS_INT_SIZE:
		break;
	}
	return POLICY_OFF;
}

/* Values of a newer gateway, or of a file that is not ours: never guessed. */
static const char *unknown_of(const Fed__Partner *p)
{
	if ((unsigned)p->tls > FED__NEED__OFF)
		return "tls has a value that this edge does not know";
	if ((unsigned)p->sasl > FED__NEED__OFF)
		return "sasl has a value that this edge does not know";
	if ((unsigned)p->dialback > FED__NEED__OFF)
		return "dialback has a value that this edge does not know";
	return NULL;
}

static struct policy_partner rule_of(const Fed__Partner *p)
{
	return (struct policy_partner){
		.domain = p->domain,
		.tls = need_of(p->tls),
		.sasl = need_of(p->sasl),
		.dialback = need_of(p->dialback),
		.name = p->name[0] == '\0' ? p->domain : p->name,
		.keep_alive = p->keep_alive,
		.connection_limit = p->connection_limit,
		.proxy_host = p->proxy_host[0] == '\0' ? NULL : p->proxy_host,
		.stanzas_per_s = p->stanzas_per_s,
		.bytes_per_s = p->bytes_per_s,
	};
}

static int complain(const struct reading *r, const struct policy_partner *rule,
		    const char *what)
{
	errbuf_set(r->e, "partner \"%s\": %s", quoted(rule->domain).text, what);
	return FED_EINVAL;
}

static int check_rule(const struct reading *r,
		      const struct policy_partner *rule)
{
	const char *problem = policy_row_problem(rule);
	struct other_host host;

	if (problem != NULL)
		return complain(r, rule, problem);
	if (rule->dialback == POLICY_REQUIRED)
		return complain(r, rule, "dialback is on or off, not required");
	if (policy_serves(r->host, span_str(rule->domain)))
		return complain(r, rule, "is served by this edge");
	if (rule->connection_limit > r->streams_max) {
		errbuf_set(r->e,
			   "partner \"%s\": connection_limit %u is above "
			   "s2s.streams_max %zu of this edge",
			   quoted(rule->domain).text, rule->connection_limit,
			   r->streams_max);
		return FED_EINVAL;
	}
	if (rule->proxy_host != NULL &&
	    other_host_parse(span_str(rule->proxy_host), &host) != 0)
		return complain(r, rule,
				"proxy_host is not \"host\" or \"host:port\"");
	return 0;
}

static int read_partner(const struct reading *r, const Fed__Partner *from,
			struct policy_partner *rule)
{
	const char *unknown = unknown_of(from);
	int err = 0;

	*rule = rule_of(from);
	if (!is_anybody(rule->domain))
		err = check_name(r, "partner", rule->domain);
	if (err == 0 && !is_anybody(rule->name))
		err = check_name(r, "name of a partner", rule->name);
	if (err == 0 && unknown != NULL)
		err = complain(r, rule, unknown);
	return err != 0 ? err : check_rule(r, rule);
}

static int read_partners(const struct reading *r)
{
	struct policy_partner *rules;
	size_t n = r->c->n_partner;

	r->out->partners = NULL;
	r->out->partner_count = 0;
	if (n == 0)
		return 0;
	rules = arena_alloc(r->a, n * sizeof(*rules));
	if (rules == NULL)
		return no_memory(r);
	for (size_t i = 0; i < n; i++) {
		int err = read_partner(r, r->c->partner[i], &rules[i]);

		if (err != 0)
			return err;
	}
	policy_sort(rules, n);
	for (size_t i = 1; i < n; i++)
		if (strcmp(rules[i - 1].domain, rules[i].domain) == 0)
			return complain(r, &rules[i], "is there twice");
	r->out->partners = rules;
	r->out->partner_count = n;
	return 0;
}

static int read_denied(const struct reading *r)
{
	const char **names;
	size_t n = r->c->n_denied;

	if (n == 0)
		return 0;
	names = arena_alloc(r->a, n * sizeof(*names));
	if (names == NULL)
		return no_memory(r);
	for (size_t i = 0; i < n; i++) {
		int err = check_name(r, "denied", r->c->denied[i]);

		if (err != 0)
			return err;
		names[i] = r->c->denied[i];
	}
	policy_sort_denied(names, n);
	r->out->denied = names;
	r->out->denied_count = n;
	return 0;
}

/* ---- settings ------------------------------------------------------------ */

static int read_seconds(const struct reading *r, const char *name,
			uint32_t value, uint32_t most, uint64_t *ms_out)
{
	if (value > most) {
		errbuf_set(r->e, "%s is %u s, expected at most %u", name, value,
			   most);
		return FED_EINVAL;
	}
	*ms_out = (uint64_t)value * 1000;
	return 0;
}

static int read_settings(const struct reading *r)
{
	const Fed__EdgeSettings *s = r->c->settings;
	int err;

	if (s == NULL)
		return 0;
	if (s->connection_limit > r->streams_max) {
		errbuf_set(
			r->e,
			"connection_limit %u is above s2s.streams_max %zu of "
			"this edge",
			s->connection_limit, r->streams_max);
		return FED_EINVAL;
	}
	r->out->connection_limit = s->connection_limit;
	err = read_seconds(r, "keep_alive_interval", s->keep_alive_interval_s,
			   LIMIT_SETTING_S, &r->out->keep_alive_ms);
	if (err == 0)
		err = read_seconds(r, "stream_establishment_timeout",
				   s->stream_establishment_timeout_s,
				   LIMIT_SETTING_SETUP_S, &r->out->setup_ms);
	return err != 0 ? err
			: read_seconds(r, "stream_inactivity_timeout",
				       s->stream_inactivity_timeout_s,
				       LIMIT_SETTING_S, &r->out->idle_ms);
}

static int read_secret(const struct reading *r)
{
	struct span secret =
		span_of(r->c->dialback_secret.data, r->c->dialback_secret.len);

	if (secret.n == 0)
		return 0;
	if (secret.n < LIMIT_SECRET_BYTES_FLOOR ||
	    secret.n > LIMIT_SECRET_BYTES) {
		errbuf_set(r->e,
			   "the dialback secret has %zu bytes, expected %u to "
			   "%u",
			   secret.n, LIMIT_SECRET_BYTES_FLOOR,
			   LIMIT_SECRET_BYTES);
		return FED_EINVAL;
	}
	r->out->dialback_secret = secret;
	return 0;
}

int policy_config_read(const Fed__Config *c, const struct policy *host,
		       size_t streams_max, struct arena *a, struct policy *out,
		       struct errbuf *e)
{
	const struct reading r = {c, host, streams_max, a, out, e};
	int err;

	*out = *host;
	out->denied = NULL;
	out->denied_count = 0;
	err = read_served(&r);
	if (err == 0)
		err = read_partners(&r);
	if (err == 0)
		err = read_denied(&r);
	if (err == 0)
		err = read_settings(&r);
	return err != 0 ? err : read_secret(&r);
}

/* ---- revisions ----------------------------------------------------------- */

/* LIMIT: numbers; `revision` is in force */
static int check_leap(uint64_t next, uint64_t revision, struct errbuf *e)
{
	if (next - revision <= LIMIT_FEDERATION_LEAP)
		return 0;
	errbuf_set(e,
		   "revision %llu is too far above %llu, which is in force: at "
		   "most %u",
		   (unsigned long long)next, (unsigned long long)revision,
		   LIMIT_FEDERATION_LEAP);
	return FED_EINVAL;
}

int policy_config_follows(const Fed__Config *c, struct span packed,
			  uint64_t revision, struct span in_force,
			  struct errbuf *e)
{
	if (c->revision == 0) {
		errbuf_set(e, "it has no revision");
		return FED_EINVAL;
	}
	if (c->revision > revision)
		return check_leap(c->revision, revision, e);
	if (c->revision == revision && digest_equal(packed, in_force))
		return FED_EEXIST;
	errbuf_set(e,
		   c->revision == revision
			   ? "another configuration is in force as revision "
			     "%llu"
			   : "revision %llu is in force, which is newer",
		   (unsigned long long)revision);
	return FED_EINVAL;
}

/* ---- as a file ----------------------------------------------------------- */

/* Behind it the SHA-256 of the rest. */
static const char magic[] = "federation config of edge-proxy, 1\n";
enum { MAGIC_BYTES = sizeof(magic) - 1 };

int policy_file_write(struct span packed, struct buf *out)
{
	uint8_t sum[SHA256_BYTES];

	if (digest_sha256(packed, sum) != 0)
		return FED_ENOMEM;
	(void)buf_put(out, magic, MAGIC_BYTES);
	(void)buf_put(out, sum, sizeof(sum));
	return buf_put_span(out, packed);
}

int policy_file_read(struct span file, struct span *packed_out,
		     struct errbuf *e)
{
	struct span rest = span_sub(file, MAGIC_BYTES + SHA256_BYTES, file.n);
	uint8_t sum[SHA256_BYTES];

	if (!span_starts(file, span_of(magic, MAGIC_BYTES))) {
		errbuf_set(e, "is no configuration of this program's");
		return FED_EINVAL;
	}
	if (file.n < MAGIC_BYTES + SHA256_BYTES ||
	    digest_sha256(rest, sum) != 0 ||
	    !digest_equal(
		    span_of(sum, sizeof(sum)),
		    span_sub(file, MAGIC_BYTES, MAGIC_BYTES + SHA256_BYTES))) {
		errbuf_set(e, "is not whole: its checksum is wrong");
		return FED_EINVAL;
	}
	*packed_out = rest;
	return 0;
}
