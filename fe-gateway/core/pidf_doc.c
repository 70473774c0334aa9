/* Elements of PIDF, and what they come to. */
#include "fe-gateway/core/pidf_doc.h"

#include <string.h>

#include "fe-gateway/core/pidf_id.h"
#include "fe-gateway/core/sip_text.h"

/* ---- which element is what ---- */

enum family {
	FAMILY_OTHER,
	FAMILY_PIDF,
	FAMILY_MODEL,
	FAMILY_RPID,
	FAMILY_CLIENT,
	FAMILY_MICROSOFT,
};

static enum family family_of(struct span ns)
{
	if (span_eq_str(ns, PIDF_NS))
		return FAMILY_PIDF;
	if (span_eq_str(ns, PIDF_NS_MODEL))
		return FAMILY_MODEL;
	if (span_eq_str(ns, PIDF_NS_CLIENT))
		return FAMILY_CLIENT;
	if (pidf_rpid_is_namespace(ns))
		return FAMILY_RPID;
	if (span_starts(ns, SPAN_LIT("http://schemas.microsoft.com/")))
		return FAMILY_MICROSOFT;
	return FAMILY_OTHER;
}

static const struct {
	enum pidf_place in;
	enum family family;
	const char *name;
	enum pidf_place is;
} ELEMENTS[] = {
	{PIDF_AT_DOCUMENT, FAMILY_PIDF, "presence", PIDF_AT_PRESENCE},
	{PIDF_AT_PRESENCE, FAMILY_PIDF, "tuple", PIDF_AT_TUPLE},
	{PIDF_AT_PRESENCE, FAMILY_PIDF, "note", PIDF_AT_NOTE},
	{PIDF_AT_PRESENCE, FAMILY_MODEL, "person", PIDF_AT_PERSON},
	{PIDF_AT_TUPLE, FAMILY_PIDF, "status", PIDF_AT_STATUS},
	{PIDF_AT_TUPLE, FAMILY_PIDF, "contact", PIDF_AT_CONTACT},
	{PIDF_AT_TUPLE, FAMILY_PIDF, "note", PIDF_AT_NOTE},
	{PIDF_AT_STATUS, FAMILY_PIDF, "basic", PIDF_AT_BASIC},
	{PIDF_AT_STATUS, FAMILY_CLIENT, "show", PIDF_AT_SHOW},
	{PIDF_AT_TUPLE, FAMILY_CLIENT, "show", PIDF_AT_SHOW},
	{PIDF_AT_PERSON, FAMILY_MODEL, "note", PIDF_AT_PERSON_NOTE},
	/* RPID belongs into person and tuple; drafts had it in status */
	{PIDF_AT_PERSON, FAMILY_RPID, "activities", PIDF_AT_ACTIVITIES},
	{PIDF_AT_TUPLE, FAMILY_RPID, "activities", PIDF_AT_ACTIVITIES},
	{PIDF_AT_STATUS, FAMILY_RPID, "activities", PIDF_AT_ACTIVITIES},
	{PIDF_AT_PERSON, FAMILY_RPID, "user-input", PIDF_AT_USER_INPUT},
	{PIDF_AT_TUPLE, FAMILY_RPID, "user-input", PIDF_AT_USER_INPUT},
	{PIDF_AT_STATUS, FAMILY_RPID, "user-input", PIDF_AT_USER_INPUT},
	{PIDF_AT_ACTIVITIES, FAMILY_RPID, "note", PIDF_AT_ACTIVITIES_NOTE},
	{PIDF_AT_ACTIVITIES, FAMILY_RPID, "activity", PIDF_AT_ACTIVITY},
};

static enum pidf_place place_of(enum pidf_place in, const struct pidf_tag *tag)
{
	enum family family = family_of(tag->ns);

	/* text is not looked into, so that what was gathered of it stays */
	if (in >= PIDF_AT_TEXT || in == PIDF_AT_OPAQUE)
		return PIDF_AT_OPAQUE;
	/* COMPAT(Lync): these are not said to stand anywhere in particular */
	if (family == FAMILY_MICROSOFT && in != PIDF_AT_DOCUMENT &&
	    (span_eq_str(tag->name, "availability") ||
	     span_eq_str(tag->name, "activity")))
		return PIDF_AT_AVAILABILITY;
	for (size_t i = 0; i < FED_ARRAY_LEN(ELEMENTS); i++)
		if (ELEMENTS[i].in == in && ELEMENTS[i].family == family &&
		    span_eq_str(tag->name, ELEMENTS[i].name))
			return ELEMENTS[i].is;
	return PIDF_AT_OTHER;
}

