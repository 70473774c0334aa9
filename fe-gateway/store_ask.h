/*
 * Questions to the store on their way: asked by the loop's thread, answered by
 * the writer's between two transactions, told by the loop's.
 */
#ifndef FED_GATEWAY_STORE_ASK_H
#define FED_GATEWAY_STORE_ASK_H

#include <pthread.h>

#include "base/arena.h"
#include "fe-gateway/store.h"

struct store_question {
	struct store_ask ask;
	/* of the loop's thread; NULL: cancelled */
	void (*fn)(const struct store_answer *a, void *arg);
	void *arg;
	/* of the writer's until it is done */
	struct arena arena;
	struct store_answer answer;
	struct store_question *prev;
	struct store_question *next;
};

struct store_questions {
	pthread_mutex_t lock; /* of the lists */
	struct store_question *asked;
	struct store_question *answered;
	bool is_made;
};

/** @return 0; FED_ENOMEM */
int store_questions_init(struct store_questions *q) FED_NODISCARD;

/** None is told any more.  Zeros are allowed. */
void store_questions_deinit(struct store_questions *q);

/** As store_ask(). */
int store_questions_add(struct store_questions *q, const struct store_ask *ask,
			void (*fn)(const struct store_answer *a, void *arg),
			void *arg, struct store_question **q_out) FED_NODISCARD;

/** Writer: who asked first, to be answered; NULL: nobody. */
struct store_question *store_questions_take(struct store_questions *q);

/** Writer: it is answered. */
void store_questions_done(struct store_questions *q,
			  struct store_question *one);

/** Loop: tell all that are answered. */
void store_questions_tell(struct store_questions *q);

#endif
