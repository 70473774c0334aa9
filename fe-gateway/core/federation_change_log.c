/* What a change did, or would have: who, what, before, after. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "chan/federation_form.h"
#include "fe-gateway/core/federation_change_priv.h"

/* Both records of a line, and it fits LOG_LINE_MAX. */
enum { RECORD_BYTES = 256 };

/* Both names of an author, and he fits LIMIT_FEDERATION_AUTHOR_BYTES. */
enum { SAID_BYTES = 60, KNOWN_BYTES = 32 };

static void log_record(const struct federation_change *c, const Fed__Change *x)
{
	const struct federation_head *h = &c->next_head;
	char key[FEDERATION_KEY_BYTES] = "";
	char text[RECORD_BYTES];
	char before[RECORD_BYTES];
	char after[RECORD_BYTES];

	(void)federation_key(x->after != NULL ? x->after : x->before, key);
	federation_text(x->before, x->after, text, sizeof(text));
	log_escape(span_str(text), before, sizeof(before));
	federation_text(x->after, x->before, text, sizeof(text));
	log_escape(span_str(text), after, sizeof(after));
	fed_log(c->p.log, FED_LOG_INFO, "federation_change",
		"revision=%" PRIu64
		" author=\"%s\" what=\"%s\" key=\"%s\" before=\"%s\" "
		"after=\"%s\"",
		h->number, log_value(span_str(h->author)).text,
		log_value(span_str(h->what)).text,
		log_value(span_str(key)).text, before, after);
}

static void log_summary(const struct federation_change *c)
{
	const struct federation_head *h = &c->next_head;
	size_t added = 0;
	size_t removed = 0;

	for (size_t i = 0; i < c->change_count; i++) {
		added += c->changes[i]->before == NULL;
		removed += c->changes[i]->after == NULL;
	}
	fed_log(c->p.log, FED_LOG_INFO, "federation_change",
		"revision=%" PRIu64
		" author=\"%s\" what=\"%s\" new=%zu changed=%zu removed=%zu",
		h->number, log_value(span_str(h->author)).text,
		log_value(span_str(h->what)).text, added,
		c->change_count - added - removed, removed);
}

void federation_change_log(const struct federation_change *c)
{
	if (c->change_count > LIMIT_FEDERATION_LINES) {
		log_summary(c);
		return;
	}
	for (size_t i = 0; i < c->change_count; i++)
		log_record(c, c->changes[i]);
}

void federation_change_log_refused(const struct federation_change *c,
				   const struct federation_head *h,
				   const char *why)
{
	fed_log(c->p.log, FED_LOG_WARN, "federation_refused",
		"author=\"%s\" what=\"%s\" why=\"%s\"",
		log_value(span_str(h->author)).text,
		log_value(span_str(h->what)).text,
		log_value(span_str(why)).text);
}

/* --- texts ---------------------------------------------------------------- */

/* For the history and the log: one line, and no half character at its end. */
void federation_change_take_text(char *out, size_t max, struct span text)
{
	size_t n = text.n;

	if (n > max) {
		n = max;
		while (n > 0 && ((unsigned char)text.p[n] & 0xc0u) == 0x80u)
			n--;
	}
	for (size_t i = 0; i < n; i++)
		out[i] = (unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f
				 ? ' '
				 : text.p[i];
	out[n] = '\0';
	span_make_utf8(out); /* from a store that is damaged */
}

void federation_change_author(char out[LIMIT_FEDERATION_AUTHOR_BYTES + 1],
			      uint32_t uid, const char *name, const char *known)
{
	char said[SAID_BYTES + 1];
	char system[KNOWN_BYTES + 1];

	/* who asks for the history gets nothing that has another one in it */
	if (known != NULL && !span_is_utf8(span_str(known)))
		known = NULL;
	if (name[0] == '\0')
		name = known != NULL ? known : "somebody";
	federation_change_take_text(said, SAID_BYTES, span_str(name));
	federation_change_take_text(system, KNOWN_BYTES,
				    span_str(known != NULL ? known : ""));
	if (known != NULL && strcmp(known, name) != 0)
		(void)snprintf(out, LIMIT_FEDERATION_AUTHOR_BYTES + 1,
			       "%s (uid %" PRIu32 ", %s)", said, uid, system);
	else
		(void)snprintf(out, LIMIT_FEDERATION_AUTHOR_BYTES + 1,
			       "%s (uid %" PRIu32 ")", said, uid);
}

/* Days since 1970 to a date: years begin in March, so that the odd day is the
 * last of one, and 400 of them are always as long. */
static void put_date(char *out, size_t size, int64_t days)
{
	int64_t z = days + 719468;
	int64_t era = z / 146097;
	int64_t of_era = z % 146097;
	int64_t year =
		(of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) /
		365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153;
	int64_t day = of_year - (153 * month + 2) / 5 + 1;

	month += month < 10 ? 3 : -9;
	(void)snprintf(out, size, "%04d-%02d-%02d",
		       (int)(year + era * 400 + (month <= 2 ? 1 : 0)),
		       (int)month, (int)day);
}

void federation_change_put_time(char *out, size_t size, int64_t at_ms)
{
	int64_t s = at_ms > 0 ? at_ms / 1000 : 0;
	char date[32];

	put_date(date, sizeof(date), s / 86400);
	(void)snprintf(out, size, "%s %02d:%02d:%02d UTC", date,
		       (int)(s / 3600 % 24), (int)(s / 60 % 60), (int)(s % 60));
}
