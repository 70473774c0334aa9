/*
 * Counters: one list, printed by the daemons.  Every limit hit has one.
 */
#ifndef FED_BASE_METRICS_H
#define FED_BASE_METRICS_H

#include <stdint.h>

/* X(name, help) */
#define METRICS(X)                                                         \
	X(stanzas_in, "stanzas taken from XMPP streams")                   \
	X(stanzas_out, "stanzas written to XMPP streams")                  \
	X(stanzas_refused, "stanzas answered with an error")               \
	X(stanzas_dropped, "stanzas that protocol says to ignore")         \
	X(elements_reduced, "child elements with no field, not passed on") \
	X(streams_in, "inbound streams accepted")                          \
	X(streams_out, "outbound streams opened")                          \
	X(streams_refused, "streams refused by a limit or by policy")      \
	X(stream_errors_sent, "streams closed by us with an error")        \
	X(stream_errors_got, "streams closed by the peer with an error")   \
	X(dialback_valid, "dialback keys confirmed")                       \
	X(dialback_invalid, "dialback keys refused")                       \
	X(queue_full, "stanzas refused because a queue was full")          \
	X(channel_frames_in, "channel frames received")                    \
	X(channel_frames_out, "channel frames sent")                       \
	X(channel_resumes, "channel sessions resumed")                     \
	X(channel_bad_frames, "channel frames that broke the protocol")    \
	X(stream_news_lost, "stream events not told to a gateway")         \
	X(sip_requests_in, "SIP requests received")                        \
	X(sip_requests_out, "SIP requests sent")                           \
	X(sip_refused, "SIP requests answered with an error")              \
	X(sip_untrusted, "SIP requests from an address not trusted")       \
	X(refused_switch, "refused because federation is off")             \
	X(refused_policy, "refused by the policy of a user")               \
	X(refused_partner, "refused because there is no such partner")     \
	X(refused_type, "refused because the user did not add the other")  \
	X(admin_requests, "requests over the admin socket")                \
	X(admin_refused, "clients of it that were sent away")              \
	X(legacy_passed, "requests that the old gateway took")             \
	X(legacy_refused, "requests for it that were refused")             \
	X(delivered, "deliveries that ended well")                         \
	X(refused, "deliveries refused to their sender")

enum metric {
#define METRICS_ENUM(name, help) METRIC_##name,
	METRICS(METRICS_ENUM)
#undef METRICS_ENUM
		METRIC_COUNT
};

struct metrics {
	uint64_t value[METRIC_COUNT];
};

/** Add one; `m` may be NULL: nothing happens. */
static inline void metrics_count(struct metrics *m, enum metric which)
{
	if (m != (struct metrics *)0)
		m->value[which]++;
}

/** The counter's name as shown; never NULL. */
const char *metrics_name(enum metric which);

/** One line that explains the counter; never NULL. */
const char *metrics_help(enum metric which);

#endif
