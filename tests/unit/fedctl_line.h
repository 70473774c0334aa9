/*
 * Command lines as they are typed.
 */
#ifndef FED_TEST_FEDCTL_LINE_H
#define FED_TEST_FEDCTL_LINE_H

#include "fedctl_harness.h"

#include "deploy/fedctl/command.h"

/* A line of words that blanks part. */
struct typed {
	char text[512];
	const char *argv[32];
	int argc;
};

static inline void type(struct typed *t, const char *words)
{
	(void)snprintf(t->text, sizeof(t->text), "fedctl %s", words);
	t->argc = 0;
	for (char *word = t->text; word != NULL;) {
		char *end = strchr(word, ' ');

		assert_true((size_t)t->argc < FED_ARRAY_LEN(t->argv));
		t->argv[t->argc++] = word;
		if (end != NULL)
			*end++ = '\0';
		word = end;
	}
}

#endif
