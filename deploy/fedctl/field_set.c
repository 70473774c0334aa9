/* Fields get values that were typed. */
#include <stdlib.h>
#include <string.h>

#include "chan/federation_form.h"
#include "deploy/fedctl/name.h"
#include "deploy/fedctl/record.h"
#include "deploy/fedctl/text.h"

/* ---- lists --------------------------------------------------------------- */

struct list {
	struct arena *a;
	char **items;
	size_t count;
};

/* SIZE_MAX: it is not in there. */
static size_t find(const struct list *l, const char *name)
{
	for (size_t i = 0; i < l->count; i++)
		if (strcmp(l->items[i], name) == 0)
			return i;
	return SIZE_MAX;
}

static int add(struct list *l, const char *name)
{
	if (find(l, name) != SIZE_MAX)
		return 0;
	return arena_append(l->a, (void ***)&l->items, &l->count,
			    text_lent(name));
}

static int drop(struct list *l, const char *name, struct errbuf *e)
{
	size_t at = find(l, name);
	struct name_near near;

	if (at == SIZE_MAX) {
		name_near_init(&near, span_str(name));
		for (size_t i = 0; i < l->count; i++)
			name_near_try(&near, l->items[i]);
		errbuf_set(e, "\"%s\" is not among them%s", name,
			   name_near_hint(&near).text);
		return FED_EINVAL;
	}
	l->count--;
	for (; at < l->count; at++)
		l->items[at] = l->items[at + 1];
	return 0;
}

/* "+a", "-a", "a,b": one value of an option. */
static int take_value(struct list *l, const char *value, struct errbuf *e)
{
	char sign = value[0] == '+' || value[0] == '-' ? value[0] : '\0';
	struct span rest = span_str(sign != '\0' ? value + 1 : value);
	int err = 0;

	while (err == 0 && rest.n > 0) {
		size_t at = span_find(rest, ',', 0);
		char *typed = arena_dup(l->a, span_trim(span_sub(rest, 0, at)));
		const char *name =
			typed != NULL ? name_domain(l->a, typed) : NULL;

		if (name == NULL)
			return FED_ENOMEM;
		if (name[0] != '\0')
			err = sign == '-' ? drop(l, name, e) : add(l, name);
		rest = at == SIZE_MAX ? SPAN_NULL
				      : span_sub(rest, at + 1, SIZE_MAX);
	}
	return err;
}

/* Values without a sign are the new list, whatever there was. */
static int set_list(struct arena *a, const struct field *f, void *part,
		    const char *const *values, struct errbuf *e)
{
	char **old;
	size_t n;
	struct list l = {.a = a};
	int err = 0;

	memcpy(&old, (char *)part + f->at, sizeof(old));
	memcpy(&n, (char *)part + f->count_at, sizeof(n));
	for (const char *const *v = values; *v != NULL; v++)
		if ((*v)[0] != '+' && (*v)[0] != '-')
			n = 0;
	for (size_t i = 0; err == 0 && i < n; i++)
		err = add(&l, old[i]);
	for (const char *const *v = values; err == 0 && *v != NULL; v++)
		err = take_value(&l, *v, e);
	if (err != 0)
		return err;
	memcpy((char *)part + f->at, &l.items, sizeof(l.items));
	memcpy((char *)part + f->count_at, &l.count, sizeof(l.count));
	return 0;
}

/* ---- single values ------------------------------------------------------- */

static int set_text(struct arena *a, void *to, const char *value)
{
	char *text = arena_dup(a, span_str(value));

	if (text == NULL)
		return FED_ENOMEM;
	memcpy(to, &text, sizeof(text));
	return 0;
}

static int set_secret(struct arena *a, void *to, const char *value)
{
	ProtobufCBinaryData bytes = {
		.len = strlen(value),
		.data = (uint8_t *)arena_dup(a, span_str(value)),
	};

	if (bytes.data == NULL)
		return FED_ENOMEM;
	memcpy(to, &bytes, sizeof(bytes));
	return 0;
}

static int set_word(const struct field *f, void *to, const char *value,
		    struct errbuf *e)
{
	int number = federation_word_value(f->words, span_str(value));
	struct name_near near;
	char all[128] = "";
	size_t n = 0;

	if (number >= 0) {
		memcpy(to, &number, sizeof(number));
		return 0;
	}
	name_near_init(&near, span_str(value));
	for (size_t i = 0; f->words[i] != NULL && n < sizeof(all); i++) {
		name_near_try(&near, f->words[i]);
		n += (size_t)snprintf(all + n, sizeof(all) - n, "%s%s",
				      i == 0			? ""
				      : f->words[i + 1] == NULL ? " or "
								: ", ",
				      f->words[i]);
	}
	errbuf_set(e, "\"%s\": %s is expected%s", value, all,
		   name_near_hint(&near).text);
	return FED_EINVAL;
}

static int set_number(void *to, const char *value, struct errbuf *e)
{
	uint32_t number;

	if (span_to_u32(span_str(value), &number) != 0) {
		errbuf_set(e, "\"%s\": a number is expected", value);
		return FED_EINVAL;
	}
	memcpy(to, &number, sizeof(number));
	return 0;
}

int field_set(struct arena *a, const struct field *f, Fed__Record *r,
	      const char *const *values, struct errbuf *e)
{
	void *to = (char *)r->partner + f->at;

	switch (f->type) {
	case FIELD_TEXT:
		return set_text(a, to, values[0]);
	case FIELD_LIST:
		return set_list(a, f, r->partner, values, e);
	case FIELD_WORD:
		return set_word(f, to, values[0], e);
	case FIELD_NUMBER:
		return set_number(to, values[0], e);
	case FIELD_SECRET:
		break;
	}
	return set_secret(a, to, values[0]);
}
