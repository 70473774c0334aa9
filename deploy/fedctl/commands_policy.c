/* policy ...: who may talk with others at all. */
#include <string.h>

#include "chan/federation_form.h"
#include "deploy/fedctl/change.h"
#include "deploy/fedctl/command.h"
#include "deploy/fedctl/name.h"
#include "deploy/fedctl/rows.h"
#include "deploy/fedctl/text.h"

/* ---- lists --------------------------------------------------------------- */

static void heads(struct table *t)
{
	table_column(t, "<SCOPE");
	table_column(t, "<NAME");
	table_column(t, "<FEDERATION");
	table_column(t, "<XMPP");
	table_column(t, "<DESCRIPTION");
}

static void cells(struct table *t, const Fed__Record *r)
{
	const Fed__PolicyRecord *p = r->policy;

	table_cell(t, "%s",
		   federation_word(federation_scope_words, (int)p->scope));
	table_cell(t, "%s", p->name);
	table_cell(t, "%s", p->federation ? "on" : "off");
	table_cell(t, "%s", p->xmpp ? "on" : "off");
	table_cell(t, "%s", p->description);
}

static int list(struct session *s, const struct line *l)
{
	static const struct rows how = {
		FED__RECORD__KIND_POLICY,
		"no policy: nobody may talk with others", heads, cells, NULL};

	(void)l;
	return rows_list(s, &how, NULL);
}

/* ---- one of them --------------------------------------------------------- */

struct policy_command {
	struct arena a;
	struct records all;
	Fed__PolicyScope scope;
	const char *name;
	Fed__Record *r; /* NULL: there is none */
};

/* The line's arguments: SCOPE [NAME]. */
static int take_name(struct session *s, const struct line *l,
		     struct policy_command *c)
{
	const char *scope = line_arg(l, 0);

	c->scope = (Fed__PolicyScope)federation_word_value(
		federation_scope_words, span_str(scope));
	c->name = line_arg(l, 1);
	if (c->scope == FED__POLICY_SCOPE__GLOBAL && c->name != NULL)
		return session_usage(s,
				     "the global policy has no name: \"%s\" "
				     "is one word too many",
				     c->name);
	if (c->scope != FED__POLICY_SCOPE__GLOBAL && c->name == NULL)
		return session_usage(s,
				     "NAME is missing, as in: fedctl %s %s "
				     "%s",
				     l->command->name, scope,
				     c->scope == FED__POLICY_SCOPE__SITE
					     ? "berlin"
					     : "sales");
	if (c->name == NULL)
		c->name = "";
	return STATUS_DONE;
}

static int begin(struct session *s, const struct line *l,
		 struct policy_command *c)
{
	int status;

	*c = (struct policy_command){.r = NULL};
	arena_init(&c->a, CHANGE_ARENA_BYTES);
	status = take_name(s, l, c);
	if (status == STATUS_DONE)
		status = records_get(s, &c->a,
				     FED__ADMIN_FEDERATION_GET__KIND__POLICY,
				     "", &c->all);
	for (size_t i = 0; i < c->all.count; i++) {
		Fed__Record *r = c->all.items[i];

		if (r->policy->scope == c->scope &&
		    strcmp(r->policy->name, c->name) == 0)
			c->r = r;
	}
	return status;
}

/* Which one was meant. */
static int complain_none(struct session *s, const struct policy_command *c)
{
	struct name_near near;

	name_near_init(&near, span_str(c->name));
	for (size_t i = 0; i < c->all.count; i++)
		if (c->all.items[i]->policy->scope == c->scope)
			name_near_try(&near, c->all.items[i]->policy->name);
	return session_usage(
		s, "there is no policy %s%s%s%s",
		federation_word(federation_scope_words, (int)c->scope),
		c->name[0] != '\0' ? " " : "", c->name,
		name_near_hint(&near).text);
}

