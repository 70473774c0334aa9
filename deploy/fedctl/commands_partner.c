/* partner ..., deny ...: with which domains users may talk. */
#include <string.h>

#include "chan/federation_form.h"
#include "deploy/fedctl/change.h"
#include "deploy/fedctl/command.h"
#include "deploy/fedctl/name.h"
#include "deploy/fedctl/rows.h"

/* ---- lists --------------------------------------------------------------- */

static void partner_heads(struct table *t)
{
	table_column(t, "<DOMAIN");
	table_column(t, "<TYPE");
	table_column(t, "<STATE");
	table_column(t, "<TLS");
	table_column(t, "<SASL");
	table_column(t, "<DIALBACK");
}

static void partner_cells(struct table *t, const Fed__Record *r)
{
	const Fed__PartnerRecord *p = r->partner;

	if (p->n_additional > 0)
		table_cell(t, "%s +%zu", p->domain, p->n_additional);
	else
		table_cell(t, "%s", p->domain);
	table_cell(t, "%s",
		   federation_word(federation_type_words, (int)p->type));
	table_cell(t, "%s",
		   federation_word(federation_state_words, (int)p->state));
	table_cell(t, "%s",
		   federation_word(federation_need_words, (int)p->tls));
	table_cell(t, "%s",
		   federation_word(federation_need_words, (int)p->sasl));
	table_cell(t, "%s", p->dialback ? "on" : "off");
}

static bool is_word(const struct line *l, const char *option,
		    const char *const *words, int value)
{
	const char *wanted = line_option(l, option);

	return wanted == NULL ||
	       strcmp(wanted, federation_word(words, value)) == 0;
}

static bool wants_partner(const struct line *l, const Fed__Record *r)
{
	const Fed__PartnerRecord *p = r->partner;

	return is_word(l, "type", federation_type_words, (int)p->type) &&
	       is_word(l, "state", federation_state_words, (int)p->state);
}

static void denied_heads(struct table *t)
{
	table_column(t, "<DOMAIN");
	table_column(t, "<DESCRIPTION");
}

static void denied_cells(struct table *t, const Fed__Record *r)
{
	table_cell(t, "%s", r->denied->domain);
	table_cell(t, "%s", r->denied->description);
}

static int list_partners(struct session *s, const struct line *l)
{
	static const struct rows how = {FED__RECORD__KIND_PARTNER, "no partner",
					partner_heads, partner_cells,
					wants_partner};

	return rows_list(s, &how, line_arg(l, 0));
}

static int list_denied(struct session *s, const struct line *l)
{
	static const struct rows how = {FED__RECORD__KIND_DENIED,
					"no domain is denied", denied_heads,
					denied_cells, NULL};

	return rows_list(s, &how, line_arg(l, 0));
}

/* ---- one of them --------------------------------------------------------- */

/* A command about one domain of a kind: its record is found, or must not be
 * there yet. */
struct domain_command {
	Fed__Record__KindCase kind;
	bool is_new;
	int (*run)(struct session *s, struct arena *a,
		   const struct records *all, Fed__Record *r);
};

static int need_none(struct session *s, struct arena *a,
		     const struct record_kind *k, const char *domain,
		     struct records *all_out)
{
	int status = records_get(s, a, k->get, domain, all_out);

	if (status != STATUS_DONE)
		return status;
	if (records_find(all_out, domain) != NULL)
		return session_usage(s, "%s is there already%s", domain,
				     k->kind == FED__RECORD__KIND_PARTNER
					     ? "; \"partner set\" changes it"
					     : "");
	return STATUS_DONE;
}

static int with_domain(struct session *s, const struct line *l,
		       const struct domain_command *c)
{
	const struct record_kind *k = record_kind(c->kind);
	struct records all = {.items = NULL};
	Fed__Record *r = NULL;
	const char *domain;
	struct arena a;
	int status;

	arena_init(&a, CHANGE_ARENA_BYTES);
	domain = name_domain(&a, line_arg(l, 0));
	if (domain == NULL) {
		status = change_no_memory(s);
	} else if (c->is_new) {
		status = need_none(s, &a, k, domain, &all);
		if (status == STATUS_DONE)
			status = change_new(s, &a, c->kind, domain, &r);
	} else {
		status = records_need(s, &a, k, domain, &all, &r);
	}
	if (status == STATUS_DONE)
		status = c->run(s, &a, &all, r);
	arena_deinit(&a);
	return status;
}

static int put(struct session *s, struct arena *a, const struct records *all,
	       Fed__Record *r)
{
	struct change c;

	change_init(&c, a, all->revision);
	if (change_put(&c, r) != 0)
		return change_no_memory(s);
	return change_send(s, &c);
}

static int show(struct session *s, struct arena *a, const struct records *all,
		Fed__Record *r)
{
	(void)a;
	(void)all;
	return rows_show(s, record_kind(r->kind_case), r);
}

