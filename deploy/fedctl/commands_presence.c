/* presence ...: who watches whom. */
#include "deploy/fedctl/command.h"

static const char *ask_watches(struct ask *a, const struct line *l)
{
	return ask_presence(a, FED__ADMIN_PRESENCE__WHAT__SHOW, line_arg(l, 0));
}

static const char *ask_differences(struct ask *a, const struct line *l)
{
	return ask_presence(a, FED__ADMIN_PRESENCE__WHAT__DIFF, line_arg(l, 0));
}

static const char *ask_repair(struct ask *a, const struct line *l)
{
	return ask_presence(a, FED__ADMIN_PRESENCE__WHAT__REPAIR,
			    line_arg(l, 0));
}

static const struct command_arg user[] = {
	{.name = "USER",
	 .help = "bare JID or sip: URI of either side, or a domain"},
	{.name = NULL},
};

static const struct command_arg user_or_domain[] = {
	{.name = "USER|DOMAIN"},
	{.name = NULL},
};

const struct command commands_presence[] = {
	{.name = "presence show",
	 .args = user,
	 .summary = "who watches a user, and whom he watches",
	 .more = "Each watch is one direction of one pair: whether it is "
		 "allowed, the SIP dialogs, what the gateway believes of the "
		 "one who is watched, what the watcher was last told, and "
		 "what is due. --full prints the last documents too.",
	 .example = "presence show juliet@xmpp.example",
	 .where = COMMAND_GATEWAY,
	 .ask = ask_watches,
	 .text = &show_watches_text,
	 .json = &show_watches_json},
	{.name = "presence diff",
	 .args = user,
	 .summary = "where watchers were told something else",
	 .more = "Only resources that differ are shown: - is what the watcher "
		 "was last told, + what the gateway believes. A difference "
		 "that stays needs \"presence repair\".",
	 .example = "presence diff juliet@xmpp.example",
	 .where = COMMAND_GATEWAY,
	 .ask = ask_differences,
	 .text = &show_differences_text,
	 .json = &show_differences_json},
	{.name = "presence repair",
	 .args = user_or_domain,
	 .summary = "ask and tell everything anew",
	 .more = "Subscribes and probes again for all watches of the user or "
		 "domain, as fast as presence.repair_rate allows, and tells "
		 "the watchers what comes back.",
	 .example = "presence repair xmpp.example",
	 .where = COMMAND_GATEWAY,
	 .ask = ask_repair,
	 .text = &show_repaired_text,
	 .json = &show_repaired_json},
	{.name = NULL},
};
