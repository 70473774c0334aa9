/* why, check ...: what edges know of a domain, and what they find out. */
#include <string.h>

#include "base/limits.h"
#include "deploy/fedctl/command.h"
#include "deploy/fedctl/edges.h"
#include "deploy/fedctl/text.h"
#include "xmpp/jid.h"

/* @return STATUS_DONE; STATUS_USAGE: complained */
static int check_domain(struct session *s, const char *text)
{
	char domain[LIMIT_DOMAIN_BYTES + 1];
	const char *at = strrchr(text, '@');

	if (strpbrk(text, "@/: ") == NULL &&
	    domain_normalize(span_str(text), domain, sizeof(domain)) == 0)
		return STATUS_DONE;
	if (at != NULL &&
	    domain_normalize(span_str(at + 1), domain, sizeof(domain)) == 0)
		return session_usage(s,
				     "\"%s\" is an address; its domain is "
				     "\"%s\"",
				     text, domain);
	return session_usage(s, "\"%s\" is no domain, such as fabrikam.example",
			     text);
}

static int run_why(struct session *s, const struct line *l)
{
	Fed__AdminRequest r;
	Fed__AdminWhy why;
	int status = check_domain(s, line_arg(l, 0));

	if (status != STATUS_DONE)
		return status;
	fed__admin_request__init(&r);
	fed__admin_why__init(&why);
	why.domain = text_lent(line_arg(l, 0));
	r.kind_case = FED__ADMIN_REQUEST__KIND_WHY;
	r.why = &why;
	return edges_show(
		s, &r, s->is_json ? &show_findings_json : &show_findings_text);
}

static int run_check(struct session *s, const char *domain,
		     Fed__AdminCheck__What what)
{
	Fed__AdminRequest r;
	Fed__AdminCheck check;
	int status = domain == NULL ? STATUS_DONE : check_domain(s, domain);

	if (status != STATUS_DONE)
		return status;
	fed__admin_request__init(&r);
	fed__admin_check__init(&check);
	check.what = what;
	if (domain != NULL)
		check.domain = text_lent(domain);
	r.kind_case = FED__ADMIN_REQUEST__KIND_CHECK;
	r.check = &check;
	return edges_show(s, &r,
			  s->is_json ? &show_check_json : &show_check_text);
}

static int run_check_dns(struct session *s, const struct line *l)
{
	return run_check(s, line_arg(l, 0), FED__ADMIN_CHECK__WHAT__DNS);
}

static int run_check_cert(struct session *s, const struct line *l)
{
	return run_check(s, line_arg(l, 0), FED__ADMIN_CHECK__WHAT__CERT);
}

static int run_check_partner(struct session *s, const struct line *l)
{
	return run_check(s, line_arg(l, 0), FED__ADMIN_CHECK__WHAT__PARTNER);
}

static const struct command_arg domain[] = {
	{.name = "DOMAIN", .help = "of a partner"},
	{.name = NULL},
};

static const struct command_arg any_domain[] = {
	{.name = "DOMAIN", .help = "of ours or of a partner"},
	{.name = NULL},
};

static const struct command_arg maybe_domain[] = {
	{.name = "DOMAIN",
	 .count = COMMAND_MAYBE,
	 .help = "of ours or of a partner; else all of ours"},
	{.name = NULL},
};

const struct command commands_why[] = {
	{.name = "why",
	 .args = domain,
	 .summary = "how the last attempts with a domain went",
	 .more = "Each step of the last four attempts in each direction: DNS, "
		 "TCP to each address, TLS, certificate, features, EXTERNAL, "
		 "dialback, and why the stream ended, in the partner's words.\n"
		 "A gateway asks all its edges, or the one that --edge names.",
	 .example = "why fabrikam.example",
	 .run = run_why},
	{.name = "check dns",
	 .args = any_domain,
	 .summary = "do the SRV records of a domain do?",
	 .more = "Of a domain of ours: whether its records lead to the edge "
		 "that is asked, and what to publish otherwise. Of another: "
		 "what it publishes, in order of use.\nExit status 1: "
		 "something is BAD.",
	 .example = "check dns fabrikam.example",
	 .run = run_check_dns},
	{.name = "check cert",
	 .args = maybe_domain,
	 .summary = "certificates: names, chain, dates, usage, key",
	 .more = "Ours as the files of the edge have them, with the channel's "
		 "when no domain is named. Of a partner: what it shows on a "
		 "stream, made for that if need be.\nExit status 1: something "
		 "is BAD.",
	 .example = "check cert",
	 .run = run_check_cert},
	{.name = "check partner",
	 .args = domain,
	 .summary = "a whole negotiation, without a message",
	 .more = "The edge opens a stream to it under the rule in force, shows "
		 "each step, and closes it in order. It takes 30 seconds at "
		 "most.\nExit status 1: there is no stream to be had, or "
		 "something else is BAD.",
	 .example = "check partner fabrikam.example",
	 .run = run_check_partner},
	{.name = NULL},
};
