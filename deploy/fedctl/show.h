/*
 * How answers become lines: each command has one `show` for people and one
 * for --json, fed response by response, so that a long answer is never in
 * memory as a whole.
 */
#ifndef FED_FEDCTL_SHOW_H
#define FED_FEDCTL_SHOW_H

#include <stdio.h>

#include "admin.pb-c.h"
#include "deploy/fedctl/table.h"

/* One answer on its way out. */
struct shower {
	FILE *to;
	const char *arg; /* of the command, NULL: none */
	bool is_full;	 /* --full */
	struct table table;
	size_t shown;	/* rows, watches, ... so far */
	bool is_failed; /* out of memory */
	bool is_bad;	/* what was looked at is not as it should be: exit
			 * status 1 */
	char *group;	/* of the last finding */
	char *verdict;
	struct {
		size_t added, changed, removed, hidden;
		uint64_t revision;
		bool is_dry_run;
	} changes;
	struct json_t *warnings; /* come behind the changes */
	/* what was asked for is not there, in a sentence: a wrong line */
	char missing[128];
	size_t revisions; /* of a history, so far */
};

struct show {
	void (*begin)(struct shower *s); /* NULL: nothing */
	void (*more)(struct shower *s, const Fed__AdminResponse *r);
	void (*end)(struct shower *s); /* NULL: nothing */
};

/** Start; `arg` is borrowed. */
void shower_init(struct shower *s, FILE *to, const char *arg);

/** Free what is left. */
void shower_deinit(struct shower *s);

extern const struct show show_version_text, show_version_json;
extern const struct show show_counters_text, show_counters_json;
extern const struct show show_channels_text, show_channels_json;
extern const struct show show_streams_text, show_streams_json;
extern const struct show show_queues_text, show_queues_json;
extern const struct show show_log_level_text, show_log_level_json;
extern const struct show show_watches_text, show_watches_json;
extern const struct show show_differences_text, show_differences_json;
extern const struct show show_repaired_text, show_repaired_json;
extern const struct show show_changed_text, show_changed_json;
extern const struct show show_history_text, show_history_json;
extern const struct show show_revision_text, show_revision_json;
extern const struct show show_status_text, show_status_json;
extern const struct show show_mapped_text, show_mapped_json;
extern const struct show show_test_text, show_test_json;
/* Findings with their verdict, and the same for what only tells: a BAD one is
 * no failure of the command then. */
extern const struct show show_check_text, show_check_json;
extern const struct show show_findings_text, show_findings_json;

#endif
