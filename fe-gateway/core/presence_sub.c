/* Life of an OUT watch, its row, and what each event ends in. */
#include "fe-gateway/core/presence_sub_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	TOLD_MAX = sizeof(PRESENCE_OWED) +
		   LIMIT_PRESENCE_RESOURCES * (LIMIT_JID_PART_BYTES + 1)
};

/* --- life ---------------------------------------------------------------- */

enum { KEY_MAX = 2 * (LIMIT_JID_BYTES + 1) };

/* local, '\0', remote, '\0'; 0: they are no JIDs. */
static size_t make_key(const char *local, const char *remote, char key[KEY_MAX])
{
	size_t local_n = strlen(local) + 1;
	size_t remote_n = strlen(remote) + 1;

	if (local_n > LIMIT_JID_BYTES + 1 || remote_n > LIMIT_JID_BYTES + 1)
		return 0;
	memcpy(key, local, local_n);
	memcpy(key + local_n, remote, remote_n);
	return local_n + remote_n;
}

struct presence_sub *presence_sub_find(struct presence *p, const char *local,
				       const char *remote)
{
	struct presence_sub *s = NULL;
	char key[KEY_MAX];
	size_t n = make_key(local, remote, key);

	if (n > 0)
		HASH_FIND(hh, p->subs, key, n, s);
	return s;
}

struct presence_sub *presence_sub_new(struct presence *p, const char *local,
				      const char *remote)
{
	char key[KEY_MAX];
	size_t n = make_key(local, remote, key);
	struct presence_sub *s;

	/* LIMIT: strangers that subscribe to everybody */
	if (n == 0 || HASH_COUNT(p->subs) >= LIMIT_PRESENCE_WATCHES)
		return NULL;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return NULL;
	s->key = malloc(n);
	if (s->key == NULL ||
	    presence_item_add(p, &s->item, PRESENCE_ITEM_SUB) != 0) {
		free(s->key);
		free(s);
		return NULL;
	}
	memcpy(s->key, key, n);
	s->local = s->key;
	s->remote = s->key + strlen(local) + 1;
	s->id = ++p->next_id;
	s->asked_s = presence_expires_s(p);
	s->act_ms = s->notify_by_ms = s->doc_until_ms = s->again_ms =
		s->left_until_ms = UINT64_MAX;
	HASH_ADD_KEYPTR(hh, p->subs, s->key, n, s);
	if (s->hh.tbl == NULL ||
	    presence_domain_join(p, &s->item, s->remote) != 0 ||
	    presence_share_join(p, &s->item, s->remote) != 0) {
		presence_sub_free(p, s);
		return NULL;
	}
	return s;
}

void presence_sub_free(struct presence *p, struct presence_sub *s)
{
	if (s->hh.tbl != NULL)
		HASH_DEL(p->subs, s);
	presence_item_drop(p, &s->item);
	if (s->is_poll)
		p->poll_count--;
	presence_dialog_free(p, s->dialog);
	presence_view_clear(&s->doc);
	presence_view_clear(&s->told);
	presence_sub_drop_answer(s);
	free(s->redirect);
	free(s->ask_id);
	free(s->said_name);
	free(s->row_told);
	free(s->key);
	free(s);
}

/* --- state --------------------------------------------------------------- */

#define TO(state) (1u << PRESENCE_SUB_##state)

static const unsigned sub_edges[] = {
	[PRESENCE_SUB_QUIET] = TO(WAITING) | TO(ASKING) | TO(LIVE) | TO(ENDING),
	[PRESENCE_SUB_WAITING] = TO(ASKING) | TO(QUIET) | TO(LIVE),
	[PRESENCE_SUB_ASKING] = TO(LIVE) | TO(WAITING) | TO(QUIET) | TO(ENDING),
	[PRESENCE_SUB_LIVE] = TO(ASKING) | TO(WAITING) | TO(QUIET) | TO(ENDING),
	[PRESENCE_SUB_ENDING] = TO(ASKING) | TO(QUIET),
};

static const char *state_name(enum presence_sub_state state)
{
	static const char *const names[] = {
		[PRESENCE_SUB_QUIET] = "quiet",
		[PRESENCE_SUB_WAITING] = "waiting",
		[PRESENCE_SUB_ASKING] = "asking",
		[PRESENCE_SUB_LIVE] = "live",
		[PRESENCE_SUB_ENDING] = "ending",
	};

	return names[state];
}

const char *presence_sub_state_name(const struct presence_sub *s)
{
	return state_name(s->state);
}

