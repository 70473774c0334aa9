/* RFC 7572 section 5: MESSAGE request to message stanza. */
#include "fe-gateway/core/message_map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fe-gateway/core/address.h"
#include "fe-gateway/core/charset.h"
#include "fe-gateway/core/mime.h"
#include "xmpp/stanza_util.h"

void sip_reply_status(struct sip_reply *out, int status)
{
	*out = (struct sip_reply){.accept = NULL};
	if (status < 300) {
		/* no failure: its table has no phrase for these */
		out->line.status = status;
		(void)snprintf(out->line.phrase, sizeof(out->line.phrase), "%s",
			       status < 200 ? "Trying" : "OK");
		return;
	}
	error_map_status(status, &out->line);
}

static int answer(struct message_map_xmpp *out, int status)
{
	out->verdict = status < 300 ? MESSAGE_MAP_IGNORE : MESSAGE_MAP_REFUSE;
	sip_reply_status(&out->reply, status);
	if (status == 415)
		out->reply.accept = SIP_ACCEPT;
	return 0;
}

/* Text of the body in `out`; a SIP status instead of an error. */
static int body_text(const struct mime_entity *part, struct buf *out)
{
	bool is_html = span_ieq(part->type, SPAN_LIT("text/html"));
	struct buf html;
	int err;

	if (!is_html) {
		err = charset_to_text(part->body, part->charset, out);
	} else {
		buf_init(&html, LIMIT_STANZA_BYTES);
		err = charset_to_text(part->body, part->charset, &html);
		if (err == 0)
			err = charset_html_to_text(buf_span(&html), out);
		buf_deinit(&html);
	}
	switch (err) {
	case 0:
		return 0;
	case FED_ENOTFOUND:
		return 415;
	case FED_EENCODING:
		return 400;
	case FED_ELIMIT:
		return 513;
	default:
		return 500;
	}
}

/* The edge writes XML: the worst character grows to "&quot;". */
static size_t escaped_bytes(struct span text)
{
	size_t n = text.n;

	for (size_t i = 0; i < text.n; i++) {
		switch (text.p[i]) {
		case '&':
		case '<':
		case '>':
		case '"':
		case '\'':
		case '\r':
			n += 5;
			break;
		default:
			break;
		}
	}
	return n;
}

/* What else a stanza holds: both addresses, id and origin-id, names. */
enum { STANZA_REST_BYTES = 2 * LIMIT_JID_BYTES + 1024 };

