/*
 * The store and the end of the world: a disk that loses power, and SIGKILL.
 * Afterwards the file opens and is whole, and what it has is what was put up
 * to some number, and no less than what was reported as committed.  The same
 * of revisions, and the records are those of the newest one.
 */
#include "store_workload_federation.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fe-gateway/store_sqlite.h"
#include "power_disk.h"

enum { ROUNDS = 200 };

/* One store and what is known of it. */
struct life {
	struct loop *loop;
	char path[256];
	struct store *store;
	unsigned seed;
	/* behind this number the state is known */
	uint64_t base;
	struct work_state state;
	uint64_t put;		/* the last number that was put */
	_Atomic uint64_t acked; /* and that was committed */
	uint64_t acked_at_cut;
	uint64_t revision;		 /* the last one that was put */
	struct work_records records;	 /* behind it */
	_Atomic uint64_t acked_revision; /* and that was committed */
	uint64_t acked_revision_at_cut;
	int pipe; /* the child's way to tell; -1: none */
};

static void on_committed(uint64_t seq, void *arg)
{
	struct life *l = arg;

	atomic_store(&l->acked, seq);
	if (l->pipe >= 0 && write(l->pipe, &seq, sizeof(seq)) != sizeof(seq))
		_exit(3);
}

/* The child's revisions and rows go through one pipe. */
static const uint64_t IS_REVISION = UINT64_C(1) << 63;

static void on_revision(uint64_t number, void *arg)
{
	struct life *l = arg;
	uint64_t n = number | IS_REVISION;

	atomic_store(&l->acked_revision, number);
	if (l->pipe >= 0 && write(l->pipe, &n, sizeof(n)) != sizeof(n))
		_exit(3);
}

static void on_trouble(bool is_broken, const char *why, void *arg)
{
	(void)is_broken;
	(void)arg;
	fail_msg("%s", why);
}

static int open_store(struct life *l, struct errbuf *e)
{
	const struct store_params p = {
		.path = l->path,
		.loop = l->loop,
		.on_committed = on_committed,
		.on_revision = on_revision,
		.on_trouble = on_trouble,
		.arg = l,
	};

	return store_open(&l->store, &p, e);
}

static unsigned pick(struct life *l, unsigned n)
{
	return ((unsigned)rand_r(&l->seed) >> 4) % n;
}

static void make_path(char *path, size_t size)
{
	/* no kernel dies here: syncs need not cost anything */
	char folder[] = "/dev/shm/fed-power-XXXXXX";

	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, size, "%s/store.db", folder);
}

static void drop_path(const char *path)
{
	char name[300];

	(void)unlink(path);
	(void)snprintf(name, sizeof(name), "%s-wal", path);
	(void)unlink(name);
	(void)snprintf(name, sizeof(name), "%.*s",
		       (int)(strrchr(path, '/') - path), path);
	assert_int_equal(0, rmdir(name));
}

/* A file of ours with small pages: the log, whose bound is in pages, is full
 * after an eighth of the bytes, and every row has many of them. */
static void make_small_pages(const char *path)
{
	sqlite3 *db = NULL;
	char sql[80];

	(void)snprintf(sql, sizeof(sql),
		       "PRAGMA page_size = 512; PRAGMA application_id = %d",
		       STORE_SQLITE_APPLICATION);
	assert_int_equal(SQLITE_OK, sqlite3_open(path, &db));
	assert_int_equal(SQLITE_OK, sqlite3_exec(db, sql, NULL, NULL, NULL));
	assert_int_equal(SQLITE_OK, sqlite3_close(db));
}

/* SQLite's own full look, which finds more than the one at each start. */
static bool is_whole(const char *path)
{
	sqlite3_stmt *stmt = NULL;
	sqlite3 *db = NULL;
	bool whole;

	whole = sqlite3_open(path, &db) == SQLITE_OK &&
		/* its log needs this on our disk in memory */
		sqlite3_exec(db, "PRAGMA locking_mode = EXCLUSIVE", NULL, NULL,
			     NULL) == SQLITE_OK &&
		sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &stmt,
				   NULL) == SQLITE_OK &&
		sqlite3_step(stmt) == SQLITE_ROW &&
		strcmp((const char *)sqlite3_column_text(stmt, 0), "ok") == 0;
	(void)sqlite3_finalize(stmt);
	(void)sqlite3_close(db);
	return whole;
}

/* The revisions are whole, and none that was committed is gone. */
static const char *look_at_revisions(struct life *l, uint64_t acked,
				     struct work_found *f)
{
	const char *wrong = work_load_federation(l->store, f);

