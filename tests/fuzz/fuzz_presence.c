/* Any order of calls on presence, both directions, crashes and other
 * configurations included: each request has one answer and each stanza one
 * Outcome, one request is in flight in a dialog, CSeqs rise, and nothing is
 * told to whom it is not for, or of whom it is forbidden. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "fe-gateway/core/presence_priv.h"
#include "tests/fuzz/presence_rig.h"
#include "tests/unit/presence_repair.h"
#include "xmpp/jid.h"
#include "xmpp/stanza_error.h"
#include "xmpp/stanza_util.h"

/* --- life ----------------------------------------------------------------- */

static bool start(struct rig *t)
{
	t->last_seq = 0;
	memset(t->sip, 0, sizeof(t->sip));
	memset(t->stanzas, 0, sizeof(t->stanzas));
	t->answered = t->handle;
	t->ended = t->ref;
	if (presence_new(&t->p, &t->params, t->now) != 0)
		return false;
	presence_set_federation(t->p, t->rules[t->rule], t->now);
	return true;
}

static void crash(struct rig *t)
{
	presence_free(t->p);
	t->params.wall_ms += t->now - 1000;
	t->now = 1000;
	FED_REQUIRE(start(t));
	restore(t, PRESENCE_ROW_WATCH);
	restore(t, PRESENCE_ROW_DIALOG);
	presence_on_channel(t->p, true, true, t->now);
}

/* --- what it does --------------------------------------------------------- */

static struct dialog *find_dialog(struct rig *t, const char *call_id,
				  const char *tag)
{
	for (size_t i = 0; i < SLOTS; i++)
		if (strcmp(t->dialogs[i].call_id, call_id) == 0 &&
		    strcmp(t->dialogs[i].our_tag, tag) == 0)
			return &t->dialogs[i];
	return NULL;
}

static struct dialog *new_dialog(struct rig *t, const char *call_id,
				 const char *tag)
{
	size_t at = t->dialog_count++ % SLOTS;
	struct dialog *d = &t->dialogs[at];

	/* what is in flight for the old one is not looked at any more */
	for (size_t i = 0; i < SLOTS; i++)
		if (t->sip_dialog[i] == at)
			t->sip_dialog[i] = SLOTS;
	*d = (struct dialog){.their_cseq = 1};
	(void)snprintf(d->call_id, sizeof(d->call_id), "%s", call_id);
	(void)snprintf(d->our_tag, sizeof(d->our_tag), "%s", tag);
	return d;
}

static size_t free_slot(const uint64_t *slots)
{
	for (size_t i = 0; i < SLOTS; i++)
		if (slots[i] == 0)
			return i;
	return SLOTS;
}

static void end_sip(struct rig *t, size_t i, uint8_t arg)
{
	static const int codes[] = {200, 202, 403, 404, 423, 480, 481, 489,
				    500, 503, 603, 302, 407, 501, 604, 408};
	struct sip_response_in r = {
		.end = arg < 8 ? (enum sip_end)(arg % 5) : SIP_END_RESPONSE,
		.status = codes[arg % 16],
		.to_tag = SPAN_LIT("theirs"),
		.contact_uri = SPAN_LIT("sip:192.0.2.9"),
		.has_expires = arg % 3 != 0,
		.expires = arg * 30u,
		.min_expires = arg % 2 * 7200u,
		.retry_after = arg % 5 * 40u,
	};
	uint64_t token = t->sip[i];

	t->sip[i] = 0;
	if (token != 0)
		presence_on_sip_response(t->p, token, &r, t->now);
}

static void take_request(struct rig *t, const struct presence_action *a)
{
	const struct sip_request_out *q = a->u.sip_send.request;
	struct dialog *d = find_dialog(t, q->call_id, q->from_tag);
	size_t slot = free_slot(t->sip);
	size_t at;

	if (d == NULL) {
		d = new_dialog(t, q->call_id, q->from_tag);
		d->is_ours = strcmp(q->method, "SUBSCRIBE") == 0;
		d->local = strncmp(d->is_ours ? q->to_uri : q->from_uri,
				   "sip:tybalt", 10) == 0;
		d->remote = strncmp(d->is_ours ? q->from_uri : q->to_uri,
				    "sip:nurse", 9) == 0;
	}
	at = (size_t)(d - t->dialogs);
	for (size_t i = 0; i < SLOTS; i++)
		FED_REQUIRE(t->sip[i] == 0 || t->sip_dialog[i] != at);
	FED_REQUIRE(q->cseq > d->cseq);
	/* nobody is asked about */
	FED_REQUIRE(
		!d->is_ours || q->expires == 0 ||
		may(t, ACCESS_PRESENCE, ACCESS_TO_XMPP, d->local, d->remote));
	d->cseq = q->cseq;
	if (slot == SLOTS) {
		slot = 0;
		end_sip(t, slot, 200);
	}
	t->sip[slot] = a->u.sip_send.token;
	t->sip_dialog[slot] = at;
}

