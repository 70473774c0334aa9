/* Making, answering and looking into stanzas. */
#include "xmpp/stanza_util.h"

#include <string.h>

static Fed__Stanza *new_stanza(struct arena *a)
{
	Fed__Stanza *s = arena_alloc(a, sizeof(*s));

	if (s != NULL)
		fed__stanza__init(s);
	return s;
}

Fed__Stanza *stanza_new_message(struct arena *a)
{
	Fed__Stanza *s = new_stanza(a);
	Fed__Message *m = arena_alloc(a, sizeof(*m));

	if (s == NULL || m == NULL)
		return NULL;
	fed__message__init(m);
	s->kind_case = FED__STANZA__KIND_MESSAGE;
	s->message = m;
	return s;
}

Fed__Stanza *stanza_new_presence(struct arena *a)
{
	Fed__Stanza *s = new_stanza(a);
	Fed__Presence *p = arena_alloc(a, sizeof(*p));

	if (s == NULL || p == NULL)
		return NULL;
	fed__presence__init(p);
	s->kind_case = FED__STANZA__KIND_PRESENCE;
	s->presence = p;
	return s;
}

Fed__Stanza *stanza_new_iq(struct arena *a)
{
	Fed__Stanza *s = new_stanza(a);
	Fed__Iq *iq = arena_alloc(a, sizeof(*iq));

	if (s == NULL || iq == NULL)
		return NULL;
	fed__iq__init(iq);
	s->kind_case = FED__STANZA__KIND_IQ;
	s->iq = iq;
	return s;
}

int stanza_add_text(struct arena *a, Fed__Text ***list, size_t *count,
		    struct span lang, struct span text)
{
	Fed__Text *t = arena_alloc(a, sizeof(*t));
	void **items = (void **)*list;
	int err;

	if (t == NULL)
		return FED_ENOMEM;
	fed__text__init(t);
	t->lang = arena_dup(a, lang);
	t->text = arena_dup(a, text);
	if (t->lang == NULL || t->text == NULL)
		return FED_ENOMEM;
	err = arena_append(a, &items, count, t);
	*list = (Fed__Text **)items;
	return err;
}

bool stanza_is_error(const Fed__Stanza *s)
{
	switch (s->kind_case) {
	case FED__STANZA__KIND_MESSAGE:
		return s->message->type == FED__MESSAGE_TYPE__MESSAGE_ERROR;
	case FED__STANZA__KIND_PRESENCE:
		return s->presence->type == FED__PRESENCE_TYPE__PRESENCE_ERROR;
	case FED__STANZA__KIND_IQ:
		return s->iq->type == FED__IQ_TYPE__IQ_ERROR;
	case FED__STANZA__KIND__NOT_SET:
	case _FED__STANZA__KIND__CASE_IS_INT_SIZE:
		break;
	}
	return false;
}

bool stanza_may_be_answered(const Fed__Stanza *s)
{
	switch (s->kind_case) {
	case FED__STANZA__KIND_MESSAGE:
		return !stanza_is_error(s);
	case FED__STANZA__KIND_PRESENCE:
		/* all others are ignored in silence (RFC 6121 8.5) */
		return s->presence->type == FED__PRESENCE_TYPE__SUBSCRIBE;
	case FED__STANZA__KIND_IQ:
		return s->iq->type == FED__IQ_TYPE__GET ||
		       s->iq->type == FED__IQ_TYPE__SET;
	case FED__STANZA__KIND__NOT_SET:
	case _FED__STANZA__KIND__CASE_IS_INT_SIZE:
		break;
	}
	return false;
}

static Fed__Stanza *new_error_like(struct arena *a, const Fed__Stanza *to,
				   Fed__Error *error)
{
	Fed__Stanza *r = NULL;

	if (to->kind_case == FED__STANZA__KIND_MESSAGE) {
		r = stanza_new_message(a);
		if (r != NULL) {
			r->message->type = FED__MESSAGE_TYPE__MESSAGE_ERROR;
			r->message->error = error;
		}
	} else if (to->kind_case == FED__STANZA__KIND_PRESENCE) {
		r = stanza_new_presence(a);
		if (r != NULL) {
			r->presence->type = FED__PRESENCE_TYPE__PRESENCE_ERROR;
			r->presence->error = error;
		}
	} else if (to->kind_case == FED__STANZA__KIND_IQ) {
		r = stanza_new_iq(a);
		if (r != NULL) {
			r->iq->type = FED__IQ_TYPE__IQ_ERROR;
			r->iq->error = error;
		}
	}
	return r;
}

/* RFC 6121 4.3.2: all that a probe is told by an error is where to go. */
static bool may_answer_with(const Fed__Stanza *to, const Fed__Error *error)
{
	bool is_probe = to->kind_case == FED__STANZA__KIND_PRESENCE &&
			to->presence->type == FED__PRESENCE_TYPE__PROBE;

	if (!is_probe || error == NULL)
		return stanza_may_be_answered(to);
	return error->condition == FED__CONDITION__GONE ||
	       error->condition == FED__CONDITION__REDIRECT;
}

Fed__Stanza *stanza_error_reply(struct arena *a, const Fed__Stanza *to,
				Fed__Error *error)
{
	Fed__Stanza *r;

	if (!may_answer_with(to, error) || to->from[0] == '\0')
		return NULL;
	r = new_error_like(a, to, error);
	if (r == NULL)
		return NULL;
	r->from = arena_dup(a, span_str(to->to));
	r->to = arena_dup(a, span_str(to->from));
	r->id = arena_dup(a, span_str(to->id));
	if (r->from == NULL || r->to == NULL || r->id == NULL)
		return NULL;
	return r;
}

const char *stanza_kind_name(const Fed__Stanza *s)
{
	switch (s->kind_case) {
	case FED__STANZA__KIND_MESSAGE:
		return "message";
	case FED__STANZA__KIND_PRESENCE:
		return "presence";
	case FED__STANZA__KIND_IQ:
		return "iq";
	case FED__STANZA__KIND__NOT_SET:
	case _FED__STANZA__KIND__CASE_IS_INT_SIZE:
		break;
	}
	return "none";
}

const Fed__Error *stanza_get_error(const Fed__Stanza *s)
{
	switch (s->kind_case) {
	case FED__STANZA__KIND_MESSAGE:
		return s->message->error;
	case FED__STANZA__KIND_PRESENCE:
		return s->presence->error;
	case FED__STANZA__KIND_IQ:
		return s->iq->error;
	case FED__STANZA__KIND__NOT_SET:
	case _FED__STANZA__KIND__CASE_IS_INT_SIZE:
		break;
	}
	return NULL;
}

/* Language tags compare without case (RFC 5646 2.1.1). */
static const Fed__Text *find_lang(Fed__Text *const *list, size_t count,
				  const char *lang)
{
	for (size_t i = 0; i < count; i++)
		if (span_ieq(span_str(list[i]->lang), span_str(lang)))
			return list[i];
	return NULL;
}

const Fed__Text *stanza_pick_text(Fed__Text *const *list, size_t count,
				  const char *lang)
{
	const Fed__Text *t = NULL;

	if (count == 0)
		return NULL;
	if (lang != NULL)
		t = find_lang(list, count, lang);
	if (t == NULL)
		t = find_lang(list, count, "");
	return t != NULL ? t : list[0];
}
