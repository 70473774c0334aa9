/* Certificates, judged. */
#include "edge-proxy/core/check_cert.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "edge-proxy/core/cert_facts.h"
#include "edge-proxy/core/cert_identity.h"
#include "xmpp/jid.h"

enum { WARN_DAYS = 30, RSA_BITS_MIN = 2048, EC_BITS_MIN = 256 };

static const int64_t day_ms = INT64_C(24) * 3600 * 1000;

/* ---- names --------------------------------------------------------------- */

/* "dns:NAME" is one of the words. */
static bool has_word(const char *words, const char *kind, const char *name)
{
	char want[LIMIT_DOMAIN_BYTES + 8];
	size_t n;

	(void)snprintf(want, sizeof(want), "%s:%s", kind, name);
	n = strlen(want);
	for (const char *at = words; *at != '\0'; at++) {
		if ((at == words || at[-1] == ' ') &&
		    span_ieq(span_of(at, strnlen(at, n)), span_of(want, n)) &&
		    (at[n] == ' ' || at[n] == '\0'))
			return true;
	}
	return false;
}

static void add_names(struct check *c, const struct check_cert *p)
{
	char ascii[LIMIT_DOMAIN_BYTES + 1];
	char names[512];

	(void)cert_identity_describe(p->chain[0], names, sizeof(names));
	if (domain_to_ascii(span_str(p->name), ascii, sizeof(ascii)) != 0)
		ascii[0] = '\0';
	if (!cert_identity_matches(p->chain[0], span_str(p->name))) {
		check_add(c, ATTEMPT_BAD, "names",
			  "it is not for %s but for %s", p->name,
			  names[0] == '\0' ? "nobody" : names);
		check_advise(c,
			     "a certificate whose subjectAltName has "
			     "DNS:%s is needed",
			     ascii);
	} else if (has_word(names, "dns", ascii)) {
		check_add(c, ATTEMPT_GOOD, "names", "it is for %s (%s)",
			  p->name, names);
	} else if (strstr(names, "dns:*.") != NULL) {
		check_add(c, ATTEMPT_INFO, "names",
			  "it is for %s by a wildcard (%s)", p->name, names);
	} else {
		check_add(c, ATTEMPT_WARN, "names",
			  "it is for %s by an XMPP name only (%s): some "
			  "servers look at DNS names alone",
			  p->name, names);
	}
}

/* ---- dates --------------------------------------------------------------- */

static void add_dates(struct check *c, const struct cert_facts *f,
		      const char *whose, int64_t wall_ms)
{
	int64_t left_ms = f->to_ms - wall_ms;
	long long days = left_ms / day_ms;
	char day[40];

	attempt_day(wall_ms < f->from_ms ? f->from_ms : f->to_ms, day,
		    sizeof(day));
	if (wall_ms < f->from_ms)
		check_add(c, ATTEMPT_BAD, "dates", "%s is not valid before %s",
			  whose, day);
	else if (left_ms < 0)
		check_add(c, ATTEMPT_BAD, "dates", "%s expired on %s", whose,
			  day);
	else if (days < WARN_DAYS)
		check_add(c, ATTEMPT_WARN, "dates",
			  "%s expires on %s, in %lld days", whose, day, days);
	else
		check_add(c, ATTEMPT_GOOD, "dates", "%s is valid until %s",
			  whose, day);
}

/* ---- key and usage ------------------------------------------------------- */

static void add_key(struct check *c, const struct cert_facts *f)
{
	static const char *const names[] = {[CERT_KEY_OTHER] = "unknown",
					    [CERT_KEY_RSA] = "RSA",
					    [CERT_KEY_EC] = "elliptic curve",
					    [CERT_KEY_EDWARDS] = "Edwards"};
	unsigned min = f->key == CERT_KEY_RSA ? RSA_BITS_MIN : EC_BITS_MIN;

	if (f->key == CERT_KEY_OTHER || f->key_bits == 0)
		check_add(c, ATTEMPT_WARN, "key",
			  "the kind of its key is not known here: other "
			  "servers may not know it either");
	else if (f->key_bits < min)
		check_add(c, ATTEMPT_BAD, "key",
			  "its key is too weak: %s, %u bits, at least %u "
			  "should be",
			  names[f->key], f->key_bits, min);
	else if (f->key == CERT_KEY_EDWARDS)
		check_add(c, ATTEMPT_WARN, "key",
			  "its key is on an Edwards curve, which many servers "
			  "do not take");
	else
		check_add(c, ATTEMPT_GOOD, "key", "%s, %u bits", names[f->key],
			  f->key_bits);
	if (f->is_weak_hash && !f->is_self_issued)
		check_add(c, ATTEMPT_BAD, "key",
			  "it is signed with a hash that is broken (MD5 or "
			  "SHA-1)");
}

