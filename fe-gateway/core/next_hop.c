/*
 * Requests on their way to a target: waiting (for DNS) -> ready -> out ->
 * ended, and back to ready when a target fails and another one is left.
 */
#include "fe-gateway/core/next_hop_priv.h"

#include <stdlib.h>
#include <string.h>

#include "fe-gateway/core/address.h"
#include "fe-gateway/core/message_map.h"

/* --- requests ------------------------------------------------------------ */

static void drop_flight(struct next_hops *h, struct hop_flight *f)
{
	HASH_DEL(h->flights, f);
	arena_deinit(&f->arena);
	free(f);
}

static struct hop_flight **list_of(struct next_hops *h,
				   const struct hop_flight *f)
{
	struct hop *hop;

	switch (f->state) {
	case FLIGHT_WAITING:
		hop = next_hop_find(h, f->hop);
		return hop != NULL ? &hop->waiting : NULL;
	case FLIGHT_READY:
		return &h->ready;
	case FLIGHT_ENDED:
		return &h->ended;
	case FLIGHT_OUT:
		break;
	}
	return NULL;
}

static void move_to(struct next_hops *h, struct hop_flight *f,
		    enum hop_flight_state state)
{
	struct hop_flight **list = list_of(h, f);

	if (list != NULL && f->prev != NULL)
		DL_DELETE(*list, f);
	f->prev = NULL;
	f->state = state;
	list = list_of(h, f);
	if (list != NULL)
		DL_APPEND(*list, f);
}

static void end(struct next_hops *h, struct hop_flight *f, enum sip_end why)
{
	f->end = why;
	move_to(h, f, FLIGHT_ENDED);
}

/* RFC 3261 18.1.1: what is too long for UDP goes over TCP, to the same place.
 * @return false: it cannot */
static bool fit_size(const struct next_hops *h, struct hop_flight *f)
{
	f->is_switched =
		f->target.transport == SIP_UDP && f->bytes > LIMIT_PAGE_BYTES;
	if (!f->is_switched)
		return true;
	f->target.transport = SIP_TCP;
	return (h->p.transports & (1u << SIP_TCP)) != 0;
}

static bool name_branch(struct hop_flight *f)
{
	if (f->tries == 0)
		return true;
	f->request.branch =
		arena_printf(&f->arena, "%s.%u", f->branch, f->tries);
	return f->request.branch != NULL;
}

bool next_hop_try_again(struct next_hops *h, struct hop_flight *f,
			uint64_t now_ms)
{
	struct hop *hop = next_hop_find(h, f->hop);
	struct hop_target *t;

	if (hop == NULL || f->is_pinned || f->tries == LIMIT_HOP_TRIES ||
	    now_ms >= f->since_ms + LIMIT_HOP_RETRY_MS)
		return false;
	t = next_hop_pick(hop, f, now_ms);
	if (t == NULL || !name_branch(f))
		return false;
	f->target = t->found.target;
	if (!fit_size(h, f))
		return false;
	f->tried[f->tries++] = t->id;
	move_to(h, f, FLIGHT_READY);
	return true;
}

/* What comes from there never goes there. */
static bool is_sender(const struct hop *hop, const struct sip_sender *s)
{
	for (size_t i = 0; i < hop->count; i++)
		if (hop->targets[i].found.target.port == s->port &&
		    strcmp(hop->targets[i].found.target.ip, s->ip) == 0)
			return true;
	return false;
}

/* To its first target, or its end. */
static void depart(struct next_hops *h, struct hop *hop, struct hop_flight *f,
		   uint64_t now_ms)
{
	if (hop->count == 0) {
		end(h, f,
		    hop->result == NEXT_HOP_NOT_FOUND ? SIP_END_DNS
						      : SIP_END_TRANSPORT);
		return;
	}
	if (f->request.passed != 0 && is_sender(hop, &f->request.sender)) {
		end(h, f, SIP_END_LOOP);
		return;
	}
	if (next_hop_try_again(h, f, now_ms))
		return;
	if (f->is_switched) {
		end(h, f, SIP_END_TOO_BIG);
		return;
	}
	next_hop_ask_all(h, hop, now_ms);
	end(h, f, SIP_END_TIMEOUT);
}

/* Straight to an address: there is no other one. */
static void depart_direct(struct next_hops *h, const struct next_hop_way *way,
			  struct hop_flight *f, uint64_t now_ms)
{
	const struct hop_target *t = way->pinned;

