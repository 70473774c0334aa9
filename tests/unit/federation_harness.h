/* Records as tests write them, and edits of them. */
#ifndef FED_TESTS_FEDERATION_HARNESS_H
#define FED_TESTS_FEDERATION_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "fe-gateway/core/federation.h"

enum { FED_T_RECORDS = 64, FED_T_ARENA = 256 * 1024 * 1024 };

/* What a test puts together: records live in the arena. */
struct fed_test {
	struct arena a;
	struct federation *f;
	Fed__Record *put[FED_T_RECORDS];
	size_t put_count;
	Fed__Record *remove[FED_T_RECORDS];
	size_t remove_count;
	struct federation_warnings w;
	struct errbuf e;
};

static inline void ft_init(struct fed_test *t)
{
	memset(t, 0, sizeof(*t));
	arena_init(&t->a, FED_T_ARENA);
}

static inline void ft_deinit(struct fed_test *t)
{
	federation_free(t->f);
	arena_deinit(&t->a);
}

static inline char *ft_text(struct fed_test *t, const char *s)
{
	char *p = arena_dup(&t->a, span_str(s));

	assert_non_null(p);
	return p;
}

/* A record of that kind; its message is set up by _init. */
#define FT_RECORD(t, KIND, member, type, record)                     \
	Fed__Record *record = arena_alloc(&(t)->a, sizeof(*record)); \
	fed__record__init(record);                                   \
	record->kind_case = FED__RECORD__KIND_##KIND;                \
	record->member = arena_alloc(&(t)->a, sizeof(type))

static inline Fed__PartnerRecord *ft_partner(struct fed_test *t,
					     const char *domain)
{
	FT_RECORD(t, PARTNER, partner, Fed__PartnerRecord, r);
	federation_partner_init(r->partner);
	r->partner->domain = ft_text(t, domain);
	t->put[t->put_count++] = r;
	return r->partner;
}

static inline void ft_additional(struct fed_test *t, Fed__PartnerRecord *p,
				 const char *domain)
{
	assert_int_equal(arena_append(&t->a, (void ***)&p->additional,
				      &p->n_additional, ft_text(t, domain)),
			 0);
}

static inline Fed__DeniedRecord *ft_denied(struct fed_test *t,
					   const char *domain)
{
	FT_RECORD(t, DENIED, denied, Fed__DeniedRecord, r);
	fed__denied_record__init(r->denied);
	r->denied->domain = ft_text(t, domain);
	t->put[t->put_count++] = r;
	return r->denied;
}

static inline Fed__PolicyRecord *ft_policy(struct fed_test *t,
					   Fed__PolicyScope scope,
					   const char *name, bool federation,
					   bool xmpp)
{
	FT_RECORD(t, POLICY, policy, Fed__PolicyRecord, r);
	fed__policy_record__init(r->policy);
	r->policy->scope = scope;
	r->policy->name = ft_text(t, name);
	r->policy->federation = federation;
	r->policy->xmpp = xmpp;
	t->put[t->put_count++] = r;
	return r->policy;
}

static inline Fed__SiteRecord *ft_site(struct fed_test *t, const char *name,
				       const char *domain)
{
	FT_RECORD(t, SITE, site, Fed__SiteRecord, r);
	fed__site_record__init(r->site);
	r->site->name = ft_text(t, name);
	if (domain != NULL)
		assert_int_equal(arena_append(&t->a, (void ***)&r->site->domain,
					      &r->site->n_domain,
					      ft_text(t, domain)),
				 0);
	t->put[t->put_count++] = r;
	return r->site;
}

static inline void ft_member(struct fed_test *t, const char *user,
			     const char *site)
{
	FT_RECORD(t, MEMBER, member, Fed__MemberRecord, r);
	fed__member_record__init(r->member);
	r->member->user = ft_text(t, user);
	r->member->site = ft_text(t, site);
	t->put[t->put_count++] = r;
}

static inline void ft_grant(struct fed_test *t, const char *user,
			    const char *policy)
{
	FT_RECORD(t, GRANT, grant, Fed__GrantRecord, r);
	fed__grant_record__init(r->grant);
	r->grant->user = ft_text(t, user);
	r->grant->policy = ft_text(t, policy);
	t->put[t->put_count++] = r;
}

static inline void ft_mover(struct fed_test *t, const char *user, bool is_moved)
{
	FT_RECORD(t, MOVER, mover, Fed__MoverRecord, r);
	fed__mover_record__init(r->mover);
	r->mover->user = ft_text(t, user);
	r->mover->is_moved = is_moved;
	t->put[t->put_count++] = r;
}

static inline Fed__SettingsRecord *ft_settings(struct fed_test *t)
{
	FT_RECORD(t, SETTINGS, settings, Fed__SettingsRecord, r);
	federation_settings_init(r->settings);
	t->put[t->put_count++] = r;
	return r->settings;
}

/* The last record that was put is one to remove instead. */
static inline void ft_remove(struct fed_test *t)
{
	t->remove[t->remove_count++] = t->put[--t->put_count];
}

/* The edit so far becomes the snapshot in t->f, or does not; the next edit
 * begins. */
static inline int ft_apply_as(struct fed_test *t, bool replaces_all)
{
	struct federation_edit edit = {.put = t->put,
				       .put_count = t->put_count,
				       .remove = t->remove,
				       .remove_count = t->remove_count,
				       .replaces_all = replaces_all};
	struct federation *next = NULL;
	int err;

	t->w = (struct federation_warnings){NULL, 0};
	err = federation_new(&next, t->f, &edit, &t->a, &t->w, &t->e);
	t->put_count = 0;
	t->remove_count = 0;
	if (err != 0) {
		assert_null(next);
		return err;
	}
	federation_free(t->f);
	t->f = next;
	return 0;
}

static inline int ft_apply(struct fed_test *t)
{
	return ft_apply_as(t, false);
}

/* The edit is taken; what it warns of is in t->w. */
static inline void ft_ok(struct fed_test *t)
{
	int err = ft_apply(t);

	if (err != 0)
		print_error("refused: %s\n", t->e.text);
	assert_int_equal(err, 0);
	assert_string_equal(t->e.text, "");
}

/* The edit is refused with exactly that sentence, and nothing changed. */
static inline void ft_refused(struct fed_test *t, const char *sentence)
{
	struct federation *before = t->f;

	assert_int_not_equal(ft_apply(t), 0);
	assert_string_equal(t->e.text, sentence);
	assert_ptr_equal(t->f, before);
}

/* It has that many warnings, the first one is this. */
static inline void ft_warned(struct fed_test *t, const char *sentence)
{
	ft_ok(t);
	assert_int_equal(t->w.count, 1);
	assert_string_equal(t->w.text[0], sentence);
}

#endif
