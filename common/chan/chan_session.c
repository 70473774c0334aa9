/* Hello and Welcome, resume, the end of a session. */
#include "chan/chan_core_priv.h"

#include <string.h>

static ProtobufCBinaryData binary(const uint8_t *p, size_t n)
{
	return (ProtobufCBinaryData){.len = n, .data = chan_unconst(p)};
}

static bool is_same_id(const ProtobufCBinaryData *b,
		       const uint8_t id[ID_RAW_BYTES])
{
	return digest_equal(span_of(b->data, b->len),
			    span_of(id, ID_RAW_BYTES));
}

int chan_write_hello(struct chan_core *c)
{
	Fed__Frame frame = FED__FRAME__INIT;
	Fed__Hello hello;

	fed__hello__init(&hello);
	hello.version = CHAN_VERSION;
	hello.version_min = CHAN_VERSION_MIN;
	hello.role = FED__ROLE__GATEWAY;
	hello.instance = c->instance;
	hello.boot_id = binary(c->boot_id, ID_RAW_BYTES);
	hello.window = c->window.size;
	if (c->has_session) {
		hello.session = binary(c->token, ID_RAW_BYTES);
		hello.last_received = c->recv_seq;
	}
	frame.kind_case = FED__FRAME__KIND_HELLO;
	frame.hello = &hello;
	return chan_put(c, &frame);
}

static int write_welcome(struct chan_core *c, uint32_t version, bool is_resumed)
{
	Fed__Frame frame = FED__FRAME__INIT;
	Fed__Welcome welcome;

	fed__welcome__init(&welcome);
	welcome.version = version;
	welcome.instance = c->instance;
	welcome.boot_id = binary(c->boot_id, ID_RAW_BYTES);
	welcome.session = binary(c->token, ID_RAW_BYTES);
	welcome.resumed = is_resumed;
	welcome.last_received = c->recv_seq;
	welcome.window = c->window.size;
	frame.kind_case = FED__FRAME__KIND_WELCOME;
	frame.welcome = &welcome;
	return chan_put(c, &frame);
}

void chan_session_end(struct chan_core *c)
{
	if (!c->has_session)
		return;
	chan_kept_end(&c->kept);
	chan_window_clear(&c->window);
	c->has_session = false;
	c->recv_seq = 0;
	explicit_bzero(c->token, sizeof(c->token));
	chan_push(c, CHAN_ACT_RETURNED, false);
}

static void session_begin(struct chan_core *c, const uint8_t *token,
			  const uint8_t *peer_boot)
{
	chan_session_end(c);
	memcpy(c->token, token, ID_RAW_BYTES);
	memcpy(c->peer_boot, peer_boot, ID_RAW_BYTES);
	c->has_session = true;
}

/* What both sides do once they agree. */
static void go_up(struct chan_core *c, bool is_resumed, uint32_t window)
{
	c->peer_window =
		window < LIMIT_CHANNEL_WINDOW ? window : LIMIT_CHANNEL_WINDOW;
	c->acked_out = c->recv_seq; /* told in Hello or Welcome */
	chan_ack_settled(c);
	c->is_peer_draining = false;
	c->is_drain_due = c->is_draining;
	c->is_up = true;
	chan_set_state(c, CHAN_OPEN);
	c->is_full = !chan_core_can_send(c);
	c->resumes = is_resumed ? c->resumes + 1 : 0;
	if (is_resumed)
		metrics_count(c->metrics, METRIC_channel_resumes);
	fed_log(c->log, FED_LOG_INFO, "chan_up",
		"peer=%s resumed=%d window=%u outstanding=%u", c->peer,
		is_resumed, c->peer_window, chan_core_outstanding(c));
	chan_push(c, CHAN_ACT_UP, is_resumed);
}

/* Below what it acknowledged, or above what was ever written: a lie. */
static bool resume_from(struct chan_core *c, uint64_t last_received)
{
	if (last_received < c->kept.acked_seq ||
	    last_received > c->kept.high_seq) {
		chan_close(c, CHAN_CLOSE_PROTOCOL,
			   "last_received %llu is outside of what was sent",
			   (unsigned long long)last_received);
		return false;
	}
	chan_kept_resume(&c->kept, last_received);
	return true;
}