	f->is_pinned = true;
	f->target = way->target;
	f->tried[f->tries++] = t != NULL ? t->id : 0;
	if ((h->p.transports & (1u << f->target.transport)) == 0) {
		end(h, f, SIP_END_TRANSPORT);
	} else if (!fit_size(h, f)) {
		end(h, f, SIP_END_TOO_BIG);
	} else if (t != NULL && t->is_down && t->is_mute) {
		next_hop_ask_all(h, way->hop, now_ms);
		end(h, f, SIP_END_TIMEOUT);
	} else {
		move_to(h, f, FLIGHT_READY);
	}
}

static int own(struct arena *a, const char **text)
{
	if (*text != NULL)
		*text = arena_dup(a, span_str(*text));
	else
		return 0;
	return *text != NULL ? 0 : FED_ENOMEM;
}

/* The request into the arena. */
static int copy_request(struct hop_flight *f, const struct sip_request_out *r)
{
	struct sip_request_out *c = &f->request;
	const char **texts[] = {
		&c->method,
		&c->request_uri,
		&c->from_uri,
		&c->from_tag,
		&c->to_uri,
		&c->call_id,
		&c->branch,
		&c->route,
		&c->subject,
		&c->content_type,
		&c->content_language,
		&c->to_tag,
		&c->routes,
		&c->destination,
		&c->event,
		&c->accept,
		&c->subscription_state,
	};
	char *body = arena_dup(&f->arena, r->body);

	*c = *r;
	for (size_t i = 0; i < FED_ARRAY_LEN(texts); i++)
		if (own(&f->arena, texts[i]) != 0)
			return FED_ENOMEM;
	f->branch = c->branch;
	c->body = span_of(body, r->body.n);
	return body != NULL ? 0 : FED_ENOMEM;
}

static void end_waiting(struct next_hops *h, struct hop *hop)
{
	while (hop->waiting != NULL)
		end(h, hop->waiting, SIP_END_TRANSPORT);
}

int next_hops_set_legacy(struct next_hops *h, const char *uri, uint64_t now_ms)
{
	struct hop *old = next_hop_legacy(h);
	struct hop_uri parsed;
	struct hop *hop;
	int err;

	if (old != NULL && uri != NULL && strcmp(h->legacy_uri, uri) == 0)
		return 0;
	if (old != NULL) {
		end_waiting(h, old);
		next_hop_forget(h, old);
	}
	free(h->legacy_uri);
	h->legacy_uri = NULL;
	if (uri == NULL)
		return 0;
	err = hop_uri_parse(span_str(uri), &parsed);
	if (err != 0)
		return err;
	h->legacy_uri = strdup(uri);
	if (h->legacy_uri == NULL)
		return FED_ENOMEM;
	err = next_hop_new(h, NEXT_HOP_LEGACY_KEY, &parsed, false, now_ms,
			   &hop);
	if (err != 0)
		return err;
	hop->is_permanent = true;
	hop->is_legacy = true;
	next_hop_ask_all(h, hop, now_ms);
	if (!hop->is_static)
		next_hop_want(h, hop);
	return 0;
}

static struct hop_flight *new_flight(struct next_hops *h, uint64_t token,
				     const struct sip_request_out *r,
				     uint64_t now_ms)
{
	const struct message_map_params map = {
		.fixed_bytes = h->p.fixed_bytes,
		.contact_bytes = h->p.contact_bytes,
	};
	struct hop_flight *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	arena_init(&f->arena, 2 * LIMIT_SIP_BYTES);
	f->number = ++h->next_number;
	f->token = token;
	f->since_ms = now_ms;
	f->state = FLIGHT_OUT; /* in no list */
	f->bytes = r->passed != 0 ? r->passed_bytes + h->p.fixed_bytes
				  : message_map_request_bytes(&map, r);
	if (copy_request(f, r) == 0)
		HASH_ADD(hh, h->flights, number, sizeof(f->number), f);
	if (f->hh.tbl == NULL) {
		arena_deinit(&f->arena);
		free(f);
		return NULL;
	}
	return f;
}

static bool is_known(const struct hop *hop, uint64_t now_ms)
{
	return hop->count > 0 || (hop->expires_ms > now_ms && !hop->is_static);
}

int next_hops_send(struct next_hops *h, uint64_t token,
		   const struct sip_request_out *r, uint64_t now_ms)
{
	struct next_hop_way way;
	struct hop_flight *f;
	int err = next_hop_way(h, r, now_ms, &way);

	if (err != 0)
		return err;
	f = new_flight(h, token, r, now_ms);
	if (f == NULL)
		return FED_ENOMEM;
	f->hop = way.hop != NULL ? way.hop->id : 0;
	if (way.is_direct) {
		depart_direct(h, &way, f, now_ms);
		return 0;
	}
	/* old answers will do until there are new ones */
	if (!way.hop->is_static && way.hop->expires_ms <= now_ms &&
	    !way.hop->is_resolving)
		next_hop_want(h, way.hop);
	if (is_known(way.hop, now_ms))
		depart(h, way.hop, f, now_ms);
	else
		move_to(h, f, FLIGHT_WAITING);
	return 0;
}

