/*
 * An OUT watch whose gates close: the watcher is told that nobody is there, and
 * the SIP user is not asked any more; the authorization and its row stay.  When
 * they open it is asked for anew, in its turn.
 */
#include "fe-gateway/core/presence_sub_priv.h"

static void hide(struct presence *p, struct presence_sub *s, uint64_t now_ms)
{
	presence_sub_drop_answer(s);
	presence_sub_forget_doc(s, false);
	s->is_again = false;
	s->error = 0;
	if (s->is_poll)
		presence_sub_quiet(p, s, "barred", now_ms);
	else if (s->state != PRESENCE_SUB_ENDING)
		presence_sub_end(p, s, "barred", now_ms);
}

static void show(struct presence *p, struct presence_sub *s, uint64_t now_ms)
{
	if (s->auth == PRESENCE_NONE)
		return;
	if (s->state == PRESENCE_SUB_ENDING)
		presence_sub_poke(p, s, now_ms);
	else
		presence_sub_wait(p, s, presence_paced_at(p, now_ms) - now_ms,
				  "allowed", now_ms);
}

static struct access_verdict judge(const struct presence *p,
				   const struct presence_sub *s)
{
	return presence_access(p, ACCESS_PRESENCE, ACCESS_TO_XMPP,
			       span_str(s->local), span_str(s->remote));
}

void presence_sub_judge(struct presence *p, struct presence_sub *s)
{
	struct access_verdict v = judge(p, s);

	s->item.looked = p->round;
	s->is_barred = !access_is_open(&v);
	s->hides_note = v.hides_note;
}

bool presence_sub_look(struct presence *p, struct presence_sub *s,
		       uint64_t now_ms)
{
	struct access_verdict v = judge(p, s);
	bool is_barred = !access_is_open(&v);

	/* what 423 made of it is found out again */
	s->asked_s = presence_expires_s(p);
	if (s->is_barred == is_barred && s->hides_note == v.hides_note)
		return false;
	s->hides_note = v.hides_note;
	if (s->is_barred != is_barred) {
		s->is_barred = is_barred;
		presence_log_access(p, PRESENCE_OUT, s->local, s->remote, &v);
		if (is_barred)
			hide(p, s, now_ms);
		else
			show(p, s, now_ms);
	}
	presence_sub_settle(p, s, now_ms);
	return true;
}
