/* RFC 3261 8.2 as a list of checks; the first that says no answers. */
#include "fe-gateway/core/sip_checks.h"

#include <stdio.h>
#include <string.h>

#include "fe-gateway/core/address.h"
#include "fe-gateway/core/media_range.h"
#include "fe-gateway/core/message_map.h"
#include "fe-gateway/core/mime.h"
#include "fe-gateway/core/pidf.h"
#include "fe-gateway/core/sip_text.h"

struct check {
	const struct sip_checks_params *p;
	const struct sip_request_in *r;
	bool is_merged;
	struct sip_reply *reply;
	const char *why;
};

static bool is_method(const struct check *c, const char *name)
{
	return span_eq_str(c->r->method, name);
}

/* Of event subscriptions (RFC 6665). */
static bool is_event(const struct check *c)
{
	return is_method(c, "SUBSCRIBE") || is_method(c, "NOTIFY");
}

static enum sip_checks_verdict say(struct check *c, int status, const char *why)
{
	sip_reply_status(c->reply, status);
	c->why = why;
	return SIP_CHECKS_REPLY;
}

bool sip_checks_is_trusted(const struct sip_checks_params *p,
			   struct span source)
{
	for (size_t i = 0; i < p->trusted_count; i++)
		if (span_eq_str(source, p->trusted[i]))
			return true;
	return false;
}

bool sip_checks_may_send(const struct sip_checks_params *p,
			 const struct sip_request_in *r)
{
	/* over TLS nobody else gets a connection */
	return r->is_tls || sip_checks_is_trusted(p, r->source);
}

static enum sip_checks_verdict check_source(struct check *c)
{
	if (sip_checks_may_send(c->p, c->r))
		return SIP_CHECKS_PASS;
	(void)say(c, 403, "untrusted");
	return SIP_CHECKS_UNTRUSTED;
}

/* An ACK has no answer, whatever is wrong with it. */
static enum sip_checks_verdict check_ack(struct check *c)
{
	return is_method(c, "ACK") ? SIP_CHECKS_DROP : SIP_CHECKS_PASS;
}

/* What is no URI at all, before anything is asked of it: the library takes
 * white space inside <> for a part of the scheme, and a URI that is too long
 * is empty here. */
static enum sip_checks_verdict check_syntax(struct check *c)
{
	/* has no answer, so none about its form */
	if (is_method(c, "ACK"))
		return SIP_CHECKS_DROP;
	if (!sip_text_is_solid(c->r->request_uri))
		return say(c, 400, "request_uri");
	if (!sip_text_is_solid(c->r->to_uri))
		return say(c, 400, "to");
	if (!sip_text_is_solid(c->r->from_uri))
		return say(c, 400, "from");
	return SIP_CHECKS_PASS;
}

/* Methods with an RFC that we do not speak: 405, all others 501. */
static const char *const KNOWN[] = {
	"INVITE", "BYE",   "REGISTER", "PUBLISH",
	"REFER",  "PRACK", "UPDATE",   "INFO",
};

static enum sip_checks_verdict check_method(struct check *c)
{
	int status = 501;

	if (is_method(c, "MESSAGE") || is_method(c, "OPTIONS") || is_event(c))
		return SIP_CHECKS_PASS;
	/* one that has its transaction is answered below us */
	if (is_method(c, "CANCEL"))
		return say(c, 481, "cancel");
	for (size_t i = 0; i < FED_ARRAY_LEN(KNOWN); i++)
		if (is_method(c, KNOWN[i]))
			status = 405;
	(void)say(c, status, "method");
	c->reply->allow = SIP_ALLOW;
	return SIP_CHECKS_REPLY;
}

/* RFC 7247 8: sips is not translated, RFC 5630 5.1.2 says how to refuse. */
static enum sip_checks_verdict refuse_sips(struct check *c)
{
	(void)say(c, 480, "sips");
	c->reply->warning = "SIPS Not Allowed";
	return SIP_CHECKS_REPLY;
}

static enum sip_checks_verdict check_uri(struct check *c)
{
	struct address_uri u;
	int err = address_uri_split(c->r->request_uri, &u);

