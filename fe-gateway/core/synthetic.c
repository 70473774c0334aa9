/* One request as a client would make it, and what the way says of it. */
#include "fe-gateway/core/synthetic.h"

#include <string.h>

#include "fe-gateway/core/address.h"
#include "fe-gateway/core/pidf.h"
#include "xmpp/jid.h"
#include "xmpp/stanza_error.h"
#include "xmpp/stanza_util.h"

enum { TEXT_MAX = LIMIT_STANZA_ARENA_BYTES };

/* Nobody sends anything there: NOTIFYs are taken before they leave. */
#define CONTACT "sip:synthetic@synthetic.invalid"

/* --- the request ---------------------------------------------------------- */

static int put_uri(struct synthetic *s, const char *jid, struct span *out)
{
	struct buf b;
	char *text = NULL;
	int err;

	buf_init(&b, LIMIT_SIP_URI_BYTES);
	err = address_jid_to_aor(span_str(jid), ADDRESS_SIP, &b);
	if (err == 0) {
		text = arena_dup(&s->arena, buf_span(&b));
		if (text == NULL)
			err = FED_ENOMEM;
		else
			*out = span_str(text);
	}
	buf_deinit(&b);
	return err == FED_ELIMIT ? FED_EINVAL : err;
}

static bool put_message(struct synthetic *s, const char *id)
{
	/* the domain is the end of a bare JID */
	const char *ours = jid_split(span_str(s->from)).domain.p;
	char *body = arena_printf(&s->arena,
				  "[federation test %.8s] The operators of %s "
				  "test the way to you. No answer is needed.",
				  id, ours);

	s->request.method = SPAN_LIT("MESSAGE");
	s->request.content_type = SPAN_LIT("text/plain");
	s->request.charset = SPAN_LIT("UTF-8");
	if (body == NULL)
		return false;
	s->request.body = span_str(body);
	return true;
}

/* RFC 6665 4.1.2.3: one that ends at once tells the state and leaves
 * nothing. */
static void put_poll(struct synthetic *s)
{
	s->request.method = SPAN_LIT("SUBSCRIBE");
	s->request.contact_uri = SPAN_LIT(CONTACT);
	s->request.has_event = true;
	s->request.event = SPAN_LIT("presence");
	s->request.has_expires = true;
}

static int fill(struct synthetic *s, struct span from, struct span to,
		struct id_source *ids)
{
	char call_id[ID_TEXT_BYTES + 1], tag[ID_TEXT_BYTES + 1];
	struct sip_request_in *q = &s->request;
	char *copy, *tag_copy;
	int err;

	id_source_next(ids, call_id);
	id_source_next(ids, tag);
	s->from = arena_dup(&s->arena, from);
	s->to = arena_dup(&s->arena, to);
	s->domain = arena_dup(&s->arena, jid_split(to).domain);
	copy = arena_dup(&s->arena, span_str(call_id));
	tag_copy = arena_dup(&s->arena, span_str(tag));
	if (s->from == NULL || s->to == NULL || s->domain == NULL ||
	    copy == NULL || tag_copy == NULL)
		return FED_ENOMEM;
	err = put_uri(s, s->from, &q->from_uri);
	if (err == 0)
		err = put_uri(s, s->to, &q->request_uri);
	if (err != 0)
		return err;
	q->to_uri = q->request_uri;
	q->call_id = span_str(copy);
	q->from_tag = span_str(tag_copy);
	q->cseq = 1;
	if (s->what == SYNTHETIC_PRESENCE)
		put_poll(s);
	else if (!put_message(s, call_id))
		return FED_ENOMEM;
	return 0;
}

int synthetic_init(struct synthetic *s, enum synthetic_what what,
		   struct span from, struct span to, uint64_t handle,
		   struct id_source *ids, uint64_t now_ms)
{
	int err;

	*s = (struct synthetic){.what = what, .begun_ms = now_ms};
	arena_init(&s->arena, TEXT_MAX);
	s->request.handle = handle;
	s->request.source = SPAN_LIT("fedctl");
	/* who may ask for it, the admin socket has checked */
	s->request.is_tls = true;
	err = fill(s, from, to, ids);
	if (err != 0)
		synthetic_deinit(s);
	return err;
}

void synthetic_deinit(struct synthetic *s)
{
	arena_deinit(&s->arena);
	*s = (struct synthetic){.is_over = true};
	arena_init(&s->arena, TEXT_MAX);
}

/* --- what comes ----------------------------------------------------------- */

static void end(struct synthetic *s, uint64_t now_ms)
{
	s->is_over = true;
	if (s->ended_ms == 0)
		s->ended_ms = now_ms;
}

void synthetic_on_reply(struct synthetic *s, const struct sip_reply *reply,
			uint64_t now_ms)
{
	if (reply->line.status < 200 || s->is_over)
		return;
	s->line = reply->line;
	/* a poll waits for its NOTIFY */
	if (s->what == SYNTHETIC_IM || reply->line.status >= 300)
		end(s, now_ms);
}

bool synthetic_is_notify(const struct sip_request_out *q)
{
	return strcmp(q->method, "NOTIFY") == 0 &&
	       strcmp(q->request_uri, CONTACT) == 0;
}

/* What the best resource shows; NULL: nothing, or no memory. */
static const char *print_shown(struct synthetic *s,
			       const struct presence_resource *r)
{
	static const char *const shows[] = {
		[FED__SHOW__NO_SHOW] = "available",
		[FED__SHOW__AWAY] = "away",
		[FED__SHOW__SHOW_CHAT] = "chat",
		[FED__SHOW__DND] = "dnd",
		[FED__SHOW__XA] = "xa",
	};

	return arena_dup(&s->arena, span_str(shows[r->show]));
}

