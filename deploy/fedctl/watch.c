/* Pairs and resources. */
#include "deploy/fedctl/watch.h"

#include "deploy/fedctl/text.h"

static void print(FILE *to, const char *s)
{
	text_print(to, span_str(s), NULL);
}

void watch_print_pair(FILE *to, const Fed__PresenceWatch *w)
{
	print(to, w->watcher);
	(void)fputs(" watches ", to);
	print(to, w->presentity);
	(void)fputc('\n', to);
}

static const char *show_name(const Fed__PresenceResource *r)
{
	if (!r->open)
		return "closed";
	switch (r->show) {
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
	return "available";
}

void watch_print_resource(FILE *to, const Fed__PresenceResource *r)
{
	print(to, r->name[0] == '\0' ? "(no name)" : r->name);
	(void)fprintf(to, "  %s", show_name(r));
	if (r->priority != 0)
		(void)fprintf(to, ", priority %d", r->priority);
	for (size_t i = 0; i < r->n_note; i++) {
		(void)fputs(", \"", to);
		print(to, r->note[i]->text);
		(void)fputc('"', to);
		if (r->note[i]->lang[0] != '\0') {
			(void)fputs(" (", to);
			print(to, r->note[i]->lang);
			(void)fputc(')', to);
		}
	}
	(void)fputc('\n', to);
}

json_t *watch_json_pair(const Fed__PresenceWatch *w)
{
	return json_pack("{s:s, s:s, s:s}", "direction",
			 w->direction == FED__WATCH_DIRECTION__XMPP_WATCHES_SIP
				 ? "xmpp-watches-sip"
				 : "sip-watches-xmpp",
			 "watcher", w->watcher, "presentity", w->presentity);
}

json_t *watch_json_resource(const Fed__PresenceResource *r)
{
	json_t *notes;

	if (r == NULL)
		return json_null();
	notes = json_array();
	for (size_t i = 0; i < r->n_note; i++)
		/* what is missing for want of memory fails the pack below */
		if (json_array_append_new(
			    notes,
			    json_pack("{s:o, s:s}", "lang",
				      json_text_or_null(r->note[i]->lang),
				      "text", r->note[i]->text)) != 0) {
			json_decref(notes);
			notes = NULL;
		}
	return json_pack("{s:s, s:s, s:i, s:o}", "name", r->name, "show",
			 show_name(r), "priority", r->priority, "notes", notes);
}
