/*
 * Who is on the SIP side?  OPTIONS to each user, some at once, answered as the
 * answers come.
 */
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "chan/admin_finding.h"
#include "chan/chan_rules.h"
#include "fe-gateway/core/address.h"
#include "fe-gateway/core/migrate.h"
#include "fe-gateway/gateway_admin_migrate.h"
#include "fe-gateway/gateway_session_priv.h"
#include "io/admin_show.h"

/* Tells these transactions from those of messages and of presence. */
#define ASK_TOKEN (1ull << 62)

enum { ASK_USER_BITS = 16 };

_Static_assert(LIMIT_MIGRATE_ASK < 1u << ASK_USER_BITS,
	       "the number of a user is a part of the token");

enum ask_state {
	ASK_WAITS,
	ASK_OUT,
	ASK_THERE,
	ASK_NOT_THERE,
	ASK_UNKNOWN,
	ASK_TOLD,
};

struct ask_call {
	struct admin_server *server;
	struct admin_call *call;
	uint64_t number;
	enum ask_state *states; /* of the users of the request */
	size_t count;
	size_t next; /* to be asked */
	size_t out;
	size_t told;
	struct ask_call *list_prev, *list_next;
};

/* --- asking --------------------------------------------------------------- */

static int send_options(struct gateway_session *s, struct ask_call *k,
			size_t user)
{
	const char *hop = s->config->file->sip.next_hop;
	char id[ID_TEXT_BYTES + 1], call_id[ID_TEXT_BYTES + 1];
	char branch[ID_TEXT_BYTES + 8];
	struct sip_request_out r = {
		.method = "OPTIONS",
		.from_uri = s->from_uri,
		.from_tag = id,
		.call_id = call_id,
		.branch = branch,
		.cseq = 1,
		.route = strcmp(hop, GATEWAY_CONFIG_DNS) == 0 ? NULL : hop,
	};
	struct buf uri;
	int err;

	id_source_next(s->ids, id);
	id_source_next(s->ids, call_id);
	(void)snprintf(branch, sizeof(branch), "z9hG4bK%s", id);
	buf_init(&uri, LIMIT_SIP_URI_BYTES);
	err = address_jid_to_aor(
		span_str(k->call->request->migrate->user[user]), ADDRESS_SIP,
		&uri);
	if (err == 0)
		err = buf_put_byte(&uri, '\0');
	if (err == 0) {
		r.request_uri = buf_span(&uri).p;
		r.to_uri = r.request_uri;
		sip_hops_send(s->hops,
			      ASK_TOKEN | k->number << ASK_USER_BITS | user,
			      &r);
	}
	buf_deinit(&uri);
	return err;
}

/* LIMIT: some at once; the next ones as answers come. */
static void ask_more(struct gateway_session *s, struct ask_call *k)
{
	while (k->next < k->count && k->out < LIMIT_MIGRATE_ASK_AT_ONCE) {
		size_t user = k->next++;

		k->states[user] = ASK_OUT;
		k->out++;
		if (send_options(s, k, user) == 0)
			continue;
		k->states[user] = ASK_UNKNOWN;
		k->out--;
	}
}

/* --- answers -------------------------------------------------------------- */

static enum ask_state judge(const struct sip_response_in *r)
{
	static const enum ask_state states[] = {
		[MIGRATE_THERE] = ASK_THERE,
		[MIGRATE_NOT_THERE] = ASK_NOT_THERE,
		[MIGRATE_UNKNOWN] = ASK_UNKNOWN,
	};

	return states[migrate_judge(r->end, r->status)];
}

bool gateway_admin_migrate_on_response(struct gateway_session *s,
				       uint64_t token,
				       const struct sip_response_in *r)
{
	uint64_t number = (token & (ASK_TOKEN - 1)) >> ASK_USER_BITS;
	size_t user = token & ((1u << ASK_USER_BITS) - 1);
	struct ask_call *k;

	if (token >> 62 != 1)
		return false;
	DL_FOREACH2(s->asking, k, list_next)
	if (k->number == number)
		break;
	if (k == NULL || user >= k->count || k->states[user] != ASK_OUT)
		return true;
	k->states[user] = judge(r);
	k->out--;
	admin_server_ready(k->server, k->call);
	return true;
}

/* --- telling -------------------------------------------------------------- */

static int tell_mover(struct arena *a, Fed__AdminResponse *out,
		      const char *user, bool is_moved)
{
	Fed__Record *r = arena_alloc(a, sizeof(*r));
	Fed__MoverRecord *m = arena_alloc(a, sizeof(*m));

	if (r == NULL || m == NULL)
		return FED_ENOMEM;
	fed__record__init(r);
	fed__mover_record__init(m);
	r->kind_case = FED__RECORD__KIND_MOVER;
	r->mover = m;
	m->user = chan_unconst(user);
	m->is_moved = is_moved;
	return arena_append(a, (void ***)&out->record, &out->n_record, r);
}

static int tell_unknown(struct arena *a, Fed__AdminResponse *out,
			const char *user)
{
	const struct admin_finding f = {
		.level = FED__FINDING__LEVEL__WARN,
		.what = "user",
		.text = arena_printf(a, "%s: the SIP side does not say", user),
	};

	return admin_finding_add(a, out, &f);
}

static int tell(struct ask_call *k, size_t user, struct arena *a,
		Fed__AdminResponse *out)
{
	const char *name = k->call->request->migrate->user[user];
	enum ask_state state = k->states[user];

	if (state == ASK_WAITS || state == ASK_OUT || state == ASK_TOLD)
		return 0;
	k->states[user] = ASK_TOLD;
	k->told++;
	return state == ASK_UNKNOWN
		       ? tell_unknown(a, out, name)
		       : tell_mover(a, out, name, state == ASK_THERE);
}

/* --- calls ---------------------------------------------------------------- */

static struct ask_call *begin(struct gateway_session *s,
			      struct admin_server *server,
			      struct admin_call *call)
{
	size_t n = call->request->migrate->n_user;
	struct ask_call *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return NULL;
	k->states = calloc(n + 1, sizeof(*k->states));
	if (k->states == NULL) {
		free(k);
		return NULL;
	}
	k->server = server;
	k->call = call;
	k->count = n;
	k->number = ++s->asked;
	DL_APPEND2(s->asking, k, list_prev, list_next);
	call->state = k;
	return k;
}

enum admin_step gateway_admin_ask(struct gateway_session *s,
				  struct admin_server *server,
				  struct admin_call *call, struct arena *a,
				  Fed__AdminResponse *out)
{
	struct ask_call *k = call->state;
	size_t told;

	if (k == NULL && call->request->migrate->n_user > LIMIT_MIGRATE_ASK) {
		admin_show_error(out, "too many users in one question");
		return ADMIN_LAST;
	}
	if (k == NULL)
		k = begin(s, server, call);
	if (k == NULL) {
		admin_show_no_memory(out);
		return ADMIN_LAST;
	}
	ask_more(s, k);
	told = k->told;
	for (size_t i = 0; i < k->count; i++) {
		if (tell(k, i, a, out) == 0)
			continue;
		admin_show_no_memory(out);
		return ADMIN_LAST;
	}
	if (k->told == k->count)
		return ADMIN_LAST;
	return k->told > told ? ADMIN_MORE : ADMIN_WAIT;
}

void gateway_admin_ask_end(struct gateway_session *s, struct admin_call *call)
{
	struct ask_call *k = call->state;

	if (k == NULL)
		return;
	DL_DELETE2(s->asking, k, list_prev, list_next);
	free(k->states);
	free(k);
}
