/* XML to stanza: addresses, id, language; message and presence. */
#include "edge-proxy/core/stanza_xml.h"

#include <string.h>

#include "base/limits.h"
#include "edge-proxy/core/stanza_parts.h"
#include "edge-proxy/core/xml_names.h"
#include "xmpp/jid.h"
#include "xmpp/stanza_util.h"

struct name_row {
	const char *name;
	int value;
};

static bool find_name(const struct name_row *rows, size_t count,
		      const char *name, int *value_out)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(rows[i].name, name) == 0) {
			*value_out = rows[i].value;
			return true;
		}
	}
	return false;
}

/* ---- message (RFC 6121 5) ---- */

static bool take_body(struct stanza_reader *r, const struct xml_el *el)
{
	Fed__Message *m = r->stanza->message;

	return stanza_part_text(r, el, &m->body, &m->n_body);
}

static bool take_subject(struct stanza_reader *r, const struct xml_el *el)
{
	Fed__Message *m = r->stanza->message;

	return stanza_part_text(r, el, &m->subject, &m->n_subject);
}

/* RFC 6121 5.2.5: at most one */
static bool take_thread(struct stanza_reader *r, const struct xml_el *el)
{
	Fed__Message *m = r->stanza->message;

	if (m->thread[0] != '\0' || el->text[0] == '\0')
		return false;
	stanza_part_set(r, &m->thread, el->text);
	(void)stanza_part_attr(r, el, "parent", &m->thread_parent);
	return true;
}

static bool take_chat_state(struct stanza_reader *r, const struct xml_el *el)
{
	static const struct name_row rows[] = {
		{"active", FED__CHAT_STATE__ACTIVE},
		{"composing", FED__CHAT_STATE__COMPOSING},
		{"paused", FED__CHAT_STATE__PAUSED},
		{"inactive", FED__CHAT_STATE__INACTIVE},
		{"gone", FED__CHAT_STATE__STATE_GONE},
	};
	Fed__Message *m = r->stanza->message;
	int state;

	/* XEP-0085 5.5: one only */
	if (m->chat_state != FED__CHAT_STATE__NO_CHAT_STATE ||
	    !find_name(rows, FED_ARRAY_LEN(rows), el->name, &state))
		return false;
	m->chat_state = (Fed__ChatState)state;
	return true;
}

static bool take_receipt_request(struct stanza_reader *r,
				 const struct xml_el *el)
{
	(void)el;
	r->stanza->message->receipt_request = true;
	return true;
}

static bool take_markable(struct stanza_reader *r, const struct xml_el *el)
{
	(void)el;
	r->stanza->message->markable = true;
	return true;
}

/* <name id='...'/>, the first one counts */
static bool take_id(struct stanza_reader *r, const struct xml_el *el,
		    char **field)
{
	return (*field)[0] == '\0' && stanza_part_attr(r, el, "id", field);
}

static bool take_receipt(struct stanza_reader *r, const struct xml_el *el)
{
	return take_id(r, el, &r->stanza->message->receipt_received);
}

static bool take_displayed(struct stanza_reader *r, const struct xml_el *el)
{
	return take_id(r, el, &r->stanza->message->displayed);
}

static bool take_replace(struct stanza_reader *r, const struct xml_el *el)
{
	return take_id(r, el, &r->stanza->message->replace_id);
}

static bool take_origin_id(struct stanza_reader *r, const struct xml_el *el)
{
	return take_id(r, el, &r->stanza->message->origin_id);
}

static bool take_message_delay(struct stanza_reader *r, const struct xml_el *el)
{
	return stanza_part_delay(r, el, &r->stanza->message->delay);
}

static const struct stanza_rule MESSAGE_RULES[] = {
	{NS_SERVER, "body", take_body},
	{NS_SERVER, "thread", take_thread},
	{NS_SERVER, "subject", take_subject},
	{NS_RECEIPTS, "request", take_receipt_request},
	{NS_RECEIPTS, "received", take_receipt},
	{NS_MARKERS, "markable", take_markable},
	{NS_MARKERS, "displayed", take_displayed},
	{NS_DELAY, "delay", take_message_delay},
	{NS_REPLACE, "replace", take_replace},
	{NS_SID, "origin-id", take_origin_id},
	{NS_CHATSTATES, NULL, take_chat_state},
};

