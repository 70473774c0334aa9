/* Records come and go. */
#include "deploy/fedctl/change.h"

#include <stdlib.h>
#include <string.h>

#include "deploy/fedctl/command.h"
#include "deploy/fedctl/name.h"
#include "deploy/fedctl/text.h"

/* What the history keeps of a line; the records themselves say the rest. */
enum { WHAT_BYTES = 400 };

int change_no_memory(struct session *s)
{
	return session_fail(s, STATUS_FAILED, "out of memory");
}

/* ---- getting ------------------------------------------------------------- */

struct getting {
	struct arena *a;
	struct records *to;
	bool is_failed;
};

static void keep(const Fed__AdminResponse *r, void *arg)
{
	struct getting *g = arg;

	for (size_t i = 0; i < r->n_record && !g->is_failed; i++) {
		Fed__Record *copy = record_dup(g->a, r->record[i]);

		g->is_failed = copy == NULL ||
			       arena_append(g->a, (void ***)&g->to->items,
					    &g->to->count, copy) != 0;
	}
	if (r->revision != 0)
		g->to->revision = r->revision;
}

static int get_records(struct session *s, struct arena *a,
		       Fed__AdminFederationGet *ask, struct records *out)
{
	struct getting g = {.a = a, .to = out};
	Fed__AdminRequest r;
	int status;

	*out = (struct records){.items = NULL};
	fed__admin_request__init(&r);
	r.kind_case = FED__ADMIN_REQUEST__KIND_FEDERATION_GET;
	r.federation_get = ask;
	status = session_ask(s, &r, keep, &g);
	if (status == STATUS_DONE && g.is_failed)
		return change_no_memory(s);
	return status;
}

int records_get(struct session *s, struct arena *a,
		Fed__AdminFederationGet__Kind get, const char *pattern,
		struct records *out)
{
	Fed__AdminFederationGet ask;

	fed__admin_federation_get__init(&ask);
	ask.kind = get;
	ask.pattern = text_lent(pattern);
	return get_records(s, a, &ask, out);
}

int records_get_secret(struct session *s, struct arena *a,
		       Fed__AdminFederationGet__Kind get, struct records *out)
{
	Fed__AdminFederationGet ask;

	fed__admin_federation_get__init(&ask);
	ask.kind = get;
	ask.secrets = true;
	return get_records(s, a, &ask, out);
}

Fed__Record *records_find(const struct records *rs, const char *name)
{
	for (size_t i = 0; i < rs->count; i++)
		if (strcmp(record_name(rs->items[i]), name) == 0)
			return rs->items[i];
	return NULL;
}

int records_need(struct session *s, struct arena *a,
		 const struct record_kind *k, const char *name,
		 struct records *all_out, Fed__Record **out)
{
	const char *what =
		k->kind == FED__RECORD__KIND_DENIED ? "denied domain" : k->name;
	struct name_near near;
	int status = records_get(s, a, k->get, "", all_out);

	*out = NULL;
	if (status != STATUS_DONE)
		return status;
	*out = records_find(all_out, name);
	if (*out != NULL)
		return STATUS_DONE;
	name_near_init(&near, span_str(name));
	for (size_t i = 0; i < all_out->count; i++)
		name_near_try(&near, record_name(all_out->items[i]));
	return session_usage(s, "there is no %s \"%s\"%s", what, name,
			     name_near_hint(&near).text);
}

/* ---- changing ------------------------------------------------------------ */

void change_init(struct change *c, struct arena *a, uint64_t base)
{
	*c = (struct change){.a = a};
	fed__admin_federation_apply__init(&c->apply);
	c->apply.base_revision = base;
}

int change_put(struct change *c, Fed__Record *r)
{
	return arena_append(c->a, (void ***)&c->apply.put, &c->apply.n_put, r);
}

int change_remove(struct change *c, Fed__Record *r)
{
	return arena_append(c->a, (void ***)&c->apply.remove,
			    &c->apply.n_remove, r);
}

