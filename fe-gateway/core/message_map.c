/* RFC 7572 section 4: message stanza to MESSAGE request. */
#include "fe-gateway/core/message_map.h"

#include <string.h>

#include "fe-gateway/core/address.h"
#include "fe-gateway/core/sip_text.h"
#include "xmpp/stanza_error.h"
#include "xmpp/stanza_util.h"

static int refuse(struct message_map_sip *out, struct arena *a,
		  Fed__Condition c, const char *text)
{
	out->verdict = MESSAGE_MAP_REFUSE;
	out->error = stanza_error_new(a, c, text);
	return out->error != NULL ? 0 : FED_ENOMEM;
}

/* One line of a header: CR, LF and TAB become one space each run, other
 * controls go, so no header can be smuggled in (RFC 7572 table 1). */
static const char *fold_line(struct arena *a, struct span text)
{
	char *s = arena_dup(a, span_trim(text));
	bool is_space = false;
	size_t n = 0;

	if (s == NULL)
		return NULL;
	for (const char *p = s; *p != '\0'; p++) {
		unsigned char c = (unsigned char)*p;

		if (c == '\r' || c == '\n' || c == '\t') {
			is_space = true;
			continue;
		}
		if (c < 0x20 || c == 0x7F)
			continue;
		if (is_space && n > 0 && s[n - 1] != ' ' && c != ' ')
			s[n++] = ' ';
		is_space = false;
		s[n++] = (char)c;
	}
	s[n] = '\0';
	return s;
}

/* The tag, if it is one; else NULL. */
static const char *language_tag(struct arena *a, const char *lang)
{
	struct span tag = span_str(lang);

	return sip_text_is_language(tag) ? arena_dup(a, tag) : NULL;
}

static bool is_ascii(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	return true;
}

/* Identity of the request, out of the delivery id alone: the From tag is new
 * for each message, so no CSeq order is needed within a Call-ID, and the same
 * delivery gives the same values on any gateway.  Only the branch, which names
 * a transaction of this client, is the same after a restart but not on another
 * one. */
static int set_identity(struct sip_request_out *r, struct arena *a,
			const uint8_t id[ID_RAW_BYTES], const char *mark)
{
	char hex[2 * ID_RAW_BYTES + 1];

	digest_hex(id, ID_RAW_BYTES, hex);
	r->from_tag = arena_dup(a, span_of(hex, ID_RAW_BYTES));
	r->branch =
		arena_printf(a, "z9hG4bK%s%s", hex, mark != NULL ? mark : "");
	/* RFC 3261 8.1.1.5: below 2^31; 0 is allowed but odd */
	r->cseq = ((uint32_t)id[12] << 24 | (uint32_t)id[13] << 16 |
		   (uint32_t)id[14] << 8 | (uint32_t)id[15]) &
		  0x7FFFFFFFu;
	if (r->cseq == 0)
		r->cseq = 1;
	if (r->call_id == NULL)
		r->call_id = arena_dup(a, span_str(hex));
	if (r->from_tag == NULL || r->branch == NULL || r->call_id == NULL)
		return FED_ENOMEM;
	return 0;
}

typedef int (*to_uri_fn)(struct span jid, enum address_scheme scheme,
			 struct buf *out);

/* URI of a JID in the arena; errors of address_jid_to_uri(). */
static int put_uri(struct arena *a, to_uri_fn fn, const char *jid,
		   const char **uri_out)
{
	struct buf b;
	int err;

	buf_init(&b, LIMIT_SIP_URI_BYTES);
	err = fn(span_str(jid), ADDRESS_SIP, &b);
	if (err == 0) {
		*uri_out = arena_dup(a, buf_span(&b));
		if (*uri_out == NULL)
			err = FED_ENOMEM;
	}
	buf_deinit(&b);
	return err;
}

static int set_addresses(struct sip_request_out *r, struct arena *a,
			 const Fed__Stanza *s)
{
	int err = put_uri(a, address_jid_to_uri, s->to, &r->request_uri);

	if (err == 0)
		err = put_uri(a, address_jid_to_aor, s->to, &r->to_uri);
	if (err == 0)
		err = put_uri(a, address_jid_to_uri, s->from, &r->from_uri);
	return err;
}

static int set_content(struct sip_request_out *r, struct arena *a,
		       const Fed__Stanza *s, const Fed__Text *body)
{
	const Fed__Message *m = s->message;
	const Fed__Text *subject;
	const char *lang = s->lang;

	if (body != NULL) {
		char *copy = arena_dup(a, span_str(body->text));

		if (copy == NULL)
			return FED_ENOMEM;
		r->body = span_str(copy);
		if (body->lang[0] != '\0')
			lang = body->lang;
	}
	/* the default charset of text/plain is UTF-8 (RFC 3261 7.4.1), but
	 * many a user agent wants to read it */
	r->content_type =
		is_ascii(r->body) ? "text/plain" : "text/plain;charset=UTF-8";
	r->content_language = language_tag(a, lang);
	subject = stanza_pick_text(m->subject, m->n_subject, lang);
	if (subject != NULL) {
		r->subject = fold_line(a, span_str(subject->text));
		if (r->subject == NULL)
			return FED_ENOMEM;
		if (r->subject[0] == '\0')
			r->subject = NULL;
	}
	return 0;
}

