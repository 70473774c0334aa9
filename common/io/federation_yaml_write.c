/* Writing: records as YAML. */
#include "io/federation_yaml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/limits.h"
#include "chan/federation_form.h"

struct writing {
	FILE *f;
	const Fed__Record *const *records;
	size_t count;
	const Fed__MemberRecord **members; /* by site, then by user */
	size_t member_count;
	bool with_secrets;
};

/* --- texts -----------------------------------------------------------------
 */

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Needs no quotes: a domain or a user, and no word that YAML knows. */
static bool is_plain(const char *s)
{
	if (!is_letter(s[0]) || strpbrk(s, ".@") == NULL)
		return false;
	for (; *s != '\0'; s++)
		if (!is_letter(*s) && (*s < '0' || *s > '9') &&
		    strchr(".@-_", *s) == NULL)
			return false;
	return s[-1] != '.';
}

/* Bytes of the character at p. */
static size_t char_bytes(const unsigned char *p)
{
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

	return strnlen((const char *)p, n);
}

static unsigned code_of(const unsigned char *p, size_t n)
{
	static const unsigned char first[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	unsigned c = p[0] & first[n];

	for (size_t i = 1; i < n; i++)
		c = c << 6 | (p[i] & 0x3f);
	return c;
}

/* YAML does not take it as it is, or takes it for the end of the line. */
static bool is_escaped(unsigned c)
{
	return c < ' ' || (c >= 0x7f && c < 0xa0) || c == 0x2028 ||
	       c == 0x2029 || c == 0xfeff || c == 0xfffe || c == 0xffff;
}

static void quote(FILE *f, const char *s)
{
	const unsigned char *p = (const unsigned char *)s;

	(void)fputc('"', f);
	while (*p != '\0') {
		size_t n = char_bytes(p);
		unsigned c = code_of(p, n);

		if (c == '"' || c == '\\')
			(void)fprintf(f, "\\%c", c);
		else if (is_escaped(c))
			(void)fprintf(f, "\\u%04X", c);
		else
			(void)fwrite(p, 1, n, f);
		p += n;
	}
	(void)fputc('"', f);
}

static void text(FILE *f, const char *s)
{
	if (is_plain(s))
		(void)fputs(s, f);
	else
		quote(f, s);
}

static void text_line(FILE *f, const char *key, const char *value)
{
	(void)fprintf(f, "%s: ", key);
	text(f, value);
	(void)fputc('\n', f);
}

static void text_list(FILE *f, const char *key, char *const *items, size_t n)
{
	(void)fprintf(f, "%s: [", key);
	for (size_t i = 0; i < n; i++) {
		(void)fputs(i > 0 ? ", " : "", f);
		text(f, items[i]);
	}
	(void)fputs("]\n", f);
}

static void flag_line(FILE *f, const char *key, bool is_on)
{
	(void)fprintf(f, "%s: %s\n", key, is_on ? "on" : "off");
}

static void number_line(FILE *f, const char *key, uint32_t value)
{
	(void)fprintf(f, "%s: %u\n", key, value);
}

static void word_line(FILE *f, const char *key, const char *const *words,
		      unsigned value)
{
	(void)fprintf(f, "%s: %s\n", key, federation_word(words, value));
}

/* --- settings --------------------------------------------------------------
 */

static bool is_text(ProtobufCBinaryData s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.data[i] < ' ' || s.data[i] > '~')
			return false;
	return !span_starts(span_of(s.data, s.len), SPAN_LIT("base64:"));
}

static int secret_line(FILE *f, ProtobufCBinaryData secret)
{
	struct span s = span_of(secret.data, secret.len);
	struct buf out;
	int err = 0;

	if (s.n == 0)
		return 0;
	buf_init(&out, 2 * LIMIT_SECRET_BYTES + 16);
	if (!is_text(secret)) {
		err = buf_put_str(&out, "base64:");
		if (err == 0)
			err = digest_base64_encode(s, &out);
	} else {
		err = buf_put_span(&out, s);
	}
	if (err == 0)
		err = buf_put_byte(&out, '\0');
	if (err == 0) {
		(void)fputs("  dialback_secret: ", f);
		quote(f, buf_span(&out).p);
		(void)fputc('\n', f);
	}
	buf_deinit(&out);
	return err;
}

static int write_settings(const struct writing *w, const Fed__SettingsRecord *s)
{
	FILE *f = w->f;
	int err = 0;

	(void)fputs("settings:\n", f);
	flag_line(f, "  federation", s->federation);
	(void)fprintf(f, "  mode: %s\n", s->open ? "open" : "closed");
	number_line(f, "  connection_limit", s->connection_limit);
	number_line(f, "  partner_connection_limit",
		    s->partner_connection_limit);
	number_line(f, "  keep_alive_interval", s->keep_alive_interval_s);
	number_line(f, "  stream_establishment_timeout",
		    s->stream_establishment_timeout_s);
	number_line(f, "  stream_inactivity_timeout",
		    s->stream_inactivity_timeout_s);
	number_line(f, "  subscription_refresh_interval",
		    s->subscription_refresh_interval_s);
	if (w->with_secrets)
		err = secret_line(f, s->dialback_secret);
	flag_line(f, "  log_bodies", s->log_bodies);
	text_line(f, "  legacy_next_hop", s->legacy_next_hop);
	return err;
}

