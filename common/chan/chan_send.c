/* Frames of ours, and what goes to the wire. */
#include "chan/chan_core_priv.h"

#include <stdio.h>

#include "base/limits.h"

/* A frame without seq, straight into the output. */
int chan_put(struct chan_core *c, Fed__Frame *frame)
{
	int err;

	frame->seq = 0;
	frame->ack = c->is_up ? c->recv_seq : 0;
	err = chan_codec_put(&c->out, frame);
	if (err != 0) {
		c->out.is_failed = false; /* what is in it is whole */
		return err;
	}
	if (c->is_up)
		c->acked_out = c->recv_seq;
	metrics_count(c->metrics, METRIC_channel_frames_out);
	return 0;
}

bool chan_core_can_send(const struct chan_core *c)
{
	return c->state == CHAN_OPEN && !c->is_peer_draining &&
	       c->kept.count[KEPT_STANZA] < c->peer_window &&
	       c->kept.stanza_bytes < LIMIT_CHANNEL_KEPT_BYTES;
}

int chan_core_send_stanza(struct chan_core *c, const struct chan_delivery *d,
			  uint64_t now_ms)
{
	Fed__Frame frame = FED__FRAME__INIT;
	Fed__StanzaFrame sf = FED__STANZA_FRAME__INIT;
	int err;

	(void)now_ms;
	if (!chan_core_can_send(c)) {
		c->is_full = c->state == CHAN_OPEN;
		return FED_EAGAIN;
	}
	sf.delivery_id =
		(ProtobufCBinaryData){ID_RAW_BYTES, chan_unconst(d->id)};
	sf.redelivered = d->is_redelivered;
	sf.facts = chan_unconst(d->facts);
	sf.stanza = chan_unconst(d->stanza);
	if (chan_stanza_problem(&sf, c->role == CHAN_EDGE) != NULL)
		return FED_EINVAL;
	frame.ack = c->recv_seq;
	frame.kind_case = FED__FRAME__KIND_STANZA;
	frame.stanza = &sf;
	err = chan_kept_add(&c->kept, KEPT_STANZA, &frame, LIMIT_FRAME_BYTES,
			    d->handle);
	if (err == 0)
		c->is_full = !chan_core_can_send(c);
	return err;
}

static int keep_outcome(struct chan_core *c, uint64_t seq,
			const Fed__Error *refused)
{
	Fed__Frame frame = FED__FRAME__INIT;
	Fed__Outcome outcome = FED__OUTCOME__INIT;

	outcome.stanza_seq = seq;
	outcome.refused = chan_unconst(refused);
	frame.ack = c->recv_seq;
	frame.kind_case = FED__FRAME__KIND_OUTCOME;
	frame.outcome = &outcome;
	if (!chan_message_is_clean(&outcome.base))
		return FED_EINVAL;
	return chan_kept_add(&c->kept, KEPT_OUTCOME, &frame,
			     LIMIT_CHANNEL_OUTCOME_BYTES, 0);
}

/* An Outcome must not fail for what somebody's error text looks like: a frame
 * that the peer refuses would cost the whole session. */
static int keep_bare_outcome(struct chan_core *c, uint64_t seq,
			     const Fed__Error *refused)
{
	Fed__Error bare;
	int err;

	fed__error__init(&bare);
	bare.condition = refused->condition;
	bare.type = refused->type;
	err = keep_outcome(c, seq, &bare);
	if (err != FED_EINVAL)
		return err;
	bare.condition = FED__CONDITION__UNDEFINED_CONDITION;
	bare.type = FED__ERROR_TYPE__CANCEL;
	return keep_outcome(c, seq, &bare);
}

int chan_core_send_outcome(struct chan_core *c, uint64_t ref,
			   const Fed__Error *refused, uint64_t now_ms)
{
	uint64_t seq;
	int err = chan_window_find(&c->window, ref, &seq);

	(void)now_ms;
	if (err != 0 || seq == 0)
		return err;
	if (c->kept.count[KEPT_OUTCOME] >= LIMIT_CHANNEL_KEPT_OUTCOMES)
		chan_close(c, CHAN_CLOSE_LIMIT,
			   "the peer does not acknowledge Outcomes");
	err = keep_outcome(c, seq, refused);
	if (refused != NULL && (err == FED_EINVAL || err == FED_ELIMIT))
		err = keep_bare_outcome(c, seq, refused);
	if (err == 0)
		chan_window_give(&c->window, ref);
	return err;
}

static int keep_event(struct chan_core *c, const struct chan_rule *r,
		      Fed__Frame *frame)
{
	if (!c->has_session ||
	    (c->state == CHAN_CLOSING && chan_close_ends_session(c->close_why)))
		return FED_EAGAIN;
	if (c->kept.count[KEPT_EVENT] >= LIMIT_CHANNEL_KEPT_EVENTS)
		return FED_ELIMIT;
	frame->ack = c->recv_seq;
	return chan_kept_add(&c->kept, KEPT_EVENT, frame, r->max_bytes, 0);
}

