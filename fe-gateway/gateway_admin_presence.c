/* fedctl asks the gateway who watches whom. */
#include <stdlib.h>

#include "chan/admin_watch.h"
#include "fe-gateway/core/address.h"
#include "fe-gateway/gateway_admin.h"
#include "fe-gateway/gateway_session_priv.h"
#include "io/admin_show.h"

enum {
	/* watches of one response, and looked at for it */
	PRESENCE_BATCH = 16,
	/* what one may take beside others in a response; a larger one has it
	 * for itself */
	PRESENCE_BATCH_BYTES = 32 * 1024,
};

/* ---- targets ------------------------------------------------------------- */

/* As the core knows it: a bare JID, or a domain. */
static int parse_target(struct span text, struct jid *out)
{
	const struct span xmpp = SPAN_LIT("xmpp:");

	if (span_starts(text, xmpp))
		text = span_sub(text, xmpp.n, SIZE_MAX);
	/* ':' is not allowed in a JID, but in an IPv6 address */
	else if (span_find(text, ':', 0) < span_find(text, '[', 0))
		return address_uri_to_jid(text, out);
	return jid_parse(text, out);
}

static void say_wrong_target(struct arena *a, Fed__AdminResponse *out,
			     const char *target)
{
	const char *error =
		arena_printf(a,
			     "\"%s\" is no address; juliet@xmpp.example, "
			     "sip:romeo@sip.example or a domain is expected",
			     log_value(span_str(target)).text);

	if (error == NULL)
		admin_show_no_memory(out);
	else
		admin_show_error(out, error);
}

/* ---- show and diff ------------------------------------------------------- */

/* Nobody asks for documents there, and they are what is large. */
static bool is_wanted(const Fed__AdminPresence *what, Fed__PresenceWatch *w)
{
	if (what->what != FED__ADMIN_PRESENCE__WHAT__DIFF)
		return true;
	for (size_t i = 0; i < w->n_dialog; i++)
		w->dialog[i]->document = (ProtobufCBinaryData){0, NULL};
	return admin_watch_differs(w);
}

static enum admin_step show_watches(struct gateway_session *s,
				    struct admin_call *call, struct arena *a,
				    Fed__AdminResponse *out)
{
	struct presence *p = gateway_presence_core(s->presence);

	for (unsigned i = 0; i < PRESENCE_BATCH; i++) {
		Fed__PresenceWatch *w = presence_query_next(
			p, call->state, a, loop_now_ms(s->loop));

		if (w == NULL)
			return ADMIN_LAST;
		if (is_wanted(call->request->presence, w) &&
		    arena_append(a, (void ***)&out->watch, &out->n_watch, w) !=
			    0) {
			admin_show_no_memory(out);
			return ADMIN_LAST;
		}
		if (a->used_bytes > PRESENCE_BATCH_BYTES)
			break;
	}
	return ADMIN_MORE;
}

static bool begin_walk(struct gateway_session *s, struct admin_call *call,
		       const struct jid *target)
{
	struct presence_cursor *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return false;
	presence_query_begin(gateway_presence_core(s->presence), c,
			     jid_bare(target));
	call->state = c;
	return true;
}

/* ---- repair -------------------------------------------------------------- */

static void repair(struct gateway_session *s, const struct jid *target,
		   struct arena *a, Fed__AdminResponse *out)
{
	Fed__PresenceRepaired *answer = arena_alloc(a, sizeof(*answer));
	struct presence_repaired done;

	if (answer == NULL) {
		admin_show_no_memory(out);
		return;
	}
	if (s->is_stopping) {
		admin_show_error(out, "the gateway is stopping");
		return;
	}
	presence_repair(gateway_presence_core(s->presence), jid_bare(target),
			&done, loop_now_ms(s->loop));
	fed__presence_repaired__init(answer);
	answer->watches = done.watches;
	answer->subscribes = done.subscribes;
	answer->probes = done.probes;
	out->repaired = answer;
	session_on_deadline(s); /* what is due now */
}

/* ---- requests ------------------------------------------------------------ */

enum admin_step gateway_admin_presence(struct gateway_session *s,
				       struct admin_call *call, struct arena *a,
				       Fed__AdminResponse *out)
{
	const Fed__AdminPresence *what = call->request->presence;
	struct jid target;

	if (call->state != NULL)
		return show_watches(s, call, a, out);
	if (parse_target(span_str(what->target), &target) != 0) {
		say_wrong_target(a, out, what->target);
		return ADMIN_LAST;
	}
	if (what->what == FED__ADMIN_PRESENCE__WHAT__REPAIR) {
		repair(s, &target, a, out);
		return ADMIN_LAST;
	}
	if (!begin_walk(s, call, &target)) {
		admin_show_no_memory(out);
		return ADMIN_LAST;
	}
	return show_watches(s, call, a, out);
}

void gateway_admin_presence_end(struct gateway_session *s,
				struct admin_call *call)
{
	if (call->state == NULL)
		return;
	presence_query_end(gateway_presence_core(s->presence), call->state);
	free(call->state);
}
