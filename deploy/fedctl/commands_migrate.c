/* migrate ...: from an old gateway to this pair. */
#include "chan/federation_form.h"
#include "deploy/fedctl/command.h"
#include "deploy/fedctl/migrate_ask.h"

static const struct command_arg partners_file[] = {
	{.name = "FILE",
	 .help = "configuration file of the old gateway (XML), or a table "
		 "domain,method[,description]; - is stdin"},
	{.name = NULL},
};

static const struct command_option import_options[] = {
	{.name = "type",
	 .value = "TYPE",
	 .words = federation_type_words,
	 .help = "of the partners; federated, as they were"},
	{.name = "dry-run", .help = "change nothing"},
	{.name = NULL},
};

static const struct command_arg users_file[] = {
	{.name = "FILE",
	 .count = COMMAND_MAYBE,
	 .help = "table USER[,moved|legacy]; - is stdin"},
	{.name = NULL},
};

static const struct command_option users_options[] = {
	{.name = "ask",
	 .help = "ask the SIP side with OPTIONS, instead of the table's second "
		 "column: 404 has not moved"},
	{.name = "dry-run", .help = "change nothing"},
	{.name = NULL},
};

static const struct command_arg domain[] = {
	{.name = "DOMAIN"},
	{.name = NULL},
};

static const struct command_arg maybe_domain[] = {
	{.name = "DOMAIN", .count = COMMAND_MAYBE},
	{.name = NULL},
};

static const struct command_option force[] = {
	{.name = "force", .help = "whatever stands in the way"},
	{.name = NULL},
};

const struct command commands_migrate[] = {
	{.name = "migrate import",
	 .args = partners_file,
	 .options = import_options,
	 .summary = "take over the partners of the old one",
	 .more = "They become partners with state legacy: what SIP users write "
		 "to them goes to the old gateway until \"migrate enable\". "
		 "Each line of the file that says something is shown with what "
		 "was understood; a ? marks what was not, or not fully. A "
		 "partner that is enabled or disabled already stays as it is.",
	 .example = "migrate import TGWConsoleGUI.dll.config --dry-run",
	 .where = COMMAND_GATEWAY,
	 .run = migrate_run_import},
	{.name = "migrate users",
	 .args = users_file,
	 .options = users_options,
	 .summary = "say which users have moved",
	 .more = "Who is still on the old side loses a partner that is enabled "
		 "here, so \"migrate enable\" waits for him. With --ask and "
		 "without FILE all users that are known are asked for again.",
	 .example = "migrate users --ask",
	 .where = COMMAND_GATEWAY,
	 .run = migrate_run_users},
	{.name = "migrate plan",
	 .summary = "the six steps, and how far each is",
	 .more = "Pool, edges, users, policies and certificates, federation, "
		 "DNS: each is measured now. The last line says what to do "
		 "next.",
	 .example = "migrate plan",
	 .where = COMMAND_GATEWAY,
	 .run = migrate_run_plan},
	{.name = "migrate status",
	 .args = maybe_domain,
	 .summary = "whose each partner is, since when, by whom",
	 .more = "legacy: the old gateway's; enabled: ours.",
	 .example = "migrate status",
	 .where = COMMAND_GATEWAY,
	 .run = migrate_run_status},
	{.name = "migrate enable",
	 .args = domain,
	 .options = force,
	 .summary = "a partner is ours from now on",
	 .more = "Refused while users are on the old side, who are named, or "
		 "nobody said which have moved, while a step of the plan but "
		 "DNS is bad, and while a certificate is.",
	 .example = "migrate enable fabrikam.example",
	 .where = COMMAND_GATEWAY,
	 .run = migrate_run_enable},
	{.name = "migrate rollback",
	 .args = domain,
	 .options = force,
	 .summary = "a partner is the old one's again",
	 .more = "Refused when no old gateway is set, if not forced.",
	 .example = "migrate rollback fabrikam.example",
	 .where = COMMAND_GATEWAY,
	 .run = migrate_run_rollback},
	{.name = "migrate verify",
	 .args = maybe_domain,
	 .summary = "is the migration done?",
	 .more = "Nothing is left at the old gateway, nobody has lost "
		 "anything, edges have it all, certificates and DNS are right, "
		 "and a "
		 "stream with each partner can be negotiated. Exit status 1 "
		 "when something is bad.",
	 .example = "migrate verify fabrikam.example",
	 .where = COMMAND_GATEWAY,
	 .run = migrate_run_verify},
	{.name = NULL},
};
