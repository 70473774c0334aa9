/* migrate enable, migrate rollback: whose a partner is. */
#include "deploy/fedctl/change.h"
#include "deploy/fedctl/command.h"
#include "deploy/fedctl/migrate_ask.h"
#include "deploy/fedctl/name.h"
#include "deploy/fedctl/text.h"

int migrate_need_partner(struct session *s)
{
	const char *domain = line_arg(s->line, 0);
	struct records all;
	Fed__Record *r;
	struct arena a;
	int status;

	if (domain == NULL)
		return STATUS_DONE;
	arena_init(&a, CHANGE_ARENA_BYTES);
	domain = name_domain(&a, domain);
	status = domain == NULL
			 ? change_no_memory(s)
			 : records_need(s, &a,
					record_kind(FED__RECORD__KIND_PARTNER),
					domain, &all, &r);
	arena_deinit(&a);
	return status;
}

static int change(struct session *s, Fed__AdminMigrate__What what)
{
	Fed__AdminMigrate m;
	Fed__AdminRequest r;

	fed__admin_migrate__init(&m);
	m.what = what;
	m.domain = text_lent(line_arg(s->line, 0));
	m.force = line_has(s->line, "force");
	m.name = text_lent(change_who());
	fed__admin_request__init(&r);
	r.kind_case = FED__ADMIN_REQUEST__KIND_MIGRATE;
	r.migrate = &m;
	s->patience_s = CHANGE_PATIENCE_S;
	return session_show(
		s, &r, s->is_json ? &show_changed_json : &show_changed_text);
}

int migrate_run_enable(struct session *s, const struct line *l)
{
	struct errbuf why = {.text = ""};
	int status = migrate_need_partner(s);

	if (status == STATUS_DONE && !line_has(l, "force"))
		status = migrate_look_at_certificates(s, &why);
	if (status != STATUS_DONE)
		return status;
	if (why.text[0] != '\0')
		return session_fail(s, STATUS_FAILED,
				    "not yet: the certificate: %s; --force "
				    "does it all the same",
				    why.text);
	return change(s, FED__ADMIN_MIGRATE__WHAT__ENABLE);
}

int migrate_run_rollback(struct session *s, const struct line *l)
{
	int status = migrate_need_partner(s);

	(void)l;
	return status == STATUS_DONE
		       ? change(s, FED__ADMIN_MIGRATE__WHAT__ROLLBACK)
		       : status;
}
