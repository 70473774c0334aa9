/*
 * Stanza to XML.  The stream's default namespace is jabber:server, so the
 * stanza and its own children carry none.
 */
#include "edge-proxy/core/stanza_xml.h"

#include <string.h>

#include "edge-proxy/core/stamp.h"
#include "edge-proxy/core/stanza_print.h"
#include "edge-proxy/core/xml_names.h"
#include "edge-proxy/core/xml_writer.h"
#include "xmpp/stanza_error.h"

/* ---- pieces ---- */

void stanza_print_attr(struct buf *b, const char *name, const char *value)
{
	if (value[0] != '\0')
		xml_write_attr(b, name, value);
}

void stanza_print_lang(struct buf *b, const char *lang, const char *inherited)
{
	if (strcmp(lang, inherited) != 0)
		xml_write_attr(b, "xml:lang", lang);
}

/* ">text</name>", or "/>" without text */
static void print_content(struct buf *b, const char *name, const char *text)
{
	if (text[0] == '\0') {
		xml_write_empty(b);
		return;
	}
	xml_write_body(b);
	xml_write_text(b, text);
	xml_write_close(b, name);
}

/* ns NULL: the stream's */
static void print_texts(struct buf *b, const Fed__Stanza *s, const char *name,
			const char *ns, Fed__Text *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		xml_write_open(b, name);
		xml_write_attr(b, "xmlns", ns);
		stanza_print_lang(b, list[i]->lang, s->lang);
		print_content(b, name, list[i]->text);
	}
}

/* <name xmlns='ns' id='id'/>; nothing without id */
static void print_reference(struct buf *b, const char *name, const char *ns,
			    const char *id)
{
	if (id[0] == '\0')
		return;
	xml_write_open(b, name);
	xml_write_attr(b, "xmlns", ns);
	xml_write_attr(b, "id", id);
	xml_write_empty(b);
}

static void print_delay(struct buf *b, const Fed__Delay *delay)
{
	char stamp[STAMP_TEXT_BYTES + 1];

	if (delay == NULL || stamp_format(delay->stamp_ms, stamp) != 0)
		return;
	xml_write_open(b, "delay");
	xml_write_attr(b, "xmlns", NS_DELAY);
	stanza_print_attr(b, "from", delay->from);
	xml_write_attr(b, "stamp", stamp);
	xml_write_empty(b);
}

static void print_condition(struct buf *b, const Fed__Error *e)
{
	const char *name = stanza_error_name(e->condition);
	bool has_address = e->condition == FED__CONDITION__GONE ||
			   e->condition == FED__CONDITION__REDIRECT;

	xml_write_open(b, name);
	xml_write_attr(b, "xmlns", NS_STANZA_ERRORS);
	print_content(b, name, has_address ? e->address : "");
}

static void print_error(struct buf *b, const Fed__Stanza *s,
			const Fed__Error *e)
{
	Fed__ErrorType type;

	if (e == NULL)
		return;
	type = e->type == FED__ERROR_TYPE__NO_ERROR_TYPE
		       ? stanza_error_usual_type(e->condition)
		       : e->type;
	xml_write_open(b, "error");
	stanza_print_attr(b, "by", e->by);
	xml_write_attr(b, "type", stanza_error_type_name(type));
	xml_write_body(b);
	print_condition(b, e);
	print_texts(b, s, "text", NS_STANZA_ERRORS, e->text, e->n_text);
	if (e->detail == FED__ERROR_DETAIL__STANZA_TOO_BIG)
		xml_write_flag(b, "stanza-too-big", NS_ERRORS_EXT);
	xml_write_close(b, "error");
}

/* "<name from='' to='' ...", still open; type NULL: the default */
static void print_start(struct buf *b, const Fed__Stanza *s, const char *name,
			const char *type)
{
	xml_write_open(b, name);
	stanza_print_attr(b, "from", s->from);
	stanza_print_attr(b, "to", s->to);
	stanza_print_attr(b, "id", s->id);
	xml_write_attr(b, "type", type);
	stanza_print_attr(b, "xml:lang", s->lang);
	xml_write_body(b);
}

/* ---- message ---- */

static const char *message_type(Fed__MessageType type)
{
	switch (type) {
	case FED__MESSAGE_TYPE__CHAT:
		return "chat";
	case FED__MESSAGE_TYPE__HEADLINE:
		return "headline";
	case FED__MESSAGE_TYPE__GROUPCHAT:
		return "groupchat";
	case FED__MESSAGE_TYPE__MESSAGE_ERROR:
		return "error";
	case FED__MESSAGE_TYPE__NORMAL:
	case _FED__MESSAGE_TYPE_IS_INT_SIZE:
		break;
	}
	return NULL;
}

static const char *chat_state_name(Fed__ChatState state)
{
	switch (state) {
	case FED__CHAT_STATE__ACTIVE:
		return "active";
	case FED__CHAT_STATE__COMPOSING:
		return "composing";
	case FED__CHAT_STATE__PAUSED:
		return "paused";
	case FED__CHAT_STATE__INACTIVE:
		return "inactive";
	case FED__CHAT_STATE__STATE_GONE:
		return "gone";
	case FED__CHAT_STATE__NO_CHAT_STATE:
	case _FED__CHAT_STATE_IS_INT_SIZE:
		break;
	}
	return NULL;
}

