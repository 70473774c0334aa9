/*
 * The dialog of a subscription (RFC 6665 4, RFC 3261 12): identifiers, route
 * set, CSeq, and the requests made of them.  It is not the SIP library's,
 * because it must survive a restart.
 */
#include "fe-gateway/core/presence_priv.h"

#include <stdlib.h>
#include <string.h>

#include "fe-gateway/core/dialog_route.h"

enum {
	/* CSeqs that one row stands for: a NOTIFY each needs no write */
	CSEQ_BLOCK = 1000,
	ROUTES_MAX = LIMIT_SIP_BYTES,
};

/* --- life ---------------------------------------------------------------- */

static bool set_key(struct presence *p, struct presence_dialog *d,
		    struct span call_id, struct span local_tag)
{
	struct presence_dialog *other;
	size_t n = call_id.n + 1 + local_tag.n;

	d->key = malloc(n + 1);
	if (d->key == NULL)
		return false;
	memcpy(d->key, call_id.p, call_id.n);
	d->key[call_id.n] = ' ';
	memcpy(d->key + call_id.n + 1, local_tag.p, local_tag.n);
	d->key[n] = '\0';
	d->call_id_len = call_id.n;
	HASH_FIND(hh, p->dialogs, d->key, n, other);
	if (other != NULL)
		return false;
	HASH_ADD_KEYPTR(hh, p->dialogs, d->key, n, d);
	return d->hh.tbl != NULL;
}

/* Out of the table, if it is there. */
void presence_dialog_free(struct presence *p, struct presence_dialog *d)
{
	if (d == NULL)
		return;
	if (d->hh.tbl != NULL)
		HASH_DEL(p->dialogs, d);
	free(d->key);
	free(d->remote_tag);
	free(d->local_uri);
	free(d->remote_uri);
	free(d->target);
	free(d->routes);
	free(d->event_id);
	free(d);
}

static struct presence_dialog *new_dialog(enum presence_direction direction,
					  struct presence_item *owner,
					  struct span local_uri,
					  struct span remote_uri,
					  uint64_t now_ms)
{
	struct presence_dialog *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	d->direction = direction;
	d->owner = owner;
	d->begun_ms = now_ms;
	d->local_uri = span_dup(local_uri);
	d->remote_uri = span_dup(remote_uri);
	return d;
}

/* Freed again unless all of it is there. */
static struct presence_dialog *checked(struct presence *p,
				       struct presence_dialog *d, bool is_whole)
{
	if (is_whole && d->local_uri != NULL && d->remote_uri != NULL)
		return d;
	presence_dialog_free(p, d);
	return NULL;
}

struct presence_dialog *presence_dialog_new(struct presence *p,
					    struct presence_item *owner,
					    const char *local_uri,
					    const char *remote_uri,
					    uint64_t now_ms)
{
	char call_id[ID_TEXT_BYTES + 1], tag[ID_TEXT_BYTES + 1];
	struct presence_dialog *d =
		new_dialog(PRESENCE_OUT, owner, span_str(local_uri),
			   span_str(remote_uri), now_ms);

	if (d == NULL)
		return NULL;
	id_source_next(p->p.ids, call_id);
	id_source_next(p->p.ids, tag);
	return checked(p, d, set_key(p, d, span_str(call_id), span_str(tag)));
}

/* An absent value is NULL; false: no memory. */
static bool set_text(char **text, struct span value)
{
	char *copy = NULL;

	if (value.n > 0) {
		copy = span_dup(value);
		if (copy == NULL)
			return false;
	}
	free(*text);
	*text = copy;
	return true;
}

/* A part of a list as the route set. */
static int set_routes(struct presence_dialog *d, struct span records,
		      bool is_response)
{
	const char *routes = NULL;
	struct arena a;
	int err;

	arena_init(&a, ROUTES_MAX);
	err = is_response ? dialog_route_of_response(records, &a, &routes)
			  : dialog_route_of_request(records, &a, &routes);
	if (err == 0 && !set_text(&d->routes, routes != NULL ? span_str(routes)
							     : SPAN_NULL))
		err = FED_ENOMEM;
	arena_deinit(&a);
	return err;
}