	if (err != 0)
		return say(c, err == FED_EPROTO ? 416 : 400, "request_uri");
	if (u.scheme == ADDRESS_SIPS)
		return refuse_sips(c);
	if (address_uri_split(c->r->to_uri, &u) == 0 &&
	    u.scheme == ADDRESS_SIPS)
		return refuse_sips(c);
	return SIP_CHECKS_PASS;
}

/* A NOTIFY has always a dialog, or a SUBSCRIBE of ours that makes one. */
static enum sip_checks_verdict check_dialog(struct check *c)
{
	bool has_tag = c->r->has_to_tag;

	if (is_method(c, "NOTIFY") ? !has_tag : has_tag && !is_event(c))
		return say(c, 481, "dialog");
	if (c->is_merged && !has_tag)
		return say(c, 482, "merged");
	return SIP_CHECKS_PASS;
}

static enum sip_checks_verdict check_require(struct check *c)
{
	struct span tags = c->r->require;
	char *out;
	size_t n = 0;

	if (tags.n == 0)
		return SIP_CHECKS_PASS;
	(void)say(c, 420, "require");
	out = c->reply->unsupported;
	for (size_t i = 0; i < tags.n; i++)
		if (n + 1 < sizeof(c->reply->unsupported) && tags.p[i] >= ' ' &&
		    tags.p[i] < 0x7F)
			out[n++] = tags.p[i];
	out[n] = '\0';
	return SIP_CHECKS_REPLY;
}

static enum sip_checks_verdict check_content(struct check *c)
{
	const struct sip_request_in *r = c->r;

	if (is_event(c))
		return SIP_CHECKS_PASS;
	if (r->content_encoding.n > 0 &&
	    !span_ieq(r->content_encoding, SPAN_LIT("identity"))) {
		(void)say(c, 415, "content_encoding");
		c->reply->accept_encoding = "identity";
		c->reply->accept = SIP_ACCEPT;
		return SIP_CHECKS_REPLY;
	}
	if (r->body.n == 0 || r->content_type.n == 0 ||
	    mime_is_known(r->content_type))
		return SIP_CHECKS_PASS;
	(void)say(c, 415, "content_type");
	c->reply->accept = SIP_ACCEPT;
	return SIP_CHECKS_REPLY;
}

bool sip_checks_is_ours(const struct sip_checks_params *p, struct span domain)
{
	for (size_t i = 0; i < p->domain_count; i++)
		if (span_eq_str(domain, p->domains[i]))
			return true;
	return false;
}

/* The headers of events are there, and can be read. */
static enum sip_checks_verdict check_headers(struct check *c)
{
	const struct sip_request_in *r = c->r;
	struct address_uri u;

	if (!is_event(c))
		return SIP_CHECKS_PASS;
	if (r->header_status != 0)
		return say(c, r->header_status, "header");
	/* RFC 6665 7.2.1: before anything that depends on the package */
	if (!span_eq_str(r->event, SIP_ALLOW_EVENTS)) {
		(void)say(c, 489, "event");
		c->reply->allow_events = SIP_ALLOW_EVENTS;
		return SIP_CHECKS_REPLY;
	}
	/* there is no dialog with one who has none */
	if (r->from_tag.n == 0)
		return say(c, 400, "from_tag");
	/* where our requests go to; refreshes may leave it as it was */
	if (is_method(c, "SUBSCRIBE") && !r->has_to_tag &&
	    r->contact_uri.n == 0)
		return say(c, 400, "contact");
	if (r->contact_uri.n > 0 &&
	    (address_uri_split(r->contact_uri, &u) != 0 ||
	     (u.scheme != ADDRESS_SIP && u.scheme != ADDRESS_SIPS)))
		return say(c, 400, "contact");
	if (is_method(c, "NOTIFY") && r->subscription_state.n == 0)
		return say(c, 400, "subscription_state");
	return SIP_CHECKS_PASS;
}

static enum sip_checks_verdict check_subscribe(struct check *c)
{
	if (!is_method(c, "SUBSCRIBE") || !c->r->has_accept ||
	    media_range_allows(c->r->accept, SPAN_LIT(PIDF_TYPE)))
		return SIP_CHECKS_PASS;
	(void)say(c, 406, "accept");
	c->reply->accept = PIDF_TYPE;
	return SIP_CHECKS_REPLY;
}