void presence_sub_set_state(struct presence *p, struct presence_sub *s,
			    enum presence_sub_state to, const char *why)
{
	if (s->state == to)
		return;
	(void)FED_CHECK((sub_edges[s->state] & (1u << to)) != 0);
	if (log_wants(p->p.log, FED_LOG_DEBUG)) {
		char detail[96];

		(void)snprintf(detail, sizeof(detail), "from=%s to=%s why=%s",
			       state_name(s->state), state_name(to), why);
		presence_log(p, FED_LOG_DEBUG, "out_state", s->local, s->remote,
			     detail);
	}
	s->state = to;
}

void presence_sub_set_auth(struct presence *p, struct presence_sub *s,
			   enum presence_auth auth, uint64_t now_ms)
{
	if (s->auth != auth)
		presence_log_auth(p, PRESENCE_OUT, s->local, s->remote, auth);
	s->auth = auth;
	s->since_ms = presence_wall_ms(p, now_ms);
	s->left_until_ms = auth == PRESENCE_NONE
				   ? now_ms + LIMIT_PRESENCE_LEFT_MS
				   : UINT64_MAX;
	s->is_row_due = true;
}

/* LIMIT: those who leave from domains that do not come back.  What SIP has
 * cancelled is asked for again after a restart, and not kept by this. */
static void forget_who_left(struct presence_sub *s)
{
	s->left_until_ms = UINT64_MAX;
	if (s->is_cancelled)
		return;
	presence_view_clear(&s->told);
	s->owes_unsubscribed = false;
	s->is_row_due = true;
}

void presence_sub_forget_doc(struct presence_sub *s, bool is_known)
{
	presence_view_clear(&s->doc);
	s->has_doc = is_known;
	s->doc_until_ms = UINT64_MAX;
	s->is_row_due = true;
}

/* --- its row ------------------------------------------------------------- */

/* @return how many names there are then */
static size_t put_names(struct buf *b, const struct presence_view *v,
			const struct presence_view *without, size_t count)
{
	for (size_t i = 0; i < v->count && count < LIMIT_PRESENCE_RESOURCES;
	     i++) {
		struct span name = span_str(v->items[i]->name);

		if (!v->items[i]->is_open ||
		    (without != NULL &&
		     presence_view_find(without, name) != NULL))
			continue;
		(void)buf_put_span(b, name);
		(void)buf_put_byte(b, '\n');
		count++;
	}
	return count;
}

/* All that the watcher may believe to be there after what is said next: in the
 * store before it is said, so that no crash leaves a ghost.  No more than what
 * can be restored: those that are gone are said before those that came.  One
 * whose watch is over and who hears no more of it believes what he likes. */
static int told_text(const struct presence *p, const struct presence_sub *s,
		     struct buf *b)
{
	bool is_owed =
		s->auth == PRESENCE_ALLOWED &&
		(s->owes_subscribed || s->said == PRESENCE_SAY_SUBSCRIBED);
	size_t count;

	if (s->auth == PRESENCE_NONE && !s->is_cancelled && s->is_muted)
		return 0;
	if (is_owed)
		(void)buf_put_span(b, SPAN_LIT(PRESENCE_OWED "\n"));
	count = put_names(b, &s->told, NULL, 0);
	if (s->auth == PRESENCE_ALLOWED && !s->is_muted && !p->is_stopping)
		(void)put_names(b, &s->doc, &s->told, count);
	if (!b->is_failed && buf_cstr(b) == NULL)
		b->is_failed = true;
	return b->is_failed ? FED_ENOMEM : 0;
}

/* The row of a watch that SIP has cancelled stays until its watcher knows: the
 * next run would ask, hear the same, and say the rest.  Who left by himself is
 * not asked for again: his row says so, and goes when he was told what is not
 * there any more. */
static enum presence_auth auth_of_row(const struct presence_sub *s)
{
	return s->is_cancelled ? s->row_auth : s->auth;
}

static int put_watch(struct presence *p, struct presence_sub *s,
		     struct span told)
{
	const struct presence_row row = {
		.kind = PRESENCE_ROW_WATCH,
		.is_deleted = auth_of_row(s) == PRESENCE_NONE && told.n == 0,
		.u.watch = {.direction = PRESENCE_OUT,
			    .local = span_str(s->local),
			    .remote = span_str(s->remote),
			    .auth = auth_of_row(s),
			    .since_ms = s->since_ms,
			    .told = told},
	};
	char *copy = span_dup(told);
	int err = copy != NULL ? 0 : FED_ENOMEM;

	if (err == 0)
		err = presence_put_row(p, &s->item, &row);
	if (err != 0) {
		free(copy);
		return err;
	}
	free(s->row_told);
	s->row_told = copy;
	s->row_auth = auth_of_row(s);
	return 0;
}