/* ---- life ---- */

/* Never NULL but for want of memory. */
static const char *keep_lang(struct pidf_doc *d, struct span lang)
{
	lang = span_trim(lang);
	return sip_text_is_language(lang) ? arena_dup(&d->arena, lang) : "";
}

int pidf_doc_init(struct pidf_doc *d, struct span lang)
{
	memset(d, 0, sizeof(*d));
	/* one that is full of texts and languages of a byte or two */
	arena_init(&d->arena, 8 * LIMIT_PIDF_BYTES);
	d->levels[0].place = PIDF_AT_DOCUMENT;
	d->levels[0].lang = keep_lang(d, lang);
	return d->levels[0].lang != NULL ? 0 : FED_ENOMEM;
}

void pidf_doc_deinit(struct pidf_doc *d)
{
	arena_deinit(&d->arena);
}

/* ---- start tags ---- */

/* Of the tuple we are in, else of the presentity. */
static struct pidf_hints *hints_of(struct pidf_doc *d)
{
	return d->tuple != NULL ? &d->tuple->hints : &d->hints;
}

static int open_tuple(struct pidf_doc *d, const struct pidf_tag *tag)
{
	char name[LIMIT_JID_PART_BYTES + 1];
	int err;

	if (d->tuple_count == LIMIT_PRESENCE_RESOURCES)
		return FED_ELIMIT;
	err = pidf_id_name(tag->id, name);
	if (err != 0)
		return err;
	d->tuple = &d->tuples[d->tuple_count++];
	d->tuple->name = arena_dup(&d->arena, span_str(name));
	return d->tuple->name != NULL ? 0 : FED_ENOMEM;
}

/* "0.8" in thousandths; 0 to 1, digits behind the third do not count. */
static bool parse_priority(struct span s, int *thousandths_out)
{
	static const int place[] = {100, 10, 1};
	bool is_one;
	int v;

	s = span_trim(s);
	if (s.n == 0 || (s.p[0] != '0' && s.p[0] != '1') ||
	    (s.n > 1 && s.p[1] != '.'))
		return false;
	is_one = s.p[0] == '1';
	v = is_one ? 1000 : 0;
	for (size_t i = 2; i < s.n; i++) {
		int digit = s.p[i] - '0';

		if (digit < 0 || digit > 9 || (is_one && digit != 0))
			return false;
		if (i - 2 < FED_ARRAY_LEN(place))
			v += digit * place[i - 2];
	}
	*thousandths_out = v;
	return true;
}

/* RFC 8048 4.2, the inverse of what is written. */
static void take_priority(struct pidf_tuple *t, struct span priority)
{
	int thousandths;

	if (t->has_priority || !parse_priority(priority, &thousandths))
		return;
	t->has_priority = true;
	t->priority = (127 * thousandths + 999) / 1000;
}

static void take_availability(struct pidf_doc *d, struct pidf_availability is)
{
	struct pidf_hints *h = hints_of(d);

	if (is.basic != PIDF_UNKNOWN)
		h->availability.basic = is.basic;
	h->availability.show =
		pidf_rpid_stronger(h->availability.show, is.show);
}

static void take_activity(struct pidf_doc *d, struct span activity)
{
	struct pidf_hints *h = hints_of(d);

	h->activity = pidf_rpid_stronger(h->activity, pidf_rpid_show(activity));
}

static int enter(struct pidf_doc *d, enum pidf_place in, enum pidf_place is,
		 const struct pidf_tag *tag)
{
	uint32_t number;

	if (is >= PIDF_AT_TEXT) {
		d->text_n = 0;
		d->is_text_full = false;
	}
	if (is == PIDF_AT_TUPLE)
		return open_tuple(d, tag);
	if (is == PIDF_AT_CONTACT)
		take_priority(d->tuple, tag->priority);
	if (is == PIDF_AT_AVAILABILITY &&
	    span_to_u32(span_trim(tag->aggregate), &number) == 0)
		take_availability(
			d, pidf_lync_aggregate(
				   number, span_eq_str(tag->name, "activity")));
	if (is == PIDF_AT_OTHER && in == PIDF_AT_ACTIVITIES &&
	    family_of(tag->ns) == FAMILY_RPID)
		take_activity(d, tag->name);
	if (is == PIDF_AT_OTHER && in == PIDF_AT_STATUS && tag->must_understand)
		d->tuple->is_undefined = true;
	return 0;
}