static void check_document(struct rig *t, const struct sip_request_out *q)
{
	struct presence_view v = {.count = 0};
	int local, remote;

	if (q->body.n == 0)
		return;
	/* To is the SIP user, From the XMPP user */
	local = index_of(locals, span_str(q->to_uri + 4));
	remote = index_of(remotes, span_str(q->from_uri + 4));
	FED_REQUIRE(pidf_read(q->body, SPAN_NULL, &v) == 0);
	FED_REQUIRE(!presence_view_is_open(&v) ||
		    may(t, ACCESS_PRESENCE, ACCESS_TO_SIP, local, remote));
	for (size_t i = 0; i < v.count; i++)
		FED_REQUIRE(!v.items[i]->is_open ||
			    strcmp(v.items[i]->name,
				   resource_of(t, local, remote)) == 0);
	presence_view_clear(&v);
}

static void take_stanza(struct rig *t, const struct presence_action *a)
{
	const Fed__Stanza *s = a->u.stanza.stanza;
	struct jid_parts from = jid_split(span_str(s->from));
	int local = index_of(locals, from.bare);
	int remote = index_of(remotes, jid_split(span_str(s->to)).bare);
	size_t slot = free_slot(t->stanzas);

	FED_REQUIRE(stanza_validate(s) == 0);
	FED_REQUIRE(s->presence->type == FED__PRESENCE_TYPE__UNAVAILABLE ||
		    may(t, ACCESS_PRESENCE, ACCESS_TO_XMPP, local, remote));
	FED_REQUIRE(s->presence->n_status == 0 || t->rule == 0);
	FED_REQUIRE(from.resource.n == 0 ||
		    span_eq_str(from.resource, resource_of(t, local, remote)));
	if (slot == SLOTS) {
		slot = 0;
		presence_on_outcome(t->p, t->stanzas[0], NULL, t->now);
	}
	t->stanzas[slot] = a->u.stanza.token;
}

static void take_reply(struct rig *t, const struct presence_action *a)
{
	const struct sip_reply *r = a->u.sip_reply.reply;
	struct dialog *d;

	t->answered++;
	FED_REQUIRE(r->line.status >= 200 && r->line.status < 700);
	FED_REQUIRE(r->line.status != 503 && r->line.status != 408);
	if (r->to_tag == NULL || a->u.sip_reply.handle != t->handle ||
	    find_dialog(t, t->asked.call_id, r->to_tag) != NULL)
		return;
	d = new_dialog(t, t->asked.call_id, r->to_tag);
	d->local = t->asked.local;
	d->remote = t->asked.remote;
}

static void drain(struct rig *t, bool may_stanza, bool may_commit)
{
	struct presence_action a;

	while (presence_next_action(t->p, may_stanza, &a, t->now)) {
		switch (a.kind) {
		case PRESENCE_ACT_SIP_REPLY:
			take_reply(t, &a);
			break;
		case PRESENCE_ACT_SIP_SEND:
			if (strcmp(a.u.sip_send.request->method, "NOTIFY") == 0)
				check_document(t, a.u.sip_send.request);
			take_request(t, &a);
			break;
		case PRESENCE_ACT_STANZA:
			take_stanza(t, &a);
			break;
		case PRESENCE_ACT_OUTCOME:
			t->ended++;
			break;
		case PRESENCE_ACT_STORE:
			FED_REQUIRE(a.u.store.seq == ++t->last_seq);
			put_row(t, a.u.store.row);
			break;
		}
		if (may_commit)
			presence_on_committed(t->p, t->last_seq, t->now);
	}
}

/* --- what is done to it --------------------------------------------------- */

static struct sip_request_in request(struct rig *t, const char *method,
				     const char *from, const char *to)
{
	return (struct sip_request_in){
		.handle = ++t->handle,
		.method = span_str(method),
		.from_uri = span_str(uri_of(t, from)),
		.request_uri = span_str(uri_of(t, to)),
		.to_uri = span_str(uri_of(t, to)),
		.contact_uri = SPAN_LIT("sip:192.0.2.7"),
		.from_tag = SPAN_LIT("theirs"),
		.has_event = true,
		.event = SPAN_LIT("presence"),
	};
}

