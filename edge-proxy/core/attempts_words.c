/* What attempts came to, in one sentence. */
#include <stdio.h>
#include <string.h>

#include "edge-proxy/core/attempts.h"
#include "edge-proxy/core/stamp.h"

void attempt_date(int64_t wall_ms, char *out, size_t out_size)
{
	char stamp[STAMP_TEXT_BYTES + 1];

	if (stamp_format(wall_ms - wall_ms % 1000, stamp) != 0)
		(void)snprintf(out, out_size, "an unknown time");
	else
		(void)snprintf(out, out_size, "%.10s %.8s UTC", stamp,
			       stamp + 11);
}

void attempt_day(int64_t wall_ms, char *out, size_t out_size)
{
	char stamp[STAMP_TEXT_BYTES + 1];

	if (stamp_format(wall_ms - wall_ms % 1000, stamp) != 0)
		(void)snprintf(out, out_size, "an unknown day");
	else
		(void)snprintf(out, out_size, "%.10s", stamp);
}

/* The step that says why it failed: the end, unless the one before it was
 * already the reason. */
static const struct attempt_step *reason_of(const struct attempt *at)
{
	size_t n = at->step_count;

	if (n == 0)
		return NULL;
	if (n > 1 && at->steps[n - 2].level == ATTEMPT_BAD)
		return &at->steps[n - 2];
	return &at->steps[n - 1];
}

static void under_way(const struct attempt *at, char *out, size_t out_size)
{
	const struct attempt_step *last =
		at->step_count > 0 ? &at->steps[at->step_count - 1] : NULL;

	if (last == NULL)
		(void)snprintf(out, out_size, "under way");
	else
		(void)snprintf(out, out_size, "under way, last step %s: %s",
			       last->what, last->text);
}

static const char *mechanism_of(const struct attempt *at)
{
	return at->mechanism == NULL ? "an unknown mechanism" : at->mechanism;
}

static void ended(const struct attempt *at, char *out, size_t out_size)
{
	const struct attempt_step *why = reason_of(at);
	const char *text = why == NULL ? "for an unknown reason" : why->text;

	if (!at->was_open)
		(void)snprintf(out, out_size, "%s", text);
	else if (at->is_check)
		(void)snprintf(out, out_size, "reached by %s",
			       mechanism_of(at));
	else
		(void)snprintf(
			out, out_size, "was connected by %s, then %s: %s",
			mechanism_of(at),
			at->was_in_order ? "closed in order" : "lost", text);
}

void attempt_outcome(const struct attempt *at, char *out, size_t out_size)
{
	char date[40];

	switch (at->state) {
	case ATTEMPT_UNDER_WAY:
		under_way(at, out, out_size);
		break;
	case ATTEMPT_OPEN:
		attempt_date(attempt_wall_ms(at, at->open_ms), date,
			     sizeof(date));
		(void)snprintf(out, out_size, "connected by %s since %s",
			       mechanism_of(at), date);
		break;
	case ATTEMPT_ENDED:
		ended(at, out, out_size);
		break;
	}
}

/* The stream that is open, else the newest attempt. */
static const struct attempt *telling(const struct attempt *const *list,
				     size_t count, bool is_inbound)
{
	const struct attempt *newest = NULL;

	for (size_t i = 0; i < count; i++) {
		if (list[i]->is_inbound != is_inbound)
			continue;
		if (list[i]->state == ATTEMPT_OPEN)
			return list[i];
		if (newest == NULL)
			newest = list[i];
	}
	return newest;
}

static void say(struct buf *out, const struct attempt *at)
{
	char outcome[LIMIT_ATTEMPT_TEXT + 128];
	char date[40];

	attempt_outcome(at, outcome, sizeof(outcome));
	attempt_date(attempt_wall_ms(at, at->changed_ms), date, sizeof(date));
	if (buf_len(out) > 0)
		buf_put_str(out, "; ");
	buf_put_str(out, at->is_inbound ? "from it: " : "to it: ");
	if (at->state == ATTEMPT_ENDED && !at->was_open)
		buf_printf(out, "failed at %s: %s", date, outcome);
	else if (at->state == ATTEMPT_ENDED)
		buf_printf(out, "%s (%s)", outcome, date);
	else
		buf_put_str(out, outcome);
}

void attempts_verdict(const struct attempt *const *list, size_t count,
		      int64_t start_wall, struct buf *out)
{
	const struct attempt *to = telling(list, count, false);
	const struct attempt *from = telling(list, count, true);
	char date[40];

	if (to != NULL)
		say(out, to);
	if (from != NULL)
		say(out, from);
	if (to != NULL || from != NULL)
		return;
	attempt_date(start_wall, date, sizeof(date));
	buf_printf(out, "no attempt since the start at %s", date);
}
