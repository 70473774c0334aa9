/* Activities, numbers and show. */
#include "fe-gateway/core/pidf_rpid.h"

#include "base/limits.h"

bool pidf_rpid_is_namespace(struct span ns)
{
	/* COMPAT: drafts had "...pidf:rpid-person", "...pidf:status:rpid",
	 * "...pidf:status:rpid-status" and the like */
	return span_starts(ns, SPAN_LIT(PIDF_NS ":rpid")) ||
	       span_starts(ns, SPAN_LIT(PIDF_NS ":status:rpid"));
}

static const struct {
	const char *activity;
	Fed__Show show;
} ACTIVITIES[] = {
	{"away", FED__SHOW__AWAY},
	{"busy", FED__SHOW__DND},
	{"on-the-phone", FED__SHOW__DND},
	{"meeting", FED__SHOW__DND},
	{"appointment", FED__SHOW__DND},
	{"presentation", FED__SHOW__DND},
	{"performance", FED__SHOW__DND},
	{"steering", FED__SHOW__DND},
	{"permanent-absence", FED__SHOW__XA},
	{"vacation", FED__SHOW__XA},
	{"holiday", FED__SHOW__XA},
	{"sleeping", FED__SHOW__XA},
	{"travel", FED__SHOW__XA},
	{"in-transit", FED__SHOW__AWAY},
	{"breakfast", FED__SHOW__AWAY},
	{"dinner", FED__SHOW__AWAY},
	{"lunch", FED__SHOW__AWAY},
	{"meal", FED__SHOW__AWAY},
	{"shopping", FED__SHOW__AWAY},
	{"tv", FED__SHOW__AWAY},
	{"playing", FED__SHOW__AWAY},
	{"spectator", FED__SHOW__AWAY},
	{"worship", FED__SHOW__AWAY},
};

Fed__Show pidf_rpid_show(struct span activity)
{
	for (size_t i = 0; i < FED_ARRAY_LEN(ACTIVITIES); i++)
		if (span_eq_str(activity, ACTIVITIES[i].activity))
			return ACTIVITIES[i].show;
	return FED__SHOW__NO_SHOW;
}

static int strength(Fed__Show show)
{
	switch (show) {
	case FED__SHOW__XA:
		return 3;
	case FED__SHOW__DND:
		return 2;
	case FED__SHOW__AWAY:
		return 1;
	case FED__SHOW__NO_SHOW:
	case FED__SHOW__SHOW_CHAT:
	case _FED__SHOW_IS_INT_SIZE:
		break;
	}
	return 0;
}

Fed__Show pidf_rpid_stronger(Fed__Show a, Fed__Show b)
{
	return strength(a) >= strength(b) ? a : b;
}

const char *pidf_rpid_activity(Fed__Show show)
{
	switch (show) {
	case FED__SHOW__AWAY:
	case FED__SHOW__XA:
		return "away";
	case FED__SHOW__DND:
		return "busy";
	case FED__SHOW__NO_SHOW:
	case FED__SHOW__SHOW_CHAT:
	case _FED__SHOW_IS_INT_SIZE:
		break;
	}
	return NULL;
}

static const struct {
	const char *name;
	Fed__Show show;
} SHOWS[] = {
	{"away", FED__SHOW__AWAY},
	{"chat", FED__SHOW__SHOW_CHAT},
	{"dnd", FED__SHOW__DND},
	{"xa", FED__SHOW__XA},
};

bool pidf_show_parse(struct span text, Fed__Show *show_out)
{
	for (size_t i = 0; i < FED_ARRAY_LEN(SHOWS); i++) {
		if (span_eq_str(text, SHOWS[i].name)) {
			*show_out = SHOWS[i].show;
			return true;
		}
	}
	return false;
}

const char *pidf_show_name(Fed__Show show)
{
	for (size_t i = 0; i < FED_ARRAY_LEN(SHOWS); i++)
		if (SHOWS[i].show == show)
			return SHOWS[i].name;
	return NULL;
}

/* ---- numbers ---- */

/* The last row whose number is not above the one asked for counts. */
struct range {
	uint32_t from;
	struct pidf_availability is;
};

#define OPEN(show)                           \
	{                                    \
		PIDF_OPEN, FED__SHOW__##show \
	}

static const struct range LYNC[] = {
	{0, OPEN(NO_SHOW)},
	{4500, OPEN(AWAY)},  /* idle */
	{6000, OPEN(DND)},   /* busy, busy and idle, do not disturb */
	{12000, OPEN(AWAY)}, /* be right back, away */
	{18000, {PIDF_CLOSED, FED__SHOW__NO_SHOW}},
};

/* [MS-SIP] 2.2.1: what can be reached; whether the user looks is unknown */
static const struct range AGGREGATE[] = {
	{0, {PIDF_CLOSED, FED__SHOW__NO_SHOW}},
	{100, OPEN(NO_SHOW)},
};

#define DOES(show)                              \
	{                                       \
		PIDF_UNKNOWN, FED__SHOW__##show \
	}

static const struct range ACTIVITY[] = {
	{0, DOES(NO_SHOW)},
	{100, DOES(AWAY)}, /* away, out to lunch, idle, be right back */
	{400, DOES(NO_SHOW)},
	{500, DOES(DND)}, /* in a session, busy */
	{700, DOES(AWAY)},
	{800, DOES(NO_SHOW)},
};

static struct pidf_availability look_up(const struct range *rows, size_t count,
					uint32_t number)
{
	size_t i = count - 1;

	while (i > 0 && rows[i].from > number)
		i--;
	return rows[i].is;
}

struct pidf_availability pidf_lync_availability(uint32_t number)
{
	return look_up(LYNC, FED_ARRAY_LEN(LYNC), number);
}

struct pidf_availability pidf_lync_aggregate(uint32_t number, bool is_activity)
{
	if (number > 999)
		return pidf_lync_availability(number);
	if (is_activity)
		return look_up(ACTIVITY, FED_ARRAY_LEN(ACTIVITY), number);
	return look_up(AGGREGATE, FED_ARRAY_LEN(AGGREGATE), number);
}
