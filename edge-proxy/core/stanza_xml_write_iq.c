/* Stanza to XML: the payloads of an iq. */
#include "edge-proxy/core/stanza_print.h"

#include <stddef.h>

#include "edge-proxy/core/xml_names.h"
#include "edge-proxy/core/xml_writer.h"

/* "<query xmlns='' node=''>" */
static void open_query(struct buf *b, const char *ns, const char *node)
{
	xml_write_open(b, "query");
	xml_write_attr(b, "xmlns", ns);
	stanza_print_attr(b, "node", node);
	xml_write_body(b);
}

static void print_disco_info(struct buf *b, const Fed__DiscoInfo *info,
			     const char *lang)
{
	open_query(b, NS_DISCO_INFO, info->node);
	for (size_t i = 0; i < info->n_identity; i++) {
		const Fed__DiscoIdentity *id = info->identity[i];

		xml_write_open(b, "identity");
		xml_write_attr(b, "category", id->category);
		xml_write_attr(b, "type", id->type);
		stanza_print_attr(b, "name", id->name);
		stanza_print_lang(b, id->lang, lang);
		xml_write_empty(b);
	}
	for (size_t i = 0; i < info->n_feature; i++) {
		xml_write_open(b, "feature");
		xml_write_attr(b, "var", info->feature[i]);
		xml_write_empty(b);
	}
	xml_write_close(b, "query");
}

static void print_disco_items(struct buf *b, const Fed__DiscoItems *items)
{
	open_query(b, NS_DISCO_ITEMS, items->node);
	for (size_t i = 0; i < items->n_item; i++) {
		const Fed__DiscoItem *item = items->item[i];

		xml_write_open(b, "item");
		xml_write_attr(b, "jid", item->jid);
		stanza_print_attr(b, "node", item->node);
		stanza_print_attr(b, "name", item->name);
		xml_write_empty(b);
	}
	xml_write_close(b, "query");
}

static void print_version(struct buf *b, const Fed__Version *v)
{
	open_query(b, NS_VERSION, "");
	xml_write_leaf(b, "name", v->name);
	xml_write_leaf(b, "version", v->version);
	xml_write_leaf(b, "os", v->os);
	xml_write_close(b, "query");
}

/* <outer><inner>text</inner></outer>; nothing without text */
static void print_nested(struct buf *b, const char *outer, const char *inner,
			 const char *text)
{
	if (text[0] == '\0')
		return;
	xml_write_open(b, outer);
	xml_write_body(b);
	xml_write_leaf(b, inner, text);
	xml_write_close(b, outer);
}

static void print_vcard(struct buf *b, const Fed__Vcard *v)
{
	xml_write_open(b, "vCard");
	xml_write_attr(b, "xmlns", NS_VCARD);
	xml_write_body(b);
	xml_write_leaf(b, "FN", v->full_name);
	xml_write_leaf(b, "NICKNAME", v->nickname);
	xml_write_leaf(b, "URL", v->url);
	print_nested(b, "EMAIL", "USERID", v->email);
	print_nested(b, "TEL", "NUMBER", v->tel);
	xml_write_leaf(b, "DESC", v->description);
	print_nested(b, "ORG", "ORGNAME", v->organisation);
	xml_write_leaf(b, "TITLE", v->title);
	xml_write_close(b, "vCard");
}

void stanza_print_payload(struct buf *b, const Fed__Stanza *s)
{
	const Fed__Iq *iq = s->iq;

	switch (iq->payload_case) {
	case FED__IQ__PAYLOAD_DISCO_INFO:
		print_disco_info(b, iq->disco_info, s->lang);
		break;
	case FED__IQ__PAYLOAD_DISCO_ITEMS:
		print_disco_items(b, iq->disco_items);
		break;
	case FED__IQ__PAYLOAD_PING:
		xml_write_flag(b, "ping", NS_PING);
		break;
	case FED__IQ__PAYLOAD_VERSION:
		print_version(b, iq->version);
		break;
	case FED__IQ__PAYLOAD_VCARD:
		print_vcard(b, iq->vcard);
		break;
	case FED__IQ__PAYLOAD__NOT_SET:
	case _FED__IQ__PAYLOAD__CASE_IS_INT_SIZE:
		break;
	}
}
