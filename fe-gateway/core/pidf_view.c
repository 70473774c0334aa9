/* From what a document says to resources: who decides where several do. */
#include "fe-gateway/core/pidf_doc.h"

/* What the tuples say, for those that say nothing. */
struct habits {
	bool has_show; /* some tuple has the show of jabber:client */
	bool has_notes;
};

static struct habits habits_of(const struct pidf_doc *d)
{
	struct habits h = {.has_show = false};

	for (size_t i = 0; i < d->tuple_count; i++) {
		h.has_show |= d->tuples[i].has_show;
		h.has_notes |= d->tuples[i].notes.count > 0;
	}
	return h;
}

/* What is known of the device that basic is about, when it is known to be
 * away, outweighs it. */
static enum pidf_basic basic_of(const struct pidf_doc *d,
				const struct pidf_tuple *t)
{
	enum pidf_basic is = t->hints.availability.basic;

	if (t->is_undefined)
		return PIDF_UNKNOWN;
	if (is == PIDF_UNKNOWN)
		is = d->hints.availability.basic;
	return is == PIDF_CLOSED || t->basic == PIDF_UNKNOWN ? is : t->basic;
}

static Fed__Show first_of(Fed__Show a, Fed__Show b)
{
	return a != FED__SHOW__NO_SHOW ? a : b;
}

/* jabber:client, else activities, else numbers, else idle input; of each the
 * tuple's before the person's.  A document with the first speaks it for all
 * tuples: in one of RFC 8048 none is said where there is none, and the person
 * is about the best resource only. */
static Fed__Show show_of(const struct pidf_doc *d, const struct habits *h,
			 const struct pidf_tuple *t)
{
	bool is_idle = t->hints.is_idle || d->hints.is_idle;
	Fed__Show show;

	if (h->has_show)
		return t->has_show ? t->show : FED__SHOW__NO_SHOW;
	show = first_of(t->hints.activity, d->hints.activity);
	show = first_of(show, t->hints.availability.show);
	show = first_of(show, d->hints.availability.show);
	return first_of(show, is_idle ? FED__SHOW__AWAY : FED__SHOW__NO_SHOW);
}

/* Notes about the presentity are for tuples only where no tuple has its own:
 * they may repeat those. */
static const struct pidf_notes *notes_of(const struct pidf_doc *d,
					 const struct habits *h,
					 const struct pidf_tuple *t)
{
	if (h->has_notes)
		return &t->notes;
	if (d->notes.count > 0)
		return &d->notes;
	return d->person_notes.count > 0 ? &d->person_notes
					 : &d->activities_notes;
}

static int add_tuple(const struct pidf_doc *d, const struct habits *h,
		     const struct pidf_tuple *t, struct presence_view *view)
{
	const struct pidf_notes *notes = notes_of(d, h, t);
	enum pidf_basic basic = basic_of(d, t);
	const struct presence_resource *old =
		presence_view_find(view, span_str(t->name));
	struct presence_resource r = {.name = t->name,
				      .is_open = basic == PIDF_OPEN};

	if (basic == PIDF_UNKNOWN ||
	    (old != NULL && old->is_open && !r.is_open))
		return 0;
	if (r.is_open) {
		r.show = show_of(d, h, t);
		r.priority = t->priority;
	}
	for (size_t i = 0; i < notes->count; i++)
		r.note[r.note_count++] = notes->note[i];
	return presence_view_set(view, &r);
}

int pidf_doc_view(const struct pidf_doc *d, struct presence_view *view)
{
	const struct habits h = habits_of(d);

	for (size_t i = 0; i < d->tuple_count; i++) {
		int err = add_tuple(d, &h, &d->tuples[i], view);

		if (err != 0)
			return err;
	}
	return 0;
}
