/*
 * One received frame: the table first, then ack and seq, then its handler.
 * The peer is hostile until each of them agreed.
 */
#include "chan/chan_core_priv.h"

#include "base/limits.h"

typedef unsigned long long ull;

static enum chan_received bad(struct chan_core *c, const char *what,
			      uint64_t number)
{
	chan_close(c, CHAN_CLOSE_PROTOCOL, "%s (%llu)", what, (ull)number);
	return CHAN_RX_DONE;
}

/* Type, phase, sender, size, reliability: what the table knows. */
static const char *rule_problem(const struct chan_core *c,
				const struct chan_rule *r, const Fed__Frame *f,
				size_t packed_bytes)
{
	unsigned sender = c->role == CHAN_EDGE ? CHAN_BY_GATEWAY : CHAN_BY_EDGE;
	unsigned phase = c->state == CHAN_HELLO ? CHAN_IN_HELLO : CHAN_IN_OPEN;

	if (r == NULL || (f->kind_case == FED__FRAME__KIND__NOT_SET &&
			  f->base.n_unknown_fields > 0))
		return "is of no known type";
	if ((r->senders & sender) == 0)
		return "is not allowed from this side";
	if ((r->phases & phase) == 0)
		return phase == CHAN_IN_HELLO ? "came before the handshake"
					      : "came after the handshake";
	if (packed_bytes > r->max_bytes)
		return "is too large";
	if (r->is_reliable != (f->seq != 0))
		return r->is_reliable ? "has no seq" : "has a seq";
	if (f->kind_case != FED__FRAME__KIND_STANZA &&
	    !chan_message_is_clean(&f->base))
		return "has text that is not UTF-8 or a value not defined";
	return NULL;
}

static enum chan_received on_stanza(struct chan_core *c, const Fed__Frame *f,
				    struct chan_action *a)
{
	const char *problem =
		chan_stanza_problem(f->stanza, c->role == CHAN_GATEWAY);

	if (problem != NULL)
		return bad(c, problem, f->seq);
	a->u.stanza.ref = chan_window_take(&c->window, f->seq);
	if (a->u.stanza.ref == 0)
		return bad(c, "more Stanzas than the window", c->window.size);
	a->kind = CHAN_ACT_STANZA;
	a->u.stanza.frame = f->stanza;
	return CHAN_RX_ACTION;
}

static enum chan_received on_outcome(struct chan_core *c, const Fed__Frame *f,
				     struct chan_action *a, uint64_t now_ms)
{
	struct chan_kept *e = chan_kept_find(&c->kept, f->outcome->stanza_seq);
	const Fed__StanzaFrame *shown;

	/* only acknowledged ones are found: whoever answers has seen it */
	if (e == NULL)
		return bad(c, "Outcome of no outstanding Stanza",
			   f->outcome->stanza_seq);
	shown = chan_show(c, e);
	if (shown == NULL) {
		chan_starve(c, now_ms);
		return CHAN_RX_STARVED;
	}
	a->kind = CHAN_ACT_OUTCOME;
	a->u.outcome.handle = e->handle;
	a->u.outcome.frame = shown;
	a->u.outcome.refused = f->outcome->refused;
	chan_kept_answered(&c->kept, e);
	if (c->is_full && chan_core_can_send(c)) {
		c->is_full = false;
		chan_push(c, CHAN_ACT_WINDOW, false);
	}
	return CHAN_RX_ACTION;
}

static enum chan_received on_drain(struct chan_core *c, const Fed__Frame *f)
{
	if (!c->is_peer_draining) {
		fed_log(c->log, FED_LOG_INFO, "chan_peer_drains",
			"peer=%s reason=%s", c->peer,
			log_value(span_str(f->drain->reason)).text);
		chan_push(c, CHAN_ACT_DRAIN, false);
	}
	c->is_peer_draining = true;
	return CHAN_RX_DONE;
}

static enum chan_received on_bye(struct chan_core *c, const Fed__Frame *f)
{
	chan_close(c, CHAN_CLOSE_BYE, "%s", f->bye->reason);
	return CHAN_RX_DONE;
}

