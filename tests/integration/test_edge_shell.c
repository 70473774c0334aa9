/*
 * Parts of the edge's shell together, without a network: a dial is what the
 * test says, and what comes when.
 */
#include "loopback.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utlist.h>

#include "edge-proxy/edge_attempts.h"
#include "edge-proxy/edge_channel.h"
#include "edge-proxy/edge_confirm.h"
#include "edge-proxy/edge_federation.h"
#include "edge-proxy/edge_session_out.h"
#include "edge-proxy/edge_source.h"
#include "xmpp/stanza_util.h"

static const char *const domains[] = {"sip.example"};
static const struct policy_partner partners[] = {{.domain = "*"}};

/* ---- what main.c and edge_dial.c are otherwise --------------------------- */

struct edge_dial {
	struct edge_dial_params p;
	bool is_freed;
};

static struct edge_dial last_dial;

int edge_dial_new(struct edge_dial **d_out, const struct edge_dial_params *p)
{
	last_dial = (struct edge_dial){.p = *p};
	*d_out = &last_dial;
	return 0;
}

void edge_dial_free(struct edge_dial *d)
{
	if (d != NULL)
		d->is_freed = true;
}

struct edge_label edge_label_next(struct edge *e, const char *dir)
{
	(void)e;
	(void)dir;
	return (struct edge_label){.number = 1, .text = "s2s=1"};
}

size_t edge_streams_max(const struct edge *e)
{
	(void)e;
	return LIMIT_STREAMS;
}

size_t edge_streams_of_others(const struct edge *e)
{
	(void)e;
	return LIMIT_STREAMS;
}

struct s2s_reason edge_reason(enum s2s_reason_kind kind, enum s2s_condition c,
			      const char *text)
{
	(void)text;
	return (struct s2s_reason){.kind = kind, .condition = c};
}

uint64_t edge_expires_ms(struct edge *e, const struct tls_facts *tls)
{
	(void)e;
	(void)tls;
	return 0;
}

void edge_check_stopped(struct edge *e)
{
	(void)e;
}

/* ---- an edge ------------------------------------------------------------- */

static struct edge *edge_make(void)
{
	const struct tls_creds_params p = {.verify = TLS_VERIFY_FACTS};
	struct edge *e = calloc(1, sizeof(*e));
	struct errbuf err = {""};

	assert_non_null(e);
	assert_int_equal(0, loop_new(&e->loop, NULL));
	e->policy = (struct policy){.domains = domains,
				    .domain_count = 1,
				    .partners = partners,
				    .partner_count = 1,
				    .stanza_max = LIMIT_STANZA_BYTES};
	assert_int_equal(0, tls_creds_new(&e->creds, &p, &err));
	assert_int_equal(0, edge_routes_new(e));
	assert_int_equal(0, edge_confirm_new(e));
	assert_int_equal(0, edge_news_new(e));
	return e;
}

static void edge_unmake(struct edge *e)
{
	edge_out_kill_all(e);
	edge_news_free(e);
	edge_confirm_free(e);
	edge_routes_free(e);
	loop_free(e->loop);
	tls_creds_unref(e->creds);
	free(e);
}

static void turn(struct edge *e)
{
	(void)uv_run(loop_uv(e->loop), UV_RUN_NOWAIT);
}

/* ---- streams of our own -------------------------------------------------- */

/* The end of a stream that is being connected is the end of its dial: what
 * comes up in the same turn must not find a stream that is about to go. */
static void test_end_while_dialing(void **state)
{
	struct edge *e = edge_make();

	(void)state;
	edge_out_route(e, 1, &(struct s2s_pair){"sip.example", "a.example"});
	assert_non_null(e->outs);
	assert_false(last_dial.is_freed);
	edge_out_close(e, 1, EDGE_ROUTER_GIVE_UP);
	assert_null(e->outs);
	assert_true(last_dial.is_freed);
	turn(e);
	edge_unmake(e);
}

/* ---- streams that wait --------------------------------------------------- */

static unsigned line_runs;

static void on_line(void *arg)
{
	(void)arg;
	line_runs++;
}

static void send_from_gateway(struct edge *e)
{
	struct edge_router_refusal no = {0};
	Fed__StanzaFrame frame;
	struct arena a;
	Fed__Stanza *s;

	arena_init(&a, 65536);
	s = stanza_new_message(&a);
	assert_non_null(s);
	s->from = arena_dup(&a, SPAN_LIT("romeo@sip.example"));
	s->to = arena_dup(&a, SPAN_LIT("juliet@a.example"));
	fed__stanza_frame__init(&frame);
	frame.stanza = s;
	assert_int_equal(0, edge_routes_send(e, (struct edge_origin){1, 1},
					     &frame, &no));
	arena_deinit(&a);
}

