/* settings ...: what counts for all partners and users. */
#include <string.h>

#include "deploy/fedctl/change.h"
#include "deploy/fedctl/command.h"
#include "deploy/fedctl/load.h"
#include "deploy/fedctl/name.h"
#include "deploy/fedctl/rows.h"

static const struct record_kind *kind(void)
{
	return record_kind(FED__RECORD__KIND_SETTINGS);
}

/* Those in force; the defaults where nothing is configured. */
static int get(struct session *s, struct arena *a, bool with_secret,
	       struct records *all, Fed__Record **out)
{
	const Fed__AdminFederationGet__Kind settings =
		FED__ADMIN_FEDERATION_GET__KIND__SETTINGS;
	int status = with_secret ? records_get_secret(s, a, settings, all)
				 : records_get(s, a, settings, "", all);

	if (status != STATUS_DONE)
		return status;
	*out = all->count > 0 ? all->items[0]
			      : record_new(a, FED__RECORD__KIND_SETTINGS);
	return *out != NULL ? STATUS_DONE : change_no_memory(s);
}

static int show(struct session *s, const struct line *l)
{
	struct records all;
	Fed__Record *r = NULL;
	struct arena a;
	int status;

	(void)l;
	arena_init(&a, CHANGE_ARENA_BYTES);
	/* to say whether there is one, not to show it */
	status = get(s, &a, true, &all, &r);
	if (status == STATUS_DONE)
		status = rows_show(s, kind(), r);
	arena_deinit(&a);
	return status;
}

/* ---- set ----------------------------------------------------------------- */

static int complain_name(struct session *s, const char *name)
{
	struct name_near near;

	name_near_init(&near, span_str(name));
	for (const struct field *f = kind()->fields; f->name != NULL; f++)
		name_near_try(&near, f->name);
	return session_usage(s, "\"%s\" is no setting%s", name,
			     near.best != NULL
				     ? name_near_hint(&near).text
				     : "; \"settings show\" lists them");
}

/* "keep-alive-interval" is what the partner's options look like. */
static const struct field *find(struct arena *a, const char *typed)
{
	char *name = arena_dup(a, span_str(typed));

	if (name == NULL)
		return NULL;
	for (char *p = name; *p != '\0'; p++)
		if (*p == '-')
			*p = '_';
	return field_find(kind(), span_str(name));
}

/* A secret may come from stdin: words of a command line are seen by others. */
static int take_secret(struct session *s, struct arena *a, const char **value)
{
	struct span text = SPAN_NULL;
	int status;

	if (strcmp(*value, "-") != 0)
		return STATUS_DONE;
	status = load_file(s, a, "-", &text);
	if (status != STATUS_DONE)
		return status;
	*value = arena_dup(a, span_trim(text));
	return *value != NULL ? STATUS_DONE : change_no_memory(s);
}

static int set_one(struct session *s, struct arena *a, Fed__Record *r,
		   const char *name, const char *value)
{
	const struct field *f = find(a, name);
	const char *values[] = {value, NULL};
	struct errbuf e = {.text = ""};
	int err;

	if (f == NULL)
		return complain_name(s, name);
	if (f->type == FIELD_SECRET) {
		int status = take_secret(s, a, &values[0]);

		if (status != STATUS_DONE)
			return status;
		if (values[0][0] == '\0')
			return session_usage(
				s,
				"%s: it can be replaced by another "
				"one, not taken away",
				f->name);
	}
	err = field_set(a, f, r, values, &e);
	if (err == FED_EINVAL)
		return session_usage(s, "%s: %s", f->name, e.text);
	return err == 0 ? STATUS_DONE : change_no_memory(s);
}

/* The line for the history: the secret is nobody's business. */
static char *what_of(struct arena *a, const struct line *l)
{
	char *what = arena_dup(a, SPAN_LIT("settings set"));

	for (size_t i = 0; what != NULL && i + 1 < line_arg_count(l); i += 2) {
		const struct field *f = find(a, line_arg(l, i));
		bool is_secret = f != NULL && f->type == FIELD_SECRET;

		what = arena_printf(a, "%s %s %s", what, line_arg(l, i),
				    is_secret ? "***" : line_arg(l, i + 1));
	}
	return what;
}

static int set(struct session *s, const struct line *l)
{
	struct records all;
	Fed__Record *r = NULL;
	struct change c;
	struct arena a;
	int status;

	if (line_arg_count(l) % 2 != 0)
		return session_usage(s, "the VALUE of %s is missing",
				     line_arg(l, line_arg_count(l) - 1));
	arena_init(&a, CHANGE_ARENA_BYTES);
	status = get(s, &a, false, &all, &r);
	change_init(&c, &a, all.revision);
	for (size_t i = 0; status == STATUS_DONE && i < line_arg_count(l);
	     i += 2)
		status = set_one(s, &a, r, line_arg(l, i), line_arg(l, i + 1));
	c.what = what_of(&a, l);
	if (status == STATUS_DONE && (c.what == NULL || change_put(&c, r) != 0))
		status = change_no_memory(s);
	if (status == STATUS_DONE)
		status = change_send(s, &c);
	arena_deinit(&a);
	return status;
}

/* ---- table --------------------------------------------------------------- */

static const struct command_arg pairs[] = {
	{.name = "NAME", .help = "one of those that \"settings show\" lists"},
	{.name = "VALUE",
	 .count = COMMAND_SOME,
	 .help = "on or off, closed or open (mode), a number (seconds, "
		 "connections), a text; more names and values may follow"},
	{.name = NULL},
};

static const struct command_option only_dry_run[] = {
	CHANGE_DRY_RUN,
	{.name = NULL},
};

const struct command commands_settings[] = {
	{.name = "settings show",
	 .summary = "what counts for all partners and users",
	 .more = "Intervals and timeouts are in seconds. The dialback secret "
		 "is "
		 "never shown.",
	 .example = "settings show",
	 .where = COMMAND_GATEWAY,
	 .run = show},
	{.name = "settings set",
	 .args = pairs,
	 .options = only_dry_run,
	 .summary = "change settings",
	 .more = "federation on is the switch of the deployment: while it is "
		 "off nobody talks with anybody. mode open lets domains in "
		 "that "
		 "are no partner, but those denied.\nThe value - of "
		 "dialback_secret is read from stdin: words of a command line "
		 "are seen by others on the host.",
	 .example = "settings set federation on mode closed",
	 .where = COMMAND_GATEWAY,
	 .run = set},
	{.name = NULL},
};
