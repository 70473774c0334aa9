/* What rows say, for those who copy, compare and show them. */
#include "fe-gateway/core/presence_rows.h"

#include <string.h>

const char *presence_auth_name(enum presence_auth auth)
{
	switch (auth) {
	case PRESENCE_NONE:
		return "none";
	case PRESENCE_PENDING:
		return "pending";
	case PRESENCE_ALLOWED:
		return "allowed";
	}
	return "unknown";
}

size_t presence_row_spans(struct presence_row *row,
			  struct span *out[PRESENCE_ROW_SPANS])
{
	struct presence_watch_row *w = &row->u.watch;
	struct presence_dialog_row *d = &row->u.dialog;
	struct span *watch[] = {&w->local, &w->remote, &w->told};
	struct span *dialog[] = {
		&d->call_id,	&d->local_tag, &d->local,      &d->remote,
		&d->remote_tag, &d->local_uri, &d->remote_uri, &d->target,
		&d->routes,	&d->event_id,
	};

	_Static_assert(FED_ARRAY_LEN(dialog) == PRESENCE_ROW_SPANS, "spans");
	if (row->kind == PRESENCE_ROW_WATCH) {
		memcpy(out, watch, sizeof(watch));
		return FED_ARRAY_LEN(watch);
	}
	memcpy(out, dialog, sizeof(dialog));
	return FED_ARRAY_LEN(dialog);
}