int pidf_doc_open(struct pidf_doc *d, const struct pidf_tag *tag)
{
	const struct pidf_level *above = &d->levels[d->depth];
	struct pidf_level *level;

	/* LIMIT: nesting without end */
	if (d->depth == LIMIT_XML_DEPTH)
		return FED_ELIMIT;
	level = &d->levels[d->depth + 1];
	level->place = place_of(above->place, tag);
	if (d->depth == 0 && level->place != PIDF_AT_PRESENCE)
		return FED_EXML;
	level->lang = tag->has_lang ? keep_lang(d, tag->lang) : above->lang;
	if (level->lang == NULL)
		return FED_ENOMEM;
	d->depth++;
	return enter(d, above->place, level->place, tag);
}

/* ---- text and end tags ---- */

/* Blanks at the front taken off: they would fill what a note may have. */
static struct span without_blanks(struct span s)
{
	while (s.n > 0 && strchr(" \t\r\n", s.p[0]) != NULL)
		s = span_sub(s, 1, s.n);
	return s;
}

void pidf_doc_text(struct pidf_doc *d, struct span text)
{
	size_t room = sizeof(d->text) - d->text_n;

	if (d->levels[d->depth].place < PIDF_AT_TEXT || d->is_text_full)
		return;
	if (d->text_n == 0)
		text = without_blanks(text);
	if (text.n > room) {
		d->is_text_full = true;
		while (room > 0 && ((unsigned char)text.p[room] & 0xC0) == 0x80)
			room--;
		text = span_sub(text, 0, room);
	}
	if (text.n > 0)
		memcpy(d->text + d->text_n, text.p, text.n);
	d->text_n += text.n;
}

/* One for each language, the first; more than fit are dropped. */
static int take_note(struct pidf_doc *d, struct pidf_notes *notes,
		     const char *lang, struct span text)
{
	struct presence_note *note = &notes->note[notes->count];

	if (text.n == 0 || notes->count == LIMIT_PRESENCE_NOTES)
		return 0;
	for (size_t i = 0; i < notes->count; i++)
		if (span_ieq(span_str(notes->note[i].lang), span_str(lang)))
			return 0;
	note->lang = lang;
	note->text = arena_dup(&d->arena, text);
	if (note->text == NULL)
		return FED_ENOMEM;
	notes->count++;
	return 0;
}

static void take_basic(struct pidf_tuple *t, struct span text)
{
	if (span_ieq(text, SPAN_LIT("open")))
		t->basic = PIDF_OPEN;
	else if (span_ieq(text, SPAN_LIT("closed")))
		t->basic = PIDF_CLOSED;
}

int pidf_doc_close(struct pidf_doc *d)
{
	const struct pidf_level *level = &d->levels[d->depth--];
	struct span text = span_trim(span_of(d->text, d->text_n));
	struct pidf_tuple *t = d->tuple;
	uint32_t number;

	switch (level->place) {
	case PIDF_AT_TUPLE:
		d->tuple = NULL;
		break;
	case PIDF_AT_BASIC:
		take_basic(t, text);
		break;
	case PIDF_AT_SHOW:
		t->has_show = pidf_show_parse(text, &t->show);
		break;
	case PIDF_AT_ACTIVITY:
		take_activity(d, text);
		break;
	case PIDF_AT_USER_INPUT:
		hints_of(d)->is_idle = span_ieq(text, SPAN_LIT("idle"));
		break;
	case PIDF_AT_AVAILABILITY:
		if (span_to_u32(text, &number) == 0)
			take_availability(d, pidf_lync_availability(number));
		break;
	case PIDF_AT_NOTE:
		return take_note(d, t != NULL ? &t->notes : &d->notes,
				 level->lang, text);
	case PIDF_AT_PERSON_NOTE:
		return take_note(d, &d->person_notes, level->lang, text);
	case PIDF_AT_ACTIVITIES_NOTE:
		return take_note(d, &d->activities_notes, level->lang, text);
	case PIDF_AT_OTHER:
	case PIDF_AT_OPAQUE:
	case PIDF_AT_DOCUMENT:
	case PIDF_AT_PRESENCE:
	case PIDF_AT_STATUS:
	case PIDF_AT_PERSON:
	case PIDF_AT_CONTACT:
	case PIDF_AT_ACTIVITIES:
		break;
	}
	return 0;
}