static void print_thread(struct buf *b, const Fed__Message *m)
{
	if (m->thread[0] == '\0')
		return;
	xml_write_open(b, "thread");
	stanza_print_attr(b, "parent", m->thread_parent);
	print_content(b, "thread", m->thread);
}

static void print_message(struct buf *b, const Fed__Stanza *s)
{
	const Fed__Message *m = s->message;
	const char *state = chat_state_name(m->chat_state);

	print_start(b, s, "message", message_type(m->type));
	print_texts(b, s, "subject", NULL, m->subject, m->n_subject);
	print_texts(b, s, "body", NULL, m->body, m->n_body);
	print_thread(b, m);
	if (state != NULL)
		xml_write_flag(b, state, NS_CHATSTATES);
	if (m->receipt_request)
		xml_write_flag(b, "request", NS_RECEIPTS);
	print_reference(b, "received", NS_RECEIPTS, m->receipt_received);
	if (m->markable)
		xml_write_flag(b, "markable", NS_MARKERS);
	print_reference(b, "displayed", NS_MARKERS, m->displayed);
	print_delay(b, m->delay);
	print_reference(b, "replace", NS_REPLACE, m->replace_id);
	print_reference(b, "origin-id", NS_SID, m->origin_id);
	print_error(b, s, m->error);
	xml_write_close(b, "message");
}

/* ---- presence ---- */

static const char *presence_type(Fed__PresenceType type)
{
	switch (type) {
	case FED__PRESENCE_TYPE__UNAVAILABLE:
		return "unavailable";
	case FED__PRESENCE_TYPE__SUBSCRIBE:
		return "subscribe";
	case FED__PRESENCE_TYPE__SUBSCRIBED:
		return "subscribed";
	case FED__PRESENCE_TYPE__UNSUBSCRIBE:
		return "unsubscribe";
	case FED__PRESENCE_TYPE__UNSUBSCRIBED:
		return "unsubscribed";
	case FED__PRESENCE_TYPE__PROBE:
		return "probe";
	case FED__PRESENCE_TYPE__PRESENCE_ERROR:
		return "error";
	case FED__PRESENCE_TYPE__AVAILABLE:
	case _FED__PRESENCE_TYPE_IS_INT_SIZE:
		break;
	}
	return NULL;
}

static const char *show_name(Fed__Show show)
{
	switch (show) {
	case FED__SHOW__AWAY:
		return "away";
	case FED__SHOW__SHOW_CHAT:
		return "chat";
	case FED__SHOW__DND:
		return "dnd";
	case FED__SHOW__XA:
		return "xa";
	case FED__SHOW__NO_SHOW:
	case _FED__SHOW_IS_INT_SIZE:
		break;
	}
	return NULL;
}

static void print_presence(struct buf *b, const Fed__Stanza *s)
{
	const Fed__Presence *p = s->presence;

	print_start(b, s, "presence", presence_type(p->type));
	xml_write_leaf(b, "show", show_name(p->show));
	print_texts(b, s, "status", NULL, p->status, p->n_status);
	if (p->priority != 0)
		buf_printf(b, "<priority>%d</priority>", (int)p->priority);
	print_delay(b, p->delay);
	print_error(b, s, p->error);
	xml_write_close(b, "presence");
}

/* ---- iq ---- */

static const char *iq_type(Fed__IqType type)
{
	switch (type) {
	case FED__IQ_TYPE__GET:
		return "get";
	case FED__IQ_TYPE__SET:
		return "set";
	case FED__IQ_TYPE__RESULT:
		return "result";
	case FED__IQ_TYPE__IQ_ERROR:
	case _FED__IQ_TYPE_IS_INT_SIZE:
		break;
	}
	return "error";
}

static void print_iq(struct buf *b, const Fed__Stanza *s)
{
	print_start(b, s, "iq", iq_type(s->iq->type));
	stanza_print_payload(b, s);
	print_error(b, s, s->iq->error);
	xml_write_close(b, "iq");
}

/* A oneof that says it is there and is not comes from a broken caller. */
static bool is_printable(const Fed__Stanza *s)
{
	switch (s->kind_case) {
	case FED__STANZA__KIND_MESSAGE:
		return s->message != NULL;
	case FED__STANZA__KIND_PRESENCE:
		return s->presence != NULL;
	case FED__STANZA__KIND_IQ:
		return s->iq != NULL;
	case FED__STANZA__KIND__NOT_SET:
	case _FED__STANZA__KIND__CASE_IS_INT_SIZE:
		break;
	}
	return false;
}

int stanza_xml_write(struct buf *b, const Fed__Stanza *s)
{
	if (!is_printable(s))
		return FED_EINVAL;
	if (s->kind_case == FED__STANZA__KIND_MESSAGE)
		print_message(b, s);
	else if (s->kind_case == FED__STANZA__KIND_PRESENCE)
		print_presence(b, s);
	else
		print_iq(b, s);
	/* sticky: too long is the ordinary reason */
	return b->is_failed ? FED_ELIMIT : 0;
}
