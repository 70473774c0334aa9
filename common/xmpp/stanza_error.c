/* Condition names and usual types of stanza errors. */
#include "xmpp/stanza_error.h"

#include <string.h>

struct condition_row {
	const char *name;
	Fed__ErrorType usual_type;
};

/* indexed by Fed__Condition; types as RFC 6120 8.3.3 recommends them */
static const struct condition_row conditions[] = {
	[FED__CONDITION__BAD_REQUEST] = {"bad-request",
					 FED__ERROR_TYPE__MODIFY},
	[FED__CONDITION__CONFLICT] = {"conflict", FED__ERROR_TYPE__CANCEL},
	[FED__CONDITION__FEATURE_NOT_IMPLEMENTED] = {"feature-not-implemented",
						     FED__ERROR_TYPE__CANCEL},
	[FED__CONDITION__FORBIDDEN] = {"forbidden", FED__ERROR_TYPE__AUTH},
	[FED__CONDITION__GONE] = {"gone", FED__ERROR_TYPE__CANCEL},
	[FED__CONDITION__INTERNAL_SERVER_ERROR] = {"internal-server-error",
						   FED__ERROR_TYPE__CANCEL},
	[FED__CONDITION__ITEM_NOT_FOUND] = {"item-not-found",
					    FED__ERROR_TYPE__CANCEL},
	[FED__CONDITION__JID_MALFORMED] = {"jid-malformed",
					   FED__ERROR_TYPE__MODIFY},
	[FED__CONDITION__NOT_ACCEPTABLE] = {"not-acceptable",
					    FED__ERROR_TYPE__MODIFY},
	[FED__CONDITION__NOT_ALLOWED] = {"not-allowed",
					 FED__ERROR_TYPE__CANCEL},
	[FED__CONDITION__NOT_AUTHORIZED] = {"not-authorized",
					    FED__ERROR_TYPE__AUTH},
	[FED__CONDITION__POLICY_VIOLATION] = {"policy-violation",
					      FED__ERROR_TYPE__MODIFY},
	[FED__CONDITION__RECIPIENT_UNAVAILABLE] = {"recipient-unavailable",
						   FED__ERROR_TYPE__WAIT},
	[FED__CONDITION__REDIRECT] = {"redirect", FED__ERROR_TYPE__MODIFY},
	[FED__CONDITION__REGISTRATION_REQUIRED] = {"registration-required",
						   FED__ERROR_TYPE__AUTH},
	[FED__CONDITION__REMOTE_SERVER_NOT_FOUND] = {"remote-server-not-found",
						     FED__ERROR_TYPE__CANCEL},
	[FED__CONDITION__REMOTE_SERVER_TIMEOUT] = {"remote-server-timeout",
						   FED__ERROR_TYPE__WAIT},
	[FED__CONDITION__RESOURCE_CONSTRAINT] = {"resource-constraint",
						 FED__ERROR_TYPE__WAIT},
	[FED__CONDITION__SERVICE_UNAVAILABLE] = {"service-unavailable",
						 FED__ERROR_TYPE__CANCEL},
	[FED__CONDITION__SUBSCRIPTION_REQUIRED] = {"subscription-required",
						   FED__ERROR_TYPE__AUTH},
	[FED__CONDITION__UNDEFINED_CONDITION] = {"undefined-condition",
						 FED__ERROR_TYPE__CANCEL},
	[FED__CONDITION__UNEXPECTED_REQUEST] = {"unexpected-request",
						FED__ERROR_TYPE__WAIT},
};

/* RFC 6120 8.3.2: what is not known is an undefined condition. */
static const struct condition_row *row_of(Fed__Condition c)
{
	size_t i = (size_t)c;

	if (c <= FED__CONDITION__NO_CONDITION || i >= FED_ARRAY_LEN(conditions))
		i = (size_t)FED__CONDITION__UNDEFINED_CONDITION;
	return &conditions[i];
}

const char *stanza_error_name(Fed__Condition c)
{
	return row_of(c)->name;
}

Fed__Condition stanza_error_parse(const char *name)
{
	for (size_t i = 1; i < FED_ARRAY_LEN(conditions); i++)
		if (strcmp(conditions[i].name, name) == 0)
			return (Fed__Condition)i;
	return FED__CONDITION__UNDEFINED_CONDITION;
}

Fed__ErrorType stanza_error_usual_type(Fed__Condition c)
{
	return row_of(c)->usual_type;
}

static const char *const type_names[] = {
	[FED__ERROR_TYPE__AUTH] = "auth",
	[FED__ERROR_TYPE__CANCEL] = "cancel",
	[FED__ERROR_TYPE__CONTINUE] = "continue",
	[FED__ERROR_TYPE__MODIFY] = "modify",
	[FED__ERROR_TYPE__WAIT] = "wait",
};

const char *stanza_error_type_name(Fed__ErrorType t)
{
	size_t i = (size_t)t;

	if (t <= FED__ERROR_TYPE__NO_ERROR_TYPE ||
	    i >= FED_ARRAY_LEN(type_names))
		i = (size_t)FED__ERROR_TYPE__CANCEL;
	return type_names[i];
}

Fed__ErrorType stanza_error_type_parse(const char *name)
{
	for (size_t i = 1; i < FED_ARRAY_LEN(type_names); i++)
		if (strcmp(type_names[i], name) == 0)
			return (Fed__ErrorType)i;
	return FED__ERROR_TYPE__CANCEL;
}

static int add_english(struct arena *a, Fed__Error *e, const char *text)
{
	Fed__Text *t = arena_alloc(a, sizeof(*t));
	void **list = NULL;

	if (t == NULL)
		return FED_ENOMEM;
	fed__text__init(t);
	t->lang = arena_dup(a, SPAN_LIT("en"));
	t->text = arena_dup(a, span_str(text));
	if (t->lang == NULL || t->text == NULL ||
	    arena_append(a, &list, &e->n_text, t) != 0)
		return FED_ENOMEM;
	e->text = (Fed__Text **)list;
	return 0;
}

Fed__Error *stanza_error_new(struct arena *a, Fed__Condition c,
			     const char *text)
{
	Fed__Error *e = arena_alloc(a, sizeof(*e));

	if (e == NULL)
		return NULL;
	fed__error__init(e);
	e->condition = c;
	e->type = stanza_error_usual_type(c);
	if (text != NULL && add_english(a, e, text) != 0)
		return NULL;
	return e;
}
