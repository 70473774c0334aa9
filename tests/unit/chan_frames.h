/* One frame of each type, made by hand and right until a test spoils it. */
#ifndef FED_TESTS_CHAN_FRAMES_H
#define FED_TESTS_CHAN_FRAMES_H

#include "chan_harness.h"

struct all_frames {
	uint8_t id[ID_RAW_BYTES];
	Fed__Hello hello;
	Fed__Welcome welcome;
	Fed__StanzaFrame stanza;
	Fed__Outcome outcome;
	Fed__Config config;
	Fed__ConfigResult config_result;
	Fed__StreamEvent stream_event;
	Fed__Attempt attempt;
	Fed__AdminRelay admin;
	Fed__Probe probe;
	Fed__Drain drain;
	Fed__Bye bye;
};

static inline ProtobufCBinaryData id_of(struct all_frames *f)
{
	return (ProtobufCBinaryData){sizeof(f->id), f->id};
}

/* Right in every field that the type itself has. */
static inline void make_all(struct pair *p, struct all_frames *f,
			    bool is_by_edge)
{
	static char edge[] = "edge-1";
	static char gw[] = "gw-1";

	memset(f->id, 7, sizeof(f->id));
	fed__hello__init(&f->hello);
	f->hello.version = CHAN_VERSION;
	f->hello.version_min = CHAN_VERSION_MIN;
	f->hello.role = FED__ROLE__GATEWAY;
	f->hello.instance = gw;
	f->hello.boot_id = id_of(f);
	f->hello.window = 4;
	fed__welcome__init(&f->welcome);
	f->welcome.version = CHAN_VERSION;
	f->welcome.instance = edge;
	f->welcome.boot_id = id_of(f);
	f->welcome.session = id_of(f);
	f->welcome.window = 4;
	fed__stanza_frame__init(&f->stanza);
	f->stanza.delivery_id = id_of(f);
	f->stanza.stanza = make_stanza(&p->arena, 1);
	f->stanza.facts = is_by_edge ? make_facts(&p->arena) : NULL;
	fed__outcome__init(&f->outcome);
	f->outcome.stanza_seq = 1;
	fed__config__init(&f->config);
	fed__config_result__init(&f->config_result);
	fed__stream_event__init(&f->stream_event);
	fed__attempt__init(&f->attempt);
	fed__admin_relay__init(&f->admin);
	fed__probe__init(&f->probe);
	fed__drain__init(&f->drain);
	fed__bye__init(&f->bye);
}

static inline Fed__Frame frame_of(struct all_frames *f,
				  Fed__Frame__KindCase kind)
{
	Fed__Frame frame = FED__FRAME__INIT;

	frame.kind_case = kind;
	/* a union of pointers: one of them sets them all */
	frame.hello = kind == FED__FRAME__KIND_HELLO ? &f->hello : NULL;
	if (kind == FED__FRAME__KIND_WELCOME)
		frame.welcome = &f->welcome;
	if (kind == FED__FRAME__KIND_STANZA)
		frame.stanza = &f->stanza;
	if (kind == FED__FRAME__KIND_OUTCOME)
		frame.outcome = &f->outcome;
	if (kind == FED__FRAME__KIND_CONFIG)
		frame.config = &f->config;
	if (kind == FED__FRAME__KIND_CONFIG_RESULT)
		frame.config_result = &f->config_result;
	if (kind == FED__FRAME__KIND_STREAM_EVENT)
		frame.stream_event = &f->stream_event;
	if (kind == FED__FRAME__KIND_ATTEMPT)
		frame.attempt = &f->attempt;
	if (kind == FED__FRAME__KIND_ADMIN_REQUEST ||
	    kind == FED__FRAME__KIND_ADMIN_RESPONSE)
		frame.admin_request = &f->admin;
	if (kind == FED__FRAME__KIND_PING || kind == FED__FRAME__KIND_PONG)
		frame.ping = &f->probe;
	if (kind == FED__FRAME__KIND_DRAIN)
		frame.drain = &f->drain;
	if (kind == FED__FRAME__KIND_BYE)
		frame.bye = &f->bye;
	return frame;
}

#endif
