/* Presence stanzas, made and read. */
#include "fe-gateway/core/presence_priv.h"

#include <string.h>

#include "xmpp/stanza_util.h"

static char *new_id(struct presence *p)
{
	char id[ID_TEXT_BYTES + 1];
	bool is_contact =
		p->making != NULL && p->making->kind == PRESENCE_ITEM_CONTACT;

	id_source_next(p->p.ids, id);
	return arena_printf(&p->arena, "%c%s",
			    is_contact ? PRESENCE_CONTACT_ID : PRESENCE_SUB_ID,
			    id);
}

Fed__Presence *presence_make_stanza(struct presence *p,
				    struct presence_action *out,
				    const char *from, const char *resource,
				    const char *to, const char *id,
				    Fed__PresenceType type)
{
	Fed__Stanza *s = stanza_new_presence(&p->arena);

	if (s == NULL)
		return NULL;
	s->from = resource[0] != '\0'
			  ? arena_printf(&p->arena, "%s/%s", from, resource)
			  : arena_dup(&p->arena, span_str(from));
	s->to = arena_dup(&p->arena, span_str(to));
	s->id = id != NULL ? arena_dup(&p->arena, span_str(id)) : new_id(p);
	if (s->from == NULL || s->to == NULL || s->id == NULL)
		return NULL;
	s->presence->type = type;
	out->kind = PRESENCE_ACT_STANZA;
	out->u.stanza.stanza = s;
	out->u.stanza.take = &p->arena;
	return s->presence;
}

bool presence_fill_stanza(struct presence *p, Fed__Presence *to,
			  const struct presence_resource *r)
{
	if (r->is_open) {
		to->show = r->show;
		to->priority = r->priority;
	}
	for (size_t i = 0; i < r->note_count; i++)
		if (stanza_add_text(&p->arena, &to->status, &to->n_status,
				    span_str(r->note[i].lang),
				    span_str(r->note[i].text)) != 0)
			return false;
	return true;
}

static bool has_lang(const struct presence_resource *r, const char *lang)
{
	for (size_t i = 0; i < r->note_count; i++)
		if (strcmp(r->note[i].lang, lang) == 0)
			return true;
	return false;
}

void presence_read_stanza(const Fed__Stanza *s, struct span name,
			  struct presence_resource *out)
{
	const Fed__Presence *in = s->presence;

	*out = (struct presence_resource){
		.name = name.n > 0 ? name.p : "",
		.is_open = in->type == FED__PRESENCE_TYPE__AVAILABLE,
		.show = in->show,
		.priority = in->priority,
	};
	for (size_t i = 0; i < in->n_status; i++) {
		const Fed__Text *t = in->status[i];
		const char *lang = t->lang[0] != '\0' ? t->lang : s->lang;

		/* RFC 6121 4.7.2.2: one for each language */
		if (out->note_count == LIMIT_PRESENCE_NOTES ||
		    t->text[0] == '\0' || has_lang(out, lang))
			continue;
		out->note[out->note_count++] =
			(struct presence_note){lang, t->text};
	}
}

void presence_log(const struct presence *p, enum fed_log_level level,
		  const char *what, const char *local, const char *remote,
		  const char *detail)
{
	fed_log(p->p.log, level, "presence", "what=%s local=%s remote=%s %s",
		what, log_value(span_str(local)).text,
		log_value(span_str(remote)).text, detail);
}

void presence_log_auth(const struct presence *p,
		       enum presence_direction direction, const char *local,
		       const char *remote, enum presence_auth auth)
{
	fed_log(p->p.log, FED_LOG_INFO, "presence",
		"what=authorization local=%s remote=%s dir=%s is=%s",
		log_value(span_str(local)).text,
		log_value(span_str(remote)).text,
		direction == PRESENCE_OUT ? "out" : "in",
		presence_auth_name(auth));
}