	if (wrong == NULL && f->newest < acked)
		wrong = "a revision is gone";
	if (wrong == NULL)
		wrong = work_check_newest(l->store, l->loop, f->newest);
	l->revision = f->newest;
	l->records = f->expected;
	return wrong;
}

/* Look at the store as it is now; NULL, or what is wrong. */
static const char *look(struct life *l, uint64_t acked, uint64_t revision,
			uint64_t last)
{
	static struct errbuf e;
	struct work_state found = {{0}};
	struct work_found records;
	const char *wrong;
	uint64_t n;
	int err;

	if (open_store(l, &e) != 0)
		return e.text;
	err = store_load(l->store, work_read, &found);
	wrong = look_at_revisions(l, revision, &records);
	store_close(l->store);
	if (wrong != NULL)
		return wrong;
	/* it is there, so all that was put before it is */
	if (records.behind > acked)
		acked = records.behind;
	if (err != 0)
		return "a row that nobody put";
	if (!is_whole(l->path))
		return "damaged";
	n = work_find(&l->state, l->base, &found, acked, last);
	if (n == 0 && memcmp(&l->state, &found, sizeof(found)) != 0)
		return "not what was committed";
	l->base = n;
	return NULL;
}

/* --- a disk that loses power ---------------------------------------------- */

static void at_cut(void *arg)
{
	struct life *l = arg;

	l->acked_at_cut = atomic_load(&l->acked);
	l->acked_revision_at_cut = atomic_load(&l->acked_revision);
}

static int put_revision(struct life *l)
{
	static struct work_revision r;
	struct work_records records = l->records;
	int err;

	work_revise(&r, &records, l->revision + 1);
	r.row.at_ms = (int64_t)l->put;
	err = store_put_revision(l->store, &r.row);
	if (err == 0) {
		l->revision++;
		l->records = records;
	}
	return err;
}

/* What was there is known already. */
static void know_revisions(struct life *l)
{
	struct work_found f;

	assert_null(work_load_federation(l->store, &f));
	assert_int_equal(l->revision, f.newest);
}

/* Rows in bursts; the power goes somewhere in it, or at the end. */
static void live(struct life *l)
{
	unsigned bursts = 1 + pick(l, 40);
	struct errbuf e = {.text = ""};

	if (open_store(l, &e) != 0)
		fail_msg("%s", e.text);
	know_revisions(l);
	for (unsigned i = 0; i < bursts; i++) {
		unsigned count = 1 + pick(l, 12);

		for (unsigned k = 0; k < count; k++) {
			struct presence_row row = work_row(l->put + 1);

			l->put++;
			assert_int_equal(0, store_put(l->store, &row, l->put));
		}
		if (pick(l, 4) == 0)
			assert_int_equal(0, put_revision(l));
		if (pick(l, 3) > 0)
			loop_run_once(l->loop);
		if (pick(l, 16) == 0)
			while (store_pending(l->store) > 0)
				(void)uv_run(loop_uv(l->loop), UV_RUN_ONCE);
	}
	store_close(l->store);
	/* what is put when it is closed is on disk when that returns */
	atomic_store(&l->acked, l->put);
	atomic_store(&l->acked_revision, l->revision);
}

struct harvest {
	unsigned in_file;
	unsigned in_log;
	unsigned in_folder;
	unsigned lost; /* rounds with rows that were not reported, and gone */
	unsigned kept; /* the same, and there */
	unsigned lost_revisions;
	unsigned kept_revisions;
};

static void count(struct harvest *h, struct power_facts f, const struct life *l,
		  uint64_t acked, uint64_t put_revision)
{
	h->lost_revisions += l->revision < put_revision;
	h->kept_revisions += l->revision > l->acked_revision_at_cut;
	h->in_file += f.in_file;
	h->in_log += f.in_log;
	h->in_folder += f.in_folder;
	h->lost += l->base < l->put;
	h->kept += l->base > acked;
}

/* One life on the disk; NULL or what is wrong after it. */
static const char *round_on(struct life *l, struct power_disk **disk,
			    struct power_cut cut, struct harvest *h)
{
	struct power_disk *d = *disk;
	struct power_disk *looked_at;
	struct power_facts facts;
	const char *wrong;
	uint64_t put_revision;

	l->put = l->base;
	atomic_store(&l->acked, l->base);
	atomic_store(&l->acked_revision, l->revision);
	cut.seed = &l->seed;
	cut.at_cut = at_cut;
	cut.arg = l;
	power_disk_cut_at(d, &cut);
	power_disk_use(d);
	live(l);
	put_revision = l->revision;
	power_disk_cut(d);
	*disk = power_disk_take_rest(d);
	facts = power_disk_facts(d);
	power_disk_free(d);

