/* Two lists of resources, held against each other. */
#include "chan/admin_watch.h"

#include <string.h>

static const Fed__PresenceResource *find(Fed__PresenceResource *const *list,
					 size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i]->name, name) == 0)
			return list[i];
	return NULL;
}

static bool has_note(const Fed__PresenceResource *r,
		     const Fed__PresenceNote *note)
{
	for (size_t i = 0; i < r->n_note; i++)
		if (strcmp(r->note[i]->lang, note->lang) == 0 &&
		    strcmp(r->note[i]->text, note->text) == 0)
			return true;
	return false;
}

static bool is_there(const Fed__PresenceWatch *w,
		     const Fed__PresenceResource *r)
{
	return r != NULL &&
	       (r->open ||
		(w->direction == FED__WATCH_DIRECTION__SIP_WATCHES_XMPP &&
		 r->n_note > 0));
}

static bool is_same(const Fed__PresenceWatch *w, const Fed__PresenceResource *a,
		    const Fed__PresenceResource *b)
{
	if (!is_there(w, a) || !is_there(w, b))
		return is_there(w, a) == is_there(w, b);
	if (a->open != b->open || a->n_note != b->n_note)
		return false;
	/* of a closed one only its notes can be seen */
	if (a->open && (a->show != b->show || a->priority != b->priority))
		return false;
	for (size_t i = 0; i < a->n_note; i++)
		if (!has_note(b, a->note[i]))
			return false;
	return true;
}

/* Those that were told, then those that were not. */
static void take(const Fed__PresenceWatch *w, struct admin_difference *d)
{
	size_t at = d->at++;

	if (at < w->n_told) {
		d->told = w->told[at];
		d->believed = find(w->believed, w->n_believed, d->told->name);
		return;
	}
	d->believed = w->believed[at - w->n_told];
	d->told = find(w->told, w->n_told, d->believed->name);
	if (d->told != NULL) /* it was compared */
		d->believed = d->told;
}

/* A SIP watcher is told in dialogs; without one there is nobody to tell. */
static bool has_watcher(const Fed__PresenceWatch *w)
{
	return w->direction != FED__WATCH_DIRECTION__SIP_WATCHES_XMPP ||
	       w->n_dialog > 0;
}

bool admin_watch_next_difference(const Fed__PresenceWatch *w,
				 struct admin_difference *d)
{
	if (!has_watcher(w))
		return false;
	while (d->at < w->n_told + w->n_believed) {
		take(w, d);
		if (!is_same(w, d->told, d->believed))
			return true;
	}
	return false;
}

bool admin_watch_differs(const Fed__PresenceWatch *w)
{
	struct admin_difference d = {.at = 0};

	return admin_watch_next_difference(w, &d);
}
