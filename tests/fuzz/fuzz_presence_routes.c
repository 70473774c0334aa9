/* Record-Route and Contact of a peer, a line each: whatever they are, no header
 * of ours is made of them but those that are meant. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "fe-gateway/core/dialog_route.h"
#include "fe-gateway/core/hop_uri.h"
#include "fe-gateway/core/media_range.h"
#include "fe-gateway/core/sip_text.h"

static void require(bool is_right)
{
	if (!is_right)
		abort();
}

/* Twice turned around it is as it was, and there are as many. */
static void check_set(const char *routes, struct arena *a)
{
	const char *back, *again;

	require(strlen(routes) <= LIMIT_DIALOG_ROUTES_BYTES);
	require(dialog_route_of_response(span_str(routes), a, &back) == 0);
	require(dialog_route_of_response(span_str(back), a, &again) == 0);
	require(strcmp(again, routes) == 0);
}

static void check_uri(const char *uri)
{
	require(sip_text_is_solid(span_str(uri)));
	require(strpbrk(uri, "<>\"") == NULL);
}

/* The library would make headers of those of a Request-URI. */
static void check_no_headers(const char *uri)
{
	const char *host = strchr(uri, '@');

	require(strchr(host != NULL ? host : uri, '?') == NULL);
}

static void check_way(struct span routes, struct span target, struct arena *a)
{
	struct dialog_route way;
	struct span entry;
	size_t at = 0;
	int more = 1;

	if (dialog_route_request(routes, target, a, &way) != 0)
		return;
	check_uri(way.request_uri);
	check_no_headers(way.request_uri);
	check_uri(way.destination);
	check_no_headers(way.destination);
	while (way.routes != NULL && more == 1)
		more = dialog_route_next(span_str(way.routes), &at, &entry);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size);
	size_t end = span_find(in, '\n', 0);
	struct span records = span_sub(in, 0, end);
	struct span target =
		end == SIZE_MAX ? SPAN_NULL : span_sub(in, end + 1, in.n);
	const char *routes = NULL;
	struct arena a;

	if (memchr(data, 0, size) != NULL)
		return 0;
	arena_init(&a, 1u << 20);
	if (dialog_route_of_request(records, &a, &routes) == 0 &&
	    routes != NULL)
		check_set(routes, &a);
	check_way(records, target, &a);
	if (routes != NULL)
		check_way(span_str(routes), target, &a);
	(void)media_range_allows(in, SPAN_LIT("application/pidf+xml"));
	arena_deinit(&a);
	return 0;
}
