/* Normalized, and near to what was typed. */
#include "deploy/fedctl/name.h"

#include <stdio.h>
#include <string.h>

#include "base/slip.h"
#include "xmpp/jid.h"

const char *name_domain(struct arena *a, const char *typed)
{
	char name[LIMIT_DOMAIN_BYTES + 3] = "*.";
	struct span in = span_trim(span_str(typed));
	size_t at = 0;

	if (span_starts(in, SPAN_LIT("*."))) {
		at = 2;
		in = span_sub(in, 2, SIZE_MAX);
	}
	if (domain_normalize(in, name + at, sizeof(name) - at) != 0)
		return arena_dup(a, span_trim(span_str(typed)));
	return arena_dup(a, span_str(name));
}

const char *name_user(struct arena *a, const char *typed)
{
	struct span in = span_trim(span_str(typed));
	bool is_sip = span_ieq(span_sub(in, 0, 4), SPAN_LIT("sip:"));
	bool is_sips = span_ieq(span_sub(in, 0, 5), SPAN_LIT("sips:"));
	struct jid j;

	if (is_sip || is_sips) {
		in = span_sub(in, is_sip ? 4 : 5, SIZE_MAX);
		in = span_sub(in, 0, span_find(in, ';', 0));
	}
	if (jid_parse(in, &j) != 0)
		return arena_dup(a, span_trim(span_str(typed)));
	return arena_dup(a, jid_bare(&j));
}

bool name_is_user(const char *typed)
{
	struct span in = span_str(typed);
	size_t at = span_find(in, '@', 0);

	return at > 0 && at < in.n && at + 1 < in.n;
}

void name_near_init(struct name_near *n, struct span typed)
{
	*n = (struct name_near){typed, NULL, SLIP_NEAR + 1};
}

void name_near_try(struct name_near *n, const char *name)
{
	size_t d = slip_distance(n->typed, span_str(name));

	/* a letter of it has to be right */
	if (d < n->distance && (d < n->typed.n || d < strlen(name))) {
		n->distance = d;
		n->best = name;
	}
}

struct name_hint name_near_hint(const struct name_near *n)
{
	struct name_hint h = {""};

	if (n->best != NULL)
		(void)snprintf(h.text, sizeof(h.text), "; did you mean \"%s\"?",
			       n->best);
	return h;
}