/* The line at *at, without its end; *at moves behind it. */
static struct span next_line(struct span text, size_t *at)
{
	size_t end = span_find(text, '\n', *at);
	struct span line = span_sub(text, *at, end);

	*at = end < text.n ? end + 1 : text.n;
	return line;
}

static bool has_line(struct span text, struct span line)
{
	size_t at = 0;

	while (at < text.n)
		if (span_eq(next_line(text, &at), line))
			return true;
	return false;
}

/* Every line of a is one of b. */
static bool is_part_of(struct span a, struct span b)
{
	size_t at = 0;

	while (at < a.n)
		if (!has_line(b, next_line(a, &at)))
			return false;
	return true;
}

int presence_sub_put(struct presence *p, struct presence_sub *s)
{
	const struct presence_resource *r;
	struct buf told;
	int err;

	buf_init(&told, TOLD_MAX + 1);
	err = told_text(p, s, &told);
	if (err == 0 && s->row_auth == auth_of_row(s)) {
		struct span old = span_str(s->row_told);
		struct span new = buf_span(&told);

		/* a row that names too many does no harm meanwhile */
		if (span_eq(old, new) ||
		    (is_part_of(new, old) &&
		     presence_sub_pick(p, s, &r) != PRESENCE_SAY_NOTHING))
			goto out;
	}
	if (err == 0)
		err = put_watch(p, s, buf_span(&told));
out:
	buf_deinit(&told);
	if (err == 0)
		s->is_row_due = false;
	return err;
}

/* --- the end of an event ------------------------------------------------- */

static bool is_over(const struct presence *p, const struct presence_sub *s)
{
	const struct presence_resource *r;

	return s->auth == PRESENCE_NONE && s->state == PRESENCE_SUB_QUIET &&
	       s->item.stanza == NULL && !s->is_row_due && !s->is_cancelled &&
	       presence_sub_pick(p, s, &r) == PRESENCE_SAY_NOTHING;
}

void presence_sub_arm(struct presence *p, struct presence_sub *s,
		      uint64_t now_ms)
{
	uint64_t at = s->act_ms;

	if (s->notify_by_ms < at)
		at = s->notify_by_ms;
	if (s->doc_until_ms < at)
		at = s->doc_until_ms;
	if (s->again_ms < at)
		at = s->again_ms;
	if (s->left_until_ms < at)
		at = s->left_until_ms;
	if (s->say_ms > now_ms && s->say_ms < at)
		at = s->say_ms;
	presence_set_timer(p, &s->item, at);
}

void presence_sub_settle(struct presence *p, struct presence_sub *s,
			 uint64_t now_ms)
{
	const struct presence_resource *r;
	int err = 0;

	presence_sub_trim_answer(s);
	if (s->is_cancelled && s->item.stanza == NULL &&
	    presence_sub_pick(p, s, &r) == PRESENCE_SAY_NOTHING) {
		s->is_cancelled = false;
		s->is_row_due = true;
	}
	if (s->is_row_due)
		err = presence_sub_put(p, s);
	if (err == 0 && s->is_dialog_due && s->dialog != NULL) {
		err = presence_dialog_put(p, s->dialog, s->local, s->remote,
					  false);
		if (err == 0)
			s->put_expires_ms = s->dialog->expires_ms;
	}
	if (err == 0)
		s->is_dialog_due = false;
	else
		s->again_ms = now_ms + LIMIT_PRESENCE_AGAIN_MS;
	if (is_over(p, s)) {
		presence_sub_free(p, s);
		return;
	}
	if (presence_sub_due(s) != PRESENCE_SUB_NO_REQUEST)
		presence_want_sip(p, &s->item);
	if (presence_sub_pick(p, s, &r) != PRESENCE_SAY_NOTHING &&
	    now_ms >= s->say_ms)
		presence_want_stanza(p, &s->item);
	presence_sub_arm(p, s, now_ms);
}

void presence_sub_on_time(struct presence *p, struct presence_sub *s,
			  uint64_t now_ms)
{
	if (now_ms >= s->again_ms)
		s->again_ms = UINT64_MAX;
	presence_sub_act(p, s, now_ms);
	if (now_ms >= s->left_until_ms)
		forget_who_left(s);
	if (now_ms >= s->doc_until_ms) {
		presence_log(p, FED_LOG_INFO, "out", s->local, s->remote,
			     "state=lost");
		presence_sub_forget_doc(s, true);
	}
	if (s->say_ms > 0 && now_ms >= s->say_ms) {
		s->say_ms = 0;
		presence_sub_promise(s);
	}
	presence_sub_settle(p, s, now_ms);
}