static size_t line_bytes(const char *name, const char *value)
{
	/* "Name: value\r\n" */
	return value == NULL ? 0 : strlen(name) + 2 + strlen(value) + 2;
}

static size_t digits(size_t v)
{
	size_t n = 1;

	while (v >= 10) {
		v /= 10;
		n++;
	}
	return n;
}

/* The adapter writes a line for each route. */
static size_t routes_bytes(const char *routes)
{
	size_t n = line_bytes("Route", routes);

	for (; routes != NULL && *routes != '\0'; routes++)
		if (*routes == ',')
			n += sizeof("Route: \r\n") - 1;
	return n;
}

/* What only requests of event subscriptions have. */
static size_t event_bytes(const struct message_map_params *p,
			  const struct sip_request_out *r)
{
	size_t n = r->has_contact ? p->contact_bytes : 0;

	if (r->to_tag != NULL)
		n += sizeof(";tag=") - 1 + strlen(r->to_tag);
	if (r->has_expires)
		n += sizeof("Expires: \r\n") - 1 + digits(r->expires);
	n += routes_bytes(r->routes);
	n += line_bytes("Event", r->event);
	n += line_bytes("Accept", r->accept);
	return n + line_bytes("Subscription-State", r->subscription_state);
}

size_t message_map_request_bytes(const struct message_map_params *p,
				 const struct sip_request_out *r)
{
	size_t n = p->fixed_bytes + strlen(r->branch);

	n += strlen(r->method) + strlen(r->request_uri) +
	     sizeof("  SIP/2.0\r\n") - 1;
	n += sizeof("Max-Forwards: 70\r\n") - 1;
	n += sizeof("From: <>;tag=\r\n") - 1 + strlen(r->from_uri) +
	     strlen(r->from_tag);
	n += sizeof("To: <>\r\n") - 1 + strlen(r->to_uri);
	n += line_bytes("Call-ID", r->call_id);
	n += sizeof("CSeq:  \r\n") - 1 + digits(r->cseq) + strlen(r->method);
	n += event_bytes(p, r);
	n += line_bytes("Subject", r->subject);
	n += line_bytes("Content-Type", r->content_type);
	n += line_bytes("Content-Language", r->content_language);
	n += sizeof("Content-Length: \r\n\r\n") - 1 + digits(r->body.n);
	return n + r->body.n;
}

/* What the stanza is to become, before any work (RFC 7572 4, RFC 6121 5). */
static enum message_map_verdict classify(const Fed__Message *m,
					 const Fed__Text *body)
{
	if (m->type == FED__MESSAGE_TYPE__MESSAGE_ERROR)
		return MESSAGE_MAP_IGNORE;
	if (m->type == FED__MESSAGE_TYPE__GROUPCHAT)
		return MESSAGE_MAP_REFUSE;
	if (body != NULL)
		return MESSAGE_MAP_SEND;
	/* a subject alone is a message of type normal; chat states, receipts
	 * and markers alone have no counterpart in page mode */
	if (m->n_subject > 0 && m->type == FED__MESSAGE_TYPE__NORMAL)
		return MESSAGE_MAP_SEND;
	return MESSAGE_MAP_IGNORE;
}

static int set_thread(struct sip_request_out *r, struct arena *a,
		      struct thread_map *threads, const Fed__Stanza *s)
{
	struct jid_parts from = jid_split(span_str(s->from));
	struct jid_parts to = jid_split(span_str(s->to));
	const Fed__Message *m = s->message;

	thread_map_note_type(threads, from.bare, to.bare,
			     m->type == FED__MESSAGE_TYPE__CHAT);
	if (m->thread[0] == '\0')
		return 0;
	r->call_id = thread_map_call_id(threads, from.bare, to.bare,
					span_str(m->thread), a);
	return r->call_id != NULL ? 0 : FED_ENOMEM;
}

int message_map_to_sip(const struct message_map_params *p,
		       struct thread_map *threads, const Fed__Stanza *s,
		       const uint8_t delivery_id[ID_RAW_BYTES], struct arena *a,
		       struct message_map_sip *out)
{
	const Fed__Message *m = s->message;
	const Fed__Text *body = stanza_pick_text(m->body, m->n_body, s->lang);
	struct sip_request_out *r = &out->request;
	int err;

	*out = (struct message_map_sip){.request.method = "MESSAGE"};
	out->verdict = classify(m, body);
	if (out->verdict == MESSAGE_MAP_REFUSE)
		return refuse(out, a, FED__CONDITION__FEATURE_NOT_IMPLEMENTED,
			      "There are no chat rooms here");
	if (out->verdict == MESSAGE_MAP_IGNORE)
		return 0;
	err = set_addresses(r, a, s);
	if (err == FED_EINVAL || err == FED_ELIMIT)
		return refuse(out, a, address_error_condition(err),
			      "The address has no SIP form");
	if (err == 0)
		err = set_thread(r, a, threads, s);
	if (err == 0)
		err = set_content(r, a, s, body);
	if (err == 0)
		err = set_identity(r, a, delivery_id, p->branch_mark);
	if (err != 0)
		return err;
	/* LIMIT: RFC 3428 8, RFC 7572 6; nothing is cut or split */
	if (message_map_request_bytes(p, r) > p->page_max_bytes)
		return refuse(out, a, FED__CONDITION__POLICY_VIOLATION,
			      "The message is too long for SIP");
	return 0;
}
