/*
 * Bodies of messages in the log: only while the operator wants them there
 * (settings.log_bodies), never otherwise.
 */
#include "fe-gateway/core/router_priv.h"

void gw_body_log(const struct gw_router *r, const struct gw_ledger *l,
		 struct span body)
{
	char text[LIMIT_LOG_BODY_BYTES + 4];

	if (!federation_settings(r->federation)->log_bodies ||
	    !log_wants(r->p.log, FED_LOG_INFO))
		return;
	log_escape(body, text, sizeof(text));
	fed_log(r->p.log, FED_LOG_INFO, "body",
		"dir=%s from=%s to=%s call-id=%s body=\"%s\"", l->dir,
		log_value(l->from).text, log_value(l->to).text,
		log_value(l->call_id).text, text);
}
