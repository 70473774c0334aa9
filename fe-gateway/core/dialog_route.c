/* Route sets, as RFC 3261 12.1.1, 12.1.2 and 12.2.1.1 have them. */
#include "fe-gateway/core/dialog_route.h"

#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "fe-gateway/core/address.h"
#include "fe-gateway/core/sip_text.h"

/* --- lists --------------------------------------------------------------- */

/* Behind a quoted-string that begins at `at`; SIZE_MAX: it does not end. */
static size_t skip_quoted(struct span s, size_t at)
{
	for (at++; at < s.n && s.p[at] != '"'; at++)
		if (s.p[at] == '\\')
			at++;
	return at < s.n ? at + 1 : SIZE_MAX;
}

/* Behind what begins at `at`: a quoted-string, <> or one character. */
static size_t skip_piece(struct span s, size_t at)
{
	size_t end;

	if (s.p[at] == '"')
		return skip_quoted(s, at);
	if (s.p[at] != '<')
		return at + 1;
	end = span_find(s, '>', at);
	return end != SIZE_MAX ? end + 1 : SIZE_MAX;
}

int dialog_route_next(struct span list, size_t *at, struct span *entry_out)
{
	while (*at < list.n) {
		size_t i = *at;

		while (i < list.n && list.p[i] != ',') {
			i = skip_piece(list, i);
			if (i == SIZE_MAX)
				return FED_EINVAL;
		}
		*entry_out = span_trim(span_sub(list, *at, i));
		*at = i < list.n ? i + 1 : i;
		if (entry_out->n > 0)
			return 1;
	}
	return 0;
}

/* What stands between the <> of an entry, which must be a URI there. */
static int uri_of(struct span entry, struct span *uri_out)
{
	size_t at = 0;

	while (at < entry.n && entry.p[at] != '<') {
		at = skip_piece(entry, at);
		if (at == SIZE_MAX)
			return FED_EINVAL;
	}
	if (at == entry.n)
		return FED_EINVAL;
	*uri_out = span_sub(entry, at + 1, span_find(entry, '>', at));
	return sip_text_is_solid(*uri_out) ? 0 : FED_EINVAL;
}

/* --- route sets ---------------------------------------------------------- */

static int split(struct span records, struct span out[LIMIT_DIALOG_ROUTES],
		 size_t *count_out)
{
	struct span entry, uri;
	size_t at = 0;
	size_t n = 0;
	int more;

	if (records.n > LIMIT_DIALOG_ROUTES_BYTES)
		return FED_ELIMIT;
	while ((more = dialog_route_next(records, &at, &entry)) == 1) {
		if (uri_of(entry, &uri) != 0)
			return FED_EINVAL;
		if (n == LIMIT_DIALOG_ROUTES)
			return FED_ELIMIT;
		out[n++] = entry;
	}
	*count_out = n;
	return more;
}

/* What is in `b` into the arena; NULL when it is empty. */
static int keep(struct buf *b, struct arena *a, const char **out)
{
	int err = b->is_failed ? FED_ENOMEM : 0;

	*out = NULL;
	if (err == 0 && buf_len(b) > 0) {
		*out = arena_dup(a, buf_span(b));
		err = *out != NULL ? 0 : FED_ENOMEM;
	}
	buf_deinit(b);
	return err;
}

static void put_entry(struct buf *b, struct span entry)
{
	if (buf_len(b) > 0)
		(void)buf_put_str(b, ", ");
	(void)buf_put_span(b, entry);
}

static int copy(struct span records, bool is_reversed, struct arena *a,
		const char **routes_out)
{
	struct span entries[LIMIT_DIALOG_ROUTES];
	size_t n = 0;
	int err = split(records, entries, &n);
	struct buf b;

	if (err != 0)
		return err;
	/* a blank more behind each comma */
	buf_init(&b, LIMIT_DIALOG_ROUTES_BYTES + LIMIT_DIALOG_ROUTES);
	for (size_t i = 0; i < n; i++)
		put_entry(&b, entries[is_reversed ? n - 1 - i : i]);
	if (buf_len(&b) > LIMIT_DIALOG_ROUTES_BYTES) {
		buf_deinit(&b);
		return FED_ELIMIT;
	}
	return keep(&b, a, routes_out);
}

int dialog_route_of_request(struct span records, struct arena *a,
			    const char **routes_out)
{
	return copy(records, false, a, routes_out);
}

