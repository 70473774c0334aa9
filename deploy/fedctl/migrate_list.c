/* Notes and records of what was read; tables. */
#include "deploy/fedctl/migrate_list.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "chan/federation_form.h"
#include "deploy/fedctl/record.h"

/* Fields of a line; more of them are not looked at. */
enum { CSV_FIELDS = 4 };

void migrate_list_init(struct migrate_list *l, struct arena *a,
		       Fed__PartnerType type)
{
	*l = (struct migrate_list){.a = a, .type = type};
}

/* What is no UTF-8 cannot be shown to programs. */
static void make_utf8(char *text)
{
	if (span_is_utf8(span_str(text)))
		return;
	for (; *text != '\0'; text++)
		if ((unsigned char)*text >= 0x80)
			*text = '?';
}

int migrate_list_note(struct migrate_list *l, unsigned line, bool is_understood,
		      const char *fmt, ...)
{
	struct migrate_note *n = arena_alloc(l->a, sizeof(*n));
	char *text = NULL;
	va_list ap;
	int length;

	va_start(ap, fmt);
	length = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n == NULL || length < 0) {
		if (length >= 0)
			free(text);
		return FED_ENOMEM;
	}
	make_utf8(text);
	n->line = line;
	n->is_understood = is_understood;
	n->text = arena_dup(l->a, span_of(text, (size_t)length));
	free(text);
	if (n->text == NULL)
		return FED_ENOMEM;
	return arena_append(l->a, (void ***)&l->notes, &l->note_count, n);
}

bool migrate_list_is_domain(struct span s)
{
	size_t dots = 0;

	if (s.n == 0 || s.n > LIMIT_DOMAIN_BYTES || s.p[0] == '.' ||
	    s.p[s.n - 1] == '.' || !span_is_utf8(s))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c <= ' ' || strchr("@/\\:;,()<>\"'", c) != NULL)
			return false;
		dots += c == '.';
	}
	/* an IPv4 address, and a version, have no letter behind the dot */
	return dots > 0 && ((unsigned char)s.p[s.n - 1] >= 'A');
}

/* --- partners ------------------------------------------------------------ */

static Fed__PartnerRecord *add_partner(struct migrate_list *l,
				       struct span domain,
				       struct span description)
{
	Fed__Record *r = record_new(l->a, FED__RECORD__KIND_PARTNER);
	Fed__PartnerRecord *p;

	if (r == NULL)
		return NULL;
	p = r->partner;
	p->domain = arena_dup(l->a, domain);
	p->description = arena_dup(l->a, description);
	p->type = l->type;
	p->state = FED__PARTNER_STATE__LEGACY;
	return p->domain != NULL && p->description != NULL &&
			       arena_append(l->a, (void ***)&l->records,
					    &l->record_count, r) == 0
		       ? p
		       : NULL;
}

static bool is_there(const struct migrate_list *l, struct span domain)
{
	for (size_t i = 0; i < l->record_count; i++)
		if (l->records[i]->kind_case == FED__RECORD__KIND_PARTNER &&
		    span_ieq(domain, span_str(l->records[i]->partner->domain)))
			return true;
	return false;
}

int migrate_list_partner(struct migrate_list *l, unsigned line,
			 struct span domain, struct span method,
			 struct span description)
{
	struct migrate_method m;
	bool is_known = migrate_method_parse(method, &m);
	Fed__PartnerRecord *p;

	if (!span_is_utf8(description))
		description = SPAN_NULL;
	if (is_there(l, domain))
		return migrate_list_note(l, line, false,
					 "%.*s is there twice; the first one "
					 "counts",
					 (int)domain.n, domain.p);
	p = add_partner(l, domain, description);
	if (p == NULL)
		return FED_ENOMEM;
	p->tls = m.tls;
	p->sasl = m.sasl;
	p->dialback = m.dialback;
	return migrate_list_note(
		l, line, is_known, "%s%s%.*s%s: tls %s, sasl %s, dialback %s",
		p->domain, method.n > 0 ? ", " : "", (int)method.n, method.p,
		is_known ? "" : " is no method that is known",
		federation_word(federation_need_words, (int)m.tls),
		federation_word(federation_need_words, (int)m.sasl),
		m.dialback ? "on" : "off");
}

/* --- tables -------------------------------------------------------------- */