static void read_document(struct synthetic *s, struct span body)
{
	struct presence_view view = {.count = 0};
	const struct presence_resource *best;

	if (pidf_read(body, SPAN_NULL, &view) != 0)
		return;
	best = presence_view_best(&view);
	s->seen = best != NULL ? SYNTHETIC_AVAILABLE : SYNTHETIC_UNAVAILABLE;
	if (best != NULL)
		s->shown = print_shown(s, best);
	presence_view_clear(&view);
}

/* Servers say nothing to strangers, Prosody among them: the way was good. */
static void take_silence(struct synthetic *s)
{
	if (s->taken_ms == 0)
		return;
	s->seen = SYNTHETIC_SILENCE;
	s->ended_ms = s->taken_ms;
}

/* One without a document means that the gateway does not wait any longer; the
 * edge may still have something to say. */
bool synthetic_on_notify(struct synthetic *s, const struct sip_request_out *q,
			 uint64_t now_ms)
{
	if (!span_eq_str(s->request.call_id, q->call_id))
		return false;
	if (s->is_over)
		return true;
	s->is_notified = true;
	if (q->body.n > 0)
		read_document(s, q->body);
	if (s->seen == SYNTHETIC_NOTHING && s->condition == NULL)
		take_silence(s);
	if (s->seen != SYNTHETIC_NOTHING || s->condition != NULL)
		end(s, now_ms);
	return true;
}

/* Between the two, whatever their resources. */
static bool is_between(const Fed__Stanza *stanza, const char *from,
		       const char *to)
{
	return span_eq_str(jid_split(span_str(stanza->from)).bare, from) &&
	       span_eq_str(jid_split(span_str(stanza->to)).bare, to);
}

static bool is_kind(const struct synthetic *s, const Fed__Stanza *stanza)
{
	return stanza->kind_case == (s->what == SYNTHETIC_IM
					     ? FED__STANZA__KIND_MESSAGE
					     : FED__STANZA__KIND_PRESENCE);
}

bool synthetic_is_ours(const struct synthetic *s, const Fed__Stanza *stanza)
{
	return !s->is_over && is_kind(s, stanza) &&
	       is_between(stanza, s->from, s->to);
}

bool synthetic_is_answer(const struct synthetic *s, const Fed__Stanza *stanza)
{
	return !s->is_over && is_kind(s, stanza) &&
	       is_between(stanza, s->to, s->from);
}

static void keep_error(struct synthetic *s, const Fed__Error *e,
		       const char *edge)
{
	const Fed__Text *text = stanza_pick_text(e->text, e->n_text, "en");

	s->condition = stanza_error_name(e->condition);
	s->text = text != NULL && text->text[0] != '\0'
			  ? arena_dup(&s->arena, span_str(text->text))
			  : NULL;
	s->edge = edge != NULL ? arena_dup(&s->arena, span_str(edge)) : NULL;
}

/* A NOTIFY is still to come; it is the end. */
static void on_first_answer(struct synthetic *s, uint64_t now_ms)
{
	if (s->ended_ms == 0)
		s->ended_ms = now_ms;
	if (s->is_notified)
		end(s, now_ms);
}

void synthetic_on_outcome(struct synthetic *s, const Fed__Error *refused,
			  const char *edge, uint64_t now_ms)
{
	if (s->is_over)
		return;
	if (refused == NULL) {
		s->taken_ms = now_ms;
		return;
	}
	keep_error(s, refused, edge);
	if (s->what == SYNTHETIC_PRESENCE)
		on_first_answer(s, now_ms);
}

static void on_presence(struct synthetic *s, const Fed__Presence *p)
{
	switch (p->type) {
	case FED__PRESENCE_TYPE__UNSUBSCRIBED:
		s->seen = SYNTHETIC_NOT_ALLOWED;
		break;
	case FED__PRESENCE_TYPE__AVAILABLE:
		s->seen = SYNTHETIC_AVAILABLE;
		break;
	case FED__PRESENCE_TYPE__UNAVAILABLE:
		s->seen = SYNTHETIC_UNAVAILABLE;
		break;
	case FED__PRESENCE_TYPE__SUBSCRIBE:
	case FED__PRESENCE_TYPE__SUBSCRIBED:
	case FED__PRESENCE_TYPE__UNSUBSCRIBE:
	case FED__PRESENCE_TYPE__PROBE:
	case FED__PRESENCE_TYPE__PRESENCE_ERROR:
	case _FED__PRESENCE_TYPE_IS_INT_SIZE:
		break;
	}
}

void synthetic_on_answer(struct synthetic *s, const Fed__Stanza *stanza,
			 uint64_t now_ms)
{
	const Fed__Error *e = stanza_get_error(stanza);

	if (s->is_over)
		return;
	if (e != NULL)
		keep_error(s, e, NULL);
	else if (stanza->kind_case == FED__STANZA__KIND_PRESENCE)
		on_presence(s, stanza->presence);
	if (s->what == SYNTHETIC_PRESENCE &&
	    (e != NULL || s->seen != SYNTHETIC_NOTHING))
		on_first_answer(s, now_ms);
}

void synthetic_give_up(struct synthetic *s, uint64_t now_ms)
{
	if (s->is_over)
		return;
	if (s->what == SYNTHETIC_PRESENCE && s->seen == SYNTHETIC_NOTHING &&
	    s->condition == NULL)
		take_silence(s);
	/* what is known is known */
	s->is_late = s->seen == SYNTHETIC_NOTHING;
	s->ended_ms = s->is_late ? 0 : s->ended_ms;
	end(s, now_ms);
}
