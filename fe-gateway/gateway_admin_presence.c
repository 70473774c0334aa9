/* fedctl asks the gateway who watches whom. */
#include <stdlib.h>

#include "chan/admin_watch.h"
#include "fe-gateway/gateway_admin.h"
#include "fe-gateway/gateway_admin_explain.h"
#include "fe-gateway/gateway_session_priv.h"
#include "io/admin_show.h"

enum {
	/* watches of one response */
	PRESENCE_BATCH = 16,
	/* ... and none is added to so much: what has documents is alone */
	PRESENCE_BATCH_BYTES = 16 * 1024,
};

/* ---- targets ------------------------------------------------------------- */

static void say_wrong_target(struct arena *a, Fed__AdminResponse *out,
			     const char *target)
{
	const char *error = gateway_address_complain(a, target);

	if (error == NULL)
		admin_show_no_memory(out);
	else
		admin_show_error(out, error);
}

/* ---- the walk ------------------------------------------------------------ */

/* State of a call. */
struct presence_walk {
	struct presence_cursor cursor;
	struct presence_repaired done; /* REPAIR */
};

static struct presence *core_of(const struct gateway_session *s)
{
	return gateway_presence_core(s->presence);
}

/* ---- show and diff ------------------------------------------------------- */

static void drop_documents(Fed__PresenceWatch *w)
{
	for (size_t i = 0; i < w->n_dialog; i++)
		w->dialog[i]->document = (ProtobufCBinaryData){0, NULL};
}

static size_t document_bytes(const Fed__PresenceWatch *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->n_dialog; i++)
		n += w->dialog[i]->document.len;
	return n;
}

static bool is_wanted(const Fed__AdminPresence *what, Fed__PresenceWatch *w)
{
	bool is_diff = what->what == FED__ADMIN_PRESENCE__WHAT__DIFF;

	if (is_diff || document_bytes(w) > LIMIT_ADMIN_DOCUMENTS_BYTES)
		drop_documents(w);
	return !is_diff || admin_watch_differs(w);
}

static enum admin_step show_watches(struct gateway_session *s,
				    struct admin_call *call, struct arena *a,
				    Fed__AdminResponse *out)
{
	struct presence_walk *walk = call->state;

	for (unsigned i = 0;
	     i < PRESENCE_BATCH && a->used_bytes < PRESENCE_BATCH_BYTES; i++) {
		Fed__PresenceWatch *w = presence_query_next(
			core_of(s), &walk->cursor, a, loop_now_ms(s->loop));

		if (w == NULL)
			break;
		if (is_wanted(call->request->presence, w) &&
		    arena_append(a, (void ***)&out->watch, &out->n_watch, w) !=
			    0) {
			admin_show_no_memory(out);
			return ADMIN_LAST;
		}
	}
	return presence_query_is_done(&walk->cursor) ? ADMIN_LAST : ADMIN_MORE;
}

/* ---- repair -------------------------------------------------------------- */

static enum admin_step repair(struct gateway_session *s,
			      struct admin_call *call, struct arena *a,
			      Fed__AdminResponse *out)
{
	struct presence_walk *walk = call->state;

	if (s->is_stopping) {
		admin_show_error(out, "the gateway is stopping");
		return ADMIN_LAST;
	}
	presence_query_repair(core_of(s), &walk->cursor, &walk->done,
			      loop_now_ms(s->loop));
	session_on_deadline(s); /* what is due now */
	if (!presence_query_is_done(&walk->cursor))
		return ADMIN_MORE;
	out->repaired = arena_alloc(a, sizeof(*out->repaired));
	if (out->repaired == NULL) {
		admin_show_no_memory(out);
		return ADMIN_LAST;
	}
	fed__presence_repaired__init(out->repaired);
	out->repaired->watches = walk->done.watches;
	out->repaired->subscribes = walk->done.subscribes;
	out->repaired->probes = walk->done.probes;
	return ADMIN_LAST;
}

/* ---- requests ------------------------------------------------------------ */

static bool begin_walk(struct gateway_session *s, struct admin_call *call,
		       const struct jid *target)
{
	struct presence_walk *walk = calloc(1, sizeof(*walk));

	if (walk == NULL)
		return false;
	presence_query_begin(core_of(s), &walk->cursor, jid_bare(target));
	call->state = walk;
	return true;
}

enum admin_step gateway_admin_presence(struct gateway_session *s,
				       struct admin_call *call, struct arena *a,
				       Fed__AdminResponse *out)
{
	const Fed__AdminPresence *what = call->request->presence;
	struct jid target;

	if (call->state == NULL) {
		if (gateway_address_parse(span_str(what->target), &target) !=
		    0) {
			say_wrong_target(a, out, what->target);
			return ADMIN_LAST;
		}
		if (!begin_walk(s, call, &target)) {
			admin_show_no_memory(out);
			return ADMIN_LAST;
		}
	}
	return what->what == FED__ADMIN_PRESENCE__WHAT__REPAIR
		       ? repair(s, call, a, out)
		       : show_watches(s, call, a, out);
}

void gateway_admin_presence_end(struct gateway_session *s,
				struct admin_call *call)
{
	struct presence_walk *walk = call->state;

	if (walk == NULL)
		return;
	presence_query_end(core_of(s), &walk->cursor);
	free(walk);
}
