/*
 * "TCP Dialback (required)", "TLS: required, SASL: optional": what the old
 * gateway's words for a method mean here.
 */
#include "deploy/fedctl/migrate_list.h"

#include <ctype.h>
#include <string.h>

/* Longer ones are no method. */
enum { METHOD_BYTES = 256 };

/* Letters and digits in lower case, one blank for everything between; no letter
 * of other scripts is lost, so that its word is not known. */
static void simplify(struct span in, char out[METHOD_BYTES])
{
	size_t n = 0;

	for (size_t i = 0; i < in.n && n + 2 < METHOD_BYTES; i++) {
		unsigned char c = (unsigned char)in.p[i];

		if (isalnum(c) || c >= 0x80)
			out[n++] = (char)tolower(c);
		else if (n > 0 && out[n - 1] != ' ')
			out[n++] = ' ';
	}
	while (n > 0 && out[n - 1] == ' ')
		n--;
	out[n] = '\0';
}

/* How the two of a stream are sure of each other. */
enum way {
	WAY_TCP_DIALBACK, /* the keys in a plain stream */
	WAY_TLS_DIALBACK,
	WAY_TLS,
	WAY_SASL,
	WAY_DIALBACK,
	WAYS,
};

/* What is said of a way. */
enum said {
	SAID_NOTHING, /* it is not named */
	SAID_NAMED,
	SAID_REQUIRED,
	SAID_OPTIONAL,
	SAID_OFF,
};

struct word {
	const char *text;
	int means;
};

/* Longer ones first. */
static const struct word ways[] = {
	{"tcp dialback", WAY_TCP_DIALBACK},
	{"tls dialback", WAY_TLS_DIALBACK},
	{"tls", WAY_TLS},
	{"sasl", WAY_SASL},
	{"dialback", WAY_DIALBACK},
	{NULL, 0},
};

static const struct word sayings[] = {
	{"required", SAID_REQUIRED},
	{"true", SAID_REQUIRED},
	{"on", SAID_REQUIRED},
	{"yes", SAID_REQUIRED},
	{"enabled", SAID_REQUIRED},
	{"always", SAID_REQUIRED},
	{"optional", SAID_OPTIONAL},
	{"not supported", SAID_OFF},
	{"notsupported", SAID_OFF},
	{"none", SAID_OFF},
	{"off", SAID_OFF},
	{"false", SAID_OFF},
	{"no", SAID_OFF},
	{"never", SAID_OFF},
	{"disabled", SAID_OFF},
	{NULL, 0},
};

/* They say nothing. */
static const struct word links[] = {
	{"over", 0},	    {"with", 0}, {"and", 0},  {"or", 0},
	{"via", 0},	    {"plus", 0}, {"only", 0}, {"external", 0},
	{"negotiation", 0}, {NULL, 0},
};

/* Go behind the first one that is there as a whole; NULL: none is. */
static const struct word *take(const char **text, const struct word *words)
{
	for (; words->text != NULL; words++) {
		size_t n = strlen(words->text);
		const char *end = *text + n;

		if (strncmp(*text, words->text, n) != 0 ||
		    (*end != ' ' && *end != '\0'))
			continue;
		*text = end + strspn(end, " ");
		return words;
	}
	return NULL;
}

/* What is said of each way; false: a word is not known, or two contradict. */
static bool read_words(const char *text, enum said said[WAYS])
{
	const struct word *w;
	int way = WAYS;

	while (*text != '\0') {
		w = take(&text, ways);
		if (w != NULL) {
			way = w->means;
			if (said[way] == SAID_NOTHING)
				said[way] = SAID_NAMED;
			continue;
		}
		w = take(&text, sayings);
		if (w == NULL && take(&text, links) == NULL)
			return false;
		if (w == NULL)
			continue;
		if (way == WAYS ||
		    (said[way] != SAID_NAMED && (int)said[way] != w->means))
			return false;
		said[way] = (enum said)w->means;
	}
	return way != WAYS;
}

static bool is_wanted(enum said s)
{
	return s != SAID_NOTHING && s != SAID_OFF;
}

