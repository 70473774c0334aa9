/*
 * Streams by the hundred, from s0.load.example, s1...: idle ones, whose memory
 * is measured, and ones that end as soon as they are open, for the cost of a
 * handshake.
 *
 *   crowd EDGE CA CERT KEY WILDCARD-CERT WILDCARD-KEY
 *
 * Commands, each answered when it is so:
 *
 *   idle N            have N open streams; 0 ends them
 *   handshakes N MS   N at a time for MS milliseconds, none resumes a session
 *   resumptions N MS  the same, with the session of the one before
 */
#include <inttypes.h>
#include <stdio.h>

#include "tests/bench/load/flow.h"
#include "tests/bench/load/host.h"
#include "tests/bench/load/users.h"

enum {
	ARGS = 6,
	CROWD_MAX = HOST_DOMAINS,
	/* below the edge's limit of strangers from one address */
	CROWD_AT_ONCE = 8,
	/* different names, so that no limit of one partner is met */
	CROWD_NAMES = 64,
};

enum crowd_task {
	CROWD_NOTHING,
	CROWD_IDLE,
	CROWD_LEAVE,
	CROWD_HANDSHAKES,
	CROWD_RESUMPTIONS,
};

struct crowd {
	struct host_files files;
	struct peer_host host;
	struct sockaddr_storage edge;
	enum crowd_task task;
	struct peer *idle[CROWD_MAX];
	unsigned connecting;
	unsigned alive; /* streams that did not end */
	unsigned open;	/* IDLE */
	unsigned wanted;
	uint64_t begun; /* HANDSHAKES, RESUMPTIONS: all that follows */
	uint64_t made;
	uint64_t resumed;
	uint64_t begun_ns;
	uint64_t last_ns;
	uint64_t until_ns;
};

static void on_peer(struct peer *p, const struct peer_event *ev, void *arg);

static bool is_measuring(const struct crowd *c)
{
	return c->task == CROWD_HANDSHAKES || c->task == CROWD_RESUMPTIONS;
}

static void connect_one(struct crowd *c, unsigned number)
{
	char name[128];

	(void)snprintf(name, sizeof(name), "s%u." LOAD_XMPP_DOMAIN, number);
	c->connecting++;
	c->alive++;
	c->begun++;
	if (c->task == CROWD_HANDSHAKES) {
		tls_creds_unref(c->host.creds);
		c->host.creds = host_load_creds(&c->files);
	}
	(void)peer_connect(&c->host, (const struct sockaddr *)&c->edge, name,
			   c->host.identity, on_peer, c);
}

static void connect_more(struct crowd *c)
{
	switch (c->task) {
	case CROWD_IDLE:
		while (c->connecting < CROWD_AT_ONCE && c->alive < c->wanted)
			connect_one(c, c->alive);
		break;
	case CROWD_HANDSHAKES:
	case CROWD_RESUMPTIONS:
		/* the first N in any case: others may have the processor */
		while (c->alive < c->wanted &&
		       (c->begun < c->wanted || flow_now_ns() < c->until_ns))
			connect_one(c, (unsigned)(c->begun % CROWD_NAMES));
		break;
	case CROWD_NOTHING:
	case CROWD_LEAVE:
		break;
	}
}

static void on_open(struct crowd *c, struct peer *p,
		    const struct tls_facts *tls)
{
	c->connecting--;
	if (is_measuring(c)) {
		c->made++;
		c->resumed += tls != NULL && tls->is_resumed;
		c->last_ns = flow_now_ns();
		return;
	}
	c->idle[c->open++] = p;
	if (c->open == c->wanted) {
		c->task = CROWD_NOTHING;
		flow_say("{\"open\": %u}", c->open);
	}
}

static void on_end(struct crowd *c, const struct s2s_reason *why)
{
	char text[256];

	c->alive--;
	if (c->task != CROWD_LEAVE && !is_measuring(c)) {
		s2s_reason_format(why, text, sizeof(text));
		flow_die("one of many streams ended: %s", text);
	}
	connect_more(c);
	if (c->alive > 0)
		return;
	if (is_measuring(c))
		flow_say("{\"begun\": %" PRIu64 ", \"made\": %" PRIu64
			 ", \"resumed\": %" PRIu64 ", \"ns\": %" PRIu64 "}",
			 c->begun, c->made, c->resumed,
			 c->last_ns - c->begun_ns);
	else
		flow_say("{\"open\": 0}");
	c->task = CROWD_NOTHING;
}

static void on_peer(struct peer *p, const struct peer_event *ev, void *arg)
{
	struct crowd *c = arg;

	switch (ev->kind) {
	case PEER_OPEN:
		on_open(c, p, ev->tls);
		connect_more(c);
		if (is_measuring(c))
			peer_close(p);
		break;
	case PEER_END:
		on_end(c, ev->why);
		break;
	case PEER_BYTES:
		break;
	}
}

static void leave(struct crowd *c)
{
	unsigned n = c->open;

	c->task = CROWD_LEAVE;
	c->open = 0;
	for (unsigned i = 0; i < n; i++)
		peer_close(c->idle[i]);
}

static void begin(struct crowd *c, enum crowd_task task, const uint32_t n[2])
{
	c->task = task;
	c->wanted = n[0];
	c->connecting = 0;
	c->begun = 0;
	c->made = 0;
	c->resumed = 0;
	c->begun_ns = flow_now_ns();
	c->last_ns = c->begun_ns;
	c->until_ns = c->begun_ns + (uint64_t)n[1] * 1000000u;
	connect_more(c);
}

static bool on_command(const char *line, void *arg)
{
	struct crowd *c = arg;
	uint32_t n[2] = {0, 0};
	enum crowd_task task;

	if (flow_is(line, "idle", n, 1))
		task = n[0] > 0 ? CROWD_IDLE : CROWD_LEAVE;
	else if (flow_is(line, "handshakes", n, 2))
		task = CROWD_HANDSHAKES;
	else if (flow_is(line, "resumptions", n, 2))
		task = CROWD_RESUMPTIONS;
	else
		return false;
	if (n[0] > CROWD_MAX || c->task != CROWD_NOTHING ||
	    (n[0] == 0) != (task == CROWD_LEAVE) ||
	    (task == CROWD_LEAVE) != (c->open > 0))
		flow_die("not now: %s", line);
	if (task == CROWD_LEAVE)
		leave(c);
	else
		begin(c, task, n);
	return true;
}

int main(int argc, char **argv)
{
	static struct crowd c;
	struct loop *loop;

	if (argc != ARGS + 1)
		flow_die("usage: crowd EDGE CA CERT KEY WILDCARD-CERT "
			 "WILDCARD-KEY");
	c.files = (struct host_files){argv[2], argv[3], argv[4], argv[5],
				      argv[6]};
	flow_need(loop_new(&loop, host_log()), "loop");
	host_init(&c.host, loop, &c.files);
	load_address(argv[1], &c.edge);
	(void)flow_new(&(struct flow_params){
		.loop = loop, .command = on_command, .arg = &c});
	flow_say("{\"ready\": true}");
	loop_run(loop);
	return 0;
}
