/* site ...: users by their place. */
#include <string.h>

#include "deploy/fedctl/change.h"
#include "deploy/fedctl/command.h"
#include "deploy/fedctl/json.h"
#include "deploy/fedctl/name.h"
#include "deploy/fedctl/rows.h"
#include "deploy/fedctl/text.h"
#include "deploy/fedctl/users.h"

/* ---- list ---------------------------------------------------------------- */

static void heads(struct table *t)
{
	table_column(t, "<NAME");
	table_column(t, "<DOMAINS");
	table_column(t, "<DESCRIPTION");
}

static void cells(struct table *t, const Fed__Record *r)
{
	const Fed__SiteRecord *x = r->site;

	table_cell(t, "%s", x->name);
	if (x->n_domain > 1)
		table_cell(t, "%s +%zu", x->domain[0], x->n_domain - 1);
	else
		table_cell(t, "%s", x->n_domain > 0 ? x->domain[0] : "");
	table_cell(t, "%s", x->description);
}

static int list(struct session *s, const struct line *l)
{
	static const struct rows how = {FED__RECORD__KIND_SITE, "no site",
					heads, cells, NULL};

	(void)l;
	return rows_list(s, &how, NULL);
}

/* ---- a site and its users ------------------------------------------------ */

struct site_command {
	struct session *s;
	struct arena a;
	const char *name;
	struct records sites;
	struct records members; /* of all sites */
	Fed__Record *site;	/* NULL: there is none */
	struct change change;
};

static int begin(struct site_command *c, struct session *s,
		 const struct line *l)
{
	int status;

	*c = (struct site_command){.s = s, .name = line_arg(l, 0)};
	arena_init(&c->a, CHANGE_ARENA_BYTES);
	status = records_get(s, &c->a, FED__ADMIN_FEDERATION_GET__KIND__SITE,
			     "", &c->sites);
	if (status == STATUS_DONE)
		status = records_get(s, &c->a,
				     FED__ADMIN_FEDERATION_GET__KIND__MEMBER,
				     "", &c->members);
	c->site = records_find(&c->sites, c->name);
	/* the older one: the other may have come in between */
	change_init(&c->change, &c->a, c->sites.revision);
	return status;
}

static int complain_none(struct site_command *c)
{
	struct name_near near;

	name_near_init(&near, span_str(c->name));
	for (size_t i = 0; i < c->sites.count; i++)
		name_near_try(&near, record_name(c->sites.items[i]));
	return session_usage(c->s, "there is no site \"%s\"%s", c->name,
			     name_near_hint(&near).text);
}

static bool is_member(const struct site_command *c, const Fed__Record *r)
{
	return strcmp(r->member->site, c->name) == 0;
}

static int put_member(struct site_command *c, const char *user)
{
	Fed__Record *r = NULL;
	int status =
		change_new(c->s, &c->a, FED__RECORD__KIND_MEMBER, user, &r);

	if (status != STATUS_DONE)
		return status;
	r->member->site = text_lent(c->name);
	return change_put(&c->change, r) == 0 ? STATUS_DONE
					      : change_no_memory(c->s);
}

static int drop_member(struct site_command *c, const char *user)
{
	struct name_near near;

	name_near_init(&near, span_str(user));
	for (size_t i = 0; i < c->members.count; i++) {
		Fed__Record *r = c->members.items[i];

		if (!is_member(c, r))
			continue;
		if (strcmp(r->member->user, user) == 0)
			return change_remove(&c->change, r) == 0
				       ? STATUS_DONE
				       : change_no_memory(c->s);
		name_near_try(&near, r->member->user);
	}
	return session_usage(c->s, "--user: %s was not put into the site%s",
			     user, name_near_hint(&near).text);
}

