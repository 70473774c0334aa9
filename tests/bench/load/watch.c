/*
 * Presence by the hundred thousand.
 *
 *   watch CHANNEL NAME GATEWAY TRUST CERT KEY LISTEN GATEWAY_SIP
 *
 * The first six are fake_edge's: where the gateway dials, the name of this
 * edge, that of the gateway, the channel's files.  LISTEN is the gateway's
 * next hop, GATEWAY_SIP where it listens.  Commands, each answered with one
 * line of JSON when it is over:
 *
 *   out N      N XMPP users subscribe to SIP users, all are told
 *   in N       the reverse
 *   change N   N XMPP users change: until N NOTIFYs have come
 *   notify N   N SIP users change: until N stanzas have come
 *   restart N  the gateway was killed, with N watches each way: until all
 *              watchers were told again
 */
#include "tests/bench/load/watch.h"

#include "io/daemon.h"
#include "tests/bench/load/flow.h"

enum { ARGS = 8 };

static bool on_command(const char *line, void *arg)
{
	static const char *const names[] = {
		[WATCH_OUT] = "out",	     [WATCH_IN] = "in",
		[WATCH_CHANGE] = "change",   [WATCH_NOTIFY] = "notify",
		[WATCH_RESTART] = "restart",
	};
	struct watch *w = arg;
	uint32_t n;

	for (size_t i = WATCH_OUT; i < FED_ARRAY_LEN(names); i++) {
		if (!flow_is(line, names[i], &n, 1))
			continue;
		watch_begin(w, (enum watch_task)i, n);
		return true;
	}
	return false;
}

/* There are no messages. */
static void send_nothing(uint64_t number, const char body[FLOW_BODY_BYTES + 1],
			 void *arg)
{
	(void)number;
	(void)body;
	(void)arg;
}

int main(int argc, char **argv)
{
	static struct watch w;
	struct logger log = {.sink = NULL};

	if (argc != ARGS + 1)
		flow_die("usage: watch CHANNEL NAME GATEWAY TRUST CERT KEY "
			 "LISTEN GATEWAY_SIP");
	flow_need(loop_new(&w.loop, &log), "loop");
	flow_need(daemon_random(w.ids.key, sizeof(w.ids.key)), "random");
	watch_edge_listen(&w, argv);
	watch_sip_listen(&w, argv[7], argv[8]);
	(void)flow_new(&(struct flow_params){.loop = w.loop,
					     .send = send_nothing,
					     .command = on_command,
					     .arg = &w});
	flow_say("{\"ready\": true}");
	loop_run(w.loop);
	return 0;
}
