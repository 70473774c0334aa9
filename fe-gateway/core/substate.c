/* Subscription-State: state, then parameters. */
#include "fe-gateway/core/substate.h"

static const struct {
	struct span name;
	enum substate_reason reason;
} reasons[] = {
	{{"deactivated", 11}, SUBSTATE_DEACTIVATED},
	{{"probation", 9}, SUBSTATE_PROBATION},
	{{"rejected", 8}, SUBSTATE_REJECTED},
	{{"timeout", 7}, SUBSTATE_TIMEOUT},
	{{"giveup", 6}, SUBSTATE_GIVEUP},
	{{"noresource", 10}, SUBSTATE_NORESOURCE},
	{{"invariant", 9}, SUBSTATE_INVARIANT},
};

static enum substate_reason read_reason(struct span value)
{
	for (size_t i = 0; i < FED_ARRAY_LEN(reasons); i++)
		if (span_ieq(value, reasons[i].name))
			return reasons[i].reason;
	return SUBSTATE_NO_REASON;
}

static bool is_digits(struct span value)
{
	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] < '0' || value.p[i] > '9')
			return false;
	return value.n > 0;
}

static void read_seconds(struct span value, bool *has_out, uint32_t *out)
{
	if (!is_digits(value))
		return;
	*has_out = true;
	if (span_to_u32(value, out) != 0)
		*out = UINT32_MAX;
}

static void read_param(struct span param, struct substate *out)
{
	size_t eq = span_find(param, '=', 0);
	struct span name, value;

	if (eq == SIZE_MAX)
		return;
	name = span_trim(span_sub(param, 0, eq));
	value = span_trim(span_sub(param, eq + 1, param.n));
	if (span_ieq(name, SPAN_LIT("expires")))
		read_seconds(value, &out->has_expires, &out->expires);
	else if (span_ieq(name, SPAN_LIT("retry-after")))
		read_seconds(value, &out->has_retry_after, &out->retry_after);
	else if (span_ieq(name, SPAN_LIT("reason")))
		out->reason = read_reason(value);
}

int substate_read(struct span value, struct substate *out)
{
	size_t at = span_find(value, ';', 0);
	struct span state = span_trim(span_sub(value, 0, at));

	*out = (struct substate){.kind = SUBSTATE_PENDING};
	if (state.n == 0)
		return FED_EINVAL;
	if (span_ieq(state, SPAN_LIT("active")))
		out->kind = SUBSTATE_ACTIVE;
	else if (span_ieq(state, SPAN_LIT("terminated")))
		out->kind = SUBSTATE_TERMINATED;
	while (at < value.n) {
		size_t end = span_find(value, ';', at + 1);

		read_param(span_sub(value, at + 1, end), out);
		at = end;
	}
	return 0;
}
