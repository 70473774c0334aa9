/* OPTIONS to targets: which are up. */
#include "fe-gateway/core/next_hop_priv.h"

#include <stdio.h>
#include <string.h>

void next_hop_wake(struct next_hops *h, uint64_t at_ms)
{
	if (at_ms < h->wake_ms)
		h->wake_ms = at_ms;
}

static void log_state(struct next_hops *h, const struct hop_target *t,
		      const char *why)
{
	fed_log(h->p.log, t->is_down ? FED_LOG_WARN : FED_LOG_INFO,
		"next_hop_target", "ip=%s port=%u transport=%s state=%s why=%s",
		t->found.target.ip, (unsigned)t->found.target.port,
		hop_uri_transport_name(t->found.target.transport),
		t->is_down ? "down" : "up", why);
}

static void ask_at(struct next_hops *h, struct hop_target *t, uint64_t at_ms)
{
	if (h->p.options_ms == 0 || t->is_quiet)
		return;
	t->probe.next_ms = at_ms;
	next_hop_wake(h, at_ms);
}

void next_hop_watch(struct next_hops *h, struct hop_target *t, uint64_t now_ms)
{
	ask_at(h, t, now_ms + h->p.options_ms);
}

void next_hop_note_sent(struct next_hops *h, struct hop_target *t,
			uint64_t now_ms)
{
	if (t->silent_ms != 0 || t->is_quiet)
		return;
	t->silent_ms = now_ms;
	if (h->p.options_ms != 0)
		next_hop_wake(h, now_ms + LIMIT_HOP_SILENT_MS);
}

/* --- those that came back ------------------------------------------------ */

static bool has_target(const struct hop *hop, const struct hop_target *t)
{
	for (size_t i = 0; i < hop->count; i++)
		if (&hop->targets[i] == t)
			return true;
	return false;
}

static void note_back(struct next_hops *h, const struct hop_target *t)
{
	struct hop *hop, *tmp;

	HASH_ITER (hh, h->hops, hop, tmp)
		hop->is_back =
			hop->is_back || (has_target(hop, t) && !hop->is_legacy);
	h->has_back = true;
}

bool next_hop_back_next(struct next_hops *h, struct next_hop_action *out)
{
	struct hop *hop, *tmp;

	if (!h->has_back)
		return false;
	HASH_ITER (hh, h->hops, hop, tmp) {
		if (!hop->is_back)
			continue;
		hop->is_back = false;
		*out = (struct next_hop_action){.kind = NEXT_HOP_ACT_BACK};
		out->u.back.host = hop->is_permanent ? NULL : hop->uri.host;
		return true;
	}
	h->has_back = false;
	return false;
}

void next_hops_on_lost(struct next_hops *h, const char *ip, uint16_t port,
		       uint64_t now_ms)
{
	struct hop *hop, *tmp;

	HASH_ITER (hh, h->hops, hop, tmp) {
		for (size_t i = 0; i < hop->count; i++) {
			struct hop_target *t = &hop->targets[i];

			if (t->found.target.port != port ||
			    strcmp(t->found.target.ip, ip) != 0)
				continue;
			t->is_lost = true;
			if (!t->probe.is_open)
				ask_at(h, t, now_ms);
		}
	}
}

/* It answers a probe. */
static void note_reborn(struct next_hops *h, struct hop_target *t,
			uint64_t now_ms)
{
	bool is_new = t->is_lost && now_ms >= t->reborn_ms;

	t->is_lost = false;
	if (!is_new)
		return;
	t->reborn_ms = now_ms + LIMIT_HOP_REBORN_MS;
	note_back(h, t);
}

enum next_hop_health next_hops_health(struct next_hops *h, bool of_legacy)
{
	struct hop *hop;
	bool is_known = false;

	HASH_FIND_STR(h->hops, of_legacy ? NEXT_HOP_LEGACY_KEY : "", hop);
	for (size_t i = 0; hop != NULL && i < hop->count; i++) {
		const struct hop_target *t = &hop->targets[i];

		if (!t->is_down && t->is_heard)
			return NEXT_HOP_UP;
		is_known = is_known || t->is_down;
	}
	return is_known ? NEXT_HOP_DOWN : NEXT_HOP_UNKNOWN;
}