static int show(struct session *s, const struct line *l)
{
	struct policy_command c;
	int status = begin(s, l, &c);

	if (status == STATUS_DONE)
		status = c.r == NULL
				 ? complain_none(s, &c)
				 : rows_show(s,
					     record_kind(
						     FED__RECORD__KIND_POLICY),
					     c.r);
	arena_deinit(&c.a);
	return status;
}

static int put(struct session *s, struct policy_command *c)
{
	struct change change;
	size_t set;
	int status;

	if (c->r == NULL) {
		c->r = record_new(&c->a, FED__RECORD__KIND_POLICY);
		if (c->r == NULL)
			return change_no_memory(s);
		c->r->policy->scope = c->scope;
		c->r->policy->name = text_lent(c->name);
	}
	status = change_fields(s, &c->a, c->r, &set);
	if (status != STATUS_DONE)
		return status;
	if (set == 0)
		return session_usage(s,
				     "nothing is to be set; as in: fedctl %s",
				     s->line->command->example);
	change_init(&change, &c->a, c->all.revision);
	if (change_put(&change, c->r) != 0)
		return change_no_memory(s);
	return change_send(s, &change);
}

static int set(struct session *s, const struct line *l)
{
	struct policy_command c;
	int status = begin(s, l, &c);

	if (status == STATUS_DONE)
		status = put(s, &c);
	arena_deinit(&c.a);
	return status;
}

static int drop(struct session *s, const struct line *l)
{
	struct change change;
	struct policy_command c;
	int status = begin(s, l, &c);

	if (status == STATUS_DONE && c.r == NULL)
		status = complain_none(s, &c);
	if (status == STATUS_DONE) {
		change_init(&change, &c.a, c.all.revision);
		status = change_remove(&change, c.r) != 0
				 ? change_no_memory(s)
				 : change_send(s, &change);
	}
	arena_deinit(&c.a);
	return status;
}

/* ---- table --------------------------------------------------------------- */

static const struct command_arg one[] = {
	{.name = "SCOPE",
	 .words = federation_scope_words,
	 .help = "global, site or user"},
	{.name = "NAME",
	 .count = COMMAND_MAYBE,
	 .help = "of the site whose policy it is; of one that users are "
		 "granted: any"},
	{.name = NULL},
};

static const struct command_option set_options[] = {
	{.name = "federation",
	 .value = "on|off",
	 .words = record_off_on,
	 .help = "may talk with other organisations at all"},
	{.name = "xmpp",
	 .value = "on|off",
	 .words = record_off_on,
	 .help = "may talk with XMPP partners; needs --federation on"},
	{.name = "description", .value = "TEXT", .help = "for people"},
	CHANGE_DRY_RUN,
	{.name = NULL},
};

static const struct command_option only_dry_run[] = {
	CHANGE_DRY_RUN,
	{.name = NULL},
};

const struct command commands_policy[] = {
	{.name = "policy list",
	 .summary = "the access policies",
	 .more = "What counts for a user: the policy granted to him, else that "
		 "of his site, else the global one, else nothing is allowed.",
	 .example = "policy list",
	 .where = COMMAND_GATEWAY,
	 .run = list},
	{.name = "policy show",
	 .args = one,
	 .summary = "one of the policies",
	 .more = "\"grant list --policy NAME\" tells who has it.",
	 .example = "policy show user sales",
	 .where = COMMAND_GATEWAY,
	 .run = show},
	{.name = "policy set",
	 .args = one,
	 .options = set_options,
	 .summary = "change a policy, or make it",
	 .more = "A new one allows nothing that is not named; one that is "
		 "there keeps it. Both flags must be on to talk with XMPP "
		 "partners.",
	 .example = "policy set global --federation on --xmpp on",
	 .where = COMMAND_GATEWAY,
	 .run = set},
	{.name = "policy remove",
	 .args = one,
	 .options = only_dry_run,
	 .summary = "remove a policy",
	 .more = "One that users still have is not removed. Without the global "
		 "one, who has no other may not talk with anybody.",
	 .example = "policy remove user sales",
	 .where = COMMAND_GATEWAY,
	 .run = drop},
	{.name = NULL},
};
