/* Reading by stdio into a bounded buffer. */
#include "io/file_read.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { CHUNK_BYTES = 4096 };

int file_read(const char *file, struct buf *out, struct errbuf *e)
{
	FILE *f = fopen(file, "re");
	char *room;
	size_t n;
	int err = 0;

	if (f == NULL) {
		errbuf_set(e, "%s: cannot open: %s", file, strerror(errno));
		return FED_ECONFIG;
	}
	do {
		room = buf_reserve(out, CHUNK_BYTES);
		n = room == NULL ? 0 : fread(room, 1, CHUNK_BYTES, f);
		buf_commit(out, n);
	} while (n > 0);
	if (room == NULL) {
		errbuf_set(e, "%s: too large", file);
		err = FED_ECONFIG;
	} else if (ferror(f)) {
		errbuf_set(e, "%s: cannot read: %s", file, strerror(errno));
		err = FED_ECONFIG;
	}
	(void)fclose(f);
	return err;
}
