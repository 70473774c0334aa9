/*
 * "TCP Dialback (required)", "TLS: required, SASL: optional": what the old
 * gateway's words for a method mean here.
 */
#include "deploy/fedctl/migrate_list.h"

#include <ctype.h>
#include <string.h>

/* Longer ones are no method. */
enum { METHOD_BYTES = 256 };

/* Letters and digits in lower case, one blank for everything between. */
static void simplify(struct span in, char out[METHOD_BYTES])
{
	size_t n = 0;

	for (size_t i = 0; i < in.n && n + 2 < METHOD_BYTES; i++) {
		unsigned char c = (unsigned char)in.p[i];

		if (isalnum(c))
			out[n++] = (char)tolower(c);
		else if (n > 0 && out[n - 1] != ' ')
			out[n++] = ' ';
	}
	while (n > 0 && out[n - 1] == ' ')
		n--;
	out[n] = '\0';
}

static bool starts(const char *text, const char *head)
{
	return strncmp(text, head, strlen(head)) == 0;
}

/* The word is there as a whole; what is behind it, else NULL. */
static const char *behind(const char *text, const char *word)
{
	size_t n = strlen(word);
	const char *p = text;

	while ((p = strstr(p, word)) != NULL) {
		if ((p == text || p[-1] == ' ') &&
		    (p[n] == ' ' || p[n] == '\0'))
			return p[n] == ' ' ? p + n + 1 : p + n;
		p += n;
	}
	return NULL;
}

/* "required", "not supported", "off"... */
static Fed__Need need_of(const char *text, Fed__Need otherwise)
{
	if (text == NULL)
		return otherwise;
	if (starts(text, "required") || starts(text, "true") ||
	    starts(text, "on"))
		return FED__NEED__REQUIRED;
	if (starts(text, "optional"))
		return FED__NEED__OPTIONAL;
	if (starts(text, "not supported") || starts(text, "notsupported") ||
	    starts(text, "none") || starts(text, "off") ||
	    starts(text, "false"))
		return FED__NEED__OFF;
	return otherwise;
}

/* "TCP dialback", "TLS dialback": how the stream is in which the keys are. */
static bool parse_dialback(const char *text, struct migrate_method *out)
{
	const char *tcp = behind(text, "tcp dialback");
	const char *tls = behind(text, "tls dialback");
	bool may_both = (tcp != NULL && tls != NULL) ||
			need_of(tcp != NULL ? tcp : tls, FED__NEED__REQUIRED) ==
				FED__NEED__OPTIONAL;

	if (tcp == NULL && tls == NULL)
		return false;
	out->tls = may_both	 ? FED__NEED__OPTIONAL
		   : tcp != NULL ? FED__NEED__OFF
				 : FED__NEED__REQUIRED;
	out->sasl = FED__NEED__OFF;
	out->dialback = true;
	return true;
}

bool migrate_method_parse(struct span words, struct migrate_method *out)
{
	char text[METHOD_BYTES];
	const char *tls, *sasl, *dialback;
	bool has_way;

	*out = (struct migrate_method){FED__NEED__REQUIRED, FED__NEED__REQUIRED,
				       true};
	if (words.n == 0 || words.n >= METHOD_BYTES)
		return false;
	simplify(words, text);
	has_way = parse_dialback(text, out);
	tls = has_way ? NULL : behind(text, "tls");
	sasl = behind(text, "sasl");
	dialback = has_way ? NULL : behind(text, "dialback");
	if (!has_way && tls == NULL && sasl == NULL && dialback == NULL)
		return false;
	if (has_way) {
		if (sasl != NULL)
			out->sasl = need_of(sasl, FED__NEED__OPTIONAL);
		return true;
	}
	/* what is not named is not spoken */
	out->tls =
		need_of(tls, tls != NULL || sasl != NULL ? FED__NEED__REQUIRED
							 : FED__NEED__OFF);
	out->sasl = need_of(sasl, sasl != NULL ? FED__NEED__REQUIRED
					       : FED__NEED__OFF);
	out->dialback = dialback != NULL
				? need_of(dialback, FED__NEED__REQUIRED) !=
					  FED__NEED__OFF
				: sasl == NULL;
	return true;
}
