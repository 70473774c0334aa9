/* RFC 7247 tables 2 and 3, row by row. */
#include "fe-gateway/core/error_map.h"

#include <string.h>

#include "fe-gateway/core/address.h"
#include "fe-gateway/core/phrase.h"
#include "xmpp/stanza_error.h"
#include "xmpp/stanza_util.h"

/* Table 2: about a full JID, about a bare one. */
struct to_sip_row {
	int full;
	int bare;
};

static const struct to_sip_row to_sip[] = {
	[FED__CONDITION__BAD_REQUEST] = {400, 400},
	[FED__CONDITION__CONFLICT] = {400, 400},
	[FED__CONDITION__FEATURE_NOT_IMPLEMENTED] = {405, 501},
	[FED__CONDITION__FORBIDDEN] = {403, 603},
	[FED__CONDITION__GONE] = {410, 410},
	[FED__CONDITION__INTERNAL_SERVER_ERROR] = {500, 500},
	[FED__CONDITION__ITEM_NOT_FOUND] = {404, 604},
	[FED__CONDITION__JID_MALFORMED] = {400, 400},
	[FED__CONDITION__NOT_ACCEPTABLE] = {406, 606},
	[FED__CONDITION__NOT_ALLOWED] = {403, 403},
	/* 401 and 407 need a challenge (RFC 3261 20.27, 20.44), and there is
	 * no credential of this side that the other could check */
	[FED__CONDITION__NOT_AUTHORIZED] = {403, 403},
	[FED__CONDITION__POLICY_VIOLATION] = {403, 403},
	[FED__CONDITION__RECIPIENT_UNAVAILABLE] = {480, 600},
	[FED__CONDITION__REDIRECT] = {480, 480},
	[FED__CONDITION__REGISTRATION_REQUIRED] = {403, 403},
	[FED__CONDITION__REMOTE_SERVER_NOT_FOUND] = {404, 404},
	[FED__CONDITION__REMOTE_SERVER_TIMEOUT] = {408, 408},
	[FED__CONDITION__RESOURCE_CONSTRAINT] = {500, 500},
	/* never 503: a proxy would take the whole gateway for down */
	[FED__CONDITION__SERVICE_UNAVAILABLE] = {403, 403},
	[FED__CONDITION__SUBSCRIPTION_REQUIRED] = {400, 400},
	[FED__CONDITION__UNDEFINED_CONDITION] = {400, 400},
	[FED__CONDITION__UNEXPECTED_REQUEST] = {491, 491},
};

/* What only an INVITE may be answered with. */
static int for_method(int status, bool is_invite)
{
	if (is_invite)
		return status;
	if (status == 408) /* RFC 4320 4.2 */
		return 504;
	return status == 491 ? 400 : status;
}

static int status_of(const Fed__Error *e, bool is_full_jid, bool is_invite)
{
	size_t i = (size_t)e->condition;

	if (e->condition <= FED__CONDITION__NO_CONDITION ||
	    i >= FED_ARRAY_LEN(to_sip)) /* RFC 6120 8.3.2 */
		i = (size_t)FED__CONDITION__UNDEFINED_CONDITION;
	/* the name cannot be resolved now, which is not the same as never */
	if (e->condition == FED__CONDITION__REMOTE_SERVER_NOT_FOUND &&
	    e->type == FED__ERROR_TYPE__WAIT)
		i = (size_t)FED__CONDITION__REMOTE_SERVER_TIMEOUT;
	if (e->detail == FED__ERROR_DETAIL__STANZA_TOO_BIG)
		return 513;
	return for_method(is_full_jid ? to_sip[i].full : to_sip[i].bare,
			  is_invite);
}

/* The address of <gone/> or <redirect/> as a Contact; false: it has none that
 * SIP can use. */
static bool map_address(const Fed__Error *e, struct sip_failure *out)
{
	struct buf uri;
	struct span text;
	bool is_mapped;

	if (e->address == NULL || e->address[0] == '\0')
		return false;
	buf_init(&uri, LIMIT_SIP_CONTACT_BYTES);
	is_mapped = address_iri_to_uri(span_str(e->address), &uri) == 0;
	if (is_mapped) {
		text = buf_span(&uri);
		memcpy(out->contact, text.p, text.n);
		out->contact[text.n] = '\0';
	}
	buf_deinit(&uri);
	return is_mapped;
}

void error_map_status(int status, struct sip_failure *out)
{
	out->status = status;
	out->contact[0] = '\0';
	phrase_clean(span_str(error_map_phrase(status)), out->phrase);
}

void error_map_to_sip(const Fed__Error *e, bool is_full_jid, bool is_invite,
		      struct sip_failure *out)
{
	const Fed__Text *text;