void next_hops_ask(struct next_hops *h, uint64_t now_ms)
{
	static const char *const keys[] = {"", NEXT_HOP_LEGACY_KEY};
	struct hop *hop;

	for (size_t i = 0; i < FED_ARRAY_LEN(keys); i++) {
		HASH_FIND_STR(h->hops, keys[i], hop);
		if (hop != NULL)
			next_hop_ask_all(h, hop, now_ms);
	}
}

/* --- signs of life ------------------------------------------------------- */

void next_hop_note_heard(struct next_hops *h, struct hop_target *t)
{
	t->silent_ms = 0;
	t->is_heard = true;
	if (!t->is_down)
		return;
	note_back(h, t);
	t->is_down = false;
	t->is_lost = false; /* one new life is enough */
	t->is_mute = false;
	t->avoid_ms = 0;
	log_state(h, t, "answer");
}

void next_hop_note_failed(struct next_hops *h, struct hop_target *t,
			  uint64_t now_ms)
{
	t->avoid_ms = now_ms + LIMIT_HOP_AVOID_MS;
	t->silent_ms = 0;
	if (!t->probe.is_open)
		ask_at(h, t, now_ms);
}

void next_hop_ask_all(struct next_hops *h, struct hop *hop, uint64_t now_ms)
{
	for (size_t i = 0; i < hop->count; i++) {
		struct hop_target *t = &hop->targets[i];

		if (!t->probe.is_open &&
		    t->probe.sent_ms + LIMIT_HOP_ASK_AGAIN_MS <= now_ms)
			ask_at(h, t, now_ms);
	}
}

/* What waits for an answer of it goes to others, if there are any. */
static void move_away(struct next_hops *h, const struct hop_target *t,
		      uint64_t now_ms)
{
	struct hop_flight *f, *tmp;

	HASH_ITER (hh, h->flights, f, tmp)
		if (f->state == FLIGHT_OUT && f->tried[f->tries - 1] == t->id)
			(void)next_hop_try_again(h, f, now_ms);
}

static void set_down(struct next_hops *h, struct hop_target *t, bool is_mute,
		     const char *why, uint64_t now_ms)
{
	uint64_t wait = h->p.options_ms < LIMIT_HOP_DOWN_MS ? h->p.options_ms
							    : LIMIT_HOP_DOWN_MS;

	t->probe.is_open = false;
	ask_at(h, t, now_ms + wait);
	t->is_mute = is_mute;
	if (t->is_down)
		return;
	t->is_down = true;
	log_state(h, t, why);
	move_away(h, t, now_ms);
}

static struct hop_target *find_probe(struct next_hops *h, uint64_t number)
{
	struct hop *hop, *tmp;

	HASH_ITER (hh, h->hops, hop, tmp)
		for (size_t i = 0; i < hop->count; i++)
			if (hop->targets[i].probe.number == number)
				return &hop->targets[i];
	return NULL;
}

bool next_hop_on_probe(struct next_hops *h, uint64_t number,
		       const struct sip_response_in *r, uint64_t now_ms)
{
	struct hop_target *t = find_probe(h, number);

	if (t == NULL)
		return false;
	/* any final response proves life but 503, which says no (RFC 3263
	 * 4.3); late ones too */
	if (r->end == SIP_END_RESPONSE && r->status != 503) {
		t->probe.is_open = false;
		next_hop_note_heard(h, t);
		note_reborn(h, t, now_ms);
		ask_at(h, t, now_ms + h->p.options_ms);
	} else if (t->probe.is_open) {
		set_down(h, t, r->end == SIP_END_TIMEOUT,
			 r->end == SIP_END_RESPONSE ? "503" : "transport",
			 now_ms);
	}
	return true;
}

