/* The actions of an s2s core as one line of text each. */
#ifndef FED_REPLAY_S2S_LINES_H
#define FED_REPLAY_S2S_LINES_H

#include "base/buf.h"
#include "edge-proxy/core/s2s.h"
#include "edge-proxy/core/stanza_xml.h"
#include "xmpp/stanza_error.h"
#include "xmpp/stanza_util.h"

static const char *mechanism_name(Fed__Mechanism m)
{
	return m == FED__MECHANISM__EXTERNAL   ? "external"
	       : m == FED__MECHANISM__DIALBACK ? "dialback"
					       : "none";
}

static const char *const results[] = {
	[S2S_VERIFY_VALID] = "valid",
	[S2S_VERIFY_INVALID] = "invalid",
	[S2S_VERIFY_NOT_FOUND] = "not-found",
	[S2S_VERIFY_NO_CONNECT] = "no-connect",
	[S2S_VERIFY_NO_ANSWER] = "no-answer",
};

static void put_stanza(struct buf *b, const char *what,
		       const struct s2s_action *a)
{
	const Fed__Stanza *st = a->u.stanza.stanza;
	const Fed__Error *e = stanza_get_error(st);

	buf_printf(b, "%s %s from=%s to=%s id=%s %s", what,
		   stanza_kind_name(st), st->from, st->to, st->id,
		   mechanism_name(a->u.stanza.mechanism));
	if (e != NULL)
		buf_printf(b, " error=%s", stanza_error_name(e->condition));
	/* all of it, as we would print it */
	if (a->kind == S2S_ACT_STANZA &&
	    st->kind_case == FED__STANZA__KIND_PRESENCE) {
		buf_put_byte(b, ' ');
		if (stanza_xml_write(b, st) != 0)
			buf_put_str(b, "unprintable");
	}
}

static void put_reason(struct buf *b, const char *what,
		       const struct s2s_reason *r)
{
	char text[256];

	s2s_reason_format(r, text, sizeof(text));
	buf_printf(b, "%s %s", what, text);
}

static void describe(struct buf *b, const struct s2s_action *a)
{
	switch (a->kind) {
	case S2S_ACT_WRITE:
		buf_put_str(b, "< ");
		buf_put_span(b, a->u.bytes);
		break;
	case S2S_ACT_START_TLS:
		buf_printf(b, "start-tls %s", a->u.name);
		break;
	case S2S_ACT_READY:
		buf_printf(b, "ready %s %s %s%s", a->u.ready.pair.local,
			   a->u.ready.pair.remote,
			   mechanism_name(a->u.ready.mechanism),
			   a->u.ready.is_bidi ? " bidi" : "");
		break;
	case S2S_ACT_PAIR_REFUSED:
		put_reason(b, "refused", &a->u.refused.reason);
		break;
	case S2S_ACT_VERIFY:
		buf_printf(b, "verify %s %s id=%s key=%s",
			   a->u.verify.pair.local, a->u.verify.pair.remote,
			   a->u.verify.stream_id, a->u.verify.key);
		break;
	case S2S_ACT_VERDICT:
		buf_printf(b, "verdict %s", results[a->u.verdict]);
		break;
	case S2S_ACT_STANZA:
		put_stanza(b, "stanza", a);
		break;
	case S2S_ACT_REPLY:
		put_stanza(b, "reply", a);
		break;
	case S2S_ACT_REDIRECT:
		buf_printf(b, "redirect %s %s %u",
			   a->u.redirect->is_address ? "address" : "host",
			   a->u.redirect->host, a->u.redirect->port);
		break;
	case S2S_ACT_CLOSE:
		put_reason(b, "close", &a->u.reason);
		break;
	}
}

#endif
