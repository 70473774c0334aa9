/*
 * A command at work: its line, where its answer goes, and the daemon, who may
 * be asked several times.
 */
#ifndef FED_FEDCTL_SESSION_H
#define FED_FEDCTL_SESSION_H

#include "admin.pb-c.h"
#include "deploy/fedctl/line.h"
#include "deploy/fedctl/show.h"
#include "io/federation_yaml.h"

enum { STATUS_DONE = 0, STATUS_FAILED = 1, STATUS_USAGE = 2, STATUS_AWAY = 3 };

enum { SESSION_PATIENCE_S = 10 };

/* Who is asked: client.h, or a test.  Errors as client.h has them. */
struct session_peer {
	int (*ask)(void *arg, const Fed__AdminRequest *r, unsigned patience_s,
		   struct errbuf *e);
	int (*next)(void *arg, Fed__AdminResponse **r_out, struct errbuf *e);
	void *arg;
};

/* The YAML form: io/federation_yaml.h, or a test. */
struct session_yaml {
	int (*read)(const char *name, struct span text, struct arena *a,
		    struct federation_records *out, struct errbuf *e);
	int (*write)(FILE *out, const Fed__Record *const *records, size_t count,
		     bool with_secrets);
};

struct session {
	struct session_peer peer;
	struct session_yaml yaml; /* for main() to set */
	const struct line *line;
	FILE *out;
	FILE *err;
	FILE *in; /* for "-" */
	bool is_json;
	unsigned patience_s; /* how long the daemon may say nothing */
};

/** Start; `line` is borrowed and matched. */
void session_init(struct session *s, const struct session_peer *peer,
		  const struct line *line);

/** "fedctl: ..." on stderr.  @return status */
int session_fail(struct session *s, int status, const char *fmt, ...)
	FED_PRINTF(3, 4);

/** The same for a wrong line: "fedctl: partner add: ...".
 * @return STATUS_USAGE */
int session_usage(struct session *s, const char *fmt, ...) FED_PRINTF(2, 3);

/**
 * Ask, and wait for all responses.
 *
 * @param r     its id and edge are set here
 * @param more  gets each of them, valid until it returns
 * @return STATUS_DONE; else what failed was said
 */
int session_ask(struct session *s, Fed__AdminRequest *r,
		void (*more)(const Fed__AdminResponse *r, void *arg),
		void *arg) FED_NODISCARD;

/** Ask, and show the answer. @return as session_ask(), or what the show has
 * found */
int session_show(struct session *s, Fed__AdminRequest *r,
		 const struct show *how) FED_NODISCARD;

/** Everything is written: out is flushed. @return STATUS_DONE or failed */
int session_written(struct session *s) FED_NODISCARD;

/** Run the line's command. @return exit status */
int session_run(struct session *s);

#endif