enum stanza_verdict stanza_read_message(struct stanza_reader *r,
					const struct xml_el *el)
{
	static const struct name_row types[] = {
		{"normal", FED__MESSAGE_TYPE__NORMAL},
		{"chat", FED__MESSAGE_TYPE__CHAT},
		{"headline", FED__MESSAGE_TYPE__HEADLINE},
		{"groupchat", FED__MESSAGE_TYPE__GROUPCHAT},
		{"error", FED__MESSAGE_TYPE__MESSAGE_ERROR},
	};
	Fed__Message *m = r->stanza->message;
	const char *type = xml_attr_get(el, "type");
	int value = FED__MESSAGE_TYPE__NORMAL;

	/* RFC 6121 5.2.2: absent or unknown is normal */
	if (type != NULL)
		(void)find_name(types, FED_ARRAY_LEN(types), type, &value);
	m->type = (Fed__MessageType)value;
	if (m->type == FED__MESSAGE_TYPE__MESSAGE_ERROR) {
		/* the rest is a copy of what failed (RFC 6120 8.3.1) */
		stanza_part_error(r, el, &m->error);
		return STANZA_OK;
	}
	stanza_take_children(r, el, MESSAGE_RULES,
			     FED_ARRAY_LEN(MESSAGE_RULES));
	return r->taken > 0 ? STANZA_OK : STANZA_IGNORE;
}

/* ---- presence (RFC 6121 4.7) ---- */

/* RFC 6121 4.7.2.1: one of four; what is none is as if it were absent */
static bool take_show(struct stanza_reader *r, const struct xml_el *el)
{
	static const struct name_row rows[] = {
		{"away", FED__SHOW__AWAY},
		{"chat", FED__SHOW__SHOW_CHAT},
		{"dnd", FED__SHOW__DND},
		{"xa", FED__SHOW__XA},
	};
	Fed__Presence *p = r->stanza->presence;
	int show;

	if (p->show != FED__SHOW__NO_SHOW ||
	    !find_name(rows, FED_ARRAY_LEN(rows), el->text, &show))
		return false;
	p->show = (Fed__Show)show;
	return true;
}

static bool take_status(struct stanza_reader *r, const struct xml_el *el)
{
	Fed__Presence *p = r->stanza->presence;

	return stanza_part_text(r, el, &p->status, &p->n_status);
}

/* RFC 6121 4.7.2.3: one xs:byte; what is none is as if it were absent */
static bool take_priority(struct stanza_reader *r, const struct xml_el *el)
{
	struct span text = span_trim(span_str(el->text));
	bool is_negative = span_starts(text, SPAN_LIT("-"));
	uint32_t value;

	if (is_negative || span_starts(text, SPAN_LIT("+")))
		text = span_sub(text, 1, text.n);
	if (r->has_priority || span_to_u32(text, &value) != 0 || value > 128 ||
	    (value == 128 && !is_negative))
		return false;
	r->has_priority = true;
	r->stanza->presence->priority =
		is_negative ? -(int32_t)value : (int32_t)value;
	return true;
}

static bool take_presence_delay(struct stanza_reader *r,
				const struct xml_el *el)
{
	return stanza_part_delay(r, el, &r->stanza->presence->delay);
}

static const struct stanza_rule PRESENCE_RULES[] = {
	{NS_SERVER, "show", take_show},
	{NS_SERVER, "status", take_status},
	{NS_SERVER, "priority", take_priority},
	{NS_DELAY, "delay", take_presence_delay},
};

enum stanza_verdict stanza_read_presence(struct stanza_reader *r,
					 const struct xml_el *el)
{
	static const struct name_row types[] = {
		{"unavailable", FED__PRESENCE_TYPE__UNAVAILABLE},
		{"subscribe", FED__PRESENCE_TYPE__SUBSCRIBE},
		{"subscribed", FED__PRESENCE_TYPE__SUBSCRIBED},
		{"unsubscribe", FED__PRESENCE_TYPE__UNSUBSCRIBE},
		{"unsubscribed", FED__PRESENCE_TYPE__UNSUBSCRIBED},
		{"probe", FED__PRESENCE_TYPE__PROBE},
		{"error", FED__PRESENCE_TYPE__PRESENCE_ERROR},
	};
	Fed__Presence *p = r->stanza->presence;
	const char *type = xml_attr_get(el, "type");
	int value = FED__PRESENCE_TYPE__AVAILABLE;

	if (type != NULL &&
	    !find_name(types, FED_ARRAY_LEN(types), type, &value)) {
		/* a type that is answered (RFC 6121 4.7.1); this stanza goes
		 * no further */
		p->type = FED__PRESENCE_TYPE__SUBSCRIBE;
		r->answer = FED__CONDITION__BAD_REQUEST;
		return STANZA_ANSWER;
	}
	p->type = (Fed__PresenceType)value;
	if (p->type == FED__PRESENCE_TYPE__PRESENCE_ERROR)
		stanza_part_error(r, el, &p->error);
	else
		stanza_take_children(r, el, PRESENCE_RULES,
				     FED_ARRAY_LEN(PRESENCE_RULES));
	return STANZA_OK;
}