/* A stream is not read while too much waits for its domain, whoever wrote it;
 * so whatever leaves is a reason to look again. */
static void test_wait_ends_with_stanzas_of_gateways(void **state)
{
	struct edge *e = edge_make();
	struct edge_channel ch = {.e = e, .work = {.fn = on_line}};
	struct edge_wait waiting = {.list = &ch.line};

	(void)state;
	DL_APPEND(ch.line, &waiting);
	e->channel = &ch;
	send_from_gateway(e);
	turn(e);
	assert_int_equal(1, edge_routes_stanzas(e));
	assert_int_equal(0, line_runs);
	assert_non_null(e->outs);
	edge_out_kill_all(e); /* the attempt fails: the stanza is refused */
	turn(e);
	turn(e);
	assert_int_equal(0, edge_routes_stanzas(e));
	assert_int_equal(1, line_runs);
	e->channel = NULL;
	edge_unmake(e);
}

/* ---- rates --------------------------------------------------------------- */

static const struct policy_partner ten_a_second[] = {
	{.domain = "*", .name = "*", .stanzas_per_s = 10}};

static void enter(struct edge_source *src, const char *domain)
{
	assert_true(edge_partner_enter(src, domain, true, EDGE_PARTNER_NEW));
}

/* With a stream each that said something: what it said is not forgotten with
 * it, nor when the policy is looked at again. */
static void test_rate_outlives_streams(void **state)
{
	struct edge *e = edge_make();
	struct edge_source src = {.e = e, .conn = (struct conn *)e};
	const struct edge_partner *p;

	(void)state;
	e->policy.partners = ten_a_second;
	enter(&src, "a.example");
	edge_partner_leave(&src);
	assert_null(e->partners);
	enter(&src, "a.example");
	p = src.partner;
	edge_partner_spend(&src, 5, 0);
	assert_true(edge_partner_enter(&src, "a.example", true,
				       EDGE_PARTNER_THERE));
	assert_ptr_equal(p, src.partner);
	edge_partner_leave(&src);
	assert_ptr_equal(p, e->partners);
	assert_int_equal(1, e->partners_kept);
	enter(&src, "a.example");
	assert_ptr_equal(p, src.partner);
	assert_int_equal(0, e->partners_kept);
	enter(&src, "b.example");
	assert_int_equal(1, e->partners_kept);
	edge_partner_leave(&src);
	/* half a second later it is */
	while (e->partners != NULL)
		(void)uv_run(loop_uv(e->loop), UV_RUN_ONCE);
	assert_int_equal(0, e->partners_kept);
	edge_unmake(e);
}

/* LIMIT: of those that are remembered for that */
static void test_rates_that_are_kept(void **state)
{
	struct edge *e = edge_make();
	struct edge_source src = {.e = e, .conn = (struct conn *)e};
	char domain[32];

	(void)state;
	e->policy.partners = ten_a_second;
	for (unsigned i = 0; i < LIMIT_PARTNERS_KEPT + 5; i++) {
		(void)snprintf(domain, sizeof(domain), "d%u.example", i);
		enter(&src, domain);
		edge_partner_spend(&src, 9, 0);
		edge_partner_leave(&src);
	}
	assert_int_equal(LIMIT_PARTNERS_KEPT, e->partners_kept);
	edge_partner_forget_all(e);
	assert_null(e->partners);
	assert_int_equal(0, e->partners_kept);
	edge_unmake(e);
}

/* ---- attempts ------------------------------------------------------------ */

static void test_steps_that_had_no_room(void **state)
{
	const struct attempt_params p = {.local = "sip.example",
					 .domain = "a.example",
					 .is_partner = true};
	Fed__AdminWhy why;
	Fed__AdminResponse out;
	char domain[] = "a.example";
	struct edge *e = edge_make();
	struct arena a;
	uint64_t n;

	(void)state;
	fed__admin_why__init(&why);
	fed__admin_response__init(&out);
	arena_init(&a, 64u * 1024u);
	assert_int_equal(0, attempts_new(&e->attempts));
	n = attempts_begin(e->attempts, &p, 0);
	for (unsigned i = 1; i < LIMIT_ATTEMPT_STEPS + 7; i++)
		attempts_note(e->attempts, n, 0, ATTEMPT_INFO, "tcp", "%u", i);
	attempts_note(e->attempts, n, 0, ATTEMPT_BAD, "tcp", "wrong");
	attempts_ended(e->attempts, n, 0, false, "the end");
	why.domain = domain;
	edge_attempts_why(e, &why, &a, &out);
	assert_int_equal(LIMIT_ATTEMPT_STEPS + 1, out.n_finding);
	assert_string_equal("and 8 more steps",
			    out.finding[LIMIT_ATTEMPT_STEPS - 1]->text);
	assert_string_equal("the end", out.finding[LIMIT_ATTEMPT_STEPS]->text);
	attempts_free(e->attempts);
	arena_deinit(&a);
	edge_unmake(e);
}

