/*
 * Records that a daemon answers with.
 */
#ifndef FED_TEST_FEDCTL_RECORDS_H
#define FED_TEST_FEDCTL_RECORDS_H

#include "fedctl_run.h"

#include "chan/federation_form.h"

enum { SOME_RECORDS = 8 };

/* Answers to up to three requests, each with records of one kind. */
struct some_records {
	Fed__AdminResponse r[4];
	Fed__Record record[SOME_RECORDS];
	Fed__Record *list[SOME_RECORDS];
	Fed__FederationChanged changed; /* of the last one */
	Fed__Change change;
	Fed__Change *changes[1];
	struct fake_daemon d;
	size_t count;
	size_t answers;
};

static inline void some_init(struct some_records *x)
{
	memset(x, 0, sizeof(*x));
	for (size_t i = 0; i < SOME_RECORDS; i++) {
		fed__record__init(&x->record[i]);
		x->list[i] = &x->record[i];
	}
	for (size_t i = 0; i < FED_ARRAY_LEN(x->r); i++) {
		fed__admin_response__init(&x->r[i]);
		x->r[i].last = true;
	}
	x->d.answers = x->r;
}

/* Another record of the next answer; its message is the test's. */
static inline void some_add(struct some_records *x, Fed__Record__KindCase kind,
			    void *message)
{
	Fed__AdminResponse *r = &x->r[x->answers];
	Fed__Record *one = &x->record[x->count];

	assert_true(x->count < SOME_RECORDS);
	if (r->n_record == 0)
		r->record = &x->list[x->count];
	r->n_record++;
	one->kind_case = kind;
	one->partner = message; /* all of them are at one place */
	x->count++;
}

/* The answer is whole; so many, all of one revision. */
static inline void some_end(struct some_records *x)
{
	x->r[x->answers].revision = 7;
	x->answers++;
	x->d.count = x->answers;
}

/* The last answer: what a change did, here nothing that is shown. */
static inline void some_changed(struct some_records *x)
{
	fed__federation_changed__init(&x->changed);
	x->changed.revision = 8;
	x->r[x->answers].changed = &x->changed;
	x->answers++;
	x->d.count = x->answers;
}

/* What the n-th request wants to be changed. */
static inline const Fed__AdminFederationApply *some_apply(
	const struct some_records *x, size_t n)
{
	assert_true(n < x->d.asked_count);
	assert_int_equal(FED__ADMIN_REQUEST__KIND_FEDERATION_APPLY,
			 x->d.asked[n]->kind_case);
	return x->d.asked[n]->federation_apply;
}

static inline const Fed__AdminFederationGet *some_get(
	const struct some_records *x, size_t n)
{
	assert_true(n < x->d.asked_count);
	assert_int_equal(FED__ADMIN_REQUEST__KIND_FEDERATION_GET,
			 x->d.asked[n]->kind_case);
	return x->d.asked[n]->federation_get;
}

/* "nothing changed": what an empty change prints. */
#define SAME "nothing changed: revision 8 says the same\n"

#endif
