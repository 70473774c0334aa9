/* Names and meanings that both s2s cores share. */
#include "edge-proxy/core/s2s.h"

#include <stdio.h>
#include <string.h>

/* RFC 6120 4.9.3 */
static const char *const condition_names[] = {
	[S2S_NO_CONDITION] = "none",
	[S2S_BAD_FORMAT] = "bad-format",
	[S2S_BAD_NAMESPACE_PREFIX] = "bad-namespace-prefix",
	[S2S_CONFLICT] = "conflict",
	[S2S_CONNECTION_TIMEOUT] = "connection-timeout",
	[S2S_HOST_GONE] = "host-gone",
	[S2S_HOST_UNKNOWN] = "host-unknown",
	[S2S_IMPROPER_ADDRESSING] = "improper-addressing",
	[S2S_INTERNAL_SERVER_ERROR] = "internal-server-error",
	[S2S_INVALID_FROM] = "invalid-from",
	[S2S_INVALID_NAMESPACE] = "invalid-namespace",
	[S2S_INVALID_XML] = "invalid-xml",
	[S2S_NOT_AUTHORIZED] = "not-authorized",
	[S2S_NOT_WELL_FORMED] = "not-well-formed",
	[S2S_POLICY_VIOLATION] = "policy-violation",
	[S2S_REMOTE_CONNECTION_FAILED] = "remote-connection-failed",
	[S2S_RESET] = "reset",
	[S2S_RESOURCE_CONSTRAINT] = "resource-constraint",
	[S2S_RESTRICTED_XML] = "restricted-xml",
	[S2S_SEE_OTHER_HOST] = "see-other-host",
	[S2S_SYSTEM_SHUTDOWN] = "system-shutdown",
	[S2S_UNDEFINED_CONDITION] = "undefined-condition",
	[S2S_UNSUPPORTED_ENCODING] = "unsupported-encoding",
	[S2S_UNSUPPORTED_FEATURE] = "unsupported-feature",
	[S2S_UNSUPPORTED_STANZA_TYPE] = "unsupported-stanza-type",
	[S2S_UNSUPPORTED_VERSION] = "unsupported-version",
};

static const char *const kind_names[] = {
	[S2S_END_NONE] = "none",
	[S2S_END_CLOSED] = "closed",
	[S2S_END_DNS] = "dns",
	[S2S_END_CONNECT] = "connect",
	[S2S_END_TLS] = "tls",
	[S2S_END_CERT] = "certificate",
	[S2S_END_AUTH] = "authentication",
	[S2S_END_POLICY] = "policy",
	[S2S_END_ERROR_SENT] = "error-sent",
	[S2S_END_ERROR_GOT] = "error-got",
	[S2S_END_TIMEOUT] = "timeout",
	[S2S_END_EOF] = "eof",
	[S2S_END_SHUTDOWN] = "shutdown",
};

const char *s2s_condition_name(enum s2s_condition c)
{
	if ((size_t)c >= FED_ARRAY_LEN(condition_names))
		return "undefined-condition";
	return condition_names[c];
}

enum s2s_condition s2s_condition_parse(const char *name)
{
	/* COMPAT: the name of RFC 3920 */
	if (strcmp(name, "xml-not-well-formed") == 0)
		return S2S_NOT_WELL_FORMED;
	for (size_t i = S2S_BAD_FORMAT; i < FED_ARRAY_LEN(condition_names); i++)
		if (strcmp(name, condition_names[i]) == 0)
			return (enum s2s_condition)i;
	return S2S_UNDEFINED_CONDITION;
}

static void format(const struct s2s_reason *r, const char *place, char *out,
		   size_t out_size)
{
	const char *kind = (size_t)r->kind < FED_ARRAY_LEN(kind_names)
				   ? kind_names[r->kind]
				   : "unknown";
	const char *condition = r->condition == S2S_NO_CONDITION
					? ""
					: s2s_condition_name(r->condition);
	struct log_value text = log_value(span_str(r->text));
	struct log_value where = log_value(span_str(place));
	bool has_both = text.text[0] != '\0' && where.text[0] != '\0';
	bool has_any = text.text[0] != '\0' || where.text[0] != '\0';

	snprintf(out, out_size, "%s%s%s%s%s%s%s%s", kind,
		 condition[0] == '\0' ? "" : " ", condition,
		 has_any ? " (" : "", text.text, has_both ? "; " : "",
		 where.text, has_any ? ")" : "");
}

