/*
 * Files of an old gateway and tables: whatever is in them, what comes out can
 * be sent to the gateway and shown.
 *
 * Input: "x" and XML, "p" and a table of partners, "u" and rows of a table.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "deploy/fedctl/csv.h"
#include "deploy/fedctl/migrate_list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool is_right)
{
	if (!is_right)
		abort();
}

static void check_record(const Fed__Record *r)
{
	check(r->kind_case == FED__RECORD__KIND_PARTNER);
	check(migrate_list_is_domain(span_str(r->partner->domain)));
	check(span_is_utf8(span_str(r->partner->description)));
	check(r->partner->state == FED__PARTNER_STATE__LEGACY);
}

/* Their lines go up, and all cells are texts. */
static void check_rows(struct arena *a, struct span text)
{
	struct csv_row row;
	struct csv_text t;
	size_t line = 0;

	csv_text_init(&t, text, true);
	while (csv_next(&t, a, &row) == 1) {
		check(row.line > line && row.count > 0);
		line = row.line;
		for (size_t i = 0; i < CSV_COLUMNS; i++)
			check(strlen(row.cells[i]) <= text.n);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct errbuf e = {.text = ""};
	struct migrate_list l;
	struct span text;
	struct arena a;

	if (size == 0)
		return 0;
	text = span_of(data + 1, size - 1);
	arena_init(&a, 16u << 20);
	migrate_list_init(&l, &a, FED__PARTNER_TYPE__FEDERATED);
	if (data[0] == 'x')
		(void)!migrate_xml(&l, text, &e);
	else if (data[0] == 'p')
		(void)!migrate_csv_partners(&l, text);
	else
		check_rows(&a, text);
	for (size_t i = 0; i < l.record_count; i++)
		check_record(l.records[i]);
	for (size_t i = 0; i < l.note_count; i++)
		check(span_is_utf8(span_str(l.notes[i]->text)));
	arena_deinit(&a);
	return 0;
}