int dialog_route_of_response(struct span records, struct arena *a,
			     const char **routes_out)
{
	return copy(records, true, a, routes_out);
}

/* --- requests ------------------------------------------------------------ */

/* A URI in its parts, the headers left out; '?' and ';' may stand in the user
 * part too. */
struct parts {
	struct span head;   /* up to the host and its port */
	struct span params; /* with their semicolons */
};

static int cut(struct span uri, struct parts *out)
{
	struct address_uri u;
	int err = address_uri_split(uri, &u);
	size_t from, end, semicolon;

	/* between brackets anything is a host */
	if (err != 0 || span_find(u.host, '?', 0) != SIZE_MAX ||
	    span_find(u.host, ';', 0) != SIZE_MAX)
		return FED_EINVAL;
	from = (size_t)(u.host.p - uri.p) + u.host.n;
	end = span_find(uri, '?', from);
	end = end < uri.n ? end : uri.n;
	semicolon = span_find(uri, ';', from);
	semicolon = semicolon < end ? semicolon : end;
	out->head = span_sub(uri, 0, semicolon);
	out->params = span_sub(uri, semicolon, end);
	return 0;
}

static bool is_named(struct span param, struct span name)
{
	return span_ieq(span_trim(span_sub(param, 0, span_find(param, '=', 0))),
			name);
}

/* The parameter at *at, its semicolon left out; false: none is left. */
static bool next_param(struct span params, size_t *at, struct span *out)
{
	size_t end;

	if (*at >= params.n)
		return false;
	end = span_find(params, ';', *at + 1);
	end = end < params.n ? end : params.n;
	*out = span_sub(params, *at + 1, end);
	*at = end;
	return true;
}

static int is_loose(struct span uri, bool *out)
{
	struct span param;
	struct parts p;
	size_t at = 0;
	int err = cut(uri, &p);

	*out = false;
	while (err == 0 && next_param(p.params, &at, &param))
		if (is_named(param, SPAN_LIT("lr")))
			*out = true;
	return err;
}

/* As a Request-URI (RFC 3261 19.1.1: no headers, no method). */
static int bare(struct span uri, struct arena *a, const char **out)
{
	struct span param;
	struct parts p;
	size_t at = 0;
	struct buf b;
	int err = cut(uri, &p);

	if (err != 0)
		return err;
	buf_init(&b, LIMIT_SIP_URI_BYTES);
	(void)buf_put_span(&b, p.head);
	while (next_param(p.params, &at, &param)) {
		if (is_named(param, SPAN_LIT("method")))
			continue;
		(void)buf_put_byte(&b, ';');
		(void)buf_put_span(&b, param);
	}
	return keep(&b, a, out);
}

/* The routes behind the first, and the target at their end. */
static int strict_routes(struct span rest, const char *target, struct arena *a,
			 const char **routes_out)
{
	rest = span_trim(rest);
	*routes_out = arena_printf(a, "%.*s%s<%s>", (int)rest.n,
				   rest.n > 0 ? rest.p : "",
				   rest.n > 0 ? ", " : "", target);
	return *routes_out != NULL ? 0 : FED_ENOMEM;
}

static int own(struct span text, struct arena *a, const char **out)
{
	*out = arena_dup(a, text);
	return *out != NULL ? 0 : FED_ENOMEM;
}

int dialog_route_request(struct span routes, struct span target,
			 struct arena *a, struct dialog_route *out)
{
	struct span entry, first;
	size_t at = 0;
	bool loose = true;
	int more;
	int err;

	*out = (struct dialog_route){.routes = NULL};
	if (routes.n > LIMIT_DIALOG_ROUTES_BYTES ||
	    target.n > LIMIT_SIP_URI_BYTES)
		return FED_ELIMIT;
	err = bare(target, a, &out->request_uri);
	if (err != 0)
		return err;
	more = dialog_route_next(routes, &at, &entry);
	if (more < 0)
		return more;
	if (more == 0) {
		out->destination = out->request_uri;
		return 0;
	}
	err = uri_of(entry, &first);
	if (err == 0)
		err = is_loose(first, &loose);
	if (err == 0)
		err = bare(first, a, &out->destination);
	if (err != 0)
		return err;
	if (loose)
		return own(routes, a, &out->routes);
	err = strict_routes(span_sub(routes, at, routes.n), out->request_uri, a,
			    &out->routes);
	out->request_uri = out->destination;
	return err;
}
