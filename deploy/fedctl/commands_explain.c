/* explain, map: what would happen, before it does. */
#include <string.h>

#include "base/limits.h"
#include "deploy/fedctl/command.h"
#include "deploy/fedctl/text.h"

static const char EXPECTED[] =
	"an address such as juliet@xmpp.example or sip:romeo@sip.example is "
	"expected";

static bool is_address(const char *text)
{
	return text[0] != '\0' && strlen(text) <= LIMIT_SIP_URI_BYTES;
}

static const char *ask_explain(struct ask *a, const struct line *l)
{
	Fed__AdminExplain *r = &a->part.explain;
	const char *what = line_option(l, "what");
	const char *direction = line_option(l, "direction");

	if (!is_address(line_arg(l, 0)) || !is_address(line_arg(l, 1)))
		return EXPECTED;
	fed__admin_explain__init(r);
	r->from = text_lent(line_arg(l, 0));
	r->to = text_lent(line_arg(l, 1));
	if (what != NULL)
		r->what = text_lent(what);
	if (direction != NULL && strcmp(direction, "both") != 0)
		r->direction = text_lent(direction);
	a->request.kind_case = FED__ADMIN_REQUEST__KIND_EXPLAIN;
	a->request.explain = r;
	return NULL;
}

static const char *ask_map(struct ask *a, const struct line *l)
{
	if (!is_address(line_arg(l, 0)))
		return EXPECTED;
	fed__admin_map__init(&a->part.map);
	a->part.map.address = text_lent(line_arg(l, 0));
	a->request.kind_case = FED__ADMIN_REQUEST__KIND_MAP;
	a->request.map = &a->part.map;
	return NULL;
}

static const struct command_arg pair[] = {
	{.name = "FROM",
	 .help = "bare JID or sip: URI; one of the two is a user of a SIP "
		 "domain that we serve"},
	{.name = "TO"},
	{.name = NULL},
};

static const struct command_arg address[] = {
	{.name = "ADDRESS", .help = "JID, or sip:, im:, pres: or xmpp: URI"},
	{.name = NULL},
};

static const char *const what_words[] = {"message", "subscribe", "note", NULL};
static const char *const directions[] = {"to-xmpp", "to-sip", "both", NULL};

static const struct command_option explain_options[] = {
	{.name = "what",
	 .value = "WHAT",
	 .words = what_words,
	 .help = "a message (the default), a wish to watch the other\n"
		 "one, or the status note that watchers see"},
	{.name = "direction",
	 .value = "DIRECTION",
	 .words = directions,
	 .help = "only that one; else FROM to TO, and back"},
	{.name = NULL},
};

const struct command commands_explain[] = {
	{.name = "explain",
	 .args = pair,
	 .options = explain_options,
	 .summary = "what would happen, and by which rule",
	 .more = "Gate by gate: the switch of the deployment, the user's "
		 "policy, the partner, its type; then the way as it is now: "
		 "the edge, the stream, the next hop. Nothing is sent. The "
		 "exit status is 0 whatever the answer is.",
	 .example = "explain romeo@sip.example juliet@xmpp.example --what "
		    "subscribe",
	 .where = COMMAND_GATEWAY,
	 .ask = ask_explain,
	 .text = &show_findings_text,
	 .json = &show_findings_json},
	{.name = "map",
	 .args = address,
	 .summary = "an address as both sides write it",
	 .more = "JID and URIs of one user, with their escapes (RFC 7247, "
		 "XEP-0106); or why it cannot be mapped.",
	 .example = "map \"sip:o'malley@sip.example\"",
	 .where = COMMAND_GATEWAY,
	 .ask = ask_map,
	 .text = &show_mapped_text,
	 .json = &show_mapped_json},
	{.name = NULL},
};