static void subscribe(struct rig *t, uint8_t arg)
{
	struct sip_request_in q =
		request(t, "SUBSCRIBE", locals[arg & 1], remotes[arg >> 1 & 1]);

	t->asked = (struct dialog){
		.local = arg & 1, .remote = arg >> 1 & 1, .their_cseq = 1};
	(void)snprintf(t->asked.call_id, sizeof(t->asked.call_id), "in%u",
		       (unsigned)t->handle);
	q.call_id = span_str(t->asked.call_id);
	q.cseq = 1;
	q.has_expires = (arg & 4) != 0;
	q.expires = (arg >> 3) * 120u;
	/* the router asks before */
	if (may(t, ACCESS_SUBSCRIBE, ACCESS_TO_XMPP, arg & 1, arg >> 1 & 1))
		presence_on_sip_request(t->p, &q, t->now);
	else
		t->answered++;
}

/* A refresh or an end, sometimes with an old CSeq. */
static void subscribe_again(struct rig *t, struct dialog *d, uint8_t arg)
{
	struct sip_request_in q =
		request(t, "SUBSCRIBE", locals[d->local], remotes[d->remote]);

	q.call_id = span_str(d->call_id);
	q.has_to_tag = true;
	q.to_tag = span_str(d->our_tag);
	q.cseq = d->their_cseq + (arg >> 6);
	d->their_cseq = q.cseq;
	q.has_expires = true;
	q.expires = (arg >> 4 & 3) * 1800u;
	presence_on_sip_request(t->p, &q, t->now);
}

static void notify(struct rig *t, struct dialog *d, uint8_t arg)
{
	static const char *const states[] = {
		"active;expires=600",
		"pending;expires=60",
		"active",
		"terminated",
		"terminated;reason=rejected",
		"terminated;reason=deactivated",
		"terminated;reason=probation;retry-after=7",
		"terminated;reason=timeout",
		"terminated;reason=giveup",
		"terminated;reason=noresource",
		"terminated;reason=invariant",
		"active;expires=0",
		"waiting",
		";",
		"active;expires=99999999999",
		"terminated;reason=unknown",
	};
	struct sip_request_in q =
		request(t, "NOTIFY", locals[d->local], remotes[d->remote]);
	struct buf b;

	buf_init(&b, LIMIT_PIDF_BYTES);
	(void)buf_printf(
		&b,
		"<presence xmlns='urn:ietf:params:xml:ns:pidf' entity='x'>"
		"<tuple id='ID-%s'><status><basic>%s</basic></status>"
		"<note>busy</note></tuple></presence>",
		resource_of(t, d->local, d->remote),
		arg & 64 ? "open" : "closed");
	q.call_id = span_str(d->call_id);
	q.has_to_tag = true;
	q.to_tag = span_str(d->our_tag);
	q.cseq = ++d->their_cseq;
	q.subscription_state = span_str(states[arg % 16]);
	if ((arg & 32) != 0) {
		q.content_type = SPAN_LIT(PIDF_TYPE);
		q.body = (arg & 16) != 0 ? buf_span(&b) : SPAN_LIT("<x");
	}
	presence_on_sip_request(t->p, &q, t->now);
	buf_deinit(&b);
}

static void in_dialog(struct rig *t, uint8_t which, uint8_t arg)
{
	struct dialog *d = &t->dialogs[which % SLOTS];

	if (d->call_id[0] == '\0')
		return;
	if (d->is_ours)
		notify(t, d, arg);
	else
		subscribe_again(t, d, arg);
}

static void stanza(struct rig *t, uint8_t op, uint8_t arg)
{
	Fed__Stanza *s = stanza_new_presence(&t->a);
	int local = arg & 1, remote = arg >> 1 & 1;
	bool is_full = (arg & 4) != 0;

	FED_REQUIRE(s != NULL);
	s->from = arena_printf(&t->a, "%s%s%s", remotes[remote],
			       is_full ? "/" : "",
			       is_full ? resource_of(t, local, remote) : "");
	s->to = arena_printf(&t->a, "%s", locals[local]);
	s->id = arena_printf(&t->a, "%c%u", (arg & 8) != 0 ? 'c' : 's', arg);
	s->presence->type = (Fed__PresenceType)(op % 8);
	/* a resource has a name there, so that it is known again */
	if (s->presence->type == FED__PRESENCE_TYPE__AVAILABLE && !is_full)
		s->from = arena_printf(&t->a, "%s/%s", remotes[remote],
				       resource_of(t, local, remote));
	s->presence->show = (Fed__Show)(arg >> 4 & 3);
	s->presence->priority = arg - 128;
	if (s->presence->type == FED__PRESENCE_TYPE__PRESENCE_ERROR)
		s->presence->error = stanza_error_new(
			&t->a, (Fed__Condition)(1 + arg % 22), NULL);
	t->ref++;
	if (s->presence->type == FED__PRESENCE_TYPE__UNSUBSCRIBE ||
	    s->presence->type == FED__PRESENCE_TYPE__UNSUBSCRIBED ||
	    may(t,
		s->presence->type == FED__PRESENCE_TYPE__SUBSCRIBE
			? ACCESS_SUBSCRIBE
			: ACCESS_PRESENCE,
		ACCESS_TO_SIP, local, remote))
		presence_on_stanza(t->p, 0, t->ref, s, t->now);
	else
		t->ended++;
}

