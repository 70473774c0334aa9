/* Documents of one member, printed piece by piece. */
#include "deploy/fedctl/json.h"

#include "base/span.h"

void json_value(struct shower *s, json_t *value)
{
	if (value == NULL || json_dumpf(value, s->to, JSON_ENCODE_ANY) != 0)
		s->is_failed = true;
	json_decref(value);
}

void json_document(struct shower *s, const char *name, json_t *value)
{
	(void)fprintf(s->to, "{\"%s\": ", name);
	json_value(s, value);
	(void)fputs("}\n", s->to);
}

void json_list_begin(struct shower *s, const char *name)
{
	(void)fprintf(s->to, "{\"%s\": [", name);
}

void json_entry(struct shower *s, json_t *entry)
{
	(void)fputs(s->shown++ == 0 ? "\n" : ",\n", s->to);
	json_value(s, entry);
}

void json_list_end(struct shower *s)
{
	(void)fputs(s->shown == 0 ? "]}\n" : "\n]}\n", s->to);
}

json_t *json_text_or_null(const char *text)
{
	return text[0] == '\0' ? json_null() : json_string(text);
}

json_t *json_age_or_null(int64_t ms)
{
	return ms < 0 ? json_null() : json_integer(ms);
}

json_t *json_bytes(const ProtobufCBinaryData *b)
{
	if (b->len == 0 || !span_is_utf8(span_of(b->data, b->len)))
		return json_null();
	return json_stringn((const char *)b->data, b->len);
}