	if (e == NULL) {
		error_map_status(500, out);
		return;
	}
	error_map_status(status_of(e, is_full_jid, is_invite), out);
	if (e->condition == FED__CONDITION__GONE && map_address(e, out))
		out->status = 301;
	if (e->condition == FED__CONDITION__REDIRECT && map_address(e, out))
		out->status = 302;
	text = stanza_pick_text(e->text, e->n_text, "en");
	if (text == NULL || !phrase_clean(span_str(text->text), out->phrase))
		phrase_clean(span_str(error_map_phrase(out->status)),
			     out->phrase);
}

/* Table 3. */
struct from_sip_row {
	int status;
	Fed__Condition condition;
	Fed__ErrorType type;
};

#define ROW(status, condition, type)                                         \
	{                                                                    \
		status, FED__CONDITION__##condition, FED__ERROR_TYPE__##type \
	}

static const struct from_sip_row from_sip[] = {
	ROW(301, GONE, CANCEL),
	ROW(380, NOT_ACCEPTABLE, MODIFY),
	ROW(401, NOT_AUTHORIZED, AUTH),
	ROW(403, FORBIDDEN, AUTH),
	ROW(404, ITEM_NOT_FOUND, CANCEL),
	ROW(405, FEATURE_NOT_IMPLEMENTED, CANCEL),
	ROW(406, NOT_ACCEPTABLE, MODIFY),
	ROW(407, REGISTRATION_REQUIRED, AUTH),
	ROW(408, REMOTE_SERVER_TIMEOUT, WAIT),
	ROW(410, GONE, CANCEL),
	ROW(413, POLICY_VIOLATION, MODIFY),
	ROW(414, POLICY_VIOLATION, MODIFY),
	ROW(415, NOT_ACCEPTABLE, MODIFY),
	ROW(416, NOT_ACCEPTABLE, MODIFY),
	ROW(420, FEATURE_NOT_IMPLEMENTED, CANCEL),
	ROW(421, NOT_ACCEPTABLE, MODIFY),
	ROW(423, RESOURCE_CONSTRAINT, WAIT),
	ROW(430, RECIPIENT_UNAVAILABLE, WAIT),	   /* RFC 5626 */
	ROW(439, FEATURE_NOT_IMPLEMENTED, CANCEL), /* RFC 5626 */
	ROW(440, POLICY_VIOLATION, MODIFY),	   /* RFC 5393 */
	ROW(480, RECIPIENT_UNAVAILABLE, WAIT),
	ROW(481, ITEM_NOT_FOUND, CANCEL),
	ROW(482, NOT_ACCEPTABLE, MODIFY),
	ROW(483, NOT_ACCEPTABLE, MODIFY),
	ROW(484, ITEM_NOT_FOUND, CANCEL),
	ROW(485, ITEM_NOT_FOUND, CANCEL),
	ROW(486, RECIPIENT_UNAVAILABLE, WAIT),
	ROW(487, RECIPIENT_UNAVAILABLE, WAIT),
	ROW(488, NOT_ACCEPTABLE, MODIFY),
	ROW(489, POLICY_VIOLATION, MODIFY), /* RFC 6665 */
	ROW(491, UNEXPECTED_REQUEST, WAIT),
	ROW(501, FEATURE_NOT_IMPLEMENTED, CANCEL),
	ROW(502, REMOTE_SERVER_NOT_FOUND, CANCEL),
	ROW(504, REMOTE_SERVER_TIMEOUT, WAIT),
	ROW(505, NOT_ACCEPTABLE, MODIFY),
	ROW(513, POLICY_VIOLATION, MODIFY),
	ROW(604, ITEM_NOT_FOUND, CANCEL),
	ROW(606, NOT_ACCEPTABLE, MODIFY),
};

/* All others of a class, by the hundred: 402 and 493 are among them, and 503,
 * which is not service-unavailable, and 603, which is not forbidden. */
static const struct from_sip_row from_sip_class[] = {
	[3] = ROW(300, REDIRECT, MODIFY),
	[4] = ROW(400, BAD_REQUEST, MODIFY),
	[5] = ROW(500, INTERNAL_SERVER_ERROR, CANCEL),
	[6] = ROW(600, RECIPIENT_UNAVAILABLE, WAIT),
};

static const struct from_sip_row *row_of(int status)
{
	for (size_t i = 0; i < FED_ARRAY_LEN(from_sip); i++)
		if (from_sip[i].status == status)
			return &from_sip[i];
	if (status < 300 || status > 699)
		status = 500;
	return &from_sip_class[status / 100];
}

static int new_error(struct arena *a, const struct from_sip_row *row,
		     Fed__Error **error_out)
{
	*error_out = stanza_error_new(a, row->condition, NULL);
	if (*error_out == NULL)
		return FED_ENOMEM;
	(*error_out)->type = row->type;
	return 0;
}