int chan_core_send_frame(struct chan_core *c, Fed__Frame *frame,
			 uint64_t now_ms)
{
	const struct chan_rule *r = chan_rule_of(frame->kind_case);
	unsigned self = c->role == CHAN_EDGE ? CHAN_BY_EDGE : CHAN_BY_GATEWAY;

	(void)now_ms;
	if (r == NULL || !r->is_callers || (r->senders & self) == 0 ||
	    !chan_message_is_clean(&frame->base))
		return FED_EINVAL;
	if (r->is_reliable)
		return keep_event(c, r, frame);
	if (c->state != CHAN_OPEN || buf_len(&c->out) >= LIMIT_WRITE_SOFT_BYTES)
		return FED_EAGAIN;
	frame->seq = 0;
	frame->ack = c->recv_seq;
	if (fed__frame__get_packed_size(frame) > r->max_bytes)
		return FED_ELIMIT;
	return chan_put(c, frame);
}

void chan_core_drain(struct chan_core *c, const char *reason, uint64_t now_ms)
{
	(void)now_ms;
	(void)snprintf(c->drain_reason, sizeof(c->drain_reason), "%s", reason);
	c->is_draining = true;
	c->is_drain_due = c->state == CHAN_OPEN;
}

/* Text of ours may have been cut inside a character. */
static bool is_whole_text(const char *text)
{
	return span_is_utf8(span_str(text));
}

static bool put_drain(struct chan_core *c)
{
	Fed__Frame frame = FED__FRAME__INIT;
	Fed__Drain drain;

	fed__drain__init(&drain);
	if (is_whole_text(c->drain_reason))
		drain.reason = c->drain_reason;
	frame.kind_case = FED__FRAME__KIND_DRAIN;
	frame.drain = &drain;
	return chan_put(c, &frame) == 0;
}

static bool put_bye(struct chan_core *c)
{
	Fed__Frame frame = FED__FRAME__INIT;
	Fed__Bye bye;

	fed__bye__init(&bye);
	if (is_whole_text(c->close_text))
		bye.reason = c->close_text;
	frame.kind_case = FED__FRAME__KIND_BYE;
	frame.bye = &bye;
	return chan_put(c, &frame) == 0;
}

static bool put_probe(struct chan_core *c, Fed__Frame__KindCase kind,
		      uint64_t token)
{
	Fed__Frame frame = FED__FRAME__INIT;
	Fed__Probe probe = FED__PROBE__INIT;

	probe.token = token;
	frame.kind_case = kind;
	if (kind == FED__FRAME__KIND_PING)
		frame.ping = &probe;
	else
		frame.pong = &probe;
	return chan_put(c, &frame) == 0;
}

static bool put_ack(struct chan_core *c)
{
	Fed__Frame frame = FED__FRAME__INIT;

	return chan_put(c, &frame) == 0;
}

/* Kept frames from the cursor on, as far as the output takes them. */
static void put_kept(struct chan_core *c)
{
	const struct chan_kept *e;

	while ((e = c->kept.cursor) != NULL &&
	       buf_len(&c->out) < LIMIT_WRITE_SOFT_BYTES) {
		if (buf_put(&c->out, e->bytes, e->n) != 0) {
			c->out.is_failed = false;
			return;
		}
		if (e->ack > c->acked_out)
			c->acked_out = e->ack;
		metrics_count(c->metrics, METRIC_channel_frames_out);
		chan_kept_wrote(&c->kept);
	}
}

/* An Outcome or the next Stanza usually carries the ack: a frame of its own
 * would wake the peer for nothing. */
static void put_late_ack(struct chan_core *c, uint64_t now_ms)
{
	uint64_t due = c->recv_seq - c->acked_out;

	if (c->recv_seq <= c->acked_out) {
		chan_ack_settled(c);
	} else if (c->is_ack_due || due >= LIMIT_CHANNEL_ACK_FRAMES) {
		if (put_ack(c))
			chan_ack_settled(c);
	} else if (c->ack_ms == UINT64_MAX) {
		c->ack_ms = now_ms + LIMIT_CHANNEL_ACK_MS;
	}
}

static void put_due(struct chan_core *c, uint64_t now_ms)
{
	put_kept(c);
	if (c->is_drain_due && put_drain(c))
		c->is_drain_due = false;
	if (c->is_pong_due &&
	    put_probe(c, FED__FRAME__KIND_PONG, c->pong_token))
		c->is_pong_due = false;
	if (c->is_ping_due &&
	    put_probe(c, FED__FRAME__KIND_PING, c->last_ping_ms))
		c->is_ping_due = false;
	put_late_ack(c, now_ms);
}

struct span chan_core_output(struct chan_core *c, uint64_t now_ms)
{
	/* CLOSING: Outcomes still leave, so that the peer need not wonder */
	if (c->is_up)
		put_due(c, now_ms);
	if (c->is_bye_due && (!c->is_up || c->kept.cursor == NULL) &&
	    put_bye(c))
		c->is_bye_due = false;
	if (buf_len(&c->out) > 0)
		c->last_out_ms = now_ms;
	return buf_span(&c->out);
}

void chan_core_sent(struct chan_core *c, size_t n)
{
	buf_consume(&c->out, n);
}