	/* looking repairs: the next life has to do that for itself */
	looked_at = power_disk_clone(*disk);
	power_disk_use(looked_at);
	wrong = look(l, l->acked_at_cut, l->acked_revision_at_cut, l->put);
	power_disk_use(NULL);
	power_disk_free(looked_at);
	if (wrong == NULL)
		count(h, facts, l, l->acked_at_cut, put_revision);
	return wrong;
}

/* What recovers at the start, rows, the copying of the log, the end. */
static struct power_cut pick_cut(struct life *l)
{
	static const struct {
		enum power_where where;
		unsigned range;
	} ways[] = {
		{POWER_ANYWHERE, 30},	 {POWER_ANYWHERE, 300},
		{POWER_ANYWHERE, 3000},	 {POWER_ANYWHERE, 3000},
		{POWER_ANYWHERE, 20000}, {POWER_IN_FILE, 100},
		{POWER_IN_FILE, 1000},	 {POWER_IN_FOLDER, 4},
	};
	unsigned way = pick(l, FED_ARRAY_LEN(ways));

	return (struct power_cut){.where = ways[way].where,
				  .operation = 1 + pick(l, ways[way].range)};
}

static void life_begin(struct life *l, unsigned seed)
{
	*l = (struct life){.seed = seed, .pipe = -1};
	assert_int_equal(0, loop_new(&l->loop, NULL));
	make_path(l->path, sizeof(l->path));
}

static void life_end(struct life *l)
{
	loop_free(l->loop);
	drop_path(l->path);
}

/* Now and then a life begins with an empty disk, or with a file of ours. */
static void renew(struct life *l, struct power_disk **disk, int round)
{
	struct power_disk *d;

	if (round % 20 != 0 && round % 20 != 3)
		return;
	power_disk_free(*disk);
	*disk = d = power_disk_new();
	l->state = (struct work_state){{0}};
	l->records = (struct work_records){{0}};
	l->revision = 0;
	if (round % 20 == 0)
		return;
	power_disk_use(d);
	make_small_pages(l->path);
	*disk = power_disk_clone(d);
	power_disk_use(NULL);
	power_disk_free(d);
}

static void test_power_cut(void **state)
{
	struct power_disk *disk = NULL;
	struct harvest h = {0};
	struct life l;

	(void)state;
	life_begin(&l, 20261125);
	for (int i = 0; i < ROUNDS; i++) {
		struct power_cut cut = pick_cut(&l);
		const char *wrong;

		renew(&l, &disk, i);
		wrong = round_on(&l, &disk, cut, &h);
		if (wrong != NULL)
			fail_msg("round %d, cut at %d %u: %s", i, cut.where,
				 cut.operation, wrong);
	}
	power_disk_free(disk);
	life_end(&l);
	print_message("# cut with bytes not synced in the file %u, in the log "
		      "%u, in the folder %u times; rows not reported were "
		      "gone %u and there %u times, revisions %u and %u; "
		      "%" PRIu64 " rows in all\n",
		      h.in_file, h.in_log, h.in_folder, h.lost, h.kept,
		      h.lost_revisions, h.kept_revisions, l.put);
	/* or it was no test */
	assert_in_range(h.in_file, 5, ROUNDS);
	assert_in_range(h.in_log, 50, ROUNDS);
	assert_in_range(h.in_folder, 5, ROUNDS);
	assert_in_range(h.lost, 20, ROUNDS);
	assert_in_range(h.kept, 5, ROUNDS);
	assert_in_range(h.lost_revisions, 10, ROUNDS);
	assert_in_range(h.kept_revisions, 2, ROUNDS);
}

/* The test sees it when syncs are left out. */
static void test_a_disk_that_lies_is_noticed(void **state)
{
	unsigned noticed = 0;

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		struct power_disk *disk = power_disk_new();
		struct harvest h = {0};
		struct life l;

		life_begin(&l, i);
		power_disk_lie(disk);
		noticed += round_on(&l, &disk,
				    (struct power_cut){.operation = 100 + i},
				    &h) != NULL;
		power_disk_free(disk);
		life_end(&l);
	}
	assert_in_range(noticed, 1, 10);
}

/* --- SIGKILL -------------------------------------------------------------- */

static bool take_up(struct life *l)
{
	struct work_found f;
	const char *wrong = work_load_federation(l->store, &f);

	if (wrong != NULL)
		(void)fprintf(stderr, "%s\n", wrong);
	l->revision = f.newest;
	l->records = f.expected;
	return wrong == NULL;
}