/* ---- the stanza ---- */

/* An address with a part that no JID can have stays as the peer wrote it, but
 * for the domain: the answer comes from it or goes to it.  false: it has no
 * domain.  LIMIT: one that is too long to be repeated is its domain only. */
static bool keep_malformed(struct stanza_reader *r, struct span text,
			   char **field)
{
	struct jid_parts parts = jid_split(text);
	struct span before = span_of(text.p, (size_t)(parts.domain.p - text.p));
	struct span behind = span_sub(text, parts.bare.n, text.n);
	char domain[LIMIT_DOMAIN_BYTES + 1];
	char *kept;

	if (domain_normalize(parts.domain, domain, sizeof(domain)) != 0)
		return false;
	if (text.n > LIMIT_JID_BYTES)
		before = behind = SPAN_LIT("");
	kept = arena_printf(r->arena, "%.*s%s%.*s", (int)before.n, before.p,
			    domain, (int)behind.n, behind.p);
	if (kept == NULL)
		r->is_full = true;
	else
		*field = kept;
	r->is_malformed = true;
	return true;
}

/* RFC 6120 8.1.1.2, 8.1.2.2: both addresses are there; false: this is not. */
static bool read_address(struct stanza_reader *r, const struct xml_el *el,
			 const char *name, char **field)
{
	struct span text = span_str(xml_attr_get(el, name));
	struct jid jid;
	int err;

	if (text.n == 0)
		return false;
	err = jid_parse(text, &jid);
	if (err == FED_EINVAL || err == FED_ELIMIT)
		return keep_malformed(r, text, field);
	if (err == FED_ENOMEM)
		r->is_full = true;
	else
		stanza_part_set(r, field, jid.text);
	return true;
}

/* What all kinds have, into r->stanza. */
static enum stanza_verdict read_common(struct stanza_reader *r,
				       const struct xml_el *el,
				       const char *stream_lang)
{
	Fed__Stanza *s = r->stanza;
	const char *lang = xml_attr_get_ns(el, NS_XML, "lang");

	if (!read_address(r, el, "from", &s->from) ||
	    !read_address(r, el, "to", &s->to))
		return STANZA_IMPROPER_ADDRESSING;
	(void)stanza_part_attr(r, el, "id", &s->id);
	/* RFC 6120 4.7.4, 8.1.5: the stream's is the default */
	if (lang == NULL || !stanza_is_lang(lang))
		lang = stream_lang;
	if (lang != NULL && stanza_is_lang(lang))
		stanza_part_set(r, &s->lang, lang);
	return STANZA_OK;
}

struct kind_row {
	const char *name;
	Fed__Stanza *(*make)(struct arena *a);
	enum stanza_verdict (*read)(struct stanza_reader *r,
				    const struct xml_el *el);
};

static const struct kind_row KINDS[] = {
	{"message", stanza_new_message, stanza_read_message},
	{"presence", stanza_new_presence, stanza_read_presence},
	{"iq", stanza_new_iq, stanza_read_iq},
};

static const struct kind_row *find_kind(const struct xml_el *el)
{
	if (strcmp(el->ns, NS_SERVER) != 0)
		return NULL;
	for (size_t i = 0; i < FED_ARRAY_LEN(KINDS); i++)
		if (strcmp(KINDS[i].name, el->name) == 0)
			return &KINDS[i];
	return NULL;
}

enum stanza_verdict stanza_xml_read(const struct xml_el *el,
				    const char *stream_lang, struct arena *a,
				    struct metrics *m, Fed__Stanza **stanza_out,
				    Fed__Condition *condition_out)
{
	const struct kind_row *kind = find_kind(el);
	struct stanza_reader r = {.arena = a, .metrics = m};
	enum stanza_verdict verdict;

	if (kind == NULL)
		return STANZA_UNKNOWN;
	r.stanza = kind->make(a);
	if (r.stanza == NULL)
		return STANZA_NO_MEMORY;
	verdict = read_common(&r, el, stream_lang);
	if (verdict == STANZA_OK)
		verdict = kind->read(&r, el);
	if (r.is_full)
		return STANZA_NO_MEMORY;
	if (verdict == STANZA_IMPROPER_ADDRESSING)
		return verdict;
	*stanza_out = r.stanza;
	if (r.is_malformed) {
		r.answer = FED__CONDITION__JID_MALFORMED;
		verdict = STANZA_ANSWER;
	}
	if (strlen(r.stanza->id) > LIMIT_STANZA_ID_BYTES) {
		r.answer = FED__CONDITION__BAD_REQUEST;
		verdict = STANZA_ANSWER;
	}
	if (verdict == STANZA_ANSWER)
		*condition_out = r.answer;
	return verdict;
}
