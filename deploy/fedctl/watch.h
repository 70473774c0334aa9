/*
 * Parts of a watch, as several commands show them.
 */
#ifndef FED_FEDCTL_WATCH_H
#define FED_FEDCTL_WATCH_H

#include "deploy/fedctl/json.h"

/** "juliet@xmpp.example watches romeo@sip.example", a line. */
void watch_print_pair(FILE *to, const Fed__PresenceWatch *w);

/** "desk  away, priority 5, "lunch" (en)", a line without its begin. */
void watch_print_resource(FILE *to, const Fed__PresenceResource *r);

/** {"direction", "watcher", "presentity"}: the begin of an object. */
json_t *watch_json_pair(const Fed__PresenceWatch *w);

/** A resource; null when it is NULL. */
json_t *watch_json_resource(const Fed__PresenceResource *r);

#endif
