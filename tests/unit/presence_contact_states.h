/* The rows of test_presence_contact_states.c: state, event, what is done. */
#ifndef FED_TESTS_PRESENCE_CONTACT_STATES_H
#define FED_TESTS_PRESENCE_CONTACT_STATES_H

static const struct {
	void (*be)(struct fixture *f);
	void (*act)(struct fixture *f);
	const char *wanted;
} ROWS[] = {
	{be_nothing, do_subscribe,
	 "200 expires=3600\n"
	 "NOTIFY pending;expires=3600\n"
	 "<subscribe>\n"},
	{be_nothing, do_refresh, "481\n"},
	{be_nothing, do_unsubscribe, "481\n"},
	{be_nothing, do_poll,
	 "200 expires=0\n"
	 "<probe>\n"
	 "NOTIFY terminated;reason=timeout\n"},
	{be_nothing, do_available, "outcome ok\n"},
	{be_nothing, do_unavailable, "outcome ok\n"},
	{be_nothing, do_all_unavailable, "outcome ok\n"},
	{be_nothing, do_not_found, "outcome ok\n"},
	{be_nothing, do_unreachable, "outcome ok\n"},
	{be_nothing, do_unserved, "outcome ok\n"},
	{be_nothing, do_silence, ""},
	{be_nothing, do_expire, ""},
	{be_nothing, do_away, ""},
	{be_nothing, do_stop, ""},
	{be_nothing, subscribed, "outcome ok\n"},
	{be_nothing, unsubscribed, "outcome ok\n"},
	{be_pending, do_subscribe,
	 "200 expires=3600\n"
	 "NOTIFY pending;expires=3600\n"},
	{be_pending, do_refresh,
	 "200 expires=3600\n"
	 "NOTIFY pending;expires=3600\n"},
	{be_pending, do_unsubscribe,
	 "200 expires=0\n"
	 "NOTIFY terminated;reason=timeout\n"},
	{be_pending, do_poll,
	 "200 expires=0\n"
	 "NOTIFY terminated;reason=timeout\n"},
	{be_pending, do_available, "outcome ok\n"},
	{be_pending, do_unavailable, "outcome ok\n"},
	{be_pending, do_all_unavailable, "outcome ok\n"},
	{be_pending, do_not_found,
	 "outcome ok\n"
	 "NOTIFY terminated;reason=noresource\n"},
	{be_pending, do_unreachable,
	 "outcome ok\n"
	 "NOTIFY terminated;reason=probation;retry-after=3600\n"},
	{be_pending, do_unserved, "outcome ok\n"},
	{be_pending, do_silence, ""},
	{be_pending, do_expire, "NOTIFY terminated;reason=timeout\n"},
	{be_pending, do_away, ""},
	{be_pending, do_stop,
	 "NOTIFY terminated;reason=probation;retry-after=soon\n"},
	{be_pending, subscribed,
	 "outcome ok\n"
	 "NOTIFY active;expires=3600\n"},
	{be_pending, unsubscribed,
	 "outcome ok\n"
	 "NOTIFY terminated;reason=rejected\n"},
	{be_pending_alone, do_subscribe,
	 "200 expires=3600\n"
	 "NOTIFY pending;expires=3600\n"},
	{be_pending_alone, do_refresh, "481\n"},
	{be_pending_alone, do_unsubscribe, "481\n"},
	{be_pending_alone, do_poll,
	 "200 expires=0\n"
	 "NOTIFY terminated;reason=timeout\n"},
	{be_pending_alone, do_available, "outcome ok\n"},
	{be_pending_alone, do_unavailable, "outcome ok\n"},
	{be_pending_alone, do_all_unavailable, "outcome ok\n"},
	{be_pending_alone, do_not_found, "outcome ok\n"},
	{be_pending_alone, do_unreachable, "outcome ok\n"},
	{be_pending_alone, do_unserved, "outcome ok\n"},
	{be_pending_alone, do_silence, ""},
	{be_pending_alone, do_expire, ""},
	{be_pending_alone, do_away, ""},
	{be_pending_alone, do_stop, ""},
	{be_pending_alone, subscribed, "outcome ok\n"},
	{be_pending_alone, unsubscribed, "outcome ok\n"},
	{be_unknown, do_subscribe,
	 "200 expires=3600\n"
	 "NOTIFY active;expires=3600\n"},
	{be_unknown, do_refresh,
	 "200 expires=3600\n"
	 "NOTIFY active;expires=3600\n"},
	{be_unknown, do_unsubscribe,
	 "200 expires=0\n"
	 "NOTIFY terminated;reason=timeout {}\n"
	 "<unavailable>\n"},
	{be_unknown, do_poll,
	 "200 expires=0\n"
	 "NOTIFY terminated;reason=timeout\n"},
	{be_unknown, do_available,
	 "outcome ok\n"
	 "NOTIFY active;expires=3600 {chamber away}\n"},
	{be_unknown, do_unavailable,
	 "outcome ok\n"
	 "NOTIFY active;expires=3600 {}\n"},
	{be_unknown, do_all_unavailable,
	 "outcome ok\n"
	 "NOTIFY active;expires=3600 {}\n"},
	{be_unknown, do_not_found, "outcome ok\n"},
	{be_unknown, do_unreachable, "outcome ok\n"},
	{be_unknown, do_unserved, "outcome ok\n"},
	{be_unknown, do_silence,
	 "<probe>\n"
	 "NOTIFY active;expires=3560 {}\n"},
	{be_unknown, do_expire,
	 "<probe>\n"
	 "NOTIFY active;expires=3560 {}\n"
	 "NOTIFY terminated;reason=timeout {}\n"
	 "<unavailable>\n"},
	{be_unknown, do_away, "NOTIFY active;expires=3300 {}\n"},
	{be_unknown, do_stop,
	 "NOTIFY terminated;reason=probation;retry-after=soon {}\n"},
	{be_unknown, subscribed, "outcome ok\n"},
	{be_unknown, unsubscribed,
	 "outcome ok\n"
	 "NOTIFY terminated;reason=rejected\n"},
	{be_open, do_subscribe,
	 "200 expires=3600\n"
	 "NOTIFY active;expires=3600 {balcony}\n"},
	{be_open, do_refresh,
	 "200 expires=3600\n"
	 "NOTIFY active;expires=3600 {balcony}\n"},
	{be_open, do_unsubscribe,
	 "200 expires=0\n"
	 "NOTIFY terminated;reason=timeout {}\n"
	 "<unavailable>\n"},
	{be_open, do_poll,
	 "200 expires=0\n"
	 "NOTIFY terminated;reason=timeout {balcony}\n"},
	{be_open, do_available,
	 "outcome ok\n"
	 "NOTIFY active;expires=3590 {balcony, chamber away}\n"},
	{be_open, do_unavailable,
	 "outcome ok\n"
	 "NOTIFY active;expires=3590 {}\n"},
	{be_open, do_all_unavailable,
	 "outcome ok\n"
	 "NOTIFY active;expires=3590 {}\n"},
	{be_open, do_not_found, "outcome ok\n"},
	{be_open, do_unreachable, "outcome ok\n"},
	{be_open, do_unserved, "outcome ok\n"},
	{be_open, do_silence, ""},
	{be_open, do_expire,
	 "NOTIFY terminated;reason=timeout {}\n"
	 "<unavailable>\n"},
	{be_open, do_away, "NOTIFY active;expires=3290 {}\n"},
	{be_open, do_stop,
	 "NOTIFY terminated;reason=probation;retry-after=soon {}\n"},
	{be_open, subscribed, "outcome ok\n"},
	{be_open, unsubscribed,
	 "outcome ok\n"
	 "NOTIFY terminated;reason=rejected\n"},
	{be_closed, do_subscribe,
	 "200 expires=3600\n"
	 "NOTIFY active;expires=3600 {}\n"},
	{be_closed, do_refresh,
	 "200 expires=3600\n"
	 "NOTIFY active;expires=3600 {}\n"},
	{be_closed, do_unsubscribe,
	 "200 expires=0\n"
	 "NOTIFY terminated;reason=timeout {}\n"
	 "<unavailable>\n"},
	{be_closed, do_poll,
	 "200 expires=0\n"
	 "NOTIFY terminated;reason=timeout {}\n"},
	{be_closed, do_available,
	 "outcome ok\n"
	 "NOTIFY active;expires=3590 {chamber away}\n"},
	{be_closed, do_unavailable, "outcome ok\n"},
	{be_closed, do_all_unavailable, "outcome ok\n"},
	{be_closed, do_not_found, "outcome ok\n"},
	{be_closed, do_unreachable, "outcome ok\n"},
	{be_closed, do_unserved, "outcome ok\n"},
	{be_closed, do_silence, ""},
	{be_closed, do_expire,
	 "NOTIFY terminated;reason=timeout {}\n"
	 "<unavailable>\n"},
	{be_closed, do_away, ""},
	{be_closed, do_stop,
	 "NOTIFY terminated;reason=probation;retry-after=soon {}\n"},
	{be_closed, subscribed, "outcome ok\n"},
	{be_closed, unsubscribed,
	 "outcome ok\n"
	 "NOTIFY terminated;reason=rejected\n"},
	{be_cached, do_subscribe,
	 "200 expires=3600\n"
	 "NOTIFY active;expires=3600 {balcony}\n"},
	{be_cached, do_refresh, "481\n"},
	{be_cached, do_unsubscribe, "481\n"},
	{be_cached, do_poll,
	 "200 expires=0\n"
	 "NOTIFY terminated;reason=timeout {balcony}\n"},
	{be_cached, do_available, "outcome ok\n"},
	{be_cached, do_unavailable, "outcome ok\n"},
	{be_cached, do_all_unavailable, "outcome ok\n"},
	{be_cached, do_not_found, "outcome ok\n"},
	{be_cached, do_unreachable, "outcome ok\n"},
	{be_cached, do_unserved, "outcome ok\n"},
	{be_cached, do_silence, ""},
	{be_cached, do_expire, ""},
	{be_cached, do_away, ""},
	{be_cached, do_stop, ""},
	{be_cached, subscribed, "outcome ok\n"},
	{be_cached, unsubscribed, "outcome ok\n"},
	{be_forgotten, do_subscribe,
	 "200 expires=3600\n"
	 "NOTIFY active;expires=3600\n"
	 "<probe>\n"},
	{be_forgotten, do_refresh, "481\n"},
	{be_forgotten, do_unsubscribe, "481\n"},
	{be_forgotten, do_poll,
	 "200 expires=0\n"
	 "<probe>\n"
	 "NOTIFY terminated;reason=timeout\n"},
	{be_forgotten, do_available, "outcome ok\n"},
	{be_forgotten, do_unavailable, "outcome ok\n"},
	{be_forgotten, do_all_unavailable, "outcome ok\n"},
	{be_forgotten, do_not_found, "outcome ok\n"},
	{be_forgotten, do_unreachable, "outcome ok\n"},
	{be_forgotten, do_unserved, "outcome ok\n"},
	{be_forgotten, do_silence, ""},
	{be_forgotten, do_expire, ""},
	{be_forgotten, do_away, ""},
	{be_forgotten, do_stop, ""},
	{be_forgotten, subscribed, "outcome ok\n"},
	{be_forgotten, unsubscribed, "outcome ok\n"},
	{be_ending, do_subscribe,
	 "200 expires=3600\n"
	 "NOTIFY pending;expires=3600\n"
	 "<subscribe>\n"},
	{be_ending, do_refresh, "481\n"},
	{be_ending, do_unsubscribe, "481\n"},
	{be_ending, do_poll,
	 "200 expires=0\n"
	 "<probe>\n"
	 "NOTIFY terminated;reason=timeout\n"},
	{be_ending, do_available, "outcome ok\n"},
	{be_ending, do_unavailable, "outcome ok\n"},
	{be_ending, do_all_unavailable, "outcome ok\n"},
	{be_ending, do_not_found, "outcome ok\n"},
	{be_ending, do_unreachable, "outcome ok\n"},
	{be_ending, do_unserved, "outcome ok\n"},
	{be_ending, do_silence, ""},
	{be_ending, do_expire, ""},
	{be_ending, do_away, ""},
	{be_ending, do_stop, ""},
	{be_ending, subscribed, "outcome ok\n"},
	{be_ending, unsubscribed, "outcome ok\n"},
	{be_polled, do_subscribe,
	 "200 expires=3600\n"
	 "NOTIFY pending;expires=3600\n"
	 "<subscribe>\n"},
	{be_polled, do_refresh, "481\n"},
	{be_polled, do_unsubscribe, "481\n"},
	{be_polled, do_poll,
	 "200 expires=0\n"
	 "NOTIFY terminated;reason=timeout\n"
	 "NOTIFY terminated;reason=timeout\n"},
	{be_polled, do_available,
	 "outcome ok\n"
	 "NOTIFY terminated;reason=timeout {chamber away}\n"},
	{be_polled, do_unavailable,
	 "outcome ok\n"
	 "NOTIFY terminated;reason=timeout {}\n"},
	{be_polled, do_all_unavailable,
	 "outcome ok\n"
	 "NOTIFY terminated;reason=timeout {}\n"},
	{be_polled, do_not_found, "outcome ok\n"},
	{be_polled, do_unreachable, "outcome ok\n"},
	{be_polled, do_unserved, "outcome ok\n"},
	{be_polled, do_silence, "NOTIFY terminated;reason=timeout\n"},
	{be_polled, do_expire, "NOTIFY terminated;reason=timeout\n"},
	{be_polled, do_away, "NOTIFY terminated;reason=timeout\n"},
	{be_polled, do_stop, "NOTIFY terminated;reason=timeout\n"},
	{be_polled, subscribed, "outcome ok\n"},
	{be_polled, unsubscribed, "outcome ok\n"},
	{be_stopping, do_subscribe, "500 retry\n"},
	{be_stopping, do_refresh, "481\n"},
	{be_stopping, do_unsubscribe, "481\n"},
	{be_stopping, do_poll, "500 retry\n"},
	{be_stopping, do_available, "outcome ok\n"},
	{be_stopping, do_unavailable, "outcome ok\n"},
	{be_stopping, do_all_unavailable, "outcome ok\n"},
	{be_stopping, do_not_found, "outcome ok\n"},
	{be_stopping, do_unreachable, "outcome ok\n"},
	{be_stopping, do_unserved, "outcome ok\n"},
	{be_stopping, do_silence, ""},
	{be_stopping, do_expire, ""},
	{be_stopping, do_away, ""},
	{be_stopping, do_stop, ""},
	{be_stopping, subscribed, "outcome ok\n"},
	{be_stopping, unsubscribed, "outcome ok\n"},
};

#endif