/* "romeo@sip.example", "+...", "-...", several between commas. */
static int take_users(struct site_command *c, const char *value)
{
	bool is_less = value[0] == '-';
	struct span rest = span_str(value);
	int status = STATUS_DONE;

	if (is_less || value[0] == '+')
		rest = span_sub(rest, 1, SIZE_MAX);
	while (status == STATUS_DONE && rest.n > 0) {
		size_t at = span_find(rest, ',', 0);
		char *typed =
			arena_dup(&c->a, span_trim(span_sub(rest, 0, at)));
		const char *user = NULL;

		if (typed == NULL)
			return change_no_memory(c->s);
		status = users_one(c->s, &c->a, typed, &user);
		if (status == STATUS_DONE)
			status = is_less ? drop_member(c, user)
					 : put_member(c, user);
		rest = at == SIZE_MAX ? SPAN_NULL
				      : span_sub(rest, at + 1, SIZE_MAX);
	}
	return status;
}

static int take_file(struct site_command *c, const char *path)
{
	static const char *const heads[] = {"user", NULL};
	static const struct csv_form form = {.heads = heads, .due = 1};
	struct csv csv;
	int status = csv_read(c->s, &c->a, path, &form, &csv);

	if (status == STATUS_DONE)
		status = users_of_csv(c->s, &c->a, &csv);
	if (status == STATUS_DONE)
		status = csv_verdict(c->s, &csv);
	for (size_t i = 0; status == STATUS_DONE && i < csv.count; i++)
		status = put_member(c, csv.rows[i].cells[0]);
	return status;
}

/* What the options say of it, and send it. */
static int put(struct site_command *c, bool needs_some)
{
	const struct line *l = c->s->line;
	const char *value;
	size_t set;
	int status = change_fields(c->s, &c->a, c->site, &set);

	for (size_t i = 0; status == STATUS_DONE &&
			   (value = line_option_n(l, "user", i)) != NULL;
	     i++, set++)
		status = take_users(c, value);
	if (status == STATUS_DONE && line_has(l, "csv")) {
		status = take_file(c, line_option(l, "csv"));
		set++;
	}
	if (status != STATUS_DONE)
		return status;
	if (needs_some && set == 0)
		return session_usage(c->s,
				     "nothing is to be set; as in: fedctl %s",
				     l->command->example);
	if (change_put(&c->change, c->site) != 0)
		return change_no_memory(c->s);
	return change_send(c->s, &c->change);
}

static int add(struct session *s, const struct line *l)
{
	struct site_command c;
	int status = begin(&c, s, l);

	if (status == STATUS_DONE && c.site != NULL)
		status = session_usage(s,
				       "%s is there already; \"site set\" "
				       "changes it",
				       c.name);
	if (status == STATUS_DONE)
		status = change_new(s, &c.a, FED__RECORD__KIND_SITE, c.name,
				    &c.site);
	if (status == STATUS_DONE)
		status = put(&c, false);
	arena_deinit(&c.a);
	return status;
}

static int set(struct session *s, const struct line *l)
{
	struct site_command c;
	int status = begin(&c, s, l);

	if (status == STATUS_DONE && c.site == NULL)
		status = complain_none(&c);
	if (status == STATUS_DONE)
		status = put(&c, true);
	arena_deinit(&c.a);
	return status;
}

/* Its users are of no site then. */
static int drop(struct session *s, const struct line *l)
{
	struct site_command c;
	int status = begin(&c, s, l);

	if (status == STATUS_DONE && c.site == NULL)
		status = complain_none(&c);
	for (size_t i = 0; status == STATUS_DONE && i < c.members.count; i++)
		if (is_member(&c, c.members.items[i]) &&
		    change_remove(&c.change, c.members.items[i]) != 0)
			status = change_no_memory(s);
	if (status == STATUS_DONE && change_remove(&c.change, c.site) != 0)
		status = change_no_memory(s);
	if (status == STATUS_DONE)
		status = change_send(s, &c.change);
	arena_deinit(&c.a);
	return status;
}

/* ---- show ---------------------------------------------------------------- */

static void print(const struct site_command *c)
{
	FILE *to = c->s->out;
	bool is_any = false;

	record_print(to, c->site, "");
	(void)fputs("users        ", to);
	for (size_t i = 0; i < c->members.count; i++) {
		const Fed__Record *r = c->members.items[i];

		if (!is_member(c, r))
			continue;
		(void)fprintf(to, "%s", is_any ? "             " : "");
		text_print(to, span_str(r->member->user), NULL);
		(void)fputc('\n', to);
		is_any = true;
	}
	if (!is_any)
		(void)fputs("-\n", to);
}

