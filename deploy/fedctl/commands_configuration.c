/* export, apply, history, rollback, status: the configuration as a whole. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "deploy/fedctl/change.h"
#include "deploy/fedctl/command.h"
#include "deploy/fedctl/json.h"
#include "deploy/fedctl/load.h"
#include "deploy/fedctl/text.h"

/* ---- export and apply ---------------------------------------------------- */

/* What the YAML form says too, a record in a line. */
static int export_json(struct session *s, const struct records *all)
{
	struct shower x;

	shower_init(&x, s->out, NULL);
	(void)fprintf(s->out,
		      "{\"configuration\": {\"revision\": %" PRIu64
		      ", \"records\": [",
		      all->revision);
	for (size_t i = 0; i < all->count; i++) {
		const struct record_kind *k =
			record_kind(all->items[i]->kind_case);
		json_t *one;

		if (k == NULL || k->kind == FED__RECORD__KIND_MOVER)
			continue;
		one = record_json(all->items[i]);
		if (json_object_set_new(one, "record", json_string(k->name)) !=
		    0)
			x.is_failed = true;
		json_entry(&x, one);
	}
	(void)fputs(x.shown == 0 ? "]}}\n" : "\n]}}\n", s->out);
	return x.is_failed ? change_no_memory(s) : STATUS_DONE;
}

static int export_yaml(struct session *s, const struct records *all,
		       bool with_secrets)
{
	(void)fprintf(s->out, "# federation, revision %" PRIu64 "\n",
		      all->revision);
	if (s->yaml.write(s->out, (const Fed__Record *const *)all->items,
			  all->count, with_secrets) == 0)
		return STATUS_DONE;
	return session_fail(s, STATUS_FAILED, "cannot write: %s",
			    strerror(errno));
}

static int export_all(struct session *s, const struct line *l)
{
	const Fed__AdminFederationGet__Kind kind =
		FED__ADMIN_FEDERATION_GET__KIND__ALL;
	bool with_secrets = line_has(l, "secrets");
	struct records all;
	struct arena a;
	int status;

	if (s->is_json && with_secrets)
		return session_usage(s, "--secrets is for the YAML form: "
					"without --json");
	arena_init(&a, CHANGE_ARENA_BYTES);
	status = with_secrets ? records_get_secret(s, &a, kind, &all)
			      : records_get(s, &a, kind, "", &all);
	if (status == STATUS_DONE && all.revision == 0)
		status = session_fail(s, STATUS_FAILED,
				      "nothing is configured: there is no "
				      "revision to export");
	if (status == STATUS_DONE)
		status = s->is_json ? export_json(s, &all)
				    : export_yaml(s, &all, with_secrets);
	arena_deinit(&a);
	return status == STATUS_DONE ? session_written(s) : status;
}

static int read_records(struct session *s, struct arena *a, const char *path,
			struct federation_records *out)
{
	const char *name = load_name(path);
	struct errbuf e = {.text = ""};
	struct span text = SPAN_NULL;
	int status = load_file(s, a, path, &text);
	int err;

	if (status != STATUS_DONE)
		return status;
	err = s->yaml.read(name, text, a, out, &e);
	if (err == FED_ENOMEM)
		return change_no_memory(s);
	return err == 0 ? STATUS_DONE
			: session_fail(s, STATUS_USAGE, "%s", e.text);
}

static int apply(struct session *s, const struct line *l)
{
	const char *path = line_option(l, "file");
	struct federation_records all = {NULL, 0};
	struct change c;
	struct arena a;
	int status;

	arena_init(&a, CHANGE_ARENA_BYTES);
	status = read_records(s, &a, path, &all);
	change_init(&c, &a, 0);
	c.apply.put = all.items;
	c.apply.n_put = all.count;
	c.apply.replaces_all = true;
	if (status == STATUS_DONE)
		status = change_send(s, &c);
	arena_deinit(&a);
	return status;
}

/* ---- history ------------------------------------------------------------- */

static int ask_history(struct session *s, uint64_t before, uint32_t count,
		       const struct show *how)
{
	Fed__AdminFederationHistory ask;
	Fed__AdminRequest r;

	fed__admin_federation_history__init(&ask);
	ask.before = before;
	ask.count = count;
	fed__admin_request__init(&r);
	r.kind_case = FED__ADMIN_REQUEST__KIND_FEDERATION_HISTORY;
	r.federation_history = &ask;
	return session_show(s, &r, how);
}

