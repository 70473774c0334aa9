/* grant, revoke: policies of single users. */
#include <string.h>

#include "deploy/fedctl/change.h"
#include "deploy/fedctl/command.h"
#include "deploy/fedctl/name.h"
#include "deploy/fedctl/rows.h"
#include "deploy/fedctl/text.h"
#include "deploy/fedctl/users.h"

/* ---- list ---------------------------------------------------------------- */

static void heads(struct table *t)
{
	table_column(t, "<USER");
	table_column(t, "<POLICY");
}

static void cells(struct table *t, const Fed__Record *r)
{
	table_cell(t, "%s", r->grant->user);
	table_cell(t, "%s", r->grant->policy);
}

static bool wants(const struct line *l, const Fed__Record *r)
{
	const char *policy = line_option(l, "policy");

	return policy == NULL || strcmp(policy, r->grant->policy) == 0;
}

static int list(struct session *s, const struct line *l)
{
	static const struct rows how = {FED__RECORD__KIND_GRANT, "no grant",
					heads, cells, wants};

	return rows_list(s, &how, line_arg(l, 0));
}

/* ---- grant --------------------------------------------------------------- */

struct granting {
	struct session *s;
	struct arena a;
	struct records policies;
	struct change change;
};

/* Is there such a policy of scope user?  @param near  if not */
static bool is_policy(const struct granting *g, const char *name,
		      struct name_near *near)
{
	name_near_init(near, span_str(name));
	for (size_t i = 0; i < g->policies.count; i++) {
		const Fed__PolicyRecord *p = g->policies.items[i]->policy;

		if (p->scope != FED__POLICY_SCOPE__USER)
			continue;
		if (strcmp(p->name, name) == 0)
			return true;
		name_near_try(near, p->name);
	}
	return false;
}

static int put(struct granting *g, const char *user, const char *policy)
{
	Fed__Record *r = NULL;
	int status = change_new(g->s, &g->a, FED__RECORD__KIND_GRANT, user, &r);

	if (status != STATUS_DONE)
		return status;
	r->grant->policy = text_lent(policy);
	return change_put(&g->change, r) == 0 ? STATUS_DONE
					      : change_no_memory(g->s);
}

static int grant_one(struct granting *g, const struct line *l)
{
	const char *policy = line_arg(l, 1);
	const char *user = NULL;
	struct name_near near;
	int status = users_one(g->s, &g->a, line_arg(l, 0), &user);

	if (status != STATUS_DONE)
		return status;
	if (is_policy(g, policy, &near))
		return put(g, user, policy);
	return session_usage(
		g->s, "there is no policy user \"%s\"%s", policy,
		near.best != NULL
			? name_near_hint(&near).text
			: "; \"policy list\" shows them, \"policy set "
			  "user\" makes one");
}

static void check_policy(struct granting *g, struct csv *c, struct csv_row *row)
{
	struct name_near near;

	if (!is_policy(g, row->cells[1], &near))
		csv_complain(c, row, "there is no policy user \"%s\"%s",
			     row->cells[1], name_near_hint(&near).text);
}

static int grant_file(struct granting *g, const char *path)
{
	static const char *const heads[] = {"user", "policy", NULL};
	static const struct csv_form form = {.heads = heads, .due = 2};
	struct csv c;
	int status = csv_read(g->s, &g->a, path, &form, &c);

	if (status == STATUS_DONE)
		status = users_of_csv(g->s, &g->a, &c);
	for (size_t i = 0; status == STATUS_DONE && i < c.count; i++)
		check_policy(g, &c, &c.rows[i]);
	if (status == STATUS_DONE)
		status = csv_verdict(g->s, &c);
	for (size_t i = 0; status == STATUS_DONE && i < c.count; i++)
		status = put(g, c.rows[i].cells[0], c.rows[i].cells[1]);
	if (status == STATUS_DONE && c.count == 0)
		status = session_fail(g->s, STATUS_USAGE, "%s: no user in it",
				      c.path);
	return status;
}

/* "grant lst" */
static int complain_word(struct session *s, const struct line *l)
{
	const struct command *near =
		command_near(l->words, l->word_count, l->name_count + 1);

	if (near != NULL)
		return session_usage(s,
				     "\"%s\" is no user; did you mean \"%s\"?",
				     line_arg(l, 0), near->name);
	return session_usage(s,
			     "\"%s\" is no user, and a POLICY is missing, "
			     "as in: fedctl %s",
			     line_arg(l, 0), l->command->example);
}

static int check_words(struct session *s, const struct line *l)
{
	bool has_file = line_has(l, "csv");
	size_t count = line_arg_count(l);

	if (has_file && count > 0)
		return session_usage(
			s,
			"with --csv the users and policies stand in the "
			"file: \"%s\" is one word too many",
			line_arg(l, 0));
	if (!has_file && count == 1 && !name_is_user(line_arg(l, 0)))
		return complain_word(s, l);
	if (!has_file && count < 2)
		return session_usage(s, "%s is missing, as in: fedctl %s",
				     count == 0 ? "USER" : "POLICY",
				     l->command->example);
	return STATUS_DONE;
}