void s2s_reason_format(const struct s2s_reason *r, char *out, size_t out_size)
{
	format(r, r->place, out, out_size);
}

void s2s_reason_tell(const struct s2s_reason *r, char *out, size_t out_size)
{
	format(r, "", out, out_size);
}

/* XEP-0220 2.2: the peer said type='invalid': our key was not believed, which
 * is our own fault (internal-server-error).  Every other failed authentication
 * is a stream that could not be had. */
static Fed__Condition bounce_auth(const struct s2s_reason *r)
{
	return r->condition == S2S_NOT_AUTHORIZED
		       ? FED__CONDITION__INTERNAL_SERVER_ERROR
		       : FED__CONDITION__REMOTE_SERVER_TIMEOUT;
}

/* The peer's server does not serve the domain (any more): as if the name did
 * not exist.  Anything else: resolved, but no stream (RFC 6120 10.4.3). */
static Fed__Condition bounce_error_got(const struct s2s_reason *r)
{
	if (r->condition == S2S_HOST_UNKNOWN || r->condition == S2S_HOST_GONE)
		return FED__CONDITION__REMOTE_SERVER_NOT_FOUND;
	return FED__CONDITION__REMOTE_SERVER_TIMEOUT;
}

Fed__Condition s2s_reason_bounce(const struct s2s_reason *r)
{
	switch (r->kind) {
	case S2S_END_DNS:
		return FED__CONDITION__REMOTE_SERVER_NOT_FOUND;
	case S2S_END_POLICY:
		/* SIP 403 whatever the address (RFC 7247 7.1), where forbidden
		 * would be 603 for a bare address and stop a forked search for
		 * all branches */
		return FED__CONDITION__POLICY_VIOLATION;
	case S2S_END_AUTH:
		return bounce_auth(r);
	case S2S_END_ERROR_GOT:
		return bounce_error_got(r);
	case S2S_END_NONE:
	case S2S_END_CLOSED:
	case S2S_END_CONNECT:
	case S2S_END_TLS:
	case S2S_END_CERT:
	case S2S_END_ERROR_SENT:
	case S2S_END_TIMEOUT:
	case S2S_END_EOF:
	case S2S_END_SHUTDOWN:
		break;
	}
	/* RFC 6120 10.4.3: the name resolves, the stream could not be had */
	return FED__CONDITION__REMOTE_SERVER_TIMEOUT;
}

bool s2s_reason_is_in_order(const struct s2s_reason *r)
{
	switch (r->kind) {
	case S2S_END_NONE:
	case S2S_END_CLOSED:
	case S2S_END_SHUTDOWN:
		return true;
	case S2S_END_ERROR_GOT:
		/* COMPAT(ejabberd, 23.01): so ends what was idle */
		return r->condition == S2S_RESET ||
		       r->condition == S2S_CONFLICT ||
		       r->condition == S2S_CONNECTION_TIMEOUT;
	case S2S_END_DNS:
	case S2S_END_CONNECT:
	case S2S_END_TLS:
	case S2S_END_CERT:
	case S2S_END_AUTH:
	case S2S_END_POLICY:
	case S2S_END_ERROR_SENT:
	case S2S_END_TIMEOUT:
	case S2S_END_EOF:
		break;
	}
	return false;
}

size_t s2s_pair_key(const struct s2s_pair *pair, char key[S2S_PAIR_KEY_BYTES])
{
	size_t local_n = strlen(pair->local) + 1;
	size_t remote_n = strlen(pair->remote) + 1;

	if (local_n + remote_n > S2S_PAIR_KEY_BYTES)
		return 0;
	memcpy(key, pair->local, local_n);
	memcpy(key + local_n, pair->remote, remote_n);
	return local_n + remote_n;
}

bool s2s_may_log(const struct s2s_env *env, uint64_t now_ms)
{
	return env->log_limit == NULL || ratelimit_take(env->log_limit, now_ms);
}