static void add_usage(struct check *c, const struct check_cert *p,
		      const struct cert_facts *f)
{
	if (f->is_ca)
		check_add(c, ATTEMPT_BAD, "usage",
			  "it is the certificate of a CA: it speaks for no "
			  "domain (RFC 6120 13.7.1.1)");
	if (!f->has_usage) {
		check_add(c, ATTEMPT_GOOD, "usage",
			  "its use is not limited: server and client");
		return;
	}
	if (!f->is_server)
		check_add(c, ATTEMPT_BAD, "usage",
			  "it may not be used by a server (serverAuth is "
			  "missing)");
	if (p->what_for == CHECK_CERT_DOMAIN && !f->is_client) {
		check_add(c, ATTEMPT_WARN, "usage",
			  "it is for servers only (clientAuth is missing): "
			  "partners may refuse EXTERNAL on the streams that "
			  "we open");
		check_advise(c, "partners that do need dialback in their rule "
				"here, or get a certificate with both usages");
	} else if (f->is_server) {
		check_add(c, ATTEMPT_GOOD, "usage", "%s",
			  f->is_client ? "server and client" : "server");
	}
}

/* ---- chain --------------------------------------------------------------- */

static void add_good_chain(struct check *c, const struct check_cert *p,
			   const struct cert_facts *end)
{
	if (p->chain_count < 2)
		check_add(c, ATTEMPT_GOOD, "chain",
			  "a CA of %s issued it (\"%s\")", p->trust,
			  end->issuer);
	else
		check_add(c, ATTEMPT_GOOD, "chain",
			  "it leads to a CA of %s, over %zu more "
			  "certificate%s (issuer \"%s\")",
			  p->trust, p->chain_count - 1,
			  p->chain_count == 2 ? "" : "s", end->issuer);
}

static void add_chain(struct check *c, const struct check_cert *p,
		      const struct cert_facts *end)
{
	if (p->chain_problem[0] == '\0') {
		add_good_chain(c, p, end);
	} else if (end->is_self_issued) {
		check_add(c, ATTEMPT_WARN, "chain",
			  "it is self-signed: only dialback will do with "
			  "others");
	} else if (strstr(p->chain_problem, "issuer not trusted") != NULL) {
		check_add(c, ATTEMPT_BAD, "chain",
			  "it does not lead to a CA of %s: intermediate "
			  "certificates are missing, or \"%s\" is not known",
			  p->trust, end->issuer);
		if (p->file[0] != '\0')
			check_advise(c,
				     "%s must hold the certificate first "
				     "and then those of all CAs between it "
				     "and the root",
				     p->file);
	} else {
		check_add(c, ATTEMPT_BAD, "chain", "%s", p->chain_problem);
	}
}

static void add_file(struct check *c, const struct check_cert *p)
{
	if (p->file[0] == '\0')
		return;
	if (p->key_problem != NULL && p->key_problem[0] != '\0')
		check_add(c, ATTEMPT_BAD, "key", "%s", p->key_problem);
	else if (p->key_problem != NULL)
		check_add(c, ATTEMPT_GOOD, "key", "its private key fits");
	if (p->is_newer) {
		check_add(c, ATTEMPT_WARN, "file",
			  "%s changed after the daemon had started, which "
			  "still shows the old one",
			  p->file);
		check_advise(c, "systemctl restart edge-proxy");
	}
}

void check_cert(struct check *c, const struct check_cert *p)
{
	struct cert_facts end;
	struct cert_facts f;
	char whose[200];

	if (p->chain_count == 0 || cert_facts_read(p->chain[0], &end) != 0) {
		check_add(c, ATTEMPT_BAD, "certificate",
			  "there is none that can be read");
		return;
	}
	add_names(c, p);
	add_dates(c, &end, "it", p->wall_ms);
	for (size_t i = 1; i < p->chain_count; i++) {
		if (cert_facts_read(p->chain[i], &f) != 0)
			continue;
		(void)snprintf(whose, sizeof(whose),
			       "the certificate \"%s\" of its chain",
			       f.subject);
		add_dates(c, &f, whose, p->wall_ms);
	}
	add_chain(c, p, &end);
	add_usage(c, p, &end);
	add_key(c, &end);
	add_file(c, p);
}

void check_crl(struct check *c, const char *key, int64_t until_ms,
	       const char *problem, int64_t wall_ms)
{
	char date[40];

	attempt_date(until_ms, date, sizeof(date));
	if (problem[0] != '\0')
		check_add(c, ATTEMPT_BAD, "crl", "%s: %s", key, problem);
	else if (until_ms < wall_ms)
		check_add(c, ATTEMPT_BAD, "crl",
			  "%s is out of date since %s: what its CA signed is "
			  "not believed",
			  key, date);
	else if (until_ms - wall_ms < day_ms)
		check_add(c, ATTEMPT_WARN, "crl",
			  "%s is out of date after %s, within a day", key,
			  date);
	else
		check_add(c, ATTEMPT_GOOD, "crl", "%s is fresh until %s", key,
			  date);
}