struct presence_dialog *presence_dialog_accept(struct presence *p,
					       struct presence_item *owner,
					       const struct sip_request_in *q,
					       uint64_t now_ms)
{
	char tag[ID_TEXT_BYTES + 1];
	struct presence_dialog *d;
	bool is_whole;

	if (q->contact_uri.n == 0)
		return NULL;
	d = new_dialog(PRESENCE_IN, owner, q->to_uri,
		       q->from_written.n > 0 ? q->from_written : q->from_uri,
		       now_ms);
	if (d == NULL)
		return NULL;
	id_source_next(p->p.ids, tag);
	d->remote_cseq = q->cseq;
	d->has_remote_cseq = true;
	is_whole = set_key(p, d, q->call_id, span_str(tag)) &&
		   set_routes(d, q->record_routes, false) == 0 &&
		   set_text(&d->remote_tag, q->from_tag) &&
		   set_text(&d->target, q->contact_uri) &&
		   set_text(&d->event_id, q->event_id);
	return checked(p, d, is_whole);
}

/* No later than that of a new one: the clock of the wall may be behind where it
 * was.  What the configuration grants is not known yet. */
static uint64_t expiry_of(const struct presence *p,
			  const struct presence_dialog_row *row,
			  uint64_t now_ms)
{
	uint64_t at_ms = presence_clock_ms(p, row->expires_ms);
	uint64_t most_s = LIMIT_PRESENCE_ASKED_S;

	if (row->direction == PRESENCE_IN)
		most_s = p->p.expires_max_s != 0 ? p->p.expires_max_s
						 : LIMIT_PRESENCE_EXPIRES_S;
	return at_ms < now_ms + most_s * 1000 ? at_ms : now_ms + most_s * 1000;
}

struct presence_dialog *presence_dialog_restore(
	struct presence *p, const struct presence_dialog_row *row,
	uint64_t now_ms)
{
	struct presence_dialog *d = new_dialog(
		row->direction, NULL, row->local_uri, row->remote_uri, now_ms);
	bool is_whole;

	if (d == NULL)
		return NULL;
	d->local_cseq = d->cseq_ceiling = row->local_cseq;
	d->remote_cseq = row->remote_cseq;
	d->has_remote_cseq =
		row->direction == PRESENCE_IN || row->remote_cseq > 0;
	d->is_active = row->is_active;
	d->expires_ms = expiry_of(p, row, now_ms);
	is_whole = row->call_id.n > 0 && row->local_tag.n > 0 &&
		   set_key(p, d, row->call_id, row->local_tag) &&
		   set_text(&d->remote_tag, row->remote_tag) &&
		   set_text(&d->target, row->target) &&
		   set_text(&d->routes, row->routes) &&
		   set_text(&d->event_id, row->event_id);
	return checked(p, d, is_whole);
}

/* --- identity ------------------------------------------------------------ */

struct span presence_dialog_call_id(const struct presence_dialog *d)
{
	return span_of(d->key, d->call_id_len);
}

const char *presence_dialog_local_tag(const struct presence_dialog *d)
{
	return d->key + d->call_id_len + 1;
}

struct presence_dialog *presence_dialog_find(struct presence *p,
					     struct span call_id,
					     struct span local_tag)
{
	struct presence_dialog *d = NULL;
	struct buf key;

	buf_init(&key, LIMIT_SIP_BYTES);
	(void)buf_put_span(&key, call_id);
	(void)buf_put_byte(&key, ' ');
	(void)buf_put_span(&key, local_tag);
	if (!key.is_failed)
		HASH_FIND(hh, p->dialogs, buf_span(&key).p, buf_len(&key), d);
	buf_deinit(&key);
	return d;
}

bool presence_dialog_take_request(struct presence_dialog *d,
				  const struct sip_request_in *q)
{
	if (d->has_remote_cseq && q->cseq <= d->remote_cseq)
		return false;
	d->remote_cseq = q->cseq;
	d->has_remote_cseq = true;
	/* without memory the old target serves on */
	if (q->contact_uri.n > 0)
		(void)set_text(&d->target, q->contact_uri);
	return true;
}

int presence_dialog_learn_response(struct presence_dialog *d,
				   const struct sip_response_in *r)
{
	bool is_new = d->remote_tag == NULL;
	int err = 0;

	/* RFC 6665 4.4.1: the NOTIFY that came first has said it, unless it
	 * was let pass as below */
	if (is_new || (d->routes == NULL && d->local_cseq == 1 &&
		       span_eq_str(r->to_tag, d->remote_tag)))
		err = set_routes(d, r->record_routes, true);
	if (err == 0 && is_new && !set_text(&d->remote_tag, r->to_tag))
		err = FED_ENOMEM;
	if (err == 0 && r->contact_uri.n > 0 &&
	    !set_text(&d->target, r->contact_uri))
		err = FED_ENOMEM;
	return err;
}