/* As fast as it can, until it is killed. */
static int run_child(const char *path, uint64_t base, int pipe)
{
	struct life l = {.base = base, .put = base, .pipe = pipe};
	struct errbuf e = {.text = ""};
	int err = 0;

	(void)snprintf(l.path, sizeof(l.path), "%s", path);
	if (loop_new(&l.loop, NULL) != 0 || open_store(&l, &e) != 0) {
		(void)fprintf(stderr, "%s\n", e.text);
		return 2;
	}
	if (!take_up(&l))
		return 2;
	while (err == 0 || err == FED_EAGAIN) {
		struct presence_row row = work_row(l.put + 1);

		err = store_put(l.store, &row, l.put + 1);
		if (err == 0)
			l.put++;
		if (err == 0 && l.put % 128 == 0)
			err = put_revision(&l);
		if (err == FED_EAGAIN || l.put % 16 == 0)
			(void)uv_run(loop_uv(l.loop), err == FED_EAGAIN
							      ? UV_RUN_ONCE
							      : UV_RUN_NOWAIT);
	}
	return 1;
}

static pid_t start_child(const struct life *l, const int fd[2])
{
	char base[32];
	char out[16];
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	(void)snprintf(base, sizeof(base), "%" PRIu64, l->base);
	(void)snprintf(out, sizeof(out), "%d", fd[1]);
	(void)execl("/proc/self/exe", "test_presence_powercut", l->path, base,
		    out, (char *)NULL);
	_exit(127);
}

/* What was heard of the child. */
struct heard {
	uint64_t acked;
	uint64_t revision;
};

/* All numbers that come in that time; the last ones. */
static void read_numbers(int fd, struct heard *h, int ms)
{
	uint64_t end = uv_hrtime() / 1000000 + (uint64_t)ms;
	struct pollfd p = {.fd = fd, .events = POLLIN};
	uint64_t n;

	for (;;) {
		uint64_t now = uv_hrtime() / 1000000;

		if (now >= end || poll(&p, 1, (int)(end - now)) <= 0 ||
		    read(fd, &n, sizeof(n)) != sizeof(n))
			return;
		if ((n & IS_REVISION) != 0)
			h->revision = n & ~IS_REVISION;
		else
			h->acked = n;
	}
}

static struct heard live_and_die(struct life *l, unsigned *early)
{
	struct heard h = {l->base, l->revision};
	int fd[2];
	int status;
	pid_t pid;

	assert_int_equal(0, pipe(fd));
	pid = start_child(l, fd);
	(void)close(fd[1]);
	/* one of eight while it starts, the others some time after that */
	if (pick(l, 8) == 0) {
		read_numbers(fd[0], &h, (int)pick(l, 60));
	} else {
		struct pollfd p = {.fd = fd[0], .events = POLLIN};

		(void)poll(&p, 1, 10000);
		read_numbers(fd[0], &h, (int)pick(l, 25));
	}
	*early += h.acked == l->base;
	(void)kill(pid, SIGKILL);
	assert_int_equal(pid, waitpid(pid, &status, 0));
	assert_true(WIFSIGNALED(status)); /* it never ends by itself */
	read_numbers(fd[0], &h, 1000);
	(void)close(fd[0]);
	return h;
}

static void test_sigkill(void **state)
{
	unsigned early = 0;
	struct life l;

	(void)state;
	life_begin(&l, 4711);
	make_small_pages(l.path);
	for (int i = 0; i < ROUNDS; i++) {
		struct heard h = live_and_die(&l, &early);
		const char *wrong = look(&l, h.acked, h.revision,
					 h.acked + 2 * LIMIT_STORE_PENDING);

		if (wrong != NULL)
			fail_msg("round %d, committed %" PRIu64 ": %s", i,
				 h.acked, wrong);
	}
	life_end(&l);
	print_message("# %" PRIu64 " rows, %" PRIu64 " revisions; killed "
		      "before the first commit %u times\n",
		      l.base, l.revision, early);
	assert_in_range(l.revision, ROUNDS, UINT64_MAX);
	assert_in_range(l.base, 10 * ROUNDS, UINT64_MAX);
	assert_in_range(early, 1, ROUNDS / 2);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_power_cut),
		cmocka_unit_test(test_a_disk_that_lies_is_noticed),
		cmocka_unit_test(test_sigkill),
	};

	if (argc == 4)
		return run_child(argv[1], strtoull(argv[2], NULL, 10),
				 (int)strtol(argv[3], NULL, 10));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
