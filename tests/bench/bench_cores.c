/*
 * CPU of the pure path of one message: XML in, stanza, channel frame, stanza
 * out.  Prints "name nanoseconds" lines.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "chan/chan_codec.h"
#include "edge-proxy/core/stanza_xml.h"
#include "xmpp/jid.h"

enum { ROUNDS = 200000 };

static const char HEADER[] =
	"<stream:stream xmlns='jabber:server' version='1.0' "
	"xmlns:stream='http://etherx.jabber.org/streams' "
	"xmlns:db='jabber:server:dialback' from='xmpp.example' "
	"to='sip.example'>";
static const char MESSAGE[] =
	"<message from='juliet@xmpp.example/balcony' to='romeo@sip.example' "
	"type='chat' id='ktx72v49' xml:lang='en'><body>Art thou not Romeo, and "
	"a Montague?</body><thread>e0ffe42b28561960c6b12b944a092794b9683a38"
	"</thread><active xmlns='http://jabber.org/protocol/chatstates'/>"
	"</message>";

static double cpu_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void fail(const char *what)
{
	(void)fprintf(stderr, "bench_cores: %s\n", what);
	exit(1);
}

static struct xml_event read_one(struct xml_reader *r)
{
	struct xml_event ev;

	if (xml_reader_feed(r, span_of(MESSAGE, sizeof(MESSAGE) - 1)) != 0 ||
	    !xml_reader_next(r, &ev))
		fail("the reader refused the message");
	return ev;
}

static void report(const char *name, double began)
{
	(void)printf("%s %.0f\n", name, (cpu_ns() - began) / ROUNDS);
}

static void bench_read(struct xml_reader *r, struct arena *a)
{
	double began = cpu_ns();

	for (int i = 0; i < ROUNDS; i++)
		(void)read_one(r);
	report("xml_reader", began);
	began = cpu_ns();
	for (int i = 0; i < ROUNDS; i++) {
		struct xml_event ev = read_one(r);
		Fed__Condition c;
		Fed__Stanza *s;

		arena_reset(a);
		if (stanza_xml_read(ev.el, NULL, a, NULL, &s, &c) != STANZA_OK)
			fail("the stanza was refused");
	}
	report("xml_reader_and_stanza", began);
}

static void bench_frame(Fed__Stanza *s, struct arena *a)
{
	Fed__Frame frame;
	Fed__StanzaFrame inner;
	struct buf b;
	double began = cpu_ns();

	fed__frame__init(&frame);
	fed__stanza_frame__init(&inner);
	buf_init(&b, LIMIT_FRAME_BYTES + 4);
	inner.stanza = s;
	frame.kind_case = FED__FRAME__KIND_STANZA;
	frame.stanza = &inner;
	for (int i = 0; i < ROUNDS; i++) {
		Fed__Frame *back;
		size_t used;

		buf_reset(&b);
		if (chan_codec_put(&b, &frame) != 0 ||
		    chan_codec_take(buf_span(&b), a, &back, &used) != 0)
			fail("the frame was refused");
	}
	report("frame_pack_and_unpack", began);
	buf_deinit(&b);
}

static void bench_write(const Fed__Stanza *s)
{
	struct buf b;
	double began = cpu_ns();

	buf_init(&b, LIMIT_STANZA_BYTES);
	for (int i = 0; i < ROUNDS; i++) {
		buf_reset(&b);
		if (stanza_xml_write(&b, s) != 0)
			fail("the stanza was not written");
	}
	report("stanza_write", began);
	buf_deinit(&b);
}

static void bench_jid(void)
{
	static struct jid j;
	double began = cpu_ns();

	for (int i = 0; i < ROUNDS; i++)
		if (jid_parse(SPAN_LIT("juliet@xmpp.example/balcony"), &j) != 0)
			fail("the JID was refused");
	report("jid_parse", began);
}

int main(void)
{
	struct xml_reader *r;
	struct arena a;
	struct arena frames;
	struct xml_event ev;
	Fed__Condition c;
	Fed__Stanza *s;

	arena_init(&a, LIMIT_STANZA_ARENA_BYTES);
	arena_init(&frames, LIMIT_FRAME_ARENA_BYTES);
	if (xml_reader_new(&r, LIMIT_STANZA_BYTES) != 0 ||
	    xml_reader_feed(r, span_str(HEADER)) != 0 ||
	    !xml_reader_next(r, &ev))
		fail("the reader refused the header");
	bench_read(r, &a);
	ev = read_one(r);
	arena_reset(&a);
	if (stanza_xml_read(ev.el, NULL, &a, NULL, &s, &c) != STANZA_OK)
		fail("the stanza was refused");
	bench_frame(s, &frames);
	bench_write(s);
	bench_jid();
	xml_reader_free(r);
	arena_deinit(&frames);
	arena_deinit(&a);
	return 0;
}