static void print_json(const struct site_command *c, struct shower *x)
{
	json_t *one = record_json(c->site);
	json_t *users = json_array();

	for (size_t i = 0; i < c->members.count; i++) {
		const Fed__Record *r = c->members.items[i];

		if (is_member(c, r) &&
		    json_array_append_new(users,
					  json_string(r->member->user)) != 0)
			x->is_failed = true;
	}
	if (json_object_set_new(one, "users", users) != 0)
		x->is_failed = true;
	json_document(x, "site", one);
}

static int show(struct session *s, const struct line *l)
{
	struct site_command c;
	struct shower x;
	int status = begin(&c, s, l);

	shower_init(&x, s->out, NULL);
	if (status == STATUS_DONE && c.site == NULL)
		status = complain_none(&c);
	if (status == STATUS_DONE) {
		if (s->is_json)
			print_json(&c, &x);
		else
			print(&c);
		status = x.is_failed ? change_no_memory(s) : session_written(s);
	}
	arena_deinit(&c.a);
	return status;
}

/* ---- table --------------------------------------------------------------- */

static const struct command_arg name[] = {
	{.name = "NAME"},
	{.name = NULL},
};

static const struct command_option add_options[] = {
	{.name = "domain",
	 .value = "DOMAIN",
	 .repeats = true,
	 .help = "a SIP domain whose users are of it; several: between commas, "
		 "or the option again"},
	{.name = "user",
	 .value = "USER",
	 .repeats = true,
	 .help = "a user of it, whatever his domain; several as above"},
	{.name = "csv",
	 .value = "FILE",
	 .help = "users of it, one a line; - is stdin"},
	{.name = "description", .value = "TEXT", .help = "for people"},
	CHANGE_DRY_RUN,
	{.name = NULL},
};

static const struct command_option set_options[] = {
	{.name = "domain",
	 .value = "DOMAIN",
	 .repeats = true,
	 .help = "+DOMAIN one more, -DOMAIN one less, DOMAIN,DOMAIN those and "
		 "no other"},
	{.name = "user",
	 .value = "USER",
	 .repeats = true,
	 .help = "+USER, or USER, one more, -USER one less"},
	{.name = "csv",
	 .value = "FILE",
	 .help = "more users, one a line; - is stdin"},
	{.name = "description", .value = "TEXT", .help = "for people"},
	CHANGE_DRY_RUN,
	{.name = NULL},
};

static const struct command_option only_dry_run[] = {
	CHANGE_DRY_RUN,
	{.name = NULL},
};

#define ONE_SITE                                                            \
	"A user is of one site: the one he was put into, else that of his " \
	"domain."

const struct command commands_site[] = {
	{.name = "site list",
	 .summary = "the sites",
	 .more = "+2 behind a domain: it has two more. \"policy set site "
		 "NAME\" gives the users of one a policy.",
	 .example = "site list",
	 .where = COMMAND_GATEWAY,
	 .run = list},
	{.name = "site show",
	 .args = name,
	 .summary = "a site, with the users put into it",
	 .more = ONE_SITE,
	 .example = "site show berlin",
	 .where = COMMAND_GATEWAY,
	 .run = show},
	{.name = "site add",
	 .args = name,
	 .options = add_options,
	 .summary = "another site",
	 .more = ONE_SITE,
	 .example = "site add berlin --domain berlin.sip.example",
	 .where = COMMAND_GATEWAY,
	 .run = add},
	{.name = "site set",
	 .args = name,
	 .options = set_options,
	 .summary = "change a site, its domains and users",
	 .more = ONE_SITE,
	 .example = "site set berlin --user -romeo@sip.example",
	 .where = COMMAND_GATEWAY,
	 .run = set},
	{.name = "site remove",
	 .args = name,
	 .options = only_dry_run,
	 .summary = "remove a site",
	 .more = "Its users are of no site then, or of that of their domain. A "
		 "policy of the site must be removed first.",
	 .example = "site remove berlin",
	 .where = COMMAND_GATEWAY,
	 .run = drop},
	{.name = NULL},
};
