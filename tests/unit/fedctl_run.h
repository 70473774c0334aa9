/*
 * A whole command line against a daemon that is a script: what it is asked is
 * kept, what it answers is given.
 */
#ifndef FED_TEST_FEDCTL_RUN_H
#define FED_TEST_FEDCTL_RUN_H

#include "fedctl_harness.h"

#include "deploy/fedctl/command.h"
#include "deploy/fedctl/record.h"

enum { RUN_REQUESTS = 8 };

struct fake_daemon {
	const Fed__AdminResponse *answers; /* one behind the other */
	size_t count;
	size_t given;
	/* FED_EIO: it is away; FED_ELIMIT... */
	int ask_fails;
	Fed__AdminRequest *asked[RUN_REQUESTS]; /* copies */
	size_t asked_count;
	unsigned patience_s; /* of the last request */
	const char *in;	     /* what stands in stdin; NULL: nothing */
	char *out;
	char *err;
};

static int fake_ask(void *arg, const Fed__AdminRequest *r, unsigned patience_s,
		    struct errbuf *e)
{
	struct fake_daemon *d = arg;
	size_t n = fed__admin_request__get_packed_size(r);
	uint8_t *bytes = malloc(n + 1);

	assert_non_null(bytes);
	if (d->ask_fails != 0) {
		free(bytes);
		errbuf_set(e, "/run/x.sock: nobody is there");
		return d->ask_fails;
	}
	assert_true(d->asked_count < RUN_REQUESTS);
	assert_int_equal(n, fed__admin_request__pack(r, bytes));
	d->asked[d->asked_count] = fed__admin_request__unpack(NULL, n, bytes);
	assert_non_null(d->asked[d->asked_count++]);
	d->patience_s = patience_s;
	free(bytes);
	return 0;
}

static int fake_next(void *arg, Fed__AdminResponse **r_out, struct errbuf *e)
{
	struct fake_daemon *d = arg;

	if (d->given == d->count) {
		errbuf_set(e, "/run/x.sock: the daemon closed the connection");
		return FED_EIO;
	}
	*r_out = (Fed__AdminResponse *)(uintptr_t)&d->answers[d->given++];
	return 0;
}

/* The YAML form is tested elsewhere: "wrong" is wrong, everything else is one
 * record. */
static int fake_read(const char *name, struct span text, struct arena *a,
		     struct federation_records *out, struct errbuf *e)
{
	Fed__Record *r;

	if (span_starts(text, SPAN_LIT("wrong"))) {
		errbuf_set(e, "%s:1: that is wrong", name);
		return FED_ECONFIG;
	}
	r = record_new(a, FED__RECORD__KIND_SETTINGS);
	assert_non_null(r);
	return arena_append(a, (void ***)&out->items, &out->count, r);
}

static int fake_write(FILE *out, const Fed__Record *const *records,
		      size_t count, bool with_secrets)
{
	(void)records;
	(void)fprintf(out, "%zu record%s%s\n", count, count == 1 ? "" : "s",
		      with_secrets ? ", with secrets" : "");
	return 0;
}

/* argv without "fedctl", NULL ends it. @return exit status */
static inline int run_line(struct fake_daemon *d, const char *const *argv)
{
	const struct session_peer peer = {fake_ask, fake_next, d};
	const char *whole[32] = {"fedctl"};
	int argc = 1;
	size_t n;
	FILE *out = open_memstream(&d->out, &n);
	FILE *err = open_memstream(&d->err, &n);
	FILE *in = NULL;
	struct session s;
	struct line l;
	int status = STATUS_USAGE;

	for (; argv[argc - 1] != NULL; argc++) {
		assert_true((size_t)argc < FED_ARRAY_LEN(whole));
		whole[argc] = argv[argc - 1];
	}
	if (line_split(&l, argc, whole, err) && line_match(&l, err)) {
		session_init(&s, &peer, &l);
		s.yaml = (struct session_yaml){fake_read, fake_write};
		s.out = out;
		s.err = err;
		if (d->in != NULL) {
			in = fmemopen((char *)(uintptr_t)d->in, strlen(d->in),
				      "r");
			assert_non_null(in);
			s.in = in;
		}
		status = session_run(&s);
		if (in != NULL)
			(void)fclose(in);
	}
	line_deinit(&l);
	assert_int_equal(0, fclose(out));
	assert_int_equal(0, fclose(err));
	return status;
}

static inline void run_end(struct fake_daemon *d)
{
	for (size_t i = 0; i < d->asked_count; i++)
		fed__admin_request__free_unpacked(d->asked[i], NULL);
	free(d->out);
	free(d->err);
	*d = (struct fake_daemon){.count = 0};
}

/* Run it, and compare everything; d stays for a look at what was asked. */
#define runs(d, status, out_golden, err_golden, ...)                           \
	do {                                                                   \
		assert_int_equal(                                              \
			status, run_line(d, (const char *const[]){__VA_ARGS__, \
								  NULL}));     \
		assert_string_equal(out_golden, (d)->out);                     \
		assert_string_equal(err_golden, (d)->err);                     \
	} while (0)

#endif