/* ---- configurations ------------------------------------------------------ */

static bool is_folder_bad;

int fsync(int fd)
{
	struct stat st;

	if (is_folder_bad && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fsync, fd);
}

/* An edge that keeps its configuration. */
struct keeper {
	char folder[32];
	char path[48];
	struct edge_config_file file;
	struct edge_config config;
	struct edge *e;
};

static void keeper_init(struct keeper *k)
{
	*k = (struct keeper){.folder = "/tmp/edge_shell.XXXXXX"};
	assert_non_null(mkdtemp(k->folder));
	(void)snprintf(k->path, sizeof(k->path), "%s/file", k->folder);
	k->file.federation.path = k->path;
	k->config.file = &k->file;
	k->e = edge_make();
	k->e->config = &k->config;
	assert_int_equal(0, edge_federation_new(k->e));
	assert_int_equal(0, edge_federation_revision(k->e));
}

static void keeper_start_again(struct keeper *k)
{
	edge_federation_free(k->e);
	assert_int_equal(0, edge_federation_new(k->e));
}

static void keeper_deinit(struct keeper *k)
{
	edge_federation_free(k->e);
	(void)unlink(k->path);
	assert_int_equal(0, rmdir(k->folder));
	edge_unmake(k->e);
}

/* Where the folder of the file cannot be synced, a check says so.  When that
 * shows afterwards, what the next start uses is in force. */
static void test_folder_that_is_not_synced(void **state)
{
	struct errbuf why = {""};
	struct keeper k;
	Fed__Config c;

	(void)state;
	keeper_init(&k);
	fed__config__init(&c);
	c.revision = 1;
	is_folder_bad = true;
	c.check_only = 1;
	assert_int_equal(FED_EIO, edge_federation_take(k.e, &c, &why));
	assert_non_null(strstr(why.text, "/file: Input/output error"));
	assert_int_equal(0, edge_federation_revision(k.e));
	c.check_only = 0;
	assert_int_equal(0, edge_federation_take(k.e, &c, &why));
	assert_int_equal(1, edge_federation_revision(k.e));
	is_folder_bad = false;
	keeper_start_again(&k);
	assert_int_equal(1, edge_federation_revision(k.e));
	keeper_deinit(&k);
}

/* LIMIT: a frame.  What is taken is there with the next start, also the largest
 * that comes through the channel. */
static void test_largest_configuration(void **state)
{
	enum { NAMES = 3000 };
	static char names[NAMES][200];
	static char *denied[NAMES];
	struct errbuf why = {""};
	struct keeper k;
	Fed__Config c;

	(void)state;
	keeper_init(&k);
	fed__config__init(&c);
	c.revision = 1;
	c.denied = denied;
	while (fed__config__get_packed_size(&c) < LIMIT_FRAME_BYTES) {
		char *name = names[c.n_denied];

		assert_true(c.n_denied < NAMES);
		memset(name, 'a', sizeof(names[0]) - 1);
		for (size_t i = 20; i < sizeof(names[0]) - 20; i += 20)
			name[i] = '.';
		denied[c.n_denied++] = name;
	}
	while (fed__config__get_packed_size(&c) > LIMIT_FRAME_BYTES) {
		char *name = names[c.n_denied - 1];

		name[strlen(name) - 1] = '\0';
	}
	assert_int_equal(LIMIT_FRAME_BYTES, fed__config__get_packed_size(&c));
	assert_int_equal(0, edge_federation_take(k.e, &c, &why));
	keeper_start_again(&k);
	assert_int_equal(1, edge_federation_revision(k.e));
	keeper_deinit(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_end_while_dialing),
		cmocka_unit_test(test_wait_ends_with_stanzas_of_gateways),
		cmocka_unit_test(test_rate_outlives_streams),
		cmocka_unit_test(test_rates_that_are_kept),
		cmocka_unit_test(test_steps_that_had_no_room),
		cmocka_unit_test(test_folder_that_is_not_synced),
		cmocka_unit_test(test_largest_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
