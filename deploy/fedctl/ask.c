/* Requests made of words. */
#include "deploy/fedctl/ask.h"

#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "deploy/fedctl/text.h"

void ask_init(struct ask *a)
{
	memset(a, 0, sizeof(*a));
	fed__admin_request__init(&a->request);
	a->request.id = 1;
}

const char *ask_show(struct ask *a, Fed__AdminShow__What what)
{
	fed__admin_show__init(&a->part.show);
	a->part.show.what = what;
	a->request.kind_case = FED__ADMIN_REQUEST__KIND_SHOW;
	a->request.show = &a->part.show;
	return NULL;
}

const char *ask_log_level(struct ask *a, const char *level)
{
	enum fed_log_level ignored;

	if (log_level_parse(span_str(level), &ignored) != 0)
		return "error, warn, info or debug is expected";
	fed__admin_log_level__init(&a->part.log_level);
	a->part.log_level.level = text_lent(level);
	a->request.kind_case = FED__ADMIN_REQUEST__KIND_LOG_LEVEL;
	a->request.log_level = &a->part.log_level;
	return NULL;
}

const char *ask_presence(struct ask *a, Fed__AdminPresence__What what,
			 const char *target)
{
	if (target[0] == '\0' || strlen(target) > LIMIT_SIP_URI_BYTES ||
	    !span_is_utf8(span_str(target)))
		return "an address such as juliet@xmpp.example, "
		       "sip:romeo@sip.example, or a domain is expected";
	fed__admin_presence__init(&a->part.presence);
	a->part.presence.what = what;
	a->part.presence.target = text_lent(target);
	a->request.kind_case = FED__ADMIN_REQUEST__KIND_PRESENCE;
	a->request.presence = &a->part.presence;
	return NULL;
}
