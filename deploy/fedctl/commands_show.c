/* show ..., log: what a daemon does. */
#include "deploy/fedctl/command.h"

#define SHOW(name, what)                                                   \
	static const char *ask_##name(struct ask *a, const struct line *l) \
	{                                                                  \
		(void)l;                                                   \
		return ask_show(a, FED__ADMIN_SHOW__WHAT__##what);         \
	}

SHOW(version, VERSION)
SHOW(counters, COUNTERS)
SHOW(channels, CHANNELS)
SHOW(streams, STREAMS)
SHOW(queues, QUEUES)

static const char *ask_level(struct ask *a, const struct line *l)
{
	return ask_log_level(a, line_arg(l, 0));
}

static const char *const levels[] = {"error", "warn", "info", "debug", NULL};

static const struct command_arg level[] = {
	{.name = "LEVEL", .words = levels},
	{.name = NULL},
};

const struct command commands_show[] = {
	{.name = "show version",
	 .summary = "program, version, instance, age",
	 .more = "The channel's version is that of the protocol between edge "
		 "and gateway.",
	 .example = "show version",
	 .ask = ask_version,
	 .text = &show_version_text,
	 .json = &show_version_json},
	{.name = "show counters",
	 .summary = "what happened since the start",
	 .more = "Counters only rise; a restart sets them to 0.",
	 .example = "show counters",
	 .ask = ask_counters,
	 .text = &show_counters_text,
	 .json = &show_counters_json},
	{.name = "show channels",
	 .summary = "channels between edges and gateways",
	 .more = "SENT counts stanzas sent that have no outcome yet, OWED "
		 "those "
		 "received.\nA state other than open is no connection; drain: "
		 "the peer is stopping.",
	 .example = "show channels",
	 .ask = ask_channels,
	 .text = &show_channels_text,
	 .json = &show_channels_json},
	{.name = "show streams",
	 .summary = "XMPP streams of an edge",
	 .more = "Both directions, those being made too. IN and OUT count "
		 "stanzas. --json has the addresses and the cipher suites "
		 "too.",
	 .example = "show streams",
	 .where = COMMAND_EDGE,
	 .ask = ask_streams,
	 .text = &show_streams_text,
	 .json = &show_streams_json},
	{.name = "show queues",
	 .summary = "what waits at an edge for a domain",
	 .more = "A queue that is not empty for long is a domain that cannot "
		 "be reached.",
	 .example = "show queues",
	 .where = COMMAND_EDGE,
	 .ask = ask_queues,
	 .text = &show_queues_text,
	 .json = &show_queues_json},
	{.name = "log",
	 .args = level,
	 .summary = "set what is logged: error, warn, info, debug",
	 .more = "Until the next start; the level of the host file comes back "
		 "then.",
	 .example = "log debug",
	 .ask = ask_level,
	 .text = &show_log_level_text,
	 .json = &show_log_level_json},
	{.name = NULL},
};
