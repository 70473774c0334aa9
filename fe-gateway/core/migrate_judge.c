/* What an answer to OPTIONS says of a user. */
#include "fe-gateway/core/migrate.h"

enum migrate_where migrate_judge(enum sip_end end, int status)
{
	if (end != SIP_END_RESPONSE)
		return MIGRATE_UNKNOWN;
	if (status >= 200 && status < 300)
		return MIGRATE_THERE;
	switch (status) {
	case 404: /* RFC 3261 21.4: there is no such user */
	case 410:
	case 604:
		return MIGRATE_NOT_THERE;
	case 480: /* he is known, but not there; or his client has answered */
	case 486:
	case 488:
	case 600:
	case 603:
	case 606:
		return MIGRATE_THERE;
	default:
		/* of the way there, or of the question: RFC 3261 8.2.1, whoever
		 * does not do OPTIONS says so before he looks for the user */
		return MIGRATE_UNKNOWN;
	}
}
