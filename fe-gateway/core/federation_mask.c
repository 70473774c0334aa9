/* Records without what nobody may see. */
#include "fe-gateway/core/federation_mask.h"

#include "chan/chan_rules.h"

Fed__Record *federation_mask(const Fed__Record *r, struct arena *a)
{
	Fed__SettingsRecord *settings;
	Fed__Record *copy;

	if (r == NULL || r->kind_case != FED__RECORD__KIND_SETTINGS ||
	    r->settings->dialback_secret.len == 0)
		return chan_unconst(r);
	copy = arena_alloc(a, sizeof(*copy));
	settings = arena_alloc(a, sizeof(*settings));
	if (copy == NULL || settings == NULL)
		return NULL;
	*settings = *r->settings;
	settings->dialback_secret = (ProtobufCBinaryData){0, NULL};
	*copy = *r;
	copy->settings = settings;
	return copy;
}

Fed__Change *federation_mask_change(const Fed__Change *c, struct arena *a)
{
	Fed__Change *copy = arena_alloc(a, sizeof(*copy));

	if (copy == NULL)
		return NULL;
	fed__change__init(copy);
	copy->before = federation_mask(c->before, a);
	copy->after = federation_mask(c->after, a);
	return (copy->before == NULL) == (c->before == NULL) &&
			       (copy->after == NULL) == (c->after == NULL)
		       ? copy
		       : NULL;
}