/* The next line, without its end. */
static struct span take_line(struct span *text)
{
	size_t n = span_find(*text, '\n', 0);
	struct span line = span_sub(*text, 0, n);

	*text = span_sub(*text, n < text->n ? n + 1 : text->n, SIZE_MAX);
	return line;
}

/* Up to the separator, or the closing quote and the separator. */
static struct span take_field(struct span *line)
{
	struct span s = span_trim(*line);
	bool is_quoted = s.n > 0 && s.p[0] == '"';
	size_t end, next;

	if (is_quoted) {
		s = span_sub(s, 1, SIZE_MAX);
		end = span_find(s, '"', 0);
		next = end < s.n ? end + 1 : s.n;
		while (next < s.n && s.p[next] != ',' && s.p[next] != ';')
			next++;
	} else {
		for (end = 0; end < s.n && s.p[end] != ',' && s.p[end] != ';';)
			end++;
		next = end;
	}
	*line = span_sub(s, next < s.n ? next + 1 : s.n, SIZE_MAX);
	return span_trim(span_sub(s, 0, end < s.n ? end : s.n));
}

static void split(struct span line, struct span fields[CSV_FIELDS])
{
	for (size_t i = 0; i < CSV_FIELDS; i++)
		fields[i] = take_field(&line);
}

static bool is_empty(struct span line)
{
	line = span_trim(line);
	return line.n == 0 || line.p[0] == '#';
}

typedef int (*csv_line_fn)(struct migrate_list *l, unsigned number,
			   const struct span fields[CSV_FIELDS]);

static int each_line(struct migrate_list *l, struct span text, csv_line_fn fn)
{
	unsigned number = 0;
	int err = 0;

	/* of Windows programs */
	if (span_starts(text, SPAN_LIT("\xef\xbb\xbf")))
		text = span_sub(text, 3, SIZE_MAX);
	while (text.n > 0 && err == 0) {
		struct span line = take_line(&text);
		struct span fields[CSV_FIELDS];

		number++;
		if (is_empty(line))
			continue;
		split(line, fields);
		err = fn(l, number, fields);
	}
	return err;
}

static int partner_line(struct migrate_list *l, unsigned number,
			const struct span fields[CSV_FIELDS])
{
	if (migrate_list_is_domain(fields[0]))
		return migrate_list_partner(l, number, fields[0], fields[1],
					    fields[2]);
	/* its first line says what the columns are */
	if (span_ieq(fields[0], SPAN_LIT("domain")))
		return 0;
	return migrate_list_note(l, number, false, "\"%.*s\" is no domain",
				 (int)fields[0].n, fields[0].p);
}

int migrate_csv_partners(struct migrate_list *l, struct span text)
{
	return each_line(l, text, partner_line);
}

static int add_mover(struct migrate_list *l, struct span user, bool is_moved)
{
	Fed__Record *r = record_new(l->a, FED__RECORD__KIND_MOVER);

	if (r == NULL)
		return FED_ENOMEM;
	r->mover->user = arena_dup(l->a, user);
	r->mover->is_moved = is_moved;
	return r->mover->user != NULL
		       ? arena_append(l->a, (void ***)&l->records,
				      &l->record_count, r)
		       : FED_ENOMEM;
}

static int user_line(struct migrate_list *l, unsigned number,
		     const struct span fields[CSV_FIELDS])
{
	struct span user = fields[0];
	struct span state = fields[1];
	size_t at;

	if (span_starts(user, SPAN_LIT("sip:")))
		user = span_sub(user, 4, SIZE_MAX);
	at = span_find(user, '@', 0);
	if (span_ieq(user, SPAN_LIT("user")))
		return 0;
	if (at == 0 || at >= user.n || !span_is_utf8(user) ||
	    !migrate_list_is_domain(span_sub(user, at + 1, SIZE_MAX)))
		return migrate_list_note(l, number, false,
					 "\"%.*s\" is no user",
					 (int)fields[0].n, fields[0].p);
	if (state.n == 0 || span_ieq(state, SPAN_LIT("moved")))
		return add_mover(l, user, true);
	if (span_ieq(state, SPAN_LIT("legacy")))
		return add_mover(l, user, false);
	return migrate_list_note(l, number, false,
				 "%.*s: \"%.*s\" is neither moved nor legacy",
				 (int)user.n, user.p, (int)state.n, state.p);
}

int migrate_csv_users(struct migrate_list *l, struct span text)
{
	return each_line(l, text, user_line);
}
