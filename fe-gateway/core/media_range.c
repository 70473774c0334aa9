/* Media ranges: exact, type and any, with their q. */
#include "fe-gateway/core/media_range.h"

/* How much a range says; later ones say more. */
enum reach { REACH_NONE, REACH_ANY, REACH_TYPE, REACH_EXACT };

/* The text from *at up to the separator, which may stand in quotes too; *at
 * moves behind it. */
static struct span next_part(struct span s, char separator, size_t *at)
{
	size_t from = *at;
	size_t i = from;
	bool is_quoted = false;

	while (i < s.n && (is_quoted || s.p[i] != separator)) {
		if (is_quoted && s.p[i] == '\\')
			i++;
		else if (s.p[i] == '"')
			is_quoted = !is_quoted;
		i++;
	}
	*at = i + 1;
	return span_trim(span_sub(s, from, i));
}

/* "0", "0.", "0.000" */
static bool is_zero(struct span q)
{
	for (size_t i = 0; i < q.n; i++)
		if (q.p[i] != (i == 1 ? '.' : '0'))
			return false;
	return q.n > 0;
}

/* The range's parameters say q=0. */
static bool is_refused(struct span range, size_t at)
{
	while (at < range.n) {
		struct span param = next_part(range, ';', &at);
		size_t eq = span_find(param, '=', 0);

		if (eq != SIZE_MAX &&
		    span_ieq(span_trim(span_sub(param, 0, eq)),
			     SPAN_LIT("q")) &&
		    is_zero(span_trim(span_sub(param, eq + 1, param.n))))
			return true;
	}
	return false;
}

static enum reach match(struct span range, struct span type)
{
	size_t slash = span_find(type, '/', 0);

	if (span_ieq(range, type))
		return REACH_EXACT;
	if (span_eq_str(range, "*/*") || span_eq_str(range, "*"))
		return REACH_ANY;
	if (slash != SIZE_MAX && range.n == slash + 2 &&
	    range.p[range.n - 1] == '*' &&
	    span_ieq(span_sub(range, 0, slash + 1),
		     span_sub(type, 0, slash + 1)))
		return REACH_TYPE;
	return REACH_NONE;
}

bool media_range_allows(struct span list, struct span type)
{
	enum reach best = REACH_NONE;
	bool is_allowed = false;
	size_t at = 0;

	while (at < list.n) {
		struct span range = next_part(list, ',', &at);
		size_t params = 0;
		enum reach r = match(next_part(range, ';', &params), type);

		if (r == REACH_NONE || r < best)
			continue;
		best = r;
		is_allowed = !is_refused(range, params);
	}
	return is_allowed;
}