/* --- what the shell says ------------------------------------------------- */

static bool is_same_target(const struct sip_target *a,
			   const struct sip_target *b)
{
	return a->transport == b->transport && a->port == b->port &&
	       strcmp(a->ip, b->ip) == 0;
}

/* What is known of a target survives its next answer from DNS. */
static void put_target(struct next_hops *h, struct hop_target *t,
		       const struct next_hop_found *found,
		       const struct hop_target *old, size_t old_count,
		       uint64_t now_ms)
{
	for (size_t i = 0; i < old_count; i++) {
		if (!is_same_target(&old[i].found.target, &found->target))
			continue;
		*t = old[i];
		t->found = *found;
		return;
	}
	t->found = *found;
	t->id = ++h->next_number;
	next_hop_watch(h, t, now_ms);
}

static int put_targets(struct next_hops *h, struct hop *hop,
		       const struct next_hop_found *found, size_t count,
		       uint64_t now_ms)
{
	size_t n = count < LIMIT_HOP_TARGETS ? count : LIMIT_HOP_TARGETS;
	struct hop_target *targets = calloc(n + 1, sizeof(*targets));

	if (targets == NULL)
		return FED_ENOMEM;
	for (size_t i = 0; i < n; i++) {
		targets[i].is_quiet = hop->is_quiet;
		put_target(h, &targets[i], &found[i], hop->targets, hop->count,
			   now_ms);
	}
	free(hop->targets);
	hop->targets = targets;
	hop->count = n;
	return 0;
}

static uint64_t clamp_ttl(uint64_t ttl_ms)
{
	if (ttl_ms < LIMIT_HOP_TTL_MIN_MS)
		return LIMIT_HOP_TTL_MIN_MS;
	return ttl_ms < LIMIT_HOP_TTL_MAX_MS ? ttl_ms : LIMIT_HOP_TTL_MAX_MS;
}

static void log_resolved(struct next_hops *h, const struct hop *hop)
{
	static const char *const names[] = {
		[NEXT_HOP_FOUND] = "found",
		[NEXT_HOP_NOT_FOUND] = "not-found",
		[NEXT_HOP_FAILED] = "failed",
	};
	/* LIMIT: a watcher says where he is, and may be nowhere */
	bool is_news = hop->result != NEXT_HOP_FOUND && !hop->is_quiet;

	fed_log(h->p.log, is_news ? FED_LOG_WARN : FED_LOG_DEBUG,
		"next_hop_resolved", "host=%s result=%s targets=%zu",
		log_value(span_str(hop->uri.host)).text, names[hop->result],
		hop->count);
}

void next_hops_on_resolved(struct next_hops *h, uint64_t id,
			   enum next_hop_result result,
			   const struct next_hop_found *found, size_t count,
			   uint64_t ttl_ms, uint64_t now_ms)
{
	struct hop *hop = next_hop_find(h, id);

	if (hop == NULL)
		return;
	hop->is_resolving = false;
	hop->result = result;
	hop->expires_ms =
		now_ms + (result == NEXT_HOP_FOUND ? clamp_ttl(ttl_ms)
						   : LIMIT_HOP_TTL_MIN_MS);
	/* when DNS does not answer, what it said before still holds */
	if (result == NEXT_HOP_NOT_FOUND)
		hop->count = 0;
	if (result == NEXT_HOP_FOUND &&
	    put_targets(h, hop, found, count, now_ms) != 0)
		hop->result = NEXT_HOP_FAILED;
	log_resolved(h, hop);
	while (hop->waiting != NULL)
		depart(h, hop, hop->waiting, now_ms);
}

/* RFC 3263 4.3: 503, no answer, no connection. */
static bool is_failure(const struct sip_response_in *r)
{
	return r->end != SIP_END_RESPONSE || r->status == 503;
}

/* Of a try that is not the last: only a good end counts. */
static bool on_old_try(const struct sip_response_in *r)
{
	return r->end == SIP_END_RESPONSE && r->status < 300;
}

static bool on_flight(struct next_hops *h, struct hop_flight *f,
		      unsigned try_no, const struct sip_response_in *r,
		      uint64_t now_ms)
{
	struct hop *hop = next_hop_find(h, f->hop);
	bool was_switched = f->is_switched;
	struct hop_target *t =
		try_no < f->tries ? next_hop_find_target(hop, f->tried[try_no])
				  : NULL;

	if (t != NULL && !is_failure(r))
		next_hop_note_heard(h, t);
	/* that TCP was refused says nothing about UDP */
	if (t != NULL && is_failure(r) && !was_switched)
		next_hop_note_failed(h, t, now_ms);
	if (f->state != FLIGHT_OUT || try_no + 1 != f->tries)
		return on_old_try(r);
	if (!is_failure(r))
		return true;
	if (next_hop_try_again(h, f, now_ms))
		return false;
	if (!was_switched || r->end != SIP_END_TRANSPORT)
		return true;
	end(h, f, SIP_END_TOO_BIG);
	return false;
}