static void make_request(struct next_hops *h, const struct hop *hop,
			 struct hop_target *t)
{
	struct hop_probe *p = &t->probe;
	bool is_v6 = strchr(hop->uri.host, ':') != NULL;
	char id[ID_TEXT_BYTES + 1];

	id_source_next(h->p.ids, id);
	(void)snprintf(p->branch, sizeof(p->branch), "z9hG4bK%s", id);
	id_source_next(h->p.ids, p->call_id);
	(void)snprintf(p->uri, sizeof(p->uri), "sip:%s%s%s", is_v6 ? "[" : "",
		       hop->uri.host, is_v6 ? "]" : "");
	p->request = (struct sip_request_out){
		.method = "OPTIONS",
		.request_uri = p->uri,
		.from_uri = h->p.from_uri,
		.from_tag = p->call_id,
		.to_uri = p->uri,
		.call_id = p->call_id,
		.branch = p->branch,
		.cseq = 1,
	};
}

static void ask(struct next_hops *h, const struct hop *hop,
		struct hop_target *t, struct next_hop_action *out,
		uint64_t now_ms)
{
	make_request(h, hop, t);
	t->probe.number = ++h->next_number;
	t->probe.is_open = true;
	t->probe.sent_ms = now_ms;
	t->probe.next_ms = UINT64_MAX;
	next_hop_wake(h, now_ms + LIMIT_HOP_PROBE_MS);
	*out = (struct next_hop_action){.kind = NEXT_HOP_ACT_SEND};
	out->u.send.token = t->probe.number << TRY_BITS;
	out->u.send.request = &t->probe.request;
	out->u.send.target = &t->found.target;
}

/* When something is to be done about it. */
static uint64_t due_ms(const struct next_hops *h, const struct hop_target *t)
{
	uint64_t at = UINT64_MAX;

	if (h->p.options_ms == 0)
		return at;
	if (t->probe.is_open)
		return t->probe.sent_ms + LIMIT_HOP_PROBE_MS;
	at = t->probe.next_ms;
	if (t->silent_ms != 0 && !t->is_down &&
	    t->silent_ms + LIMIT_HOP_SILENT_MS < at)
		at = t->silent_ms + LIMIT_HOP_SILENT_MS;
	return at;
}

static bool look_after(struct next_hops *h, struct hop *hop,
		       struct next_hop_action *out, uint64_t now_ms)
{
	for (size_t i = 0; i < hop->count; i++) {
		struct hop_target *t = &hop->targets[i];

		if (due_ms(h, t) > now_ms) {
			next_hop_wake(h, due_ms(h, t));
			continue;
		}
		if (!t->probe.is_open) {
			ask(h, hop, t, out, now_ms);
			return true;
		}
		set_down(h, t, true, "no-answer", now_ms);
	}
	return false;
}

static bool is_idle(const struct hop *hop, uint64_t now_ms)
{
	/* what waits for DNS does so for seconds */
	return !hop->is_permanent && hop->waiting == NULL &&
	       hop->used_ms + LIMIT_HOP_IDLE_MS <= now_ms;
}

static uint64_t idle_ms(const struct hop *hop, uint64_t now_ms)
{
	uint64_t at = hop->used_ms + LIMIT_HOP_IDLE_MS;

	return at > now_ms ? at : now_ms + LIMIT_DNS_MS;
}

bool next_hop_probe_due(struct next_hops *h, struct next_hop_action *out,
			uint64_t now_ms)
{
	struct hop *hop, *tmp;

	if (now_ms < h->wake_ms)
		return false;
	h->wake_ms = UINT64_MAX;
	next_hop_forget_idle(h, now_ms);
	HASH_ITER (hh, h->hops, hop, tmp) {
		if (is_idle(hop, now_ms)) {
			next_hop_forget(h, hop);
			continue;
		}
		if (!hop->is_permanent)
			next_hop_wake(h, idle_ms(hop, now_ms));
		if (look_after(h, hop, out, now_ms)) {
			/* the rest of the targets at the next call */
			h->wake_ms = now_ms;
			return true;
		}
	}
	return false;
}
