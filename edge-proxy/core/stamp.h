/*
 * XEP-0082 date-times, in milliseconds since 1970-01-01T00:00:00Z.
 */
#ifndef FED_EDGE_STAMP_H
#define FED_EDGE_STAMP_H

#include "base/span.h"

enum { STAMP_TEXT_BYTES = 24 }; /* 2002-09-10T23:08:25.123Z */

/**
 * CCYY-MM-DDThh:mm:ss[.sss]TZD; digits after the milliseconds are dropped.
 *
 * @return 0; FED_EINVAL not that, or outside the years 1 to 9999 in UTC
 */
int stamp_parse(struct span in, int64_t *ms_out) FED_NODISCARD;

/**
 * UTC, with milliseconds only when there are some.
 *
 * @return 0; FED_EINVAL outside the years 1 to 9999
 */
int stamp_format(int64_t ms, char out[STAMP_TEXT_BYTES + 1]) FED_NODISCARD;

#endif
