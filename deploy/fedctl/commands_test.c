/* test im, test presence: the synthetic transaction. */
#include <string.h>

#include "base/limits.h"
#include "deploy/fedctl/command.h"
#include "deploy/fedctl/text.h"

static const char *ask_test(struct ask *a, const struct line *l,
			    Fed__AdminTest__What what)
{
	Fed__AdminTest *r = &a->part.test;
	uint32_t timeout_s =
		line_number(l, "timeout", LIMIT_SYNTHETIC_DEFAULT_MS / 1000);

	for (size_t i = 0; i < 2; i++)
		if (line_arg(l, i)[0] == '\0' ||
		    strlen(line_arg(l, i)) > LIMIT_SIP_URI_BYTES)
			return "an address such as romeo@sip.example is "
			       "expected";
	if (timeout_s == 0 || timeout_s > LIMIT_SYNTHETIC_MS / 1000)
		return "--timeout is 1 to 60 seconds";
	fed__admin_test__init(r);
	r->what = what;
	r->from = text_lent(line_arg(l, 0));
	r->to = text_lent(line_arg(l, 1));
	r->timeout_ms = timeout_s * 1000;
	a->request.kind_case = FED__ADMIN_REQUEST__KIND_TEST;
	a->request.test = r;
	a->patience_s = timeout_s + 5;
	return NULL;
}

static const char *ask_im(struct ask *a, const struct line *l)
{
	return ask_test(a, l, FED__ADMIN_TEST__WHAT__IM);
}

static const char *ask_poll(struct ask *a, const struct line *l)
{
	return ask_test(a, l, FED__ADMIN_TEST__WHAT__PRESENCE);
}

static const struct command_arg pair[] = {
	{.name = "FROM",
	 .help = "user of a SIP domain that we serve; need not be registered"},
	{.name = "TO", .help = "user of an XMPP domain"},
	{.name = NULL},
};

static const struct command_option options[] = {
	{.name = "timeout",
	 .value = "SECONDS",
	 .kind = COMMAND_NUMBER,
	 .help = "give up then, 1 to 60; else 30"},
	{.name = NULL},
};

const struct command commands_test[] = {
	{.name = "test im",
	 .args = pair,
	 .options = options,
	 .summary = "send a marked message and wait",
	 .more = "As if FROM had sent it: through the gates, the channel, an "
		 "edge and the stream, until TO's server has answered. One "
		 "line says the result, how long it took, and when it failed "
		 "where and what to do. The exit status is 0 or 1, so it can "
		 "run from cron.",
	 .example = "test im watchdog@sip.example juliet@xmpp.example",
	 .where = COMMAND_GATEWAY,
	 .ask = ask_im,
	 .text = &show_test_text,
	 .json = &show_test_json},
	{.name = "test presence",
	 .args = pair,
	 .options = options,
	 .summary = "ask once for presence",
	 .more = "As if FROM had polled TO (SUBSCRIBE with Expires: 0); no "
		 "subscription is left behind and TO is not asked for "
		 "anything. That TO's server does not let FROM see it is an "
		 "answer, too. What the gateway knows already, because FROM "
		 "watches TO, is not asked again.",
	 .example = "test presence watchdog@sip.example juliet@xmpp.example",
	 .where = COMMAND_GATEWAY,
	 .ask = ask_poll,
	 .text = &show_test_text,
	 .json = &show_test_json},
	{.name = NULL},
};