static int history(struct session *s, const struct line *l)
{
	uint32_t revision = 0;

	if (line_arg(l, 0) == NULL)
		return ask_history(s, 0, line_number(l, "count", 20),
				   s->is_json ? &show_history_json
					      : &show_history_text);
	if (span_to_u32(span_str(line_arg(l, 0)), &revision) != 0 ||
	    revision == 0)
		return session_usage(s,
				     "REV \"%s\": a number is expected, "
				     "\"history\" lists them",
				     line_arg(l, 0));
	return ask_history(s, (uint64_t)revision + 1, 1,
			   s->is_json ? &show_revision_json
				      : &show_revision_text);
}

static int rollback(struct session *s, const struct line *l)
{
	uint32_t revision = 0;
	struct change c;
	struct arena a;
	int status;

	if (span_to_u32(span_str(line_arg(l, 0)), &revision) != 0 ||
	    revision == 0)
		return session_usage(s,
				     "REV \"%s\": a number is expected, "
				     "\"history\" lists them",
				     line_arg(l, 0));
	arena_init(&a, CHANGE_ARENA_BYTES);
	change_init(&c, &a, 0);
	c.apply.rollback_to = revision;
	status = change_send(s, &c);
	arena_deinit(&a);
	return status;
}

static const char *ask_status(struct ask *a, const struct line *l)
{
	(void)l;
	fed__admin_federation_status__init(&a->part.federation_status);
	a->request.kind_case = FED__ADMIN_REQUEST__KIND_FEDERATION_STATUS;
	a->request.federation_status = &a->part.federation_status;
	return NULL;
}

/* ---- table --------------------------------------------------------------- */

static const struct command_option export_options[] = {
	{.name = "secrets",
	 .help = "with the dialback secret: keep the file safe"},
	{.name = NULL},
};

static const struct command_option apply_options[] = {
	{.name = "file",
	 .letter = 'f',
	 .is_due = true,
	 .value = "FILE",
	 .help = "in the form that export writes; - is stdin"},
	CHANGE_DRY_RUN,
	{.name = NULL},
};

static const struct command_option history_options[] = {
	{.name = "count",
	 .value = "N",
	 .kind = COMMAND_NUMBER,
	 .help = "so many at most (20); 0: all"},
	{.name = NULL},
};

static const struct command_option only_dry_run[] = {
	CHANGE_DRY_RUN,
	{.name = NULL},
};

static const struct command_arg maybe_revision[] = {
	{.name = "REV",
	 .count = COMMAND_MAYBE,
	 .help = "only that one, with what it changed"},
	{.name = NULL},
};

static const struct command_arg revision[] = {
	{.name = "REV", .help = "number of a revision, as \"history\" has it"},
	{.name = NULL},
};

const struct command commands_configuration[] = {
	{.name = "status",
	 .summary = "the revision in force, here and at each edge",
	 .more = "An edge that refuses a revision says why, and keeps the last "
		 "one it took. One that is not connected gets it when it is.",
	 .example = "status",
	 .where = COMMAND_GATEWAY,
	 .ask = ask_status,
	 .text = &show_status_text,
	 .json = &show_status_json},
	{.name = "export",
	 .options = export_options,
	 .summary = "everything, as YAML for apply",
	 .more = "What belongs to a migration under way is left out. The form "
		 "is that of federation.conf(5).",
	 .example = "export",
	 .where = COMMAND_GATEWAY,
	 .run = export_all},
	{.name = "apply",
	 .options = apply_options,
	 .summary = "put a whole configuration in force",
	 .more = "What the file does not name is removed. It is taken whole or "
		 "not at all, and shown: + is new, ~ other than it was, - "
		 "removed. A file without dialback_secret keeps the one there "
		 "is.",
	 .example = "apply -f federation.yaml --dry-run",
	 .where = COMMAND_GATEWAY,
	 .run = apply},
	{.name = "history",
	 .args = maybe_revision,
	 .options = history_options,
	 .summary = "who changed what, newest first",
	 .more = "The author is the user of the socket, with the name that he "
		 "gave.",
	 .example = "history --count 5",
	 .where = COMMAND_GATEWAY,
	 .run = history},
	{.name = "rollback",
	 .args = revision,
	 .options = only_dry_run,
	 .summary = "back to what an older revision said",
	 .more = "It becomes a new revision; what came in between stays in the "
		 "history.",
	 .example = "rollback 12 --dry-run",
	 .where = COMMAND_GATEWAY,
	 .run = rollback},
	{.name = NULL},
};