/* RFC 3261 8.2.3, with the one type that Accept of ours had. */
static enum sip_checks_verdict check_notify(struct check *c)
{
	const struct sip_request_in *r = c->r;

	if (!is_method(c, "NOTIFY") || r->body.n == 0)
		return SIP_CHECKS_PASS;
	if (r->content_encoding.n > 0 &&
	    !span_ieq(r->content_encoding, SPAN_LIT("identity"))) {
		(void)say(c, 415, "content_encoding");
		c->reply->accept_encoding = "identity";
		c->reply->accept = PIDF_TYPE;
		return SIP_CHECKS_REPLY;
	}
	if (span_ieq(r->content_type, SPAN_LIT(PIDF_TYPE)))
		return SIP_CHECKS_PASS;
	(void)say(c, 415, "content_type");
	c->reply->accept = PIDF_TYPE;
	return SIP_CHECKS_REPLY;
}

/* Who watches and who is watched must be users the other side can name. */
static enum sip_checks_verdict check_users(struct check *c)
{
	struct jid jid;
	int err = address_uri_to_jid(c->r->from_uri, &jid);

	if (err == 0 && jid.local_n == 0)
		err = FED_EINVAL;
	if (err != 0)
		return say(c, address_error_status(err, false), "from");
	err = address_uri_to_jid(c->r->request_uri, &jid);
	if (err == 0 && jid.local_n == 0)
		err = FED_ENOTFOUND;
	return err == 0
		       ? SIP_CHECKS_PASS
		       : say(c, address_error_status(err, true), "request_uri");
}

static enum sip_checks_verdict check_parties(struct check *c)
{
	char domain[LIMIT_DOMAIN_BYTES + 1];
	int err;

	/* inside a dialog they are known, and the Request-URI is ours */
	if (is_event(c) && c->r->has_to_tag)
		return SIP_CHECKS_PASS;
	err = address_uri_domain(c->r->from_uri, domain, sizeof(domain));
	if (err != 0)
		return say(c, 400, "from");
	if (!sip_checks_is_ours(c->p, span_str(domain)))
		return say(c, 403, "from_domain");
	err = address_uri_domain(c->r->request_uri, domain, sizeof(domain));
	if (err != 0)
		return say(c, 400, "request_uri");
	/* a SIP domain that was routed to us: the proxy did not find the
	 * user, or routes in a circle; there is nobody behind us */
	if (sip_checks_is_ours(c->p, span_str(domain)))
		return say(c, 404, "loop");
	return is_event(c) ? check_users(c) : SIP_CHECKS_PASS;
}

static enum sip_checks_verdict check_options(struct check *c)
{
	if (!is_method(c, "OPTIONS"))
		return SIP_CHECKS_PASS;
	(void)say(c, 200, "options");
	c->reply->allow = SIP_ALLOW;
	c->reply->accept = SIP_ACCEPT ", " PIDF_TYPE;
	c->reply->allow_events = SIP_ALLOW_EVENTS;
	return SIP_CHECKS_REPLY;
}

typedef enum sip_checks_verdict (*check_fn)(struct check *c);

/* OPTIONS is answered before content and parties are asked for. */
static const check_fn CHECKS[] = {
	check_source,  check_ack,     check_syntax,    check_method,
	check_uri,     check_dialog,  check_require,   check_options,
	check_content, check_headers, check_subscribe, check_notify,
	check_parties,
};

enum sip_checks_verdict sip_checks(const struct sip_checks_params *p,
				   const struct sip_request_in *r,
				   bool is_merged, struct sip_reply *reply_out,
				   const char **why_out)
{
	struct check c = {
		.p = p,
		.r = r,
		.is_merged = is_merged,
		.reply = reply_out,
		.why = "ok",
	};
	enum sip_checks_verdict v = SIP_CHECKS_PASS;

	for (size_t i = 0; i < FED_ARRAY_LEN(CHECKS); i++) {
		v = CHECKS[i](&c);
		if (v != SIP_CHECKS_PASS)
			break;
	}
	*why_out = c.why;
	return v;
}
