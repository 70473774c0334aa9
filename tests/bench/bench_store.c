/*
 * The store on the disk of this machine: how fast rows become durable, and
 * how long a gateway of 100,000 subscriptions each way waits for it at its
 * start.  Prints "name nanoseconds" lines; these are of the clock, not of CPU.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fe-gateway/store.h"

enum {
	EACH = 100000, /* watches, and dialogs */
	EACH_IN_A_LOOK = 2000,
	SINGLES = 500, /* commits of one row */
};

struct bench {
	struct loop *loop;
	struct store *store;
	unsigned each;
	uint64_t put;
	uint64_t committed;
	size_t loaded;
};

static void fail(const char *what)
{
	(void)fprintf(stderr, "bench_store: %s\n", what);
	exit(1);
}

static double now_ns(void)
{
	return (double)uv_hrtime();
}

static void on_committed(uint64_t seq, void *arg)
{
	((struct bench *)arg)->committed = seq;
}

static void on_trouble(bool is_broken, const char *why, void *arg)
{
	(void)is_broken;
	(void)arg;
	fail(why);
}

static void open_store(struct bench *b, const char *path)
{
	const struct store_params p = {.path = path,
				       .loop = b->loop,
				       .on_committed = on_committed,
				       .on_trouble = on_trouble,
				       .arg = b};
	struct errbuf e;

	b->put = b->committed = 0;
	if (store_open(&b->store, &p, &e) != 0)
		fail(e.text);
}

static void settle(struct bench *b)
{
	while (b->committed < b->put)
		(void)uv_run(loop_uv(b->loop), UV_RUN_ONCE);
}

static void put(struct bench *b, const struct presence_row *row)
{
	int err = store_put(b->store, row, b->put + 1);

	if (err == FED_EAGAIN) {
		settle(b);
		err = store_put(b->store, row, b->put + 1);
	}
	if (err != 0)
		fail(fed_strerror(err));
	b->put++;
}

static void put_watch(struct bench *b, unsigned n)
{
	char local[64];
	struct presence_row row = {
		.kind = PRESENCE_ROW_WATCH,
		.u.watch = {.remote = SPAN_LIT("juliet@xmpp.example"),
			    .auth = PRESENCE_ALLOWED,
			    .since_ms = 1763900000000,
			    .told = SPAN_LIT("phone-12ab34cd\ndesk-56ef")},
	};

	(void)snprintf(local, sizeof(local), "user%u@sip.example", n);
	row.u.watch.local = span_str(local);
	put(b, &row);
}

/* As long as one through two proxies. */
static void put_dialog(struct bench *b, unsigned n)
{
	char call_id[64];
	struct presence_row row = {
		.kind = PRESENCE_ROW_DIALOG,
		.u.dialog =
			{
				.local = SPAN_LIT("romeo@sip.example"),
				.remote = SPAN_LIT("juliet@xmpp.example"),
				.local_tag = SPAN_LIT("0123456789abcdef"),
				.remote_tag = SPAN_LIT("fedcba9876543210"),
				.local_uri = SPAN_LIT("sip:romeo@sip.example"),
				.remote_uri =
					SPAN_LIT("sip:juliet@xmpp.example"),
				.target = SPAN_LIT("sip:romeo@10.0.0.10:5060;"
						   "transport=tcp;ob"),
				.routes = SPAN_LIT(
					"<sip:10.0.0.3;lr;ftag=0123456789;did="
					"4e1.d5a1>,<sip:10.0.0.4;lr>"),
				.local_cseq = 128,
				.remote_cseq = 1,
				.expires_ms = 1763900000000,
			},
	};

	(void)snprintf(call_id, sizeof(call_id), "%08x%08x%016x@10.0.0.10",
		       n * 2654435761u, n, n ^ 0x5bd1e995u);
	row.u.dialog.call_id = span_str(call_id);
	put(b, &row);
}

static void report(const char *name, double ns)
{
	(void)printf("%s %.0f\n", name, ns);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

/* From the put to the report, one at a time. */
static void bench_single(struct bench *b)
{
	static double took[SINGLES];

	for (unsigned i = 0; i < SINGLES; i++) {
		double began = now_ns();

		put_watch(b, i * 199 % b->each);
		settle(b);
		took[i] = now_ns() - began;
	}
	qsort(took, SINGLES, sizeof(took[0]), by_size);
	report("store_commit_p50", took[SINGLES / 2]);
	report("store_commit_p99", took[SINGLES * 99 / 100]);
}

static void bench_fill(struct bench *b)
{
	double began = now_ns();

	for (unsigned i = 0; i < b->each; i++) {
		put_watch(b, i);
		put_dialog(b, i);
	}
	settle(b);
	report("store_new_row", (now_ns() - began) / (2 * b->each));
}

/* In no order, as they expire. */
static void bench_write_over(struct bench *b)
{
	double began = now_ns();

	for (unsigned i = 0; i < b->each; i++) {
		unsigned n = i * 2654435761u % b->each;

		if (i % 2 == 0)
			put_watch(b, n);
		else
			put_dialog(b, n);
	}
	settle(b);
	report("store_changed_row", (now_ns() - began) / b->each);
}

static int count(const struct presence_row *row, void *arg)
{
	(void)row;
	((struct bench *)arg)->loaded++;
	return 0;
}

static void bench_start(struct bench *b, const char *path)
{
	double began = now_ns();

	store_close(b->store);
	report("store_close", now_ns() - began);
	began = now_ns();
	open_store(b, path);
	report("store_open", now_ns() - began);
	began = now_ns();
	if (store_load(b->store, count, b) != 0 || b->loaded != 2 * b->each)
		fail("rows are missing");
	report("store_load", now_ns() - began);
}

int main(void)
{
	char folder[] = "/var/tmp/fed-bench-XXXXXX";
	const char *seconds = getenv("BENCH_SECONDS");
	struct bench b = {.each = EACH};
	char path[64];

	/* below a second it is a look at whether this runs */
	if (seconds != NULL && strtod(seconds, NULL) < 1)
		b.each = EACH_IN_A_LOOK;
	if (mkdtemp(folder) == NULL || loop_new(&b.loop, NULL) != 0)
		fail("no folder");
	(void)snprintf(path, sizeof(path), "%s/store.db", folder);
	open_store(&b, path);
	bench_fill(&b);
	bench_write_over(&b);
	bench_single(&b);
	bench_start(&b, path);
	store_close(b.store);
	loop_free(b.loop);
	(void)unlink(path);
	(void)rmdir(folder);
	return 0;
}