/* The fields that Hello and Welcome share. */
static bool greeting_is_sound(struct chan_core *c, const char *instance,
			      const ProtobufCBinaryData *boot_id,
			      uint32_t window)
{
	if (instance == NULL || strcmp(instance, c->peer) != 0) {
		chan_close(c, CHAN_CLOSE_IDENTITY,
			   "the peer is not the instance expected");
		return false;
	}
	if (boot_id->len != ID_RAW_BYTES) {
		chan_close(c, CHAN_CLOSE_PROTOCOL, "boot_id is not 16 bytes");
		return false;
	}
	if (window == 0) {
		chan_close(c, CHAN_CLOSE_PROTOCOL, "window is 0");
		return false;
	}
	return true;
}

static bool hello_is_sound(struct chan_core *c, const Fed__Hello *h)
{
	if (h->version < CHAN_VERSION_MIN || h->version_min > CHAN_VERSION ||
	    h->version_min > h->version) {
		chan_close(c, CHAN_CLOSE_VERSION,
			   "versions %u to %u, this side speaks %d to %d",
			   h->version_min, h->version, CHAN_VERSION_MIN,
			   CHAN_VERSION);
		return false;
	}
	if (h->role != FED__ROLE__GATEWAY) {
		chan_close(c, CHAN_CLOSE_PROTOCOL,
			   "Hello of a role that is not gateway");
		return false;
	}
	if (h->session.len != 0 && h->session.len != ID_RAW_BYTES) {
		chan_close(c, CHAN_CLOSE_PROTOCOL, "session is not 16 bytes");
		return false;
	}
	return greeting_is_sound(c, h->instance, &h->boot_id, h->window);
}

void chan_on_hello(struct chan_core *c, const Fed__Hello *h, uint64_t now_ms)
{
	uint8_t token[ID_RAW_BYTES];
	uint32_t version;
	bool is_resumed;

	(void)now_ms;
	if (!hello_is_sound(c, h))
		return;
	is_resumed = c->has_session && is_same_id(&h->session, c->token) &&
		     is_same_id(&h->boot_id, c->peer_boot);
	if (is_resumed && !resume_from(c, h->last_received))
		return;
	if (!is_resumed) {
		id_source_next_raw(c->ids, token);
		session_begin(c, token, h->boot_id.data);
	}
	version = h->version < CHAN_VERSION ? h->version : CHAN_VERSION;
	if (write_welcome(c, version, is_resumed) != 0) {
		chan_close(c, CHAN_CLOSE_LIMIT, "no memory for Welcome");
		return;
	}
	go_up(c, is_resumed, h->window);
}

static bool welcome_is_sound(struct chan_core *c, const Fed__Welcome *w)
{
	if (w->version < CHAN_VERSION_MIN || w->version > CHAN_VERSION) {
		chan_close(c, CHAN_CLOSE_VERSION,
			   "version %u, this side speaks %d to %d", w->version,
			   CHAN_VERSION_MIN, CHAN_VERSION);
		return false;
	}
	if (!greeting_is_sound(c, w->instance, &w->boot_id, w->window))
		return false;
	if (w->session.len != ID_RAW_BYTES) {
		chan_close(c, CHAN_CLOSE_PROTOCOL, "session is not 16 bytes");
		return false;
	}
	if (w->resumed &&
	    (!c->has_session || !is_same_id(&w->session, c->token) ||
	     !is_same_id(&w->boot_id, c->peer_boot))) {
		chan_close(c, CHAN_CLOSE_PROTOCOL,
			   "resumed a session that this side does not have");
		return false;
	}
	if (!w->resumed && w->last_received != 0) {
		chan_close(c, CHAN_CLOSE_PROTOCOL,
			   "last_received in a new session");
		return false;
	}
	return true;
}

void chan_on_welcome(struct chan_core *c, const Fed__Welcome *w,
		     uint64_t now_ms)
{
	(void)now_ms;
	if (!welcome_is_sound(c, w))
		return;
	if (!w->resumed)
		session_begin(c, w->session.data, w->boot_id.data);
	else if (!resume_from(c, w->last_received))
		return;
	go_up(c, w->resumed, w->window);
}