/* --- lists -----------------------------------------------------------------
 */

static void write_partner(const struct writing *w, const Fed__Record *r)
{
	const Fed__PartnerRecord *p = r->partner;
	FILE *f = w->f;

	text_line(f, "  - domain", p->domain);
	text_list(f, "    additional", p->additional, p->n_additional);
	text_line(f, "    description", p->description);
	word_line(f, "    type", federation_type_words, p->type);
	word_line(f, "    state", federation_state_words, p->state);
	word_line(f, "    tls", federation_need_words, p->tls);
	word_line(f, "    sasl", federation_need_words, p->sasl);
	flag_line(f, "    dialback", p->dialback);
	flag_line(f, "    keep_alive", p->keep_alive);
	number_line(f, "    connection_limit", p->connection_limit);
	text_line(f, "    proxy_host", p->proxy_host);
	number_line(f, "    stanzas_per_second", p->stanzas_per_s);
	number_line(f, "    bytes_per_second", p->bytes_per_s);
}

static void write_denied(const struct writing *w, const Fed__Record *r)
{
	text_line(w->f, "  - domain", r->denied->domain);
	text_line(w->f, "    description", r->denied->description);
}

static void write_policy(const struct writing *w, const Fed__Record *r)
{
	const Fed__PolicyRecord *p = r->policy;

	word_line(w->f, "  - scope", federation_scope_words, p->scope);
	text_line(w->f, "    name", p->name);
	flag_line(w->f, "    federation", p->federation);
	flag_line(w->f, "    xmpp", p->xmpp);
	text_line(w->f, "    description", p->description);
}

/* The first member of that site or behind it. */
static size_t first_member(const struct writing *w, const char *site)
{
	size_t from = 0;
	size_t to = w->member_count;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (strcmp(w->members[mid]->site, site) < 0)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

static bool is_of(const Fed__MemberRecord *m, const Fed__SiteRecord *s)
{
	return strcmp(m->site, s->name) == 0;
}

static void write_site(const struct writing *w, const Fed__Record *r)
{
	const Fed__SiteRecord *s = r->site;
	size_t i = first_member(w, s->name);
	bool is_empty = i == w->member_count || !is_of(w->members[i], s);

	text_line(w->f, "  - name", s->name);
	text_list(w->f, "    domains", s->domain, s->n_domain);
	text_line(w->f, "    description", s->description);
	(void)fprintf(w->f, "    users:%s\n", is_empty ? " []" : "");
	for (; i < w->member_count && is_of(w->members[i], s); i++) {
		(void)fputs("      - ", w->f);
		text(w->f, w->members[i]->user);
		(void)fputc('\n', w->f);
	}
}

static void write_grant(const struct writing *w, const Fed__Record *r)
{
	text_line(w->f, "  - user", r->grant->user);
	text_line(w->f, "    policy", r->grant->policy);
}

static void write_list(const struct writing *w, const char *name,
		       Fed__Record__KindCase kind,
		       void (*write)(const struct writing *w,
				     const Fed__Record *r))
{
	bool is_begun = false;

	for (size_t i = 0; i < w->count; i++) {
		if (w->records[i]->kind_case != kind)
			continue;
		if (!is_begun)
			(void)fprintf(w->f, "%s:\n", name);
		is_begun = true;
		write(w, w->records[i]);
	}
	if (!is_begun)
		(void)fprintf(w->f, "%s: []\n", name);
}

/* --- all -------------------------------------------------------------------
 */

static int by_site(const void *a, const void *b)
{
	const Fed__MemberRecord *const *x = a;
	const Fed__MemberRecord *const *y = b;
	int order = strcmp((*x)->site, (*y)->site);

	return order != 0 ? order : strcmp((*x)->user, (*y)->user);
}

static int sort_members(struct writing *w)
{
	w->members = calloc(w->count + 1, sizeof(void *));
	if (w->members == NULL)
		return FED_ENOMEM;
	for (size_t i = 0; i < w->count; i++)
		if (w->records[i]->kind_case == FED__RECORD__KIND_MEMBER)
			w->members[w->member_count++] = w->records[i]->member;
	qsort(w->members, w->member_count, sizeof(void *), by_site);
	return 0;
}

static int write_all(const struct writing *w)
{
	int err = 0;

	for (size_t i = 0; i < w->count && err == 0; i++)
		if (w->records[i]->kind_case == FED__RECORD__KIND_SETTINGS)
			err = write_settings(w, w->records[i]->settings);
	write_list(w, "partners", FED__RECORD__KIND_PARTNER, write_partner);
	write_list(w, "denied", FED__RECORD__KIND_DENIED, write_denied);
	write_list(w, "policies", FED__RECORD__KIND_POLICY, write_policy);
	write_list(w, "sites", FED__RECORD__KIND_SITE, write_site);
	write_list(w, "grants", FED__RECORD__KIND_GRANT, write_grant);
	if (err == 0 && (fflush(w->f) != 0 || ferror(w->f)))
		err = FED_EIO;
	return err;
}

int federation_yaml_write(FILE *out, const Fed__Record *const *records,
			  size_t count, bool with_secrets)
{
	struct writing w = {.f = out,
			    .records = records,
			    .count = count,
			    .with_secrets = with_secrets};
	int err = sort_members(&w);

	if (err == 0)
		err = write_all(&w);
	free(w.members);
	return err;
}
