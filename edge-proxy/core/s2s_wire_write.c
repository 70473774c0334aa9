/* Elements of s2s negotiation: written. */
#include <string.h>

#include "edge-proxy/core/s2s_wire.h"
#include "edge-proxy/core/xml_names.h"
#include "edge-proxy/core/xml_writer.h"
#include "xmpp/stanza_error.h"

/* RFC 6120 4.7: header in the form that all servers use. */
void s2s_write_header(struct buf *b, const struct s2s_header_out *h)
{
	buf_put_str(b, "<?xml version='1.0'?>");
	xml_write_open(b, "stream:stream");
	xml_write_attr(b, "xmlns", NS_SERVER);
	xml_write_attr(b, "xmlns:stream", NS_STREAM);
	xml_write_attr(b, "xmlns:db", NS_DIALBACK);
	xml_write_attr(b, "from", h->from);
	xml_write_attr(b, "to", h->to);
	xml_write_attr(b, "id", h->id);
	xml_write_attr(b, "xml:lang", "en");
	xml_write_attr(b, "version", h->has_version ? "1.0" : NULL);
	xml_write_body(b);
}

static void write_starttls(struct buf *b, bool is_required)
{
	xml_write_open(b, "starttls");
	xml_write_attr(b, "xmlns", NS_TLS);
	if (!is_required) {
		xml_write_empty(b);
		return;
	}
	xml_write_body(b);
	xml_write_open(b, "required");
	xml_write_empty(b);
	xml_write_close(b, "starttls");
}

static void write_mechanisms(struct buf *b)
{
	xml_write_open(b, "mechanisms");
	xml_write_attr(b, "xmlns", NS_SASL);
	xml_write_body(b);
	xml_write_leaf(b, "mechanism", "EXTERNAL");
	xml_write_close(b, "mechanisms");
}

/* XEP-0220 2.4.1: we understand type='error' */
static void write_dialback_feature(struct buf *b)
{
	xml_write_open(b, "dialback");
	xml_write_attr(b, "xmlns", NS_DIALBACK_FEATURE);
	xml_write_body(b);
	xml_write_open(b, "errors");
	xml_write_empty(b);
	xml_write_close(b, "dialback");
}

static void write_limits(struct buf *b, const struct s2s_limits *limits)
{
	xml_write_open(b, "limits");
	xml_write_attr(b, "xmlns", NS_LIMITS);
	xml_write_body(b);
	buf_printf(b, "<max-bytes>%zu</max-bytes>", limits->max_bytes);
	buf_printf(b, "<idle-seconds>%llu</idle-seconds>",
		   (unsigned long long)limits->idle_ms / 1000u);
	xml_write_close(b, "limits");
}

void s2s_write_features(struct buf *b, const struct negotiation_offer *offer,
			const struct s2s_limits *limits)
{
	xml_write_open(b, "stream:features");
	xml_write_body(b);
	if (offer->starttls)
		write_starttls(b, offer->is_starttls_required);
	if (offer->external)
		write_mechanisms(b);
	if (offer->bidi)
		xml_write_flag(b, "bidi", NS_BIDI_FEATURE);
	if (offer->dialback)
		write_dialback_feature(b);
	if (limits != NULL)
		write_limits(b, limits);
	xml_write_close(b, "stream:features");
}

void s2s_write_bidi(struct buf *b, const struct s2s_limits *limits)
{
	xml_write_open(b, "bidi");
	xml_write_attr(b, "xmlns", NS_BIDI);
	xml_write_body(b);
	write_limits(b, limits);
	xml_write_close(b, "bidi");
}

void s2s_write_error(struct buf *b, enum s2s_condition c, const char *text,
		     bool is_too_big)
{
	xml_write_open(b, "stream:error");
	xml_write_body(b);
	xml_write_flag(b, s2s_condition_name(c), NS_STREAM_ERRORS);
	if (text != NULL && text[0] != '\0') {
		xml_write_open(b, "text");
		xml_write_attr(b, "xmlns", NS_STREAM_ERRORS);
		xml_write_attr(b, "xml:lang", "en");
		xml_write_body(b);
		xml_write_text(b, text);
		xml_write_close(b, "text");
	}
	if (is_too_big)
		xml_write_flag(b, "stanza-too-big", NS_ERRORS_EXT);
	xml_write_close(b, "stream:error");
	s2s_write_end(b);
}

void s2s_write_end(struct buf *b)
{
	xml_write_close(b, "stream:stream");
}

/* XEP-0220 2.4.2: remote-connection-failed stands in the stanza namespace
 * although RFC 6120 knows it as a stream error only. */
static void write_dialback_error(struct buf *b, const char *name)
{
	Fed__ErrorType type = stanza_error_usual_type(stanza_error_parse(name));

	if (strcmp(name, "remote-connection-failed") == 0)
		type = FED__ERROR_TYPE__CANCEL;
	xml_write_open(b, "error");
	xml_write_attr(b, "type", stanza_error_type_name(type));
	xml_write_body(b);
	xml_write_flag(b, name, NS_STANZA_ERRORS);
	xml_write_close(b, "error");
}

void s2s_write_dialback(struct buf *b, const struct s2s_dialback *d)
{
	xml_write_open(b, d->element);
	xml_write_attr(b, "from", d->from);
	xml_write_attr(b, "to", d->to);
	xml_write_attr(b, "id", d->id);
	xml_write_attr(b, "type", d->type);
	if (d->key == NULL && d->error == NULL) {
		xml_write_empty(b);
		return;
	}
	xml_write_body(b);
	if (d->key != NULL)
		xml_write_text(b, d->key);
	if (d->error != NULL)
		write_dialback_error(b, d->error);
	xml_write_close(b, d->element);
}

/* RFC 6120 6.4.2: base64 of the authzid, '=' when it is empty. */
static void write_authzid(struct buf *b, const char *authzid)
{
	if (authzid[0] == '\0')
		buf_put_str(b, "=");
	else if (digest_base64_encode(span_str(authzid), b) != 0)
		b->is_failed = true;
}

void s2s_write_auth(struct buf *b, const char *authzid)
{
	xml_write_open(b, "auth");
	xml_write_attr(b, "xmlns", NS_SASL);
	xml_write_attr(b, "mechanism", "EXTERNAL");
	xml_write_body(b);
	write_authzid(b, authzid);
	xml_write_close(b, "auth");
}

void s2s_write_response(struct buf *b, const char *authzid)
{
	xml_write_open(b, "response");
	xml_write_attr(b, "xmlns", NS_SASL);
	xml_write_body(b);
	write_authzid(b, authzid);
	xml_write_close(b, "response");
}

void s2s_write_sasl_failure(struct buf *b, const char *condition)
{
	xml_write_open(b, "failure");
	xml_write_attr(b, "xmlns", NS_SASL);
	xml_write_body(b);
	xml_write_open(b, condition);
	xml_write_empty(b);
	xml_write_close(b, "failure");
}
