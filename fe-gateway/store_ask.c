/* Questions to the store on their way. */
#include "fe-gateway/store_ask.h"

#include <stdlib.h>
#include <utlist.h>

#include "base/limits.h"

int store_questions_init(struct store_questions *q)
{
	*q = (struct store_questions){.asked = NULL};
	q->is_made = pthread_mutex_init(&q->lock, NULL) == 0;
	return q->is_made ? 0 : FED_ENOMEM;
}

static void free_one(struct store_question *one)
{
	arena_deinit(&one->arena);
	free(one);
}

static void free_list(struct store_question **list)
{
	struct store_question *one;

	while ((one = *list) != NULL) {
		DL_DELETE(*list, one);
		free_one(one);
	}
}

void store_questions_deinit(struct store_questions *q)
{
	free_list(&q->asked);
	free_list(&q->answered);
	if (q->is_made)
		(void)pthread_mutex_destroy(&q->lock);
}

int store_questions_add(struct store_questions *q, const struct store_ask *ask,
			void (*fn)(const struct store_answer *a, void *arg),
			void *arg, struct store_question **q_out)
{
	struct store_question *one = calloc(1, sizeof(*one));

	if (one == NULL)
		return FED_ENOMEM;
	one->ask = *ask;
	one->fn = fn;
	one->arg = arg;
	/* its texts, and an entry for each of them */
	arena_init(&one->arena, 2 * LIMIT_FEDERATION_REVISION_BYTES);
	(void)pthread_mutex_lock(&q->lock);
	DL_APPEND(q->asked, one);
	(void)pthread_mutex_unlock(&q->lock);
	*q_out = one;
	return 0;
}

static struct store_question *pop(struct store_questions *q,
				  struct store_question **list)
{
	struct store_question *one;

	(void)pthread_mutex_lock(&q->lock);
	one = *list;
	if (one != NULL)
		DL_DELETE(*list, one);
	(void)pthread_mutex_unlock(&q->lock);
	return one;
}

struct store_question *store_questions_take(struct store_questions *q)
{
	return pop(q, &q->asked);
}

void store_questions_done(struct store_questions *q, struct store_question *one)
{
	(void)pthread_mutex_lock(&q->lock);
	DL_APPEND(q->answered, one);
	(void)pthread_mutex_unlock(&q->lock);
}

void store_questions_tell(struct store_questions *q)
{
	struct store_question *one;

	while ((one = pop(q, &q->answered)) != NULL) {
		if (one->fn != NULL)
			one->fn(&one->answer, one->arg);
		free_one(one);
	}
}

void store_ask_cancel(struct store_question *q)
{
	q->fn = NULL;
}