static bool fits_stanza(const Fed__Stanza *s)
{
	const Fed__Message *m = s->message;
	size_t n = STANZA_REST_BYTES + escaped_bytes(span_str(m->thread));

	for (size_t i = 0; i < m->n_body; i++)
		n += escaped_bytes(span_str(m->body[i]->text));
	for (size_t i = 0; i < m->n_subject; i++)
		n += escaped_bytes(span_str(m->subject[i]->text));
	return n <= LIMIT_STANZA_BYTES;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* RFC 3261 7.3.1: a line end with the white space behind it is one space; the
 * library leaves folded lines as they came. */
static int unfold(struct span text, struct buf *out)
{
	size_t clean = 0;
	int err = 0;

	for (size_t i = 0; i < text.n && err == 0;) {
		size_t end = i;

		if (text.p[i] != '\r' && text.p[i] != '\n') {
			i++;
			continue;
		}
		while (end < text.n && is_blank(text.p[end]))
			end++;
		err = buf_put_span(out, span_sub(text, clean, i));
		if (err == 0)
			err = buf_put_byte(out, ' ');
		i = clean = end;
	}
	return err != 0 ? err
			: buf_put_span(out, span_sub(text, clean, text.n));
}

/* Text of a header: not UTF-8 gives none, it is not worth a refusal. */
static struct span clean_text(struct span text, struct buf *b)
{
	struct buf line;
	int err;

	buf_reset(b);
	buf_init(&line, LIMIT_SIP_BYTES);
	err = unfold(span_trim(text), &line);
	if (err == 0)
		err = charset_strip(buf_span(&line), b);
	buf_deinit(&line);
	return err == 0 ? buf_span(b) : SPAN_NULL;
}

static int set_texts(Fed__Stanza *s, const struct sip_request_in *r,
		     struct span body, struct arena *a)
{
	Fed__Message *m = s->message;
	struct buf b;
	struct span text, lang;
	int err = 0;

	buf_init(&b, LIMIT_SIP_BYTES);
	text = clean_text(r->content_language, &b);
	if (text.n > 0 && text.n <= LIMIT_LANG_BYTES) {
		s->lang = arena_dup(a, text);
		err = s->lang != NULL ? 0 : FED_ENOMEM;
	}
	/* the texts are in the language of the stanza: an empty one would say
	 * that they are in none (RFC 6120 8.1.5) */
	lang = err == 0 ? span_str(s->lang) : SPAN_NULL;
	if (err == 0)
		err = stanza_add_text(a, &m->body, &m->n_body, lang, body);
	text = clean_text(r->subject, &b);
	if (err == 0 && text.n > 0)
		err = stanza_add_text(a, &m->subject, &m->n_subject, lang,
				      text);
	buf_deinit(&b);
	return err;
}

static int set_thread(Fed__Stanza *s, struct thread_map *threads,
		      const struct sip_request_in *r, struct span xmpp,
		      struct span sip, struct arena *a)
{
	struct span thread = thread_map_thread(threads, xmpp, sip, r->call_id);
	struct buf b;

	buf_init(&b, LIMIT_SIP_BYTES);
	if (charset_strip(thread, &b) == 0 && buf_len(&b) > 0)
		s->message->thread = arena_dup(a, buf_span(&b));
	buf_deinit(&b);
	if (s->message->thread == NULL)
		return FED_ENOMEM;
	if (thread_map_is_chat(threads, xmpp, sip))
		s->message->type = FED__MESSAGE_TYPE__CHAT;
	return 0;
}

/* Both addresses, or the status that says which one is wrong. */
static int set_addresses(Fed__Stanza *s, const struct sip_request_in *r,
			 struct arena *a)
{
	struct jid *j;
	int err;

	if (r->to_jid != NULL && r->from_jid != NULL) {
		s->to = arena_dup(a, jid_full(r->to_jid));
		s->from = arena_dup(a, jid_full(r->from_jid));
		return s->to != NULL && s->from != NULL ? 0 : 500;
	}
	j = arena_alloc(a, sizeof(*j));
	if (j == NULL)
		return 500;
	err = address_uri_to_jid(r->request_uri, j);
	if (err != 0)
		return address_error_status(err, true);
	s->to = arena_dup(a, jid_full(j));
	err = address_uri_to_jid(r->from_uri, j);
	if (err != 0)
		return address_error_status(err, false);
	s->from = arena_dup(a, jid_full(j));
	return s->to != NULL && s->from != NULL ? 0 : 500;
}

static int make_stanza(struct thread_map *threads,
		       const struct sip_request_in *r, struct span body,
		       const uint8_t id[ID_RAW_BYTES], struct arena *a,
		       struct message_map_xmpp *out)
{
	Fed__Stanza *s = stanza_new_message(a);
	char hex[2 * ID_RAW_BYTES + 1];
	int status, err;

	if (s == NULL)
		return FED_ENOMEM;
	status = set_addresses(s, r, a);
	if (status != 0)
		return answer(out, status);
	digest_hex(id, ID_RAW_BYTES, hex);
	s->id = arena_dup(a, span_str(hex));
	s->message->origin_id = s->id;
	if (s->id == NULL)
		return FED_ENOMEM;
	err = set_texts(s, r, body, a);
	if (err == 0)
		err = set_thread(s, threads, r, jid_split(span_str(s->to)).bare,
				 jid_split(span_str(s->from)).bare, a);
	if (err != 0)
		return err;
	if (!fits_stanza(s))
		return answer(out, 513);
	out->verdict = MESSAGE_MAP_SEND;
	out->stanza = s;
	return 0;
}

/* A status instead of an error. */
static int find_text(const struct sip_request_in *r, struct mime_text *text)
{
	const struct mime_entity root = {
		.type = r->content_type,
		.charset = r->charset,
		.boundary = r->boundary,
		.language = r->content_language,
		.body = r->body,
	};

	switch (r->body.n == 0 ? 0 : mime_find_text(&root, text)) {
	case 0:
		return 0;
	case FED_EPROTO:
		return 400;
	default:
		return 415;
	}
}

/* Both URIs stand for the same user. */
static bool is_same_user(struct span a, struct span b)
{
	struct jid *j = calloc(2, sizeof(*j));
	bool is_same = j != NULL && address_uri_to_jid(a, &j[0]) == 0 &&
		       address_uri_to_jid(b, &j[1]) == 0 &&
		       span_eq(jid_split(jid_full(&j[0])).bare,
			       jid_split(jid_full(&j[1])).bare);

	free(j);
	return is_same;
}

/* Subject and language of what is wrapped.  A message/cpim speaks for its
 * content only where it names the users that SIP names: those were checked. */
static struct sip_request_in unwrap(const struct sip_request_in *r,
				    const struct mime_text *t,
				    struct buf *subject)
{
	struct sip_request_in q = *r;

	if (t->part.language.n > 0)
		q.content_language = t->part.language;
	if (q.subject.n == 0 && t->cpim_subject.n > 0 &&
	    is_same_user(t->cpim_from, r->from_uri) &&
	    is_same_user(t->cpim_to, r->request_uri) &&
	    mime_cpim_unescape(t->cpim_subject, subject) == 0)
		q.subject = buf_span(subject);
	return q;
}

static int map_text(struct thread_map *threads, const struct sip_request_in *r,
		    const struct mime_text *t, const uint8_t id[ID_RAW_BYTES],
		    struct arena *a, struct message_map_xmpp *out)
{
	struct buf body, subject;
	struct sip_request_in q;
	int status, err;

	buf_init(&body, LIMIT_STANZA_BYTES);
	buf_init(&subject, LIMIT_SIP_BYTES);
	q = unwrap(r, t, &subject);
	status = body_text(&t->part, &body);
	if (status != 0)
		err = answer(out, status);
	else if (buf_len(&body) == 0)
		err = answer(out, 200);
	else
		err = make_stanza(threads, &q, buf_span(&body), id, a, out);
	buf_deinit(&subject);
	buf_deinit(&body);
	return err;
}

int message_map_to_xmpp(struct thread_map *threads,
			const struct sip_request_in *r,
			const uint8_t id[ID_RAW_BYTES], struct arena *a,
			struct message_map_xmpp *out)
{
	struct mime_text text = {.cpim_from = SPAN_NULL};
	int status;

	*out = (struct message_map_xmpp){.verdict = MESSAGE_MAP_REFUSE};
	/* its sender said that it is worth nothing any more */
	if (r->is_expired)
		return answer(out, 200);
	status = find_text(r, &text);
	if (status != 0)
		return answer(out, status);
	return map_text(threads, r, &text, id, a, out);
}