static int add(struct session *s, struct arena *a, const struct records *all,
	       Fed__Record *r)
{
	size_t set;
	int status = change_fields(s, a, r, &set);

	if (r->kind_case == FED__RECORD__KIND_PARTNER &&
	    line_has(s->line, "disabled"))
		r->partner->state = FED__PARTNER_STATE__DISABLED;
	return status == STATUS_DONE ? put(s, a, all, r) : status;
}

static int set(struct session *s, struct arena *a, const struct records *all,
	       Fed__Record *r)
{
	size_t count;
	int status = change_fields(s, a, r, &count);

	if (status != STATUS_DONE)
		return status;
	if (line_has(s->line, "disabled")) {
		r->partner->state = FED__PARTNER_STATE__DISABLED;
		count++;
	}
	if (count == 0)
		return session_usage(s,
				     "nothing is to be set; as in: fedctl %s",
				     s->line->command->example);
	return put(s, a, all, r);
}

static int drop(struct session *s, struct arena *a, const struct records *all,
		Fed__Record *r)
{
	struct change c;

	change_init(&c, a, all->revision);
	if (change_remove(&c, r) != 0)
		return change_no_memory(s);
	return change_send(s, &c);
}

static int enable(struct session *s, struct arena *a, const struct records *all,
		  Fed__Record *r)
{
	/* users on the old side would lose it: there somebody looks */
	if (r->partner->state == FED__PARTNER_STATE__LEGACY)
		return session_fail(s, STATUS_FAILED,
				    "%s is the old gateway's: fedctl migrate "
				    "enable \"%s\"",
				    r->partner->domain, r->partner->domain);
	r->partner->state = FED__PARTNER_STATE__ENABLED;
	return put(s, a, all, r);
}

static int disable(struct session *s, struct arena *a,
		   const struct records *all, Fed__Record *r)
{
	r->partner->state = FED__PARTNER_STATE__DISABLED;
	return put(s, a, all, r);
}

