/* The table of commands, and how words are found in it. */
#include "deploy/fedctl/command.h"

#include <string.h>

#include "base/slip.h"
#include "deploy/fedctl/text.h"

/* ---- what they ask ------------------------------------------------------- */

#define SHOW(name, what)                                              \
	static const char *ask_##name(struct ask *a, const char *arg) \
	{                                                             \
		(void)arg;                                            \
		return ask_show(a, FED__ADMIN_SHOW__WHAT__##what);    \
	}

SHOW(version, VERSION)
SHOW(counters, COUNTERS)
SHOW(channels, CHANNELS)
SHOW(streams, STREAMS)
SHOW(queues, QUEUES)

static const char *ask_watches(struct ask *a, const char *arg)
{
	return ask_presence(a, FED__ADMIN_PRESENCE__WHAT__SHOW, arg);
}

static const char *ask_differences(struct ask *a, const char *arg)
{
	return ask_presence(a, FED__ADMIN_PRESENCE__WHAT__DIFF, arg);
}

static const char *ask_repair(struct ask *a, const char *arg)
{
	return ask_presence(a, FED__ADMIN_PRESENCE__WHAT__REPAIR, arg);
}

/* ---- the table ----------------------------------------------------------- */

const struct command commands[] = {
	{"show version", NULL, "program, version, instance, age",
	 "The channel's version is that of the protocol between edge and "
	 "gateway.",
	 "show version", COMMAND_ANY, ask_version, &show_version_text,
	 &show_version_json},
	{"show counters", NULL, "what happened since the start",
	 "Counters only rise; a restart sets them to 0.", "show counters",
	 COMMAND_ANY, ask_counters, &show_counters_text, &show_counters_json},
	{"show channels", NULL, "the channels between edges and gateways",
	 "SENT counts stanzas sent that have no outcome yet, OWED those "
	 "received.\nA state other than open is no connection; drain: the "
	 "peer is stopping.",
	 "show channels", COMMAND_ANY, ask_channels, &show_channels_text,
	 &show_channels_json},
	{"show streams", NULL, "XMPP streams of an edge",
	 "Both directions, those being made too. IN and OUT count stanzas. "
	 "--json has\nthe addresses and the cipher suites too.",
	 "show streams", COMMAND_EDGE, ask_streams, &show_streams_text,
	 &show_streams_json},
	{"show queues", NULL, "what waits at an edge for a domain",
	 "A queue that is not empty for long is a domain that cannot be "
	 "reached.",
	 "show queues", COMMAND_EDGE, ask_queues, &show_queues_text,
	 &show_queues_json},
	{"log", "LEVEL", "set what is logged: error, warn, info, debug",
	 "Until the next start; the level of the host file comes back then.",
	 "log debug", COMMAND_ANY, ask_log_level, &show_log_level_text,
	 &show_log_level_json},
	{"presence show", "USER", "who watches a user, and whom he watches",
	 "USER is a bare JID or sip: URI of either side, or a domain. Each "
	 "watch is one\ndirection of one pair: whether it is allowed, the SIP "
	 "dialogs, what the gateway\nbelieves of the one who is watched, what "
	 "the watcher was last told, and what is\ndue. --full prints the last "
	 "documents too.",
	 "presence show juliet@xmpp.example", COMMAND_GATEWAY, ask_watches,
	 &show_watches_text, &show_watches_json},
	{"presence diff", "USER", "where watchers were told something else",
	 "USER as for \"presence show\". Only resources that differ are "
	 "shown: - is what\nthe watcher was last told, + what the gateway "
	 "believes. A difference that stays\nneeds \"presence repair\".",
	 "presence diff juliet@xmpp.example", COMMAND_GATEWAY, ask_differences,
	 &show_differences_text, &show_differences_json},
	{"presence repair", "USER|DOMAIN", "ask and tell everything anew",
	 "Subscribes and probes again for all watches of the user or domain, "
	 "as fast as\npresence.repair_rate allows, and tells the watchers what "
	 "comes back.",
	 "presence repair xmpp.example", COMMAND_GATEWAY, ask_repair,
	 &show_repaired_text, &show_repaired_json},
	{.name = NULL},
};

/* ---- finding ------------------------------------------------------------- */

/* How many of the words the name has, if they are its. */
static size_t match(const char *name, const char *const *words, size_t count)
{
	size_t used = 0;

	while (*name != '\0') {
		size_t n = strcspn(name, " ");

		if (used == count ||
		    !span_eq(span_of(name, n), span_str(words[used])))
			return 0;
		used++;
		name += n + (name[n] == ' ' ? 1 : 0);
	}
	return used;
}

const struct command *command_find(const char *const *words, size_t count,
				   size_t *used_out)
{
	for (const struct command *c = commands; c->name != NULL; c++) {
		*used_out = match(c->name, words, count);
		if (*used_out > 0)
			return c;
	}
	return NULL;
}

/* The first words as one: at most two make a name. */
static void join(char *out, size_t size, const char *const *words, size_t count)
{
	(void)snprintf(out, size, "%s%s%s", words[0], count > 1 ? " " : "",
		       count > 1 ? words[1] : "");
}

static const struct command *nearest(const char *const *words, size_t count)
{
	const struct command *best = NULL;
	size_t best_distance = SLIP_NEAR + 1;
	char typed[128];

	for (const struct command *c = commands; c->name != NULL; c++) {
		size_t in_name = strchr(c->name, ' ') != NULL ? 2 : 1;
		size_t d;

		join(typed, sizeof(typed), words,
		     count < in_name ? count : in_name);
		d = slip_distance(span_str(typed), span_str(c->name));
		if (d < best_distance) {
			best_distance = d;
			best = c;
		}
	}
	return best;
}

/* "show" alone: what may stand behind it. */
static bool list_group(FILE *to, const char *word)
{
	size_t n = strlen(word);
	bool is_any = false;

	for (const struct command *c = commands; c->name != NULL; c++) {
		if (strncmp(c->name, word, n) != 0 || c->name[n] != ' ')
			continue;
		if (is_any)
			(void)fputs(", ", to);
		else
			(void)fprintf(to, "; \"%s\" goes on with ", word);
		(void)fputs(c->name + n + 1, to);
		is_any = true;
	}
	return is_any;
}

void command_complain(FILE *to, const char *const *words, size_t count)
{
	const struct command *near = nearest(words, count);
	char typed[128];

	join(typed, sizeof(typed), words, count < 2 ? count : 2);
	(void)fputs("fedctl: \"", to);
	text_print(to, span_str(typed), NULL);
	if (near != NULL) {
		(void)fprintf(to,
			      "\" is no command; did you mean \"%s%s%s\"?\n",
			      near->name, near->arg != NULL ? " " : "",
			      near->arg != NULL ? near->arg : "");
		return;
	}
	(void)fputs("\" is no command", to);
	if (!list_group(to, words[0]))
		(void)fputs("; \"fedctl help\" lists them", to);
	(void)fputc('\n', to);
}

/* ---- help ---------------------------------------------------------------- */

void command_help(FILE *to)
{
	(void)fputs("usage: fedctl [OPTION...] COMMAND\n\n", to);
	for (const struct command *c = commands; c->name != NULL; c++)
		(void)fprintf(to, "  %s%s%-*s %s\n", c->name,
			      c->arg != NULL ? " " : "",
			      28 - (int)strlen(c->name) -
				      (c->arg != NULL ? 1 : 0),
			      c->arg != NULL ? c->arg : "", c->summary);
	(void)fputs(
		"  help [COMMAND]               this list, or more about one\n"
		"\n"
		"  --socket PATH   of the daemon; else $FEDCTL_SOCKET, else\n"
		"                  /run/fe-gateway/admin.sock, or the edge's\n"
		"  --edge NAME     ask that edge, through the gateway\n"
		"  --json          one document for programs, see fedctl(1)\n"
		"  --full          with documents (presence show)\n"
		"  --help, --version\n"
		"\n"
		"exit status: 0 done, 1 failed, 2 wrong command line, 3 no "
		"daemon there\n",
		to);
}

void command_help_one(FILE *to, const struct command *c)
{
	static const char *const where[] = {
		[COMMAND_ANY] = "",
		[COMMAND_GATEWAY] = "Only a gateway knows this.\n",
		[COMMAND_EDGE] = "Only an edge knows this: its own socket, or "
				 "--edge NAME at a gateway's.\n",
	};

	(void)fprintf(to, "fedctl %s%s%s: %s\n\n%s\n%s\nexample: fedctl %s\n",
		      c->name, c->arg != NULL ? " " : "",
		      c->arg != NULL ? c->arg : "", c->summary, c->more,
		      where[c->where], c->example);
}