/* xmpp: URI of a Contact in the arena; *iri_out is NULL when it has none. */
static int map_contact(struct span uri, struct arena *a, char **iri_out)
{
	struct buf iri;
	int err;

	*iri_out = NULL;
	if (uri.n == 0)
		return 0;
	buf_init(&iri, LIMIT_SIP_URI_BYTES);
	err = address_uri_to_iri(uri, &iri);
	if (err == 0) {
		*iri_out = arena_dup(a, buf_span(&iri));
		err = *iri_out == NULL ? FED_ENOMEM : 0;
	}
	buf_deinit(&iri);
	return err == FED_ENOMEM ? err : 0;
}

/* The reason as <text/>; one that is not text is left out. */
static int add_phrase(struct span phrase, struct arena *a, Fed__Error *e)
{
	char text[LIMIT_SIP_PHRASE_BYTES + 1];

	if (!phrase_clean(phrase, text))
		return 0;
	return stanza_add_text(a, &e->text, &e->n_text, SPAN_NULL,
			       span_str(text));
}

int error_map_from_sip(int status, struct span phrase, struct span contact_uri,
		       struct arena *a, Fed__Error **error_out)
{
	static const struct from_sip_row no_target =
		ROW(480, RECIPIENT_UNAVAILABLE, WAIT);
	const struct from_sip_row *row = row_of(status);
	char *iri = NULL;
	int err = 0;

	*error_out = NULL;
	if (status >= 100 && status <= 299)
		return 0;
	/* 410 is <gone/> too, but must not name an address */
	if (row->status == 301 || row->status == 300)
		err = map_contact(contact_uri, a, &iri);
	if (row->status == 300 && iri == NULL)
		row = &no_target;
	if (err == 0)
		err = new_error(a, row, error_out);
	if (err != 0)
		return err;
	if (iri != NULL)
		(*error_out)->address = iri;
	if (status == 413 || status == 513)
		(*error_out)->detail = FED__ERROR_DETAIL__STANZA_TOO_BIG;
	return add_phrase(phrase, a, *error_out);
}

struct cause_row {
	Fed__Condition condition;
	Fed__ErrorType type;
	int status;
	const char *text;
};

#define CAUSE(condition, type, status, text)                                  \
	{                                                                     \
		FED__CONDITION__##condition, FED__ERROR_TYPE__##type, status, \
			text                                                  \
	}

/* RFC 3261 8.1.3.1 reads a transport error as 503, which would become
 * internal-server-error: the sender is told to try later instead. */
static const struct cause_row causes[] = {
	[ERROR_MAP_TIMEOUT] =
		CAUSE(REMOTE_SERVER_TIMEOUT, WAIT, 408, "No answer in time"),
	[ERROR_MAP_TRANSPORT] = CAUSE(REMOTE_SERVER_TIMEOUT, WAIT, 408,
				      "Server cannot be reached"),
	[ERROR_MAP_DNS] = CAUSE(REMOTE_SERVER_NOT_FOUND, CANCEL, 404,
				"Server has no address"),
	[ERROR_MAP_OVERLOAD] =
		CAUSE(RESOURCE_CONSTRAINT, WAIT, 500, "Gateway is busy"),
	[ERROR_MAP_USER_BUSY] = CAUSE(RESOURCE_CONSTRAINT, WAIT, 500,
				      "Too many messages wait for this user"),
	[ERROR_MAP_DENIED] =
		CAUSE(POLICY_VIOLATION, MODIFY, 403, "Not allowed by policy"),
	[ERROR_MAP_LOOP] = CAUSE(NOT_ACCEPTABLE, CANCEL, 404,
				 "Address leads back to its own side"),
	[ERROR_MAP_INTERNAL] =
		CAUSE(INTERNAL_SERVER_ERROR, CANCEL, 500, "Gateway failed"),
};

static const struct cause_row *cause_row(enum error_map_cause cause)
{
	size_t i = (size_t)cause;

	return &causes[i < FED_ARRAY_LEN(causes) ? i
						 : (size_t)ERROR_MAP_INTERNAL];
}

Fed__Error *error_map_from_cause(enum error_map_cause cause, struct arena *a)
{
	const struct cause_row *row = cause_row(cause);
	Fed__Error *e = stanza_error_new(a, row->condition, row->text);

	if (e != NULL)
		e->type = row->type;
	return e;
}

void error_map_cause_to_sip(enum error_map_cause cause, bool is_invite,
			    struct sip_failure *out)
{
	error_map_status(for_method(cause_row(cause)->status, is_invite), out);
}

void error_map_conceal(Fed__Error *e)
{
	if (e->condition != FED__CONDITION__ITEM_NOT_FOUND &&
	    e->condition != FED__CONDITION__RECIPIENT_UNAVAILABLE &&
	    e->condition != FED__CONDITION__GONE &&
	    e->condition != FED__CONDITION__REDIRECT)
		return;
	e->condition = FED__CONDITION__SERVICE_UNAVAILABLE;
	e->type = FED__ERROR_TYPE__CANCEL;
	/* the words would tell what the condition hides */
	e->n_text = 0;
	e->text = NULL;
	e->address = (char *)(uintptr_t)protobuf_c_empty_string;
}