#define DOMAIN_COMMAND(name, upper, is_new, function)                 \
	static int name(struct session *s, const struct line *l)      \
	{                                                             \
		static const struct domain_command c = {              \
			FED__RECORD__KIND_##upper, is_new, function}; \
                                                                      \
		return with_domain(s, l, &c);                         \
	}

DOMAIN_COMMAND(show_partner, PARTNER, false, show)
DOMAIN_COMMAND(add_partner, PARTNER, true, add)
DOMAIN_COMMAND(set_partner, PARTNER, false, set)
DOMAIN_COMMAND(remove_partner, PARTNER, false, drop)
DOMAIN_COMMAND(enable_partner, PARTNER, false, enable)
DOMAIN_COMMAND(disable_partner, PARTNER, false, disable)
DOMAIN_COMMAND(add_denied, DENIED, true, add)
DOMAIN_COMMAND(remove_denied, DENIED, false, drop)

/* ---- tables -------------------------------------------------------------- */

static const struct command_arg pattern[] = {
	{.name = "PATTERN",
	 .count = COMMAND_MAYBE,
	 .help = "of the domain, with * and ?; in quotes, for the shell"},
	{.name = NULL},
};

static const struct command_arg domain[] = {
	{.name = "DOMAIN", .help = "the main one, fabrikam.example"},
	{.name = NULL},
};

static const struct command_arg denied_domain[] = {
	{.name = "DOMAIN",
	 .help = "fabrikam.example, or all below: *.fabrikam.example"},
	{.name = NULL},
};

static const struct command_option list_options[] = {
	{.name = "type",
	 .value = "TYPE",
	 .words = federation_type_words,
	 .help = "only those of that type"},
	{.name = "state",
	 .value = "STATE",
	 .words = federation_state_words,
	 .help = "only those that are enabled, disabled or legacy"},
	{.name = NULL},
};

#define PARTNER_OPTIONS                                                      \
	{.name = "description", .value = "TEXT", .help = "for people"},      \
		{.name = "type",                                             \
		 .value = "TYPE",                                            \
		 .words = federation_type_words,                             \
		 .help = "federated, public-verified or public-unverified"}, \
		{.name = "tls",                                              \
		 .value = "NEED",                                            \
		 .words = federation_need_words,                             \
		 .help = "required, optional or not-supported"},             \
		{.name = "sasl",                                             \
		 .value = "NEED",                                            \
		 .words = federation_need_words,                             \
		 .help = "EXTERNAL, by certificate: as --tls"},              \
		{.name = "dialback",                                         \
		 .value = "on|off",                                          \
		 .words = record_off_on,                                     \
		 .help = "server dialback"},                                 \
		{.name = "keep-alive",                                       \
		 .value = "on|off",                                          \
		 .words = record_off_on,                                     \
		 .help = "it sends signs of life"},                          \
		{.name = "connection-limit",                                 \
		 .value = "N",                                               \
		 .kind = COMMAND_NUMBER,                                     \
		 .help = "streams; 0: partner_connection_limit of the "      \
			 "settings"},                                        \
		{.name = "proxy-host",                                       \
		 .value = "HOST[:PORT]",                                     \
		 .help = "where it is, instead of its SRV records"},         \
		{.name = "stanzas-per-second",                               \
		 .value = "N",                                               \
		 .kind = COMMAND_NUMBER,                                     \
		 .help = "taken from it; 0: no limit"},                      \
		{.name = "bytes-per-second",                                 \
		 .value = "N",                                               \
		 .kind = COMMAND_NUMBER,                                     \
		 .help = "the same"},                                        \
	{                                                                    \
		.name = "disabled", .help = "nobody may talk with it yet"    \
	}

static const struct command_option add_options[] = {
	{.name = "additional",
	 .value = "DOMAIN",
	 .repeats = true,
	 .help = "another domain of it, also *.DOMAIN; several: between "
		 "commas, or the option again"},
	PARTNER_OPTIONS,
	CHANGE_DRY_RUN,
	{.name = NULL},
};

static const struct command_option set_options[] = {
	{.name = "additional",
	 .value = "DOMAIN",
	 .repeats = true,
	 .help = "+DOMAIN one more, -DOMAIN one less, DOMAIN,DOMAIN those and "
		 "no other; \"\": none"},
	PARTNER_OPTIONS,
	CHANGE_DRY_RUN,
	{.name = NULL},
};

static const struct command_option only_dry_run[] = {
	CHANGE_DRY_RUN,
	{.name = NULL},
};

static const struct command_option deny_options[] = {
	{.name = "description", .value = "TEXT", .help = "for people"},
	CHANGE_DRY_RUN,
	{.name = NULL},
};

#define MATRIX                                                             \
	"Five combinations of tls, sasl and dialback are refused because " \
	"nothing could authenticate; the doubtful ones are warned of."

const struct command commands_partner[] = {
	{.name = "partner list",
	 .args = pattern,
	 .options = list_options,
	 .summary = "the partners",
	 .more = "+2 behind a domain: it has two additional ones, see "
		 "\"partner show\".",
	 .example = "partner list *.example --type federated",
	 .where = COMMAND_GATEWAY,
	 .run = list_partners},
	{.name = "partner show",
	 .args = domain,
	 .summary = "a partner, with everything",
	 .more = "\"explain\" tells what a message to or from it would meet.",
	 .example = "partner show fabrikam.example",
	 .where = COMMAND_GATEWAY,
	 .run = show_partner},
	{.name = "partner add",
	 .args = domain,
	 .options = add_options,
	 .summary = "another partner",
	 .more = "Unless said otherwise: type public-unverified, tls and sasl "
		 "required, dialback and keep-alive on.\n" MATRIX
		 "\nThe domain * with settings mode open: what counts "
		 "for all that are no partner.",
	 .example = "partner add fabrikam.example --type federated",
	 .where = COMMAND_GATEWAY,
	 .run = add_partner},
	{.name = "partner set",
	 .args = domain,
	 .options = set_options,
	 .summary = "change a partner",
	 .more = MATRIX "\nStreams that are no longer allowed are closed at "
			"once. What is not named stays.",
	 .example = "partner set fabrikam.example --additional +im.example",
	 .where = COMMAND_GATEWAY,
	 .run = set_partner},
	{.name = "partner remove",
	 .args = domain,
	 .options = only_dry_run,
	 .summary = "remove a partner",
	 .more = "Its streams are closed at once.",
	 .example = "partner remove fabrikam.example",
	 .where = COMMAND_GATEWAY,
	 .run = remove_partner},
	{.name = "partner enable",
	 .args = domain,
	 .options = only_dry_run,
	 .summary = "let users talk with a partner",
	 .more = "Refused for one that the old gateway still serves: \"migrate "
		 "enable\" looks first who would lose it.",
	 .example = "partner enable fabrikam.example",
	 .where = COMMAND_GATEWAY,
	 .run = enable_partner},
	{.name = "partner disable",
	 .args = domain,
	 .options = only_dry_run,
	 .summary = "keep it, but nobody may talk",
	 .more = "Its streams are closed at once; everything that is said of "
		 "it is kept.",
	 .example = "partner disable fabrikam.example",
	 .where = COMMAND_GATEWAY,
	 .run = disable_partner},
	{.name = "deny list",
	 .args = pattern,
	 .summary = "domains that are no partner in open mode",
	 .more = "They matter in settings mode open only; a partner of such a "
		 "name is one all the same.",
	 .example = "deny list",
	 .where = COMMAND_GATEWAY,
	 .run = list_denied},
	{.name = "deny add",
	 .args = denied_domain,
	 .options = deny_options,
	 .summary = "deny a domain",
	 .more = "Its streams are closed at once.",
	 .example = "deny add *.spam.example",
	 .where = COMMAND_GATEWAY,
	 .run = add_denied},
	{.name = "deny remove",
	 .args = denied_domain,
	 .options = only_dry_run,
	 .summary = "do not deny a domain any more",
	 .more = "Where the settings say mode open it is welcome again.",
	 .example = "deny remove *.spam.example",
	 .where = COMMAND_GATEWAY,
	 .run = remove_denied},
	{.name = NULL},
};
