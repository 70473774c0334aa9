/* Notes and records of what was read; tables. */
#include "deploy/fedctl/migrate_list.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "chan/federation_form.h"
#include "deploy/fedctl/csv.h"
#include "deploy/fedctl/record.h"

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

/* Where a domain is, or belongs, among those in order. */
static size_t place_of(const struct migrate_list *l, struct span domain,
		       bool *is_there_out)
{
	size_t low = 0;
	size_t high = l->domain_count;

	*is_there_out = false;
	while (low < high) {
		size_t at = low + (high - low) / 2;
		const char *other = l->domains[at];
		int order = strncasecmp(domain.p, other, domain.n);

		if (order == 0 && other[domain.n] == '\0') {
			*is_there_out = true;
			return at;
		}
		if (order > 0)
			low = at + 1;
		else
			high = at;
	}
	return low;
}

int migrate_list_partner(struct migrate_list *l, unsigned line,
			 struct span domain, struct span method,
			 struct span description)
{
	struct migrate_method m;
	bool is_known = migrate_method_parse(method, &m);
	bool is_there;
	size_t at = place_of(l, domain, &is_there);
	Fed__PartnerRecord *p;

	if (!span_is_utf8(description))
		description = SPAN_NULL;
	if (is_there)
		return migrate_list_note(l, line, false,
					 "%.*s is there twice; the first one "
					 "counts",
					 (int)domain.n, domain.p);
	if (l->domain_count == LIMIT_FEDERATION_PARTNERS)
		return FED_ELIMIT;
	p = add_partner(l, domain, description);
	if (p == NULL)
		return FED_ENOMEM;
	memmove(l->domains + at + 1, l->domains + at,
		(l->domain_count++ - at) * sizeof(*l->domains));
	l->domains[at] = p->domain;
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

static int partner_row(struct migrate_list *l, const struct csv_row *row)
{
	unsigned line = (unsigned)row->line;
	struct span domain = span_str(row->cells[0]);

	if (row->count == SIZE_MAX)
		return migrate_list_note(l, line, false,
					 "a quote is where none belongs");
	if (migrate_list_is_domain(domain))
		return migrate_list_partner(l, line, domain,
					    span_str(row->cells[1]),
					    span_str(row->cells[2]));
	/* its first line says what the columns are */
	if (span_ieq(domain, SPAN_LIT("domain")))
		return 0;
	return migrate_list_note(l, line, false, "\"%s\" is no domain",
				 row->cells[0]);
}

int migrate_csv_partners(struct migrate_list *l, struct span text)
{
	struct csv_text t;
	struct csv_row row;
	int err = 0;
	int more;

	csv_text_init(&t, text, true);
	while ((more = csv_next(&t, l->a, &row)) == 1 && err == 0)
		err = partner_row(l, &row);
	return err != 0 ? err : more;
}
