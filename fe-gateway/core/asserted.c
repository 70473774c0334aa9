/* RFC 3325 9.1: a comma-separated list of name-addr and addr-spec. */
#include "fe-gateway/core/asserted.h"

#include <stdbool.h>

/* Behind a quoted-string that begins at `at`; SIZE_MAX: it does not end. */
static size_t skip_quoted(struct span s, size_t at)
{
	for (at++; at < s.n && s.p[at] != '"'; at++)
		if (s.p[at] == '\\')
			at++;
	return at < s.n ? at + 1 : SIZE_MAX;
}

/* The entry at *at without display name and brackets; *at moves behind it.
 * false: malformed. */
static bool next_entry(struct span s, size_t *at, struct span *uri_out)
{
	size_t i = *at;
	size_t end;

	*uri_out = SPAN_NULL;
	while (i < s.n && s.p[i] != ',') {
		if (s.p[i] == '"') {
			i = skip_quoted(s, i);
			if (i == SIZE_MAX)
				return false;
		} else if (s.p[i] == '<') {
			end = span_find(s, '>', i);
			if (end == SIZE_MAX)
				return false;
			*uri_out = span_sub(s, i + 1, end);
			i = end + 1;
		} else {
			i++;
		}
	}
	if (uri_out->p == NULL)
		*uri_out = span_trim(span_sub(s, *at, i));
	*at = i + 1;
	return true;
}

struct span asserted_sip_uri(struct span value)
{
	struct span uri;
	size_t at = 0;

	while (at < value.n && next_entry(value, &at, &uri))
		if (uri.n > 4 &&
		    span_ieq(span_sub(uri, 0, 4), SPAN_LIT("sip:")))
			return uri;
	return SPAN_NULL;
}