static enum chan_received on_kind(struct chan_core *c, const Fed__Frame *f,
				  struct chan_action *a, uint64_t now_ms)
{
	switch (f->kind_case) {
	case FED__FRAME__KIND_HELLO:
		chan_on_hello(c, f->hello, now_ms);
		return CHAN_RX_DONE;
	case FED__FRAME__KIND_WELCOME:
		chan_on_welcome(c, f->welcome, now_ms);
		return CHAN_RX_DONE;
	case FED__FRAME__KIND_STANZA:
		return on_stanza(c, f, a);
	case FED__FRAME__KIND_OUTCOME:
		return on_outcome(c, f, a, now_ms);
	case FED__FRAME__KIND_PING:
		/* only the last one is answered: pings cannot pile up */
		c->is_pong_due = true;
		c->pong_token = f->ping->token;
		return CHAN_RX_DONE;
	case FED__FRAME__KIND_DRAIN:
		return on_drain(c, f);
	case FED__FRAME__KIND_BYE:
		return on_bye(c, f);
	case FED__FRAME__KIND__NOT_SET:
	case FED__FRAME__KIND_PONG:
		return CHAN_RX_DONE;
	case FED__FRAME__KIND_CONFIG:
	case FED__FRAME__KIND_CONFIG_RESULT:
	case FED__FRAME__KIND_STREAM_EVENT:
	case FED__FRAME__KIND_ATTEMPT:
	case FED__FRAME__KIND_ADMIN_REQUEST:
	case FED__FRAME__KIND_ADMIN_RESPONSE:
		a->kind = CHAN_ACT_FRAME;
		a->u.frame = f;
		return CHAN_RX_ACTION;
	case _FED__FRAME__KIND__CASE_IS_INT_SIZE:
		break;
	}
	return bad(c, "no such frame", (uint64_t)f->kind_case);
}

static enum chan_received on_frame(struct chan_core *c, const Fed__Frame *f,
				   size_t packed_bytes, struct chan_action *a,
				   uint64_t now_ms)
{
	const struct chan_rule *r = chan_rule_of(f->kind_case);
	const char *problem = rule_problem(c, r, f, packed_bytes);
	enum chan_received rx;

	if (problem != NULL) {
		chan_close(c, CHAN_CLOSE_PROTOCOL, "%s %s",
			   r == NULL ? "frame" : r->name, problem);
		return CHAN_RX_DONE;
	}
	if (c->state == CHAN_HELLO && f->ack != 0)
		return bad(c, "ack before the handshake", f->ack);
	if (f->ack > c->kept.sent_seq)
		return bad(c, "ack of a frame never sent", f->ack);
	if (f->ack > c->kept.acked_seq)
		chan_kept_ack(&c->kept, f->ack);
	if (f->seq != 0 && f->seq <= c->recv_seq)
		return CHAN_RX_DONE;
	if (f->seq != 0 && f->seq != c->recv_seq + 1)
		return bad(c, "gap before seq", f->seq);
	rx = on_kind(c, f, a, now_ms);
	if (f->seq != 0 && rx != CHAN_RX_STARVED)
		c->recv_seq = f->seq;
	return rx;
}

/* The length alone condemns it, before its bytes are waited for. */
static bool is_over_limit(const struct chan_core *c)
{
	size_t n = chan_codec_peek(buf_span(&c->in));
	size_t max = c->state == CHAN_HELLO ? LIMIT_CHANNEL_HELLO_BYTES
					    : LIMIT_FRAME_BYTES;

	return n != SIZE_MAX && n > max;
}

enum chan_received chan_receive(struct chan_core *c, struct chan_action *a,
				uint64_t now_ms)
{
	enum chan_received rx;
	Fed__Frame *frame;
	size_t used;
	int err;

	if (c->state != CHAN_HELLO && c->state != CHAN_OPEN)
		return CHAN_RX_NONE;
	if (is_over_limit(c)) {
		chan_close(c, CHAN_CLOSE_LIMIT, "frame is too long");
		return CHAN_RX_DONE;
	}
	err = chan_codec_take(buf_span(&c->in), &c->frame_arena, &frame, &used);
	if (err == FED_EAGAIN)
		return CHAN_RX_NONE;
	if (err == FED_ENOMEM) {
		chan_starve(c, now_ms);
		return CHAN_RX_STARVED;
	}
	if (err != 0)
		return bad(c, "not a frame, length", buf_len(&c->in));
	rx = on_frame(c, frame, used - CHAN_PREFIX_BYTES, a, now_ms);
	if (rx == CHAN_RX_STARVED)
		return rx;
	metrics_count(c->metrics, METRIC_channel_frames_in);
	buf_consume(&c->in, used);
	return rx;
}