static Fed__Need need_of(enum said s, Fed__Need when_named, Fed__Need when_not)
{
	switch (s) {
	case SAID_NAMED:
		return when_named;
	case SAID_REQUIRED:
		return FED__NEED__REQUIRED;
	case SAID_OPTIONAL:
		return FED__NEED__OPTIONAL;
	case SAID_OFF:
		return FED__NEED__OFF;
	case SAID_NOTHING:
		break;
	}
	return when_not;
}

/* "TCP dialback", "TLS dialback", one is wanted: how the stream is in which the
 * keys are; false: what is said of TLS is against it. */
static bool set_dialback(const enum said said[WAYS], struct migrate_method *out)
{
	bool is_tcp = is_wanted(said[WAY_TCP_DIALBACK]);
	bool is_tls = is_wanted(said[WAY_TLS_DIALBACK]);
	bool may_both = (is_tcp && is_tls) ||
			said[is_tcp ? WAY_TCP_DIALBACK : WAY_TLS_DIALBACK] ==
				SAID_OPTIONAL;
	Fed__Need tls = may_both ? FED__NEED__OPTIONAL
			: is_tcp ? FED__NEED__OFF
				 : FED__NEED__REQUIRED;

	out->tls =
		need_of(said[WAY_TLS], is_tcp ? FED__NEED__OPTIONAL : tls, tls);
	out->sasl =
		need_of(said[WAY_SASL], FED__NEED__OPTIONAL, FED__NEED__OFF);
	out->dialback = true;
	return said[WAY_DIALBACK] != SAID_OFF &&
	       (!is_tcp || out->tls != FED__NEED__REQUIRED) &&
	       (!is_tls || out->tls != FED__NEED__OFF);
}

/* No keys of either kind are wanted.  What is not named is not spoken. */
static void set_parts(const enum said said[WAYS], struct migrate_method *out)
{
	bool is_sasl = said[WAY_SASL] != SAID_NOTHING;
	bool is_off = said[WAY_TCP_DIALBACK] == SAID_OFF ||
		      said[WAY_TLS_DIALBACK] == SAID_OFF;

	out->tls = need_of(said[WAY_TLS], FED__NEED__REQUIRED,
			   is_sasl ? FED__NEED__REQUIRED : FED__NEED__OFF);
	out->sasl =
		need_of(said[WAY_SASL], FED__NEED__REQUIRED, FED__NEED__OFF);
	out->dialback = said[WAY_DIALBACK] != SAID_NOTHING
				? said[WAY_DIALBACK] != SAID_OFF
				: !is_sasl && !is_off;
}

/* SASL means certificates, which only TLS has. */
static bool is_something_left(const struct migrate_method *m)
{
	return m->dialback ||
	       (m->tls != FED__NEED__OFF && m->sasl != FED__NEED__OFF);
}

bool migrate_method_parse(struct span words, struct migrate_method *out)
{
	const struct migrate_method strict = {
		.tls = FED__NEED__REQUIRED,
		.sasl = FED__NEED__REQUIRED,
		.dialback = true,
	};
	enum said said[WAYS] = {SAID_NOTHING};
	char text[METHOD_BYTES];
	bool is_clear = true;

	*out = strict;
	if (words.n == 0 || words.n >= METHOD_BYTES)
		return false;
	simplify(words, text);
	if (!read_words(text, said))
		return false;
	if (is_wanted(said[WAY_TCP_DIALBACK]) ||
	    is_wanted(said[WAY_TLS_DIALBACK]))
		is_clear = set_dialback(said, out);
	else
		set_parts(said, out);
	if (is_clear && is_something_left(out))
		return true;
	*out = strict;
	return false;
}

bool migrate_method_is_named(struct span words)
{
	char simple[METHOD_BYTES];
	const char *text = simple;

	if (words.n >= METHOD_BYTES)
		return false;
	simplify(words, simple);
	while (*text != '\0') {
		if (take(&text, ways) != NULL)
			return true;
		text += strcspn(text, " ");
		text += strspn(text, " ");
	}
	return false;
}
