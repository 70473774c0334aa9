/*
 * A session with a peer that may do anything.  The input is a list of
 * commands: one byte, then what the command takes.  Checked: no more is kept
 * than the limits allow, every Stanza of ours ends once, a Stanza shown is
 * valid, CLOSE is the last word of a connection.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/limits.h"
#include "chan/chan_core.h"
#include "xmpp/stanza_util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HANDLES = 256, REFS = 64 };

struct world {
	const uint8_t *p;
	size_t n;
	struct chan_core *core;
	enum chan_role role;
	struct id_source ids;
	struct arena arena;
	uint64_t now;
	uint8_t open[HANDLES]; /* our Stanzas without end */
	unsigned next_handle;
	uint64_t refs[REFS];
	unsigned ref_count;
	bool is_closed;		     /* CLOSE was raised on this connection */
	uint8_t token[ID_RAW_BYTES]; /* of the last Welcome the edge wrote */
};

static uint8_t next_byte(struct world *w)
{
	if (w->n == 0)
		return 0;
	w->n--;
	return *w->p++;
}

static struct span next_bytes(struct world *w, size_t n)
{
	struct span s;

	if (n > w->n)
		n = w->n;
	s = span_of(w->p, n);
	w->p += n;
	w->n -= n;
	return s;
}

static void on_action(struct world *w, const struct chan_action *a)
{
	switch (a->kind) {
	case CHAN_ACT_STANZA:
		FED_REQUIRE(!w->is_closed && a->u.stanza.ref != 0);
		FED_REQUIRE(stanza_validate(a->u.stanza.frame->stanza) == 0);
		FED_REQUIRE((w->role == CHAN_GATEWAY) ==
			    (a->u.stanza.frame->facts != NULL));
		w->refs[w->ref_count++ % REFS] = a->u.stanza.ref;
		return;
	case CHAN_ACT_OUTCOME:
	case CHAN_ACT_RETURNED:
		FED_REQUIRE(a->u.outcome.frame != NULL);
		FED_REQUIRE(w->open[a->u.outcome.handle] == 1);
		w->open[a->u.outcome.handle] = 0;
		return;
	case CHAN_ACT_CLOSE:
		w->is_closed = true;
		return;
	case CHAN_ACT_DOWN:
		FED_REQUIRE(!chan_core_is_up(w->core));
		return;
	case CHAN_ACT_UP:
	case CHAN_ACT_FRAME:
	case CHAN_ACT_WINDOW:
	case CHAN_ACT_DRAIN:
	case CHAN_ACT_GONE:
		return;
	}
}

static void drain(struct world *w)
{
	struct chan_action a;

	while (chan_core_next_action(w->core, &a, w->now))
		on_action(w, &a);
}

static void feed(struct world *w, struct span s)
{
	(void)!chan_core_on_bytes(w->core, s, w->now);
	drain(w);
}

static void feed_frame(struct world *w, Fed__Frame *frame)
{
	struct buf b;

	buf_init(&b, 65536);
	if (chan_codec_put(&b, frame) == 0)
		feed(w, buf_span(&b));
	buf_deinit(&b);
}

/* The greeting that a right peer would send. */
static void greet(struct world *w, bool resumes, uint8_t seen)
{
	uint8_t boot_id[ID_RAW_BYTES] = {9};
	char peer[] = "peer";
	Fed__Frame frame = FED__FRAME__INIT;
	Fed__Hello hello;
	Fed__Welcome welcome;
	ProtobufCBinaryData boot = {ID_RAW_BYTES, boot_id};
	ProtobufCBinaryData token = {ID_RAW_BYTES, w->token};

	fed__hello__init(&hello);
	fed__welcome__init(&welcome);
	hello.version = welcome.version = CHAN_VERSION;
	hello.version_min = CHAN_VERSION_MIN;
	hello.role = FED__ROLE__GATEWAY;
	hello.instance = welcome.instance = peer;
	hello.boot_id = welcome.boot_id = boot;
	hello.window = welcome.window = 8;
	hello.last_received = welcome.last_received = resumes ? seen : 0;
	if (resumes)
		hello.session = token;
	welcome.session = token;
	welcome.resumed = resumes;
	frame.kind_case = w->role == CHAN_EDGE ? FED__FRAME__KIND_HELLO
					       : FED__FRAME__KIND_WELCOME;
	if (w->role == CHAN_EDGE)
		frame.hello = &hello;
	else
		frame.welcome = &welcome;
	feed_frame(w, &frame);
}