int change_new(struct session *s, struct arena *a, Fed__Record__KindCase kind,
	       const char *name, Fed__Record **out)
{
	const char *const values[] = {name, NULL};
	Fed__Record *r = record_new(a, kind);

	*out = r;
	if (r == NULL ||
	    field_set(a, &record_kind(kind)->fields[0], r, values, NULL) != 0)
		return change_no_memory(s);
	return STATUS_DONE;
}

const char *change_who(void)
{
	static const char *const names[] = {"SUDO_USER", "LOGNAME", "USER"};

	for (size_t i = 0; i < FED_ARRAY_LEN(names); i++) {
		const char *name = getenv(names[i]);

		if (name != NULL && name[0] != '\0' &&
		    span_is_utf8(span_str(name)))
			return name;
	}
	return "";
}

/* The line, shortened between characters. */
static char *what_of(const struct session *s, const struct change *c)
{
	char *line = c->what == NULL ? line_text(s->line) : NULL;
	struct span text = span_str(c->what != NULL ? c->what : line);
	struct span cut = text_cut(text, WHAT_BYTES);
	char *what = NULL;

	if (text.p != NULL)
		what = arena_printf(c->a, "%.*s%s", (int)cut.n, cut.p,
				    cut.n < text.n ? "..." : "");
	free(line);
	return what;
}

int change_request(struct session *s, struct change *c,
		   Fed__AdminRequest *r_out)
{
	s->patience_s = CHANGE_PATIENCE_S;
	c->apply.dry_run = line_has(s->line, "dry-run");
	c->apply.name = text_lent(change_who());
	c->apply.what = what_of(s, c);
	if (c->apply.what == NULL)
		return change_no_memory(s);
	fed__admin_request__init(r_out);
	r_out->kind_case = FED__ADMIN_REQUEST__KIND_FEDERATION_APPLY;
	r_out->federation_apply = &c->apply;
	return STATUS_DONE;
}

int change_send(struct session *s, struct change *c)
{
	Fed__AdminRequest r;
	int status = change_request(s, c, &r);

	if (status != STATUS_DONE)
		return status;
	return session_show(
		s, &r, s->is_json ? &show_changed_json : &show_changed_text);
}

/* ---- options ------------------------------------------------------------- */

/* "keep_alive" of --keep-alive, "domains" of --domain. */
static const struct field *field_of(const struct record_kind *k,
				    const char *option)
{
	char name[64];
	size_t n = 0;
	const struct field *f;

	for (; option[n] != '\0' && n + 1 < sizeof(name); n++)
		name[n] = (char)(option[n] == '-' ? '_' : option[n]);
	f = field_find(k, span_of(name, n));
	name[n++] = 's';
	return f != NULL ? f : field_find(k, span_of(name, n));
}

static int set_field(struct session *s, struct arena *a, Fed__Record *r,
		     const struct field *f, const char *option)
{
	struct errbuf e = {.text = ""};
	char **values = NULL;
	const char *value;
	size_t n = 0;
	int err;

	while ((value = line_option_n(s->line, option, n)) != NULL)
		if (arena_append(a, (void ***)&values, &n, text_lent(value)) !=
		    0)
			return change_no_memory(s);
	if (arena_append(a, (void ***)&values, &n, NULL) != 0)
		return change_no_memory(s);
	err = field_set(a, f, r, (const char *const *)values, &e);
	if (err == FED_EINVAL)
		return session_usage(s, "--%s: %s", option, e.text);
	return err == 0 ? STATUS_DONE : change_no_memory(s);
}

int change_fields(struct session *s, struct arena *a, Fed__Record *r,
		  size_t *set_out)
{
	const struct record_kind *k = record_kind(r->kind_case);
	const struct command_option *o = s->line->command->options;

	*set_out = 0;
	for (; o != NULL && o->name != NULL; o++) {
		const struct field *f = field_of(k, o->name);
		int status;

		if (f == NULL || !line_has(s->line, o->name))
			continue;
		status = set_field(s, a, r, f, o->name);
		if (status != STATUS_DONE)
			return status;
		++*set_out;
	}
	return STATUS_DONE;
}
