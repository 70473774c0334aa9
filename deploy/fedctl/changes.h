/*
 * What became of a record: + new, ~ other, - gone.
 */
#ifndef FED_FEDCTL_CHANGES_H
#define FED_FEDCTL_CHANGES_H

#include "deploy/fedctl/json.h"
#include "deploy/fedctl/record.h"

/** Print a change with the fields that became different, and count it; of
 * many users only the first ones without --full. */
void changes_print(struct shower *s, const Fed__Change *c);

/** How many users were left out, if any were. */
void changes_print_hidden(const struct shower *s);

/** {"record", "before", "after"}; NULL: no memory. */
json_t *changes_json(const Fed__Change *c);

#endif