static void send_stanza(struct world *w)
{
	struct chan_delivery d = {.handle = w->next_handle % HANDLES};
	Fed__Stanza *s;
	Fed__Facts f;

	if (w->open[d.handle])
		return;
	arena_reset(&w->arena);
	s = stanza_new_message(&w->arena);
	s->from = arena_dup(&w->arena, SPAN_LIT("a@b.example"));
	s->to = arena_dup(&w->arena, SPAN_LIT("c@d.example"));
	fed__facts__init(&f);
	f.peer_domain = f.local_domain = s->from + 2;
	d.stanza = s;
	d.facts = w->role == CHAN_EDGE ? &f : NULL;
	if (chan_core_send_stanza(w->core, &d, w->now) != 0)
		return;
	w->open[d.handle] = 1;
	w->next_handle++;
}

/* A frame of the peer: the fuzzer's bytes behind a right prefix. */
static void feed_body(struct world *w)
{
	size_t n = next_byte(w);
	struct span s = next_bytes(w, n);
	uint8_t prefix[4] = {0, 0, 0, (uint8_t)s.n};

	feed(w, span_of(prefix, 4));
	feed(w, s);
}

static void go_up(struct world *w)
{
	chan_core_on_up(w->core, w->now);
	w->is_closed = false;
	drain(w);
}

static void take_output(struct world *w)
{
	struct span out = chan_core_output(w->core, w->now);
	Fed__Frame *f;
	size_t used;

	/* what we write is whole frames at its front */
	if (chan_codec_take(out, &w->arena, &f, &used) == 0) {
		if (f->kind_case == FED__FRAME__KIND_WELCOME)
			memcpy(w->token, f->welcome->session.data,
			       ID_RAW_BYTES);
		chan_core_sent(w->core, used);
	} else {
		FED_REQUIRE(out.n == 0);
	}
}

static void command(struct world *w)
{
	Fed__Error refused;
	uint8_t c = next_byte(w);

	switch (c % 16) {
	case 0:
		feed(w, next_bytes(w, next_byte(w)));
		break;
	case 1:
		go_up(w);
		break;
	case 2:
		chan_core_on_down(w->core, w->now);
		break;
	case 3:
		w->now += (uint64_t)next_byte(w) * 500;
		chan_core_on_timer(w->core, w->now);
		break;
	case 4:
		send_stanza(w);
		break;
	case 5:
		fed__error__init(&refused);
		(void)!chan_core_send_outcome(w->core,
					      w->refs[next_byte(w) % REFS],
					      c & 16 ? &refused : NULL, w->now);
		break;
	case 6:
		take_output(w);
		break;
	case 7:
		go_up(w);
		greet(w, c & 16, next_byte(w));
		break;
	case 8:
		chan_core_drain(w->core, "x", w->now);
		break;
	case 9:
		chan_core_abandon(w->core, "x", w->now);
		break;
	default:
		feed_body(w);
		break;
	}
	drain(w);
	FED_REQUIRE(chan_core_outstanding(w->core) <= LIMIT_CHANNEL_WINDOW);
	FED_REQUIRE(chan_core_owed(w->core) <= 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w = {.p = data, .n = size, .now = 1000};
	struct chan_params p = {
		.instance = "self", .peer = "peer", .ids = &w.ids, .window = 4};
	unsigned open = 0;

	arena_init(&w.arena, 1u << 20);
	w.role = next_byte(&w) & 1 ? CHAN_EDGE : CHAN_GATEWAY;
	p.role = w.role;
	if (chan_core_new(&w.core, &p, w.now) != 0)
		return 0;
	while (w.n > 0)
		command(&w);
	/* at the end everything of ours comes back */
	chan_core_abandon(w.core, "end", w.now);
	drain(&w);
	chan_core_on_down(w.core, w.now);
	drain(&w);
	for (unsigned i = 0; i < HANDLES; i++)
		open += w.open[i];
	FED_REQUIRE(open == 0);
	chan_core_free(w.core);
	arena_deinit(&w.arena);
	return 0;
}
