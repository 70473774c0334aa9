/*
 * A cheap look at JID text that is said to be normalized.  Private to
 * common/xmpp.
 */
#ifndef FED_XMPP_JID_SHAPE_H
#define FED_XMPP_JID_SHAPE_H

#include "base/span.h"

/**
 * The text could be the output of jid_parse(): UTF-8, parts present and of
 * allowed size, ASCII characters of the allowed sets and in lower case.  What
 * is not ASCII is not looked up: two hosts may know different versions of
 * Unicode, and nothing may depend on that here.
 */
bool jid_is_shaped(struct span text);

#endif