int presence_dialog_learn_notify(struct presence_dialog *d,
				 const struct sip_request_in *q)
{
	int err = 0;

	/* a proxy that lets NOTIFYs pass without a Record-Route wants to see
	 * what follows all the same, if it said so in the 2xx */
	if (d->remote_tag == NULL ||
	    (!d->has_remote_cseq && q->record_routes.n > 0))
		err = set_routes(d, q->record_routes, false);
	if (err == 0 && d->remote_tag == NULL &&
	    !set_text(&d->remote_tag, q->from_tag))
		err = FED_ENOMEM;
	return err;
}

/* --- its row ------------------------------------------------------------- */

static struct span text_of(const char *s)
{
	return s != NULL ? span_str(s) : SPAN_NULL;
}

int presence_dialog_put(struct presence *p, struct presence_dialog *d,
			const char *local, const char *remote, bool is_deleted)
{
	struct presence_row row = {
		.kind = PRESENCE_ROW_DIALOG,
		.is_deleted = is_deleted,
	};
	struct presence_dialog_row *r = &row.u.dialog;
	uint32_t ceiling = d->local_cseq + CSEQ_BLOCK;
	int err;

	if (d->is_transient)
		return 0;
	r->direction = d->direction;
	r->local = span_str(local);
	r->remote = span_str(remote);
	r->call_id = presence_dialog_call_id(d);
	r->local_tag = span_str(presence_dialog_local_tag(d));
	r->remote_tag = text_of(d->remote_tag);
	r->local_uri = span_str(d->local_uri);
	r->remote_uri = span_str(d->remote_uri);
	r->target = text_of(d->target);
	r->routes = text_of(d->routes);
	r->event_id = text_of(d->event_id);
	r->local_cseq = ceiling;
	r->remote_cseq = d->remote_cseq;
	r->expires_ms = presence_wall_ms(p, d->expires_ms);
	r->is_active = d->is_active;
	err = presence_put_row(p, is_deleted ? NULL : d->owner, &row);
	if (err == 0 && !is_deleted)
		d->cseq_ceiling = ceiling;
	return err;
}

/* --- its requests -------------------------------------------------------- */

static const char *new_branch(struct presence *p)
{
	char id[ID_TEXT_BYTES + 1];

	id_source_next(p->p.ids, id);
	return arena_printf(&p->arena, "z9hG4bK%s%s",
			    p->p.branch_mark != NULL ? p->p.branch_mark : "",
			    id);
}

static int set_way(struct presence *p, const struct presence_dialog *d,
		   struct sip_request_out *q)
{
	struct dialog_route way;
	int err;

	if (d->remote_tag == NULL || d->target == NULL) {
		q->request_uri = d->remote_uri;
		q->route = p->p.route;
		return 0;
	}
	err = dialog_route_request(text_of(d->routes), span_str(d->target),
				   &p->arena, &way);
	if (err != 0)
		return err;
	q->request_uri = way.request_uri;
	q->routes = way.routes;
	q->destination = way.destination;
	return 0;
}

static const char *event_of(struct presence *p, const struct presence_dialog *d)
{
	return d->event_id != NULL
		       ? arena_printf(&p->arena, "presence;id=%s", d->event_id)
		       : "presence";
}

int presence_dialog_request(struct presence *p, struct presence_dialog *d,
			    const char *method, const char *local,
			    const char *remote, struct presence_action *out)
{
	struct sip_request_out *q = &p->request;
	/* one of an earlier run has used all that its row stands for */
	bool is_spent = d->cseq_ceiling > 0 && d->local_cseq >= d->cseq_ceiling;
	int err;

	/* a CSeq that no row stands for might be used twice; half a block is
	 * left while the row is on its way */
	if (d->local_cseq + CSEQ_BLOCK / 2 >= d->cseq_ceiling) {
		err = presence_dialog_put(p, d, local, remote, false);
		if (err == 0 && is_spent)
			err = FED_EAGAIN;
		if (err != 0)
			return err;
	}
	*q = (struct sip_request_out){
		.method = method,
		.from_uri = d->local_uri,
		.from_tag = presence_dialog_local_tag(d),
		.to_uri = d->remote_uri,
		.to_tag = d->remote_tag,
		.call_id = arena_dup(&p->arena, presence_dialog_call_id(d)),
		.branch = new_branch(p),
		.cseq = d->local_cseq + 1,
		.has_contact = true,
		.event = event_of(p, d),
	};
	err = set_way(p, d, q);
	if (err == 0 &&
	    (q->call_id == NULL || q->branch == NULL || q->event == NULL))
		err = FED_ENOMEM;
	if (err != 0)
		return err;
	if (strcmp(method, "SUBSCRIBE") == 0)
		q->accept = PIDF_TYPE;
	d->local_cseq++;
	out->kind = PRESENCE_ACT_SIP_SEND;
	out->u.sip_send.request = q;
	return 0;
}