static int grant(struct session *s, const struct line *l)
{
	const char *path = line_option(l, "csv");
	struct granting g = {.s = s};
	int status = check_words(s, l);

	if (status != STATUS_DONE)
		return status;
	arena_init(&g.a, CHANGE_ARENA_BYTES);
	status = records_get(s, &g.a, FED__ADMIN_FEDERATION_GET__KIND__POLICY,
			     "", &g.policies);
	/* whoever takes the policy away meanwhile is told of these grants */
	change_init(&g.change, &g.a, 0);
	if (status == STATUS_DONE)
		status = path != NULL ? grant_file(&g, path) : grant_one(&g, l);
	if (status == STATUS_DONE)
		status = change_send(s, &g.change);
	arena_deinit(&g.a);
	return status;
}

/* ---- revoke -------------------------------------------------------------- */

static int take_back(struct granting *g, const char *typed,
		     const struct records *all)
{
	const char *user = NULL;
	struct name_near near;
	Fed__Record *r;
	int status = users_one(g->s, &g->a, typed, &user);

	if (status != STATUS_DONE)
		return status;
	r = records_find(all, user);
	if (r != NULL)
		return change_remove(&g->change, r) == 0
			       ? STATUS_DONE
			       : change_no_memory(g->s);
	name_near_init(&near, span_str(user));
	for (size_t i = 0; i < all->count; i++)
		name_near_try(&near, all->items[i]->grant->user);
	return session_usage(g->s, "%s has no policy of his own%s", user,
			     name_near_hint(&near).text);
}

static int revoke(struct session *s, const struct line *l)
{
	struct granting g = {.s = s};
	struct records all;
	int status;

	arena_init(&g.a, CHANGE_ARENA_BYTES);
	status = records_get(s, &g.a, FED__ADMIN_FEDERATION_GET__KIND__GRANT,
			     "", &all);
	change_init(&g.change, &g.a, all.revision);
	for (size_t i = 0; status == STATUS_DONE && i < line_arg_count(l); i++)
		status = take_back(&g, line_arg(l, i), &all);
	if (status == STATUS_DONE)
		status = change_send(s, &g.change);
	arena_deinit(&g.a);
	return status;
}

/* ---- table --------------------------------------------------------------- */

static const struct command_arg grant_args[] = {
	{.name = "USER",
	 .count = COMMAND_MAYBE,
	 .help = "romeo@sip.example, or his sip: URI"},
	{.name = "POLICY",
	 .count = COMMAND_MAYBE,
	 .help = "name of one of scope user"},
	{.name = NULL},
};

static const struct command_arg pattern[] = {
	{.name = "PATTERN",
	 .count = COMMAND_MAYBE,
	 .help = "of the user, with * and ?; in quotes, for the shell"},
	{.name = NULL},
};

static const struct command_arg users[] = {
	{.name = "USER",
	 .count = COMMAND_SOME,
	 .help = "romeo@sip.example, or his sip: URI"},
	{.name = NULL},
};

static const struct command_option grant_options[] = {
	{.name = "csv",
	 .value = "FILE",
	 .help = "lines of user,policy instead; - is stdin"},
	CHANGE_DRY_RUN,
	{.name = NULL},
};

static const struct command_option list_options[] = {
	{.name = "policy", .value = "POLICY", .help = "only those who have it"},
	{.name = NULL},
};

static const struct command_option only_dry_run[] = {
	CHANGE_DRY_RUN,
	{.name = NULL},
};

const struct command commands_grant[] = {
	{.name = "grant",
	 .args = grant_args,
	 .options = grant_options,
	 .summary = "a user gets a policy",
	 .more = "It goes before that of his site and the global one. A user "
		 "has one: a grant takes the place of an older one.\nA file is "
		 "taken whole or not at all; its wrong lines are named. A "
		 "first line user,policy, empty lines and those that begin "
		 "with # are left out.",
	 .example = "grant romeo@sip.example sales",
	 .where = COMMAND_GATEWAY,
	 .run = grant},
	{.name = "grant list",
	 .args = pattern,
	 .options = list_options,
	 .summary = "which users have a policy of their own",
	 .more = "Users who are not in it have the policy of their site, or "
		 "the global one.",
	 .example = "grant list *@sip.example --policy sales",
	 .where = COMMAND_GATEWAY,
	 .run = list},
	{.name = "revoke",
	 .args = users,
	 .options = only_dry_run,
	 .summary = "take a user's policy back",
	 .more = "That of the site counts for them again, or the global one.",
	 .example = "revoke romeo@sip.example",
	 .where = COMMAND_GATEWAY,
	 .run = revoke},
	{.name = NULL},
};