static void end_stanza(struct rig *t, uint8_t arg)
{
	size_t i = arg % SLOTS;
	uint64_t token = t->stanzas[i];
	Fed__Error *e = NULL;

	if (arg >= 128)
		e = stanza_error_new(&t->a, (Fed__Condition)(1 + arg % 22),
				     NULL);
	t->stanzas[i] = 0;
	if (token != 0)
		presence_on_outcome(t->p, token, e, t->now);
}

static void operate(struct rig *t, uint8_t arg)
{
	struct presence_repaired done;
	struct presence_cursor c;
	struct arena a;

	if (arg % 4 == 0)
		presence_repair(t->p, SPAN_LIT("example.com"), &done, t->now);
	if (arg % 4 == 1)
		presence_on_channel(t->p, (arg & 4) != 0, (arg & 8) != 0,
				    t->now);
	if (arg % 4 == 3) {
		t->rule = arg >> 2 & 3;
		presence_set_federation(t->p, t->rules[t->rule], t->now);
	}
	if (arg % 4 != 2)
		return;
	arena_init(&a, arg * 64u);
	presence_query_begin(t->p, &c, span_str(locals[arg >> 2 & 1]));
	while (!presence_query_is_done(&c))
		(void)presence_query_next(t->p, &c, &a, t->now);
	presence_query_end(t->p, &c);
	arena_deinit(&a);
}

static void step(struct rig *t, uint8_t op, uint8_t arg)
{
	switch (op >> 4) {
	case 0:
	case 1:
		subscribe(t, arg);
		break;
	case 2:
	case 3:
	case 4:
		in_dialog(t, op, arg);
		break;
	case 5:
	case 6:
	case 7:
	case 8:
		stanza(t, op, arg);
		break;
	case 9:
	case 10:
		end_sip(t, op % SLOTS, arg);
		break;
	case 11:
		end_stanza(t, arg);
		break;
	case 12:
		t->now += (uint64_t)arg * arg * (op % 16 + 1u) * 8;
		break;
	case 13:
		presence_on_stream(t->p, SPAN_LIT("example.com"),
				   (enum presence_stream_event)(arg % 3),
				   t->now);
		break;
	case 14:
		operate(t, arg);
		break;
	default:
		if (arg < 16)
			crash(t);
		break;
	}
}

/* Whatever is refused: each was answered once. */
static void finish(struct rig *t)
{
	drain(t, true, true);
	presence_on_committed(t->p, t->last_seq, t->now);
	drain(t, true, true);
	FED_REQUIRE(t->answered == t->handle);
	FED_REQUIRE(t->ended == t->ref);
	presence_stop(t->p, t->now);
	drain(t, true, true);
	presence_free(t->p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct rig t;

	memset(&t, 0, sizeof(t));
	t.now = 1000;
	arena_init(&t.a, 8u << 20);
	make_all_rules(&t);
	t.params = (struct presence_params){
		.expires_s = 3600,
		.expires_min_s = 60,
		.expires_max_s = 7200,
		.notify_interval_ms = 5000,
		.hold_off_ms = 300000,
		.repair_rate = 100,
		.wall_ms = 1700000000000u,
		.ids = &t.ids,
		.log = &t.log,
		.metrics = &t.metrics,
	};
	/* LIMIT: of what one input may do */
	if (size > 1024)
		size = 1024;
	if (start(&t)) {
		for (size_t i = 0; i + 1 < size; i += 2) {
			step(&t, data[i], data[i + 1]);
			drain(&t, (data[i] & 8) == 0, (data[i] & 1) != 0);
		}
		finish(&t);
	}
	arena_deinit(&t.a);
	return 0;
}