bool next_hops_on_response(struct next_hops *h, uint64_t token,
			   struct sip_response_in *r, uint64_t now_ms,
			   uint64_t *token_out)
{
	uint64_t number = token >> TRY_BITS;
	struct hop_flight *f;

	if (r->end == SIP_END_RESPONSE && r->status < 200)
		return false;
	HASH_FIND(hh, h->flights, &number, sizeof(number), f);
	if (f == NULL) {
		(void)next_hop_on_probe(h, number, r, now_ms);
		return false;
	}
	if (!on_flight(h, f, (unsigned)(token & ((1u << TRY_BITS) - 1)), r,
		       now_ms))
		return false;
	*token_out = f->token;
	r->is_again = f->tries > 1;
	move_to(h, f, FLIGHT_OUT);
	drop_flight(h, f);
	return true;
}

/* --- actions ------------------------------------------------------------- */

static bool resolve_next(struct next_hops *h, struct next_hop_action *out)
{
	struct hop *hop = next_hop_next_wanted(h);

	if (hop == NULL)
		return false;
	hop->is_resolving = true;
	*out = (struct next_hop_action){.kind = NEXT_HOP_ACT_RESOLVE};
	out->u.resolve.hop = hop->id;
	out->u.resolve.uri = &hop->uri;
	return true;
}

static bool send_next(struct next_hops *h, struct next_hop_action *out,
		      uint64_t now_ms)
{
	struct hop_flight *f = h->ready;
	struct hop_target *t;

	if (f == NULL)
		return false;
	move_to(h, f, FLIGHT_OUT);
	t = next_hop_find_target(next_hop_find(h, f->hop),
				 f->tried[f->tries - 1]);
	if (t != NULL)
		next_hop_note_sent(h, t, now_ms);
	*out = (struct next_hop_action){.kind = NEXT_HOP_ACT_SEND};
	out->u.send.token = f->number << TRY_BITS | (f->tries - 1);
	out->u.send.request = &f->request;
	out->u.send.target = &f->target;
	return true;
}

static bool end_next(struct next_hops *h, struct next_hop_action *out)
{
	struct hop_flight *f = h->ended;

	if (f == NULL)
		return false;
	*out = (struct next_hop_action){.kind = NEXT_HOP_ACT_END};
	out->u.end.token = f->token;
	out->u.end.end = f->end;
	move_to(h, f, FLIGHT_OUT);
	drop_flight(h, f);
	return true;
}

bool next_hops_next_action(struct next_hops *h, struct next_hop_action *out,
			   uint64_t now_ms)
{
	if (end_next(h, out) || resolve_next(h, out) ||
	    next_hop_back_next(h, out) || send_next(h, out, now_ms) ||
	    next_hop_probe_due(h, out, now_ms))
		return true;
	/* a target that was found down just now gave its requests away */
	return send_next(h, out, now_ms);
}

uint64_t next_hops_deadline_ms(const struct next_hops *h)
{
	return h->wake_ms;
}

/* --- life ---------------------------------------------------------------- */

int next_hops_new(struct next_hops **h_out, const struct next_hop_params *p,
		  uint64_t now_ms)
{
	struct next_hops *h = calloc(1, sizeof(*h));
	struct hop_uri uri;
	struct hop *hop;
	int err = 0;

	if (h == NULL)
		return FED_ENOMEM;
	h->p = *p;
	h->wake_ms = UINT64_MAX;
	if (p->uri != NULL) {
		err = hop_uri_parse(span_str(p->uri), &uri);
		if (err == 0)
			err = next_hop_new(h, "", &uri, false, now_ms, &hop);
		if (err == 0)
			hop->is_permanent = true;
		if (err == 0 && !hop->is_static)
			next_hop_want(h, hop);
	}
	if (err != 0) {
		next_hops_free(h);
		return err;
	}
	*h_out = h;
	return 0;
}

void next_hops_free(struct next_hops *h)
{
	struct hop_flight *f, *ftmp;
	struct hop *hop, *tmp;

	if (h == NULL)
		return;
	HASH_ITER (hh, h->flights, f, ftmp)
		drop_flight(h, f);
	HASH_ITER (hh_id, h->hop_ids, hop, tmp)
		next_hop_forget(h, hop);
	free(h->legacy_uri);
	free(h);
}
